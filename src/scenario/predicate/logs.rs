//! Predicates about logs: what they hold, how far they go, how much they take.

use crate::scenario::bounds::{Count, IndexRef};
use crate::scenario::disk::File;
use crate::scenario::shorthand::{or, shorthand};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A command was applied by so many nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// The command.
    pub command: String,
    /// On how many nodes. Default: on every node of `among`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Count>,
    /// The nodes asked about. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Target>,
}

/// A command was applied by none of the nodes: the command as text, or an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "NotCommitted", transform = command_text)]
pub struct NotCommitted {
    /// The command.
    pub command: String,
    /// The nodes asked about. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Target>,
}

shorthand!(
    NotCommitted,
    "a command as text, or an object with `command`",
    String,
    |command| NotCommitted { command, among: None },
    |full| full.among.is_none().then_some(&full.command)
);

fn command_text(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "type": "string" }));
}

/// A command was applied at this index, by at least one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommittedAt {
    /// The command. Absent: any command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The index in the log, from 1.
    #[schemars(range(min = 1))]
    pub index: u64,
}

/// An index of a node's log. At least one bound must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexIs {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// The index is this or above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// The index is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<u64>,
}

/// One of a node's indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The last entry known to be committed.
    Commit,
    /// The last entry that the state machine has applied.
    Applied,
    /// The last entry of the log.
    Last,
    /// The last entry dropped from the log because a snapshot covers it; 0 if none was.
    Base,
    /// The last entry that the newest snapshot covers; 0 without a snapshot.
    Snapshot,
}

/// One of the indexes of a node. At least one bound must be given: a number, or a mark, at which every index of that
/// kind is remembered as the highest of all nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// Which index: `commit`, `applied`, `last`, `base` or `snapshot`.
    pub which: Which,
    /// The index is this or above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<IndexRef>,
    /// The index is this or below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<IndexRef>,
    /// The index is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<IndexRef>,
}

/// The last entry of a node's log, or what stands for it in a snapshot. At least one of the two must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LastEntry {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// Its index; 0 for an empty log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Its term; 0 for an empty log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
}

/// A number that each node has. At least one bound must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// The nodes asked about: it must hold of each.
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

/// How many bytes a node's files have. At least one bound must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskBytes {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// Only this file. Default: all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}
