//! Steps about snapshots, short logs, and state machines that wait.

use crate::adapter::Request;
use crate::execute::steps::{Heard, said};
use crate::execute::told::Said;
use crate::execute::{Halt, Runner};
use crate::scenario::{Nodes, SendSnapshot, Step, Target};

impl Runner<'_> {
    pub(super) fn snapshots(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Snapshot(nodes) => self.tell_each(step, &nodes.nodes, "", |_| Request::Snapshot),
            Step::Compact(compact) => {
                let keep = compact.keep;
                self.tell_each(step, &compact.nodes, "", |_| Request::Compact { keep })
            }
            Step::SendSnapshot(send) => self.send_snapshot(step, send),
            Step::HoldApplies(nodes) => self.hold_applies(step, nodes, true),
            Step::CompleteApply(nodes) => self.complete_apply(step, nodes),
            Step::ReleaseApplies(nodes) => self.hold_applies(step, nodes, false),
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
    }

    fn send_snapshot(&mut self, step: &Step, send: &SendSnapshot) -> Result<(), Halt> {
        let to = self.nodes(step, &send.to)?;
        let nodes = self.told_nodes(step, &send.from, "")?;
        for node in nodes {
            for to in to.iter().copied().filter(|to| *to != node) {
                let why = match self.ask(node, Request::SendSnapshot { to }) {
                    Heard::Said(Said::Refused(why)) => said(why),
                    Heard::Down => "it is down",
                    Heard::Paused => "it is paused",
                    Heard::Nothing | Heard::Said(Said::Accepted | Said::Forwarded) => continue,
                };
                let what = format!("node {node} sends no snapshot to {to}: {why}");
                return Err(self.unmet(format!("{what}; it must lead, and have taken one with `snapshot`")));
            }
        }
        Ok(())
    }

    /// A node that is down is stalled when it starts.
    fn hold_applies(&mut self, step: &Step, nodes: &Nodes, held: bool) -> Result<(), Halt> {
        for node in self.told_nodes(step, &nodes.nodes, "")? {
            if held {
                self.held_applies.insert(node);
            } else {
                self.held_applies.remove(&node);
            }
            self.ask(node, Request::HoldApplies(held));
        }
        Ok(())
    }

    fn complete_apply(&mut self, step: &Step, nodes: &Nodes) -> Result<(), Halt> {
        let nodes = self.told_nodes(step, &nodes.nodes, "")?;
        for node in nodes {
            let behind = self.sim.process(node).and_then(|member| member.node()).map_or(0, |it| it.behind());
            if behind == 0 {
                let what = format!("node {node} has nothing to apply");
                return Err(self.unmet(format!("{what}: `hold_applies` it before something is committed")));
            }
            self.ask(node, Request::ApplyOne);
        }
        Ok(())
    }

    /// At the end nothing is stalled.
    pub(in crate::execute) fn let_everybody_apply(&mut self) -> Result<(), Halt> {
        for node in core::mem::take(&mut self.held_applies) {
            self.note_down(Step::ReleaseApplies(Nodes { nodes: Target::Node(node.0) }));
            self.ask(node, Request::HoldApplies(false));
        }
        self.watch()
    }
}
