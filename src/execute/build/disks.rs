//! What nodes have on their disks when a scenario begins, and how the disks behave.

use crate::adapter::{
    self, Durable, Entry, EntryKind, HardState, LogIndex, Payload, Snapshot, Term, node_id,
};
use crate::execute::Cluster;
use crate::execute::build::{first_membership, machine_options};
use crate::kv::Machine;
use crate::mirror::{DurableMirror, LogMirror};
use crate::record::Hash64;
use crate::scenario::{DiskOptions, InitialEntry, InitialSnapshot, InitialState, Keep, NodeKey, Scenario};
use sim_core::{CrashMode, DiskQuality, Fault, Kept, Latency, ProcessId, Span, Stream};
use std::sync::Arc;

pub(super) fn set_up(sim: &mut Cluster<'_>, scenario: &Scenario, node: ProcessId, seed: u64) {
    let disk = scenario.storage.of(node.0);
    sim.set_disk_quality(node, quality(&disk));
    let mode = crash_mode(&disk);
    if mode != CrashMode::default() {
        inject(sim, &Fault::SetCrashMode { process: node, mode });
    }
    if let Some(bytes) = disk.capacity {
        inject(sim, &Fault::LimitDisk { process: node, bytes: Some(bytes) });
    }
    if let Some(initial) = scenario.initial.get(&NodeKey(node.0)) {
        let disk = durable(scenario, node, initial);
        sim.observer_mut().0.begin_with(node, told(&disk));
        let salt = Stream::new(seed, "salt", u64::from(node.0)).below(1 << 32);
        let salt = u32::try_from(salt).expect("it is below its bound");
        for (file, bytes) in adapter::files(&disk, salt) {
            sim.put_file(node, file, bytes);
        }
    }
}

/// What there is on disks when a scenario begins, node by node.
pub(crate) fn beginnings(scenario: &Scenario) -> impl Iterator<Item = (ProcessId, DurableMirror)> {
    scenario.initial.iter().map(|(key, initial)| {
        let node = ProcessId(key.0);
        (node, told(&durable(scenario, node, initial)))
    })
}

fn inject(sim: &mut Cluster<'_>, fault: &Fault) {
    sim.inject(fault).expect("every node has a disk");
}

/// How long the disk of a node takes.
pub(crate) fn quality(disk: &DiskOptions) -> DiskQuality {
    let none = Latency::Constant(Span::ZERO);
    let usual = DiskQuality::default();
    DiskQuality { write: disk.write.unwrap_or(usual.write), sync: none, notice: disk.notice.unwrap_or(none) }
}

/// What a crash of a node keeps.
pub(crate) fn crash_mode(disk: &DiskOptions) -> CrashMode {
    CrashMode { kept: kept(disk.crash.unwrap_or_default()), torn: disk.torn.unwrap_or_default() }
}

/// The world's word for it.
pub(crate) const fn kept(keep: Keep) -> Kept {
    match keep {
        Keep::Lose => Kept::Nothing,
        Keep::Prefix => Kept::Prefix,
        Keep::Any => Kept::Any,
    }
}

/// What a disk holds, in neutral words.
fn told(disk: &Durable) -> DurableMirror {
    let facts = disk.snapshot.as_deref();
    let facts = facts.map(|it| adapter::snapshot_facts(it).expect("a state machine wrote it"));
    let mut log = LogMirror::default();
    if let Some(facts) = &facts {
        log.install(facts);
    }
    disk.log.iter().for_each(|entry| log.push(entry.term.0, adapter::command_hash(entry)));
    let vote = disk.hard.vote.map(|vote| ProcessId(vote.0));
    DurableMirror { term: disk.hard.term.0, vote, log, snapshot: facts.map(Arc::new) }
}

fn durable(scenario: &Scenario, node: ProcessId, initial: &InitialState) -> Durable {
    let hard = HardState {
        term: Term(initial.current_term()),
        vote: initial.vote.map(|vote| node_id(ProcessId(vote))),
    };
    let snapshot = initial.snapshot.map(|snapshot| {
        let machine = Machine::new(machine_options(&scenario.options_of(node.0)));
        let (log, machine) = history(scenario, snapshot, machine);
        Arc::new(Snapshot {
            index: LogIndex(snapshot.index),
            term: Term(snapshot.term),
            // Whoever took it was a member, also if this one is to join only later.
            membership: Arc::new(first_membership(scenario)),
            data: adapter::snapshot_bytes(log, &machine),
        })
    });
    let base = initial
        .snapshot
        .map_or_else(Default::default, |snapshot| (LogIndex(snapshot.index), Term(snapshot.term)));
    Durable { hard, snapshot, base, log: initial.log.iter().map(entry).collect() }
}

fn entry(entry: &InitialEntry) -> Entry {
    let kind = match &entry.command {
        Some(command) => EntryKind::Command(Payload::from(command.as_str())),
        None => EntryKind::Noop,
    };
    Entry { term: Term(entry.term), kind }
}

/// What a snapshot covers, as far as the logs of the file tell: the hash of the log, and what a state machine that was
/// empty has become. A log that reaches back to the beginning is to agree with a snapshot in its middle. What no log tells
/// was nothing.
fn history(scenario: &Scenario, end: InitialSnapshot, mut machine: Machine) -> (Hash64, Machine) {
    let at = |state: &InitialState| {
        let place = usize::try_from(end.index.checked_sub(state.base() + 1)?).ok()?;
        state.log.get(place).map(|entry| entry.term)
    };
    let told = scenario.initial.values().filter(|state| at(state) == Some(end.term));
    let Some(state) = told.min_by_key(|state| state.base()) else {
        machine.apply(end.index, &[]);
        return (Hash64::default(), machine);
    };
    let (mut log, mut machine) = match state.snapshot {
        Some(snapshot) => history(scenario, snapshot, machine),
        None => (Hash64::default(), machine),
    };
    for (index, told) in (state.base() + 1..=end.index).zip(&state.log) {
        let entry = entry(told);
        log = log.then(entry.term.0, adapter::command_hash(&entry));
        machine.apply(index, entry.payload());
    }
    (log, machine)
}
