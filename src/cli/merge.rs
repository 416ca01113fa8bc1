//! `seaworthy merge`: the results of a campaign that was shared out, put together.

use crate::SIM_VERSION;
use crate::capsule;
use crate::cli::args::Merge;
use crate::cli::campaign::{self, Beside};
use crate::cli::fuzz::find_canary;
use crate::cli::output::{Output, shown};
use crate::cli::{Exit, Failure, files, results};
use crate::fuzz::Strategy;
use crate::ledger::Ledger;

pub(crate) fn merge(args: &Merge, output: &mut Output) -> Result<Exit, Failure> {
    let mut merged: Option<Ledger> = None;
    for path in &args.files {
        let ledger = results::read(path)?;
        match &mut merged {
            None => merged = Some(ledger),
            Some(merged) => merged
                .merge(ledger)
                .map_err(|error| Failure::new(Exit::BadInput, format!("{}: {error}", shown(path))))?,
        }
    }
    let Some(merged) = merged else {
        return Err(Failure::new(Exit::NothingSelected, "no results to merge"));
    };
    let wrong = |why: String| Failure::new(Exit::BadInput, why);
    let campaign = merged.campaign();
    if campaign.sim_version != SIM_VERSION {
        let there = campaign.sim_version;
        return Err(wrong(format!("these results have sim_version {there}, this program has {SIM_VERSION}")));
    }
    let strategy: Strategy = campaign.strategy.parse().map_err(wrong)?;
    match (&campaign.scenario, &args.scenario) {
        (Some(own), Some(path)) if files::read(path, output)? != **own => {
            return Err(wrong(format!("{}: the campaign ran another scenario", shown(path))));
        }
        // A seed alone would draw one.
        (Some(_), None) if merged.failed().next().is_some() => {
            let what = "the campaign ran a scenario: say which with --scenario, for the lines that replay what failed";
            return Err(Failure::new(Exit::Usage, what));
        }
        (None, Some(path)) => {
            return Err(wrong(format!("{}: the campaign drew its scenarios, and ran no file", shown(path))));
        }
        _ => {}
    }
    if let Some(path) = &args.output
        && let Err(error) = capsule::replace(path, &merged.text())
    {
        output.not_written(wrong(format!("{}: {error}", shown(path))));
    }
    let canary = find_canary(strategy, campaign.mutation.as_deref(), output)?;
    let beside = Beside { strategy, scenario: args.scenario.as_deref(), canary, states: None };
    let told = campaign::tell(&merged, &beside, &args.telling, output)?;
    let is_whole = merged.holes().is_empty();
    Ok(if told == Exit::Clean && !is_whole { Exit::Undecided } else { told })
}
