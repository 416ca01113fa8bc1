//! The slow, obvious version of every oracle.
//!
//! Each property is put as it stands in the books, over whole logs and the whole past, in plain collections.
//! Nothing here is shared with the oracles but the records, so that a mistake must be made twice to go
//! unseen. It takes quadratic time and worse, and is for tests and for second opinions on a finding.

use crate::record::{Hash64, MessageFacts, Note, Record, Role};
use crate::violation::Property;
use sim_core::{ProcessId, Stamp, WriteId};
use std::collections::BTreeMap;

/// The number of the record at which `property` is first broken.
///
/// Properties that are not about safety ([`Property::Convergence`], [`Property::Expectation`]) are never
/// broken here.
#[must_use]
pub fn first_breach(property: Property, history: &[(Stamp, Record)], nodes: u16) -> Option<u64> {
    let mut world = World::new(nodes);
    let mut past = Past::default();
    for (stamp, record) in history {
        let after = world.after(record);
        past.keep_disk(&after, record);
        let moment = Moment { before: &world, after: &after, past: &past, record };
        if moment.breaks(property) {
            return Some(stamp.number);
        }
        if property == Property::LogMatching {
            past.keep_log(&after, record);
        }
        past.keep_record(&after, record);
        world = after;
    }
    None
}

/// An entry: its term and its command.
type Entry = (u64, Hash64);

#[derive(Clone, Default)]
struct Disk {
    term: u64,
    vote: Option<ProcessId>,
    log: Vec<Entry>,
}

#[derive(Clone)]
struct Write {
    name: WriteId,
    hard: Option<(u64, Option<ProcessId>)>,
    /// How many entries stay below, and what follows them.
    log: Option<(usize, Vec<Entry>)>,
}

#[derive(Clone, Default)]
struct Node {
    life: u32,
    term: u64,
    leader_of: Option<u64>,
    log: Vec<Entry>,
    commit: u64,
    applied: u64,
    disk: Disk,
    writes: Vec<Write>,
}

impl Node {
    fn leads(&self) -> bool {
        self.leader_of == Some(self.term)
    }

    fn note(&mut self, note: &Note) {
        match *note {
            Note::Recovered { term, last_index, .. } => {
                self.term = term;
                self.log = up_to(&self.disk.log, last_index).to_vec();
            }
            Note::Role { role, term } => {
                self.term = self.term.max(term);
                self.leader_of = if role == Role::Leader { Some(term) } else { None };
            }
            Note::Term { term } => self.term = term,
            Note::Vote { term, .. } => self.term = self.term.max(term),
            Note::Append { index, term, command } => {
                if (1..=length(&self.log) + 1).contains(&index) {
                    self.log = up_to(&self.log, index - 1).to_vec();
                    self.log.push((term, command));
                }
            }
            Note::Truncate { from } => self.log = up_to(&self.log, from.saturating_sub(1)).to_vec(),
            Note::Persist { write, hard, log } => {
                let log = log.map(|(first, count)| {
                    let below = first.saturating_sub(1);
                    let rest = self.log.iter().skip(size(below)).take(size(count));
                    (size(below), rest.copied().collect())
                });
                self.writes.push(Write { name: write, hard, log });
            }
            Note::Commit { index } => self.commit = index,
            Note::Apply { index, .. } => self.applied = index,
            Note::Proposed { .. } | Note::Accepted { .. } | Note::Refused { .. } => {}
        }
    }

    fn finish(&mut self, name: WriteId) {
        let Some(place) = self.writes.iter().position(|write| write.name == name) else { return };
        let write = self.writes.remove(place);
        if let Some((term, vote)) = write.hard {
            self.disk.term = term;
            self.disk.vote = vote;
        }
        if let Some((below, entries)) = write.log
            && below <= self.disk.log.len()
        {
            self.disk.log.truncate(below);
            self.disk.log.extend(entries);
        }
    }
}

/// The cluster between two records.
#[derive(Clone)]
struct World {
    nodes: BTreeMap<ProcessId, Node>,
    /// What was committed by anyone, and the term of the node that did it first.
    committed: Vec<(Entry, u64)>,
}

impl World {
    fn new(nodes: u16) -> Self {
        let nodes = ProcessId::all(nodes).map(|process| (process, Node::default())).collect();
        Self { nodes, committed: Vec::new() }
    }

    fn after(&self, record: &Record) -> Self {
        let mut after = self.clone();
        let Some(node) = record.process().and_then(|process| after.nodes.get_mut(&process)) else {
            return after;
        };
        match record {
            Record::Booted { life, .. } => {
                *node = Node { life: *life, disk: node.disk.clone(), ..Node::default() }
            }
            Record::Crashed { .. } | Record::Panicked { .. } => {
                *node = Node { life: node.life, disk: node.disk.clone(), ..Node::default() };
            }
            Record::WriteDurable { write, .. } => node.finish(*write),
            Record::Noted { note, .. } => {
                node.note(note);
                if let Note::Commit { index } = note {
                    let (node, done) = (node.clone(), after.committed.len());
                    if agree(&node.log, &after.committed, done) && node.log.len() >= done {
                        let fresh = up_to(&node.log, *index).iter().skip(done);
                        after.committed.extend(fresh.map(|entry| (*entry, node.term)));
                    }
                }
            }
            _ => {}
        }
        after
    }
}

/// What happened before.
#[derive(Default)]
struct Past {
    records: Vec<Record>,
    /// The decisions for a candidate: voter, life, term, candidate.
    decisions: Vec<(ProcessId, u32, u64, ProcessId)>,
    /// How long a log was when its node became candidate: node, life, term, length.
    candidacies: Vec<(ProcessId, u32, u64, u64)>,
    /// What stood on a disk after each write: node, term, vote. Including the present record.
    disks: Vec<(ProcessId, u64, Option<ProcessId>)>,
    /// Every log that was ever in a node's memory.
    logs: Vec<Vec<Entry>>,
}

impl Past {
    fn keep_disk(&mut self, after: &World, record: &Record) {
        if let Record::WriteDurable { process, .. } = record
            && let Some(node) = after.nodes.get(process)
        {
            self.disks.push((*process, node.disk.term, node.disk.vote));
        }
    }

    fn keep_log(&mut self, after: &World, record: &Record) {
        if let Record::Noted { process, note: Note::Append { .. } | Note::Recovered { .. } } = record
            && let Some(node) = after.nodes.get(process)
        {
            self.logs.push(node.log.clone());
        }
    }

    fn keep_record(&mut self, after: &World, record: &Record) {
        if let Record::Noted { process, note: Note::Vote { term, candidate } } = record {
            let life = after.nodes.get(process).map_or(0, |node| node.life);
            self.decisions.push((*process, life, *term, *candidate));
        }
        if let Record::Noted { process, note: Note::Role { role: Role::Candidate, term } } = record
            && let Some(node) = after.nodes.get(process)
        {
            self.candidacies.push((*process, node.life, *term, length(&node.log)));
        }
        self.records.push(record.clone());
    }

    fn notes(&self) -> impl Iterator<Item = (ProcessId, &Note)> {
        self.records.iter().filter_map(|record| match record {
            Record::Noted { process, note } => Some((*process, note)),
            _ => None,
        })
    }

    fn was_led(&self, term: u64, by: impl Fn(ProcessId) -> bool) -> bool {
        self.notes().any(|(process, note)| *note == Note::Role { role: Role::Leader, term } && by(process))
    }

    fn gave_to_another(&self, (voter, term, candidate): (ProcessId, u64, ProcessId)) -> bool {
        self.records.iter().filter_map(given).any(|(v, t, c)| (v, t) == (voter, term) && c != candidate)
    }

    /// The vote that stood last on the voter's disk while its term was `term`.
    fn durable_vote(&self, voter: ProcessId, term: u64) -> Option<ProcessId> {
        self.disks.iter().rfind(|(v, t, _)| (*v, *t) == (voter, term)).and_then(|(_, _, vote)| *vote)
    }
}

/// One record, with the cluster on both sides of it and all that came before.
struct Moment<'a> {
    before: &'a World,
    after: &'a World,
    past: &'a Past,
    record: &'a Record,
}

impl Moment<'_> {
    fn breaks(&self, property: Property) -> bool {
        if property == Property::NoPanic {
            return matches!(self.record, Record::Panicked { .. });
        }
        let Some(process) = self.record.process() else { return false };
        let (Some(before), Some(after)) = (self.before.nodes.get(&process), self.after.nodes.get(&process))
        else {
            return false;
        };
        match self.record {
            Record::Noted { note, .. } => self.note_breaks(property, process, before, after, note),
            Record::Sent { facts, .. } => match property {
                Property::MessageSanity => self.is_insane(process, before, facts),
                Property::DurableVote => {
                    given(self.record).is_some_and(|vote| self.is_bad_grant(after, vote))
                }
                _ => false,
            },
            Record::WriteDurable { .. } if property == Property::MonotonicDurableTerm => {
                let (old, new) = (&before.disk, &after.disk);
                new.term < old.term || (new.term == old.term && old.vote.is_some() && new.vote != old.vote)
            }
            _ => false,
        }
    }

    fn note_breaks(
        &self,
        property: Property,
        process: ProcessId,
        before: &Node,
        after: &Node,
        note: &Note,
    ) -> bool {
        let removed = match *note {
            Note::Append { index: first, .. } | Note::Truncate { from: first } => {
                first.max(1)..length(&before.log) + 1
            }
            _ => 0..0,
        };
        match (property, note) {
            (Property::ElectionSafety, Note::Role { role: Role::Leader, term }) => {
                self.past.was_led(*term, |leader| leader != process)
            }
            (Property::DurableVote, Note::Vote { term, candidate }) => {
                self.is_bad_decision(process, after.life, *term, *candidate)
            }
            (Property::LeaderAppendOnly, _) => before.leads() && !removed.is_empty(),
            (Property::NoTruncationBelowCommit, _) => removed.into_iter().any(|index| index <= before.commit),
            (Property::LogMatching, Note::Append { index, term, .. }) => {
                self.is_bad_append(before, after, *index, *term)
            }
            (Property::LogMatching, Note::Recovered { last_index, last_hash, .. }) => {
                let disk = &before.disk.log;
                *last_index != length(disk) || *last_hash != hash(disk) || self.conflicts(&after.log)
            }
            (Property::LeaderCompleteness, Note::Role { role: Role::Leader, term }) => {
                self.is_incomplete(before, *term)
            }
            (Property::StateMachineSafety, Note::Apply { index, term, command, state }) => {
                self.is_bad_apply(before, *index, (*term, *command), *state)
            }
            (Property::CommitLegality, Note::Commit { index }) => {
                *index > before.commit && self.is_bad_commit(before, *index)
            }
            (Property::CommitMonotonic, Note::Commit { index }) => *index < before.commit,
            _ => false,
        }
    }

    fn is_incomplete(&self, leader: &Node, term: u64) -> bool {
        let committed = &self.before.committed;
        let due = committed.iter().rposition(|(_, committed_in)| *committed_in < term).map_or(0, |k| k + 1);
        leader.log.len() < due || !agree(&leader.log, committed, due)
    }

    fn is_bad_apply(&self, node: &Node, index: u64, entry: Entry, state: Hash64) -> bool {
        let is_other_state = |note: &Note| match note {
            Note::Apply { index: i, state: s, .. } => *i == index && *s != state,
            _ => false,
        };
        if index != node.applied + 1 || index > node.commit {
            return true;
        }
        self.before.committed.get(size(index - 1)).is_some_and(|(committed, _)| *committed != entry)
            || self.past.notes().any(|(_, note)| is_other_state(note))
    }

    fn is_bad_grant(&self, node: &Node, vote: (ProcessId, u64, ProcessId)) -> bool {
        let (voter, term, candidate) = vote;
        let was_durable = node.disk.term >= term && self.past.durable_vote(voter, term) == Some(candidate);
        self.past.gave_to_another(vote) || !was_durable
    }

    fn is_bad_decision(&self, voter: ProcessId, life: u32, term: u64, candidate: ProcessId) -> bool {
        self.past.gave_to_another((voter, term, candidate))
            || self.past.durable_vote(voter, term).is_some_and(|vote| vote != candidate)
            || self
                .past
                .decisions
                .iter()
                .any(|(v, l, t, c)| (*v, *l, *t) == (voter, life, term) && *c != candidate)
    }

    fn is_bad_append(&self, before: &Node, after: &Node, index: u64, term: u64) -> bool {
        if index == 0 || index > length(&before.log) + 1 {
            return true;
        }
        let is_new =
            !self.past.logs.iter().any(|log| log.get(size(index) - 1).is_some_and(|(t, _)| *t == term));
        !after.log.is_sorted_by_key(|(term, _)| *term)
            || term > after.term
            || (is_new && after.leader_of != Some(term) && self.past.was_led(term, |_| true))
            || self.conflicts(&after.log)
    }

    /// Whether some log that ever was has an entry of the same index and term, but is not the same up to it.
    fn conflicts(&self, log: &[Entry]) -> bool {
        self.past.logs.iter().any(|other| {
            (0..log.len().min(other.len())).any(|k| log[k].0 == other[k].0 && log[..=k] != other[..=k])
        })
    }

    fn is_insane(&self, process: ProcessId, node: &Node, facts: &MessageFacts) -> bool {
        let breaks_own_rule = match *facts {
            MessageFacts::RequestVote { term, last_index, .. } => {
                let here = (process, node.life, term);
                let stood = self.past.candidacies.iter().rfind(|(p, life, t, _)| (*p, *life, *t) == here);
                last_index > stood.map_or_else(|| length(&node.log), |(_, _, _, length)| *length)
            }
            MessageFacts::AppendEntries { term, commit, .. } => {
                !node.leads() || node.term != term || commit > node.commit
            }
            MessageFacts::AppendEntriesAccepted { match_index, .. } => match_index > length(&node.disk.log),
            MessageFacts::RequestVoteResponse { .. } | MessageFacts::AppendEntriesRefused { .. } => false,
        };
        breaks_own_rule || facts.term() > node.disk.term
    }

    fn is_bad_commit(&self, node: &Node, index: u64) -> bool {
        let committed = &self.before.committed;
        let index = size(index);
        if index > node.log.len() || !agree(&node.log, committed, index.min(committed.len())) {
            return true;
        }
        if node.leads() && node.log[index - 1].0 != node.term {
            return true;
        }
        let holders =
            self.before.nodes.values().filter(|other| other.disk.log.get(..index) == node.log.get(..index));
        index > committed.len() && (!node.leads() || holders.count() * 2 <= self.before.nodes.len())
    }
}

/// The vote that a message gives away: voter, term, candidate.
fn given(record: &Record) -> Option<(ProcessId, u64, ProcessId)> {
    match record {
        Record::Sent { id, facts: MessageFacts::RequestVoteResponse { term, granted: true }, .. } => {
            Some((id.from, *term, id.to))
        }
        Record::Sent { id, facts: MessageFacts::RequestVote { term, .. }, .. } => {
            Some((id.from, *term, id.from))
        }
        _ => None,
    }
}

/// Whether the first `count` entries are those that were committed.
fn agree(log: &[Entry], committed: &[(Entry, u64)], count: usize) -> bool {
    log.iter().take(count).eq(committed.iter().take(count).map(|(entry, _)| entry))
}

fn up_to(log: &[Entry], index: u64) -> &[Entry] {
    &log[..log.len().min(size(index))]
}

fn hash(log: &[Entry]) -> Hash64 {
    log.iter().fold(Hash64(0), |hash, (term, command)| hash.then(*term, *command))
}

fn length(log: &[Entry]) -> u64 {
    log.len() as u64
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
