//! What steps, predicates and endings mean, where it is easy to get wrong.

use crate::support::{fails, passes, play, scenario};
use seaworthy::execute::{Limits, Verdict, run};
use seaworthy::record::{Note, Record};

#[test]
fn link_rules_reach_the_links_that_they_name() {
    for rule in
        [r#""from": "all but 0", "to": 0"#, r#""from": [1, 2], "to": [0]"#, r#""from": ["all"], "to": 0"#]
    {
        let network = format!(r#""network": {{ "links": [ {{ {rule}, "loss": "100%" }} ] }}"#);
        // Nobody is heard by node 0, so it stands for election again and again.
        let steps =
            r#""steps": [ { "sleep": "3s" }, { "assert": { "role": { "of": 0, "is": "candidate" } } } ]"#;
        passes(&format!("{network}, {steps}"));
    }
}

#[test]
fn what_holds_of_nobody_does_not_hold() {
    for asked in [
        r#"{ "role": { "of": "candidates", "is": "candidate" } }"#,
        r#"{ "term": { "of": "crashed", "equals": 99 } }"#,
        r#"{ "synced": { "among": "crashed" } }"#,
    ] {
        fails(
            &format!(r#""steps": [ LED, {{ "sleep": "100ms" }}, {{ "assert": {asked} }} ]"#),
            "means nobody now",
        );
    }
}

#[test]
fn a_mark_remembers_the_term() {
    let steps = r#"{ "mark": "then" }, { "isolate": "l" },
        { "until": { "that": { "single_leader": { "term_above": "then" } } } }"#;
    passes(&format!(r#""steps": [ LED, {steps} ]"#));
}

#[test]
fn a_round_belongs_to_the_innermost_repeat() {
    let inner = r#"{ "repeat": { "times": 3, "steps": [ { "propose": "c{round}" } ] } }"#;
    let steps = format!(
        r#"{{ "repeat": {{ "times": 2, "steps": [ {{ "if": {{ "that": {{ "up": 3 }}, "then": [ {inner} ] }} }} ] }} }}"#
    );
    let asked = r#"{ "until": { "that": { "committed": { "command": "c3" } } } }"#;
    passes(&format!(r#""steps": [ LED, {steps}, {asked} ]"#));
}

#[test]
fn a_paused_node_answers_nothing_and_padding_ends_with_its_command() {
    let paused = r#"{ "pause": "l" }, { "propose": { "to": "l", "command": "z", "expect": "refused" } }"#;
    fails(&format!(r#""steps": [ LED, {paused} ]"#), "does not answer");
    let padded = r#"{ "propose": { "command": "x", "bytes": 100 } }, { "propose": "x" }, { "sleep": "1s" },
        { "assert": { "not_committed": "x" } }"#;
    fails(&format!(r#""steps": [ LED, {padded} ]"#), "has applied");
}

#[test]
fn binding_a_command_names_who_took_it() {
    let refused = r#"{ "propose": { "to": "follower 0", "command": "x", "bind": "who" } }"#;
    fails(&format!(r#""steps": [ LED, {refused} ]"#), "nobody took the command");
    let all = r#"{ "propose": { "to": "all", "command": "x", "bind": "who" } }, { "assert": { "leader_is": "who" } }"#;
    passes(&format!(r#""steps": [ LED, {all} ]"#));
}

#[test]
fn a_demand_that_is_not_met_shows_in_the_digest() {
    let with = play(&scenario(r#""steps": [ LED, { "assert": "no_leader" } ]"#));
    let without = play(&scenario(r#""steps": [ LED ], "end": { "stop": "nothing is asked" }"#));
    assert_eq!(with.verdict, Verdict::Failed);
    assert_ne!((with.digest, with.records), (without.digest, without.records));
}

#[test]
fn the_ending_heals_slow_disks_pinned_timers_and_clogged_streams() {
    passes(r#""storage": { "write": { "constant": "400ms" } }"#);
    passes(
        r#""pins": [ { "election_timeout": { "node": 0, "delays": ["99d", "99d"] } } ],
        "steps": [ { "crash": "all" }, { "restart": "all" } ]"#,
    );
    passes(
        r#""network": { "fifo": true }, "steps": [ { "clog": { "from": "all", "to": "all", "for": "1d" } }, { "sleep": "1s" } ]"#,
    );
}

#[test]
fn the_ending_proves_a_commit_that_is_new() {
    let taken = r#"{ "propose": "seaworthy probe 0" },
        { "until": { "that": { "committed": { "command": "seaworthy probe 0" } } } }"#;
    let scenario = scenario(&format!(r#""steps": [ LED, {taken} ]"#));
    let (outcome, records) = run(&scenario, 1, Limits::default(), Vec::new()).expect("no bug is named");
    assert_eq!(outcome.verdict, Verdict::Passed);
    let second = |record: &Record| {
        matches!(record, sim_core::Record::Noted { note: Note::Apply { index: 2, .. }, .. })
    };
    let applied = records.iter().filter(|(_, record)| second(record)).count();
    assert_eq!(applied, 3, "the probe of the ending is a second command, and all three nodes apply it");
}

/// Each entry that is applied lets a node with a window hand out the next.
#[test]
fn a_log_longer_than_a_stack_is_applied_through_a_window_of_one() {
    passes(
        r#""nodes": 1, "raft": { "apply_window": 1 }, "steps": [
        { "until": { "that": "single_leader" } }, { "propose": { "to": 0, "command": "x", "count": 10000 } },
        { "sleep": "1s" }, { "crash": 0 }, { "restart": 0 }, { "sleep": "1s" } ]"#,
    );
}
