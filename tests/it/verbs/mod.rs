//! Every step and every predicate, each in the smallest story that shows it.
//!
//! A story of a step must pass, and must not pass any more when its steps of that kind are taken out: so each would notice
//! if the step did nothing.

mod clients;
mod disks;
mod links;
mod members;
mod messages;
mod predicates;
mod processes;
mod reads;
mod snapshots;
mod voided;

use crate::support::{fails, passes, play, scenario};
use seaworthy::execute::Verdict;
use seaworthy::scenario::Step;

/// A verb, and the fields of a scenario that shows what it does.
type Story = (&'static str, &'static str);

const STORIES: [&[Story]; 8] = [
    links::STORIES,
    messages::STORIES,
    processes::STORIES,
    disks::STORIES,
    members::STORIES,
    snapshots::STORIES,
    reads::STORIES,
    clients::STORIES,
];

fn without(steps: &mut Vec<Step>, verb: &str) {
    steps.retain(|step| step.verb() != verb);
    for step in steps {
        if let Step::Repeat(repeat) = step {
            without(&mut repeat.steps, verb);
        }
    }
}

#[test]
fn every_step_does_what_its_story_shows() {
    for (verb, fields) in STORIES.into_iter().flatten() {
        let outcome = passes(fields);
        let mut idle = scenario(fields);
        without(&mut idle.steps, verb);
        assert_ne!(idle.steps.len(), scenario(fields).steps.len(), "a story of {verb}: {fields}");
        let verdict = play(&idle).verdict;
        assert_ne!(verdict, Verdict::Passed, "without {verb} it passes all the same: {fields}");
        assert!(outcome.records > 0);
    }
}

#[test]
fn every_story_runs_twice_the_same() {
    for (verb, fields) in STORIES.into_iter().flatten() {
        let scenario = scenario(fields);
        let (one, two) = (play(&scenario), play(&scenario));
        assert_eq!((one.digest, one.records), (two.digest, two.records), "{verb}: {fields}");
    }
}

#[test]
fn every_verb_has_a_story() {
    let steps = include_str!("../../../src/scenario/step.rs");
    let verbs = steps.lines().filter_map(|line| line.split("=> \"").nth(1)?.strip_suffix("\","));
    // What lets time pass, asks, remembers or chooses is in every other story or in `executor.rs`.
    let elsewhere =
        ["sleep", "until", "assert", "always", "bind", "pick", "mark", "note", "choose", "if", "propose"];
    let told: Vec<&str> = STORIES.into_iter().flatten().map(|(verb, _)| *verb).collect();
    let missing: Vec<&str> = verbs.filter(|verb| !told.contains(verb) && !elsewhere.contains(verb)).collect();
    assert_eq!(missing, [""; 0]);
}
