//! How disks behave when a scenario begins.

use crate::scenario::form::As;
use crate::scenario::node_key::NodeKey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{Latency, Span};
use std::collections::BTreeMap;

/// What a crash keeps of the writes that are not durable. What is durable stays whatever happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Nothing.
    #[default]
    Lose,
    /// The first of them, a drawn number, in their order.
    Prefix,
    /// A drawn part of them: a later one may survive an earlier one.
    Any,
}

/// How disks treat writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StorageOptions {
    /// How long a write takes to become durable. Default 100us to 1ms.
    #[serde(with = "As::<Latency>")]
    pub write: Latency,
    /// How much later the node hears of it. The news of several writes may come in another order than the writes became
    /// durable in. Default 0ns: at once.
    #[serde(with = "As::<Latency>")]
    pub notice: Latency,
    /// What a crash keeps of the writes that are not durable: `lose`, `prefix` or `any`. Default lose.
    pub crash: Keep,
    /// Whether the last write that a crash keeps may be torn: only a drawn beginning of it survives. Default false.
    pub torn: bool,
    /// How many bytes a disk holds, at least 1; writes that do not fit fail. Absent: no end.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// Nodes whose disks differ, by number: `{"3": {"write": {"constant": "20ms"}}}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<NodeKey, DiskOptions>,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self {
            write: Latency::Uniform(Span::from_micros(100), Span::from_millis(1)),
            notice: Latency::Constant(Span::ZERO),
            crash: Keep::Lose,
            torn: false,
            capacity: None,
            nodes: BTreeMap::new(),
        }
    }
}

impl StorageOptions {
    /// The disk of one node, with what is said of all put in where its own options are silent. Of the result only
    /// `capacity` may be absent.
    #[must_use]
    pub fn of(&self, node: u16) -> DiskOptions {
        let own = self.nodes.get(&NodeKey(node)).copied().unwrap_or_default();
        DiskOptions {
            write: own.write.or(Some(self.write)),
            notice: own.notice.or(Some(self.notice)),
            crash: own.crash.or(Some(self.crash)),
            torn: own.torn.or(Some(self.torn)),
            capacity: own.capacity.or(self.capacity),
        }
    }
}

/// The disk of one node. What is absent stays as in `storage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DiskOptions {
    /// How long a write takes to become durable.
    #[serde(with = "As::<Option<Latency>>", skip_serializing_if = "Option::is_none")]
    pub write: Option<Latency>,
    /// How much later the node hears of it.
    #[serde(with = "As::<Option<Latency>>", skip_serializing_if = "Option::is_none")]
    pub notice: Option<Latency>,
    /// What a crash keeps of the writes that are not durable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash: Option<Keep>,
    /// Whether the last write that a crash keeps may be torn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub torn: Option<bool>,
    /// How many bytes it holds, at least 1.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
}

impl DiskOptions {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
