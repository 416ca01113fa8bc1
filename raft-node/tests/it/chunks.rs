//! A snapshot that comes in parts, while parts are lost, doubled and out of order and either side crashes (Raft §7).

use crate::world::{Chance, Host, accepted, append, sends, vote, voters};
use raft_node::{Input, LogIndex, Message, NodeId, Options, Output, Outputs};

/// What the leader's snapshot of index 4 holds: in parts of three bytes, five parts.
const DATA: &[u8] = b"a state of 14.";
const PARTS: usize = 5;

fn options() -> Options {
    Options { snapshot_chunk_bytes: 3, ..Options::default() }
}

/// Node 0, which leads term 2 with a log of six that begins behind four, and node 2, which has nothing.
struct Pair {
    leader: Host,
    follower: Host,
    network: Vec<(NodeId, Message)>,
    /// The offset of each part that was sent.
    offsets: Vec<u64>,
}

impl Pair {
    fn new() -> Self {
        let mut leader = Host::leader_with(3, 2, &[1, 1, 1, 1, 1], options());
        leader.propose("x=1");
        leader.hear(1, accepted(2, 6));
        leader.run(Input::Snapshot { index: LogIndex(4), data: DATA.into() });
        assert_eq!(leader.view().base.0, LogIndex(4));
        let follower = Host::with(2, 3, 1, None, &[], options());
        Self { leader, follower, network: Vec::new(), offsets: Vec::new() }
    }

    /// Puts on the network what one of the two says to the other.
    fn post(&mut self, out: Outputs) {
        for output in out {
            if let Output::Send { to, message } = output
                && to != NodeId(1)
            {
                if let Message::InstallSnapshot { offset, .. } = &message {
                    self.offsets.push(*offset);
                }
                self.network.push((to, message));
            }
        }
    }

    fn beat(&mut self) {
        let out = self.leader.heartbeat();
        self.post(out);
    }

    /// The message at this place of the network arrives.
    fn deliver(&mut self, at: usize) {
        let (to, message) = self.network.remove(at);
        let out = if to == NodeId(0) { self.leader.hear(2, message) } else { self.follower.hear(0, message) };
        self.post(out);
    }

    /// All that is on the network arrives, in order, and what is said to it.
    fn settle(&mut self) {
        for _ in 0..100 {
            if self.network.is_empty() {
                return;
            }
            self.deliver(0);
        }
        panic!("they never come to an end");
    }

    /// Goes on until `count` parts have arrived and were answered; the answer to the last is on the network.
    fn until_parts(&mut self, count: usize) {
        self.beat();
        let mut arrived = 0;
        while arrived < count {
            let (to, message) = &self.network[0];
            arrived += usize::from(*to == NodeId(2) && matches!(message, Message::InstallSnapshot { .. }));
            self.deliver(0);
        }
    }

    #[track_caller]
    fn assert_caught_up(&self) {
        let snapshot = self.follower.disk.snapshot.as_deref().expect("it is on the disk");
        assert_eq!((snapshot.index, &*snapshot.data), (LogIndex(4), DATA));
        assert_eq!(snapshot.membership, *self.leader.view().membership);
        assert_eq!(self.follower.view().base, self.leader.view().base);
        assert_eq!(self.follower.view().log, self.leader.view().log);
        assert_eq!(self.leader.peer(2), (7, 6));
    }
}

#[test]
fn parts_go_one_at_a_time_each_once_if_nothing_is_lost() {
    let mut pair = Pair::new();
    pair.beat();
    pair.settle();
    assert_eq!(pair.offsets, [0, 3, 6, 9, 12]);
    pair.assert_caught_up();
}

/// Each message between the two is lost, one in each run; the next heartbeat finds out.
#[test]
fn whichever_message_is_lost_the_transfer_goes_on_from_what_has_arrived() {
    let mut lost_parts = 0;
    for lost in 0.. {
        let mut pair = Pair::new();
        pair.beat();
        let mut count = 0;
        let mut was_part = None;
        while !pair.network.is_empty() {
            if count == lost {
                let (_, message) = pair.network.remove(0);
                was_part = Some(matches!(message, Message::InstallSnapshot { .. }));
            } else {
                pair.deliver(0);
            }
            count += 1;
        }
        pair.beat();
        pair.settle();
        pair.assert_caught_up();
        let Some(was_part) = was_part else { break };
        lost_parts += usize::from(was_part);
        assert!(pair.offsets.len() <= PARTS + 1, "{lost}: {:?}", pair.offsets);
        assert!(
            pair.offsets.is_sorted(),
            "{lost}: nothing that has arrived is sent again: {:?}",
            pair.offsets
        );
    }
    assert_eq!(lost_parts, PARTS);
}

#[test]
fn a_transfer_survives_loss_doubling_and_any_order() {
    for seed in 0..300 {
        let mut chance = Chance::new(seed);
        let mut pair = Pair::new();
        for _ in 0..2000 {
            if pair.network.is_empty() || chance.one_in(12) {
                pair.beat();
            }
            let at = chance.index(pair.network.len());
            match chance.below(6) {
                0 => drop(pair.network.remove(at)),
                1 => {
                    let doubled = pair.network[at].clone();
                    pair.network.push(doubled);
                }
                _ => pair.deliver(at),
            }
            if pair.network.len() > 40 {
                pair.network.remove(0);
            }
            if pair.leader.peer(2) == (7, 6) {
                break;
            }
        }
        pair.assert_caught_up();
    }
}

/// Its parts are in memory only: it says that it has none, and is sent all of them again.
#[test]
fn a_follower_that_crashes_between_two_parts_is_sent_all_of_them_again() {
    for count in 1..PARTS {
        let mut pair = Pair::new();
        pair.until_parts(count);
        pair.follower.restart();
        pair.settle();
        pair.beat();
        pair.settle();
        pair.beat();
        pair.settle();
        pair.assert_caught_up();
        let again = pair.offsets.iter().filter(|offset| **offset == 0).count();
        assert_eq!(again, 2, "after {count} parts: {:?}", pair.offsets);
    }
}

/// With the last part it has all, but nothing is durable before the write is.
#[test]
fn a_follower_that_crashes_before_the_snapshot_is_durable_has_promised_nothing() {
    let mut pair = Pair::new();
    pair.until_parts(PARTS - 1);
    pair.deliver(0);
    let (to, message) = pair.network.remove(0);
    assert_eq!(to, NodeId(2));
    let out = pair.follower.hear_only(0, message);
    assert_eq!(sends(&out), [""; 0]);
    pair.follower.restart();
    assert_eq!((pair.follower.view().base.0.0, pair.follower.commit()), (0, 0));
    for _ in 0..3 {
        pair.beat();
        pair.settle();
    }
    pair.assert_caught_up();
    // And one whose answer was lost with it has the snapshot, and says so.
    let mut pair = Pair::new();
    pair.until_parts(PARTS);
    pair.network.clear();
    pair.follower.restart();
    assert_eq!(pair.follower.view().base.0.0, 4);
    pair.beat();
    pair.settle();
    pair.assert_caught_up();
    assert_eq!(pair.offsets, [0, 3, 6, 9, 12, 12]);
}

/// It does not know any more what it had sent, and leads a later term: parts of before are not mixed with those of now.
#[test]
fn a_leader_that_crashes_between_two_parts_begins_anew_in_its_next_term() {
    for count in 1..PARTS {
        let mut pair = Pair::new();
        pair.until_parts(count);
        pair.leader.restart();
        pair.network.clear();
        pair.offsets.clear();
        pair.leader.run(Input::Campaign);
        let out = pair.leader.hear(1, vote(3, true));
        pair.post(out);
        pair.settle();
        assert_eq!(pair.offsets, [0, 3, 6, 9, 12], "after {count} parts");
        pair.assert_caught_up();
    }
}

/// Another leader's snapshot of the same index may have other bytes.
#[test]
fn a_follower_takes_no_part_of_an_earlier_leader_into_what_another_sends() {
    for count in 1..PARTS {
        let mut pair = Pair::new();
        pair.until_parts(count);
        let late: Vec<(NodeId, Message)> = pair.network.drain(..).collect();
        let mut other = Host::with(1, 3, 2, None, &[1, 1, 1, 1, 1], options());
        other.hear(0, append(2, 5, 1, &[2], 6));
        other.run(Input::Snapshot { index: LogIndex(4), data: b"another state.".as_slice().into() });
        other.run(Input::Campaign);
        let mut out = other.hear(0, vote(3, true));
        for _ in 0..40 {
            let to_follower =
                out.extract_if(.., |output| matches!(output, Output::Send { to: NodeId(2), .. }));
            let messages: Vec<Output> = to_follower.collect();
            out.clear();
            for output in messages {
                let Output::Send { message, .. } = output else { continue };
                // Between any two parts of the new leader come those of the old one.
                for (to, message) in &late {
                    if *to == NodeId(2) {
                        pair.follower.hear(0, message.clone());
                    }
                }
                for answer in pair.follower.hear(1, message) {
                    if let Output::Send { to: NodeId(1), message } = answer {
                        out.append(&mut other.hear(2, message));
                    }
                }
            }
        }
        let snapshot = pair.follower.disk.snapshot.as_deref().expect("it is on the disk");
        assert_eq!(&*snapshot.data, b"another state.", "after {count} parts");
        assert_eq!(pair.follower.view().log, other.view().log);
    }
}

/// The membership comes with the snapshot, and not from what the follower was told at its start.
#[test]
fn the_membership_in_force_is_that_of_the_snapshot() {
    let mut pair = Pair::new();
    pair.follower = Host::boot(2, voters(&[2, 8, 9]), raft_node::Durable::default(), options());
    pair.beat();
    pair.settle();
    pair.assert_caught_up();
    assert_eq!(*pair.follower.view().membership, *pair.leader.view().membership);
    pair.follower.restart();
    assert_eq!(*pair.follower.view().membership, *pair.leader.view().membership);
}
