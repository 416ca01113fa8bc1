//! A run with all that a plan needs to know of it, and how long it is.

use super::disks;
use super::plan::{self, Event, Form, Plan, Recorder, Told};
use crate::execute::{Done, Limits, Manner, Outcome, UnknownMutation, run_logged};
use crate::scenario::{Scenario, Step};
use crate::violation::{Property, Violation};
use sim_core::{Span, Stamp};

/// How long a story is, up to what breaks.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Messages that were delivered.
    pub deliveries: u64,
    /// Faults, commands and other steps, timers of Raft that fired, and entries and snapshots that disks began with.
    pub externals: u64,
}

impl Size {
    /// Both together.
    #[must_use]
    pub const fn events(self) -> u64 {
        self.deliveries + self.externals
    }
}

/// A run with all that a plan needs to know of it.
pub(super) struct Recorded {
    pub(super) outcome: Outcome,
    recorder: Recorder,
    done: Vec<Done>,
    /// How many entries and snapshots were on disks when it began.
    begins_with: u64,
}

impl Recorded {
    pub(super) fn run(scenario: &Scenario, seed: u64, limits: Limits) -> Result<Self, UnknownMutation> {
        let (outcome, recorder, done) =
            run_logged(scenario, seed, limits, Recorder::default(), Manner::ToTheLetter)?;
        let begins_with = disks::size(scenario);
        Ok(Self { outcome, recorder, done, begins_with })
    }

    /// How long it is up to what breaks first or to its end.
    pub(super) fn size(&self) -> Size {
        // What happens while the cluster is asked to live is none of it.
        let broke = self.outcome.violation().map(|violation| violation.record);
        let ending = self.outcome.ending.map(|ending| ending.number);
        let last = broke.into_iter().chain(ending).min().unwrap_or(u64::MAX);
        let (deliveries, timers) = self.recorder.counts(last);
        let is_before = |done: &&Done| done.after.number < last && counts(&done.step);
        let steps = self.done.iter().filter(is_before).count();
        Size { deliveries, externals: timers + steps as u64 + self.begins_with }
    }

    /// Whether it goes on for ever before its steps are over.
    pub(super) fn is_endless(&self) -> bool {
        self.outcome.ending.is_none()
            && self.outcome.violation().is_some_and(|found| found.property == Property::Convergence)
    }

    /// How long it is as a story: of one that goes on for ever the steps alone, for messages go on for as long as one likes.
    pub(super) fn size_of_story(&self) -> Size {
        if self.is_endless() {
            let externals = self.done.iter().filter(|done| counts(&done.step)).count() as u64;
            return Size { deliveries: 0, externals: externals + self.begins_with };
        }
        self.size()
    }

    pub(super) fn told<'a>(&'a self, violation: &Violation) -> Told<'a> {
        let broke = Stamp { number: violation.record, at: violation.at };
        Told {
            done: &self.done,
            recorder: &self.recorder,
            property: violation.property,
            broke,
            ending: self.outcome.ending,
        }
    }
}

/// Everything that happened in a run, each a step at its time: deliveries and timers too.
pub(crate) struct ByHand {
    pub(crate) events: Vec<(Span, Step)>,
    pub(crate) over: Span,
}

impl ByHand {
    /// The scenario in which just that happens, with the settings of `scenario`.
    pub(crate) fn scenario(self, scenario: &Scenario, property: Property) -> Scenario {
        let events = self.events.into_iter().map(|(at, step)| Event { at, step }).collect();
        let header = plan::header_by_hand(scenario, property);
        Plan { form: Form::ByHand, header, events, over: self.over }.scenario()
    }
}

/// What happened in a run up to what broke first, or to its end if nothing did, how long that was, and how it ended. Nothing is
/// told of a run that is too long to be written out.
pub(crate) fn by_hand(
    scenario: &Scenario,
    seed: u64,
    limits: Limits,
) -> Result<(ByHand, Size, Outcome), UnknownMutation> {
    let run = Recorded::run(scenario, seed, limits)?;
    let over = Stamp { number: run.outcome.records, at: run.outcome.at };
    let nothing = Violation::new(Property::Expectation, over, None, String::new());
    let told = run.told(run.outcome.violation().unwrap_or(&nothing));
    let Plan { events, over, .. } = plan::by_hand(scenario, &told);
    let events = if told.is_cut() { Vec::new() } else { events };
    let events = events.into_iter().map(|event| (event.at, event.step)).collect();
    Ok((ByHand { events, over }, run.size(), run.outcome))
}

/// Runs a story. How it ends, and how long it is.
pub(crate) fn run_of_story(scenario: &Scenario, limits: Limits) -> Result<(Outcome, Size), UnknownMutation> {
    let run = Recorded::run(scenario, scenario.seed.0, limits)?;
    let size = run.size_of_story();
    Ok((run.outcome, size))
}

/// Whether a step sets up a plan by hand, and is none of its events.
pub(crate) const fn is_set_up(step: &Step) -> bool {
    matches!(step, Step::Hold(_) | Step::HoldTimers(_))
}

impl Told<'_> {
    /// Whether the run was too long to be written out up to what a plan by hand holds: who does not live is asked again to.
    pub(super) fn is_cut(&self) -> bool {
        let asked = self.ending.filter(|_| self.property == Property::Convergence);
        self.recorder.is_cut(asked.unwrap_or(self.broke).number)
    }
}

/// Whether a step is part of the story for itself: deliveries and timers are counted as what they bring about.
const fn counts(step: &Step) -> bool {
    !matches!(
        step,
        Step::Hold(_)
            | Step::HoldTimers(_)
            | Step::ReleaseTimers(_)
            | Step::Tick(_)
            | Step::DeliverOne(_)
            | Step::Deliver(_)
    )
}
