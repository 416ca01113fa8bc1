//! A wrong message is data: nothing that is said to a node makes it panic.

use crate::world::{Chance, Host, accepted, append, rejected, request_vote, vote};
use raft_node::{Input, Message, NodeId, Options, Payload, PersistId, Timer};

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

fn message(chance: &mut Chance, term: u64) -> Message {
    match chance.below(8) {
        0 => request_vote(term, number(chance), number(chance)),
        1 => vote(term, true),
        2 => vote(term, chance.one_in(2)),
        3 | 4 => append(term, number(chance), number(chance), &terms(chance), number(chance)),
        5 => accepted(term, number(chance)),
        6 => rejected(term, number(chance), None, number(chance)),
        _ => rejected(term, number(chance), Some(number(chance)), number(chance)),
    }
}

/// Any input at all; messages are mostly of a term near the node's own, else little would come of them.
pub(crate) fn input(chance: &mut Chance, host: &Host) -> Input {
    match chance.below(10) {
        0 => Input::Propose(Payload::from("x=1")),
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
    assert_eq!(view.last_log_index.0, u64::try_from(view.log.len()).expect("a length fits"));
    assert_eq!(view.commit_index, view.applied_index);
    for peer in view.peers() {
        assert!(peer.match_index < peer.next_index, "{peer:?}");
        assert!(peer.next_index <= view.last_log_index.next(), "{peer:?}");
    }
}

#[test]
fn no_input_makes_a_node_panic() {
    let mut roles = [0; 3];
    for seed in 0..300 {
        let mut chance = Chance::new(seed);
        let options =
            Options { noop_on_election: seed % 2 == 0, entries_per_append_max: 2, ..Options::default() };
        let mut host = Host::with(0, 5, 1, None, &[1, 1, 1], options);
        for _ in 0..300 {
            let before = (host.term(), host.commit());
            let input = input(&mut chance, &host);
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
fn messages_of_strangers_and_of_oneself_are_ignored() {
    let mut host = Host::follower(1, &[1]);
    let before = host.node.clone();
    for from in [0, 3, 77, u16::MAX] {
        for message in [append(9, 0, 0, &[9], 9), request_vote(9, 9, 9), vote(9, true), accepted(9, 1)] {
            assert_eq!(host.hear(from, message), []);
        }
    }
    assert_eq!(host.node, before);
}

#[test]
#[should_panic = "voter 1 is listed twice"]
fn a_voter_that_is_listed_twice_is_refused() {
    let mut config = Host::new(0, 3).config;
    config.voters.push(NodeId(1));
    start(config);
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
    drop(raft_node::RaftNode::start(config, &raft_node::Durable::default(), &mut Vec::new()));
}
