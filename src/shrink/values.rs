//! Steps that say less.

use super::lab::Lab;
use super::plan::Plan;
use crate::scenario::{Crash, CrashAt, DeliverOne, MemberChanges, Propose, Step, Target};

/// Puts a simpler step in the place of each for which one does.
pub(super) fn simpler(lab: &mut Lab, plan: &mut Plan) -> bool {
    let mut changed = false;
    let mut place = 0;
    while place < plan.events.len() {
        for step in simpler_than(&plan.events[place].step) {
            let mut candidate = plan.clone();
            candidate.events[place].step = step.clone();
            // What was done must be no longer.
            if let Some(done) = lab.fails(&candidate)
                && done.events.len() <= plan.events.len()
            {
                *plan = done;
                changed = true;
                break;
            }
        }
        place += 1;
    }
    changed
}

/// Takes from deliveries what of their names is not needed.
pub(super) fn shorter_names(lab: &mut Lab, plan: &mut Plan) {
    for place in 0..plan.events.len() {
        let Some(Step::DeliverOne(one)) = plan.events.get(place).map(|event| event.step.clone()) else {
            continue;
        };
        let less = [
            DeliverOne { term: None, nth: None, ..one.clone() },
            DeliverOne { nth: None, ..one.clone() },
            DeliverOne { term: None, ..one.clone() },
        ];
        for less in less.into_iter().filter(|less| *less != one) {
            let mut candidate = plan.clone();
            candidate.events[place].step = Step::DeliverOne(less);
            if let Some(mut done) = lab.fails(&candidate)
                && done.events.len() == plan.events.len()
            {
                keep_short_names(&mut done, &candidate);
                *plan = done;
                break;
            }
        }
    }
}

/// A delivery is written down with its whole name; where the candidate got by with less, less is enough.
fn keep_short_names(done: &mut Plan, candidate: &Plan) {
    for (event, tried) in done.events.iter_mut().zip(&candidate.events) {
        if let (Step::DeliverOne(one), Step::DeliverOne(less)) = (&mut event.step, &tried.step)
            && (&one.from, &one.to, one.kind) == (&less.from, &less.to, less.kind)
        {
            (one.term, one.nth) = (less.term, less.nth);
        }
    }
}

/// Simpler forms of a step, the simplest first.
fn simpler_than(step: &Step) -> Vec<Step> {
    match step {
        Step::DeliverOne(one) if one.copy => {
            vec![Step::DeliverOne(DeliverOne { copy: false, ..one.clone() })]
        }
        Step::Propose(propose) => {
            let less = [
                Propose { count: None, bytes: None, ..propose.clone() },
                Propose { bytes: None, ..propose.clone() },
            ];
            less.into_iter().filter(|less| less != propose).map(Step::Propose).collect()
        }
        Step::Crash(crash) if crash.keep.is_some() || crash.torn.is_some() => {
            vec![Step::Crash(Crash::of(crash.nodes.clone()))]
        }
        Step::CrashAt(CrashAt { node, .. }) => vec![Step::Crash(Crash::of(node.clone()))],
        Step::Shutdown(nodes) => vec![Step::Crash(Crash::of(nodes.nodes.clone()))],
        Step::Change(change) => (0..change.changes.0.len())
            .filter(|_| change.changes.0.len() > 1)
            .map(|place| {
                let mut changes = change.changes.0.clone();
                changes.remove(place);
                Step::Change(crate::scenario::Change { changes: MemberChanges(changes), ..change.clone() })
            })
            .collect(),
        step => fewer_targets(step),
    }
}

/// The step about one fewer of those that it lists.
fn fewer_targets(step: &Step) -> Vec<Step> {
    let mut own = step.clone();
    let lists: Vec<usize> = own
        .targets_mut()
        .into_iter()
        .map(|target| if let Target::List(items) = target { items.len() } else { 0 })
        .collect();
    let mut simpler = Vec::new();
    for (place, length) in lists.into_iter().enumerate().filter(|(_, length)| *length > 1) {
        for item in 0..length {
            let mut less = step.clone();
            if let Some(Target::List(items)) = less.targets_mut().into_iter().nth(place) {
                items.remove(item);
            }
            simpler.push(less);
        }
    }
    simpler
}
