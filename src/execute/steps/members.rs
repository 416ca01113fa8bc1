//! Steps about members and leadership.

use crate::adapter::{self, ChangeRequest, Request, node_id};
use crate::execute::steps::Heard;
use crate::execute::told::Said;
use crate::execute::{Halt, Runner};
use crate::scenario::{Answer, Change, MemberChange, ReportUnreachable, Step, Target, Transfer, Transition};

impl Runner<'_> {
    pub(super) fn members(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Change(change) => self.change(step, change),
            Step::LeaveJoint(leave) => {
                self.ask_for_change(step, &leave.to, &ChangeRequest::leave(), leave.expect)
            }
            Step::Transfer(transfer) => self.transfer(step, transfer),
            Step::ForgetLeader(nodes) => self.tell_each(step, &nodes.nodes, "", |_| Request::ForgetLeader),
            Step::Campaign(target) => self.tell_each(step, target, "", |_| Request::Campaign),
            Step::ReportUnreachable(report) => self.report(step, report),
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
    }

    fn change(&mut self, step: &Step, change: &Change) -> Result<(), Halt> {
        let mut changes = Vec::new();
        for one in &change.changes.0 {
            let nodes = self.nodes(step, one.nodes())?;
            if nodes.is_empty() {
                return Err(self.unmet(format!("`{one}` changes nobody now")));
            }
            changes.extend(nodes.into_iter().map(node_id).map(|node| match one {
                MemberChange::AddVoter(_) => adapter::Change::AddVoter(node),
                MemberChange::AddLearner(_) => adapter::Change::AddLearner(node),
                MemberChange::Remove(_) => adapter::Change::Remove(node),
            }));
        }
        let transition = match change.transition {
            Transition::Auto => adapter::Transition::Auto,
            Transition::Implicit => adapter::Transition::Implicit,
            Transition::Explicit => adapter::Transition::Explicit,
        };
        self.ask_for_change(step, &change.to, &ChangeRequest { changes, transition }, change.expect)
    }

    fn ask_for_change(
        &mut self,
        step: &Step,
        to: &Target,
        request: &ChangeRequest,
        expected: Answer,
    ) -> Result<(), Halt> {
        let rest = match step {
            Step::Change(change) => {
                let changes: Vec<String> = change.changes.0.iter().map(ToString::to_string).collect();
                format!(": {}", changes.join(" "))
            }
            _ => String::new(),
        };
        let nodes = self.told_nodes(step, to, &rest)?;
        self.somebody_answers(to, &nodes, expected)?;
        for node in nodes {
            let heard = self.ask(node, Request::Change(Box::new(request.clone())));
            self.expect(node, "the change", heard, expected)?;
        }
        Ok(())
    }

    /// A leader that takes it says nothing: it tries.
    fn transfer(&mut self, step: &Step, transfer: &Transfer) -> Result<(), Halt> {
        let to = self.one(step, &transfer.to)?;
        let nodes = self.told_nodes(step, &transfer.from, &format!(" to {to}"))?;
        self.somebody_answers(&transfer.from, &nodes, transfer.expect)?;
        for node in nodes {
            let heard = match self.ask(node, Request::Transfer { to }) {
                Heard::Nothing => Heard::Said(Said::Accepted),
                heard => heard,
            };
            self.expect(node, "the transfer", heard, transfer.expect)?;
        }
        Ok(())
    }

    fn report(&mut self, step: &Step, report: &ReportUnreachable) -> Result<(), Halt> {
        for node in self.nodes(step, &report.of)? {
            self.tell_each(step, &report.at, &format!(": {node}"), |_| Request::Unreachable { node })?;
        }
        Ok(())
    }
}
