//! Tests of drawn plans: what is broken is mended, and old draws stay where they were.

use super::*;

fn mix() -> FaultMix {
    FaultMix { count: (5, 20), ..FaultMix::everything(VirtualTime::ZERO, 2) }
}

fn plans() -> impl Iterator<Item = FaultPlan> {
    (0..500).map(|seed| FaultPlan::draw(&mix(), 5, &Settings::default(), seed, 0))
}

/// The same with disks and clocks.
fn wide_plans() -> impl Iterator<Item = FaultPlan> {
    (0..500).map(|seed| FaultPlan::draw(&mix().with_disks_and_clocks(), 5, &Settings::default(), seed, 0))
}

#[test]
fn the_draws_of_a_plan_are_fixed() {
    let mut digest = crate::Digest::new();
    for planned in plans().flat_map(|plan| plan.faults) {
        digest.word(planned.at.nanos());
        crate::Encode::encode(&planned.fault, &mut digest);
    }
    assert_eq!(digest.value(), 324_962_541_820_155_142);
}

#[test]
fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
    assert!(plans().eq(plans()));
    let distinct: Vec<FaultPlan> = plans().collect();
    assert!(distinct.iter().enumerate().all(|(k, plan)| !distinct[..k].contains(plan)));
}

#[test]
fn every_fault_lasts_its_minimum_and_is_mended() {
    for plan in plans().chain(wide_plans()) {
        assert!(plan.faults.is_sorted_by_key(|planned| planned.at));
        for (k, Planned { at, fault }) in plan.faults.iter().enumerate() {
            let mended = |mends: &dyn Fn(&Fault) -> bool| {
                let later = plan.faults[k..].iter().find(|planned| mends(&planned.fault));
                let until = later.expect("what is broken is mended").at;
                assert!(until.since(*at) >= mix().lasting.0, "{fault:?} lasts only {}", until.since(*at));
            };
            match fault {
                Fault::Crash { process } => mended(&|f| *f == Fault::Restart { process: *process }),
                Fault::Pause { process } => mended(&|f| *f == Fault::Resume { process: *process }),
                Fault::Clog { span, .. } => assert!(*span >= mix().lasting.0),
                Fault::Partition { groups, .. } if !groups.is_empty() => {
                    mended(&|f| matches!(f, Fault::Partition { groups, .. } if groups.is_empty()));
                }
                Fault::Isolate { process, .. } => mended(&|f| *f == Fault::Reconnect { process: *process }),
                Fault::Cut { from, to, .. } => {
                    mended(&|f| match f {
                        Fault::Restore { from: a, to: b } => (a, b) == (from, to),
                        Fault::Reconnect { process } => process == from || process == to,
                        _ => false,
                    });
                }
                Fault::SetQuality { from, to, quality } if *quality != LinkQuality::default() => {
                    let (from, to, quality) = (*from, *to, LinkQuality::default());
                    mended(&|f| *f == Fault::SetQuality { from, to, quality });
                }
                Fault::SetDisk { process, quality } if **quality != DiskQuality::default() => {
                    let quality = Box::new(DiskQuality::default());
                    mended(&|f| *f == Fault::SetDisk { process: *process, quality: quality.clone() });
                }
                Fault::StallDisk { process } => {
                    mended(&|f| *f == Fault::UnstallDisk { process: *process });
                }
                Fault::CrashAtComing { process, .. } => {
                    mended(&|f| *f == Fault::DisarmCrash { process: *process });
                    mended(&|f| *f == Fault::Restart { process: *process });
                }
                Fault::SetCrashMode { process, mode } if *mode != CrashMode::default() => {
                    let (process, mode) = (*process, CrashMode::default());
                    mended(&|f| *f == Fault::SetCrashMode { process, mode });
                }
                Fault::SetClock { process, clock } if *clock != ClockChange::Drift { ppm: 0 } => {
                    let (process, clock) = (*process, ClockChange::Drift { ppm: 0 });
                    mended(&|f| *f == Fault::SetClock { process, clock });
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_faults_of_disks_and_clocks_are_drawn_too_and_within_their_bounds() {
    let faults: Vec<Fault> = wide_plans().flat_map(|plan| plan.faults).map(|p| p.fault).collect();
    let count = |is_wanted: &dyn Fn(&Fault) -> bool| faults.iter().filter(|f| is_wanted(f)).count();
    for count in [
        count(&|f| matches!(f, Fault::SetDisk { .. })),
        count(&|f| matches!(f, Fault::StallDisk { .. })),
        count(&|f| matches!(f, Fault::CrashAtComing { when: CrashPoint::Torn, .. })),
        count(&|f| matches!(f, Fault::SetCrashMode { mode: CrashMode { kept: Kept::Any, .. }, .. })),
        count(&|f| matches!(f, Fault::SetClock { clock: ClockChange::Wander { .. }, .. })),
    ] {
        assert!(count > 40, "only {count}");
    }
    for fault in &faults {
        if let Fault::SetClock { clock: ClockChange::Drift { ppm }, .. } = fault {
            assert!(ppm.unsigned_abs() <= 50_000);
        }
    }
}

#[test]
fn never_more_processes_are_down_than_allowed() {
    for plan in plans().chain(wide_plans()) {
        let mut down = std::collections::BTreeSet::new();
        for Planned { fault, .. } in &plan.faults {
            match fault {
                Fault::Crash { process }
                | Fault::Pause { process }
                | Fault::CrashAtComing { process, .. } => assert!(down.insert(*process)),
                Fault::Restart { process } | Fault::Resume { process } => assert!(down.remove(process)),
                _ => {}
            }
            assert!(down.len() <= 2);
        }
    }
}

#[test]
fn a_weight_of_zero_switches_a_fault_off() {
    let mix = FaultMix { partition: 0, isolate: 0, cut_one_way: 0, clog: 0, degrade: 0, crash: 0, ..mix() };
    for seed in 0..100 {
        let plan = FaultPlan::draw(&mix, 3, &Settings::default(), seed, 0);
        assert!(plan.faults.iter().all(|p| matches!(p.fault, Fault::Pause { .. } | Fault::Resume { .. })));
    }
    let nothing = FaultMix { pause: 0, ..mix };
    assert_eq!(FaultPlan::draw(&nothing, 3, &Settings::default(), 1, 0), FaultPlan::default());
}
