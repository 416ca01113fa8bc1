//! What a story can tell of configurations, snapshots and compaction.

use super::{Story, story, voters};
use crate::record::{Hash64, Members, Note, SnapshotFacts};
use sim_core::WriteId;

impl Story {
    /// The cluster tells of its configurations, and begins with these voters.
    pub(crate) fn begin(mut self, ids: &[u16]) -> Self {
        self.initial = Some(voters(ids));
        (0..self.nodes()).fold(self, Self::tell_members)
    }

    /// What is in force for a node, by its log, and the index of the entry. Nothing if the cluster does not tell.
    pub(crate) fn members_in(&self, node: u16, upto: u64) -> Option<(u64, Members)> {
        let initial = self.initial.clone()?;
        let node = self.node(node);
        let stands = |(index, prefix, _): &&(u64, Hash64, Members)| {
            *index <= upto && *index > node.log.base() && node.log.prefix_at(*index) == Some(*prefix)
        };
        let latest = self.configurations.iter().filter(stands).max_by_key(|(index, ..)| *index);
        let covered = node.snapshot.as_ref().map(|facts| (facts.index, facts.members.clone()));
        let latest = latest.map(|(index, _, members)| (*index, members.clone()));
        let base = covered.unwrap_or((0, initial));
        Some(latest.filter(|(index, _)| *index > base.0).unwrap_or(base))
    }

    /// The node tells of what is in force for it, if the cluster does.
    pub(crate) fn tell_members(self, node: u16) -> Self {
        match self.members_in(node, u64::MAX) {
            Some((index, members)) => self.note(node, Note::Members { index, members: Box::new(members) }),
            None => self,
        }
    }

    /// A leader appends a configuration, durably.
    pub(crate) fn configure(self, node: u16, members: Members) -> Self {
        let story = self.configure_note(node, members);
        let last = story.node(node).log.last_index();
        story.persist_log(node, last).durable(node)
    }

    /// The same, in memory only.
    pub(crate) fn configure_note(self, node: u16, members: Members) -> Self {
        let term = self.node(node).term;
        let name = format!("{members:?}");
        let mut story = self.append(node, term, &name);
        let (index, prefix) = (story.node(node).log.last_index(), story.node(node).log.last_prefix());
        story.configurations.push((index, prefix, members.clone()));
        story.note(node, Note::Members { index, members: Box::new(members) })
    }

    /// Takes a snapshot of what the node has applied.
    pub(crate) fn snapshot(self, node: u16) -> Self {
        let of = self.node(node);
        let (index, state) = (of.applied, of.state);
        let (term, log) = (of.log.term_at(index).unwrap_or(0), of.log.prefix_at(index).unwrap_or_default());
        let members =
            self.members_in(node, index).map_or_else(|| (*of.members).clone(), |(_, members)| members);
        self.takes(node, SnapshotFacts { index, term, log, state, members })
    }

    pub(crate) fn takes(self, node: u16, facts: SnapshotFacts) -> Self {
        self.note(node, Note::Snapshot(Box::new(facts)))
    }

    /// Applies all that is committed and covers it by a snapshot, durably.
    pub(crate) fn cover(self, node: u16) -> Self {
        let count = self.node(node).commit - self.node(node).applied;
        (0..count).fold(self, |story, _| story.apply(node)).snapshot(node).save_snapshot(node).settle(node)
    }

    /// The snapshot that a node has in memory.
    pub(crate) fn facts(&self, node: u16) -> SnapshotFacts {
        self.node(node).snapshot.as_deref().unwrap().clone()
    }

    /// Issues a write of the snapshot in memory.
    pub(crate) fn save_snapshot(self, node: u16) -> Self {
        let index = self.facts(node).index;
        let story = self.persist(node, None, None);
        let write = WriteId(story.writes_issued);
        story.note(node, Note::PersistSnapshot { write, index })
    }

    /// Installs a snapshot in memory.
    pub(crate) fn installs(self, node: u16, facts: SnapshotFacts) -> Self {
        self.note(node, Note::Installed(Box::new(facts)))
    }

    /// Installs a snapshot in memory, and issues the write of it.
    pub(crate) fn install(self, node: u16, facts: SnapshotFacts) -> Self {
        self.installs(node, facts).tell_members(node).save_snapshot(node)
    }

    /// Drops the beginning of the log in memory.
    pub(crate) fn compacts(self, node: u16, base: u64) -> Self {
        self.note(node, Note::Compacted { base })
    }

    /// Issues a write that drops the beginning of the log on the disk.
    pub(crate) fn save_compaction(self, node: u16, base: u64) -> Self {
        let story = self.persist(node, None, None);
        let write = WriteId(story.writes_issued);
        story.note(node, Note::PersistCompacted { write, base })
    }

    /// Both, durably, together with whatever else was on its way.
    pub(crate) fn compact(self, node: u16, base: u64) -> Self {
        self.compacts(node, base).save_compaction(node, base).settle(node)
    }
}

/// 0, which leads term 2 of three, and 1 have committed and applied two entries, cover them by snapshots, and have
/// compacted them up to `upto`. 2 has nothing.
pub(crate) fn compacted(upto: u64) -> Story {
    let story = story(3).boot_all().elect(0, 2, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2);
    let story = story.commit(0, 2).receive(0, 1, 2).commit(1, 2);
    [0, 1].into_iter().fold(story, |story, node| story.cover(node).compact(node, upto)).holds()
}
