//! The canonical log: what the cluster as a whole has committed, entry by entry, kept once for all oracles.
//!
//! It is extended by `Commit` notes alone, after commit legality has judged them, and never shrinks: an entry
//! belongs to it from the moment that the first node, a leader in any lawful Raft, takes it for committed.
//! Applying does not extend it, nor does a snapshot.
//!
//! What lies below the floor (see [`crate::mirror::Mirror::floor`]) is forgotten, but for the one entry at it: no log goes back
//! further, so whoever asks about it is answered leniently.

use super::above::Above;
use crate::mirror::{LogCell, LogMirror, NodeMirror};
use crate::record::{Effect, Hash64, Members, SnapshotFacts};
use sim_core::ProcessId;
use std::sync::Arc;

/// An entry that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The entry's term.
    pub term: u64,
    /// The hash of its command.
    pub command: Hash64,
    /// The hash of the log up to and including it.
    pub prefix: Hash64,
    /// The term of the node that first committed it, which may be higher than the entry's own.
    pub committed_in: u64,
}

/// What came of an entry when it was applied first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The state machine after it.
    pub state: Hash64,
    /// What it did.
    pub effect: Effect,
    /// Who applied it.
    pub by: ProcessId,
}

/// A configuration and the entry that holds it.
#[derive(Clone, Debug)]
struct Configuration {
    index: u64,
    /// The hash of the log up to and including the entry.
    prefix: Hash64,
    members: Arc<Members>,
}

/// Every entry that was committed, in order, and every configuration that stands or stood in a log.
#[derive(Clone, Debug)]
pub struct Canon {
    entries: Above<Committed>,
    /// By index: what came of it when it was applied first.
    applied: Above<Applied>,
    /// The entry at the end of what is forgotten.
    base: Committed,
    /// The configuration that the last commit was made under.
    committed_under: Arc<Members>,
    /// The configuration that the cluster began with.
    initial: Arc<Members>,
    is_initial_told: bool,
    /// By index.
    configurations: Vec<Configuration>,
}

impl Canon {
    pub(super) fn new(nodes: u16) -> Self {
        let none = Hash64::default();
        let initial = Arc::new(Members::voters(nodes));
        Self {
            entries: Above::default(),
            applied: Above::default(),
            base: Committed { term: 0, command: none, prefix: none, committed_in: 0 },
            committed_under: initial.clone(),
            initial,
            is_initial_told: false,
            configurations: Vec::new(),
        }
    }

    /// The index of the last committed entry.
    #[inline]
    #[must_use]
    pub fn last_index(&self) -> u64 {
        self.entries.last_index()
    }

    /// The last index whose entry is forgotten, but for what [`Canon::prefix_at`] and [`Canon::term_at`] say of it; 0 if
    /// everything is remembered.
    #[inline]
    #[must_use]
    pub fn base(&self) -> u64 {
        self.entries.base()
    }

    /// The committed entry at `index`; nothing at what is forgotten.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&Committed> {
        self.entries.get(index)
    }

    /// The hash of the committed log up to `index`, 0 for the empty log; nothing beyond its end or at what is forgotten.
    #[inline]
    #[must_use]
    pub fn prefix_at(&self, index: u64) -> Option<Hash64> {
        if index == self.base() { Some(self.base.prefix) } else { self.get(index).map(|entry| entry.prefix) }
    }

    /// The term of the committed entry at `index`; nothing beyond the end or at what is forgotten.
    #[must_use]
    pub fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.base() { Some(self.base.term) } else { self.get(index).map(|entry| entry.term) }
    }

    /// The term of the leader that committed the entry at `index`; nothing beyond the end or at what is forgotten.
    #[must_use]
    pub fn committed_in(&self, index: u64) -> Option<u64> {
        if index == self.base() {
            Some(self.base.committed_in)
        } else {
            self.get(index).map(|entry| entry.committed_in)
        }
    }

    /// What came of the entry at `index` when it was applied first; nothing where nobody did, or where it is forgotten.
    #[inline]
    #[must_use]
    pub fn applied(&self, index: u64) -> Option<&Applied> {
        self.applied.get(index)
    }

    /// Whether a log is the committed one up to `index`, as far as both can tell: what a log has compacted away is
    /// judged by its base, and what is forgotten here is taken for the same.
    #[inline]
    #[must_use]
    pub fn agrees(&self, log: &LogMirror, index: u64) -> bool {
        match (log.prefix_at(index), self.prefix_at(index)) {
            (Some(theirs), Some(ours)) => theirs == ours,
            (Some(_), None) => index < self.base(),
            (None, _) => self.agrees_at_base(log, index),
        }
    }

    #[cold]
    fn agrees_at_base(&self, log: &LogMirror, index: u64) -> bool {
        let base = log.base();
        index < base && self.prefix_at(base).is_none_or(|prefix| log.prefix_at(base) == Some(prefix))
    }

    /// The first index, up to `index`, at which a log is not the committed one.
    #[must_use]
    pub fn first_difference(&self, log: &LogMirror, index: u64) -> Option<u64> {
        // A log with a long base is looked at from there: below it there is nothing to see.
        let begin = self.base().max(log.base()).max(1).min(index);
        (begin..=index.min(self.last_index())).find(|index| !self.agrees(log, *index))
    }

    /// The last index that was committed in a term below `term`; 0 if none was, as far as it is remembered.
    #[must_use]
    pub fn last_index_committed_below(&self, term: u64) -> u64 {
        // Commits come in the order of terms unless something is broken, so this looks at the last one
        // mostly.
        let place = self.entries.items().iter().rposition(|entry| entry.committed_in < term);
        match place {
            Some(place) => self.base() + place as u64 + 1,
            None if self.base.committed_in < term => self.base(),
            None => 0,
        }
    }

    /// The configuration that its last entry was committed under: the one in force for the leader then.
    #[must_use]
    pub fn committed_under(&self) -> &Members {
        &self.committed_under
    }

    /// The configuration in force at `index` of the committed log; nothing beyond its end, below what is remembered, or
    /// if nobody ever told of any.
    #[must_use]
    pub fn members_at(&self, index: u64) -> Option<&Members> {
        let is_told = self.is_initial_told || !self.configurations.is_empty();
        if !is_told || index > self.last_index() || index < self.base() {
            return None;
        }
        let is_canonical = |configuration: &&Configuration| {
            configuration.index < self.base()
                || self.prefix_at(configuration.index) == Some(configuration.prefix)
        };
        let last = self.configurations.iter().rev().filter(|c| c.index <= index).find(is_canonical);
        Some(last.map_or(&*self.initial, |configuration| &configuration.members))
    }

    /// The last configuration that stands in a log above `covered`, and the index of its entry.
    pub(super) fn members_in<'a>(&'a self, log: &LogMirror, covered: u64) -> Option<(u64, &'a Members)> {
        self.configurations
            .iter()
            .rev()
            .take_while(|c| c.index > covered)
            .find(|c| log.prefix_at(c.index) == Some(c.prefix))
            .map(|c| (c.index, &*c.members))
    }

    /// The configuration that stands in the entry at `index` behind which the log has the hash `prefix`.
    pub(super) fn configuration(&self, index: u64, prefix: Hash64) -> Option<&Members> {
        self.configurations.iter().find(|c| (c.index, c.prefix) == (index, prefix)).map(|c| &*c.members)
    }

    /// Takes in that `node` has told of its configuration in force, after the mirror has.
    pub(super) fn learn(&mut self, node: &NodeMirror) {
        let (index, members) = (node.members_index, &node.members);
        if index == 0 {
            // Whoever joins later may begin with nothing.
            if !self.is_initial_told && !members.voters.is_empty() {
                self.is_initial_told = true;
                self.initial = members.clone();
                if self.last_index() == 0 {
                    self.committed_under = members.clone();
                }
            }
            return;
        }
        // That of a snapshot stands in some entry below its end, nobody knows in which, even where the log reaches back
        // further than the snapshot.
        let covered = node.snapshot.as_ref().map_or(0, |snapshot| snapshot.index).max(node.log.base());
        let Some(prefix) = node.log.prefix_at(index).filter(|_| index > covered) else { return };
        if self.configuration(index, prefix).is_none() {
            let place = self.configurations.partition_point(|c| c.index <= index);
            self.configurations.insert(place, Configuration { index, prefix, members: members.clone() });
        }
    }

    /// Takes it that what this snapshot covers was committed before the first record, under the configuration that it holds.
    pub(super) fn begin_behind(&mut self, facts: &SnapshotFacts, by: ProcessId) {
        let SnapshotFacts { index, term, log, state, ref members } = *facts;
        // Whoever is to join later holds nobody.
        if !self.is_initial_told && !members.voters.is_empty() {
            self.is_initial_told = true;
            self.initial = Arc::new(members.clone());
            self.committed_under = self.initial.clone();
        }
        if index <= self.last_index() {
            return;
        }
        self.base = Committed { term, command: Hash64::default(), prefix: log, committed_in: term };
        self.entries = Above::behind(index);
        self.applied = Above::behind(index - 1);
        self.apply(index, Applied { state, effect: Effect::Carried, by });
    }

    /// Takes in what came of the entry at `index`, unless somebody applied it before.
    #[inline]
    pub(super) fn apply(&mut self, index: u64, applied: Applied) {
        if index > self.applied.last_index() {
            self.applied.insert(index, applied);
        }
    }

    /// Takes in that `node` has committed its log up to its commit index.
    ///
    /// A log that differs from what was committed before, or ends before its commit index, extends nothing
    /// beyond what it has: commit legality has told of it.
    #[inline]
    pub(super) fn extend(&mut self, node: &NodeMirror) {
        let length = self.last_index();
        if node.commit <= length || !self.agrees(&node.log, length) {
            return;
        }
        let committed_in = node.term;
        let cells = node.log.run(length + 1, node.commit - length);
        self.entries.extend(cells.map(|cell| {
            let LogCell { term, command, prefix } = *cell;
            Committed { term, command, prefix, committed_in }
        }));
        if !Arc::ptr_eq(&self.committed_under, &node.members) {
            self.committed_under = node.members.clone();
        }
    }

    /// Forgets what lies below `floor`, and the configurations that no log can have any more.
    pub(super) fn forget(&mut self, floor: u64) {
        let floor = floor.min(self.last_index());
        if floor <= self.base() {
            return;
        }
        // The one in force at the floor stays. It may stand at the base itself, of which only `base` knows.
        let in_force = self.configurations.iter().rposition(|c| {
            c.index <= floor && (c.index < self.base() || self.prefix_at(c.index) == Some(c.prefix))
        });
        self.base = *self.get(floor).expect("the floor lies above the base, and not beyond the end");
        let mut place = 0;
        self.configurations.retain(|c| {
            place += 1;
            c.index > floor || Some(place - 1) == in_force
        });
        self.entries.forget(floor);
        // The state at the floor is that of the snapshots there.
        self.applied.forget(floor - 1);
    }

    /// How many things it remembers.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.entries.room() + self.applied.room() + self.configurations.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::testing::{Story, compacted, story, voters};

    /// 0 of five has committed the voters 0 to 3 at 2, all of them at 5, and an entry behind that.
    fn changed_twice() -> Story {
        let story = story(5).boot_all().begin(&[0, 1, 2]).elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1);
        let story =
            story.commit(0, 1).configure(0, voters(&[0, 1, 2, 3])).replicate(0, 1, 2).replicate(0, 2, 2);
        let story =
            story.commit(0, 2).lead(0, "b").lead(0, "c").configure(0, voters(&[0, 1, 2, 3, 4])).lead(0, "d");
        story.replicate(0, 1, 6).replicate(0, 2, 6).commit(0, 6).holds()
    }

    /// A node with another configuration at 5 than was committed there.
    fn stranger() -> NodeMirror {
        let story = changed_twice().follows(3, 1);
        let story = ["a", "x", "x", "x"].into_iter().fold(story, |story, name| story.append(3, 1, name));
        story.configure_note(3, voters(&[3])).node(3).clone()
    }

    #[test]
    fn the_configuration_in_force_stays_when_its_entry_is_forgotten() {
        let mut canon = changed_twice().judge().canon().clone();
        let told = |canon: &Canon| -> Vec<Option<usize>> {
            (0..=7).map(|index| canon.members_at(index).map(|members| members.voters.len())).collect()
        };
        let all = [Some(3), Some(3), Some(4), Some(4), Some(4), Some(5), Some(5), None];
        assert_eq!(told(&canon), all);
        canon.learn(&stranger());
        for (floor, kept) in [(1, 3), (3, 3), (4, 3), (5, 1), (6, 1)] {
            canon.forget(floor);
            assert_eq!(canon.configurations.len(), kept, "at {floor}");
            let floor = usize::try_from(floor).unwrap();
            assert_eq!(told(&canon)[..floor], vec![None; floor], "at {floor}");
            assert_eq!(told(&canon)[floor..], all[floor..], "at {floor}");
            if floor == 5 {
                // It is told of again, where only the canonical one is remembered.
                canon.learn(&stranger());
                assert_eq!(told(&canon)[floor..], all[floor..]);
            }
        }
    }

    #[test]
    fn what_a_snapshot_covers_at_the_beginning_was_committed_before() {
        let facts = |index: u64, ids: &[u16]| SnapshotFacts {
            index,
            term: 3,
            log: Hash64(index),
            state: Hash64(10 * index),
            members: voters(ids),
        };
        let mut canon = Canon::new(5);
        canon.begin_behind(&facts(4, &[]), ProcessId(4));
        assert_eq!((canon.members_at(4), canon.committed_under().voters.len()), (None, 5));
        canon.begin_behind(&facts(7, &[0, 1, 2]), ProcessId(1));
        canon.begin_behind(&facts(5, &[0, 1]), ProcessId(2));
        canon.begin_behind(&facts(7, &[0]), ProcessId(3));
        assert_eq!((canon.base(), canon.last_index(), canon.get(7)), (7, 7, None));
        assert_eq!(
            (canon.term_at(7), canon.prefix_at(7), canon.prefix_at(6)),
            (Some(3), Some(Hash64(7)), None)
        );
        assert_eq!((canon.members_at(7), canon.members_at(8)), (Some(&voters(&[0, 1, 2])), None));
        assert_eq!(canon.committed_under(), &voters(&[0, 1, 2]));
        let applied = Applied { state: Hash64(70), effect: Effect::Carried, by: ProcessId(1) };
        assert_eq!((canon.applied(6), canon.applied(7), canon.applied(8)), (None, Some(&applied), None));
        assert_eq!((canon.last_index_committed_below(3), canon.last_index_committed_below(4)), (0, 7));
    }

    #[test]
    fn what_is_forgotten_is_taken_for_the_same() {
        let story = compacted(2).follows(2, 2).append(2, 2, "x").append(2, 2, "b").append(2, 2, "c");
        let (judge, log) = (story.judge(), &story.node(2).log);
        let agrees = |index| judge.canon().agrees(log, index);
        assert_eq!([0, 1, 2].map(agrees), [true, true, false]);
        assert_eq!(judge.canon().first_difference(log, 2), Some(2));
        assert_eq!(judge.canon().first_difference(&story.node(1).log, 2), None);
    }
}
