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
mod disks;
mod groups;
mod header;
mod lab;
mod nodes;
mod plan;
mod recorded;
mod times;
mod values;

pub use recorded::Size;
pub(crate) use recorded::{ByHand, by_hand, is_set_up, run_of_story};

use crate::execute::{self, Limits, Nearest, Outcome, UnknownMutation};
use crate::scenario::{self, Expect, Scenario, Seed};
use crate::violation::{Property, Violation};
use lab::{End, Lab};
use plan::Plan;
use recorded::Recorded;
use sim_core::VirtualTime;
use std::collections::BTreeSet;

/// How many runs a shrink may take at most, beside those in which it looks for another one to shrink (2,000 or a million events).
/// The story of a livelock may take twice as many, and four more in which it is held against the bound of the run.
pub const REPLAYS_MAX: u32 = 5_000;

/// How many events they may take together, but for the first that is tried: those of some seconds.
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

/// What a story shows: what is wrong in it, in a line as a file may have it.
fn shows(violation: &Violation) -> String {
    violation.first_line().trim().chars().take(SHOWS_MAX).collect()
}

/// The longest text that a file may have for what it shows, in characters.
const SHOWS_MAX: usize = 200;

/// What is short depends on what goes first: each way is gone, and the shortest story is kept.
const WAYS: [(Nearest, End); 3] =
    [(Nearest::Oldest, End::Last), (Nearest::Newest, End::Last), (Nearest::Oldest, End::First)];

/// No further way is gone after so many runs, or events.
const ENOUGH: (u32, u64) = (1_500, 2_000_000);

/// Where disks tell what is wrong in so few entries and snapshots, no other run is looked for.
const SHORT: u64 = 8;

/// A run that is so many times as long as a story of another one comes to less only by chance.
const FAR: u64 = 10;

/// Shrinks a run that fails. None if it does not fail, or cannot be made to fail again.
///
/// The story fails in the same way: the same property, and the same words but for numbers and names. It may have another seed,
/// where the same goes wrong sooner. It is deterministic: the same run gives the same story, byte for byte.
///
/// The story of a livelock carries the bound of events that it is one by ([`Scenario::events_max`]), which may be lower than that
/// of the run: then it goes on beyond that of the run too, in at most twice the time.
///
/// # Errors
///
/// When the scenario names a planted bug that this build does not have.
pub fn shrink(scenario: &Scenario, seed: u64, limits: Limits) -> Result<Option<Shrunk>, UnknownMutation> {
    let mut scenario = scenario.clone();
    (scenario.seed, scenario.expect) = (Seed(seed), Expect::Pass);
    let run = Recorded::run(&scenario, seed, limits)?;
    let Some(violation) = run.outcome.violation() else { return Ok(None) };
    let events_max = limits.within(&scenario).events_max.max(1);
    let (limits, before) = (Limits { events_max }, run.size());
    if violation.property == Property::Convergence && matches!(scenario.end, scenario::End::Stop(_)) {
        // A file that is not asked to live may go on for ever all the same, but must not expect it.
        scenario.end = scenario::End::default();
    }
    let is_livelock =
        violation.property == Property::Convergence && run.outcome.stats.events >= limits.events_max;
    let is_it = |outcome: &Outcome| {
        outcome.violation().is_some_and(|found| found.signature() == violation.signature())
    };
    let needs_bug =
        scenario.mutation.is_some() && lab::fails_without_bug(&scenario, limits, is_it) == Some(false);
    let lab = Lab {
        limits,
        property: violation.property,
        signature: violation.signature(),
        is_endless: is_livelock.then(|| run.is_endless()),
        needs_bug,
        nearest: Nearest::Oldest,
        from: End::Last,
        replays: 0,
        events: 0,
    };
    let mut search = Search { limits, before, at: run.outcome.at, lab, replays: 0 };
    if violation.property != Property::Convergence {
        // What breaks much later, or never, is nothing that is shorter.
        scenario.events_max = None;
        let events_max = limits.events_max.min(4 * run.outcome.stats.events + 10_000);
        return search.best(&scenario, &run, Limits { events_max });
    }
    if !is_livelock {
        scenario.events_max = None;
        return search.best(&scenario, &run, limits);
    }
    let soon = limits.events_max.min((limits.events_max / 10).clamp(SOON.0, SOON.1));
    // Where the budget is spent after a few candidates there is no use in trying any.
    let whole = Some(limits.events_max).filter(|whole| *whole <= EVENTS_MAX / 4);
    for events_max in BTreeSet::from_iter([soon].into_iter().chain(whole)) {
        scenario.events_max = Some(events_max);
        let run = Recorded::run(&scenario, seed, limits)?;
        search.replays += 1;
        if let Some(found) = search.best(&scenario, &run, Limits { events_max })? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// After how many events, at least and at most, what is looked for is taken for a livelock before it is seen to be one.
const SOON: (u64, u64) = (20_000, 200_000);

/// How many stories of a livelock are held against the bound of the run, each of which takes as long as the run.
const HELD_MAX: usize = 2;

/// The search for the story of a run.
struct Search {
    /// Bounds on that run.
    limits: Limits,
    before: Size,
    /// When it was over.
    at: VirtualTime,
    lab: Lab,
    /// How many runs there were beside those of the lab.
    replays: u32,
}

impl Search {
    /// The shortest story of a scenario and of others like it. `run` is its own run, and `limits` bound those that are tried.
    fn best(
        &mut self,
        scenario: &Scenario,
        run: &Recorded,
        limits: Limits,
    ) -> Result<Option<Shrunk>, UnknownMutation> {
        self.lab.limits = limits;
        let sooner = again::sooner(&mut self.lab, scenario, run, limits);
        self.replays += self.lab.begin();
        let (scenario, run) = sooner.as_ref().map_or((scenario, run), |(scenario, run)| (scenario, run));
        let (size, mut stories) = (run.size(), Vec::new());
        // None of them needs to go on for much longer than this one did.
        let no_longer = Limits { events_max: limits.events_max.min(2 * run.outcome.stats.events + 1_000) };
        if self.lab.property == Property::Convergence
            && let Some(ending) = run.outcome.ending
        {
            if let Some(plan) = disks::as_beginning(&mut self.lab, scenario, ending, no_longer) {
                self.lab.make_short(vec![plan], &WAYS[..1], &mut stories);
            }
            self.replays += self.lab.begin();
        }
        let shortest = stories.iter().map(|story: &Made| story.size.events()).min();
        // What a file demands is about the whole of it, and so is how long it goes on.
        let may_be_shorter = shortest.is_none_or(|shortest| shortest > SHORT);
        if self.lab.property != Property::Expectation && scenario.events_max.is_none() && may_be_shorter {
            let others = again::runs(&mut self.lab, scenario, no_longer, size);
            // To look for them is one thing, and to make them short another.
            self.replays += self.lab.begin();
            for (other, run) in others {
                self.lab.make_short(forms(&other, &run), &WAYS[..1], &mut stories);
            }
        }
        let shortest = stories.iter().map(|story| story.size.events()).min();
        let is_far = shortest.is_some_and(|shortest| size.events() >= FAR * shortest);
        if !is_far || !stories.iter().any(|story| story.is_minimal) {
            self.lab.make_short(forms(scenario, run), &WAYS, &mut stories);
        }
        stories.sort_by_key(|story| story.size.events());
        // Any story but that of a livelock holds at once.
        for Made { plan, outcome, size, is_minimal } in stories.into_iter().take(HELD_MAX) {
            if !self.goes_on(&plan)? {
                continue;
            }
            let mut scenario = self.lab.story(&plan);
            scenario.shows = outcome.violation().map_or_else(String::new, shows);
            let (before, replays) = (self.before, self.replays + self.lab.replays);
            return Ok(Some(Shrunk { scenario, outcome, size, before, replays, is_minimal }));
        }
        Ok(None)
    }

    /// Whether the story of a livelock goes on beyond the bound of the run, in twice the time that it took the run: what has a
    /// lower bound of its own may be long, and no more than that.
    fn goes_on(&mut self, plan: &Plan) -> Result<bool, UnknownMutation> {
        if plan.header.events_max.is_none_or(|events_max| events_max >= self.limits.events_max) {
            return Ok(true);
        }
        let mut whole = plan.clone();
        whole.header.events_max = None;
        whole.over = whole.over.max(plan::twice(self.at));
        let (outcome, ()) = execute::run(&whole.scenario(), whole.header.seed.0, self.limits, ())?;
        self.replays += 1;
        Ok(self.lab.found(&outcome).is_some())
    }
}

/// The plans of a run that fails: the first that fails in the same way is made short.
fn forms(scenario: &Scenario, run: &Recorded) -> Vec<Plan> {
    let Some(violation) = run.outcome.violation() else { return Vec::new() };
    let told = run.told(violation);
    if violation.property == Property::Expectation {
        return vec![plan::written(scenario)];
    }
    let is_endless = run.is_endless();
    let mut timed = plan::timed(scenario, &told);
    if scenario.events_max.is_some() && is_endless {
        // Nobody knows when it would have ended. What is much calmer is another thing.
        timed.over = plan::twice(violation.at);
    }
    // What never comes to its end cannot be written out.
    if is_endless || told.is_cut() {
        return vec![timed, plan::written(scenario)];
    }
    vec![plan::by_hand(scenario, &told), timed, plan::written(scenario)]
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
            // However long it is: what is not made shorter is a story too.
            let Some(first) = self.fails_within(&form, self.limits) else { continue };
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
                let Some((outcome, size)) = self.verified(&plan) else { continue };
                stories.push(Made { plan, outcome, size, is_minimal });
            }
            if stories.len() > before {
                return;
            }
        }
    }
}
