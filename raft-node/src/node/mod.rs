//! The node: what it remembers, how a step is dispatched, and how it moves between terms and roles.
//!
//! Owns: the order of things within a step, and every change of term, vote, role, log and commit index. Must
//! not know: the rules of elections, replication and what else there is, which are in the files beside.

mod answer;
mod append;
mod election;
mod membership;
mod pre_vote;
mod propose;
mod read;
mod replicate;
mod rounds;
mod snapshot;
mod start;
mod transfer;
mod view;

pub use view::{NodeView, PeerProgress};

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::Options;
use crate::durability::Durability;
use crate::entry::{Entries, EntryKind};
use crate::log::Log;
use crate::memberships::Memberships;
use crate::message::Message;
use crate::role::{Follower, Role};
use crate::roster::Roster;
use crate::step::{Event, Input, Output, Outputs, TimeoutRange, Timer};
use crate::storage::{HardState, Snapshot};
use crate::types::{LocalTime, LogIndex, NodeId, PersistId, ReadId, RoleKind, Term};
use snapshot::Incoming;

/// One node of a Raft cluster. See the crate's documentation for the contract of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaftNode {
    id: NodeId,
    options: Options,
    memberships: Memberships,
    /// The members in force.
    roster: Roster,
    /// Where the node stands among the members, if it is one.
    position: Option<usize>,
    hard: HardState,
    log: Log,
    role: Role,
    commit: LogIndex,
    /// Up to here the state machine was given everything.
    applied: LogIndex,
    /// Up to here the state machine said that it has applied everything; counts only if there is a window.
    applied_by_host: LogIndex,
    snapshot: Option<Arc<Snapshot>>,
    /// What may leave the log when which write is done, oldest first.
    compactions: VecDeque<(PersistId, LogIndex)>,
    /// A snapshot that is coming in.
    incoming: Option<Incoming>,
    durability: Durability,
    timers: TimerChanges,
    /// When the step that runs began.
    now: LocalTime,
    /// When a leader was last heard, of whatever term; with leases also when the node started, for nobody
    /// knows whom it heard before.
    heard: Option<LocalTime>,
    /// Reads of this node's host that the leader was asked about, oldest first.
    asked_reads: Vec<ReadId>,
}

/// What the step that runs has done to the timers. Told at its end, so that a step that does several of these
/// things draws at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TimerChanges {
    /// The role has changed.
    turned: bool,
    /// The term has changed since a delay was last drawn: the next reason to wait longer draws one.
    new_term: bool,
    /// The node was a leader and is none any more.
    stepped_down: bool,
    /// The node was gathering proposals and does so no more.
    batch_ended: bool,
    /// There was a reason to wait longer: a leader, or a candidate worth a vote.
    heard: bool,
}

impl RaftNode {
    /// Takes one input and appends to `out` what is to be done because of it. A wrong input is data.
    ///
    /// `now` is the host's monotonic clock. It decides nothing but leases, quorum checks, the protection of a
    /// living leader, and when a transfer is given up: see [`Options::check_quorum`],
    /// [`Options::lease_reads`] and [`Input::Transfer`].
    pub fn step(&mut self, now: LocalTime, input: Input, out: &mut Outputs) {
        self.begin_step(now);
        // What comes all the time is asked for one after the other: a table is a jump that nobody can guess.
        if let Input::Message { from, mut message } = input {
            self.on_message(from, &mut message, out);
        } else if let Input::Persisted(id) = input {
            self.on_persisted(id, out);
        } else {
            self.on_rare_input(input, out);
        }
        self.finish_step(out);
    }

    /// The same as [`RaftNode::step`] with an [`Input::Message`], which is what comes most: a message is large, and into an
    /// input it would have to be copied. What the node keeps of it is taken out of it.
    #[inline]
    pub fn hear(&mut self, now: LocalTime, from: NodeId, message: &mut Message, out: &mut Outputs) {
        self.begin_step(now);
        self.on_message(from, message, out);
        self.finish_step(out);
    }

    #[inline]
    fn begin_step(&mut self, now: LocalTime) {
        if now < self.now {
            self.clock_went_back(now);
        }
        self.now = now;
    }

    /// What does not come with every message: kept apart, so that what does stays small.
    #[cold]
    fn on_rare_input(&mut self, input: Input, out: &mut Outputs) {
        match input {
            Input::TimerFired(Timer::Election) => self.on_election_timeout(out),
            Input::TimerFired(Timer::Heartbeat) => self.on_heartbeat_timeout(out),
            Input::TimerFired(Timer::Batch) => self.on_batch_timeout(out),
            Input::Propose(payload) => self.on_propose(payload, out),
            Input::Change(request) => self.on_change(&request, out),
            Input::Campaign => self.stand(out),
            Input::Transfer { to } => self.on_transfer(to, out),
            Input::ForgetLeader => self.on_forget_leader(),
            Input::Read { id, mode } => self.on_read(id, mode, out),
            Input::Snapshot { index, data } => self.on_snapshot(index, data, out),
            Input::Applied(index) => self.on_applied(index, out),
            Input::Unreachable(id) => self.on_unreachable(id),
            Input::Compact { keep } => self.on_compact(keep, out),
            Input::SendSnapshot { to } => self.on_send_snapshot(to, out),
            Input::Message { .. } | Input::Persisted(_) => {}
        }
    }

    #[inline]
    fn on_message(&mut self, from: NodeId, message: &mut Message, out: &mut Outputs) {
        if from == self.id || (self.options.check_quorum && self.is_not_to_hear(message)) {
            return;
        }
        if let Message::AppendEntries { term, prev_log_index, prev_log_term, entries, leader_commit, round } =
            message
        {
            let (prev, commit, round) = ((*prev_log_index, *prev_log_term), *leader_commit, *round);
            if *term > self.hard.term || (mutant!(self, EarlierTermFollowed) && *term < self.hard.term) {
                self.adopt_term(*term, out);
            }
            if self.follow(from, *term, round, prev.0, out) {
                self.on_append(from, prev, core::mem::take(entries), commit, round, out);
            }
        } else if let Message::AppendEntriesResponse { term, round, holds, result } = *message {
            if term > self.hard.term {
                self.adopt_term(term, out);
            }
            self.on_append_response(from, term, (round, holds), result, out);
        } else {
            let message = core::mem::replace(message, Message::TimeoutNow { term: Term::ZERO });
            self.on_rare_message(from, message, out);
        }
    }

    #[cold]
    fn on_rare_message(&mut self, from: NodeId, message: Message, out: &mut Outputs) {
        if message.term() > self.hard.term && message.is_of_its_term() {
            self.adopt_term(message.term(), out);
        }
        match message {
            Message::RequestVote { term, last_log_index, last_log_term, priority, .. } => {
                self.on_request_vote(from, term, (last_log_term, last_log_index), priority, out);
            }
            Message::RequestVoteResponse { term, granted } => {
                self.on_vote_response(from, term, granted, out);
            }
            Message::PreVote { term, last_log_index, last_log_term, priority } => {
                self.on_pre_vote(from, term, (last_log_term, last_log_index), priority, out);
            }
            Message::PreVoteResponse { term, granted } => {
                self.on_pre_vote_response(from, term, granted, out);
            }
            Message::InstallSnapshot { term, round, meta, offset, total, chunk } => {
                self.on_install_snapshot(from, term, round, (meta, offset, total, chunk), out);
            }
            Message::InstallSnapshotResponse { term, round, index, received, done } => {
                self.on_install_snapshot_response(from, (term, round), index, received, done, out);
            }
            Message::TimeoutNow { term } => self.on_timeout_now(from, term, out),
            Message::ReadIndex { term, id } => self.on_read_index(from, term, id, out),
            Message::ReadIndexResponse { term, id, index } => {
                self.on_read_index_response(term, id, index, out);
            }
            Message::Forward { term, payload } => self.on_forward(term, payload, out),
            Message::AppendEntries { .. } | Message::AppendEntriesResponse { .. } => {}
        }
    }

    fn on_persisted(&mut self, id: PersistId, out: &mut Outputs) {
        if !self.durability.completed(id, self.hard.term, out) {
            return;
        }
        match &self.role {
            Role::Follower(_) | Role::PreCandidate(_) => {}
            Role::Candidate(_) => self.count_own_vote(out),
            Role::Leader(_) => self.count_own_log(out),
        }
        let mut covered = None;
        while let Some((write, base)) = self.compactions.front().copied()
            && self.durability.is_done(write)
        {
            self.compactions.pop_front();
            covered = Some(base);
        }
        if let Some(base) = covered {
            self.compact(base, out);
        }
    }

    /// Timers first, then the write that the step's promises wait for.
    #[inline]
    fn finish_step(&mut self, out: &mut Outputs) {
        if self.timers.turned {
            self.set_timers(out);
        } else if core::mem::take(&mut self.timers.heard) {
            if self.timers.new_term {
                self.set_timers(out);
            } else {
                out.push(Output::RearmTimer(Timer::Election));
            }
        }
        self.durability.flush(self.hard_to_write(), &self.log, out);
    }

    #[inline]
    fn hard_to_write(&self) -> HardState {
        let HardState { term, vote } = self.hard;
        let forgotten = mutant!(self, VoteNotPersisted) && vote != Some(self.id);
        HardState { term, vote: if forgotten { None } else { vote } }
    }

    #[cold]
    fn set_timers(&mut self, out: &mut Outputs) {
        let TimerChanges { stepped_down, batch_ended, .. } = core::mem::take(&mut self.timers);
        if stepped_down {
            out.push(Output::CancelTimer(Timer::Heartbeat));
        }
        if batch_ended {
            out.push(Output::CancelTimer(Timer::Batch));
        }
        let (timer, (min_ns, max_ns)) = match self.role {
            Role::Follower(_) | Role::PreCandidate(_) | Role::Candidate(_) => {
                (Timer::Election, self.options.election_timeout_ns)
            }
            Role::Leader(_) => {
                out.push(Output::CancelTimer(Timer::Election));
                (Timer::Heartbeat, (self.options.heartbeat_ns, self.options.heartbeat_ns))
            }
        };
        out.push(Output::SetTimer { timer, range: TimeoutRange { min_ns, max_ns } });
    }

    /// Steps down because somebody is in a later term (Raft §5.1).
    #[cold]
    fn adopt_term(&mut self, term: Term, out: &mut Outputs) {
        self.enter_term(term, out);
        if !mutant!(self, TermNotPersistedOnStepDown) {
            self.durability.hard_changed();
        }
        self.become_follower(None, out);
    }

    /// The only place where the term changes. The caller sees to it that the change becomes durable. A follower's timer goes
    /// on: one whose vote is not to be had must not keep others from standing by asking for it (Raft §5.2).
    fn enter_term(&mut self, term: Term, out: &mut Outputs) {
        self.hard = HardState { term, vote: None };
        self.timers.new_term = true;
        out.push(Output::Event(Event::Term(term)));
        self.refuse_asked_reads(out);
    }

    /// The only place where a vote is given (Raft §5.2).
    fn vote_for(&mut self, candidate: NodeId, out: &mut Outputs) {
        self.hard.vote = Some(candidate);
        if !(mutant!(self, CandidacyNotPersisted) && candidate == self.id) {
            self.durability.hard_changed();
        }
        out.push(Output::Event(Event::Vote { term: self.hard.term, candidate }));
    }

    /// Follows `leader`. The vote of the term stays: whoever forgot it could vote twice.
    #[inline]
    fn become_follower(&mut self, leader: Option<NodeId>, out: &mut Outputs) {
        match &mut self.role {
            Role::Follower(follower) => follower.leader = leader,
            Role::PreCandidate(_) | Role::Candidate(_) | Role::Leader(_) => {
                if mutant!(self, VoteForgottenOnStepDown) {
                    self.hard.vote = None;
                }
                self.set_role(Role::Follower(Follower { leader }), out);
            }
        }
    }

    /// The only place where the role changes.
    fn set_role(&mut self, role: Role, out: &mut Outputs) {
        self.timers.turned = true;
        self.timers.stepped_down |= self.role.kind() == RoleKind::Leader;
        let before = core::mem::replace(&mut self.role, role);
        out.push(Output::Event(Event::Role { role: self.role.kind(), term: self.hard.term }));
        if let Role::Leader(leader) = before {
            self.timers.batch_ended |= leader.batch.is_some();
            self.refuse_waiting_reads(leader.reads, out);
        }
    }

    /// The only place where the log grows.
    fn append(&mut self, entries: Entries, out: &mut Outputs) {
        let first = self.log.last_index().next();
        self.log.append(entries.as_slice());
        out.push(Output::Event(Event::Appended { first, entries: entries.clone() }));
        let changes = entries.as_slice().iter().any(|entry| matches!(entry.kind, EntryKind::Change(_)));
        let noted = if changes { entries.clone() } else { Entries::None };
        self.durability.log_appended(first, entries);
        if changes {
            self.note_memberships(first, &noted, out);
        }
    }

    /// Entries with memberships were appended: the last one is in force.
    #[cold]
    fn note_memberships(&mut self, first: LogIndex, entries: &Entries, out: &mut Outputs) {
        for (offset, entry) in entries.as_slice().iter().enumerate() {
            if let EntryKind::Change(membership) = &entry.kind {
                self.memberships.push(first.advanced_by(offset), Arc::clone(membership));
            }
        }
        self.membership_changed(out);
    }

    /// The only place where the end of the log is cut off; a snapshot may come in the place of all of it.
    fn truncate(&mut self, from: LogIndex, out: &mut Outputs) {
        if from > self.log.last_index() {
            return;
        }
        self.log.truncate(from);
        out.push(Output::Event(Event::Truncated { from }));
        self.durability.log_truncated(from);
        if !mutant!(self, MembersNotTakenBack) && self.memberships.truncate(from) {
            self.membership_changed(out);
        }
    }

    /// The commit index moves here and with a snapshot, only upwards. `index` is in the log.
    #[inline]
    fn commit_to(&mut self, index: LogIndex, out: &mut Outputs) {
        if index == self.commit || (index < self.commit && !mutant!(self, CommitGoesBack)) {
            return;
        }
        self.commit = index;
        out.push(Output::Event(Event::Committed(index)));
        self.hand_out(out);
    }

    /// Gives the state machine what is committed, as far as the window lets it.
    #[inline]
    fn hand_out(&mut self, out: &mut Outputs) {
        let last = match self.options.apply_window {
            0 => self.commit,
            window => self.commit.min(LogIndex(self.applied_by_host.0.saturating_add(u64::from(window)))),
        };
        while self.applied < last {
            // What is committed is in the log, unless a planted bug or a forged message took it away.
            let Some(entry) = self.log.get(self.applied.next()) else { return };
            self.applied = self.applied.next();
            out.push(Output::Apply { index: self.applied, entry: entry.clone() });
        }
    }

    fn on_applied(&mut self, index: LogIndex, out: &mut Outputs) {
        self.applied_by_host = self.applied_by_host.max(index.min(self.applied));
        self.hand_out(out);
    }

    /// Whether the node's word counts in any majority.
    #[inline]
    fn is_voter(&self) -> bool {
        self.position.is_some_and(|position| self.roster.votes(position))
    }
}
