//! Reads beside the log.

use super::{Story, fails, passes};

pub(crate) const STORIES: &[Story] = &[
    (
        "read",
        r#""steps": [LED, { "propose": "x" }, { "sleep": "100ms" },
            { "read": { "kind": "read_index", "expect": "served", "bind": "who" } },
        { "assert": { "reads": { "at": "l", "kind": "read_index", "outcome": "served", "at_least": 1, "at_most": 1 } } }]"#,
    ),
    (
        "read",
        r#""steps": [LED, { "read": { "at": "f", "kind": "local", "expect": "served" } },
        { "assert": { "reads": { "kind": "local", "at_least": 1 } } }]"#,
    ),
];

const LEASED: &str = r#""raft": { "check_quorum": true, "lease_reads": true, "noop_on_election": true }"#;

#[test]
fn each_kind_of_read_is_served_by_whom_it_should_be() {
    for step in [
        r#"{ "read": { "kind": "read_index", "expect": "served", "at_least_index": 2 } }"#,
        r#"{ "read": { "at": "f", "kind": "read_index", "expect": "refused" } }"#,
        r#"{ "mark": "m" }, { "read": { "kind": "lease", "expect": "served" } },
            { "assert": { "elapsed": { "since": "m", "at_most": "0ns" } } }"#,
        r#"{ "read": { "at": "f", "kind": "lease", "expect": "refused" } }"#,
        r#"{ "read": { "at": "followers", "kind": "follower", "expect": "served", "at_least_index": 2 } },
            { "assert": { "reads": { "kind": "follower", "outcome": "served", "at_least": 2 } } }"#,
        r#"{ "isolate": "f" }, { "propose": "y" }, { "sleep": "50ms" },
            { "read": { "at": "f", "kind": "local", "expect": "served" } }"#,
        r#"{ "isolate": "l" }, { "mark": "m" }, { "read": { "kind": "read_index", "expect": "unanswered", "within": "50ms" } },
            { "assert": { "elapsed": { "since": "m", "at_least": "50ms" } } },
            { "assert": { "reads": { "since": "m", "outcome": "pending", "at_least": 1 } } }"#,
        r#"{ "pause": "l" }, { "read": { "at": "l", "kind": "local", "expect": "unanswered", "within": "20ms" } }"#,
        r#"{ "hold_applies": "l" }, { "propose": "y" }, { "sleep": "50ms" },
            { "read": { "kind": "read_index", "expect": "unanswered", "within": "50ms" } }"#,
    ] {
        passes(&format!(
            "{LEASED}, \"steps\": [LED, {{ \"propose\": \"x\" }}, {{ \"sleep\": \"100ms\" }}, {step}]"
        ));
    }
}

#[test]
fn a_read_that_comes_out_otherwise_is_told() {
    let read = |read: &str| format!("\"steps\": [LED, {{ \"read\": {{ {read} }} }}]");
    fails(&read(r#""kind": "local", "expect": "refused""#), "it serves it at 0");
    fails(&read(r#""kind": "local", "at_least_index": 7"#), "expected at least 7");
    fails(&read(r#""at": "f", "kind": "read_index", "bind": "who""#), "nobody served the read");
    fails(&read(r#""at": "crashed", "kind": "local", "expect": "served""#), "means nobody now");
}

/// The follower lacks the entry that its read waits for, and gets it as part of a snapshot, after which nothing more comes.
#[test]
fn a_read_of_a_follower_is_served_when_a_snapshot_reaches_its_index() {
    passes(
        r#""steps": [LED, { "propose": "x" }, { "sleep": "60ms" }, { "hold": { "from": "l", "to": "f" } }, { "propose": "y" },
        { "sleep": "20ms" },
        { "call": { "to": "f", "op": { "get": "k" }, "kind": "follower", "within": "10s", "wait": false } },
        { "sleep": "20ms" }, { "drop_pending": { "from": "l", "to": "f", "kind": "AppendEntries" } },
        { "deliver_one": { "from": "l", "to": "f", "kind": "ReadIndexResponse" } }, { "snapshot": "l" }, { "sleep": "20ms" },
        { "assert": { "index": { "of": "f", "which": "applied", "equals": 1 } } },
        { "assert": { "calls": { "outcome": "pending", "at_least": 1 } } }, { "release": { "from": "l", "to": "f" } },
        { "until": { "that": { "index": { "of": "f", "which": "snapshot", "equals": 2 } }, "within": "200ms" } },
        { "sleep": "10ms" }, { "assert": { "calls": { "outcome": "not_found", "at_least": 1, "at_most": 1 } } }]"#,
    );
}
