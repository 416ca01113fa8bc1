//! Other runs of the same kind. Chance has made this failure long, and makes it shorter elsewhere: with fewer nodes, some of the
//! steps, another seed. What fails in the same way there takes less to be made short, and comes to less.

use super::lab::Lab;
use super::{Size, header, nodes, plan, recorded};
use crate::execute::Limits;
use crate::scenario::{Scenario, Seed};
use crate::violation::Property;
use sim_core::Stream;

/// How many runs are tried at most.
const TRIES: u64 = 2_000;

/// How many events they may take together.
const EVENTS_MAX: u64 = 1_000_000;

/// How many are worth making short.
const KEPT: usize = 3;

/// Other runs that fail in the same way and are less than half as long, or just shorter where a cluster does not live: the
/// shortest of them, shortest first, each with its seed. `limits` bound each of them.
pub(super) fn runs(lab: &mut Lab, scenario: &Scenario, limits: Limits, before: Size) -> Vec<Scenario> {
    let mut found: Vec<(u64, Scenario)> = Vec::new();
    // Who does not live needs few steps, or none: it is asked to at the end.
    let worth = if lab.property == Property::Convergence { 1 } else { 2 };
    let longest = before.events().div_ceil(worth);
    let enough = lab.events + EVENTS_MAX;
    let mut idle = 0;
    for number in 0..TRIES {
        // The longer the shortest is, the longer is it worth to look for one that is shorter.
        let shortest = found.first().map_or(longest, |(size, _)| *size);
        if shortest == 0 || lab.events + limits.events_max > enough || idle >= 100 + 10 * shortest {
            break;
        }
        idle += 1;
        let draws = &mut Stream::new(scenario.seed.0, "again", number);
        // What is shorter yet is most likely near to what is short already.
        let base = draws.index(2 * KEPT);
        let base = found.get(base).map_or(scenario, |(_, one)| one);
        let other = drawn(base, lab.property, draws);
        if other.check().is_err() {
            continue;
        }
        let Ok((outcome, recorder, done)) = recorded(&other, other.seed.0, limits) else { break };
        lab.replays += 1;
        lab.events += outcome.stats.events;
        let size = Size::in_run(&outcome, &recorder, &done).events();
        let is_known = || found.iter().any(|(known, one)| *known == size && one.seed == other.seed);
        let is_short = size < found.get(KEPT - 1).map_or(longest, |(size, _)| *size);
        if is_short && outcome.violation().is_some_and(|found| lab.is_it(found)) && !is_known() {
            let place = found.partition_point(|(other, _)| *other <= size);
            found.insert(place, (size, other));
            found.truncate(KEPT);
            idle = 0;
        }
    }
    found.into_iter().map(|(_, other)| other).collect()
}

/// The scenario with another seed or its own, and mostly with fewer nodes and steps.
fn drawn(scenario: &Scenario, property: Property, draws: &mut Stream) -> Scenario {
    let mut plan = plan::written(scenario);
    let other = Seed(draws.bits());
    if draws.below(4) > 0 {
        plan.header.seed = other;
    }
    if property != Property::Convergence {
        plan.header.end = plan::over();
    }
    let count = draws.between(1, u64::from(scenario.nodes));
    while u64::from(plan.header.nodes) > count {
        let gone = draws.below(u64::from(plan.header.nodes));
        plan = nodes::without(&plan, u16::try_from(gone).expect("there are no more nodes"));
    }
    if draws.coin() {
        header::some(&mut plan.header, draws);
    }
    // None of the steps, all, or something between.
    let quarters = draws.below(5);
    plan.events.retain(|_| draws.below(4) < quarters);
    if plan.scenario().check().is_err() {
        // What asks after a node that is gone, or tells it something.
        let header = plan.header.clone();
        plan.events
            .retain(|event| Scenario { steps: vec![event.step.clone()], ..header.clone() }.check().is_ok());
    }
    plan.scenario()
}
