//! From a scenario to a cluster that has not begun.

use crate::adapter::{ELECTION, NodeConfig, NodeOptions, node_id};
use crate::execute::Cluster;
use crate::oracles::Judge;
use crate::record::{MessageFacts, Note};
use crate::scenario::{Fate, LinkRule, NodeKey, Pin, RaftOptions, Scenario, Target};
use core::fmt;
use sim_core::{Fault, Observer, ProcessId, Settings, Simulation};

/// A scenario names a planted bug that this build does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMutation {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownMutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        if cfg!(feature = "mutations") {
            write!(f, "there is no planted bug `{name}`: `seaworthy mutations` lists them")
        } else {
            write!(f, "the planted bug `{name}` needs a build with `--features mutations`")
        }
    }
}

impl core::error::Error for UnknownMutation {}

/// The options of one node.
pub(crate) fn options(scenario: &Scenario, node: ProcessId) -> RaftOptions {
    match scenario.node_options.get(&NodeKey(node.0)) {
        Some(change) => scenario.raft.with(change),
        None => scenario.raft.clone(),
    }
}

#[cfg(feature = "mutations")]
fn mutation(scenario: &Scenario) -> Result<Option<crate::adapter::Mutation>, UnknownMutation> {
    let Some(name) = &scenario.mutation else { return Ok(None) };
    name.parse().map(Some).map_err(|_| UnknownMutation { name: name.clone() })
}

#[cfg(not(feature = "mutations"))]
fn mutation(scenario: &Scenario) -> Result<Option<core::convert::Infallible>, UnknownMutation> {
    match &scenario.mutation {
        Some(name) => Err(UnknownMutation { name: name.clone() }),
        None => Ok(None),
    }
}

pub(crate) fn cluster<T: Observer<MessageFacts, Note>>(
    scenario: &Scenario,
    seed: u64,
    watcher: T,
) -> Result<Cluster<T>, UnknownMutation> {
    let mutation = mutation(scenario)?;
    let voters: Vec<_> = ProcessId::all(scenario.nodes).map(node_id).collect();
    let configs = ProcessId::all(scenario.nodes).map(|node| {
        let raft = options(scenario, node);
        let options = NodeOptions {
            heartbeat_ns: raft.heartbeat.nanos(),
            election_timeout_ns: (raft.election_timeout.0.nanos(), raft.election_timeout.1.nanos()),
            noop_on_election: raft.noop_on_election,
            entries_per_append_max: raft.entries_per_append,
            #[cfg(feature = "mutations")]
            mutation,
        };
        NodeConfig { id: node_id(node), voters: voters.clone(), options }
    });
    #[cfg(not(feature = "mutations"))]
    let _: Option<core::convert::Infallible> = mutation;
    let settings = Settings { link: scenario.network.quality(), write: scenario.storage.write };
    let observer = (Judge::new(scenario.nodes), watcher);
    let mut sim = Simulation::new(&settings, configs.collect(), seed, observer);
    for (node, disk) in &scenario.storage.nodes {
        sim.set_write_latency(ProcessId(node.0), disk.write);
    }
    for rule in &scenario.network.links {
        for (from, to) in links(scenario.nodes, rule) {
            let quality = rule.over(sim.quality(from, to));
            sim.inject(&Fault::SetQuality { from, to, quality })
                .expect("the ends of a link rule were checked");
        }
    }
    for pin in &scenario.pins {
        set_pin(&mut sim, pin);
    }
    Ok(sim)
}

/// The links that a rule of the file is about. Before the run begins only numbers and `all` mean something.
fn links(nodes: u16, rule: &LinkRule) -> Vec<(ProcessId, ProcessId)> {
    let to = ends(nodes, &rule.to);
    let pairs = ends(nodes, &rule.from).into_iter().flat_map(|from| to.iter().map(move |to| (from, *to)));
    pairs.filter(|(from, to)| from != to).map(|(from, to)| (ProcessId(from), ProcessId(to))).collect()
}

fn ends(nodes: u16, target: &Target) -> Vec<u16> {
    match target {
        Target::All => (0..nodes).collect(),
        Target::AllBut(other) => {
            let but = ends(nodes, other);
            (0..nodes).filter(|node| !but.contains(node)).collect()
        }
        Target::List(items) => items.iter().flat_map(|item| ends(nodes, item)).collect(),
        target => target.literal().expect("the check of the file refuses other targets in link rules"),
    }
}

pub(crate) fn set_pin<T: Observer<MessageFacts, Note>>(sim: &mut Cluster<T>, pin: &Pin) {
    match pin {
        Pin::ElectionTimeout(pin) => sim.pin_timer(ProcessId(pin.node), ELECTION, pin.delays.iter().copied()),
        Pin::Message(pin) => sim.pin_message(sim_core::MessagePin {
            from: ProcessId(pin.from),
            to: ProcessId(pin.to),
            kind: pin.kind.index(),
            epoch: pin.term,
            ordinal: pin.nth,
            fate: match pin.fate {
                Fate::Latency(latency) => sim_core::Fate::Latency(latency),
                Fate::Drop => sim_core::Fate::Drop,
            },
        }),
    }
}

/// Every option of a run as it is after all defaults and overrides, one subject a line.
#[must_use]
pub fn resolved(scenario: &Scenario) -> Vec<String> {
    let raft = |options: &RaftOptions| {
        let (min, max) = options.election_timeout;
        format!(
            "heartbeat {}, election timeout {min}..{max}, noop on election {}, entries per append {}",
            options.heartbeat, options.noop_on_election, options.entries_per_append
        )
    };
    let mut lines =
        vec![format!("nodes     {}", scenario.nodes), format!("raft      {}", raft(&scenario.raft))];
    for node in scenario.node_options.keys() {
        lines.push(format!("  node {node}  {}", raft(&options(scenario, ProcessId(node.0)))));
    }
    let network = &scenario.network;
    lines.push(format!(
        "network   latency {}, loss {}, duplicate {}, reorder {} by {}, fifo {}",
        json(&network.latency),
        network.loss,
        network.duplicate,
        network.reorder,
        network.reorder_by,
        network.fifo
    ));
    lines.extend(network.links.iter().map(|rule| format!("  link    {}", json(rule))));
    lines.push(format!("storage   write {}", json(&scenario.storage.write)));
    for (node, disk) in &scenario.storage.nodes {
        lines.push(format!("  node {node}  write {}", json(&disk.write)));
    }
    lines.extend(scenario.pins.iter().map(|pin| format!("pin       {}", json(pin))));
    lines.push(format!("end       {}", json(&scenario.end)));
    lines.push(format!("expect    {}", json(&scenario.expect)));
    if let Some(mutation) = &scenario.mutation {
        lines.push(format!("mutation  {mutation}"));
    }
    lines
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("options can be written as JSON")
}
