//! Histories: who called what, when, and what came back.
//!
//! Owns the rules of a well-formed history. Must not know where histories come from.

use crate::linear::value::Value;
use core::fmt;
use sim_core::VirtualTime;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What a client asks of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the value.
    Get,
    /// Write a value.
    Put(Value),
    /// Write `new` if the key holds `expected`; `None` means that the key is absent.
    Cas {
        /// What the key must hold.
        expected: Option<Value>,
        /// What it holds afterwards.
        new: Value,
    },
    /// Add bytes at the end; an absent key counts as empty.
    Append(Value),
    /// Make the key absent.
    Delete,
}

impl Action {
    /// Its name in history files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put(_) => "put",
            Self::Cas { .. } => "cas",
            Self::Append(_) => "append",
            Self::Delete => "delete",
        }
    }
}

/// What is known of how a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not returned, or nobody knows what became of it: it may take effect at any time after the call, or never.
    Unknown,
    /// A get returned this; `None` if the key is absent.
    Read(Option<Value>),
    /// A put, an append or a delete took effect, or a cas found what it expected.
    Done,
    /// A cas found this instead of what it expected, and wrote nothing.
    Mismatch(Option<Value>),
    /// It certainly did not happen. Such an operation restricts nothing.
    Failed,
}

/// A point in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The number of the event, from 1. Numbers are unique and decide what came first; in a file it is the line.
    pub number: u64,
    /// When it was. For explanations only.
    pub at: VirtualTime,
}

/// One call of a client and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who called.
    pub process: u64,
    /// On which key.
    pub key: Value,
    /// What was asked.
    pub action: Action,
    /// When it was called.
    pub call: Moment,
    /// When it returned; `None` exactly if the outcome is unknown.
    pub end: Option<Moment>,
    /// What came back.
    pub outcome: Outcome,
}

/// Which operation of a history: its place in [`History::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationId(pub usize);

/// A well-formed history: a process has one call at a time, and what comes back fits what was asked.
#[derive(Clone, Debug, Default)]
pub struct History {
    operations: Vec<Operation>,
    /// By process, what it last called. Nobody who has called leaves: most come back.
    processes: BTreeMap<u64, Called>,
    last: u64,
}

/// The last call of a process.
#[derive(Clone, Copy, Debug)]
struct Called {
    place: usize,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Returned,
    /// Nobody knows what came of it, and nobody will.
    GivenUp,
}

/// Why an event does not fit a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The process calls though the call of event `since` is open.
    Busy {
        /// The process.
        process: u64,
        /// The event of the open call.
        since: u64,
    },
    /// The process calls or returns though the call of event `since` ended in nobody knows what.
    Lost {
        /// The process.
        process: u64,
        /// The event of that call.
        since: u64,
    },
    /// The process returns and has not called.
    NotCalled {
        /// The process.
        process: u64,
    },
    /// What comes back is no answer to what was asked.
    WrongAnswer {
        /// The event of the call.
        since: u64,
        /// The name of the action.
        asked: &'static str,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { process, since } => {
                write!(
                    f,
                    "process {process} has called already (#{since}): expected that call to return first"
                )
            }
            Self::Lost { process, since } => write!(
                f,
                "the outcome of the call of process {process} (#{since}) is unknown, so the call never ends: \
                 expected a new process id for what its client does next"
            ),
            Self::NotCalled { process } => {
                write!(f, "process {process} returns without a call: expected a call before")
            }
            Self::WrongAnswer { since, asked } => write!(f, "no answer to `{asked}` (#{since})"),
        }
    }
}

impl core::error::Error for Misfit {}

impl History {
    /// The operations, in the order of their calls.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Gives the next event this number, at least; numbers only grow.
    pub fn number_next(&mut self, number: u64) {
        self.last = self.last.max(number.saturating_sub(1));
    }

    /// The call of `process` that has not returned, and its place, if it has one and has not given it up.
    #[must_use]
    pub fn open_call(&self, process: u64) -> Option<(OperationId, &Operation)> {
        let called = self.processes.get(&process).filter(|called| called.standing == Standing::Open)?;
        Some((OperationId(called.place), &self.operations[called.place]))
    }

    /// `process` calls.
    ///
    /// # Errors
    ///
    /// If its last call has not returned: clients that gave up a call go on under a new process id.
    pub fn call(
        &mut self,
        process: u64,
        key: Value,
        action: Action,
        at: VirtualTime,
    ) -> Result<OperationId, Misfit> {
        let place = self.operations.len();
        let called = Called { place, standing: Standing::Open };
        match self.processes.entry(process) {
            Entry::Vacant(vacant) => {
                vacant.insert(called);
            }
            Entry::Occupied(mut last) => {
                let since = self.operations[last.get().place].call.number;
                match last.get().standing {
                    Standing::Returned => *last.get_mut() = called,
                    Standing::Open => return Err(Misfit::Busy { process, since }),
                    Standing::GivenUp => return Err(Misfit::Lost { process, since }),
                }
            }
        }
        self.last += 1;
        let call = Moment { number: self.last, at };
        self.operations.push(Operation { process, key, action, call, end: None, outcome: Outcome::Unknown });
        Ok(OperationId(place))
    }

    /// The call of `process` ends. With [`Outcome::Unknown`] it stays without an end, and the process is used up.
    ///
    /// # Errors
    ///
    /// If it has no open call, or if the outcome does not fit what was called.
    pub fn end(&mut self, process: u64, outcome: Outcome, at: VirtualTime) -> Result<OperationId, Misfit> {
        let Some(called) = self.processes.get_mut(&process) else {
            return Err(Misfit::NotCalled { process });
        };
        let place = called.place;
        let operation = &mut self.operations[place];
        let since = operation.call.number;
        match called.standing {
            Standing::Open => {}
            Standing::Returned => return Err(Misfit::NotCalled { process }),
            Standing::GivenUp => return Err(Misfit::Lost { process, since }),
        }
        let fits = match (&operation.action, &outcome) {
            (_, Outcome::Unknown | Outcome::Failed)
            | (Action::Get, Outcome::Read(_))
            | (Action::Cas { .. }, Outcome::Mismatch(_) | Outcome::Done)
            | (Action::Put(_) | Action::Append(_) | Action::Delete, Outcome::Done) => true,
            (_, Outcome::Read(_) | Outcome::Mismatch(_) | Outcome::Done) => false,
        };
        if !fits {
            return Err(Misfit::WrongAnswer { since, asked: operation.action.name() });
        }
        self.last += 1;
        if outcome == Outcome::Unknown {
            called.standing = Standing::GivenUp;
        } else {
            called.standing = Standing::Returned;
            operation.end = Some(Moment { number: self.last, at });
            operation.outcome = outcome;
        }
        Ok(OperationId(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: VirtualTime = VirtualTime::ZERO;

    #[test]
    fn a_process_has_one_call_at_a_time() {
        let mut history = History::default();
        history.call(1, "x".into(), Action::Get, T).unwrap();
        let busy = history.call(1, "x".into(), Action::Get, T);
        assert_eq!(busy, Err(Misfit::Busy { process: 1, since: 1 }));
        history.end(1, Outcome::Read(None), T).unwrap();
        history.call(1, "x".into(), Action::Get, T).unwrap();
        assert_eq!(history.operations().len(), 2);
        assert_eq!(history.operations()[1].call.number, 3);
    }

    #[test]
    fn a_process_whose_call_is_lost_is_used_up() {
        let mut history = History::default();
        history.call(1, "x".into(), Action::Delete, T).unwrap();
        history.end(1, Outcome::Unknown, T).unwrap();
        let lost = Misfit::Lost { process: 1, since: 1 };
        assert_eq!(history.call(1, "x".into(), Action::Get, T), Err(lost));
        assert_eq!(history.end(1, Outcome::Done, T), Err(lost));
        assert!(history.operations()[0].end.is_none());
    }

    #[test]
    fn what_returns_was_called_and_fits_the_call() {
        let mut history = History::default();
        assert_eq!(history.end(1, Outcome::Done, T), Err(Misfit::NotCalled { process: 1 }));
        history.call(1, "x".into(), Action::Get, T).unwrap();
        let wrong = Misfit::WrongAnswer { since: 1, asked: "get" };
        assert_eq!(history.end(1, Outcome::Done, T), Err(wrong));
        assert_eq!(history.end(1, Outcome::Mismatch(None), T), Err(wrong));
        history.end(1, Outcome::Failed, T).unwrap();
        assert_eq!(history.end(1, Outcome::Failed, T), Err(Misfit::NotCalled { process: 1 }), "twice");
    }

    #[test]
    fn numbers_can_be_those_of_lines() {
        let mut history = History::default();
        history.number_next(7);
        history.call(1, "x".into(), Action::Get, T).unwrap();
        history.number_next(3);
        history.end(1, Outcome::Read(None), T).unwrap();
        let operation = &history.operations()[0];
        assert_eq!((operation.call.number, operation.end.map(|end| end.number)), (7, Some(8)));
    }
}
