//! Predicates about configurations.

use super::{Answer, Asking, no};
use crate::adapter::{self, EntryKind, Member};
use crate::execute::steps::listed;
use crate::record::Members;
use crate::scenario::{InConfig, MembersAre, Membership, Target};
use sim_core::ProcessId;
use std::sync::Arc;

impl Asking<'_> {
    /// The configuration in force: that of the leader of the highest term, or without a leader the one with the highest
    /// index.
    pub(crate) fn in_force(&self) -> &Arc<Members> {
        let all = &self.sim.observer().0.mirror().nodes;
        // Of two with the same index, which only a change that was undone leaves behind, the first.
        let newest = all.iter().rev().max_by_key(|node| node.members_index);
        let node = self.leader().map(|leader| self.node(leader)).or(newest);
        &node.expect("a cluster has a node").members
    }

    /// The configuration that stands in the log of a node at an index, if one does.
    fn in_log(&self, node: ProcessId, index: u64) -> Option<Members> {
        let view = self.sim.process(node).and_then(Member::node)?.node().view();
        let place = usize::try_from(index.checked_sub(view.base.0.0 + 1)?).ok()?;
        match &view.log.get(place)?.kind {
            EntryKind::Change(membership) => Some(adapter::members(membership)),
            EntryKind::Noop | EntryKind::Command(_) => None,
        }
    }

    pub(super) fn members(&self, asked: &MembersAre, explain: bool) -> Answer {
        for node in self.somebody(&asked.of)? {
            let found = match asked.at {
                None => Some(Members::clone(&self.node(node).members)),
                Some(index) => self.in_log(node, index),
            };
            let Some(found) = found else {
                if asked.absent {
                    continue;
                }
                let at = asked.at.unwrap_or_default();
                no!(explain, "no configuration stands at index {at} in the log of node {node}");
            };
            if asked.absent {
                no!(explain, "a configuration stands there in the log of node {node}");
            }
            let lists = [
                ("voters", &asked.voters, &found.voters),
                ("outgoing voters", &asked.outgoing, &found.outgoing),
                ("learners", &asked.learners, &found.learners),
            ];
            for (what, wanted, found) in lists {
                let Some(wanted) = wanted else { continue };
                if self.resolve(wanted, None)? != *found {
                    no!(explain, "the {what} are {} to node {node}", listed(found));
                }
            }
        }
        Ok(None)
    }

    pub(super) fn joint(&self, of: &Target, explain: bool) -> Answer {
        match self.somebody(of)?.into_iter().find(|node| !self.node(*node).members.is_joint()) {
            Some(node) => no!(explain, "the configuration of node {node} is not joint"),
            None => Ok(None),
        }
    }

    pub(super) fn in_config(&self, asked: &InConfig, wanted: bool, explain: bool) -> Answer {
        let nodes = self.somebody(&asked.nodes)?;
        for of in self.somebody(asked.of.as_ref().unwrap_or(&Target::Leader))? {
            let members = &self.node(of).members;
            let belongs = |node: ProcessId| match asked.membership {
                None => members.contains(node),
                Some(Membership::Voter) => members.is_voter(node),
                Some(Membership::Learner) => members.learners.contains(&node),
            };
            if let Some(node) = nodes.iter().find(|node| belongs(**node) != wanted) {
                let does = if wanted { "does not belong" } else { "belongs" };
                no!(explain, "node {node} {does} to the configuration of node {of}");
            }
        }
        Ok(None)
    }
}
