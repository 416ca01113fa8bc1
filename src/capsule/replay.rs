//! What becomes of a capsule in this build.

use super::Capsule;
use super::schedule::Had;
use crate::SIM_VERSION;
use crate::chain::Divergence;
use crate::execute::{How, Manner, Nearest, Outcome, UnknownMutation, run, run_logged};
use crate::scenario::{Expect, Scenario};
use crate::shrink::run_of_story;
use crate::violation::{Property, Violation};

/// What became of a capsule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// In a word.
    pub answer: Answer,
    /// The run that says so: of the whole scenario where the digest was compared, else whichever of schedule, story and whole
    /// scenario says it.
    pub outcome: Outcome,
}

/// What became of a capsule, in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The run was had again, to the last bit.
    Reproduced,
    /// This build means the same by a seed, and yet the run is another one.
    Differs {
        /// Where the digests part.
        divergence: Divergence,
        /// The first event that differs: its number, what the capsule has and what this run has. None if every event up to
        /// what broke is the same, and something else differs; or if no schedule was kept, for the run was too long.
        event: Option<(usize, String, String)>,
    },
    /// The run was had again, but its story is another one.
    StoryDiffers {
        /// Where the digests part.
        divergence: Divergence,
    },
    /// The run was had again, and what breaks in it, or in its story, is not what the capsule says.
    OtherViolation,
    /// The run was had again, but the capsule says something else of it.
    Edited {
        /// The field that is not the run's own.
        field: &'static str,
    },
    /// By nearest match: it breaks in the same way.
    StillFails,
    /// By nearest match: it breaks, and not in the same way.
    FailsOtherwise {
        /// What breaks instead.
        violation: Box<Violation>,
    },
    /// By nearest match: everything could be done, and nothing breaks, but perhaps what the file demands, which hangs on the run
    /// that it was written for.
    Fixed,
    /// By nearest match: from this event on, counted from 1, the schedule cannot be followed.
    NotPossible {
        /// The number of the event.
        event: usize,
        /// The event.
        what: String,
    },
}

/// Whether two violations are the same one. Below the first line it may be told in other words by now.
fn is_same(one: &Violation, other: &Violation) -> bool {
    let place = |violation: &Violation| (violation.property, violation.record, violation.at, violation.node);
    place(one) == place(other) && one.first_line() == other.first_line() && one.cause == other.cause
}

impl Capsule {
    /// Has the failure again. Where this build means the same by a seed as the one that wrote the capsule, the digests are
    /// compared; else the schedule is followed as nearly as can be, and then the story.
    ///
    /// # Errors
    ///
    /// When the scenario names a planted bug that this build does not have.
    pub fn replay(&self) -> Result<Replayed, UnknownMutation> {
        if self.sim_version != SIM_VERSION {
            return self.replay_nearly();
        }
        let had = Had::of(&self.scenario, self.seed.0, self.limits())?;
        let answer = match self.digest.check(&had.outcome) {
            // As if somebody had written another violation into it.
            Ok(()) if !self.breaks(&had.outcome) => Answer::OtherViolation,
            Ok(()) => match self.not_its_own(&had) {
                Some(field) => Answer::Edited { field },
                None => self.replay_story()?,
            },
            Err(divergence) => {
                let has_one = !self.has_no_schedule();
                let event = has_one.then(|| self.schedule.first_difference(&had.schedule)).flatten();
                Answer::Differs { divergence, event }
            }
        };
        Ok(Replayed { answer, outcome: had.outcome })
    }

    /// What the capsule says of the run beside its digest, and is not so.
    fn not_its_own(&self, had: &Had) -> Option<&'static str> {
        let fields = [
            ("violation", had.outcome.violation().is_some_and(|found| is_same(found, &self.violation))),
            ("size", had.size == self.size),
            ("schedule", had.schedule == self.schedule),
        ];
        fields.into_iter().find_map(|(field, is_own)| (!is_own).then_some(field))
    }

    /// What became of the story, where the run itself is had again.
    fn replay_story(&self) -> Result<Answer, UnknownMutation> {
        let Some(story) = &self.story else { return Ok(Answer::Reproduced) };
        let (outcome, size) = run_of_story(&story.scenario, self.limits())?;
        let found = outcome.violation().filter(|found| is_same(found, &story.violation));
        Ok(match story.digest.check(&outcome) {
            Ok(()) if !self.breaks(&outcome) => Answer::OtherViolation,
            Ok(()) if found.is_none() => Answer::Edited { field: "story.violation" },
            Ok(()) if size != story.size => Answer::Edited { field: "story.size" },
            Ok(()) => Answer::Reproduced,
            Err(divergence) => Answer::StoryDiffers { divergence },
        })
    }

    /// Follows the schedule, and then the story, as nearly as can be, whatever this build means by a seed.
    ///
    /// # Errors
    ///
    /// When the scenario names a planted bug that this build does not have.
    pub fn replay_nearly(&self) -> Result<Replayed, UnknownMutation> {
        let scheduled = self.schedule.scenario(&self.scenario, &self.violation);
        let (first, impossible) = self.follow(&scheduled)?;
        if self.breaks(&first) {
            return Ok(Replayed { answer: Answer::StillFails, outcome: first });
        }
        // Each with the bound of its run: what a run that is too long would come to, nobody knows.
        let bound = |scenario: &Scenario| self.limits().within(scenario).events_max;
        let mut others = vec![(first, bound(&scheduled))];
        if let Some(story) = &self.story {
            let (outcome, _) = self.follow(&story.scenario)?;
            if self.breaks(&outcome) {
                return Ok(Replayed { answer: Answer::StillFails, outcome });
            }
            others.push((outcome, bound(&story.scenario)));
        }
        // What failed to live, or to meet a demand of its file, failed beside its messages.
        let (whole, ()) = run(&self.expecting_nothing(&self.scenario), self.seed.0, self.limits(), ())?;
        if self.breaks(&whole) {
            return Ok(Replayed { answer: Answer::StillFails, outcome: whole });
        }
        let (events, events_max) = (whole.stats.events, bound(&self.scenario));
        others.push((whole, events_max));
        // What a file demands hangs on the run that it was written for, unless that is what broke.
        let demands = self.violation.property == Property::Expectation;
        let fails_otherwise = |(outcome, events_max): &(Outcome, u64)| {
            let counts = |found: &Violation| demands || found.property != Property::Expectation;
            outcome.stats.events < *events_max && outcome.violation().is_some_and(counts)
        };
        if let Some(place) = others.iter().position(fails_otherwise) {
            let (outcome, _) = others.swap_remove(place);
            let violation = Box::new(outcome.violation().expect("it fails otherwise").clone());
            return Ok(Replayed { answer: Answer::FailsOtherwise { violation }, outcome });
        }
        let (outcome, _) = others.swap_remove(0);
        let answer = match impossible {
            Some(event) => Answer::NotPossible { event, what: self.schedule.told(event).unwrap_or_default() },
            None if self.has_no_schedule() => {
                let what = "the run was too long for its schedule to be kept".to_string();
                Answer::NotPossible { event: 1, what }
            }
            // Nobody knows what it would have come to.
            None if events >= events_max => {
                let what = format!("the run goes on for more than the {events_max} events of the capsule");
                Answer::NotPossible { event: self.schedule.len(), what }
            }
            None => Answer::Fixed,
        };
        Ok(Replayed { answer, outcome })
    }

    /// Follows a scenario. Says at which of its steps, beside those that set it up and pauses, it first could not.
    fn follow(&self, scenario: &Scenario) -> Result<(Outcome, Option<usize>), UnknownMutation> {
        let scenario = self.expecting_nothing(scenario);
        let manner = Manner::AsNear(Nearest::Oldest);
        let (outcome, (), done) = run_logged(&scenario, scenario.seed.0, self.limits(), (), manner)?;
        let events = done.iter().filter(|done| !crate::shrink::is_set_up(&done.step));
        let impossible = events.enumerate().find(|(_, done)| done.how == How::Not);
        Ok((outcome, impossible.map(|(place, _)| place + 1)))
    }

    /// Whether the run was too long for its schedule to be kept.
    #[must_use]
    pub fn has_no_schedule(&self) -> bool {
        self.schedule.is_empty() && self.size.events() > 0
    }

    fn expecting_nothing(&self, scenario: &Scenario) -> Scenario {
        Scenario { expect: Expect::Pass, ..scenario.clone() }
    }

    fn breaks(&self, outcome: &Outcome) -> bool {
        outcome.violation().is_some_and(|found: &Violation| found.signature() == self.signature)
    }
}
