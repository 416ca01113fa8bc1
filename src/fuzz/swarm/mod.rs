//! What is drawn: cluster, options, members, network, disks, clocks, clients, faults and proposals.
//!
//! Swarm testing: each run leaves a drawn part of everything out altogether (Groce et al., "Swarm testing", ISSTA 2012),
//! and there are many short runs with few commands rather than a few long ones. Part of the faults are aimed at
//! whoever leads, since what happens around a change of leaders is where Raft goes wrong. A correct node survives it all:
//! nearly everything stays within the fault model, and of what lies outside (one scenario in fifty has disks that lie or are
//! wiped) the executor says which properties it takes away.
//!
//! Each room of the house has a stream of its own, so that what is added to one leaves the others as they were.

mod disks;
mod faults;
mod meddling;
mod members;
mod options;
mod work;
mod world;

use crate::fuzz::timeline::Timeline;
use crate::scenario::{Connectivity, Core, End, Live, Quorum, Scenario};
use sim_core::{Span, Stream};

const MS: fn(u64) -> Span = Span::from_millis;

/// What a run leaves in or out.
#[derive(Clone, Copy, Debug)]
struct Features {
    /// Clients with a workload.
    clients: bool,
    /// Nodes that join, leave and learn.
    members: bool,
    /// Snapshots and short logs.
    snapshots: bool,
    /// Options that differ from node to node.
    mixed: bool,
    /// Leadership handed over, leaders forgotten.
    transfers: bool,
    /// Disks that are slow, stall, tell late, or keep part of what was under way.
    disks: bool,
    /// Clocks that run wrong.
    clocks: bool,
    /// Messages held, lost, doubled and mixed up by hand.
    messages: bool,
    /// Reads that no client asks for.
    reads: bool,
    /// Timers that fire out of turn or are fixed.
    timers: bool,
    /// State machines that wait.
    applies: bool,
    /// Links and disks that differ from the others.
    uneven: bool,
    /// Writes that fail, and disks that are full.
    failing: bool,
    /// Rot, on a minority of the disks.
    rotting: bool,
    /// Disks that lie or are emptied, which lies outside the model.
    faithless: bool,
}

impl Features {
    fn draw(seed: u64) -> Self {
        let mut stream = Stream::new(seed, "swarm features", 0);
        let mut one_in = |count: u64| stream.below(count) == 0;
        Self {
            clients: one_in(2),
            members: one_in(3),
            snapshots: one_in(3),
            mixed: one_in(4),
            transfers: one_in(4),
            disks: one_in(2),
            clocks: one_in(4),
            messages: one_in(4),
            reads: one_in(4),
            timers: one_in(5),
            applies: one_in(8),
            uneven: one_in(4),
            failing: one_in(6),
            rotting: one_in(8),
            faithless: one_in(50),
        }
    }
}

/// The scenario of a seed: everything about it is drawn.
#[must_use]
pub fn draw(seed: u64) -> Scenario {
    let features = Features::draw(seed);
    let room = |purpose: &str| Stream::new(seed, purpose, 0);
    let mut stream = room("swarm");
    let nodes = [1, 2, 3, 4, 5, 7][stream.weighted(&[1, 3, 44, 6, 42, 4])];
    let mut scenario = Scenario::new("fuzz", nodes);
    scenario.seed = crate::scenario::Seed(seed);
    options::draw(&mut room("swarm options"), features, &mut scenario);
    world::draw(&mut room("swarm world"), features, &mut scenario);
    if features.uneven {
        world::uneven(&mut room("swarm uneven"), features, &mut scenario);
    }
    if features.clients {
        scenario.workload = Some(work::workload(&mut room("swarm clients"), &scenario));
    }
    if features.members {
        scenario.members = members::initial(&mut room("swarm initial"), nodes);
    }
    let storm = MS(if stream.below(50) == 0 { 8_000 } else { stream.between(600, 2_500) });
    // Who draws timeouts from a wide range has not elected anybody before it is over.
    let horizon = storm.plus(scenario.raft.election_timeout.1);
    let mut timeline = Timeline::default();
    faults::plan(&mut timeline, &mut room("swarm faults"), features, &scenario, horizon);
    if stream.coin() {
        faults::storm(&mut timeline, &mut room("swarm storm"), features, nodes, horizon);
    }
    if features.disks && stream.coin() {
        faults::in_writes(&mut timeline, &mut room("swarm writes"), nodes, horizon);
    }
    if !features.clients || stream.below(3) > 0 {
        work::proposals(&mut timeline, &mut room("swarm proposals"), features, nodes, horizon);
    }
    if stream.coin() {
        work::campaigns(&mut timeline, &mut room("swarm campaigns"), nodes, horizon);
    }
    if features.members {
        members::changes(&mut timeline, &mut room("swarm changes"), nodes, horizon);
    }
    if features.transfers {
        members::transfers(&mut timeline, &mut room("swarm transfers"), nodes, horizon);
    }
    if features.snapshots {
        work::snapshots(&mut timeline, &mut room("swarm snapshots"), nodes, horizon);
    }
    meddle(&mut timeline, room, features, &scenario, horizon);
    scenario.steps = timeline.steps(horizon);
    scenario.end = end(&mut stream);
    scenario
}

/// What is done to disks and from outside, each from a stream of its own.
fn meddle(
    timeline: &mut Timeline,
    room: impl Fn(&str) -> Stream,
    features: Features,
    scenario: &Scenario,
    horizon: Span,
) {
    let nodes = scenario.nodes;
    if features.failing {
        disks::failing(timeline, &mut room("swarm failing"), nodes, horizon);
    }
    if features.rotting {
        disks::rotting(timeline, &mut room("swarm rotting"), nodes, horizon);
    }
    if features.faithless {
        disks::faithless(timeline, &mut room("swarm faithless"), nodes, horizon);
    }
    let mut shutdowns = room("swarm shutdowns");
    if shutdowns.below(8) == 0 {
        disks::shutdowns(timeline, &mut shutdowns, nodes, horizon);
    }
    if features.messages {
        meddling::messages(timeline, &mut room("swarm messages"), nodes, horizon);
    }
    if features.reads {
        meddling::reads(timeline, &mut room("swarm reads"), nodes, horizon);
    }
    if features.timers {
        meddling::timers(timeline, &mut room("swarm timers"), scenario, horizon);
    }
    if features.applies {
        meddling::applies(timeline, &mut room("swarm applies"), nodes, horizon);
    }
    if features.snapshots {
        meddling::compactions(timeline, &mut room("swarm compactions"), nodes, horizon);
    }
    let mut breaks = room("swarm breaks");
    if features.clients && breaks.below(4) == 0 {
        meddling::breaks(timeline, &mut breaks, horizon);
    }
    let mut jumps = room("swarm jumps");
    if features.clocks && !scenario.raft.lease_reads && jumps.coin() {
        meddling::jumps(timeline, &mut jumps, nodes, horizon);
    }
}

fn end(stream: &mut Stream) -> End {
    let connectivity = *stream.pick(&[
        Connectivity::Full,
        Connectivity::Bridge,
        Connectivity::Chain,
        Connectivity::Ring,
        Connectivity::OneWayExtras,
    ]);
    let core = if stream.coin() { Core::All } else { Core::Quorum(Quorum { connectivity }) };
    End::Live(Live { core, within: None })
}

#[cfg(test)]
mod tests;
