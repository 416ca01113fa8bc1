//! Cluster behaviour under faults and proposals that proptest draws.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use seaworthy::capsule::Capsule;
use seaworthy::execute::{Limits, run};
use seaworthy::fuzz::Strategy as Drawing;
use seaworthy::record::Note;
use seaworthy::scenario::{Scenario, Sleep, Step};
use seaworthy::strategy::{
    LASTING_MIN, check_in, drawn, fault_plan, proposals, scenario, scenario_of, shrinking_scenario, workload,
};
use sim_core::Span;
use std::path::Path;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

pub(crate) fn fixed(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(fixed(400))]

    #[test]
    fn a_cluster_keeps_every_safety_property_and_converges_after_healing(scenario in scenario()) {
        check_in(&scenario, folder())?;
    }

    #[test]
    fn so_does_one_of_the_portfolio(scenario in drawn(Drawing::Portfolio)) {
        check_in(&scenario, folder())?;
    }

    #[test]
    fn a_drawn_scenario_runs_the_same_twice(scenario in shrinking_scenario("[a-z]{1,9}")) {
        let seed = scenario.seed.0;
        let once = run(&scenario, seed, Limits::default(), ()).expect("no mutation is named").0;
        let again = run(&scenario, seed, Limits::default(), ()).expect("no mutation is named").0;
        prop_assert_eq!(once, again);
    }

    #[test]
    fn drawn_clients_are_those_that_a_file_may_have(workload in workload()) {
        prop_assert_eq!(workload.check(), []);
    }

    #[test]
    fn a_drawn_scenario_can_be_written_and_read(scenario in scenario()) {
        let text = serde_json::to_string(&scenario).expect("scenarios are JSON");
        prop_assert_eq!(Scenario::parse("drawn.json", &text).expect("what is drawn is valid"), scenario);
    }

    #[test]
    fn drawn_faults_are_undone_after_their_minimum(plan in fault_plan(5, Span::from_secs(2))) {
        for disturbance in plan {
            let alone = scenario_of(5, std::slice::from_ref(&disturbance), &[], Span::from_secs(4));
            let mut sleeps = alone.steps.iter().filter_map(|step| match step {
                Step::Sleep(Sleep::For(span)) => Some(*span),
                _ => None,
            });
            // Up to the fault (unless it comes at once), while it lasts, and to the end of the scenario.
            let lasting = sleeps.nth(usize::from(disturbance.at > Span::ZERO)).expect("time passes");
            prop_assert!(lasting >= LASTING_MIN, "{disturbance:?} lasts {lasting}");
        }
    }

    #[test]
    fn commands_are_unique_and_nodes_exist(drawn in proposals(3, Span::from_secs(1))) {
        let mut commands: Vec<_> = drawn.iter().map(|proposal| &proposal.command).collect();
        commands.sort();
        commands.dedup();
        prop_assert_eq!(commands.len(), drawn.len());
        prop_assert!(drawn.iter().all(|proposal| proposal.to.is_none_or(|node| node < 3)));
    }
}

#[test]
fn the_drawn_clusters_do_something() {
    let mut runner = TestRunner::new(fixed(60));
    let (committed, elections) = (std::cell::Cell::new(0u32), std::cell::Cell::new(0u32));
    let strategy = (fault_plan(5, Span::from_secs(2)), proposals(5, Span::from_secs(2)));
    runner
        .run(&strategy, |(faults, proposals)| {
            let scenario = scenario_of(5, &faults, &proposals, Span::from_secs(2));
            let records = Vec::new();
            let (_, records) = run(&scenario, 1, Limits::default(), records).expect("no mutation is named");
            let has = |wanted: &dyn Fn(&Note) -> bool| {
                records
                    .iter()
                    .any(|(_, record)| matches!(record, sim_core::Record::Noted { note, .. } if wanted(note)))
            };
            let applies = has(&|note| matches!(note, Note::Apply { index: 2.., .. }));
            let elects_again = has(&|note| matches!(note, Note::Term { term: 2.. }));
            committed.set(committed.get() + u32::from(applies));
            elections.set(elections.get() + u32::from(elects_again));
            Ok(())
        })
        .expect("nothing is asserted inside");
    assert!(committed.get() >= 40, "only {} of 60 runs commit anything but the last probe", committed.get());
    assert!(elections.get() >= 20, "only {} of 60 runs see a second term", elections.get());
}

#[cfg(feature = "mutations")]
#[test]
fn a_failure_is_a_capsule_as_short_as_can_be_and_prints_the_line_that_replays_it() {
    let mut runner = TestRunner::new(fixed(500));
    let calls = std::cell::Cell::new(0u32);
    let result = runner.run(&scenario(), |mut scenario| {
        scenario.mutation = Some("truncate_on_any_append".to_string());
        let checked = check_in(&scenario, folder());
        calls.set(calls.get() + u32::from(checked.is_err()));
        checked
    });
    let error = result.expect_err("500 drawn scenarios find the planted bug").to_string();
    assert_eq!(calls.get(), 1, "what fails is shrunk by us, and proptest does not try again");
    let line = error.lines().find(|line| line.starts_with("replay: ")).expect("a replay line");
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["replay:", "seaworthy", "replay", path] = words[..] else {
        panic!("the line has another form: {line}")
    };
    assert!(error.contains(&format!("capsule: {path} (")), "{error}");
    let capsule = Capsule::parse(&std::fs::read_to_string(path).expect("it was written")).expect("a capsule");
    assert_eq!(
        capsule.replay().expect("the build has the bug").answer,
        seaworthy::capsule::Answer::Reproduced
    );
    let story = capsule.story.expect("it was shrunk");
    assert!(story.one_minimal && story.size.events() <= 20, "{:?}", story.size);
}

#[test]
fn what_should_have_broken_and_did_not_prints_the_line_that_replays_it() {
    let mut scenario = Scenario::new("should_break", 3);
    scenario.expect = seaworthy::scenario::Expect::Violation(seaworthy::violation::Property::LogMatching);
    let error = check_in(&scenario, folder()).expect_err("nothing breaks").to_string();
    let line = error.lines().find(|line| line.starts_with("replay: ")).expect("a replay line");
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, _, "replay", seed, "--scenario", path, "--digest", digest] = words[..] else {
        panic!("the line has another form: {line}");
    };
    let scenario = Scenario::read(Path::new(path)).expect("the scenario was written");
    let seed: seaworthy::scenario::Seed = seed.parse().expect("a seed");
    let (outcome, ()) = run(&scenario, seed.0, Limits::default(), ()).expect("no bug is named");
    assert_eq!(seaworthy::chain::Chain::of(&outcome).to_string(), digest);
}
