//! `seaworthy run`: scenario files, one seed or many.

use crate::campaign::{Flow, in_order};
use crate::chain::Chain;
use crate::cli::args::{Format, Run, View};
use crate::cli::output::{Output, shown};
use crate::cli::play::Play;
use crate::cli::{Exit, Failure, files};
use crate::execute::{self, Limits, Outcome, build, resolved};
use crate::report::{self, Replay};
use crate::scenario::{Scenario, Seed};
use core::ops::Range;
use indexmap::IndexMap;
use serde_json::{Value, json};
use sim_core::Digest;

/// What to call this program by in a line to paste.
pub(crate) fn program() -> String {
    std::env::args().next().filter(|name| !name.is_empty()).unwrap_or_else(|| "seaworthy".to_string())
}

pub(crate) fn run(args: &Run, output: &mut Output) -> Result<Exit, Failure> {
    let paths = files::find(&args.files)?;
    let several = paths.len() > 1 || args.seeds.is_some();
    if several && args.trace.is_some() {
        return Err(Failure::new(Exit::Usage, "--trace takes one scenario and one seed"));
    }
    if args.seeds.is_some() && args.view.is_some_and(|view| view != View::None) {
        return Err(Failure::new(Exit::Usage, "--view takes one seed: use `replay` for the one to look at"));
    }
    // All files are read before any is run: a mistake in the last is told at once.
    let mut scenarios = Vec::new();
    for path in paths {
        let mut scenario = files::read(&path, output)?;
        if args.mutation.is_some() {
            scenario.mutation.clone_from(&args.mutation);
        }
        build::mutation(&scenario)
            .map_err(|unknown| Failure::new(Exit::BadInput, format!("{}: {unknown}", shown(&path))))?;
        let replay = Replay {
            program: program(),
            scenario: Some(path),
            mutation: args.mutation.clone(),
            ..Replay::default()
        };
        scenarios.push((scenario, replay));
    }
    let mut documents = Vec::new();
    let mut worst = Exit::Clean;
    let count = scenarios.len();
    for (scenario, replay) in scenarios {
        let as_expected = match &args.seeds {
            Some(seeds) => sweep(args, &scenario, &replay, seeds.0.clone(), output, &mut documents)?,
            None => {
                let seed = args.seed.map_or(scenario.seed.0, |seed| seed.0);
                let view = args.view.unwrap_or(if several { View::None } else { View::Table });
                single(args, &scenario, replay, seed, view, output, &mut documents)?
            }
        };
        if !as_expected {
            worst = Exit::Violation;
        }
    }
    if args.format == Format::Json {
        output.line(&report::document(documents, json!({})).to_string())?;
    } else if count > 1 {
        let word =
            if worst == Exit::Clean { "all went as they expect" } else { "not all went as they expect" };
        output.aside(&format!("{count} scenarios: {word}"));
    }
    Ok(worst)
}

/// Tells the seed and every option before the run, so that a crash of the program does not lose them.
fn announce(scenario: &Scenario, seeds: &str, output: &mut Output) {
    output.aside(&format!("{}  seed {seeds}", scenario.name));
    for line in resolved(scenario) {
        output.aside(&format!("  {line}"));
    }
}

fn single(
    args: &Run,
    scenario: &Scenario,
    replay: Replay,
    seed: u64,
    view: View,
    output: &mut Output,
    documents: &mut Vec<Value>,
) -> Result<bool, Failure> {
    announce(scenario, &Seed(seed).to_string(), output);
    let play = Play {
        scenario,
        seed,
        limits: Limits::of(scenario),
        trace: args.trace.as_deref(),
        view,
        format: args.format,
        around: None,
        replay,
    };
    let outcome = play.play(output)?;
    play.tell(&outcome, output)?;
    let line = play.replay.line(seed, &Chain::of(&outcome));
    documents.push(report::run_json(scenario, &outcome, &line));
    Ok(outcome.verdict.as_expected())
}

/// How many failing seeds of a scenario are told in full.
const TOLD_MAX: u64 = 5;

fn sweep(
    args: &Run,
    scenario: &Scenario,
    replay: &Replay,
    seeds: Range<u64>,
    output: &mut Output,
    documents: &mut Vec<Value>,
) -> Result<bool, Failure> {
    announce(scenario, &format!("{}..{}", seeds.start, seeds.end), output);
    let count = seeds.end - seeds.start;
    let work = |index: u64| {
        let seed = seeds.start + index;
        Some(execute::run(scenario, seed, Limits::of(scenario), ()).map(|(outcome, ())| outcome))
    };
    let (mut failed, mut digest, mut problem) = (0u64, Digest::new(), None);
    // What broke, in the order in which it first did.
    let mut broken: IndexMap<&str, u64> = IndexMap::new();
    in_order(count, args.jobs.count(), work, |_, result: Result<Outcome, _>| {
        let told = match result {
            Ok(outcome) => {
                digest.word(outcome.digest);
                if outcome.verdict.as_expected() {
                    return Flow::Continue;
                }
                failed += 1;
                let property = outcome.violation().map_or("nothing", |violation| violation.property.name());
                *broken.entry(property).or_default() += 1;
                if failed > TOLD_MAX {
                    return Flow::Continue;
                }
                let line = replay.line(outcome.seed, &Chain::of(&outcome));
                if args.format == Format::Json {
                    documents.push(report::run_json(scenario, &outcome, &line));
                    Ok(())
                } else {
                    output.line(&report::text(scenario, &outcome, &line)).map_err(Failure::from)
                }
            }
            Err(error) => Err(Failure::new(Exit::BadInput, error.to_string())),
        };
        match told {
            Ok(()) => Flow::Continue,
            Err(failure) => {
                problem = Some(failure);
                Flow::Stop
            }
        }
    });
    if let Some(failure) = problem {
        return Err(failure);
    }
    let (name, digest) = (&scenario.name, digest.value());
    if args.format == Format::Json {
        documents.push(json!({
            "name": name,
            "seeds": [Seed(seeds.start).to_string(), Seed(seeds.end).to_string()],
            "as_expected": count - failed,
            "failed": failed,
            "broken": broken,
            "digest": format!("{digest:016x}"),
        }));
    } else if failed > 0 || !output.quiet {
        let word = if failed == 0 { "PASS" } else { "FAIL" };
        let expected = files::verdict(scenario);
        let groups: Vec<String> =
            broken.iter().map(|(property, count)| format!("{count} {property}")).collect();
        let counts = if failed == 0 {
            format!("{count} seeds, all as expected ({expected})")
        } else {
            format!("{count} seeds, {failed} not as expected ({expected}): {}", groups.join(", "))
        };
        output.line(&format!("{word} {name}  {counts}  digest {digest:016x}"))?;
    }
    Ok(failed == 0)
}
