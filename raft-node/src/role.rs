//! The roles, each with the data that belongs to it and dies with it (Raft §5.1).
//!
//! Owns: what a node must remember because of what it is. Must not know: how it came to be that.

use crate::progress::Progress;
use crate::quorum::VoterSet;
use crate::types::{LogIndex, NodeId, PersistId, RoleKind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Follower(Follower),
    Candidate(Candidate),
    Leader(Leader),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Follower {
    /// Who leads the current term, once it was heard of.
    pub(crate) leader: Option<NodeId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The write that makes the candidacy durable, before which no vote counts.
    pub(crate) own_vote: PersistId,
    /// The voters that have answered, by position.
    pub(crate) answered: VoterSet,
    pub(crate) granted: usize,
    pub(crate) refused: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leader {
    /// One per voter, by position; the leader's own says what of its log is durable.
    pub(crate) progress: Vec<Progress>,
}

impl Role {
    #[inline]
    pub(crate) const fn kind(&self) -> RoleKind {
        match self {
            Self::Follower(_) => RoleKind::Follower,
            Self::Candidate(_) => RoleKind::Candidate,
            Self::Leader(_) => RoleKind::Leader,
        }
    }
}

impl Candidate {
    /// Nobody has answered yet.
    pub(crate) fn new(own_vote: PersistId) -> Self {
        Self { own_vote, answered: VoterSet::default(), granted: 0, refused: 0 }
    }
}

impl Leader {
    pub(crate) fn new(voters: usize, last: LogIndex) -> Self {
        Self { progress: vec![Progress::new(last); voters] }
    }
}
