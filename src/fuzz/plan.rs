//! Drawn faults as steps of a scenario.

use crate::scenario::{
    Clog, Cut, DeliverOne, DropPending, Ends, Held, HeldLinks, Hold, Isolate, LinkRule, Links, MessageKind,
    Nodes, Partition, Step, Target,
};
use sim_core::{Fault, ProcessId};

/// The step that does `fault`.
#[must_use]
pub fn step_of(fault: &Fault) -> Step {
    let node = |process: &ProcessId| Target::node(process.0);
    let nodes = |process: &ProcessId| Nodes { nodes: node(process) };
    let ends = |from: &ProcessId, to: &ProcessId| Ends::OneWay { from: node(from), to: node(to) };
    let held = |from: &ProcessId, to: &ProcessId| Held::OneWay { from: node(from), to: node(to) };
    let kind = |kind: &Option<u8>| kind.and_then(MessageKind::from_index);
    match fault {
        Fault::Cut { from, to, in_flight } => Step::Cut(Cut { ends: ends(from, to), in_flight: *in_flight }),
        Fault::Restore { from, to } => Step::Join(Links { ends: ends(from, to) }),
        Fault::Isolate { process, in_flight } => {
            Step::Isolate(Isolate { nodes: node(process), in_flight: *in_flight })
        }
        Fault::Reconnect { process } => Step::Reconnect(nodes(process)),
        Fault::Partition { groups, in_flight } => {
            let group = |group: &Vec<ProcessId>| Target::nodes(group.iter().map(|process| process.0));
            let mut groups: Vec<Target> = groups.iter().map(group).collect();
            if groups.is_empty() {
                // Everybody in one group: no partition any more.
                groups.push(Target::All);
            }
            Step::Partition(Partition { groups, in_flight: *in_flight })
        }
        Fault::Heal => Step::Heal,
        Fault::Hold { from, to, capture } => Step::Hold(Hold { links: held(from, to), capture: *capture }),
        Fault::Release { from, to } => Step::Release(HeldLinks { links: held(from, to) }),
        Fault::DeliverOne { from, to, kind: of } => {
            Step::DeliverOne(DeliverOne { from: node(from), to: node(to), kind: kind(of) })
        }
        Fault::DropPending { from, to, kind: of } => Step::DropPending(DropPending {
            from: from.as_ref().map(node),
            to: to.as_ref().map(node),
            kind: kind(of),
        }),
        Fault::Clog { from, to, span } => Step::Clog(Clog { from: node(from), to: node(to), span: *span }),
        Fault::SetQuality { from, to, quality } => Step::SetLink(LinkRule {
            latency: Some(quality.latency),
            loss: Some(quality.loss),
            duplicate: Some(quality.duplicate),
            reorder: Some(quality.reorder),
            reorder_by: Some(quality.reorder_by),
            fifo: Some(quality.fifo),
            ..LinkRule::new(node(from), node(to))
        }),
        Fault::Crash { process } => Step::Crash(nodes(process)),
        Fault::Restart { process } => Step::Restart(nodes(process)),
        Fault::Pause { process } => Step::Pause(nodes(process)),
        Fault::Resume { process } => Step::Resume(nodes(process)),
    }
}
