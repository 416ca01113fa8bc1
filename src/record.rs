//! What any Raft tells of itself, in words that belong to no implementation.
//!
//! Oracles and views read these records and nothing else, so they can judge our node, somebody else's node in the
//! same world, and a trace from outside.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use sim_core::{Digest, Encode, ProcessId, WriteId};

/// One record of a Raft run.
pub type Record = sim_core::Record<MessageFacts, Note>;

/// A 64-bit hash, written as 16 hexadecimal digits (JSON numbers lose bits above 2^53).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash64(pub u64);

impl Hash64 {
    /// The hash of an entry that carries no command, such as a leader's no-op.
    pub const NOOP: Self = Self(0);

    /// The hash of a command's bytes.
    #[must_use]
    pub fn of_command(bytes: &[u8]) -> Self {
        let mut digest = Digest::new();
        digest.bytes(bytes);
        // 0 is the no-op's.
        Self(digest.value().max(1))
    }

    /// The hash of a log that is `self` followed by an entry of `term` with the command hash `command`.
    ///
    /// Two logs have equal hashes at an index if and only if they are identical up to it (but for collisions).
    #[must_use]
    pub fn then(self, term: u64, command: Self) -> Self {
        let mut digest = Digest::new();
        digest.pair(self.0, term);
        digest.word(command.0);
        Self(digest.value())
    }
}

impl fmt::Display for Hash64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Hash64 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        u64::from_str_radix(text, 16)
            .ok()
            .filter(|_| text.len() == 16 && !text.starts_with('+'))
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a hash: expected 16 hexadecimal digits"))
    }
}

impl Serialize for Hash64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a node is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It follows.
    Follower,
    /// It asks for votes.
    Candidate,
    /// It leads.
    Leader,
}

impl Role {
    /// F, C or L.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Follower => 'F',
            Self::Candidate => 'C',
            Self::Leader => 'L',
        }
    }

    /// The role in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Follower => "follower",
            Self::Candidate => "candidate",
            Self::Leader => "leader",
        }
    }
}

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
}

/// The names of the kinds of message, in the order of [`MessageFacts::kind`].
pub const MESSAGE_KINDS: &[&str] =
    &["RequestVote", "RequestVoteResponse", "AppendEntries", "AppendEntriesResponse"];

impl MessageFacts {
    /// Which kind it is: an index into [`MESSAGE_KINDS`].
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::RequestVote { .. } => 0,
            Self::RequestVoteResponse { .. } => 1,
            Self::AppendEntries { .. } => 2,
            Self::AppendEntriesAccepted { .. } | Self::AppendEntriesRefused { .. } => 3,
        }
    }

    /// The term that it carries.
    #[must_use]
    pub const fn term(&self) -> u64 {
        match *self {
            Self::RequestVote { term, .. }
            | Self::RequestVoteResponse { term, .. }
            | Self::AppendEntries { term, .. }
            | Self::AppendEntriesAccepted { term, .. }
            | Self::AppendEntriesRefused { term, .. } => term,
        }
    }
}

impl Encode for MessageFacts {
    #[inline]
    fn encode(&self, digest: &mut Digest) {
        match *self {
            Self::RequestVote { term, last_index, last_term } => {
                digest.pair(0, term);
                digest.pair(last_index, last_term);
            }
            Self::RequestVoteResponse { term, granted } => digest.pair(1 | u64::from(granted) << 8, term),
            Self::AppendEntries { term, prev_index, prev_term, entries, commit } => {
                digest.pair(2 | u64::from(entries) << 8, term);
                digest.pair(prev_index, prev_term);
                digest.word(commit);
            }
            Self::AppendEntriesAccepted { term, match_index } => {
                digest.pair(3, term);
                digest.word(match_index);
            }
            Self::AppendEntriesRefused { term, prev_index, conflict_index, conflict_term } => {
                digest.pair(4 | u64::from(conflict_term.is_some()) << 8, term);
                digest.pair(prev_index, conflict_index);
                digest.word(conflict_term.unwrap_or(0));
            }
        }
    }
}

/// What a node notes about itself, at the moment it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// It took up work with this state, read back from its disk. Comes right after `Booted`.
    Recovered {
        /// The term it starts in.
        term: u64,
        /// The vote it remembers having given in that term.
        vote: Option<ProcessId>,
        /// The last index of its log.
        last_index: u64,
        /// The hash of its log up to there (see [`Hash64::then`]; 0 for an empty log).
        last_hash: Hash64,
    },
    /// It changed its role.
    Role {
        /// The new role.
        role: Role,
        /// In this term.
        term: u64,
    },
    /// It moved to a new term, in memory. Its vote is forgotten with the old one.
    Term {
        /// The new term.
        term: u64,
    },
    /// It gave its vote, in memory.
    Vote {
        /// In this term.
        term: u64,
        /// To this node.
        candidate: ProcessId,
    },
    /// It appended an entry to its log, in memory.
    Append {
        /// At this index.
        index: u64,
        /// With this term.
        term: u64,
        /// The hash of its command.
        command: Hash64,
    },
    /// It removed the end of its log, in memory.
    Truncate {
        /// The first index removed.
        from: u64,
    },
    /// It issued a write. Once `WriteDurable` tells of it, a crash does not lose it.
    Persist {
        /// The write.
        write: WriteId,
        /// The term and vote written, if any.
        hard: Option<(u64, Option<ProcessId>)>,
        /// The part of the log written: first index, and how many entries of the log as it is in memory now. What
        /// was durable from the first index on is replaced.
        log: Option<(u64, u64)>,
    },
    /// It knows entries to be committed.
    Commit {
        /// Up to this index.
        index: u64,
    },
    /// It applied an entry to its state machine.
    Apply {
        /// The entry's index.
        index: u64,
        /// The entry's term.
        term: u64,
        /// The hash of its command.
        command: Hash64,
        /// The hash of the state machine after it.
        state: Hash64,
    },
    /// A client handed it a command.
    Proposed {
        /// The hash of the command.
        command: Hash64,
        /// The command, as a person would write it.
        text: Box<str>,
    },
    /// It took a client's command into its log.
    Accepted {
        /// At this index.
        index: u64,
        /// In this term.
        term: u64,
    },
    /// It refused a client's command, not being the leader.
    Refused {
        /// The node that it thinks leads.
        leader: Option<ProcessId>,
    },
}

impl Encode for Note {
    #[inline]
    fn encode(&self, digest: &mut Digest) {
        let some = |process: Option<ProcessId>| process.map_or(0, |p| u64::from(p.0) + 1);
        match self {
            Self::Recovered { term, vote, last_index, last_hash } => {
                digest.pair(some(*vote) << 8, *term);
                digest.pair(*last_index, last_hash.0);
            }
            Self::Role { role, term } => digest.pair(1 | (*role as u64) << 8, *term),
            Self::Term { term } => digest.pair(2, *term),
            Self::Vote { term, candidate } => digest.pair(3 | u64::from(candidate.0) << 8, *term),
            Self::Append { index, term, command } => {
                digest.pair(4 | index << 8, *term);
                digest.word(command.0);
            }
            Self::Truncate { from } => digest.pair(5, *from),
            Self::Persist { write, hard, log } => {
                let flags = u64::from(hard.is_some()) | u64::from(log.is_some()) << 1;
                digest.pair(6 | flags << 8, write.0);
                if let Some((term, vote)) = hard {
                    digest.pair(*term, some(*vote));
                }
                if let Some((first, count)) = log {
                    digest.pair(*first, *count);
                }
            }
            Self::Commit { index } => digest.pair(7, *index),
            Self::Apply { index, term, command, state } => {
                digest.pair(8 | index << 8, *term);
                digest.pair(command.0, state.0);
            }
            Self::Proposed { command, text } => {
                digest.pair(9, command.0);
                digest.text(text);
            }
            Self::Accepted { index, term } => digest.pair(10 | index << 8, *term),
            Self::Refused { leader } => digest.pair(11, some(*leader)),
        }
    }
}
