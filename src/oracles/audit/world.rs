//! The cluster between two records, copied whole for every record.

use super::log::{Entry, Log};
use crate::record::{Hash64, Members, Note, Record, Role, SnapshotFacts};
use sim_core::{ProcessId, WriteId};
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(super) struct Disk {
    pub(super) term: u64,
    pub(super) vote: Option<ProcessId>,
    pub(super) log: Log,
    pub(super) snapshot: Option<SnapshotFacts>,
}

#[derive(Clone)]
struct Write {
    name: WriteId,
    hard: Option<(u64, Option<ProcessId>)>,
    /// The first index that it replaces, and with what.
    log: Option<(u64, Vec<Entry>)>,
    /// A snapshot, and whether its leader sent it.
    snapshot: Option<(SnapshotFacts, bool)>,
    base: Option<u64>,
}

impl Disk {
    fn store(&mut self, write: &Write) {
        if let Some((term, vote)) = write.hard {
            (self.term, self.vote) = (term, vote);
        }
        if let Some((facts, installed)) = &write.snapshot {
            if *installed {
                self.log.install(facts);
            }
            self.snapshot = Some(facts.clone());
        }
        if let Some((first, entries)) = &write.log
            && *first <= self.log.length() + 1
        {
            self.log.cut_behind(first - 1);
            let above = (*first..).zip(entries).filter(|(index, _)| *index > self.log.base.0);
            let above: Vec<Entry> = above.map(|(_, entry)| *entry).collect();
            self.log.entries.extend(above);
        }
        if let Some(base) = write.base {
            self.log.compact(base);
        }
    }

    /// Whether a node that says this has found this disk.
    fn is(&self, note: &Note) -> bool {
        let Note::Recovered { term, vote, last_index, last_hash, snapshot } = note else { return false };
        (*term, *vote, *last_index) == (self.term, self.vote, self.log.length())
            && Some(*last_hash) == self.log.hash_at(*last_index)
            && snapshot.as_deref() == self.snapshot.as_ref()
    }
}

#[derive(Clone, Default)]
pub(super) struct Node {
    pub(super) life: u32,
    pub(super) term: u64,
    pub(super) leader_of: Option<u64>,
    pub(super) log: Log,
    pub(super) commit: u64,
    pub(super) applied: u64,
    /// The last snapshot in memory, and whether its leader sent it.
    pub(super) snapshot: Option<(SnapshotFacts, bool)>,
    /// The configuration that it told of last, over all its lives.
    pub(super) told: Option<(u64, Members)>,
    /// Whether it told of one since it took up work.
    pub(super) tells: bool,
    /// Up to where a snapshot covers its log, and the configuration that it holds.
    pub(super) ground: Option<(u64, Members)>,
    /// The one that it began with, over all its lives.
    pub(super) initial: Option<Members>,
    pub(super) disk: Disk,
    /// Whether what it said that it found can have been there.
    pub(super) found_its_disk: bool,
    writes: Vec<Write>,
    /// Whether one of them failed since it took up work: those after it stand behind a gap.
    failed: bool,
    /// The write by which it mends what it is about to say that it found.
    mends: Option<WriteId>,
    /// That write, and what it found beyond what is there for good.
    mending: Option<(WriteId, Vec<Write>)>,
}

impl Node {
    pub(super) fn leads(&self) -> bool {
        self.leader_of == Some(self.term)
    }

    /// What a crash leaves of it.
    fn wreck(&self, life: u32) -> Self {
        let (told, initial, ground) = (self.told.clone(), self.initial.clone(), self.ground.clone());
        let (disk, tells, failed) = (self.disk.clone(), self.tells, self.failed);
        let found = self.mending.iter().flat_map(|(_, found)| found);
        let writes = found.chain(&self.writes).cloned().collect();
        Self { life, told, initial, ground, tells, disk, writes, failed, ..Self::default() }
    }

    fn recover(&mut self, note: &Note) {
        let Note::Recovered { term, last_index, last_hash, snapshot, .. } = note else { return };
        self.failed = false;
        let mut disks = vec![self.disk.clone()];
        for write in &self.writes {
            let mut disk = disks[disks.len() - 1].clone();
            disk.store(write);
            disks.push(disk);
        }
        let mut writes = core::mem::take(&mut self.writes);
        let kept = disks.iter().position(|disk| disk.is(note));
        self.found_its_disk = kept.is_some();
        let found = &disks[kept.unwrap_or(0)];
        self.log = found.log.clone();
        match self.mends.take() {
            None => self.disk = found.clone(),
            Some(write) => {
                writes.truncate(kept.unwrap_or(0));
                self.mending = Some((write, writes));
            }
        }
        self.term = *term;
        self.log.cut_behind(*last_index);
        if self.log.length() > *last_index {
            self.log = Log { base: (*last_index, 0, *last_hash), entries: Vec::new() };
        }
        self.tells = false;
        self.ground = snapshot.as_ref().map(|facts| (facts.index, facts.members.clone()));
        if let Some(facts) = snapshot {
            if self.log.length() < facts.index {
                self.log.install(facts);
            }
            (self.commit, self.applied) = (facts.index, facts.index);
            self.snapshot = Some((*facts.clone(), false));
        }
    }

    /// Up to here a snapshot or the base of the log says what was, and nothing tells which entries hold configurations.
    fn covered(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |(facts, _)| facts.index).max(self.log.base.0)
    }

    fn write(&mut self, name: WriteId) -> Option<&mut Write> {
        self.writes.iter_mut().rfind(|write| write.name == name)
    }

    fn note(&mut self, note: &Note) {
        match *note {
            Note::Recovered { .. } => self.recover(note),
            Note::Role { role, term } => {
                self.term = self.term.max(term);
                self.leader_of = if role == Role::Leader { Some(term) } else { None };
            }
            Note::Term { term } => self.term = term,
            Note::Vote { term, .. } => self.term = self.term.max(term),
            Note::Append { index, term, command } => {
                if index > self.log.base.0 && index <= self.log.length() + 1 {
                    self.log.cut_behind(index - 1);
                    self.log.entries.push((term, command));
                }
            }
            Note::Truncate { from } => self.log.cut_behind(from.saturating_sub(1)),
            Note::Persist { write: name, hard, log } => {
                let log = log.map(|(first, count)| (first.max(1), self.log.part(first.max(1), count)));
                self.writes.push(Write { name, hard, log, snapshot: None, base: None });
            }
            Note::Commit { index } => self.commit = index,
            Note::Apply { index, .. } => self.applied = index,
            Note::Members { index, ref members } => {
                self.told = Some((index, (**members).clone()));
                self.tells = true;
                if index == 0 && self.ground.is_none() && self.initial.is_none() {
                    self.initial = Some((**members).clone());
                }
            }
            Note::Snapshot(ref facts) => {
                self.snapshot = Some(((**facts).clone(), false));
                self.ground = Some((facts.index, facts.members.clone()));
            }
            Note::Installed(ref facts) => {
                self.ground = Some((facts.index, facts.members.clone()));
                self.log.install(facts);
                self.commit = self.commit.max(facts.index);
                self.applied = facts.index;
                self.snapshot = Some(((**facts).clone(), true));
            }
            Note::PersistSnapshot { write, index } => {
                let snapshot = self.snapshot.clone().filter(|(facts, _)| facts.index == index);
                if let (Some(snapshot), Some(write)) = (snapshot, self.write(write)) {
                    write.snapshot = Some(snapshot);
                }
            }
            Note::Compacted { base } => self.log.compact(base),
            Note::PersistCompacted { write, base } => {
                if let Some(write) = self.write(write) {
                    write.base = Some(base);
                }
            }
            Note::Mending { write, .. } => self.mends = Some(write),
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
            | Note::Return(_) => {}
        }
    }

    fn finish(&mut self, name: WriteId) {
        if self.failed {
            return;
        }
        if let Some((_, found)) = self.mending.take_if(|(mending, _)| *mending == name) {
            found.iter().for_each(|write| self.disk.store(write));
        }
        let Some(place) = self.writes.iter().position(|write| write.name == name) else { return };
        let write = self.writes.remove(place);
        self.disk.store(&write);
    }
}

/// The cluster between two records.
#[derive(Clone)]
pub(super) struct World {
    pub(super) nodes: BTreeMap<ProcessId, Node>,
    /// What was committed by anyone, all of it.
    pub(super) committed: Log,
    /// For each entry of it, the term of the node that committed it first.
    pub(super) committed_in: Vec<u64>,
    /// The configuration that its end was committed under.
    pub(super) under: Members,
    /// What lies below, nobody judges.
    pub(super) floor: u64,
    /// Every configuration that an entry was told to hold: its index, the hash of the log up to it, and itself.
    pub(super) configurations: Vec<(u64, Hash64, Members)>,
    /// The one that the cluster began with, as far as anybody told.
    pub(super) initial: Option<Members>,
}

impl World {
    pub(super) fn new(nodes: u16) -> Self {
        Self {
            nodes: ProcessId::all(nodes).map(|process| (process, Node::default())).collect(),
            committed: Log::default(),
            committed_in: Vec::new(),
            under: Members::voters(nodes),
            floor: 0,
            configurations: Vec::new(),
            initial: None,
        }
    }

    pub(super) fn after(&self, record: &Record) -> Self {
        let mut after = self.clone();
        let Some(node) = record.process().and_then(|process| after.nodes.get_mut(&process)) else {
            return after;
        };
        match record {
            Record::Booted { life, .. } => *node = node.wreck(*life),
            Record::Crashed { .. } | Record::Panicked { .. } => *node = node.wreck(node.life),
            Record::WriteFailed { .. } => node.failed = true,
            Record::WriteDurable { write, .. } => {
                let base = node.disk.log.base.0;
                node.finish(*write);
                if node.disk.log.base.0 != base {
                    after.sink();
                }
            }
            Record::Noted { note, .. } => {
                node.note(note);
                let node = node.clone();
                match note {
                    Note::Commit { index } => after.commit(&node, *index),
                    Note::Members { index, members } => after.learn(&node, *index, members),
                    Note::Snapshot(_)
                    | Note::Installed(_)
                    | Note::Compacted { .. }
                    | Note::Recovered { .. } => after.sink(),
                    _ => {}
                }
            }
            _ => {}
        }
        after
    }

    fn commit(&mut self, node: &Node, index: u64) {
        let done = self.committed.length();
        if index > done && self.agrees(&node.log, done) {
            let fresh = node.log.part(done + 1, index - done);
            self.committed_in.extend(fresh.iter().map(|_| node.term));
            self.committed.entries.extend(fresh);
            self.under = self.members(node);
        }
    }

    fn learn(&mut self, node: &Node, index: u64, members: &Members) {
        if index == 0 {
            if self.initial.is_none() && !members.voters.is_empty() {
                self.initial = Some(members.clone());
                if self.committed.length() == 0 {
                    self.under = members.clone();
                }
            }
        } else if let Some(hash) = node.log.hash_at(index).filter(|_| index > node.covered())
            && self.configuration(index, hash).is_none()
        {
            self.configurations.push((index, hash, members.clone()));
        }
    }

    fn sink(&mut self) {
        let logs = self.nodes.values().flat_map(|node| [&node.log, &node.disk.log]);
        let bases = logs.filter(|log| log.length() > 0).map(|log| log.base.0);
        self.floor = self.floor.max(bases.min().unwrap_or(0).min(self.committed.length()));
    }

    /// The configuration in force for a node, by its own word.
    pub(super) fn members(&self, node: &Node) -> Members {
        let all = || Members { voters: self.nodes.keys().copied().collect(), ..Members::default() };
        node.told.clone().map_or_else(all, |(_, members)| members)
    }

    pub(super) fn configuration(&self, index: u64, hash: Hash64) -> Option<&Members> {
        self.configurations.iter().find(|(i, h, _)| (*i, *h) == (index, hash)).map(|(.., members)| members)
    }

    /// The hash of what is committed up to `index`, as far as anybody remembers it.
    pub(super) fn hash_at(&self, index: u64) -> Option<Hash64> {
        self.committed.hash_at(index).filter(|_| index >= self.floor)
    }

    /// Whether a log is the committed one up to `index`, as far as anybody can tell.
    pub(super) fn agrees(&self, log: &Log, index: u64) -> bool {
        let index = if index < log.base.0 { log.base.0 } else { index };
        if index > log.length() {
            return false;
        }
        self.hash_at(index).is_none_or(|hash| log.hash_at(index) == Some(hash))
    }

    /// The configuration in force at a committed index, if anybody ever told of any.
    pub(super) fn members_at(&self, index: u64) -> Option<Members> {
        if index < self.floor || index > self.committed.length() {
            return None;
        }
        let told = self
            .configurations
            .iter()
            .filter(|(i, hash, _)| *i <= index && self.committed.hash_at(*i) == Some(*hash));
        let last = told.max_by_key(|(i, ..)| *i).map(|(.., members)| members.clone());
        let all = || Members { voters: self.nodes.keys().copied().collect(), ..Members::default() };
        let begun = || self.initial.clone().or_else(|| (!self.configurations.is_empty()).then(all));
        last.or_else(begun)
    }

    /// Whether these are a majority of each list that votes.
    pub(super) fn is_quorum(&self, members: &Members, holds: impl Fn(&Node) -> bool) -> bool {
        let majority = |list: &Vec<ProcessId>| {
            let holders = list.iter().filter(|id| self.nodes.get(id).is_some_and(&holds));
            holders.count() > list.len() / 2
        };
        majority(&members.voters) && (members.outgoing.is_empty() || majority(&members.outgoing))
    }
}
