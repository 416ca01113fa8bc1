//! A log as a plain list, hashed from its beginning whenever somebody asks.

use crate::record::{Hash64, SnapshotFacts};

/// An entry: its term and its command.
pub(super) type Entry = (u64, Hash64);

#[derive(Clone, Default)]
pub(super) struct Log {
    /// The last index that is gone, its term, and the hash up to there.
    pub(super) base: (u64, u64, Hash64),
    pub(super) entries: Vec<Entry>,
}

impl Log {
    pub(super) fn length(&self) -> u64 {
        self.base.0 + self.entries.len() as u64
    }

    /// The entries up to `index`, where that is neither gone nor beyond the end.
    fn up_to(&self, index: u64) -> Option<&[Entry]> {
        self.entries.get(..usize::try_from(index.checked_sub(self.base.0)?).ok()?)
    }

    pub(super) fn hash_at(&self, index: u64) -> Option<Hash64> {
        Some(hash(self.base.2, self.up_to(index)?))
    }

    pub(super) fn term_at(&self, index: u64) -> Option<u64> {
        Some(self.up_to(index)?.last().map_or(self.base.1, |(term, _)| *term))
    }

    pub(super) fn entry_at(&self, index: u64) -> Option<Entry> {
        self.up_to(index)?.last().copied()
    }

    /// At most `count` entries from `first` on.
    pub(super) fn part(&self, first: u64, count: u64) -> Vec<Entry> {
        (first..first.saturating_add(count)).map_while(|index| self.entry_at(index)).collect()
    }

    /// Removes what stands behind `index`.
    pub(super) fn cut_behind(&mut self, index: u64) {
        self.entries.truncate(size(index.saturating_sub(self.base.0)));
    }

    pub(super) fn compact(&mut self, base: u64) {
        if let (Some(term), Some(hash)) = (self.term_at(base), self.hash_at(base)) {
            self.entries.drain(..size(base - self.base.0));
            self.base = (base, term, hash);
        }
    }

    pub(super) fn install(&mut self, facts: &SnapshotFacts) {
        if self.term_at(facts.index) == Some(facts.term) {
            self.compact(facts.index);
        } else {
            *self = Self { base: (facts.index, facts.term, facts.log), entries: Vec::new() };
        }
    }

    /// Every place that there is something to compare at: index, term, and the hash up to there.
    pub(super) fn places(&self) -> Vec<(u64, u64, Hash64)> {
        let indexes = (self.base.0 + 1..).zip(&self.entries);
        indexes.map(|(index, (term, _))| (index, *term, self.hash_at(index).unwrap_or_default())).collect()
    }
}

fn hash(before: Hash64, entries: &[Entry]) -> Hash64 {
    entries.iter().fold(before, |hash, (term, command)| hash.then(*term, *command))
}

pub(super) fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
