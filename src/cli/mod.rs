//! The program `seaworthy`: reads its command line, does one thing, says how it went, and ends with a code.
//!
//! Results go to standard output, progress and diagnostics to standard error. The codes are those of [`Exit`].

mod args;
mod campaign;
mod capsules;
mod check_history;
mod exit;
mod files;
mod fuzz;
mod interrupt;
mod merge;
mod output;
mod play;
mod progress;
mod replay;
mod results;
mod run;
mod show;

pub use exit::Exit;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use output::Output;
use std::io::Write;
use std::process::ExitCode;

/// Something that ends the program early: what to say, and the code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::BadInput, format!("standard output: {error}"))
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return print(&error).into(),
    };
    let mut output = Output::new(&cli.common);
    let result = sim_core::catch(|| dispatch(&cli, &mut output));
    let exit = match result.map(|done| done.and_then(|exit| output.take_unwritten().map_or(Ok(exit), Err))) {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            output.error(&failure.message);
            failure.exit
        }
        Err(report) => {
            output.error(&format!("this is a bug in seaworthy: {} (at {})", report.message, report.place));
            Exit::Internal
        }
    };
    exit.into()
}

/// What the reader of the command line has to say: help and version are results, all else is an error.
fn print(error: &clap::Error) -> Exit {
    let printed = error.print().and_then(|()| std::io::stdout().flush());
    if error.use_stderr() {
        // Nobody is left to tell if this could not be printed.
        return Exit::Usage;
    }
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let failure = Failure::from(error);
            let _ = writeln!(std::io::stderr(), "error: {}", failure.message);
            failure.exit
        }
        _ => Exit::Clean,
    }
}

fn dispatch(cli: &Cli, output: &mut Output) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Run(args) => run::run(args, output),
        Command::Fuzz(args) => fuzz::fuzz(args, output),
        Command::Merge(args) => merge::merge(args, output),
        Command::Replay(args) => replay::replay(args, output),
        Command::Shrink(args) => capsules::shrink(args, output),
        Command::Regress(args) => capsules::regress(args, output),
        Command::Explain(args) => capsules::explain(args, output),
        Command::Check(args) => files::check(args, output),
        Command::List(args) => files::list(args, output),
        Command::Show(args) => show::show(args, output),
        Command::CheckHistory(args) => check_history::check_history(args, output),
        Command::Schema => {
            let schema = serde_json::to_string_pretty(&crate::scenario::schema()).unwrap_or_default();
            output.line(&schema)?;
            Ok(Exit::Clean)
        }
        Command::Mutations => mutations(output),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "seaworthy", &mut text);
            output.raw(&text)?;
            Ok(Exit::Clean)
        }
        Command::Man => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut text)?;
            output.raw(&text)?;
            Ok(Exit::Clean)
        }
    }
}

#[cfg(feature = "mutations")]
fn mutations(output: &mut Output) -> Result<Exit, Failure> {
    for mutation in crate::adapter::Mutation::ALL {
        output.line(&format!("{}  (breaks {})", mutation.name(), mutation.breaks()))?;
        output.line(&format!("    {}", mutation.what()))?;
        output.line(&format!("    source: {}", mutation.source()))?;
    }
    Ok(Exit::Clean)
}

#[cfg(not(feature = "mutations"))]
fn mutations(_: &mut Output) -> Result<Exit, Failure> {
    let message = "this build has no planted bugs: build it with `--features mutations`";
    Err(Failure::new(Exit::NothingSelected, message))
}
