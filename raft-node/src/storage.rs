//! What a node asks its host to keep, and what is left of it after a crash.
//!
//! Owns: the shape of durable state and of one write. Must not know: disks, or when a write is done.

use std::sync::Arc;

use crate::entry::{Entries, Entry};
use crate::membership::Membership;
use crate::types::{LogIndex, NodeId, Term};

/// The durable state besides the log (Raft, figure 2): always read and written as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HardState {
    /// The latest term that the node has seen.
    pub term: Term,
    /// The candidate that got the node's vote in that term.
    pub vote: Option<NodeId>,
}

/// The state machine as of some index, in place of the log up to there (Raft §7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// The last index that it holds.
    pub index: LogIndex,
    /// The term of the entry at that index.
    pub term: Term,
    /// The membership in force at that index.
    pub membership: Arc<Membership>,
    /// The state machine, in the host's own bytes.
    pub data: Arc<[u8]>,
}

/// A snapshot without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SnapshotMeta {
    /// The last index that it holds.
    pub index: LogIndex,
    /// The term of the entry at that index.
    pub term: Term,
    /// The membership in force at that index.
    pub membership: Arc<Membership>,
}

impl Snapshot {
    /// The snapshot without its bytes.
    #[must_use]
    pub fn meta(&self) -> SnapshotMeta {
        SnapshotMeta { index: self.index, term: self.term, membership: Arc::clone(&self.membership) }
    }
}

/// What survives a crash. The default is what a node has before its first boot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    /// Term and vote.
    pub hard: HardState,
    /// The last snapshot, taken or installed.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The index before the first entry of the log, and the term of the entry that was there. Never above the
    /// snapshot; zero and zero without one.
    pub base: (LogIndex, Term),
    /// The log; its first entry is the one after the base.
    pub log: Vec<Entry>,
}

/// A change of the durable log: all from `first` on is replaced by `entries`, possibly by none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogWrite {
    /// The first index that changes; above the base, and at most one past the last of the log as earlier
    /// writes leave it.
    pub first: LogIndex,
    /// What follows from there.
    pub entries: Entries,
}

/// One write: all of it becomes durable, or none. Its parts are done in the order in which they stand here.
///
/// Atomic because a new term without its vote, or a vote without its term, elects two leaders after a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Write {
    /// The new hard state, if it changed.
    pub hard: Option<HardState>,
    /// The new snapshot, if there is one. A log that has the snapshot's last entry stays as it is; any other
    /// is emptied, and goes on behind the snapshot (Raft figure 13, steps 6 and 7).
    pub snapshot: Option<Arc<Snapshot>>,
    /// The change of the log, if it changed.
    pub log: Option<LogWrite>,
    /// All up to here is in the snapshot and may leave the log; zero if nothing may.
    pub compact: LogIndex,
}

impl Durable {
    /// Does a write. Writes must be applied in the order in which they were asked for.
    pub fn apply(&mut self, write: Write) {
        let Write { hard, snapshot, log, compact } = write;
        if let Some(hard) = hard {
            self.hard = hard;
        }
        if let Some(snapshot) = snapshot {
            self.follow_snapshot(snapshot.index, snapshot.term);
            self.snapshot = Some(snapshot);
        }
        if let Some(LogWrite { first, entries }) = log {
            self.log.truncate(self.position(first).unwrap_or(0));
            self.log.extend_from_slice(entries.as_slice());
        }
        if let Some(term) = self.term_at(compact) {
            self.log.drain(..=self.position(compact).unwrap_or(0));
            self.base = (compact, term);
        }
    }

    /// Does to the log what a snapshot that ends so does to it, by the rule of [`Write::snapshot`].
    pub(crate) fn follow_snapshot(&mut self, index: LogIndex, term: Term) {
        if index > self.base.0 && self.term_at(index) != Some(term) {
            self.log.clear();
            self.base = (index, term);
        }
    }

    /// Where in the log an index lies, whether there is an entry or not; none up to the base. Past the end of
    /// the address space there is nothing to keep or to cut.
    fn position(&self, index: LogIndex) -> Option<usize> {
        let offset = index.0.checked_sub(self.base.0.next().0)?;
        Some(usize::try_from(offset).unwrap_or(usize::MAX))
    }

    /// The term of the entry at an index; none up to the base and past the last.
    fn term_at(&self, index: LogIndex) -> Option<Term> {
        self.log.get(self.position(index)?).map(|entry| entry.term)
    }

    /// The index of the last entry, or the base.
    #[must_use]
    pub fn last_index(&self) -> LogIndex {
        self.base.0.advanced_by(self.log.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Durable, HardState, LogWrite, Snapshot, Write};
    use crate::entry::{Entries, Entry, EntryKind};
    use crate::membership::Membership;
    use crate::types::{LogIndex, NodeId, Term};

    fn entries(terms: &[u64]) -> Vec<Entry> {
        terms.iter().map(|term| Entry { term: Term(*term), kind: EntryKind::Noop }).collect()
    }

    fn snapshot(index: u64, term: u64) -> Option<Arc<Snapshot>> {
        let membership = Arc::new(Membership::default());
        Some(Arc::new(Snapshot { index: LogIndex(index), term: Term(term), membership, data: [7].into() }))
    }

    #[test]
    fn a_write_replaces_the_log_from_its_first_index_and_nothing_else() {
        let hard = HardState { term: Term(2), vote: Some(NodeId(1)) };
        let rows: [(u64, &[u64], &[u64]); 5] = [
            (4, &[2], &[1, 1, 1, 2]),
            (2, &[2, 2], &[1, 2, 2]),
            (3, &[], &[1, 1]),
            (1, &[], &[]),
            (1, &[9], &[9]),
        ];
        for base in [0, 10] {
            for (first, new, expected) in rows {
                let base = (LogIndex(base), Term(base.min(1)));
                let mut durable = Durable { hard, base, log: entries(&[1, 1, 1]), snapshot: None };
                let first = LogIndex(base.0.0 + first);
                let log = LogWrite { first, entries: Entries::from(entries(new)) };
                durable.apply(Write { log: Some(log), ..Write::default() });
                assert_eq!(durable, Durable { hard, base, log: entries(expected), snapshot: None });
            }
        }
    }

    #[test]
    fn a_write_of_the_hard_state_leaves_the_log() {
        let hard = HardState { term: Term(2), vote: None };
        let mut durable = Durable { log: entries(&[1]), ..Durable::default() };
        durable.apply(Write { hard: Some(hard), ..Write::default() });
        assert_eq!(durable, Durable { hard, log: entries(&[1]), ..Durable::default() });
    }

    #[test]
    fn a_snapshot_empties_a_log_that_does_not_have_its_last_entry() {
        // The snapshot; the base and the log after it. The log before is 1/1, 2/2, 3/2.
        type Row = ((u64, u64), (u64, u64), &'static [u64]);
        let rows: [Row; 5] = [
            ((2, 2), (0, 0), &[1, 2, 2]),
            ((3, 2), (0, 0), &[1, 2, 2]),
            ((2, 1), (2, 1), &[]),
            ((4, 2), (4, 2), &[]),
            ((9, 3), (9, 3), &[]),
        ];
        for ((index, term), base, expected) in rows {
            let mut durable = Durable { log: entries(&[1, 2, 2]), ..Durable::default() };
            durable.apply(Write { snapshot: snapshot(index, term), ..Write::default() });
            assert_eq!(durable.base, (LogIndex(base.0), Term(base.1)), "{index}/{term}");
            assert_eq!(durable.log, entries(expected), "{index}/{term}");
            assert_eq!(durable.snapshot, snapshot(index, term));
        }
        // Up to the base the log has nothing that could be another.
        for index in [1, 2] {
            let base = (LogIndex(2), Term(2));
            let mut durable = Durable { base, log: entries(&[2]), ..Durable::default() };
            durable.apply(Write { snapshot: snapshot(index, 1), ..Write::default() });
            assert_eq!((durable.base, durable.log), (base, entries(&[2])), "{index}");
        }
    }

    #[test]
    fn compacting_moves_the_base_and_leaves_what_follows() {
        let rows: [(u64, (u64, u64), &[u64]); 5] = [
            (0, (0, 0), &[1, 2, 3]),
            (1, (1, 1), &[2, 3]),
            (3, (3, 3), &[]),
            (4, (0, 0), &[1, 2, 3]),
            (u64::MAX, (0, 0), &[1, 2, 3]),
        ];
        for (index, base, expected) in rows {
            let mut durable = Durable { log: entries(&[1, 2, 3]), ..Durable::default() };
            durable.apply(Write { compact: LogIndex(index), ..Write::default() });
            assert_eq!(durable.base, (LogIndex(base.0), Term(base.1)), "{index}");
            assert_eq!((durable.log.clone(), durable.last_index().0), (entries(expected), base.0.max(3)));
            durable.apply(Write { compact: LogIndex(1), ..Write::default() });
            assert_eq!(durable.last_index().0, base.0.max(3), "what is gone is not missed");
        }
    }
}
