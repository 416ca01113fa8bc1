//! When a failure became inevitable: one past, many futures.
//!
//! From a moment of a failed run on, chance is drawn again while the steps of the scenario stay as they are, many times: how
//! often something breaks even so is how likely the failure was by then (Antithesis calls that bug likelihood over time). The
//! moment after which it always breaks is where to look first.

use crate::execute::{Limits, Outcome, Turn, UnknownMutation, run, run_redrawn};
use crate::record::{BEGINNINGS, MessageFacts, Note, Record};
use crate::scenario::Scenario;
use crate::violation::{Property, Violation};
use sim_core::{Interest, Observer, Stamp, Stream, VirtualTime};

/// How many moments of a run its course is looked at.
pub const MOMENTS: u32 = 12;

/// How many futures each of them has.
pub const FUTURES: u32 = 24;

/// How many futures must all fail before it is called inevitable.
pub const FUTURES_PROOF: u32 = 100;

/// How many events all futures may take together. A run too long for that is not looked at.
const EVENTS_MAX: u64 = 16_000_000;

/// How many times as many futures as one moment has are run at most, or nearly.
const MOMENTS_IN_ALL: u64 = 42;

/// A moment of a run: so many of its futures fail too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The record with which an event began, after which chance was drawn again; number 0 before anything happened.
    pub after: Stamp,
    /// How many of its futures fail.
    pub failed: u32,
    /// How many there were.
    pub of: u32,
}

/// How a failure came nearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inevitable {
    /// Moments from the beginning to the failure, as far apart as can be.
    pub course: Vec<Moment>,
    /// The first moment after which all futures fail; none if there is one that does not until the very end.
    pub since: Option<Moment>,
    /// The moment before that: some of its futures do not fail.
    pub before: Option<Moment>,
}

/// Where events begin.
#[derive(Debug, Default)]
struct Beginnings(Vec<Stamp>);

impl Observer<MessageFacts, Note> for Beginnings {
    fn interest(&self) -> Interest {
        Interest::of(&BEGINNINGS)
    }

    fn observe(&mut self, stamp: Stamp, _: &Record) {
        self.0.push(stamp);
    }
}

/// The futures of a run.
struct Futures<'a> {
    scenario: &'a Scenario,
    seed: u64,
    limits: Limits,
    property: Property,
    seeds: Vec<u64>,
    events: u64,
}

impl Futures<'_> {
    /// Whether the `which`-th future after a moment fails. What breaks may be another property than in the run: which one is
    /// noticed first is chance too. But what the file demands of its own is not what a property of the cluster is.
    fn fails(&mut self, after: Stamp, which: usize) -> Result<bool, UnknownMutation> {
        let next = self.seeds[which];
        let outcome = if after.number == 0 {
            run(self.scenario, next, self.limits, ())?.0
        } else {
            run_redrawn(self.scenario, self.seed, self.limits, Turn { after: after.number, next })?
        };
        self.events += outcome.stats.events;
        let is_own = |property: Property| property == Property::Expectation;
        let counts = |found: &Violation| is_own(found.property) == is_own(self.property);
        Ok(outcome.violations.iter().any(counts))
    }

    fn moment(&mut self, after: Stamp, of: u32) -> Result<Moment, UnknownMutation> {
        let mut failed = 0;
        for which in 0..of as usize {
            failed += u32::from(self.fails(after, which)?);
        }
        Ok(Moment { after, failed, of })
    }

    /// Whether every future after a moment fails: the first that does not is answer enough.
    fn all_fail(&mut self, after: Stamp) -> Result<bool, UnknownMutation> {
        for which in 0..self.seeds.len() {
            if !self.fails(after, which)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Looks for the moment since which the failure of a run was inevitable. None if the run does not fail, or is so long that its
/// futures would take minutes.
///
/// The same run gives the same answer. It is a sample: a future that is rarer than one in a hundred may have been missed.
///
/// # Errors
///
/// When the scenario names a planted bug that this build does not have.
pub fn inevitable(
    scenario: &Scenario,
    seed: u64,
    limits: Limits,
) -> Result<Option<Inevitable>, UnknownMutation> {
    let (outcome, beginnings) = run(scenario, seed, limits, Beginnings::default())?;
    let Some((violation, moments)) = moments(&outcome, beginnings.0) else { return Ok(None) };
    let in_all = u64::from(FUTURES) * MOMENTS_IN_ALL;
    if outcome.stats.events.saturating_mul(in_all) > EVENTS_MAX {
        return Ok(None);
    }
    let mut stream = Stream::new(seed, "futures", 0);
    let mut futures = Futures {
        scenario,
        seed,
        limits,
        property: violation.property,
        seeds: (0..FUTURES_PROOF).map(|_| stream.bits()).collect(),
        events: 0,
    };
    let last = moments.len() - 1;
    let mut course = Vec::new();
    let mut places = Vec::new();
    for number in 0..=MOMENTS as usize {
        let place = last * number / MOMENTS as usize;
        if places.last() == Some(&place) {
            continue;
        }
        course.push(futures.moment(moments[place], FUTURES)?);
        places.push(place);
        // Others may be longer than the run was.
        let left = MOMENTS_IN_ALL.saturating_sub(number as u64);
        if futures.events / (number as u64 + 1) * left > EVENTS_MAX - futures.events.min(EVENTS_MAX) {
            return Ok(None);
        }
    }
    // Behind the last moment of which a future does not fail.
    let mut doomed = course.iter().rposition(|moment| moment.failed < moment.of).map_or(0, |alive| alive + 1);
    while doomed < places.len() && !futures.all_fail(moments[places[doomed]])? {
        doomed += 1;
    }
    let Some(mut high) = places.get(doomed).copied() else {
        return Ok(Some(Inevitable { course, since: None, before: None }));
    };
    let mut low = doomed.checked_sub(1).map(|alive| places[alive]);
    while let Some(alive) = low.filter(|alive| high - alive > 1) {
        let middle = alive.midpoint(high);
        if futures.all_fail(moments[middle])? {
            high = middle;
        } else {
            low = Some(middle);
        }
    }
    let since = Some(Moment { after: moments[high], failed: FUTURES_PROOF, of: FUTURES_PROOF });
    let before = low.map(|alive| futures.moment(moments[alive], FUTURES_PROOF)).transpose()?;
    Ok(Some(Inevitable { course, since, before }))
}

/// What broke first, and the moments at which chance could have taken another turn: the beginning, and each event before that in
/// which it broke.
fn moments(outcome: &Outcome, beginnings: Vec<Stamp>) -> Option<(&Violation, Vec<Stamp>)> {
    let violation = outcome.violation()?;
    let mut moments = vec![Stamp { number: 0, at: VirtualTime::ZERO }];
    moments.extend(beginnings.into_iter().filter(|began| began.number <= violation.record));
    // What the cluster does breaks in an event, the last of them: after it there is nothing to draw. What it does not do is
    // noticed when time has passed.
    let breaks_in_event = !matches!(violation.property, Property::Expectation | Property::Convergence);
    if breaks_in_event && moments.len() > 1 {
        moments.pop();
    }
    Some((violation, moments))
}
