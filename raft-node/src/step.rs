//! What goes into a step and what comes out.
//!
//! Owns: the words between node and host. Must not know: how a host does what it is told.

use std::sync::Arc;

use crate::entry::{Entries, Entry};
use crate::membership::{BadChange, ChangeRequest, Membership};
use crate::message::Message;
use crate::payload::Payload;
use crate::storage::{Snapshot, Write};
use crate::types::{LogIndex, NodeId, PersistId, ReadId, RoleKind, Term};

/// One thing that happens to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message came. Messages may be lost, late, doubled and out of order; they must not be forged.
    Message {
        /// The sender. Anybody is heard, for a member may not know yet of all others; only the voters that
        /// this node knows of are counted.
        from: NodeId,
        /// What it said.
        message: Message,
    },
    /// A timer ran out. One that the node no longer waits for is ignored.
    TimerFired(Timer),
    /// A write is durable. Any order will do: a write counts as done when all before it are. Write 0 is what a host that
    /// [starts mending](crate::RaftNode::start_mending) makes durable again.
    Persisted(PersistId),
    /// A client wants a command in the log. Answered in the same step, by [`Output::Accepted`],
    /// [`Output::Refused`] or [`Output::Forwarded`].
    Propose(Payload),
    /// Somebody wants the membership changed. Answered in the same step, by [`Output::Accepted`] or
    /// [`Output::Refused`].
    Change(ChangeRequest),
    /// Start an election now, as if the election timer had run out. A leader, one who is no voter, and one
    /// whose word holds up a lease ignore it.
    Campaign,
    /// Hand leadership over to a voter (thesis §3.10). Refused by one who does not lead, or if the other is
    /// no other voter; else tried for the longest election timeout, in which proposals are refused.
    Transfer {
        /// To whom.
        to: NodeId,
    },
    /// Forget who leads, so that another may have this node's vote. Ignored by leaders, candidates and
    /// whoever holds up a lease; touches no timer (etcd-io/raft `ForgetLeader`).
    ForgetLeader,
    /// A client wants to read. Answered, now or later, by [`Output::ReadReady`] or [`Output::ReadRefused`];
    /// one that is passed on to another node may get lost, and is then not answered.
    Read {
        /// Names the read in the answer.
        id: ReadId,
        /// On what the answer may rest.
        mode: ReadMode,
    },
    /// The host's state machine as it was when it had applied all up to `index`. Ignored if that is not above
    /// the last snapshot, or was not handed out yet, or if the node does not know who belonged to the cluster
    /// there: one that joins may not.
    Snapshot {
        /// The last index that was applied.
        index: LogIndex,
        /// The state machine's bytes.
        data: Arc<[u8]>,
    },
    /// The state machine has applied all up to this index. Needed only with [`crate::Options::apply_window`].
    Applied(LogIndex),
    /// The host could not reach a node: the leader goes back to probing it.
    Unreachable(NodeId),
    /// Drop the log as far as the newest snapshot covers it, but for so many of the entries that it covers: as soon as
    /// that snapshot is durable. Without a snapshot, or with less to drop than was dropped before, nothing happens.
    Compact {
        /// How many stay.
        keep: u64,
    },
    /// Send a snapshot to a member, whether it needs one or not. Refused by one who does not lead, or has no
    /// snapshot.
    SendSnapshot {
        /// To whom.
        to: NodeId,
    },
}

/// On what a read may rest (thesis §6.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadMode {
    /// On a quorum that confirms the leader after the read began.
    #[default]
    Index,
    /// On the leader's clock, where it has a lease (see [`crate::Options::lease_reads`]); else as
    /// [`ReadMode::Index`].
    Lease,
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
    /// The entry is committed: apply it to the state machine. Comes once for each index of a life, in order,
    /// but for those that an installed snapshot holds.
    Apply {
        /// The entry's index.
        index: LogIndex,
        /// The entry.
        entry: Entry,
    },
    /// The command or change just asked for is in the leader's log. It is committed if and when it is applied
    /// with this term.
    Accepted {
        /// Where it is.
        index: LogIndex,
        /// The leader's term.
        term: Term,
    },
    /// What was just asked for was not done.
    Refused {
        /// Why.
        reason: Refusal,
    },
    /// The command just proposed was handed on to the leader. Nobody will say whether it arrived.
    Forwarded {
        /// Who leads, as far as the node knows.
        to: NodeId,
    },
    /// Replace the state machine by the snapshot's: what follows is applied to that. Comes also at a start
    /// from a snapshot.
    Install {
        /// The snapshot; its index is applied from now on.
        snapshot: Arc<Snapshot>,
    },
    /// Serve a read from the state machine as soon as it has applied all up to `index`.
    ReadReady {
        /// Which read.
        id: ReadId,
        /// Up to here all was committed when it began, or more.
        index: LogIndex,
    },
    /// The read will not be served by this node.
    ReadRefused {
        /// Which read.
        id: ReadId,
        /// Why.
        reason: ReadRefusal,
    },
    /// Something changed in memory.
    Event(Event),
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// This node is not the leader.
    NotLeader {
        /// Who leads the current term, as far as the node knows.
        leader: Option<NodeId>,
    },
    /// The leader is handing its leadership over.
    Transferring,
    /// There is too much in the log that is not committed; see [`crate::Options::uncommitted_bytes_max`].
    TooMuchUncommitted,
    /// An earlier change of the membership is not committed yet (thesis §4.1).
    ChangePending,
    /// The leader has not committed an entry of its own term yet, and so may not know of a change that
    /// another leader began (the bug of 2015, raft-dev).
    NoCommitInTerm,
    /// The request makes no membership of the present one; [`BadChange::Joint`] and [`BadChange::NotJoint`]
    /// are among the reasons.
    BadChange(BadChange),
    /// Leadership can be handed only to another voter.
    NotAVoter(NodeId),
    /// Only a member, other than the leader, can be sent a snapshot.
    NotAMember(NodeId),
    /// There is no snapshot yet.
    NoSnapshot,
}

/// Why a read will not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadRefusal {
    /// No leader is known.
    NoLeader,
    /// Whoever led when the read began does so no more, or could not tell.
    LeaderLost,
    /// More reads wait than may.
    TooMany,
}

/// A change of a node's memory, told where it is made, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The node got a role. A candidate that stands again becomes one again;
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
    /// Another membership is in force: one was appended or removed with its entry, came with a snapshot, or
    /// was found at the start.
    Membership {
        /// The index of its entry; zero for the one with which the cluster began; that of the snapshot for
        /// one that is known from there.
        index: LogIndex,
        /// Who belongs to the cluster.
        membership: Arc<Membership>,
    },
    /// The node has taken a snapshot of its own state machine.
    SnapshotTaken {
        /// The last index that it holds.
        index: LogIndex,
        /// The term there.
        term: Term,
    },
    /// The node has installed a snapshot of another's, and all up to `index` is committed and applied. The
    /// log begins there now, and is empty: what stood in it behind what was committed was told to be truncated.
    /// One who has the snapshot's last entry installs nothing, and keeps its log.
    SnapshotInstalled {
        /// The last index that it holds.
        index: LogIndex,
        /// The term there.
        term: Term,
    },
    /// Entries up to `base` have left the log in memory.
    Compacted {
        /// The index before the first entry that is left.
        base: LogIndex,
    },
}

/// The timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Timer {
    /// Runs out when a follower or a candidate has waited too long (Raft §5.2).
    Election,
    /// Runs out when a leader is to show that it lives.
    Heartbeat,
    /// Runs out when a leader is to send what it has gathered; see [`crate::Options::batch_delay_ns`].
    Batch,
}

impl Timer {
    /// Every timer, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Election, Self::Heartbeat, Self::Batch];

    /// The timer's name, in lower case.
    #[inline]
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Election => "election",
            Self::Heartbeat => "heartbeat",
            Self::Batch => "batch",
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
        assert!(size_of::<Output>() <= 88, "{}", size_of::<Output>());
        assert!(size_of::<Input>() <= 80, "{}", size_of::<Input>());
    }

    #[test]
    fn every_timer_has_its_own_name() {
        assert_eq!(Timer::ALL.map(Timer::name), ["election", "heartbeat", "batch"]);
    }
}
