//! The follower's side of replication (Raft §5.3).

use super::RaftNode;
use crate::entry::Entries;
use crate::message::{AppendResult, Conflict, Message};
use crate::role::{Follower, Role};
use crate::step::Outputs;
use crate::types::{LogIndex, NodeId, Term};

impl RaftNode {
    /// Recognises the sender of an AppendEntries as the leader of the current term (Raft §5.2). False if it
    /// is not: its term is over, which it is told, or the node itself leads this term, and the message is
    /// nonsense.
    #[inline]
    pub(super) fn follow(&mut self, from: NodeId, term: Term, prev: LogIndex, out: &mut Outputs) -> bool {
        if term < self.hard.term {
            // The logs were not compared; the hint leads a leader nowhere that it has not been.
            let conflict = Conflict { term: None, index: self.log.last_index().next() };
            self.answer(from, AppendResult::Rejected { prev_log_index: prev, conflict }, out);
            return false;
        }
        match &mut self.role {
            Role::Follower(follower) => follower.leader = Some(from),
            Role::Candidate(_) => self.set_role(Role::Follower(Follower { leader: Some(from) }), out),
            Role::Leader(_) => return false,
        }
        self.timers.heard = true;
        true
    }

    /// Takes what the leader of the current term sent.
    #[inline]
    pub(super) fn on_append(
        &mut self,
        from: NodeId,
        prev: LogIndex,
        prev_term: Term,
        entries: Entries,
        leader_commit: LogIndex,
        out: &mut Outputs,
    ) {
        if mutant!(self, CommitNotCapped) {
            self.commit_to(leader_commit.min(self.log.last_index()), out);
        }
        if self.log.term_at(prev) != Some(prev_term) {
            let conflict = self.log.conflict(prev);
            self.answer(from, AppendResult::Rejected { prev_log_index: prev, conflict }, out);
            return;
        }
        // The last entry for which this message vouches; what follows in our log may differ from the
        // leader's.
        let vouched = prev.advanced_by(entries.len());
        if mutant!(self, TruncateOnAnyAppend) {
            self.truncate(prev.next(), out);
        }
        if !entries.is_empty() {
            self.merge(prev, entries, out);
        }
        self.commit_to(leader_commit.min(vouched), out);
        self.answer(from, AppendResult::Accepted { match_index: vouched }, out);
    }

    /// Makes the log hold `entries` after `prev`. Removes entries only if one of them differs: an
    /// AppendEntries that is short may merely be old (Raft §5.3).
    fn merge(&mut self, prev: LogIndex, entries: Entries, out: &mut Outputs) {
        let shared = self.log.shared(prev, entries.as_slice());
        if shared < entries.len() {
            self.truncate(prev.advanced_by(shared).next(), out);
            self.append(entries.skip(shared), out);
        }
    }

    #[inline]
    fn answer(&mut self, to: NodeId, result: AppendResult, out: &mut Outputs) {
        self.durability.promise(to, Message::AppendEntriesResponse { term: self.hard.term, result }, out);
    }
}
