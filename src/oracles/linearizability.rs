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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::testing::{Story, command, story};
    use crate::record::{Call, Return};

    fn bytes(text: &str) -> Bytes {
        Bytes(text.as_bytes().into())
    }

    fn put(text: &str) -> Action {
        Action::Put(bytes(text))
    }

    /// A client, which is a process beside the two nodes, calls for key 5.
    fn calls(story: Story, client: u64, action: Action, read: ReadKind) -> Story {
        story.note(7, Note::Call(Box::new(Call { client, number: 1, key: 5, action, read })))
    }

    fn submits(story: Story, client: u64, name: &str) -> Story {
        story.note(7, Note::Submitted { client, number: 1, command: command(name) })
    }

    fn returns(story: Story, client: u64, outcome: Outcome, index: Option<u64>) -> Story {
        story.note(7, Note::Return(Box::new(Return { client, number: 1, outcome, index })))
    }

    /// 0 leads two nodes, has committed a and b, which clients 1 and 2 put at the same time, and applied them.
    fn two_puts() -> Story {
        let story =
            story(2).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2).commit(0, 2);
        let story = calls(calls(story, 1, put("a"), ReadKind::Log), 2, put("b"), ReadKind::Log);
        let story = submits(submits(story, 1, "a"), 2, "b").apply_doing(0, [Effect::Done; 2]);
        returns(returns(story, 1, Outcome::Done, None), 2, Outcome::Done, None)
    }

    fn reads(story: Story, client: u64, kind: ReadKind, saw: Option<&str>, index: u64) -> Story {
        let story = calls(story, client, Action::Get, kind);
        returns(story, client, Outcome::Read(saw.map(bytes)), Some(index))
    }

    /// What is wrong, and how it came about.
    fn concludes(story: &Story) -> Option<(String, Option<String>)> {
        let mut judge = story.judge();
        judge.conclude(story.history.last().unwrap().0);
        let found = |violation: &crate::violation::Violation| violation.property == Property::Linearizability;
        let violation = judge.violations().iter().find(|violation| found(violation)).cloned();
        violation.map(|violation| (violation.what, violation.cause))
    }

    #[test]
    fn what_clients_saw_in_the_order_of_application_holds() {
        let story = reads(two_puts(), 3, ReadKind::Log, Some("b"), 2).holds();
        assert_eq!(concludes(&story), None);
        let judge = story.judge();
        assert_eq!(judge.clients().positions, [Some(1), Some(2), Some(2)]);
        let history = judge.clients().history().operations();
        let called: Vec<_> =
            history.iter().map(|it| (it.process, it.action.clone(), it.outcome.clone())).collect();
        let put = |text: &str| linear::Action::Put(text.into());
        let read = linear::Outcome::Read(Some("b".into()));
        assert_eq!(
            called,
            [
                (1, put("a"), linear::Outcome::Done),
                (2, put("b"), linear::Outcome::Done),
                (3, linear::Action::Get, read)
            ]
        );
        let key = linear::Value::from(5);
        assert!(history.iter().all(|operation| operation.key == key));
        let (stamp, _) = story.history.last().unwrap();
        assert_eq!(history[2].end, Some(linear::Moment { number: stamp.number, at: stamp.at }));
        assert_eq!(history[2].call.number, stamp.number - 1);
    }

    #[test]
    fn a_read_of_what_was_overwritten_breaks_it() {
        // a came last for the clients, though it was applied first: that is lawful, and so is to read it.
        assert_eq!(concludes(&reads(two_puts(), 3, ReadKind::Log, Some("a"), 2)), None);
        // To have read both is not.
        let story =
            reads(reads(two_puts(), 3, ReadKind::Log, Some("b"), 2), 4, ReadKind::Lease, Some("a"), 2);
        let story = reads(story, 5, ReadKind::Log, Some("b"), 2);
        let (what, cause) = concludes(&story).unwrap();
        assert!(what.contains("get"), "{what}");
        assert!(cause.is_some_and(|cause| cause.starts_with("in the order of application, ")));
        let mut judge = story.judge();
        judge.disable(Property::Linearizability);
        judge.conclude(story.history.last().unwrap().0);
        assert_eq!(judge.violations(), []);
    }

    #[test]
    fn a_read_of_whatever_a_node_has_is_not_judged() {
        let story = reads(two_puts(), 3, ReadKind::Local, Some("never"), 2);
        assert_eq!(concludes(&story), None);
        assert_eq!(story.judge().clients().history().operations().len(), 2);
        // Its next call is.
        assert!(concludes(&reads(story, 3, ReadKind::Log, Some("never"), 2)).is_some());
    }

    #[test]
    fn calls_that_no_client_makes_are_told_of() {
        let story = calls(calls(two_puts(), 3, put("c"), ReadKind::Log), 3, put("d"), ReadKind::Log);
        let busy = linear::Misfit::Busy { process: 3, since: story.history.len() as u64 - 1 };
        assert_eq!(concludes(&story), Some((busy.to_string(), None)));
        let story = returns(two_puts(), 9, Outcome::Done, None);
        assert_eq!(concludes(&story), Some((linear::Misfit::NotCalled { process: 9 }.to_string(), None)));
        assert_eq!(concludes(&Story::boot_all(crate::oracles::testing::story(2))), None);
    }

    #[test]
    fn actions_and_outcomes_are_what_they_are_called() {
        let (some, none) = (Some(linear::Value::from("x")), None);
        let is = |from: Action, to: linear::Action| assert_eq!(action(&from), to);
        is(Action::Get, linear::Action::Get);
        is(put("x"), linear::Action::Put("x".into()));
        is(Action::Append(bytes("x")), linear::Action::Append("x".into()));
        is(Action::Delete, linear::Action::Delete);
        is(Action::Cas(None, bytes("y")), linear::Action::Cas { expected: none.clone(), new: "y".into() });
        let full = Action::Cas(Some(bytes("x")), bytes("y"));
        is(full, linear::Action::Cas { expected: some.clone(), new: "y".into() });
        let is = |from: Outcome, to: linear::Outcome| assert_eq!(outcome(&from), to);
        is(Outcome::Read(Some(bytes("x"))), linear::Outcome::Read(some.clone()));
        is(Outcome::Read(None), linear::Outcome::Read(none.clone()));
        is(Outcome::Mismatch(Some(bytes("x"))), linear::Outcome::Mismatch(some));
        is(Outcome::Mismatch(None), linear::Outcome::Mismatch(none));
        is(Outcome::Done, linear::Outcome::Done);
        is(Outcome::Length(3), linear::Outcome::Done);
        is(Outcome::Deleted(true), linear::Outcome::Done);
        is(Outcome::Refused, linear::Outcome::Failed);
        is(Outcome::Unknown, linear::Outcome::Unknown);
    }
}
