//! What is drawn can be written, read, run and survived.

use super::*;
use crate::execute::build::disks::{crash_mode, quality};
use crate::execute::run;
use crate::fuzz::{LIMITS, Tally, run_seed, step_of};
use crate::scenario::{
    ClockOptions, DiskOptions, LinkRule, NetworkOptions, RaftOptions, Step, StorageOptions, Target,
};
use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use sim_core::{Fault, ProcessId};
use std::collections::BTreeSet;

/// What the coverage of the draws is measured on.
fn four_hundred() -> impl Iterator<Item = Scenario> {
    (0..400).map(|index| draw(run_seed(1, index)))
}

fn each_step(steps: &[Step], see: &mut impl FnMut(&Step)) {
    for step in steps {
        see(step);
        step.blocks().into_iter().for_each(|block| each_step(block, see));
    }
}

/// Verbs that the search leaves alone, and why.
const NOT_DRAWN: [(&str, &[&str]); 6] = [
    ("asks, which a drawn story cannot", &["until", "assert", "always", "await_clients"]),
    ("names or shows something", &["pick", "mark", "note"]),
    ("leads to other steps, where a draw does the same, or nowhere", &["repeat", "choose", "stop"]),
    (
        "demands that there is something to do it with",
        &["deliver_one", "complete_write", "complete_apply", "send_snapshot"],
    ),
    ("is what the clients of a workload do", &["call"]),
    ("leaves nothing to the seed, for stories told by hand", &["hold_timers", "release_timers"]),
];

#[test]
fn every_verb_is_drawn_but_those_that_make_no_sense_there() {
    let mut drawn = BTreeSet::new();
    for scenario in four_hundred() {
        each_step(&scenario.steps, &mut |step| {
            drawn.insert(step.verb());
        });
    }
    let source = include_str!("../../scenario/step.rs");
    let verbs = source.lines().filter_map(|line| line.split("=> \"").nth(1)?.strip_suffix("\","));
    let left_out: BTreeSet<&str> = NOT_DRAWN.into_iter().flat_map(|(_, verbs)| verbs).copied().collect();
    let wanted: BTreeSet<&str> = verbs.filter(|verb| !left_out.contains(verb)).collect();
    assert_eq!(drawn, wanted);
}

/// The fields in which any of these differs from what is usual, of those that there are.
fn varied<T: Serialize + JsonSchema>(drawn: &[T], usual: &T) -> (BTreeSet<String>, BTreeSet<String>) {
    let schema = schema_for!(T).to_value();
    let fields = schema["properties"].as_object().expect("an object has fields").keys().cloned();
    let value = |one: &T| serde_json::to_value(one).expect("options can be written");
    let usual = value(usual);
    let drawn: Vec<_> = drawn.iter().map(value).collect();
    let fields: BTreeSet<String> = fields.collect();
    let differs = |field: &&String| drawn.iter().any(|one| one[*field] != usual[*field]);
    (fields.iter().filter(differs).cloned().collect(), fields.clone())
}

#[test]
fn every_option_is_drawn() {
    let scenarios: Vec<Scenario> = four_hundred().collect();
    let each = || scenarios.iter();
    let own = |scenario: &Scenario, node| match scenario.node_options.get(&crate::scenario::NodeKey(node)) {
        Some(change) => scenario.raft.with(change),
        None => scenario.raft.clone(),
    };
    let raft: Vec<RaftOptions> =
        each().flat_map(|one| (0..one.nodes).map(move |node| own(one, node))).collect();
    let network: Vec<NetworkOptions> = each().map(|one| one.network.clone()).collect();
    let links: Vec<LinkRule> = network.iter().flat_map(|network| network.links.clone()).collect();
    let storage: Vec<StorageOptions> = each().map(|one| one.storage.clone()).collect();
    let disks: Vec<DiskOptions> =
        storage.iter().flat_map(|storage| storage.nodes.values().copied()).collect();
    let clocks: Vec<ClockOptions> = each().flat_map(|one| one.clocks.values().copied()).collect();
    let any_link = LinkRule::new(Target::All, Target::All);
    for (drawn, there) in [
        varied(&raft, &RaftOptions::default()),
        varied(&network, &NetworkOptions::default()),
        varied(&links, &any_link),
        varied(&storage, &StorageOptions::default()),
        varied(&disks, &DiskOptions::default()),
        varied(&clocks, &ClockOptions::default()),
    ] {
        assert_eq!(drawn, there);
    }
}

#[test]
fn every_shape_of_a_core_is_drawn() {
    let mut drawn = BTreeSet::new();
    for scenario in four_hundred() {
        match scenario.end {
            End::Live(Live { core: Core::All, .. }) => drawn.insert("all".to_string()),
            End::Live(Live { core: Core::Quorum(quorum), .. }) => {
                drawn.insert(format!("{:?}", quorum.connectivity))
            }
            End::Stop(_) => drawn.insert("stop".to_string()),
        };
    }
    let wanted = ["Bridge", "Chain", "Full", "OneWayExtras", "Ring", "all"];
    assert_eq!(drawn.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
}

#[test]
fn a_disk_that_was_made_slow_becomes_what_the_scenario_says() {
    let (mut slowed, mut changed, mut as_others) = (0, 0, 0);
    // Few stories have a disk that differs and whose crash mode changes.
    for scenario in (0..2_000).map(|index| draw(run_seed(1, index))) {
        for node in 0..scenario.nodes {
            let own = scenario.storage.of(node);
            let process = ProcessId(node);
            let usual = step_of(&Fault::SetDisk { process, quality: Box::new(quality(&own)) });
            let keeps = step_of(&Fault::SetCrashMode { process, mode: crash_mode(&own) });
            let of = |verb| scenario.steps.iter().filter(move |step| step.verb() == verb);
            let is_of = |step: &&Step| match step {
                Step::SlowDisk(slow) => slow.nodes == Target::node(node),
                Step::SetCrashMode(set) => set.nodes == Target::node(node),
                _ => false,
            };
            // Two of a sort never overlap: every other one mends.
            let slow: Vec<&Step> = of("slow_disk").filter(is_of).collect();
            for pair in slow.chunks(2) {
                assert_ne!(Some(pair[0]), usual.as_ref(), "nothing becomes slower");
                assert!(pair.len() < 2 || Some(pair[1]) == usual.as_ref(), "{:?} is not {usual:?}", pair[1]);
            }
            let modes: Vec<&Step> = of("set_crash_mode").filter(is_of).collect();
            let others = scenario.storage.of(u16::MAX);
            let others = step_of(&Fault::SetCrashMode { process, mode: crash_mode(&others) });
            let is_as_others = |step: &&&Step| Some(**step) == others.as_ref() && others != keeps;
            as_others += modes.iter().step_by(2).filter(is_as_others).count();
            for pair in modes.chunks(2).filter(|pair| pair.len() == 2) {
                assert_eq!(Some(pair[1]), keeps.as_ref());
            }
            (slowed, changed) = (slowed + slow.len(), changed + modes.len());
        }
    }
    assert!(slowed > 50 && changed > 50, "{slowed} {changed}");
    assert!(as_others > 0, "one that differs may be made to keep what the others do");
}

#[test]
fn a_seed_draws_one_scenario() {
    for index in 0..200 {
        let seed = run_seed(7, index);
        assert_eq!(draw(seed), draw(seed));
        assert_ne!(draw(seed).steps, draw(seed + 1).steps);
    }
}

#[test]
fn a_drawn_scenario_is_an_ordinary_file() {
    for index in 0..400 {
        let scenario = draw(run_seed(1, index));
        let text = serde_json::to_string_pretty(&scenario).unwrap();
        let read = Scenario::parse("drawn.json", &text)
            .unwrap_or_else(|error| panic!("{}\n{text}", error.render(false, 100)));
        assert_eq!(read, scenario);
    }
}

#[test]
fn a_drawn_run_can_be_repeated() {
    for index in 0..100 {
        let seed = run_seed(2, index);
        let (one, ()) = run(&draw(seed), seed, LIMITS, ()).unwrap();
        assert_eq!(run(&draw(seed), seed, LIMITS, ()).unwrap().0, one);
    }
}

#[test]
fn everything_that_can_happen_does_in_enough_runs() {
    let mut tally = Tally::default();
    for index in 0..600 {
        let seed = run_seed(3, index);
        tally.add(&run(&draw(seed), seed, LIMITS, ()).unwrap().0, true);
    }
    let text = tally.text();
    // Some stories are over before anybody could.
    assert!(tally.committed * 20 >= tally.runs * 17, "{text}");
    assert!(tally.elected_again * 2 >= tally.runs, "{text}");
    assert!(tally.used_clients * 3 >= tally.runs, "{text}");
    for rare in
        [tally.installed_snapshot, tally.changed_members, tally.lost_unsynced, tally.crashed_at_operation]
    {
        assert!(rare * 50 >= tally.runs, "{text}");
    }
    // Of three disks one may rot; where members leave, that may be one of two.
    assert!(tally.excused * 100 <= tally.runs, "{text}");
    let unseen: Vec<&String> =
        tally.disk_faults.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    assert!(unseen.is_empty(), "{unseen:?} never happened");
    let never: Vec<&String> =
        tally.judged.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    assert!(never.is_empty(), "{never:?} was never judged");
}
