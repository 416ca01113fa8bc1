//! What a node must answer to what it is asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a node must answer to a command, to a change of the configuration or to a transfer of leadership.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It takes it.
    Accepted,
    /// It does not, for whatever reason.
    Refused,
    /// Any of these.
    #[default]
    Any,
    /// It hands it on to the leader.
    Forwarded,
    /// It does not take it, for it does not lead.
    NotLeader,
    /// It does not take it, for it is handing over its leadership.
    Transferring,
    /// It does not take it, for too much is waiting to be committed.
    TooMuchUncommitted,
    /// It does not take it, for another change is under way.
    ChangePending,
    /// It does not take it, for it has not committed an entry of its own term.
    NoCommitInTerm,
    /// It does not take it, for there can be no such change: of what is there already, of too much at once, of a joint
    /// configuration, or to leave where there is nothing to leave.
    BadChange,
}

impl Answer {
    pub(crate) fn is_any(&self) -> bool {
        *self == Self::Any
    }

    /// Whether it says that the node does not take what it is asked.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        match self {
            Self::Accepted | Self::Any | Self::Forwarded => false,
            Self::Refused
            | Self::NotLeader
            | Self::Transferring
            | Self::TooMuchUncommitted
            | Self::ChangePending
            | Self::NoCommitInTerm
            | Self::BadChange => true,
        }
    }
}
