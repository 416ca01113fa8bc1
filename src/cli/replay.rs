//! `seaworthy replay`: a seed again, exactly.

use crate::chain::Chain;
use crate::cli::args::{Format, Replay as Args, SeedOrCapsule};
use crate::cli::output::{Output, shown};
use crate::cli::play::Play;
use crate::cli::run::program;
use crate::cli::{Exit, Failure, capsules, files};
use crate::execute::{Limits, Outcome, resolved};
use crate::fuzz::{self, Strategy};
use crate::report::{self, Replay};
use crate::scenario::{Scenario, Seed};
use serde_json::json;

/// How many records before and after a violation are drawn.
const AROUND: u64 = 60;

pub(crate) fn replay(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let seed = match &args.what {
        SeedOrCapsule::Seed(seed) => seed.0,
        SeedOrCapsule::Capsule(path) => {
            let is_of_seed = args.scenario.is_some() || args.digest.is_some() || args.mutation.is_some();
            if is_of_seed || args.strategy.is_some() || args.save.is_some() || args.trace.is_some() {
                let message = "--scenario, --digest, --mutation, --strategy, --save and --trace belong to a seed: a capsule \
                               holds what ran";
                return Err(Failure::new(Exit::Usage, message));
            }
            return capsules::replay(path, args, output);
        }
    };
    if args.nearly {
        return Err(Failure::new(
            Exit::Usage,
            "--nearly belongs to a capsule: a seed alone tells no schedule",
        ));
    }
    let strategy = args.strategy.unwrap_or(Strategy::Portfolio);
    let (mut scenario, limits) = match &args.scenario {
        Some(path) => {
            let scenario = files::read(path, output)?;
            let limits = Limits::of(&scenario);
            (scenario, limits)
        }
        None => (fuzz::draw_by(strategy, seed), fuzz::LIMITS),
    };
    if args.mutation.is_some() {
        scenario.mutation.clone_from(&args.mutation);
    }
    if let Some(path) = &args.save {
        // What was a livelock must be one in the file.
        let saved = Scenario { events_max: Some(limits.events_max), ..scenario.clone() };
        std::fs::write(path, saved.to_json())
            .map_err(|error| Failure::new(Exit::BadInput, format!("{}: {error}", shown(path))))?;
        output.aside(&format!("the scenario is in {}", shown(path)));
    }
    output.aside(&format!("{}  seed {}", scenario.name, Seed(seed)));
    for line in resolved(&scenario) {
        output.aside(&format!("  {line}"));
    }
    let play = Play {
        scenario: &scenario,
        seed,
        limits,
        trace: args.trace.as_deref(),
        view: args.view,
        format: args.format,
        around: Some(AROUND),
        replay: Replay {
            program: program(),
            scenario: args.scenario.clone(),
            strategy,
            mutation: args.mutation.clone(),
        },
    };
    let outcome = play.play(output)?;
    play.tell(&outcome, output)?;
    if args.format == Format::Json {
        let line = play.replay.line(outcome.seed, &Chain::of(&outcome));
        let run = report::run_json(&scenario, &outcome, &line);
        let same = args.digest.as_ref().map(|chain| chain.check(&outcome).is_ok());
        output.line(&report::document(vec![run], json!({ "digest_matches": same })).to_string())?;
    }
    compare(args.digest.as_ref(), &outcome, output)
}

fn compare(chain: Option<&Chain>, outcome: &Outcome, output: &mut Output) -> Result<Exit, Failure> {
    match chain.map(|chain| chain.check(outcome)) {
        Some(Err(divergence)) => {
            let expected = chain.map(|chain| format!("{:016x}", chain.digest)).unwrap_or_default();
            let (found, records) = (format!("{:016x}", outcome.digest), outcome.records);
            let what = [
                format!("not reproduced: the digest is {found} after {records} records, expected {expected}"),
                divergence.to_string(),
                "the scenario file, the program or its options differ from those that printed the digest"
                    .to_string(),
            ];
            let what = what.join("\n  ");
            Err(Failure::new(Exit::NotReproduced, what))
        }
        same => {
            if same.is_some() {
                output.aside("reproduced: the digest is the one expected");
            }
            Ok(if outcome.verdict.as_expected() { Exit::Clean } else { Exit::Violation })
        }
    }
}
