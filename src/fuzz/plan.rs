//! Drawn faults as steps of a scenario.

use crate::scenario::{
    Clog, Crash, CrashAt, CrashPoint, Cut, Deliver, DeliverOne, Drift, DropAfter, Ends, Held, HeldLinks,
    Hold, HowMany, Isolate, Jump, LinkRule, Links, MessageKind, Nodes, OperationRef, Partition, Pending,
    Periodic, SetClock, SlowDisk, Step, Target,
};
use sim_core::{ClockChange, Fault, ProcessId, Ratio};

/// The step that does `fault`; none for what only a step of its own kind can say, and no plan holds.
#[must_use]
pub fn step_of(fault: &Fault) -> Option<Step> {
    let node = |process: &ProcessId| Target::node(process.0);
    let nodes = |process: &ProcessId| Nodes { nodes: node(process) };
    let ends = |from: &ProcessId, to: &ProcessId| Ends::OneWay { from: node(from), to: node(to) };
    let held = |from: &ProcessId, to: &ProcessId| Held::OneWay { from: node(from), to: node(to) };
    let kind = |kind: &Option<u8>| kind.and_then(MessageKind::from_index);
    let pending = |from: &Option<ProcessId>, to: &Option<ProcessId>, of: &Option<u8>| Pending {
        from: from.as_ref().map(node),
        to: to.as_ref().map(node),
        kind: kind(of),
    };
    Some(match fault {
        Fault::Cut { from, to, in_flight } => Step::Cut(Cut { ends: ends(from, to), in_flight: *in_flight }),
        Fault::Restore { from, to } => Step::Join(Links { ends: ends(from, to) }),
        Fault::Isolate { process, in_flight } => {
            Step::Isolate(Isolate { nodes: node(process), in_flight: *in_flight })
        }
        Fault::Reconnect { process } => Step::Reconnect(nodes(process)),
        Fault::Partition { groups, in_flight } => {
            let group = |group: &Vec<ProcessId>| Target::nodes(group.iter().map(|process| process.0));
            let mut groups: Vec<Target> = groups.iter().map(group).collect();
            if groups.is_empty() {
                // Everybody in one group: no partition any more.
                groups.push(Target::All);
            }
            Step::Partition(Partition { groups, in_flight: *in_flight })
        }
        Fault::Heal => Step::Heal,
        Fault::Hold { from, to, capture } => Step::Hold(Hold { links: held(from, to), capture: *capture }),
        Fault::Release { from, to } => Step::Release(HeldLinks { links: held(from, to) }),
        Fault::DeliverOne { from, to, kind: of } => {
            Step::DeliverOne(DeliverOne { from: node(from), to: node(to), kind: kind(of) })
        }
        Fault::DropPending { from, to, kind: of } => Step::DropPending(pending(from, to, of)),
        Fault::Clog { from, to, span } => Step::Clog(Clog { from: node(from), to: node(to), span: *span }),
        Fault::SetQuality { from, to, quality } => Step::SetLink(LinkRule {
            latency: Some(quality.latency),
            loss: Some(quality.loss),
            duplicate: Some(quality.duplicate),
            reorder: Some(quality.reorder),
            reorder_by: Some(quality.reorder_by),
            fifo: Some(quality.fifo),
            ..LinkRule::new(node(from), node(to))
        }),
        Fault::Crash { process } => Step::Crash(Crash::of(node(process))),
        Fault::Restart { process } => Step::Restart(nodes(process)),
        Fault::Pause { process } => Step::Pause(nodes(process)),
        Fault::Resume { process } => Step::Resume(nodes(process)),
        Fault::SetDisk { process, quality } => Step::SlowDisk(SlowDisk {
            nodes: node(process),
            write: Some(quality.write),
            notice: Some(quality.notice),
        }),
        Fault::StallDisk { process } => Step::HoldWrites(nodes(process)),
        Fault::UnstallDisk { process } => Step::ReleaseWrites(nodes(process)),
        Fault::CompleteSync { process } => Step::CompleteWrite(nodes(process)),
        Fault::CrashAtComing { process, coming, when } => Step::CrashAt(CrashAt {
            node: node(process),
            operation: OperationRef::Coming(*coming),
            when: match when {
                sim_core::CrashPoint::Before => CrashPoint::Before,
                sim_core::CrashPoint::Torn => CrashPoint::Torn,
                sim_core::CrashPoint::After => CrashPoint::After,
            },
        }),
        Fault::SetClock { process, clock } => Step::SetClock(set_clock(node(process), *clock)?),
        Fault::DeliverAll { from, to, kind: of } => Step::Deliver(Deliver {
            from: from.as_ref().map(node),
            to: to.as_ref().map(node),
            kind: kind(of),
            count: HowMany::All,
        }),
        Fault::DuplicatePending { from, to, kind: of } => Step::DuplicatePending(pending(from, to, of)),
        Fault::Shuffle { from, to, kind: of } => Step::Shuffle(pending(from, to, of)),
        Fault::DropAfter { process, count } => {
            Step::DropAfter(DropAfter { from: node(process), count: *count })
        }
        Fault::StopDropping { process } => Step::StopDropping(nodes(process)),
        Fault::FailOperation { .. }
        | Fault::FailSync { .. }
        | Fault::LimitDisk { .. }
        | Fault::FlipBits { .. }
        | Fault::Misdirect { .. }
        | Fault::SetHonesty { .. }
        | Fault::WipeDisk { .. }
        | Fault::SetCrashMode { .. }
        | Fault::CrashAt { .. }
        | Fault::DisarmCrash { .. }
        | Fault::HealDisk { .. } => return None,
    })
}

fn set_clock(nodes: Target, change: ClockChange) -> Option<SetClock> {
    let still = SetClock { nodes, drift: None, periodic: None, step: None };
    Some(match change {
        ClockChange::Drift { ppm } => SetClock { drift: Some(Drift::from_ppm(ppm)), ..still },
        ClockChange::Wander { ppm, period } => {
            let periodic = Periodic { amplitude: Ratio::from_ppm(ppm), period };
            SetClock { periodic: Some(periodic), ..still }
        }
        ClockChange::Ahead { by } => SetClock { step: Some(Jump::ahead(by)), ..still },
        ClockChange::Back { by } => SetClock { step: Some(Jump::back(by)), ..still },
        ClockChange::Right => return None,
    })
}
