//! Golden digests: what a seed means must not change by accident.
//!
//! If one changes on purpose, raise `SIM_VERSION`, put the new values here, and say why in the commit.

use crate::support::root;
use seaworthy::execute::{Limits, run};
use seaworthy::fuzz::{LIMITS, draw};
use seaworthy::scenario::Scenario;

fn of_file(name: &str, seed: u64) -> (u64, u64) {
    let scenario = Scenario::read(root().join("scenarios").join(name)).expect("the scenario is there");
    let (outcome, ()) = run(&scenario, seed, Limits::default(), ()).expect("no bug is named");
    (outcome.records, outcome.digest)
}

fn of_seed(seed: u64) -> (u64, u64) {
    let (outcome, ()) = run(&draw(seed), seed, LIMITS, ()).expect("no bug is named");
    (outcome.records, outcome.digest)
}

#[test]
fn the_digests_of_twenty_runs_are_golden() {
    let file = "leader_disconnect_reconnect_5.json";
    let mut found: Vec<(String, (u64, u64))> =
        (0..5).map(|seed| (format!("{file} {seed}"), of_file(file, seed))).collect();
    for file in ["leader_disconnect_reconnect_5_pinned.json", "figure_8.json"] {
        found.extend((0..2).map(|seed| (format!("{file} {seed}"), of_file(file, seed))));
    }
    found.extend((0..11).map(|seed| (format!("fuzz {seed}"), of_seed(seed))));
    let found: String =
        found.iter().map(|(name, (records, digest))| format!("{name} {records} {digest:016x}\n")).collect();
    let expected = include_str!("golden.txt");
    assert_eq!(found.lines().count(), 20);
    assert!(
        found == expected,
        "the digests of this build (SIM_VERSION {}):\n{found}",
        seaworthy::SIM_VERSION
    );
}
