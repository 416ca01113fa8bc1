//! Running a scenario: the one executor for those that people write, those that are drawn, and those that shrink.
//!
//! It does the steps in order, asks what is to be asked, watches over safety after every event, and ends by proving
//! that the cluster can still live. It stops at the first violation.

mod ask;
pub(crate) mod build;
mod damage;
mod ending;
mod happened;
mod outcome;
mod schedule;
mod steps;
mod targets;
mod told;
mod voided;
mod watching;

pub use build::{UnknownMutation, resolved};
pub use happened::{DISK_FAULTS, Happened};
pub use outcome::{Limits, Outcome, Verdict};
pub use schedule::{Done, How, Manner, Nearest};

use crate::adapter::{LOG, Member, SNAPSHOT, TAIL};
use crate::oracles::Judge;
use crate::record::{Hash64, MessageFacts, Note};
use crate::scenario::{End, Expect, If, Key, Name, Predicate, Scenario, Step, document};
use crate::violation::{Property, Violation};
use ask::Asking;
use build::clients::Clients;
use damage::Damages;
use happened::Witness;
use schedule::Log;
use sim_core::{Digest, Fault, Observer, ProcessId, Simulation, Span, Stamp, Stream, Traffic, VirtualTime};
use std::collections::{BTreeMap, BTreeSet};
use steps::clients::OpenCall;
use told::Told;
use watching::Watching;

/// A cluster under judgement, the memory of the steps, what is counted, and whoever else watches.
pub(crate) type Cluster<'w> = Simulation<Member, (Judge, (Told, (Witness, Watching<'w>)))>;

/// Runs `scenario` with `seed`, shows every record to `watcher` too, and gives it back.
///
/// # Errors
///
/// When the scenario names a planted bug that this build does not have.
pub fn run<T: Observer<MessageFacts, Note>>(
    scenario: &Scenario,
    seed: u64,
    limits: Limits,
    mut watcher: T,
) -> Result<(Outcome, T), UnknownMutation> {
    let (outcome, _) = play(scenario, seed, limits, Watching::of(&mut watcher), Ways::default())?;
    Ok((outcome, watcher))
}

/// The same past with another future: runs `scenario` with `seed` until the event is over with which there are `after` records,
/// and from then on with the seed `next` ([`Simulation::redraw`]). The steps stay those of the scenario.
///
/// # Errors
///
/// When the scenario names a planted bug that this build does not have.
pub fn run_redrawn(
    scenario: &Scenario,
    seed: u64,
    limits: Limits,
    turn: Turn,
) -> Result<Outcome, UnknownMutation> {
    let ways = Ways { turn: Some(turn), log: None };
    play(scenario, seed, limits, Watching::of(()), ways).map(|(outcome, _)| outcome)
}

/// The same, and tells what was done: every step that was come to, in order, but those that only let time pass, ask,
/// remember or choose. Whether somebody logs changes nothing; in another manner than [`Manner::ToTheLetter`] what cannot
/// be done is left out or replaced, as [`Manner`] says.
///
/// # Errors
///
/// When the scenario names a planted bug that this build does not have.
pub fn run_logged<T: Observer<MessageFacts, Note>>(
    scenario: &Scenario,
    seed: u64,
    limits: Limits,
    mut watcher: T,
    manner: Manner,
) -> Result<(Outcome, T, Vec<Done>), UnknownMutation> {
    let ways = Ways { log: Some(Log::new(manner)), turn: None };
    let (outcome, done) = play(scenario, seed, limits, Watching::of(&mut watcher), ways)?;
    Ok((outcome, watcher, done))
}

/// Where a run takes leave of its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// How many records there are then, at least.
    pub after: u64,
    /// The seed of what comes then.
    pub next: u64,
}

/// What is different from an ordinary run.
#[derive(Debug, Default)]
struct Ways {
    log: Option<Log>,
    turn: Option<Turn>,
}

fn play<'w>(
    scenario: &'w Scenario,
    seed: u64,
    limits: Limits,
    watcher: Watching<'w>,
    Ways { log, turn }: Ways,
) -> Result<(Outcome, Vec<Done>), UnknownMutation> {
    let sim = build::cluster(scenario, seed, watcher)?;
    let mut runner = Runner { log, turn, ..Runner::new(scenario, seed, limits, sim) };
    let halted = runner.play();
    if let Err(Halt::Failed(violation)) = &halted {
        // What the scenario demands is no record of the cluster's: without this a run that fails by it would have the
        // digest of one that does not.
        let text = format!("{}: {}", violation.property, violation.what);
        runner.say(text);
    }
    let done = runner.log.take().map(|log| log.done).unwrap_or_default();
    Ok((runner.outcome(halted.err()), done))
}

/// Every node of the cluster, in order; clients are none.
pub(crate) fn everybody(sim: &Cluster<'_>) -> impl Iterator<Item = ProcessId> + Clone + use<> {
    let count = sim.observer().0.mirror().nodes.len();
    ProcessId::all(u16::try_from(count).expect("a scenario has at most 255 nodes"))
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) nodes: Vec<ProcessId>,
    /// The highest term of those nodes when the name was bound.
    pub(crate) term: u64,
}

/// What a mark remembers.
#[derive(Clone, Debug)]
pub(crate) struct Marked {
    pub(crate) at: VirtualTime,
    /// Traffic by sender and kind.
    pub(crate) traffic: Vec<Traffic>,
    /// The highest term of any node.
    pub(crate) term: u64,
    /// The highest index of any node, of each kind in the order of [`crate::scenario::Which`].
    pub(crate) indexes: [u64; 5],
    /// How many marks were set when this one was.
    pub(crate) era: u32,
}

/// What steps remember for later ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) names: BTreeMap<Name, Bound>,
    pub(crate) marks: BTreeMap<Name, Marked>,
    /// Commands that were padded when they were proposed, and the hash of what was proposed.
    pub(crate) padded: BTreeMap<String, Hash64>,
    /// The numbers of the keys that the file names.
    pub(crate) keys: BTreeMap<Key, crate::kv::Key>,
    /// The clients of the file.
    pub(crate) clients: Clients,
}

/// Why the run goes no further.
#[derive(Debug)]
pub(crate) enum Halt {
    /// An oracle has found something.
    Found,
    /// The scenario's own demands are not met.
    Failed(Violation),
    /// A step says so.
    Stopped,
}

pub(crate) struct Runner<'s> {
    pub(crate) scenario: &'s Scenario,
    seed: u64,
    limits: Limits,
    pub(crate) sim: Cluster<'s>,
    pub(crate) memory: Memory,
    /// The nodes whose state machines are stalled.
    pub(crate) held_applies: BTreeSet<ProcessId>,
    /// By client that calls: how many calls it was told to make.
    pub(crate) made: BTreeMap<ProcessId, u64>,
    /// The calls that nobody waited for and that something is expected of.
    open_calls: Vec<OpenCall>,
    /// What is not judged any more, and why.
    pub(crate) voided: Vec<(Property, String)>,
    damages: Damages,
    /// The round of the innermost `repeat`, from 1; 0 outside.
    round: u32,
    /// How often each drawing step was drawn for: the draws of a step do not depend on the steps around it.
    drawn: BTreeMap<u64, u64>,
    /// Where in the file the current step stands.
    place: Vec<String>,
    /// Why the cluster is not asked to live.
    excused: Option<String>,
    /// When the steps were over and the cluster was asked to live.
    ending: Option<Stamp>,
    /// What was done, if somebody wants to know.
    log: Option<Log>,
    /// Where the run will take leave of its seed.
    turn: Option<Turn>,
}

impl<'s> Runner<'s> {
    /// A run of which nothing has been done.
    fn new(scenario: &'s Scenario, seed: u64, limits: Limits, sim: Cluster<'s>) -> Self {
        Self {
            scenario,
            seed,
            limits: limits.within(scenario),
            sim,
            memory: Memory {
                keys: build::keys::numbers(scenario),
                clients: Clients::of(scenario),
                ..Memory::default()
            },
            held_applies: BTreeSet::new(),
            made: BTreeMap::new(),
            open_calls: Vec::new(),
            voided: Vec::new(),
            damages: Damages::default(),
            round: 0,
            drawn: BTreeMap::new(),
            place: Vec::new(),
            excused: None,
            ending: None,
            log: None,
            turn: None,
        }
    }
}

impl Runner<'_> {
    fn play(&mut self) -> Result<(), Halt> {
        let down = &self.scenario.down;
        let begins = |process: &ProcessId| !down.contains(&process.0);
        if down.is_empty() {
            self.sim.boot_all();
        } else {
            for process in ProcessId::all(self.sim.count()).filter(begins) {
                self.inject(&Fault::Restart { process })?;
            }
        }
        self.watch()?;
        self.void_by_uneven_leases();
        self.void_by_first_clocks();
        let scenario = self.scenario;
        match self.all(&scenario.steps, "steps") {
            Err(Halt::Stopped) => {}
            played => {
                played?;
                if let End::Live(_) = scenario.end {
                    self.ending = Some(self.now());
                    self.let_everybody_apply()?;
                }
                self.end_as_promised()?;
            }
        }
        self.place = vec!["end".to_string()];
        self.all_calls_are_back()
    }

    fn all(&mut self, steps: &[Step], list: &str) -> Result<(), Halt> {
        for (index, step) in steps.iter().enumerate() {
            self.place.push(format!("{list}[{index}]"));
            match self.in_this_round(step) {
                Some(step) => self.step(&step)?,
                None => self.step(step)?,
            }
            self.watch()?;
            self.place.pop();
        }
        Ok(())
    }

    /// The step with the number of the round in place of `{round}`, if it holds that.
    fn in_this_round(&self, step: &Step) -> Option<Step> {
        if self.round == 0 {
            return None;
        }
        match step {
            // Their inner steps come by here on their own, some of them in a round of their own.
            Step::Repeat(_) | Step::Choose(_) => None,
            Step::If(condition) => {
                let that = self.numbered(&condition.that)?;
                Some(Step::If(If { that, ..condition.clone() }))
            }
            step => self.numbered(step),
        }
    }

    fn numbered<V: serde::Serialize + serde::de::DeserializeOwned>(&self, value: &V) -> Option<V> {
        let text = serde_json::to_string(value).ok().filter(|text| text.contains("{round}"))?;
        let text = text.replace("{round}", &self.round.to_string());
        Some(document(&text).expect("a number in a text leaves it a text"))
    }

    pub(crate) fn repeat(&mut self, times: u32, steps: &[Step]) -> Result<(), Halt> {
        let outer = self.round;
        for round in 1..=times {
            self.round = round;
            self.all(steps, &format!("repeat({round}).steps"))?;
        }
        self.round = outer;
        Ok(())
    }

    /// Stops if an oracle has found something, or a call has come back with what was not expected.
    fn watch(&mut self) -> Result<(), Halt> {
        self.void_what_was_lost();
        if !self.sim.observer().0.violations().is_empty() {
            return Err(Halt::Found);
        }
        self.judge_calls()
    }

    pub(crate) fn now(&self) -> Stamp {
        Stamp { number: self.sim.records(), at: self.sim.now() }
    }

    /// A demand of the scenario that is not met.
    pub(crate) fn failed(
        &self,
        property: Property,
        node: Option<ProcessId>,
        what: impl Into<String>,
    ) -> Halt {
        self.failed_at(&self.place.join("."), property, node, what)
    }

    /// A demand that stands somewhere in the scenario and is not met.
    pub(crate) fn failed_at(
        &self,
        place: &str,
        property: Property,
        node: Option<ProcessId>,
        what: impl Into<String>,
    ) -> Halt {
        let what = what.into();
        let what = if place.is_empty() { what } else { format!("{place}: {what}") };
        Halt::Failed(Violation::new(property, self.now(), node, what))
    }

    pub(crate) fn unmet(&self, what: impl Into<String>) -> Halt {
        self.failed(Property::Expectation, None, what)
    }

    pub(crate) fn asking(&self) -> Asking<'_> {
        Asking { sim: &self.sim, memory: &self.memory }
    }

    /// Lets time pass for `span`.
    pub(crate) fn pass(&mut self, span: Span) -> Result<(), Halt> {
        self.run_to(self.sim.now().after(span), |_| false).map(|_| ())
    }

    /// Lets time pass until `predicate` holds, or until `deadline`. Says whether it holds.
    pub(crate) fn pass_until(&mut self, predicate: &Predicate, deadline: VirtualTime) -> Result<bool, Halt> {
        if self.asking().holds(predicate) {
            return Ok(true);
        }
        let mut seen = self.sim.observer().0.mirror().version();
        let timed = ask::reads_clock_or_traffic(predicate);
        // What was named stays as it is while time passes; the cluster needs to be lent on its own.
        let memory = core::mem::take(&mut self.memory);
        let reached = self.run_to(deadline, |sim| {
            let version = sim.observer().0.mirror().version();
            let changed = core::mem::replace(&mut seen, version) != version;
            (changed || timed) && Asking { sim, memory: &memory }.holds(predicate)
        });
        self.memory = memory;
        // At the deadline the clock itself may have made it true.
        Ok(reached? || self.asking().holds(predicate))
    }

    /// Runs until `until` or until `stop` says so, and says whether it did.
    pub(crate) fn run_to(
        &mut self,
        until: VirtualTime,
        mut stop: impl FnMut(&Cluster<'_>) -> bool,
    ) -> Result<bool, Halt> {
        let events_max = self.limits.events_max;
        let mut stopped = false;
        // A timer that a step lets fire is an event of its own.
        self.turn_if_due();
        loop {
            let turns_after = self.turn.map_or(u64::MAX, |turn| turn.after);
            self.sim.run(until, |sim| {
                stopped = stop(sim);
                stopped
                    || sim.records() >= turns_after
                    || !sim.observer().0.violations().is_empty()
                    || sim.stats().events >= events_max
            });
            if !self.turn_if_due() || stopped || !self.sim.observer().0.violations().is_empty() {
                break;
            }
        }
        // Nobody starts while time passes: what was lost and damaged in between is looked at in time.
        self.watch()?;
        if !stopped && self.sim.stats().events >= events_max {
            let what = format!(
                "still running after {events_max} events: a livelock, or a longer run than the limit \
                 (`events_max` in the file sets another)"
            );
            // Where in the file that is depends on the limit.
            return Err(self.failed_at("", Property::Convergence, None, what));
        }
        Ok(stopped)
    }

    /// Takes leave of the seed, if it is time to. Says whether it was.
    fn turn_if_due(&mut self) -> bool {
        let records = self.sim.records();
        let Some(Turn { next, .. }) = self.turn.take_if(|turn| records >= turn.after) else { return false };
        self.seed = next;
        self.sim.redraw(next);
        true
    }

    /// The draws of a step: a function of the seed, of what the step says, and of how often it was reached, so that
    /// taking another step out of the scenario does not change them.
    pub(crate) fn draws(&mut self, step: &impl serde::Serialize) -> Stream {
        let text = serde_json::to_string(step).expect("a step can be written as JSON");
        let mut digest = Digest::new();
        digest.text(&text);
        let which = digest.value();
        let times = self.drawn.entry(which).or_default();
        *times += 1;
        Stream::new(self.seed ^ times.rotate_left(32), "steps", which)
    }

    fn outcome(self, halted: Option<Halt>) -> Outcome {
        let Self { scenario, seed, mut sim, voided, excused, ending, .. } = self;
        let over = Stamp { number: sim.records(), at: sim.now() };
        sim.observer_mut().0.conclude(over);
        let (records, at, digest) = (sim.records(), sim.now(), sim.digest());
        let (checkpoints, stats) = (sim.checkpoints().to_vec(), sim.stats().clone());
        let files = everybody(&sim).flat_map(|node| [LOG, TAIL, SNAPSHOT].map(|file| (node, file)));
        let misdirected = files.map(|(node, file)| sim.misdirected_appends(node, file)).sum();
        let (judge, (_, (witness, _))) = sim.into_observer();
        let mut violations = judge.violations().to_vec();
        if let Some(Halt::Failed(violation)) = halted {
            violations.push(violation);
        }
        // What is found when all is over is found last.
        violations.sort_by_key(|violation| violation.record);
        let verdict = match scenario.expect {
            Expect::Pass if violations.is_empty() => Verdict::Passed,
            Expect::Violation(property) if violations.iter().any(|found| found.property == property) => {
                Verdict::FailedAsExpected(property)
            }
            Expect::Violation(property) if violations.is_empty() => Verdict::FailedToFail(property),
            Expect::Pass | Expect::Violation(_) => Verdict::Failed,
        };
        let happened = witness.conclude(&judge, misdirected);
        Outcome {
            seed,
            verdict,
            violations,
            voided,
            excused,
            happened,
            ending,
            at,
            records,
            digest,
            checkpoints,
            stats,
        }
    }
}
