//! Clients.

use super::{Story, fails, passes};

pub(crate) const STORIES: &[Story] = &[
    (
        "call",
        r#""steps": [LED, { "call": { "op": { "put": { "key": "x", "value": "1" } }, "expect": "ok", "bind": "who" } },
        { "until": { "that": { "value": { "of": "all", "key": "x", "equals": "1" } } } }]"#,
    ),
    (
        "start_clients",
        r#""workload": { "clients": 2, "operations": 5 }, "steps": ["stop_clients", { "sleep": "1s" }, "start_clients",
        { "until": { "that": { "calls": { "outcome": "ok", "at_least": 1 } } } }, { "await_clients": { "within": "30s" } },
        { "assert": { "calls": { "at_least": 10, "at_most": 10 } } }]"#,
    ),
    (
        "stop_clients",
        r#""workload": { "clients": 1, "operations": 500 }, "steps": [{ "sleep": "1s" }, { "stop_clients": "client 0" },
        { "sleep": "1s" }, { "assert": { "clients_done": { "clients": "client 0" } } }, { "assert":
            { "calls": { "at_most": 499 } } }]"#,
    ),
    (
        "await_clients",
        r#""workload": { "clients": 2, "operations": 20 }, "steps": [{ "await_clients": { "within": "30s" } },
        { "assert": "clients_done" }, { "assert": { "calls": { "by": "client 1", "at_least": 20, "at_most": 20 } } }]"#,
    ),
];

#[test]
fn each_call_comes_to_what_it_should() {
    passes(
        r#""steps": [LED, { "call": { "op": { "get": "x" }, "expect": "not_found" } },
        { "call": { "client": "alice", "op": { "put": { "key": "x", "value": "1" } }, "expect": "ok" } },
        { "call": { "client": "bob", "op": { "append": { "key": "x", "value": "2" } }, "expect": "ok" } },
        { "call": { "op": { "get": "x" }, "kind": "read_index", "expect": { "value": "12" }, "bind": "who" } },
            { "assert": { "leader_is": "who" } },
        { "call": { "op": { "cas": { "key": "x", "expected": "1", "value": "3" } }, "expect": "mismatch" } },
        { "call": { "op": { "cas": { "key": "x", "expected": "1", "value": "3" } }, "expect": { "value": "12" } } },
        { "call": { "op": { "cas": { "key": "y", "value": "3" } }, "expect": "ok" } },
        { "call": { "op": { "delete": "x" }, "expect": "ok" } }, { "call": { "op": { "delete": "x" }, "expect": "not_found" } },
        { "call": { "to": "f", "op": { "get": "x" }, "kind": "read_index", "expect": "not_leader" } },
        { "until": { "that": { "value": { "of": "all", "key": "x", "absent": true } } } },
        { "assert": { "calls": { "by": "client alice", "op": "put", "outcome": "ok", "at_least": 1, "at_most": 1 } } },
        { "assert": { "calls": { "op": "cas", "outcome": "mismatch", "at_least": 2, "at_most": 2 } } },
        { "isolate": "all" }, { "mark": "m" }, { "call": { "op": { "get": "y" }, "within": "300ms", "expect": "timeout" } },
        { "assert": { "calls": { "since": "m", "outcome": "unknown", "at_least": 1, "at_most": 1 } } }]"#,
    );
}

#[test]
fn a_call_that_nobody_waits_for_is_judged_when_it_comes_back_or_at_the_end() {
    let call = |expect: &str| {
        format!(
            r#"{{ "hold": {{ "from": "all", "to": "client caller" }} }},
            {{ "call": {{ "op": {{ "put": {{ "key": "x", "value": "1" }} }},
            "wait": false, "expect": "{expect}" }} }}, {{ "sleep": "100ms" }},
            {{ "assert": {{ "calls": {{ "outcome": "pending", "at_least": 1 }} }} }}"#
        )
    };
    let released = r#"{ "release": { "from": "all", "to": "clients" } }"#;
    passes(&format!("\"steps\": [LED, {}, {released}, \"await_clients\"]", call("ok")));
    passes(&format!("\"steps\": [LED, {}]", call("ok")));
    fails(
        &format!("\"steps\": [LED, {}, {released}, \"await_clients\"]", call("timeout")),
        "steps[5]: the call came back with ok",
    );
    fails(
        &format!("\"steps\": [LED, {}]", call("timeout")),
        "the call came back with ok, expected \"timeout\"",
    );
}

#[test]
fn what_clients_do_in_vain_is_told() {
    let get = r#"{ "call": { "op": { "get": "x" }, "expect": "ok" } }"#;
    fails(&format!("\"steps\": [LED, {get}]"), "came back with not_found, expected \"ok\"");
    let lost = r#"{ "cut": { "from": "clients", "to": "all" } }, { "call": { "op": { "get": "x" }, "wait": false } },
            { "await_clients": { "within": "1s" } }"#;
    fails(&format!("\"steps\": [LED, {lost}]"), "has a call open");
}

#[test]
fn those_who_call_for_steps_are_neither_started_nor_stopped_with_the_workload() {
    let call = |more: &str| {
        format!(
            r#"{{ "call": {{ "client": "alice", "op": {{ "put": {{ "key": "x", "value": "1" }} }}{more} }} }}"#
        )
    };
    let fields = format!(
        r#""workload": {{ "clients": 1, "operations": 500 }}, "steps": [LED, {}, "stop_clients", {},
        {}, {{ "await_clients": {{ "within": "10s" }} }}, {{ "assert": {{ "calls": {{ "by": "client alice", "outcome": "ok",
        "at_least": 3 }} }} }}, {{ "assert": {{ "calls": {{ "by": "client 0", "at_most": 499 }} }} }}]"#,
        call(r#", "expect": "ok""#),
        call(r#", "expect": "ok""#),
        call(r#", "wait": false"#)
    );
    passes(&fields);
}

/// To hear yes or no, and to hear why, are two ways to the same.
#[test]
fn who_waits_for_clients_waits_for_all_that_are_meant_and_no_others() {
    let busy = r#""workload": { "clients": 2, "operations": 20 }, "steps": [LED,
        { "call": { "client": "alice", "op": { "get": "x" } } }, "#;
    for (clients, are_done) in [
        (r#""clients""#, false),
        (r#""client 1""#, false),
        (r#""client alice""#, true),
        (r#"["client alice", "client 0"]"#, false),
        (r#"["client alice", "client alice"]"#, true),
        (r#"["client alice", "clients"]"#, false),
    ] {
        let done = format!(r#"{{ "clients_done": {{ "clients": {clients} }} }}"#);
        let asked = if are_done { done.clone() } else { format!(r#"{{ "not": {done} }}"#) };
        passes(&format!(r#"{busy} {{ "assert": {asked} }} ]"#));
        let awaited = format!(r#"{{ "await_clients": {{ "clients": {clients}, "within": "30s" }} }}"#);
        passes(&format!(r#"{busy} {awaited}, {{ "assert": {done} }} ]"#));
        let at_once = format!(r#"{{ "await_clients": {{ "clients": {clients}, "within": "1us" }} }} ]"#);
        match are_done {
            true => passes(&format!("{busy} {at_once}")),
            false => fails(&format!("{busy} {at_once}"), "await_clients: not within 1us: client "),
        };
    }
}
