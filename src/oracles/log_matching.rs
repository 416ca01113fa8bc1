//! **Log matching**: if two logs, ever, contain an entry with the same index and term, they are identical up
//! to it.
//!
//! Every entry carries the hash of the log up to it, and the first hash seen for an (index, term) is
//! remembered for good: two logs match if and only if the hashes are equal. What this rests on is judged
//! along with it:
//!
//! - an (index, term) is made by the leader of that term (if that term's leader is known);
//! - terms never fall along a log, and no entry is of a higher term than its node;
//! - an entry goes right behind the last one: a log has no gap;
//! - what a node finds on its disk or installs as a snapshot, the other ways for entries to get into a log, ends
//!   like any other log with an entry there.
//!
//! Source: Raft §5.3 and Figure 3, "Log Matching"; etcd's TLA+ `LogMatchingInv`; CCF `MonoLogInv`.
//!
//! Not asserted: that an (index, term) is unique to one life of a cluster's log. A leader's entry may vanish
//! with its crash and the index be filled in another term.
//!
//! Shown *after*: the mirror has the hash of the new entry then.
//!
//! Cost: one look-up by index per `Append`; 24 bytes per index above the floor, more only where several terms
//! have left entries. What lies below the floor is no longer judged.

use super::above::Above;
use super::{Found, Oracle, Seen};
use crate::mirror::{LogCell, Mirror, NodeMirror};
use crate::record::{Hash64, Note, Record, Role};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp};
use std::collections::{BTreeMap, BTreeSet};

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct LogMatching {
    /// By index, from 1: the first term that was seen there, its hash, and whose log it was seen in.
    first: Above<(u64, Sight)>,
    /// The other terms that were seen at an index.
    others: BTreeMap<(u64, u64), Sight>,
    /// The terms that have had a leader: the highest ones.
    led: BTreeSet<u64>,
}

/// An entry as it was seen first.
#[derive(Clone, Copy, Debug)]
struct Sight {
    prefix: Hash64,
    node: ProcessId,
}

impl LogMatching {
    /// How many terms it remembers to have had a leader.
    const LED_MAX: usize = 4_096;

    /// The first sight of an entry. If this is it, it is remembered, and nothing returned.
    #[inline]
    fn sight(&mut self, index: u64, term: u64, sight: Sight) -> Option<Sight> {
        match self.first.get(index) {
            Some((first, known)) if *first == term => Some(*known),
            None => {
                self.first.insert(index, (term, sight));
                None
            }
            Some(_) => match self.others.entry((index, term)) {
                std::collections::btree_map::Entry::Occupied(known) => Some(*known.get()),
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(sight);
                    None
                }
            },
        }
    }

    #[inline]
    fn append(&mut self, process: ProcessId, node: &NodeMirror, index: u64) -> Result<(), String> {
        let Some(cell) = node.log.get(index).filter(|_| index == node.log.last_index()) else {
            let (base, last) = (node.log.base(), node.log.last_index());
            if (1..=base).contains(&index) {
                return Err(format!("{process} appended at {index}, which a snapshot up to {base} covers"));
            }
            return Err(format!(
                "{process} appended at {index}, leaving a gap behind {last}, the end of its log"
            ));
        };
        let LogCell { term, prefix, .. } = *cell;
        let known = self.sight(index, term, Sight { prefix, node: process });
        let below = node.log.term_at(index - 1).unwrap_or(0);
        if term < below {
            return Err(format!(
                "{process} appended an entry of term {term} behind one of term {below}, at {index}"
            ));
        }
        if term > node.term {
            return Err(format!(
                "{process} appended an entry of term {term} at {index}, but is in term {}",
                node.term
            ));
        }
        match known {
            Some(known) if known.prefix != prefix => Err(differs(process, index, term, known)),
            None if index > self.first.base() && node.leader_of != Some(term) && self.led.contains(&term) => {
                Err(format!(
                    "{process} made an entry of term {term} at {index} that no leader of that term had made"
                ))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A node has appended an entry: what is noted most.
    #[inline]
    pub(super) fn appended(
        &mut self,
        stamp: Stamp,
        process: ProcessId,
        index: u64,
        mirror: &Mirror,
        found: &mut Found,
    ) {
        if let Some(node) = mirror.node(process) {
            found.verdict(Self::PROPERTY, stamp, process, self.append(process, node, index));
        }
    }

    /// The end of a log that was found on a disk, or came as a snapshot.
    fn take_up(&mut self, process: ProcessId, index: u64, term: u64, prefix: Hash64) -> Result<(), String> {
        match self.sight(index, term, Sight { prefix, node: process }) {
            Some(known) if known.prefix != prefix => Err(differs(process, index, term, known)),
            Some(_) | None => Ok(()),
        }
    }

    /// Forgets what lies up to `floor`.
    pub(super) fn forget(&mut self, floor: u64) {
        self.first.forget(floor);
        self.others = self.others.split_off(&(floor + 1, 0));
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.first.room() + self.others.len()
    }
}

fn differs(process: ProcessId, index: u64, term: u64, known: Sight) -> String {
    if known.node == process {
        format!(
            "{process} has an entry of term {term} at {index}, but another log up to it than it had before"
        )
    } else {
        format!(
            "{process} and {} have an entry of term {term} at {index}, but different logs up to it",
            known.node
        )
    }
}

impl Oracle for LogMatching {
    const PROPERTY: Property = Property::LogMatching;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note } = record else { return };
        let Some(node) = seen.mirror.node(*process) else { return };
        let verdict = match *note {
            Note::Append { index, .. } => {
                return self.appended(stamp, *process, index, seen.mirror, found);
            }
            Note::Recovered { last_index: 0, .. } => Ok(()),
            // A node may have written only part of what it had changed; then its disk holds a log that never was.
            Note::Recovered { last_index, .. } => {
                match (node.log.term_at(last_index), node.log.prefix_at(last_index)) {
                    (Some(term), Some(prefix)) => self.take_up(*process, last_index, term, prefix),
                    _ => Ok(()),
                }
            }
            Note::Installed(ref facts) => self.take_up(*process, facts.index, facts.term, facts.log),
            Note::Role { role: Role::Leader, term } => {
                self.led.insert(term);
                if self.led.len() > Self::LED_MAX {
                    self.led.pop_first();
                }
                Ok(())
            }
            _ => return,
        };
        found.verdict(Self::PROPERTY, stamp, *process, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::{LogMatching as Oracle, Sight};
    use crate::oracles::testing::{Story, command, compacted, story, voters};
    use crate::oracles::{Found, Oracle as _, Seen};
    use crate::record::{Hash64, Role, SnapshotFacts};
    use crate::violation::Property::LogMatching;
    use sim_core::ProcessId;

    /// 0 leads term 1 with two entries, 1 has them too.
    fn two_equal_logs() -> Story {
        story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2).holds()
    }

    #[test]
    fn logs_may_differ_where_their_terms_do() {
        let story = two_equal_logs().elect(2, 2, &[1]).lead(2, "x").replicate(2, 1, 1).holds();
        assert_eq!(story.node(0).log.get(1).map(|cell| cell.command), Some(command("a")));
        assert_eq!(story.node(1).log.get(1).map(|cell| cell.command), Some(command("x")));
    }

    #[test]
    fn the_same_entry_behind_different_logs_breaks_it() {
        // 1 has x of term 2 at index 1 instead of a, and keeps the place of b for b itself.
        let story = two_equal_logs().elect(2, 2, &[1]).lead(2, "x").lead(2, "y").replicate(2, 1, 2);
        let story = story.elect(0, 3, &[2]).follows(1, 3).truncate(0, 1).append_at(0, 1, 1, "a");
        let violation = story.append_at(0, 2, 2, "y").breaks(LogMatching);
        assert_eq!(violation.what, "0 and 2 have an entry of term 2 at 2, but different logs up to it");
    }

    #[test]
    fn another_command_in_the_same_entry_breaks_it() {
        let story = two_equal_logs().follows(2, 1).append(2, 1, "a");
        story.clone().append(2, 1, "b").holds();
        let violation = story.append(2, 1, "other").breaks_only(LogMatching);
        assert_eq!(violation.what, "2 and 0 have an entry of term 1 at 2, but different logs up to it");
    }

    #[test]
    fn an_entry_that_no_leader_made_breaks_it_only_if_the_term_had_a_leader() {
        let made = |leader_known: bool| {
            let story = story(3).boot_all().candidate(0, 1).votes(1, 1, 0);
            let story = if leader_known { story.role(0, Role::Leader, 1) } else { story };
            story.append(1, 1, "a")
        };
        made(false).holds();
        let violation = made(true).breaks_only(LogMatching);
        assert_eq!(violation.what, "1 made an entry of term 1 at 1 that no leader of that term had made");
    }

    #[test]
    fn a_term_that_falls_along_a_log_breaks_it() {
        let story = story(3).boot_all().term(0, 5).append(0, 4, "a").append(0, 4, "b").append(0, 3, "c");
        assert_eq!(
            story.breaks_only(LogMatching).what,
            "0 appended an entry of term 3 behind one of term 4, at 3"
        );
    }

    #[test]
    fn an_entry_of_a_higher_term_than_its_node_breaks_it() {
        let story = story(3).boot_all().term(0, 4).append(0, 4, "a").holds();
        assert_eq!(
            story.append(0, 5, "b").breaks_only(LogMatching).what,
            "0 appended an entry of term 5 at 2, but is in term 4"
        );
    }

    #[test]
    fn a_gap_breaks_it() {
        for index in [0, 4, u64::MAX] {
            let violation = two_equal_logs().append_at(0, index, 1, "d").breaks(LogMatching);
            let what = format!("0 appended at {index}, leaving a gap behind 2, the end of its log");
            assert_eq!(violation.what, what);
        }
    }

    #[test]
    fn what_was_not_durable_is_lawfully_not_recovered() {
        two_equal_logs().append(0, 1, "c").persist_log(0, 3).restart(0).holds();
    }

    #[test]
    fn a_snapshot_of_another_log_breaks_it() {
        let story = two_equal_logs().commit(0, 2).apply(0).apply(0).snapshot(0);
        let facts = story.facts(0);
        story.clone().follows(2, 1).install(2, facts.clone()).holds();
        let facts = SnapshotFacts { log: Hash64(7), ..facts };
        let violation = story.follows(2, 1).installs(2, facts).breaks(LogMatching);
        assert_eq!(violation.what, "2 and 0 have an entry of term 1 at 2, but different logs up to it");
    }

    #[test]
    fn what_nobody_can_go_back_to_is_not_judged() {
        let appends = |story: Story| story.follows(2, 2).append(2, 2, "a").append(2, 2, "other");
        appends(compacted(1)).breaks(LogMatching);
        appends(compacted(2)).keeps(LogMatching);
        // Nor is who made it.
        let makes = |story: Story| {
            story.role(1, Role::Leader, 3).follows(2, 3).append(2, 2, "a").append(2, 3, "made")
        };
        makes(compacted(1)).breaks(LogMatching);
        makes(compacted(2)).keeps(LogMatching);
        // The log in memory may be the last one that goes back.
        let story =
            [0, 1].into_iter().fold(compacted(1), |story, node| story.save_compaction(node, 2).settle(node));
        appends(story.clone()).breaks(LogMatching);
        appends(story.compacts(0, 2).compacts(1, 2)).keeps(LogMatching);
    }

    #[test]
    fn other_terms_at_an_index_are_forgotten_with_it() {
        let mut oracle = Oracle::default();
        let sight = Sight { prefix: Hash64(7), node: ProcessId(0) };
        for (index, term) in [(1, 1), (1, 2), (2, 2), (2, 3), (2, 4)] {
            assert!(oracle.sight(index, term, sight).is_none());
        }
        oracle.forget(1);
        assert_eq!(oracle.others.keys().copied().collect::<Vec<_>>(), [(2, 3), (2, 4)]);
        assert!(oracle.sight(2, 3, sight).is_some());
    }

    #[test]
    fn the_highest_terms_are_remembered_to_have_had_a_leader() {
        let terms = Oracle::LED_MAX as u64 + 1;
        let led = (1..=terms).fold(story(2).boot_all(), |story, term| story.role(0, Role::Leader, term));
        let made = |term| {
            let judge = led.clone().term(1, term).append(1, term, "a").judge();
            judge.violations().iter().any(|violation| violation.property == LogMatching)
        };
        assert_eq!([1, 2, terms].map(made), [false, true, true]);
    }

    #[test]
    fn to_recover_a_log_whose_changed_middle_was_never_written_breaks_it() {
        let changed = || {
            let story = two_equal_logs().elect(2, 2, &[0]).lead(2, "x").lead(2, "y").lead(2, "z");
            story.receive(2, 0, 3).crash(0).boot(0).receive(2, 0, 2)
        };
        changed().durable(0).durable(0).restart(0).holds();
        // Only the last entry is written, onto what was there before.
        let story = changed().note_written(0, 2).restart(0);
        assert_eq!(story.node(0).durable.log.get(1).map(|cell| cell.command), Some(command("a")));
        let violation = story.breaks(LogMatching);
        assert_eq!(violation.what, "0 and 2 have an entry of term 2 at 2, but different logs up to it");
    }

    impl Story {
        fn note_written(self, node: u16, first: u64) -> Self {
            self.persist_log(node, first).durable_youngest(node)
        }
    }

    #[test]
    fn a_snapshot_that_nobody_had_the_log_of_is_remembered() {
        let (log, state) = (Hash64(7), Hash64(8));
        let facts = SnapshotFacts { index: 3, term: 1, log, state, members: voters(&[0, 1, 2]) };
        let story = two_equal_logs().follows(2, 1).installs(2, facts).keeps(LogMatching);
        let violation = story.append(0, 1, "c").breaks(LogMatching);
        assert_eq!(violation.what, "0 and 2 have an entry of term 1 at 3, but different logs up to it");
    }

    #[test]
    fn of_logs_that_are_found_with_nothing_but_their_end_the_ends_are_compared() {
        let story = two_equal_logs().commit(0, 2).receive(0, 1, 2).commit(1, 2).replicate(0, 2, 1);
        let story =
            [0, 1].into_iter().fold(story, |story, node| story.cover(node).compact(node, 2).crash(node));
        let finds = |story: Story, node, hash| story.boot_finding(node, 1, None, (1, Hash64(hash)), None);
        let story = finds(story, 0, 7).keeps(LogMatching);
        finds(story.clone(), 1, 7).keeps(LogMatching);
        let violation = finds(story, 1, 8).breaks(LogMatching);
        assert_eq!(violation.what, "1 and 0 have an entry of term 0 at 1, but different logs up to it");
    }

    #[test]
    fn a_snapshot_that_is_found_was_compared_when_it_came() {
        let story = two_equal_logs().crash(2);
        let (log, state) = (Hash64(7), Hash64(8));
        let facts = SnapshotFacts { index: 2, term: 1, log, state, members: voters(&[0, 1, 2]) };
        let first = story.node(0).log.prefix_at(1).unwrap();
        story.boot_finding(2, 1, None, (1, first), Some(facts)).keeps(LogMatching);
    }

    #[test]
    fn what_a_snapshot_covers_is_not_removed_from_a_log_that_is_found() {
        let story = two_equal_logs().commit(0, 2).cover(0).restart(0).holds();
        assert_eq!(story.node(0).log.base(), 0);
        story.append_at(0, 2, 1, "b").keeps(LogMatching);
    }

    #[test]
    fn it_judges_alone_as_among_the_others() {
        let story = two_equal_logs().append_at(0, 4, 1, "d");
        let (stamp, record) = story.history.last().unwrap();
        let judge = story.judge();
        let seen = Seen { mirror: &story.mirror, canon: judge.canon() };
        let mut found = Found::default();
        Oracle::default().observe(*stamp, record, seen, &mut found);
        assert_eq!(found.violations(), [story.breaks(LogMatching)]);
    }
}
