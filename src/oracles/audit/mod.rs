//! The slow, obvious version of every oracle.
//!
//! Each property is put as it stands in the books, over whole logs and the whole past, in plain collections.
//! Nothing here is shared with the oracles but the records (and, of the world, what lies below the floor is left
//! alone as they leave it), so that a mistake must be made twice to go
//! unseen. It takes quadratic time and worse, and is for tests and for second opinions on a finding.

mod log;
mod membership;
mod world;

use crate::record::{Effect, Hash64, MessageFacts, Note, ReadKind, Record, Reply, Role, SnapshotFacts};
use crate::violation::Property;
use log::{Entry, Log};
use sim_core::{ProcessId, Stamp};
use std::collections::BTreeMap;
use world::{Node, World};

/// The number of the record at which `property` is first broken.
///
/// Properties that are not about safety ([`Property::Convergence`], [`Property::Expectation`]) are never
/// broken here; nor is [`Property::Linearizability`], which is judged of whole histories and has its own slow version in
/// the tests of [`crate::linear`].
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
        past.keep_read(&after, record);
        past.keep_record(&after, record);
        world = after;
    }
    None
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
    /// Every place of every log that was ever in a node's memory: index, term, and the hash up to there.
    places: Vec<(u64, u64, Hash64)>,
    /// What was done at an index by whoever got there first: the command and the effect.
    effects: BTreeMap<u64, (Hash64, Effect)>,
    /// The reads under way: node, name, and how much was committed when it was asked.
    reads: Vec<(ProcessId, u64, u64)>,
}

impl Past {
    fn keep_disk(&mut self, after: &World, record: &Record) {
        if let Record::WriteDurable { process, .. } | Record::Noted { process, note: Note::Recovered { .. } } =
            record
            && let Some(node) = after.nodes.get(process)
        {
            self.disks.push((*process, node.disk.term, node.disk.vote));
        }
    }

    fn keep_log(&mut self, after: &World, record: &Record) {
        let Record::Noted { process, note } = record else { return };
        let Some(node) = after.nodes.get(process) else { return };
        match note {
            Note::Append { .. } => self.places.extend(node.log.places()),
            Note::Recovered { last_index, .. } => self.places.extend(taken_up(&node.log, *last_index)),
            Note::Installed(facts) => self.places.push((facts.index, facts.term, facts.log)),
            _ => {}
        }
    }

    fn keep_read(&mut self, after: &World, record: &Record) {
        match record {
            Record::Booted { process, .. } => self.reads.retain(|(asker, ..)| asker != process),
            Record::Noted { process, note } => {
                if let Note::ReadAsked { read, .. }
                | Note::ReadReady { read, .. }
                | Note::ReadRefused { read } = note
                {
                    self.reads.retain(|(asker, name, _)| (asker, name) != (process, read));
                }
                if let Note::ReadAsked { read, kind } = note
                    && *kind != ReadKind::Local
                {
                    self.reads.push((*process, *read, after.committed.length()));
                }
            }
            _ => {}
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
            self.candidacies.push((*process, node.life, *term, node.log.length()));
        }
        if let Record::Noted { note: Note::Apply { index, command, effect, .. }, .. } = record
            && *index >= after.floor
        {
            self.effects.entry(*index).or_insert((*command, *effect));
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

    /// The term that a node led last in its present life.
    fn led_last(&self, leader: ProcessId) -> Option<u64> {
        let own = self.records.iter().rev().filter(|record| record.process() == Some(leader));
        own.take_while(|record| !matches!(record, Record::Booted { .. })).find_map(|record| match record {
            Record::Noted { note: Note::Role { role: Role::Leader, term }, .. } => Some(*term),
            _ => None,
        })
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
            Record::WriteDurable { .. } => match property {
                Property::MonotonicDurableTerm => went_back(before, after),
                Property::StateOrder => has_compacted_too_much(after),
                _ => false,
            },
            Record::Crashed { .. } => property == Property::Durability && self.has_lost_the_end(),
            _ => false,
        }
    }

    /// Whether a quorum has voted for a node in this term, or was found with that vote.
    fn is_elected(&self, leader: ProcessId, node: &Node, term: u64) -> bool {
        let voted = |voter: ProcessId| {
            self.past.notes().any(|(process, note)| {
                let vote = match note {
                    Note::Vote { term, candidate } => Some((*term, *candidate)),
                    Note::Recovered { term, vote, .. } => vote.map(|candidate| (*term, candidate)),
                    _ => None,
                };
                process == voter && vote == Some((term, leader))
            })
        };
        self.before.members(node).is_quorum(voted)
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
                first.max(1)..before.log.length() + 1
            }
            _ => 0..0,
        };
        match (property, note) {
            (Property::ElectionSafety, Note::Role { role: Role::Leader, term }) => {
                self.past.was_led(*term, |leader| leader != process)
                    || !self.is_elected(process, before, *term)
            }
            (Property::DurableVote, Note::Vote { term, candidate }) => {
                self.is_bad_decision(process, after.life, *term, *candidate)
            }
            (Property::LeaderAppendOnly, Note::Installed(_)) => before.leads() && before.log.length() > 0,
            (Property::LeaderAppendOnly, _) => before.leads() && !removed.is_empty(),
            (Property::NoTruncationBelowCommit, Note::Installed(facts)) => facts.index < before.commit,
            (Property::NoTruncationBelowCommit, _) => removed.into_iter().any(|index| index <= before.commit),
            (Property::LogMatching, Note::Append { index, term, .. }) => {
                self.is_bad_append(before, after, *index, *term)
            }
            (Property::LogMatching, Note::Recovered { last_index, .. }) => {
                self.conflicts(&taken_up(&after.log, *last_index))
            }
            (Property::LogMatching, Note::Installed(facts)) => {
                self.conflicts(&[(facts.index, facts.term, facts.log)])
            }
            (Property::LeaderCompleteness, Note::Role { role: Role::Leader, term }) => {
                self.is_incomplete(before, *term)
            }
            (Property::StateMachineSafety, Note::Apply { index, term, command, state, .. }) => {
                self.is_bad_apply(before, *index, (*term, *command), *state)
            }
            (Property::CommitLegality, Note::Commit { index }) => {
                *index > before.commit && self.is_bad_commit(before, *index)
            }
            (Property::CommitMonotonic, Note::Commit { index }) => *index < before.commit,
            (Property::MonotonicDurableTerm, Note::Recovered { .. }) => went_back(before, after),
            (Property::ConfigSafety, _) => membership::is_broken(self.before, before, note),
            (Property::SnapshotConsistency, Note::Snapshot(facts) | Note::Installed(facts)) => {
                self.is_inconsistent(facts)
            }
            (
                Property::StateOrder,
                Note::Snapshot(_) | Note::Installed(_) | Note::Compacted { .. } | Note::Recovered { .. },
            ) => {
                let compacts_too_much = matches!(note, Note::Compacted { base } if *base > after.log.base.0);
                compacts_too_much || !is_in_order(after) || has_compacted_too_much(after)
            }
            (Property::ExactlyOnce, Note::Apply { index, command, effect, .. }) => {
                self.is_done_otherwise(*index, *command, *effect)
            }
            (Property::ReadSafety, Note::ReadReady { read, index }) => {
                self.past.reads.iter().any(|(p, name, due)| (*p, *name) == (process, *read) && index < due)
            }
            (Property::Durability, Note::Recovered { .. }) => {
                !after.found_its_disk || self.has_lost_the_end()
            }
            (Property::Durability, Note::StorageCorrupt { .. }) => true,
            _ => false,
        }
    }

    /// Whether what was committed is no longer on the disks of a quorum of those it was committed under.
    fn has_lost_the_end(&self) -> bool {
        let end = self.after.committed.length();
        end > 0 && !self.after.is_quorum(&self.after.under, |node| self.after.agrees(&node.disk.log, end))
    }

    fn is_inconsistent(&self, facts: &SnapshotFacts) -> bool {
        let (world, index) = (self.before, facts.index);
        // Where nodes came to different states, which is another breach, the first counts.
        let first = self.past.notes().find_map(|(_, note)| match note {
            Note::Apply { index: i, state, .. } if *i == index => Some(*state),
            _ => None,
        });
        index > world.committed.length()
            || world.members_at(index).is_some_and(|members| members != facts.members)
            || index >= world.floor
                && (world.committed.term_at(index) != Some(facts.term)
                    || world.committed.hash_at(index) != Some(facts.log)
                    || first.is_some_and(|first| first != facts.state))
    }

    fn is_done_otherwise(&self, index: u64, command: Hash64, effect: Effect) -> bool {
        match self.past.effects.get(&index) {
            _ if index < self.before.floor => false,
            Some((_, first)) => *first != effect,
            None => {
                effect == Effect::Done && self.past.effects.values().any(|done| *done == (command, effect))
            }
        }
    }

    fn is_incomplete(&self, leader: &Node, term: u64) -> bool {
        let earlier = self.before.committed_in.iter().rposition(|committed_in| *committed_in < term);
        let due = earlier.map_or(0, |place| place as u64 + 1);
        due >= self.before.floor && !self.before.agrees(&leader.log, due)
    }

    fn is_bad_apply(&self, node: &Node, index: u64, entry: Entry, state: Hash64) -> bool {
        let world = self.before;
        let is_other_state = |note: &Note| match note {
            Note::Apply { index: i, state: s, .. } => *i == index && *s != state,
            _ => false,
        };
        if index != node.applied + 1 || index > node.commit {
            return true;
        }
        let is_other_entry = world.committed.entry_at(index).is_some_and(|committed| committed != entry);
        index > world.floor && is_other_entry
            || index >= world.floor && self.past.notes().any(|(_, note)| is_other_state(note))
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
        if index == 0 || index > before.log.length() + 1 {
            return true;
        }
        // To append below what a snapshot covers is to append nothing.
        let Some(below) = after.log.term_at(index - 1).filter(|_| after.log.length() == index) else {
            return true;
        };
        let is_new =
            index > self.before.floor && !self.past.places.iter().any(|(i, t, _)| (*i, *t) == (index, term));
        term < below
            || term > after.term
            || (is_new && after.leader_of != Some(term) && self.past.was_led(term, |_| true))
            || self.conflicts(&after.log.places())
    }

    /// Whether some log that ever was has an entry of the same index and term, but is not the same up to it.
    fn conflicts(&self, places: &[(u64, u64, Hash64)]) -> bool {
        let judged = places.iter().filter(|(index, ..)| *index > self.before.floor);
        judged.into_iter().any(|(index, term, hash)| {
            self.past.places.iter().any(|(i, t, h)| (i, t) == (index, term) && h != hash)
        })
    }

    fn is_insane(&self, process: ProcessId, node: &Node, facts: &MessageFacts) -> bool {
        let leads = |term: u64| node.leads() && node.term == term;
        let term = facts.term();
        let is_new_term = term > node.disk.term;
        match *facts {
            MessageFacts::RequestVote { last_index, .. } => {
                let here = (process, node.life, term);
                let stood = self.past.candidacies.iter().rfind(|(p, life, t, _)| (*p, *life, *t) == here);
                is_new_term || last_index > stood.map_or_else(|| node.log.length(), |(.., length)| *length)
            }
            MessageFacts::AppendEntries { commit: index, .. }
            | MessageFacts::InstallSnapshot { index, .. } => {
                is_new_term || !leads(term) || index > node.commit
            }
            MessageFacts::ReadIndexResponse { index: Some(index), .. } => {
                is_new_term || self.past.led_last(process) != Some(term) || index > node.commit
            }
            MessageFacts::TimeoutNow { .. } => is_new_term || !leads(term),
            MessageFacts::AppendEntriesAccepted { match_index: index, .. }
            | MessageFacts::InstallSnapshotResponse { installed: true, index, .. } => {
                is_new_term || index > node.disk.log.length()
            }
            MessageFacts::RequestVoteResponse { .. }
            | MessageFacts::AppendEntriesRefused { .. }
            | MessageFacts::InstallSnapshotResponse { installed: false, .. } => is_new_term,
            MessageFacts::ClientReply { reply: Reply::Done(index), .. } => index > node.applied,
            MessageFacts::PreVote { .. }
            | MessageFacts::PreVoteResponse { .. }
            | MessageFacts::ReadIndex { .. }
            | MessageFacts::ReadIndexResponse { index: None, .. }
            | MessageFacts::Forward { .. }
            | MessageFacts::ClientRequest { .. }
            | MessageFacts::ClientReply { .. } => false,
        }
    }

    fn is_bad_commit(&self, node: &Node, index: u64) -> bool {
        let (world, log) = (self.before, &node.log);
        let done = world.committed.length();
        if index > log.length() || !world.agrees(log, index.min(done)) {
            return true;
        }
        let Some(term) = log.term_at(index) else { return false };
        if node.leads() && term != node.term {
            return true;
        }
        let holds = |other: &Node| other.disk.log.hash_at(index) == log.hash_at(index);
        index > done && (!node.leads() || !world.is_quorum(&world.members(node), holds))
    }
}

/// What a node that found a log up to `last` has to be compared with the logs of others.
fn taken_up(log: &Log, last: u64) -> Vec<(u64, u64, Hash64)> {
    let mut places = log.places();
    if last == log.base.0 && last > 0 {
        places.push(log.base);
    }
    places
}

fn went_back(before: &Node, after: &Node) -> bool {
    let (old, new) = (&before.disk, &after.disk);
    new.term < old.term || (new.term == old.term && old.vote.is_some() && new.vote != old.vote)
}

fn is_in_order(node: &Node) -> bool {
    let covered = node.snapshot.as_ref().map_or(0, |(facts, _)| facts.index);
    [node.log.base.0, covered, node.applied, node.commit, node.log.length()].is_sorted()
}

fn has_compacted_too_much(node: &Node) -> bool {
    node.disk.log.base.0 > node.disk.snapshot.as_ref().map_or(0, |facts| facts.index)
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
