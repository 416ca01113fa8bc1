//! What happened in a run, as a list of steps at their times: deliveries and timers in a line of their own, other steps as in
//! a scenario file.

use crate::execute::{Limits, Outcome, UnknownMutation};
use crate::scenario::{DeliverOne, MessageKind, Scenario, Step, Target, Tick, TimerKind, document};
use crate::shrink::{ByHand, Size, by_hand};
use crate::violation::{Property, Violation};
use core::fmt::{self, Write};
use core::str::FromStr;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::Span;

/// Everything that happened in a run up to what broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule(Vec<Entry>);

/// How long a schedule may be: a scenario with a pause before each event can still be read. Of a longer run, one that never
/// comes to its end, nothing is kept.
const EVENTS_MAX: usize = 40_000;

/// One thing that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    at: Span,
    step: Step,
}

/// A run, and what a capsule says of it.
pub(super) struct Had {
    pub(super) outcome: Outcome,
    pub(super) schedule: Schedule,
    pub(super) size: Size,
}

impl Had {
    pub(super) fn of(scenario: &Scenario, seed: u64, limits: Limits) -> Result<Self, UnknownMutation> {
        let (ByHand { events, .. }, size, outcome) = by_hand(scenario, seed, limits)?;
        let events = if events.len() <= EVENTS_MAX { events } else { Vec::new() };
        let schedule = Schedule(events.into_iter().map(|(at, step)| Entry { at, step }).collect());
        Ok(Self { outcome, schedule, size })
    }
}

impl Schedule {
    /// What happened in a run of `scenario`, up to what broke first or to its end, and how long that was.
    ///
    /// # Errors
    ///
    /// When the scenario names a planted bug that this build does not have.
    pub fn of(scenario: &Scenario, seed: u64, limits: Limits) -> Result<(Self, Size), UnknownMutation> {
        let Had { schedule, size, .. } = Had::of(scenario, seed, limits)?;
        Ok((schedule, size))
    }

    /// How many things happened.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing did.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scenario in which just that happens, with the settings of `scenario` and whatever its seed decides beside messages
    /// and timers.
    #[must_use]
    pub(super) fn scenario(&self, scenario: &Scenario, violation: &Violation) -> Scenario {
        let events = self.0.iter().map(|entry| (entry.at, entry.step.clone())).collect();
        let over = match violation.property {
            // It is asked to live when all has been done.
            Property::Convergence => self.0.last().map_or(Span::ZERO, |entry| entry.at),
            // What breaks may take a little longer now.
            _ => Span::from_nanos(violation.at.nanos()).plus(Span::from_secs(1)),
        };
        ByHand { events, over }.scenario(scenario, violation.property)
    }

    /// The first place in which two schedules differ, from 1, and what each has there.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<(usize, String, String)> {
        let length = self.0.len().max(other.0.len());
        let place = (0..length).find(|place| self.0.get(*place) != other.0.get(*place))?;
        let told = |entry: Option<&Entry>| entry.map_or_else(|| "nothing more".to_string(), Entry::to_string);
        Some((place + 1, told(self.0.get(place)), told(other.0.get(place))))
    }

    /// What stands at a place, from 1.
    #[must_use]
    pub fn told(&self, place: usize) -> Option<String> {
        self.0.get(place.checked_sub(1)?).map(Entry::to_string)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns ", self.at.nanos())?;
        match &self.step {
            Step::DeliverOne(DeliverOne {
                from,
                to,
                kind: Some(kind),
                term: Some(term),
                nth: Some(nth),
                copy,
            }) => {
                let copy = if *copy { " copy" } else { "" };
                write!(f, "deliver {from}>{to} {} term {term} number {nth}{copy}", kind.name())
            }
            Step::Tick(Tick { nodes, timer: TimerKind::Election }) => write!(f, "tick {nodes} election"),
            Step::Tick(Tick { nodes, timer: TimerKind::Heartbeat }) => write!(f, "tick {nodes} heartbeat"),
            step => f.write_str(&serde_json::to_string(step).map_err(|_| fmt::Error)?),
        }
    }
}

const EXPECTED: &str = "expected `1500ns deliver 0>1 AppendEntries term 2 number 0`, `1500ns tick 0 election` or a time and \
                        a step";

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no event: {EXPECTED}");
        let (at, rest) = text.split_once("ns ").ok_or_else(wrong)?;
        let at = at.parse().map(Span::from_nanos).map_err(|_| wrong())?;
        let step = if let Some(rest) = rest.strip_prefix("deliver ") {
            Step::DeliverOne(delivery(rest).ok_or_else(wrong)?)
        } else if let Some(rest) = rest.strip_prefix("tick ") {
            let (nodes, timer) = rest.rsplit_once(' ').ok_or_else(wrong)?;
            let timer = match timer {
                "election" => TimerKind::Election,
                "heartbeat" => TimerKind::Heartbeat,
                _ => return Err(wrong()),
            };
            Step::Tick(Tick { nodes: nodes.parse().map_err(|_| wrong())?, timer })
        } else {
            document(rest).map_err(|error| format!("`{text}` is no event: {error}"))?
        };
        Ok(Self { at, step })
    }
}

/// `0>client 1 ClientResponse term 2 number 0 copy`.
fn delivery(text: &str) -> Option<DeliverOne> {
    let (text, copy) = text.strip_suffix(" copy").map_or((text, false), |text| (text, true));
    let (text, nth) = text.rsplit_once(" number ")?;
    let (text, term) = text.rsplit_once(" term ")?;
    let (ends, kind) = text.rsplit_once(' ')?;
    let (from, to) = ends.split_once('>')?;
    let end = |text: &str| text.parse::<Target>().ok();
    Some(DeliverOne {
        term: Some(term.parse().ok()?),
        nth: Some(nth.parse().ok()?),
        copy,
        ..DeliverOne::of(end(from)?, end(to)?, Some(kind.parse::<MessageKind>().ok()?))
    })
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        write!(text, "{self}").map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
