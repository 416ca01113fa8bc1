//! What happened: the world's account of a run, one record after another.

use crate::panics::PanicReport;
use crate::{Digest, DiskError, Encode, Fault, FileId, MessageId, ProcessId, TimerId, VirtualTime, WriteId};

/// Why a message was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum DropReason {
    /// The link lost it by chance.
    Loss,
    /// The link was cut when it was sent.
    Cut,
    /// The link was cut while it was on the way.
    CutInFlight,
    /// The receiver was down when it arrived.
    Down,
    /// A [`Fault::DropPending`], a [`Fault::DropAfter`] or a [`crate::MessagePin`] took it.
    Ordered,
    /// The receiver was paused and too much was waiting for it already.
    Overflow,
    /// It arrived damaged: the receiver's checksum was wrong.
    Corrupt,
}

/// One thing that happened.
///
/// `F` is what the protocol tells of a message ([`crate::Process::Facts`]), `N` what a process notes about itself
/// ([`crate::Process::Note`]). A record refers to no live object, so it can be kept, written and read back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Record<F, N> {
    /// A process began a life, from nothing or from its durable state.
    Booted {
        /// The process.
        process: ProcessId,
        /// Which life, from 1.
        life: u32,
    },
    /// A process stopped and lost its memory.
    Crashed {
        /// The process.
        process: ProcessId,
        /// How many syncs were under way: nobody was told that they are durable. Unless the disk's
        /// [`crate::CrashMode`] keeps something, what they were about is lost.
        writes_lost: u32,
        /// How many operations are lost, in whole or in part, although the disk had called them durable: it lied.
        synced_lost: u32,
        /// The storage operation at which it stopped, if it was at a crash point.
        operation: Option<u64>,
    },
    /// A process was frozen.
    Paused {
        /// The process.
        process: ProcessId,
    },
    /// A frozen process went on.
    Resumed {
        /// The process.
        process: ProcessId,
    },
    /// A process panicked. It stays down until it is restarted.
    Panicked {
        /// The process.
        process: ProcessId,
        /// What it said, and where.
        report: Box<PanicReport>,
        /// As for a crash.
        synced_lost: u32,
    },
    /// A process sent a message.
    Sent {
        /// Its name.
        id: MessageId,
        /// What the protocol tells of it.
        facts: F,
        /// Its size on the wire, as the protocol reckons it.
        bytes: u32,
    },
    /// A message reached its receiver.
    Delivered {
        /// Its name.
        id: MessageId,
        /// What the protocol tells of it.
        facts: F,
    },
    /// A message was lost.
    Dropped {
        /// Its name.
        id: MessageId,
        /// Why.
        reason: DropReason,
    },
    /// The network made another copy of a message.
    Duplicated {
        /// The name of the copy.
        id: MessageId,
    },
    /// A message waits on a held link.
    Held {
        /// Its name.
        id: MessageId,
    },
    /// A held message was let go.
    Released {
        /// Its name.
        id: MessageId,
    },
    /// A timer's delay was drawn (or pinned) anew. Re-arming with the same delay is not recorded.
    TimerSet {
        /// Whose timer.
        process: ProcessId,
        /// Which.
        timer: TimerId,
        /// When it will fire, unless it is re-armed or cancelled before.
        due: VirtualTime,
    },
    /// A timer fired.
    TimerFired {
        /// Whose timer.
        process: ProcessId,
        /// Which.
        timer: TimerId,
    },
    /// A process issued a sync.
    WriteIssued {
        /// The process.
        process: ProcessId,
        /// The write.
        write: WriteId,
    },
    /// What was issued before a sync became durable: a crash from now on does not lose it. So the disk says; it may lie
    /// ([`crate::Honesty`]). The process may hear of it later ([`crate::DiskQuality::notice`]).
    WriteDurable {
        /// The process.
        process: ProcessId,
        /// The write.
        write: WriteId,
    },
    /// A process noted something about itself.
    Noted {
        /// The process.
        process: ProcessId,
        /// What it noted.
        note: N,
    },
    /// Something was done to the world.
    Injected {
        /// What.
        fault: Fault,
    },
    /// Whoever drives the world set a mark, such as a step of a scenario.
    Marked {
        /// What it says.
        text: String,
    },
    /// A sync failed. What becomes of what it was about, the [`crate::Fault::FailSync`] says that ordered it.
    WriteFailed {
        /// The process.
        process: ProcessId,
        /// The write.
        write: WriteId,
        /// Why.
        error: DiskError,
    },
    /// An append or a replacement failed. The process knows at once.
    OperationFailed {
        /// The process.
        process: ProcessId,
        /// The file, which is as before.
        file: FileId,
        /// The number of the storage operation.
        operation: u64,
        /// Why.
        error: DiskError,
    },
}

/// The kinds of record, as bits of an [`Interest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the record of the same name")]
pub enum RecordKind {
    Booted,
    Crashed,
    Paused,
    Resumed,
    Panicked,
    Sent,
    Delivered,
    Dropped,
    Duplicated,
    Held,
    Released,
    TimerSet,
    TimerFired,
    WriteIssued,
    WriteDurable,
    Noted,
    Injected,
    Marked,
    WriteFailed,
    OperationFailed,
}

/// Which kinds of record an observer wants. The others are never shown to it, at no cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(u32);

impl Interest {
    /// No record.
    pub const NONE: Self = Self(0);
    /// Every record.
    pub const ALL: Self = Self(u32::MAX);

    /// These kinds.
    #[must_use]
    pub const fn of(kinds: &[RecordKind]) -> Self {
        let mut bits = 0;
        let mut k = 0;
        while k < kinds.len() {
            bits |= 1 << kinds[k] as u32;
            k += 1;
        }
        Self(bits)
    }

    /// Whether `kind` is among them.
    #[inline]
    #[must_use]
    pub const fn has(self, kind: RecordKind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// These and those of `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where in a run a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Its number among all records of the run, from 1.
    pub number: u64,
    /// When it happened.
    pub at: VirtualTime,
}

/// Someone who is shown records as they happen: an oracle, a trace writer. It never touches the world.
pub trait Observer<F, N> {
    /// What it wants to be shown. Asked once, when the world is given to it.
    fn interest(&self) -> Interest {
        Interest::ALL
    }

    /// Is shown one record.
    fn observe(&mut self, stamp: Stamp, record: &Record<F, N>);
}

/// Nobody watches.
impl<F, N> Observer<F, N> for () {
    fn interest(&self) -> Interest {
        Interest::NONE
    }

    fn observe(&mut self, _: Stamp, _: &Record<F, N>) {}
}

/// A list of everything that happened.
impl<F: Clone, N: Clone> Observer<F, N> for Vec<(Stamp, Record<F, N>)> {
    fn observe(&mut self, stamp: Stamp, record: &Record<F, N>) {
        self.push((stamp, record.clone()));
    }
}

/// Two observers, one after the other.
impl<F, N, A: Observer<F, N>, B: Observer<F, N>> Observer<F, N> for (A, B) {
    fn interest(&self) -> Interest {
        self.0.interest().and(self.1.interest())
    }

    fn observe(&mut self, stamp: Stamp, record: &Record<F, N>) {
        let kind = record.kind();
        if self.0.interest().has(kind) {
            self.0.observe(stamp, record);
        }
        if self.1.interest().has(kind) {
            self.1.observe(stamp, record);
        }
    }
}

impl<F, N, O: Observer<F, N> + ?Sized> Observer<F, N> for &mut O {
    fn interest(&self) -> Interest {
        (**self).interest()
    }

    fn observe(&mut self, stamp: Stamp, record: &Record<F, N>) {
        (**self).observe(stamp, record);
    }
}

impl<F: Encode, N: Encode> Record<F, N> {
    /// Whether there is nothing to be dropped of it.
    #[inline(always)]
    pub(crate) fn owns_nothing(&self) -> bool {
        match self {
            Self::Panicked { .. } | Self::Injected { .. } | Self::Marked { .. } => false,
            Self::Sent { facts, .. } | Self::Delivered { facts, .. } => facts.owns_nothing(),
            Self::Noted { note, .. } => note.owns_nothing(),
            Self::Booted { .. }
            | Self::Crashed { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::Dropped { .. }
            | Self::Duplicated { .. }
            | Self::Held { .. }
            | Self::Released { .. }
            | Self::TimerSet { .. }
            | Self::TimerFired { .. }
            | Self::WriteIssued { .. }
            | Self::WriteDurable { .. }
            | Self::WriteFailed { .. }
            | Self::OperationFailed { .. } => true,
        }
    }
}

impl<F, N> Record<F, N> {
    /// Which kind it is.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Booted { .. } => RecordKind::Booted,
            Self::Crashed { .. } => RecordKind::Crashed,
            Self::Paused { .. } => RecordKind::Paused,
            Self::Resumed { .. } => RecordKind::Resumed,
            Self::Panicked { .. } => RecordKind::Panicked,
            Self::Sent { .. } => RecordKind::Sent,
            Self::Delivered { .. } => RecordKind::Delivered,
            Self::Dropped { .. } => RecordKind::Dropped,
            Self::Duplicated { .. } => RecordKind::Duplicated,
            Self::Held { .. } => RecordKind::Held,
            Self::Released { .. } => RecordKind::Released,
            Self::TimerSet { .. } => RecordKind::TimerSet,
            Self::TimerFired { .. } => RecordKind::TimerFired,
            Self::WriteIssued { .. } => RecordKind::WriteIssued,
            Self::WriteDurable { .. } => RecordKind::WriteDurable,
            Self::Noted { .. } => RecordKind::Noted,
            Self::Injected { .. } => RecordKind::Injected,
            Self::Marked { .. } => RecordKind::Marked,
            Self::WriteFailed { .. } => RecordKind::WriteFailed,
            Self::OperationFailed { .. } => RecordKind::OperationFailed,
        }
    }

    /// The process that it is about, if it is about one: the receiver of a delivery, the sender of a sending.
    #[must_use]
    pub const fn process(&self) -> Option<ProcessId> {
        match self {
            Self::Booted { process, .. }
            | Self::Crashed { process, .. }
            | Self::Paused { process }
            | Self::Resumed { process }
            | Self::Panicked { process, .. }
            | Self::TimerSet { process, .. }
            | Self::TimerFired { process, .. }
            | Self::WriteIssued { process, .. }
            | Self::WriteDurable { process, .. }
            | Self::WriteFailed { process, .. }
            | Self::OperationFailed { process, .. }
            | Self::Noted { process, .. } => Some(*process),
            Self::Delivered { id, .. } => Some(id.to),
            Self::Sent { id, .. }
            | Self::Dropped { id, .. }
            | Self::Duplicated { id }
            | Self::Held { id }
            | Self::Released { id } => Some(id.from),
            Self::Injected { .. } | Self::Marked { .. } => None,
        }
    }
}

impl Encode for MessageId {
    #[inline]
    fn encode(&self, digest: &mut Digest) {
        let link = u64::from(self.from.0) << 16 | u64::from(self.to.0);
        let kind = u64::from(self.kind) << 8 | u64::from(self.copy);
        digest.pair(link << 32 | u64::from(self.ordinal), self.epoch ^ kind << 48);
    }
}

/// The encoding of a record that says of a message nothing but its name.
#[inline]
pub(crate) fn encode_of_message(kind: RecordKind, id: &MessageId, digest: &mut Digest) {
    digest.word(kind as u64);
    id.encode(digest);
}

/// The encoding of a message that is sent.
#[inline(always)]
pub(crate) fn encode_of_sending(id: &MessageId, facts: &impl Encode, bytes: u32, digest: &mut Digest) {
    digest.word(RecordKind::Sent as u64 | u64::from(bytes) << 8);
    id.encode(digest);
    facts.encode(digest);
}

/// The encoding of what a process notes.
#[inline(always)]
pub(crate) fn encode_of_note(process: ProcessId, note: &impl Encode, digest: &mut Digest) {
    digest.word(of(RecordKind::Noted, process));
    note.encode(digest);
}

/// A word for a kind of record and the process that it is about.
#[inline(always)]
const fn of(kind: RecordKind, process: ProcessId) -> u64 {
    kind as u64 | (process.0 as u64) << 8
}

impl<F: Encode, N: Encode> Encode for Record<F, N> {
    #[inline(always)]
    fn encode(&self, digest: &mut Digest) {
        let kind = self.kind() as u64;
        let of = |process: &ProcessId| of(self.kind(), *process);
        match self {
            Self::Booted { process, life } => digest.pair(of(process), u64::from(*life)),
            Self::Crashed { process, writes_lost, synced_lost, operation } => {
                let lost = u64::from(*synced_lost) << 32 | u64::from(*writes_lost);
                digest.pair(of(process) | u64::from(operation.is_some()) << 24, lost);
                if let Some(operation) = operation {
                    digest.word(*operation);
                }
            }
            Self::Paused { process } | Self::Resumed { process } => digest.word(of(process)),
            Self::Panicked { process, report, synced_lost } => {
                digest.pair(of(process), u64::from(*synced_lost));
                // Not the place: a line number moves with every edit of the file it stands in.
                digest.text(&report.message);
            }
            Self::Sent { id, facts, bytes } => encode_of_sending(id, facts, *bytes, digest),
            // The facts of a message are those that it was sent with.
            Self::Delivered { id, .. }
            | Self::Duplicated { id }
            | Self::Held { id }
            | Self::Released { id } => encode_of_message(self.kind(), id, digest),
            Self::Dropped { id, reason } => {
                digest.word(kind | (*reason as u64) << 8);
                id.encode(digest);
            }
            Self::TimerSet { process, timer, due } => {
                digest.pair(of(process) | u64::from(timer.0) << 24, due.nanos());
            }
            Self::TimerFired { process, timer } => digest.word(of(process) | u64::from(timer.0) << 24),
            Self::WriteIssued { process, write } | Self::WriteDurable { process, write } => {
                digest.pair(of(process), write.0);
            }
            Self::WriteFailed { process, write, error } => {
                digest.pair(of(process) | (*error as u64) << 24, write.0);
            }
            Self::OperationFailed { process, file, operation, error } => {
                digest.pair(of(process) | (*error as u64) << 24 | u64::from(file.0) << 32, *operation);
            }
            Self::Noted { process, note } => encode_of_note(*process, note, digest),
            Self::Injected { fault } => {
                digest.word(kind);
                fault.encode(digest);
            }
            Self::Marked { text } => {
                digest.word(kind);
                digest.text(text);
            }
        }
    }
}
