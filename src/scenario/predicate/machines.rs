//! Predicates about state machines and the clients that use them.

use crate::scenario::client::Key;
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the state machine of a node holds under a key: give either `equals` or `"absent": true`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueIs {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// The key.
    pub key: Key,
    /// It holds this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// It holds nothing. Default false.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub absent: bool,
}

/// Clients have nothing left to do: each call has come back or was given up, and no other will follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientsDone {
    /// The clients asked about. Default: clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Target>,
}
