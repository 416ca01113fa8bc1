//! Faults: some at any time, some where they hurt.

use super::{Features, MS, work};
use crate::execute::build::disks;
use crate::fuzz::step_of;
use crate::fuzz::timeline::Timeline;
use crate::scenario::{
    Crash, CrashAt, CrashPoint, DiskOptions, Isolate, LinkRule, Nodes, OperationRef, Propose, Scenario, Step,
    StorageOptions, Target,
};
use sim_core::{Fault, FaultMix, FaultPlan, InFlight, ProcessId, Ratio, Settings, Span, Stream, VirtualTime};
use std::collections::BTreeSet;

/// Faults from a plan of the world's.
pub(in crate::fuzz) fn plan(
    timeline: &mut Timeline,
    stream: &mut Stream,
    features: Features,
    scenario: &Scenario,
    horizon: Span,
) {
    let mut weight =
        |most: u64| if stream.coin() { 0 } else { u32::try_from(stream.between(1, most)).unwrap_or(1) };
    let (partition, isolate, cut_one_way) = (weight(3), weight(3), weight(3));
    let (clog, degrade, crash, pause) = (weight(2), weight(2), weight(5), weight(2));
    let (slow_disk, stall_disk, crash_in_write, crash_mode) = (weight(2), weight(3), weight(4), weight(2));
    let clock = weight(2);
    let disks = u32::from(features.disks);
    let lasting = *stream.pick(&[(MS(5), MS(60)), (MS(20), MS(400)), (MS(100), MS(1_000))]);
    let end = VirtualTime::ZERO.after(horizon);
    let mix = FaultMix {
        count: (0, 10),
        begin: VirtualTime::ZERO,
        end,
        lasting,
        // Now and then everybody may be down at once: what is durable must be enough.
        down_max: if stream.below(4) == 0 { scenario.nodes } else { (scenario.nodes - 1) / 2 },
        partition,
        isolate,
        cut_one_way,
        clog,
        degrade,
        crash,
        pause,
        keep_in_flight: Ratio::from_percent(*stream.pick(&[0, 50, 100])),
        slow_disk: disks * slow_disk,
        stall_disk: disks * stall_disk,
        crash_in_write: disks * crash_in_write,
        crash_mode: disks * crash_mode,
        clock: u32::from(features.clocks) * clock,
        clock_ppm_max: scenario.raft.clock_drift_max.ppm(),
    };
    let plan = FaultPlan::draw(&mix, scenario.nodes, &usual(scenario), scenario.seed.0, 0);
    let mut odd_modes = BTreeSet::new();
    // Beyond the horizon the end of the scenario mends what is still broken.
    for planned in plan.faults.into_iter().filter(|planned| planned.at <= end) {
        let fault = own(planned.fault, scenario, &mut odd_modes);
        let step = step_of(&fault).expect("every fault that a plan holds is a step");
        timeline.at(planned.at.since(VirtualTime::ZERO), step);
    }
}

/// What links and disks of the scenario are like where nothing else is said.
fn usual(scenario: &Scenario) -> Settings {
    let disk = DiskOptions::default();
    let StorageOptions { write, notice, crash, torn, .. } = scenario.storage;
    let disk = DiskOptions {
        write: Some(write),
        notice: Some(notice),
        crash: Some(crash),
        torn: Some(torn),
        ..disk
    };
    Settings {
        link: scenario.network.quality(),
        disk: disks::quality(&disk),
        crash: disks::crash_mode(&disk),
        ..Settings::default()
    }
}

/// A plan mends a link or a disk by making it like all others: here, like it was itself.
///
/// What makes a link or a disk slow never makes it like the others. What a crash keeps is drawn from all that there is, so
/// `odd_modes` remembers whose disk keeps what was drawn: the next order for that one mends it.
fn own(fault: Fault, scenario: &Scenario, odd_modes: &mut BTreeSet<ProcessId>) -> Fault {
    let usual = usual(scenario);
    match fault {
        Fault::SetQuality { from, to, quality } if quality == usual.link => {
            let is_it =
                |rule: &&LinkRule| (&rule.from, &rule.to) == (&Target::node(from.0), &Target::node(to.0));
            let rules = scenario.network.links.iter().filter(is_it);
            Fault::SetQuality { from, to, quality: rules.fold(quality, |quality, rule| rule.over(quality)) }
        }
        Fault::SetDisk { process, quality } if *quality == usual.disk => {
            Fault::SetDisk { process, quality: Box::new(disks::quality(&scenario.storage.of(process.0))) }
        }
        Fault::SetCrashMode { process, .. } if odd_modes.insert(process) => fault,
        Fault::SetCrashMode { process, .. } => {
            odd_modes.remove(&process);
            Fault::SetCrashMode { process, mode: disks::crash_mode(&scenario.storage.of(process.0)) }
        }
        other => other,
    }
}

/// Leader after leader is given a command and taken away shortly after, and comes back later.
pub(in crate::fuzz) fn storm(
    timeline: &mut Timeline,
    stream: &mut Stream,
    features: Features,
    nodes: u16,
    horizon: Span,
) {
    let (crash, gap) = (stream.coin(), stream.between(80, 500));
    let proposes = stream.below(4) > 0;
    let in_write = features.disks && stream.coin();
    let back = stream.between(1, 4);
    let mut at = MS(stream.between(150, 500));
    let mut number = 0;
    while at < horizon {
        number += 1;
        if proposes {
            work::on_leader(timeline, at, Step::Propose(Propose::to_leader(format!("storm{number}"))));
        }
        let gone = at.plus(MS(*stream.pick(&[0, 1, 3, 8, 30])));
        let in_flight = if stream.coin() { InFlight::Keep } else { InFlight::Drop };
        let coming = stream.between(1, 6);
        if crash && in_write {
            work::on_leader(timeline, at, Step::CrashAt(crash_at(Target::Leader, coming, stream)));
        } else if crash {
            work::on_leader(timeline, gone, Step::Crash(Crash::of(Target::Leader)));
        } else {
            work::on_leader(timeline, gone, Step::Isolate(Isolate { nodes: Target::Leader, in_flight }));
        }
        at = at.plus(MS(stream.between(gap / 2, gap)));
        if number % back == 0 {
            let node = u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0);
            let who = if stream.coin() { Target::node(node) } else { Target::All };
            let nodes = Nodes { nodes: who };
            timeline.at(at, if crash { Step::Restart(nodes) } else { Step::Reconnect(nodes) });
        }
    }
}

/// Crashes at one of the next storage operations of somebody who is just about to write: a command is handed to the
/// leader, and it or a follower falls while it keeps it.
pub(in crate::fuzz) fn in_writes(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for number in 1..=stream.between(1, 4) {
        let at = stream.span(MS(150), horizon);
        let coming = stream.between(1, 8);
        let node = Target::node(u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0));
        if stream.coin() {
            work::on_leader(timeline, at, Step::CrashAt(crash_at(Target::Leader, coming, stream)));
        } else {
            work::on_follower(timeline, at, &node, Step::CrashAt(crash_at(node.clone(), coming, stream)));
        }
        work::on_leader(timeline, at, Step::Propose(Propose::to_leader(format!("write{number}"))));
        let back = at.plus(MS(stream.between(5, 300)));
        timeline.at(back, Step::Restart(Nodes { nodes: Target::Crashed }));
    }
}

fn crash_at(node: Target, coming: u64, stream: &mut Stream) -> CrashAt {
    let when = *stream.pick(&[CrashPoint::Before, CrashPoint::Torn, CrashPoint::After]);
    CrashAt { node, operation: OperationRef::Coming(coming), when }
}
