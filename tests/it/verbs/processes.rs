//! Processes, clocks and timers.

use super::{Story, fails, passes, play, scenario};
use seaworthy::execute::Verdict;

pub(crate) const STORIES: &[Story] = &[
    (
        "crash",
        r#""steps": [LED, { "crash": "f" }, { "assert": { "count": { "of": "crashed", "equals": 1 } } }]"#,
    ),
    (
        "crash_at",
        r#""steps": [LED, { "crash_at": { "node": "l", "operation": "next", "when": "before" } },
        { "propose": "x" }, { "assert": { "count": { "of": "crashed", "equals": 1 } } }]"#,
    ),
    (
        "disarm",
        r#""steps": [LED, { "crash_at": { "node": "l", "operation": "next" } },
        { "fail_write": { "nodes": "f", "what": "append" } }, { "fail_write": { "nodes": "g", "what": "fsync" } },
        { "disarm": "all" }, { "propose": "x" }, { "sleep": "20ms" }, { "assert": { "up": 3 } }]"#,
    ),
    (
        "set_crash_mode",
        r#""steps": [LED, { "set_crash_mode": { "nodes": "l", "keep": "prefix" } }, { "isolate": "l" },
        { "repeat": { "times": 20, "steps": [{ "propose": { "to": "l", "command": "x{round}" } }] } },
        { "crash": "l" }, { "restart": "l" },
        { "assert": { "index": { "of": "l", "which": "last", "at_least": 1 } } }]"#,
    ),
    ("restart", r#""steps": [LED, { "crash": "f" }, { "restart": "f" }, { "assert": { "up": 3 } }]"#),
    (
        "shutdown",
        r#""storage": { "write": { "constant": "30ms" } }, "steps": [LED, { "propose": "x" }, { "isolate": "l" },
        { "shutdown": "l" }, { "assert": { "count": { "of": "crashed", "equals": 1 } } }, { "restart": "l" },
        { "assert": { "index": { "of": "l", "which": "last", "equals": 1 } } }]"#,
    ),
    (
        "pause",
        r#""steps": [LED, { "pause": "l" }, { "until": { "that": { "single_leader": { "not": "l" } } } }]"#,
    ),
    (
        "resume",
        r#""steps": [LED, { "pause": "l" }, { "until": { "that": { "single_leader": { "not": "l" } } } },
        { "resume": "l" }, { "until": { "that": { "role": { "of": "l", "is": "follower" } } } }]"#,
    ),
    (
        "set_clock",
        r#""raft": { "election_timeout": ["300ms", "320ms"] }, "steps": [
        { "set_clock": { "nodes": 0, "drift": "40%" } }, { "set_clock": { "nodes": [1, 2], "drift": "-40%" } },
        { "sleep": "240ms" }, { "assert": { "leader_is": 0 } }]"#,
    ),
    (
        "tick",
        r#""steps": [{ "tick": { "nodes": 0, "timer": "election" } },
            { "assert": { "role": { "of": 0, "is": "candidate" } } }]"#,
    ),
    (
        "tick",
        r#""steps": [LED, { "mark": "m" }, { "tick": { "nodes": "all", "timer": "heartbeat" } },
        { "assert": { "messages": { "from": "l", "kind": "AppendEntries", "since": "m", "at_least": 2 } } }]"#,
    ),
    (
        "hold_timers",
        r#""steps": [{ "hold_timers": "all" }, { "sleep": "5s" }, { "assert": { "role": { "of": "all", "is": "follower" } } },
        { "tick": { "nodes": 1, "timer": "election" } }, { "sleep": "20ms" }, { "assert": { "leader_is": 1 } },
        { "mark": "m" }, { "sleep": "1s" }, { "assert": { "messages": { "from": 1, "since": "m", "at_most": 0 } } },
        { "release_timers": "all" }]"#,
    ),
    (
        "release_timers",
        r#""steps": [{ "hold_timers": "all" }, { "sleep": "5s" }, { "release_timers": 2 }, { "sleep": "20ms" },
        { "assert": { "leader_is": 2 } }, { "release_timers": "all" }]"#,
    ),
    (
        "repeat",
        r#""steps": [LED, { "repeat": { "times": 2, "steps": [{ "crash": "follower 0" }] } }, { "assert": { "up": 1 } }]"#,
    ),
    (
        "stop",
        r#""steps": [LED, { "crash": "all" }, { "stop": "nothing more is asked" }, { "assert": { "up": 3 } }]"#,
    ),
];

#[test]
fn timers_stay_held_in_the_next_life_and_run_again_where_the_cluster_must_live() {
    passes(
        r#""steps": [{ "hold_timers": "all" }, { "crash": 0 }, { "restart": 0 }, { "sleep": "5s" },
        { "assert": { "role": { "of": "all", "is": "follower" } } }], "end": { "live": { "core": "all" } }"#,
    );
}

#[test]
fn a_crash_keeps_what_it_is_told_to_and_the_next_one_what_is_usual() {
    let story = |keep: &str| {
        format!(
            r#""steps": [LED, {{ "isolate": "g" }}, {{ "hold_writes": "f" }},
            {{ "repeat": {{ "times": 8, "steps": [{{ "propose": "x{{round}}" }}, {{ "sleep": "10ms" }}] }} }},
            {{ "isolate": "f" }},
            {{ "crash": {{ "nodes": "f"{keep} }} }}, {{ "release_writes": "f" }}, {{ "restart": "f" }},
            {{ "assert": {{ "index": {{ "of": "f", "which": "last", "at_least": 1 }} }} }}]"#
        )
    };
    let kept = |keep: &str| {
        let scenario = scenario(&story(keep));
        (0..8)
            .filter(|seed| {
                let run =
                    seaworthy::execute::run(&scenario, *seed, seaworthy::execute::Limits::default(), ());
                run.expect("no bug is named").0.verdict == Verdict::Passed
            })
            .count()
    };
    assert_eq!(kept(""), 0);
    assert!(kept(r#", "keep": "prefix""#) > 3);
    let twice = story(r#", "keep": "prefix""#).replace(
        r#"{ "restart": "f" },"#,
        r#"{ "restart": "f" }, { "hold_writes": "f" }, { "crash": "f" }, { "restart": "f" },"#,
    );
    assert_eq!(play(&scenario(&twice)).verdict, play(&scenario(&story(r#", "keep": "prefix""#))).verdict);
}

#[test]
fn a_node_whose_disk_never_finishes_cannot_be_shut_down() {
    fails(
        r#""steps": [LED, { "hold_writes": "l" }, { "propose": "x" }, { "shutdown": "l" }]"#,
        "`release_writes` it first",
    );
}

#[test]
fn fields_of_the_file_decide_how_it_begins() {
    passes(
        r#""nodes": 4, "members": { "voters": [0, 1], "learners": [2] }, "down": [3], "steps": [
        { "assert": { "count": { "of": "crashed", "equals": 1 } } }, { "until": { "that": "single_leader" } },
        { "assert": { "members": { "of": "leader", "voters": [0, 1], "learners": 2, "outgoing": [] } } },
        { "assert": { "count": { "of": "voters", "equals": 2 } } },
            { "assert": { "count": { "of": "learners", "equals": 1 } } },
        { "assert": { "count": { "of": "members", "equals": 3 } } },
        { "restart": 3 }, { "propose": "x" }, { "until": { "that": { "committed": { "command": "x", "on": 3 } } } },
        { "stop": "3 was never added" }]"#,
    );
    passes(
        r#""initial": { "1": { "log": [3, { "term": 4, "command": "x" }], "snapshot": { "index": 4, "term": 3 }, "vote": 1 },
            "2": { "log": [3], "snapshot": { "index": 4, "term": 3 }, "term": 5 } }, "steps": [
        { "assert": { "last_entry": { "of": 1, "index": 6, "term": 4 } } }, { "assert": { "vote": { "of": 1, "is": 1 } } },
        { "assert": { "last_entry": { "of": 2, "index": 5, "term": 3 } } },
        { "assert": { "index": { "of": 2, "which": "snapshot", "equals": 4 } } },
        { "assert": { "term": { "of": 2, "equals": 5 } } }, { "until": { "that": "single_leader" } }, { "propose": "y" },
        { "until": { "that": { "committed": { "command": "y" } } } }]"#,
    );
    passes(
        r#""clocks": { "2": { "drift": "40%" }, "0": { "drift": "-40%" }, "1": { "drift": "-40%" } },
        "raft": { "election_timeout": ["300ms", "320ms"] },
        "steps": [{ "sleep": "240ms" }, { "assert": { "leader_is": 2 } }]"#,
    );
}
