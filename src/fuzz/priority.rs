//! Priorities for causal chains: each directed link is a chain, and a few links change their priority on the way (after
//! Ozkan et al., "Randomized testing of distributed systems with probabilistic guarantees", OOPSLA 2018).
//!
//! There is no scheduler to give a priority to, so it becomes a class of latency, each twice as slow as the one before: what
//! goes over a fast link has always arrived before what goes over a slow one. Of d - 1 change points each moves one link, or
//! all links from or to a node, to another class: a bug that takes d messages in a certain order takes so many.

use crate::fuzz::room;
use crate::fuzz::swarm::{self, Features, MS, faults, meddling, work};
use crate::fuzz::timeline::Timeline;
use crate::scenario::{LinkRule, Scenario, Step, Target};
use sim_core::{Latency, Ratio, Span, Stream};

/// The scenario of a seed.
#[must_use]
pub(super) fn draw(seed: u64) -> Scenario {
    let features = Features::draw(seed).without_faults();
    let mut scenario = swarm::cluster(seed, features);
    let mut stream = room(seed, "priority");
    let horizon = swarm::horizon(&mut stream, &scenario, (200, 1_000));
    let nodes = scenario.nodes;
    // Nothing but the classes decides what overtakes what.
    (scenario.network.loss, scenario.network.corrupt) = (Ratio::ZERO, Ratio::ZERO);
    scenario.network.reorder = Ratio::ZERO;
    // The slowest class: from one that hardly matters to one that outlasts an election timeout.
    let slowest = stream.between(3, 8);
    for from in 0..nodes {
        for to in (0..nodes).filter(|to| *to != from) {
            let rule = LinkRule::new(Target::node(from), Target::node(to));
            let latency = Some(class(&mut stream, slowest));
            scenario.network.links.push(LinkRule { latency, ..rule });
        }
    }
    let mut timeline = Timeline::default();
    let depth = *stream.pick(&[2, 3, 5]);
    for _ in 1..depth {
        let at = stream.span(MS(50), horizon);
        let node = |stream: &mut Stream| u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
        let (from, to) = (node(&mut stream), node(&mut stream));
        let latency = Some(class(&mut stream, slowest));
        let (from, to) = match stream.below(4) {
            0 => (Target::node(from), Target::All),
            1 => (Target::All, Target::node(to)),
            _ if from == to => continue,
            _ => (Target::node(from), Target::node(to)),
        };
        timeline.at(at, Step::SetLink(LinkRule { latency, ..LinkRule::new(from, to) }));
    }
    work::proposals(&mut timeline, &mut room(seed, "proposals"), features, nodes, horizon);
    work::campaigns(&mut timeline, &mut room(seed, "campaigns"), nodes, horizon);
    let mut timers = room(seed, "timers");
    if timers.coin() {
        meddling::timers(&mut timeline, &mut timers, &scenario, horizon);
    }
    let mut crashes = room(seed, "writes");
    if crashes.below(3) == 0 {
        faults::in_writes(&mut timeline, &mut crashes, nodes, horizon);
    }
    if features.reads {
        meddling::reads(&mut timeline, &mut room(seed, "reads"), nodes, horizon);
    }
    swarm::changes(&mut timeline, seed, features, nodes, horizon);
    scenario.steps = timeline.steps(horizon);
    scenario
}

/// One of the classes up to the slowest, with little difference within it.
fn class(stream: &mut Stream, slowest: u64) -> Latency {
    let least = MS(1 << stream.between(0, slowest));
    Latency::Uniform(least, least.plus(Span::from_nanos(least.nanos() / 2)))
}
