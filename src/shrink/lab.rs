//! Trying candidates: what fails in the same way, what of it can go, and whether a story holds as it will be read.

use super::plan::{Form, Plan};
use super::{EVENTS_MAX, REPLAYS_MAX, Recorded, Size, clients, disks, groups, header, nodes, times, values};
use crate::execute::{Done, Limits, Manner, Nearest, Outcome, run, run_logged};
use crate::record::{MessageFacts, Note};
use crate::scenario::{End as EndOf, Expect, Scenario, Seed};
use crate::violation::{Property, Signature, Violation};
use sim_core::{Observer, Span, Stamp, Stream};

/// At which end taking away begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

/// With how many other seeds a candidate is tried where chance decides whether it fails.
const SEEDS: u64 = 12;

/// Where candidates are tried.
pub(super) struct Lab {
    /// Bounds on each run.
    pub(super) limits: Limits,
    pub(super) property: Property,
    pub(super) signature: Signature,
    /// Of a livelock: whether its steps never come to their end.
    pub(super) is_endless: Option<bool>,
    /// Whether the run passes without its planted bug: then its story must too.
    pub(super) needs_bug: bool,
    pub(super) nearest: Nearest,
    pub(super) from: End,
    pub(super) replays: u32,
    /// How many events they took together.
    pub(super) events: u64,
}

impl Lab {
    /// Begins anew with all of the budget. How many runs were made with the last.
    pub(super) fn begin(&mut self) -> u32 {
        self.events = 0;
        core::mem::take(&mut self.replays)
    }

    /// Runs a candidate. If it fails in the same way: what was really done in it, and no more than that.
    pub(super) fn fails(&mut self, plan: &Plan) -> Option<Plan> {
        self.fails_within(plan, self.left())
    }

    /// The same with its own seed, or with one of some others: that is in the plan then. None of these runs needs to go on for
    /// longer than `limits`. Where a file says within what time a cluster must live, many a seed takes longer without being
    /// wrong: only its own counts.
    pub(super) fn fails_with_some_seed(&mut self, plan: &Plan, limits: Limits) -> Option<Plan> {
        let mut other = plan.clone();
        let is_bounded = matches!(&plan.header.end, EndOf::Live(live) if live.within.is_some());
        (0..=if is_bounded { 0 } else { SEEDS }).find_map(|number| {
            if number > 0 {
                other.header.seed = Seed(Stream::new(plan.header.seed.0, "luck", number).bits());
            }
            let events_max = self.left().events_max.min(limits.events_max);
            let within = Limits { events_max };
            self.fails_within(&other, within)
        })
    }

    /// The same within other bounds than what is left.
    pub(super) fn fails_within(&mut self, plan: &Plan, limits: Limits) -> Option<Plan> {
        // A story is a file: what could not be read is none.
        if self.is_spent() || plan.scenario().check().is_err() {
            return None;
        }
        let (outcome, done) = self.watched(plan, limits, &mut ())?;
        let violation = self.found(&outcome)?;
        // Who was stopped by what is left, and not by a bound of its own, might have come to an end.
        if outcome.stats.events >= limits.events_max && limits.events_max < self.limits.events_max {
            return None;
        }
        let broke = Stamp { number: violation.record, at: violation.at };
        Some(plan.as_done(done, broke, outcome.ending))
    }

    /// Bounds on the next run: those on each, or what is left of the budget.
    pub(super) fn left(&self) -> Limits {
        let left = EVENTS_MAX.saturating_sub(self.events);
        Limits { events_max: self.limits.events_max.min(left) }
    }

    /// Runs a candidate while somebody watches.
    pub(super) fn watched(
        &mut self,
        plan: &Plan,
        limits: Limits,
        watcher: &mut dyn Observer<MessageFacts, Note>,
    ) -> Option<(Outcome, Vec<Done>)> {
        self.replays += 1;
        let manner = match plan.form {
            Form::ByHand | Form::Timed => Manner::AsNear(self.nearest),
            Form::Written => Manner::ToTheLetter,
        };
        let (outcome, _, done) =
            run_logged(&plan.scenario(), plan.header.seed.0, limits, watcher, manner).ok()?;
        self.events += outcome.stats.events;
        Some((outcome, done))
    }

    /// Runs the scenario as it is while somebody watches.
    pub(super) fn watch<W: Observer<MessageFacts, Note>>(
        &mut self,
        scenario: &Scenario,
        watcher: W,
    ) -> Option<W> {
        self.replays += 1;
        let (outcome, watcher) = run(scenario, scenario.seed.0, self.limits, watcher).ok()?;
        self.events += outcome.stats.events;
        Some(watcher)
    }

    /// What breaks first in a run, if that is it. What goes on for ever before its steps are over must not do so only while the
    /// cluster is asked to live, or the other way round.
    pub(super) fn found<'a>(&self, outcome: &'a Outcome) -> Option<&'a Violation> {
        let is_there = self.is_endless.is_none_or(|endless| endless == outcome.ending.is_none());
        outcome.violation().filter(|violation| is_there && violation.signature() == self.signature)
    }

    pub(super) const fn is_spent(&self) -> bool {
        self.replays >= REPLAYS_MAX || self.events >= EVENTS_MAX
    }

    /// Takes events away, many at once, then fewer, then each alone until none can go: what is left is 1-minimal.
    pub(super) fn minimise(&mut self, plan: &mut Plan) -> bool {
        let before = plan.events.len();
        let mut chunk = plan.events.len().div_ceil(2).max(1);
        loop {
            let mut tried = 0;
            let mut went = false;
            while tried < plan.events.len() {
                let length = plan.events.len();
                let (begin, end) = match self.from {
                    End::Last => ((length - tried).saturating_sub(chunk), length - tried),
                    End::First => (tried, (tried + chunk).min(length)),
                };
                let mut candidate = plan.clone();
                candidate.events.drain(begin..end);
                match self.fails(&candidate) {
                    Some(done) if done.events.len() < length => {
                        // From the front, what comes next stands here now.
                        tried = if self.from == End::Last { length - begin - (end - begin) } else { begin };
                        *plan = done;
                        went = true;
                    }
                    _ => tried += end - begin,
                }
            }
            if chunk > 1 {
                chunk = chunk.div_ceil(2).min(plan.events.len().max(1));
            } else if !went || self.is_spent() {
                return plan.events.len() < before;
            }
        }
    }

    /// Every pass, again until none finds anything.
    pub(super) fn shrink(&mut self, plan: &mut Plan) {
        header::coarse(self, plan);
        clients::as_steps(self, plan);
        groups::fewer(self, plan);
        nodes::fewer(self, plan);
        self.minimise(plan);
        loop {
            let mut changed = header::fine(self, plan);
            changed |= disks::simpler(self, plan);
            // Of fewer calls it is more likely that they can be had as steps.
            changed |= clients::as_steps(self, plan);
            changed |= nodes::fewer(self, plan);
            changed |= self.minimise(plan);
            changed |= values::simpler(self, plan);
            changed |= times::shorter(self, plan);
            if !changed || self.is_spent() {
                break;
            }
        }
        // Deliveries are logged with their whole names, so short ones come last; and one that stands in for another by its
        // short name, or by the other choice, may be one too many.
        loop {
            values::shorter_names(self, plan);
            if !self.without_one(plan) {
                break;
            }
        }
        plan.over = Span::from_millis(plan.over.nanos().div_ceil(1_000_000));
    }

    /// Takes away one event, if any can go, whichever message stands in for one that is not there.
    fn without_one(&mut self, plan: &mut Plan) -> bool {
        let own = self.nearest;
        let found = [Nearest::Oldest, Nearest::Newest].into_iter().find_map(|nearest| {
            self.nearest = nearest;
            (0..plan.events.len()).rev().find_map(|place| {
                let mut candidate = plan.clone();
                candidate.events.remove(place);
                self.fails(&candidate)
            })
        });
        self.nearest = own;
        // What was shut down is paused and crashes: never longer than before.
        let shorter = found.filter(|done| done.events.len() < plan.events.len());
        shorter.map(|done| *plan = done).is_some()
    }

    /// The scenario of a plan, that expects what breaks.
    pub(super) fn story(&self, plan: &Plan) -> Scenario {
        let mut scenario = plan.scenario();
        scenario.name = format!("shrunk_{}", self.property);
        scenario.shows = String::new();
        // Where that stands is said from where the file was.
        scenario.schema = None;
        scenario.expect = Expect::Violation(self.property);
        scenario
    }

    /// Whether the story holds as it will be read: from its file, to the letter, twice the same. If so, how its run ends, and
    /// how long it is.
    pub(super) fn verified(&mut self, plan: &Plan) -> Option<(Outcome, Size)> {
        let story = self.story(plan);
        let read =
            Scenario::parse("the shrunk story", &story.to_json()).ok().filter(|read| *read == story)?;
        let once = Recorded::run(&read, read.seed.0, self.limits).ok()?;
        let again = run(&read, read.seed.0, self.limits, ()).ok()?.0;
        self.replays += 2;
        let same = once.outcome == again && self.found(&again).is_some();
        if same && self.needs_bug {
            self.replays += 1;
            if fails_without_bug(&read, self.limits, |outcome| self.found(outcome).is_some())? {
                return None;
            }
        }
        same.then(|| (again, once.size_of_story()))
    }
}

/// Whether a scenario fails so without the bug that is planted in it; none if it names a bug that this build does not have.
pub(super) fn fails_without_bug(
    scenario: &Scenario,
    limits: Limits,
    fails: impl FnOnce(&Outcome) -> bool,
) -> Option<bool> {
    let correct = Scenario { mutation: None, expect: Expect::Pass, ..scenario.clone() };
    let (outcome, ()) = run(&correct, correct.seed.0, limits, ()).ok()?;
    Some(fails(&outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shrink::plan;

    /// The first candidate is the run itself: it is tried though it takes more than what is left.
    #[test]
    fn only_what_is_asked_for_goes_beyond_what_is_left_of_the_budget() {
        let text =
            r#"{ "name": "asks", "nodes": 3, "steps": [{ "sleep": "9s" }, { "assert": { "up": 2 } }] }"#;
        let scenario = Scenario::parse("asks", text).unwrap_or_else(|error| panic!("{error:?}"));
        let limits = Limits::default();
        let run = Recorded::run(&scenario, 1, limits).expect("no bug is named");
        let violation = run.outcome.violation().expect("three are up");
        let (nearest, from) = (Nearest::Oldest, End::Last);
        let (property, signature) = (violation.property, violation.signature());
        let events = EVENTS_MAX - run.outcome.stats.events / 2;
        let mut lab = Lab {
            limits,
            property,
            signature,
            is_endless: None,
            needs_bug: false,
            nearest,
            from,
            replays: 0,
            events,
        };
        let plan = plan::written(&scenario);
        assert_eq!(lab.fails(&plan), None, "it is stopped in the middle");
        lab.events = events;
        assert!(lab.fails_within(&plan, limits).is_some());
        assert_eq!(lab.begin(), 2);
        assert!(lab.fails(&plan).is_some(), "with the whole budget it is tried to its end");
        lab.replays = REPLAYS_MAX;
        assert_eq!((lab.fails_within(&plan, limits), lab.begin()), (None, REPLAYS_MAX), "nothing is left");
    }
}
