//! Each fault twice: where it does something, and where it is ordered in vain.

use super::*;
use crate::execute::{Limits, run};
use crate::scenario::Scenario;

/// What happened to disks in a run with these fields.
fn counts(fields: &str) -> Vec<(&'static str, u64)> {
    let text = format!("{{ \"name\": \"disks\", {fields} }}");
    let scenario =
        Scenario::parse("disks.json", &text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let (outcome, ()) = run(&scenario, 1, Limits::default(), ()).expect("no bug is named");
    assert!(outcome.violations.is_empty(), "{fields}: {:?}", outcome.violations);
    let counts = DISK_FAULTS.into_iter().zip(outcome.happened.disk_faults);
    counts.filter(|(_, count)| *count > 0).collect()
}

/// The same where one node leads and `steps` follow.
fn alone(steps: &str) -> Vec<(&'static str, u64)> {
    let led = r#"{ "until": { "that": "single_leader" } }, { "sleep": "50ms" }"#;
    counts(&format!(
        r#""nodes": 1, "storage": {{ "write": {{ "constant": "2ms" }} }}, "steps": [ {led}, {steps} ]"#
    ))
}

const WRITE: &str = r#"{ "propose": "a" }, { "sleep": "50ms" }"#;

#[test]
fn an_order_counts_when_something_came_under_it_and_not_before() {
    let stop = r#"{ "stop": "it cannot come back" }"#;
    let again = r#"{ "crash": 0 }, { "restart": 0 }"#;
    let taken_back = format!(r#"{{ "disarm": 0 }}, {WRITE}"#);
    for (fault, order, in_vain, done) in [
        (
            "slow_disk",
            r#"{ "slow_disk": { "nodes": 0, "write": { "constant": "9ms" } } }"#,
            format!(r#"{{ "slow_disk": {{ "nodes": 0, "write": {{ "constant": "2ms" }} }} }}, {WRITE}"#),
            WRITE.to_string(),
        ),
        (
            "hold_writes",
            r#"{ "hold_writes": 0 }"#,
            format!(r#"{{ "release_writes": 0 }}, {WRITE}"#),
            WRITE.to_string(),
        ),
        (
            "fail_write append",
            r#"{ "fail_write": { "nodes": 0, "what": "append" } }"#,
            taken_back.clone(),
            WRITE.to_string(),
        ),
        (
            "fail_write fsync",
            r#"{ "fail_write": { "nodes": 0, "what": "fsync" } }"#,
            taken_back.clone(),
            WRITE.to_string(),
        ),
        (
            "fill_disk",
            r#"{ "fill_disk": 0 }"#,
            format!(r#"{{ "free_disk": 0 }}, {WRITE}"#),
            WRITE.to_string(),
        ),
        ("crash_at", r#"{ "crash_at": { "node": 0, "operation": "next" } }"#, taken_back, WRITE.to_string()),
        (
            "set_crash_mode",
            r#"{ "set_crash_mode": { "nodes": 0, "keep": "any" } }"#,
            again.to_string(),
            format!(r#"{{ "propose": "a" }}, {again}"#),
        ),
        (
            "set_crash_mode",
            r#"{ "set_crash_mode": { "nodes": 0, "keep": "any" } }"#,
            format!(
                r#"{{ "set_crash_mode": {{ "nodes": 0, "keep": "lose" }} }}, {{ "propose": "a" }}, {again}"#
            ),
            format!(r#"{{ "propose": "a" }}, {again}"#),
        ),
        (
            "lie_about_fsync",
            r#"{ "lie_about_fsync": 0 }"#,
            format!(r#"{{ "lie_about_fsync": {{ "nodes": 0, "on": false }} }}, {WRITE}"#),
            WRITE.to_string(),
        ),
        (
            "misdirect_write",
            r#"{ "misdirect_write": { "nodes": 0, "file": "log", "at": 0 } }"#,
            // The crash takes the bytes away before they are anywhere.
            format!(r#"{{ "propose": "a" }}, {again}"#),
            format!("{WRITE}, {stop}"),
        ),
        (
            "rot",
            r#"{ "crash": 0 }"#,
            r#"{ "restart": 0 }"#.to_string(),
            format!(r#"{{ "rot": {{ "nodes": 0, "file": "log", "at": 0 }} }}, {stop}"#),
        ),
    ] {
        assert_eq!(alone(&format!("{order}, {in_vain}")), [], "{fault} in vain");
        let found: Vec<&str> =
            alone(&format!("{order}, {done}")).into_iter().map(|(fault, _)| fault).collect();
        assert_eq!(found, [fault]);
    }
}

#[test]
fn a_disk_that_is_wiped_counts_if_it_held_something() {
    let empty = r#"{ "wipe": 0 }, { "restart": 0 }"#;
    assert_eq!(counts(&format!(r#""nodes": 1, "down": [0], "steps": [ {empty} ]"#)), []);
    assert_eq!(alone(r#"{ "crash": 0 }, { "wipe": 0 }, { "stop": "it forgot" }"#), [("wipe", 1)]);
}
