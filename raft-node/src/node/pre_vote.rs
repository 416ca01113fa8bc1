//! Asking whether one would win before one stands (thesis §9.6).
//!
//! A question changes nothing at who is asked and is not remembered there. A refusal tells the refuser's
//! term, which one who lags behind adopts, so that a node with the better log and the lower term gets to
//! stand (etcd #8243, #8501; openraft #1796).

use super::RaftNode;
use crate::message::Message;
use crate::quorum::VoteOutcome;
use crate::role::{Follower, Poll, Role};
use crate::step::{Output, Outputs};
use crate::types::{LogIndex, NodeId, Term};

impl RaftNode {
    /// Asks all other voters. Forgets the leader and whatever was answered before (etcd #8334).
    pub(super) fn ask_for_votes(&mut self, out: &mut Outputs) {
        self.set_role(Role::PreCandidate(Poll::default()), out);
        let question = Message::PreVote {
            term: self.hard.term.next(),
            last_log_index: self.log.last_index(),
            last_log_term: self.log.last_term(),
            priority: self.options.priority,
        };
        for voter in self.roster.other_voters(self.id) {
            // It promises nothing, so that it need not wait.
            out.push(Output::Send { to: voter, message: question.clone() });
        }
        if let Some(position) = self.position {
            self.count_answer(position, true, out);
        }
    }

    pub(super) fn on_pre_vote(
        &mut self,
        from: NodeId,
        term: Term,
        last: (Term, LogIndex),
        priority: i64,
        out: &mut Outputs,
    ) {
        let is_free = term > self.hard.term || (term == self.hard.term && self.has_vote_for(from));
        if is_free && self.may_lead(last, priority) {
            out.push(Output::Send { to: from, message: Message::PreVoteResponse { term, granted: true } });
        } else {
            if mutant!(self, PreVoteNotRefused) {
                return;
            }
            let refusal = Message::PreVoteResponse { term: self.hard.term, granted: false };
            self.durability.promise(from, refusal, out);
        }
    }

    /// Whether the vote of this term may still be the candidate's.
    fn has_vote_for(&self, candidate: NodeId) -> bool {
        match (self.hard.vote, &self.role) {
            (Some(voted), _) => voted == candidate,
            (None, Role::Follower(Follower { leader })) => leader.is_none(),
            (None, Role::PreCandidate(_)) => true,
            (None, Role::Candidate(_) | Role::Leader(_)) => false,
        }
    }

    pub(super) fn on_pre_vote_response(
        &mut self,
        from: NodeId,
        term: Term,
        granted: bool,
        out: &mut Outputs,
    ) {
        // Granted for another term than the next: asked in an earlier one. What was asked twice in one term is answered by either
        // answer: the worst that comes of a late one is an election that is lost, or not begun.
        if granted && term != self.hard.term.next() {
            return;
        }
        if let Some(position) = self.roster.position(from) {
            self.count_answer(position, granted, out);
        }
    }

    fn count_answer(&mut self, position: usize, granted: bool, out: &mut Outputs) {
        let Role::PreCandidate(poll) = &mut self.role else { return };
        if !poll.answered.insert(position) {
            return;
        }
        self.roster.count(&mut poll.tally, position, granted);
        match self.roster.outcome(&poll.tally) {
            VoteOutcome::Pending => {}
            VoteOutcome::Won => self.campaign(false, out),
            VoteOutcome::Lost => self.become_follower(None, out),
        }
    }
}
