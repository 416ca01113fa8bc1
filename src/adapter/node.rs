//! Our Raft node as a process of the world.

#[cfg(feature = "mutations")]
use super::HostMutation;
use super::service::{self, Reader, Service, ServiceOptions, answer_to};
use super::store::Store;
use super::tell::{self, command_hash, node_id, process};
use super::{APPLY, Answered, BATCH, ELECTION, HEARTBEAT, Member, Message, Reading, Request};
use crate::kv::{self, Answer, Body};
use crate::record::{Hash64, Note, ReadKind};
use raft_node::{
    Config, Event, Input, LocalTime, Output, Outputs, Payload, PersistId, RaftNode, ReadId, ReadMode,
    RoleKind, Snapshot, Timer, Write,
};
use sim_core::{DiskView, Effects, ProcessId, Span, TimerId, WriteId};

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The node's own settings.
    pub raft: Config,
    /// Those of its state machine.
    pub service: ServiceOptions,
}

/// Our Raft node as a process of the world.
#[derive(Clone, Debug)]
pub struct RaftProcess {
    node: RaftNode,
    /// What the last step put out; empty between steps, kept for its memory.
    outputs: Outputs,
    store: Store,
    service: Service,
    /// Reads that were asked for and whose index is not known.
    reads: Vec<(ReadId, Reader)>,
    last_read: u64,
    /// Whether a snapshot was taken in the step that runs.
    taken: bool,
    /// What the step that runs said to a command.
    verdict: Option<Verdict>,
    /// Whether the host says what it has applied.
    tells_applied: bool,
}

/// What a node says to a command.
#[derive(Clone, Copy, Debug)]
enum Verdict {
    Taken,
    Refused(raft_node::Refusal),
}

/// What lies in the place of a message that was sent.
const SENT: raft_node::Message = raft_node::Message::TimeoutNow { term: raft_node::Term(0) };

#[inline]
fn now(fx: &Effects<'_, Member>) -> LocalTime {
    LocalTime(fx.clock().0)
}

const fn timer_id(timer: Timer) -> TimerId {
    match timer {
        Timer::Election => ELECTION,
        Timer::Heartbeat => HEARTBEAT,
        Timer::Batch => BATCH,
    }
}

impl RaftProcess {
    /// The node.
    #[must_use]
    pub const fn node(&self) -> &RaftNode {
        &self.node
    }

    /// The state machine.
    #[must_use]
    pub const fn machine(&self) -> &kv::Machine {
        self.service.machine()
    }

    /// How many committed entries are not applied.
    #[must_use]
    pub fn behind(&self) -> usize {
        self.service.behind()
    }

    /// Whether nothing is applied until somebody says so.
    #[must_use]
    pub const fn holds_applies(&self) -> bool {
        self.service.is_held()
    }

    /// Whether a joint configuration is in force that the leader leaves by itself.
    #[must_use]
    pub fn leaves_joint(&self) -> bool {
        self.node.view().membership.auto_leave()
    }

    /// Whether the node leads.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.node.view().role == RoleKind::Leader
    }

    /// A life from what the disk holds; none if that cannot be trusted. Then the process has stopped.
    pub(super) fn boot(
        life: u32,
        config: &NodeConfig,
        disk: &DiskView<'_>,
        fx: &mut Effects<'_, Member>,
    ) -> Option<Self> {
        let (store, durable) = match Store::recover(disk, fx) {
            Ok(recovered) => recovered,
            Err(what) => return refuse(what, fx),
        };
        #[cfg(feature = "mutations")]
        let durable = match config.service.mutation {
            Some(HostMutation::RecoveryDropsLastEntry) => without_last_entry(durable),
            Some(HostMutation::TornEndRefused) if store.is_mending() => {
                return refuse("what the log ends with is bad".into(), fx);
            }
            _ => durable,
        };
        let (snapshot, mut contents) = match durable.snapshot.as_deref().map(service::read).transpose() {
            Ok(snapshot) => snapshot.unzip(),
            Err(what) => return refuse(what, fx),
        };
        let from: (u64, Hash64) =
            snapshot.as_ref().map_or_else(Default::default, |facts| (facts.index, facts.log));
        let skip =
            usize::try_from(from.0 - durable.base.0.0).expect("a log in memory has a length in memory");
        let after = durable.log.iter().skip(skip);
        let last_hash = after.fold(from.1, |hash, entry| hash.then(entry.term.0, command_hash(entry)));
        tell::rarely(
            fx,
            Note::Recovered {
                term: durable.hard.term.0,
                vote: durable.hard.vote.map(process),
                last_index: durable.last_index().0.max(from.0),
                last_hash,
                snapshot: snapshot.map(Box::new),
            },
        );
        let mut outputs = Outputs::new();
        let mends = store.is_mending();
        #[cfg(feature = "mutations")]
        let mends = mends && config.service.mutation != Some(HostMutation::VouchesBeforeMended);
        let start = if mends { RaftNode::start_mending } else { RaftNode::start };
        let node = start(config.raft.clone(), &durable, now(fx), &mut outputs);
        let mut booted = Self {
            node,
            outputs: Outputs::new(),
            store,
            service: Service::new(config.service),
            reads: Vec::new(),
            // No name of an earlier life comes again: its answers may yet be on their way.
            last_read: u64::from(life - 1) << 32,
            taken: false,
            verdict: None,
            tells_applied: config.raft.options.apply_window > 0,
        };
        outputs.retain(|output| {
            let installs = matches!(output, Output::Install { .. });
            if installs {
                // It is the one on the disk, which was just read.
                let contents = contents.take().expect("a node that boots installs what is on its disk, once");
                booted.service.install(contents, fx);
            }
            !installs
        });
        booted.perform(&mut outputs, fx);
        booted.outputs = outputs;
        booted.follow_up(fx);
        Some(booted)
    }

    fn step(&mut self, input: Input, fx: &mut Effects<'_, Member>) {
        let mut outputs = core::mem::take(&mut self.outputs);
        self.node.step(now(fx), input, &mut outputs);
        self.perform(&mut outputs, fx);
        self.outputs = outputs;
        self.follow_up(fx);
    }

    /// What the state machine has to say to the node after a step.
    #[inline]
    fn follow_up(&mut self, fx: &mut Effects<'_, Member>) {
        if let Some((index, data)) = self.service.snapshot(false) {
            self.step(Input::Snapshot { index, data }, fx);
        }
    }

    /// Carries out what the node says, and what it says to that: with a window each entry lets it say the next, and a log is
    /// longer than a stack.
    fn perform(&mut self, outputs: &mut Outputs, fx: &mut Effects<'_, Member>) {
        while self.perform_once(outputs, fx) && self.tells_applied {
            let applied = self.service.machine().applied();
            self.node.step(now(fx), Input::Applied(raft_node::LogIndex(applied)), outputs);
        }
    }

    /// Carries out what the node says. Whether something of it was to be applied.
    fn perform_once(&mut self, outputs: &mut Outputs, fx: &mut Effects<'_, Member>) -> bool {
        let mut applied = false;
        // Each where it lies: they are large, and to move one costs as much as to carry it out.
        for output in outputs.iter_mut() {
            match output {
                Output::Send { to, message } => {
                    let message = core::mem::replace(message, SENT);
                    fx.send(process(*to), Message::Raft(message));
                }
                Output::Persist { id, write } => {
                    self.tell_snapshot(write, fx);
                    self.store.persist(*id, write, &self.node, fx);
                }
                Output::RearmTimer(timer) => fx.rearm_timer(timer_id(*timer)),
                Output::Event(Event::SnapshotTaken { .. }) => self.taken = true,
                Output::Event(event) => tell::event(event, fx),
                Output::Apply { index, entry } => {
                    self.service.take(*index, entry, fx);
                    applied = true;
                }
                Output::SetTimer { timer, range } => {
                    let term = self.node.view().term.0;
                    let (min, max) = (Span::from_nanos(range.min_ns), Span::from_nanos(range.max_ns));
                    fx.draw_timer(timer_id(*timer), min, max, term);
                }
                Output::CancelTimer(timer) => fx.cancel_timer(timer_id(*timer)),
                Output::Accepted { index, term } => {
                    self.verdict = Some(Verdict::Taken);
                    fx.note(Note::Accepted { index: index.0, term: term.0 });
                }
                Output::Refused { reason } => {
                    self.verdict = Some(Verdict::Refused(*reason));
                    let (leader, why) = tell::refusal(*reason);
                    tell::rarely(fx, Note::Refused { leader, why });
                }
                Output::Forwarded { to } => {
                    self.verdict = Some(Verdict::Taken);
                    tell::rarely(fx, Note::Forwarded { to: process(*to) });
                }
                Output::Install { snapshot } => self.install(snapshot, fx),
                Output::ReadReady { id, index } => {
                    tell::rarely(fx, Note::ReadReady { read: id.0, index: index.0 });
                    if let Some(reader) = self.reader(*id) {
                        self.service.serve(index.0, reader, fx);
                    }
                }
                Output::ReadRefused { id, .. } => {
                    tell::rarely(fx, Note::ReadRefused { read: id.0 });
                    if let Some(Reader { client: Some((client, id)), .. }) = self.reader(*id) {
                        self.answer(client, id, Answer::Unavailable, fx);
                    }
                }
            }
        }
        outputs.clear();
        applied
    }

    fn tell_applied(&mut self, fx: &mut Effects<'_, Member>) {
        if self.tells_applied {
            let applied = self.service.machine().applied();
            self.step(Input::Applied(raft_node::LogIndex(applied)), fx);
        }
    }

    fn install(&mut self, snapshot: &Snapshot, fx: &mut Effects<'_, Member>) {
        match service::read(snapshot) {
            Ok((facts, contents)) => {
                tell::rarely(fx, Note::Installed(Box::new(facts)));
                self.service.install(contents, fx);
            }
            Err(what) => {
                tell::rarely(fx, Note::StorageFailed { what: what.into() });
                fx.stop();
            }
        }
    }

    /// The node has kept a snapshot that it was given.
    fn tell_snapshot(&mut self, write: &Write, fx: &mut Effects<'_, Member>) {
        if core::mem::take(&mut self.taken)
            && let Some(snapshot) = &write.snapshot
        {
            let facts = service::facts(snapshot).expect("the state machine wrote it");
            tell::rarely(fx, Note::Snapshot(Box::new(facts)));
        }
    }

    fn reader(&mut self, id: ReadId) -> Option<Reader> {
        let place = self.reads.iter().position(|(read, _)| *read == id)?;
        Some(self.reads.swap_remove(place).1)
    }

    #[inline]
    pub(super) fn on_message(
        &mut self,
        from: ProcessId,
        message: &mut raft_node::Message,
        fx: &mut Effects<'_, Member>,
    ) {
        let mut outputs = core::mem::take(&mut self.outputs);
        self.node.hear(now(fx), node_id(from), message, &mut outputs);
        self.perform(&mut outputs, fx);
        self.outputs = outputs;
        self.follow_up(fx);
    }

    pub(super) fn on_timer(&mut self, timer: TimerId, fx: &mut Effects<'_, Member>) {
        let timer = match timer {
            ELECTION => Timer::Election,
            HEARTBEAT => Timer::Heartbeat,
            BATCH => Timer::Batch,
            APPLY if !self.service.is_held() => return self.catch_up(usize::MAX, fx),
            _ => return,
        };
        self.step(Input::TimerFired(timer), fx);
    }

    fn catch_up(&mut self, count: usize, fx: &mut Effects<'_, Member>) {
        self.service.catch_up(count, fx);
        self.tell_applied(fx);
        self.follow_up(fx);
    }

    #[inline]
    pub(super) fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Member>) {
        if self.store.has_mended(write) {
            self.step(Input::Persisted(PersistId(0)), fx);
        }
        for id in self.store.synced(write, self.node.view().term.0, fx) {
            self.step(Input::Persisted(id), fx);
        }
    }

    /// A client asks.
    pub(super) fn on_client(&mut self, from: ProcessId, request: kv::Request, fx: &mut Effects<'_, Member>) {
        self.service.forget(from);
        self.reads.retain(|(_, reader)| reader.client.is_none_or(|(client, _)| client != from));
        let id = request.id;
        match request.body {
            Body::Log(command) => {
                let (text, bytes) = (command.to_string(), command.encode());
                let hash = Hash64::of_command(&bytes);
                match self.propose(Payload::new(&bytes), hash, Some(text.into()), fx) {
                    Some(Verdict::Taken) => self.service.wait(from, id, hash),
                    Some(Verdict::Refused(raft_node::Refusal::NotLeader { leader })) => {
                        self.answer(from, id, Answer::NotLeader { hint: leader.map(|node| node.0) }, fx);
                    }
                    Some(Verdict::Refused(_)) | None => self.answer(from, id, Answer::Unavailable, fx),
                }
            }
            Body::Read { key, by } => {
                let kind = tell::read_kind(by);
                if !self.may_serve(kind) {
                    let hint = self.node.view().leader.map(|node| node.0);
                    return self.answer(from, id, Answer::NotLeader { hint }, fx);
                }
                self.read(Reader { client: Some((from, id)), key: Some(key) }, kind, fx);
            }
        }
    }

    fn propose(
        &mut self,
        command: Payload,
        hash: Hash64,
        text: Option<Box<str>>,
        fx: &mut Effects<'_, Member>,
    ) -> Option<Verdict> {
        if let Some(text) = text {
            tell::rarely(fx, Note::Proposed { command: hash, text });
        }
        self.verdict = None;
        self.step(Input::Propose(command), fx);
        self.verdict.take()
    }

    /// Whether a read of this kind is the node's affair: some are the leader's only.
    fn may_serve(&self, kind: ReadKind) -> bool {
        match kind {
            ReadKind::Follower | ReadKind::Local => true,
            ReadKind::Log | ReadKind::ReadIndex | ReadKind::Lease => self.leads(),
        }
    }

    fn read(&mut self, reader: Reader, kind: ReadKind, fx: &mut Effects<'_, Member>) {
        self.last_read += 1;
        let id = ReadId(self.last_read);
        tell::rarely(fx, Note::ReadAsked { read: id.0, kind });
        if kind == ReadKind::Local {
            let index = self.service.machine().applied();
            tell::rarely(fx, Note::ReadReady { read: id.0, index });
            return self.service.serve(index, reader, fx);
        }
        if !self.may_serve(kind) {
            tell::rarely(fx, Note::ReadRefused { read: id.0 });
            return;
        }
        let mode = if kind == ReadKind::Lease { ReadMode::Lease } else { ReadMode::Index };
        self.reads.push((id, reader));
        self.step(Input::Read { id, mode }, fx);
    }

    fn answer(&self, client: ProcessId, id: kv::RequestId, answer: Answer, fx: &mut Effects<'_, Member>) {
        answer_to(client, Answered { id, answer, index: 0 }, fx);
    }

    pub(super) fn on_request(&mut self, request: Request, fx: &mut Effects<'_, Member>) {
        match request {
            Request::Propose { command, text } => {
                let hash = match text {
                    Some(_) => Hash64::of_command(command.as_slice()),
                    None => Hash64::default(),
                };
                self.propose(command, hash, text, fx);
            }
            Request::Campaign => self.step(Input::Campaign, fx),
            Request::Change(change) => self.step(Input::Change(*change), fx),
            Request::Transfer { to } => self.step(Input::Transfer { to: node_id(to) }, fx),
            Request::ForgetLeader => self.step(Input::ForgetLeader, fx),
            Request::Read(Reading { key, kind }) => self.read(Reader { client: None, key }, kind, fx),
            Request::Snapshot => {
                if let Some((index, data)) = self.service.snapshot(true) {
                    self.step(Input::Snapshot { index, data }, fx);
                }
            }
            Request::Compact { keep } => self.step(Input::Compact { keep }, fx),
            Request::SendSnapshot { to } => self.step(Input::SendSnapshot { to: node_id(to) }, fx),
            Request::Unreachable { node } => self.step(Input::Unreachable(node_id(node)), fx),
            Request::HoldApplies(held) => {
                self.service.hold(held);
                if !held {
                    self.catch_up(usize::MAX, fx);
                }
            }
            Request::ApplyOne => self.catch_up(1, fx),
            Request::Call(_) | Request::Start | Request::Stop => {}
        }
    }
}

/// For a planted bug.
#[cfg(feature = "mutations")]
fn without_last_entry(mut durable: raft_node::Durable) -> raft_node::Durable {
    durable.log.pop();
    durable
}

/// The node does not start from what its disk holds.
fn refuse(what: String, fx: &mut Effects<'_, Member>) -> Option<RaftProcess> {
    tell::rarely(fx, Note::StorageCorrupt { what: what.into() });
    fx.stop();
    None
}
