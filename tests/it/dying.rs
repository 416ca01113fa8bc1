//! The ending fails where a healed cluster does not live, and says what is missing; each time beside the same ending with
//! what it lacks. It asks nothing where what living would need is gone.

use crate::support::{fails, passes};
use seaworthy::violation::Property;

/// The ending fails, nothing else is broken, and it says that this is missing.
#[track_caller]
fn dies(fields: &str, missing: &str) {
    let broken: Vec<Property> =
        fails(fields, missing).violations.iter().map(|violation| violation.property).collect();
    assert_eq!(broken, [Property::Convergence], "{fields}");
}

#[test]
fn an_ending_without_a_leader_fails() {
    let same_timeouts = r#""nodes": 2, "network": { "latency": { "constant": "1ms" } },
        "storage": { "write": { "constant": "1ms" } }, "raft": { "election_timeout": ["150ms", "150ms"] }"#;
    dies(same_timeouts, "did not elect a leader that all follow within");
    dies(same_timeouts, ": nobody leads");
    passes(&same_timeouts.replace(r#"["150ms", "150ms"]"#, r#"["150ms", "300ms"]"#));
}

#[test]
fn an_ending_with_somebody_who_does_not_follow_fails() {
    let end = |steps: &str| format!(r#""steps": [LED, {steps}], "end": {{ "live": {{ "within": "1ms" }} }}"#);
    let isolated = r#"{ "isolate": "l" }, { "until": { "that": { "single_leader": { "not": "l" } } } }"#;
    dies(&end(&format!(r#"{isolated}, {{ "sleep": "60ms" }}"#)), "leads too");
    dies(&end(r#"{ "isolate": "f" }, { "sleep": "1s" }"#), "stands for election");
    dies(&end(r#"{ "crash": "f" }, { "campaign": "g" }, { "sleep": "100ms" }"#), "not in the leader's");
    passes(&end(r#"{ "sleep": "1s" }"#).replace("1ms", "100ms"));
}

/// Node 0 leads, nobody else stands for long, and these steps follow; the end must be reached within so long.
fn led_by_0(fields: &str, steps: &str, within: &str) -> String {
    format!(
        r#"{fields}, "steps": [{{ "campaign": 0 }}, 
            {{ "until": {{ "that": {{ "all": [{{ "leader_is": 0 }}, "terms_agree"] }} }} }} {steps}],
            "end": {{ "live": {{ "within": "{within}" }} }}"#
    )
}

const SLOW_ELECTIONS: &str = r#""raft": { "election_timeout": ["10s", "20s"] }"#;

#[test]
fn an_ending_with_a_log_that_is_not_the_leaders_fails() {
    let one_by_one =
        r#""raft": { "election_timeout": ["10s", "20s"], "entries_per_append": 1, "in_flight_messages": 1 }"#;
    let behind = |within| {
        led_by_0(
            one_by_one,
            r#", { "isolate": 2 }, { "propose": { "to": 0, "command": "x", "count": 100 } }, { "sleep": "2s" }"#,
            within,
        )
    };
    dies(&behind("100ms"), "the log of node 2 is not the leader's");
    passes(&behind("5s"));
}

#[test]
fn an_ending_with_an_entry_that_somebody_does_not_know_to_be_committed_fails() {
    let rare = r#""raft": { "election_timeout": ["10s", "20s"], "heartbeat": "3s" }"#;
    dies(&led_by_0(rare, "", "1s"), "node 1 knows only 0 entries to be committed");
    passes(&led_by_0(rare, "", "5s"));
}

#[test]
fn an_ending_with_an_entry_that_somebody_has_not_applied_fails() {
    let slow = |node: u16| {
        format!(
            r#"{SLOW_ELECTIONS}, "node_options": {{ "{node}": {{ "apply_delay": {{ "constant": "5s" }} }} }}"#
        )
    };
    dies(&led_by_0(&slow(0), "", "2s"), "the leader has not applied the command");
    dies(&led_by_0(&slow(2), "", "2s"), "node 2 has applied only 0 entries");
    passes(&led_by_0(&slow(2), "", "8s"));
}

#[test]
fn an_ending_with_something_that_is_not_on_a_disk_fails() {
    let slow = format!(
        r#"{SLOW_ELECTIONS}, "storage": {{ "nodes": {{ "0": {{ "write": {{ "constant": "800ms" }} }} }} }}"#
    );
    dies(&led_by_0(&slow, "", "500ms"), "node 0 has something in memory that is not on its disk");
    passes(&led_by_0(&slow, "", "2s"));
}

#[test]
fn an_ending_with_a_client_that_waits_fails() {
    let worker = |within: &str| {
        format!(
            r#""workload": {{ "clients": 1, "operations": 500, "timeout": "10s", "give_up": "1min" }}, "steps": [
            {{ "until": {{ "that": {{ "calls": {{ "outcome": "ok", "at_least": 1 }} }}, "within": "30s" }} }},
            {{ "until": {{ "that": {{ "calls": {{ "outcome": "pending", "at_least": 1 }} }} }} }},
            {{ "cut": {{ "from": "all", "to": "clients" }} }}, {{ "sleep": "100ms" }}],
            "end": {{ "live": {{ "within": "{within}" }} }}"#
        )
    };
    dies(&worker("5s"), "process 3 still waits for an answer");
    passes(&worker("30s"));
    let caller = |within: &str| {
        format!(
            r#""steps": [LED, {{ "cut": {{ "from": "client caller", "to": "all" }} }},
            {{ "call": {{ "op": {{ "put": {{ "key": "x", "value": "1" }} }}, "wait": false, "expect": "ok" }} }}],
            "end": {{ "live": {{ "within": "{within}" }} }}"#
        )
    };
    dies(&caller("150ms"), "process 3 still waits for an answer");
    passes(&caller("3s"));
}

#[test]
fn a_cluster_is_excused_from_living_where_its_disks_let_no_quorum_of_it_run() {
    let rotten = |nodes: &str| {
        format!(
            r#""steps": [LED, {{ "propose": "x" }}, {{ "until": {{ "that": {{ "committed": {{ "command": "x", "on": 3 }} }} }} }},
            {{ "sleep": "100ms" }}, {{ "crash": {nodes} }}, {{ "rot": {{ "nodes": {nodes}, "file": "log", "at": 0 }} }},
            {{ "rot": {{ "nodes": {nodes}, "file": "tail", "at": 0 }} }}]"#
        )
    };
    let two = passes(&rotten("[0, 1]"));
    let because = "the disks of 0,1 let them not run, and no quorum of 0,1,2 is left";
    assert_eq!((two.excused.as_deref(), two.voided), (Some(because), Vec::new()));
    assert_eq!(passes(&rotten("[1]")).excused, None);
}

#[test]
fn a_cluster_is_excused_from_living_where_no_quorum_has_what_was_committed() {
    let lied = |nodes: &str| {
        format!(
            r#""steps": [LED, {{ "lie_about_fsync": {nodes} }}, {{ "propose": "x" }}, {{ "propose": "y" }},
            {{ "until": {{ "that": {{ "committed": {{ "command": "y", "on": 3 }} }} }} }}, {{ "sleep": "100ms" }},
            {{ "crash": "all" }}]"#
        )
    };
    let two = passes(&lied("[0, 1]"));
    let because = "what was committed up to 2 is on the disks of no quorum any more";
    assert_eq!(two.excused.as_deref(), Some(because));
    assert_eq!(passes(&lied("[1]")).excused, None);
}
