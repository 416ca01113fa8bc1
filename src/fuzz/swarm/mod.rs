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
pub(in crate::fuzz) mod faults;
pub(in crate::fuzz) mod meddling;
mod members;
mod options;
pub(in crate::fuzz) mod staged;
pub(in crate::fuzz) mod work;
mod world;

use crate::fuzz::room;
use crate::fuzz::timeline::Timeline;
use crate::scenario::{Connectivity, Core, End, Live, Quorum, Scenario};
use sim_core::{Span, Stream};

pub(in crate::fuzz) const MS: fn(u64) -> Span = Span::from_millis;

/// What a run leaves in or out.
#[derive(Clone, Copy, Debug)]
pub(in crate::fuzz) struct Features {
    /// Clients with a workload.
    pub(in crate::fuzz) clients: bool,
    /// Nodes that join, leave and learn.
    pub(in crate::fuzz) members: bool,
    /// Snapshots and short logs.
    pub(in crate::fuzz) snapshots: bool,
    /// Options that differ from node to node.
    pub(in crate::fuzz) mixed: bool,
    /// Leadership handed over, leaders forgotten.
    pub(in crate::fuzz) transfers: bool,
    /// Disks that are slow, stall, tell late, or keep part of what was under way.
    pub(in crate::fuzz) disks: bool,
    /// Clocks that run wrong.
    pub(in crate::fuzz) clocks: bool,
    /// Messages held, lost, doubled and mixed up by hand.
    pub(in crate::fuzz) messages: bool,
    /// Reads that no client asks for.
    pub(in crate::fuzz) reads: bool,
    /// Timers that fire out of turn or are fixed.
    pub(in crate::fuzz) timers: bool,
    /// State machines that wait.
    pub(in crate::fuzz) applies: bool,
    /// Links and disks that differ from the others.
    pub(in crate::fuzz) uneven: bool,
    /// Writes that fail, and disks that are full.
    pub(in crate::fuzz) failing: bool,
    /// Rot, on a minority of the disks.
    pub(in crate::fuzz) rotting: bool,
    /// Disks that lie or are emptied, which lies outside the model.
    pub(in crate::fuzz) faithless: bool,
    /// Leaders who are deposed and learn of it late.
    pub(in crate::fuzz) deposed: bool,
    /// Candidates who are answered late.
    pub(in crate::fuzz) late_votes: bool,
    /// Logs with entries that nobody else has, and a snapshot in their place.
    pub(in crate::fuzz) replaced: bool,
    /// Leaders who lead again, while what they said before is on its way.
    pub(in crate::fuzz) leads_again: bool,
}

impl Features {
    pub(in crate::fuzz) fn draw(seed: u64) -> Self {
        let mut stream = room(seed, "features");
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
            deposed: one_in(8),
            late_votes: one_in(4),
            replaced: one_in(8),
            leads_again: one_in(20),
        }
    }

    /// The same with nothing that breaks a disk or a clock: what is left makes a cluster, not a storm.
    pub(in crate::fuzz) const fn without_faults(self) -> Self {
        let none = false;
        Self {
            clocks: none,
            messages: none,
            timers: none,
            failing: none,
            rotting: none,
            faithless: none,
            deposed: none,
            replaced: none,
            leads_again: none,
            ..self
        }
    }
}

/// A cluster of a usual size with its options, links, disks, clocks, clients and members. Nothing happens to it yet.
pub(in crate::fuzz) fn cluster(seed: u64, features: Features) -> Scenario {
    let mut size = room(seed, "size");
    let nodes = [1, 2, 3, 4, 5, 7][size.weighted(&[1, 3, 44, 6, 42, 4])];
    let mut scenario = Scenario::new("fuzz", nodes);
    scenario.seed = crate::scenario::Seed(seed);
    options::draw(&mut room(seed, "options"), features, &mut scenario);
    world::draw(&mut room(seed, "world"), features, &mut scenario);
    if features.uneven {
        world::uneven(&mut room(seed, "uneven"), features, &mut scenario);
    }
    if features.clients {
        scenario.workload = Some(work::workload(&mut room(seed, "clients"), &scenario));
    }
    if features.members {
        scenario.members = members::initial(&mut room(seed, "initial"), nodes);
    }
    scenario.end = end(&mut room(seed, "end"));
    scenario
}

/// How long it goes on. Most stories are short, a small share of them is long.
pub(in crate::fuzz) fn horizon(stream: &mut Stream, scenario: &Scenario, short: (u64, u64)) -> Span {
    let storm = MS(if stream.below(50) == 0 { 8_000 } else { stream.between(short.0, short.1) });
    // Who draws timeouts from a wide range has not elected anybody before it is over.
    storm.plus(scenario.raft.election_timeout.1)
}

/// The scenario of a seed: everything about it is drawn.
#[must_use]
pub(in crate::fuzz) fn draw(seed: u64) -> Scenario {
    let features = Features::draw(seed);
    let room = |name: &str| room(seed, name);
    let mut stream = room("swarm");
    let mut scenario = cluster(seed, features);
    let nodes = scenario.nodes;
    let horizon = horizon(&mut stream, &scenario, (500, 1_600));
    let mut timeline = Timeline::default();
    faults::plan(&mut timeline, &mut room("faults"), features, &scenario, horizon);
    if stream.coin() {
        faults::storm(&mut timeline, &mut room("storm"), features, nodes, horizon);
    }
    if features.disks && stream.coin() {
        faults::in_writes(&mut timeline, &mut room("writes"), nodes, horizon);
    }
    if !features.clients || stream.below(3) > 0 {
        work::proposals(&mut timeline, &mut room("proposals"), features, nodes, horizon);
    }
    if stream.coin() {
        work::campaigns(&mut timeline, &mut room("campaigns"), nodes, horizon);
    }
    changes(&mut timeline, seed, features, nodes, horizon);
    meddle(&mut timeline, room, features, &scenario, horizon);
    staged::draw(&mut timeline, &mut room("staged"), features, &scenario, horizon);
    scenario.steps = timeline.steps(horizon);
    scenario
}

/// What changes who leads, who belongs and what logs hold, without anything being broken.
pub(in crate::fuzz) fn changes(
    timeline: &mut Timeline,
    seed: u64,
    features: Features,
    nodes: u16,
    horizon: Span,
) {
    if features.members {
        members::changes(timeline, &mut room(seed, "changes"), nodes, horizon);
    }
    if features.transfers {
        members::transfers(timeline, &mut room(seed, "transfers"), nodes, horizon);
    }
    if features.snapshots {
        work::snapshots(timeline, &mut room(seed, "snapshots"), nodes, horizon);
    }
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
        disks::failing(timeline, &mut room("failing"), nodes, horizon);
    }
    if features.rotting {
        disks::rotting(timeline, &mut room("rotting"), nodes, horizon);
    }
    if features.faithless {
        disks::faithless(timeline, &mut room("faithless"), nodes, horizon);
    }
    let mut shutdowns = room("shutdowns");
    if shutdowns.below(8) == 0 {
        disks::shutdowns(timeline, &mut shutdowns, nodes, horizon);
    }
    if features.messages {
        meddling::messages(timeline, &mut room("messages"), nodes, horizon);
    }
    if features.reads {
        meddling::reads(timeline, &mut room("reads"), nodes, horizon);
    }
    if features.timers {
        meddling::timers(timeline, &mut room("timers"), scenario, horizon);
    }
    if features.applies {
        meddling::applies(timeline, &mut room("applies"), nodes, horizon);
    }
    if features.snapshots {
        meddling::compactions(timeline, &mut room("compactions"), nodes, horizon);
    }
    let mut breaks = room("breaks");
    if features.clients && breaks.below(4) == 0 {
        meddling::breaks(timeline, &mut breaks, horizon);
    }
    let mut jumps = room("jumps");
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
