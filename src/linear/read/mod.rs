//! Reads histories: one event a line, as `docs/history-format.md` describes.
//!
//! Owns the format. Shows what is wrong in the manner of scenario files, and shares nothing else with them.

mod event;
mod json;
#[cfg(test)]
mod tests;

use crate::linear::history::{History, Misfit, Outcome};
use crate::linear::model::{Kind, Model};
use crate::linear::read::event::{Event, Kind as EventKind};
use crate::linear::read::json::Flaw;
use crate::linear::value::Value;
use crate::scenario::{Excerpt, Problem, ScenarioError};
use core::fmt;
use core::ops::Range;

/// The largest history file, in bytes.
pub const SIZE_MAX: usize = 1 << 28;

/// The longest line, in bytes.
pub const LINE_MAX: usize = 1 << 20;

/// Why a file is not a history, and where.
#[derive(Clone, Debug)]
pub struct HistoryError(ScenarioError);

impl HistoryError {
    fn new(name: &str, text: &str, flaw: &Flaw) -> Self {
        let excerpt = Excerpt::new(name, text, flaw.range.start, flaw.range.end);
        Self(ScenarioError::new(vec![Problem::new(&flaw.message, "here", excerpt)], 0))
    }

    /// A file as a whole is wrong.
    pub(crate) fn whole(name: &str, message: impl Into<String>) -> Self {
        Self::new(name, "", &Flaw::new(0..0, message))
    }

    /// What was found and what was expected.
    #[must_use]
    pub fn message(&self) -> &str {
        self.0.problems()[0].message()
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.problems()[0].line()
    }

    /// The column, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.problems()[0].column()
    }

    /// The error for people, with the line itself and a caret, wrapped at `width`.
    #[must_use]
    pub fn render(&self, color: bool, width: usize) -> String {
        self.0.render(color, width)
    }
}

impl fmt::Display for HistoryError {
    /// `file:line:column: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for HistoryError {}

impl History {
    /// Reads a history of clients of `model`; `name` stands for the file in errors. The number of an event is its line.
    ///
    /// # Errors
    ///
    /// If the file is too large or not UTF-8, if a line is no event, if an event does not fit those before it, or if it is
    /// one that the model does not have. The first such line is told.
    pub fn parse(name: &str, bytes: &[u8], model: &Model) -> Result<Self, HistoryError> {
        if bytes.len() > SIZE_MAX {
            let message = format!("too large, {} bytes: expected at most {SIZE_MAX} (256 MiB)", bytes.len());
            return Err(HistoryError::whole(name, message));
        }
        let text = core::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let message =
                format!("found byte {:#04x}, which is not UTF-8: expected text in UTF-8", bytes[at]);
            // Up to the bad byte nothing is replaced, so the place is the same.
            let text = String::from_utf8_lossy(&bytes[..=at]);
            HistoryError::new(name, &text, &Flaw::new(at..at + 1, message))
        })?;
        let mut reader = Reader { history: Self::default(), kind: model.kind, register: None };
        let begin = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut start = begin;
        for (number, line) in (1..).zip(text[begin..].split('\n')) {
            let range = start..start + line.len();
            start = range.end + 1;
            reader.line(text, range, number).map_err(|flaw| HistoryError::new(name, text, &flaw))?;
        }
        if reader.history.operations().is_empty() {
            let message = "found no event: expected one on each line, {\"process\": …, \"type\": …}";
            return Err(HistoryError::whole(name, message));
        }
        Ok(reader.history)
    }
}

struct Reader {
    history: History,
    kind: Kind,
    /// The key that the register goes by, and the line that said so.
    register: Option<(Value, u64)>,
}

impl Reader {
    fn line(&mut self, text: &str, range: Range<usize>, number: u64) -> Result<(), Flaw> {
        let content = text[range.clone()].trim();
        if content.is_empty() || content.starts_with("//") {
            return Ok(());
        }
        if range.len() > LINE_MAX {
            let message =
                format!("found a line of {} bytes: expected at most {LINE_MAX} (1 MiB)", range.len());
            return Err(Flaw::new(range.start..range.start, message));
        }
        let Some(event) = event::read(text, range, number)? else { return Ok(()) };
        self.history.number_next(number);
        self.take(event)
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), Flaw> {
        let misfit = |misfit: Misfit| {
            let help = match misfit {
                Misfit::NotCalled { .. } => String::new(),
                Misfit::Busy { since, .. }
                | Misfit::Lost { since, .. }
                | Misfit::WrongAnswer { since, .. } => {
                    format!("\n#{since} is the event on line {since}")
                }
            };
            Flaw::new(event.process_range.clone(), format!("{misfit}{help}"))
        };
        if event.kind == EventKind::Invoke {
            let action = event.action()?;
            let key = self.key(&event)?;
            return self.history.call(event.process, key, action, event.time).map(|_| ()).map_err(misfit);
        }
        let outcome = match self.history.open_call(event.process) {
            Some((_, open)) => event.outcome(open)?,
            // Why there is none, the history says.
            None => Outcome::Unknown,
        };
        self.history.end(event.process, outcome, event.time).map(|_| ()).map_err(misfit)
    }

    fn key(&mut self, event: &Event<'_>) -> Result<Value, Flaw> {
        let key = event.key()?;
        match self.kind {
            Kind::Kv => key.ok_or_else(|| {
                let help = "a history without keys is one of a register: use --model register";
                Flaw::new(
                    event.range.clone(),
                    format!("found no `key`: expected the field `key` here\n{help}"),
                )
            }),
            Kind::Register => {
                event.only_of_register()?;
                let key = key.unwrap_or_default();
                let line = event.line;
                match &self.register {
                    None => self.register = Some((key.clone(), line)),
                    Some((first, line)) if *first != key => {
                        let message = format!(
                            "found the key {key}: expected {first} as on line {line}, for a register has one key\n\
                             a history with several keys is one of a store: use --model kv"
                        );
                        return Err(Flaw::new(event.key_range(), message));
                    }
                    Some(_) => {}
                }
                Ok(key)
            }
        }
    }
}
