//! What goes into a step and what comes out.
//!
//! Owns: the words between node and host. Must not know: how a host does what it is told.

use crate::entry::{Entries, Entry};
use crate::message::Message;
use crate::payload::Payload;
use crate::storage::Write;
use crate::types::{LogIndex, NodeId, PersistId, RoleKind, Term};

/// One thing that happens to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message came. Messages may be lost, late, doubled and out of order; they must not be forged.
    Message {
        /// The sender. Messages of those who are not voters are ignored.
        from: NodeId,
        /// What it said.
        message: Message,
    },
    /// A timer ran out. One that the node no longer waits for is ignored.
    TimerFired(Timer),
    /// A write is durable. Any order will do: a write counts as done when all before it are.
    Persisted(PersistId),
    /// A client wants a command in the log. Answered in the same step, by [`Output::Accepted`] or
    /// [`Output::Refused`].
    Propose(Payload),
    /// Start an election now, as if the election timer had run out. A leader, or one who is no voter, ignores
    /// it.
    Campaign,
}

/// One thing that the host is to do, or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message, once, now: all that it promises is durable.
    Send {
        /// The receiver.
        to: NodeId,
        /// What to say.
        message: Message,
    },
    /// Make this durable after all earlier writes of this life, then say [`Input::Persisted`].
    Persist {
        /// What to say then.
        id: PersistId,
        /// What to write.
        write: Write,
    },
    /// Draw a delay from the range, remember it, and arm the timer with it, whether it was armed or not.
    SetTimer {
        /// Which timer.
        timer: Timer,
        /// What to draw from.
        range: TimeoutRange,
    },
    /// Arm the timer again with the delay that was last drawn for it.
    RearmTimer(Timer),
    /// Disarm the timer, whether it was armed or not.
    CancelTimer(Timer),
    /// The entry is committed: apply it to the state machine. Comes once for each index of a life, in order.
    Apply {
        /// The entry's index.
        index: LogIndex,
        /// The entry.
        entry: Entry,
    },
    /// The command just proposed is in the leader's log. It is committed if and when it is applied with this
    /// term.
    Accepted {
        /// Where it is.
        index: LogIndex,
        /// The leader's term.
        term: Term,
    },
    /// The command just proposed was not taken: this node is not the leader.
    Refused {
        /// Who leads the current term, as far as the node knows.
        leader: Option<NodeId>,
    },
    /// Something changed in memory.
    Event(Event),
}

/// A change of a node's memory, told where it is made, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The node became a follower, a candidate or a leader. A candidate that stands again becomes one again;
    /// a follower that only enters a new term does not become one.
    Role {
        /// What it became.
        role: RoleKind,
        /// In which term.
        term: Term,
    },
    /// The node entered a term, in which it has not voted yet.
    Term(Term),
    /// The node gave its vote of a term.
    Vote {
        /// The term.
        term: Term,
        /// Who got the vote; the node itself when it stands.
        candidate: NodeId,
    },
    /// Entries were added at the end of the log.
    Appended {
        /// The index of the first of them.
        first: LogIndex,
        /// The entries.
        entries: Entries,
    },
    /// Entries were removed from the end of the log.
    Truncated {
        /// The index of the first that was removed.
        from: LogIndex,
    },
    /// The node learned that all up to this index is committed.
    Committed(LogIndex),
}

/// The timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Timer {
    /// Runs out when a follower or a candidate has waited too long (Raft §5.2).
    Election,
    /// Runs out when a leader is to show that it lives.
    Heartbeat,
}

impl Timer {
    /// Every timer, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Election, Self::Heartbeat];

    /// The timer's name, in lower case.
    #[inline]
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Election => "election",
            Self::Heartbeat => "heartbeat",
        }
    }
}

/// What a delay is drawn from, uniformly, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeoutRange {
    /// The shortest delay, in nanoseconds; at least one.
    pub min_ns: u64,
    /// The longest delay, in nanoseconds; not below the shortest.
    pub max_ns: u64,
}

/// What steps append their outputs to; the host empties it.
pub type Outputs = Vec<Output>;

#[cfg(test)]
mod tests {
    use super::{Input, Output, Timer};

    #[test]
    fn inputs_and_outputs_are_small() {
        assert!(size_of::<Output>() <= 72, "{}", size_of::<Output>());
        assert!(size_of::<Input>() <= 72, "{}", size_of::<Input>());
    }

    #[test]
    fn every_timer_has_its_own_name() {
        assert_eq!(Timer::ALL.map(Timer::name), ["election", "heartbeat"]);
    }
}
