//! Reading a capsule, and saying what is wrong with one.

use super::{CAPSULE_VERSION, Capsule, Story};
use crate::SIM_VERSION;
use crate::scenario::{EVENTS_MAX, Expect, Scenario, document, without_mark};
use core::fmt;
use serde::Deserialize;
use serde_json::Value;

/// Why a text is no capsule that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapsuleError(String);

impl fmt::Display for CapsuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for CapsuleError {}

/// What is looked at before all else.
#[derive(Deserialize)]
struct Version {
    capsule_version: Value,
}

/// How many findings are told.
const TOLD_MAX: usize = 5;

impl Capsule {
    /// Whether a text means to be a capsule.
    #[must_use]
    pub fn is_meant_by(text: &str) -> bool {
        serde_json::from_str::<Version>(without_mark(text)).is_ok()
    }

    /// Reads a capsule.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, is no capsule of this version, or holds a scenario, a schedule or a story that makes no sense.
    /// The error says at which line and column, or where in the capsule.
    pub fn parse(text: &str) -> Result<Self, CapsuleError> {
        let wrong = |why: String| Err(CapsuleError(format!("this is no capsule: {why}")));
        let text = without_mark(text);
        match serde_json::from_str::<Version>(text) {
            Ok(Version { capsule_version }) if capsule_version == CAPSULE_VERSION => {}
            Ok(Version { capsule_version: Value::Number(number) }) => {
                return wrong(format!(
                    "it has version {number}, expected {CAPSULE_VERSION}: use the program that wrote it"
                ));
            }
            Ok(Version { capsule_version }) => {
                return wrong(format!(
                    "its `capsule_version` is {capsule_version}, expected the number {CAPSULE_VERSION}"
                ));
            }
            Err(error) => return wrong(error.to_string()),
        }
        let mut capsule: Self = match document(text) {
            Ok(capsule) => capsule,
            Err(error) => return wrong(error),
        };
        if !(1..=EVENTS_MAX).contains(&capsule.events_max) {
            return wrong(format!("its `events_max` is {}, expected 1 to {EVENTS_MAX}", capsule.events_max));
        }
        if capsule.sim_version != SIM_VERSION {
            // What is left out of a signature may be another part of the words by now.
            capsule.signature = capsule.violation.signature();
        } else if capsule.violation.signature() != capsule.signature {
            return wrong(format!(
                "its `signature` is not that of its `violation`: expected {:?}",
                capsule.violation.signature().as_str()
            ));
        }
        capsule.check_scenario("scenario", &capsule.scenario)?;
        let scheduled = capsule.schedule.scenario(&capsule.scenario, &capsule.violation);
        capsule.check_scenario("schedule", &scheduled)?;
        if let Some(story) = &capsule.story {
            capsule.check_scenario("story.scenario", &story.scenario)?;
            if let Err(why) = capsule.check_story(story) {
                return wrong(format!("its `story` {why}"));
            }
        }
        Ok(capsule)
    }

    /// Whether a story means to be of this capsule.
    fn check_story(&self, story: &Story) -> Result<(), String> {
        let named = |bug: &Option<String>| bug.clone().unwrap_or_else(|| "no bug".to_string());
        let (own, other) = (&self.scenario.mutation, &story.scenario.mutation);
        let property = self.violation.property;
        if own != other {
            Err(format!("has {} planted, expected {} as in its `scenario`", named(other), named(own)))
        } else if story.scenario.expect != Expect::Violation(property) {
            Err(format!("expects another end than a violation of {property}"))
        } else if self.sim_version == SIM_VERSION && story.violation.signature() != self.violation.signature()
        {
            // In what another build tells apart, this one may see one thing, and the other way round.
            let broke = story.violation.first_line();
            Err(format!("breaks in another way ({}: {broke})", story.violation.property))
        } else {
            Ok(())
        }
    }

    fn check_scenario(&self, place: &str, scenario: &Scenario) -> Result<(), CapsuleError> {
        let Err(mut findings) = scenario.check() else { return Ok(()) };
        let more = findings.len().saturating_sub(TOLD_MAX);
        findings.truncate(TOLD_MAX);
        if more > 0 {
            findings.push(format!("and {more} more"));
        }
        let what = findings.join("\n  ");
        Err(CapsuleError(format!("this is no capsule: in its `{place}`\n  {what}")))
    }
}
