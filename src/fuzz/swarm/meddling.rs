//! What a hand from outside does: messages held, lost, doubled and mixed up, timers that fire or are fixed, state machines
//! and clients that wait, clocks that jump.

use super::{MS, work};
use crate::fuzz::timeline::Timeline;
use crate::record::MESSAGE_KINDS;
use crate::scenario::{
    ClientSet, Compact, Deliver, DropAfter, Held, HeldLinks, Hold, HowMany, Jump, MessageKind, Nodes,
    Pending, Pin, Propose, Read, ReadKind, ReportUnreachable, Scenario, SetClock, Step, Target, Tick,
    TimeoutPin, TimerKind, Unpin,
};
use sim_core::{Span, Stream};

fn drawn(stream: &mut Stream, nodes: u16) -> u16 {
    u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0)
}

/// Messages that are on the way, and those to come from somebody.
pub(in crate::fuzz) fn messages(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for _ in 0..stream.between(1, 6) {
        let at = stream.span(MS(50), horizon);
        let until = at.plus(MS(stream.between(10, 400)));
        let from = drawn(stream, nodes);
        let to = (from + 1 + drawn(stream, nodes.max(2) - 1)) % nodes;
        let kind = u8::try_from(stream.index(MESSAGE_KINDS.len())).unwrap_or(0);
        let kind = if stream.coin() { None } else { MessageKind::from_index(kind) };
        let end = |stream: &mut Stream, node| if stream.coin() { None } else { Some(Target::node(node)) };
        let pending = Pending { from: end(stream, from), to: end(stream, to), kind };
        match stream.below(7) {
            0 | 1 if from != to => {
                let links = if stream.below(4) == 0 {
                    Held::Of(Target::node(from))
                } else {
                    Held::OneWay { from: Target::node(from), to: Target::node(to) }
                };
                timeline.at(at, Step::Hold(Hold { links: links.clone(), capture: stream.coin() }));
                if stream.coin() {
                    let Pending { from, to, kind } = pending;
                    timeline.at(until, Step::Deliver(Deliver { from, to, kind, count: HowMany::All }));
                }
                timeline.at(until, Step::Release(HeldLinks { links }));
            }
            2 => timeline.at(at, Step::DropPending(pending)),
            3 => timeline.at(at, Step::DuplicatePending(pending)),
            4 => timeline.at(at, Step::Shuffle(pending)),
            5 => timeline.at(at, Step::Heal),
            _ => {
                let count = u32::try_from(stream.between(0, 8)).unwrap_or(0);
                timeline.at(at, Step::DropAfter(DropAfter { from: Target::node(from), count }));
                timeline.at(until, Step::StopDropping(Nodes { nodes: Target::node(from) }));
            }
        }
    }
}

/// Reads that no client asks for, and that may come to nothing.
pub(in crate::fuzz) fn reads(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for _ in 0..stream.between(1, 5) {
        let at = stream.span(MS(150), horizon);
        let kind = *stream.pick(&[ReadKind::ReadIndex, ReadKind::Lease, ReadKind::Follower, ReadKind::Local]);
        let node = drawn(stream, nodes);
        let read = Read { within: MS(stream.between(1, 60)), ..Read::at_leader(kind) };
        if stream.coin() {
            work::on_leader(timeline, at, Step::Read(read));
        } else {
            timeline.at(at, Step::Read(Read { at: Target::node(node), ..read }));
        }
    }
}

/// Timers that fire out of turn, timeouts that several nodes share, and leaders that are told whom they cannot reach.
pub(in crate::fuzz) fn timers(
    timeline: &mut Timeline,
    stream: &mut Stream,
    scenario: &Scenario,
    horizon: Span,
) {
    let nodes = scenario.nodes;
    let (min, max) = scenario.raft.election_timeout;
    for _ in 0..stream.between(1, 6) {
        let at = stream.span(MS(20), horizon);
        let node = drawn(stream, nodes);
        match stream.below(4) {
            0 => {
                let timer = *stream.pick(&[TimerKind::Election, TimerKind::Heartbeat]);
                timeline.at(at, Step::Tick(Tick { nodes: Target::node(node), timer }));
            }
            1 => {
                let delay = stream.span(min, max);
                for node in [node, drawn(stream, nodes)] {
                    let delays = vec![delay; 1 + stream.index(3)];
                    timeline.at(at, Step::Pin(Pin::ElectionTimeout(TimeoutPin { node, delays })));
                }
            }
            2 => timeline.at(at, Step::Unpin(Unpin { of: stream.coin().then(|| Target::node(node)) })),
            _ => {
                let report = ReportUnreachable { at: Target::Leader, of: Target::node(node) };
                work::on_leader(timeline, at, Step::ReportUnreachable(report));
            }
        }
    }
}

/// State machines that apply nothing for a while.
pub(in crate::fuzz) fn applies(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for number in 1..=stream.between(1, 3) {
        let at = stream.span(MS(100), horizon);
        let nodes = Nodes { nodes: Target::node(drawn(stream, nodes)) };
        timeline.at(at, Step::HoldApplies(nodes.clone()));
        work::on_leader(timeline, at, Step::Propose(Propose::to_leader(format!("held{number}"))));
        timeline.at(at.plus(MS(stream.between(10, 600))), Step::ReleaseApplies(nodes));
    }
}

/// Logs that are made as short as a snapshot allows.
pub(in crate::fuzz) fn compactions(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for _ in 0..stream.between(1, 3) {
        let at = stream.span(MS(200), horizon);
        let keep = stream.between(0, 4);
        if stream.coin() {
            work::on_leader(timeline, at, Step::Compact(Compact { nodes: Target::Leader, keep }));
        } else {
            let node = Target::node(drawn(stream, nodes));
            work::on_follower(timeline, at, &node, Step::Compact(Compact { nodes: node.clone(), keep }));
        }
    }
}

/// Clients that stop for a while.
pub(in crate::fuzz) fn breaks(timeline: &mut Timeline, stream: &mut Stream, horizon: Span) {
    let at = stream.span(MS(100), horizon);
    let all = || ClientSet { clients: None };
    timeline.at(at, Step::StopClients(all()));
    timeline.at(at.plus(MS(stream.between(50, 500))), Step::StartClients(all()));
}

/// Clocks that jump. What leases promise would not survive it.
pub(in crate::fuzz) fn jumps(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for _ in 0..stream.between(1, 3) {
        let at = stream.span(MS(50), horizon);
        let nodes = Target::node(drawn(stream, nodes));
        let jump = if stream.coin() {
            Jump::ahead(MS(stream.between(1, 60_000)))
        } else {
            Jump::back(MS(stream.between(1, 1_000)))
        };
        timeline.at(at, Step::SetClock(SetClock { nodes, drift: None, periodic: None, step: Some(jump) }));
    }
}
