//! Members and leadership.

use super::{Story, fails, passes};

pub(crate) const STORIES: &[Story] = &[
    (
        "change",
        r#""nodes": 4, "members": { "voters": [0, 1, 2] }, "raft": { "noop_on_election": true }, "steps": [LED,
        { "change": { "changes": "+3", "expect": "accepted" } },
        { "until": { "that": { "in_config": { "nodes": 3, "of": "all", "as": "voter" } } } }]"#,
    ),
    (
        "change",
        r#""nodes": 4, "members": { "voters": [0, 1, 2] }, "raft": { "noop_on_election": true }, "steps": [LED,
        { "change": { "changes": "learner +3" } },
            { "until": { "that": { "in_config": { "nodes": 3, "of": "all", "as": "learner" } } } },
        { "change": "-f" }, { "until": { "that": { "not_in_config": { "nodes": "f" } } } },
        { "assert": { "count": { "of": "members", "equals": 3 } } }, { "stop": "f is no member" }]"#,
    ),
    (
        "leave_joint",
        r#""nodes": 5, "members": { "voters": [0, 1, 2] }, "raft": { "noop_on_election": true }, "steps": [LED,
        { "change": { "changes": ["+3", "+4"], "transition": "explicit" } },
            { "until": { "that": { "joint": { "of": "all" } } } },
        { "sleep": "200ms" }, { "assert": { "joint": { "of": "l" } } },
            { "leave_joint": { "to": "leader", "expect": "accepted" } },
        { "until": { "that": { "not": { "joint": { "of": "l" } } } } }]"#,
    ),
    ("transfer", r#""steps": [LED, { "transfer": "f" }, { "until": { "that": { "leader_is": "f" } } }]"#),
    (
        "forget_leader",
        r#""steps": [LED, { "forget_leader": "f" }, { "read": { "at": "f", "kind": "follower", "expect": "refused" } }]"#,
    ),
    (
        "campaign",
        r#""steps": [LED, { "campaign": "f" }, { "until": { "that": { "leader_is": "f" }, "within": "100ms" } }]"#,
    ),
    (
        "report_unreachable",
        r#""steps": [LED, { "report_unreachable": { "at": "l", "of": "f" } }, { "mark": "m" },
        { "propose": { "command": "x", "count": 3 } },
        { "assert": { "messages": { "from": "l", "kind": "AppendEntries", "since": "m", "at_most": 4 } } }]"#,
    ),
];

#[test]
fn answers_say_why_something_is_refused() {
    let cluster = r#""nodes": 4, "members": { "voters": [0, 1, 2] },
            "raft": { "noop_on_election": true, "uncommitted_bytes": 8 }"#;
    for step in [
        r#"{ "propose": { "to": "f", "command": "x", "expect": "not_leader" } }"#,
        r#"{ "propose": { "to": "f", "command": "x", "expect": "refused" } }"#,
        r#"{ "change": { "to": "f", "changes": "+3", "expect": "not_leader" } }"#,
        r#"{ "change": "+3" }, { "change": { "changes": "-3", "expect": "change_pending" } }"#,
        r#"{ "leave_joint": { "to": "l", "expect": "bad_change" } }"#,
        r#"{ "transfer": { "to": 3, "expect": "refused" } }"#,
        r#"{ "isolate": "f" }, { "transfer": { "to": "f", "expect": "accepted" } },
            { "propose": { "command": "x", "expect": "transferring" } }"#,
        r#"{ "propose": { "command": "x", "bytes": 100, "expect": "accepted" } },
            { "propose": { "command": "y", "expect": "too_much_uncommitted" } }"#,
    ] {
        passes(&format!("{cluster}, \"steps\": [LED, {step}, \"heal\", {{ \"stop\": \"enough\" }}]"));
    }
    let eager = r#""nodes": 4, "members": { "voters": [0, 1, 2] }"#;
    passes(&format!(
        r#"{eager}, "steps": [LED, {{ "propose": "a" }}, {{ "sleep": "99ms" }}, {{ "isolate": "l" }},
        {{ "until": {{ "that": {{ "single_leader": {{ "not": "l" }} }}, "bind": "new" }} }},
            {{ "propose": {{ "to": "new", "command": "b" }} }},
        {{ "change": {{ "to": "new", "changes": "+3", "expect": "no_commit_in_term" }} }}, {{ "stop": "enough" }}]"#
    ));
    passes(
        r#""raft": { "forward_proposals": true }, "steps": [LED,
            { "propose": { "to": "f", "command": "x", "expect": "forwarded" } },
        { "until": { "that": { "committed": { "command": "x" } } } }]"#,
    );
}

#[test]
fn an_answer_that_was_not_expected_is_told() {
    let asked = r#"{ "propose": { "to": "f", "command": "x", "expect": "transferring" } }"#;
    fails(&format!("\"steps\": [LED, {asked}]"), "refuses \"x\": it does not lead");
    let down = r#"{ "crash": "f" }, { "propose": { "to": "f", "command": "x", "expect": "refused" } }"#;
    fails(&format!("\"steps\": [LED, {down}]"), "is down and does not answer");
    fails(r#""steps": [LED, { "crash": "f" }, { "campaign": "f" }]"#, "`restart` it first");
}

#[test]
fn a_minority_and_a_majority_are_of_the_voters() {
    passes(
        r#""nodes": 7, "members": { "voters": [4, 5, 6], "learners": [0, 1] }, "steps": [LED,
        { "bind": { "name": "few", "to": "minority" } }, { "bind": { "name": "many", "to": "majority with leader" } },
        { "assert": { "count": { "of": "few", "equals": 1 } } },
            { "assert": { "in_config": { "nodes": "few", "as": "voter" } } },
        { "assert": { "count": { "of": "many", "equals": 2 } } },
            { "assert": { "in_config": { "nodes": "many", "as": "voter" } } },
        { "assert": { "leader_is": "many" } }, { "stop": "2 and 3 are nobody" }]"#,
    );
}
