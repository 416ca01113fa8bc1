//! `seaworthy fuzz`: scenarios drawn from seeds, until something breaks.

use crate::campaign::{Flow, in_order};
use crate::capsule::Capsule;
use crate::chain::Chain;
use crate::cli::args::{Format, Fuzz};
use crate::cli::checkpoint::{Campaign, Checkpoint};
use crate::cli::output::{Output, shown};
use crate::cli::run::program;
use crate::cli::{Exit, Failure, capsules};
use crate::execute::{self, Outcome, UnknownMutation};
use crate::fuzz::{Coverage, LIMITS, States, Tally, draw_by, run_seed};
use crate::report::{self, Replay};
use crate::scenario::{End, Scenario, Seed};
use core::time::Duration;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use sim_core::Span;
use std::path::PathBuf;

/// How long when nothing is said.
const TIME_DEFAULT: Span = Span::from_secs(30);

/// Wall time: for progress and for `--time` only, never for what a run does.
#[expect(clippy::disallowed_types, reason = "a campaign may be bounded by wall time; no run ever sees it")]
struct Watch(std::time::Instant);

#[expect(clippy::disallowed_types, reason = "see Watch")]
impl Watch {
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// A seed for a campaign that is given none. It is printed, and decides everything from then on.
    fn new_seed() -> u64 {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        run_seed(u64::from(std::process::id()), u64::try_from(now.as_nanos()).unwrap_or(now.as_secs()))
    }
}

struct Done {
    scenario: Scenario,
    outcome: Outcome,
    /// Empty unless it was asked for.
    states: States,
}

/// How often progress is written down.
const WRITE_EVERY: Duration = Duration::from_secs(5);

pub(crate) fn fuzz(args: &Fuzz, output: &mut Output) -> Result<Exit, Failure> {
    let checkpoint = args.checkpoint.as_deref().map(Checkpoint::open).transpose()?;
    // Without a seed a campaign goes on with the one that it began with.
    let begun = checkpoint.as_ref().and_then(Checkpoint::seeds).and_then(|seeds| seeds.parse::<Seed>().ok());
    let seed = args.seed.or(begun).map_or_else(Watch::new_seed, |seed| seed.0);
    let (count, time) = match (&args.seeds, args.runs) {
        (Some(seeds), _) => (seeds.0.end - seeds.0.start, None),
        (None, Some(runs)) => (runs, None),
        (None, None) => (u64::MAX, Some(args.time.unwrap_or(TIME_DEFAULT))),
    };
    let seeds = match &args.seeds {
        Some(seeds) => format!("{}..{}", Seed(seeds.0.start), Seed(seeds.0.end)),
        None => Seed(seed).to_string(),
    };
    let campaign = Campaign::new(seeds, args.strategy, args.mutation.clone());
    let mut tally = match &checkpoint {
        Some(checkpoint) => checkpoint.progress(&campaign)?,
        None => Tally::default(),
    };
    let first = tally.runs;
    let which = if args.seeds.is_some() { "seeds" } else { "seed" };
    output.aside(&format!("fuzz  {which} {}", campaign.seeds));
    if first > 0 {
        output.aside(&format!("going on after {first} runs"));
    }
    if cfg!(debug_assertions) {
        output.aside("this is a debug build: `--release` is many times faster");
    }
    let seed_of = |index: u64| match &args.seeds {
        Some(seeds) => seeds.0.start + index,
        None => run_seed(seed, index),
    };
    let watch = Watch::start();
    let bound = time.map(|time| Duration::from_nanos(time.nanos()));
    let work = |index: u64| {
        if bound.is_some_and(|bound| watch.elapsed() >= bound) {
            return None;
        }
        let seed = seed_of(first + index);
        let mut scenario = draw_by(args.strategy, seed);
        scenario.mutation.clone_from(&args.mutation);
        let ended = if args.coverage {
            let result = execute::run(&scenario, seed, LIMITS, Coverage::new(scenario.nodes));
            result.map(|(outcome, coverage)| (outcome, coverage.states()))
        } else {
            execute::run(&scenario, seed, LIMITS, ()).map(|(outcome, ())| (outcome, States::default()))
        };
        Some(ended.map(|(outcome, states)| Done { scenario, outcome, states }))
    };
    let mut progress = Progress::new(if time.is_none() { Some(count) } else { None }, output);
    let mut found: Option<Result<Done, UnknownMutation>> = None;
    let mut written = (Duration::ZERO, Ok(()));
    let mut states = States::default();
    in_order(count.saturating_sub(first), args.jobs.count(), work, |_, result| match result {
        Ok(done) if done.outcome.verdict.as_expected() => {
            states.add(&done.states);
            tally.add(&done.outcome, matches!(done.scenario.end, End::Live(_)));
            progress.at(tally.runs, &watch);
            if let Some(checkpoint) = &checkpoint
                && watch.elapsed() >= written.0 + WRITE_EVERY
            {
                written = (watch.elapsed(), checkpoint.write(&campaign, &tally));
            }
            if written.1.is_ok() { Flow::Continue } else { Flow::Stop }
        }
        other => {
            found = Some(other);
            Flow::Stop
        }
    });
    progress.finish();
    // A run that failed is not counted: going on meets it again.
    let kept = written
        .1
        .and_then(|()| checkpoint.as_ref().map_or(Ok(()), |checkpoint| checkpoint.write(&campaign, &tally)));
    if let Err(failure) = kept {
        output.not_written(failure);
    }
    let elapsed = watch.elapsed();
    let fresh = tally.runs - first;
    let about = |failed: u64| {
        let key = if args.seeds.is_some() { "seeds" } else { "campaign_seed" };
        json!({
            key: campaign.seeds,
            "strategy": args.strategy.name(),
            "runs_done": tally.runs + failed,
            "failed": failed,
            "tally": tally,
            "coverage": args.coverage.then(|| json!({
                "reached": states.reached.len(),
                "dangerous": states.dangerous.len(),
            })),
        })
    };
    match found {
        Some(Err(unknown)) => Err(Failure::new(Exit::BadInput, unknown.to_string())),
        Some(Ok(done)) => {
            let replay = Replay {
                program: program(),
                scenario: None,
                strategy: args.strategy,
                mutation: args.mutation.clone(),
            };
            let line = replay.line(done.outcome.seed, &Chain::of(&done.outcome));
            // What was found is told before anything else can fail.
            if args.format == Format::Text {
                output.line(&report::text(&done.scenario, &done.outcome, &line))?;
            }
            let kept = keep(args, &done, output);
            if args.format == Format::Json {
                let mut run = report::run_json(&done.scenario, &done.outcome, &line);
                let capsule = kept.as_ref().map(|(path, capsule)| capsules::about(path, capsule));
                run["capsule"] = capsule.unwrap_or_default();
                output.line(&report::document(vec![run], about(1)).to_string())?;
            } else if let Some((path, capsule)) = &kept {
                output.line(&format!("capsule: {}", shown(path)))?;
                if let Some(story) = &capsule.story {
                    output.line(&format!("story: {}", capsules::length(capsule, story)))?;
                }
            }
            output.aside(&format!("found in run {} after {}", tally.runs + 1, rate(fresh + 1, elapsed)));
            output.aside(&format!("before it\n{}", tally.text()));
            Ok(Exit::Violation)
        }
        None if tally.runs == 0 => {
            Err(Failure::new(Exit::NothingSelected, "the time was up before the first run"))
        }
        None => {
            if args.format == Format::Json {
                output.line(&report::document(Vec::new(), about(0)).to_string())?;
            } else if !output.quiet {
                let Tally { runs, events, .. } = tally;
                output.line(&format!("PASS {runs} runs, {events} events, no violation"))?;
                output.line(&tally.text())?;
                if args.coverage {
                    let States { reached, dangerous } = &states;
                    let (all, some) = (reached.len(), dangerous.len());
                    output
                        .line(&format!("  {:<32}{all}, danger states {some}", "protocol states reached"))?;
                }
            }
            output.aside(&rate(fresh, elapsed));
            Ok(Exit::Clean)
        }
    }
}

/// Writes the capsule of what failed, if one is wanted.
fn keep(args: &Fuzz, done: &Done, output: &mut Output) -> Option<(PathBuf, Capsule)> {
    if args.no_capsule {
        return None;
    }
    match capsules::keep(&args.capsules, &done.scenario, &done.outcome, LIMITS, !args.no_shrink) {
        Ok(kept) => kept,
        Err(failure) => {
            output.not_written(failure);
            None
        }
    }
}

fn rate(runs: u64, elapsed: Duration) -> String {
    let millis = elapsed.as_millis().max(1);
    format!(
        "{}.{:01} s, {} runs a second",
        millis / 1_000,
        millis % 1_000 / 100,
        u128::from(runs) * 1_000 / millis
    )
}

/// A bar on a terminal; elsewhere a line now and then.
struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    said: Duration,
}

const SAY_EVERY: Duration = Duration::from_secs(20);

impl Progress {
    fn new(count: Option<u64>, output: &Output) -> Self {
        let bar = output.draws_progress().then(|| {
            let bar = ProgressBar::with_draw_target(count, ProgressDrawTarget::stderr());
            let template = if count.is_some() {
                "{bar:30} {pos}/{len} runs {eta}"
            } else {
                "{spinner} {pos} runs {elapsed}"
            };
            ProgressStyle::with_template(template).map(|style| bar.set_style(style)).unwrap_or_default();
            bar
        });
        Self { bar, quiet: output.quiet, said: Duration::ZERO }
    }

    fn at(&mut self, runs: u64, watch: &Watch) {
        if !runs.is_multiple_of(64) {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_position(runs);
        } else if !self.quiet && watch.elapsed() >= self.said + SAY_EVERY {
            self.said = watch.elapsed();
            // Nobody is left to tell if standard error is gone.
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("{runs} runs, no violation\n"),
            );
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
