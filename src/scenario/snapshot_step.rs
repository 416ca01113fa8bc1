//! Steps about snapshots and logs that are made short.

use crate::scenario::defaults::{is_leader, leader};
use crate::scenario::link::or_target;
use crate::scenario::shorthand::shorthand;
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops the beginning of logs as far as a snapshot covers it: a target, or an object with `nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Compact", transform = or_target)]
pub struct Compact {
    /// The nodes.
    pub nodes: Target,
    /// How many entries that a snapshot covers stay. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub keep: u64,
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}

shorthand!(
    Compact,
    "a target, or an object with `nodes` and `keep`",
    Target,
    |nodes| Compact { nodes, keep: 0 },
    |full| (full.keep == 0).then_some(&full.nodes)
);

/// Makes a leader send its snapshot, whether it is needed or not: the target that gets it, or an object with `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "SendSnapshot", transform = or_target)]
pub struct SendSnapshot {
    /// Who sends it. Default: leader.
    #[serde(default = "leader", skip_serializing_if = "is_leader")]
    pub from: Target,
    /// Who gets it.
    pub to: Target,
}

shorthand!(
    SendSnapshot,
    "the target that gets it, or an object with `to`",
    Target,
    |to| SendSnapshot { from: Target::Leader, to },
    |full| is_leader(&full.from).then_some(&full.to)
);
