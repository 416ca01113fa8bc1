//! Clocks that are wrong, and the timers that run by them.

use crate::common::{BEAT, Habits, Note, P, World, at, ms, notes, world};
use sim_core::{ClockChange, Fault, FaultError, LocalTime, Settings, Span, VirtualTime};

/// One process that beats every 10 ms of its own time.
fn beater() -> World {
    world(&Settings::default(), &[Habits::default()], 1)
}

fn set(world: &mut World, clock: ClockChange) {
    world.inject(&Fault::SetClock { process: P(0), clock }).expect("a possible clock");
}

/// When the timer of process 0 fired, in nanoseconds.
fn beats(world: &World) -> Vec<u64> {
    let is_beat = |record: &_| matches!(record, sim_core::Record::TimerFired { .. });
    world.observer().iter().filter(|(_, record)| is_beat(record)).map(|(stamp, _)| stamp.at.nanos()).collect()
}

#[test]
fn a_clock_that_nobody_has_touched_is_right() {
    let mut world = beater();
    world.run_until(at(25));
    assert_eq!(world.clock(P(0)), LocalTime(25_000_000));
    assert_eq!(beats(&world), [10_000_000, 20_000_000]);
}

#[test]
fn the_timers_of_a_fast_clock_fire_early_and_those_of_a_slow_one_late() {
    for (ppm, expected) in [
        (500_000, [6_666_667, 13_333_334, 20_000_001]),
        (-500_000, [20_000_000, 40_000_000, 60_000_000]),
        (1, [9_999_991, 19_999_982, 29_999_973]),
    ] {
        let mut world = beater();
        set(&mut world, ClockChange::Drift { ppm });
        world.run_until(at(75));
        assert_eq!(beats(&world)[..3], expected);
    }
}

#[test]
fn an_armed_timer_is_over_when_its_clock_has_covered_what_is_left() {
    let mut world = beater();
    world.run_until(at(4));
    set(&mut world, ClockChange::Drift { ppm: -500_000 });
    world.run_until(at(8));
    assert_eq!(world.clock(P(0)), LocalTime(6_000_000));
    set(&mut world, ClockChange::Drift { ppm: 250_000 });
    world.run_until(at(12));
    // 4 ms, then 2 ms in 4, then 4 ms in 3.2.
    assert_eq!(beats(&world), [11_200_000]);
    set(&mut world, ClockChange::Drift { ppm: 0 });
    world.run_until(at(22));
    // 1 ms in 0.8, then 9 ms.
    assert_eq!(beats(&world)[1..], [21_000_000]);
    assert_eq!(world.clock(P(0)), LocalTime(21_000_000), "it stays as far off as it is");
}

#[test]
fn a_step_moves_the_clock_and_no_timer() {
    let mut world = beater();
    world.run_until(at(4));
    set(&mut world, ClockChange::Ahead { by: ms(1_000) });
    assert_eq!(world.clock(P(0)), LocalTime(1_004_000_000));
    world.run_until(at(14));
    set(&mut world, ClockChange::Back { by: ms(5_000) });
    assert_eq!(world.clock(P(0)), LocalTime(0), "never below zero");
    world.run_until(at(24));
    assert_eq!(world.clock(P(0)), LocalTime(10_000_000), "and it goes on from there");
    set(&mut world, ClockChange::Right);
    assert_eq!(world.clock(P(0)), LocalTime(24_000_000));
    world.run_until(at(35));
    assert_eq!(beats(&world), [10_000_000, 20_000_000, 30_000_000]);
}

#[test]
fn a_step_is_added_to_those_before_it_and_taken_back_by_its_opposite() {
    let mut world = beater();
    set(&mut world, ClockChange::Drift { ppm: 100_000 });
    world.run_until(at(10));
    for (change, shown) in [
        (ClockChange::Ahead { by: ms(7) }, 18_000_000),
        (ClockChange::Ahead { by: ms(5) }, 23_000_000),
        (ClockChange::Back { by: ms(5) }, 18_000_000),
        (ClockChange::Back { by: ms(9) }, 9_000_000),
        (ClockChange::Drift { ppm: -500_000 }, 9_000_000),
        (ClockChange::Right, 10_000_000),
        (ClockChange::Ahead { by: ms(1) }, 11_000_000),
    ] {
        set(&mut world, change);
        assert_eq!(world.clock(P(0)), LocalTime(shown), "after {change:?}");
    }
    world.run_until(at(30));
    assert_eq!(world.clock(P(0)), LocalTime(31_000_000), "the step stays");
    world.inject(&Fault::Crash { process: P(0) }).unwrap();
    world.inject(&Fault::Restart { process: P(0) }).unwrap();
    assert_eq!(world.clock(P(0)), LocalTime(31_000_000), "it is the machine's, not the process's");
}

#[test]
fn a_clock_that_wanders_is_right_after_each_period() {
    let mut world = beater();
    set(&mut world, ClockChange::Wander { ppm: 500_000, period: ms(20) });
    world.run_until(at(40));
    // 15 ms in the first half of a period, 5 ms in the second; each beat begins where the last one was noticed.
    assert_eq!(beats(&world), [6_666_667, 20_000_001, 26_666_668]);
    assert_eq!(world.clock(P(0)), LocalTime(40_000_000));
}

#[test]
fn the_clocks_of_others_stay_as_they_are() {
    let mut world = world(&Settings::default(), &[Habits::default(), Habits::default()], 1);
    world.run_until(at(13));
    set(&mut world, ClockChange::Drift { ppm: 300_000 });
    world.run_until(at(43));
    assert_eq!(world.clock(P(0)), LocalTime(52_000_000));
    assert_eq!(world.clock(P(1)), LocalTime(43_000_000));
    assert_eq!(world.process(P(0)).unwrap().beat, 5);
    assert_eq!(world.process(P(1)).unwrap().beat, 4);
}

#[test]
fn a_paused_process_finds_its_timers_late_whatever_its_clock_does() {
    let mut world = beater();
    world.inject(&Fault::Pause { process: P(0) }).unwrap();
    world.run_until(at(30));
    set(&mut world, ClockChange::Drift { ppm: -500_000 });
    world.inject(&Fault::Resume { process: P(0) }).unwrap();
    set(&mut world, ClockChange::Drift { ppm: -400_000 });
    world.run_until(at(47));
    assert_eq!(beats(&world), [30_000_000, 46_666_667]);
}

#[test]
fn a_timer_fired_by_order_during_a_pause_is_late_whatever_its_clock_does() {
    for before in [None, Some(ClockChange::Drift { ppm: 100_000 })] {
        let mut world = beater();
        before.into_iter().for_each(|change| set(&mut world, change));
        world.run_until(at(2));
        world.inject(&Fault::Pause { process: P(0) }).unwrap();
        assert!(world.fire_timer(P(0), BEAT));
        world.run_until(at(4));
        world.inject(&Fault::Resume { process: P(0) }).unwrap();
        set(&mut world, ClockChange::Drift { ppm: -500_000 });
        world.run_until(at(25));
        assert_eq!(beats(&world), [4_000_000, 24_000_000], "{before:?}");
    }
}

#[test]
fn a_clock_runs_on_while_its_process_is_down() {
    let mut world = beater();
    set(&mut world, ClockChange::Drift { ppm: 100_000 });
    world.inject(&Fault::Crash { process: P(0) }).unwrap();
    world.run_until(at(20));
    assert!(beats(&world).is_empty());
    world.inject(&Fault::Restart { process: P(0) }).unwrap();
    assert_eq!(world.clock(P(0)), LocalTime(22_000_000));
    world.run_until(at(30));
    assert_eq!(beats(&world), [29_090_910]);
}

#[test]
fn a_process_knows_its_own_clock_alone() {
    let habits = [Habits { tells_clock: true, ..Habits::default() }];
    let mut world = world(&Settings::default(), &habits, 1);
    set(&mut world, ClockChange::Ahead { by: Span::from_secs(3) });
    world.run_until(at(12));
    assert_eq!(notes(&world, 0)[1..], [(10, Note::Clock(3_010_000_000))]);
    assert_eq!(world.now(), VirtualTime::ZERO.after(ms(12)));
}

#[test]
fn impossible_clocks_are_refused() {
    let mut world = beater();
    let clock = ClockChange::Drift { ppm: 600_000 };
    let before = world.digest();
    let refused = world.inject(&Fault::SetClock { process: P(0), clock });
    assert_eq!(refused, Err(FaultError::ImpossibleClock(clock)));
    assert_eq!(refused.unwrap_err().to_string(), "a clock is too fast or too slow by at most 500000 ppm");
    assert_eq!(world.digest(), before);
}
