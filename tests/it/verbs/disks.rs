//! Disks.

use super::{Story, fails, passes};

pub(crate) const STORIES: &[Story] = &[
    (
        "hold_writes",
        r#""steps": [LED, { "hold_writes": "all" }, { "propose": "x" }, { "sleep": "100ms" },
        { "assert": { "not_committed": "x" } }]"#,
    ),
    (
        "complete_write",
        r#""steps": [LED, { "hold_writes": "l" }, { "propose": "x" },
        { "assert": { "not": { "durable": { "of": "l" } } } }, { "complete_write": "l" },
            { "assert": { "durable": { "of": "l" } } }]"#,
    ),
    (
        "release_writes",
        r#""steps": [LED, { "hold_writes": "l" }, { "propose": "x" }, { "sleep": "5ms" },
        { "release_writes": "l" }, { "sleep": "5ms" }, { "assert": { "durable": { "of": "l" } } }]"#,
    ),
    (
        "fail_write",
        r#""steps": [LED, { "fail_write": { "nodes": "f", "what": "fsync" } }, { "propose": "x" }, { "sleep": "20ms" },
        { "assert": { "halted": { "of": "f" } } }, { "assert": { "count": { "of": "halted", "equals": 1 } } }]"#,
    ),
    (
        "fail_write",
        r#""steps": [LED, { "fail_write": { "nodes": "f", "what": "fsync", "after": 1 } }, { "propose": "x" },
        { "sleep": "20ms" }, { "assert": { "up": 3 } }, { "propose": "y" }, { "sleep": "20ms" },
            { "assert": { "halted": { "of": "f" } } }]"#,
    ),
    (
        "fail_write",
        r#""steps": [LED, { "fail_write": { "nodes": "f", "what": "append" } }, { "propose": "x" }, { "sleep": "20ms" },
        { "assert": { "halted": { "of": "f" } } }]"#,
    ),
    (
        "fill_disk",
        r#""steps": [LED, { "fill_disk": { "nodes": "f", "free": 300 } }, { "propose": "x" }, { "sleep": "20ms" },
        { "assert": { "up": 3 } }, { "propose": { "command": "y", "bytes": 1000 } }, { "sleep": "20ms" },
        { "assert": { "halted": { "of": "f" } } }]"#,
    ),
    (
        "free_disk",
        r#""steps": [LED, { "fill_disk": "f" }, { "free_disk": "f" }, { "propose": "x" }, { "sleep": "20ms" },
        { "assert": { "up": 3 } }]"#,
    ),
    (
        "slow_disk",
        r#""steps": [LED, { "slow_disk": { "nodes": "all", "write": { "constant": "1s" } } }, { "propose": "x" },
        { "sleep": "100ms" }, { "assert": { "not_committed": "x" } }]"#,
    ),
    (
        "rot",
        r#""steps": [LED, { "propose": "x" }, { "sleep": "50ms" }, { "snapshot": "f" }, { "sleep": "20ms" },
        { "crash": "f" }, { "rot": { "nodes": "f", "file": "snapshot", "bits": 2 } }, { "restart": "f" },
        { "assert": { "halted": { "of": "f" } } }, { "stop": "f cannot come back" }]"#,
    ),
    (
        "misdirect_write",
        r#""steps": [LED, { "propose": "x" }, { "sleep": "50ms" },
        { "misdirect_write": { "nodes": "f", "file": "log", "at": 0 } },
        { "propose": "y" }, { "sleep": "50ms" }, { "crash": "f" }, { "restart": "f" },
        { "assert": { "halted": { "of": "f" } } }, { "stop": "f cannot come back" }]"#,
    ),
    (
        "misdirect_write",
        r#""steps": [LED, { "propose": "x" }, { "sleep": "50ms" },
        { "misdirect_write": { "nodes": "f", "file": "log", "at": 100 } },
        { "misdirect_write": { "nodes": "f", "file": "tail", "at": 100 } },
        { "propose": "y" }, { "sleep": "50ms" }, { "crash": "f" }, { "restart": "f" },
        { "assert": { "halted": { "of": "f" } } }, { "stop": "f cannot come back" }]"#,
    ),
    (
        "lie_about_fsync",
        r#""steps": [LED, { "lie_about_fsync": "f" }, { "propose": "x" }, { "sleep": "100ms" },
        { "isolate": "f" }, { "crash": "f" }, { "restart": "f" },
            { "assert": { "index": { "of": "f", "which": "last", "equals": 0 } } }]"#,
    ),
    (
        "wipe",
        r#""steps": [LED, { "propose": "x" }, { "sleep": "100ms" }, { "crash": "f" }, { "wipe": "f" },
        { "assert": { "disk_bytes": { "of": "f", "at_most": 0 } } }]"#,
    ),
];

#[test]
fn a_disk_that_is_honest_again_loses_nothing() {
    passes(
        r#""steps": [LED, { "lie_about_fsync": "f" }, { "lie_about_fsync": { "nodes": "f", "on": false } }, { "propose": "x" },
        { "sleep": "100ms" }, { "isolate": "f" }, { "crash": "f" }, { "restart": "f" },
        { "assert": { "index": { "of": "f", "which": "last", "equals": 1 } } }]"#,
    );
}

#[test]
fn what_a_disk_cannot_do_is_told_with_what_to_do() {
    fails(r#""steps": [LED, { "complete_write": "l" }]"#, "`hold_writes` it before");
    fails(r#""steps": [LED, { "wipe": "l" }]"#, "`crash` it first");
    fails(
        r#""steps": [LED, { "rot": { "nodes": "l", "file": "snapshot" } }]"#,
        "choose another file or place",
    );
}
