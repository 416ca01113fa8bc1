//! How clocks run when a scenario begins.

use crate::execute::Cluster;
use crate::scenario::{Drift, NodeKey, Periodic, Scenario};
use sim_core::{ClockChange, Fault, ProcessId};

pub(super) fn set_up(sim: &mut Cluster<'_>, scenario: &Scenario, node: ProcessId) {
    let Some(clock) = scenario.clocks.get(&NodeKey(node.0)) else { return };
    let offset = clock.offset.map(|by| ClockChange::Ahead { by });
    for clock in offset.into_iter().chain(rate(clock.drift, clock.periodic)) {
        sim.inject(&Fault::SetClock { process: node, clock }).expect("the clocks of the file were checked");
    }
}

/// The world's word for a rate.
pub(crate) fn rate(drift: Option<Drift>, periodic: Option<Periodic>) -> Option<ClockChange> {
    let wander =
        |periodic: Periodic| ClockChange::Wander { ppm: periodic.amplitude.ppm(), period: periodic.period };
    drift.map(|drift| ClockChange::Drift { ppm: drift.ppm() }).or_else(|| periodic.map(wander))
}
