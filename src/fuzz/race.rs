//! Races alone: nothing breaks, but messages overtake each other, rivals stand at the same time, disks take their time.
//!
//! Faults slow a cluster down and hide what goes wrong between nodes that are all well.

use crate::fuzz::room;
use crate::fuzz::swarm::{self, Features, MS, meddling, staged, work};
use crate::fuzz::timeline::Timeline;
use crate::scenario::{Pin, Scenario, Step, TimeoutPin};
use sim_core::{Latency, Ratio, Span, Stream};

/// The scenario of a seed.
#[must_use]
pub(super) fn draw(seed: u64) -> Scenario {
    let features = Features::draw(seed).without_faults();
    let mut scenario = swarm::cluster(seed, features);
    let mut stream = room(seed, "race");
    let horizon = swarm::horizon(&mut stream, &scenario, (200, 1_000));
    let percent = |stream: &mut Stream, least, most| {
        Ratio::from_percent(u32::try_from(stream.between(least, most)).unwrap_or(0))
    };
    scenario.network.latency = Latency::Uniform(MS(1), MS(*stream.pick(&[5, 20, 60, 150])));
    (scenario.network.loss, scenario.network.corrupt) = (Ratio::ZERO, Ratio::ZERO);
    scenario.network.reorder = percent(&mut stream, 10, 70);
    scenario.network.reorder_by = MS(stream.between(20, 400));
    scenario.network.fifo = false;
    scenario.network.duplicate = if stream.coin() { percent(&mut stream, 10, 50) } else { Ratio::ZERO };
    if stream.below(3) == 0 {
        scenario.storage.write = Latency::Uniform(Span::ZERO, MS(stream.between(5, 60)));
    }
    let mut timeline = Timeline::default();
    rivals(&mut timeline, &mut room(seed, "rivals"), &scenario);
    work::campaigns(&mut timeline, &mut room(seed, "campaigns"), scenario.nodes, horizon);
    work::proposals(&mut timeline, &mut room(seed, "proposals"), features, scenario.nodes, horizon);
    if features.reads {
        meddling::reads(&mut timeline, &mut room(seed, "reads"), scenario.nodes, horizon);
    }
    if features.applies {
        meddling::applies(&mut timeline, &mut room(seed, "applies"), scenario.nodes, horizon);
    }
    swarm::changes(&mut timeline, seed, features, scenario.nodes, horizon);
    // Of these stories only that of late votes is left.
    staged::draw(&mut timeline, &mut room(seed, "staged"), features, &scenario, horizon);
    scenario.steps = timeline.steps(horizon);
    scenario
}

/// Nodes whose first timeouts are the same, or nearly.
fn rivals(timeline: &mut Timeline, stream: &mut Stream, scenario: &Scenario) {
    if stream.coin() {
        return;
    }
    let (shortest, longest) = scenario.raft.election_timeout;
    let delay = stream.span(shortest, longest);
    for node in 0..scenario.nodes {
        if stream.below(3) > 0 {
            let delays = (0..stream.between(1, 3)).map(|_| delay.plus(MS(stream.below(3)))).collect();
            timeline.at(Span::ZERO, Step::Pin(Pin::ElectionTimeout(TimeoutPin { node, delays })));
        }
    }
}
