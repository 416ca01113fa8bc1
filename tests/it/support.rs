//! What several tests need.

use seaworthy::execute::{Limits, Outcome, Verdict, run};
use seaworthy::scenario::Scenario;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every scenario file of the library, in order of their paths, relative to `scenarios`.
pub(crate) fn library() -> Vec<(PathBuf, Scenario)> {
    let folder = root().join("scenarios");
    let mut found = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().expect("entries have names").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".json") && name != "scenario.schema.json" {
                let scenario =
                    Scenario::read(&path).unwrap_or_else(|error| panic!("{}", error.render(false, 120)));
                found.push((path.strip_prefix(&folder).expect("it is inside").to_path_buf(), scenario));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!found.is_empty(), "there are scenarios");
    found
}

/// Whether this build can switch on the bug that a scenario names.
pub(crate) fn can_run(scenario: &Scenario) -> bool {
    scenario.mutation.is_none() || cfg!(feature = "mutations")
}

/// Three nodes, unless the fields say otherwise. `LED` stands for the first leader `l` and two nodes that follow it, of
/// whom `f` is one and `g` the other.
pub(crate) fn scenario(fields: &str) -> Scenario {
    let led = r#"{ "until": { "that": { "all": ["single_leader", { "terms_agree": { "among": "members" } }] }, "bind": "l" } },
        { "sleep": "60ms" }, { "bind": { "name": "f", "to": "follower 0" } }, { "bind": { "name": "g", "to": "follower 1" } }"#;
    let nodes = if fields.trim_start().starts_with("\"nodes\":") { "" } else { "\"nodes\": 3, " };
    let text = format!("{{ \"name\": \"story\", {nodes}{} }}", fields.replace("LED", led));
    Scenario::parse("story.json", &text).unwrap_or_else(|error| panic!("{}", error.render(false, 110)))
}

pub(crate) fn play(scenario: &Scenario) -> Outcome {
    run(scenario, 1, Limits::default(), ()).expect("no bug is named").0
}

#[track_caller]
pub(crate) fn passes(fields: &str) -> Outcome {
    let outcome = play(&scenario(fields));
    assert_eq!(outcome.verdict, Verdict::Passed, "{fields}: {:?}", outcome.violations);
    outcome
}

#[track_caller]
pub(crate) fn fails(fields: &str, because: &str) -> Outcome {
    let outcome = play(&scenario(fields));
    let violation = outcome.violation().unwrap_or_else(|| panic!("nothing breaks in {fields}"));
    assert!(violation.what.contains(because), "{}", violation.what);
    outcome
}

/// The program, in the root of the repository, deaf to the variables of whoever runs the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
    let colours = ["NO_COLOR", "CLICOLOR_FORCE", "SEAWORTHY_COLOR"];
    let others = ["SEAWORTHY_QUIET", "SEAWORTHY_VIEW", "SEAWORTHY_JOBS", "SEAWORTHY_FORMAT"];
    for variable in colours.iter().chain(&others) {
        command.env_remove(variable);
    }
    command.current_dir(root());
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints UTF-8")
}
