//! A wrong message is data: nothing that is said to a node makes it panic.

use crate::world::{Chance, Host, accepted, append, rejected, request_vote, sends, vote};
use raft_node::{
    Change, ChangeRequest, Entry, EntryKind, Input, LogIndex, Membership, Message, NodeId, Options, Payload,
    PersistId, ReadId, ReadMode, SnapshotMeta, Term, Timer, Transition,
};
use std::sync::Arc;

/// Mostly small numbers, some at the ends of the range.
fn number(chance: &mut Chance) -> u64 {
    match chance.below(12) {
        0 => u64::MAX,
        1 => u64::MAX - chance.below(3),
        2 => chance.bits(),
        3 => u64::from(u32::MAX) + chance.below(3),
        _ => chance.below(8),
    }
}

fn terms(chance: &mut Chance) -> Vec<u64> {
    (0..chance.below(5)).map(|_| number(chance)).collect()
}

fn node(chance: &mut Chance) -> NodeId {
    NodeId(u16::try_from(chance.below(6)).expect("below six"))
}

pub(crate) fn membership(chance: &mut Chance) -> Membership {
    let nodes = |chance: &mut Chance, end: u64| {
        (0..chance.below(end)).map(|_| node(chance)).collect::<std::collections::BTreeSet<_>>()
    };
    let voters: Vec<NodeId> = nodes(chance, 5).into_iter().collect();
    let outgoing: Vec<NodeId> = nodes(chance, 3).into_iter().collect();
    let learners: Vec<NodeId> = nodes(chance, 3).into_iter().collect();
    Membership::new(&voters, &outgoing, &learners, &[], chance.one_in(2)).unwrap_or_default()
}

fn entries(chance: &mut Chance) -> Vec<Entry> {
    let mut entries = crate::world::entries(&terms(chance));
    for entry in &mut entries {
        if chance.one_in(4) {
            entry.kind = EntryKind::Change(Arc::new(membership(chance)));
        }
    }
    entries
}

/// One of the messages that go beyond the four of Raft's first figure.
fn extension(chance: &mut Chance, term: u64) -> Message {
    let (term, round) = (Term(term), if chance.one_in(4) { number(chance) } else { chance.below(4) });
    let (index, id) = (LogIndex(number(chance)), ReadId(chance.below(4)));
    match chance.below(9) {
        0 => Message::PreVote {
            term,
            last_log_index: index,
            last_log_term: Term(number(chance)),
            priority: i64::from(chance.one_in(2)),
        },
        1 => Message::PreVoteResponse { term: term.next(), granted: true },
        2 => Message::PreVoteResponse { term, granted: false },
        3 => {
            let meta =
                SnapshotMeta { index, term: Term(number(chance)), membership: Arc::new(membership(chance)) };
            let chunk = Payload::new(&[7; 9][..chance.index(9)]);
            let (offset, total) = (number(chance), number(chance));
            Message::InstallSnapshot { term, round, meta: Arc::new(meta), offset, total, chunk }
        }
        4 => {
            let (received, done) = (number(chance), chance.one_in(2));
            Message::InstallSnapshotResponse { term, round, index, received, done }
        }
        5 => Message::TimeoutNow { term },
        6 => Message::ReadIndex { term, id },
        7 => Message::ReadIndexResponse { term, id, index: chance.one_in(2).then_some(index) },
        _ => Message::Forward { term, payload: Payload::from("x=1") },
    }
}

/// One of the inputs that go beyond proposals and elections.
fn request(chance: &mut Chance) -> Input {
    match chance.below(10) {
        0 => {
            let change = |chance: &mut Chance| {
                let id = node(chance);
                [Change::AddVoter(id), Change::AddLearner(id), Change::Remove(id)][chance.index(3)]
            };
            let changes = (0..chance.below(4)).map(|_| change(chance)).collect();
            let transition = [Transition::Auto, Transition::Implicit, Transition::Explicit][chance.index(3)];
            Input::Change(ChangeRequest { changes, transition })
        }
        1 => Input::Transfer { to: node(chance) },
        2 => Input::ForgetLeader,
        3 => Input::Read { id: ReadId(chance.below(4)), mode: ReadMode::Index },
        4 => Input::Read { id: ReadId(chance.below(4)), mode: ReadMode::Lease },
        5 => Input::Snapshot { index: LogIndex(number(chance)), data: Arc::from(&[7; 9][..chance.index(9)]) },
        6 => Input::Applied(LogIndex(number(chance))),
        7 => Input::Unreachable(node(chance)),
        8 => Input::Compact { keep: number(chance) },
        _ => Input::SendSnapshot { to: node(chance) },
    }
}

fn message(chance: &mut Chance, term: u64) -> Message {
    if chance.one_in(4) {
        return extension(chance, term);
    }
    match chance.below(8) {
        0 => request_vote(term, number(chance), number(chance)),
        1 => vote(term, true),
        2 => vote(term, chance.one_in(2)),
        3 | 4 => {
            let mut message = append(term, number(chance), number(chance), &[], number(chance));
            if let Message::AppendEntries { entries: carried, .. } = &mut message {
                *carried = entries(chance).into();
            }
            message
        }
        5 => accepted(term, number(chance)),
        6 => rejected(term, number(chance), None, number(chance)),
        _ => rejected(term, number(chance), Some(number(chance)), number(chance)),
    }
}

/// Any input at all; messages are mostly of a term near the node's own, else little would come of them.
pub(crate) fn input(chance: &mut Chance, host: &Host) -> Input {
    match chance.below(12) {
        0 => Input::Propose(Payload::from("x=1")),
        10 => request(chance),
        11 => Input::TimerFired(Timer::Batch),
        1 => Input::TimerFired(Timer::Heartbeat),
        2 if chance.one_in(3) => Input::Campaign,
        2 => Input::TimerFired(Timer::Election),
        3 => Input::Persisted(PersistId(number(chance))),
        _ => {
            let from = NodeId(u16::try_from(chance.below(6)).expect("below six"));
            // A term at the end of the range ends all elections: let it be rare.
            let term = match chance.below(400) {
                0 => number(chance),
                1..20 => host.term().saturating_add(chance.below(3)),
                20..80 => chance.below(40),
                _ => host.term(),
            };
            Input::Message { from, message: message(chance, term) }
        }
    }
}

/// A message that some cluster might send to this node: terms near its own, entries that fit.
pub(crate) fn plausible(chance: &mut Chance, host: &Host) -> Message {
    let term = (host.term() + chance.below(3)).saturating_sub(u64::from(chance.one_in(4))).max(1);
    let log = host.log();
    let last = u64::try_from(log.len()).expect("a length fits");
    match chance.below(4) {
        0 => request_vote(term, last + chance.below(2), log.last().copied().unwrap_or(0)),
        1 => vote(term, chance.one_in(2)),
        _ => {
            // The leader of the current term may be late or say it twice, but it never replaces what it said.
            let fresh = term > host.term() || chance.one_in(2);
            let position = if term > host.term() { chance.index(log.len() + 1) } else { log.len() };
            let position = if fresh { position } else { chance.index(log.len() + 1) };
            let count = chance.index(3);
            let repeated = &log[position..log.len().min(position + count)];
            let new = if fresh { vec![term; count] } else { repeated.to_vec() };
            let prev_term = if position == 0 { 0 } else { log[position - 1] };
            let prev = u64::try_from(position).expect("a length fits");
            append(term, prev, prev_term, &new, chance.below(prev + 1))
        }
    }
}

/// What holds of a node whatever it was told.
fn assert_sane(host: &Host) {
    let view = host.view();
    let len = u64::try_from(view.log.len()).expect("a length fits");
    assert_eq!(view.last_log_index.0, view.base.0.0.saturating_add(len));
    assert!(view.applied_index <= view.commit_index && view.base.0 <= view.applied_index);
    if host.config.options.apply_window == 0 {
        assert_eq!(view.commit_index, view.applied_index);
    }
    if host.writes.is_empty() {
        assert_eq!(host.disk.log, view.log, "what is durable is what is remembered");
        assert_eq!((host.disk.base, host.disk.snapshot.as_ref()), (view.base, view.snapshot));
    }
    for peer in view.peers() {
        assert!(peer.match_index < peer.next_index, "{peer:?}");
        assert!(peer.gets_snapshot || peer.next_index <= view.last_log_index.next(), "{peer:?}");
    }
}

/// Every option on or off, bounds mostly tight.
pub(crate) fn options(chance: &mut Chance) -> Options {
    let yes = |chance: &mut Chance| chance.one_in(2);
    let check_quorum = yes(chance);
    let bound = |chance: &mut Chance, values: &[u64]| values[chance.index(values.len())];
    let small = |chance: &mut Chance, values: &[u32]| values[chance.index(values.len())];
    Options {
        noop_on_election: yes(chance),
        entries_per_append_max: small(chance, &[1, 2, 64]),
        bytes_per_append_max: bound(chance, &[0, 0, 30, 100]),
        in_flight_messages_max: small(chance, &[0, 0, 1, 3]),
        in_flight_bytes_max: bound(chance, &[0, 0, 40]),
        uncommitted_bytes_max: bound(chance, &[0, 0, 64]),
        batch_delay_ns: bound(chance, &[0, 0, 1_000_000]),
        snapshot_keep: bound(chance, &[0, 1, 3]),
        snapshot_chunk_bytes: small(chance, &[1, 5, 1 << 16]),
        pre_vote: yes(chance),
        check_quorum,
        lease_reads: check_quorum && yes(chance),
        clock_drift_max_ppm: small(chance, &[0, 1_000]),
        forward_proposals: yes(chance),
        step_down_on_removal: !chance.one_in(4),
        priority: i64::from(chance.one_in(4)),
        apply_window: small(chance, &[0, 0, 2]),
        ..Options::default()
    }
}

#[test]
fn no_input_makes_a_node_panic() {
    let mut roles = [0; 4];
    for seed in 0..400 {
        let mut chance = Chance::new(seed);
        let options = options(&mut chance);
        let mut host = Host::with(0, 5, 1, None, &[1, 1, 1], options);
        for _ in 0..300 {
            let before = (host.term(), host.commit());
            let input = input(&mut chance, &host);
            // A clock that steps back is nonsense too.
            host.now.0 =
                (host.now.0 + chance.below(40_000_000)).saturating_sub(u64::from(chance.one_in(50)) << 28);
            host.step(input);
            if chance.one_in(2) {
                host.sync();
            }
            assert!((host.term(), host.commit()) >= (before.0, 0) && host.commit() >= before.1);
            assert_sane(&host);
            roles[host.view().role as usize] += 1;
            if chance.one_in(100) {
                host.restart();
            }
        }
    }
    assert!(roles.iter().all(|count| *count > 500), "each role is met: {roles:?}");
}

#[test]
fn a_disk_that_holds_nonsense_is_booted_from() {
    for seed in 0..100 {
        let mut chance = Chance::new(seed);
        let log = terms(&mut chance);
        let mut host = Host::with(0, 3, number(&mut chance), Some(9), &log, Options::default());
        for _ in 0..50 {
            let input = input(&mut chance, &host);
            host.step(input);
            host.sync();
            assert_sane(&host);
        }
    }
}

#[test]
fn messages_of_oneself_are_ignored() {
    let mut host = Host::follower(1, &[1]);
    let before = host.node.clone();
    for message in [append(9, 0, 0, &[9], 9), request_vote(9, 9, 9), vote(9, true), accepted(9, 1)] {
        assert_eq!(host.hear(0, message), []);
    }
    assert_eq!(host.node, before);
}

/// A member may not know of all others yet.
#[test]
fn strangers_are_heard_and_answered_and_never_counted() {
    let mut host = Host::follower(1, &[1]);
    assert_eq!(sends(&host.hear(7, request_vote(2, 1, 1))), ["7: RequestVoteResponse t2 granted"]);
    assert_eq!(sends(&host.hear(7, append(2, 1, 1, &[2], 0))), ["7: AppendEntriesResponse t2 match 2"]);
    host.run(Input::Campaign);
    host.hear(7, vote(3, true));
    host.hear(u16::MAX, vote(3, true));
    assert_eq!(host.letter(), 'C');
    let mut leader = Host::leader(3, 2, &[1]);
    leader.propose("x=1");
    leader.hear(7, accepted(2, 2));
    assert_eq!(leader.commit(), 0);
}

#[test]
#[should_panic = "the election timeout range 2..=1 ns is empty"]
fn an_empty_range_of_election_timeouts_is_refused() {
    let mut config = Host::new(0, 3).config;
    config.options.election_timeout_ns = (2, 1);
    start(config);
}

#[test]
#[should_panic = "a heartbeat interval of zero would never let time pass"]
fn a_heartbeat_interval_of_zero_is_refused() {
    let mut config = Host::new(0, 3).config;
    config.options.heartbeat_ns = 0;
    start(config);
}

#[test]
#[should_panic = "a message of no entries replicates nothing"]
fn messages_of_no_entries_are_refused() {
    let mut config = Host::new(0, 3).config;
    config.options.entries_per_append_max = 0;
    start(config);
}

fn start(config: raft_node::Config) {
    drop(raft_node::RaftNode::start(
        config,
        &raft_node::Durable::default(),
        raft_node::LocalTime(0),
        &mut Vec::new(),
    ));
}
