//! Messages on their way.

use super::{Story, fails, passes};

pub(crate) const STORIES: &[Story] = &[
    (
        "deliver_one",
        r#""steps": [LED, { "hold": { "from": "l", "to": "all" } }, { "propose": "x" },
        { "deliver_one": { "from": "l", "to": "f", "kind": "AppendEntries" } },
        { "assert": { "index": { "of": "f", "which": "last", "equals": 1 } } },
        { "assert": { "index": { "of": "g", "which": "last", "equals": 0 } } }]"#,
    ),
    (
        "deliver_one",
        r#""steps": [LED, { "hold": { "from": "l", "to": "all" } }, { "propose": "x" }, { "propose": "y" }, { "mark": "m" },
        { "deliver_one": { "from": "l", "to": "f", "kind": "AppendEntries", "nth": 2, "term": 1 } }, { "sleep": "20ms" },
        { "assert": { "messages": { "from": "f", "since": "m", "at_least": 1, "at_most": 1 } } }]"#,
    ),
    (
        "deliver_one",
        r#""steps": [LED, { "hold": { "from": "l", "to": "all" } }, { "propose": "x" }, { "mark": "m" },
        { "deliver_one": { "from": "l", "to": "f", "kind": "AppendEntries", "copy": true } },
        { "deliver_one": { "from": "l", "to": "f", "kind": "AppendEntries" } }, { "sleep": "20ms" },
        { "assert": { "messages": { "from": "f", "since": "m", "at_least": 2 } } }]"#,
    ),
    (
        "drop_pending",
        r#""steps": [LED, { "hold": { "from": "l", "to": "all" } }, { "propose": "x" }, "drop_pending",
        { "release": { "from": "l", "to": "all" } }, { "sleep": "30ms" }, { "assert": { "not_committed": "x" } }]"#,
    ),
    (
        "duplicate_pending",
        r#""steps": [LED, { "hold": { "from": "l", "to": "all" } }, { "propose": "x" },
        { "duplicate_pending": { "from": "l", "kind": "AppendEntries" } },
        { "deliver": { "from": "l", "kind": "AppendEntries", "count": 4 } }]"#,
    ),
    (
        "shuffle",
        r#""steps": [LED, { "hold": { "from": "l", "to": "f" } }, { "propose": { "command": "x", "count": 9 } },
        { "shuffle": { "to": "f" } }, { "deliver": { "from": "l", "to": "f", "count": 1 } },
        { "assert": { "index": { "of": "f", "which": "last", "equals": 0 } } }]"#,
    ),
    (
        "deliver",
        r#""steps": [LED, { "hold": { "from": "l", "to": "all" } }, { "propose": "x" }, "deliver",
        { "assert": { "index": { "of": ["f", "g"], "which": "last", "equals": 1 } } }]"#,
    ),
    (
        "deliver",
        r#""storage": { "write": { "constant": "0ns" } }, "steps": [LED, { "hold": "all" }, { "propose": "x" },
        { "deliver": { "count": "until_quiet" } }, { "assert": { "index": { "of": "l", "which": "commit", "equals": 1 } } }]"#,
    ),
    (
        "drop_after",
        r#""steps": [LED, { "drop_after": { "from": "l", "count": 1 } }, { "propose": "x" },
        { "propose": "y" }, { "sleep": "100ms" }, { "assert": { "not_committed": "y" } }]"#,
    ),
    (
        "stop_dropping",
        r#""steps": [LED, { "drop_after": { "from": "l", "count": 0 } }, { "stop_dropping": "l" },
        { "always": { "that": { "leader_is": "l" }, "during": "1s" } }]"#,
    ),
    (
        "pin",
        r#""steps": [{ "pin": { "election_timeout": { "node": 2, "delays": ["1ms"] } } },
            { "tick": { "nodes": 0, "timer": "election" } },
        { "pin": { "message": { "from": 0, "to": "all", "kind": "RequestVote", "drop": true } } },
            { "pin": { "election_timeout":
        { "node": 0, "delays": ["10s", "10s"] } } }, { "sleep": "1ms" }, { "campaign": 0 }, { "always": { "that":
        { "not": { "leader_is": 0 } }, "during": "1s" } }]"#,
    ),
    (
        "unpin",
        r#""pins": [{ "message": { "from": "all", "to": "all", "kind": "RequestVote", "drop": true } }],
        "steps": ["unpin", { "until": { "that": "single_leader" } }]"#,
    ),
    (
        "unpin",
        r#""pins": [{ "message": { "from": "all", "to": "all", "kind": "RequestVote", "drop": true } }],
        "steps": [{ "unpin": { "of": 2 } }, { "until": { "that": { "leader_is": 2 } } }]"#,
    ),
];

#[test]
fn messages_are_delivered_the_oldest_first_whatever_their_links() {
    passes(
        r#""steps": [LED, { "hold": { "from": "all", "to": "g" } }, { "hold": { "from": "all", "to": "f" } },
        { "propose": "x" }, { "propose": "y" }, { "deliver": { "count": 2 } },
        { "assert": { "index": { "of": ["f", "g"], "which": "last", "equals": 1 } } }]"#,
    );
}

#[test]
fn too_few_messages_are_told() {
    fails(r#""steps": [LED, { "deliver": { "from": "l", "count": 3 } }]"#, "0 messages are held on");
    fails(r#""steps": [LED, { "deliver_one": { "from": "l", "to": "f" } }]"#, "no such message is held");
    fails(
        r#""steps": [LED, { "hold": "all" }, { "propose": "x" },
        { "deliver_one": { "from": "l", "to": "f", "kind": "AppendEntries", "term": 9, "nth": 77 } }]"#,
        ": AppendEntries of term 9 number 77; `hold` that link first",
    );
}
