//! The local clock of a process: a function of virtual time, exact in integers.
//!
//! A clock has a *course*, the local time that has gone by, which only runs forward and by which timers run, and an
//! *offset*, which steps move. What it shows is the sum of the two. The course is kept in millionths of nanoseconds, so
//! that a rate in parts per million never rounds; only what is shown is rounded, down to whole nanoseconds. A delay is
//! over at the first whole nanosecond of virtual time at which the course has covered all of it.

use crate::{Digest, Encode, ProcessId, Span, VirtualTime};

/// What a process's clock shows: nanoseconds of local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct LocalTime(pub u64);

/// What is done to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum ClockChange {
    /// It runs at a constant rate from now on: too fast by `ppm` parts in a million, too slow if negative. At 0 it runs
    /// right, and stays as far off as it is.
    Drift {
        /// From -500,000 to 500,000.
        ppm: i32,
    },
    /// It runs too fast by `ppm` for the first half of each period from now on, and too slow by as much for the rest.
    Wander {
        /// At most 500,000.
        ppm: u32,
        /// At least 2 ns.
        period: Span,
    },
    /// It jumps forward. Timers do not move.
    Ahead {
        /// How far.
        by: Span,
    },
    /// It jumps back, to zero at most. Timers do not move.
    Back {
        /// How far.
        by: Span,
    },
    /// It jumps to virtual time and runs right. Timers run on.
    Right,
}

impl ClockChange {
    /// The largest deviation of a rate in parts per million.
    pub const PPM_MAX: u32 = 500_000;

    /// Whether a clock can be so.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        match self {
            Self::Drift { ppm } => ppm.unsigned_abs() <= Self::PPM_MAX,
            Self::Wander { ppm, period } => *ppm <= Self::PPM_MAX && period.nanos() >= 2,
            Self::Ahead { .. } | Self::Back { .. } | Self::Right => true,
        }
    }
}

impl Encode for ClockChange {
    fn encode(&self, digest: &mut Digest) {
        match self {
            Self::Drift { ppm } => digest.pair(u64::from(*ppm < 0) << 8, u64::from(ppm.unsigned_abs())),
            Self::Wander { ppm, period } => digest.pair(1 | u64::from(*ppm) << 8, period.nanos()),
            Self::Ahead { by } => digest.pair(2, by.nanos()),
            Self::Back { by } => digest.pair(3, by.nanos()),
            Self::Right => digest.word(4),
        }
    }
}

const MILLION: u128 = 1_000_000;

/// How a clock runs, in millionths of nanoseconds a nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rate {
    Steady(u128),
    /// Two rates, each for its part of a period in nanoseconds.
    Alternating([(u128, u128); 2]),
}

impl Rate {
    /// The course that `elapsed` nanoseconds cover.
    fn covered(self, elapsed: u128) -> u128 {
        match self {
            Self::Steady(rate) => elapsed * rate,
            Self::Alternating([(first, length), (second, rest)]) => {
                let (periods, within) = (elapsed / (length + rest), elapsed % (length + rest));
                let whole = periods * (length * first + rest * second);
                whole + within.min(length) * first + within.saturating_sub(length) * second
            }
        }
    }

    /// The least number of nanoseconds that cover `course`.
    fn needed(self, course: u128) -> u128 {
        match self {
            Self::Steady(rate) => course.div_ceil(rate),
            Self::Alternating([(first, length), (second, rest)]) => {
                let period = length * first + rest * second;
                let (periods, within) = (course / period, course % period);
                let part = if within <= length * first {
                    within.div_ceil(first)
                } else {
                    length + (within - length * first).div_ceil(second)
                };
                periods * (length + rest) + part
            }
        }
    }
}

/// The clock of one process, and the timers that run by it.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    rate: Rate,
    /// Since when it runs so, and the course then.
    since: VirtualTime,
    begin: u128,
    /// What it shows beyond its course, in millionths of nanoseconds.
    offset: i128,
    /// The course at which each timer is due.
    targets: Vec<u128>,
}

impl Clock {
    fn new(timers: usize) -> Self {
        let (rate, since) = (Rate::Steady(MILLION), VirtualTime::ZERO);
        Self { rate, since, begin: 0, offset: 0, targets: vec![0; timers] }
    }

    fn course(&self, now: VirtualTime) -> u128 {
        self.begin + self.rate.covered(u128::from(now.since(self.since).nanos()))
    }

    fn shown(&self, now: VirtualTime) -> LocalTime {
        let shown = self.course(now).saturating_add_signed(self.offset);
        LocalTime(u64::try_from(shown / MILLION).unwrap_or(u64::MAX))
    }

    fn when(&self, target: u128) -> VirtualTime {
        let needed = self.rate.needed(target.saturating_sub(self.begin));
        self.since.after(Span::from_nanos(u64::try_from(needed).unwrap_or(u64::MAX)))
    }

    fn change(&mut self, change: ClockChange, now: VirtualTime) {
        let signed = |course: u128| i128::try_from(course).expect("292 years are below 2^127 millionths");
        let rate = match change {
            ClockChange::Drift { ppm } => {
                let by = u128::from(ppm.unsigned_abs());
                Rate::Steady(if ppm < 0 { MILLION - by } else { MILLION + by })
            }
            ClockChange::Wander { ppm, period } => {
                let (by, period) = (u128::from(ppm), u128::from(period.nanos()));
                Rate::Alternating([(MILLION + by, period / 2), (MILLION - by, period - period / 2)])
            }
            ClockChange::Ahead { by } => {
                self.offset += signed(u128::from(by.nanos()) * MILLION);
                return;
            }
            ClockChange::Back { by } => {
                let offset = self.offset - signed(u128::from(by.nanos()) * MILLION);
                self.offset = offset.max(-signed(self.course(now)));
                return;
            }
            ClockChange::Right => {
                self.offset = signed(u128::from(now.nanos()) * MILLION) - signed(self.course(now));
                Rate::Steady(MILLION)
            }
        };
        (self.begin, self.since, self.rate) = (self.course(now), now, rate);
    }
}

/// The clocks of all processes. While every one of them is right there are none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clocks {
    clocks: Vec<Clock>,
}

impl Clocks {
    /// What the clock of a process shows.
    #[inline]
    pub(crate) fn shown(&self, process: ProcessId, now: VirtualTime) -> LocalTime {
        match self.clocks.get(process.index()) {
            None => LocalTime(now.nanos()),
            Some(clock) => clock.shown(now),
        }
    }

    /// When a delay that begins now is over for a process; its timer, by its place among the process's own, is armed
    /// with it.
    #[inline]
    pub(crate) fn arm(
        &mut self,
        process: ProcessId,
        timer: u8,
        now: VirtualTime,
        delay: Span,
    ) -> VirtualTime {
        match self.clocks.get_mut(process.index()) {
            None => now.after(delay),
            Some(clock) => {
                let target = clock.course(now) + u128::from(delay.nanos()) * MILLION;
                clock.targets[usize::from(timer)] = target;
                clock.when(target)
            }
        }
    }

    /// Changes the clock of a process. `deadlines` are those of all timers of all processes.
    pub(crate) fn change(
        &mut self,
        (process, count): (ProcessId, u16),
        change: ClockChange,
        now: VirtualTime,
        timers: usize,
        deadlines: impl Iterator<Item = VirtualTime>,
    ) {
        if self.clocks.is_empty() {
            self.clocks = vec![Clock::new(timers); usize::from(count)];
            // Until now every clock was right, so course and virtual time are the same.
            let targets = self.clocks.iter_mut().flat_map(|clock| &mut clock.targets);
            for (target, deadline) in targets.zip(deadlines) {
                *target = u128::from(deadline.nanos()) * MILLION;
            }
        }
        self.clocks[process.index()].change(change, now);
    }

    /// How much of its delay an armed timer has before it, by the clock of its process.
    pub(crate) fn left(
        &self,
        process: ProcessId,
        timer: u8,
        deadline: VirtualTime,
        now: VirtualTime,
    ) -> Span {
        match self.clocks.get(process.index()) {
            None => deadline.since(now),
            Some(clock) => {
                let left = clock.targets[usize::from(timer)].saturating_sub(clock.course(now)) / MILLION;
                Span::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
            }
        }
    }

    /// When an armed timer is due, now that the clock has changed.
    pub(crate) fn due(&self, process: ProcessId, timer: u8) -> VirtualTime {
        let clock = &self.clocks[process.index()];
        clock.when(clock.targets[usize::from(timer)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    fn at(nanos: u64) -> VirtualTime {
        VirtualTime::from_nanos(nanos)
    }

    /// A clock that is advanced nanosecond by nanosecond.
    struct Slow {
        clock: Clock,
        course: u128,
        /// How far it is in its period.
        within: u64,
        change: ClockChange,
        offset: i128,
    }

    impl Slow {
        fn tick(&mut self) {
            self.course += match self.change {
                ClockChange::Drift { ppm } => u128::try_from(1_000_000 + ppm).unwrap(),
                ClockChange::Wander { ppm, period } => {
                    let is_fast = self.within % period.nanos() < period.nanos() / 2;
                    u128::from(if is_fast { 1_000_000 + ppm } else { 1_000_000 - ppm })
                }
                ClockChange::Ahead { .. } | ClockChange::Back { .. } | ClockChange::Right => 1_000_000,
            };
            self.within += 1;
        }

        fn shown(&self) -> u64 {
            u64::try_from((i128::try_from(self.course).unwrap() + self.offset) / 1_000_000).unwrap()
        }

        fn change(&mut self, change: ClockChange, now: u64) {
            let course = i128::try_from(self.course).unwrap();
            match change {
                ClockChange::Ahead { by } => self.offset += i128::from(by.nanos()) * 1_000_000,
                ClockChange::Back { by } => {
                    self.offset = (self.offset - i128::from(by.nanos()) * 1_000_000).max(-course);
                }
                ClockChange::Right => {
                    self.offset = i128::from(now) * 1_000_000 - course;
                    (self.change, self.within) = (change, 0);
                }
                ClockChange::Drift { .. } | ClockChange::Wander { .. } => {
                    (self.change, self.within) = (change, 0);
                }
            }
            self.clock.change(change, at(now));
        }
    }

    fn drawn(stream: &mut Stream) -> ClockChange {
        let ppm = u32::try_from(stream.below(500_001)).unwrap();
        let by = Span::from_nanos(stream.below(300));
        match stream.below(6) {
            0 => ClockChange::Drift { ppm: i32::try_from(ppm).unwrap() },
            1 => ClockChange::Drift { ppm: -i32::try_from(ppm).unwrap() },
            2 => ClockChange::Wander { ppm, period: Span::from_nanos(2 + stream.below(40)) },
            3 => ClockChange::Ahead { by },
            4 => ClockChange::Back { by },
            _ => ClockChange::Right,
        }
    }

    #[test]
    fn a_clock_is_what_a_slow_one_shows_and_a_delay_is_over_when_it_has_covered_it() {
        for seed in 0..300 {
            let mut stream = Stream::new(seed, "clock", 0);
            let clock = Clock::new(1);
            let mut slow = Slow { clock, course: 0, within: 0, change: ClockChange::Right, offset: 0 };
            // The course at which a delay is over, and whether it was.
            let mut delay: Option<u128> = None;
            for now in 0..1_000 {
                if stream.below(50) == 0 {
                    slow.change(drawn(&mut stream), now);
                }
                assert_eq!(slow.clock.course(at(now)), slow.course, "seed {seed} at {now}");
                assert_eq!(slow.clock.shown(at(now)).0, slow.shown(), "seed {seed} at {now}");
                match delay {
                    Some(target) if slow.course >= target => {
                        assert_eq!(slow.clock.when(target).nanos().max(now), now, "seed {seed} at {now}");
                        delay = None;
                    }
                    Some(target) => assert!(slow.clock.when(target).nanos() > now, "seed {seed} at {now}"),
                    None => delay = Some(slow.course + u128::from(stream.below(90)) * 1_000_000),
                }
                slow.tick();
            }
        }
    }

    #[test]
    fn a_clock_loses_nothing_in_a_long_time_and_stops_at_the_end() {
        let mut clock = Clock::new(1);
        let century = 100 * 365 * 86_400 * 1_000_000_000;
        clock.change(ClockChange::Drift { ppm: 1 }, at(0));
        assert_eq!(clock.shown(at(century)).0, century + century / 1_000_000);
        for k in 0..1_000 {
            clock.change(ClockChange::Drift { ppm: 1 }, at(century / 1_000 * k));
        }
        assert_eq!(clock.shown(at(century)).0, century + century / 1_000_000, "however often it is set");
        clock.change(ClockChange::Drift { ppm: 500_000 }, VirtualTime::MAX);
        for _ in 0..4 {
            clock.change(ClockChange::Ahead { by: Span::MAX }, VirtualTime::MAX);
        }
        assert_eq!(clock.shown(VirtualTime::MAX).0, u64::MAX);
        assert_eq!(clock.when(u128::MAX >> 8), VirtualTime::MAX);
    }

    #[test]
    fn only_possible_clocks_are_possible() {
        let period = Span::from_nanos(2);
        for (change, is_possible) in [
            (ClockChange::Drift { ppm: 500_000 }, true),
            (ClockChange::Drift { ppm: -500_000 }, true),
            (ClockChange::Drift { ppm: 500_001 }, false),
            (ClockChange::Drift { ppm: i32::MIN }, false),
            (ClockChange::Wander { ppm: 500_000, period }, true),
            (ClockChange::Wander { ppm: 500_001, period }, false),
            (ClockChange::Wander { ppm: 1, period: Span::from_nanos(1) }, false),
            (ClockChange::Back { by: Span::MAX }, true),
        ] {
            assert_eq!(change.is_possible(), is_possible, "{change:?}");
        }
    }
}
