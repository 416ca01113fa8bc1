//! What lies outside the fault model voids what rests on it, and the outcome says so.

use super::{passes, play, scenario};
use seaworthy::execute::{Outcome, Verdict};
use seaworthy::violation::Property;

const LIE: &str = r#"{ "lie_about_fsync": "f" }, { "propose": "x" }, { "sleep": "100ms" }, { "isolate": "l" }, { "crash": "f" },
    { "restart": "f" }, { "sleep": "2s" }"#;

#[test]
fn a_disk_that_lied_and_lost_something_voids_what_rests_on_promises() {
    let outcome = passes(&format!("\"steps\": [LED, {LIE}]"));
    let because: Vec<&str> = outcome.voided.iter().map(|(_, because)| because.as_str()).collect();
    assert!(because[0].contains("that it had called durable"), "{because:?}");
    let voided = |property| outcome.voided.iter().any(|(other, _)| *other == property);
    assert!(voided(Property::ElectionSafety) && voided(Property::Linearizability));
    assert!(!voided(Property::NoPanic) && !voided(Property::LeaderAppendOnly));
}

#[test]
fn both_reports_say_what_was_not_judged_and_why() {
    let fields = r#""steps": [LED, { "crash": "f" }, { "wipe": "f" }, { "restart": "f" }]"#;
    let (scenario, outcome) = (scenario(fields), passes(fields));
    let text = seaworthy::report::text(&scenario, &outcome, "again");
    let line = text.lines().find(|line| line.contains("not judged")).expect("a line says so");
    assert!(line.starts_with("  not judged, for the disk of node"), "{line}");
    assert!(line.contains("was wiped: ") && line.contains("election_safety"), "{line}");
    let json = seaworthy::report::run_json(&scenario, &outcome, "again");
    assert_eq!(json["voided"].as_array().map(Vec::len), Some(outcome.voided.len()));
    assert_eq!(json["voided"][0]["property"], outcome.voided[0].0.name());
    assert_eq!(json["voided"][0]["because"], outcome.voided[0].1);
}

#[test]
fn a_wiped_disk_voids_something_only_if_it_had_promised_something() {
    let promised = passes(r#""steps": [LED, { "crash": "f" }, { "wipe": "f" }, { "restart": "f" }]"#);
    assert!(promised.voided.iter().all(|(_, because)| because.contains("was wiped")));
    assert!(promised.voided.iter().any(|(property, _)| *property == Property::DurableVote));
    let nothing = passes(
        r#""down": [2], "steps": [{ "wipe": 2 }, { "restart": 2 }, { "until": { "that": "single_leader" } }]"#,
    );
    assert_eq!(nothing.voided, []);
}

#[test]
fn what_stays_within_the_model_voids_nothing() {
    let honest = LIE.replace("{ \"lie_about_fsync\": \"f\" }, ", "");
    assert_eq!(passes(&format!("\"steps\": [LED, {honest}]")).voided, []);
    let leases = r#""raft": { "check_quorum": true, "lease_reads": true }"#;
    let clock = |drift: &str| {
        format!("{leases}, \"steps\": [LED, {{ \"set_clock\": {{ \"nodes\": \"f\", {drift} }} }}]")
    };
    assert_eq!(passes(&clock(r#""drift": "1%""#)).voided, []);
    let fast = passes(&clock(r#""drift": "1.1%""#)).voided;
    let names: Vec<Property> = fast.iter().map(|(property, _)| *property).collect();
    assert_eq!(names, [Property::ReadSafety, Property::Linearizability]);
    assert_eq!(passes(&clock(r#""step": "-1s""#)).voided, fast);
    assert_eq!(
        passes(&format!("{leases}, \"clocks\": {{ \"0\": {{ \"drift\": \"3%\" }} }}")).voided.len(),
        2
    );
}

/// The leader trusts its lease for a second; the others elect another after 300 ms, and it serves what is out of date.
#[test]
fn who_trusts_leases_for_longer_than_others_hold_them_up_is_outside_the_model() {
    let of = |lease_reads: bool| {
        format!(
            r#""raft": {{ "check_quorum": true, "lease_reads": true, "noop_on_election": true, "heartbeat": "50ms" }},
            "node_options": {{ "0": {{ "election_timeout": ["1s", "2s"], "lease_reads": {lease_reads} }} }},
            "steps": [LED, {{ "propose": "x" }}, {{ "sleep": "100ms" }}, {{ "transfer": {{ "from": "l", "to": 0 }} }},
            {{ "sleep": "200ms" }}, {{ "isolate": 0 }}, {{ "sleep": "600ms" }}, {{ "propose": "y" }}, {{ "sleep": "50ms" }},
            {{ "read": {{ "at": 0, "kind": "lease", "within": "10ms", "expect": "{}" }} }}]"#,
            if lease_reads { "served" } else { "unanswered" }
        )
    };
    let uneven = passes(&of(true)).voided;
    let names: Vec<Property> = uneven.iter().map(|(property, _)| *property).collect();
    assert_eq!(names, [Property::ReadSafety, Property::Linearizability]);
    assert_eq!(uneven[0].1, "node 0 trusts leases for longer than node 1 holds them up");
    assert_eq!(passes(&of(false)).voided, []);
}

/// `f` has all that was proposed.
const WHOLE: &str = r#"{ "index": { "of": "f", "which": "last", "equals": 21 } }"#;

/// A follower misses twenty proposals, and both copies of what it is then sent are damaged by `damage`.
fn catches_up_on_a_bad_disk(damage: &str, then: &str) -> Outcome {
    play(&scenario(&format!(
        r#""steps": [LED, {{ "propose": "x" }}, {{ "sleep": "50ms" }}, {{ "isolate": "f" }},
        {{ "repeat": {{ "times": 20, "steps": [{{ "propose": "y{{round}}" }}] }} }}, {damage}, {{ "sleep": "200ms" }},
        {{ "crash": "f" }}, {{ "restart": "f" }}, {{ "assert": {then} }}, {{ "stop": "that is all" }}]"#
    )))
}

/// Wherever in either file its bytes land, of what is older (190 bytes in the log): a node mends what it kept or does not start, and is judged by all.
#[test]
fn a_write_that_went_to_a_wrong_place_of_both_copies_voids_nothing_while_its_bytes_are_there() {
    for (log, tail) in (0..190).step_by(7).flat_map(|at| [(at, at), (at, 0), (at, 60), (30, at)]) {
        let damage = format!(
            r#"{{ "misdirect_write": {{ "nodes": "f", "file": "log", "at": {log} }} }},
            {{ "misdirect_write": {{ "nodes": "f", "file": "tail", "at": {tail} }} }}, {{ "heal": {{}} }}"#
        );
        let then = format!(r#"{{ "any": [{{ "halted": {{ "of": "f" }} }}, {WHOLE}] }}"#);
        let outcome = catches_up_on_a_bad_disk(&damage, &then);
        assert_eq!(outcome.verdict, Verdict::Passed, "at {log} and {tail}: {:?}", outcome.violations);
        assert_eq!(outcome.voided, [], "at {log} and {tail}");
    }
}

/// Nothing is left of the write, as after a crash before it was durable.
#[test]
fn the_newest_write_gone_without_a_trace_from_both_copies_voids_what_rests_on_disks() {
    let misdirect =
        |file| format!(r#"{{ "misdirect_write": {{ "nodes": "f", "file": "{file}", "at": 1000000 }} }}"#);
    let (log, tail) = (misdirect("log"), misdirect("tail"));
    let lost = format!(r#"{{ "not": {WHOLE} }}"#);
    let outcome = catches_up_on_a_bad_disk(&format!(r#"{log}, {tail}, {{ "heal": {{}} }}"#), &lost);
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.violations);
    let voided = |property| outcome.voided.iter().any(|(other, _)| *other == property);
    assert!(
        voided(Property::Durability) && voided(Property::Convergence) && voided(Property::ElectionSafety)
    );
    assert!(!voided(Property::NoPanic) && !voided(Property::LeaderAppendOnly));
    assert!(
        outcome.voided.iter().all(|(_, because)| because.contains("both copies")),
        "{:?}",
        outcome.voided
    );
    for one in [log, tail] {
        let outcome = catches_up_on_a_bad_disk(&format!(r#"{one}, {{ "heal": {{}} }}"#), WHOLE);
        assert_eq!((outcome.verdict, outcome.voided), (Verdict::Passed, vec![]), "one copy is whole: {one}");
    }
}
