//! **Linearizability**: to the clients the cluster looks like one machine that does one thing at a time.
//!
//! It is judged when the run is over ([`Linearizability::conclude`]), from the calls and returns of the clients. Where
//! each call took effect is known from the nodes' notes: a command where it was first applied with an effect, a read past
//! the log at the index that its answer names. That is a certificate, which is checked against a model of its own in one
//! sweep: if it holds, that is a proof. If it does not, the history is judged as a stranger would, by its calls and
//! returns alone; and that the order of application was not the order that clients saw is said along with the verdict.
//!
//! Source: Herlihy and Wing 1990; Raft §8, thesis §6.3 and §6.4. Undecided is reported as a violation that says so: it is
//! never a pass.
//!
//! Not asserted: anything of a call that nobody knows the outcome of, but that it happens at most once; nor what an append
//! answers of the length, and a delete of whether there was anything: of these only that they happened.
//!
//! Cost: a look-up per applied command of a client, nothing without clients; at the end O(n log n) in the calls.

use super::Found;
use crate::linear::{self, BUDGET_DEFAULT, History, Model, Verdict, check_with_certificate};
use crate::record::{Action, Bytes, Effect, Hash64, Note, Outcome, ReadKind, Record};
use crate::violation::Property;
use sim_core::Stamp;
use std::collections::{BTreeMap, BTreeSet};

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct Linearizability {
    history: History,
    /// By operation: where it took effect.
    positions: Vec<Option<u64>>,
    /// By command: the operation that it belongs to, until it is known where it took effect.
    commands: BTreeMap<Hash64, usize>,
    /// The clients whose open call nobody judges: a read of whatever a node has.
    unjudged: BTreeSet<u64>,
    /// What is wrong with the history itself, if anything: clients of ours never do that.
    misfit: Option<String>,
}

fn value(bytes: &Bytes) -> linear::Value {
    linear::Value::from(&bytes.0[..])
}

fn maybe(bytes: Option<&Bytes>) -> Option<linear::Value> {
    bytes.map(value)
}

fn action(action: &Action) -> linear::Action {
    match action {
        Action::Get => linear::Action::Get,
        Action::Put(new) => linear::Action::Put(value(new)),
        Action::Cas(expected, new) => {
            linear::Action::Cas { expected: maybe(expected.as_ref()), new: value(new) }
        }
        Action::Append(more) => linear::Action::Append(value(more)),
        Action::Delete => linear::Action::Delete,
    }
}

fn outcome(outcome: &Outcome) -> linear::Outcome {
    match outcome {
        Outcome::Read(read) => linear::Outcome::Read(maybe(read.as_ref())),
        Outcome::Done | Outcome::Length(_) | Outcome::Deleted(_) => linear::Outcome::Done,
        Outcome::Mismatch(saw) => linear::Outcome::Mismatch(maybe(saw.as_ref())),
        Outcome::Refused => linear::Outcome::Failed,
        Outcome::Unknown => linear::Outcome::Unknown,
    }
}

impl Linearizability {
    /// What clients called so far.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Remembers a record.
    #[inline]
    pub fn observe(&mut self, stamp: Stamp, record: &Record) {
        let Record::Noted { note, .. } = record else { return };
        match note {
            Note::Apply { index, command, effect: Effect::Done, .. } => {
                if let Some(operation) = self.commands.remove(command) {
                    self.positions[operation] = Some(*index);
                }
            }
            Note::Call(call) if call.read == ReadKind::Local => {
                self.unjudged.insert(call.client);
            }
            Note::Return(back) if self.unjudged.remove(&back.client) => {}
            Note::Call(call) => {
                let key = linear::Value::from(call.key);
                self.history.number_next(stamp.number);
                match self.history.call(call.client, key, action(&call.action), stamp.at) {
                    Ok(_) => self.positions.push(None),
                    Err(misfit) => self.misfit = Some(misfit.to_string()),
                }
            }
            Note::Submitted { client, command, .. } => {
                if let Some((operation, _)) = self.history.open_call(*client) {
                    self.commands.insert(*command, operation.0);
                }
            }
            Note::Return(back) => {
                self.history.number_next(stamp.number);
                match self.history.end(back.client, outcome(&back.outcome), stamp.at) {
                    Ok(operation) => {
                        if let Some(index) = back.index {
                            self.positions[operation.0] = Some(index);
                        }
                    }
                    Err(misfit) => self.misfit = Some(misfit.to_string()),
                }
            }
            _ => {}
        }
    }

    /// Judges everything that clients saw, unless that is not asked any more: a search may take long.
    pub fn conclude(&mut self, stamp: Stamp, found: &mut Found) {
        if let Some(misfit) = self.misfit.take() {
            found.report(Property::Linearizability, stamp, None, || misfit);
        }
        if self.history.operations().is_empty() || found.is_closed(Property::Linearizability) {
            return;
        }
        let checked = check_with_certificate(&self.history, &Model::kv(), &self.positions, BUDGET_DEFAULT);
        let refused = checked.refused.map(|refused| {
            format!("in the order of application, {}", refused.render(&self.history, &self.positions))
        });
        match checked.verdict {
            Verdict::Linearizable => {}
            Verdict::Violation(explanation) => {
                found.report_with_cause(Property::Linearizability, stamp, None, || {
                    (explanation.render(&self.history), refused)
                });
            }
            Verdict::Undecided { steps, .. } => {
                found.report_with_cause(Property::Linearizability, stamp, None, || {
                    (format!("undecided after {steps} steps: neither a pass nor a violation"), refused)
                });
            }
        }
    }
}
