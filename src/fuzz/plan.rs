//! Drawn faults as steps of a scenario.

use crate::scenario::{
    Clog, Crash, CrashAt, CrashPoint, Cut, Deliver, DeliverOne, Drift, DropAfter, Ends, Held, HeldLinks,
    Hold, HowMany, Isolate, Jump, Keep, LinkRule, Links, MessageKind, Nodes, OperationRef, Partition,
    Pending, Periodic, SetClock, SetCrashMode, SlowDisk, Step, Target,
};
use sim_core::{ClockChange, Fault, Kept, Latency, ProcessId, Ratio, Span};

/// The step that does `fault`; none for what no verb says as exactly, and no plan holds.
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
            Step::DeliverOne(DeliverOne::of(node(from), node(to), kind(of)))
        }
        Fault::DeliverThis { id, copy } => Step::DeliverOne(DeliverOne {
            term: Some(id.epoch),
            nth: Some(id.ordinal),
            copy: *copy,
            ..DeliverOne::of(node(&id.from), node(&id.to), MessageKind::from_index(id.kind))
        }),
        Fault::DropPending { from, to, kind: of } => Step::DropPending(pending(from, to, of)),
        Fault::Clog { from, to, span } => Step::Clog(Clog { from: node(from), to: node(to), span: *span }),
        Fault::SetQuality { from, to, quality } => Step::SetLink(LinkRule {
            latency: Some(quality.latency),
            loss: Some(quality.loss),
            duplicate: Some(quality.duplicate),
            reorder: Some(quality.reorder),
            reorder_by: Some(quality.reorder_by),
            corrupt: Some(quality.corrupt),
            fifo: Some(quality.fifo),
            ..LinkRule::new(node(from), node(to))
        }),
        Fault::Crash { process } => Step::Crash(Crash::of(node(process))),
        Fault::Restart { process } => Step::Restart(nodes(process)),
        Fault::Pause { process } => Step::Pause(nodes(process)),
        Fault::Resume { process } => Step::Resume(nodes(process)),
        Fault::SetDisk { process, quality } => Step::SlowDisk(SlowDisk {
            nodes: node(process),
            write: Some(together(quality.write, quality.sync)),
            notice: Some(quality.notice),
        }),
        Fault::StallDisk { process } => Step::HoldWrites(nodes(process)),
        Fault::UnstallDisk { process } => Step::ReleaseWrites(nodes(process)),
        Fault::CompleteSync { process } => Step::CompleteWrite(nodes(process)),
        Fault::CrashAtComing { process, coming, when } => Step::CrashAt(CrashAt {
            node: node(process),
            operation: OperationRef::Coming(*coming),
            when: crash_point(*when),
        }),
        Fault::CrashAt { process, operation, when } => Step::CrashAt(CrashAt {
            node: node(process),
            operation: OperationRef::Number(*operation),
            when: crash_point(*when),
        }),
        Fault::DisarmCrash { process } => Step::Disarm(nodes(process)),
        Fault::SetCrashMode { process, mode } => Step::SetCrashMode(SetCrashMode {
            nodes: node(process),
            keep: Some(match mode.kept {
                Kept::Nothing => Keep::Lose,
                Kept::Prefix => Keep::Prefix,
                Kept::Any => Keep::Any,
            }),
            torn: Some(mode.torn),
        }),
        Fault::WipeDisk { process } => Step::Wipe(nodes(process)),
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
        | Fault::HealDisk { .. } => return None,
    })
}

/// How long two things take one after the other: a step says the time of a sync as one.
fn together(one: Latency, other: Latency) -> Latency {
    if other == Latency::Constant(Span::ZERO) {
        return one;
    }
    let shortest = |latency: Latency| latency.sample(0);
    Latency::Uniform(shortest(one).plus(shortest(other)), one.longest().plus(other.longest()))
}

const fn crash_point(when: sim_core::CrashPoint) -> CrashPoint {
    match when {
        sim_core::CrashPoint::Before => CrashPoint::Before,
        sim_core::CrashPoint::Torn => CrashPoint::Torn,
        sim_core::CrashPoint::After => CrashPoint::After,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{CrashMode, DiskQuality, FaultMix, FaultPlan, Settings, VirtualTime};

    #[test]
    fn every_fault_that_a_plan_holds_is_a_step() {
        let mix = FaultMix { count: (10, 20), ..FaultMix::everything(VirtualTime::ZERO, 2) };
        let mix = mix.with_disks_and_clocks();
        for seed in 0..300 {
            for planned in FaultPlan::draw(&mix, 5, &Settings::default(), seed, 0).faults {
                assert!(step_of(&planned.fault).is_some(), "{:?} is no step", planned.fault);
            }
        }
    }

    #[test]
    fn a_slow_sync_is_a_slow_write() {
        let process = ProcessId(1);
        let span = Span::from_millis;
        let quality = DiskQuality {
            write: Latency::Uniform(span(1), span(2)),
            sync: Latency::Uniform(span(10), span(200)),
            ..DiskQuality::default()
        };
        let step = step_of(&Fault::SetDisk { process, quality: Box::new(quality) });
        let Some(Step::SlowDisk(slow)) = step else { panic!("{step:?}") };
        assert_eq!(slow.write, Some(Latency::Uniform(span(11), span(202))));
        let usual = step_of(&Fault::SetDisk { process, quality: Box::new(DiskQuality::default()) });
        let Some(Step::SlowDisk(slow)) = usual else { panic!("{usual:?}") };
        assert_eq!(slow.write, Some(DiskQuality::default().write));
    }

    #[test]
    fn a_crash_mode_and_an_order_taken_back_are_steps() {
        let process = ProcessId(1);
        let mode = CrashMode { kept: Kept::Any, torn: true };
        let set = SetCrashMode { nodes: Target::node(1), keep: Some(Keep::Any), torn: Some(true) };
        assert_eq!(step_of(&Fault::SetCrashMode { process, mode }), Some(Step::SetCrashMode(set)));
        let disarmed = Step::Disarm(Nodes { nodes: Target::node(1) });
        assert_eq!(step_of(&Fault::DisarmCrash { process }), Some(disarmed));
    }
}
