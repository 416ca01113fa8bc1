//! A log as it was told: what stands where, and the hash of all that stands before it.

use super::cells::Cells;
use crate::record::{Hash64, SnapshotFacts};

/// One entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogCell {
    /// The entry's term.
    pub term: u64,
    /// The hash of its command.
    pub command: Hash64,
    /// The hash of the log up to and including this entry (see [`Hash64::then`]).
    pub prefix: Hash64,
}

/// A log. Its first entry has index 1.
///
/// What was compacted away is remembered as one index, term and hash: the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogMirror {
    base_term: u64,
    base_prefix: Hash64,
    cells: Cells,
}

impl LogMirror {
    /// The last index that was compacted away; 0 if none was.
    #[inline]
    #[must_use]
    pub const fn base(&self) -> u64 {
        self.cells.base()
    }

    /// The index of the last entry; 0 if there never was one.
    #[inline]
    #[must_use]
    pub fn last_index(&self) -> u64 {
        self.cells.last_index()
    }

    /// The term of the last entry; 0 if there never was one.
    #[must_use]
    pub fn last_term(&self) -> u64 {
        self.cells.last().map_or(self.base_term, |cell| cell.term)
    }

    /// The entry at `index`.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&LogCell> {
        self.cells.get(index)
    }

    /// The term of the entry at `index`, also of the last one that was compacted away.
    #[inline]
    #[must_use]
    pub fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.base() { Some(self.base_term) } else { self.get(index).map(|cell| cell.term) }
    }

    /// The hash of the log up to `index`, 0 for the empty log; nothing beyond its end or below its base.
    #[inline]
    #[must_use]
    pub fn prefix_at(&self, index: u64) -> Option<Hash64> {
        if index == self.base() { Some(self.base_prefix) } else { self.get(index).map(|cell| cell.prefix) }
    }

    /// The hash of the whole log.
    #[inline]
    #[must_use]
    pub fn last_prefix(&self) -> Hash64 {
        self.cells.last().map_or(self.base_prefix, |cell| cell.prefix)
    }

    /// At most `count` entries from `first` on.
    pub fn run(&self, first: u64, count: u64) -> impl Iterator<Item = &LogCell> {
        self.cells.iter_from(first).take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// The same, where nearly all that are asked for lie: at the end of the log.
    #[inline]
    pub(super) fn late_run(&self, first: u64, count: u64) -> Option<&[LogCell]> {
        self.cells.late_run(first, count)
    }

    /// Every entry that is there, in order.
    pub fn cells(&self) -> impl Iterator<Item = &LogCell> {
        self.cells.iter()
    }

    /// Up to which index its entries can be shared with other logs.
    #[inline]
    pub(super) const fn full(&self) -> u64 {
        self.cells.full()
    }

    /// Lets go of entries that `other` has too, and looks there from now on. Tells whether it did.
    pub(super) fn share(&mut self, other: &Self) -> bool {
        self.cells.share(&other.cells)
    }

    /// Appends an entry.
    #[inline]
    pub fn push(&mut self, term: u64, command: Hash64) {
        let prefix = self.last_prefix().then(term, command);
        self.cells.push(LogCell { term, command, prefix });
    }

    /// Removes the entry at `from` and all that follow.
    pub fn truncate_from(&mut self, from: u64) {
        // Whatever lies below the base is not there to be removed.
        self.cells.truncate(from.saturating_sub(1).max(self.base()));
    }

    /// Drops the entries up to `base`, as far as there are any.
    pub fn compact(&mut self, base: u64) {
        // Beyond its end there is nothing to drop.
        let Some(cell) = self.get(base).copied() else { return };
        self.cells.compact(base);
        (self.base_term, self.base_prefix) = (cell.term, cell.prefix);
    }

    /// Begins behind a snapshot. What follows the snapshot's last entry is kept if that entry is there.
    pub fn install(&mut self, facts: &SnapshotFacts) {
        if self.term_at(facts.index) == Some(facts.term) {
            self.compact(facts.index);
        } else {
            self.cells = Cells::behind(facts.index);
            (self.base_term, self.base_prefix) = (facts.term, facts.log);
        }
    }

    /// Ends at `index` with this hash; nothing else is known of it.
    pub(super) fn end_at(&mut self, index: u64, prefix: Hash64) {
        self.cells = Cells::behind(index);
        (self.base_term, self.base_prefix) = (0, prefix);
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Becomes equal to `other`, in the memory that it has.
    pub fn copy_from(&mut self, other: &Self) {
        (self.base_term, self.base_prefix) = (other.base_term, other.base_prefix);
        self.cells.copy_from(&other.cells);
    }

    /// Appends entries that were hashed as the continuation of a log with the hash `before`.
    pub(super) fn extend(&mut self, before: Option<Hash64>, cells: impl Iterator<Item = LogCell>) {
        if before == Some(self.last_prefix()) {
            cells.for_each(|cell| self.cells.push(cell));
        } else {
            // Another log stands below than the one they were cut from (the node did not write what it had
            // changed there), so the hashes that they bring along are not those of this log.
            cells.for_each(|cell| self.push(cell.term, cell.command));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(terms: &[u64]) -> LogMirror {
        let mut log = LogMirror::default();
        terms.iter().for_each(|term| log.push(*term, Hash64(*term * 10)));
        log
    }

    #[test]
    fn indices_start_at_one_and_the_empty_log_hashes_to_zero() {
        let log = log(&[1, 1, 2]);
        assert_eq!((log.last_index(), log.last_term()), (3, 2));
        assert_eq!(log.get(0), None);
        assert_eq!(log.get(1).map(|cell| cell.term), Some(1));
        assert_eq!(log.get(4), None);
        assert_eq!(log.prefix_at(0), Some(Hash64(0)));
        assert_eq!(log.prefix_at(1), Some(Hash64(0).then(1, Hash64(10))));
        assert_eq!(log.prefix_at(4), None);
    }

    #[test]
    fn prefixes_agree_exactly_as_far_as_logs_do() {
        let (a, b) = (log(&[1, 1, 2, 3]), log(&[1, 1, 3, 3]));
        let equal: Vec<bool> = (0..=4).map(|index| a.prefix_at(index) == b.prefix_at(index)).collect();
        assert_eq!(equal, [true, true, true, false, false]);
    }

    #[test]
    fn a_truncated_log_is_the_log_that_never_grew() {
        let mut cut = log(&[1, 1, 2, 3]);
        cut.truncate_from(3);
        assert_eq!(cut, log(&[1, 1]));
        cut.truncate_from(9);
        assert_eq!(cut, log(&[1, 1]));
        cut.truncate_from(0);
        assert_eq!(cut, log(&[]));
    }

    fn facts(index: u64, term: u64) -> SnapshotFacts {
        let (log, state) = (Hash64(7), Hash64(8));
        SnapshotFacts { index, term, log, state, members: crate::record::Members::default() }
    }

    #[test]
    fn a_compacted_log_hashes_as_the_whole_one_and_knows_nothing_below_its_base() {
        let whole = log(&[1, 1, 2, 3]);
        let mut rest = whole.clone();
        rest.compact(2);
        rest.compact(1);
        rest.compact(9);
        assert_eq!((rest.base(), rest.last_index(), rest.last_term()), (2, 4, 3));
        assert_eq!((rest.get(2), rest.term_at(2), rest.term_at(1)), (None, Some(1), None));
        assert_eq!((rest.prefix_at(1), rest.prefix_at(2)), (None, whole.prefix_at(2)));
        assert_eq!(rest.run(2, 9).next(), None);
        rest.push(3, Hash64(30));
        rest.truncate_from(4);
        rest.push(3, Hash64(30));
        assert_eq!(rest.last_prefix(), whole.last_prefix());
        rest.compact(4);
        rest.truncate_from(1);
        assert_eq!((rest.last_index(), rest.last_term()), (4, 3), "the base stays");
    }

    #[test]
    fn an_installed_snapshot_keeps_what_follows_its_last_entry_and_nothing_else() {
        let mut kept = log(&[1, 1, 2, 3]);
        kept.install(&facts(2, 1));
        assert_eq!(
            (kept.base(), kept.last_index(), kept.last_prefix()),
            (2, 4, log(&[1, 1, 2, 3]).last_prefix())
        );
        for other in [facts(2, 2), facts(5, 3)] {
            let mut replaced = log(&[1, 1, 2, 3]);
            replaced.install(&other);
            assert_eq!((replaced.base(), replaced.last_index()), (other.index, other.index));
            assert_eq!((replaced.last_term(), replaced.last_prefix()), (other.term, Hash64(7)));
        }
    }

    #[test]
    fn a_run_ends_where_the_log_ends() {
        let log = log(&[1, 2, 3]);
        let terms = |first, count| log.run(first, count).map(|cell| cell.term).collect::<Vec<_>>();
        assert_eq!(terms(2, 1), [2]);
        assert_eq!(terms(2, 9), [2, 3]);
        assert_eq!(terms(2, 0), [] as [u64; 0]);
        assert_eq!(terms(4, 1), [] as [u64; 0]);
        assert_eq!(terms(0, 1), [] as [u64; 0]);
    }
}
