//! Predicates that count: nodes, messages, time, calls, reads.

use crate::scenario::client::{CallOutcome, OperationKind};
use crate::scenario::form::{As, MessageKind};
use crate::scenario::name::Name;
use crate::scenario::read_step::{ReadKind, ReadOutcome};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;

/// A target stands for so many nodes. At least one bound must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountOf {
    /// The target whose nodes are counted.
    pub of: Target,
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// Exactly so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<u64>,
}

/// So many messages were sent. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Messages {
    /// Only messages of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
    /// Only messages from these nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Target>,
    /// Only messages since this mark. Default: since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Name>,
    /// At least so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

/// So many bytes were sent in messages. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MessageBytes {
    /// Only messages since this mark. Default: since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Name>,
    /// At least so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

/// So much virtual time has passed. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Elapsed {
    /// Since this mark. Default: since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Name>,
    /// At least so long.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Span>,
    /// At most so long.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Span>,
}

/// So many calls of clients. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Calls {
    /// Only calls of these clients. Default: of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Target>,
    /// Only operations of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<OperationKind>,
    /// Only calls that came out like this. Default: all that were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CallOutcome>,
    /// Only calls made since this mark. Default: since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Name>,
    /// At least so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

/// So many reads beside the log. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reads {
    /// Only reads that these nodes were asked for. Default: all nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Target>,
    /// Only reads of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ReadKind>,
    /// Only reads that came out like this. Default: all that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ReadOutcome>,
    /// Only reads asked for since this mark. Default: since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Name>,
    /// At least so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}
