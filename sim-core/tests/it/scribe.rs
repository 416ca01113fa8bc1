//! A process that does to its disk what it is asked to do, and tells what becomes of it.

use crate::common::inject;
use sim_core::{
    CrashMode, Digest, DiskError, DiskQuality, DiskView, Effects, Encode, Fault, FileId, Kept, Label,
    Latency, Process, ProcessId, Record, Settings, Simulation, Span, Stamp, TimerId, WriteId,
};

pub(crate) const LOG: FileId = FileId(0);
pub(crate) const META: FileId = FileId(1);
pub(crate) const P0: ProcessId = ProcessId(0);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Append(FileId, Vec<u8>),
    Replace(FileId, Vec<u8>),
    Sync,
    Stop,
    Panic,
}

pub(crate) fn append(text: &str) -> Order {
    Order::Append(LOG, text.into())
}

pub(crate) fn replace(text: &str) -> Order {
    Order::Replace(META, text.into())
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// What it read when it booted.
    Began([Vec<u8>; 2]),
    /// It has done all it was asked to do.
    Done,
    Durable(u64),
    Failed(u64, DiskError),
    /// An append or a replacement failed.
    Refused(DiskError),
}

impl Encode for Told {
    fn encode(&self, digest: &mut Digest) {
        match self {
            Self::Began(files) => files.iter().for_each(|file| digest.bytes(file)),
            Self::Done => digest.word(1),
            Self::Durable(write) => digest.pair(2, *write),
            Self::Failed(write, error) => digest.pair(3 | (*error as u64) << 8, *write),
            Self::Refused(error) => digest.pair(4, *error as u64),
        }
    }
}

/// Whether it goes on when a sync fails, instead of doing what a process does by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stubborn(pub(crate) bool);

#[derive(Clone, Debug)]
pub(crate) struct Scribe(Stubborn);

impl Process for Scribe {
    type Config = Stubborn;
    type Message = Told;
    type Facts = Told;
    type Note = Told;
    type Request = Vec<Order>;
    const TIMERS: &'static [&'static str] = &[];
    const FILES: &'static [&'static str] = &["log", "meta"];
    const KINDS: &'static [&'static str] = &["Told"];

    fn label(_: &Told) -> Label {
        Label { kind: 0, epoch: 0, bytes: 1 }
    }

    fn facts(told: &Told) -> Told {
        told.clone()
    }

    fn boot(
        _: ProcessId,
        _: u32,
        stubborn: &Stubborn,
        disk: &DiskView<'_>,
        fx: &mut Effects<'_, Self>,
    ) -> Self {
        fx.note(Told::Began([disk.read(LOG).to_vec(), disk.read(META).to_vec()]));
        if disk.read(META) == b"stop" {
            fx.stop();
        }
        Self(*stubborn)
    }

    fn on_message(&mut self, _: ProcessId, _: Told, _: &mut Effects<'_, Self>) {}

    fn on_timer(&mut self, _: TimerId, _: &mut Effects<'_, Self>) {}

    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>) {
        fx.note(Told::Durable(write.0));
    }

    fn on_write_failed(&mut self, write: WriteId, error: DiskError, fx: &mut Effects<'_, Self>) {
        fx.note(Told::Failed(write.0, error));
        if !self.0.0 {
            fx.stop();
        }
    }

    fn on_request(&mut self, orders: Vec<Order>, fx: &mut Effects<'_, Self>) {
        for order in orders {
            let done = match order {
                Order::Append(file, bytes) => fx.append(file, &bytes),
                Order::Replace(file, bytes) => fx.replace(file, &bytes),
                Order::Sync => {
                    fx.sync(0);
                    Ok(())
                }
                Order::Stop => {
                    fx.stop();
                    Ok(())
                }
                Order::Panic => panic!("as it was asked to"),
            };
            if let Err(error) = done {
                fx.note(Told::Refused(error));
            }
        }
        fx.note(Told::Done);
        if fx.processes() > 1 {
            fx.broadcast(&Told::Done);
        }
    }
}

pub(crate) type Line = (Stamp, Record<Told, Told>);
pub(crate) type World = Simulation<Scribe, Vec<Line>>;

/// Scribes whose syncs take 4 ms: 3 for writing and 1 more.
pub(crate) fn scribes(count: usize, seed: u64) -> World {
    let mut world = asleep(count, seed);
    world.boot_all();
    world
}

/// The same before they boot.
pub(crate) fn asleep(count: usize, seed: u64) -> World {
    let [write, sync, notice] = [3, 1, 0].map(Span::from_millis).map(Latency::Constant);
    let settings = Settings { disk: DiskQuality { write, sync, notice }, ..Settings::default() };
    World::new(&settings, vec![Stubborn(count == 1); count], seed, Vec::new())
}

pub(crate) fn scribe() -> World {
    scribes(1, 1)
}

pub(crate) fn ask(world: &mut World, orders: &[Order]) {
    assert!(world.request(P0, orders.to_vec()), "it is up");
}

/// What process 0 told and when, in milliseconds.
pub(crate) fn told(world: &World) -> Vec<(u64, Told)> {
    let lines = world.observer().iter();
    lines
        .filter_map(|(stamp, record)| match record {
            Record::Noted { process: P0, note } => Some((stamp.at.nanos() / 1_000_000, note.clone())),
            _ => None,
        })
        .collect()
}

/// When which sync of process 0 became durable, in milliseconds.
pub(crate) fn durable(world: &World) -> Vec<(u64, u64)> {
    let lines = world.observer().iter();
    lines
        .filter_map(|(stamp, record)| match record {
            Record::WriteDurable { process: P0, write } => Some((stamp.at.nanos() / 1_000_000, write.0)),
            _ => None,
        })
        .collect()
}

/// What the last crash of process 0 lost, and where it was.
pub(crate) fn crashed(world: &World) -> Option<(u32, u32, Option<u64>)> {
    world.observer().iter().rev().find_map(|(_, record)| match record {
        Record::Crashed { process: P0, writes_lost, synced_lost, operation } => {
            Some((*writes_lost, *synced_lost, *operation))
        }
        _ => None,
    })
}

pub(crate) fn text(world: &World, file: FileId) -> String {
    String::from_utf8(world.file(P0, file).to_vec()).expect("it is text")
}

pub(crate) fn durable_text(world: &World, file: FileId) -> String {
    String::from_utf8(world.durable_file(P0, file)).expect("it is text")
}

/// Crashes process 0 in a mode and gives what it finds in its files afterwards.
pub(crate) fn survivors(world: &mut World, kept: Kept, torn: bool) -> [Vec<u8>; 2] {
    inject(world, Fault::SetCrashMode { process: P0, mode: CrashMode { kept, torn } });
    inject(world, Fault::Crash { process: P0 });
    reboot(world)
}

/// Boots process 0 and gives what it finds in its files.
pub(crate) fn reboot(world: &mut World) -> [Vec<u8>; 2] {
    inject(world, Fault::Restart { process: P0 });
    match told(world).pop() {
        Some((_, Told::Began(files))) => files,
        other => panic!("it did not boot: {other:?}"),
    }
}
