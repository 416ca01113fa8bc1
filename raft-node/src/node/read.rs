//! Reads that need no entry in the log (thesis §6.4).
//!
//! A read may be served at the leader's commit index once an entry of its own term is committed, for before
//! that it does not know what is, and once a quorum has confirmed after the read began that it still leads.
//! An index of later does as well as the one of when it began, so that none is kept.

use std::collections::VecDeque;

use super::RaftNode;
use super::replicate::Content;
use crate::message::Message;
use crate::role::{Follower, Leader, Role, WaitingRead};
use crate::step::{Output, Outputs, ReadMode, ReadRefusal};
use crate::types::{LogIndex, NodeId, ReadId, Term};

/// How many reads may wait at one node.
const WAITING_MAX: usize = 1024;

impl RaftNode {
    pub(super) fn on_read(&mut self, id: ReadId, mode: ReadMode, out: &mut Outputs) {
        match &self.role {
            Role::Leader(_) if mode == ReadMode::Lease && self.has_lease() && self.knows_commit() => {
                out.push(Output::ReadReady { id, index: self.commit });
            }
            Role::Leader(_) => {
                if !self.wait_for_quorum(id, None, out) {
                    out.push(Output::ReadRefused { id, reason: ReadRefusal::TooMany });
                }
            }
            Role::Follower(_) if mutant!(self, FollowerReadsAlone) => {
                out.push(Output::ReadReady { id, index: self.commit });
            }
            Role::Follower(Follower { leader: Some(leader) }) => self.ask_leader(*leader, id, out),
            Role::Follower(Follower { leader: None }) | Role::PreCandidate(_) | Role::Candidate(_) => {
                out.push(Output::ReadRefused { id, reason: ReadRefusal::NoLeader });
            }
        }
    }

    /// Passes a read on. It may get lost, and then waits until the term ends, or until too many have come
    /// after it.
    fn ask_leader(&mut self, leader: NodeId, id: ReadId, out: &mut Outputs) {
        if self.asked_reads.len() == WAITING_MAX {
            let lost = self.asked_reads.remove(0);
            out.push(Output::ReadRefused { id: lost, reason: ReadRefusal::TooMany });
        }
        self.asked_reads.push(id);
        self.durability.promise(leader, Message::ReadIndex { term: self.hard.term, id }, out);
    }

    pub(super) fn on_read_index(&mut self, from: NodeId, term: Term, id: ReadId, out: &mut Outputs) {
        if term != self.hard.term || !self.wait_for_quorum(id, Some(from), out) {
            self.answer_read(Some(from), id, None, out);
        }
    }

    pub(super) fn on_read_index_response(
        &mut self,
        term: Term,
        id: ReadId,
        index: Option<LogIndex>,
        out: &mut Outputs,
    ) {
        if term != self.hard.term {
            return;
        }
        let Some(position) = self.asked_reads.iter().position(|asked| *asked == id) else { return };
        self.asked_reads.remove(position);
        self.answer_read(None, id, index, out);
    }

    /// Begins a round for a read, unless the node does not lead or too many wait.
    fn wait_for_quorum(&mut self, id: ReadId, asker: Option<NodeId>, out: &mut Outputs) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        if leader.reads.len() == WAITING_MAX {
            return false;
        }
        if !mutant!(self, ReadJoinsOldRound) {
            self.begin_round();
        }
        let Role::Leader(leader) = &mut self.role else { return false };
        leader.reads.push_back(WaitingRead { id, asker, round: leader.round });
        self.broadcast(out, |_| Some(Content::Nothing));
        self.round_answered(out);
        true
    }

    /// Whether the leader has committed an entry of its own term, and so knows all that was committed before
    /// it.
    fn knows_commit(&self) -> bool {
        let is_own = |leader: &Leader| self.commit >= leader.own_first || mutant!(self, ReadBeforeOwnCommit);
        matches!(&self.role, Role::Leader(leader) if is_own(leader))
    }

    /// Answers the reads whose rounds are confirmed.
    #[inline]
    pub(super) fn release_reads(&mut self, out: &mut Outputs) {
        if matches!(&self.role, Role::Leader(leader) if !leader.reads.is_empty()) {
            self.release_confirmed(out);
        }
    }

    #[cold]
    fn release_confirmed(&mut self, out: &mut Outputs) {
        let Role::Leader(Leader { reads, .. }) = &self.role else { return };
        let Some(oldest) = reads.front().filter(|_| self.knows_commit()) else { return };
        let all = mutant!(self, ReadNotConfirmed).then_some(u64::MAX);
        let Some(confirmed) = all.or_else(|| self.confirmed_round(oldest.round)) else { return };
        while let Role::Leader(Leader { reads, .. }) = &mut self.role
            && let Some(WaitingRead { id, asker, round }) = reads.front().copied()
            && round <= confirmed
        {
            reads.pop_front();
            self.answer_read(asker, id, Some(self.commit), out);
        }
    }

    /// Answers a read of this node's host, or of another's: at which index it may be served, or that nobody will
    /// confirm it.
    fn answer_read(&mut self, to: Option<NodeId>, id: ReadId, index: Option<LogIndex>, out: &mut Outputs) {
        let term = self.hard.term;
        match (to, index) {
            (Some(to), _) => {
                self.durability.promise(to, Message::ReadIndexResponse { term, id, index }, out);
            }
            (None, Some(index)) => out.push(Output::ReadReady { id, index }),
            (None, None) => out.push(Output::ReadRefused { id, reason: ReadRefusal::LeaderLost }),
        }
    }

    /// The node leads no more: nobody will confirm these.
    pub(super) fn refuse_waiting_reads(&mut self, reads: VecDeque<WaitingRead>, out: &mut Outputs) {
        for WaitingRead { id, asker, .. } in reads {
            self.answer_read(asker, id, None, out);
        }
    }

    /// The term is over in which these were asked.
    pub(super) fn refuse_asked_reads(&mut self, out: &mut Outputs) {
        for id in self.asked_reads.drain(..) {
            out.push(Output::ReadRefused { id, reason: ReadRefusal::LeaderLost });
        }
    }
}
