//! How far a campaign has come, in a file, so that it can go on after it was stopped.
//!
//! Owns the file: what stands in it, and that it is never half written. Must not know how runs are made.

use crate::SIM_VERSION;
use crate::cli::output::shown;
use crate::cli::{Exit, Failure, files};
use crate::fuzz::{Strategy, Tally};
use core::fmt::Display;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// How large the file may be, in bytes.
const FILE_MAX: u64 = 1 << 20;

/// What a campaign is: whoever goes on with another one would count apples and pears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Campaign {
    /// The version of what a seed means.
    pub(crate) sim_version: u32,
    /// The version of the program.
    pub(crate) tool_version: String,
    /// The seed of the campaign, or the range of seeds that it runs.
    pub(crate) seeds: String,
    /// By which strategy it draws, by name.
    pub(crate) strategy: String,
    /// The planted bug, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mutation: Option<String>,
}

impl Campaign {
    pub(crate) fn new(seeds: String, strategy: Strategy, mutation: Option<String>) -> Self {
        let tool_version = env!("CARGO_PKG_VERSION").to_string();
        let strategy = strategy.to_string();
        Self { sim_version: SIM_VERSION, tool_version, seeds, strategy, mutation }
    }

    /// What is different in another one: `seed 0x1 there, 0x2 here`.
    fn differences(&self, there: &Self) -> Vec<String> {
        let none = || "none".to_string();
        let pairs = [
            ("sim_version", there.sim_version.to_string(), self.sim_version.to_string()),
            ("tool_version", there.tool_version.clone(), self.tool_version.clone()),
            ("seed", there.seeds.clone(), self.seeds.clone()),
            ("strategy", there.strategy.clone(), self.strategy.clone()),
            (
                "mutation",
                there.mutation.clone().unwrap_or_else(none),
                self.mutation.clone().unwrap_or_else(none),
            ),
        ];
        let differing = pairs.into_iter().filter(|(_, there, here)| there != here);
        differing.map(|(name, there, here)| format!("{name} {there} there, {here} here")).collect()
    }
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    campaign: Campaign,
    /// What happened so far. The next run has the number of those in it.
    tally: Tally,
}

/// The file of a campaign.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    found: Option<Written>,
}

impl Checkpoint {
    /// Reads what is there; nothing is, when a campaign begins.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: String| Failure::new(Exit::BadInput, format!("{}: {why}", shown(path)));
        let found = match files::read_text(path, FILE_MAX) {
            Ok(text) => {
                let no_checkpoint =
                    |why: &dyn Display| wrong(format!("this is no checkpoint of a campaign: {why}"));
                let written: Written = serde_json::from_str(&text).map_err(|error| no_checkpoint(&error))?;
                if !written.tally.is_plausible() {
                    return Err(no_checkpoint(&"a sum in `tally` is above what any campaign comes to"));
                }
                Some(written)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(wrong(error.to_string())),
        };
        Ok(Self { path: path.to_path_buf(), found })
    }

    /// The seed of the campaign that it is of, for whoever names none.
    pub(crate) fn seeds(&self) -> Option<&str> {
        self.found.as_ref().map(|found| found.campaign.seeds.as_str())
    }

    /// How far `campaign` has come.
    pub(crate) fn progress(&self, campaign: &Campaign) -> Result<Tally, Failure> {
        let Some(found) = &self.found else { return Ok(Tally::default()) };
        let differences = campaign.differences(&found.campaign);
        if differences.is_empty() {
            return Ok(found.tally.clone());
        }
        let what = differences.join("; ");
        let message = format!("{}: this is a checkpoint of another campaign: {what}", shown(&self.path));
        Err(Failure::new(Exit::BadInput, message))
    }

    /// Writes how far it has come. Whoever reads the file meanwhile finds the old or the new, whole.
    pub(crate) fn write(&self, campaign: &Campaign, tally: &Tally) -> Result<(), Failure> {
        let written = Written { campaign: campaign.clone(), tally: tally.clone() };
        let mut text = serde_json::to_string_pretty(&written).expect("numbers and text can be written");
        text.push('\n');
        let mut beside = self.path.clone().into_os_string();
        beside.push(".tmp");
        let replaced = File::create(&beside)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, &self.path));
        replaced.map_err(|error| Failure::new(Exit::BadInput, format!("{}: {error}", shown(&self.path))))
    }
}
