//! Disks: a crash at every storage operation, and a rotten byte at every place of a log.

use seaworthy::adapter::{
    Change, ChangeRequest, Config, LOG, Member, MemberConfig, Membership, NodeConfig, NodeOptions, Request,
    SNAPSHOT, ServiceOptions, TAIL, node_id,
};
use seaworthy::oracles::Judge;
use sim_core::{CrashPoint, Fault, FileId, ProcessId, Settings, Simulation, Span, VirtualTime};

type Cluster = Simulation<Member, Judge>;

/// Three voters, and a fourth node that knows nobody yet.
const NODES: u16 = 4;
const COMMANDS: u64 = 24;

fn cluster(seed: u64) -> Cluster {
    let voters: Vec<_> = ProcessId::all(3).map(node_id).collect();
    let members = Membership::of_voters(&voters).expect("each is there once");
    let config = |node: ProcessId| {
        let membership = if node.0 < 3 { members.clone() } else { Membership::default() };
        let options = NodeOptions { noop_on_election: true, snapshot_keep: 2, ..NodeOptions::default() };
        let service = ServiceOptions { snapshot_after: Some(8), ..ServiceOptions::default() };
        let raft = Config { id: node_id(node), membership, options };
        MemberConfig::Node(Box::new(NodeConfig { raft, service }))
    };
    let configs = ProcessId::all(NODES).map(config).collect();
    Simulation::new(&Settings::default(), configs, seed, Judge::new(NODES))
}

fn inject(sim: &mut Cluster, fault: &Fault) {
    sim.inject(fault).expect("it can be done");
}

fn leader(sim: &Cluster) -> Option<ProcessId> {
    let leads = |node: &ProcessId| {
        sim.process(*node).and_then(Member::node).is_some_and(seaworthy::adapter::RaftProcess::leads)
    };
    ProcessId::all(NODES).find(leads)
}

/// Lets time pass, and starts again whoever has crashed a while ago.
fn pass(sim: &mut Cluster, span: Span) {
    let until = sim.now().after(span);
    loop {
        let crashed = sim.run(until, |sim| ProcessId::all(NODES).any(|node| !sim.is_up(node)));
        if !crashed {
            return;
        }
        let later = sim.now().after(Span::from_millis(30));
        sim.run_until(later);
        for process in ProcessId::all(NODES).filter(|node| !sim.is_up(*node)).collect::<Vec<_>>() {
            inject(sim, &Fault::Restart { process });
        }
    }
}

/// Commands, snapshots, and a fourth voter; then everybody has everything.
fn story(sim: &mut Cluster) {
    sim.boot_all();
    for number in 0..COMMANDS {
        pass(sim, Span::from_millis(30));
        let Some(leader) = leader(sim) else { continue };
        sim.request(leader, Request::propose(&format!("x{number}")));
        if number == COMMANDS / 2 {
            let change = ChangeRequest::auto(&[Change::AddVoter(node_id(ProcessId(3)))]);
            sim.request(leader, Request::Change(Box::new(change)));
        }
    }
    // Somebody leads again by then, and one more command brings along what earlier terms left behind.
    for round in 0..8 {
        pass(sim, Span::from_millis(300));
        if let Some(leader) = leader(sim) {
            sim.request(leader, Request::propose(&format!("last{round}")));
        }
    }
    pass(sim, Span::from_millis(600));
}

/// Nothing is broken, and whatever was committed anywhere is applied by every member.
#[track_caller]
fn assert_sound(sim: &Cluster, what: &str) {
    let judge = sim.observer();
    assert!(judge.violations().is_empty(), "{what}: {:?}", judge.violations());
    let committed = judge.canon().last_index();
    assert!(committed >= 8, "{what}: only {committed} entries are committed");
    let mirror = judge.mirror();
    let members =
        &mirror.nodes.iter().max_by_key(|node| node.members_index).expect("there are nodes").members;
    for node in ProcessId::all(NODES).filter(|node| members.contains(*node)) {
        let applied = mirror.node(node).expect("it is a node").applied;
        assert_eq!(applied, committed, "{what}: node {node} has not applied all that is committed");
    }
}

#[test]
fn the_undisturbed_story_takes_snapshots_and_changes_the_membership() {
    let mut sim = cluster(1);
    story(&mut sim);
    assert_sound(&sim, "undisturbed");
    let mirror = sim.observer().mirror();
    assert!(
        mirror.nodes.iter().all(|node| node.snapshot.as_ref().is_some_and(|snapshot| snapshot.index >= 8)),
        "all have snapshots"
    );
    assert!(mirror.nodes.iter().all(|node| node.members.voters.len() == 4), "all know of the fourth voter");
}

#[test]
fn a_crash_at_any_storage_operation_loses_nothing_that_was_acknowledged_and_votes_for_nobody_twice() {
    let mut undisturbed = cluster(1);
    story(&mut undisturbed);
    let mut runs = 0;
    for process in ProcessId::all(3) {
        let operations = undisturbed.storage_operations(process);
        assert!(operations > 60, "{operations}");
        for operation in 1..=operations {
            for when in [CrashPoint::Before, CrashPoint::Torn, CrashPoint::After] {
                let mut sim = cluster(1);
                sim.inject(&Fault::CrashAt { process, operation, when }).unwrap();
                story(&mut sim);
                assert_sound(&sim, &format!("node {process} crashed {when:?} operation {operation}"));
                runs += 1;
            }
        }
    }
    assert!(runs > 600, "{runs}");
}

#[test]
fn a_rotten_byte_anywhere_in_a_file_is_noticed_or_harmless_and_never_served() {
    let mut sim = cluster(2);
    story(&mut sim);
    let process = ProcessId(1);
    let applied = sim.observer().mirror().node(process).unwrap().applied;
    sim.inject(&Fault::Crash { process }).unwrap();
    let (mut noticed, mut harmless) = (0, 0);
    for file in [LOG, TAIL, SNAPSHOT] {
        for offset in 0..sim.file(process, file).len() as u64 {
            match after_rot(sim.clone(), process, file, offset) {
                None => noticed += 1,
                Some(sound) => {
                    harmless += 1;
                    let what = format!("byte {offset} of file {}", file.0);
                    assert!(sound.observer().violations().is_empty(), "{what}");
                    assert!(sound.observer().mirror().node(process).unwrap().applied >= applied, "{what}");
                }
            }
        }
    }
    assert!(noticed > 50 && harmless > 50, "{noticed} noticed, {harmless} harmless");
}

/// The cluster some time after the node came back with a rotten byte; none if the node refused to start.
fn after_rot(mut sim: Cluster, process: ProcessId, file: FileId, offset: u64) -> Option<Cluster> {
    inject(&mut sim, &Fault::FlipBits { process, file: Some(file), offset: Some(offset), bits: None });
    inject(&mut sim, &Fault::Restart { process });
    let violations = sim.observer().violations();
    assert!(violations.is_empty(), "byte {offset} of file {}: {violations:?}", file.0);
    if !sim.is_up(process) {
        return None;
    }
    let until = sim.now().after(Span::from_millis(400));
    sim.run_until(until);
    Some(sim)
}

#[test]
fn the_same_story_gives_the_same_digest_twice() {
    let digest = |seed| {
        let mut sim = cluster(seed);
        sim.inject(&Fault::CrashAt { process: ProcessId(2), operation: 40, when: CrashPoint::Torn }).unwrap();
        story(&mut sim);
        assert!(sim.now() > VirtualTime::ZERO);
        sim.digest()
    };
    assert_eq!(digest(3), digest(3));
    assert_ne!(digest(3), digest(4));
}
