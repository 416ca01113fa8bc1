//! Predicates about configurations: who belongs to the cluster, in the eyes of a node.

use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The configuration in force for a node, or the one that its log holds at an index. At least one of `voters`,
/// `outgoing`, `learners` and `absent` must be given. An empty list means that there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersAre {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// Not the configuration in force, but the one that stands in the log at this index, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub at: Option<u64>,
    /// Its voters are exactly these; of a joint configuration, those of the incoming one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voters: Option<Target>,
    /// The voters of the outgoing configuration are exactly these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing: Option<Target>,
    /// Its learners are exactly these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learners: Option<Target>,
    /// No configuration stands at this index: the entry is another one, or there is none. Default false.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub absent: bool,
}

/// What a node is in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// Its vote counts.
    Voter,
    /// It gets the log, and its vote does not count.
    Learner,
}

/// Whether nodes belong to the configuration in force for others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InConfig {
    /// The nodes that belong to it, or do not: it must hold of each.
    pub nodes: Target,
    /// In the eyes of these nodes: it must hold of each. Default: leader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Target>,
    /// As a voter or as a learner. Default: either.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub membership: Option<Membership>,
}
