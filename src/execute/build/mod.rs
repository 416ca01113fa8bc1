//! From a scenario to a cluster that has not begun.

pub(crate) mod clients;
pub(crate) mod clocks;
pub(crate) mod disks;
pub(crate) mod keys;
mod resolved;

pub use resolved::resolved;

use crate::adapter::{
    Config, ELECTION, MemberConfig, Membership, NodeConfig, NodeOptions, ServiceOptions, node_id,
};
use crate::execute::Cluster;
use crate::execute::happened::Witness;
use crate::execute::told::Told;
use crate::execute::watching::Watching;
use crate::kv;
use crate::oracles::Judge;
use crate::scenario::{Fate, Pin, RaftOptions, Scenario, Target};
use clients::Clients;
use core::fmt;
use sim_core::{Fault, ProcessId, Settings, Simulation};

/// A scenario names a planted bug that this build does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMutation {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownMutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        #[cfg(feature = "mutations")]
        {
            fmt::Display::fmt(&crate::adapter::NoSuchMutation(name.clone()), f)
        }
        #[cfg(not(feature = "mutations"))]
        {
            write!(f, "the planted bug `{name}` needs a build with `--features mutations`")
        }
    }
}

impl core::error::Error for UnknownMutation {}

/// A planted bug.
#[cfg(feature = "mutations")]
pub(crate) type Planted = crate::adapter::Mutation;
#[cfg(not(feature = "mutations"))]
pub(crate) type Planted = core::convert::Infallible;

/// A planted bug, if there is one.
type Mutant = Option<Planted>;

/// The planted bug of this name, where this build has it.
pub(crate) fn planted(name: &str) -> Result<Planted, UnknownMutation> {
    let unknown = || UnknownMutation { name: name.to_owned() };
    #[cfg(feature = "mutations")]
    {
        name.parse().map_err(|_| unknown())
    }
    #[cfg(not(feature = "mutations"))]
    {
        Err(unknown())
    }
}

/// The planted bug that a scenario names.
pub(crate) fn mutation(scenario: &Scenario) -> Result<Mutant, UnknownMutation> {
    scenario.mutation.as_deref().map(planted).transpose()
}

/// Who belongs to the cluster when it begins, as far as the node knows: nobody if it is not among them.
pub(crate) fn membership(scenario: &Scenario, node: ProcessId) -> Membership {
    let all = first_membership(scenario);
    if all.contains(node_id(node)) { all } else { Membership::default() }
}

/// Who belongs to the cluster when it begins.
pub(super) fn first_membership(scenario: &Scenario) -> Membership {
    let ids = |numbers: &[u16]| numbers.iter().map(|number| node_id(ProcessId(*number))).collect::<Vec<_>>();
    let all: Vec<u16> = (0..scenario.nodes).collect();
    let (voters, learners): (&[u16], &[u16]) = match &scenario.members {
        Some(members) => (&members.voters, &members.learners),
        None => (&all, &[]),
    };
    Membership::new(&ids(voters), &[], &ids(learners), &[], false)
        .expect("the members of the file were checked")
}

/// The node's own options.
fn node_options(raft: &RaftOptions, mutation: Mutant) -> NodeOptions {
    #[cfg(not(feature = "mutations"))]
    let _: Mutant = mutation;
    NodeOptions {
        heartbeat_ns: raft.heartbeat.nanos(),
        election_timeout_ns: (raft.election_timeout.0.nanos(), raft.election_timeout.1.nanos()),
        noop_on_election: raft.noop_on_election,
        entries_per_append_max: raft.entries_per_append,
        bytes_per_append_max: raft.bytes_per_append.unwrap_or(0),
        in_flight_messages_max: raft.in_flight_messages,
        in_flight_bytes_max: raft.in_flight_bytes.unwrap_or(0),
        uncommitted_bytes_max: raft.uncommitted_bytes.unwrap_or(0),
        batch_delay_ns: raft.batch_delay.nanos(),
        snapshot_keep: raft.snapshot_keep,
        snapshot_chunk_bytes: raft.snapshot_chunk,
        pre_vote: raft.pre_vote,
        check_quorum: raft.check_quorum,
        lease_reads: raft.lease_reads,
        clock_drift_max_ppm: raft.clock_drift_max.ppm(),
        forward_proposals: raft.forward_proposals,
        step_down_on_removal: raft.step_down_on_removal,
        priority: i64::from(raft.priority),
        apply_window: raft.apply_window.unwrap_or(0),
        #[cfg(feature = "mutations")]
        mutation: mutation.and_then(crate::adapter::Mutation::of_node),
    }
}

fn service_options(raft: &RaftOptions, mutation: Mutant) -> ServiceOptions {
    #[cfg(not(feature = "mutations"))]
    let _: Mutant = mutation;
    ServiceOptions {
        machine: machine_options(raft),
        snapshot_after: raft.snapshot_after,
        apply_delay: raft.apply_delay,
        #[cfg(feature = "mutations")]
        mutation: mutation.and_then(crate::adapter::Mutation::of_host),
    }
}

fn machine_options(raft: &RaftOptions) -> kv::Config {
    kv::Config::new(raft.sessions_max).expect("the limit of the file was checked")
}

pub(crate) fn cluster<'w>(
    scenario: &Scenario,
    seed: u64,
    watcher: Watching<'w>,
) -> Result<Cluster<'w>, UnknownMutation> {
    let mutation = mutation(scenario)?;
    let nodes = ProcessId::all(scenario.nodes).map(|node| {
        let raft = Config {
            id: node_id(node),
            membership: membership(scenario, node),
            options: node_options(&scenario.options_of(node.0), mutation),
        };
        let service = service_options(&scenario.options_of(node.0), mutation);
        MemberConfig::Node(Box::new(NodeConfig { raft, service }))
    });
    let clients = Clients::of(scenario);
    let configs: Vec<_> = nodes.chain(clients.configs(scenario)).collect();
    let bystanders = u16::try_from(configs.len()).unwrap_or(u16::MAX) - scenario.nodes;
    let settings = Settings { link: scenario.network.quality(), bystanders, ..Settings::default() };
    let told = Told::new(scenario.nodes, clients::asks_who_answers(&scenario.steps));
    let disks = (0..scenario.nodes).map(|node| scenario.storage.of(node));
    let witness = Witness::new(disks.map(|disk| (disks::quality(&disk), disks::crash_mode(&disk))));
    let observer = (Judge::new(scenario.nodes), (told, (witness, watcher)));
    let mut sim = Simulation::new(&settings, configs, seed, observer);
    for node in ProcessId::all(scenario.nodes) {
        disks::set_up(&mut sim, scenario, node, seed);
        clocks::set_up(&mut sim, scenario, node);
    }
    for rule in &scenario.network.links {
        for (from, to) in links(scenario, &clients, &rule.from, &rule.to) {
            let quality = rule.over(sim.quality(from, to));
            sim.inject(&Fault::SetQuality { from, to, quality })
                .expect("the ends of a link rule were checked");
        }
    }
    for pin in &scenario.pins {
        let links = match pin {
            Pin::Message(pin) => links(scenario, &clients, &pin.from, &pin.to),
            Pin::ElectionTimeout(_) => Vec::new(),
        };
        set_pin(&mut sim, pin, &links);
    }
    Ok(sim)
}

/// A link from one process to another.
pub(crate) type Link = (ProcessId, ProcessId);

/// The links that a rule or a pin of the file is about. Before the run begins only numbers and `all` mean something.
fn links(scenario: &Scenario, clients: &Clients, from: &Target, to: &Target) -> Vec<Link> {
    let to = ends(scenario, clients, to);
    let pairs =
        ends(scenario, clients, from).into_iter().flat_map(|from| to.iter().map(move |to| (from, *to)));
    pairs.filter(|(from, to)| from != to).collect()
}

fn ends(scenario: &Scenario, clients: &Clients, target: &Target) -> Vec<ProcessId> {
    let all = || ProcessId::all(scenario.nodes);
    match target {
        Target::All => all().collect(),
        Target::AllBut(other) => {
            let but = ends(scenario, clients, other);
            all().filter(|node| !but.contains(node)).collect()
        }
        Target::Clients => clients.everybody().collect(),
        Target::Client(client) => clients.process(client).into_iter().collect(),
        Target::List(items) => items.iter().flat_map(|item| ends(scenario, clients, item)).collect(),
        target => {
            let numbers =
                target.literal().expect("the check of the file refuses other targets in link rules");
            numbers.into_iter().map(ProcessId).collect()
        }
    }
}

/// Sets a pin; one for messages on each of these links.
pub(crate) fn set_pin(sim: &mut Cluster<'_>, pin: &Pin, links: &[Link]) {
    match pin {
        Pin::ElectionTimeout(pin) => sim.pin_timer(ProcessId(pin.node), ELECTION, pin.delays.iter().copied()),
        Pin::Message(pin) => {
            for (from, to) in links.iter().copied() {
                sim.pin_message(sim_core::MessagePin {
                    from,
                    to,
                    kind: pin.kind.index(),
                    epoch: pin.term,
                    ordinal: pin.nth,
                    fate: match pin.fate {
                        Fate::Latency(latency) => sim_core::Fate::Latency(latency),
                        Fate::Drop => sim_core::Fate::Drop,
                    },
                });
            }
        }
    }
}
