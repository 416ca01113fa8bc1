//! What happened in a run, counted from its records: a campaign that never saw a thing proves nothing about it.
//!
//! Owns the counts, and the silence at the end. Must not know the simulation, nor judge.

mod disks;

pub use disks::DISK_FAULTS;

use crate::oracles::Judge;
use crate::record::{MessageFacts, Note, Outcome, Record, Role};
use disks::Disks;
use sim_core::{CrashMode, DiskQuality, Interest, Observer, ProcessId, RecordKind, Stamp};
use std::collections::BTreeMap;

/// Counts of what happened in a run.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Happened {
    /// The index of the last entry that was committed before the end, where a command is always proposed.
    pub committed: u64,
    /// How often a node became leader.
    pub elections: u64,
    /// How often a node replaced its state by a snapshot that its leader sent.
    pub installed: u64,
    /// How many changes of the configuration were committed.
    pub changes: u64,
    /// How many crashes came at a storage operation.
    pub operation_crashes: u64,
    /// How often each of [`DISK_FAULTS`] did something before the end, be it that a sync took longer: an order that nothing
    /// came under does not count. A misdirected write counts once its bytes are on the disk.
    pub disk_faults: [u64; DISK_FAULTS.len()],
    /// How many operations clients called.
    pub calls: u64,
    /// How many of them came back with an answer.
    pub answers: u64,
    /// How often each property was judged, in the order of [`Judge::SAFETY`].
    pub judged: [u64; Judge::SAFETY.len()],
    /// How many client operations were judged to be linearizable, or not.
    pub operations_judged: u64,
}

/// Counts while a run goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    happened: Happened,
    disks: Disks,
    /// By node: the entries of its log that hold configurations and are not known to be committed.
    told: BTreeMap<ProcessId, Vec<u64>>,
    /// Up to where anybody knows the log to be committed.
    committed: u64,
    /// Whether the end has begun, whose orders are no faults.
    mends: bool,
    /// Between whom silence is kept, and how often it was broken.
    silence: Option<(Vec<ProcessId>, u64)>,
}

impl Witness {
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted, RecordKind::Crashed]).and(Disks::INTEREST);

    /// A witness of nodes whose disks begin like this.
    pub(crate) fn new(disks: impl Iterator<Item = (DiskQuality, CrashMode)>) -> Self {
        Self { disks: Disks::new(disks), ..Self::default() }
    }

    /// The steps are done: up to this index everything was committed.
    pub(crate) fn steps_done(&mut self, committed: u64) {
        self.happened.committed = committed;
        self.mends = true;
    }

    /// From now on counts every message among `nodes` but heartbeats and the answers to them.
    pub(crate) fn listen(&mut self, nodes: Vec<ProcessId>) {
        self.silence = Some((nodes, 0));
    }

    /// How many such messages there were.
    pub(crate) fn heard(&mut self) -> u64 {
        self.silence.take().map_or(0, |(_, heard)| heard)
    }

    /// What happened, once the judge is done and if so many writes went to wrong places.
    pub(crate) fn conclude(self, judge: &Judge, misdirected: u64) -> Happened {
        let mut happened = self.happened;
        happened.disk_faults = self.disks.counts(misdirected);
        for (place, (_, count)) in happened.judged.iter_mut().zip(judge.counts()) {
            *place = count;
        }
        happened.operations_judged = judge.clients().history().operations().len() as u64;
        happened
    }

    fn note(&mut self, process: ProcessId, note: &Note) {
        match note {
            Note::Role { role: Role::Leader, .. } => self.happened.elections += 1,
            Note::Installed(_) => self.happened.installed += 1,
            Note::Members { index, .. } => {
                let told = self.told.entry(process).or_default();
                // Whoever went back to an earlier one has removed the later ones.
                told.retain(|other| other < index);
                told.push(*index);
            }
            Note::Commit { index } if *index > self.committed => {
                if let Some(told) = self.told.get_mut(&process) {
                    let fresh =
                        told.iter().filter(|told| (self.committed + 1..=*index).contains(told)).count();
                    self.happened.changes += fresh as u64;
                    told.retain(|told| told > index);
                }
                self.committed = *index;
            }
            Note::Call(_) => self.happened.calls += 1,
            Note::Return(back) => {
                let is_answer = !matches!(back.outcome, Outcome::Refused | Outcome::Unknown);
                self.happened.answers += u64::from(is_answer);
            }
            Note::Role { .. }
            | Note::Commit { .. }
            | Note::Recovered { .. }
            | Note::Term { .. }
            | Note::Vote { .. }
            | Note::Append { .. }
            | Note::Truncate { .. }
            | Note::Persist { .. }
            | Note::Apply { .. }
            | Note::Proposed { .. }
            | Note::Accepted { .. }
            | Note::Refused { .. }
            | Note::Forwarded { .. }
            | Note::Snapshot(_)
            | Note::PersistSnapshot { .. }
            | Note::Compacted { .. }
            | Note::PersistCompacted { .. }
            | Note::ReadAsked { .. }
            | Note::ReadReady { .. }
            | Note::ReadRefused { .. }
            | Note::StorageFailed { .. }
            | Note::StorageCorrupt { .. }
            | Note::Mending { .. }
            | Note::Submitted { .. } => {}
        }
    }
}

/// Whether a message is one that a cluster at rest sends: a heartbeat or the answer to it.
const fn is_heartbeat(facts: &MessageFacts) -> bool {
    matches!(
        facts,
        MessageFacts::AppendEntries { entries: 0, .. } | MessageFacts::AppendEntriesAccepted { .. }
    )
}

impl Observer<MessageFacts, Note> for Witness {
    fn interest(&self) -> Interest {
        match self.silence {
            Some(_) => Self::INTEREST.and(Interest::of(&[RecordKind::Sent])),
            None => Self::INTEREST,
        }
    }

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record) {
        if !self.mends {
            self.disks.observe(stamp.at, record);
        }
        match record {
            Record::Noted { process, note } => self.note(*process, note),
            Record::Crashed { operation, .. } => {
                self.happened.operation_crashes += u64::from(operation.is_some());
            }
            Record::Sent { id, facts, .. } => {
                if let Some((nodes, heard)) = &mut self.silence
                    && nodes.contains(&id.from)
                    && nodes.contains(&id.to)
                    && !is_heartbeat(facts)
                {
                    *heard += 1;
                }
            }
            // Nothing else was asked for.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::testing::story;
    use crate::record::Members;

    fn watch(records: &[(Stamp, Record)]) -> Witness {
        let mut witness = Witness::default();
        records.iter().for_each(|(stamp, record)| witness.observe(*stamp, record));
        witness
    }

    #[test]
    fn a_change_counts_once_when_the_first_node_commits_it_and_not_if_it_is_removed() {
        let members = |index| Note::Members { index, members: Box::new(Members::voters(2)) };
        let told = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").lead(0, "c");
        let told = told.note(0, members(0)).note(0, members(2)).note(1, members(2)).commit(0, 1);
        assert_eq!(watch(&told.history).happened.changes, 0);
        let back = told.clone().note(0, members(0)).commit(0, 3);
        assert_eq!(watch(&back.history).happened.changes, 0);
        let witness = watch(&told.commit(0, 2).commit(1, 3).history);
        assert_eq!((witness.happened.changes, witness.happened.elections), (1, 1));
    }

    #[test]
    fn silence_is_broken_by_all_but_heartbeats_between_those_who_keep_it() {
        let beat =
            MessageFacts::AppendEntries { term: 1, prev_index: 0, prev_term: 0, entries: 0, commit: 0 };
        let entry =
            MessageFacts::AppendEntries { term: 1, prev_index: 0, prev_term: 0, entries: 1, commit: 0 };
        let told = story(3).send(0, 1, beat).send(0, 1, entry).send(0, 2, entry);
        let mut witness = Witness::default();
        assert!(!witness.interest().has(RecordKind::Sent));
        witness.listen(vec![ProcessId(0), ProcessId(1)]);
        assert!(witness.interest().has(RecordKind::Sent));
        told.history.iter().for_each(|(stamp, record)| witness.observe(*stamp, record));
        assert_eq!(witness.heard(), 1);
        assert!(!witness.interest().has(RecordKind::Sent));
    }
}
