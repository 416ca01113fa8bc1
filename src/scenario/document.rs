//! A whole scenario.

use crate::kv::Workload;
use crate::scenario::clocks::ClockOptions;
use crate::scenario::end::End;
use crate::scenario::initial::{InitialMembers, InitialState};
use crate::scenario::name::Name;
use crate::scenario::network::NetworkOptions;
use crate::scenario::node_key::NodeKey;
use crate::scenario::pin::Pin;
use crate::scenario::raft::{RaftChange, RaftOptions};
use crate::scenario::seed::Seed;
use crate::scenario::step::Step;
use crate::scenario::storage::StorageOptions;
use crate::violation::Property;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Who belongs to the cluster when it begins. Default: every node, as a voter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<InitialMembers>,
    /// The numbers of nodes that are not started at the beginning: until `restart` they count as crashed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<u16>,
    /// What nodes have on their disks at the beginning, by number: `{"2": {"log": [1, 1, 2]}}`. Default: nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub initial: BTreeMap<NodeKey, InitialState>,
    /// Settings of every Raft node.
    #[serde(default)]
    pub raft: RaftOptions,
    /// Settings of single nodes, by number: `{"2": {"heartbeat": "40ms"}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_options: BTreeMap<NodeKey, RaftChange>,
    /// How links treat messages.
    #[serde(default)]
    pub network: NetworkOptions,
    /// How disks treat writes.
    #[serde(default)]
    pub storage: StorageOptions,
    /// Clocks that do not show true time, by number of the node: `{"3": {"drift": "-2%"}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clocks: BTreeMap<NodeKey, ClockOptions>,
    /// Clients of the key-value machine that run beside the steps. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
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
    /// After how many events the run counts as a livelock, 1 to 1,000,000,000,000, even if the last of them were its end.
    /// Default: 50 million. Whoever runs it may set a lower bound, as a capsule does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000_000_u64))]
    pub events_max: Option<u64>,
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
            members: None,
            down: Vec::new(),
            initial: BTreeMap::new(),
            seed: Seed::default(),
            raft: RaftOptions::default(),
            node_options: BTreeMap::new(),
            network: NetworkOptions::default(),
            storage: StorageOptions::default(),
            clocks: BTreeMap::new(),
            workload: None,
            pins: Vec::new(),
            steps: Vec::new(),
            end: End::default(),
            expect: Expect::default(),
            events_max: None,
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

    /// The clients that make calls by name, in the order in which the steps name them first.
    #[must_use]
    pub fn callers(&self) -> Vec<Name> {
        let mut names = Vec::new();
        callers(&self.steps, &mut BTreeSet::new(), &mut names);
        names
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

fn callers<'a>(steps: &'a [Step], seen: &mut BTreeSet<&'a Name>, names: &mut Vec<Name>) {
    for step in steps {
        if let Step::Call(call) = step
            && seen.insert(&call.client)
        {
            names.push(call.client.clone());
        }
        step.blocks().into_iter().for_each(|steps| callers(steps, seen, names));
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

/// The most events that a file may allow its run: those of a month or so of computing.
pub const EVENTS_MAX: u64 = 1_000_000_000_000;

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
