//! Predicates: each holds where it should, and does not hold a step beside.

use super::{fails, passes};

/// One command is committed; what holds then, and what does not.
const ONE_COMMITTED: &[(&str, &str)] = &[
    (
        r#"{ "index": { "of": "all", "which": "commit", "equals": 1 } }"#,
        r#"{ "index": { "of": "l", "which": "commit", "at_least": 2 } }"#,
    ),
    (
        r#"{ "index": { "of": "all", "which": "applied", "at_least": "m", "at_most": 1 } }"#,
        r#"{ "index": { "of": "l", "which": "last", "at_most": "m" } }"#,
    ),
    (
        r#"{ "index": { "of": "all", "which": "base", "equals": 0 } }"#,
        r#"{ "index": { "of": "f", "which": "base", "equals": 1 } }"#,
    ),
    (
        r#"{ "last_entry": { "of": "all", "index": 1, "term": 1 } }"#,
        r#"{ "last_entry": { "of": "f", "index": 1, "term": 2 } }"#,
    ),
    (r#"{ "log_length": { "of": "all", "equals": 1 } }"#, r#"{ "log_length": { "of": "f", "at_most": 0 } }"#),
    (
        r#"{ "disk_bytes": { "of": "all", "file": "log", "at_least": 10 } }"#,
        r#"{ "disk_bytes": { "of": "all", "file": "snapshot", "at_least": 1 } }"#,
    ),
    (
        r#"{ "disk_bytes": { "of": "all", "at_least": 20 } }"#,
        r#"{ "disk_bytes": { "of": "f", "at_most": 1 } }"#,
    ),
    (
        r#"{ "storage_operations": { "of": "all", "at_least": 3 } }"#,
        r#"{ "storage_operations": { "of": "f", "equals": 1 } }"#,
    ),
    (r#"{ "not": { "halted": { "of": "f" } } }"#, r#"{ "halted": { "of": "f" } }"#),
    (
        r#"{ "members": { "of": "all", "voters": [0, 1, 2], "outgoing": [], "learners": [] } }"#,
        r#"{ "members": { "of": "f", "voters": [0, 1] } }"#,
    ),
    (
        r#"{ "members": { "of": "all", "at": 1, "absent": true } }"#,
        r#"{ "members": { "of": "all", "at": 1, "voters": [0, 1, 2] } }"#,
    ),
    (r#"{ "not": { "joint": { "of": "f" } } }"#, r#"{ "joint": { "of": "f" } }"#),
    (
        r#"{ "in_config": { "nodes": "all", "as": "voter" } }"#,
        r#"{ "in_config": { "nodes": "all", "as": "learner" } }"#,
    ),
    (
        r#"{ "not_in_config": { "nodes": "all", "as": "learner" } }"#,
        r#"{ "not_in_config": { "nodes": "f" } }"#,
    ),
    (r#""machine_equal""#, r#"{ "not": "machine_equal" }"#),
    (
        r#"{ "value": { "of": "all", "key": "k1", "absent": true } }"#,
        r#"{ "value": { "of": "l", "key": "k1", "equals": "" } }"#,
    ),
    (
        r#"{ "count": { "of": "voters", "equals": 3 } }"#,
        r#"{ "count": { "of": "learners", "at_least": 1 } }"#,
    ),
    (r#"{ "committed_at": { "command": "x", "index": 1 } }"#, r#"{ "committed_at": { "index": 2 } }"#),
    (r#"{ "synced": {} }"#, r#"{ "reads": { "at_least": 1 } }"#),
];

#[test]
fn each_predicate_holds_where_it_should_and_not_beside() {
    for (holds, does_not) in ONE_COMMITTED {
        let ask = |predicate: &str| {
            format!(
                r#""steps": [LED, {{ "mark": "m" }}, {{ "propose": "x" }}, {{ "sleep": "150ms" }},
            {{ "assert": {predicate} }}]"#
            )
        };
        passes(&ask(holds));
        fails(&ask(does_not), "assert");
    }
}

#[test]
fn what_clients_sent_is_counted_since_a_mark_too() {
    let put = r#"{ "call": { "op": { "put": { "key": "x", "value": "1" } }, "expect": "ok" } }"#;
    let count = |bounds: &str| {
        format!(
            r#""steps": [LED, {put}, {{ "mark": "m" }}, {put}, {{ "assert": {{ "messages": {{
            "from": "clients", "since": "m", {bounds} }} }} }}]"#
        )
    };
    passes(&count(r#""at_least": 1, "at_most": 3"#));
    fails(&count(r#""at_least": 9"#), "messages were sent, expected at least 9");
}

#[test]
fn a_configuration_stands_where_it_was_appended() {
    passes(
        r#""nodes": 4, "members": { "voters": [0, 1, 2] }, "raft": { "noop_on_election": true }, "steps": [LED,
            { "change": "+3" },
        { "until": { "that": { "members": { "of": "all", "at": 2, "voters": [0, 1, 2, 3] } } } },
        { "assert": { "members": { "of": "all", "at": 1, "absent": true } } }]"#,
    );
}

#[test]
fn state_machines_that_have_seen_different_things_are_not_equal() {
    let put = r#"{ "call": { "op": { "put": { "key": "x", "value": "1" } } } }"#;
    let apart = format!(
        r#""steps": [LED, {{ "hold_applies": "f" }}, {put}, {{ "sleep": "100ms" }}, {{ "assert": "machine_equal" }}]"#
    );
    fails(&apart, "differ in their state machines");
    fails(
        &apart.replace(r#""machine_equal""#, r#"{ "value": { "of": "f", "key": "x", "equals": "1" } }"#),
        "is absent",
    );
}

#[test]
fn times_and_nodes_are_told_as_people_write_them() {
    let passed = |bounds: &str| {
        format!(r#""steps": [{{ "sleep": "1500us" }}, {{ "assert": {{ "elapsed": {{ {bounds} }} }} }}]"#)
    };
    fails(&passed(r#""at_most": "1ms""#), "0.001500s have passed, expected at most 1ms");
    let both = passed(r#""at_least": "2ms", "at_most": "1s""#);
    fails(&both, "0.001500s have passed, expected at least 2ms and at most 1s");
    let vote =
        |steps: &str| format!(r#""steps": [{steps}{{ "assert": {{ "vote": {{ "of": 1, "is": 2 }} }} }}]"#);
    fails(&vote(""), "node 1 has voted for nobody");
    fails(&vote(r#"{ "campaign": 0 }, { "sleep": "40ms" }, "#), "node 1 has voted for node 0");
}

#[test]
fn what_is_asked_of_a_node_that_is_down_is_told() {
    let ask = |predicate: &str| format!(r#""steps": [LED, {{ "crash": "f" }}, {{ "assert": {predicate} }}]"#);
    for predicate in [
        r#"{ "log_length": { "of": "f", "at_most": 9 } }"#,
        r#"{ "value": { "of": "f", "key": "x", "absent": true } }"#,
        r#"{ "index": { "of": "f", "which": "base", "equals": 0 } }"#,
    ] {
        fails(&ask(predicate), "is down");
    }
}
