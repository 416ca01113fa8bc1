//! Links.

use super::{Story, fails};

pub(crate) const STORIES: &[Story] = &[
    (
        "isolate",
        r#""steps": [LED, { "isolate": "l" }, { "until": { "that": { "single_leader": { "not": "l" } } } }]"#,
    ),
    (
        "reconnect",
        r#""steps": [LED, { "isolate": "l" }, { "until": { "that": { "single_leader": { "not": "l" } } } },
        { "reconnect": "l" }, { "until": { "that": { "role": { "of": "l", "is": "follower" } } } }]"#,
    ),
    (
        "cut",
        r#""steps": [LED, { "cut": { "from": "l", "to": "all" } },
        { "until": { "that": { "single_leader": { "not": "l" } } } }]"#,
    ),
    (
        "join",
        r#""steps": [LED, { "cut": { "from": "l", "to": "all" } }, { "join": { "from": "l", "to": "all" } },
        { "always": { "that": { "leader_is": "l" }, "during": "1s" } }]"#,
    ),
    (
        "partition",
        r#""steps": [LED, { "partition": [["l"], ["f", "g"]] },
        { "until": { "that": { "single_leader": { "not": "l" } } } }]"#,
    ),
    (
        "heal",
        r#""steps": [LED, { "partition": [["l"], ["f", "g"]] }, "heal",
        { "always": { "that": { "leader_is": "l" }, "during": "1s" } }]"#,
    ),
    (
        "hold",
        r#""steps": [LED, { "hold": "l" }, { "propose": "x" }, { "sleep": "100ms" }, { "assert": { "not_committed": "x" } }]"#,
    ),
    (
        "release",
        r#""steps": [LED, { "hold": "l" }, { "propose": "x" }, { "sleep": "10ms" }, { "release": "l" },
        { "until": { "that": { "committed": { "command": "x" } }, "within": "140ms" } }]"#,
    ),
    (
        "clog",
        r#""steps": [LED, { "clog": { "from": "l", "to": "all", "for": "80ms" } }, { "propose": "x" }, { "sleep": "70ms" },
        { "assert": { "not_committed": "x" } }]"#,
    ),
    (
        "set_link",
        r#""steps": [LED, { "set_link": { "from": "l", "to": "all", "corrupt": "100%" } }, { "propose": "x" },
        { "sleep": "100ms" }, { "assert": { "not_committed": "x" } }]"#,
    ),
];

#[test]
fn a_node_that_stands_in_two_groups_is_told() {
    fails(
        r#""steps": [LED, { "partition": [["l"], ["leader", "f"]] }]"#,
        "stands in two groups of the partition",
    );
}
