//! What may be seen of a node from outside, for tests, oracles and pictures.
//!
//! Owns: a read-only picture. Must not know: how to change anything.

use super::RaftNode;
use crate::entry::Entry;
use crate::progress::Progress;
use crate::role::{Candidate, Follower, Leader, Role};
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
    /// Its log, in memory; the first entry has index one.
    pub log: &'a [Entry],
    /// The index of the log's last entry.
    pub last_log_index: LogIndex,
    /// Up to here the node knows all to be committed.
    pub commit_index: LogIndex,
    /// Up to here the node has handed out entries to be applied.
    pub applied_index: LogIndex,
    voters: &'a [NodeId],
    progress: &'a [Progress],
}

/// What a leader knows of one other voter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerProgress {
    /// The other voter.
    pub id: NodeId,
    /// The next entry that the leader will send.
    pub next_index: LogIndex,
    /// Up to here the other's durable log is known to be the leader's.
    pub match_index: LogIndex,
}

impl<'a> NodeView<'a> {
    /// What a leader knows of each other voter, in ascending order; nothing for one that does not lead.
    pub fn peers(&self) -> impl Iterator<Item = PeerProgress> + use<'a> {
        let id = self.id;
        let all = self.voters.iter().zip(self.progress);
        all.filter(move |(voter, _)| **voter != id).map(|(voter, progress)| PeerProgress {
            id: *voter,
            next_index: progress.next,
            match_index: progress.matched,
        })
    }
}

impl RaftNode {
    /// The node as it is now. Costs nothing that grows with the log or the cluster.
    #[inline]
    #[must_use]
    pub fn view(&self) -> NodeView<'_> {
        let (leader, progress): (_, &[Progress]) = match &self.role {
            Role::Follower(Follower { leader }) => (*leader, &[]),
            Role::Candidate(Candidate { .. }) => (None, &[]),
            Role::Leader(Leader { progress }) => (Some(self.id), progress),
        };
        NodeView {
            id: self.id,
            role: self.role.kind(),
            term: self.hard.term,
            vote: self.hard.vote,
            leader,
            log: self.log.entries(),
            last_log_index: self.log.last_index(),
            commit_index: self.commit,
            applied_index: self.applied,
            voters: self.voters.ids(),
            progress,
        }
    }
}
