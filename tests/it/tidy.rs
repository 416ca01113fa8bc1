//! Rules of the house that no other tool checks.

use crate::support::root;
use std::path::{Path, PathBuf};

fn files(below: &Path, wanted: &dyn Fn(&str) -> bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("entries have names").to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !matches!(name.as_str(), "target" | "corpus" | "artifacts") {
                files(&path, wanted, found);
            }
        } else if wanted(&name) {
            found.push(path);
        }
    }
}

fn texts(endings: &'static [&'static str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(root(), &|name| endings.iter().any(|ending| name.ends_with(ending)), &mut found);
    found.sort();
    assert!(found.len() > 10, "the files are found");
    let read = |path: PathBuf| {
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.strip_prefix(root()).expect("it is inside").display().to_string(), text)
    };
    found.into_iter().map(read).collect()
}

#[test]
fn files_are_short() {
    // Tables of test data may be a little longer.
    let most = |path: &str| if path.contains("tests/") { 550 } else { 500 };
    let long: Vec<String> = texts(&[".rs"])
        .into_iter()
        .filter(|(path, text)| text.lines().count() > most(path))
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "past 500 lines one type is hiding another: {long:#?}");
}

#[test]
fn lines_fit_the_page() {
    let mut long = Vec::new();
    for (path, text) in texts(&[".rs", ".md"]) {
        for (number, line) in (1..).zip(text.lines()) {
            let is_row = line.starts_with('|')
                || line.contains("](")
                || path.starts_with("tests/malformed")
                || path.starts_with("tests/it/verbs");
            if line.chars().count() > 130 && !is_row {
                long.push(format!("{path}:{number}"));
            }
        }
    }
    assert!(long.is_empty(), "longer than 130 columns: {long:#?}");
}

#[test]
fn nothing_is_left_undone() {
    // In pieces, so that this file does not find itself.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["#[ig", "nore"]].map(|parts| parts.concat());
    for (path, text) in texts(&[".rs", ".json", ".toml"]) {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{path} holds {mark}");
        }
    }
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    for (path, text) in texts(&[".rs"]) {
        assert!(text.starts_with("//!") || text.starts_with("#!["), "{path} does not begin with `//!`");
    }
}

#[test]
fn the_core_crates_do_not_know_each_other() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("the manifest is there");
    assert!(!read("sim-core/Cargo.toml").contains("raft"));
    assert!(!read("raft-node/Cargo.toml").contains("sim-core"));
    for (path, text) in texts(&[".rs"]) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        if path.starts_with("sim-core/src") {
            assert!(!text.to_lowercase().contains("raft"), "{path} has heard of Raft");
        }
        let knows_node = code.clone().any(|line| line.contains("raft_node::"));
        let may = ["src/adapter/", "raft-node/", "tests/", "benches/"];
        assert!(!knows_node || may.iter().any(|place| path.starts_with(place)), "{path} knows the node");
    }
}

#[test]
fn the_changelog_tells_of_the_version() {
    let changelog = std::fs::read_to_string(root().join("CHANGELOG.md")).expect("there is a changelog");
    let version = env!("CARGO_PKG_VERSION");
    assert!(changelog.contains("## Unreleased") || changelog.contains(&format!("## {version}")));
}

#[test]
fn every_dependency_has_its_reason() {
    for manifest in ["Cargo.toml", "sim-core/Cargo.toml", "raft-node/Cargo.toml"] {
        let text = std::fs::read_to_string(root().join(manifest)).expect("the manifest is there");
        let mut inside = false;
        let mut reason = false;
        for line in text.lines() {
            if line.starts_with('[') {
                inside = line.contains("dependencies]") && !line.contains("dev-");
            } else if line.starts_with('#') {
                reason = true;
            } else if line.is_empty() {
                reason = false;
            } else if inside && !line.contains("workspace") && !line.contains("path =") {
                assert!(reason, "{manifest}: no reason beside `{line}`");
                reason = false;
            }
        }
    }
}
