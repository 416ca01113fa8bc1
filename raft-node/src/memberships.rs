//! The memberships that are in the log, back to the one before it.
//!
//! Owns: which one is in force, and which one was at an index. Must not know: what an entry is, or who is
//! counted.

use std::sync::Arc;

use crate::membership::Membership;
use crate::types::LogIndex;

/// A stack that is never empty: each membership with the index of its entry, the one in force on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Memberships {
    below: Vec<(LogIndex, Arc<Membership>)>,
    top: (LogIndex, Arc<Membership>),
}

impl Memberships {
    pub(crate) fn new(index: LogIndex, membership: Arc<Membership>) -> Self {
        Self { below: Vec::new(), top: (index, membership) }
    }

    /// The index of the membership that is in force.
    #[inline]
    pub(crate) fn index(&self) -> LogIndex {
        self.top.0
    }

    /// The membership that is in force.
    #[inline]
    pub(crate) fn current(&self) -> &Arc<Membership> {
        &self.top.1
    }

    /// The membership that was in force at `index`; the oldest that is known, if it is older than that.
    pub(crate) fn at(&self, index: LogIndex) -> &Arc<Membership> {
        if self.top.0 <= index {
            return &self.top.1;
        }
        let found = self.below.iter().rev().find(|(at, _)| *at <= index).or_else(|| self.below.first());
        found.map_or(&self.top.1, |(_, membership)| membership)
    }

    /// The membership that was in force at `index`, and those that came after it.
    pub(crate) fn since(&self, index: LogIndex) -> impl Iterator<Item = &Membership> {
        self.all().skip(self.older(index)).map(|(_, membership)| &**membership)
    }

    fn all(&self) -> impl Iterator<Item = &(LogIndex, Arc<Membership>)> {
        self.below.iter().chain(core::iter::once(&self.top))
    }

    /// How many are older than the one that was in force at `index`.
    fn older(&self, index: LogIndex) -> usize {
        self.all().take_while(|(at, _)| *at <= index).count().saturating_sub(1)
    }

    /// An entry at `index`, which is above all others, has another membership.
    pub(crate) fn push(&mut self, index: LogIndex, membership: Arc<Membership>) {
        self.below.push(core::mem::replace(&mut self.top, (index, membership)));
    }

    /// All entries from `from` on are gone. Returns whether another membership is in force.
    #[inline]
    pub(crate) fn truncate(&mut self, from: LogIndex) -> bool {
        let before = self.top.0;
        while self.top.0 >= from
            && let Some(below) = self.below.pop()
        {
            self.top = below;
        }
        self.top.0 != before
    }

    /// Nobody will ask for the time before `base`.
    pub(crate) fn compact(&mut self, base: LogIndex) {
        self.below.drain(..self.older(base));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Memberships;
    use crate::membership::Membership;
    use crate::types::{LogIndex, NodeId};

    fn of(voter: u16) -> Arc<Membership> {
        Arc::new(Membership::of_voters(&[NodeId(voter)]).unwrap())
    }

    fn stack() -> Memberships {
        let mut memberships = Memberships::new(LogIndex(0), of(0));
        for index in [3, 5, 9] {
            memberships.push(LogIndex(index), of(u16::try_from(index).unwrap()));
        }
        memberships
    }

    #[test]
    fn the_membership_at_an_index_is_the_last_before_it() {
        let memberships = stack();
        for (index, voter) in [(0, 0), (2, 0), (3, 3), (4, 3), (5, 5), (8, 5), (9, 9), (u64::MAX, 9)] {
            assert_eq!(*memberships.at(LogIndex(index)), of(voter), "at {index}");
        }
        assert_eq!((memberships.index(), memberships.current()), (LogIndex(9), &of(9)));
    }

    #[test]
    fn those_since_an_index_begin_with_the_one_in_force_there() {
        for (index, first) in [(0, 0), (2, 0), (3, 3), (8, 5), (9, 9), (u64::MAX, 9)] {
            let memberships = stack();
            let since: Vec<u16> =
                memberships.since(LogIndex(index)).map(|membership| membership.voters()[0].0).collect();
            let all = [0, 3, 5, 9];
            let from = all.iter().position(|voter| *voter == first).unwrap();
            assert_eq!(since, all[from..], "since {index}");
        }
    }

    #[test]
    fn a_truncation_brings_back_the_one_below_over_any_number_of_levels() {
        for (from, index, changed) in [(10, 9, false), (9, 5, true), (4, 3, true), (1, 0, true), (0, 0, true)]
        {
            let mut memberships = stack();
            assert_eq!(memberships.truncate(LogIndex(from)), changed, "from {from}");
            assert_eq!(memberships.index(), LogIndex(index), "from {from}");
        }
    }

    #[test]
    fn compacting_keeps_what_was_in_force_at_the_base() {
        for base in 0..12 {
            let mut memberships = stack();
            memberships.compact(LogIndex(base));
            assert!(
                memberships.since(LogIndex(0)).eq(stack().since(LogIndex(base))),
                "{base}: no more than needed"
            );
            for index in base..12 {
                assert_eq!(memberships.at(LogIndex(index)), stack().at(LogIndex(index)), "{base} {index}");
            }
            memberships.truncate(LogIndex(base + 1));
            assert_eq!(memberships.current(), stack().at(LogIndex(base)), "{base}");
        }
    }
}
