//! The same past, another future.

use crate::common::{Habits, Line, P, World, at, fates, heard, inject, ms, notes, speaker, steady, world};
use sim_core::{
    ClockChange, DiskView, Effects, Fate, Fault, Label, Latency, LinkQuality, MessagePin, Process, ProcessId,
    Ratio, Record, Settings, Simulation, Span, TimerId, WriteId,
};

fn uneven() -> Settings {
    let link = LinkQuality {
        latency: Latency::Uniform(ms(1), ms(40)),
        loss: Ratio::from_percent(10),
        duplicate: Ratio::from_percent(10),
        ..LinkQuality::default()
    };
    Settings { link, ..Settings::default() }
}

/// A world that takes another turn after 100 ms.
fn turned(next: u64) -> World {
    let mut world = world(&uneven(), &[Habits { writes: true, ..Habits::default() }, Habits::default()], 1);
    world.run_until(at(100));
    world.redraw(next);
    world.run_until(at(300));
    world
}

fn until(world: &World, millis: u64) -> Vec<Line> {
    world.observer().iter().filter(|(stamp, _)| stamp.at <= at(millis)).cloned().collect()
}

#[test]
fn the_past_stays_and_the_future_is_a_function_of_its_seed() {
    let (one, again, other) = (turned(5), turned(5), turned(6));
    assert_eq!(one.digest(), again.digest());
    assert_ne!(one.digest(), other.digest());
    assert_eq!(until(&one, 100), until(&other, 100));
    assert_ne!(until(&one, 150), until(&other, 150));
}

#[test]
fn what_is_on_its_way_arrives_once_and_at_another_time() {
    let send = |next: Option<u64>| {
        let mut world = speaker(&uneven(), 6, 3);
        world.run_until(at(25));
        if let Some(next) = next {
            world.redraw(next);
        }
        // Nothing new is said.
        inject(&mut world, Fault::Crash { process: P(0) });
        world.run_until(at(200));
        fates(world.observer())
    };
    let (as_drawn, one, other) = (send(None), send(Some(8)), send(Some(9)));
    assert_eq!(as_drawn.len(), one.len());
    let kept = |fates: &std::collections::BTreeMap<_, Option<Span>>| {
        fates.values().map(Option::is_some).collect::<Vec<_>>()
    };
    let (before, after) = (kept(&as_drawn), [kept(&one), kept(&other)]);
    assert_eq!(after, [before.clone(), before], "what is lost was lost before");
    assert!(as_drawn != one && one != other, "it takes as long as it did");
}

#[test]
fn a_link_that_keeps_its_order_keeps_it() {
    let link = LinkQuality { latency: Latency::Uniform(ms(1), ms(90)), fifo: true, ..LinkQuality::default() };
    for next in 0..20 {
        let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 4);
        world.run_until(at(85));
        world.redraw(next);
        world.run_until(at(400));
        let beats: Vec<u64> = heard(&world, 1).into_iter().map(|(_, beat)| beat).collect();
        assert!(beats.is_sorted() && beats.len() > 20, "{beats:?}");
    }
}

#[test]
fn what_is_certain_stays_so() {
    // Delays of a timer that were not drawn, and a constant latency for what is sent later.
    let mut world = speaker(&steady(5), 1, 1);
    world.run_until(at(52));
    world.redraw(2);
    world.run_until(at(100));
    assert_eq!(notes(&world, 0), notes(&speaker(&steady(5), 1, 1), 0));
    let late = heard(&world, 1);
    // The beat of 50 ms set out again at 52 ms.
    assert_eq!(late[3..7], [(45, 4), (57, 5), (65, 6), (75, 7)]);
}

/// Draws a delay when it boots, and no other.
#[derive(Clone, Debug)]
struct Sleeper;

impl Process for Sleeper {
    type Config = ();
    type Message = ();
    type Facts = crate::common::Said;
    type Note = crate::common::Note;
    type Request = ();
    const TIMERS: &'static [&'static str] = &["alarm"];
    const FILES: &'static [&'static str] = &[];
    const KINDS: &'static [&'static str] = &["Nothing"];

    fn label((): &()) -> Label {
        Label { kind: 0, epoch: 0, bytes: 0 }
    }

    fn facts((): &()) -> Self::Facts {
        crate::common::Said { answer: false, beat: 0 }
    }

    fn boot(_: ProcessId, _: u32, (): &(), _: &DiskView<'_>, fx: &mut Effects<'_, Self>) -> Self {
        fx.draw_timer(TimerId(0), ms(100), ms(200), 1);
        Self
    }

    fn on_message(&mut self, _: ProcessId, (): (), _: &mut Effects<'_, Self>) {}
    fn on_timer(&mut self, _: TimerId, fx: &mut Effects<'_, Self>) {
        fx.note(crate::common::Note::Alarm);
    }
    fn on_durable(&mut self, _: WriteId, _: &mut Effects<'_, Self>) {}
    fn on_request(&mut self, (): (), _: &mut Effects<'_, Self>) {}
}

type Bed = Simulation<Sleeper, Vec<(sim_core::Stamp, Record<crate::common::Said, crate::common::Note>)>>;

/// When the sleeper wakes up, if chance is drawn again at these times.
fn wakes(turns: &[u64], next: u64, prepare: impl Fn(&mut Bed)) -> u64 {
    let mut world = Bed::new(&Settings::default(), vec![()], 1, Vec::new());
    prepare(&mut world);
    world.boot_all();
    for millis in turns {
        world.run_until(at(*millis));
        world.redraw(next ^ millis << 32);
    }
    world.run_until(at(1_000));
    let fired = world.observer().iter().filter(|(_, record)| matches!(record, Record::TimerFired { .. }));
    let fired: Vec<u64> = fired.map(|(stamp, _)| stamp.at.nanos() / 1_000_000).collect();
    assert_eq!(fired.len(), 1, "it is woken once: {fired:?}");
    fired[0]
}

#[test]
fn an_armed_timer_takes_another_delay_of_its_range_that_is_not_over() {
    let plain = wakes(&[], 0, |_| {});
    for turns in [&[50][..], &[10, 60], &[90, 95, 99]] {
        let times: Vec<u64> = (0..60).map(|next| wakes(turns, next, |_| {})).collect();
        let (least, most) =
            (times.iter().min().copied().unwrap_or(0), times.iter().max().copied().unwrap_or(0));
        assert!((100..110).contains(&least) && (190..=200).contains(&most), "{turns:?}: {times:?}");
    }
    // What has passed of the delay is not had again.
    assert!(plain > 120, "the sleeper of this seed sleeps until {plain} ms");
    let late: Vec<u64> = (0..60).map(|next| wakes(&[120], next, |_| {})).collect();
    assert!(
        late.iter().all(|time| (120..=200).contains(time)) && late.iter().any(|time| *time < 130),
        "{late:?}"
    );
}

#[test]
fn a_pinned_delay_stays() {
    for millis in [321, 150] {
        let pinned = |bed: &mut Bed| bed.pin_timer(P(0), TimerId(0), [ms(millis)]);
        assert_eq!((0..9).map(|next| wakes(&[50, 90], next, pinned)).collect::<Vec<_>>(), [millis; 9]);
    }
}

#[test]
fn a_delay_is_one_of_its_process_own_clock() {
    // By a clock that runs half as fast again, 100 ms to 200 ms are 67 ms to 134 ms; by one half as fast, 200 ms to 400 ms.
    for (ppm, range) in [(500_000, 66..=134), (-500_000, 200..=400)] {
        let drifts = |bed: &mut Bed| {
            inject(bed, Fault::SetClock { process: P(0), clock: ClockChange::Drift { ppm } });
        };
        let times: Vec<u64> = (0..60).map(|next| wakes(&[1, 20, 60], next, drifts)).collect();
        assert!(times.iter().all(|time| range.contains(time)), "{ppm}: {times:?}");
        let (least, most) = (times.iter().min().copied(), times.iter().max().copied());
        assert!(most > least.map(|least| least + 40), "{ppm}: {times:?}");
    }
}

#[test]
fn what_is_due_and_not_heard_yet_is_heard_at_once() {
    let mut world = Bed::new(&Settings::default(), vec![()], 1, Vec::new());
    world.hold_timer(P(0), TimerId(0));
    world.boot_all();
    world.run_until(at(300));
    world.redraw(2);
    world.release_timer(P(0), TimerId(0));
    world.run_until(at(301));
    assert!(world.observer().iter().any(|(_, record)| matches!(record, Record::TimerFired { .. })));
}

#[test]
fn a_pinned_message_takes_as_long_as_it_is_told_to() {
    let pin = MessagePin {
        from: P(0),
        to: P(1),
        kind: crate::common::TELL,
        epoch: None,
        ordinal: None,
        fate: Fate::Latency(ms(33)),
    };
    for next in 0..9 {
        let mut world = speaker(&uneven(), 1, 3);
        world.pin_message(pin);
        world.run_until(at(41));
        world.redraw(next);
        world.run_until(at(90));
        assert_eq!(heard(&world, 1), [(43, 1), (53, 2), (63, 3), (73, 4), (83, 5)]);
    }
}

#[test]
fn what_is_drawn_again_keeps_its_age() {
    let link =
        LinkQuality { latency: Latency::Uniform(ms(30), ms(90)), fifo: true, ..LinkQuality::default() };
    for next in 0..9 {
        let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 4);
        // Beats are told in two epochs: 16 begins the second.
        world.run_until(at(175));
        world.redraw(next);
        inject(&mut world, Fault::Hold { from: P(0), to: P(1), capture: true });
        let held: Vec<(u64, u32)> = world.held_on(P(0), P(1)).map(|id| (id.epoch, id.ordinal)).collect();
        assert!(held.len() >= 3 && held.is_sorted(), "{held:?}");
    }
}
