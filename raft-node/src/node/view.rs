//! What may be seen of a node from outside, for tests, oracles and pictures.
//!
//! Owns: a read-only picture. Must not know: how to change anything.

use std::sync::Arc;

use super::RaftNode;
use crate::entry::Entry;
use crate::membership::Membership;
use crate::progress::Progress;
use crate::role::{Leader, Role};
use crate::storage::Snapshot;
use crate::types::{LogIndex, NodeId, RoleKind, Term};

/// A node as it is between two steps; borrows from the node.
#[derive(Clone, Copy, Debug)]
pub struct NodeView<'a> {
    /// The node.
    pub id: NodeId,
    /// Its role.
    pub role: RoleKind,
    /// Its term, in memory: a write of it may be under way.
    pub term: Term,
    /// Its vote in this term, in memory.
    pub vote: Option<NodeId>,
    /// Who leads this term, as far as the node knows; the node itself if it leads.
    pub leader: Option<NodeId>,
    /// The index before the first entry of its log in memory, and the term of the entry that was there.
    pub base: (LogIndex, Term),
    /// Its log, in memory; the first entry is the one after the base.
    pub log: &'a [Entry],
    /// The index of the log's last entry; the base, if there is none.
    pub last_log_index: LogIndex,
    /// Up to here the node knows all to be committed.
    pub commit_index: LogIndex,
    /// Up to here the node has handed out entries, or a snapshot, to be applied.
    pub applied_index: LogIndex,
    /// Who belongs to the cluster: the membership in force.
    pub membership: &'a Arc<Membership>,
    /// The index of that membership's entry; see [`crate::Event::Membership`].
    pub membership_index: LogIndex,
    /// The newest snapshot, in memory: the write of it may be under way.
    pub snapshot: Option<&'a Arc<Snapshot>>,
    /// To whom leadership is being handed over.
    pub transferring_to: Option<NodeId>,
    members: &'a [NodeId],
    progress: &'a [Progress],
}

/// What a leader knows of one other member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerProgress {
    /// The other member.
    pub id: NodeId,
    /// The next entry that the leader will send.
    pub next_index: LogIndex,
    /// Up to here the other's durable log is known to be the leader's.
    pub match_index: LogIndex,
    /// Whether a snapshot is on its way.
    pub gets_snapshot: bool,
}

impl<'a> NodeView<'a> {
    /// What a leader knows of each other member, in ascending order; nothing for one that does not lead.
    pub fn peers(&self) -> impl Iterator<Item = PeerProgress> + use<'a> {
        let id = self.id;
        let all = self.members.iter().zip(self.progress);
        all.filter(move |(member, _)| **member != id).map(|(member, progress)| PeerProgress {
            id: *member,
            next_index: progress.next,
            match_index: progress.matched,
            gets_snapshot: progress.transfer.is_some(),
        })
    }
}

impl RaftNode {
    /// The node as it is now. Costs nothing that grows with the log or the cluster.
    #[inline]
    #[must_use]
    pub fn view(&self) -> NodeView<'_> {
        let (transfer, progress): (_, &[Progress]) = match &self.role {
            Role::Follower(_) | Role::PreCandidate(_) | Role::Candidate(_) => (None, &[]),
            Role::Leader(Leader { progress, transfer, .. }) => (*transfer, progress),
        };
        NodeView {
            id: self.id,
            role: self.role.kind(),
            term: self.hard.term,
            vote: self.hard.vote,
            leader: self.leader(),
            base: self.log.base(),
            log: self.log.entries(),
            last_log_index: self.log.last_index(),
            commit_index: self.commit,
            applied_index: self.applied,
            membership: self.memberships.current(),
            membership_index: self.memberships.index(),
            snapshot: self.snapshot.as_ref(),
            transferring_to: transfer.map(|transfer| transfer.to),
            members: self.roster.ids(),
            progress,
        }
    }
}
