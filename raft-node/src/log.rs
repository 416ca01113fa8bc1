//! The log in memory (Raft §5.3).
//!
//! Owns: entries and the way from an index to an entry, which only [`Log::position`] knows: the log begins
//! behind its base, the last index that was compacted away. Must not know: disks, messages, roles.

use crate::entry::{Entries, Entry};
use crate::message::Conflict;
use crate::types::{LogIndex, Term};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// The index before the first entry; zero if nothing was ever compacted.
    base: LogIndex,
    /// The term of the entry that was there.
    base_term: Term,
    entries: Vec<Entry>,
}

impl Log {
    pub(crate) fn new((base, base_term): (LogIndex, Term), entries: Vec<Entry>) -> Self {
        Self { base, base_term, entries }
    }

    /// The index before the first entry, and the term of the entry that was there.
    #[inline]
    pub(crate) fn base(&self) -> (LogIndex, Term) {
        (self.base, self.base_term)
    }

    #[inline]
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    #[inline]
    pub(crate) fn last_index(&self) -> LogIndex {
        self.base.advanced_by(self.entries.len())
    }

    /// The term of the last entry; that of the base for an empty log.
    #[inline]
    pub(crate) fn last_term(&self) -> Term {
        self.entries.last().map_or(self.base_term, |entry| entry.term)
    }

    /// Where in `entries` an index lies, whether there is an entry or not; none up to the base.
    #[inline]
    fn position(&self, index: LogIndex) -> Option<usize> {
        usize::try_from(index.0.checked_sub(self.base.0)?.checked_sub(1)?).ok()
    }

    /// The index of what lies at a position.
    #[inline]
    fn index(&self, position: usize) -> LogIndex {
        self.base.advanced_by(position).next()
    }

    #[inline]
    pub(crate) fn get(&self, index: LogIndex) -> Option<&Entry> {
        self.entries.get(self.position(index)?)
    }

    /// The term at an index: zero at zero, if the log goes back so far; none below the base and past the
    /// last.
    #[inline]
    pub(crate) fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.base { Some(self.base_term) } else { self.get(index).map(|entry| entry.term) }
    }

    /// The entries from `first` on; none if the log ends before, or begins later.
    #[inline]
    pub(crate) fn rest(&self, first: LogIndex) -> &[Entry] {
        self.position(first).and_then(|start| self.entries.get(start..)).unwrap_or_default()
    }

    /// At most `max` entries from `first` on; none if the log ends before, or begins later.
    #[inline]
    pub(crate) fn run(&self, first: LogIndex, max: usize) -> Entries {
        let rest = self.rest(first);
        Entries::from_slice(&rest[..rest.len().min(max)])
    }

    /// As [`Log::run`], but the entries after the first only as far as all are at most `bytes_max` together.
    pub(crate) fn run_of_bytes(&self, first: LogIndex, max: usize, bytes_max: u64) -> Entries {
        let rest = self.rest(first);
        let mut bytes = 0_u64;
        let fits = |entry: &&Entry| {
            bytes = bytes.saturating_add(u64::from(entry.bytes()));
            bytes <= bytes_max
        };
        let count = rest.iter().take(max).take_while(fits).count().max(1).min(rest.len());
        Entries::from_slice(&rest[..count])
    }

    pub(crate) fn append(&mut self, entries: &[Entry]) {
        self.entries.extend_from_slice(entries);
    }

    /// Removes the entry at `first` and all that follow.
    pub(crate) fn truncate(&mut self, first: LogIndex) {
        if let Some(position) = self.position(first) {
            self.entries.truncate(position);
        }
    }

    /// Forgets all up to `base`, which is in the log and has a term.
    pub(crate) fn compact(&mut self, base: LogIndex) {
        let Some(term) = self.term_at(base) else { return };
        if let Some(position) = self.position(base) {
            self.entries.drain(..=position);
            (self.base, self.base_term) = (base, term);
        }
    }

    /// Forgets everything, and begins anew behind `base`.
    pub(crate) fn reset(&mut self, base: LogIndex, term: Term) {
        self.entries.clear();
        (self.base, self.base_term) = (base, term);
    }

    /// How many of `entries`, which follow `prev`, are in the log already: same index, same term, and
    /// therefore the same entry and the same ones before it (Log Matching, Raft §5.3).
    #[inline]
    pub(crate) fn shared(&self, prev: LogIndex, entries: &[Entry]) -> usize {
        self.rest(prev.next())
            .iter()
            .zip(entries)
            .take_while(|(ours, theirs)| ours.term == theirs.term)
            .count()
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
        self.index(self.entries.partition_point(|entry| entry.term < term))
    }

    /// The last index of a term; none if the log has no entry of it, from its base on.
    pub(crate) fn last_index_of(&self, term: Term) -> Option<LogIndex> {
        let after = self.entries.partition_point(|entry| entry.term <= term);
        match after.checked_sub(1) {
            Some(position) => (self.entries[position].term == term).then(|| self.index(position)),
            None => (self.base_term == term).then_some(self.base),
        }
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
        Log::new((LogIndex::ZERO, Term::ZERO), entries(terms))
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
        assert_eq!(found, [Some(0), None, Some(2), None, Some(5), None]);
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
    fn a_run_of_bytes_has_its_first_entry_and_what_fits_beside_it() {
        let log = log(&[1, 2, 3]);
        let one = u64::from(entries(&[1])[0].bytes());
        let rows: [(u64, usize, u64, usize); 7] = [
            (1, 9, 0, 1),
            (1, 9, one, 1),
            (1, 9, 2 * one, 2),
            (1, 9, 3 * one - 1, 2),
            (1, 2, u64::MAX, 2),
            (3, 9, u64::MAX, 1),
            (4, 9, u64::MAX, 0),
        ];
        for (first, max, bytes, expected) in rows {
            assert_eq!(log.run_of_bytes(LogIndex(first), max, bytes).len(), expected, "{first} {bytes}");
        }
    }

    #[test]
    fn compacting_forgets_the_front_and_moves_no_index() {
        for base in 0..=5 {
            let mut log = log(&[1, 1, 2, 2, 3]);
            log.compact(LogIndex(base));
            assert_eq!((log.base().0.0, log.last_index().0, log.last_term().0), (base, 5, 3));
            let known: Vec<u64> = (0..9).filter(|index| log.term_at(LogIndex(*index)).is_some()).collect();
            assert_eq!(known, (base..=5).collect::<Vec<_>>());
            let first = log.get(LogIndex(base + 1)).map(|entry| entry.term.0);
            assert_eq!(first, [1, 1, 2, 2, 3].get(usize::try_from(base).unwrap()).copied());
            for useless in [0, base, 6, u64::MAX] {
                let before = log.clone();
                log.compact(LogIndex(useless));
                assert_eq!(log, before);
            }
            log.truncate(LogIndex(base + 2));
            assert_eq!(log.last_index().0, (base + 1).min(5));
            log.append(&entries(&[7]));
            assert_eq!(log.term_at(log.last_index()), Some(Term(7)));
        }
    }

    #[test]
    fn a_compacted_log_leads_no_further_back_than_its_base() {
        let mut log = log(&[2, 2, 5, 5, 5]);
        log.compact(LogIndex(4));
        assert_eq!(log.conflict(LogIndex(5)), Conflict { term: Some(Term(5)), index: LogIndex(5) });
        assert_eq!([2, 5].map(|term| log.last_index_of(Term(term))), [None, Some(LogIndex(5))]);
        log.reset(LogIndex(9), Term(6));
        assert_eq!((log.last_index(), log.last_term()), (LogIndex(9), Term(6)));
        assert_eq!(log.last_index_of(Term(6)), Some(LogIndex(9)));
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
