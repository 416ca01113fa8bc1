//! The entries of a log as they were told, in chunks that logs share.
//!
//! Owns where an entry lies. Nearly all that the nodes of a cluster have in their logs, in memory and on their disks, is the
//! same: a chunk that is full is never changed, so that one copy of it does for all. Must not know what a log is good for.

use super::log::LogCell;
use std::sync::Arc;

/// How many entries fill a chunk: those of indexes 1 to this, and so on, wherever a log begins.
const CHUNK: u64 = 256;

/// Entries of consecutive indexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    /// The index before the first.
    base: u64,
    /// The last index that lies in a full chunk; the base if none does.
    full: u64,
    /// The chunks that are full, oldest first. The first may begin below the base, or above the beginning of a chunk.
    chunks: Vec<Arc<[LogCell]>>,
    /// What lies behind them.
    tail: Vec<LogCell>,
}

/// Which chunk an index lies in.
const fn number(index: u64) -> u64 {
    (index - 1) / CHUNK
}

/// Where an index lies in its chunk, which ends with it or behind it.
fn place(index: u64, chunk: &[LogCell]) -> Option<usize> {
    let behind = CHUNK - 1 - (index - 1) % CHUNK;
    chunk.len().checked_sub(1)?.checked_sub(usize::try_from(behind).ok()?)
}

impl Cells {
    /// None, behind `base`.
    pub(super) fn behind(base: u64) -> Self {
        Self { base, full: base, ..Self::default() }
    }

    #[inline]
    pub(super) const fn base(&self) -> u64 {
        self.base
    }

    #[inline]
    pub(super) fn last_index(&self) -> u64 {
        self.full + self.tail.len() as u64
    }

    /// The last index that lies in a full chunk.
    #[inline]
    pub(super) const fn full(&self) -> u64 {
        self.full
    }

    #[inline]
    pub(super) fn last(&self) -> Option<&LogCell> {
        self.tail.last().or_else(|| self.chunks.last()?.last())
    }

    #[inline]
    pub(super) fn get(&self, index: u64) -> Option<&LogCell> {
        if index > self.full {
            return self.tail.get(usize::try_from(index - self.full - 1).ok()?);
        }
        if index <= self.base {
            return None;
        }
        let chunk = self.chunk(number(index))?;
        chunk.get(place(index, chunk)?)
    }

    fn chunk(&self, number: u64) -> Option<&Arc<[LogCell]>> {
        self.chunks.get(usize::try_from(number.checked_sub(self.base / CHUNK)?).ok()?)
    }

    /// The entries from `first` on; none if that one is not there.
    pub(super) fn iter_from(&self, first: u64) -> impl Iterator<Item = &LogCell> {
        (first..=u64::MAX).map_while(|index| self.get(index))
    }

    /// At most `count` entries from `first` on, if all that there are of them lie behind the full chunks.
    #[inline]
    pub(super) fn late_run(&self, first: u64, count: u64) -> Option<&[LogCell]> {
        let start = usize::try_from(first.checked_sub(self.full)?.checked_sub(1)?).ok()?;
        let rest = self.tail.get(start..).unwrap_or_default();
        Some(&rest[..usize::try_from(count).unwrap_or(usize::MAX).min(rest.len())])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LogCell> {
        self.iter_from(self.base.saturating_add(1))
    }

    #[inline]
    pub(super) fn push(&mut self, cell: LogCell) {
        self.tail.push(cell);
        if self.last_index().is_multiple_of(CHUNK) {
            self.fill();
        }
    }

    /// The tail is a full chunk.
    #[cold]
    fn fill(&mut self) {
        self.full = self.last_index();
        self.chunks.push(Arc::from(&self.tail[..]));
        self.tail.clear();
    }

    /// Removes all behind `last`.
    pub(super) fn truncate(&mut self, last: u64) {
        if last < self.full {
            self.open(last);
        } else {
            self.tail.truncate(usize::try_from(last - self.full).unwrap_or(usize::MAX));
        }
    }

    /// Makes the full chunk that `last` lies in, or is followed by, the tail, and ends it there.
    #[cold]
    fn open(&mut self, last: u64) {
        let last = last.max(self.base);
        let number = number(last + 1);
        let below = self.base.max(number * CHUNK);
        let count = usize::try_from(last - below).unwrap_or(usize::MAX);
        let tail = self.iter_from(below + 1).take(count).copied().collect();
        self.chunks.truncate(usize::try_from(number - self.base / CHUNK).unwrap_or(usize::MAX));
        (self.full, self.tail) = (below, tail);
    }

    /// Drops all up to `base`, which is there.
    pub(super) fn compact(&mut self, base: u64) {
        let over = usize::try_from(base / CHUNK - self.base / CHUNK).unwrap_or(usize::MAX);
        self.chunks.drain(..over.min(self.chunks.len()));
        if base > self.full {
            self.tail.drain(..usize::try_from(base - self.full).unwrap_or(usize::MAX));
            self.full = base;
        }
        self.base = base;
    }

    /// Becomes equal to `other`, in the memory that it has.
    pub(super) fn copy_from(&mut self, other: &Self) {
        (self.base, self.full) = (other.base, other.full);
        self.chunks.clone_from(&other.chunks);
        self.tail.clone_from(&other.tail);
    }

    /// Takes the chunks of `other` in the place of its own that are the same: the last ones, down to one that is shared or
    /// differs. Tells whether the last one is shared now.
    ///
    /// Entries carry the hash of all before them: chunks that end in the same one are the same.
    pub(super) fn share(&mut self, other: &Self) -> bool {
        let mut shared = false;
        // A full chunk ends at a multiple of its size.
        let numbers = (0..self.full / CHUNK).rev();
        for (number, ours) in numbers.zip(self.chunks.iter_mut().rev()) {
            let Some(theirs) = other.chunk(number) else { return shared };
            if Arc::ptr_eq(ours, theirs) {
                return true;
            }
            if theirs.last() != ours.last() || theirs.len() < ours.len() {
                return shared;
            }
            *ours = Arc::clone(theirs);
            shared = true;
        }
        shared
    }
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        let all = |cells: &Self| (cells.base, cells.last_index());
        all(self) == all(other) && self.iter().eq(other.iter())
    }
}

impl Eq for Cells {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Hash64;
    use sim_core::Stream;

    fn cell(term: u64, prefix: u64) -> LogCell {
        LogCell { term, command: Hash64(term), prefix: Hash64(prefix) }
    }

    fn filled(base: u64, last: u64) -> Cells {
        let mut cells = Cells::behind(base);
        (base + 1..=last).for_each(|index| cells.push(cell(1, index)));
        cells
    }

    /// Whatever is done to them, they are what a plain list is.
    #[test]
    fn chunks_are_a_list() {
        for seed in 0..200 {
            let mut stream = Stream::new(seed, "cells", 0);
            let mut base = stream.below(600);
            let (mut cells, mut list) = (Cells::behind(base), Vec::new());
            for step in 0..60 {
                let last = base + list.len() as u64;
                match stream.below(8) {
                    0 => {
                        let keep = stream.between(base, last);
                        cells.truncate(keep);
                        list.truncate(usize::try_from(keep - base).unwrap());
                    }
                    1 if last > base => {
                        let next = stream.between(base + 1, last);
                        cells.compact(next);
                        list.drain(..usize::try_from(next - base).unwrap());
                        base = next;
                    }
                    _ => {
                        for _ in 0..stream.below(200) {
                            let cell = cell(step, stream.bits());
                            cells.push(cell);
                            list.push(cell);
                        }
                    }
                }
                let last = base + list.len() as u64;
                assert_eq!((cells.base(), cells.last_index()), (base, last), "seed {seed}");
                assert_eq!(cells.last(), list.last(), "seed {seed}");
                assert!(cells.iter().eq(&list), "seed {seed}");
                for index in [0, base, last + 1] {
                    assert_eq!(cells.get(index), None, "seed {seed} at {index}");
                }
                let mut copy = filled(3, 700);
                copy.copy_from(&cells);
                assert_eq!(copy, cells, "seed {seed}");
            }
        }
    }

    #[test]
    fn equal_chunks_are_shared_wherever_their_logs_begin() {
        for (base, chunks) in [(0, 2), (1, 2), (255, 2), (256, 1), (300, 1), (511, 1)] {
            let whole = filled(0, 600);
            let mut cells = filled(0, 600);
            cells.compact(base.max(1));
            let mut late = filled(base, 600);
            assert!(late.share(&whole) && cells.share(&whole), "behind {base}");
            assert_eq!(late, filled(base, 600));
            for shared in [&late, &cells] {
                assert_eq!(shared.chunks.len(), chunks);
                let same = shared.chunks.iter().rev().zip(whole.chunks.iter().rev());
                assert!(same.into_iter().all(|(a, b)| Arc::ptr_eq(a, b)), "behind {base}");
            }
        }
    }

    #[test]
    fn chunks_that_differ_stay_apart() {
        let whole = filled(0, 600);
        let mut other = filled(0, 500);
        other.push(cell(2, 7));
        (502..=512).for_each(|index| other.push(cell(2, index + 1)));
        let before = other.clone();
        assert!(!other.share(&whole), "the last one differs");
        assert!(!other.share(&filled(0, 300)), "there is none to share");
        assert_eq!(other, before);
        // One that is cut off at the front does not do for a whole one.
        assert!(!filled(0, 256).share(&filled(100, 256)));
        assert_eq!(filled(0, 256).get(50), Some(&cell(1, 50)));
    }

    #[test]
    fn the_highest_index_is_in_reach() {
        let mut cells = filled(u64::MAX - 2, u64::MAX);
        assert_eq!((cells.last_index(), cells.get(u64::MAX)), (u64::MAX, Some(&cell(1, u64::MAX))));
        assert_eq!(cells.iter().count(), 2);
        cells.truncate(u64::MAX - 1);
        assert_eq!(cells.last_index(), u64::MAX - 1);
    }
}
