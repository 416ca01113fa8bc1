//! What disks can do to a cluster: Kafka's and dragonboat's wiped disks, fsyncgate, and every way to tear a write.

use super::said;

#[test]
fn disks_that_fail_can_be_said() {
    said(
        "disks",
        r#""nodes": 5, "storage": { "crash": "prefix", "torn": true, "capacity": 1000000,
                "nodes": { "3": { "crash": "any", "torn": false, "capacity": 4096, "write": { "constant": "20ms" } } } },
            "steps": [
            { "crash": { "nodes": "minority with leader", "keep": "any", "torn": true } }, { "restart": "crashed" },
            { "crash_at": { "node": "leader", "operation": "next", "when": "torn" } },
            { "crash_at": { "node": 1, "operation": 17 } }, { "crash_at": { "node": 2, "operation": "+3", "when": "before" } },
            { "disarm": 2 }, { "set_crash_mode": { "nodes": "all", "keep": "any", "torn": true } },
            { "fail_write": { "nodes": "leader", "what": "fsync" } },
            { "fail_write": { "nodes": 1, "what": "append", "after": 3 } },
            { "until": { "that": { "halted": { "of": 1 } } } }, { "assert": { "count": { "of": "halted", "at_least": 1 } } },
            { "fill_disk": "follower 0" }, { "fill_disk": { "nodes": 3, "free": 100 } }, { "free_disk": "all" },
            { "slow_disk": { "nodes": "leader", "write": { "constant": "500ms" } } },
            { "rot": { "nodes": "crashed", "file": "log", "at": 12, "bits": 2 } },
            { "rot": { "nodes": 4, "file": "snapshot", "at": "random" } }, { "misdirect_write": { "nodes": 4, "file": "tail" } },
            { "lie_about_fsync": "leader" }, { "lie_about_fsync": { "nodes": "all", "on": false } },
            { "shutdown": 4 }, { "wipe": 4 }, { "restart": 4 },
            { "assert": { "storage_operations": { "of": "leader", "at_least": 1 } } },
            { "assert": { "disk_bytes": { "of": "all", "at_most": 1000000 } } }
        ]"#,
    );
}
