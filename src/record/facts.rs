//! What is told of a message. It stands for the message in records and in the digest.

use serde::{Deserialize, Serialize};
use sim_core::{Digest, Encode, ProcessId};

/// What is told of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageFacts {
    /// A candidate asks for a vote.
    RequestVote {
        /// The sender's term.
        term: u64,
        /// Index of the last entry in its log.
        last_index: u64,
        /// Term of that entry.
        last_term: u64,
        /// Whether the leader told it to stand (leadership transfer): then it is answered even by those who hear a leader.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        transfer: bool,
    },
    /// The answer to it.
    RequestVoteResponse {
        /// The sender's term.
        term: u64,
        /// Whether it gives its vote.
        granted: bool,
    },
    /// A leader sends entries, or none as a heartbeat.
    AppendEntries {
        /// The sender's term.
        term: u64,
        /// Index of the entry before the first one sent.
        prev_index: u64,
        /// Term of that entry.
        prev_term: u64,
        /// How many entries follow.
        entries: u32,
        /// The leader's commit index.
        commit: u64,
    },
    /// A follower holds what was sent: it promises its durable log up to `match_index` to equal the leader's.
    AppendEntriesAccepted {
        /// The sender's term.
        term: u64,
        /// The last index that it vouches for.
        match_index: u64,
    },
    /// A follower refuses what was sent.
    AppendEntriesRefused {
        /// The sender's term.
        term: u64,
        /// The `prev_index` that it refused.
        prev_index: u64,
        /// Where it suggests to go back to.
        conflict_index: u64,
        /// The term that stands in its log at `prev_index`, if any.
        conflict_term: Option<u64>,
    },
    /// A node asks whether it would get a vote, without raising its term (thesis §9.6).
    PreVote {
        /// The term in which it would stand: one above its own.
        term: u64,
        /// Index of the last entry in its log.
        last_index: u64,
        /// Term of that entry.
        last_term: u64,
    },
    /// The answer to it. It binds nobody.
    PreVoteResponse {
        /// The term asked about if granted, else the sender's own.
        term: u64,
        /// Whether the sender would give its vote.
        granted: bool,
    },
    /// A leader sends a piece of a snapshot to a follower whose next entry it no longer has (Raft §7).
    InstallSnapshot {
        /// The sender's term.
        term: u64,
        /// The last index that the snapshot covers.
        index: u64,
        /// Where in the snapshot the piece begins, in bytes.
        offset: u64,
        /// How long the piece is, in bytes.
        bytes: u32,
        /// Whether it is the last piece.
        done: bool,
    },
    /// How far the snapshot has come: it promises, if installed, a durable state up to `index` that equals the leader's.
    InstallSnapshotResponse {
        /// The sender's term.
        term: u64,
        /// The last index of the snapshot that is answered for; where installed, up to where the sender's state is durable.
        index: u64,
        /// How much of it the sender has, in bytes.
        received: u64,
        /// Whether the sender has all of it, or no need of it.
        installed: bool,
    },
    /// A leader tells a follower to stand at once (leadership transfer, thesis §3.10).
    TimeoutNow {
        /// The sender's term.
        term: u64,
    },
    /// A follower asks the leader up to where a read must see (thesis §6.4).
    ReadIndex {
        /// The sender's term.
        term: u64,
        /// The sender's name of the read.
        read: u64,
    },
    /// The answer to it.
    ReadIndexResponse {
        /// The sender's term.
        term: u64,
        /// The asker's name of the read.
        read: u64,
        /// The index that the read must see, unless it is refused.
        index: Option<u64>,
    },
    /// A node hands a client's command on to the leader.
    Forward {
        /// The sender's term.
        term: u64,
        /// How long the command is, in bytes.
        bytes: u32,
    },
    /// A client asks something of a node.
    ClientRequest {
        /// Which of the client's requests it is. A retry has the same number.
        number: u64,
        /// Whether it is to be answered from the state, without an entry in the log.
        read: bool,
    },
    /// The answer of a node to a client.
    ClientReply {
        /// Which of the client's requests it answers.
        number: u64,
        /// How.
        reply: Reply,
    },
}

/// How a node answers a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It was done, at this index of the log, or read from the state at this index.
    Done(u64),
    /// The node does not lead; perhaps this one does.
    NotLeader(Option<ProcessId>),
    /// Not now.
    Unavailable,
    /// The client's session is over.
    SessionExpired,
}

/// The names of the kinds of message, in the order of [`MessageFacts::kind`].
pub const MESSAGE_KINDS: &[&str] = &[
    "RequestVote",
    "RequestVoteResponse",
    "AppendEntries",
    "AppendEntriesResponse",
    "PreVote",
    "PreVoteResponse",
    "InstallSnapshot",
    "InstallSnapshotResponse",
    "TimeoutNow",
    "ReadIndex",
    "ReadIndexResponse",
    "Forward",
    "ClientRequest",
    "ClientReply",
];

impl MessageFacts {
    /// Which kind it is: an index into [`MESSAGE_KINDS`].
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::RequestVote { .. } => 0,
            Self::RequestVoteResponse { .. } => 1,
            Self::AppendEntries { .. } => 2,
            Self::AppendEntriesAccepted { .. } | Self::AppendEntriesRefused { .. } => 3,
            Self::PreVote { .. } => 4,
            Self::PreVoteResponse { .. } => 5,
            Self::InstallSnapshot { .. } => 6,
            Self::InstallSnapshotResponse { .. } => 7,
            Self::TimeoutNow { .. } => 8,
            Self::ReadIndex { .. } => 9,
            Self::ReadIndexResponse { .. } => 10,
            Self::Forward { .. } => 11,
            Self::ClientRequest { .. } => 12,
            Self::ClientReply { .. } => 13,
        }
    }

    /// The term that it carries: 0 for what passes between clients and nodes.
    #[must_use]
    pub const fn term(&self) -> u64 {
        match *self {
            Self::RequestVote { term, .. }
            | Self::RequestVoteResponse { term, .. }
            | Self::AppendEntries { term, .. }
            | Self::AppendEntriesAccepted { term, .. }
            | Self::AppendEntriesRefused { term, .. }
            | Self::PreVote { term, .. }
            | Self::PreVoteResponse { term, .. }
            | Self::InstallSnapshot { term, .. }
            | Self::InstallSnapshotResponse { term, .. }
            | Self::TimeoutNow { term }
            | Self::ReadIndex { term, .. }
            | Self::ReadIndexResponse { term, .. }
            | Self::Forward { term, .. } => term,
            Self::ClientRequest { .. } | Self::ClientReply { .. } => 0,
        }
    }
}

impl Encode for MessageFacts {
    /// Of what is sent all the time it is asked first what it is, one after the other: a table of so many kinds is a jump
    /// that nobody can guess.
    #[inline(always)]
    fn encode(&self, digest: &mut Digest) {
        if let Self::AppendEntries { term, prev_index, prev_term, entries, commit } = *self {
            digest.pair(2 | u64::from(entries) << 8, term);
            digest.pair(prev_index, prev_term);
            digest.word(commit);
        } else if let Self::AppendEntriesAccepted { term, match_index } = *self {
            digest.pair(3, term);
            digest.word(match_index);
        } else if let Self::AppendEntriesRefused { term, prev_index, conflict_index, conflict_term } = *self {
            digest.pair(4 | u64::from(conflict_term.is_some()) << 8, term);
            digest.pair(prev_index, conflict_index);
            digest.word(conflict_term.unwrap_or(0));
        } else {
            self.encode_rare(digest);
        }
    }
}

impl MessageFacts {
    #[inline(never)]
    fn encode_rare(self, digest: &mut Digest) {
        match self {
            Self::RequestVote { term, last_index, last_term, transfer } => {
                digest.pair(u64::from(transfer) << 8, term);
                digest.pair(last_index, last_term);
            }
            Self::RequestVoteResponse { term, granted } => digest.pair(1 | u64::from(granted) << 8, term),
            Self::AppendEntries { .. }
            | Self::AppendEntriesAccepted { .. }
            | Self::AppendEntriesRefused { .. } => {}
            Self::PreVote { term, last_index, last_term } => {
                digest.pair(5, term);
                digest.pair(last_index, last_term);
            }
            Self::PreVoteResponse { term, granted } => digest.pair(6 | u64::from(granted) << 8, term),
            Self::InstallSnapshot { term, index, offset, bytes, done } => {
                digest.pair(7 | u64::from(done) << 8 | u64::from(bytes) << 16, term);
                digest.pair(index, offset);
            }
            Self::InstallSnapshotResponse { term, index, received, installed } => {
                digest.pair(8 | u64::from(installed) << 8, term);
                digest.pair(index, received);
            }
            Self::TimeoutNow { term } => digest.pair(9, term),
            Self::ReadIndex { term, read } => {
                digest.pair(10, term);
                digest.word(read);
            }
            Self::ReadIndexResponse { term, read, index } => {
                digest.pair(11 | u64::from(index.is_some()) << 8, term);
                digest.pair(read, index.unwrap_or(0));
            }
            Self::Forward { term, bytes } => digest.pair(12 | u64::from(bytes) << 8, term),
            Self::ClientRequest { number, read } => digest.pair(13 | u64::from(read) << 8, number),
            Self::ClientReply { number, reply } => {
                digest.pair(14, number);
                match reply {
                    Reply::Done(index) => digest.pair(0, index),
                    Reply::NotLeader(hint) => digest.pair(1, hint.map_or(0, |hint| u64::from(hint.0) + 1)),
                    Reply::Unavailable => digest.word(2),
                    Reply::SessionExpired => digest.word(3),
                }
            }
        }
    }
}
