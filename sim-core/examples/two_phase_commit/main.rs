//! Two-phase commit with presumed abort, swept over many seeds: once as it should be, once with a classic bug.
//!
//! Process 0 coordinates, the others take part. A transaction commits if every participant votes yes. A participant
//! votes once its vote is durable; after a yes it is in doubt until it hears the decision, and keeps asking for it.
//! The coordinator makes a commit durable *and then* tells of it. It does not write aborts down: asked about a
//! transaction that it does not know, it says that it was aborted. That is right because a commit that anybody has
//! heard of is durable.
//!
//! The bug ([`Config::tells_early`]) turns two steps round: a commit is told before it is durable. It shows only if
//! the coordinator crashes in the moment between the two and somebody has not heard: after the restart he asks, and
//! is told of an abort, while others have committed. One run in about seventy shows it.
//!
//! ```text
//! cargo run --release -p sim-core --example two_phase_commit      both protocols, seeds 0..1000
//! … -- --buggy --seeds 0..5000                                    the bug alone, other seeds
//! ```
//!
//! A protocol of your own may start from here: `protocol.rs` is the protocol, `oracle.rs` judges it, and this file runs
//! it, sweeps over seeds, and replays what failed.

#![expect(clippy::print_stdout, reason = "this program talks to whoever runs it")]

mod oracle;
mod protocol;

use oracle::{Oracle, Violation};
use protocol::{COORDINATOR, Config, Message, Node, Note, Outcome, PARTICIPANTS, TRANSACTIONS, Transaction};
use sim_core::{
    Digest, DiskQuality, FaultMix, FaultPlan, Latency, LinkQuality, Observer, Process, Ratio, Record,
    Settings, Simulation, Span, Stamp, Stream, VirtualTime,
};
use std::ops::Range;
use std::process::ExitCode;

/// How many records before a violation are told.
const STORY_MAX: usize = 22;

/// A world that is watched by the oracle, and by `W` beside it.
type World<W> = Simulation<Node, (Oracle, W)>;

/// One run, until something is violated or to its end: a function of `config` and `seed`.
fn run<W: Observer<Message, Note>>(config: Config, seed: u64, watcher: W) -> World<W> {
    let link = LinkQuality {
        latency: Latency::Uniform(Span::from_millis(1), Span::from_millis(5)),
        loss: Ratio::from_percent(5),
        duplicate: Ratio::from_percent(1),
        ..LinkQuality::default()
    };
    let [min, typical, max] = [2, 10, 200].map(Span::from_millis);
    let disk = DiskQuality { write: Latency::HeavyTail { min, typical, max }, ..DiskQuality::default() };
    let settings = Settings { link, disk, ..Settings::default() };
    let processes = 1 + PARTICIPANTS;
    let mut world =
        World::new(&settings, vec![config; usize::from(processes)], seed, (Oracle::default(), watcher));
    world.boot_all();

    // Transactions and faults begin within two seconds, faults last up to 800 ms, and the rest is calm. The faults are all
    // that a protocol must bear: crashes in the midst of a write and clocks that run wrong are among them.
    let mut workload = Stream::new(seed, "workload", 0);
    for number in 1..=TRANSACTIONS {
        let at = VirtualTime::ZERO.after(workload.span(Span::ZERO, Span::from_secs(2)));
        world.request_at(at, COORDINATOR, Transaction(number));
    }
    let everything = FaultMix::everything(VirtualTime::ZERO, 2).with_disks_and_clocks();
    let mix = FaultMix { crash: 4, ..everything };
    let is_violated = |world: &World<W>| world.observer().0.violation.is_some();
    for planned in FaultPlan::draw(&mix, processes, &settings, seed, 0).faults {
        if world.run(planned.at, is_violated) {
            return world;
        }
        world.inject(&planned.fault).expect("a drawn fault can be injected");
    }
    if !world.run(VirtualTime::ZERO.after(Span::from_secs(5)), is_violated) {
        let stamp = Stamp { number: world.records(), at: world.now() };
        world.observer_mut().0.judge_progress(stamp);
    }
    world
}

/// What became of many runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sweep {
    runs: u64,
    committed: u64,
    aborted: u64,
    /// Lost with the coordinator, before anybody had promised or refused anything.
    undecided: u64,
    failed: u64,
    first_failure: Option<Failure>,
    /// The digest of all digests.
    digest: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    seed: u64,
    digest: u64,
    violation: Violation,
}

fn sweep(config: Config, seeds: Range<u64>) -> Sweep {
    let mut sweep = Sweep::default();
    let mut digests = Digest::new();
    for seed in seeds {
        let world = run(config, seed, ());
        let digest = world.digest();
        digests.pair(seed, digest);
        let (oracle, ()) = world.into_observer();
        for transaction in (1..=TRANSACTIONS).map(Transaction) {
            match oracle.outcome(transaction) {
                Some(Outcome::Commit) => sweep.committed += 1,
                Some(Outcome::Abort) => sweep.aborted += 1,
                None => sweep.undecided += 1,
            }
        }
        sweep.runs += 1;
        if let Some(violation) = oracle.violation {
            sweep.failed += 1;
            sweep.first_failure.get_or_insert(Failure { seed, digest, violation });
        }
    }
    sweep.digest = digests.value();
    sweep
}

/// Runs a failure again and tells its story. Says whether it went as before.
fn replay(config: Config, failure: &Failure) -> bool {
    let Failure { seed, digest, violation } = failure;
    let about =
        violation.transaction.map_or(String::new(), |Transaction(number)| format!(" transaction {number}"));
    println!("  first by seed {seed}, digest {digest:016x}:{about} {}", violation.text);
    let world = run(config, *seed, Vec::new());
    let (oracle, records) = world.observer();
    let mut story = Vec::new();
    for (stamp, record) in records.iter().filter(|(stamp, _)| *stamp <= violation.stamp) {
        let told = in_words(record, violation.transaction);
        story.extend(
            told.map(|told| format!("    {:>5}  {:>12}  {told}", stamp.number, stamp.at.to_string())),
        );
    }
    println!("{}", story[story.len().saturating_sub(STORY_MAX)..].join("\n"));
    let is_same = world.digest() == *digest && oracle.violation.as_ref() == Some(violation);
    let verdict = if is_same { "the same" } else { "NOT THE SAME" };
    println!("  run again: digest {:016x}, {verdict}", world.digest());
    is_same
}

/// A record in words, if it is about a process as a whole or about this transaction.
fn in_words(record: &Record<Message, Note>, about: Option<Transaction>) -> Option<String> {
    let is_wanted = |transaction| about.is_none_or(|about| about == transaction);
    match record {
        Record::Delivered { id, facts } if is_wanted(facts.transaction) => {
            Some(format!("{} hears {:?} from {}", id.to, facts.word, id.from))
        }
        Record::Dropped { id, reason } if is_wanted(Transaction(id.epoch)) => {
            let kind = Node::KINDS[usize::from(id.kind)];
            Some(format!("{} does not hear {kind} from {} ({reason:?})", id.to, id.from))
        }
        Record::Noted { process, note } if is_wanted(note.transaction) => {
            Some(format!("{process} notes {:?}", note.state))
        }
        Record::Crashed { process, writes_lost, .. } => {
            Some(format!("{process} crashes, writes lost: {writes_lost}"))
        }
        Record::Booted { process, life } => Some(format!("{process} begins life {life}")),
        Record::Panicked { process, report, .. } => Some(format!("{process} panics: {}", report.message)),
        _ => None,
    }
}

/// Sweeps, says what became of it, and whether that was to be expected.
fn demonstrate(name: &str, config: Config, seeds: Range<u64>) -> bool {
    let Sweep { runs, committed, aborted, undecided, failed, first_failure, digest } = sweep(config, seeds);
    println!("{name}: {runs} seeds, {failed} violations");
    println!("  transactions: {committed} committed, {aborted} aborted, {undecided} undecided");
    println!("  digest of all runs: {digest:016x}");
    let is_reproduced = first_failure.as_ref().is_none_or(|failure| replay(config, failure));
    is_reproduced && first_failure.is_some() == config.tells_early
}

fn main() -> ExitCode {
    let Some((seeds, is_buggy_only)) = arguments(std::env::args().skip(1)) else {
        println!("usage: two_phase_commit [--seeds A..B] [--buggy]");
        return ExitCode::from(2);
    };
    let is_right = is_buggy_only || demonstrate("correct", Config::default(), seeds.clone());
    let is_found = demonstrate("tells early", Config { tells_early: true }, seeds);
    if is_right && is_found { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn arguments(mut words: impl Iterator<Item = String>) -> Option<(Range<u64>, bool)> {
    let (mut seeds, mut is_buggy_only) = (0..1_000, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--buggy" => is_buggy_only = true,
            "--seeds" => {
                let range = words.next()?;
                let (first, end) = range.split_once("..")?;
                seeds = first.parse().ok()?..end.parse().ok()?;
            }
            _ => return None,
        }
    }
    Some((seeds, is_buggy_only))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::State;
    use sim_core::ProcessId;

    /// The bug shows in one of about seventy.
    const SEEDS: Range<u64> = 0..1_000;
    const BUGGY: Config = Config { tells_early: true };

    #[test]
    fn the_protocol_holds_whatever_happens() {
        let sweep = sweep(Config::default(), SEEDS);
        assert_eq!(sweep.first_failure, None);
        for (end, count) in
            [("commit", sweep.committed), ("abort", sweep.aborted), ("neither", sweep.undecided)]
        {
            assert!(count > 100, "only {count} end in {end}");
        }
    }

    #[test]
    fn the_bug_is_found_and_found_again() {
        let failure = sweep(BUGGY, SEEDS).first_failure.expect("a thousand seeds are enough");
        assert!(failure.violation.text.starts_with("atomicity"), "{}", failure.violation.text);
        let again = sweep(BUGGY, failure.seed..failure.seed + 1).first_failure;
        assert_eq!(again, Some(failure.clone()));
        assert!(replay(BUGGY, &failure));
    }

    /// What the oracle says of these notes about one transaction.
    fn judged(notes: &[(u16, State)]) -> String {
        let mut oracle = Oracle::default();
        let stamp = Stamp { number: 1, at: VirtualTime::ZERO };
        for (process, state) in notes {
            let note = Note { transaction: Transaction(1), state: *state };
            oracle.observe(stamp, &Record::Noted { process: ProcessId(*process), note });
        }
        oracle.judge_progress(stamp);
        oracle.violation.map_or(String::new(), |violation| violation.text)
    }

    #[test]
    fn the_oracle_tells_right_from_wrong() {
        const PREPARED: State = State::Prepared;
        const COMMIT: State = State::Ended(Outcome::Commit);
        const ABORT: State = State::Ended(Outcome::Abort);
        for (notes, expected) in [
            (vec![(1, PREPARED), (2, PREPARED), (0, COMMIT), (2, COMMIT), (1, COMMIT)], ""),
            (vec![(1, PREPARED), (2, ABORT), (0, ABORT), (1, ABORT), (1, ABORT)], ""),
            (vec![(1, PREPARED), (2, PREPARED), (1, COMMIT)], "progress: process 2"),
            (vec![(1, COMMIT), (2, ABORT)], "atomicity: process 2"),
            (
                vec![(0, COMMIT), (1, COMMIT), (2, ABORT)],
                "atomicity: process 2 says Ended(Abort), but process 1",
            ),
            (vec![(0, COMMIT), (1, ABORT)], "atomicity: process 1 says Ended(Abort), but process 0"),
            (vec![(0, COMMIT), (0, ABORT)], "stability: process 0"),
            (vec![(1, COMMIT), (1, PREPARED)], "stability: process 1"),
        ] {
            let text = judged(&notes);
            assert!(
                text.starts_with(expected) && text.is_empty() == expected.is_empty(),
                "{notes:?}: {text}"
            );
        }
    }
}
