//! Elections: standing, voting, counting (Raft §5.2, §5.4.1), and leaving a living leader alone (thesis
//! §4.2.3).

use super::RaftNode;
use crate::message::Message;
use crate::quorum::VoteOutcome;
use crate::role::{Candidate, Poll, Role};
use crate::step::{Output, Outputs};
use crate::types::{LocalTime, LogIndex, NodeId, RoleKind, Term};

impl RaftNode {
    pub(super) fn on_election_timeout(&mut self, out: &mut Outputs) {
        // A leader has no such timer, even if it was a follower a moment ago whose word held up the lease of another.
        let leads = self.role.kind() == RoleKind::Leader;
        if !leads && self.holds_up_lease() {
            self.timers.heard = true;
        } else {
            self.stand(out);
        }
    }

    /// Stands for election, or asks first whether that would do (Raft §5.2), unless the node leads, may not
    /// stand, or there is no next term. One whose word holds up a lease does not stand either: its own vote
    /// would break that.
    pub(super) fn stand(&mut self, out: &mut Outputs) {
        let leads = self.role.kind() == RoleKind::Leader;
        if leads || !self.may_stand() || self.hard.term.next() == self.hard.term || self.holds_up_lease() {
            return;
        }
        if !self.options.lease_reads {
            // One who has given up the leader protects it no more.
            self.heard = None;
        }
        // Whoever is no voter any more, as far as it knows, disturbs nobody without need.
        if self.options.pre_vote || !self.is_voter() {
            self.ask_for_votes(out);
        } else {
            self.campaign(false, out);
        }
    }

    /// Whether the node votes, or did so in a membership of which it does not know that it is over. If the
    /// entry that took its vote is not committed, the others may need its vote, and its log may be the better
    /// one: then nobody but itself can win (thesis §4.2.2). Its own vote does not count.
    fn may_stand(&self) -> bool {
        self.is_voter()
            || (self.memberships.index() > self.commit
                && self.memberships.since(self.commit).any(|membership| membership.is_voter(self.id)))
    }

    /// Stands for election in the next term.
    pub(super) fn campaign(&mut self, forced: bool, out: &mut Outputs) {
        let term = self.hard.term.next();
        let poll = match &self.role {
            Role::PreCandidate(poll) if mutant!(self, VotesOfPreVoteKept) => poll.clone(),
            _ => Poll::default(),
        };
        self.enter_term(term, out);
        if mutant!(self, NoVoteForItself) && self.options.pre_vote {
            self.durability.hard_changed();
        } else {
            self.vote_for(self.id, out);
        }
        let candidate = Candidate { own_vote: self.durability.newest_write(), poll };
        self.set_role(Role::Candidate(candidate), out);
        let request = Message::RequestVote {
            term,
            last_log_index: self.log.last_index(),
            last_log_term: self.log.last_term(),
            forced,
            priority: self.options.priority,
        };
        for voter in self.roster.other_voters(self.id) {
            self.durability.promise(voter, request.clone(), out);
        }
    }

    pub(super) fn on_request_vote(
        &mut self,
        from: NodeId,
        term: Term,
        last: (Term, LogIndex),
        priority: i64,
        out: &mut Outputs,
    ) {
        let granted = term == self.hard.term
            && self.hard.vote.is_none_or(|candidate| candidate == from)
            && self.may_lead(last, priority)
            && (self.is_voter() || !mutant!(self, LearnerRefusesVote));
        if granted {
            self.timers.heard = true;
            if self.hard.vote.is_none() {
                self.vote_for(from, out);
            }
        }
        let answer = Message::RequestVoteResponse { term: self.hard.term, granted };
        if mutant!(self, VoteAnsweredBeforeDurable) {
            return out.push(Output::Send { to: from, message: answer });
        }
        self.durability.promise(from, answer, out);
    }

    /// Whether a log that ends so holds all that may be committed, as far as this one can tell (Raft §5.4.1),
    /// and its owner is not of lower priority. A log that is more up to date goes before priority, where
    /// tikv's raft-rs asks for a longer one: there a long log of an early term and a short one of a late term
    /// can refuse each other for good.
    pub(super) fn may_lead(&self, (last_term, last_index): (Term, LogIndex), priority: i64) -> bool {
        if mutant!(self, UpToDateByIndexOnly) {
            return last_index >= self.log.last_index();
        }
        let own = (self.log.last_term(), self.log.last_index());
        if mutant!(self, LogsNotCompared) {
            return true;
        }
        if mutant!(self, EqualLogRefused) && (last_term, last_index) == own {
            return false;
        }
        self.log.is_covered_by(last_index, last_term)
            && (self.options.priority <= priority || (last_term, last_index) > own)
    }

    pub(super) fn on_vote_response(&mut self, from: NodeId, term: Term, granted: bool, out: &mut Outputs) {
        if term != self.hard.term && !mutant!(self, StaleTermVotesCounted) {
            return;
        }
        if let Some(position) = self.roster.position(from) {
            self.count_vote(position, granted, out);
        }
    }

    /// Counts the candidate's own vote, if it is durable.
    pub(super) fn count_own_vote(&mut self, out: &mut Outputs) {
        if let Some(position) = self.position {
            self.count_vote(position, true, out);
        }
    }

    fn count_vote(&mut self, position: usize, granted: bool, out: &mut Outputs) {
        let Role::Candidate(Candidate { own_vote, poll }) = &mut self.role else { return };
        // Until the candidacy is durable its own vote does not count, and no other can have come: nobody was
        // asked. So a leader's term is durable, and what it sends need not wait.
        if !self.durability.is_done(*own_vote) {
            return;
        }
        // A second answer of one voter is the first one again, doubled on the way. Who has refused and would grant by
        // now is asked again in the next term.
        if !poll.answered.insert(position) && !mutant!(self, DuplicateVotesCounted) {
            return;
        }
        self.roster.count(&mut poll.tally, position, granted);
        match self.roster.outcome(&poll.tally) {
            VoteOutcome::Pending => {}
            VoteOutcome::Won => self.become_leader(out),
            VoteOutcome::Lost => self.become_follower(None, out),
        }
    }

    /// Whether a message is to be treated as if it had not come: somebody asks for a vote although a leader
    /// lives that did not ask for a successor. Nobody is deaf for good: a leader that a quorum does not hear
    /// steps down, and one who is ahead of it says so in its answers to AppendEntries (etcd #5468).
    #[cold]
    pub(super) fn is_not_to_hear(&self, message: &Message) -> bool {
        let asks = matches!(message, Message::RequestVote { forced: false, .. } | Message::PreVote { .. });
        asks && !mutant!(self, LeaseNotHeldUp)
            && match self.role {
                Role::Leader(_) => true,
                Role::Follower(_) | Role::PreCandidate(_) | Role::Candidate(_) => self.has_just_heard(),
            }
    }

    /// Whether a leader's lease may rest on this node's silence.
    pub(super) fn holds_up_lease(&self) -> bool {
        self.options.lease_reads && self.has_just_heard()
    }

    /// Whether a leader was heard within the shortest election timeout.
    fn has_just_heard(&self) -> bool {
        self.heard.is_some_and(|heard| self.now.since(heard) < self.options.election_timeout_ns.0)
    }

    /// The host's clock is not what it should be. Whatever was measured by it begins anew.
    #[cold]
    pub(super) fn clock_went_back(&mut self, now: LocalTime) {
        let longest = self.options.election_timeout_ns.1;
        self.heard = self.heard.map(|heard| heard.min(now));
        if let Role::Leader(leader) = &mut self.role {
            leader.rounds.clear();
            leader.lease_from = None;
            for progress in &mut leader.progress {
                progress.heard = progress.heard.min(now);
            }
            if let Some(transfer) = &mut leader.transfer {
                transfer.until = transfer.until.min(now.after(longest));
            }
        }
    }

    /// Another may have this node's vote, should it ask. Who holds up a lease keeps its word.
    pub(super) fn on_forget_leader(&mut self) {
        if let Role::Follower(follower) = &mut self.role
            && !self.options.lease_reads
        {
            follower.leader = None;
            self.heard = None;
        }
    }
}
