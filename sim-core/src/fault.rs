//! What can be done to the world, as data.

use crate::{Digest, Encode, LinkQuality, ProcessId, Span};

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
    /// Undoes an [`Fault::Isolate`] and every [`Fault::Cut`] of a link from or to the process.
    Reconnect {
        /// The process.
        process: ProcessId,
    },
    /// Lets messages through only within each group. Processes in no group make up one more group together.
    /// Replaces an earlier partition.
    Partition {
        /// The groups; no process may stand in two.
        groups: Vec<Vec<ProcessId>>,
        /// What becomes of the messages on the way between groups.
        in_flight: InFlight,
    },
    /// Undoes every cut, isolation and partition, releases what is held and ends every clog. Crashed and paused
    /// processes stay as they are, and so do link qualities.
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
    /// Delivers one message held on the link at once, even where the link is cut or clogged: the oldest, or the
    /// oldest of a kind.
    DeliverOne {
        /// Where its messages come from.
        from: ProcessId,
        /// Where they go.
        to: ProcessId,
        /// An index into [`crate::Process::KINDS`].
        kind: Option<u8>,
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
    /// Stops a process and loses its memory and its writes that are not durable.
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
}

impl Encode for Fault {
    fn encode(&self, digest: &mut Digest) {
        let link = |from: &ProcessId, to: &ProcessId| u64::from(from.0) << 16 | u64::from(to.0);
        // One more than the number, so that `None` is 0.
        let some = |process: &Option<ProcessId>| process.map_or(0, |p| u64::from(p.0) + 1);
        let some_kind = |kind: &Option<u8>| kind.map_or(0, |k| u64::from(k) + 1);
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
                digest.pair(10 | some_kind(kind) << 8, some(from) << 32 | some(to));
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
        }
    }
}
