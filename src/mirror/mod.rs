//! What a run has told so far, folded into one picture of the cluster.
//!
//! Oracles, predicates of scenarios and views read it. It believes every record: judging is the oracles'
//! work, and so it must stay meaningful, and never panic, on records that no lawful Raft would write. It
//! knows nothing of the simulation that the records come from, so a trace from elsewhere is as good.
//!
//! It stands in the hot loop: everything is indexed by process, a record that changes nothing costs a branch,
//! and in the steady state nothing is allocated but the growth of the logs.

mod cells;
mod disk;
mod log;
mod node;
#[cfg(test)]
mod tests;

pub use disk::{DurableMirror, Finding};
pub use log::{LogCell, LogMirror};
pub use node::NodeMirror;

use crate::record::{Members, Note, Record};
use sim_core::{Interest, ProcessId, RecordKind, Stamp};
use std::sync::Arc;

/// A cluster as its records tell of it.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// The nodes, in the order of their ids. Processes beyond them (clients, say) are no concern of the
    /// mirror's.
    pub nodes: Vec<NodeMirror>,
    version: u64,
}

impl Mirror {
    /// The records that can change it.
    pub const INTEREST: Interest = Interest::of(&[
        RecordKind::Booted,
        RecordKind::Crashed,
        RecordKind::Paused,
        RecordKind::Resumed,
        RecordKind::Panicked,
        RecordKind::WriteDurable,
        RecordKind::WriteFailed,
        RecordKind::Noted,
    ]);

    /// A cluster of `count` nodes, none of which has booted.
    #[must_use]
    pub fn new(count: u16) -> Self {
        let members = Arc::new(Members::voters(count));
        Self { nodes: vec![NodeMirror::new(members); usize::from(count)], version: 0 }
    }

    /// A node has this on its disk when the run begins, from another life.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn begin_with(&mut self, node: ProcessId, disk: DurableMirror) {
        self.nodes[node.index()].durable = disk;
    }

    /// The node that `process` is, if it is one.
    #[inline]
    #[must_use]
    pub fn node(&self, process: ProcessId) -> Option<&NodeMirror> {
        self.nodes.get(process.index())
    }

    /// The nodes of which `holds` says so.
    pub fn those(&self, holds: impl Fn(&NodeMirror) -> bool) -> impl Iterator<Item = ProcessId> {
        (0..=u16::MAX).zip(&self.nodes).filter(move |(_, node)| holds(node)).map(|(id, _)| ProcessId(id))
    }

    /// The highest index that no log goes back to, neither in memory nor on disk: the lowest base of any that has, or
    /// had, an entry. What lies below it nobody can tell, compare or send any more.
    #[must_use]
    pub fn floor(&self) -> u64 {
        let logs = self.nodes.iter().flat_map(|node| [&node.log, &node.durable.log]);
        logs.filter(|log| log.last_index() > 0).map(LogMirror::base).min().unwrap_or(0)
    }

    /// A number that grows whenever something that can be read here has changed: while it stands still, so
    /// does the answer to any question.
    #[inline]
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Takes in one record.
    #[inline]
    pub fn apply(&mut self, _stamp: Stamp, record: &Record) {
        let changed = match record {
            Record::Noted { process, note } => return self.noted(*process, note),
            Record::WriteDurable { process, write } => self.change(*process, |node| node.complete(*write)),
            Record::WriteFailed { process, .. } => self.change(*process, |node| {
                node.fail();
                false
            }),
            Record::Booted { process, life } => self.change(*process, |node| {
                node.boot(*life);
                true
            }),
            Record::Crashed { process, .. } | Record::Panicked { process, .. } => {
                self.change(*process, |node| {
                    node.forget();
                    true
                })
            }
            Record::Paused { process } => self.change(*process, |node| {
                node.paused = true;
                true
            }),
            Record::Resumed { process } => self.change(*process, |node| {
                node.paused = false;
                true
            }),
            Record::Sent { .. }
            | Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Duplicated { .. }
            | Record::Held { .. }
            | Record::Released { .. }
            | Record::TimerSet { .. }
            | Record::TimerFired { .. }
            | Record::WriteIssued { .. }
            | Record::Injected { .. }
            | Record::OperationFailed { .. }
            | Record::Marked { .. } => false,
        };
        self.version += u64::from(changed);
    }

    /// Takes in what a process noted, as [`Self::apply`] does: for those who know what sort of note it is.
    #[inline(always)]
    pub fn noted(&mut self, process: ProcessId, note: &Note) {
        let Some(node) = self.nodes.get_mut(process.index()) else { return };
        let full = node.log.full();
        self.version += u64::from(node.note(note));
        if node.log.full() > full {
            self.share(process);
        }
    }

    /// What has come into the log of a node is mostly in that of another one already.
    #[cold]
    fn share(&mut self, process: ProcessId) {
        let (before, rest) = self.nodes.split_at_mut(process.index());
        let Some((node, after)) = rest.split_first_mut() else { return };
        for other in before.iter().chain(&*after) {
            if node.log.share(&other.log) {
                return;
            }
        }
    }

    #[inline(always)]
    fn change(&mut self, process: ProcessId, change: impl FnOnce(&mut NodeMirror) -> bool) -> bool {
        self.nodes.get_mut(process.index()).is_some_and(change)
    }
}
