//! What lies outside the fault model voids what rests on it, and the outcome says so.

use super::{passes, scenario};
use seaworthy::violation::Property;

const LIE: &str = r#"{ "lie_about_fsync": "f" }, { "propose": "x" }, { "sleep": "100ms" }, { "isolate": "l" }, { "crash": "f" },
    { "restart": "f" }, { "sleep": "2s" }"#;

#[test]
fn a_disk_that_lied_and_lost_something_voids_what_rests_on_promises() {
    let outcome = passes(&format!("\"steps\": [LED, {LIE}]"));
    let because: Vec<&str> = outcome.voided.iter().map(|(_, because)| because.as_str()).collect();
    assert!(because[0].contains("that it had called durable"), "{because:?}");
    let voided = |property| outcome.voided.iter().any(|(other, _)| *other == property);
    assert!(voided(Property::ElectionSafety) && voided(Property::Linearizability));
    assert!(!voided(Property::NoPanic) && !voided(Property::LeaderAppendOnly));
}

#[test]
fn both_reports_say_what_was_not_judged_and_why() {
    let fields = r#""steps": [LED, { "crash": "f" }, { "wipe": "f" }, { "restart": "f" }]"#;
    let (scenario, outcome) = (scenario(fields), passes(fields));
    let text = seaworthy::report::text(&scenario, &outcome, "again");
    let line = text.lines().find(|line| line.contains("not judged")).expect("a line says so");
    assert!(line.starts_with("  not judged, for the disk of node"), "{line}");
    assert!(line.contains("was wiped: ") && line.contains("election_safety"), "{line}");
    let json = seaworthy::report::run_json(&scenario, &outcome, "again");
    assert_eq!(json["voided"].as_array().map(Vec::len), Some(outcome.voided.len()));
    assert_eq!(json["voided"][0]["property"], outcome.voided[0].0.name());
    assert_eq!(json["voided"][0]["because"], outcome.voided[0].1);
}

#[test]
fn a_wiped_disk_voids_something_only_if_it_had_promised_something() {
    let promised = passes(r#""steps": [LED, { "crash": "f" }, { "wipe": "f" }, { "restart": "f" }]"#);
    assert!(promised.voided.iter().all(|(_, because)| because.contains("was wiped")));
    assert!(promised.voided.iter().any(|(property, _)| *property == Property::DurableVote));
    let nothing = passes(
        r#""down": [2], "steps": [{ "wipe": 2 }, { "restart": 2 }, { "until": { "that": "single_leader" } }]"#,
    );
    assert_eq!(nothing.voided, []);
}

#[test]
fn what_stays_within_the_model_voids_nothing() {
    let honest = LIE.replace("{ \"lie_about_fsync\": \"f\" }, ", "");
    assert_eq!(passes(&format!("\"steps\": [LED, {honest}]")).voided, []);
    let leases = r#""raft": { "check_quorum": true, "lease_reads": true }"#;
    let clock = |drift: &str| {
        format!("{leases}, \"steps\": [LED, {{ \"set_clock\": {{ \"nodes\": \"f\", {drift} }} }}]")
    };
    assert_eq!(passes(&clock(r#""drift": "1%""#)).voided, []);
    let fast = passes(&clock(r#""drift": "1.1%""#)).voided;
    let names: Vec<Property> = fast.iter().map(|(property, _)| *property).collect();
    assert_eq!(names, [Property::ReadSafety, Property::Linearizability]);
    assert_eq!(passes(&clock(r#""step": "-1s""#)).voided, fast);
    assert_eq!(
        passes(&format!("{leases}, \"clocks\": {{ \"0\": {{ \"drift\": \"3%\" }} }}")).voided.len(),
        2
    );
}
