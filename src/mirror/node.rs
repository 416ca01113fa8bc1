//! One node as it was told: its memory, its disk, and what is on the way from the one to the other.

use super::disk::{DurableMirror, Finding, FoundState, PendingWrites, Survival};
use super::log::LogMirror;
use crate::record::{Hash64, Members, Note, Role, SnapshotFacts};
use sim_core::{ProcessId, WriteId};
use std::sync::Arc;

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
    /// The configuration in force for it, as it told last: all nodes, as voters, if it never told.
    pub members: Arc<Members>,
    /// The index of the entry that holds that configuration; 0 for the one that the cluster began with.
    pub members_index: u64,
    /// The snapshot that it took, installed or recovered last, in this life.
    pub snapshot: Option<Arc<SnapshotFacts>>,
    /// What it has on its disk for good. What it found there after a crash, and has to mend, is not before that is done.
    pub durable: DurableMirror,
    /// What it found on its disk when this life began.
    pub found: Finding,
    /// Whether it has told that, in its last life.
    pub has_recovered: bool,
    /// Whether its snapshot came from its leader.
    installed: bool,
    /// The write by which it mends what it is about to say that it found.
    mending: Option<WriteId>,
    pending: PendingWrites,
}

impl NodeMirror {
    pub(super) fn new(members: Arc<Members>) -> Self {
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
            members,
            members_index: 0,
            snapshot: None,
            durable: DurableMirror::default(),
            found: Finding::Lawful,
            has_recovered: false,
            installed: false,
            mending: None,
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
        self.has_recovered = false;
    }

    /// Everything that a crash takes is gone. What is on the way to the disk may get there yet: the next recovery tells.
    /// The configuration stays until it tells of another.
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
        self.snapshot = None;
        self.mending = None;
    }

    /// Takes in a note; tells whether anything changed that can be read.
    #[inline(always)]
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
            Note::Recovered { term, vote, last_index, last_hash, ref snapshot } => {
                let snapshot = snapshot.as_deref();
                self.recover(&FoundState { term, vote, last_index, last_hash, snapshot });
                true
            }
            Note::Mending { write, .. } => {
                self.mending = Some(write);
                false
            }
            Note::Members { index, ref members } => {
                if *self.members != **members {
                    self.members = Arc::new((**members).clone());
                }
                self.members_index = index;
                true
            }
            Note::Snapshot(ref facts) => {
                self.snapshot = Some(Arc::new((**facts).clone()));
                self.installed = false;
                true
            }
            Note::Installed(ref facts) => {
                self.log.install(facts);
                self.start_from(facts);
                self.installed = true;
                true
            }
            Note::PersistSnapshot { write, index } => {
                if let Some(snapshot) = self.snapshot.as_ref().filter(|snapshot| snapshot.index == index) {
                    self.pending.hold_snapshot(write, snapshot.clone(), self.installed);
                }
                false
            }
            Note::Compacted { base } => {
                self.log.compact(base);
                true
            }
            Note::PersistCompacted { write, base } => {
                self.pending.hold_base(write, base);
                false
            }
            Note::Proposed { .. }
            | Note::Accepted { .. }
            | Note::Refused { .. }
            | Note::Forwarded { .. }
            | Note::ReadAsked { .. }
            | Note::ReadReady { .. }
            | Note::ReadRefused { .. }
            | Note::StorageFailed { .. }
            | Note::StorageCorrupt { .. }
            | Note::Submitted { .. }
            | Note::Call(_)
            | Note::Return(_) => false,
        }
    }

    /// A write reached the disk; tells whether anything changed that can be read.
    #[inline]
    pub(super) fn complete(&mut self, write: WriteId) -> bool {
        let full = self.durable.log.full();
        let changed = self.pending.complete(write, &mut self.durable);
        if self.durable.log.full() > full {
            self.durable.log.share(&self.log);
        }
        changed
    }

    /// A write did not reach the disk.
    pub(super) fn fail(&mut self) {
        self.pending.fail();
    }

    /// What would be on its disk, had the oldest `count` writes under way got there.
    #[cfg(test)]
    pub(crate) fn disk_after(&self, count: usize) -> DurableMirror {
        self.pending.stored(count, &self.durable)
    }

    fn recover(&mut self, found: &FoundState<'_>) {
        let mending = self.mending.take();
        let Survival { disk, finding } = self.pending.survive(&self.durable, found, mending);
        self.found = finding;
        self.has_recovered = true;
        self.term = found.term;
        self.vote = found.vote;
        self.log.copy_from(&disk.log);
        if mending.is_none() {
            self.durable = disk;
        }
        // A node that says that it found less holds less.
        if let Some(beyond) = found.last_index.checked_add(1) {
            self.log.truncate_from(beyond);
        }
        if self.log.last_index() > found.last_index {
            self.log.end_at(found.last_index, found.last_hash);
        }
        if let Some(facts) = found.snapshot {
            if self.log.last_index() < facts.index {
                self.log.install(facts);
            }
            self.commit = facts.index;
            self.start_from(facts);
            self.installed = false;
        }
    }

    /// Its state machine is that of a snapshot.
    fn start_from(&mut self, facts: &SnapshotFacts) {
        self.commit = self.commit.max(facts.index);
        self.applied = facts.index;
        self.state = facts.state;
        self.snapshot = Some(Arc::new(facts.clone()));
    }

    #[inline]
    fn append(&mut self, index: u64, term: u64, command: Hash64) -> bool {
        let last = self.log.last_index();
        // An entry beyond a gap, or below what a snapshot covers, has no place in a log. Log matching says so.
        if index > last.saturating_add(1) || index <= self.log.base() {
            return false;
        }
        if index <= last {
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
