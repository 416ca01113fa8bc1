//! Fewer nodes: one is taken out, and those after it move up.

use super::lab::Lab;
use super::plan::{Event, Form, Plan};
use crate::scenario::{NodeKey, Pin, Scenario, Step, Target};
use std::collections::BTreeMap;

/// Takes out every node without which it fails all the same.
pub(super) fn fewer(lab: &mut Lab, plan: &mut Plan) -> bool {
    // What names stand for, and what predicates ask after, is not known here.
    if plan.form == Form::Written {
        return false;
    }
    let mut changed = false;
    let mut node = plan.header.nodes;
    while node > 0 && plan.header.nodes > 1 {
        node -= 1;
        if let Some(done) = lab.fails(&without(plan, node)) {
            *plan = done;
            changed = true;
        }
    }
    // A quorum of four is no smaller than one of five: two may go where one may not.
    let count = plan.header.nodes;
    let pairs = (0..count).rev().flat_map(|high| (0..high).rev().map(move |low| (low, high)));
    for (low, high) in pairs.filter(|_| count > 2) {
        if let Some(done) = lab.fails(&without(&without(plan, high), low)) {
            *plan = done;
            return true;
        }
    }
    // And what one did another may do.
    for gone in (0..plan.header.nodes).rev() {
        for heir in (0..plan.header.nodes).filter(|heir| *heir != gone) {
            if let Some(done) = lab.fails(&without(&inherited(plan, gone, heir), gone)) {
                *plan = done;
                return true;
            }
        }
    }
    changed
}

/// The plan in which `heir` does what `gone` did, and hears what it heard.
fn inherited(plan: &Plan, gone: u16, heir: u16) -> Plan {
    let mut plan = plan.clone();
    plan.events.retain_mut(|event| {
        for target in event.step.targets_mut() {
            if *target == Target::Node(gone) {
                *target = Target::Node(heir);
            }
        }
        // Nobody speaks with itself.
        !matches!(&event.step, Step::DeliverOne(one) if one.from == one.to)
            && !matches!(&event.step, Step::Transfer(transfer) if transfer.from == transfer.to)
    });
    plan
}

/// The plan without a node.
pub(super) fn without(plan: &Plan, gone: u16) -> Plan {
    let header = header_without(&plan.header, gone);
    let events = plan.events.iter().filter_map(|event| {
        let step = step_without(&event.step, gone)?;
        Some(Event { at: event.at, step })
    });
    Plan { header, events: events.collect(), ..plan.clone() }
}

/// The number that a node has when another one is gone.
const fn moved(node: u16, gone: u16) -> Option<u16> {
    if node == gone {
        None
    } else if node > gone {
        Some(node - 1)
    } else {
        Some(node)
    }
}

fn header_without(header: &Scenario, gone: u16) -> Scenario {
    let mut header = header.clone();
    header.nodes -= 1;
    let list = |nodes: &mut Vec<u16>| *nodes = nodes.iter().filter_map(|node| moved(*node, gone)).collect();
    list(&mut header.down);
    if let Some(members) = &mut header.members {
        list(&mut members.voters);
        list(&mut members.learners);
        if members.voters.is_empty() {
            header.members = None;
        }
    }
    move_keys(&mut header.initial, gone);
    for state in header.initial.values_mut() {
        state.vote = state.vote.and_then(|vote| moved(vote, gone));
    }
    move_keys(&mut header.node_options, gone);
    move_keys(&mut header.clocks, gone);
    move_keys(&mut header.storage.nodes, gone);
    header.network.links.retain_mut(|rule| {
        target_without(&mut rule.from, gone).is_some() && target_without(&mut rule.to, gone).is_some()
    });
    header.pins.retain_mut(|pin| match pin {
        Pin::ElectionTimeout(pin) => moved(pin.node, gone).map(|node| pin.node = node).is_some(),
        Pin::Message(pin) => {
            target_without(&mut pin.from, gone).is_some() && target_without(&mut pin.to, gone).is_some()
        }
    });
    header
}

fn move_keys<V: Clone>(map: &mut BTreeMap<NodeKey, V>, gone: u16) {
    let kept = map.iter().filter_map(|(key, value)| Some((NodeKey(moved(key.0, gone)?), value.clone())));
    *map = kept.collect();
}

fn step_without(step: &Step, gone: u16) -> Option<Step> {
    let mut step = step.clone();
    if let Step::Pin(Pin::ElectionTimeout(pin)) = &mut step {
        pin.node = moved(pin.node, gone)?;
    }
    if let Step::Change(change) = &mut step {
        change.changes.0.retain(|one| one.nodes() != &Target::Node(gone));
        if change.changes.0.is_empty() {
            return None;
        }
    }
    step.targets_mut().into_iter().try_for_each(|target| target_without(target, gone))?;
    Some(step)
}

/// None if nobody is left.
fn target_without(target: &mut Target, gone: u16) -> Option<()> {
    match target {
        Target::Node(node) => *node = moved(*node, gone)?,
        Target::List(items) => {
            items.retain_mut(|item| target_without(item, gone).is_some());
            if items.is_empty() {
                return None;
            }
        }
        Target::AllBut(inner) => {
            let is_everybody = target_without(inner, gone).is_none();
            if is_everybody {
                *target = Target::All;
            }
        }
        // Every other one is found anew.
        _ => {}
    }
    Some(())
}
