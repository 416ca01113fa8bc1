//! The oracle: reads notes and nothing else.

use crate::protocol::{Message, Note, Outcome, State, Transaction};
use sim_core::{Interest, Observer, ProcessId, Record, RecordKind, Stamp};
use std::collections::BTreeMap;

/// Watches notes, and panics: a transaction must end the same way everywhere, and for good.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) states: BTreeMap<Transaction, BTreeMap<ProcessId, State>>,
    /// The first one: what comes after it proves little.
    pub(crate) violation: Option<Violation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The record that shows it.
    pub(crate) stamp: Stamp,
    /// What it is about; nothing for a panic.
    pub(crate) transaction: Option<Transaction>,
    pub(crate) text: String,
}

impl Oracle {
    /// What is wrong with this note after all those before.
    pub(crate) fn judge(&self, process: ProcessId, Note { transaction, state }: Note) -> Option<String> {
        let states = self.states.get(&transaction)?;
        let contradicts = |before: &State| matches!(before, State::Ended(_)) && *before != state;
        if let Some(before) = states.get(&process).filter(|before| contradicts(before)) {
            return Some(format!("stability: process {process} says {state:?}, but said {before:?}"));
        }
        let State::Ended(_) = state else { return None };
        // From the last process on, so that a participant is named rather than the coordinator.
        let (other, otherwise) = states.iter().rev().find(|(_, before)| contradicts(before))?;
        Some(format!("atomicity: process {process} says {state:?}, but process {other} {otherwise:?}"))
    }

    /// For when the storm is over and there was time enough: nobody may be in doubt any more.
    pub(crate) fn judge_progress(&mut self, stamp: Stamp) {
        for (transaction, states) in &self.states {
            if let Some((process, _)) = states.iter().find(|(_, state)| **state == State::Prepared) {
                let text = format!("progress: process {process} is still in doubt");
                self.violation.get_or_insert(Violation { stamp, transaction: Some(*transaction), text });
            }
        }
    }

    /// How a transaction ended, if anybody knows.
    pub(crate) fn outcome(&self, transaction: Transaction) -> Option<Outcome> {
        self.states.get(&transaction)?.values().find_map(|state| match state {
            State::Ended(outcome) => Some(*outcome),
            State::Prepared => None,
        })
    }
}

impl Observer<Message, Note> for Oracle {
    fn interest(&self) -> Interest {
        Interest::of(&[RecordKind::Noted, RecordKind::Panicked])
    }

    fn observe(&mut self, stamp: Stamp, record: &Record<Message, Note>) {
        let (transaction, text) = match record {
            Record::Noted { process, note } => {
                let text = self.judge(*process, *note);
                self.states.entry(note.transaction).or_default().insert(*process, note.state);
                (Some(note.transaction), text)
            }
            // The world takes a panic for a crash. An assertion that failed is more than that.
            Record::Panicked { process, report, .. } => {
                (None, Some(format!("process {process} panics: {}", report.message)))
            }
            other => unreachable!("not asked for: {other:?}"),
        };
        if let Some(text) = text {
            self.violation.get_or_insert(Violation { stamp, transaction, text });
        }
    }
}
