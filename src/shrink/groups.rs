//! Taking away at once all that is alike: everything of a kind, on a link, at a node. Cheap where events are many.

use super::lab::Lab;
use super::plan::Plan;
use crate::scenario::Step;
use core::cmp::Reverse;
use std::collections::BTreeMap;

/// In what events can be alike.
type Alike = fn(&Step) -> Option<String>;

const ALIKE: [Alike; 5] = [
    |step| Some(step.verb().to_string()),
    |step| receiver(step).map(|to| format!("to {to}")),
    |step| of_delivery(step, |one| one.kind.map(|kind| kind.name().to_string())),
    |step| of_delivery(step, |one| Some(format!("{}>{}", one.from, one.to))),
    |step| of_delivery(step, |one| Some(format!("{}>{} {}", one.from, one.to, one.kind?.name()))),
];

fn of_delivery(
    step: &Step,
    tell: impl FnOnce(&crate::scenario::DeliverOne) -> Option<String>,
) -> Option<String> {
    if let Step::DeliverOne(one) = step { tell(one) } else { None }
}

fn receiver(step: &Step) -> Option<String> {
    match step {
        Step::DeliverOne(one) => Some(one.to.to_string()),
        Step::Tick(tick) => Some(tick.nodes.to_string()),
        _ => None,
    }
}

/// Takes away whole groups without which it fails all the same, large ones first.
pub(super) fn fewer(lab: &mut Lab, plan: &mut Plan) -> bool {
    let before = plan.events.len();
    for alike in ALIKE {
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        for name in plan.events.iter().filter_map(|event| alike(&event.step)) {
            *groups.entry(name).or_default() += 1;
        }
        let mut groups: Vec<(String, usize)> = groups.into_iter().collect();
        groups.sort_by_key(|(_, count)| Reverse(*count));
        for (name, _) in groups {
            let mut candidate = plan.clone();
            candidate.events.retain(|event| alike(&event.step).as_ref() != Some(&name));
            let is_shorter = candidate.events.len() < plan.events.len();
            if is_shorter && let Some(done) = lab.fails(&candidate) {
                *plan = done;
            }
        }
    }
    plan.events.len() < before
}
