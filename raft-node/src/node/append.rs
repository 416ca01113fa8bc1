//! The follower's side of replication (Raft §5.3).

use super::RaftNode;
use crate::entry::Entries;
use crate::message::{AppendResult, Conflict, Message, ROUND_OVER};
use crate::role::Role;
use crate::step::{Output, Outputs};
use crate::types::{LogIndex, NodeId, Term};

impl RaftNode {
    /// Recognises the sender of an AppendEntries as the leader of the current term (Raft §5.2). False if it
    /// is not: its term is over, which it is told without its `round`, or the node itself leads this term, and
    /// the message is nonsense.
    #[inline]
    pub(super) fn follow(
        &mut self,
        from: NodeId,
        term: Term,
        round: u64,
        prev: LogIndex,
        out: &mut Outputs,
    ) -> bool {
        if term < self.hard.term {
            if mutant!(self, LaterTermNotTold) {
                return false;
            }
            // The logs were not compared; the hint leads a leader nowhere that it has not been.
            let conflict = Conflict { term: None, index: self.log.last_index().next() };
            let round = if mutant!(self, EarlierRoundAnswered) { round } else { ROUND_OVER };
            self.answer(from, round, AppendResult::Rejected { prev_log_index: prev, conflict }, out);
            return false;
        }
        self.recognise(from, out)
    }

    /// The sender leads the current term. False if the node itself does.
    #[inline]
    pub(super) fn recognise(&mut self, from: NodeId, out: &mut Outputs) -> bool {
        if matches!(self.role, Role::Leader(_)) {
            return false;
        }
        self.become_follower(Some(from), out);
        self.timers.heard = !mutant!(self, LeaderNotHeard);
        self.heard = Some(self.now);
        true
    }

    /// Takes what the leader of the current term sent.
    #[inline]
    pub(super) fn on_append(
        &mut self,
        from: NodeId,
        (prev, prev_term): (LogIndex, Term),
        entries: Entries,
        leader_commit: LogIndex,
        round: u64,
        out: &mut Outputs,
    ) {
        if mutant!(self, CommitNotCapped) {
            self.commit_to(leader_commit.min(self.log.last_index()), out);
        }
        // The last entry for which this message vouches; what follows in our log may differ from the
        // leader's.
        let vouched = prev.advanced_by(entries.len());
        if prev < self.log.base().0 {
            return self.on_append_below(from, prev, entries, leader_commit, round, out);
        }
        let unchecked = if mutant!(self, HeartbeatNotCompared) {
            entries.is_empty()
        } else {
            mutant!(self, PrevTermNotCompared) && prev <= self.log.last_index()
        };
        if self.log.term_at(prev) != Some(prev_term) && !unchecked {
            let conflict = self.log.conflict(prev);
            self.answer(from, round, AppendResult::Rejected { prev_log_index: prev, conflict }, out);
            return;
        }
        if mutant!(self, TruncateOnAnyAppend) {
            self.truncate(prev.next(), out);
        }
        if !entries.is_empty() {
            self.merge(prev, entries, out);
        }
        self.commit_to(leader_commit.min(vouched), out);
        assert!(
            !mutant!(self, FarCommitPanics) || leader_commit <= self.log.last_index(),
            "the commit index {} is beyond the log, which ends at {}",
            leader_commit.0,
            self.log.last_index().0
        );
        let stored = if mutant!(self, WholeLogAcknowledged) { self.log.last_index() } else { vouched };
        self.answer(from, round, AppendResult::Accepted { match_index: stored }, out);
    }

    /// What was compacted is committed, and so is in every leader's log: what is left begins behind it.
    #[cold]
    fn on_append_below(
        &mut self,
        from: NodeId,
        prev: LogIndex,
        entries: Entries,
        leader_commit: LogIndex,
        round: u64,
        out: &mut Outputs,
    ) {
        let base = self.log.base();
        let known = usize::try_from(base.0.0 - prev.0).unwrap_or(usize::MAX);
        if known > entries.len() {
            let match_index = prev.advanced_by(entries.len());
            return self.answer(from, round, AppendResult::Accepted { match_index }, out);
        }
        self.on_append(from, base, entries.skip(known), leader_commit, round, out);
    }

    /// Makes the log hold `entries` after `prev`. Removes entries only if one of them differs: an
    /// AppendEntries that is short may merely be old (Raft §5.3).
    fn merge(&mut self, prev: LogIndex, entries: Entries, out: &mut Outputs) {
        let shared = match mutant!(self, ConflictKept) {
            true => usize::try_from(self.log.last_index().0 - prev.0).unwrap_or(usize::MAX),
            false => self.log.shared(prev, entries.as_slice()),
        };
        if shared < entries.len() {
            self.truncate(prev.advanced_by(shared).next(), out);
            self.append(entries.skip(shared), out);
        }
    }

    #[inline]
    fn answer(&mut self, to: NodeId, round: u64, result: AppendResult, out: &mut Outputs) {
        let (term, holds) = (self.hard.term, self.options.lease_reads && round != ROUND_OVER);
        let answer = Message::AppendEntriesResponse { term, round, holds, result };
        if mutant!(self, AppendAnsweredBeforeDurable) {
            return out.push(Output::Send { to, message: answer });
        }
        self.durability.promise(to, answer, out);
    }
}
