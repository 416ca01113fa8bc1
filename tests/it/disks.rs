//! Disks: a crash at every storage operation, and a rotten byte at every place of a log.

use seaworthy::adapter::{
    Change, ChangeRequest, ClientConfig, Config, LOG, Member, MemberConfig, Membership, NodeConfig,
    NodeOptions, Request, SNAPSHOT, ServiceOptions, TAIL, node_id,
};
use seaworthy::kv::{Asked, Key, Operation, ReadKind, Script, ScriptOptions, Value};
use seaworthy::oracles::Judge;
use seaworthy::record::{Action, Call, MessageFacts, Note, Outcome, Record, Return};
use sim_core::{
    CrashPoint, Fault, FileId, Interest, Observer, ProcessId, RecordKind, Settings, Simulation, Span, Stamp,
    VirtualTime,
};

type Cluster = Simulation<Member, (Judge, Seen)>;

/// Three voters, and a fourth node that knows nobody yet.
const NODES: u16 = 4;
/// The fourth node.
const JOINER: ProcessId = ProcessId(3);
/// Who appends to the only key, and reads it at the end.
const CLIENT: ProcessId = ProcessId(NODES);
const COMMANDS: u64 = 24;
const KEY: Key = Key(0);

/// Who crashed, at which storage operation, who was sent a snapshot, and what the client heard, in order.
#[derive(Clone, Debug, Default)]
struct Seen {
    crashes: Vec<(ProcessId, Option<u64>)>,
    installed: Vec<ProcessId>,
    asked: String,
    acknowledged: Vec<String>,
    read: Option<String>,
}

impl Observer<MessageFacts, Note> for Seen {
    fn interest(&self) -> Interest {
        Interest::of(&[RecordKind::Crashed, RecordKind::Noted])
    }

    fn observe(&mut self, _: Stamp, record: &Record) {
        match record {
            Record::Crashed { process, operation, .. } => self.crashes.push((*process, *operation)),
            Record::Noted { process, note: Note::Installed(_) } => self.installed.push(*process),
            Record::Noted { note: Note::Call(call), .. } => {
                if let Call { action: Action::Append(text), .. } = &**call {
                    self.asked = text.to_string();
                }
            }
            Record::Noted { note: Note::Return(back), .. } => match &**back {
                Return { outcome: Outcome::Length(_), .. } => self.acknowledged.push(self.asked.clone()),
                Return { outcome: Outcome::Read(read), .. } => {
                    self.read = read.as_ref().map(ToString::to_string);
                }
                _ => {}
            },
            // Nothing else is counted here.
            _ => {}
        }
    }
}

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
    let options = ScriptOptions { clients: 1, timeout: Span::from_millis(60), doubles: false };
    let client = ClientConfig::Scripted { id: 0, servers: NODES, options };
    let client = MemberConfig::Client(Box::new(client));
    let configs = ProcessId::all(NODES).map(config).chain([client]).collect();
    let settings = Settings { bystanders: 1, ..Settings::default() };
    Simulation::new(&settings, configs, seed, (Judge::new(NODES), Seen::default()))
}

fn call(sim: &mut Cluster, asked: Asked) {
    let script = Script { asked, to: None, within: Span::from_secs(2) };
    sim.request(CLIENT, Request::Call(Box::new(script)));
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

/// Commands of a client, snapshots, and a fourth voter; then everybody has everything, and it is read.
fn story(sim: &mut Cluster) {
    sim.boot_all();
    for number in 0..COMMANDS {
        pass(sim, Span::from_millis(30));
        let value = Value::new(format!("{number};").as_bytes());
        call(sim, Asked::Write(Operation::Append { key: KEY, value }));
        let Some(leader) = leader(sim) else { continue };
        if number == COMMANDS / 2 {
            let change = ChangeRequest::auto(&[Change::AddVoter(node_id(JOINER))]);
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
    call(sim, Asked::Read { key: KEY, by: ReadKind::Log });
    pass(sim, Span::from_millis(600));
    let stamp = Stamp { number: sim.records(), at: sim.now() };
    sim.observer_mut().0.conclude(stamp);
}

/// Nothing is broken, whatever was committed anywhere is applied by every member, and whatever the client was told to be
/// done is read.
#[track_caller]
fn assert_sound(sim: &Cluster, what: &str) {
    let (judge, seen) = sim.observer();
    assert!(judge.violations().is_empty(), "{what}: {:?}", judge.violations());
    assert!(seen.acknowledged.len() >= 20, "{what}: {:?}", seen.acknowledged);
    let read = seen.read.as_deref().unwrap_or_else(|| panic!("{what}: the client reads nothing"));
    let values: Vec<&str> = read.split_inclusive(';').collect();
    for text in &seen.acknowledged {
        assert_eq!(values.iter().filter(|value| *value == text).count(), 1, "{what}: {text} in {read}");
    }
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
    let mirror = sim.observer().0.mirror();
    assert!(
        mirror.nodes.iter().all(|node| node.snapshot.as_ref().is_some_and(|snapshot| snapshot.index >= 8)),
        "all have snapshots"
    );
    assert!(mirror.nodes.iter().all(|node| node.members.voters.len() == 4), "all know of the fourth voter");
    let (_, seen) = sim.observer();
    assert!(seen.installed.contains(&JOINER), "the fourth voter is sent a snapshot");
    assert_eq!(seen.crashes, [], "nobody crashes");
}

#[test]
fn a_crash_at_any_storage_operation_loses_nothing_that_was_acknowledged_and_votes_for_nobody_twice() {
    let mut undisturbed = cluster(1);
    story(&mut undisturbed);
    let (mut runs, mut sent_again) = (0, 0);
    for process in ProcessId::all(NODES) {
        let operations = undisturbed.storage_operations(process);
        assert!(operations > 60 || process == JOINER, "node {process}: {operations}");
        for operation in 1..=operations {
            for when in [CrashPoint::Before, CrashPoint::Torn, CrashPoint::After] {
                let mut sim = cluster(1);
                sim.inject(&Fault::CrashAt { process, operation, when }).unwrap();
                story(&mut sim);
                let what = format!("node {process} crashed {when:?} operation {operation}");
                assert_sound(&sim, &what);
                let (_, seen) = sim.observer();
                assert_eq!(seen.crashes, [(process, Some(operation))], "{what}");
                let again = seen.installed.len() > undisturbed.observer().1.installed.len();
                sent_again += u32::from(process == JOINER && again);
                runs += 1;
            }
        }
    }
    assert!(runs > 1_500, "{runs}");
    // A joiner that falls while it takes in the snapshot is sent it once more.
    assert!(sent_again > 0);
}

#[test]
fn a_rotten_byte_anywhere_in_a_file_is_noticed_or_harmless_and_never_served() {
    let mut sim = cluster(2);
    story(&mut sim);
    let process = ProcessId(1);
    let applied = sim.observer().0.mirror().node(process).unwrap().applied;
    sim.inject(&Fault::Crash { process }).unwrap();
    let counts = [LOG, TAIL, SNAPSHOT].map(|file| {
        let (mut noticed, mut harmless) = (0, 0);
        for offset in 0..sim.file(process, file).len() as u64 {
            match after_rot(sim.clone(), process, file, offset) {
                None => noticed += 1,
                Some(sound) => {
                    harmless += 1;
                    let what = format!("byte {offset} of file {}", file.0);
                    assert!(sound.observer().0.violations().is_empty(), "{what}");
                    assert!(sound.observer().0.mirror().node(process).unwrap().applied >= applied, "{what}");
                }
            }
        }
        (noticed, harmless)
    });
    let [log, tail, snapshot] = counts;
    // What was called durable stands in the log alone, the latest frames in the tail too, and a snapshot has one copy.
    assert!(log.0 > 100 && log.1 > 100, "{counts:?}");
    assert!(tail.0 == 0 && tail.1 > 1_000, "{counts:?}");
    assert!(snapshot.0 > 100 && snapshot.1 == 0, "{counts:?}");
}

/// The cluster some time after the node came back with a rotten byte; none if the node refused to start.
fn after_rot(mut sim: Cluster, process: ProcessId, file: FileId, offset: u64) -> Option<Cluster> {
    inject(&mut sim, &Fault::FlipBits { process, file: Some(file), offset: Some(offset), bits: None });
    sim.observer_mut().0.damaged(process);
    inject(&mut sim, &Fault::Restart { process });
    let violations = sim.observer().0.violations();
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
