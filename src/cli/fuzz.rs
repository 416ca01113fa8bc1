//! `seaworthy fuzz`: scenarios drawn from seeds, until something breaks.

use crate::campaign::{Flow, in_order};
use crate::chain::Chain;
use crate::cli::args::{Format, Fuzz};
use crate::cli::output::Output;
use crate::cli::run::program;
use crate::cli::{Exit, Failure};
use crate::execute::{self, Outcome, UnknownMutation};
use crate::fuzz::{LIMITS, draw, run_seed};
use crate::report::{self, Replay};
use crate::scenario::{Scenario, Seed};
use core::time::Duration;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use sim_core::Span;

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
}

pub(crate) fn fuzz(args: &Fuzz, output: &mut Output) -> Result<Exit, Failure> {
    let campaign = args.seed.map_or_else(Watch::new_seed, |seed| seed.0);
    let (count, time) = match (&args.seeds, args.runs) {
        (Some(seeds), _) => (seeds.0.end - seeds.0.start, None),
        (None, Some(runs)) => (runs, None),
        (None, None) => (u64::MAX, Some(args.time.unwrap_or(TIME_DEFAULT))),
    };
    match &args.seeds {
        Some(seeds) => output.aside(&format!("fuzz  seeds {}..{}", Seed(seeds.0.start), Seed(seeds.0.end))),
        None => output.aside(&format!("fuzz  seed {}", Seed(campaign))),
    }
    if cfg!(debug_assertions) {
        output.aside("this is a debug build: `--release` is many times faster");
    }
    let seed_of = |index: u64| match &args.seeds {
        Some(seeds) => seeds.0.start + index,
        None => run_seed(campaign, index),
    };
    let watch = Watch::start();
    let bound = time.map(|time| Duration::from_nanos(time.nanos()));
    let work = |index: u64| {
        if bound.is_some_and(|bound| watch.elapsed() >= bound) {
            return None;
        }
        let seed = seed_of(index);
        let mut scenario = draw(seed);
        scenario.mutation.clone_from(&args.mutation);
        let result = execute::run(&scenario, seed, LIMITS, ());
        Some(result.map(|(outcome, ())| Done { scenario, outcome }))
    };
    let mut progress = Progress::new(if time.is_none() { Some(count) } else { None }, output);
    let (mut runs, mut events) = (0u64, 0u64);
    let mut found: Option<Result<Done, UnknownMutation>> = None;
    in_order(count, args.jobs.count(), work, |_, result| match result {
        Ok(done) if done.outcome.verdict.as_expected() => {
            runs += 1;
            events += done.outcome.stats.events;
            progress.at(runs, &watch);
            Flow::Continue
        }
        other => {
            runs += 1;
            found = Some(other);
            Flow::Stop
        }
    });
    progress.finish();
    let elapsed = watch.elapsed();
    match found {
        Some(Err(unknown)) => Err(Failure::new(Exit::BadInput, unknown.to_string())),
        Some(Ok(done)) => {
            let replay = Replay { program: program(), scenario: None, mutation: args.mutation.clone() };
            let line = replay.line(done.outcome.seed, &Chain::of(&done.outcome));
            if args.format == Format::Json {
                let run = report::run_json(&done.scenario, &done.outcome, &line);
                let extra =
                    json!({ "campaign_seed": Seed(campaign).to_string(), "runs_done": runs, "failed": 1 });
                output.line(&report::document(vec![run], extra).to_string())?;
            } else {
                output.line(&report::text(&done.scenario, &done.outcome, &line))?;
            }
            output.aside(&format!("found in run {runs} after {}", rate(runs, elapsed)));
            Ok(Exit::Violation)
        }
        None if runs == 0 => Err(Failure::new(Exit::NothingSelected, "the time was up before the first run")),
        None => {
            if args.format == Format::Json {
                let extra =
                    json!({ "campaign_seed": Seed(campaign).to_string(), "runs_done": runs, "failed": 0 });
                output.line(&report::document(Vec::new(), extra).to_string())?;
            } else if !output.quiet {
                output.line(&format!("PASS {runs} runs, {events} events, no violation"))?;
            }
            output.aside(&rate(runs, elapsed));
            Ok(Exit::Clean)
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
