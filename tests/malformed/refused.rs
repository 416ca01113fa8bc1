//! What every case asks for: one problem, at the mark, with a caret and the words.

use seaworthy::scenario::{Scenario, ScenarioError};

/// The line and the column of the mark, from 1 and in characters, and the text without it.
fn place_of_mark(marked: &str) -> (usize, usize, String) {
    let (before, after) = marked.split_once('§').expect("every case marks its place");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().filter(|c| *c != '\u{feff}').count() + 1;
    (line, column, format!("{before}{after}"))
}

pub(crate) fn assert_told(error: &ScenarioError, file: &str, line: usize, column: usize, words: &[&str]) {
    let shown = error.render(false, 120);
    let place = format!("[{file}:{line}:{column}]");
    assert!(shown.contains(&place), "expected {place} in\n{shown}");
    let caret =
        shown.lines().any(|line| line.trim_start().starts_with('·') && line.contains(['┬', '▲', '─']));
    assert!(caret, "expected a caret in\n{shown}");
    let unwrapped = shown.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(unwrapped.contains(word), "expected \"{word}\" in\n{shown}");
    }
    let says_what_fits =
        ["expected", "the cluster has", "cannot be read"].iter().any(|words| unwrapped.contains(words));
    assert!(says_what_fits, "{shown}");
    let colored = error.render(true, 120);
    assert!(colored.contains("\u{1b}["), "{colored}");
    assert!(error.to_string().starts_with(&format!("{file}:{line}:{column}: ")), "{error}");
}

/// The text is refused with one problem, at the mark.
#[track_caller]
pub(crate) fn refused(marked: &str, words: &[&str]) {
    let (line, column, text) = place_of_mark(marked);
    let Err(error) = Scenario::parse("bad.json", &text) else { panic!("it was read:\n{text}") };
    assert_eq!(error.problems().len(), 1, "{error}");
    assert_told(&error, "bad.json", line, column, words);
}

/// A scenario with these fields is refused, with one problem, at the mark.
#[track_caller]
pub(crate) fn field_refused(fields: &str, words: &[&str]) {
    refused(&format!("{{\n  \"name\": \"x\",\n  \"nodes\": 5,\n  {fields}\n}}\n"), words);
}

/// A scenario with these steps is refused, with one problem, at the mark.
#[track_caller]
pub(crate) fn steps_refused(steps: &str, words: &[&str]) {
    field_refused(&format!("\"steps\": [\n    {steps}\n  ]"), words);
}
