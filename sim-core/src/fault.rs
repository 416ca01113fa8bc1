//! What can be done to the world, as data.

use crate::{
    ClockChange, CrashMode, CrashPoint, Digest, DiskQuality, Encode, FileId, Honesty, LinkQuality, MessageId,
    ProcessId, Span, Unsynced,
};

/// What becomes of the messages that are already on a link when it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum InFlight {
    /// They are lost with the link.
    #[default]
    Drop,
    /// They arrive all the same: only what is sent from now on is lost.
    Keep,
}

/// One thing done to the world. [`crate::Simulation::inject`] does it at once; what it changes lasts until undone.
///
/// # What a protocol must bear
///
/// A protocol that promises to bear crashes must keep its promises through every fault here but five, which take away what
/// a disk had promised: [`Fault::FlipBits`] and [`Fault::Misdirect`] (unless it finds out by itself and says so),
/// [`Fault::SetHonesty`] when a crash follows (the record of the crash says what was lost), [`Fault::WipeDisk`], and
/// [`Fault::FailSync`] for a process that goes on after it. One that relies on clocks bears [`Fault::SetClock`] within the
/// bounds that it names. A [`crate::FaultPlan`] draws none of the five.
///
/// # Cuts
///
/// Cuts of different kinds do not undo each other: a link carries messages while neither end is isolated, it is not
/// cut itself, and no partition separates its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Fault {
    /// Cuts the link one way.
    Cut {
        /// Where its messages come from.
        from: ProcessId,
        /// Where they go.
        to: ProcessId,
        /// What becomes of those on the way.
        in_flight: InFlight,
    },
    /// Undoes a [`Fault::Cut`] of this direction.
    Restore {
        /// Where its messages come from.
        from: ProcessId,
        /// Where they go.
        to: ProcessId,
    },
    /// Cuts every link from and to a process.
    Isolate {
        /// The process.
        process: ProcessId,
        /// What becomes of the messages on the way.
        in_flight: InFlight,
    },
    /// Undoes an [`Fault::Isolate`] and a [`Fault::DropAfter`] of the process and every [`Fault::Cut`] of a link of its.
    Reconnect {
        /// The process.
        process: ProcessId,
    },
    /// Lets messages through only within each group. Processes in no group make up one more group together, but for
    /// [bystanders](crate::Settings::bystanders): in no group they are with everybody, named in one they are like its
    /// other members. Replaces an earlier partition.
    Partition {
        /// The groups; no process may stand in two.
        groups: Vec<Vec<ProcessId>>,
        /// What becomes of the messages on the way between groups.
        in_flight: InFlight,
    },
    /// Undoes every cut, isolation, partition and [`Fault::DropAfter`], releases what is held and ends every clog. Crashed
    /// and paused processes stay as they are, and so do link qualities, disks and clocks.
    Heal,
    /// Keeps what is sent over the link from now on until it is released.
    Hold {
        /// Where its messages come from.
        from: ProcessId,
        /// Where they go.
        to: ProcessId,
        /// Whether the messages already on the way are held too.
        capture: bool,
    },
    /// Lets go of what is held on the link, each message with its own latency from now on.
    Release {
        /// Where its messages come from.
        from: ProcessId,
        /// Where they go.
        to: ProcessId,
    },
    /// Delivers one message held on the link at once and whole, even where the link is cut, clogged or bad: the oldest, or
    /// the oldest of a kind.
    DeliverOne {
        /// Where its messages come from.
        from: ProcessId,
        /// Where they go.
        to: ProcessId,
        /// An index into [`crate::Process::KINDS`].
        kind: Option<u8>,
    },
    /// Delivers one held message as [`Fault::DeliverOne`] does: this one.
    DeliverThis {
        /// Its name.
        id: MessageId,
        /// Whether it stays held, and a copy of it is delivered. A message has at most 256 copies.
        copy: bool,
    },
    /// Loses every message in flight or held that matches. What waits at a paused receiver has arrived already.
    DropPending {
        /// Only those from this process.
        from: Option<ProcessId>,
        /// Only those to this process.
        to: Option<ProcessId>,
        /// Only those of this kind, an index into [`crate::Process::KINDS`].
        kind: Option<u8>,
    },
    /// Delivers every held message that matches, as [`Fault::DeliverOne`] does, the oldest first and all before anything
    /// else that is due now. There may be none.
    DeliverAll {
        /// Only those from this process.
        from: Option<ProcessId>,
        /// Only those to this process.
        to: Option<ProcessId>,
        /// Only those of this kind, an index into [`crate::Process::KINDS`].
        kind: Option<u8>,
    },
    /// Makes a copy of every message in flight or held that matches. The copy of one in flight arrives after a latency of
    /// its own from now on; that of one held is held as the youngest of its link. A message has at most 256 copies.
    DuplicatePending {
        /// Only those from this process.
        from: Option<ProcessId>,
        /// Only those to this process.
        to: Option<ProcessId>,
        /// Only those of this kind, an index into [`crate::Process::KINDS`].
        kind: Option<u8>,
    },
    /// Lets the messages in flight that match swap their times of arrival, also between links, and those that are held
    /// on one link their places there, in a drawn way. What is on a `fifo` link keeps its order.
    Shuffle {
        /// Only those from this process.
        from: Option<ProcessId>,
        /// Only those to this process.
        to: Option<ProcessId>,
        /// Only those of this kind, an index into [`crate::Process::KINDS`].
        kind: Option<u8>,
    },
    /// Loses everything that a process sends after its next `count` messages, until [`Fault::StopDropping`],
    /// [`Fault::Reconnect`] of the process or [`Fault::Heal`]; a crash does not end it. What cuts swallow counts too.
    /// Replaces an earlier order.
    DropAfter {
        /// The sender.
        process: ProcessId,
        /// How many more messages are spared.
        count: u32,
    },
    /// Undoes a [`Fault::DropAfter`].
    StopDropping {
        /// The sender.
        process: ProcessId,
    },
    /// Stalls the link: what is sent during `span` sets out at its end.
    Clog {
        /// Where its messages come from.
        from: ProcessId,
        /// Where they go.
        to: ProcessId,
        /// How long, from now.
        span: Span,
    },
    /// Changes how the link treats messages sent from now on.
    SetQuality {
        /// Where its messages come from.
        from: ProcessId,
        /// Where they go.
        to: ProcessId,
        /// The new quality.
        quality: LinkQuality,
    },
    /// Stops a process and loses its memory, and of what is not durable what its disk's [`CrashMode`] says.
    Crash {
        /// The process.
        process: ProcessId,
    },
    /// Starts a crashed process from its durable state, as a new life.
    Restart {
        /// The process.
        process: ProcessId,
    },
    /// Freezes a process: what reaches it waits, its timers fire late.
    Pause {
        /// The process.
        process: ProcessId,
    },
    /// Lets a paused process go on. What waited comes first, in its order.
    Resume {
        /// The process.
        process: ProcessId,
    },
    /// Changes how long a disk takes for what is synced from now on.
    SetDisk {
        /// Whose disk.
        process: ProcessId,
        /// The new quality.
        quality: Box<DiskQuality>,
    },
    /// Stalls a disk: no sync completes until [`Fault::UnstallDisk`]. A crash does not end it.
    StallDisk {
        /// Whose disk.
        process: ProcessId,
    },
    /// Lets a stalled disk go on. The syncs that would have completed meanwhile do so now, in their order.
    UnstallDisk {
        /// Whose disk.
        process: ProcessId,
    },
    /// Completes one sync of a stalled disk now, whenever it is due: the oldest that was not told to before.
    CompleteSync {
        /// Whose disk.
        process: ProcessId,
    },
    /// Lets an append or a replacement fail: the `nth` from now on. Replaces an earlier order.
    FailOperation {
        /// Whose disk.
        process: ProcessId,
        /// Which, from 1; 0 for none after all.
        nth: u32,
    },
    /// Lets a sync that is issued fail, at the time at which it would have completed: the `nth` from now on. Replaces an
    /// earlier order.
    FailSync {
        /// Whose disk.
        process: ProcessId,
        /// Which, from 1; 0 for none after all.
        nth: u32,
        /// What becomes of what it is about.
        unsynced: Unsynced,
    },
    /// Limits the bytes that a disk holds. What would not fit fails; what is there stays.
    LimitDisk {
        /// Whose disk.
        process: ProcessId,
        /// The bytes of all files together; none for no limit.
        bytes: Option<u64>,
    },
    /// Turns over bits of a byte that is durable. Nobody notices before the process boots from it.
    FlipBits {
        /// Whose disk.
        process: ProcessId,
        /// In which file. If none is given, the byte is drawn from all files.
        file: Option<FileId>,
        /// Where in it; drawn if none is given.
        offset: Option<u64>,
        /// Which bits, at least one; one drawn bit if none are given.
        bits: Option<u8>,
    },
    /// Lets the next append to a file land on the wrong place of the disk: its own bytes are zeros and older bytes are
    /// overwritten, as far as the file reaches. Nobody notices before the process boots from it. Replaces an earlier
    /// order for the file.
    Misdirect {
        /// Whose disk.
        process: ProcessId,
        /// Which file.
        file: FileId,
        /// Where its bytes land; if none is given, a drawn place among the older bytes of the file.
        offset: Option<u64>,
    },
    /// Decides whether syncs that are issued from now on are what they say. After a lie, the next honest sync makes
    /// durable what was lied about.
    SetHonesty {
        /// Whose disk.
        process: ProcessId,
        /// Whether it lies.
        honesty: Honesty,
    },
    /// Empties the disk of a process that is down.
    WipeDisk {
        /// Whose disk.
        process: ProcessId,
    },
    /// Decides what crashes make of what is not durable.
    SetCrashMode {
        /// Whose disk.
        process: ProcessId,
        /// The new mode.
        mode: CrashMode,
    },
    /// Crashes the process at one of its storage operations, exactly there: what it would have done after it in the
    /// same step has no effect. Replaces an earlier order; any crash of the process ends it.
    CrashAt {
        /// The process.
        process: ProcessId,
        /// The number of the operation ([`crate::Simulation::storage_operations`]).
        operation: u64,
        /// Where within it.
        when: CrashPoint,
    },
    /// The same, with the operation counted from now.
    CrashAtComing {
        /// The process.
        process: ProcessId,
        /// Which operation, from 1.
        coming: u64,
        /// Where within it.
        when: CrashPoint,
    },
    /// Undoes a [`Fault::CrashAt`] or [`Fault::CrashAtComing`] that has not come yet.
    DisarmCrash {
        /// The process.
        process: ProcessId,
    },
    /// Ends what is wrong with a disk: stall, limit, lies, and failures and crash points that are to come. It stays as
    /// slow as it is, keeps what it keeps in crashes, and what is rotten stays rotten.
    HealDisk {
        /// Whose disk.
        process: ProcessId,
    },
    /// Changes the clock of a process. Its armed timers are over when its clock has covered what is left of them.
    SetClock {
        /// Whose clock.
        process: ProcessId,
        /// What happens to it.
        clock: ClockChange,
    },
}

impl Encode for Fault {
    fn encode(&self, digest: &mut Digest) {
        let link = |from: &ProcessId, to: &ProcessId| u64::from(from.0) << 16 | u64::from(to.0);
        // One more than the number, so that `None` is 0.
        let some = |process: &Option<ProcessId>| process.map_or(0, |p| u64::from(p.0) + 1);
        let some_kind = |kind: &Option<u8>| kind.map_or(0, |k| u64::from(k) + 1);
        let matching = |from: &Option<ProcessId>, to: &Option<ProcessId>| some(from) << 32 | some(to);
        let some_file = |file: &Option<FileId>| file.map_or(0, |file| u64::from(file.0) + 1);
        match self {
            Self::Cut { from, to, in_flight } => digest.pair(1 | (*in_flight as u64) << 8, link(from, to)),
            Self::Restore { from, to } => digest.pair(2, link(from, to)),
            Self::Isolate { process, in_flight } => {
                digest.pair(3 | (*in_flight as u64) << 8, u64::from(process.0));
            }
            Self::Reconnect { process } => digest.pair(4, u64::from(process.0)),
            Self::Partition { groups, in_flight } => {
                digest.pair(5 | (*in_flight as u64) << 8, groups.len() as u64);
                for group in groups {
                    digest.word(group.len() as u64);
                    for process in group {
                        digest.word(u64::from(process.0));
                    }
                }
            }
            Self::Heal => digest.word(6),
            Self::Hold { from, to, capture } => digest.pair(7 | u64::from(*capture) << 8, link(from, to)),
            Self::Release { from, to } => digest.pair(8, link(from, to)),
            Self::DeliverOne { from, to, kind } => digest.pair(9 | some_kind(kind) << 8, link(from, to)),
            Self::DropPending { from, to, kind } => {
                digest.pair(10 | some_kind(kind) << 8, matching(from, to));
            }
            Self::Clog { from, to, span } => {
                digest.pair(11, link(from, to));
                digest.word(span.nanos());
            }
            Self::SetQuality { from, to, quality } => {
                digest.pair(12, link(from, to));
                quality.encode(digest);
            }
            Self::Crash { process } => digest.pair(13, u64::from(process.0)),
            Self::Restart { process } => digest.pair(14, u64::from(process.0)),
            Self::Pause { process } => digest.pair(15, u64::from(process.0)),
            Self::Resume { process } => digest.pair(16, u64::from(process.0)),
            Self::SetDisk { process, quality } => {
                digest.pair(17, u64::from(process.0));
                quality.encode(digest);
            }
            Self::StallDisk { process } => digest.pair(18, u64::from(process.0)),
            Self::UnstallDisk { process } => digest.pair(19, u64::from(process.0)),
            Self::CompleteSync { process } => digest.pair(20, u64::from(process.0)),
            Self::FailOperation { process, nth } => {
                digest.pair(21 | u64::from(*nth) << 8, u64::from(process.0));
            }
            Self::FailSync { process, nth, unsynced } => {
                let which = u64::from(*nth) << 8 | *unsynced as u64;
                digest.pair(22 | which << 8, u64::from(process.0));
            }
            Self::LimitDisk { process, bytes } => {
                digest.pair(23 | u64::from(bytes.is_some()) << 8, u64::from(process.0));
                digest.word(bytes.unwrap_or(0));
            }
            Self::FlipBits { process, file, offset, bits } => {
                let place = u64::from(offset.is_some()) << 32 | some_file(file) << 16 | some_kind(bits);
                digest.pair(24 | place << 8, u64::from(process.0));
                digest.word(offset.unwrap_or(0));
            }
            Self::Misdirect { process, file, offset } => {
                let place = u64::from(offset.is_some()) << 8 | u64::from(file.0);
                digest.pair(25 | place << 8, u64::from(process.0));
                digest.word(offset.unwrap_or(0));
            }
            Self::SetHonesty { process, honesty } => {
                digest.pair(26 | (*honesty as u64) << 8, u64::from(process.0));
            }
            Self::WipeDisk { process } => digest.pair(27, u64::from(process.0)),
            Self::SetCrashMode { process, mode } => {
                let mode = u64::from(mode.torn) << 8 | mode.kept as u64;
                digest.pair(28 | mode << 8, u64::from(process.0));
            }
            Self::CrashAt { process, operation, when } => {
                digest.pair(29 | (*when as u64) << 8 | u64::from(process.0) << 16, *operation);
            }
            Self::CrashAtComing { process, coming, when } => {
                digest.pair(30 | (*when as u64) << 8 | u64::from(process.0) << 16, *coming);
            }
            Self::DisarmCrash { process } => digest.pair(31, u64::from(process.0)),
            Self::HealDisk { process } => digest.pair(32, u64::from(process.0)),
            Self::SetClock { process, clock } => {
                digest.pair(33, u64::from(process.0));
                clock.encode(digest);
            }
            Self::DeliverAll { from, to, kind } => {
                digest.pair(34 | some_kind(kind) << 8, matching(from, to));
            }
            Self::DuplicatePending { from, to, kind } => {
                digest.pair(35 | some_kind(kind) << 8, matching(from, to));
            }
            Self::Shuffle { from, to, kind } => digest.pair(36 | some_kind(kind) << 8, matching(from, to)),
            Self::DropAfter { process, count } => {
                digest.pair(37 | u64::from(*count) << 8, u64::from(process.0));
            }
            Self::StopDropping { process } => digest.pair(38, u64::from(process.0)),
            Self::DeliverThis { id, copy } => {
                digest.word(39 | u64::from(*copy) << 8);
                id.encode(digest);
            }
        }
    }
}
