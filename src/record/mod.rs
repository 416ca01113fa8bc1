//! What any Raft tells of itself, in words that belong to no implementation.
//!
//! Oracles and views read these records and nothing else, so they can judge our node, somebody else's node in the
//! same world, and a trace from outside.

mod client;
mod facts;
mod members;
mod note;

pub use client::{Action, Bytes, Call, Outcome, ReadKind, Return};
pub use facts::{MESSAGE_KINDS, MessageFacts, Reply};
pub use members::Members;
pub use note::{Effect, Note, Refusal, SnapshotFacts};

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use sim_core::{Digest, RecordKind};

/// One record of a Raft run.
pub type Record = sim_core::Record<MessageFacts, Note>;

/// The kinds of record with which an event begins that is not asked for from outside.
pub const BEGINNINGS: [RecordKind; 3] =
    [RecordKind::Delivered, RecordKind::TimerFired, RecordKind::WriteDurable];

/// A 64-bit hash, written as 16 hexadecimal digits (JSON numbers lose bits above 2^53).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash64(pub u64);

impl Hash64 {
    /// The hash of an entry that carries no command, such as a leader's no-op.
    pub const NOOP: Self = Self(0);

    /// The hash of a command's bytes.
    #[inline]
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
    #[inline]
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
    /// It asks whether it would get votes, before it raises its term (PreVote, thesis §9.6).
    PreCandidate,
}

impl Role {
    /// F, C, P or L.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Follower => 'F',
            Self::Candidate => 'C',
            Self::PreCandidate => 'P',
            Self::Leader => 'L',
        }
    }

    /// The role in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Follower => "follower",
            Self::Candidate => "candidate",
            Self::PreCandidate => "pre_candidate",
            Self::Leader => "leader",
        }
    }
}
