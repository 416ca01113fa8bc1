//! The scenario library: every file does what it says, and the table tells of every file.

use crate::support::{can_run, library, root};
use seaworthy::chain::Chain;
use seaworthy::execute::{Limits, run};
use seaworthy::scenario::Expect;

/// Seeds for each file here; the long sweep is a command of its own (see `.ci/run`).
const SEEDS: u64 = 40;

#[test]
fn every_scenario_does_what_it_expects() {
    for (path, scenario) in library() {
        if !can_run(&scenario) {
            continue;
        }
        for seed in 0..SEEDS {
            let (outcome, ()) = run(&scenario, seed, Limits::default(), ()).expect("the build has the bug");
            let path = path.display();
            assert!(outcome.verdict.as_expected(), "{path} with seed {seed}: {:?}", outcome.violations);
        }
    }
}

#[test]
fn every_scenario_runs_the_same_twice_and_seeds_differ() {
    for (path, scenario) in library() {
        if !can_run(&scenario) {
            continue;
        }
        let chain =
            |seed| Chain::of(&run(&scenario, seed, Limits::default(), ()).expect("the build has the bug").0);
        assert_eq!(chain(3), chain(3), "{}", path.display());
        assert_ne!(chain(3), chain(4), "{}: the seed decides nothing", path.display());
    }
}

#[test]
fn watching_changes_no_digest() {
    for (path, scenario) in library().into_iter().filter(|(_, scenario)| can_run(scenario)) {
        let alone = run(&scenario, 1, Limits::default(), ()).expect("the build has the bug").0;
        let (watched, records) =
            run(&scenario, 1, Limits::default(), Vec::new()).expect("the build has the bug");
        assert_eq!(alone, watched, "{}", path.display());
        assert_eq!(records.len() as u64, alone.records);
    }
}

#[test]
fn names_are_those_of_the_files_and_unique() {
    let mut names = Vec::new();
    for (path, scenario) in library() {
        let stem = path.file_stem().expect("files have names").to_string_lossy().into_owned();
        assert!(scenario.name.ends_with(&stem), "{}: its name is {}", path.display(), scenario.name);
        assert!(!scenario.shows.is_empty(), "{}: says nothing of what it shows", path.display());
        names.push(scenario.name);
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "two scenarios have one name");
}

/// `scenarios/README.md` has a row `| file | shows | verdict |` for each file, and no other.
#[test]
fn the_table_of_scenarios_is_current() {
    let mut expected = String::from("| file | shows | verdict |\n|---|---|---|\n");
    for (path, scenario) in library() {
        let verdict = match scenario.expect {
            Expect::Pass => "passes".to_string(),
            Expect::Violation(property) => format!("violates {property}"),
        };
        let path = path.display();
        expected.push_str(&format!("| [{path}]({path}) | {} | {verdict} |\n", scenario.shows));
    }
    let readme = std::fs::read_to_string(root().join("scenarios/README.md")).expect("the table is there");
    let begin = readme.find("| file |").expect("the table begins so");
    let table = &readme[begin..];
    assert!(table == expected, "the table in scenarios/README.md should read:\n\n{expected}");
}
