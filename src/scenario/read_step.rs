//! Reads that bypass the log.

use crate::scenario::client::Key;
use crate::scenario::defaults::{is_leader, is_within_default, leader, within_default};
use crate::scenario::form::As;
use crate::scenario::name::Name;
use crate::scenario::step::WITHIN_DEFAULT;
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;

/// How a read is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadKind {
    /// By the leader, after a quorum has confirmed that it leads (ReadIndex, thesis §6.4).
    ReadIndex,
    /// By the leader, as long as its lease runs (thesis §6.4.1).
    Lease,
    /// By a follower, at an index that the leader has confirmed.
    Follower,
    /// By whoever is asked, from what it has applied, without asking anybody. May be out of date.
    Local,
}

/// What must come of a read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadAnswer {
    /// It is served in time.
    Served,
    /// The node says in time that it cannot serve it.
    Refused,
    /// The node has said nothing when the time is up.
    Unanswered,
    /// Any of these.
    #[default]
    Any,
}

impl ReadAnswer {
    fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

/// What came of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadOutcome {
    /// It was served.
    Served,
    /// It was refused.
    Refused,
    /// Nothing yet.
    Pending,
}

/// Asks nodes for a read that bypasses the log, and waits for what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Each of these nodes is asked. Default: leader.
    #[serde(default = "leader", skip_serializing_if = "is_leader")]
    pub at: Target,
    /// How it is served: `read_index`, `lease`, `follower` or `local`.
    pub kind: ReadKind,
    /// What is read. Absent: nothing but the index at which it could be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What must come of it: `served`, `refused`, `unanswered` or `any` (default).
    #[serde(default, skip_serializing_if = "ReadAnswer::is_any")]
    pub expect: ReadAnswer,
    /// The state that serves it covers at least this index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_index: Option<u64>,
    /// For how long to wait at most. Default 5s. With `0ms` the steps go on at once, and the read is served when it can be.
    #[serde(default = "within_default", with = "As::<Span>", skip_serializing_if = "is_within_default")]
    pub within: Span,
    /// Gives the nodes that served it a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<Name>,
}

impl Read {
    /// A read of this kind at the leader, of which nothing is expected.
    #[must_use]
    pub const fn at_leader(kind: ReadKind) -> Self {
        Self {
            at: Target::Leader,
            kind,
            key: None,
            expect: ReadAnswer::Any,
            at_least_index: None,
            within: WITHIN_DEFAULT,
            bind: None,
        }
    }
}
