//! What is there when a scenario begins: who belongs to the cluster, and what nodes have on their disks.

use crate::scenario::shorthand::{or, shorthand};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who belongs to the cluster when it begins. Nodes that are neither voters nor learners start knowing nobody, and wait
/// to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InitialMembers {
    /// The numbers of the voters, at least one.
    #[schemars(length(min = 1))]
    pub voters: Vec<u16>,
    /// The numbers of the learners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learners: Vec<u16>,
}

/// What a node has on its disk when it starts for the first time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InitialState {
    /// Its term, at most 2^53. Default: that of the last entry, or of the snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub term: Option<u64>,
    /// The number of the node that has its vote in this term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vote: Option<u16>,
    /// Its log, from index 1, or from the one after the snapshot. Terms do not go down. At most 10000 entries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10_000))]
    pub log: Vec<InitialEntry>,
    /// The snapshot that stands before the log. What it covers is committed, so a majority must begin with it or with a log
    /// that reaches its last entry. Its state machine has applied what logs of the file tell of the entries that it stands
    /// for, and of the others nothing with an effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<InitialSnapshot>,
}

impl InitialState {
    /// Its term: the one given, or the highest that it has seen.
    #[must_use]
    pub fn current_term(&self) -> u64 {
        self.term.unwrap_or_else(|| self.term_seen())
    }

    /// The term of the last entry, or of the snapshot, or 0.
    #[must_use]
    pub fn term_seen(&self) -> u64 {
        let snapshot = self.snapshot.map_or(0, |snapshot| snapshot.term);
        self.log.last().map_or(snapshot, |entry| entry.term)
    }

    /// The index before the first entry of the log.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.snapshot.map_or(0, |snapshot| snapshot.index)
    }
}

/// An entry of a log: its term, which is an empty entry, or an object with a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "InitialEntry", transform = term_number)]
pub struct InitialEntry {
    /// Its term, from 1 to 2^53.
    #[schemars(range(min = 1, max = 9_007_199_254_740_992_u64))]
    pub term: u64,
    /// Its command. Absent: none, as in the entry of a new leader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

shorthand!(
    InitialEntry,
    "the term of an entry, or an object with `term` and `command`",
    u64,
    |term| InitialEntry { term, command: None },
    |full| full.command.is_none().then_some(&full.term)
);

fn term_number(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "type": "integer", "minimum": 1, "maximum": 1_u64 << 53 }));
}

/// What a snapshot covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InitialSnapshot {
    /// The index of the last entry that it covers, from 1 to 2^53.
    #[schemars(range(min = 1, max = 9_007_199_254_740_992_u64))]
    pub index: u64,
    /// The term of that entry, from 1 to 2^53.
    #[schemars(range(min = 1, max = 9_007_199_254_740_992_u64))]
    pub term: u64,
}
