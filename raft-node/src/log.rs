//! The log in memory (Raft §5.3).
//!
//! Owns: entries and the way from an index to an entry, which only [`Log::position`] knows: a log that begins
//! later than at index one will change nothing else. Must not know: disks, messages, roles.

use crate::entry::{Entries, Entry};
use crate::message::Conflict;
use crate::types::{LogIndex, Term};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    entries: Vec<Entry>,
}

impl Log {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    #[inline]
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    #[inline]
    pub(crate) fn last_index(&self) -> LogIndex {
        LogIndex::ZERO.advanced_by(self.entries.len())
    }

    /// The term of the last entry; zero for an empty log.
    #[inline]
    pub(crate) fn last_term(&self) -> Term {
        self.entries.last().map_or(Term::ZERO, |entry| entry.term)
    }

    /// Where in `entries` an index lies, whether there is an entry or not; none before the first.
    #[inline]
    fn position(index: LogIndex) -> Option<usize> {
        usize::try_from(index.0.checked_sub(1)?).ok()
    }

    /// The index of what lies at a position.
    #[inline]
    fn index(position: usize) -> LogIndex {
        LogIndex::ZERO.advanced_by(position).next()
    }

    #[inline]
    pub(crate) fn get(&self, index: LogIndex) -> Option<&Entry> {
        self.entries.get(Self::position(index)?)
    }

    /// The term at an index: zero before the first entry, none past the last.
    #[inline]
    pub(crate) fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == LogIndex::ZERO { Some(Term::ZERO) } else { self.get(index).map(|entry| entry.term) }
    }

    /// At most `max` entries from `first` on; none if the log ends before.
    #[inline]
    pub(crate) fn run(&self, first: LogIndex, max: usize) -> Entries {
        let rest = Self::position(first).and_then(|start| self.entries.get(start..)).unwrap_or_default();
        Entries::from_slice(&rest[..rest.len().min(max)])
    }

    pub(crate) fn append(&mut self, entries: &[Entry]) {
        self.entries.extend_from_slice(entries);
    }

    /// Removes the entry at `first` and all that follow.
    pub(crate) fn truncate(&mut self, first: LogIndex) {
        if let Some(position) = Self::position(first) {
            self.entries.truncate(position);
        }
    }

    /// How many of `entries`, which follow `prev`, are in the log already: same index, same term, and
    /// therefore the same entry and the same ones before it (Log Matching, Raft §5.3).
    #[inline]
    pub(crate) fn shared(&self, prev: LogIndex, entries: &[Entry]) -> usize {
        let ours =
            Self::position(prev.next()).and_then(|start| self.entries.get(start..)).unwrap_or_default();
        ours.iter().zip(entries).take_while(|(ours, theirs)| ours.term == theirs.term).count()
    }

    /// What to tell a leader whose entry at `prev` is not ours.
    pub(crate) fn conflict(&self, prev: LogIndex) -> Conflict {
        match self.get(prev) {
            Some(entry) => Conflict { term: Some(entry.term), index: self.first_index_of(entry.term) },
            None => Conflict { term: None, index: self.last_index().next() },
        }
    }

    /// The first index of a term that is not lower; one past the last index if there is none.
    fn first_index_of(&self, term: Term) -> LogIndex {
        // Terms never decrease along a log.
        Self::index(self.entries.partition_point(|entry| entry.term < term))
    }

    /// The last index of a term; none if the log has no entry of it.
    pub(crate) fn last_index_of(&self, term: Term) -> Option<LogIndex> {
        let after = self.entries.partition_point(|entry| entry.term <= term);
        let position = after.checked_sub(1)?;
        (self.entries[position].term == term).then(|| Self::index(position))
    }

    /// Whether a log that ends in `(last_index, last_term)` is at least as up to date as this one (Raft
    /// §5.4.1).
    #[inline]
    pub(crate) fn is_covered_by(&self, last_index: LogIndex, last_term: Term) -> bool {
        (last_term, last_index) >= (self.last_term(), self.last_index())
    }
}

#[cfg(test)]
mod tests {
    use super::Log;
    use crate::entry::{Entry, EntryKind};
    use crate::message::Conflict;
    use crate::types::{LogIndex, Term};

    fn entries(terms: &[u64]) -> Vec<Entry> {
        terms.iter().map(|term| Entry { term: Term(*term), kind: EntryKind::Noop }).collect()
    }

    fn log(terms: &[u64]) -> Log {
        Log::new(entries(terms))
    }

    fn terms(log: &Log) -> Vec<u64> {
        log.entries().iter().map(|entry| entry.term.0).collect()
    }

    #[test]
    fn an_empty_log_ends_before_its_first_entry() {
        let log = log(&[]);
        assert_eq!(log.last_index(), LogIndex::ZERO);
        assert_eq!(log.last_term(), Term::ZERO);
        assert_eq!(log.term_at(LogIndex::ZERO), Some(Term::ZERO));
        assert_eq!(log.term_at(LogIndex(1)), None);
    }

    #[test]
    fn the_term_at_an_index_is_known_from_before_the_first_to_the_last() {
        let log = log(&[1, 1, 4]);
        let terms = [0, 1, 2, 3, 4, u64::MAX].map(|index| log.term_at(LogIndex(index)).map(|term| term.0));
        assert_eq!(terms, [Some(0), Some(1), Some(1), Some(4), None, None]);
    }

    /// etcd-io/raft `TestFindConflict`: the log is 1/1, 2/2, 3/3; entries follow `prev`.
    #[test]
    fn the_shared_prefix_ends_at_the_first_entry_that_is_missing_or_of_another_term() {
        let log = log(&[1, 2, 3]);
        let rows: [(u64, &[u64], usize); 13] = [
            (0, &[], 0),
            (0, &[1, 2, 3], 3),
            (1, &[2, 3], 2),
            (2, &[3], 1),
            (0, &[1, 2, 3, 4, 4], 3),
            (1, &[2, 3, 4, 5], 2),
            (2, &[3, 4, 4], 1),
            (3, &[4, 4], 0),
            (0, &[4, 4], 0),
            (1, &[1, 4, 4], 0),
            (2, &[1, 2, 4, 4], 0),
            (u64::MAX, &[1], 0),
            (u64::MAX - 1, &[1], 0),
        ];
        for (prev, theirs, expected) in rows {
            assert_eq!(log.shared(LogIndex(prev), &entries(theirs)), expected, "{prev} {theirs:?}");
        }
    }

    #[test]
    fn a_conflict_names_the_term_and_its_first_index_or_the_end_of_the_log() {
        let log = log(&[2, 2, 5, 5, 5]);
        let rows = [
            (0, None, 6),
            (1, Some(2), 1),
            (2, Some(2), 1),
            (3, Some(5), 3),
            (5, Some(5), 3),
            (6, None, 6),
            (u64::MAX, None, 6),
        ];
        for (prev, term, index) in rows {
            let expected = Conflict { term: term.map(Term), index: LogIndex(index) };
            assert_eq!(log.conflict(LogIndex(prev)), expected, "prev {prev}");
        }
    }

    #[test]
    fn the_last_index_of_a_term_is_found_if_the_log_has_the_term() {
        let log = log(&[2, 2, 5, 5, 5]);
        let found = [0, 1, 2, 3, 5, 6].map(|term| log.last_index_of(Term(term)).map(|index| index.0));
        assert_eq!(found, [None, None, Some(2), None, Some(5), None]);
    }

    /// etcd-io/raft `TestIsUpToDate`.
    #[test]
    fn a_later_last_term_wins_and_the_longer_log_wins_within_a_term() {
        let log = log(&[1, 2, 3]);
        let rows = [
            ((2, 4), true),
            ((3, 4), true),
            ((4, 4), true),
            ((2, 2), false),
            ((3, 2), false),
            ((4, 2), false),
            ((2, 3), false),
            ((3, 3), true),
            ((4, 3), true),
        ];
        for ((index, term), expected) in rows {
            assert_eq!(log.is_covered_by(LogIndex(index), Term(term)), expected, "{index}/{term}");
        }
    }

    #[test]
    fn truncating_removes_the_entry_and_all_that_follow() {
        let rows: [(u64, &[u64]); 6] =
            [(0, &[1, 2, 3]), (1, &[]), (2, &[1]), (3, &[1, 2]), (4, &[1, 2, 3]), (u64::MAX, &[1, 2, 3])];
        for (first, expected) in rows {
            let mut log = log(&[1, 2, 3]);
            log.truncate(LogIndex(first));
            assert_eq!(terms(&log), expected, "from {first}");
        }
    }

    #[test]
    fn a_run_is_cut_to_the_most_that_is_wanted_and_to_what_there_is() {
        let log = log(&[1, 2, 3]);
        let rows: [(u64, usize, &[u64]); 7] = [
            (1, 9, &[1, 2, 3]),
            (2, 9, &[2, 3]),
            (2, 1, &[2]),
            (3, 2, &[3]),
            (4, 9, &[]),
            (0, 9, &[]),
            (u64::MAX, 9, &[]),
        ];
        for (first, max, expected) in rows {
            assert_eq!(log.run(LogIndex(first), max).as_slice(), entries(expected), "{first} {max}");
        }
    }

    #[test]
    fn appending_moves_the_end() {
        let mut log = log(&[1]);
        log.append(&entries(&[2, 2]));
        assert_eq!(terms(&log), [1, 2, 2]);
        assert_eq!((log.last_index(), log.last_term()), (LogIndex(3), Term(2)));
        assert_eq!(log.get(LogIndex(2)).map(|entry| entry.term), Some(Term(2)));
    }
}
