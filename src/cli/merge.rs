//! `seaworthy merge`: the results of a campaign that was shared out, put together.

use crate::SIM_VERSION;
use crate::cli::args::Merge;
use crate::cli::campaign::{self, Beside};
use crate::cli::fuzz::find_canary;
use crate::cli::output::{Output, shown};
use crate::cli::{Exit, Failure, results};
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
    if let Some(path) = &args.output
        && let Err(error) = std::fs::write(path, merged.text())
    {
        output.not_written(wrong(format!("{}: {error}", shown(path))));
    }
    let canary = find_canary(strategy, campaign.mutation.as_deref(), output)?;
    let beside = Beside { strategy, scenario: args.scenario.as_deref(), canary, states: None };
    let told = campaign::tell(&merged, &beside, &args.telling, output)?;
    let is_whole = merged.holes().is_empty();
    Ok(if told == Exit::Clean && !is_whole { Exit::Undecided } else { told })
}
