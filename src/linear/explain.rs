//! Why a history cannot be: the few operations that conflict, told to people.

use crate::linear::history::{Action, History, Moment, Operation, OperationId, Outcome};
use crate::linear::value::Value;
use sim_core::VirtualTime;

/// Operations that no order can reconcile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The key they are on; `None` if keys do not matter.
    pub key: Option<Value>,
    /// The operations, in the order of their calls.
    pub operations: Vec<OperationId>,
    /// Why they cannot be ordered: a sentence or two.
    pub why: String,
    /// Whether they are as few as can be; false if the budget ran out before that was known.
    pub reduced: bool,
}

/// How many operations are told in a text.
const TOLD_MAX: usize = 24;

impl Explanation {
    /// A few lines for people: who called what when, what came back, and why there is no order.
    #[must_use]
    pub fn render(&self, history: &History) -> String {
        let timed = history.operations().iter().any(|operation| operation.call.at != VirtualTime::ZERO);
        let mut rows = Vec::new();
        for id in self.operations.iter().take(TOLD_MAX) {
            rows.push(row(&history.operations()[id.0], self.key.is_none(), timed));
        }
        let mut widths = [0; 4];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut lines = Vec::new();
        for row in &rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str(&format!("  {cell:width$}"));
            }
            lines.push(format!("{}  {}", line, row[4]).trim_end().to_string());
        }
        if let Some(more) = self.operations.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
            lines.push(format!("  and {more} more"));
        }
        lines.push(format!("  {}", self.why));
        lines.join("\n")
    }
}

/// An event's number, and its time if the history has times.
fn moment(moment: Moment, timed: bool) -> String {
    if timed { format!("#{} at {}", moment.number, moment.at) } else { format!("#{}", moment.number) }
}

fn row(operation: &Operation, keys: bool, timed: bool) -> [String; 5] {
    let key = if keys && !operation.key.bytes().is_empty() {
        format!("{}: ", operation.key)
    } else {
        String::new()
    };
    let end = match operation.end {
        Some(end) => format!("returned {}", moment(end, timed)),
        None => "never returned".to_string(),
    };
    [
        format!("process {}", operation.process),
        format!("{key}{}", asked(&operation.action)),
        format!("called {}", moment(operation.call, timed)),
        end,
        answered(&operation.outcome),
    ]
}

/// An action in words.
#[must_use]
pub(crate) fn asked(action: &Action) -> String {
    match action {
        Action::Get => "get".to_string(),
        Action::Put(value) => format!("put {value}"),
        Action::Cas { expected, new } => format!("cas {} to {new}", held(expected.as_ref())),
        Action::Append(value) => format!("append {value}"),
        Action::Delete => "delete".to_string(),
    }
}

fn answered(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Unknown => "outcome unknown".to_string(),
        Outcome::Read(value) => format!("read {}", held(value.as_ref())),
        Outcome::Done => "ok".to_string(),
        Outcome::Mismatch(seen) => format!("mismatch, saw {}", held(seen.as_ref())),
        Outcome::Failed => "failed".to_string(),
    }
}

/// What a cell holds, in words.
pub(crate) fn held(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_string(), ToString::to_string)
}
