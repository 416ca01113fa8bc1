//! Snapshots, short logs, and state machines that wait.

use super::{Story, fails, passes};

pub(crate) const STORIES: &[Story] = &[
    (
        "snapshot",
        r#""steps": [LED, { "propose": "x" }, { "sleep": "100ms" }, { "snapshot": "l" },
        { "assert": { "index": { "of": "l", "which": "snapshot", "equals": 1 } } }]"#,
    ),
    (
        "compact",
        r#""raft": { "snapshot_keep": 99 }, "steps": [LED, { "propose": { "command": "x", "count": 5 } }, { "sleep": "100ms" },
        { "snapshot": "l" }, { "sleep": "20ms" }, { "assert": { "index": { "of": "l", "which": "base", "equals": 0 } } },
        { "compact": { "nodes": "l", "keep": 2 } }, { "assert": { "log_length": { "of": "l", "equals": 2 } } }]"#,
    ),
    (
        "send_snapshot",
        r#""steps": [LED, { "propose": "x" }, { "sleep": "100ms" }, { "snapshot": "l" }, { "sleep": "20ms" },
        { "send_snapshot": "f" }, { "assert": { "messages": { "kind": "InstallSnapshot", "at_least": 1 } } }]"#,
    ),
    (
        "hold_applies",
        r#""steps": [LED, { "hold_applies": "all" }, { "propose": "x" }, { "sleep": "100ms" },
        { "assert": { "index": { "of": "all", "which": "commit", "equals": 1 } } }, { "assert": { "not_committed": "x" } }]"#,
    ),
    (
        "complete_apply",
        r#""steps": [LED, { "hold_applies": "all" }, { "propose": { "command": "x", "count": 2 } }, { "sleep": "100ms" },
        { "complete_apply": "l" }, { "assert": { "committed": { "command": "x1", "on": 1 } } },
            { "assert": { "not_committed": "x2" } }]"#,
    ),
    (
        "release_applies",
        r#""steps": [LED, { "hold_applies": "all" }, { "propose": "x" }, { "sleep": "100ms" }, { "release_applies": "l" },
        { "assert": { "committed": { "command": "x", "on": 1 } } }]"#,
    ),
];

#[test]
fn a_state_machine_that_is_held_stays_so_over_a_restart() {
    passes(
        r#""steps": [LED, { "hold_applies": "f" }, { "crash": "f" }, { "restart": "f" }, { "propose": "x" },
            { "sleep": "200ms" },
        { "assert": { "committed": { "command": "x", "on": 2 } } }]"#,
    );
}

#[test]
fn what_cannot_be_sent_or_applied_is_told() {
    fails(r#""steps": [LED, { "send_snapshot": "f" }]"#, "have taken one with `snapshot`");
    fails(r#""steps": [LED, { "send_snapshot": { "from": "f", "to": "l" } }]"#, "it does not lead");
    fails(r#""steps": [LED, { "complete_apply": "f" }]"#, "`hold_applies` it before");
}

#[test]
fn what_snapshots_cover_at_the_beginning_was_committed_by_the_members_of_the_file() {
    // Two of the three members have it. That 3, which is none, has nothing takes nothing away.
    let snapshot = r#"{ "snapshot": { "index": 4, "term": 3 } }"#;
    passes(&format!(
        r#""nodes": 4, "members": {{ "voters": [0, 1, 2] }}, "initial": {{ "0": {snapshot}, "1": {snapshot} }},
        "steps": [{{ "crash": 2 }}, {{ "restart": 2 }}, {{ "until": {{ "that": "single_leader" }} }}, {{ "propose": "x" }},
        {{ "until": {{ "that": {{ "committed": {{ "command": "x", "on": 3 }} }} }} }}]"#
    ));
}

#[test]
fn a_log_that_reaches_back_agrees_with_a_snapshot_in_its_middle() {
    let log = |commands: &[&str]| {
        let entries: Vec<String> =
            commands.iter().map(|it| format!("{{ \"term\": 1, \"command\": \"{it}\" }}")).collect();
        format!("\"log\": [{}]", entries.join(", "))
    };
    let covered = |index: u64| format!("\"snapshot\": {{ \"index\": {index}, \"term\": 1 }}");
    // 0 has everything, 1 begins behind "b" and 2 behind "c", of which only 1 tells.
    let initial = |whole: &[&str]| {
        format!(
            r#""initial": {{ "0": {{ {} }}, "1": {{ {}, {} }}, "2": {{ {}, {} }} }}"#,
            log(whole),
            covered(2),
            log(&["c", "d"]),
            covered(3),
            log(&["d"])
        )
    };
    let steps = r#""steps": [{ "until": { "that": "single_leader" } }, { "propose": "x" },
        { "until": { "that": { "all": [{ "committed": { "command": "x" } }, "machine_equal"] } } }]"#;
    passes(&format!("{}, {steps}", initial(&["a", "b", "c", "d"])));
    passes(&format!("{}, {steps}", initial(&["a", "b"])));
    // Two snapshots of which logs tell a part, and an entry that another leader's has replaced.
    let covered = r#""initial": { "0": { "snapshot": { "index": 3, "term": 2 } }, "1": { "snapshot": { "index": 3, "term": 2 } },"#;
    for third in [r#"{ "snapshot": { "index": 1, "term": 1 }, "log": [1, 2] }"#, r#"{ "log": [1, 1, 1] }"#] {
        passes(&format!(r#"{covered} "2": {third} }}, {steps}"#));
    }
}
