//! What is asked of the cluster: by clients, and past them.

use super::{Features, MS};
use crate::fuzz::timeline::Timeline;
use crate::kv::{Mix, ReadMix, Workload};
use crate::record::Role;
use crate::scenario::{CountOf, If, Nodes, Predicate, Propose, RoleIs, Scenario, Step, Target};
use sim_core::{Span, Stream};

/// Few clients with few operations on few keys, at it while the storm lasts.
pub(in crate::fuzz) fn workload(stream: &mut Stream, scenario: &Scenario) -> Workload {
    let small = |stream: &mut Stream, most: u64| u32::try_from(stream.between(0, most)).unwrap_or(0);
    let mut mix = Mix {
        get: small(stream, 3),
        put: small(stream, 2) + 1,
        cas: small(stream, 2),
        append: small(stream, 2),
        delete: small(stream, 1),
    };
    mix.get += u32::from(stream.coin());
    let mut reads = ReadMix {
        log: small(stream, 1),
        read_index: small(stream, 2),
        lease: if scenario.raft.lease_reads { small(stream, 3) } else { 0 },
        follower: small(stream, 2),
        local: 0,
    };
    reads.log += u32::from(reads == ReadMix { log: 0, read_index: 0, lease: 0, follower: 0, local: 0 });
    let timeout = MS(stream.between(40, 200));
    Workload {
        clients: u16::try_from(stream.between(1, 3)).unwrap_or(1),
        operations: u32::try_from(stream.between(2, 10)).unwrap_or(2),
        keys: u32::try_from(stream.between(1, 2)).unwrap_or(1),
        mix,
        reads,
        think: (Span::ZERO, MS(*stream.pick(&[5, 50, 200]))),
        timeout,
        give_up: timeout.times(stream.between(2, 6)),
        start: MS(stream.between(0, 300)),
    }
}

/// Does `step` if somebody leads then.
pub(in crate::fuzz) fn on_leader(timeline: &mut Timeline, at: Span, step: Step) {
    timeline.at(at, if_led(vec![step]));
}

/// These steps, if somebody leads then.
pub(in crate::fuzz) fn if_led(then: Vec<Step>) -> Step {
    if_any(Target::Leader, 1, then)
}

/// These steps, if the target means so many nodes or more then.
pub(in crate::fuzz) fn if_any(of: Target, at_least: u64, then: Vec<Step>) -> Step {
    let count = CountOf { of, at_least: Some(at_least), at_most: None, equals: None };
    Step::If(If { that: Predicate::Count(count), then, otherwise: Vec::new() })
}

/// These steps, if the node follows then.
pub(in crate::fuzz) fn if_follows(of: Target, then: Vec<Step>) -> Step {
    let that = Predicate::Role(RoleIs { of, is: Role::Follower, term: None });
    Step::If(If { that, then, otherwise: Vec::new() })
}

/// Does `step` if the node follows then.
pub(in crate::fuzz) fn on_follower(timeline: &mut Timeline, at: Span, node: &Target, step: Step) {
    timeline.at(at, if_follows(node.clone(), vec![step]));
}

/// These steps, if the node is up and does not lead then.
pub(in crate::fuzz) fn if_not_leading(of: Target, then: Vec<Step>) -> Step {
    let is = |is| Predicate::Role(RoleIs { of: of.clone(), is, term: None });
    let that = Predicate::Any(vec![is(Role::Follower), is(Role::Candidate), is(Role::PreCandidate)]);
    Step::If(If { that, then, otherwise: Vec::new() })
}

pub(in crate::fuzz) fn proposals(
    timeline: &mut Timeline,
    stream: &mut Stream,
    features: Features,
    nodes: u16,
    horizon: Span,
) {
    let least = if features.clients { 1 } else { 3 };
    for number in 1..=stream.between(least, 8) {
        let at = stream.span(MS(100), horizon);
        let command = format!("x{number}");
        if stream.below(4) == 0 {
            let node = u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
            let propose = Propose { to: Target::node(node), ..Propose::to_leader(command) };
            timeline.at(at, if_any(Target::Up, 1, vec![Step::Propose(propose)]));
        } else {
            on_leader(timeline, at, Step::Propose(Propose::to_leader(command)));
        }
    }
}

/// Elections out of turn, some of them two at a time: rivals in one term are what votes are about.
pub(in crate::fuzz) fn campaigns(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for _ in 0..stream.between(1, 8) {
        let at = stream.span(Span::ZERO, horizon);
        for _ in 0..stream.between(1, 2) {
            let node = Target::node(u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0));
            on_follower(timeline, at, &node, Step::Campaign(node.clone()));
        }
    }
}

/// Snapshots out of turn, and enough commands at once that somebody needs one.
pub(in crate::fuzz) fn snapshots(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for number in 1..=stream.between(1, 3) {
        let at = stream.span(MS(150), horizon);
        let count = u32::try_from(stream.between(2, 12)).unwrap_or(2);
        let many = Propose { count: Some(count), ..Propose::to_leader(format!("many{number}x")) };
        on_leader(timeline, at, Step::Propose(many));
        let node = Target::node(u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0));
        let snapshot = Step::Snapshot(Nodes { nodes: node.clone() });
        on_follower(timeline, at.plus(MS(stream.between(1, 200))), &node, snapshot);
    }
}
