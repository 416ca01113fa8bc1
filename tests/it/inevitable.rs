//! One past, many futures: since when a failure was inevitable.

use seaworthy::execute::{Limits, Turn, run, run_redrawn};
use seaworthy::fuzz::{LIMITS, draw, run_seed};
use seaworthy::inevitable::inevitable;
use seaworthy::scenario::Scenario;

/// The leader crashes, and somebody must lead sooner than any election timeout is over.
const DOOMED: &str = r#"{ "name": "doomed", "nodes": 3, "raft": { "election_timeout": ["400ms", "500ms"] },
    "steps": [
        { "until": { "that": "single_leader", "within": "5s" } },
        { "sleep": "300ms" },
        { "crash": "leader" },
        { "sleep": "200ms" },
        { "assert": "single_leader" }
    ], "end": { "stop": "that is all" } }"#;

/// Whether two candidates of three meet in the first election hangs on their timers alone.
const OPEN: &str = r#"{ "name": "open", "nodes": 3, "raft": { "election_timeout": ["150ms", "170ms"] },
    "network": { "latency": { "constant": "8ms" } },
    "steps": [ { "sleep": "200ms" }, { "assert": "single_leader" } ], "end": { "stop": "that is all" } }"#;

fn parse(text: &str) -> Scenario {
    Scenario::parse("test.json", text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)))
}

#[test]
fn what_fails_whatever_chance_does_was_inevitable_from_the_beginning() {
    let found = inevitable(&parse(DOOMED), 1, Limits::default()).expect("no bug is named");
    let found = found.expect("it fails");
    let since = found.since.expect("nothing but chance could help");
    assert_eq!((since.after.number, since.failed, since.of), (0, 100, 100));
    assert_eq!(found.before, None);
    assert!(found.course.iter().all(|moment| moment.failed == moment.of), "{:?}", found.course);
}

#[test]
fn what_hangs_on_timers_was_open_until_they_fired() {
    let scenario = parse(OPEN);
    let fails = |seed: &u64| {
        run(&scenario, *seed, Limits::default(), ()).expect("no bug is named").0.violation().is_some()
    };
    let share = (0..100).filter(fails).count();
    assert!((10..90).contains(&share), "{share} of 100 seeds fail");
    let seed = (0..100).find(fails).expect("some fail");
    let look = || inevitable(&scenario, seed, Limits::default()).expect("no bug is named").expect("it fails");
    let found = look();
    assert_eq!(found, look(), "the same run, the same answer");
    let first = found.course[0];
    assert!(first.after.number == 0 && first.failed < first.of, "{first:?}");
    let since = found.since.expect("the votes were split before the end");
    let before = found.before.expect("the beginning was open");
    assert!(before.failed < before.of && before.after.number < since.after.number);
    // It is the second of two timers, or a vote that it led to.
    let millis = since.after.at.nanos() / 1_000_000;
    assert!((150..=200).contains(&millis), "since {millis} ms");
    assert!(found.course.is_sorted_by_key(|moment| moment.after), "{:?}", found.course);
}

#[test]
fn a_run_that_passes_is_not_looked_at() {
    let passes = r#"{ "name": "quiet", "nodes": 3, "steps": [] }"#;
    assert_eq!(inevitable(&parse(passes), 1, Limits::default()).expect("no bug is named"), None);
}

#[test]
fn a_run_that_takes_another_turn_has_the_same_past_and_is_a_function_of_both_seeds() {
    for index in 0..20 {
        let seed = run_seed(31, index);
        let scenario = draw(seed);
        let whole = run(&scenario, seed, LIMITS, ()).expect("no bug is named").0;
        let turn = |after, next| {
            run_redrawn(&scenario, seed, LIMITS, Turn { after, next }).expect("no bug is named")
        };
        let half = whole.records / 2;
        let (one, again, other) = (turn(half, 1), turn(half, 1), turn(half, 2));
        assert_eq!(one, again);
        assert!(one.digest != whole.digest || other.digest != whole.digest, "seed {seed:#x}");
        let past = |checkpoint: &&sim_core::Checkpoint| checkpoint.records <= half;
        for outcome in [&one, &other] {
            assert!(
                outcome.checkpoints.iter().filter(past).eq(whole.checkpoints.iter().filter(past)),
                "seed {seed:#x}"
            );
        }
        // A turn that never comes changes nothing.
        assert_eq!(turn(u64::MAX, 3), whole);
    }
}

#[test]
fn a_timer_that_a_step_lets_fire_is_an_event_after_which_chance_may_turn() {
    let scenario = parse(
        r#"{ "name": "ticked", "nodes": 2, "raft": { "pre_vote": true },
        "steps": [{ "sleep": "1ms" }, { "tick": { "nodes": 0, "timer": "election" } }, { "sleep": "3ms" }],
        "end": { "stop": "that is all" } }"#,
    );
    let (_, records) = run(&scenario, 1, Limits::default(), Vec::new()).expect("no bug is named");
    let fired = |record: &seaworthy::record::Record| matches!(record, sim_core::Record::TimerFired { .. });
    let (tick, _) = records.iter().find(|(_, record)| fired(record)).expect("a step lets it fire");
    // The one message that is on its way takes 1 to 5 ms, and how long is open again.
    let arrives = |next: &u64| {
        let turn = Turn { after: tick.number, next: *next };
        run_redrawn(&scenario, 1, Limits::default(), turn).expect("no bug is named").stats.delivered > 0
    };
    let in_time = (0..20).filter(arrives).count();
    assert!((1..20).contains(&in_time), "in {in_time} of 20 futures it arrives within 3 ms");
}

#[test]
fn a_run_whose_futures_would_take_minutes_is_not_looked_at() {
    let long = r#"{ "name": "long", "nodes": 3, "steps": [{ "sleep": "300s" }, { "assert": { "count": { "of": "leader",
        "equals": 3 } } }], "end": { "stop": "that is all" } }"#;
    let outcome = run(&parse(long), 1, Limits::default(), ()).expect("no bug is named").0;
    assert!(outcome.violation().is_some() && outcome.stats.events > 16_000, "{}", outcome.stats.events);
    assert_eq!(inevitable(&parse(long), 1, Limits::default()).expect("no bug is named"), None);
}
