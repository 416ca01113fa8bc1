//! The ends of scenarios: who must live, who stays broken, and what cannot be asked.

use seaworthy::execute::{Limits, Outcome, Verdict, run};
use seaworthy::record::Record;
use seaworthy::scenario::Scenario;
use sim_core::{Fault, Stamp};

fn play(nodes: u16, members: &str, seed: u64) -> (Outcome, Vec<(Stamp, Record)>) {
    let text = format!("{{ \"name\": \"small\", \"nodes\": {nodes}, {members} }}");
    let scenario =
        Scenario::parse("small.json", &text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let (outcome, records) = run(&scenario, seed, Limits::default(), Vec::new()).expect("no bug is named");
    assert_eq!(outcome.verdict, Verdict::Passed, "seed {seed}: {:?}", outcome.violations);
    (outcome, records)
}

/// What stands behind the mark that begins the end: the nodes of the core, and the records.
fn end(records: &[(Stamp, Record)]) -> (Vec<u16>, &[(Stamp, Record)]) {
    let begins = |record: &Record| match record {
        Record::Marked { text } => text.strip_prefix("end: heal ").map(ToString::to_string),
        _ => None,
    };
    let (place, text) = records
        .iter()
        .enumerate()
        .find_map(|(place, (_, record))| begins(record).map(|text| (place, text)))
        .expect("the end is told");
    let names = text.split(' ').next().unwrap_or_default();
    (names.split(',').map(|name| name.parse().expect("a node has a number")).collect(), &records[place..])
}

/// The links between nodes over which messages arrived.
fn used(records: &[(Stamp, Record)], nodes: u16) -> Vec<(u16, u16)> {
    let mut links: Vec<(u16, u16)> = records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Delivered { id, .. } if id.from.0.max(id.to.0) < nodes => Some((id.from.0, id.to.0)),
            _ => None,
        })
        .collect();
    links.sort_unstable();
    links.dedup();
    links
}

fn last_mark(records: &[(Stamp, Record)]) -> &str {
    let marks = records.iter().rev().find_map(|(_, record)| match record {
        Record::Marked { text } => Some(text.as_str()),
        _ => None,
    });
    marks.expect("the end says how it went")
}

const GUARDED: &str = r#""raft": { "pre_vote": true, "check_quorum": true }"#;
const WORK: &str =
    r#""steps": [ { "until": { "that": "single_leader" } }, { "propose": "a" }, { "sleep": "100ms" } ]"#;

#[test]
fn a_drawn_core_lives_and_nobody_outside_is_heard() {
    let mut cores = Vec::new();
    for seed in 0..20 {
        let (outcome, records) =
            play(5, &format!(r#"{WORK}, "end": {{ "live": {{ "core": "quorum" }} }}"#), seed);
        let (core, after) = end(&records);
        assert!((3..5).contains(&core.len()), "{core:?}");
        assert!(used(after, 5).iter().all(|(from, to)| core.contains(from) && core.contains(to)));
        assert!(last_mark(&records).starts_with("live: "), "{}", last_mark(&records));
        assert_eq!(outcome.excused, None);
        cores.push(core);
    }
    cores.sort();
    cores.dedup();
    assert!(cores.len() > 5, "seeds draw other cores: {cores:?}");
}

/// The links from this node over which messages still go once the end has cut what it cuts, of those within the core.
fn open(after: &[(Stamp, Record)], core: &[u16], from: u16) -> usize {
    let is_cut = |to: u16| {
        let cut = |record: &Record| {
            matches!(record, Record::Injected { fault: Fault::Cut { from: one, to: other, .. } }
                if (one.0, other.0) == (from, to))
        };
        after.iter().any(|(_, record)| cut(record))
    };
    core.iter().filter(|to| **to != from && !is_cut(**to)).count()
}

#[test]
fn over_a_chain_or_a_bridge_nodes_hear_their_neighbours_only() {
    for shape in ["chain", "bridge"] {
        let mut sizes = Vec::new();
        for seed in 0..20 {
            let end_of = format!(
                r#""end": {{ "live": {{ "core": {{ "quorum": {{ "connectivity": "{shape}" }} }} }} }}"#
            );
            let (_, records) = play(5, &format!("{GUARDED}, {WORK}, {end_of}"), seed);
            let (core, after) = end(&records);
            let (_, begin) = &after[0];
            let said =
                matches!(begin, Record::Marked { text } if text.contains(&format!(" over a {shape}, then")));
            assert!(said, "{shape} seed {seed}: {begin:?}");
            let mut degrees: Vec<usize> = core.iter().map(|node| open(after, &core, *node)).collect();
            degrees.sort_unstable();
            let mut wanted = vec![1; core.len()];
            match shape {
                "chain" => wanted[2..].fill(2),
                // The one in the middle of a bridge is linked with all.
                _ => wanted[core.len() - 1] = core.len() - 1,
            }
            assert_eq!(degrees, wanted, "{shape} seed {seed}");
            let links = used(after, 5);
            for node in &core {
                let heard = links.iter().filter(|(from, _)| from == node).count();
                assert!(heard <= open(after, &core, *node), "{shape} seed {seed}: {links:?}");
            }
            assert!(last_mark(&records).starts_with("live: "));
            sizes.push(core.len());
        }
        assert!(sizes.contains(&3) && sizes.contains(&4), "{sizes:?}");
    }
}

#[test]
fn who_could_disturb_a_leader_it_does_not_hear_is_linked_with_all_and_it_says_why() {
    let end_of = r#""end": { "live": { "core": { "quorum": { "connectivity": "chain" } } } }"#;
    let (_, records) = play(5, &format!("{WORK}, {end_of}"), 1);
    let said = records.iter().any(|(_, record)| {
        matches!(record, Record::Marked { text } if text.contains("every link (somebody has no pre_vote"))
    });
    assert!(said, "the reason is told");
}

/// Nodes whose log is rotten from its first byte refuse to start.
fn rotten(nodes: &str) -> String {
    format!(
        r#""steps": [ {{ "until": {{ "that": "single_leader" }} }}, {{ "propose": "a" }}, {{ "sleep": "300ms" }},
            {{ "crash": {nodes} }}, {{ "rot": {{ "nodes": {nodes}, "file": "log", "at": 0 }} }} ]"#
    )
}

#[test]
fn a_node_that_refuses_to_start_need_not_live_and_the_others_must() {
    let (outcome, records) = play(3, &rotten("1"), 1);
    assert_eq!(outcome.excused, None);
    assert!(last_mark(&records).starts_with("live: "), "{}", last_mark(&records));
}

#[test]
fn where_no_quorum_can_start_liveness_is_not_asked_and_it_says_why() {
    let (outcome, records) = play(3, &rotten("[0, 1]"), 1);
    let why = outcome.excused.expect("nobody could be elected");
    assert!(why.contains("the disks of 0,1 let them not run"), "{why}");
    assert!(last_mark(&records).contains(&why));
}

#[test]
fn a_change_that_waits_at_a_paused_leader_may_leave_no_quorum_and_excuses_then_too() {
    let steps = |changed: u16| {
        format!(
            r#""steps": [ {{ "campaign": 1 }}, {{ "until": {{ "that": {{ "leader_is": 1 }} }} }}, {{ "propose": "a" }},
            {{ "sleep": "300ms" }}, {{ "crash": 0 }}, {{ "rot": {{ "nodes": 0, "file": "log", "at": 0 }} }}, {{ "pause": 1 }},
            {{ "change": {{ "to": 1, "changes": "learner +{changed}", "expect": "any" }} }} ]"#
        )
    };
    // Of the voters 0 and 1 the first does not start; without it, 1 and 2 are all that there are.
    let why = play(3, &steps(2), 1).0.excused.expect("0 and 1 are no quorum without 0");
    assert!(why.contains("no quorum of 0,1 is left"), "{why}");
    assert_eq!(play(3, &steps(0), 1).0.excused, None);
}

#[test]
fn who_has_not_heard_yet_that_its_disk_failed_stops_before_it_is_counted_on() {
    // The sync has failed when the end begins, and the news of it comes 40 ms later: or the disk is stalled until then.
    for (storage, stall) in
        [(r#""storage": { "notice": { "constant": "40ms" } }, "#, ""), ("", r#"{ "hold_writes": [1, 2] },"#)]
    {
        let steps = format!(
            r#"{storage}"steps": [ {{ "campaign": 0 }}, {{ "until": {{ "that": {{ "leader_is": 0 }} }} }}, {{ "sleep": "200ms" }},
            {stall} {{ "fail_write": {{ "nodes": [1, 2], "what": "fsync" }} }},
            {{ "propose": {{ "to": 0, "command": "a" }} }}, {{ "sleep": "10ms" }}, {{ "assert": {{ "up": 3 }} }} ],
            "end": {{ "live": {{ "core": "quorum" }} }}"#
        );
        for seed in 0..10 {
            let (_, records) = play(3, &steps, seed);
            let (core, after) = end(&records);
            // All are up when the steps are done. Who is left out of the core may crash, but not before it is chosen.
            let before = &records[..records.len() - after.len()];
            let mut stopped: Vec<u16> = before
                .iter()
                .filter_map(|(_, record)| match record {
                    Record::Crashed { process, .. } => Some(process.0),
                    _ => None,
                })
                .collect();
            stopped.sort_unstable();
            assert_eq!(stopped, [1, 2], "seed {seed}");
            assert!(core.iter().any(|node| *node > 0), "one of them is counted on: {core:?}");
            assert!(last_mark(&records).starts_with("live: "), "{}", last_mark(&records));
        }
    }
}

#[test]
fn who_was_removed_need_not_agree_and_a_joint_configuration_that_leaves_itself_is_left() {
    let steps = r#""steps": [ { "until": { "that": "single_leader" } }, { "propose": "a" }, { "sleep": "300ms" },
        { "change": { "changes": ["-0", "-1"], "transition": "implicit" } } ]"#;
    for seed in 0..10 {
        let (outcome, records) = play(5, steps, seed);
        let told = records.iter().rev().find_map(|(_, record)| match record {
            Record::Noted { note: seaworthy::record::Note::Members { members, .. }, .. } => Some(members),
            _ => None,
        });
        let members = told.expect("members are told");
        assert_eq!((members.voters.len(), members.is_joint()), (3, false), "seed {seed}");
        assert!(outcome.happened.changes >= 2, "seed {seed}: into the joint configuration and out of it");
    }
}

#[test]
fn clients_are_answered_before_the_end_though_it_begins_while_they_wait() {
    let workload = r#""workload": { "clients": 3, "operations": 50, "think": ["0ms", "2ms"] }"#;
    let steps = r#""steps": [ { "until": { "that": "single_leader" } }, { "sleep": "50ms" },
        { "isolate": "leader" }, { "sleep": "20ms" } ]"#;
    let (outcome, _) = play(3, &format!("{workload}, {steps}"), 3);
    assert!(outcome.happened.calls > 3);
    assert_eq!(outcome.happened.calls, outcome.happened.answers, "each call came back with an answer");
}
