//! One node as it was told: its memory, its disk, and what is on the way from the one to the other.

use super::log::{LogCell, LogMirror};
use crate::record::{Hash64, Note, Role};
use sim_core::{ProcessId, WriteId};
use std::collections::VecDeque;

/// What a node has on its disk: what a crash does not take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DurableMirror {
    /// The term.
    pub term: u64,
    /// The vote in that term.
    pub vote: Option<ProcessId>,
    /// The log.
    pub log: LogMirror,
}

/// What is known of a node.
#[derive(Clone, Debug)]
pub struct NodeMirror {
    /// Whether it runs.
    pub up: bool,
    /// Whether it is frozen.
    pub paused: bool,
    /// Which life it is in; 0 before the first.
    pub life: u32,
    /// Its role.
    pub role: Role,
    /// Its term, in memory.
    pub term: u64,
    /// Its vote in that term, in memory.
    pub vote: Option<ProcessId>,
    /// Its log, in memory.
    pub log: LogMirror,
    /// Up to where it knows its log to be committed, in this life.
    pub commit: u64,
    /// Up to where it has applied its log, in this life.
    pub applied: u64,
    /// The hash of its state machine after that; 0 if nothing was applied in this life.
    pub state: Hash64,
    /// The term that its role of leader is of, if it has that role. See [`NodeMirror::leads`].
    pub leader_of: Option<u64>,
    /// What it has on its disk.
    pub durable: DurableMirror,
    pending: PendingWrites,
}

impl NodeMirror {
    pub(super) fn new() -> Self {
        Self {
            up: false,
            paused: false,
            life: 0,
            role: Role::Follower,
            term: 0,
            vote: None,
            log: LogMirror::default(),
            commit: 0,
            applied: 0,
            state: Hash64::default(),
            leader_of: None,
            durable: DurableMirror::default(),
            pending: PendingWrites::default(),
        }
    }

    /// Whether it is leader of the term that it is in.
    ///
    /// A leader that has noted a higher term, and not yet that it follows, no longer leads: notes of one step
    /// have no fixed order.
    #[inline]
    #[must_use]
    pub fn leads(&self) -> bool {
        self.leader_of == Some(self.term)
    }

    pub(super) fn boot(&mut self, life: u32) {
        self.forget();
        self.up = true;
        self.life = life;
    }

    /// Everything that a crash takes is gone.
    pub(super) fn forget(&mut self) {
        self.up = false;
        self.paused = false;
        self.set_role(Role::Follower, 0);
        self.term = 0;
        self.vote = None;
        self.log.clear();
        self.commit = 0;
        self.applied = 0;
        self.state = Hash64::default();
        self.pending.clear();
    }

    /// Takes in a note; tells whether anything changed that can be read.
    #[inline]
    pub(super) fn note(&mut self, note: &Note) -> bool {
        match *note {
            Note::Append { index, term, command } => self.append(index, term, command),
            Note::Persist { write, hard, log } => {
                self.pending.issue(write, hard, log, &self.log);
                false
            }
            Note::Commit { index } => {
                self.commit = index;
                true
            }
            Note::Apply { index, state, .. } => {
                self.applied = index;
                self.state = state;
                true
            }
            Note::Role { role, term } => {
                self.raise_term(term);
                self.set_role(role, term);
                true
            }
            Note::Term { term } => {
                self.term = term;
                self.vote = None;
                true
            }
            Note::Vote { term, candidate } => {
                self.raise_term(term);
                if term == self.term {
                    self.vote = Some(candidate);
                }
                true
            }
            Note::Truncate { from } => {
                self.log.truncate_from(from);
                true
            }
            Note::Recovered { term, vote, last_index, .. } => {
                self.term = term;
                self.vote = vote;
                self.log.copy_from(&self.durable.log);
                // A node that says that it read back less holds less. It is judged for that by log matching.
                self.log.truncate_from(last_index.saturating_add(1));
                true
            }
            Note::Proposed { .. } | Note::Accepted { .. } | Note::Refused { .. } => false,
        }
    }

    /// A write reached the disk; tells whether anything changed that can be read.
    #[inline]
    pub(super) fn complete(&mut self, write: WriteId) -> bool {
        self.pending.complete(write, &mut self.durable)
    }

    fn append(&mut self, index: u64, term: u64, command: Hash64) -> bool {
        let next = self.log.last_index() + 1;
        // An entry beyond a gap has no place in a log. Log matching says so.
        if index > next || index == 0 {
            return false;
        }
        if index < next {
            // To append in the middle is to remove what stood there.
            self.log.truncate_from(index);
        }
        self.log.push(term, command);
        true
    }

    fn raise_term(&mut self, term: u64) {
        if term > self.term {
            self.term = term;
            self.vote = None;
        }
    }

    fn set_role(&mut self, role: Role, term: u64) {
        self.role = role;
        self.leader_of = (role == Role::Leader).then_some(term);
    }
}

/// Writes that were issued and are not durable, oldest first, and the entries in them, back to back in one
/// buffer: so that a write costs no allocation.
#[derive(Clone, Debug, Default)]
struct PendingWrites {
    writes: VecDeque<PendingWrite>,
    cells: VecDeque<LogCell>,
}

#[derive(Clone, Debug)]
struct PendingWrite {
    write: WriteId,
    /// Whether it is durable and only waits for older ones, to be forgotten together with them.
    done: bool,
    hard: Option<(u64, Option<ProcessId>)>,
    /// The first index that it replaces, if it touches the log.
    first: Option<u64>,
    /// The hash of the log below that index, as it was in memory.
    before: Option<Hash64>,
    /// How many cells of the buffer are its own.
    count: usize,
}

impl PendingWrites {
    #[inline]
    fn issue(
        &mut self,
        write: WriteId,
        hard: Option<(u64, Option<ProcessId>)>,
        log: Option<(u64, u64)>,
        memory: &LogMirror,
    ) {
        let mut pending = PendingWrite { write, done: false, hard, first: None, before: None, count: 0 };
        if let Some((first, count)) = log {
            let first = first.max(1);
            let cells = memory.slice(first, count);
            pending.first = Some(first);
            pending.before = memory.prefix_at(first - 1);
            pending.count = cells.len();
            self.cells.extend(cells);
        }
        self.writes.push_back(pending);
    }

    #[inline]
    fn complete(&mut self, write: WriteId, durable: &mut DurableMirror) -> bool {
        // Disks mostly finish in order: then it is the first.
        let mut start = 0;
        let Some(pending) = self.writes.iter_mut().find(|pending| {
            let here = pending.write == write && !pending.done;
            start += if here { 0 } else { pending.count };
            here
        }) else {
            return false;
        };
        pending.done = true;
        if let Some((term, vote)) = pending.hard {
            durable.term = term;
            durable.vote = vote;
        }
        // What would stand beyond a gap adds nothing: no recovery could read it as part of a log. (A disk
        // that finishes out of order will have to hold it back until the gap is filled.)
        if let Some(first) = pending.first.filter(|first| *first <= durable.log.last_index() + 1) {
            durable.log.truncate_from(first);
            durable.log.extend(pending.before, self.cells.range(start..start + pending.count).copied());
        }
        while let Some(front) = self.writes.front().filter(|front| front.done) {
            self.cells.drain(..front.count);
            self.writes.pop_front();
        }
        true
    }

    fn clear(&mut self) {
        self.writes.clear();
        self.cells.clear();
    }
}
