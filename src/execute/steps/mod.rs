//! What each step does: one room for each family of steps.
//!
//! Owns what all rooms need; which family a step belongs to is said beside it (`Step::family`).

pub(super) mod clients;
mod commands;
mod disks;
mod flow;
mod links;
mod members;
mod messages;
mod processes;
mod reads;
mod snapshots;

pub(super) use disks::file_id;
pub(super) use reads::read_kind;

use crate::adapter::Request;
use crate::execute::told::Said;
use crate::execute::{Halt, Runner};
use crate::record::Refusal;
use crate::scenario::{Answer, Family, Step, Target};
use crate::violation::Property;
use sim_core::{Fault, ProcessId};

/// What came of asking a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// It is down.
    Down,
    /// It is paused: it will hear of it when it goes on.
    Paused,
    /// It says nothing, at once at least.
    Nothing,
    /// It says this.
    Said(Said),
}

impl Runner<'_> {
    pub(super) fn carry_out(&mut self, step: &Step) -> Result<(), Halt> {
        match step.family() {
            Family::Flow => self.flow(step),
            Family::Links => self.links(step),
            Family::Messages => self.messages(step),
            Family::Processes => self.processes(step),
            Family::Disks => self.disks(step),
            Family::Members => self.members(step),
            Family::Snapshots => self.snapshots(step),
            Family::Requests => self.requests(step),
            Family::Clients => self.clients(step),
        }
    }

    fn requests(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Propose(propose) => self.propose(step, propose),
            Step::Read(read) => self.read(step, read),
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
    }

    /// Sets a mark in the record, for those who read it.
    pub(super) fn say(&mut self, text: String) {
        self.sim.mark(text);
    }

    pub(super) fn inject(&mut self, fault: &Fault) -> Result<(), Halt> {
        self.sim.inject(fault).map_err(|why| self.unmet(why.to_string()))
    }

    /// Lets everything happen that is due now.
    fn catch_up(&mut self) -> Result<(), Halt> {
        self.run_to(self.sim.now(), |_| false).map(|_| ())
    }

    /// The nodes of a step, told to those who read the record.
    fn told_nodes(&mut self, step: &Step, target: &Target, rest: &str) -> Result<Vec<ProcessId>, Halt> {
        let nodes = self.nodes(step, target)?;
        let named = match target {
            Target::Node(_) | Target::List(_) => String::new(),
            target => format!(" ({target})"),
        };
        let verb = step.verb().replace('_', " ");
        self.say(format!("{verb} {}{named}{rest}", listed(&nodes)));
        Ok(nodes)
    }

    /// Does the same to each node of a step.
    fn each(
        &mut self,
        step: &Step,
        target: &Target,
        rest: &str,
        fault: impl Fn(ProcessId) -> Fault,
    ) -> Result<(), Halt> {
        let nodes = self.told_nodes(step, target, rest)?;
        nodes.into_iter().try_for_each(|node| self.inject(&fault(node)))
    }

    /// Asks something of a node and listens to what it says at once.
    fn ask(&mut self, node: ProcessId, request: Request) -> Heard {
        self.sim.observer_mut().1.0.listen(node);
        if !self.sim.request(node, request) {
            return Heard::Down;
        }
        if self.sim.is_paused(node) {
            return Heard::Paused;
        }
        self.sim.observer().1.0.said(node).map_or(Heard::Nothing, Heard::Said)
    }

    /// Tells each node of a step to do something, which it can only do while it is up.
    fn tell_each(
        &mut self,
        step: &Step,
        target: &Target,
        rest: &str,
        request: impl Fn(ProcessId) -> Request,
    ) -> Result<(), Halt> {
        for node in self.told_nodes(step, target, rest)? {
            if self.ask(node, request(node)) == Heard::Down {
                let what = format!("node {node} is down and cannot {}: `restart` it first", step.verb());
                return Err(self.unmet(what));
            }
        }
        Ok(())
    }

    /// Measures what a node said to `what` against what it must say.
    fn expect(&self, node: ProcessId, what: &str, heard: Heard, expected: Answer) -> Result<(), Halt> {
        let is_met = match (expected, heard) {
            (Answer::Any, _) | (Answer::Accepted, Heard::Said(Said::Accepted)) => true,
            (Answer::Forwarded, Heard::Said(Said::Forwarded)) => true,
            (Answer::Refused, Heard::Said(Said::Refused(_))) => true,
            (_, Heard::Said(Said::Refused(why))) => refusal(expected) == Some(why),
            (_, Heard::Down | Heard::Paused | Heard::Nothing | Heard::Said(_)) => false,
        };
        if is_met {
            return Ok(());
        }
        let did = match heard {
            Heard::Down => "is down and does not answer".to_string(),
            Heard::Paused => "is paused and does not answer".to_string(),
            Heard::Nothing => format!("says nothing to {what}"),
            Heard::Said(Said::Accepted) => format!("accepts {what}"),
            Heard::Said(Said::Forwarded) => format!("hands {what} on"),
            Heard::Said(Said::Refused(why)) => format!("refuses {what}: {}", said(why)),
        };
        Err(self.failed(Property::Expectation, Some(node), format!("node {node} {did}")))
    }
}

/// The one refusal that an answer means, if it means one.
const fn refusal(answer: Answer) -> Option<Refusal> {
    match answer {
        Answer::NotLeader => Some(Refusal::NotLeader),
        Answer::Transferring => Some(Refusal::Transferring),
        Answer::TooMuchUncommitted => Some(Refusal::TooMuchUncommitted),
        Answer::ChangePending => Some(Refusal::ChangePending),
        Answer::NoCommitInTerm => Some(Refusal::NoCommitInTerm),
        Answer::BadChange => Some(Refusal::BadChange),
        Answer::Accepted | Answer::Refused | Answer::Any | Answer::Forwarded => None,
    }
}

/// A refusal as a person would give it.
const fn said(why: Refusal) -> &'static str {
    match why {
        Refusal::NotLeader => "it does not lead",
        Refusal::Transferring => "it is handing over its leadership",
        Refusal::TooMuchUncommitted => "too much is waiting to be committed",
        Refusal::ChangePending => "another change is under way",
        Refusal::NoCommitInTerm => "it has not committed anything in its term",
        Refusal::BadChange => "there can be no such change",
        Refusal::Impossible => "there is nobody, or nothing, to do it with",
    }
}

/// Nodes as a person would list them.
pub(super) fn listed(nodes: &[ProcessId]) -> String {
    match nodes {
        [] => "nobody".to_string(),
        nodes => nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}
