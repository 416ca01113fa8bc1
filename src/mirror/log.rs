//! A log as it was told: what stands where, and the hash of all that stands before it.

use crate::record::Hash64;

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
    /// The last index that is no longer there. Always 0 until there is compaction.
    base: u64,
    base_term: u64,
    base_prefix: Hash64,
    cells: Vec<LogCell>,
}

impl LogMirror {
    /// The index of the last entry; 0 if there is none.
    #[inline]
    #[must_use]
    pub fn last_index(&self) -> u64 {
        self.base + self.cells.len() as u64
    }

    /// The term of the last entry; 0 if there is none.
    #[must_use]
    pub fn last_term(&self) -> u64 {
        self.cells.last().map_or(self.base_term, |cell| cell.term)
    }

    /// The entry at `index`.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&LogCell> {
        self.cells.get(self.position(index)?)
    }

    /// The hash of the log up to `index`, 0 for the empty log; nothing beyond its end.
    #[inline]
    #[must_use]
    pub fn prefix_at(&self, index: u64) -> Option<Hash64> {
        if index == self.base { Some(self.base_prefix) } else { self.get(index).map(|cell| cell.prefix) }
    }

    /// The hash of the whole log.
    #[inline]
    #[must_use]
    pub fn last_prefix(&self) -> Hash64 {
        self.cells.last().map_or(self.base_prefix, |cell| cell.prefix)
    }

    /// At most `count` entries from `first` on.
    #[must_use]
    pub fn slice(&self, first: u64, count: u64) -> &[LogCell] {
        let Some(start) = self.position(first) else { return &[] };
        let rest = self.cells.get(start..).unwrap_or_default();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        &rest[..rest.len().min(count)]
    }

    /// Every entry that is there, in order.
    #[must_use]
    pub fn cells(&self) -> &[LogCell] {
        &self.cells
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
        let keep = from.saturating_sub(self.base + 1);
        self.cells.truncate(usize::try_from(keep).unwrap_or(usize::MAX));
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.cells.clear();
        (self.base, self.base_term, self.base_prefix) = (0, 0, Hash64::default());
    }

    /// Becomes equal to `other`, in the memory that it has.
    pub fn copy_from(&mut self, other: &Self) {
        (self.base, self.base_term, self.base_prefix) = (other.base, other.base_term, other.base_prefix);
        self.cells.clone_from(&other.cells);
    }

    /// Appends entries that were hashed as the continuation of a log with the hash `before`.
    pub(super) fn extend(&mut self, before: Option<Hash64>, cells: impl Iterator<Item = LogCell>) {
        if before == Some(self.last_prefix()) {
            self.cells.extend(cells);
        } else {
            // Another log stands below than the one they were cut from (the node did not write what it had
            // changed there), so the hashes that they bring along are not those of this log.
            cells.for_each(|cell| self.push(cell.term, cell.command));
        }
    }

    #[inline]
    fn position(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.base + 1)?).ok()
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

    #[test]
    fn a_slice_ends_where_the_log_ends() {
        let log = log(&[1, 2, 3]);
        let terms = |first, count| log.slice(first, count).iter().map(|cell| cell.term).collect::<Vec<_>>();
        assert_eq!(terms(2, 1), [2]);
        assert_eq!(terms(2, 9), [2, 3]);
        assert_eq!(terms(4, 1), [] as [u64; 0]);
        assert_eq!(terms(0, 1), [] as [u64; 0]);
    }
}
