//! A whole scenario.

use crate::scenario::form::As;
use crate::scenario::options::{NetworkOptions, NodeKey, Pin, RaftChange, RaftOptions, StorageOptions};
use crate::scenario::seed::Seed;
use crate::scenario::shorthand::{or_word, tagged};
use crate::scenario::step::Step;
use crate::violation::Property;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;
use std::collections::BTreeMap;

/// A story of a Raft cluster: who takes part, what happens, what must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Seaworthy scenario")]
pub struct Scenario {
    /// Where an editor finds the schema of this file. Not looked at.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What the scenario is called: lower-case letters, digits and `_`, at most 80.
    #[schemars(regex(pattern = "^[a-z0-9_]{1,80}$"))]
    pub name: String,
    /// What it shows, in one line of at most 200 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 200))]
    pub shows: String,
    /// How many nodes, 1 to 255. They are numbered from 0.
    #[schemars(range(min = 1, max = 255))]
    #[serde(deserialize_with = "node_count")]
    pub nodes: u16,
    /// What every draw depends on. Default 0.
    #[serde(default)]
    pub seed: Seed,
    /// Settings of every Raft node.
    #[serde(default)]
    pub raft: RaftOptions,
    /// Settings of single nodes, by number: `{"2": {"heartbeat": "40ms"}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_options: BTreeMap<NodeKey, RaftChange>,
    /// How links treat messages.
    #[serde(default)]
    pub network: NetworkOptions,
    /// How long writes take to become durable.
    #[serde(default)]
    pub storage: StorageOptions,
    /// Draws whose outcome is fixed from the beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    /// What happens, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// How it ends. Default: the cluster is healed and must live.
    #[serde(default)]
    pub end: End,
    /// How the run must turn out. Default: pass.
    #[serde(default)]
    pub expect: Expect,
    /// The name of a planted bug that is switched on in every node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutation: Option<String>,
}

impl Scenario {
    /// A scenario with `nodes` nodes, the default options and no steps.
    #[must_use]
    pub fn new(name: impl Into<String>, nodes: u16) -> Self {
        Self {
            schema: None,
            name: name.into(),
            shows: String::new(),
            nodes,
            seed: Seed::default(),
            raft: RaftOptions::default(),
            node_options: BTreeMap::new(),
            network: NetworkOptions::default(),
            storage: StorageOptions::default(),
            pins: Vec::new(),
            steps: Vec::new(),
            end: End::default(),
            expect: Expect::default(),
            mutation: None,
        }
    }

    /// The same with this seed.
    #[must_use]
    pub const fn seeded(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// The same with these steps after its own.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.extend(steps);
        self
    }

    /// The options of one node.
    #[must_use]
    pub fn options_of(&self, node: u16) -> RaftOptions {
        self.node_options
            .get(&NodeKey(node))
            .map_or_else(|| self.raft.clone(), |change| self.raft.with(change))
    }

    /// The scenario as a file that [`Scenario::parse`] reads back.
    ///
    /// # Panics
    ///
    /// Never: every value of a scenario has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("scenarios hold text, numbers, lists and objects only");
        text.push('\n');
        text
    }
}

/// Reads a number of nodes. The one too large for its type is told like the one too large for a cluster.
fn node_count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    struct CountVisitor;
    impl serde::de::Visitor<'_> for CountVisitor {
        type Value = u16;

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("the number of nodes, 1 to 255")
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<u16, E> {
            u16::try_from(number).map_err(|_| E::custom(nodes_message(number)))
        }
    }
    deserializer.deserialize_u16(CountVisitor)
}

/// What is said of a cluster with so many nodes.
pub(crate) fn nodes_message(number: u64) -> String {
    format!("a cluster of {number} nodes: expected 1 to {NODES_MAX}")
}

/// The most nodes a cluster may have.
pub const NODES_MAX: u16 = 255;

/// How a scenario ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[schemars(rename = "End", transform = live_word)]
pub enum End {
    /// Every fault is undone; then the cluster must elect, commit and converge.
    Live(Live),
    /// Liveness is not asked for. The text says why.
    Stop(String),
}

tagged!(End, "\"live\", {\"live\": {\"within\": \"20s\"}} or {\"stop\": \"the reason\"}");

fn live_word(schema: &mut schemars::Schema) {
    or_word(schema, &["live"]);
}

impl Default for End {
    fn default() -> Self {
        Self::Live(Live::default())
    }
}

/// Everything is healed, what crashed restarts, what is paused goes on; then the cluster must elect a leader, commit a
/// command and converge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    /// Within this time. Default: derived from election timeouts and latencies.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
}

/// How the run must turn out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Nothing breaks.
    #[default]
    Pass,
    /// This property breaks, before any other.
    Violation(Property),
}
