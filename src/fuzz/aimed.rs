//! Few faults, each aimed at the messages of one kind and one term (after Winter et al., "Randomized testing of Byzantine
//! fault tolerant algorithms", OOPSLA 2023, which aims at rounds), and a crash at a storage operation or two.
//!
//! All else is well, so that what follows is what this one fault does.

use crate::fuzz::room;
use crate::fuzz::swarm::{self, Features, MS, faults, meddling, staged, work};
use crate::fuzz::timeline::Timeline;
use crate::record::MESSAGE_KINDS;
use crate::scenario::{Fate, MessageKind, MessagePin, Pin, Scenario, Target};
use sim_core::{Latency, Ratio, Stream};

/// The scenario of a seed.
#[must_use]
pub(super) fn draw(seed: u64) -> Scenario {
    let drawn = Features::draw(seed);
    let features = drawn.without_faults();
    let mut scenario = swarm::cluster(seed, features);
    let mut stream = room(seed, "aimed");
    let horizon = swarm::horizon(&mut stream, &scenario, (200, 1_000));
    let nodes = scenario.nodes;
    let network = &mut scenario.network;
    network.latency = Latency::Uniform(MS(1), MS(*stream.pick(&[3, 5, 10])));
    (network.loss, network.corrupt, network.duplicate) = (Ratio::ZERO, Ratio::ZERO, Ratio::ZERO);
    network.reorder = Ratio::ZERO;
    for _ in 0..stream.between(1, 5) {
        let pin = pin(&mut stream, &scenario);
        scenario.pins.push(Pin::Message(pin));
    }
    let mut timeline = Timeline::default();
    work::proposals(&mut timeline, &mut room(seed, "proposals"), features, nodes, horizon);
    work::campaigns(&mut timeline, &mut room(seed, "campaigns"), nodes, horizon);
    let mut writes = room(seed, "writes");
    if writes.coin() {
        faults::in_writes(&mut timeline, &mut writes, nodes, horizon);
    }
    if features.reads {
        meddling::reads(&mut timeline, &mut room(seed, "reads"), nodes, horizon);
    }
    swarm::changes(&mut timeline, seed, features, nodes, horizon);
    staged::draw(&mut timeline, &mut room(seed, "staged"), drawn, &scenario, horizon);
    scenario.steps = timeline.steps(horizon);
    scenario
}

/// The kinds that decide who leads and what is committed, and all kinds.
const DECISIVE: [u8; 8] = [0, 1, 2, 3, 2, 3, 4, 5];

/// Messages of a kind in one of the first terms, lost or late by about an election timeout.
fn pin(stream: &mut Stream, scenario: &Scenario) -> MessagePin {
    let nodes = scenario.nodes;
    let from = u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
    let other = u16::try_from(stream.between(1, u64::from(nodes.max(2)) - 1)).unwrap_or(1);
    let (from, to) = match stream.below(4) {
        0 => (Target::node(from), Target::All),
        1 => (Target::All, Target::node(from)),
        _ if nodes < 2 => (Target::All, Target::All),
        _ => (Target::node(from), Target::node((from + other) % nodes)),
    };
    let any = u8::try_from(stream.index(MESSAGE_KINDS.len())).unwrap_or(0);
    let kind = if stream.below(4) > 0 { *stream.pick(&DECISIVE) } else { any };
    let kind = MessageKind::from_index(kind).expect("it is a place in the list of kinds");
    let (shortest, longest) = scenario.raft.election_timeout;
    let fate = match stream.below(3) {
        0 => Fate::Drop,
        1 => Fate::Latency(stream.span(MS(10), shortest)),
        _ => Fate::Latency(stream.span(shortest, longest.plus(longest))),
    };
    let term = Some(stream.between(1, 6));
    let nth = stream.coin().then(|| u32::try_from(stream.below(6)).unwrap_or(0));
    MessagePin { from, to, kind, term, nth, fate }
}
