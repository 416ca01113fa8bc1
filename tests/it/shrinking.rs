//! What fails is made short, and stays the same failure.

use crate::support::library;
use seaworthy::capsule::{Answer, Capsule};
use seaworthy::execute::{Limits, Manner, Nearest, Outcome, run, run_logged};
use seaworthy::fuzz::{LIMITS, draw, run_seed};
use seaworthy::scenario::{Expect, Scenario, Step};
use seaworthy::shrink::{REPLAYS_MAX, Shrunk, shrink};
use seaworthy::violation::Property;
use sim_core::Span;

/// Bugs that are found soon, and break different properties: of votes, logs, commits, reads, members, sessions, disks, life.
const BUGS: [&str; 12] = [
    "vote_not_persisted",
    "term_not_persisted_on_step_down",
    "up_to_date_by_index_only",
    "prior_term_commit_by_counting",
    "truncate_on_any_append",
    "commit_goes_back",
    "far_commit_panics",
    "follower_reads_alone",
    "change_before_own_commit",
    "retry_applied",
    "recovery_drops_last_entry",
    "pre_vote_not_refused",
];

/// The first drawn run that fails.
fn failing(bug: &str) -> (Scenario, Outcome) {
    failing_of(bug, 1)
}

/// The first drawn run of at least so many nodes that fails.
fn failing_of(bug: &str, nodes: u16) -> (Scenario, Outcome) {
    let seeds = (0..2_000).map(|index| run_seed(7, index));
    let drawn = seeds.map(|seed| (seed, draw(seed))).filter(|(_, drawn)| drawn.nodes >= nodes);
    let drawn = drawn.map(|(seed, drawn)| {
        let scenario = Scenario { mutation: Some(bug.to_string()), ..drawn };
        let outcome = run(&scenario, seed, LIMITS, ()).expect("the build has the bug").0;
        (scenario, outcome)
    });
    drawn.into_iter().find(|(_, outcome)| outcome.violation().is_some()).expect("it is found soon")
}

fn shrunk(scenario: &Scenario, seed: u64) -> Shrunk {
    shrink(scenario, seed, LIMITS).expect("the build has the bug").expect("it fails again")
}

/// Whether a scenario breaks as the story does, however it is carried out.
fn breaks(scenario: &Scenario, story: &Shrunk) -> bool {
    let scenario = Scenario { expect: Expect::Pass, ..scenario.clone() };
    let wanted = story.outcome.violation().expect("a story fails");
    let manners = [Manner::ToTheLetter, Manner::AsNear(Nearest::Oldest), Manner::AsNear(Nearest::Newest)];
    manners.into_iter().any(|manner| {
        let (outcome, (), _) =
            run_logged(&scenario, scenario.seed.0, LIMITS, (), manner).expect("the build has the bug");
        let same = |found: &seaworthy::violation::Violation| {
            found.property == wanted.property && found.signature() == wanted.signature()
        };
        outcome.violation().is_some_and(same)
    })
}

/// The scenario without each of its events in turn: neither what holds everything back at the beginning, nor pauses.
fn without_one(scenario: &Scenario) -> impl Iterator<Item = (Step, Scenario)> + '_ {
    (0..scenario.steps.len()).filter_map(|place| {
        let mut less = scenario.clone();
        let step = less.steps.remove(place);
        let is_event = !matches!(step, Step::Sleep(_) | Step::Hold(_) | Step::HoldTimers(_));
        is_event.then_some((step, less))
    })
}

#[test]
fn a_story_fails_in_the_same_way_from_its_file_and_no_event_of_it_can_go() {
    for bug in BUGS {
        let (scenario, outcome) = failing(bug);
        let violation = outcome.violation().expect("it failed");
        let story = shrunk(&scenario, outcome.seed);
        let found = story.outcome.violation().expect("a story fails");
        assert_eq!(found.property, violation.property, "{bug}");
        assert_eq!(found.signature(), violation.signature(), "{bug}");

        let read = Scenario::parse(bug, &story.scenario.to_text()).expect("it can be read");
        assert_eq!(read, story.scenario, "{bug}: the file says all of it");
        let again = run(&read, read.seed.0, LIMITS, ()).expect("the build has the bug").0;
        assert_eq!((again.digest, again.records), (story.outcome.digest, story.outcome.records), "{bug}");
        assert!(again.verdict.as_expected(), "{bug}: it expects what breaks");
        let without = Scenario { mutation: None, ..read };
        let correct = run(&without, without.seed.0, LIMITS, ()).expect("no bug is asked for").0;
        assert_ne!(correct.violation().map(|found| found.property), Some(violation.property), "{bug}");

        assert!(story.size.events() <= story.before.events(), "{bug}");
        assert!(story.size.externals <= 12, "{bug}: {:?}", story.size);
        assert!(story.size.events() <= 30, "{bug}: {:?}", story.size);
        assert!(story.is_minimal, "{bug}: the budget was enough");
        for (step, less) in without_one(&story.scenario) {
            assert!(!breaks(&less, &story), "{bug}: without {step:?} it fails all the same");
        }
    }
}

#[test]
fn a_story_has_no_clients_groups_or_nodes_that_it_does_not_need() {
    let story = |bug: &str| {
        let (scenario, outcome) = failing(bug);
        shrunk(&scenario, outcome.seed)
    };
    let reads = story("follower_reads_alone");
    assert_eq!(reads.scenario.workload, None, "what clients ask is asked by steps");
    assert!(reads.scenario.nodes <= 3 && reads.size.events() <= 12, "{}", reads.scenario.to_text());
    let far = story("far_commit_panics");
    assert!(far.before.events() > 300 && far.size.events() <= 16, "{}", far.scenario.to_text());
    assert!(far.scenario.nodes <= 4, "one may do what another one did: {}", far.scenario.to_text());
    let (_, witness) = library()
        .into_iter()
        .find(|(_, scenario)| scenario.mutation.as_deref() == Some("joint_is_new"))
        .expect("every bug has a witness");
    let joint = shrunk(&witness, witness.seed.0);
    assert!(joint.size.events() <= 12, "{}", joint.scenario.to_text());
}

#[test]
fn the_same_run_gives_the_same_story() {
    for bug in ["truncate_on_any_append", "pre_vote_not_refused"] {
        let (scenario, outcome) = failing(bug);
        let (one, two) = (shrunk(&scenario, outcome.seed), shrunk(&scenario, outcome.seed));
        assert_eq!(one.scenario.to_text(), two.scenario.to_text(), "{bug}");
        assert_eq!(one, two, "{bug}");
    }
}

#[test]
fn a_story_made_short_again_gets_no_longer() {
    for bug in ["up_to_date_by_index_only", "follower_reads_alone"] {
        let (scenario, outcome) = failing(bug);
        let once = shrunk(&scenario, outcome.seed);
        let twice = shrunk(&once.scenario, once.scenario.seed.0);
        assert!(twice.size <= once.size, "{bug}: {:?}, then {:?}", once.size, twice.size);
    }
}

/// What chance made long in one run it makes short in another, which has a seed of its own.
#[test]
fn a_story_may_be_that_of_a_smaller_cluster_with_another_seed() {
    let (scenario, outcome) = failing_of("leader_drops_uncommitted", 5);
    let story = shrunk(&scenario, outcome.seed);
    assert!(story.before.events() > 60, "{:?}", story.before);
    assert!(
        story.scenario.nodes < scenario.nodes && story.size.events() <= 8,
        "{}",
        story.scenario.to_text()
    );
    assert_ne!(story.scenario.seed.0, outcome.seed, "{}", story.scenario.to_text());
    assert_eq!(story.outcome.seed, story.scenario.seed.0);

    let capsule = Capsule::of(&scenario, &outcome, LIMITS).expect("the build has the bug");
    let mut capsule = capsule.expect("it failed");
    assert!(capsule.shrink().expect("the build has the bug"));
    let told = capsule.story.as_ref().map(|told| told.scenario.clone());
    assert_eq!(told, Some(story.scenario), "the capsule has it");
    let had = capsule.replay().expect("the build has the bug");
    assert_eq!(had.answer, Answer::Reproduced, "run and story, each by its seed");
}

/// Where disks alone keep a cluster from living, a story says what is on them and nothing else; where they do not, it says more.
#[test]
fn what_cannot_live_with_its_disks_is_told_by_them() {
    let story_of = |bug: &str| {
        let (scenario, outcome) = failing_of(bug, 3);
        assert_eq!(outcome.violation().map(|found| found.property), Some(Property::Convergence), "{bug}");
        let story = shrunk(&scenario, outcome.seed);
        assert_eq!(shrunk(&scenario, outcome.seed), story, "{bug}: twice the same");
        assert!(breaks(&story.scenario, &story) && story.is_minimal, "{bug}");
        story
    };
    let Shrunk { scenario, size, .. } = story_of("pre_vote_not_refused");
    assert_eq!((scenario.steps.len(), scenario.nodes), (0, 2));
    let entries: usize = scenario.initial.values().map(|state| state.log.len()).sum();
    assert_eq!((size.deliveries, size.externals), (0, entries as u64));
    let terms: Vec<u64> = scenario.initial.values().map(|state| state.current_term()).collect();
    assert!(terms.iter().max() <= Some(&3) && entries <= 2, "{:?}", scenario.initial);
    let again = shrunk(&scenario, scenario.seed.0);
    assert_eq!(
        (&again.scenario.initial, again.scenario.steps.len(), again.size),
        (&scenario.initial, 0, size)
    );
    for key in scenario.initial.keys() {
        let mut less = scenario.clone();
        less.initial.remove(key);
        let (outcome, ()) = run(&less, less.seed.0, LIMITS, ()).expect("the build has the bug");
        assert_eq!(outcome.violation(), None, "without that of {key}");
    }
    // What begins with disks is told by those that it ends with.
    let is_witness = |path: &std::path::Path| path.ends_with("mutations/pre_vote_not_refused.json");
    let (_, witness) = library().into_iter().find(|(path, _)| is_witness(path)).expect("there is one");
    assert!(!witness.initial.is_empty());
    let story = shrunk(&witness, witness.seed.0).scenario;
    assert!(story.steps.is_empty() && !story.initial.is_empty(), "{story:?}");
    // Of snapshots and long logs no more is left than it takes.
    let Shrunk { scenario, size, .. } = story_of("snapshot_not_sent");
    assert!(scenario.steps.is_empty() && size.events() <= 4, "{:?}", scenario.initial);
    // Where time is short, many a seed takes longer without any bug.
    let log: Vec<&str> = vec![r#"{ "term": 1, "command": "a" }"#; 4];
    let initial = format!(r#""initial": {{ "0": {{ "log": [{}] }} }}"#, log.join(", "));
    for within in [300, 350, 400, 450] {
        let end = format!(r#""end": {{ "live": {{ "within": "{within}ms" }} }}"#);
        let text = format!(
            r#"{{ "name": "w", "nodes": 3, "mutation": "rejections_ignored", {initial}, "steps": [], {end} }}"#
        );
        let scenario = Scenario::parse("w", &text).unwrap_or_else(|error| panic!("{error:?}"));
        for seed in [0, 6, 10, 11] {
            let Some(story) = shrink(&scenario, seed, LIMITS).expect("the build has the bug") else {
                continue;
            };
            let passes = |scenario: &Scenario, seed: u64| {
                let correct = Scenario { mutation: None, expect: Expect::Pass, ..scenario.clone() };
                run(&correct, seed, LIMITS, ()).expect("no bug is named").0.violation().is_none()
            };
            assert!(
                !passes(&scenario, seed) || passes(&story.scenario, story.scenario.seed.0),
                "{within} ms, seed {seed}: {:?}",
                story.scenario
            );
        }
    }
    // What somebody takes for the configuration is in no log that a file could give it.
    let Shrunk { scenario, size, .. } = story_of("learner_refuses_vote");
    assert!(size.events() > 0 && scenario.initial.is_empty());
}

#[test]
fn what_does_not_fail_has_no_story() {
    let seed = run_seed(7, 0);
    assert_eq!(shrink(&draw(seed), seed, LIMITS).expect("no bug is asked for"), None);
    let unknown = Scenario { mutation: Some("nobody_has_this".to_string()), ..draw(seed) };
    assert!(shrink(&unknown, seed, LIMITS).is_err());
}

#[test]
fn what_a_file_asserts_is_made_short_by_its_own_steps() {
    let text = r#"{ "name": "wrong", "nodes": 5, "seed": 3, "steps": [
        { "until": { "that": "single_leader", "bind": "l" } }, { "propose": "x" }, { "sleep": "50ms" },
        { "crash": "follower 0" }, { "restart": "crashed" }, { "assert": { "up": 4 } } ] }"#;
    let scenario = Scenario::parse("wrong", text).expect("it can be read");
    let story = shrink(&scenario, 3, Limits::default()).expect("no bug is asked for").expect("it fails");
    assert_eq!(story.scenario.expect, Expect::Violation(Property::Expectation));
    assert_eq!(story.scenario.steps.len(), 1, "{}", story.scenario.to_text());
    assert_eq!(story.scenario.steps[0].verb(), "assert");
}

#[test]
fn a_run_that_never_ends_is_made_short_within_the_budget() {
    let (_, witness) = library()
        .into_iter()
        .find(|(_, scenario)| scenario.mutation.as_deref() == Some("leader_not_heard"))
        .expect("every bug has a witness");
    let story = shrunk(&witness, witness.seed.0);
    assert_eq!(story.outcome.violation().map(|found| found.property), Some(Property::Convergence));
    assert!(story.replays <= REPLAYS_MAX + 2_002, "{}", story.replays);
}

/// Runs that go on for ever before they come to their end.
#[test]
fn a_livelock_is_a_story_whatever_its_file_ends_with() {
    for end in [r#"{ "live": {} }"#, r#"{ "stop": "nobody waits for it" }"#] {
        let text = format!(
            r#"{{ "name": "long", "nodes": 3, "steps": [{{ "crash": 0 }}, {{ "sleep": "90s" }}], "end": {end} }}"#
        );
        let scenario =
            Scenario::parse("long", &text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
        let limits = Limits { events_max: 400 };
        let story = shrink(&scenario, 1, limits).expect("no bug is named").expect("it fails");
        assert_eq!(
            story.outcome.violation().map(|found| found.property),
            Some(Property::Convergence),
            "{end}"
        );
        assert!(story.scenario.steps.len() <= 2, "{}", story.scenario.to_text());
        assert_eq!(story.scenario.events_max, Some(400), "whoever runs the file sees the same");
    }
}

#[test]
fn what_a_story_shows_is_a_line_that_a_file_may_have() {
    let asked: Vec<String> =
        (0..40).map(|node| format!(r#"{{ "role": {{ "of": {}, "is": "leader" }} }}"#, node % 3)).collect();
    let text = format!(
        r#"{{ "name": "wordy", "nodes": 3, "steps": [{{ "sleep": "1s" }}, {{ "assert": {{ "all": [{}] }} }}] }}"#,
        asked.join(", ")
    );
    let scenario =
        Scenario::parse("wordy", &text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let story = shrink(&scenario, 1, LIMITS).expect("no bug is named").expect("it fails");
    let read = Scenario::parse("story", &story.scenario.to_text());
    assert_eq!(read.unwrap_or_else(|error| panic!("{}", error.render(false, 100))), story.scenario);
}

#[test]
fn a_story_with_steps_within_steps_is_not_called_minimal() {
    let story = |steps: &str| {
        let text = format!(
            r#"{{ "name": "blocks", "nodes": 3, "steps": [{steps}, {{ "assert": "single_leader" }}] }}"#
        );
        let scenario =
            Scenario::parse("blocks", &text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
        shrink(&scenario, 1, LIMITS).expect("no bug is named").expect("it fails")
    };
    assert!(story(r#"{ "sleep": "1ms" }"#).is_minimal);
    // What breaks stands in the block, and with it what could go.
    let asserted = r#"{ "until": { "that": "single_leader", "within": "5s" } },
        { "repeat": { "times": 1, "steps": [{ "sleep": "1ms" }, { "assert": { "up": 2 } }] } }"#;
    let kept = story(asserted);
    let has_block = kept.scenario.steps.iter().any(|step| matches!(step, Step::Repeat(_)));
    assert!(has_block && !kept.is_minimal, "{}", kept.scenario.to_text());
}

/// The story of a run that goes on for more than so many events.
fn livelock(text: &str, events_max: u64) -> Shrunk {
    let scenario =
        Scenario::parse("storm", text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let limits = Limits { events_max };
    let story = shrink(&scenario, 1, limits).expect("no bug is named").expect("it fails");
    let (again, ()) = run(&story.scenario, story.scenario.seed.0, Limits::default(), ()).expect("no bug");
    assert_eq!(again, story.outcome, "whoever runs the file sees the same");
    assert_eq!(again.stats.events, story.scenario.events_max.expect("it carries its bound"));
    story
}

/// A cluster that beats ten times too often: what it does not come to the end of, nobody needs to wait for.
#[test]
fn the_story_of_a_livelock_carries_a_bound_and_what_makes_it_busy() {
    let text = r#"{ "name": "storm", "nodes": 3, "raft": { "heartbeat": "5ms", "pre_vote": true },
        "steps": [{ "crash": 0 }, { "sleep": "900s" }, { "restart": 0 }, { "sleep": "900s" }] }"#;
    let found = livelock(text, 150_000);
    let story = &found.scenario;
    assert!(found.is_minimal, "{}", story.to_text());
    assert_eq!(story.events_max, Some(20_000), "{}", story.to_text());
    assert_eq!(story.raft.heartbeat, Span::from_millis(5), "{}", story.to_text());
    assert_eq!(found.outcome.ending, None, "it goes on as the run did, before its steps are over");
    assert!(!story.raft.pre_vote && story.steps.len() <= 2, "{}", story.to_text());
    assert_eq!(livelock(text, 150_000), found, "twice the same");
}

/// What is calm for as long as a tenth of the bound lasts is no livelock by that.
#[test]
fn a_storm_that_comes_late_is_in_the_story_too() {
    let text = r#"{ "name": "late", "nodes": 3, "steps": [{ "sleep": "900s" }],
        "workload": { "clients": 9, "operations": 1000000, "think": ["0ms", "0ms"], "start": "160s" } }"#;
    let story = livelock(text, 60_000).scenario;
    assert_eq!(story.events_max, Some(60_000), "{}", story.to_text());
    assert!(story.workload.is_some(), "{}", story.to_text());
}

/// What is only as busy while the cluster is asked to live is none, and what comes to its end in twice the time neither: then
/// the whole bound is tried, with a budget of its own.
#[test]
fn a_busy_livelock_that_no_story_is_as_busy_as_has_one_of_the_whole_bound() {
    for (text, bound) in [
        (
            r#"{ "name": "busy", "nodes": 3, "steps": [{ "sleep": "1000s" }], "workload": { "clients": 8 } }"#,
            40_000,
        ),
        (
            r#"{ "name": "late", "nodes": 3, "raft": { "heartbeat": "200ms", "election_timeout": ["2s", "3s"] },
            "steps": [{ "sleep": "10s" }, { "repeat": { "times": 1000, "steps": [{ "propose": "x" }, { "sleep": "1ms" }] } },
                { "sleep": "1000s" }], "end": { "stop": "nobody is asked to live" } }"#,
            2_000,
        ),
    ] {
        let story = livelock(text, bound);
        assert_eq!(story.outcome.ending, None, "{}", story.scenario.to_text());
        assert!(story.scenario.events_max.is_some_and(|own| own <= bound));
    }
}

/// A file says for itself how long its run may be: closer than others allow, and farther than is usual.
#[test]
fn a_file_may_bound_its_run() {
    let mut scenario =
        Scenario::parse("long", r#"{ "name": "long", "nodes": 3, "steps": [{ "sleep": "60s" }] }"#)
            .unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let events = |scenario: &Scenario, limits| {
        let (outcome, ()) = run(scenario, 1, limits, ()).expect("no bug is named");
        (outcome.stats.events, outcome.violation().map(|found| found.property))
    };
    let (whole, broke) = events(&scenario, Limits::of(&scenario));
    assert!(whole > 1_000 && broke.is_none(), "{whole}");
    assert_eq!(Limits::of(&scenario), Limits::default());
    scenario.events_max = Some(500);
    let livelock = (500, Some(Property::Convergence));
    assert_eq!(events(&scenario, Limits::default()), livelock);
    assert_eq!(events(&scenario, Limits { events_max: 400 }), (400, Some(Property::Convergence)));
    scenario.events_max = Some(60_000_000);
    assert_eq!(Limits::of(&scenario), Limits { events_max: 60_000_000 });
    assert_eq!(events(&scenario, Limits::of(&scenario)), (whole, None));
}
