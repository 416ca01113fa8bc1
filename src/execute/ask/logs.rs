//! Predicates about logs: what they hold, how far they go, and what of them is committed, applied or durable.

use super::{Answer, Asking, no};
use crate::execute::everybody;
use crate::mirror::NodeMirror;
use crate::record::Hash64;
use crate::scenario::{
    Amount, Committed, CommittedAt, Count, Index, IndexIs, IndexRef, LastEntry, NotCommitted, Target, Which,
};
use sim_core::ProcessId;

/// One of the indexes of a node.
pub(crate) fn index_of(which: Which, node: &NodeMirror) -> u64 {
    match which {
        Which::Commit => node.commit,
        Which::Applied => node.applied,
        Which::Last => node.log.last_index(),
        Which::Base => node.log.base(),
        Which::Snapshot => node.snapshot.as_ref().map_or(0, |facts| facts.index),
    }
}

impl Asking<'_> {
    pub(super) fn not_committed(&self, asked: &NotCommitted, explain: bool) -> Answer {
        let hash = self.hash(&asked.command);
        let nodes = self.among_all(asked.among.as_ref())?;
        match nodes.into_iter().find(|node| self.applied(*node, hash).is_some()) {
            Some(node) => no!(explain, "{node} has applied {:?}", asked.command),
            None => Ok(None),
        }
    }

    pub(super) fn logs_equal(&self, among: Option<&Target>, explain: bool) -> Answer {
        let nodes = self.somebody(among.unwrap_or(&Target::Connected))?;
        self.alike(&nodes, explain, "log", |node| self.node(node).log.last_prefix())
    }

    pub(super) fn durable(&self, of: &Target, explain: bool) -> Answer {
        match self.somebody(of)?.into_iter().find(|node| !self.is_durable(*node)) {
            Some(node) => no!(explain, "what node {node} has in memory is not what it has on its disk"),
            None => Ok(None),
        }
    }

    pub(super) fn log_length(&self, asked: &Amount, explain: bool) -> Answer {
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: asked.equals };
        for node in self.running(&asked.of, explain)? {
            let log = &self.node(node).log;
            let length = log.last_index() - log.base();
            if !bounds.holds(length) {
                no!(explain, "the log of node {node} holds {length} entries, expected {bounds}");
            }
        }
        Ok(None)
    }

    pub(super) fn committed_at(&self, asked: &CommittedAt, explain: bool) -> Answer {
        let told = &self.sim.observer().1.0;
        let at = |node: &ProcessId| {
            let node = self.node(*node);
            let covered = (asked.index <= node.log.base()).then(|| told.command_at(asked.index)).flatten();
            let found = node.log.get(asked.index).map(|cell| cell.command).or(covered);
            found.filter(|_| node.applied >= asked.index)
        };
        let found = everybody(self.sim).find_map(|node| at(&node));
        let wanted = asked.command.as_ref().map(|command| self.hash(command));
        match (found, wanted) {
            (None, _) => no!(explain, "nothing is applied at index {}", asked.index),
            (Some(found), Some(wanted)) if found != wanted => {
                no!(explain, "another command is applied at index {}", asked.index)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn one_index(&self, asked: &Index, explain: bool) -> Answer {
        let bound = |reference: &Option<IndexRef>| match reference {
            None => Ok(None),
            Some(IndexRef::Number(number)) => Ok(Some(*number)),
            Some(IndexRef::Mark(name)) => {
                let mark = self.mark(Some(name))?;
                Ok::<_, String>(mark.map(|mark| mark.indexes[asked.which as usize]))
            }
        };
        let (at_least, at_most) = (bound(&asked.at_least)?, bound(&asked.at_most)?);
        let bounds = Count { at_least, at_most, equals: bound(&asked.equals)? };
        for node in self.running(&asked.of, explain)? {
            let index = index_of(asked.which, self.node(node));
            if !bounds.holds(index) {
                let which = serde_json::to_string(&asked.which).unwrap_or_default().replace('"', "");
                no!(explain, "the {which} index of node {node} is {index}, expected {bounds}");
            }
        }
        Ok(None)
    }

    pub(super) fn last_entry(&self, asked: &LastEntry, explain: bool) -> Answer {
        for node in self.running(&asked.of, explain)? {
            let log = &self.node(node).log;
            let (index, term) = (log.last_index(), log.last_term());
            if asked.index.is_some_and(|wanted| wanted != index)
                || asked.term.is_some_and(|wanted| wanted != term)
            {
                no!(explain, "the last entry of node {node} has index {index} and term {term}");
            }
        }
        Ok(None)
    }

    /// The hash of a command, which may have been padded when it was proposed.
    fn hash(&self, command: &str) -> Hash64 {
        self.memory.padded.get(command).copied().unwrap_or_else(|| Hash64::of_command(command.as_bytes()))
    }

    /// Where a node has applied a command.
    fn applied(&self, node: ProcessId, command: Hash64) -> Option<u64> {
        let node = self.node(node);
        // Recent commands are the ones asked about.
        (node.log.base() + 1..=node.applied)
            .rev()
            .find(|index| node.log.get(*index).is_some_and(|cell| cell.command == command))
            .or_else(|| {
                // A snapshot covers it.
                let index = self.sim.observer().1.0.index_of(command)?;
                (index <= node.log.base().min(node.applied)).then_some(index)
            })
    }

    pub(super) fn committed(&self, asked: &Committed, explain: bool) -> Answer {
        let hash = self.hash(&asked.command);
        let nodes = self.among_all(asked.among.as_ref())?;
        let bounds = asked.on.unwrap_or_else(|| Count::exactly(nodes.len() as u64));
        let count = nodes.iter().filter(|node| self.applied(**node, hash).is_some()).count();
        if bounds.holds(count as u64) {
            return Ok(None);
        }
        no!(explain, "{count} nodes have applied {:?}, expected {bounds}", asked.command)
    }

    pub(super) fn index(
        &self,
        asked: &IndexIs,
        explain: bool,
        what: &str,
        of: impl Fn(&NodeMirror) -> u64,
    ) -> Answer {
        let bounds = Count { at_least: asked.at_least, at_most: None, equals: asked.equals };
        for node in self.somebody(&asked.of)? {
            let index = of(self.node(node));
            if !bounds.holds(index) {
                no!(explain, "the {what} of node {node} is {index}, expected {bounds}");
            }
        }
        Ok(None)
    }

    fn is_durable(&self, node: ProcessId) -> bool {
        let node = self.node(node);
        let disk = &node.durable;
        let same_log = node.log.last_index() == disk.log.last_index()
            && node.log.last_prefix() == disk.log.last_prefix();
        node.up && node.term == disk.term && node.vote == disk.vote && same_log
    }

    pub(super) fn synced(&self, among: Option<&Target>, explain: bool) -> Answer {
        let nodes = self.running(among.unwrap_or(&Target::Connected), explain)?;
        let log = |node: ProcessId| (self.node(node).log.last_index(), self.node(node).log.last_prefix());
        self.alike(&nodes, explain, "logs", log)?;
        let done = |node: ProcessId| (self.node(node).commit, self.node(node).applied);
        self.alike(&nodes, explain, "commit or applied index", done)?;
        match nodes.into_iter().find(|node| !self.is_durable(*node)) {
            Some(node) => no!(explain, "node {node} has something in memory that is not on its disk"),
            None => Ok(None),
        }
    }
}
