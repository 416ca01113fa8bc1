//! From one membership to the next (thesis §4.1 to §4.3; etcd-io/raft `confchange`).
//!
//! Owns: what a request makes of a membership. Must not know: whether the time is right for it; the leader
//! does.

use core::fmt;

use super::{BadMembership, Membership};
use crate::types::NodeId;

/// One change of one node's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The node votes, whatever it did before.
    AddVoter(NodeId),
    /// The node learns, whatever it did before: a voter is demoted.
    AddLearner(NodeId),
    /// The node is no member any more, if it was one.
    Remove(NodeId),
}

/// How to go from one set of voters to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transition {
    /// In one step if at most one voter differs (thesis §4.1), else jointly, and the leader leaves by itself.
    #[default]
    Auto,
    /// Jointly, and the leader leaves by itself.
    Implicit,
    /// Jointly, until an empty request leaves.
    Explicit,
}

/// What is asked for: changes, done one after another. No changes at all ask to leave a joint membership.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChangeRequest {
    /// The changes, in order: of two for one node the later counts.
    pub changes: Vec<Change>,
    /// How to get there.
    pub transition: Transition,
}

/// Why a request makes no membership of the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadChange {
    /// The present membership is joint: it can only be left.
    Joint,
    /// There is nothing to change, and no joint membership to leave.
    NotJoint,
    /// There would be no voter.
    NoVoters,
    /// There would be more members than [`super::MEMBERS_MAX`].
    TooMany,
}

impl ChangeRequest {
    /// These changes, by the transition that fits.
    #[must_use]
    pub fn auto(changes: &[Change]) -> Self {
        Self { changes: changes.to_vec(), transition: Transition::Auto }
    }

    /// To leave a joint membership.
    #[must_use]
    pub fn leave() -> Self {
        Self::default()
    }
}

impl Membership {
    /// The membership that a request makes of this one.
    ///
    /// # Errors
    ///
    /// If it makes none; see [`BadChange`].
    pub fn changed(&self, request: &ChangeRequest) -> Result<Self, BadChange> {
        if request.changes.is_empty() {
            return if self.is_joint() { Ok(self.left()) } else { Err(BadChange::NotJoint) };
        }
        if self.is_joint() {
            return Err(BadChange::Joint);
        }
        let joint = match request.transition {
            Transition::Auto => !self.differs_by_one_voter(&request.changes),
            Transition::Implicit | Transition::Explicit => true,
        };
        let auto_leave = joint && request.transition != Transition::Explicit;
        let mut sets = Sets {
            voters: self.voters.to_vec(),
            outgoing: if joint { self.voters.to_vec() } else { Vec::new() },
            learners: self.learners.to_vec(),
            learners_next: Vec::new(),
        };
        request.changes.iter().for_each(|change| sets.change(*change));
        sets.membership(auto_leave)
    }

    /// The membership after the joint one: the outgoing voters are gone, or learn from now on.
    #[must_use]
    pub fn left(&self) -> Self {
        let mut learners: Vec<NodeId> = self.learners.iter().chain(&self.learners_next).copied().collect();
        learners.sort_unstable();
        Self {
            voters: self.voters.clone(),
            outgoing: Box::default(),
            learners: learners.into_boxed_slice(),
            learners_next: Box::default(),
            auto_leave: false,
        }
    }

    fn differs_by_one_voter(&self, changes: &[Change]) -> bool {
        let mut sets = Sets { voters: self.voters.to_vec(), ..Sets::default() };
        changes.iter().for_each(|change| sets.change(*change));
        let added = sets.voters.iter().filter(|id| !self.voters.contains(id)).count();
        let removed = self.voters.iter().filter(|id| !sets.voters.contains(id)).count();
        added + removed <= 1
    }
}

/// A membership in the making.
#[derive(Default)]
struct Sets {
    voters: Vec<NodeId>,
    outgoing: Vec<NodeId>,
    learners: Vec<NodeId>,
    learners_next: Vec<NodeId>,
}

impl Sets {
    fn change(&mut self, change: Change) {
        let (Change::AddVoter(id) | Change::AddLearner(id) | Change::Remove(id)) = change;
        for set in [&mut self.voters, &mut self.learners, &mut self.learners_next] {
            set.retain(|member| *member != id);
        }
        match change {
            Change::AddVoter(_) => self.voters.push(id),
            // An outgoing voter votes until the joint membership is left: it cannot learn before.
            Change::AddLearner(_) if self.outgoing.contains(&id) => self.learners_next.push(id),
            Change::AddLearner(_) => self.learners.push(id),
            Change::Remove(_) => {}
        }
    }

    fn membership(self, auto_leave: bool) -> Result<Membership, BadChange> {
        if self.voters.is_empty() {
            return Err(BadChange::NoVoters);
        }
        let Self { voters, outgoing, learners, learners_next } = self;
        match Membership::new(&voters, &outgoing, &learners, &learners_next, auto_leave) {
            Ok(membership) => Ok(membership),
            Err(BadMembership::TooMany(_)) => Err(BadChange::TooMany),
            Err(contradiction) => panic!("a change leaves the sets consistent: {contradiction}"),
        }
    }
}

impl fmt::Display for BadChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Joint => "the membership is joint and must be left first",
            Self::NotJoint => "there is nothing to change, and no joint membership to leave",
            Self::NoVoters => "there would be no voter",
            Self::TooMany => "there would be too many members",
        })
    }
}

impl core::error::Error for BadChange {}
