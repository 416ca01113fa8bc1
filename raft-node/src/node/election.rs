//! Elections: standing, voting, counting (Raft §5.2, §5.4.1).

use super::RaftNode;
use crate::message::Message;
use crate::quorum::{VoteOutcome, vote_outcome};
use crate::role::{Candidate, Role};
use crate::step::Outputs;
use crate::types::{LogIndex, NodeId, Term};

impl RaftNode {
    /// Stands for election in the next term (Raft §5.2), unless the node leads, is no voter, or there is no
    /// next term.
    pub(super) fn campaign(&mut self, out: &mut Outputs) {
        let term = self.hard.term.next();
        if matches!(self.role, Role::Leader(_)) || self.position.is_none() || term == self.hard.term {
            return;
        }
        self.enter_term(term, out);
        self.vote_for(self.id, out);
        self.set_role(Role::Candidate(Candidate::new(self.durability.newest_write())), out);
        let request = Message::RequestVote {
            term,
            last_log_index: self.log.last_index(),
            last_log_term: self.log.last_term(),
        };
        for voter in self.voters.others(self.id) {
            self.durability.promise(voter, request.clone(), out);
        }
    }

    pub(super) fn on_request_vote(
        &mut self,
        from: NodeId,
        term: Term,
        last_log_index: LogIndex,
        last_log_term: Term,
        out: &mut Outputs,
    ) {
        let granted = term == self.hard.term
            && self.hard.vote.is_none_or(|candidate| candidate == from)
            && self.may_lead(last_log_index, last_log_term);
        if granted {
            self.timers.heard = true;
            if self.hard.vote.is_none() {
                self.vote_for(from, out);
            }
        }
        self.durability.promise(from, Message::RequestVoteResponse { term: self.hard.term, granted }, out);
    }

    /// Whether a log that ends so holds all that may be committed, as far as this one can tell (Raft §5.4.1).
    fn may_lead(&self, last_log_index: LogIndex, last_log_term: Term) -> bool {
        if mutant!(self, UpToDateByIndexOnly) {
            return last_log_index >= self.log.last_index();
        }
        self.log.is_covered_by(last_log_index, last_log_term)
    }

    pub(super) fn on_vote_response(&mut self, position: usize, term: Term, granted: bool, out: &mut Outputs) {
        if term != self.hard.term && !mutant!(self, StaleTermVotesCounted) {
            return;
        }
        self.count_vote(position, granted, out);
    }

    /// Counts the candidate's own vote, if it is durable.
    pub(super) fn count_own_vote(&mut self, out: &mut Outputs) {
        if let Some(position) = self.position {
            self.count_vote(position, true, out);
        }
    }

    fn count_vote(&mut self, position: usize, granted: bool, out: &mut Outputs) {
        let Role::Candidate(candidate) = &mut self.role else { return };
        // Until the candidacy is durable its own vote does not count, and no other can have come: nobody was
        // asked. So a leader's term is durable, and what it sends need not wait.
        if !self.durability.is_done(candidate.own_vote) {
            return;
        }
        // A second answer of one voter is the first one again, doubled on the way.
        if !candidate.answered.insert(position) && !mutant!(self, DuplicateVotesCounted) {
            return;
        }
        if granted {
            candidate.granted += 1;
        } else {
            candidate.refused += 1;
        }
        match vote_outcome(candidate.granted, candidate.refused, self.voters.len()) {
            VoteOutcome::Pending => {}
            VoteOutcome::Won => self.become_leader(out),
            VoteOutcome::Lost => self.become_follower(None, out),
        }
    }
}
