//! What a leader makes of the answers to what it sent (Raft §5.3, §5.4.2).

use super::RaftNode;
use super::replicate::Content;
use crate::log::Log;
use crate::message::{AppendResult, Conflict, ROUND_OVER};
use crate::progress::Pace;
use crate::role::{Leader, Role};
use crate::step::Outputs;
use crate::types::{LogIndex, NodeId, Term};

impl RaftNode {
    #[inline]
    pub(super) fn on_append_response(
        &mut self,
        from: NodeId,
        term: Term,
        (round, holds): (u64, bool),
        result: AppendResult,
        out: &mut Outputs,
    ) {
        let Some(position) = self.heard_from(from, term, round) else { return };
        if holds && let Some((_, others)) = self.replication() {
            others[position].held = others[position].held.max(round);
        }
        match result {
            AppendResult::Accepted { match_index } => self.on_accepted(from, position, match_index, out),
            AppendResult::Rejected { prev_log_index, conflict } => {
                self.on_rejected(position, prev_log_index, conflict, out);
            }
        }
        self.round_answered(out);
    }

    /// Notes that a member answered what this leader sent in a round. None if the answer is not one to this
    /// leader, or to whoever had the member's name before.
    #[inline]
    pub(super) fn heard_from(&mut self, from: NodeId, term: Term, round: u64) -> Option<usize> {
        if term != self.hard.term {
            return None;
        }
        let position = self.roster.position(from)?;
        let Role::Leader(Leader { progress, round: latest, .. }) = &mut self.role else { return None };
        let progress = &mut progress[position];
        // What was said in an earlier term may have been said by this node too, and tells nothing of this term.
        if round == ROUND_OVER || round < progress.since || round > *latest {
            return None;
        }
        progress.heard = self.now;
        progress.round = progress.round.max(round);
        Some(position)
    }

    /// A member has stored all up to `match_index`.
    #[inline]
    pub(super) fn on_accepted(
        &mut self,
        from: NodeId,
        position: usize,
        match_index: LogIndex,
        out: &mut Outputs,
    ) {
        // Nobody can have stored what the leader has not: such an answer is nonsense.
        if match_index > self.log.last_index() {
            return;
        }
        let Some((_, others)) = self.replication() else { return };
        if others[position].accepted(match_index) {
            self.advance_commit(out);
        }
        // What was committed may have changed who is where, and who leads.
        let Some(position) = self.roster.position(from) else { return };
        let batch = if let Role::Leader(leader) = &self.role { leader.batch } else { None };
        let is_never_done = mutant!(self, SnapshotNeverDone);
        let Some((sender, others)) = self.replication() else { return };
        let progress = &mut others[position];
        if progress.pace == Pace::Snapshot && sender.log.term_at(progress.matched).is_some() && !is_never_done
        {
            progress.snapshot_done();
        }
        if batch.is_none_or(|first| progress.next < first) {
            sender.catch_up(position, progress, out);
        }
        self.hand_over_if_caught_up(from, out);
    }

    fn on_rejected(&mut self, position: usize, prev: LogIndex, conflict: Conflict, out: &mut Outputs) {
        if mutant!(self, RejectionsIgnored) {
            return;
        }
        let Some((sender, others)) = self.replication() else { return };
        let progress = &mut others[position];
        if !progress.is_current(prev) {
            return;
        }
        // Where our log has the follower's term, the logs may agree up to our end of that term; where it does
        // not, nothing of that term can agree (Raft §5.3, end).
        let after_term = conflict.term.and_then(|term| last_index_of(sender.log, term)).map(LogIndex::next);
        progress.rejected(prev, after_term.unwrap_or(conflict.index));
        sender.send(position, progress, Content::Entries, out);
    }

    /// Counts what of the leader's own log has become durable.
    pub(super) fn count_own_log(&mut self, out: &mut Outputs) {
        let early = mutant!(self, OwnLogCountedEarly).then(|| self.log.last_index());
        let durable = early.unwrap_or_else(|| self.durability.log_durable());
        let Some(own) = self.position else { return };
        let Some((_, progress)) = self.replication() else { return };
        if progress[own].matched < durable {
            progress[own].matched = durable;
            self.advance_commit(out);
        }
    }

    /// Commits what a quorum has stored, if the last of it is of the leader's own term: what earlier terms
    /// left may be overwritten even then, and is committed only along with it (Raft §5.4.2).
    pub(super) fn advance_commit(&mut self, out: &mut Outputs) {
        let Role::Leader(Leader { progress, .. }) = &self.role else { return };
        let stored = progress.iter().map(|progress| progress.matched);
        let Some(index) = self.roster.held_by_quorum(stored, self.commit) else { return };
        if self.log.term_at(index) == Some(self.hard.term) || mutant!(self, PriorTermCommitByCounting) {
            self.count_committed(index);
            self.commit_to(index, out);
            self.release_reads(out);
            self.settle_membership(out);
        }
    }
}

/// The last index of a term above the place before the first entry ever.
fn last_index_of(log: &Log, term: Term) -> Option<LogIndex> {
    log.last_index_of(term).filter(|_| term > Term::ZERO)
}

#[cfg(test)]
mod tests {
    use super::{Leader, RaftNode, Role};
    use crate::config::{Config, Options};
    use crate::entry::{Entry, EntryKind};
    use crate::membership::Membership;
    use crate::storage::{Durable, HardState};
    use crate::types::{LocalTime, LogIndex, NodeId, Term};

    /// T5, etcd-io/raft `TestCommit`: what each voter has stored, the leader first; the terms of the log; the
    /// term.
    #[test]
    fn a_leader_commits_what_a_majority_has_stored_if_it_ends_in_its_own_term() {
        let rows: [(&[u64], &[u64], u64, u64); 14] = [
            (&[1], &[1], 1, 1),
            (&[1], &[1], 2, 0),
            (&[2], &[1, 2], 2, 2),
            (&[1], &[2], 2, 1),
            (&[2, 1, 1], &[1, 2], 1, 1),
            (&[2, 1, 1], &[1, 1], 2, 0),
            (&[2, 1, 2], &[1, 2], 2, 2),
            (&[2, 1, 2], &[1, 1], 2, 0),
            (&[2, 1, 1, 1], &[1, 2], 1, 1),
            (&[2, 1, 1, 1], &[1, 1], 2, 0),
            (&[2, 1, 1, 2], &[1, 2], 1, 1),
            (&[2, 1, 1, 2], &[1, 1], 2, 0),
            (&[2, 1, 2, 2], &[1, 2], 2, 2),
            (&[2, 1, 2, 2], &[1, 1], 2, 0),
        ];
        for (stored, log, term, expected) in rows {
            let voters: Vec<NodeId> = (0..).map(NodeId).take(stored.len()).collect();
            let membership = Membership::of_voters(&voters).unwrap();
            let config = Config { id: NodeId(0), membership, options: Options::default() };
            let hard = HardState { term: Term(term), vote: Some(NodeId(0)) };
            let log = log.iter().map(|term| Entry { term: Term(*term), kind: EntryKind::Noop });
            let mut out = Vec::new();
            let durable = Durable { hard, log: log.collect(), ..Durable::default() };
            let mut node = RaftNode::start(config, &durable, LocalTime(0), &mut out);
            let mut leader = Leader::new(stored.len(), node.log.last_index(), LocalTime(0));
            for (progress, index) in leader.progress.iter_mut().zip(stored) {
                progress.matched = LogIndex(*index);
            }
            node.role = Role::Leader(leader);
            node.advance_commit(&mut out);
            assert_eq!(node.commit, LogIndex(expected), "{stored:?} in term {term}");
        }
    }
}
