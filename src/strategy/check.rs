//! The check that ends a property test of a cluster.

use crate::capsule::{Capsule, KeepError, keep};
use crate::chain::Chain;
use crate::execute::{Limits, Outcome, run};
use crate::report::{Replay, text};
use crate::scenario::Scenario;
use proptest::test_runner::TestCaseError;
use sim_core::Digest;
use std::path::{Path, PathBuf};

/// Where failures are written to, from where the test runs: for `cargo test` that is the folder of the package.
pub const FOLDER: &str = ".seaworthy";

/// Runs `scenario` with the seed that is in it: every safety property must hold, and it must converge after healing, or end as
/// it expects.
///
/// # Errors
///
/// When something breaks. The failure is then in a capsule below [`FOLDER`], made as short as can be, and the message ends with
/// the line that replays it.
pub fn check(scenario: &Scenario) -> Result<(), TestCaseError> {
    check_in(scenario, Path::new(FOLDER))
}

/// [`check`], with the folder for failures.
///
/// # Errors
///
/// As [`check`].
pub fn check_in(scenario: &Scenario, folder: &Path) -> Result<(), TestCaseError> {
    let limits = Limits::of(scenario);
    let (outcome, ()) =
        run(scenario, scenario.seed.0, limits, ()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    if outcome.verdict.as_expected() {
        return Ok(());
    }
    let capsule = Capsule::with_story(scenario, &outcome, limits)
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    let message = match capsule {
        Some(capsule) => failure(scenario, &outcome, folder, &capsule),
        // Nothing broke, and something should have: there is nothing to make short.
        None => replay_of_scenario(scenario, &outcome, folder),
    };
    // proptest puts a full stop behind the message: it must not end up in the line to paste.
    Err(TestCaseError::fail(message + "\n"))
}

fn failure(scenario: &Scenario, outcome: &Outcome, folder: &Path, capsule: &Capsule) -> String {
    let path = match keep(folder, capsule) {
        Ok(path) => path,
        Err(error) => {
            // What was found is told here, or nowhere.
            let told = capsule.story.as_ref().map_or(scenario, |story| &story.scenario).to_text();
            return format!("{:?}; it could not be written down: {error}\n{told}", outcome.violations);
        }
    };
    let path = path.display();
    let story = capsule.story.as_ref().map_or_else(
        || format!("capsule: {path}"),
        |story| format!("capsule: {path} ({} events of {})", story.size.events(), capsule.size.events()),
    );
    format!("{}\n{story}", text(scenario, outcome, &format!("seaworthy replay {path}")))
}

fn replay_of_scenario(scenario: &Scenario, outcome: &Outcome, folder: &Path) -> String {
    match write(scenario, folder) {
        Ok(path) => {
            let program = "seaworthy".to_string();
            let replay = Replay { program, scenario: Some(path), ..Replay::default() };
            text(scenario, outcome, &replay.line(outcome.seed, &Chain::of(outcome)))
        }
        Err(error) => format!("nothing broke; the scenario could not be written down: {error}"),
    }
}

/// Writes a scenario under a name that follows from what it says.
fn write(scenario: &Scenario, folder: &Path) -> Result<PathBuf, KeepError> {
    let text = scenario.to_json();
    let mut digest = Digest::new();
    digest.text(&text);
    crate::capsule::write(folder, &format!("{}-{:016x}.json", scenario.name, digest.value()), &text)
}
