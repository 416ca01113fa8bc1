//! `seaworthy fuzz`: scenarios drawn from seeds, or one over many seeds, until something breaks.

use crate::campaign::{Flow, in_order};
use crate::chain::Chain;
use crate::cli::args::Fuzz;
use crate::cli::campaign::{self, Beside, scenario_of};
use crate::cli::output::Output;
use crate::cli::progress::{Progress, Watch, rate};
use crate::cli::results::{self, Appender};
use crate::cli::{Exit, Failure, files, interrupt};
use crate::execute::{self, UnknownMutation, build};
use crate::fuzz::{CANARY, CANARY_RUNS, Coverage, States, Strategy, Tally, canary, has_canary, run_seed};
use crate::ledger::{CHUNK, CHUNKS_MAX, Campaign, Chunk, Found, Ledger};
use crate::scenario::{End, Seed};
use core::time::Duration;
use sim_core::Span;

/// How long when nothing is said.
const TIME_DEFAULT: Span = Span::from_secs(30);

/// Looks for the bug that every search must find. Where a bug is searched anyway there is none.
pub(crate) fn find_canary(
    strategy: Strategy,
    mutation: Option<&str>,
    output: &mut Output,
) -> Result<Option<u64>, Failure> {
    if mutation.is_some() {
        return Ok(None);
    }
    if !has_canary() {
        output.aside("no canary: this build has no planted bugs (`--features mutations`)");
        return Ok(None);
    }
    let Some(run) = canary(strategy) else {
        let what = format!("{CANARY} is planted, and was not found in {CANARY_RUNS} runs");
        return Err(Failure::new(Exit::Internal, format!("the search finds nothing: {what}")));
    };
    output.aside(&format!("canary: {CANARY} is found in run {run}"));
    Ok(Some(run))
}

/// What is to be run.
struct Plan<'a> {
    args: &'a Fuzz,
    campaign: Campaign,
    /// The seed of the campaign.
    seed: u64,
    /// How many runs are wanted; none if there is a time instead.
    bound: Option<u64>,
}

impl Plan<'_> {
    fn seed_of(&self, run: u64) -> u64 {
        match &self.args.seeds {
            Some(seeds) => seeds.0.start + run,
            None => run_seed(self.seed, run),
        }
    }

    /// The runs of a chunk, up to so many failures.
    fn chunk(&self, number: u64, length: u64) -> Result<(Chunk, States), UnknownMutation> {
        let (mut tally, mut failed, mut states) = (Tally::default(), Vec::new(), States::default());
        let mut runs = 0;
        while runs < length && (failed.len() as u64) < self.args.max_fail {
            let run = number * CHUNK + runs;
            let seed = self.seed_of(run);
            let (scenario, limits) = scenario_of(&self.campaign, self.args.strategy, seed);
            let outcome = if self.args.coverage {
                let (outcome, coverage) =
                    execute::run(&scenario, seed, limits, Coverage::new(scenario.nodes))?;
                states.add(&coverage.states());
                outcome
            } else {
                execute::run(&scenario, seed, limits, ())?.0
            };
            runs += 1;
            if outcome.verdict.as_expected() {
                tally.add(&outcome, matches!(scenario.end, End::Live(_)));
                continue;
            }
            let violation = outcome.violation();
            failed.push(Found {
                run,
                seed: Seed(seed),
                property: violation.map(|violation| violation.property),
                signature: violation.map(crate::violation::Violation::signature),
                record: violation.map_or(outcome.records, |violation| violation.record),
                digest: Chain::of(&outcome),
            });
        }
        Ok((Chunk { number, runs, tally, failed }, states))
    }
}

/// The chunks that are left to do, by their place in the row: those of this shard that are not in the ledger.
struct Todo {
    /// Those before the last one that is in the ledger.
    missing: Vec<u64>,
    next: u64,
    every: u64,
    count: u64,
}

impl Todo {
    fn of(ledger: &Ledger, shard: u64, shards: u64) -> Self {
        let begun = ledger.chunks().next_back().map_or(0, |chunk| chunk.number + 1);
        let next = begun + (shards + shard - begun % shards) % shards;
        let own = (0..begun).filter(|chunk| chunk % shards == shard);
        let missing: Vec<u64> = own.filter(|chunk| !ledger.has(*chunk)).collect();
        let end = ledger.bound().map(|bound| bound.div_ceil(CHUNK));
        let later = end.unwrap_or(CHUNKS_MAX).saturating_sub(next).div_ceil(shards);
        let count = missing.len() as u64 + later;
        Self { missing, next, every: shards, count }
    }

    fn chunk(&self, place: u64) -> u64 {
        let missing = self.missing.len() as u64;
        match usize::try_from(place).ok().and_then(|place| self.missing.get(place)) {
            Some(chunk) => *chunk,
            None => self.next + (place - missing) * self.every,
        }
    }
}

pub(crate) fn fuzz(args: &Fuzz, output: &mut Output) -> Result<Exit, Failure> {
    if args.shard_index >= args.shard_count {
        let what = format!("--shard-index {} is none of {} shards", args.shard_index, args.shard_count);
        return Err(Failure::new(Exit::Usage, format!("{what}: they are counted from 0")));
    }
    let scenario = args.scenario.as_deref().map(|path| files::read(path, output)).transpose()?;
    if let Some(scenario) = &scenario {
        build::mutation(scenario).map_err(|unknown| Failure::new(Exit::BadInput, unknown.to_string()))?;
    }
    let begun = results::begun(args.results.as_deref())?;
    // Without a seed a campaign goes on with the one that it began with.
    let of_file = begun.as_ref().and_then(|begun| begun.campaign().seeds.parse::<Seed>().ok());
    let seed = args.seed.or(of_file).map_or_else(Watch::new_seed, |seed| seed.0);
    let (bound, time) = match (&args.seeds, args.runs) {
        (Some(seeds), _) => (Some(seeds.0.end - seeds.0.start), None),
        (None, Some(runs)) => (Some(runs), None),
        (None, None) => (None, Some(args.time.unwrap_or(TIME_DEFAULT))),
    };
    if bound.is_some_and(|bound| bound > CHUNKS_MAX * CHUNK) {
        let what = format!("a campaign has at most {} runs", CHUNKS_MAX * CHUNK);
        return Err(Failure::new(Exit::Usage, what));
    }
    let seeds = match &args.seeds {
        Some(seeds) => format!("{}..{}", Seed(seeds.0.start), Seed(seeds.0.end)),
        None => Seed(seed).to_string(),
    };
    let campaign = Campaign::new(seeds, args.strategy.to_string(), scenario, args.mutation.clone());
    let mut ledger = results::of(args.results.as_deref(), begun, campaign.clone(), bound)?;
    let plan = Plan { args, campaign, seed, bound };
    let which = if args.seeds.is_some() { "seeds" } else { "seed" };
    output.aside(&format!("fuzz  {which} {}", plan.campaign.seeds));
    let first = ledger.runs();
    if first > 0 {
        output.aside(&format!("going on after {first} runs"));
    }
    if cfg!(debug_assertions) {
        output.aside("this is a debug build: `--release` is many times faster");
    }
    let canary = find_canary(args.strategy, args.mutation.as_deref(), output)?;
    let mut file = None;
    if let Some(path) = &args.results {
        match Appender::open(path, &ledger) {
            Ok(opened) => file = Some(opened),
            Err(failure) => output.not_written(failure),
        }
    }
    interrupt::listen();
    let watch = Watch::start();
    let mut states = States::default();
    let unknown = go(&plan, &mut ledger, &mut file, &watch, time, &mut states, output);
    if let Some(file) = file
        && let Err(failure) = file.finish()
    {
        output.not_written(failure);
    }
    if let Some(unknown) = unknown {
        return Err(Failure::new(Exit::BadInput, unknown.to_string()));
    }
    if ledger.runs() == 0 {
        if interrupt::is_asked() {
            output.aside("stopped before the first run");
            return Ok(Exit::Interrupted);
        }
        if Todo::of(&ledger.with_bound(plan.bound), args.shard_index, args.shard_count).count == 0 {
            output.aside(
                "nothing of the campaign falls to this shard: it has fewer chunks than there are shards",
            );
            return Ok(Exit::Clean);
        }
        return Err(Failure::new(Exit::NothingSelected, "the time was up before the first run"));
    }
    let states = args.coverage.then_some(&states);
    let beside = Beside { strategy: args.strategy, scenario: args.scenario.as_deref(), canary, states };
    let told = campaign::tell(&ledger, &beside, &args.telling, output)?;
    output.aside(&rate(ledger.runs() - first, watch.elapsed()));
    let was_stopped = interrupt::is_asked() && told == Exit::Clean;
    if was_stopped && args.results.is_some() {
        output.aside("stopped: the same command goes on from here");
    }
    Ok(if was_stopped { Exit::Interrupted } else { told })
}

/// Runs what is left to do. What stopped it, if a planted bug is not there.
fn go(
    plan: &Plan<'_>,
    ledger: &mut Ledger,
    file: &mut Option<Appender>,
    watch: &Watch,
    time: Option<Span>,
    states: &mut States,
    output: &mut Output,
) -> Option<UnknownMutation> {
    let args = plan.args;
    let bound = time.map(|time| Duration::from_nanos(time.nanos()));
    let mut failed = ledger.failed().count() as u64;
    if failed >= args.max_fail {
        return None;
    }
    // What is wanted now: an earlier command may have wanted fewer, or more.
    let wanted = ledger.with_bound(plan.bound);
    let todo = Todo::of(&wanted, args.shard_index, args.shard_count);
    let work = |place: u64| {
        if bound.is_some_and(|bound| watch.elapsed() >= bound) || interrupt::is_asked() {
            return None;
        }
        let chunk = todo.chunk(place);
        Some(plan.chunk(chunk, wanted.length(chunk)))
    };
    let mut progress = Progress::new(plan.bound.map(|bound| bound / args.shard_count), output);
    let (mut runs, mut unknown, mut unwritten) = (ledger.runs(), None, None);
    in_order(todo.count, args.jobs.count(), work, |_, result| {
        let (chunk, reached) = match result {
            Ok(done) => done,
            Err(error) => {
                unknown = Some(error);
                return Flow::Stop;
            }
        };
        states.add(&reached);
        // A chunk that was cut short is made anew.
        let (runs_before, failed_before) = ledger.made(chunk.number);
        runs = runs - runs_before + chunk.runs;
        failed = failed - failed_before + chunk.failed.len() as u64;
        progress.at(runs, failed, watch);
        if let Some(appender) = file
            && let Err(failure) = appender.add(&chunk)
        {
            unwritten = Some(failure);
        }
        // It was not there, or shorter.
        let _ = ledger.add(chunk);
        if failed >= args.max_fail || unwritten.is_some() { Flow::Stop } else { Flow::Continue }
    });
    progress.finish();
    if let Some(failure) = unwritten {
        output.not_written(failure);
    }
    unknown
}
