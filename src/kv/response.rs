//! What the machine answers.
//!
//! Owns the answers. Must not know who gets them.

use crate::kv::command::SessionId;
use crate::kv::value::Value;
use core::fmt;
use sim_core::{Digest, Encode};

/// What the machine answers to an entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Not a command of this machine: nothing happened.
    Opaque,
    /// The session is open.
    Opened {
        /// Its name.
        session: SessionId,
    },
    /// The session is closed.
    Closed,
    /// What a key held, to a get; `None`: nothing.
    Value(Option<Value>),
    /// The key has its value, to a put.
    Written,
    /// The key held what was expected and has its new value, to a compare-and-set.
    Swapped,
    /// The key held this instead of what was expected, and still does, to a compare-and-set.
    Unswapped(Option<Value>),
    /// To an append: how many bytes the key holds now. Short enough to remember, and it says whether all appends
    /// before took effect once.
    Length(u64),
    /// To a delete.
    Deleted {
        /// Whether the key held a value.
        existed: bool,
    },
    /// A later command of the session took effect before; what this one answered is forgotten. Nothing happened.
    Stale,
    /// There is no such session: never was, was closed, or was expired. Nothing happened now; whether the command took
    /// effect while there was one, nobody knows any more.
    SessionExpired,
}

impl Encode for Response {
    fn encode(&self, digest: &mut Digest) {
        let hash = |value: &Option<Value>| value.as_ref().map_or(0, Value::hash);
        match self {
            Self::Opaque => digest.word(0),
            Self::Opened { session } => digest.pair(1, session.0),
            Self::Closed => digest.word(2),
            Self::Value(None) => digest.word(3),
            Self::Value(value) => digest.pair(4, hash(value)),
            Self::Written => digest.word(5),
            Self::Swapped => digest.word(6),
            Self::Unswapped(None) => digest.word(7),
            Self::Unswapped(value) => digest.pair(8, hash(value)),
            Self::Length(length) => digest.pair(9, *length),
            Self::Deleted { existed } => digest.pair(10, u64::from(*existed)),
            Self::Stale => digest.word(11),
            Self::SessionExpired => digest.word(12),
        }
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opaque => f.write_str("opaque"),
            Self::Opened { session } => write!(f, "opened {session}"),
            Self::Closed => f.write_str("closed"),
            Self::Value(None) => f.write_str("absent"),
            Self::Value(Some(value)) => write!(f, "={value}"),
            Self::Written => f.write_str("written"),
            Self::Swapped => f.write_str("swapped"),
            Self::Unswapped(None) => f.write_str("not swapped: absent"),
            Self::Unswapped(Some(value)) => write!(f, "not swapped: {value}"),
            Self::Length(length) => write!(f, "length {length}"),
            Self::Deleted { existed: true } => f.write_str("deleted"),
            Self::Deleted { existed: false } => f.write_str("was absent"),
            Self::Stale => f.write_str("stale"),
            Self::SessionExpired => f.write_str("session expired"),
        }
    }
}
