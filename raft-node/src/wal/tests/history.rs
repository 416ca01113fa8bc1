//! Random histories of writes, as a node asks for them, and all that a crash can leave of one.

use std::sync::Arc;

use super::disk::{Files, Operation, Recorder, recover};
use crate::entry::{Entries, Entry, EntryKind};
use crate::membership::Membership;
use crate::payload::Payload;
use crate::storage::{Durable, HardState, LogWrite, Snapshot, Write};
use crate::types::{LogIndex, NodeId, PersistId, Term};
use crate::wal::Wal;

/// A small random stream.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    }

    pub(super) fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

/// Entries of these terms from `first` on.
pub(super) fn append(first: u64, terms: &[u64]) -> Write {
    let entries: Vec<Entry> =
        terms.iter().map(|term| Entry { term: Term(*term), kind: EntryKind::Noop }).collect();
    let log = LogWrite { first: LogIndex(first), entries: Entries::from(entries) };
    Write { log: Some(log), ..Write::default() }
}

/// A command of so many bytes at `index`.
pub(super) fn command(index: u64, bytes: usize) -> Write {
    let entry = Entry::command(Term(1), Payload::new(&vec![7; bytes]));
    Write { log: Some(LogWrite { first: LogIndex(index), entries: Entries::One(entry) }), ..Write::default() }
}

pub(super) enum Event {
    /// The operation with this number was issued.
    Issued,
    /// So many syncs are done, and so many writes called durable by them.
    Synced { syncs: usize, told: usize },
}

pub(super) struct History {
    /// What was on the disk before.
    before: Files,
    operations: Vec<Operation>,
    pub(super) events: Vec<Event>,
    /// The state before, and after each write.
    states: Vec<Durable>,
    writes: Vec<Write>,
    /// How many writes had been asked for when each operation was issued.
    asked: Vec<usize>,
    pub(super) told: Vec<PersistId>,
    recorder: Recorder,
}

impl History {
    /// Of a new disk.
    pub(super) fn draw(seed: u64, writes: usize) -> Self {
        let recovered = recover(&Files::default()).unwrap();
        Self::go_on(seed, writes, Files::default(), recovered.wal, recovered.durable)
    }

    /// Of a disk that was recovered to `durable`.
    pub(super) fn go_on(seed: u64, writes: usize, before: Files, mut wal: Wal, durable: Durable) -> Self {
        let mut rng = Rng(seed);
        let mut history = Self {
            recorder: Recorder { files: before.clone(), operations: Vec::new() },
            before,
            operations: Vec::new(),
            events: Vec::new(),
            states: vec![durable],
            writes: Vec::new(),
            asked: Vec::new(),
            told: Vec::new(),
        };
        let mut syncs = 0;
        wal.start(&mut history.recorder);
        history.note(0);
        while history.told.len() < writes {
            if history.writes.len() < writes && rng.index(3) > 0 {
                let mut durable = history.states.last().unwrap().clone();
                let write = draw_write(&mut rng, &durable);
                durable.apply(write.clone());
                history.states.push(durable.clone());
                history.writes.push(write.clone());
                let id = PersistId(u64::try_from(history.writes.len()).unwrap());
                wal.persist_beside(id, &write, (durable.base, &durable.log), &mut history.recorder);
            } else if history.operations.iter().filter(|one| matches!(one, Operation::Sync)).count() > syncs {
                syncs += 1;
                history.told.extend(wal.synced(&mut history.recorder));
                // What is issued on the news comes after the news.
                history.events.push(Event::Synced { syncs, told: history.told.len() });
            }
            history.note(history.writes.len());
        }
        while !wal.is_idle() {
            syncs += 1;
            history.told.extend(wal.synced(&mut history.recorder));
            history.events.push(Event::Synced { syncs, told: history.told.len() });
            history.note(history.writes.len());
        }
        history
    }

    fn note(&mut self, asked: usize) {
        for operation in &self.recorder.operations[self.operations.len()..] {
            self.operations.push(operation.clone());
            self.events.push(Event::Issued);
            self.asked.push(asked);
        }
    }

    /// The files when all is done.
    pub(super) fn clean(&self) -> Files {
        self.recorder.files.clone()
    }

    /// How many operations were issued, syncs done and writes called durable before a moment.
    fn at(&self, moment: usize) -> (usize, usize, usize) {
        let (mut issued, mut done, mut durable) = (0, 0, 0);
        for event in &self.events[..moment] {
            match event {
                Event::Issued => issued += 1,
                Event::Synced { syncs, told } => (done, durable) = (*syncs, *told),
            }
        }
        (issued, done, durable)
    }

    /// Disks that a crash at a moment may leave: any of what is not synced is missing, or torn.
    pub(super) fn crashes(&self, moment: usize, rng: &mut Rng) -> Vec<Files> {
        let (issued, done, _) = self.at(moment);
        let syncs = self.operations.iter().enumerate().filter(|(_, one)| matches!(one, Operation::Sync));
        let safe = if done == 0 { 0 } else { syncs.map(|(at, _)| at).nth(done - 1).unwrap() };
        let mut files = self.before.clone();
        self.operations[..safe].iter().for_each(|operation| files.keep(operation));
        let unsynced: Vec<&Operation> =
            self.operations[safe..issued].iter().filter(|one| !matches!(one, Operation::Sync)).collect();
        let all = 1_u64 << unsynced.len().min(20);
        let subsets: Vec<u64> =
            if all <= 16 { (0..all).collect() } else { (0..16).map(|_| rng.next() % all).collect() };
        let mut disks = Vec::new();
        for subset in subsets {
            let kept: Vec<&Operation> = unsynced
                .iter()
                .enumerate()
                .filter(|(at, _)| subset >> at & 1 == 1)
                .map(|(_, one)| *one)
                .collect();
            let mut disk = files.clone();
            kept.iter().for_each(|operation| disk.keep(operation));
            disks.push(disk);
            disks.extend(torn(&files, &kept, rng));
        }
        disks
    }

    /// The states that a recovery from a crash at a moment may give.
    pub(super) fn allowed(&self, moment: usize) -> Vec<Durable> {
        let (issued, _, durable) = self.at(moment);
        let asked = issued.checked_sub(1).map_or(0, |last| self.asked[last]);
        self.states[durable..=asked].to_vec()
    }
}

/// The last append, cut at some lengths, or with other bytes at its end.
fn torn(files: &Files, kept: &[&Operation], rng: &mut Rng) -> Vec<Files> {
    let Some((Operation::Append { file, offset, bytes }, earlier)) = kept.split_last() else {
        return Vec::new();
    };
    let mut disk = files.clone();
    earlier.iter().for_each(|operation| disk.keep(operation));
    let with = |bytes: Vec<u8>| {
        let mut disk = disk.clone();
        disk.keep(&Operation::Append { file: *file, offset: *offset, bytes });
        disk
    };
    let cut = rng.index(bytes.len());
    let mut scribbled = bytes.clone();
    scribbled[cut..].fill(0);
    let shorter = bytes[..bytes.len() - 1].to_vec();
    [bytes[..1].to_vec(), bytes[..cut].to_vec(), shorter, scribbled].into_iter().map(with).collect()
}

/// A write that a node could ask for in this state.
fn draw_write(rng: &mut Rng, durable: &Durable) -> Write {
    let mut write = Write::default();
    let last = durable.last_index();
    if rng.index(3) == 0 {
        let term = durable.hard.term.next();
        let vote = (rng.index(2) == 0).then_some(NodeId(rng.byte().into()));
        write.hard = Some(HardState { term, vote });
    }
    let term = write.hard.map_or(durable.hard.term, |hard| hard.term);
    match rng.index(8) {
        0 => write.snapshot = Some(draw_snapshot(rng, last.advanced_by(3), term)),
        1 if last > durable.base.0 => {
            let newest = durable.snapshot.as_ref().map_or(LogIndex::ZERO, |snapshot| snapshot.index);
            if let Some(entry) = durable.log.last()
                && last > newest
            {
                write.snapshot = Some(draw_snapshot(rng, last, entry.term));
            }
        }
        2 => {
            let newest = durable.snapshot.as_ref().map_or(LogIndex::ZERO, |snapshot| snapshot.index);
            if newest > durable.base.0 {
                write.compact = newest;
            }
        }
        _ => {
            let floor = durable.snapshot.as_ref().map_or(durable.base.0, |snapshot| snapshot.index);
            let room = usize::try_from(last.0 - floor.0.min(last.0)).unwrap();
            let back = if rng.index(3) == 0 { rng.index(room + 1) } else { 0 };
            let first = last.0 + 1 - u64::try_from(back).unwrap();
            let entries = (0..rng.index(3)).map(|_| draw_entry(rng, term)).collect::<Vec<_>>();
            write.log = Some(LogWrite { first: LogIndex(first), entries: Entries::from(entries) });
        }
    }
    // One that is installed comes with all that it makes of the log.
    if let Some(snapshot) = &write.snapshot
        && snapshot.index > last
    {
        write.compact = snapshot.index;
    }
    write
}

fn draw_snapshot(rng: &mut Rng, index: LogIndex, term: Term) -> Arc<Snapshot> {
    let membership = Membership::of_voters(&[NodeId(1), NodeId(u16::from(rng.byte()) + 2)]).unwrap();
    let data: Vec<u8> = (0..rng.index(6)).map(|_| rng.byte()).collect();
    Arc::new(Snapshot { index, term, membership: Arc::new(membership), data: data.into() })
}

fn draw_entry(rng: &mut Rng, term: Term) -> Entry {
    let kind = match rng.index(4) {
        0 => EntryKind::Noop,
        1 => EntryKind::Change(Arc::new(Membership::of_voters(&[NodeId(rng.byte().into())]).unwrap())),
        _ => EntryKind::Command(Payload::new(&[rng.byte(); 30][..rng.index(30)])),
    };
    Entry { term, kind }
}
