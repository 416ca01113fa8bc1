//! What a leader knows of one other member's log (Raft, figure 2: nextIndex and matchIndex), and what is on
//! its way there.
//!
//! Owns: how that knowledge grows and shrinks. Must not know: terms, messages, or the leader's log beyond an
//! index.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::storage::{Snapshot, SnapshotMeta};
use crate::types::{LocalTime, LogIndex};

/// How boldly a leader sends to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The leader looks for the place where the logs agree: it sends once, and waits for an answer or a
    /// heartbeat.
    Probe,
    /// The logs agreed: the leader sends what is new at once, and takes for granted that it arrives (thesis
    /// §10.2.1).
    Replicate,
    /// What the other lacks the leader's log no longer has: a snapshot is on its way.
    Snapshot,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The next entry to send: above `matched`, at most one past the leader's last entry. While a snapshot is sent
    /// it is the one behind that, and what is known to match may have come to lie above.
    pub(crate) next: LogIndex,
    /// Up to here the other's durable log is the leader's. Never decreases while the other stays a member.
    pub(crate) matched: LogIndex,
    pub(crate) pace: Pace,
    /// The round in which the other became a member, as far as this leader saw it: an answer to an earlier
    /// one is to whoever had the name before. An old acceptance would else speak for a log that is gone
    /// (drmingdrmer/raft-rejoin-bug).
    pub(crate) since: u64,
    /// The latest round that the other has answered.
    pub(crate) round: u64,
    /// The latest round that it has answered with the promise to hold up a lease.
    pub(crate) held: u64,
    /// When the other was last heard, or became known.
    pub(crate) heard: LocalTime,
    /// What is on its way, if the options bound it.
    in_flight: Option<Box<InFlight>>,
    /// The snapshot that is being sent, at that pace.
    pub(crate) transfer: Option<Box<SnapshotTransfer>>,
}

/// Messages with entries that were not answered, oldest first: the last index of each, and its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct InFlight {
    messages: VecDeque<(LogIndex, u64)>,
    bytes: u64,
    /// How many messages there may be since a refusal; none if there was none since the other last had everything.
    window: Option<u32>,
}

/// A snapshot on its way. One part is sent at a time, and again with each heartbeat until it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotTransfer {
    /// Kept until it has arrived, whatever snapshots come after it: else a slow link would never bring one
    /// over.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) meta: Arc<SnapshotMeta>,
    /// Where the part begins that is on its way: all before has arrived.
    pub(crate) offset: u64,
}

/// The bounds of what may be on its way to one other; zero for none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlightMax {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

impl InFlightMax {
    #[inline]
    pub(crate) fn is_bound(self) -> bool {
        self.messages > 0 || self.bytes > 0
    }
}

impl Progress {
    /// What a new leader knows: nothing (Raft §5.3). So does any leader of a new member.
    pub(crate) fn new(leader_last: LogIndex, since: u64, now: LocalTime) -> Self {
        Self {
            next: leader_last.next(),
            matched: LogIndex::ZERO,
            pace: Pace::Probe,
            since,
            round: 0,
            held: 0,
            heard: now,
            in_flight: None,
            transfer: None,
        }
    }

    /// The other has stored all up to `index`, which the leader's log has. Returns whether that is news.
    #[inline]
    pub(crate) fn accepted(&mut self, index: LogIndex) -> bool {
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.arrived(index);
        }
        // Equal to what is known is news for a probe only: it got through.
        if index < self.matched || (index == self.matched && self.pace == Pace::Replicate) {
            return false;
        }
        let advanced = index > self.matched;
        self.matched = index;
        if advanced && let Some(in_flight) = &mut self.in_flight {
            in_flight.widen();
        }
        match self.pace {
            Pace::Probe => {
                self.pace = Pace::Replicate;
                self.next = index.next();
            }
            Pace::Replicate => self.next = self.next.max(index.next()),
            // Whether that does instead of the snapshot depends on where the leader's log begins.
            Pace::Snapshot => {}
        }
        advanced
    }

    /// Whether a refusal at `prev` answers what the leader still asks, rather than something that is settled.
    pub(crate) fn is_current(&self, prev: LogIndex) -> bool {
        match self.pace {
            Pace::Probe => prev > self.matched && prev.next() == self.next,
            Pace::Replicate => prev > self.matched && prev < self.next,
            Pace::Snapshot => false,
        }
    }

    /// The other refused at `prev`, which is current: probe at `hint`, or wherever is possible and lower.
    pub(crate) fn rejected(&mut self, prev: LogIndex, hint: LogIndex) {
        // Not above `prev`, so that each refusal moves down; not below what is known to match.
        self.next = hint.min(prev).max(self.matched.next());
        self.pace = Pace::Probe;
        self.transfer = None;
        // Much of what is on its way will be refused too. Where messages overtake each other, to fill the bounds again with each
        // acceptance between two refusals would send everything many times over.
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.narrow();
        }
    }

    /// Looks again for the place where the logs agree, from `next` down.
    pub(crate) fn probe_at(&mut self, next: LogIndex) {
        self.next = next;
        self.pace = Pace::Probe;
        self.in_flight = None;
        self.transfer = None;
    }

    /// Begins to send a snapshot.
    pub(crate) fn send_snapshot(&mut self, snapshot: &Arc<Snapshot>) {
        self.probe_at(snapshot.index.next());
        self.pace = Pace::Snapshot;
        let (snapshot, meta) = (Arc::clone(snapshot), Arc::new(snapshot.meta()));
        self.transfer = Some(Box::new(SnapshotTransfer { snapshot, meta, offset: 0 }));
    }

    /// The other has all up to `matched`, and the leader's log what follows: the snapshot is not needed any
    /// more.
    pub(crate) fn snapshot_done(&mut self) {
        self.probe_at(self.matched.next());
        self.pace = Pace::Replicate;
    }

    /// The other has all that the leader has: what comes next is new, and is sent at once again.
    #[inline]
    pub(crate) fn caught_up(&mut self) {
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.window = None;
        }
    }

    /// Whether another message with entries may be sent.
    #[inline]
    pub(crate) fn has_room(&self, max: InFlightMax) -> bool {
        self.in_flight.as_ref().is_none_or(|in_flight| in_flight.has_room(max))
    }

    /// A message with entries up to `last` was sent.
    pub(crate) fn sent(&mut self, last: LogIndex, bytes: u64) {
        let in_flight = self.in_flight.get_or_insert_default();
        in_flight.messages.push_back((last, bytes));
        in_flight.bytes += bytes;
    }
}

impl InFlight {
    /// All up to `index` has arrived.
    fn arrived(&mut self, index: LogIndex) {
        while let Some((_, bytes)) = self.messages.front().copied().filter(|(last, _)| *last <= index) {
            self.messages.pop_front();
            self.bytes -= bytes;
        }
    }

    /// What was on its way is forgotten, and one message at a time is sent until something arrives.
    fn narrow(&mut self) {
        self.messages.clear();
        self.bytes = 0;
        self.window = Some(1);
    }

    /// Something new has arrived: twice as much may be on its way.
    fn widen(&mut self) {
        self.window = self.window.and_then(|window| window.checked_mul(2));
    }

    fn has_room(&self, max: InFlightMax) -> bool {
        let below = |most: u32| self.messages.len() < usize::try_from(most).unwrap_or(usize::MAX);
        (max.messages == 0 || below(max.messages))
            && (max.bytes == 0 || self.bytes < max.bytes)
            && self.window.is_none_or(below)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{InFlightMax, Pace, Progress};
    use crate::storage::Snapshot;
    use crate::types::{LocalTime, LogIndex, Term};

    fn progress(next: u64, matched: u64, pace: Pace) -> Progress {
        let new = Progress::new(LogIndex::ZERO, 0, LocalTime(0));
        Progress { next: LogIndex(next), matched: LogIndex(matched), pace, ..new }
    }

    #[test]
    fn what_is_known_of_one_other_is_72_bytes() {
        assert_eq!(size_of::<Progress>(), 72, "a leader goes through all of them to count");
    }

    #[test]
    fn an_acceptance_never_lowers_what_is_known() {
        let rows = [
            (progress(6, 0, Pace::Probe), 5, progress(6, 5, Pace::Replicate), true),
            (progress(6, 0, Pace::Probe), 0, progress(1, 0, Pace::Replicate), false),
            (progress(6, 3, Pace::Probe), 2, progress(6, 3, Pace::Probe), false),
            (progress(6, 3, Pace::Probe), 3, progress(4, 3, Pace::Replicate), false),
            (progress(9, 5, Pace::Replicate), 7, progress(9, 7, Pace::Replicate), true),
            (progress(9, 5, Pace::Replicate), 5, progress(9, 5, Pace::Replicate), false),
            (progress(9, 5, Pace::Replicate), 4, progress(9, 5, Pace::Replicate), false),
            (progress(6, 5, Pace::Replicate), 8, progress(9, 8, Pace::Replicate), true),
            (progress(9, 0, Pace::Snapshot), 8, progress(9, 8, Pace::Snapshot), true),
        ];
        for (mut before, index, after, advanced) in rows {
            assert_eq!(before.accepted(LogIndex(index)), advanced, "{after:?}");
            assert_eq!(before, after);
        }
    }

    #[test]
    fn a_stale_refusal_is_recognised() {
        let probe = progress(6, 3, Pace::Probe);
        let replicate = progress(9, 5, Pace::Replicate);
        let snapshot = progress(9, 5, Pace::Snapshot);
        for prev in 0..12 {
            assert_eq!(probe.is_current(LogIndex(prev)), prev == 5, "probe {prev}");
            assert_eq!(replicate.is_current(LogIndex(prev)), (6..9).contains(&prev), "replicate {prev}");
            assert!(!snapshot.is_current(LogIndex(prev)), "snapshot {prev}");
        }
        assert!(!probe.is_current(LogIndex(u64::MAX)));
        assert!(!progress(4, 3, Pace::Probe).is_current(LogIndex(3)));
    }

    #[test]
    fn a_refusal_moves_down_but_not_below_what_matches() {
        for (hint, next) in [(0, 4), (3, 4), (4, 4), (6, 6), (7, 7), (8, 7), (u64::MAX, 7)] {
            let mut progress = progress(8, 3, Pace::Replicate);
            progress.rejected(LogIndex(7), LogIndex(hint));
            assert_eq!((progress.next, progress.pace), (LogIndex(next), Pace::Probe), "hint {hint}");
        }
    }

    /// etcd-io/raft `TestInflightFreeTo`, `TestInflightFull`.
    #[test]
    fn there_is_room_until_a_bound_is_reached_and_again_when_something_has_arrived() {
        let three = InFlightMax { messages: 3, bytes: 0 };
        let bytes = InFlightMax { messages: 0, bytes: 25 };
        let mut progress = progress(1, 0, Pace::Replicate);
        for last in 1..=3 {
            assert!(progress.has_room(three) && progress.has_room(bytes));
            progress.sent(LogIndex(last), 10);
        }
        assert!(!progress.has_room(three) && !progress.has_room(bytes));
        progress.accepted(LogIndex(0));
        assert!(!progress.has_room(three));
        progress.accepted(LogIndex(1));
        assert!(progress.has_room(three) && progress.has_room(bytes));
        progress.accepted(LogIndex(3));
        progress.sent(LogIndex(4), 99);
        assert!(!progress.has_room(bytes));
        progress.rejected(LogIndex(4), LogIndex(4));
        assert!(progress.has_room(bytes), "what was on its way has not arrived: forget it");
        progress.probe_at(LogIndex(4));
        progress.sent(LogIndex(4), 10);
        assert!(progress.has_room(three) && progress.has_room(bytes));
        assert!(!InFlightMax { messages: 0, bytes: 0 }.is_bound());
    }

    #[test]
    fn after_a_refusal_one_message_at_a_time_is_sent_and_twice_as_many_with_each_that_arrives() {
        let max = InFlightMax { messages: 5, bytes: 0 };
        let fill = |progress: &mut Progress| {
            let mut sent = 0;
            while progress.has_room(max) {
                progress.next = progress.next.next();
                progress.sent(progress.next.prev(), 1);
                sent += 1;
            }
            sent
        };
        let mut progress = progress(4, 3, Pace::Replicate);
        assert_eq!(fill(&mut progress), 5);
        progress.rejected(LogIndex(7), LogIndex(5));
        assert!(progress.accepted(LogIndex(4)));
        assert_eq!(fill(&mut progress), 2);
        progress.rejected(LogIndex(5), LogIndex(5));
        assert!(!progress.accepted(LogIndex(4)), "that the logs agree is no news");
        assert_eq!(fill(&mut progress), 1);
        for (arrived, sent) in [(5, 2), (7, 4), (11, 5)] {
            assert!(progress.accepted(LogIndex(arrived)));
            assert_eq!(fill(&mut progress), sent, "after {arrived}");
        }
        progress.rejected(LogIndex(14), LogIndex(12));
        progress.caught_up();
        progress.pace = Pace::Replicate;
        assert_eq!(fill(&mut progress), 5);
        // A byte more or less does not matter to who has no bound of messages.
        progress.rejected(LogIndex(14), LogIndex(12));
        let bytes = InFlightMax { messages: 0, bytes: 1_000 };
        progress.pace = Pace::Replicate;
        progress.sent(LogIndex(12), 1);
        assert!(!progress.has_room(bytes));
    }

    #[test]
    fn a_snapshot_is_begun_at_its_first_byte_and_ends_behind_what_matches() {
        let data = [1, 2, 3].into();
        let snapshot =
            Arc::new(Snapshot { index: LogIndex(7), term: Term(2), membership: Arc::default(), data });
        let mut progress = progress(3, 1, Pace::Probe);
        progress.send_snapshot(&snapshot);
        let transfer = progress.transfer.clone().unwrap();
        assert_eq!((transfer.offset, transfer.meta.index, progress.next), (0, LogIndex(7), LogIndex(8)));
        progress.accepted(LogIndex(9));
        progress.snapshot_done();
        assert_eq!((progress.pace, progress.next, progress.transfer), (Pace::Replicate, LogIndex(10), None));
    }
}
