//! Scenario files: finding them, reading them, checking them, listing them.

use crate::capsule::Capsule;
use crate::cli::args::{Check, Format, List};
use crate::cli::output::{Output, shown};
use crate::cli::{Exit, Failure};
use crate::scenario::{Expect, Scenario, ScenarioError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// How large a capsule may be, in bytes.
pub(crate) const CAPSULE_MAX: u64 = 64 << 20;

/// The scenario files that are meant: a folder stands for those in it and below it, in order of their names.
pub(crate) fn find(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    find_any("scenario files", files)
}

/// The same of capsules.
pub(crate) fn find_capsules(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    find_any("capsules", files)
}

fn find_any(what: &str, files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for file in files {
        if file.is_dir() {
            collect(file, &mut found);
        } else {
            found.push(file.clone());
        }
    }
    if found.is_empty() {
        let folders = files.iter().map(|folder| shown(folder)).collect::<Vec<_>>().join(", ");
        let message = format!("no {what} in {folders} (*.json, *.jsonc)");
        return Err(Failure::new(Exit::NothingSelected, message));
    }
    Ok(found)
}

/// A folder that cannot be read stands for itself: who reads the others tells of it as of a file that cannot be.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries: std::io::Result<Vec<_>> = std::fs::read_dir(folder).and_then(Iterator::collect);
    let Ok(entries) = entries else { return found.push(folder.to_path_buf()) };
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_symlink() && path.is_dir() {
            // Links to folders may lead round in a circle.
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else if path.metadata().is_ok_and(|there| !there.is_file()) {
            // A pipe would be waited for. What a link leads to and is not there is told when it is read.
        } else if (name.ends_with(".json") && !name.ends_with(".schema.json")) || name.ends_with(".jsonc") {
            found.push(path);
        }
    }
}

/// Reads a text of at most so many bytes: a pipe or a device may have no end.
pub(crate) fn read_text(path: &Path, most: u64) -> std::io::Result<String> {
    text_of(read_bytes(path, most)?)
}

/// The whole lines of a file of at most so many bytes: half a line at the end is left out, wherever it was cut.
pub(crate) fn read_lines(path: &Path, most: u64) -> std::io::Result<String> {
    let mut bytes = read_bytes(path, most)?;
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    text_of(bytes)
}

fn text_of(bytes: Vec<u8>) -> std::io::Result<String> {
    String::from_utf8(bytes).map_err(|error| std::io::Error::other(format!("not UTF-8: {error}")))
}

fn read_bytes(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    bytes_of(std::fs::File::open(path)?, most)
}

fn bytes_of(file: std::fs::File, most: u64) -> std::io::Result<Vec<u8>> {
    let too_large = || std::io::Error::other(format!("too large: expected at most {} MiB", most >> 20));
    if file.metadata()?.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Reads a scenario, or says what is wrong with it.
pub(crate) fn read(path: &Path, output: &Output) -> Result<Scenario, Failure> {
    let wrong =
        |why: &dyn core::fmt::Display| Failure::new(Exit::BadInput, format!("{}: {why}", shown(path)));
    // A file that is not there has no line to show.
    let file = std::fs::File::open(path).map_err(|error| wrong(&error))?;
    if path.is_dir() {
        return Scenario::read(path).map_err(|error| told(path, &error, output));
    }
    // A pipe gives what it holds once.
    let bytes = bytes_of(file, CAPSULE_MAX).map_err(|error| wrong(&error))?;
    let is_capsule = core::str::from_utf8(&bytes).is_ok_and(Capsule::is_meant_by);
    if is_capsule {
        let what =
            "this is a capsule: `replay` has its failure again, `explain` tells it; expected a scenario";
        return Err(wrong(&what));
    }
    Scenario::of_bytes(path, &bytes).map_err(|error| told(path, &error, output))
}

/// The same of a text that was read from `path`.
pub(crate) fn parse(path: &Path, text: &str, output: &Output) -> Result<Scenario, Failure> {
    Scenario::parse(&path.to_string_lossy(), text).map_err(|error| told(path, &error, output))
}

fn told(path: &Path, error: &ScenarioError, output: &Output) -> Failure {
    let rendered = error.render(output.error_color(), output.width);
    Failure::new(Exit::BadInput, format!("{}\n{}", shown(path), rendered.trim_end()))
}

pub(crate) fn check(args: &Check, output: &mut Output) -> Result<Exit, Failure> {
    let files = find(&args.files)?;
    let mut bad = 0;
    for file in &files {
        match read(file, output) {
            Ok(_) if output.quiet => {}
            Ok(scenario) => output.line(&format!("ok   {}  ({})", shown(file), scenario.name))?,
            Err(failure) => {
                bad += 1;
                output.error(&failure.message);
            }
        }
    }
    if bad == 0 {
        return Ok(Exit::Clean);
    }
    Err(Failure::new(Exit::BadInput, format!("{bad} of {} scenario files cannot be used", files.len())))
}

/// What a scenario is expected to show, in a word or two.
pub(crate) fn verdict(scenario: &Scenario) -> String {
    match scenario.expect {
        Expect::Pass => "passes".to_string(),
        Expect::Violation(property) => format!("violates {property}"),
    }
}

pub(crate) fn list(args: &List, output: &mut Output) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for file in find(std::slice::from_ref(&args.folder))? {
        let scenario = read(&file, output)?;
        rows.push((file, verdict(&scenario), scenario));
    }
    if args.format == Format::Json {
        let row = |(file, verdict, scenario): &(PathBuf, String, Scenario)| {
            serde_json::json!({
                "file": file.to_string_lossy(),
                "name": scenario.name,
                "nodes": scenario.nodes,
                "shows": scenario.shows,
                "verdict": verdict,
            })
        };
        let scenarios: Vec<_> = rows.iter().map(row).collect();
        let document = serde_json::json!({ "schema_version": 1, "scenarios": scenarios });
        output.line(&document.to_string())?;
        return Ok(Exit::Clean);
    }
    for (file, verdict, scenario) in rows {
        output.line(&format!("{}  ({} nodes, {verdict})", shown(&file), scenario.nodes))?;
        output.line(&format!("    {}", scenario.shows))?;
    }
    Ok(Exit::Clean)
}
