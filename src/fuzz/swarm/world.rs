//! Links, disks and clocks.

use super::{Features, MS};
use crate::scenario::{
    ClockOptions, DiskOptions, Drift, Keep, LinkRule, NetworkOptions, NodeKey, Periodic, Scenario,
    StorageOptions, Target,
};
use sim_core::{Latency, Ratio, Span, Stream};
use std::collections::BTreeMap;

pub(in crate::fuzz) fn draw(stream: &mut Stream, features: Features, scenario: &mut Scenario) {
    scenario.network = network(stream);
    scenario.storage = storage(stream, features);
    if features.clocks {
        scenario.clocks = clocks(stream, scenario);
    }
}

/// Some links and disks that differ from the others, and disks that hold little.
pub(in crate::fuzz) fn uneven(stream: &mut Stream, features: Features, scenario: &mut Scenario) {
    let nodes = scenario.nodes;
    let node = |stream: &mut Stream| u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
    for _ in 0..stream.between(0, 3) {
        let from = node(stream);
        let to = (from + 1) % nodes;
        let slow = Latency::Uniform(MS(1), MS(stream.between(5, 120)));
        let some = |stream: &mut Stream, rate: Ratio| stream.coin().then_some(rate);
        let rule = LinkRule {
            latency: stream.coin().then_some(slow),
            loss: some(stream, Ratio::from_percent(30)),
            duplicate: some(stream, Ratio::from_percent(30)),
            reorder: some(stream, Ratio::from_percent(30)),
            reorder_by: stream.coin().then(|| MS(stream.between(5, 100))),
            corrupt: some(stream, Ratio::from_percent(5)),
            fifo: stream.coin().then_some(!scenario.network.fifo),
            ..LinkRule::new(Target::node(from), Target::node(to))
        };
        if from != to && !rule.is_empty() {
            scenario.network.links.push(rule);
        }
    }
    if !features.disks {
        return;
    }
    for _ in 0..stream.between(0, 2) {
        let latency = |stream: &mut Stream, most| Latency::Uniform(Span::ZERO, MS(stream.between(1, most)));
        let disk = DiskOptions {
            write: stream.coin().then(|| latency(stream, 30)),
            notice: stream.coin().then(|| latency(stream, 30)),
            crash: Some(*stream.pick(&[Keep::Lose, Keep::Prefix, Keep::Any])),
            torn: stream.coin().then(|| stream.coin()),
            capacity: (stream.below(4) == 0).then(|| stream.between(1_000, 20_000)),
        };
        scenario.storage.nodes.insert(NodeKey(node(stream)), disk);
    }
    if stream.below(8) == 0 {
        scenario.storage.capacity = Some(stream.between(4_000, 40_000));
    }
}

/// Off for half of the runs, else up to `percent_max`.
fn rate(stream: &mut Stream, percent_max: u64) -> Ratio {
    if stream.coin() {
        return Ratio::ZERO;
    }
    Ratio::from_ppm(u32::try_from(stream.between(1_000, percent_max * 10_000)).unwrap_or(0))
}

fn network(stream: &mut Stream) -> NetworkOptions {
    let latency = match stream.weighted(&[4, 2, 2, 1, 1]) {
        0 => Latency::Uniform(MS(1), MS(5)),
        1 => Latency::Uniform(MS(1), MS(stream.between(10, 60))),
        2 => Latency::HeavyTail { min: MS(1), typical: MS(3), max: MS(500) },
        3 => Latency::Bimodal {
            fast: (MS(1), MS(4)),
            slow: (MS(50), MS(400)),
            slow_share: Ratio::from_percent(10),
        },
        _ => Latency::Constant(MS(stream.between(1, 10))),
    };
    NetworkOptions {
        latency,
        loss: rate(stream, 20),
        duplicate: rate(stream, 30),
        reorder: rate(stream, 30),
        reorder_by: MS(stream.between(5, 200)),
        corrupt: if stream.below(4) == 0 { rate(stream, 10) } else { Ratio::ZERO },
        fifo: stream.below(5) == 0,
        links: Vec::new(),
    }
}

fn storage(stream: &mut Stream, features: Features) -> StorageOptions {
    let write = match stream.below(4) {
        0 => Latency::Constant(Span::ZERO),
        1 => Latency::Uniform(Span::ZERO, MS(20)),
        _ => Latency::Uniform(Span::from_micros(100), MS(1)),
    };
    let mut storage = StorageOptions { write, ..StorageOptions::default() };
    if features.disks {
        if stream.coin() {
            storage.notice = Latency::Uniform(Span::ZERO, MS(stream.between(1, 20)));
        }
        storage.crash = *stream.pick(&[Keep::Lose, Keep::Prefix, Keep::Any]);
        storage.torn = storage.crash != Keep::Lose && stream.coin();
    }
    storage
}

/// Clocks that run wrong by no more than nodes were told to reckon with.
fn clocks(stream: &mut Stream, scenario: &Scenario) -> BTreeMap<NodeKey, ClockOptions> {
    let most = scenario.raft.clock_drift_max.ppm();
    let mut clocks = BTreeMap::new();
    for node in 0..scenario.nodes {
        let ppm = u32::try_from(stream.between(0, u64::from(most))).unwrap_or(0);
        let signed = i32::try_from(ppm).unwrap_or(0);
        let offset = stream.coin().then(|| MS(stream.between(0, 100_000)));
        let clock = match stream.below(4) {
            0 => ClockOptions { drift: Some(Drift::from_ppm(signed)), offset, ..ClockOptions::default() },
            1 => ClockOptions { drift: Some(Drift::from_ppm(-signed)), offset, ..ClockOptions::default() },
            2 => {
                let period = MS(stream.between(10, 1_000));
                let periodic = Some(Periodic { amplitude: Ratio::from_ppm(ppm), period });
                ClockOptions { periodic, offset, ..ClockOptions::default() }
            }
            _ => continue,
        };
        clocks.insert(NodeKey(node), clock);
    }
    clocks
}
