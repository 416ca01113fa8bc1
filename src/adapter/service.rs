//! What a server has around its node: the state machine, and the clients who wait for it.
//!
//! Owns what was applied, what is still to be applied, and who is to be answered then. Must not know elections, logs or
//! disks.

#[cfg(feature = "mutations")]
use super::HostMutation;
use super::tell::{command_hash, effect, members};
use super::{APPLY, Answered, Member, Message};
use crate::kv::{Answer, Key, Machine, RequestId};
use crate::record::{Hash64, Note, SnapshotFacts};
use raft_node::{Entry, LogIndex, Snapshot};
use sim_core::{Effects, Latency, ProcessId};
use std::collections::VecDeque;
use std::sync::Arc;

/// How a server treats its state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ServiceOptions {
    /// The limits of the state machine.
    pub machine: crate::kv::Config,
    /// After how many applied entries it takes a snapshot; never if none is given.
    pub snapshot_after: Option<u64>,
    /// How long an entry that is handed out while none waits is put off, and then all that came meanwhile are applied; at
    /// once if none is given.
    pub apply_delay: Option<Latency>,
    /// A bug to plant.
    #[cfg(feature = "mutations")]
    pub mutation: Option<HostMutation>,
}

#[cfg(feature = "mutations")]
impl ServiceOptions {
    /// The machine, with the bug planted in it if that is where it belongs.
    fn planted(self, machine: Machine) -> Machine {
        if self.mutation == Some(HostMutation::RetryApplied) { machine.repeating() } else { machine }
    }
}

/// A client that waits for a command to be applied.
#[derive(Clone, Debug)]
struct Waiting {
    client: ProcessId,
    id: RequestId,
    command: Hash64,
}

/// Somebody who wants to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    /// Who is to be answered, if it is a client.
    pub(super) client: Option<(ProcessId, RequestId)>,
    /// What it wants to know.
    pub(super) key: Option<Key>,
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    options: ServiceOptions,
    machine: Machine,
    /// The hash of the log up to the last entry applied.
    log: Hash64,
    /// What was handed out and is not applied, oldest first.
    queue: VecDeque<(LogIndex, Entry)>,
    /// Whether nothing is applied until somebody says so.
    held: bool,
    /// The last index of the last snapshot.
    snapshot: u64,
    waiting: Vec<Waiting>,
    /// Readers whose index is known and not reached.
    ready: Vec<(u64, Reader)>,
}

impl Service {
    pub(super) fn new(options: ServiceOptions) -> Self {
        let machine = Machine::new(options.machine);
        #[cfg(feature = "mutations")]
        let machine = options.planted(machine);
        Self {
            options,
            machine,
            log: Hash64::default(),
            queue: VecDeque::new(),
            held: false,
            snapshot: 0,
            waiting: Vec::new(),
            ready: Vec::new(),
        }
    }

    pub(super) const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// How many entries were handed out and are not applied.
    pub(super) fn behind(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    pub(super) const fn is_held(&self) -> bool {
        self.held
    }

    /// Takes a committed entry: applies it, now or later.
    #[inline]
    pub(super) fn take(&mut self, index: LogIndex, entry: &Entry, fx: &mut Effects<'_, Member>) {
        match self.options.apply_delay {
            None if !self.held && self.queue.is_empty() => self.apply(index, entry, fx),
            delay => {
                if let (true, Some(delay)) = (self.queue.is_empty(), delay) {
                    arm(delay, index, fx);
                }
                self.queue.push_back((index, entry.clone()));
            }
        }
    }

    /// Applies up to `count` of the entries that wait.
    pub(super) fn catch_up(&mut self, count: usize, fx: &mut Effects<'_, Member>) {
        for _ in 0..count {
            let Some((index, entry)) = self.queue.pop_front() else { break };
            self.apply(index, &entry, fx);
        }
        if let (Some((index, _)), Some(delay)) = (self.queue.front(), self.options.apply_delay) {
            arm(delay, *index, fx);
        }
    }

    #[inline]
    fn apply(&mut self, index: LogIndex, entry: &Entry, fx: &mut Effects<'_, Member>) {
        let (term, command) = (entry.term.0, command_hash(entry));
        self.log = self.log.then(term, command);
        let applied = self.machine.apply(index.0, entry.payload());
        let (state, effect) = (Hash64(self.machine.hash()), effect(applied.effect));
        fx.note(Note::Apply { index: index.0, term, command, state, effect });
        if !self.waiting.is_empty() {
            self.waiting.retain(|waiting| {
                let is_this = waiting.command == command;
                if is_this {
                    let answer = Answer::Done(applied.response.clone());
                    answer_to(waiting.client, Answered { id: waiting.id, answer, index: index.0 }, fx);
                }
                !is_this
            });
        }
        self.serve_ready(fx);
    }

    /// The state machine has come further: answers the readers who waited for that.
    #[inline]
    fn serve_ready(&mut self, fx: &mut Effects<'_, Member>) {
        if !self.ready.is_empty() {
            let ready = core::mem::take(&mut self.ready);
            for (due, reader) in ready {
                self.serve(due, reader, fx);
            }
        }
    }

    /// A client waits until `command` is applied. It waits for one thing at a time: it was [forgotten](Self::forget) when
    /// it asked.
    pub(super) fn wait(&mut self, client: ProcessId, id: RequestId, command: Hash64) {
        self.waiting.push(Waiting { client, id, command });
    }

    /// A client wants something else now.
    pub(super) fn forget(&mut self, client: ProcessId) {
        self.waiting.retain(|waiting| waiting.client != client);
        self.ready.retain(|(_, reader)| reader.client.is_none_or(|(other, _)| other != client));
    }

    /// Answers a reader as soon as all up to `due` is applied.
    pub(super) fn serve(&mut self, due: u64, reader: Reader, fx: &mut Effects<'_, Member>) {
        #[cfg(feature = "mutations")]
        let due = if self.options.mutation == Some(HostMutation::ReadBeforeApplied) { 0 } else { due };
        let index = self.machine.applied();
        if index < due {
            self.ready.push((due, reader));
        } else if let (Some((client, id)), Some(key)) = (reader.client, reader.key) {
            let answer = Answer::Read { value: self.machine.read(key).cloned(), index };
            answer_to(client, Answered { id, answer, index }, fx);
        }
    }

    /// The state machine as it is, if it is time to keep it or `now` is said, and there is anything new: up to which
    /// index, and its bytes.
    pub(super) fn snapshot(&mut self, now: bool) -> Option<(LogIndex, Arc<[u8]>)> {
        let applied = self.machine.applied();
        let fresh = applied.checked_sub(self.snapshot).filter(|fresh| *fresh > 0)?;
        if !now && self.options.snapshot_after.is_none_or(|after| fresh < after) {
            return None;
        }
        self.snapshot = applied;
        #[cfg(feature = "mutations")]
        if self.options.mutation == Some(HostMutation::SessionsNotInSnapshot) {
            return Some((LogIndex(applied), bytes(self.log, &self.machine.without_sessions())));
        }
        Some((LogIndex(applied), bytes(self.log, &self.machine)))
    }

    /// Becomes what a snapshot holds.
    pub(super) fn install(&mut self, contents: Contents, fx: &mut Effects<'_, Member>) {
        let Contents { index, log, machine } = contents;
        #[cfg(feature = "mutations")]
        let machine = self.options.planted(machine);
        (self.log, self.machine) = (log, machine);
        self.snapshot = index.0;
        self.queue.retain(|(waiting, _)| *waiting > index);
        self.serve_ready(fx);
    }
}

/// What a snapshot holds, read.
#[derive(Debug)]
pub(super) struct Contents {
    index: LogIndex,
    log: Hash64,
    machine: Machine,
}

/// Lets time pass until the entry at `index` is applied.
fn arm(delay: Latency, index: LogIndex, fx: &mut Effects<'_, Member>) {
    /// The purpose of the draw.
    const APPLYING: u32 = 16;
    let delay = fx.sample(APPLYING, index.0, delay);
    fx.set_timer(APPLY, delay);
}

/// The bytes of a snapshot of a state machine that has applied a log with this hash.
#[must_use]
pub fn bytes(log: Hash64, machine: &Machine) -> Arc<[u8]> {
    let mut bytes = log.0.to_le_bytes().to_vec();
    bytes.extend_from_slice(&machine.snapshot());
    bytes.into()
}

pub(super) fn answer_to(client: ProcessId, answered: Answered, fx: &mut Effects<'_, Member>) {
    fx.send(client, Message::Answered(Box::new(answered)));
}

/// What a snapshot says that it is, and what it holds.
///
/// # Errors
///
/// If its bytes are none that a state machine wrote.
pub(super) fn read(snapshot: &Snapshot) -> Result<(SnapshotFacts, Contents), String> {
    let Snapshot { index, term, membership, data } = snapshot;
    let (log, machine) = data.split_first_chunk().ok_or("a snapshot without its head")?;
    let log = Hash64(u64::from_le_bytes(*log));
    let machine = Machine::restore(machine).map_err(|error| error.to_string())?;
    let state = Hash64(machine.hash());
    let facts = SnapshotFacts { index: index.0, term: term.0, log, state, members: members(membership) };
    Ok((facts, Contents { index: *index, log, machine }))
}

/// What a snapshot says that it is.
///
/// # Errors
///
/// If its bytes are none that a state machine wrote.
pub fn facts(snapshot: &Snapshot) -> Result<SnapshotFacts, String> {
    read(snapshot).map(|(facts, _)| facts)
}
