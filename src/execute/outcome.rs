//! How a run ended.

use crate::execute::Happened;
use crate::scenario::Scenario;
use crate::violation::{Property, Violation};
use sim_core::{Checkpoint, Stamp, Stats, VirtualTime};

/// Bounds on a run. They count events, never wall time, so that they are the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A run that has executed so many events, at least 1, is stopped and counts as a livelock. A scenario may set a lower
    /// bound, and none that is higher: that is what [`Limits::of`] is for.
    pub events_max: u64,
}

impl Limits {
    /// The bounds of a scenario that says which ([`Scenario::events_max`]), else the usual ones.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        scenario.events_max.map_or_else(Self::default, |events_max| Self { events_max })
    }

    /// These bounds, or those of the scenario if they are closer.
    #[must_use]
    pub fn within(self, scenario: &Scenario) -> Self {
        let own = scenario.events_max.unwrap_or(u64::MAX);
        Self { events_max: self.events_max.min(own) }
    }
}

impl Default for Limits {
    /// 50 million events: more than a day of an idle cluster of five.
    fn default() -> Self {
        Self { events_max: 50_000_000 }
    }
}

/// What a run shows, measured against what its scenario expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing broke, as expected.
    Passed,
    /// The property that was expected to break did.
    FailedAsExpected(Property),
    /// This property was expected to break, and nothing did.
    FailedToFail(Property),
    /// Something broke that should not have.
    Failed,
}

impl Verdict {
    /// Whether the run went as its scenario expects.
    #[must_use]
    pub const fn as_expected(self) -> bool {
        matches!(self, Self::Passed | Self::FailedAsExpected(_))
    }

    /// In a word: PASS or FAIL.
    #[must_use]
    pub const fn word(self) -> &'static str {
        if self.as_expected() { "PASS" } else { "FAIL" }
    }
}

/// Everything that is said of a run when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// What was broken: at most one violation of each property, in the order of the records. Empty if nothing was.
    pub violations: Vec<Violation>,
    /// The properties that were not judged to the end, each with what lay outside the model that Raft is made for.
    pub voided: Vec<(Property, String)>,
    /// Why the cluster was not asked to live at the end, although the scenario asks: what it would need is lost. None if
    /// it was, or the scenario does not ask.
    pub excused: Option<String>,
    /// What happened in it.
    pub happened: Happened,
    /// When the steps were over and the cluster was asked to live; none if the run did not come to that.
    pub ending: Option<Stamp>,
    /// When it ended.
    pub at: VirtualTime,
    /// How many records there are.
    pub records: u64,
    /// The digest of the whole run.
    pub digest: u64,
    /// The digest at earlier moments.
    pub checkpoints: Vec<Checkpoint>,
    /// Counts.
    pub stats: Stats,
}

impl Outcome {
    /// The first thing that broke.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.violations.first()
    }
}
