//! What was done, step by step, and carrying out a schedule whose world may have changed.
//!
//! Owns the log of a run's steps, with whom they were about in numbers, and what becomes of a step that cannot be done. A
//! schedule that somebody shortened, or that an older program wrote, asks for messages that nobody sends any more: it is
//! carried out as nearly as can be, and the log says what that was.

use crate::execute::{Halt, Runner};
use crate::scenario::{Crash, Family, MessageKind, Nodes, Step, Target};
use crate::violation::Property;
use sim_core::{MessageId, ProcessId, Stamp};

/// How the steps of a schedule are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Manner {
    /// As they stand. What cannot be done fails the run.
    #[default]
    ToTheLetter,
    /// As near as can be. A step that cannot be done is left out; in place of a message that is not held, another one of the
    /// same kind between the same two is delivered.
    AsNear(Nearest),
}

/// Which message stands in for one that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearest {
    /// The one that is held for longest.
    Oldest,
    /// The one that was held last.
    Newest,
}

/// A step that was come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The last record before it, and when it was done.
    pub after: Stamp,
    /// The step, about nodes by their numbers. That of a delivery says exactly which message it was.
    pub step: Step,
    /// How it went.
    pub how: How,
}

/// How a step was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As it stands.
    Exactly,
    /// With another message of the same kind.
    Nearly,
    /// Not at all: it was not possible.
    Not,
}

/// The log of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    manner: Manner,
    pub(crate) done: Vec<Done>,
    /// What the delivery that is being carried out delivers, and whether that is what it asks for.
    delivered: Option<(MessageId, bool)>,
}

impl Log {
    pub(crate) fn new(manner: Manner) -> Self {
        Self { manner, ..Self::default() }
    }
}

impl Runner<'_> {
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Halt> {
        match &self.log {
            Some(log) if !is_flow(step) => self.logged(log.manner, step),
            _ => self.carry_out(step),
        }
    }

    fn logged(&mut self, manner: Manner, step: &Step) -> Result<(), Halt> {
        let after = self.now();
        let is_lenient = manner != Manner::ToTheLetter;
        let concrete = match self.concrete(step) {
            Ok(concrete) => concrete,
            // It fails once more, and says why.
            Err(_) if !is_lenient => return self.carry_out(step),
            Err(_) => {
                self.write_down(after, step.clone(), How::Not);
                return Ok(());
            }
        };
        if concrete.is_about_nobody() {
            // As `restart: crashed` where nobody is: nothing is done, and there is nothing to write down.
            return self.carry_out(step);
        }
        if let Step::Shutdown(nodes) = &concrete {
            // What happens while it takes its time is told between the two.
            self.write_down(after, Step::Pause(nodes.clone()), How::Exactly);
        }
        let came = self.carry_out(step);
        let delivered = self.log.as_mut().and_then(|log| log.delivered.take());
        let is_impossible = matches!(&came,
            Err(Halt::Failed(violation)) if violation.property == Property::Expectation);
        if is_impossible && is_lenient {
            self.write_down(after, concrete, How::Not);
            return Ok(());
        }
        let (step, how) = match (concrete, delivered) {
            (Step::DeliverOne(one), Some((id, is_exact))) => {
                let (term, nth) = (Some(id.epoch), Some(id.ordinal));
                let kind = MessageKind::from_index(id.kind);
                let one = crate::scenario::DeliverOne { kind, term, nth, ..one };
                (Step::DeliverOne(one), if is_exact { How::Exactly } else { How::Nearly })
            }
            (Step::Shutdown(Nodes { nodes }), _) => {
                self.write_down(self.now(), Step::Crash(Crash::of(nodes)), How::Exactly);
                return came;
            }
            (concrete, _) => (concrete, How::Exactly),
        };
        self.write_down(after, step, how);
        came
    }

    fn write_down(&mut self, after: Stamp, step: Step, how: How) {
        if let Some(log) = &mut self.log {
            log.done.push(Done { after, step, how });
        }
    }

    /// Writes down what is done now without a step of the file: what the cluster is asked at the end.
    pub(super) fn note_down(&mut self, step: Step) {
        if self.log.is_some() {
            self.write_down(self.now(), step, How::Exactly);
        }
    }

    /// The step with the numbers of those whom it is about now. Draws are as if nobody had asked.
    fn concrete(&mut self, step: &Step) -> Result<Step, Halt> {
        let drawn = self.drawn.clone();
        let mut concrete = step.clone();
        let mut resolve = || {
            for target in concrete.targets_mut() {
                let processes = self.nodes(step, target)?;
                let clients = &self.memory.clients;
                let mut named = processes.iter().map(|process| clients.name(*process));
                *target = match (named.next(), named.next()) {
                    (Some(one), None) => one,
                    _ => Target::List(processes.iter().map(|process| clients.name(*process)).collect()),
                };
            }
            Ok(())
        };
        let resolved = resolve();
        self.drawn = drawn;
        // A group of nobody is none.
        let is_empty = |target: &Target| matches!(target, Target::List(items) if items.is_empty());
        match &mut concrete {
            Step::Partition(partition) => partition.groups.retain(|group| !is_empty(group)),
            Step::Change(change) if change.changes.0.len() > 1 => {
                change.changes.0.retain(|one| !is_empty(one.nodes()));
            }
            _ => {}
        }
        resolved.map(|()| concrete)
    }

    /// The message that a delivery means: the one it names, or one that stands in for it.
    pub(super) fn meant(
        &mut self,
        (from, to): (ProcessId, ProcessId),
        matches: impl Fn(&MessageId) -> bool,
        is_like_it: impl Fn(&MessageId) -> bool,
    ) -> Option<MessageId> {
        let mut held = self.sim.held_on(from, to);
        let exact = self.sim.held_on(from, to).find(matches);
        let found = match (exact, self.log.as_ref().map(|log| log.manner)) {
            (Some(id), _) => Some((id, true)),
            (None, Some(Manner::AsNear(Nearest::Oldest))) => held.find(is_like_it).zip(Some(false)),
            (None, Some(Manner::AsNear(Nearest::Newest))) => held.rfind(is_like_it).zip(Some(false)),
            (None, Some(Manner::ToTheLetter) | None) => None,
        };
        drop(held);
        if let Some(log) = &mut self.log {
            log.delivered = found;
        }
        found.map(|(id, _)| id)
    }
}

/// Whether a step lets time pass, asks, remembers or chooses. What that leads to is logged, not the step itself.
fn is_flow(step: &Step) -> bool {
    step.family() == Family::Flow || matches!(step, Step::AwaitClients(_))
}
