//! How fast histories are judged, and whether they are judged right.
//!
//! `cargo bench --bench linear` prints a table of speeds. `-- --check` measures the two that are promised, and fails if one
//! takes longer than it may. `-- compare 10000000` writes so many random histories as files, reads them as the tool does,
//! compares what every tier says of them with the definition, and a thousandth as many long ones with each other; with `drawn`
//! behind the number they are compared as they were drawn, without files.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_types,
    reason = "a benchmark measures wall time and prints it; nothing here decides a verdict"
)]

#[path = "../tests/it/linear/brute.rs"]
mod brute;
#[path = "../tests/it/linear/compare.rs"]
mod compare;
#[path = "../tests/it/linear/lines.rs"]
mod lines;
#[path = "../tests/it/linear/random.rs"]
mod random;

use compare::{Tally, Way, compare, compare_long};
use random::{Drawn, Shape, draw};
use seaworthy::linear::{BUDGET_DEFAULT, Verdict, certify, check, check_by_search};
use sim_core::Stream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The median of five runs.
fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed()
        })
        .collect();
    times.sort();
    times[2]
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Linearizable => "yes",
        Verdict::Violation(_) => "no",
        Verdict::Undecided { .. } => "undecided",
    }
}

fn row(name: &str, shape: &Shape, method: &str) {
    let Drawn { history, positions, model, .. } = draw(shape, &mut Stream::new(1, "bench", 0));
    let mut told = "";
    let time = median(|| {
        told = match method {
            "check" => word(&check(&history, &model, BUDGET_DEFAULT).verdict),
            "search" => word(&check_by_search(&history, &model, BUDGET_DEFAULT).verdict),
            _ => certify(&history, &model, &positions).map_or("refused", |()| "yes"),
        };
    });
    let count = u128::try_from(history.operations().len()).expect("a length fits in 128 bits");
    println!(
        "{name:<46} {method:<12} {told:<10} {count:>7} operations {:>10} us {:>6} ns each",
        time.as_micros(),
        time.as_nanos() / count
    );
}

/// 100,000 operations of ten clients on twenty keys.
fn many_keys() -> Shape {
    Shape {
        clients: 10,
        operations: 100_000,
        keys: 20,
        unique: true,
        weights: [4, 3, 3, 0, 0],
        lost: 0,
        failed: 5,
        lies: 0,
        initial: None,
    }
}

/// 20,000 operations of twenty clients on one key.
fn one_key() -> Shape {
    Shape { clients: 20, operations: 20_000, keys: 1, ..many_keys() }
}

/// Whether a history of this shape is judged in time, by what it says itself.
fn is_fast(name: &str, shape: &Shape, bound: Duration) -> bool {
    let Drawn { history, model, .. } = draw(shape, &mut Stream::new(1, "bench", 0));
    let mut decided = true;
    let time = median(|| decided &= check(&history, &model, BUDGET_DEFAULT).verdict == Verdict::Linearizable);
    let fast = decided && time <= bound;
    let word = if fast { "ok" } else { "TOO SLOW" };
    println!(
        "{name:<40} {:>7} operations {:>7} us, at most {:>7} us: {word}",
        history.operations().len(),
        time.as_micros(),
        bound.as_micros()
    );
    fast
}

fn bounds() -> ExitCode {
    let fast = [
        is_fast("10 clients, 20 keys", &many_keys(), Duration::from_millis(100)),
        is_fast("20 clients, 1 key", &one_key(), Duration::from_millis(50)),
    ];
    if fast == [true, true] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn speeds() {
    let (base, one_key) = (many_keys(), one_key());
    let appends = Shape { weights: [1, 1, 0, 4, 0], operations: 5_000, keys: 20, ..base.clone() };
    let again = Shape { unique: false, weights: [4, 3, 3, 0, 1], ..base.clone() };
    row("10 clients, 20 keys", &base, "certificate");
    row("10 clients, 20 keys", &base, "check");
    row("10 clients, 20 keys, 1 % unknown", &Shape { lost: 10, ..base.clone() }, "check");
    row("10 clients, 20 keys, one lie in a thousand", &Shape { lies: 1, ..base.clone() }, "check");
    row("10 clients, 20 keys", &base, "search");
    row("20 clients, 1 key", &one_key, "certificate");
    row("20 clients, 1 key", &one_key, "check");
    row("20 clients, 1 key, 1 % unknown", &Shape { lost: 10, ..one_key }, "check");
    row("10 clients, 20 keys, appends", &appends, "check");
    row("10 clients, 20 keys, five values", &again, "check");
    row("10 clients, 20 keys, five values, lies", &Shape { lies: 1, ..again }, "check");
}

fn comparisons(count: u64, way: Way) {
    let begin = Instant::now();
    let mut tally = Tally::default();
    for index in 0..count {
        compare(index, way, &mut tally);
        if index % 1_000_000 == 999_999 {
            println!("{} histories in {} s", index + 1, begin.elapsed().as_secs());
        }
    }
    println!("{count} histories ({way:?}) against the definition, no disagreement: {tally:?}");
    let long = count / 1_000;
    let (mut decided, mut zones, mut linearizable) = (0u64, 0u64, 0u64);
    for (applied, truth) in (0..long).filter_map(compare_long) {
        decided += 1;
        zones += u64::from(applied);
        linearizable += u64::from(truth);
    }
    println!(
        "{long} long histories, tiers against each other, no disagreement: {decided} decided by search, {zones} of them \
         by zones, {linearizable} linearizable"
    );
    println!("{} s", begin.elapsed().as_secs());
}

/// What is to be done.
enum Choice {
    Speeds,
    Bounds,
    Compare(u64, Way),
}

impl Choice {
    /// What these words ask for; none if that cannot be told.
    fn of(words: &[&str]) -> Option<Self> {
        let count = |count: &str| count.parse().ok();
        match words {
            [] => Some(Self::Speeds),
            ["--check"] => Some(Self::Bounds),
            ["compare"] => Some(Self::Compare(1_000_000, Way::Read)),
            ["compare", number] => Some(Self::Compare(count(number)?, Way::Read)),
            ["compare", number, "drawn"] => Some(Self::Compare(count(number)?, Way::Drawn)),
            _ => None,
        }
    }
}

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match Choice::of(&words) {
        Some(Choice::Speeds) => {
            speeds();
            ExitCode::SUCCESS
        }
        Some(Choice::Bounds) => bounds(),
        Some(Choice::Compare(count, way)) => {
            comparisons(count, way);
            ExitCode::SUCCESS
        }
        None => {
            let words = words.join(" ");
            eprintln!(
                "`{words}` means nothing here: expected nothing, `--check`, or `compare [COUNT [drawn]]`"
            );
            ExitCode::from(2)
        }
    }
}
