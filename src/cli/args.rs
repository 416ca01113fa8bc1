//! The command line.

use crate::chain::Chain;
use crate::cli::exit::Exit;
use crate::execute::{UnknownMutation, build};
use crate::fuzz::Strategy;
use crate::linear::BUDGET_DEFAULT;
use crate::scenario::Seed;
use clap::{Args, Parser, Subcommand, ValueEnum};
use core::ops::Range;
use core::str::FromStr;
use std::path::PathBuf;

/// Is your Raft seaworthy? Runs Raft clusters in virtual time, deterministically, through every storm.
#[derive(Debug, Parser)]
#[command(name = "seaworthy", version, about, after_help = Exit::TABLE, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    /// Say only what went wrong
    #[arg(short, long, global = true, env = "SEAWORTHY_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) quiet: bool,
    /// When to use colour; `auto` asks the terminal, NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, env = "SEAWORTHY_COLOR", hide_env_values = true)]
    pub(crate) color: Color,
    /// Columns to draw in; by default the terminal's, or 120
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(40..=1000))]
    pub(crate) width: Option<u16>,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub(crate) ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum View {
    /// The story: heartbeats folded
    Table,
    /// Every record
    Full,
    /// No view
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// A lane for each node
    Table,
    /// A sequence diagram for issue threads, of the last 120 events up to what broke
    Mermaid,
    /// A log with vector clocks, as ShiViz reads it
    Shiviz,
    /// Trace events, as Chrome and Perfetto read them
    Chrome,
    /// One JSON document of all records
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenario files
    Run(Run),
    /// Draw whole scenarios from seeds and run them until something breaks
    Fuzz(Fuzz),
    /// Put the results of a campaign together that was shared out
    Merge(Merge),
    /// Run one seed again, or a capsule, and check that it gives the same digest
    Replay(Replay),
    /// Find the shortest story that fails as a capsule or a scenario does
    Shrink(Shrink),
    /// Run every capsule of a folder again: what was mended must not fail, and planted bugs must
    Regress(Regress),
    /// Tell the story of a capsule in sentences
    Explain(Explain),
    /// Read scenario files and say what is wrong with them, without running them
    Check(Check),
    /// List the scenarios of a folder and what each shows
    List(List),
    /// Draw a trace file
    Show(Show),
    /// Judge whether what clients saw is linearizable
    CheckHistory(CheckHistory),
    /// Print the JSON schema of scenario files
    Schema,
    /// List the planted bugs that this build can switch on
    Mutations,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The seed: decimal, 0x… or a 40-digit git hash. By default the scenario's own
    #[arg(long, conflicts_with = "seeds")]
    pub(crate) seed: Option<Seed>,
    /// Run every seed of a range, the end excluded
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<SeedRange>,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Write every record to this file, one JSON document a line (one scenario and one seed only)
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// What to draw. By default a table for one scenario and one seed, else nothing
    #[arg(long, value_enum)]
    pub(crate) view: Option<View>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text, env = "SEAWORTHY_FORMAT", hide_env_values = true)]
    pub(crate) format: Format,
    /// Switch on a planted bug in every node (needs a build with the feature `mutations`)
    #[arg(long, value_name = "NAME", value_parser = planted)]
    pub(crate) mutation: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Jobs {
    /// How many threads; by default as many as there are processors. The results are the same for any number
    #[arg(short, long, env = "SEAWORTHY_JOBS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Jobs {
    pub(crate) fn count(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
        self.jobs.map_or_else(processors, usize::from)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Fuzz {
    /// Run this scenario over many seeds; without it scenarios are drawn
    #[arg(value_name = "SCENARIO", conflicts_with = "strategy")]
    pub(crate) scenario: Option<PathBuf>,
    /// Stop after this time, such as 30s or 10min (the default is 30s)
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["runs", "seeds"])]
    pub(crate) time: Option<sim_core::Span>,
    /// Stop after so many runs
    #[arg(long, value_name = "N", conflicts_with = "seeds", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: Option<u64>,
    /// Run exactly these run seeds, the end excluded
    #[arg(long, value_name = "A..B", conflicts_with = "seed")]
    pub(crate) seeds: Option<SeedRange>,
    /// The seed of the campaign, from which the seeds of the runs are drawn. By default a new one, which is printed
    #[arg(long)]
    pub(crate) seed: Option<Seed>,
    /// Go on until so many runs have failed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_fail: u64,
    /// Add the results to this file, chunk by chunk, and go on from what stands in it
    #[arg(long, value_name = "FILE")]
    pub(crate) results: Option<PathBuf>,
    /// Which part of the campaign to do, from 0
    #[arg(long, value_name = "I", default_value_t = 0, requires = "shard_count")]
    pub(crate) shard_index: u64,
    /// Into how many parts the campaign is shared out
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) shard_count: u64,
    /// Count the states of the protocol that are reached, which takes time and memory
    #[arg(long, conflicts_with = "results")]
    pub(crate) coverage: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Draw by one strategy alone: swarm, priority, race, aimed or splice
    #[arg(long, value_name = "NAME", default_value_t = Strategy::Portfolio)]
    pub(crate) strategy: Strategy,
    #[command(flatten)]
    pub(crate) telling: Telling,
    /// Switch on a planted bug in every node (needs a build with the feature `mutations`)
    #[arg(long, value_name = "NAME", value_parser = planted)]
    pub(crate) mutation: Option<String>,
}

/// How the end of a campaign is told.
#[derive(Args, Debug)]
pub(crate) struct Telling {
    /// Write what fails into this folder, as capsules
    #[arg(long, value_name = "FOLDER", default_value = ".seaworthy")]
    pub(crate) capsules: PathBuf,
    /// Write no capsule
    #[arg(long, conflicts_with = "capsules")]
    pub(crate) no_capsule: bool,
    /// Leave what fails as long as it is
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// Write a report for build servers into this file, in the format of JUnit
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Annotate failures for GitHub, on standard error
    #[arg(long)]
    pub(crate) github: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text, env = "SEAWORTHY_FORMAT", hide_env_values = true)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct Merge {
    /// Files of results, as `fuzz --results` writes them
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write all of them into this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The file of the scenario, for the replay line, if the campaign ran one
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) scenario: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) telling: Telling,
}

#[derive(Args, Debug)]
pub(crate) struct Replay {
    /// The seed, as it was printed, or a capsule
    #[arg(value_name = "SEED|CAPSULE")]
    pub(crate) what: SeedOrCapsule,
    /// Follow the schedule of the capsule as nearly as can be, even where this build means the same by its seed
    #[arg(long)]
    pub(crate) nearly: bool,
    /// The scenario that failed; without it the scenario is drawn from the seed, as `fuzz` does
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    /// The strategy that drew it, if it was one alone [default: portfolio]
    #[arg(long, value_name = "NAME", conflicts_with = "scenario")]
    pub(crate) strategy: Option<Strategy>,
    /// The digest to expect: 16 digits, or all that was printed
    #[arg(long)]
    pub(crate) digest: Option<Chain>,
    /// Write every record to this file, one JSON document a line
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Write the scenario that was drawn to this file
    #[arg(long, value_name = "FILE", conflicts_with = "scenario")]
    pub(crate) save: Option<PathBuf>,
    /// What to draw of a seed: around the violation, if there is one. Of a capsule, `explain` tells the story
    #[arg(long, value_enum, default_value_t = View::Table, env = "SEAWORTHY_VIEW", hide_env_values = true)]
    pub(crate) view: View,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text, env = "SEAWORTHY_FORMAT", hide_env_values = true)]
    pub(crate) format: Format,
    /// Switch on a planted bug in every node (needs a build with the feature `mutations`)
    #[arg(long, value_name = "NAME", value_parser = planted)]
    pub(crate) mutation: Option<String>,
}

/// What is to be had again.
#[derive(Clone, Debug)]
pub(crate) enum SeedOrCapsule {
    Seed(Seed),
    Capsule(PathBuf),
}

impl FromStr for SeedOrCapsule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(seed) => Ok(Self::Seed(seed)),
            // A file is meant by a name that no seed has, or by a path.
            Err(_) if text.contains(['/', '.', '\\']) => Ok(Self::Capsule(PathBuf::from(text))),
            Err(error) => Err(format!("{error}; a capsule is named by its path, such as ./failure.json")),
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Shrink {
    /// The capsule, into which the story is written, or a scenario that fails
    #[arg(value_name = "CAPSULE|SCENARIO")]
    pub(crate) file: PathBuf,
    /// The seed with which the scenario fails. By default the one in the file
    #[arg(long)]
    pub(crate) seed: Option<Seed>,
    /// Write the story to this file, as a scenario; without it, it is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Regress {
    /// Capsules, or folders of them
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text, env = "SEAWORTHY_FORMAT", hide_env_values = true)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The capsule
    #[arg(value_name = "CAPSULE")]
    pub(crate) capsule: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// The folder
    #[arg(default_value = "scenarios")]
    pub(crate) folder: PathBuf,
    /// How to print the list
    #[arg(long, value_enum, default_value_t = Format::Text, env = "SEAWORTHY_FORMAT", hide_env_values = true)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The trace
    #[arg(value_name = "TRACE")]
    pub(crate) file: PathBuf,
    /// As what: everything but the table is for other tools
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(crate) format: ShowFormat,
    /// What to draw as a table
    #[arg(long, value_enum, default_value_t = View::Table, env = "SEAWORTHY_VIEW", hide_env_values = true)]
    pub(crate) view: View,
    /// Draw only from this record on
    #[arg(long, value_name = "RECORD")]
    pub(crate) from: Option<u64>,
    /// Draw only up to this record
    #[arg(long, value_name = "RECORD")]
    pub(crate) to: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelName {
    /// One register: get, put, cas
    Register,
    /// A store of independent keys: get, put, cas, append, delete
    Kv,
}

#[derive(Args, Debug)]
pub(crate) struct CheckHistory {
    /// History files, one event a line (docs/history-format.md); `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What the clients talk to
    #[arg(long, value_enum, default_value_t = ModelName::Kv)]
    pub(crate) model: ModelName,
    /// What the register, or every key, holds at first; by default nothing
    #[arg(long, value_name = "VALUE")]
    pub(crate) initial: Option<String>,
    /// Give up a search after so many steps (a look at an event, or 32 bytes of a value that appends made) and say that nothing
    /// was decided
    #[arg(long, value_name = "STEPS", default_value_t = BUDGET_DEFAULT, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) budget: u64,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text, env = "SEAWORTHY_FORMAT", hide_env_values = true)]
    pub(crate) format: Format,
}

/// The name of a planted bug that this build has.
fn planted(name: &str) -> Result<String, UnknownMutation> {
    build::planted(name).map(|_| name.to_string())
}

/// Seeds from A to B, B excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeedRange(pub(crate) Range<u64>);

impl FromStr for SeedRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").ok_or("expected a range such as 0..1000")?;
        let seed = |text: &str| text.parse::<Seed>().map(|seed| seed.0).map_err(|error| error.to_string());
        let (from, to) = (seed(from)?, seed(to)?);
        if from < to { Ok(Self(from..to)) } else { Err(format!("{from}..{to} holds no seed")) }
    }
}
