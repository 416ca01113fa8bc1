//! MIT 6.5840 3D: snapshots.

use super::said;

#[test]
fn mit_snapshot_basic_and_install_can_be_said() {
    said(
        "snapshot_basic",
        r#""nodes": 3, "raft": { "snapshot_after": 10, "snapshot_keep": 0 }, "steps": [
            { "propose": { "command": "x", "count": 31, "bytes": 20, "expect": "accepted" } },
            { "until": { "that": { "committed": { "command": "x31", "on": 3 } } } },
            { "assert": { "index": { "of": "all", "which": "snapshot", "at_least": 20 } } },
            { "assert": { "index": { "of": "all", "which": "base", "at_least": 20 } } },
            { "assert": { "disk_bytes": { "of": "all", "file": "log", "at_most": 1999 } } },
            { "assert": { "log_length": { "of": "all", "at_most": 11 } } }, { "assert": "machine_equal" }
        ]"#,
    );
    said(
        "snapshot_install_unreliable",
        r#""nodes": 3, "raft": { "snapshot_after": 10, "snapshot_chunk": 64 }, "network": { "loss": "10%" }, "steps": [
            { "repeat": { "times": 30, "steps": [
                { "until": { "that": "single_leader", "bind": "head" } },
                { "pick": { "name": "victim", "count": 1, "from": "all but head" } },
                { "choose": [{ "steps": [{ "isolate": "victim" }] }, { "steps": [{ "crash": "victim" }] }] },
                { "mark": "out" }, { "propose": { "to": "head", "command": "r{round}_", "count": 21 } },
                { "until": { "that": { "committed": { "command": "r{round}_21", "on": { "at_least": 2 } } } } },
                { "reconnect": "victim" }, { "restart": "crashed" },
                { "until": { "that": { "index": { "of": "victim", "which": "commit", "at_least": "out" } } } },
                { "assert": { "messages": { "kind": "AppendEntries", "since": "out", "at_least": 1 } } }
            ] } }
        ]"#,
    );
}

#[test]
fn mit_snapshot_all_crash_and_init_can_be_said() {
    said(
        "snapshot_all_crash",
        r#""nodes": 3, "raft": { "snapshot_after": 10 }, "steps": [
            { "repeat": { "times": 5, "steps": [
                { "propose": { "command": "r{round}_", "count": 11 } },
                { "until": { "that": { "committed": { "command": "r{round}_11", "on": 3 } } } }, { "mark": "before" },
                { "crash": "all" }, { "restart": "all" }, { "until": { "that": "single_leader" } },
                { "assert": { "index": { "of": "leader", "which": "last", "at_least": "before" } } }
            ] } }
        ]"#,
    );
    said(
        "snapshot_init",
        r#""nodes": 3, "raft": { "snapshot_after": 10 }, "steps": [
            { "propose": { "command": "a", "count": 12 } },
            { "until": { "that": { "index": { "of": "all", "which": "snapshot", "at_least": 10 } } } },
            { "crash": "all" }, { "restart": "all" }, { "until": { "that": "single_leader" } }, { "propose": "b" },
            { "until": { "that": { "committed": { "command": "b" } } } }
        ]"#,
    );
    said(
        "manual_snapshots",
        r#""nodes": 3, "initial": { "0": { "snapshot": { "index": 5, "term": 1 } },
                "1": { "log": [1, 1], "snapshot": { "index": 5, "term": 1 } } }, "steps": [
            { "snapshot": "leader" }, { "compact": { "nodes": "leader", "keep": 2 } }, { "compact": "all" },
            { "send_snapshot": "follower 0" }, { "send_snapshot": { "from": "leader", "to": 2 } },
            { "assert": { "last_entry": { "of": 1, "index": 7, "term": 1 } } }
        ]"#,
    );
}
