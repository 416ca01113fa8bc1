//! The roles, each with the data that belongs to it and dies with it (Raft §5.1).
//!
//! Owns: what a node must remember because of what it is. Must not know: how it came to be that.

use std::collections::VecDeque;

use crate::progress::Progress;
use crate::quorum::{Tally, VoterSet};
use crate::types::{LocalTime, LogIndex, NodeId, PersistId, ReadId, RoleKind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Follower(Follower),
    PreCandidate(Poll),
    Candidate(Candidate),
    Leader(Leader),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Follower {
    /// Who leads the current term, once it was heard of.
    pub(crate) leader: Option<NodeId>,
}

/// Who has answered what in an election, or in the asking before one. The membership does not change
/// meanwhile: that would take a leader, whom one then follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Poll {
    /// The members that have answered, by position.
    pub(crate) answered: VoterSet,
    pub(crate) tally: Tally,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The write that makes the candidacy durable, before which no vote counts.
    pub(crate) own_vote: PersistId,
    pub(crate) poll: Poll,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leader {
    /// One per member, by position; the leader's own, if it is one, says what of its log is durable.
    pub(crate) progress: Vec<Progress>,
    /// The first index of this leader's own term, whether there is an entry yet or not.
    pub(crate) own_first: LogIndex,
    /// The round that runs.
    pub(crate) round: u64,
    /// Rounds that are not confirmed yet and when each began, oldest first; kept for leases only.
    pub(crate) rounds: VecDeque<(u64, LocalTime)>,
    /// When the latest round began that a quorum holds up.
    pub(crate) lease_from: Option<LocalTime>,
    /// Reads that wait for their round to be confirmed, oldest first.
    pub(crate) reads: VecDeque<WaitingRead>,
    pub(crate) transfer: Option<Transfer>,
    /// Whether somebody was told to stand: from then on no clock protects this term.
    pub(crate) abdicated: bool,
    /// Bytes of commands of this term that are not committed; counted only if the options bound them.
    pub(crate) uncommitted_bytes: u64,
    /// The first entry that is gathered and not sent, while the batch timer runs.
    pub(crate) batch: Option<LogIndex>,
    /// Those who are to be told that they are no members any more.
    pub(crate) leaving: Vec<Leaving>,
}

/// A read that waits for a leader to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitingRead {
    pub(crate) id: ReadId,
    /// The follower that asks; none for the leader's own host.
    pub(crate) asker: Option<NodeId>,
    /// The round that began with the read.
    pub(crate) round: u64,
}

/// Leadership that is being handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    pub(crate) to: NodeId,
    /// When the leader gives up, and leads on.
    pub(crate) until: LocalTime,
}

/// A member that the latest membership lacks, until that is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub(crate) id: NodeId,
    /// The next entry that it lacks, as far as is known.
    pub(crate) next: LogIndex,
}

impl Role {
    #[inline]
    pub(crate) const fn kind(&self) -> RoleKind {
        match self {
            Self::Follower(_) => RoleKind::Follower,
            Self::PreCandidate(_) => RoleKind::PreCandidate,
            Self::Candidate(_) => RoleKind::Candidate,
            Self::Leader(_) => RoleKind::Leader,
        }
    }
}

impl Leader {
    /// A leader that has sent nothing yet, whose log ends at `last`.
    pub(crate) fn new(members: usize, last: LogIndex, now: LocalTime) -> Self {
        Self {
            progress: vec![Progress::new(last, 0, now); members],
            own_first: last.next(),
            round: 0,
            rounds: VecDeque::new(),
            lease_from: None,
            reads: VecDeque::new(),
            transfer: None,
            abdicated: false,
            uncommitted_bytes: 0,
            batch: None,
            leaving: Vec::new(),
        }
    }
}
