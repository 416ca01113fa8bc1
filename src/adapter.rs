//! The one place that knows both the node and the world: it lends our Raft node the world's hands.
//!
//! It turns what reaches a process into inputs of the node, and the node's outputs into effects and neutral notes.
//! It decides nothing.

use crate::record::{Hash64, MESSAGE_KINDS, MessageFacts, Note, Role};
use raft_node::{
    AppendResult, Config, Durable, Entry, EntryKind, Event, Input, Message, MessageKind, NodeId, Output,
    Outputs, Payload, PersistId, RaftNode, RoleKind, Timer, Write,
};
use sim_core::{Effects, Label, Process, ProcessId, Span, TimerId, WriteId};

// What others need of the node they get from here, so that no other file knows it.
#[cfg(feature = "mutations")]
pub use raft_node::Mutation;
pub use raft_node::{Config as NodeConfig, Options as NodeOptions};

/// The election timer of a process.
pub const ELECTION: TimerId = TimerId(0);
/// The heartbeat timer of a process.
pub const HEARTBEAT: TimerId = TimerId(1);

/// What a client or a scenario asks of a node.
#[derive(Clone, Debug)]
pub enum Request {
    /// To take a command into the log.
    Propose {
        /// The command.
        command: Payload,
        /// The command as a person would write it, where somebody will read the record of it.
        text: Option<Box<str>>,
    },
    /// To start an election now.
    Campaign,
}

impl Request {
    /// A proposal that is recorded with its text.
    #[must_use]
    pub fn propose(command: &str) -> Self {
        Self::propose_as(command.as_bytes(), command)
    }

    /// A proposal of these bytes that is recorded as `text`.
    #[must_use]
    pub fn propose_as(bytes: &[u8], text: &str) -> Self {
        Self::Propose { command: Payload::new(bytes), text: Some(text.into()) }
    }
}

/// Our Raft node as a process of the world.
#[derive(Clone, Debug)]
pub struct RaftProcess {
    node: RaftNode,
    /// What the last step put out; empty between steps, kept for its memory.
    outputs: Outputs,
    /// The state machine: a hash over everything applied.
    state: Hash64,
    /// How many writes the process issued in earlier lives: the node counts its own from 1 in each.
    writes_before: Option<u64>,
}

impl RaftProcess {
    /// The node.
    #[must_use]
    pub fn node(&self) -> &RaftNode {
        &self.node
    }

    /// Whether the node leads.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.node.view().role == RoleKind::Leader
    }

    fn step(&mut self, input: Input, fx: &mut Effects<'_, Self>) {
        let mut outputs = core::mem::take(&mut self.outputs);
        self.node.step(input, &mut outputs);
        self.perform(&mut outputs, fx);
        self.outputs = outputs;
    }

    fn perform(&mut self, outputs: &mut Outputs, fx: &mut Effects<'_, Self>) {
        for output in outputs.drain(..) {
            match output {
                Output::Send { to, message } => fx.send(process(to), message),
                Output::Persist { id, write } => self.persist(id, write, fx),
                Output::SetTimer { timer, range } => {
                    let term = self.node.view().term.0;
                    let (min, max) = (Span::from_nanos(range.min_ns), Span::from_nanos(range.max_ns));
                    fx.draw_timer(timer_id(timer), min, max, term);
                }
                Output::RearmTimer(timer) => fx.rearm_timer(timer_id(timer)),
                Output::CancelTimer(timer) => fx.cancel_timer(timer_id(timer)),
                Output::Apply { index, entry } => {
                    let command = command_hash(&entry);
                    self.state = self.state.then(entry.term.0, command);
                    fx.note(Note::Apply { index: index.0, term: entry.term.0, command, state: self.state });
                }
                Output::Accepted { index, term } => fx.note(Note::Accepted { index: index.0, term: term.0 }),
                Output::Refused { leader } => fx.note(Note::Refused { leader: leader.map(process) }),
                Output::Event(event) => tell(event, fx),
            }
        }
    }

    fn persist(&mut self, id: PersistId, write: Write, fx: &mut Effects<'_, Self>) {
        let hard = write.hard.map(|hard| (hard.term.0, hard.vote.map(process)));
        let log = write.log.as_ref().map(|log| (log.first.0, log.entries.len() as u64));
        let term = self.node.view().term.0;
        let write = fx.write(write, term);
        self.writes_before.get_or_insert(write.0 - id.0);
        fx.note(Note::Persist { write, hard, log });
    }
}

fn tell(event: Event, fx: &mut Effects<'_, RaftProcess>) {
    match event {
        Event::Role { role, term } => {
            let role = match role {
                RoleKind::Follower => Role::Follower,
                RoleKind::Candidate => Role::Candidate,
                RoleKind::Leader => Role::Leader,
            };
            fx.note(Note::Role { role, term: term.0 });
        }
        Event::Term(term) => fx.note(Note::Term { term: term.0 }),
        Event::Vote { term, candidate } => {
            fx.note(Note::Vote { term: term.0, candidate: process(candidate) })
        }
        Event::Appended { first, entries } => {
            for (index, entry) in (first.0..).zip(entries.as_slice()) {
                fx.note(Note::Append { index, term: entry.term.0, command: command_hash(entry) });
            }
        }
        Event::Truncated { from } => fx.note(Note::Truncate { from: from.0 }),
        Event::Committed(index) => fx.note(Note::Commit { index: index.0 }),
    }
}

fn process(node: NodeId) -> ProcessId {
    ProcessId(node.0)
}

/// The node's name of a process.
#[must_use]
pub fn node_id(process: ProcessId) -> NodeId {
    NodeId(process.0)
}

fn timer_id(timer: Timer) -> TimerId {
    match timer {
        Timer::Election => ELECTION,
        Timer::Heartbeat => HEARTBEAT,
    }
}

fn command_hash(entry: &Entry) -> Hash64 {
    match &entry.kind {
        EntryKind::Noop => Hash64::NOOP,
        EntryKind::Command(payload) => Hash64::of_command(payload.as_slice()),
    }
}

/// The hash of a whole log (see [`Hash64::then`]).
#[must_use]
pub fn log_hash(log: &[Entry]) -> Hash64 {
    log.iter().fold(Hash64::default(), |prefix, entry| prefix.then(entry.term.0, command_hash(entry)))
}

impl Process for RaftProcess {
    type Config = Config;
    type Message = Message;
    type Facts = MessageFacts;
    type Note = Note;
    type Durable = Durable;
    type Write = Write;
    type Request = Request;

    const TIMERS: &'static [&'static str] = &["election", "heartbeat"];
    const KINDS: &'static [&'static str] = MESSAGE_KINDS;

    #[inline]
    fn label(message: &Message) -> Label {
        let kind = match message.kind() {
            MessageKind::RequestVote => 0,
            MessageKind::RequestVoteResponse => 1,
            MessageKind::AppendEntries => 2,
            MessageKind::AppendEntriesResponse => 3,
        };
        Label { kind, epoch: message.term().0, bytes: message.bytes() }
    }

    #[inline]
    fn facts(message: &Message) -> MessageFacts {
        match message {
            Message::RequestVote { term, last_log_index, last_log_term } => MessageFacts::RequestVote {
                term: term.0,
                last_index: last_log_index.0,
                last_term: last_log_term.0,
            },
            Message::RequestVoteResponse { term, granted } => {
                MessageFacts::RequestVoteResponse { term: term.0, granted: *granted }
            }
            Message::AppendEntries { term, prev_log_index, prev_log_term, entries, leader_commit } => {
                MessageFacts::AppendEntries {
                    term: term.0,
                    prev_index: prev_log_index.0,
                    prev_term: prev_log_term.0,
                    entries: u32::try_from(entries.len()).unwrap_or(u32::MAX),
                    commit: leader_commit.0,
                }
            }
            Message::AppendEntriesResponse { term, result } => match result {
                AppendResult::Accepted { match_index } => {
                    MessageFacts::AppendEntriesAccepted { term: term.0, match_index: match_index.0 }
                }
                AppendResult::Rejected { prev_log_index, conflict } => MessageFacts::AppendEntriesRefused {
                    term: term.0,
                    prev_index: prev_log_index.0,
                    conflict_index: conflict.index.0,
                    conflict_term: conflict.term.map(|term| term.0),
                },
            },
        }
    }

    fn store(durable: &mut Durable, write: Write) {
        durable.apply(write);
    }

    fn boot(_: ProcessId, _: u32, config: &Config, durable: &Durable, fx: &mut Effects<'_, Self>) -> Self {
        fx.note(Note::Recovered {
            term: durable.hard.term.0,
            vote: durable.hard.vote.map(process),
            last_index: durable.log.len() as u64,
            last_hash: log_hash(&durable.log),
        });
        let mut outputs = Outputs::new();
        let node = RaftNode::start(config.clone(), durable, &mut outputs);
        let mut booted =
            Self { node, outputs: Outputs::new(), state: Hash64::default(), writes_before: None };
        booted.perform(&mut outputs, fx);
        booted.outputs = outputs;
        booted
    }

    #[inline]
    fn on_message(&mut self, from: ProcessId, message: Message, fx: &mut Effects<'_, Self>) {
        self.step(Input::Message { from: node_id(from), message }, fx);
    }

    fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Self>) {
        let timer = if timer == ELECTION { Timer::Election } else { Timer::Heartbeat };
        self.step(Input::TimerFired(timer), fx);
    }

    #[inline]
    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>) {
        let before = self.writes_before.expect("a write of this life was issued before it became durable");
        self.step(Input::Persisted(PersistId(write.0 - before)), fx);
    }

    fn on_request(&mut self, request: Request, fx: &mut Effects<'_, Self>) {
        match request {
            Request::Propose { command, text } => {
                if let Some(text) = text {
                    fx.note(Note::Proposed { command: Hash64::of_command(command.as_slice()), text });
                }
                self.step(Input::Propose(command), fx);
            }
            Request::Campaign => self.step(Input::Campaign, fx),
        }
    }
}
