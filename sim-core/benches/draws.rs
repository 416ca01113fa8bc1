//! What the parts of the hot path cost: keyed draws, latencies, streams, the digest, a whole message, a whole write.
//!
//! `cargo bench -p sim-core --bench draws` prints a line each: nanoseconds per operation, the median of nine
//! repetitions and the least. `cargo test --benches` runs everything once and briefly, to see that it works.
//!
//! **Does a keyed draw cost less than 15 ns a message?** Every message draws one block, whatever its link is like, so
//! the cost cannot be had by leaving the draw out. It lies between two lines: `keyed draw, overlapping` (the
//! processor works on several at a time; a world that has other work to do meanwhile comes near it) and `keyed draw,
//! one after the other` (each waits for the one before; it never costs more). The second block, which only links that
//! double or reorder draw, can be told from outside: it is the difference of the two lines `… 64 balls, uniform`
//! and `… and a second block`.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::disallowed_types, reason = "a benchmark measures wall time")]

use sim_core::measure::keyed_draws;
use sim_core::{
    Digest, DiskView, Effects, Encode, FileId, Label, Latency, LinkQuality, Process, ProcessId, Ratio,
    Settings, Simulation, Span, Stream, TimerId, VirtualTime, WriteId,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

const REPETITIONS: usize = 9;

/// Two processes that throw balls to each other: every message is answered, nothing else happens.
#[derive(Clone, Debug)]
struct Player;

#[derive(Clone, Copy, Debug)]
struct Ball(u64);

impl Encode for Ball {
    fn encode(&self, digest: &mut Digest) {
        digest.word(self.0);
    }
}

/// What a player is asked to do.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Throw { balls: u64 },
    Draw { count: u64 },
    Write { writes: u64 },
}

impl Process for Player {
    type Config = ();
    type Message = Ball;
    type Facts = Ball;
    type Note = Ball;
    type Request = Asked;
    const TIMERS: &'static [&'static str] = &[];
    const FILES: &'static [&'static str] = &["log"];
    const KINDS: &'static [&'static str] = &["Ball"];

    fn label(_: &Ball) -> Label {
        Label { kind: 0, epoch: 1, bytes: 8 }
    }

    fn facts(ball: &Ball) -> Ball {
        *ball
    }

    fn boot(_: ProcessId, _: u32, (): &(), _: &DiskView<'_>, _: &mut Effects<'_, Self>) -> Self {
        Self
    }

    fn on_message(&mut self, from: ProcessId, Ball(number): Ball, fx: &mut Effects<'_, Self>) {
        fx.send(from, Ball(number));
    }

    fn on_timer(&mut self, _: TimerId, _: &mut Effects<'_, Self>) {}

    /// Every write that is durable is followed by another.
    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>) {
        Self::write(write.0, fx);
    }

    fn on_request(&mut self, asked: Asked, fx: &mut Effects<'_, Self>) {
        match asked {
            Asked::Write { writes } => (0..writes).for_each(|number| Self::write(number, fx)),
            Asked::Throw { balls } => (0..balls).for_each(|number| fx.send(ProcessId(1), Ball(number))),
            // Each draw is asked for by what the one before gave.
            Asked::Draw { count } => {
                black_box((0..count).fold(0, |which, _| fx.draw(0, which, u64::MAX)));
            }
        }
    }
}

impl Player {
    /// A small record for the log.
    fn write(number: u64, fx: &mut Effects<'_, Self>) {
        let bytes = [number.to_le_bytes(); 4];
        fx.append(FileId(0), bytes.as_flattened()).expect("the disk is sound");
        fx.sync(1);
    }
}

fn players(link: LinkQuality, seed: u64) -> Simulation<Player> {
    let settings = Settings { link, ..Settings::default() };
    let mut world = Simulation::new(&settings, vec![(), ()], seed, ());
    world.boot_all();
    world
}

/// A link on which a message takes 1 ms on average.
fn link(latency: Latency) -> LinkQuality {
    LinkQuality { latency, ..LinkQuality::default() }
}

fn uniform() -> Latency {
    Latency::Uniform(Span::from_micros(500), Span::from_micros(1_500))
}

/// Measures `body`, which does about as many operations as it is told and says how many it did.
struct Bench {
    /// `cargo bench` asks for it; otherwise everything runs once and briefly.
    in_full: bool,
}

impl Bench {
    fn line(&self, name: &str, mut body: impl FnMut(u64) -> (u64, Duration)) {
        let (count, repetitions) = if self.in_full { (1_000_000, REPETITIONS) } else { (1_000, 1) };
        // In thousandths of a nanosecond.
        let mut costs: Vec<u128> = (0..repetitions)
            .map(|_| {
                let (done, took) = body(count);
                took.as_nanos() * 1_000 / u128::from(done.max(1))
            })
            .collect();
        costs.sort_unstable();
        let [median, least] = [costs[costs.len() / 2], costs[0]]
            .map(|cost| format!("{}.{:02}", cost / 1_000, cost % 1_000 / 10));
        println!("{name:<48} {median:>8} ns  (least {least})");
    }

    /// `count` operations of `body`, one after the other.
    fn each(&self, name: &str, mut body: impl FnMut(u64)) {
        self.line(name, |count| {
            let begin = Instant::now();
            (0..count).for_each(&mut body);
            (count, begin.elapsed())
        });
    }

    /// Writes of 32 bytes by one player, so many under way at a time. One write is one event.
    fn writes(&self, name: &str, under_way: u64) {
        self.line(name, |count| {
            let mut world = players(LinkQuality::default(), 1);
            world.request(ProcessId(0), Asked::Write { writes: under_way });
            let begin = Instant::now();
            while world.stats().events < count {
                world.step();
            }
            let took = begin.elapsed();
            black_box(world.digest());
            (world.stats().events, took)
        });
    }

    /// Messages between two players with so many balls in the air.
    fn messages(&self, name: &str, link: LinkQuality, balls: u64, with_digest: bool) {
        self.line(name, |count| {
            let mut world = players(link, 1);
            if !with_digest {
                world.measure_without_digest();
            }
            world.request(ProcessId(0), Asked::Throw { balls });
            // Ten milliseconds first, until everything that grows has grown.
            world.run_until(VirtualTime::ZERO.after(Span::from_millis(10)));
            let (before, until) =
                (world.stats().delivered, world.now().after(Span::from_millis(count / balls)));
            let begin = Instant::now();
            world.run_until(until);
            let took = begin.elapsed();
            black_box(world.digest());
            (world.stats().delivered - before, took)
        });
    }
}

fn main() {
    let bench = Bench { in_full: std::env::args().any(|word| word == "--bench") };

    bench.line("keyed draw, overlapping", |count| {
        let count = u32::try_from(count).expect("a million fits");
        let begin = Instant::now();
        black_box(keyed_draws(black_box(1), count));
        (u64::from(count), begin.elapsed())
    });
    bench.line("keyed draw, one after the other", |count| {
        let mut world = players(link(uniform()), 1);
        let begin = Instant::now();
        world.request(ProcessId(0), Asked::Draw { count });
        (count, begin.elapsed())
    });
    let mut stream = Stream::new(1, "bench", 0);
    bench.each("stream: 64 bits", |_| {
        black_box(stream.bits());
    });
    bench.each("stream: a span", |_| {
        black_box(stream.span(Span::from_millis(1), Span::from_millis(5)));
    });
    let mut digest = Digest::new();
    bench.each("digest: a pair of words", |number| digest.pair(number, black_box(7)));
    black_box(digest.value());

    let [fast, slow] = [(1, 2), (50, 60)].map(|(min, max)| (Span::from_millis(min), Span::from_millis(max)));
    let [min, typical, max] = [1, 2, 1_000].map(Span::from_millis);
    let heavy_tail = Latency::HeavyTail { min, typical, max };
    for (name, latency) in [
        ("latency: constant", Latency::Constant(Span::from_millis(1))),
        ("latency: uniform", uniform()),
        ("latency: heavy tail", heavy_tail),
        ("latency: bimodal", Latency::Bimodal { fast, slow, slow_share: Ratio::from_percent(10) }),
    ] {
        let latency = black_box(latency);
        // An odd multiplier spreads the draws over all 64 bits.
        bench.each(name, |number| {
            black_box(latency.sample(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        });
    }

    let constant = link(Latency::Constant(Span::from_millis(1)));
    let uniform = link(uniform());
    // As good as never: what is measured is the drawing, not what would follow from it.
    let rare = Ratio::from_ppm(1);
    let second_block = LinkQuality { loss: rare, duplicate: rare, reorder: rare, ..uniform };
    let reordered =
        LinkQuality { reorder: Ratio::from_percent(20), reorder_by: Span::from_millis(1), ..uniform };
    bench.messages("message: 1 ball, constant", constant, 1, true);
    bench.messages("message: 1 ball, uniform", uniform, 1, true);
    bench.messages("message: 64 balls, constant", constant, 64, true);
    bench.messages("message: 64 balls, uniform", uniform, 64, true);
    bench.messages("message: 64 balls, uniform and a second block", second_block, 64, true);
    bench.messages("message: 64 balls, uniform, 20% reordered", reordered, 64, true);
    bench.messages("message: 64 balls, uniform, no digest", uniform, 64, false);
    bench.messages("message: 4,096 balls, uniform", uniform, 4_096, true);
    bench.writes("write: 32 bytes, 1 under way", 1);
    bench.writes("write: 32 bytes, 64 under way", 64);
}
