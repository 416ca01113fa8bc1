//! One run for the eyes of a person: the records kept, the trace written, the table drawn, the verdict told.

use crate::chain::Chain;
use crate::cli::args::{Format, View};
use crate::cli::output::{Output, shown};
use crate::cli::{Exit, Failure};
use crate::execute::{self, Limits, Outcome};
use crate::record::{MessageFacts, Note, Record};
use crate::report::{self, Replay};
use crate::scenario::{Scenario, Seed};
use crate::view::{Detail, Heading, TableOptions, table};
use crate::violation::Violation;
use sim_core::trace::{End, Header, TraceWriter};
use sim_core::{Interest, Observer, Stamp};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// A run that somebody wants to see.
pub(crate) struct Play<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) seed: u64,
    pub(crate) limits: Limits,
    pub(crate) trace: Option<&'a Path>,
    pub(crate) view: View,
    pub(crate) format: Format,
    /// Draw only this many records before and after the violation.
    pub(crate) around: Option<u64>,
    pub(crate) replay: Replay,
}

/// How many records are kept to be drawn: beyond that nobody reads a table, and memory has an end.
pub(crate) const KEPT_MAX: usize = 1_000_000;

/// Keeps the records if somebody is to see them, and writes them if there is a file.
pub(crate) struct Recorder {
    keeps: bool,
    pub(crate) kept: Vec<(Stamp, Record)>,
    trace: Option<TraceWriter<BufWriter<File>>>,
}

impl Recorder {
    /// Keeps the records, and writes none.
    pub(crate) const fn keeping() -> Self {
        Self { keeps: true, kept: Vec::new(), trace: None }
    }

    /// Whether there were more records than are kept, or just as many.
    pub(crate) const fn is_full(&self) -> bool {
        self.kept.len() == KEPT_MAX
    }
}

impl Observer<MessageFacts, Note> for Recorder {
    fn interest(&self) -> Interest {
        if self.keeps || self.trace.is_some() { Interest::ALL } else { Interest::NONE }
    }

    fn observe(&mut self, stamp: Stamp, record: &Record) {
        if let Some(trace) = &mut self.trace {
            trace.observe(stamp, record);
        }
        if self.keeps {
            self.kept.push((stamp, record.clone()));
            self.keeps = self.kept.len() < KEPT_MAX;
        }
    }
}

impl Play<'_> {
    /// Runs, draws and tells.
    pub(crate) fn play(&self, output: &mut Output) -> Result<Outcome, Failure> {
        let file = |error: std::io::Error| {
            let path = self.trace.unwrap_or_else(|| Path::new("the trace"));
            Failure::new(Exit::BadInput, format!("{}: {error}", shown(path)))
        };
        let trace = match self.trace {
            Some(path) => {
                let about =
                    serde_json::json!({ "scenario": self.scenario, "seed": Seed(self.seed).to_string() });
                let header = Header::of::<crate::adapter::Member>(self.scenario.nodes, about);
                Some(TraceWriter::new(BufWriter::new(File::create(path).map_err(file)?), &header))
            }
            None => None,
        };
        let draws = self.view != View::None && self.format == Format::Text;
        let recorder = Recorder { keeps: draws, kept: Vec::new(), trace };
        let (outcome, mut recorder) = execute::run(self.scenario, self.seed, self.limits, recorder)
            .map_err(|error| Failure::new(Exit::BadInput, error.to_string()))?;
        if let Some(trace) = recorder.trace.take() {
            let end = End {
                records: outcome.records,
                digest: format!("{:016x}", outcome.digest),
                about: serde_json::json!({ "verdict": outcome.verdict.word(), "violations": outcome.violations }),
            };
            if let Err(failure) = trace.finish(end).map_err(file) {
                output.not_written(failure);
            }
        }
        if recorder.is_full() {
            output.tell(&format!("only the first {KEPT_MAX} records are drawn; --trace FILE keeps all"));
        }
        if draws && !output.quiet {
            self.draw(&outcome, &recorder.kept, output)?;
        }
        Ok(outcome)
    }

    fn draw(&self, outcome: &Outcome, lines: &[(Stamp, Record)], output: &mut Output) -> Result<(), Failure> {
        let violation = outcome.violation().map(|violation| violation.record);
        let window = self.around.zip(violation).map(|(around, at)| at.saturating_sub(around)..=at + around);
        let heading = Heading {
            name: self.scenario.name.clone(),
            verdict: verdict_text(outcome),
            failed: !outcome.verdict.as_expected(),
            seed: Seed(outcome.seed).to_string(),
            digest: format!("{:016x}", outcome.digest),
            ended: outcome.at,
        };
        let options = TableOptions {
            width: output.width,
            color: output.color,
            ascii: output.ascii,
            detail: if self.view == View::Full { Detail::Full } else { Detail::Folded },
            window,
            violation,
        };
        let drawn = table(self.scenario.nodes, lines, &heading, &options);
        output.raw(drawn.as_bytes())?;
        Ok(())
    }

    /// Says how it went.
    pub(crate) fn tell(&self, outcome: &Outcome, output: &mut Output) -> Result<(), Failure> {
        if self.format == Format::Text && !(output.quiet && outcome.verdict.as_expected()) {
            let text =
                report::text(self.scenario, outcome, &self.replay.line(outcome.seed, &Chain::of(outcome)));
            output.line(text.trim_end())?;
        }
        Ok(())
    }
}

fn verdict_text(outcome: &Outcome) -> String {
    let property =
        outcome.violation().map(|Violation { property, .. }| format!(" {property}")).unwrap_or_default();
    format!("{}{property}", outcome.verdict.word())
}
