//! A failure that outlives the code that it was found with: one JSON document that says what ran, what happened in it, what
//! broke, and the shortest story that breaks it in the same way.
//!
//! Owns the document and what became of it in this build. Must not know command lines. A seed dies when what it means
//! changes; a capsule holds what was drawn from it, each delivery by a key that stays (from, to, kind, term, number).

mod keep;
mod read;
mod replay;
mod schedule;
#[cfg(all(test, feature = "mutations"))]
mod tests;

pub use keep::{KeepError, keep};
#[cfg(any(feature = "cli", feature = "strategy"))]
pub(crate) use keep::{replace, write};
pub use read::CapsuleError;
pub use replay::{Answer, Replayed};
pub use schedule::Schedule;

use crate::SIM_VERSION;
use crate::chain::Chain;
use crate::execute::{Limits, Outcome, UnknownMutation};
use crate::scenario::{Scenario, Seed};
use crate::shrink::{Shrunk, Size, shrink};
use crate::violation::{Signature, Violation};
use serde::{Deserialize, Serialize};

/// The version of the document.
pub const CAPSULE_VERSION: u32 = 1;

/// A failure, and all that it takes to have it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// The version of this document.
    pub capsule_version: u32,
    /// The version of the program that wrote it.
    pub tool_version: String,
    /// The version of what a seed means to that program ([`SIM_VERSION`]).
    pub sim_version: u32,
    /// The seed of the run.
    pub seed: Seed,
    /// After how many events a run counts as a livelock.
    pub events_max: u64,
    /// What ran: every option, and every step.
    pub scenario: Scenario,
    /// What broke first.
    pub violation: Violation,
    /// What that is, without what is different from run to run.
    pub signature: Signature,
    /// The digest of the run and of earlier moments, as `replay` takes it.
    #[serde(with = "crate::chain::as_text")]
    pub digest: Chain,
    /// How long the run was.
    pub size: Size,
    /// Everything that happened up to what broke, one delivery, timer, fault or command after the other.
    pub schedule: Schedule,
    /// The shortest story that was found; none if nobody looked for one, or it could not be made to fail again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<Story>,
}

/// A failure as short as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// The story: an ordinary scenario that expects the violation. Its seed is in it.
    pub scenario: Scenario,
    /// What breaks in it.
    pub violation: Violation,
    /// The digest of its run.
    #[serde(with = "crate::chain::as_text")]
    pub digest: Chain,
    /// How long it is.
    pub size: Size,
    /// How many runs it took to find.
    pub replays: u32,
    /// Whether it was seen that no single event can be taken away.
    pub one_minimal: bool,
}

impl Story {
    fn of(shrunk: Shrunk) -> Option<Self> {
        let Shrunk { scenario, outcome, size, replays, is_minimal, .. } = shrunk;
        let (violation, digest) = (outcome.violation()?.clone(), Chain::of(&outcome));
        Some(Self { scenario, violation, digest, size, replays, one_minimal: is_minimal })
    }
}

impl Capsule {
    /// The capsule of a run that failed, with no story yet. None if nothing broke in it.
    ///
    /// # Errors
    ///
    /// When the scenario names a planted bug that this build does not have.
    pub fn of(
        scenario: &Scenario,
        outcome: &Outcome,
        limits: Limits,
    ) -> Result<Option<Self>, UnknownMutation> {
        let Some(violation) = outcome.violation() else { return Ok(None) };
        let seed = outcome.seed;
        let mut scenario = scenario.clone();
        scenario.seed = Seed(seed);
        let (schedule, size) = Schedule::of(&scenario, seed, limits)?;
        Ok(Some(Self {
            capsule_version: CAPSULE_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_string(),
            sim_version: SIM_VERSION,
            seed: Seed(seed),
            events_max: limits.events_max,
            violation: violation.clone(),
            signature: violation.signature(),
            digest: Chain::of(outcome),
            size,
            schedule,
            scenario,
            story: None,
        }))
    }

    /// [`Capsule::of`], with the shortest story if one is found.
    ///
    /// # Errors
    ///
    /// When the scenario names a planted bug that this build does not have.
    pub fn with_story(
        scenario: &Scenario,
        outcome: &Outcome,
        limits: Limits,
    ) -> Result<Option<Self>, UnknownMutation> {
        let mut capsule = Self::of(scenario, outcome, limits)?;
        if let Some(capsule) = &mut capsule {
            capsule.shrink()?;
        }
        Ok(capsule)
    }

    /// Bounds on a run of it.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits { events_max: self.events_max }
    }

    /// Finds the shortest story. Says whether there is one; if not, the capsule stays as it is.
    ///
    /// # Errors
    ///
    /// When the scenario names a planted bug that this build does not have.
    pub fn shrink(&mut self) -> Result<bool, UnknownMutation> {
        let shrunk = shrink(&self.scenario, self.seed.0, self.limits())?;
        let story = shrunk.and_then(Story::of);
        // What breaks in this build may be something else.
        let found = story.filter(|story| story.violation.signature() == self.signature);
        let is_found = found.is_some();
        if is_found {
            self.story = found;
        }
        Ok(is_found)
    }

    /// A name for its file: the property, and the digest of the run.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{:016x}.json", self.violation.property, self.digest.digest)
    }

    /// The capsule as a document that [`Capsule::parse`] reads back.
    ///
    /// # Panics
    ///
    /// Never: everything in it has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("text, numbers, lists and objects only");
        text.push('\n');
        text
    }
}
