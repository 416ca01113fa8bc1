//! Reads a scenario file and says of a bad one what is wrong where.

mod fault;
mod lexical;
mod located;
mod syntax;

use crate::scenario::check;
use crate::scenario::document::Scenario;
use crate::scenario::error::{Problem, ScenarioError};
use crate::scenario::excerpt::Excerpt;
use core::ops::Range;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The largest scenario file, in bytes.
pub const SIZE_MAX: usize = 1 << 20;

/// Something wrong at a place in the text.
pub(crate) struct Flaw {
    range: Range<usize>,
    message: String,
    label: String,
}

impl Flaw {
    pub(crate) const fn new(range: Range<usize>, message: String) -> Self {
        Self { range, message, label: String::new() }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    fn problem(&self, file: &str, text: &str) -> Problem {
        let label = if self.label.is_empty() { "here" } else { &self.label };
        Problem::new(&self.message, label, Excerpt::new(file, text, self.range.start, self.range.end))
    }
}

/// The text without the byte order mark that some editors put first. It says nothing in UTF-8 and is no part of the first line.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl Scenario {
    /// Reads the scenario file at `path`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not a scenario: see [`Scenario::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ScenarioError> {
        let path = path.as_ref();
        let wrong = |message: &str| whole_file(&path.display().to_string(), message);
        if path.is_dir() {
            return Err(wrong(DIRECTORY));
        }
        let file = File::open(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let bytes = bytes_of(&file).map_err(|message| wrong(&message))?;
        Self::of_bytes(path, &bytes)
    }

    /// The same of what was read from `path`, for what can be read only once, such as a pipe.
    pub(crate) fn of_bytes(path: &Path, bytes: &[u8]) -> Result<Self, ScenarioError> {
        let name = path.display().to_string();
        if bytes.len() > SIZE_MAX {
            return Err(whole_file(&name, &too_large(bytes.len() as u64)));
        }
        Self::parse(&name, text_of(&name, bytes)?)
    }

    /// Reads a scenario from `text`; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// If the text is too large, is not JSON with comments, does not have the form of a scenario, or has it and makes
    /// no sense. Of the last sort, all are told (of very many, the first hundred).
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        if text.len() > SIZE_MAX {
            return Err(whole_file(name, &too_large(text.len() as u64)));
        }
        let text = without_mark(text);
        let told = |flaws: &[Flaw], untold: usize| {
            let beyond = flaws.len().saturating_sub(check::TOLD_MAX);
            let problems = flaws.iter().take(check::TOLD_MAX).map(|flaw| flaw.problem(name, text)).collect();
            ScenarioError::new(problems, untold + beyond)
        };
        let tree = syntax::parse(text, lexical::DEPTH_MAX).map_err(|flaw| told(&[flaw], 0))?;
        let mut flaws = Vec::new();
        syntax::repeated_keys(&tree, &mut flaws);
        if !flaws.is_empty() {
            return Err(told(&flaws, 0));
        }
        let scenario: Self = typed(&tree).map_err(|flaw| told(&[flaw], 0))?;
        let (findings, untold) = check::check(&scenario);
        let flaws: Vec<Flaw> = findings.iter().map(|finding| placed(finding, &tree)).collect();
        if flaws.is_empty() { Ok(scenario) } else { Err(told(&flaws, untold)) }
    }

    /// Whether the scenario makes sense, for one that was built rather than read. Each text says where and what.
    ///
    /// # Errors
    ///
    /// What [`Scenario::parse`] would say of it.
    pub fn check(&self) -> Result<(), Vec<String>> {
        let (findings, _) = check::check(self);
        if findings.is_empty() { Ok(()) } else { Err(findings.iter().map(ToString::to_string).collect()) }
    }
}

/// How deep a scenario stands in a document at most.
const WITHIN: usize = 8;

/// Reads a document that holds parts of scenarios, or one of those parts. Whether they make sense is not asked.
///
/// All of them are read by this one reader: it is the larger part of the program, and another one, such as that of `serde_json`,
/// would be as large again.
///
/// # Errors
///
/// What is wrong, and at which line and column.
pub(crate) fn document<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let told = |flaw: &Flaw| {
        let Excerpt { line, column, .. } = Excerpt::new("", text, flaw.range.start, flaw.range.end);
        let within = if flaw.label.is_empty() { String::new() } else { format!("{}: ", flaw.label) };
        let message = flaw.message.replace('\n', "; ");
        format!("{within}{message} (line {line}, column {column})")
    };
    let tree = syntax::parse(text, lexical::DEPTH_MAX + WITHIN).map_err(|flaw| told(&flaw))?;
    let mut flaws = Vec::new();
    syntax::repeated_keys(&tree, &mut flaws);
    match flaws.first() {
        Some(flaw) => Err(told(flaw)),
        None => typed(&tree).map_err(|flaw| told(&flaw)),
    }
}

/// Reads a text without asking whether it makes sense.
#[cfg(test)]
pub(crate) fn unchecked(text: &str) -> Result<Scenario, String> {
    let tree = syntax::parse(text, lexical::DEPTH_MAX).map_err(|flaw| flaw.message)?;
    typed(&tree).map_err(|flaw| format!("{}: {}", flaw.label, flaw.message))
}

fn typed<T: DeserializeOwned>(tree: &Value<'_>) -> Result<T, Flaw> {
    T::deserialize(located::Located(tree)).map_err(|fault| {
        let range = fault.range.unwrap_or_else(|| tree.range());
        Flaw::new(range.start..range.end, fault.message.clone()).label(fault.path().to_string())
    })
}

fn placed(finding: &check::Finding, tree: &Value<'_>) -> Flaw {
    let (range, written) = finding.path.locate(tree, finding.at_key);
    Flaw::new(range.start..range.end, finding.message.clone()).label(written.to_string())
}

const DIRECTORY: &str = "this is a directory: expected a scenario file";

fn bytes_of(file: &File) -> Result<Vec<u8>, String> {
    let data = file.metadata().map_err(|error| format!("cannot be read: {error}"))?;
    if data.is_dir() {
        return Err(DIRECTORY.to_owned());
    }
    let mut bytes = Vec::new();
    // One byte more than allowed shows that it is too large, however large it is.
    let limit = SIZE_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > SIZE_MAX {
        // Of a device its length says 0.
        return Err(too_large(data.len().max(limit)));
    }
    Ok(bytes)
}

fn too_large(size: u64) -> String {
    format!("too large, {size} bytes: expected at most {SIZE_MAX} (1 MiB)")
}

fn text_of<'b>(name: &str, bytes: &'b [u8]) -> Result<&'b str, ScenarioError> {
    core::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let byte = bytes[at];
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let hint = if utf16 { "\nit looks like UTF-16: save the file as UTF-8" } else { "" };
        let message = format!("not UTF-8: byte {byte:#04x} at offset {at}: expected text in UTF-8{hint}");
        let text = String::from_utf8_lossy(bytes);
        // Up to the bad byte nothing was replaced, so the offset is the same in the lossy text.
        ScenarioError::new(vec![Flaw::new(at..at + 1, message).problem(name, &text)], 0)
    })
}

/// An error about the file as a whole, told at its first character.
fn whole_file(name: &str, message: &str) -> ScenarioError {
    ScenarioError::new(vec![Flaw::new(0..0, message.to_owned()).problem(name, "")], 0)
}
