//! From a run that fails to the shortest story that fails in the same way.
//!
//! Other runs of the same scenario are tried first, for chance makes long what elsewhere is short. What fails in the same way,
//! and is short, is written out in full: every delivery, every timer that fires, every fault and every command a step of its
//! own, at its time, about nodes by number. Then whatever can go goes. A candidate is carried out as nearly as can be: a delivery
//! whose message nobody sends any more is left out, or another message of its kind between the same two stands in for it (DEMi's
//! wildcards, Scott et al., NSDI 2016), and what was really done is the next candidate. Since draws are keyed by what they
//! decide, what is left of the world stays as it was.
//!
//! Owns the order of the passes and what counts as the same failure. Must not know who asks, or what a capsule is.

mod again;
mod clients;
mod groups;
mod header;
mod lab;
mod nodes;
mod plan;
mod times;
mod values;

use crate::execute::{Done, Limits, Manner, Nearest, Outcome, UnknownMutation, run_logged};
use crate::scenario::{self, Expect, Scenario, Seed, Step};
use crate::violation::{Property, Violation};
use lab::{End, Lab};
use plan::{Event, Form, Plan, Recorder, Told};
use sim_core::{Span, Stamp};

/// How many runs a shrink may take at most, beside those in which it looks for another one to shrink.
pub const REPLAYS_MAX: u32 = 5_000;

/// How many events they may take together: those of some seconds.
pub const EVENTS_MAX: u64 = 8_000_000;

/// What a shrink came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The story: an ordinary scenario, with its seed, that expects the violation.
    pub scenario: Scenario,
    /// How its run ends.
    pub outcome: Outcome,
    /// How long the story is.
    pub size: Size,
    /// How long the run was before.
    pub before: Size,
    /// How many runs it took.
    pub replays: u32,
    /// Whether it was seen that no single event can be taken away.
    pub is_minimal: bool,
}

/// How long a story is, up to what breaks.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Messages that were delivered.
    pub deliveries: u64,
    /// Faults, commands and other steps, and timers of Raft that fired.
    pub externals: u64,
}

impl Size {
    /// Both together.
    #[must_use]
    pub const fn events(self) -> u64 {
        self.deliveries + self.externals
    }

    /// How long the story of a scenario is: its run up to what breaks first or to its end. Where that never comes, it is the
    /// steps alone, for messages go on for as long as one likes.
    ///
    /// # Errors
    ///
    /// When the scenario names a planted bug that this build does not have.
    pub fn of(scenario: &Scenario, seed: u64, limits: Limits) -> Result<Self, UnknownMutation> {
        let (outcome, recorder, done) = recorded(scenario, seed, limits)?;
        let is_endless = outcome.ending.is_none()
            && outcome.violation().is_some_and(|found| found.property == Property::Convergence);
        if is_endless {
            let externals = done.iter().filter(|done| counts(&done.step)).count() as u64;
            return Ok(Self { deliveries: 0, externals });
        }
        Ok(Self::in_run(&outcome, &recorder, &done))
    }

    fn in_run(outcome: &Outcome, recorder: &Recorder, done: &[Done]) -> Self {
        // What happens while the cluster is asked to live is none of it.
        let broke = outcome.violation().map(|violation| violation.record);
        let last =
            broke.into_iter().chain(outcome.ending.map(|ending| ending.number)).min().unwrap_or(u64::MAX);
        let (deliveries, timers) = recorder.counts(last);
        let steps = done.iter().filter(|done| done.after.number < last && counts(&done.step)).count();
        Self { deliveries, externals: timers + steps as u64 }
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

/// What happened in a run up to what broke first, or to its end if nothing did, and how long that was. Nothing is told of a run
/// that is too long to be written out.
pub(crate) fn by_hand(
    scenario: &Scenario,
    seed: u64,
    limits: Limits,
) -> Result<(ByHand, Size), UnknownMutation> {
    let (outcome, recorder, done) = recorded(scenario, seed, limits)?;
    let size = Size::in_run(&outcome, &recorder, &done);
    let over = Stamp { number: outcome.records, at: outcome.at };
    let nothing = Violation::new(Property::Expectation, over, None, String::new());
    let told = told(outcome.violation().unwrap_or(&nothing), &outcome, &recorder, &done);
    let Plan { events, over, .. } = plan::by_hand(scenario, &told);
    let events = if recorder.is_cut(written_until(&told)) { Vec::new() } else { events };
    let events = events.into_iter().map(|event| (event.at, event.step)).collect();
    Ok((ByHand { events, over }, size))
}

/// Whether a step sets up a plan by hand, and is none of its events.
pub(crate) const fn is_set_up(step: &Step) -> bool {
    matches!(step, Step::Hold(_) | Step::HoldTimers(_))
}

/// A run with all that a plan needs to know of it.
fn recorded(
    scenario: &Scenario,
    seed: u64,
    limits: Limits,
) -> Result<(Outcome, Recorder, Vec<Done>), UnknownMutation> {
    run_logged(scenario, seed, limits, Recorder::default(), Manner::ToTheLetter)
}

/// What a story shows: what is wrong in it, in a line as a file may have it.
fn shows(violation: &Violation) -> String {
    violation.first_line().trim().chars().take(SHOWS_MAX).collect()
}

/// The longest text that a file may have for what it shows, in characters.
const SHOWS_MAX: usize = 200;

const fn told<'a>(
    violation: &Violation,
    outcome: &Outcome,
    recorder: &'a Recorder,
    done: &'a [Done],
) -> Told<'a> {
    let broke = Stamp { number: violation.record, at: violation.at };
    Told { done, recorder, property: violation.property, broke, ending: outcome.ending }
}

/// The last record of a run that a plan by hand holds: who does not live is asked again to.
fn written_until(told: &Told<'_>) -> u64 {
    let asked = told.ending.filter(|_| told.property == Property::Convergence);
    asked.unwrap_or(told.broke).number
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

/// What is short depends on what goes first: each way is gone, and the shortest story is kept.
const WAYS: [(Nearest, End); 3] =
    [(Nearest::Oldest, End::Last), (Nearest::Newest, End::Last), (Nearest::Oldest, End::First)];

/// No further way is gone after so many runs, or events.
const ENOUGH: (u32, u64) = (1_500, 2_000_000);

/// A run that is so many times as long as a story of another one comes to less only by chance.
const FAR: u64 = 10;

/// Shrinks a run that fails. None if it does not fail, or cannot be made to fail again.
///
/// The story fails in the same way: the same property, and the same words but for numbers and names. It may have another seed,
/// where the same goes wrong sooner. It is deterministic: the same run gives the same story, byte for byte.
///
/// # Errors
///
/// When the scenario names a planted bug that this build does not have.
pub fn shrink(scenario: &Scenario, seed: u64, limits: Limits) -> Result<Option<Shrunk>, UnknownMutation> {
    let mut scenario = scenario.clone();
    (scenario.seed, scenario.expect) = (Seed(seed), Expect::Pass);
    let (outcome, recorder, done) = recorded(&scenario, seed, limits)?;
    let Some(violation) = outcome.violation() else { return Ok(None) };
    let before = Size::in_run(&outcome, &recorder, &done);
    if violation.property == Property::Convergence && matches!(scenario.end, scenario::End::Stop(_)) {
        // A file that is not asked to live may go on for ever all the same, but must not expect it.
        scenario.end = scenario::End::default();
    }
    let mut lab = Lab {
        seed,
        limits,
        property: violation.property,
        signature: violation.signature(),
        nearest: Nearest::Oldest,
        from: End::Last,
        replays: 0,
        events: 0,
    };
    let (mut stories, mut replays) = (Vec::new(), 0);
    // What a file demands is about the whole of it.
    if violation.property != Property::Expectation {
        // None needs to go on for much longer than this one did.
        let events_max = limits.events_max.min(2 * outcome.stats.events + 1_000);
        let others = again::runs(&mut lab, &scenario, Limits { events_max }, before);
        // To look for them is one thing, and to make them short another.
        (replays, lab.replays, lab.events) = (lab.replays, 0, 0);
        for other in others {
            lab.seed = other.seed.0;
            let (outcome, recorder, done) = recorded(&other, lab.seed, limits)?;
            lab.make_short(forms(&other, &outcome, &recorder, &done), &WAYS[..1], &mut stories);
        }
        lab.seed = seed;
    }
    let forms = forms(&scenario, &outcome, &recorder, &done);
    let shortest = stories.iter().map(|story: &Made| story.size.events()).min();
    let is_far = shortest.is_some_and(|shortest| before.events() >= FAR * shortest);
    if !is_far || !stories.iter().any(|story| story.is_minimal) {
        lab.make_short(forms, &WAYS, &mut stories);
    }
    let best = stories.into_iter().min_by_key(|story| story.size.events());
    let Some(Made { plan, outcome, size, is_minimal }) = best else { return Ok(None) };
    let mut scenario = lab.story(&plan);
    scenario.shows = outcome.violation().map_or_else(String::new, shows);
    Ok(Some(Shrunk { scenario, outcome, size, before, replays: replays + lab.replays, is_minimal }))
}

/// The plans of a run that fails: the first that fails in the same way is made short.
fn forms(scenario: &Scenario, outcome: &Outcome, recorder: &Recorder, done: &[Done]) -> Vec<Plan> {
    let Some(violation) = outcome.violation() else { return Vec::new() };
    let told = told(violation, outcome, recorder, done);
    match violation.property {
        Property::Expectation => vec![plan::written(scenario)],
        // What never comes to its end cannot be written out.
        property
            if recorder.is_cut(written_until(&told))
                || (property == Property::Convergence && outcome.ending.is_none()) =>
        {
            vec![plan::timed(scenario, &told), plan::written(scenario)]
        }
        _ => vec![plan::by_hand(scenario, &told), plan::timed(scenario, &told), plan::written(scenario)],
    }
}

/// A story, and how its run ends.
struct Made {
    plan: Plan,
    outcome: Outcome,
    size: Size,
    is_minimal: bool,
}

impl Lab {
    /// The stories that the first of the plans comes to that fails, gone each of the ways while there is time. At least one way
    /// is gone if there is no story yet of which nothing can go.
    fn make_short(&mut self, forms: Vec<Plan>, ways: &[(Nearest, End)], stories: &mut Vec<Made>) {
        for form in forms {
            (self.nearest, self.from) = WAYS[0];
            let Some(first) = self.fails(&form) else { continue };
            let before = stories.len();
            for (nearest, from) in ways {
                let is_had = stories.len() > before || stories.iter().any(|story| story.is_minimal);
                if is_had && (self.replays >= ENOUGH.0 || self.events >= ENOUGH.1) {
                    return;
                }
                (self.nearest, self.from) = (*nearest, *from);
                let mut plan = first.clone();
                self.shrink(&mut plan);
                let is_minimal = !self.is_spent() && !plan.has_blocks();
                let Some(outcome) = self.verified(&plan) else { continue };
                let Ok(size) = Size::of(&self.story(&plan), self.seed, self.limits) else { continue };
                stories.push(Made { plan, outcome, size, is_minimal });
            }
            if stories.len() > before {
                return;
            }
        }
    }
}
