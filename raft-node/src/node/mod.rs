//! The node: what it remembers, how a step is dispatched, and how it moves between terms and roles.
//!
//! Owns: the order of things within a step, and every change of term, vote, role and commit index. Must not
//! know: the rules of elections and replication, which are in the files beside.

mod append;
mod election;
mod replicate;
mod view;

pub use view::{NodeView, PeerProgress};

use crate::config::{Config, Options};
use crate::durability::Durability;
use crate::entry::Entries;
use crate::log::Log;
use crate::message::Message;
use crate::role::{Follower, Role};
use crate::step::{Event, Input, Output, Outputs, TimeoutRange, Timer};
use crate::storage::{Durable, HardState};
use crate::types::{LogIndex, NodeId, PersistId, RoleKind, Term};
use crate::voters::Voters;

/// One node of a Raft cluster. See the crate's documentation for the contract of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaftNode {
    id: NodeId,
    options: Options,
    voters: Voters,
    /// Where the node stands among the voters, if it does.
    position: Option<usize>,
    hard: HardState,
    log: Log,
    role: Role,
    commit: LogIndex,
    applied: LogIndex,
    durability: Durability,
    timers: TimerChanges,
}

/// What the step that runs has done to the timers. Told at its end, so that a step that does several of these
/// things draws at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TimerChanges {
    /// The role or the term has changed.
    turned: bool,
    /// The node was a leader and is none any more.
    stepped_down: bool,
    /// There was a reason to wait longer: a leader, or a candidate worth a vote.
    heard: bool,
}

impl RaftNode {
    /// Boots a node from what is durable, as a follower that knows no leader and nothing of what is
    /// committed.
    ///
    /// # Panics
    ///
    /// If the configuration is impossible: a voter that is listed twice, more than 255 voters, an election
    /// timeout range that is empty or contains zero, a heartbeat interval of zero, messages of at most zero
    /// entries.
    #[must_use]
    pub fn start(config: Config, durable: &Durable, out: &mut Outputs) -> Self {
        let Config { id, voters, options } = config;
        options.assert_possible();
        let voters = Voters::new(voters);
        let log = Log::new(durable.log.clone());
        let mut node = Self {
            id,
            position: voters.position(id),
            options,
            voters,
            hard: durable.hard,
            durability: Durability::new(log.last_index()),
            log,
            role: Role::Follower(Follower::default()),
            commit: LogIndex::ZERO,
            applied: LogIndex::ZERO,
            timers: TimerChanges::default(),
        };
        node.timers.turned = true;
        node.finish_step(out);
        node
    }

    /// Takes one input and appends to `out` what is to be done because of it. A wrong input is data.
    pub fn step(&mut self, input: Input, out: &mut Outputs) {
        match input {
            Input::Message { from, message } => self.on_message(from, message, out),
            Input::TimerFired(Timer::Election) | Input::Campaign => self.campaign(out),
            Input::TimerFired(Timer::Heartbeat) => self.on_heartbeat_timeout(out),
            Input::Persisted(id) => self.on_persisted(id, out),
            Input::Propose(payload) => self.on_propose(payload, out),
        }
        self.finish_step(out);
    }

    fn on_message(&mut self, from: NodeId, message: Message, out: &mut Outputs) {
        let Some(position) = self.voters.position(from) else { return };
        if from == self.id {
            return;
        }
        if message.term() > self.hard.term {
            self.adopt_term(message.term(), out);
        }
        match message {
            Message::RequestVote { term, last_log_index, last_log_term } => {
                self.on_request_vote(from, term, last_log_index, last_log_term, out);
            }
            Message::RequestVoteResponse { term, granted } => {
                self.on_vote_response(position, term, granted, out);
            }
            Message::AppendEntries { term, prev_log_index, prev_log_term, entries, leader_commit } => {
                if self.follow(from, term, prev_log_index, out) {
                    self.on_append(from, prev_log_index, prev_log_term, entries, leader_commit, out);
                }
            }
            Message::AppendEntriesResponse { term, result } => {
                self.on_append_response(position, term, result, out);
            }
        }
    }

    fn on_persisted(&mut self, id: PersistId, out: &mut Outputs) {
        if !self.durability.completed(id, self.hard.term, out) {
            return;
        }
        match &self.role {
            Role::Follower(_) => {}
            Role::Candidate(_) => self.count_own_vote(out),
            Role::Leader(_) => self.count_own_log(out),
        }
    }

    /// Timers first, then the write that the step's promises wait for.
    #[inline]
    fn finish_step(&mut self, out: &mut Outputs) {
        if self.timers.turned {
            self.set_timers(out);
        } else if core::mem::take(&mut self.timers.heard) {
            out.push(Output::RearmTimer(Timer::Election));
        }
        self.durability.flush(self.hard_to_write(), &self.log, out);
    }

    #[inline]
    fn hard_to_write(&self) -> HardState {
        let HardState { term, vote } = self.hard;
        let forgotten = mutant!(self, VoteNotPersisted) && vote != Some(self.id);
        HardState { term, vote: if forgotten { None } else { vote } }
    }

    fn set_timers(&mut self, out: &mut Outputs) {
        let TimerChanges { stepped_down, .. } = core::mem::take(&mut self.timers);
        if stepped_down {
            out.push(Output::CancelTimer(Timer::Heartbeat));
        }
        let (timer, (min_ns, max_ns)) = match self.role {
            Role::Follower(_) | Role::Candidate(_) => (Timer::Election, self.options.election_timeout_ns),
            Role::Leader(_) => {
                out.push(Output::CancelTimer(Timer::Election));
                (Timer::Heartbeat, (self.options.heartbeat_ns, self.options.heartbeat_ns))
            }
        };
        out.push(Output::SetTimer { timer, range: TimeoutRange { min_ns, max_ns } });
    }

    /// Steps down because somebody is in a later term (Raft §5.1).
    fn adopt_term(&mut self, term: Term, out: &mut Outputs) {
        self.enter_term(term, out);
        if !mutant!(self, TermNotPersistedOnStepDown) {
            self.durability.hard_changed();
        }
        self.become_follower(None, out);
    }

    /// The only place where the term changes. The caller sees to it that the change becomes durable.
    fn enter_term(&mut self, term: Term, out: &mut Outputs) {
        self.hard = HardState { term, vote: None };
        self.timers.turned = true;
        out.push(Output::Event(Event::Term(term)));
    }

    /// The only place where a vote is given (Raft §5.2).
    fn vote_for(&mut self, candidate: NodeId, out: &mut Outputs) {
        self.hard.vote = Some(candidate);
        self.durability.hard_changed();
        out.push(Output::Event(Event::Vote { term: self.hard.term, candidate }));
    }

    /// Follows `leader`. The vote of the term stays: whoever forgot it could vote twice.
    fn become_follower(&mut self, leader: Option<NodeId>, out: &mut Outputs) {
        match &mut self.role {
            Role::Follower(follower) => follower.leader = leader,
            Role::Candidate(_) | Role::Leader(_) => self.set_role(Role::Follower(Follower { leader }), out),
        }
    }

    /// The only place where the role changes.
    fn set_role(&mut self, role: Role, out: &mut Outputs) {
        self.timers.turned = true;
        self.timers.stepped_down |= self.role.kind() == RoleKind::Leader;
        self.role = role;
        out.push(Output::Event(Event::Role { role: self.role.kind(), term: self.hard.term }));
    }

    /// The only place where the log grows.
    fn append(&mut self, entries: Entries, out: &mut Outputs) {
        let first = self.log.last_index().next();
        self.log.append(entries.as_slice());
        out.push(Output::Event(Event::Appended { first, entries: entries.clone() }));
        self.durability.log_appended(first, entries);
    }

    /// The only place where the log shrinks.
    fn truncate(&mut self, from: LogIndex, out: &mut Outputs) {
        if from > self.log.last_index() {
            return;
        }
        self.log.truncate(from);
        out.push(Output::Event(Event::Truncated { from }));
        self.durability.log_truncated(from);
    }

    /// The only place where the commit index moves, which it does only upwards. `index` is in the log.
    #[inline]
    fn commit_to(&mut self, index: LogIndex, out: &mut Outputs) {
        if index <= self.commit {
            return;
        }
        self.commit = index;
        out.push(Output::Event(Event::Committed(index)));
        while self.applied < self.commit {
            self.applied = self.applied.next();
            let entry = self.log.get(self.applied).expect("what is committed is in the log").clone();
            out.push(Output::Apply { index: self.applied, entry });
        }
    }
}
