//! Lives of processes: crashes, restarts, pauses, timers, disks, panics.

use crate::common::{ALARM, BEAT, Habits, Note, P, at, durable, heard, ms, notes, world};
use sim_core::{DiskQuality, Fault, Latency, Record, Settings, Simulation, Span, Step};

fn settings(write: u64) -> Settings {
    Settings { disk: disk(Latency::Constant(ms(write))), ..Settings::default() }
}

fn disk(write: Latency) -> DiskQuality {
    DiskQuality { write, ..DiskQuality::default() }
}

fn writer() -> Vec<Habits> {
    vec![Habits { writes: true, ..Habits::default() }]
}

#[test]
fn a_crash_loses_what_was_not_durable() {
    let mut world = world(&settings(4), &writer(), 1);
    world.run_until(at(33));
    assert_eq!(durable(&world), 2, "the write of 30 ms is not durable before 34 ms");
    world.inject(&Fault::Crash { process: P(0) }).unwrap();
    world.run_until(at(40));
    assert_eq!(durable(&world), 2);
    assert!(world.observer().iter().any(|(_, r)| matches!(r, Record::Crashed { writes_lost: 1, .. })));
    assert!(world.process(P(0)).is_none());
    world.inject(&Fault::Restart { process: P(0) }).unwrap();
    world.run_until(at(65));
    let began: Vec<_> =
        notes(&world, 0).into_iter().filter(|(_, n)| matches!(n, Note::Began { .. })).collect();
    assert_eq!(began, [(0, Note::Began { from_disk: 0 }), (40, Note::Began { from_disk: 2 })]);
    assert_eq!(durable(&world), 4, "beats 3 and 4 again, at 50 and 60 ms");
}

#[test]
fn writes_become_durable_in_their_order_even_when_their_latencies_would_not() {
    let disk = disk(Latency::Uniform(Span::ZERO, ms(60)));
    let mut world = world(&Settings { disk, ..Settings::default() }, &writer(), 2);
    world.run_until(at(3_000));
    let ids: Vec<u64> = world
        .observer()
        .iter()
        .filter_map(|(_, r)| match r {
            Record::WriteDurable { write, .. } => Some(write.0),
            _ => None,
        })
        .collect();
    assert!(ids.len() > 250);
    assert!(ids.is_sorted());
    let told = notes(&world, 0).into_iter().filter(|(_, n)| matches!(n, Note::Durable { .. })).count();
    assert_eq!(told, ids.len());
}

#[test]
fn messages_to_a_crashed_process_are_lost() {
    let mut world = crate::common::speaker(&settings(1), 1, 1);
    world.run_until(at(15));
    world.inject(&Fault::Crash { process: P(1) }).unwrap();
    world.run_until(at(35));
    world.inject(&Fault::Restart { process: P(1) }).unwrap();
    world.run_until(at(45));
    assert_eq!(heard(&world, 1), [(11, 1), (41, 4)]);
}

#[test]
fn a_paused_process_hears_everything_late_and_in_order() {
    let mut world = crate::common::speaker(&settings(1), 1, 1);
    world.run_until(at(15));
    world.inject(&Fault::Pause { process: P(1) }).unwrap();
    assert!(world.request(P(1), 5), "it is up, so it will hear of it");
    world.run_until(at(35));
    assert_eq!(heard(&world, 1).len(), 1);
    world.inject(&Fault::Resume { process: P(1) }).unwrap();
    world.run_until(at(35));
    let expected = [
        (11, Note::Heard { from: 0, beat: 1 }),
        (35, Note::Asked(5)),
        (35, Note::Heard { from: 0, beat: 2 }),
        (35, Note::Heard { from: 0, beat: 3 }),
    ];
    assert_eq!(notes(&world, 1)[1..], expected);
}

#[test]
fn the_timers_of_a_paused_process_fire_late_and_its_disk_goes_on() {
    let mut world = world(&settings(4), &writer(), 1);
    world.run_until(at(11));
    world.inject(&Fault::Pause { process: P(0) }).unwrap();
    world.run_until(at(28));
    assert_eq!(durable(&world), 1, "the disk does not know of the pause");
    world.inject(&Fault::Resume { process: P(0) }).unwrap();
    world.run_until(at(28));
    assert_eq!(notes(&world, 0).last(), Some(&(28, Note::Durable { beat: 1 })));
    assert_eq!(world.process(P(0)).unwrap().beat, 2, "the beat of 20 ms came at 28 ms");
    world.run_until(at(38));
    assert_eq!(world.process(P(0)).unwrap().beat, 3, "and the next one 10 ms after that");
}

#[test]
fn a_crash_while_paused_loses_what_waited() {
    let mut world = crate::common::speaker(&settings(1), 1, 1);
    world.inject(&Fault::Pause { process: P(1) }).unwrap();
    world.run_until(at(25));
    world.inject(&Fault::Crash { process: P(1) }).unwrap();
    world.inject(&Fault::Restart { process: P(1) }).unwrap();
    assert!(!world.is_paused(P(1)));
    world.run_until(at(35));
    assert_eq!(heard(&world, 1), [(31, 3)]);
}

#[test]
fn a_timer_that_is_rearmed_fires_after_the_last_time_only() {
    let habits = [
        Habits { answers: false, ..Habits::default() },
        Habits { beat: Span::ZERO, alarm: ms(25), answers: false, ..Habits::default() },
    ];
    let mut world = world(&settings(1), &habits, 1);
    world.run_until(at(105));
    world.inject(&Fault::Crash { process: P(0) }).unwrap();
    world.run_until(at(1_000));
    let alarms: Vec<_> = notes(&world, 1).into_iter().filter(|(_, n)| *n == Note::Alarm).collect();
    assert_eq!(alarms, [(126, Note::Alarm)], "25 ms after the last beat was heard at 101 ms");
}

#[test]
fn pinned_delays_come_before_drawn_ones() {
    let habits = vec![Habits { beat: Span::ZERO, alarm: ms(25), ..Habits::default() }; 1];
    let mut world: Simulation<crate::common::Beater, Vec<crate::common::Line>> =
        Simulation::new(&settings(1), habits, 1, Vec::new());
    world.pin_timer(P(0), ALARM, [ms(3)]);
    world.pin_timer(P(0), BEAT, []);
    world.boot_all();
    world.run_until(at(100));
    assert_eq!(notes(&world, 0)[1..], [(3, Note::Alarm)]);
}

#[test]
fn an_armed_timer_can_be_fired_before_it_is_due() {
    let mut world = world(&settings(1), &[Habits::default()], 1);
    assert_eq!(world.timer_deadline(P(0), BEAT), Some(at(10)));
    assert_eq!(world.timer_deadline(P(0), ALARM), None);
    let digest = world.digest();
    assert!(!world.fire_timer(P(0), ALARM), "it is not armed");
    assert_eq!(world.digest(), digest);
    world.run_until(at(4));
    assert!(world.fire_timer(P(0), BEAT));
    assert_eq!(world.process(P(0)).unwrap().beat, 1, "at once");
    assert_eq!(world.timer_deadline(P(0), BEAT), Some(at(14)), "and it was armed anew");
    world.run_until(at(30));
    let fired: Vec<_> = world
        .observer()
        .iter()
        .filter(|(_, record)| matches!(record, Record::TimerFired { timer: BEAT, .. }))
        .map(|(stamp, _)| stamp.at)
        .collect();
    assert_eq!(fired, [at(4), at(14), at(24)], "it does not fire again when it would have been due");
    world.inject(&Fault::Crash { process: P(0) }).unwrap();
    assert!(!world.fire_timer(P(0), BEAT), "nothing is armed in a process that is down");
}

#[test]
fn a_held_timer_fires_only_by_hand_until_it_is_released() {
    let mut world = world(&settings(1), &[Habits::default()], 1);
    let beats = |world: &crate::common::World| world.process(P(0)).unwrap().beat;
    world.hold_timer(P(0), BEAT);
    world.run_until(at(25));
    assert_eq!(beats(&world), 0);
    assert!(world.fire_timer(P(0), BEAT));
    assert_eq!(beats(&world), 1);
    world.run_until(at(31));
    world.release_timer(P(0), BEAT);
    world.run_until(at(36));
    assert_eq!(beats(&world), 2, "armed at 25 ms, it is due at 35 ms");
    world.hold_timer(P(0), BEAT);
    world.run_until(at(60));
    world.release_timer(P(0), BEAT);
    world.run_until(at(60));
    assert_eq!(beats(&world), 3, "what would have fired at 45 ms is due now");
    world.release_timer(P(0), BEAT);
    world.run_until(at(75));
    assert_eq!(beats(&world), 4, "to release what is not held changes nothing");
}

#[test]
fn a_timer_stays_held_in_the_next_life() {
    let mut world = world(&settings(1), &[Habits::default()], 1);
    world.hold_timer(P(0), BEAT);
    world.inject(&Fault::Crash { process: P(0) }).unwrap();
    world.inject(&Fault::Restart { process: P(0) }).unwrap();
    world.run_until(at(50));
    assert_eq!(world.process(P(0)).unwrap().beat, 0);
    world.release_timer(P(0), BEAT);
    world.run_until(at(51));
    assert_eq!(world.process(P(0)).unwrap().beat, 1);
}

#[test]
fn a_timer_that_is_fired_while_its_process_is_paused_waits() {
    let mut world = world(&settings(1), &[Habits::default()], 1);
    world.run_until(at(4));
    world.inject(&Fault::Pause { process: P(0) }).unwrap();
    assert!(world.fire_timer(P(0), BEAT));
    assert!(!world.fire_timer(P(0), BEAT), "it waits already");
    world.run_until(at(17));
    assert_eq!(world.process(P(0)).unwrap().beat, 0);
    world.inject(&Fault::Resume { process: P(0) }).unwrap();
    world.run_until(at(26));
    assert_eq!(world.process(P(0)).unwrap().beat, 1, "once, at 17 ms");
    assert_eq!(world.timer_deadline(P(0), BEAT), Some(at(27)));
}

#[test]
fn a_panic_of_a_timer_that_is_fired_is_caught() {
    let mut world = world(&settings(1), &[Habits { panics_at: Some(1), ..Habits::default() }], 1);
    assert!(world.fire_timer(P(0), BEAT));
    assert!(!world.is_up(P(0)));
    assert!(matches!(world.observer().last(), Some((_, Record::Panicked { .. }))));
}

#[test]
fn a_panic_is_a_finding_with_its_message_and_place() {
    let habits = [Habits { panics_at: Some(3), ..Habits::default() }, Habits::default()];
    let mut world = world(&settings(1), &habits, 1);
    world.run_until(at(100));
    let reports: Vec<_> = world
        .observer()
        .iter()
        .filter_map(|(stamp, record)| match record {
            Record::Panicked { process, report, .. } => Some((stamp.at, *process, report.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(reports.len(), 1);
    let (when, process, report) = &reports[0];
    assert_eq!((*when, *process, report.message.as_str()), (at(30), P(0), "beat 3 is too much"));
    assert!(report.place.contains("it/common.rs:"), "{}", report.place);
    assert!(!world.is_up(P(0)));
    assert_eq!(world.process(P(1)).unwrap().beat, 10, "the others go on");
    world.inject(&Fault::Restart { process: P(0) }).unwrap();
    assert!(world.is_up(P(0)), "and so can it");
}

#[test]
fn a_panic_on_a_request_and_in_a_step_is_caught_too() {
    let mut world = world(&settings(1), &[Habits::default(), Habits::default()], 1);
    assert!(world.request(P(1), 7));
    assert!(!world.is_up(P(1)));
    assert!(!world.request(P(1), 1), "it is down");
    world.request_at(at(5), P(0), 7);
    while world.is_up(P(0)) {
        assert_eq!(world.step(), Step::Ran);
    }
    assert_eq!(world.now(), at(5));
}

#[test]
fn an_idle_world_says_so() {
    let mut world = world(&settings(1), &[Habits { beat: Span::ZERO, ..Habits::default() }], 1);
    assert_eq!(world.step(), Step::Idle);
    world.run_until(at(7));
    assert_eq!(world.now(), at(7));
}

#[test]
fn a_new_life_does_not_wait_for_the_writes_of_the_last() {
    let mut world = world(&settings(1), &writer(), 1);
    world.set_disk_quality(P(0), disk(Latency::Constant(ms(10_000))));
    world.run_until(at(11));
    world.set_disk_quality(P(0), disk(Latency::Constant(ms(1))));
    world.inject(&Fault::Crash { process: P(0) }).unwrap();
    world.inject(&Fault::Restart { process: P(0) }).unwrap();
    world.run_until(at(23));
    assert_eq!(durable(&world), 1, "the write of 21 ms is durable at 22 ms");
}

#[test]
fn requests_of_one_moment_keep_their_order_whatever_else_happens() {
    let order = |isolate: bool| {
        let mut world = world(&settings(1), &[Habits::default(), Habits::default()], 1);
        if isolate {
            world.run_until(at(11));
            world.inject(&Fault::Isolate { process: P(1), in_flight: sim_core::InFlight::Drop }).unwrap();
        }
        for asked in [1, 2, 3] {
            world.request_at(at(15), P(0), asked);
        }
        world.run_until(at(15));
        let notes = notes(&world, 0);
        notes.into_iter().filter(|(_, note)| matches!(note, Note::Asked(_))).collect::<Vec<_>>()
    };
    assert_eq!(order(false), order(true));
    assert_eq!(order(false).len(), 3);
}

#[test]
fn a_panic_of_the_watcher_is_not_the_processs() {
    #[derive(Clone)]
    struct Nervous;
    impl sim_core::Observer<crate::common::Said, Note> for Nervous {
        fn observe(&mut self, stamp: sim_core::Stamp, _: &Record<crate::common::Said, Note>) {
            assert!(stamp.number < 20, "too much to watch");
        }
    }
    let result = std::panic::catch_unwind(|| {
        let mut world: Simulation<crate::common::Beater, Nervous> =
            Simulation::new(&settings(1), vec![Habits::default(); 2], 1, Nervous);
        world.boot_all();
        world.run_until(at(100));
    });
    assert!(result.is_err(), "it must not pass for a finding");
}

/// Tells what it draws for itself when it is asked to.
mod gambler {
    use sim_core::{DiskView, Effects, Label, Latency, Process, ProcessId, Span, TimerId, WriteId};

    #[derive(Clone, Debug)]
    pub(super) struct Gambler;

    impl Process for Gambler {
        type Config = ();
        type Message = ();
        type Facts = super::Note;
        type Note = super::Note;
        type Request = (u32, u64, Latency);
        const TIMERS: &'static [&'static str] = &[];
        const FILES: &'static [&'static str] = &[];
        const KINDS: &'static [&'static str] = &[];

        fn label((): &()) -> Label {
            unreachable!("it sends nothing")
        }

        fn facts((): &()) -> super::Note {
            unreachable!("it sends nothing")
        }

        fn boot(_: ProcessId, _: u32, (): &(), _: &DiskView<'_>, _: &mut Effects<'_, Self>) -> Self {
            Self
        }

        fn on_message(&mut self, _: ProcessId, (): (), _: &mut Effects<'_, Self>) {}
        fn on_timer(&mut self, _: TimerId, _: &mut Effects<'_, Self>) {}
        fn on_durable(&mut self, _: WriteId, _: &mut Effects<'_, Self>) {}

        fn on_request(&mut self, (purpose, which, latency): Self::Request, fx: &mut Effects<'_, Self>) {
            let span: Span = fx.sample(purpose, which, latency);
            fx.note(super::Note::Clock(span.nanos()));
        }
    }
}

#[test]
fn what_a_process_samples_for_itself_is_a_function_of_what_it_is_for() {
    type World = Simulation<gambler::Gambler, Vec<(sim_core::Stamp, Record<Note, Note>)>>;
    let sampled = |seed, asked: &[(u16, u32, u64, Latency)]| {
        let mut world = World::new(&Settings::default(), vec![(), ()], seed, Vec::new());
        world.boot_all();
        for (process, purpose, which, latency) in asked {
            assert!(world.request(P(*process), (*purpose, *which, *latency)));
        }
        let spans = world.observer().iter().filter_map(|(_, record)| match record {
            Record::Noted { note: Note::Clock(nanos), .. } => Some(*nanos),
            _ => None,
        });
        spans.collect::<Vec<u64>>()
    };
    let latency = Latency::Uniform(ms(1), ms(5));
    let all = sampled(1, &[(0, 0, 0, latency), (0, 0, 1, latency), (0, 1, 0, latency), (1, 0, 0, latency)]);
    assert!(all.iter().all(|nanos| (1_000_000..=5_000_000).contains(nanos)), "{all:?}");
    let different: std::collections::BTreeSet<_> =
        all.iter().chain(&sampled(2, &[(0, 0, 0, latency)])).copied().collect();
    assert_eq!(different.len(), 5, "seed, process, purpose and number all matter");
    assert_eq!(sampled(1, &[(0, 1, 0, latency)]), all[2..3], "and what was drawn before does not");
    assert_eq!(sampled(1, &[(0, 0, 0, Latency::Constant(ms(7)))]), [7_000_000]);
}

/// Tells of a message only once: its receiver panics when it is asked again.
mod forgetful {
    use sim_core::{DiskView, Effects, Label, Process, ProcessId, TimerId, WriteId};
    use std::sync::atomic::{AtomicU32, Ordering};

    static ASKED: AtomicU32 = AtomicU32::new(0);

    #[derive(Clone, Debug)]
    pub(super) struct Forgetful;

    impl Process for Forgetful {
        type Config = ();
        type Message = ();
        type Facts = super::Note;
        type Note = super::Note;
        type Request = ();
        const TIMERS: &'static [&'static str] = &[];
        const FILES: &'static [&'static str] = &[];
        const KINDS: &'static [&'static str] = &["Nothing"];

        fn label((): &()) -> Label {
            Label { kind: 0, epoch: 0, bytes: 0 }
        }

        fn facts((): &()) -> super::Note {
            assert!(ASKED.fetch_add(1, Ordering::Relaxed) == 0, "it is forgotten");
            super::Note::Alarm
        }

        fn boot(_: ProcessId, _: u32, (): &(), _: &DiskView<'_>, _: &mut Effects<'_, Self>) -> Self {
            Self
        }

        fn on_message(&mut self, _: ProcessId, (): (), _: &mut Effects<'_, Self>) {}
        fn on_timer(&mut self, _: TimerId, _: &mut Effects<'_, Self>) {}
        fn on_durable(&mut self, _: WriteId, _: &mut Effects<'_, Self>) {}

        fn on_request(&mut self, (): (), fx: &mut Effects<'_, Self>) {
            fx.broadcast(&());
        }
    }
}

#[test]
fn a_panic_while_telling_of_a_message_that_arrives_is_its_receivers() {
    type World = Simulation<forgetful::Forgetful, Vec<(sim_core::Stamp, Record<Note, Note>)>>;
    let mut world = World::new(&Settings::default(), vec![(), ()], 1, Vec::new());
    world.boot_all();
    assert!(world.request(P(0), ()));
    world.run_until(at(10));
    let reports: Vec<_> = world
        .observer()
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Panicked { process, report, .. } => Some((*process, report.message.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(reports, [(P(1), "it is forgotten")]);
    assert!(world.is_up(P(0)) && !world.is_up(P(1)));
}
