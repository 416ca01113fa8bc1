//! The numbers of Raft, each its own type, so that a swapped pair does not compile.
//!
//! Owns: names for numbers. Must not know: what the numbers are compared for.

use core::fmt;

/// A node of the cluster. Any value is a node's name; nothing is assumed to be dense or to start at zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// A term, Raft's logical clock (Raft §5.1). Zero is the term before the first election.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u64);

/// The place of an entry in the log (Raft §5.3). The first entry has index one; zero is before the first
/// entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogIndex(pub u64);

/// Names one write of one life of a node; counts from one, without gaps, in the order in which writes were
/// asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistId(pub u64);

/// A moment on the host's own monotonic clock, in nanoseconds since any moment that does not move. Moments of
/// two hosts, or of two lives of one, are never compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(pub u64);

/// Names one read for the host that asked for it. The host must never use one twice, not even in a later
/// life: a late answer to another read would be taken for this one's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadId(pub u64);

impl LocalTime {
    /// How long ago `earlier` was, in nanoseconds; zero if it is not earlier.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `ns` nanoseconds later; saturates.
    #[inline]
    #[must_use]
    pub const fn after(self, ns: u64) -> Self {
        Self(self.0.saturating_add(ns))
    }
}

impl Term {
    /// The term before the first election; also the term of the place before the first entry.
    pub const ZERO: Self = Self(0);

    /// The term after this one; the last term there is follows itself.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl LogIndex {
    /// The place before the first entry.
    pub const ZERO: Self = Self(0);

    /// The index after this one; the last index there is follows itself.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The index before this one; index zero precedes itself.
    #[inline]
    #[must_use]
    pub const fn prev(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The index `count` entries further on; saturates.
    #[inline]
    #[must_use]
    pub const fn advanced_by(self, count: usize) -> Self {
        Self(self.0.saturating_add(count as u64))
    }
}

impl PersistId {
    /// The id of the write after this one; the last id there is follows itself.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Writes the bare number: a trace says `t3` or `prev 4/2` around it.
macro_rules! displayed_as_number {
    ($($number:ident),*) => {$(
        impl fmt::Display for $number {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
displayed_as_number!(NodeId, Term, LogIndex, PersistId, LocalTime, ReadId);

/// The roles of a node (Raft §5.1), without the data that belongs to each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RoleKind {
    /// Answers others and waits.
    #[default]
    Follower,
    /// Asks whether it would be voted for, before it disturbs anybody with a new term (thesis §9.6).
    PreCandidate,
    /// Asks for votes.
    Candidate,
    /// Replicates its log to the others.
    Leader,
}

impl RoleKind {
    /// Every role, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Follower, Self::PreCandidate, Self::Candidate, Self::Leader];

    /// One letter for narrow tables: `F`, `P`, `C`, `L`.
    #[inline]
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Follower => 'F',
            Self::PreCandidate => 'P',
            Self::Candidate => 'C',
            Self::Leader => 'L',
        }
    }

    /// The word of the paper, in lower case.
    #[inline]
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Follower => "follower",
            Self::PreCandidate => "pre-candidate",
            Self::Candidate => "candidate",
            Self::Leader => "leader",
        }
    }
}

impl fmt::Display for RoleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{LocalTime, LogIndex, PersistId, RoleKind, Term};

    #[test]
    fn next_and_prev_stop_at_the_ends_of_the_range() {
        assert_eq!(LogIndex(4).next(), LogIndex(5));
        assert_eq!(LogIndex(4).prev(), LogIndex(3));
        assert_eq!(LogIndex::ZERO.prev(), LogIndex::ZERO);
        assert_eq!(LogIndex(u64::MAX).next(), LogIndex(u64::MAX));
        assert_eq!(LogIndex(u64::MAX - 1).advanced_by(7), LogIndex(u64::MAX));
        assert_eq!(Term(u64::MAX).next(), Term(u64::MAX));
        assert_eq!(PersistId(u64::MAX).next(), PersistId(u64::MAX));
        assert_eq!(LocalTime(u64::MAX).after(1), LocalTime(u64::MAX));
    }

    #[test]
    fn a_moment_that_is_not_earlier_was_no_time_ago() {
        assert_eq!([4, 5, 6].map(|earlier| LocalTime(5).since(LocalTime(earlier))), [1, 0, 0]);
    }

    #[test]
    fn every_role_has_its_own_letter_and_name() {
        let letters: String = RoleKind::ALL.iter().map(|role| role.letter()).collect();
        assert_eq!(letters, "FPCL");
        assert_eq!(RoleKind::ALL.map(RoleKind::name), ["follower", "pre-candidate", "candidate", "leader"]);
    }
}
