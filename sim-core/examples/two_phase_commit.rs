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
//! A protocol of your own may start from here. From top to bottom: what is said and noted; the coordinator; the
//! participant; both as a [`Process`]; the oracle; one run; the sweep and the replay; tests.

#![expect(clippy::print_stdout, reason = "this program talks to whoever runs it")]

use sim_core::{
    Digest, Effects, Encode, FaultMix, FaultPlan, Interest, Label, Latency, LinkQuality, Observer, Process,
    ProcessId, Ratio, Record, RecordKind, Settings, Simulation, Span, Stamp, Stream, TimerId, VirtualTime,
    WriteId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::process::ExitCode;

const COORDINATOR: ProcessId = ProcessId(0);
const PARTICIPANTS: u16 = 3;
const TRANSACTIONS: u64 = 30;

/// Everybody's only timer: time to say again what had no answer.
const RETRY: TimerId = TimerId(0);
/// How often the coordinator asks for votes before it aborts.
const ATTEMPTS_MAX: u32 = 6;
/// What a participant draws for: one transaction in sixteen it refuses, for reasons of its own.
const REFUSAL: u32 = 0;
const REFUSAL_ONE_IN: u64 = 16;
/// How many records before a violation are told.
const STORY_MAX: usize = 22;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Transaction(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Commit,
    Abort,
}

#[derive(Clone, Copy, Debug)]
struct Message {
    transaction: Transaction,
    word: Word,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Prepare,
    Vote { yes: bool },
    Decision(Outcome),
    Inquiry,
}

impl Word {
    /// An index into [`Node::KINDS`].
    fn kind(self) -> u8 {
        match self {
            Self::Prepare => 0,
            Self::Vote { .. } => 1,
            Self::Decision(_) => 2,
            Self::Inquiry => 3,
        }
    }
}

impl Encode for Message {
    fn encode(&self, digest: &mut Digest) {
        let detail = match self.word {
            Word::Prepare | Word::Inquiry => 0,
            Word::Vote { yes } => u64::from(yes),
            Word::Decision(outcome) => outcome as u64,
        };
        digest.pair(u64::from(self.word.kind()) | detail << 8, self.transaction.0);
    }
}

/// How a transaction stands with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It will do as the coordinator decides. Only participants say so.
    Prepared,
    /// It has decided, or has done what was decided. Nothing changes that any more.
    Ended(Outcome),
}

/// What a process tells the oracle, which knows nothing else.
#[derive(Clone, Copy, Debug)]
struct Note {
    transaction: Transaction,
    state: State,
}

impl Encode for Note {
    fn encode(&self, digest: &mut Digest) {
        let state = match self.state {
            State::Prepared => 0,
            State::Ended(outcome) => 1 + outcome as u64,
        };
        digest.pair(state, self.transaction.0);
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Config {
    /// The bug: a commit is told before it is durable.
    tells_early: bool,
}

/// A process of either sort. The coordinator logs commits alone; participants hold no ballots.
#[derive(Clone, Debug)]
struct Node {
    config: Config,
    log: BTreeMap<Transaction, Entry>,
    /// What is being voted on. It is in memory alone: a crash aborts it.
    ballots: BTreeMap<Transaction, Ballot>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    state: State,
    /// The write that a crash would lose. Until it is durable, nobody may hear of it.
    pending: Option<WriteId>,
}

#[derive(Clone, Debug)]
struct Ballot {
    attempts: u32,
    yes: BTreeSet<ProcessId>,
}

/// What the coordinator does.
impl Node {
    fn on_vote(&mut self, from: ProcessId, transaction: Transaction, yes: bool, fx: &mut Effects<'_, Self>) {
        let Some(ballot) = self.ballots.get_mut(&transaction) else {
            // Too late to count, but whoever votes wants to know.
            return self.on_inquiry(from, transaction, fx);
        };
        if !yes {
            self.ballots.remove(&transaction);
            return Self::tell(transaction, Outcome::Abort, fx);
        }
        ballot.yes.insert(from);
        if ballot.yes.len() == usize::from(PARTICIPANTS) {
            self.ballots.remove(&transaction);
            self.write(transaction, State::Ended(Outcome::Commit), fx);
            if self.config.tells_early {
                Self::tell(transaction, Outcome::Commit, fx);
            }
        }
    }

    fn on_inquiry(&self, from: ProcessId, transaction: Transaction, fx: &mut Effects<'_, Self>) {
        let outcome = match self.log.get(&transaction) {
            Some(Entry { pending: Some(_), .. }) => return,
            Some(Entry { pending: None, .. }) => Outcome::Commit,
            None if self.ballots.contains_key(&transaction) => return,
            None => Outcome::Abort,
        };
        fx.send(from, Message { transaction, word: Word::Decision(outcome) });
    }

    fn tell(transaction: Transaction, outcome: Outcome, fx: &mut Effects<'_, Self>) {
        fx.note(Note { transaction, state: State::Ended(outcome) });
        fx.broadcast(&Message { transaction, word: Word::Decision(outcome) });
    }

    fn poll_again(&mut self, fx: &mut Effects<'_, Self>) {
        for (transaction, mut ballot) in core::mem::take(&mut self.ballots) {
            if ballot.attempts == ATTEMPTS_MAX {
                Self::tell(transaction, Outcome::Abort, fx);
                continue;
            }
            ballot.attempts += 1;
            for process in (1..=PARTICIPANTS).map(ProcessId).filter(|process| !ballot.yes.contains(process)) {
                fx.send(process, Message { transaction, word: Word::Prepare });
            }
            self.ballots.insert(transaction, ballot);
        }
    }
}

/// What a participant does.
impl Node {
    fn on_prepare(&mut self, transaction: Transaction, fx: &mut Effects<'_, Self>) {
        match self.log.get(&transaction) {
            None => {
                let refuses = fx.draw(REFUSAL, transaction.0, REFUSAL_ONE_IN) == 0;
                let state = if refuses { State::Ended(Outcome::Abort) } else { State::Prepared };
                self.write(transaction, state, fx);
            }
            Some(Entry { pending: Some(_), .. }) => {} // It will vote as soon as it may.
            Some(Entry { pending: None, state }) => Self::vote(transaction, *state, fx),
        }
    }

    fn on_decision(&mut self, transaction: Transaction, outcome: Outcome, fx: &mut Effects<'_, Self>) {
        match self.log.get(&transaction).map(|entry| entry.state) {
            Some(State::Ended(_)) => return,
            Some(State::Prepared) => {}
            None => assert!(outcome == Outcome::Abort, "a commit without a vote"),
        }
        self.write(transaction, State::Ended(outcome), fx);
    }

    fn vote(transaction: Transaction, state: State, fx: &mut Effects<'_, Self>) {
        let yes = state != State::Ended(Outcome::Abort);
        fx.send(COORDINATOR, Message { transaction, word: Word::Vote { yes } });
    }

    fn inquire(&self, fx: &mut Effects<'_, Self>) {
        for (transaction, entry) in &self.log {
            if entry.state == State::Prepared && entry.pending.is_none() {
                fx.send(COORDINATOR, Message { transaction: *transaction, word: Word::Inquiry });
            }
        }
    }
}

/// What both do.
impl Node {
    fn write(&mut self, transaction: Transaction, state: State, fx: &mut Effects<'_, Self>) {
        let pending = Some(fx.write((transaction, state), transaction.0));
        self.log.insert(transaction, Entry { state, pending });
    }
}

impl Process for Node {
    type Config = Config;
    type Message = Message;
    type Facts = Message;
    type Note = Note;
    type Durable = BTreeMap<Transaction, State>;
    type Write = (Transaction, State);
    type Request = Transaction;
    const TIMERS: &'static [&'static str] = &["retry"];
    const KINDS: &'static [&'static str] = &["Prepare", "Vote", "Decision", "Inquiry"];

    fn label(message: &Message) -> Label {
        // Numbered within its transaction, a message keeps its fate whatever becomes of other transactions.
        Label { kind: message.word.kind(), epoch: message.transaction.0, bytes: 16 }
    }

    fn facts(message: &Message) -> Message {
        *message
    }

    fn store(durable: &mut Self::Durable, (transaction, state): Self::Write) {
        durable.insert(transaction, state);
    }

    fn boot(
        _: ProcessId,
        life: u32,
        config: &Config,
        durable: &Self::Durable,
        fx: &mut Effects<'_, Self>,
    ) -> Self {
        fx.draw_timer(RETRY, Span::from_millis(40), Span::from_millis(60), u64::from(life));
        let recover = |(transaction, state): (&Transaction, &State)| {
            (*transaction, Entry { state: *state, pending: None })
        };
        Self { config: *config, log: durable.iter().map(recover).collect(), ballots: BTreeMap::new() }
    }

    fn on_message(&mut self, from: ProcessId, message: Message, fx: &mut Effects<'_, Self>) {
        let Message { transaction, word } = message;
        match word {
            Word::Prepare => self.on_prepare(transaction, fx),
            Word::Vote { yes } => self.on_vote(from, transaction, yes, fx),
            Word::Decision(outcome) => self.on_decision(transaction, outcome, fx),
            Word::Inquiry => self.on_inquiry(from, transaction, fx),
        }
    }

    fn on_timer(&mut self, _: TimerId, fx: &mut Effects<'_, Self>) {
        fx.rearm_timer(RETRY);
        self.poll_again(fx);
        self.inquire(fx);
    }

    fn on_durable(&mut self, write: WriteId, fx: &mut Effects<'_, Self>) {
        let Some((transaction, entry)) = self.log.iter_mut().find(|(_, entry)| entry.pending == Some(write))
        else {
            return; // A decision has overtaken the vote: there is nothing left to vote on.
        };
        entry.pending = None;
        let (transaction, state) = (*transaction, entry.state);
        if fx.id() != COORDINATOR {
            fx.note(Note { transaction, state });
            Self::vote(transaction, state, fx);
        } else if !self.config.tells_early {
            Self::tell(transaction, Outcome::Commit, fx);
        }
    }

    /// The coordinator is asked to begin a transaction.
    fn on_request(&mut self, transaction: Transaction, fx: &mut Effects<'_, Self>) {
        self.ballots.insert(transaction, Ballot { attempts: 1, yes: BTreeSet::new() });
        fx.broadcast(&Message { transaction, word: Word::Prepare });
    }
}

/// Watches notes, and panics: a transaction must end the same way everywhere, and for good.
#[derive(Clone, Debug, Default)]
struct Oracle {
    states: BTreeMap<Transaction, BTreeMap<ProcessId, State>>,
    /// The first one: what comes after it proves little.
    violation: Option<Violation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Violation {
    /// The record that shows it.
    stamp: Stamp,
    /// What it is about; nothing for a panic.
    transaction: Option<Transaction>,
    text: String,
}

impl Oracle {
    /// What is wrong with this note after all those before.
    fn judge(&self, process: ProcessId, Note { transaction, state }: Note) -> Option<String> {
        let states = self.states.get(&transaction)?;
        let contradicts = |before: &State| matches!(before, State::Ended(_)) && *before != state;
        if let Some(before) = states.get(&process).filter(|before| contradicts(before)) {
            return Some(format!("stability: process {process} says {state:?}, but said {before:?}"));
        }
        let State::Ended(_) = state else { return None };
        // From the last process on, so that a participant is named rather than the coordinator.
        let (other, otherwise) = states.iter().rev().find(|(_, before)| contradicts(before))?;
        Some(format!("atomicity: process {process} says {state:?}, but process {other} {otherwise:?}"))
    }

    /// For when the storm is over and there was time enough: nobody may be in doubt any more.
    fn judge_progress(&mut self, stamp: Stamp) {
        for (transaction, states) in &self.states {
            if let Some((process, _)) = states.iter().find(|(_, state)| **state == State::Prepared) {
                let text = format!("progress: process {process} is still in doubt");
                self.violation.get_or_insert(Violation { stamp, transaction: Some(*transaction), text });
            }
        }
    }

    /// How a transaction ended, if anybody knows.
    fn outcome(&self, transaction: Transaction) -> Option<Outcome> {
        self.states.get(&transaction)?.values().find_map(|state| match state {
            State::Ended(outcome) => Some(*outcome),
            State::Prepared => None,
        })
    }
}

impl Observer<Message, Note> for Oracle {
    fn interest(&self) -> Interest {
        Interest::of(&[RecordKind::Noted, RecordKind::Panicked])
    }

    fn observe(&mut self, stamp: Stamp, record: &Record<Message, Note>) {
        let (transaction, text) = match record {
            Record::Noted { process, note } => {
                let text = self.judge(*process, *note);
                self.states.entry(note.transaction).or_default().insert(*process, note.state);
                (Some(note.transaction), text)
            }
            // The world takes a panic for a crash. An assertion that failed is more than that.
            Record::Panicked { process, report } => {
                (None, Some(format!("process {process} panics: {}", report.message)))
            }
            other => unreachable!("not asked for: {other:?}"),
        };
        if let Some(text) = text {
            self.violation.get_or_insert(Violation { stamp, transaction, text });
        }
    }
}

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
    let settings = Settings { link, write: Latency::HeavyTail { min, typical, max } };
    let processes = 1 + PARTICIPANTS;
    let mut world =
        World::new(&settings, vec![config; usize::from(processes)], seed, (Oracle::default(), watcher));
    world.boot_all();

    // Transactions and faults begin within two seconds, faults last up to 800 ms, and the rest is calm.
    let mut workload = Stream::new(seed, "workload", 0);
    for number in 1..=TRANSACTIONS {
        let at = VirtualTime::ZERO.after(workload.span(Span::ZERO, Span::from_secs(2)));
        world.request_at(at, COORDINATOR, Transaction(number));
    }
    let mix = FaultMix { crash: 4, ..FaultMix::everything(VirtualTime::ZERO, 2) };
    let is_violated = |world: &World<W>| world.observer().0.violation.is_some();
    for planned in FaultPlan::draw(&mix, processes, &link, seed, 0).faults {
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
        Record::Crashed { process, writes_lost } => {
            Some(format!("{process} crashes, writes lost: {writes_lost}"))
        }
        Record::Booted { process, life } => Some(format!("{process} begins life {life}")),
        Record::Panicked { process, report } => Some(format!("{process} panics: {}", report.message)),
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
