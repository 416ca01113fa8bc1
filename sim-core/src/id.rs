//! Names of things in the world: processes, timers, writes, messages.

use core::fmt;

/// A process in the world, numbered from 0. A world holds at most 1,024 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ProcessId(pub u16);

impl ProcessId {
    /// The largest number of processes a world can hold.
    pub const COUNT_MAX: u16 = 1_024;

    /// Position of this process in tables that are indexed by process.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The first `count` processes, in order.
    pub fn all(count: u16) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        (0..count).map(Self)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One of a process's timers. A process has a fixed, small number of them ([`crate::Process::TIMERS`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct TimerId(pub u8);

/// One of a process's files. A process has a fixed, small number of them ([`crate::Process::FILES`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct FileId(pub u8);

impl FileId {
    /// Position of this file in tables that are indexed by file.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One write of one process: a sync, and with it what was issued before it, numbered from 1 over all the process's lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct WriteId(pub u64);

/// What a message is called by: stable under edits of a run that do not concern the message.
///
/// The world counts `ordinal` per (`from`, `to`, `kind`, `epoch`), never globally, so that a message keeps its
/// name, and with it its latency and its fate, when an unrelated message or fault is taken out of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MessageId {
    /// The sender.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// What sort of message, an index into [`crate::Process::KINDS`].
    pub kind: u8,
    /// 0 for the message as sent, 1 for a duplicate that the network made of it, from 2 for those that were ordered
    /// ([`crate::Fault::DuplicatePending`]).
    pub copy: u8,
    /// How many messages of this kind and epoch went over this link before, from 0.
    pub ordinal: u32,
    /// The phase of the protocol that it belongs to (a term, a view, a round).
    pub epoch: u64,
}

impl MessageId {
    /// The name of the message that this one is a copy of; its own if it is none.
    #[must_use]
    pub const fn as_sent(self) -> Self {
        Self { copy: 0, ..self }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, kind, copy, ordinal, epoch } = self;
        write!(f, "{from}>{to}/{kind}/{epoch}/{ordinal}")?;
        if *copy > 0 { write!(f, "+{copy}") } else { Ok(()) }
    }
}
