//! **Config safety**: the configuration changes one at a time, and so that any two that follow each other overlap.
//!
//! When a leader makes a configuration (it tells of one that nobody has told of, in an entry of its term):
//! - the one before is committed;
//! - it has committed an entry of its own term before: else two leaders may each count on a majority that does not
//!   meet the other's (the bug of 2015). Not so if it leaves a joint one: all who do make the same of it;
//! - the voters of a simple configuration differ from those of the one before by one at most; a joint one is entered
//!   from the voters that it replaces, and left for its own; there is always a voter.
//!
//! The configuration in force for a node is the last one in its log, or that of the snapshot that it starts from, or
//! the one that it began with:
//! - what it tells is that, and the same as others told of the same entry;
//! - what it told last is that whenever it stands for election, or commits as leader. So one that did not go back to the
//!   configuration before, when it removed an entry, is seen at once.
//!
//! Source: Raft §6, thesis §4.1 to §4.3; Ongaro, "bug in single-server membership changes", raft-dev, July 2015; openraft
//! and etcd-io/raft (`ReadyToStep`, "only one change pending"); CCF `LogConfigurationConsistentInv`.
//!
//! Not asserted: anything of a node that never told of a configuration, nor of learners, who do not count. Nor that what
//! a node began with is what others began with: one that joins later may begin with nothing.
//!
//! Cost: a few comparisons of hashes per note of a configuration, election and commit of a leader.

use super::{Canon, Found, Oracle, Seen};
use crate::mirror::NodeMirror;
use crate::record::{Members, Note, Record, Role};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct ConfigSafety {
    grounds: Vec<Ground>,
}

/// What is in force for a node where no entry of its log says otherwise.
#[derive(Clone, Debug, Default)]
struct Ground {
    /// Whether it told of any configuration in this life.
    tells: bool,
    /// What it began with.
    initial: Option<Members>,
    /// Up to where a snapshot covers its log, in this life, and the configuration there.
    covered: u64,
    snapshot: Option<Members>,
}

impl Ground {
    fn cover(&mut self, index: u64, members: Option<&Members>) {
        self.covered = index;
        self.snapshot = members.cloned();
    }

    /// What is in force for the node, as its log says, and the index of the entry (0 where it has none in its log).
    fn expected<'a>(&'a self, node: &NodeMirror, canon: &'a Canon) -> Option<(u64, &'a Members)> {
        let ground = self.snapshot.as_ref().or(self.initial.as_ref()).map(|members| (0, members));
        canon.members_in(&node.log, self.covered).or(ground)
    }
}

impl ConfigSafety {
    pub(super) fn new(nodes: u16) -> Self {
        Self { grounds: vec![Ground::default(); usize::from(nodes)] }
    }

    fn tell(
        &mut self,
        process: ProcessId,
        node: &NodeMirror,
        index: u64,
        members: &Members,
        canon: &Canon,
    ) -> Result<(), String> {
        let Some(ground) = self.grounds.get_mut(process.index()) else { return Ok(()) };
        ground.tells = true;
        if index == 0 && ground.snapshot.is_none() && ground.initial.is_none() {
            ground.initial = Some(members.clone());
        }
        if index > node.log.last_index() {
            let last = node.log.last_index();
            return Err(format!("{process} holds the configuration at {index}, but its log ends at {last}"));
        }
        let prefix = node.log.prefix_at(index).filter(|_| index > ground.covered);
        let known = prefix.and_then(|prefix| canon.configuration(index, prefix));
        let before = ground.expected(node, canon);
        if prefix.is_some() && known.is_none() && before.is_none_or(|(last, _)| index > last) {
            return match before {
                Some((last, before)) if node.leads() && node.log.term_at(index) == Some(node.term) => {
                    change(process, node, (last, before), (index, members))
                }
                Some(_) | None => Ok(()),
            };
        }
        match before {
            Some((_, expected)) if expected != members => {
                Err(format!("{process} holds another configuration at {index} than its log says"))
            }
            Some((last, _)) if last > index.max(ground.covered) => {
                Err(format!("{process} holds the configuration at {index}, though its log has one at {last}"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What the node told last must be what its log says.
    fn act(&self, process: ProcessId, node: &NodeMirror, deed: &str, canon: &Canon) -> Result<(), String> {
        let Some(ground) = self.grounds.get(process.index()) else { return Ok(()) };
        match ground.expected(node, canon) {
            Some((_, expected)) if *expected != *node.members => {
                let index = node.members_index;
                Err(format!("{process} {deed} with the configuration at {index}, but its log says another"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a leader may follow up one configuration with another.
fn change(
    process: ProcessId,
    node: &NodeMirror,
    (last, before): (u64, &Members),
    (index, members): (u64, &Members),
) -> Result<(), String> {
    let commit = node.commit;
    if last > commit {
        return Err(format!(
            "{process} made a configuration at {index}, while the one at {last} is not committed"
        ));
    }
    let leaves_joint = before.is_joint() && !members.is_joint();
    if !leaves_joint && node.log.term_at(commit) != Some(node.term) {
        return Err(format!(
            "{process} made a configuration at {index} before it committed an entry of its term {}",
            node.term
        ));
    }
    if overlap(before, members) {
        return Ok(());
    }
    Err(format!("{process} made a configuration at {index} that need not overlap with the one before"))
}

/// Whether any quorum of the one meets any of the other, by the rules for changing one to the other.
fn overlap(before: &Members, after: &Members) -> bool {
    if after.voters.is_empty() {
        return false;
    }
    let lacking = |some: &Members, in_: &Members| {
        some.voters.iter().filter(|voter| !in_.voters.contains(voter)).count()
    };
    match (before.is_joint(), after.is_joint()) {
        (false, false) => lacking(before, after) + lacking(after, before) <= 1,
        (false, true) => after.outgoing == before.voters,
        (true, false) => after.voters == before.voters,
        (true, true) => false,
    }
}

impl Oracle for ConfigSafety {
    const PROPERTY: Property = Property::ConfigSafety;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    #[inline]
    fn observe(
        &mut self,
        stamp: Stamp,
        record: &Record,
        Seen { mirror, canon }: Seen<'_>,
        found: &mut Found,
    ) {
        let Record::Noted { process, note } = record else { return };
        let (Some(node), Some(ground)) = (mirror.node(*process), self.grounds.get_mut(process.index()))
        else {
            return;
        };
        let verdict = match note {
            Note::Members { index, members } => self.tell(*process, node, *index, members, canon),
            Note::Role { role: Role::Candidate | Role::Leader, .. } if ground.tells => {
                self.act(*process, node, "stands for election", canon)
            }
            Note::Commit { .. } if ground.tells && node.leads() => self.act(*process, node, "commits", canon),
            Note::Snapshot(facts) | Note::Installed(facts) => {
                ground.cover(facts.index, Some(&facts.members));
                return;
            }
            Note::Recovered { snapshot, .. } => {
                ground.tells = false;
                ground.cover(
                    snapshot.as_ref().map_or(0, |facts| facts.index),
                    snapshot.as_ref().map(|facts| &facts.members),
                );
                return;
            }
            _ => return,
        };
        found.verdict(Self::PROPERTY, stamp, *process, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::overlap;
    use crate::oracles::testing::{Story, joint, story, voters};
    use crate::record::{Members, Note, Record, SnapshotFacts};
    use crate::violation::Property::ConfigSafety;
    use sim_core::ProcessId;

    /// 0 leads term 1 of 0, 1, 2 and has committed an entry.
    fn ready() -> Story {
        let story = story(5).boot_all().begin(&[0, 1, 2]).elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1);
        story.commit(0, 1).holds()
    }

    #[test]
    fn changes_may_follow_one_another() {
        let story =
            ready().configure(0, voters(&[0, 1, 2, 3])).replicate(0, 1, 2).replicate(0, 3, 2).commit(0, 2);
        let story =
            story.configure(0, joint(&[0, 3, 4], &[0, 1, 2, 3])).replicate(0, 1, 3).replicate(0, 3, 3);
        let story = story.replicate(0, 4, 3).commit(0, 3).configure(0, voters(&[0, 3, 4]));
        story.replicate(0, 3, 4).commit(0, 4).holds();
    }

    #[test]
    fn what_a_snapshot_holds_stands_in_no_entry_at_its_end() {
        let story = ready().lead(0, "b").replicate(0, 1, 2).commit(0, 2).apply(0).apply(0).snapshot(0);
        let story = story.save_snapshot(0).settle(0).crash(0).boot(0).tell_members(0);
        assert_eq!(story.node(0).members_index, 2);
        // The log of 1 has the same entry, which is no configuration.
        story.crash(1).boot(1).tell_members(1).holds();
    }

    #[test]
    fn a_new_leader_may_leave_a_joint_configuration_at_once_but_not_begin_another() {
        let story = ready().configure(0, joint(&[0, 1, 3], &[0, 1, 2])).replicate(0, 1, 2).replicate(0, 3, 2);
        let story = story.commit(0, 2).commit(1, 2).elect(1, 2, &[0, 3]).holds();
        story.clone().configure(1, voters(&[0, 1, 3])).holds();
        let story = story.configure_note(1, joint(&[0, 1, 4], &[0, 1, 3]));
        let violation = story.breaks_only(ConfigSafety);
        assert_eq!(violation.what, "1 made a configuration at 3 before it committed an entry of its term 2");
    }

    #[test]
    fn a_change_before_the_last_one_is_committed_breaks_it() {
        let story = ready().configure(0, voters(&[0, 1, 2, 3]));
        let violation = story.configure_note(0, voters(&[0, 1, 2, 3, 4])).breaks_only(ConfigSafety);
        assert_eq!(violation.what, "0 made a configuration at 3, while the one at 2 is not committed");
    }

    #[test]
    fn a_change_before_an_entry_of_the_term_is_committed_breaks_it() {
        // The bug of 2015: 1 leads term 2 and has all that was committed, but nothing of its own.
        let story = ready().elect(1, 2, &[2]);
        let violation = story.clone().configure_note(1, voters(&[0, 1, 2, 3])).breaks_only(ConfigSafety);
        assert_eq!(violation.what, "1 made a configuration at 2 before it committed an entry of its term 2");
        let story = story.lead(1, "b").replicate(1, 2, 2).commit(1, 2);
        story.configure(1, voters(&[0, 1, 2, 3])).holds();
    }

    #[test]
    fn a_change_of_two_voters_at_once_breaks_it() {
        let violation = ready().configure_note(0, voters(&[0, 1, 3])).breaks_only(ConfigSafety);
        assert_eq!(violation.what, "0 made a configuration at 2 that need not overlap with the one before");
        ready().configure_note(0, joint(&[0, 1, 3], &[0, 1])).breaks_only(ConfigSafety);
    }

    #[test]
    fn configurations_overlap_by_the_rules_for_changes() {
        let learning = Members { learners: vec![ProcessId(7)], ..voters(&[0, 1, 2]) };
        let joined = joint(&[2, 3, 4], &[0, 1, 2]);
        let pairs = [
            (voters(&[0, 1, 2]), learning, true),
            (voters(&[0, 1, 2]), voters(&[0, 1]), true),
            (voters(&[0, 1, 2]), voters(&[1, 2, 3, 0]), true),
            (voters(&[0, 1, 2]), voters(&[1, 2, 3]), false),
            (voters(&[0]), voters(&[]), false),
            (voters(&[0, 1, 2]), joined.clone(), true),
            (voters(&[0, 1, 3]), joined.clone(), false),
            (joined.clone(), voters(&[2, 3, 4]), true),
            (joined.clone(), voters(&[0, 1, 2]), false),
            (joined.clone(), joined, false),
        ];
        for (before, after, fine) in pairs {
            assert_eq!(overlap(&before, &after), fine, "{before:?} to {after:?}");
        }
    }

    #[test]
    fn a_removed_change_goes_back_to_the_one_before() {
        let story = ready().configure(0, voters(&[0, 1, 2, 3])).elect(1, 2, &[2]).lead(1, "b");
        let rolled_back = story.clone().receive(1, 0, 2);
        assert_eq!((rolled_back.node(0).members_index, rolled_back.node(0).members.voters.len()), (0, 3));
        rolled_back.settle(0).candidate(0, 3).holds();
        // It forgets to.
        let story = story.follows(0, 2).truncate(0, 2).candidacy(0, 3);
        let violation = story.breaks(ConfigSafety);
        assert_eq!(
            violation.what,
            "0 stands for election with the configuration at 2, but its log says another"
        );
    }

    #[test]
    fn another_configuration_than_others_told_of_the_same_entry_breaks_it() {
        let story = ready().configure(0, voters(&[0, 1, 2, 3])).receive(0, 1, 2);
        let others = Note::Members { index: 2, members: Box::new(voters(&[0, 1, 2])) };
        assert_eq!(
            story.note(1, others).breaks_only(ConfigSafety).what,
            "1 holds another configuration at 2 than its log says"
        );
    }

    #[test]
    fn a_new_life_starts_from_its_snapshot_and_log() {
        let story = ready().configure(0, voters(&[0, 1, 2, 3])).replicate(0, 1, 2).replicate(0, 3, 2);
        let story =
            story.commit(0, 2).apply(0).apply(0).snapshot(0).save_snapshot(0).durable(0).compact(0, 2);
        let story = story.restart(0).holds();
        assert_eq!(story.node(0).members.voters.len(), 4);
        let old = Note::Members { index: 0, members: Box::new(voters(&[0, 1, 2])) };
        story.note(0, old).breaks_only(ConfigSafety);
    }

    #[test]
    fn what_a_snapshot_covers_is_no_configuration_though_the_log_still_has_it() {
        let story = ready().lead(0, "b").replicate(0, 1, 2).replicate(0, 2, 2).commit(0, 2).apply(0).apply(0);
        // 0 tells of its configuration by the index of the snapshot, 2, where "b" stands.
        let story = story.snapshot(0).save_snapshot(0).durable(0).restart(0).holds();
        assert_eq!((story.node(0).members_index, story.node(0).log.base()), (2, 0));
        story.restart(1).candidate(1, 3).holds();
    }

    #[test]
    fn what_a_node_began_with_stays_over_its_lives() {
        let story = ready().crash(1);
        let (last, hash) = (story.node(1).durable.log.last_index(), story.node(1).durable.log.last_prefix());
        let told = |ids| Note::Members { index: 0, members: Box::new(voters(ids)) };
        story.clone().boot_with(1, last, hash).note(1, told(&[0, 1, 2])).holds();
        story.boot_with(1, last, hash).note(1, told(&[0, 1])).breaks_only(ConfigSafety);
    }

    #[test]
    fn before_a_new_life_has_told_what_it_found_the_last_word_of_the_old_one_counts() {
        let stands = |story: Story| {
            let life = story.node(0).life + 1;
            story.crash(0).record(Record::Booted { process: ProcessId(0), life }).candidacy(0, 2)
        };
        let story = ready().configure(0, voters(&[0, 1, 2, 3]));
        stands(story.clone().replicate(0, 1, 2).replicate(0, 3, 2).commit(0, 2).cover(0)).keeps(ConfigSafety);
        let violation = stands(story).breaks(ConfigSafety);
        let what = "0 stands for election with the configuration at 2, but its log says another";
        assert_eq!(violation.what, what);
    }

    #[test]
    fn a_snapshot_tells_what_is_in_force_at_its_end_whatever_the_log_says() {
        let story =
            ready().configure(0, voters(&[0, 1, 2, 3])).replicate(0, 1, 2).replicate(0, 3, 2).commit(0, 2);
        let story = story.cover(0);
        let others = SnapshotFacts { members: voters(&[0, 1, 2]), ..story.facts(0) };
        story.clone().candidacy(0, 2).holds();
        story.takes(0, others).candidacy(0, 2).breaks(ConfigSafety);
        // It tells of what its snapshot holds by the index of that, where something else stands.
        let told = |ids| Note::Members { index: 2, members: Box::new(voters(ids)) };
        let story = ready().lead(0, "b").replicate(0, 1, 2).commit(0, 2).cover(0);
        story.clone().note(0, told(&[0, 1, 2])).holds();
        story.clone().note(0, told(&[0, 1, 2, 3])).breaks_only(ConfigSafety);
        story.restart(0).note(0, told(&[0, 1, 2, 3])).breaks_only(ConfigSafety);
    }

    #[test]
    fn who_only_passes_a_change_on_is_not_judged_for_it() {
        let far = |index| Note::Members { index, members: Box::new(voters(&[0, 3, 4])) };
        let story = ready().append(0, 1, "change").receive(0, 1, 2);
        story.clone().note(1, far(2)).keeps(ConfigSafety);
        story.clone().elect(1, 2, &[2]).note(1, far(2)).keeps(ConfigSafety);
        story.note(0, far(2)).breaks(ConfigSafety);
    }

    #[test]
    fn an_entry_below_the_last_configuration_is_not_told_of() {
        let story = ready().configure(0, voters(&[0, 1, 2, 3])).receive(0, 1, 2);
        let told = Note::Members { index: 1, members: Box::new(voters(&[0, 1, 2, 3])) };
        let violation = story.note(1, told).breaks_only(ConfigSafety);
        assert_eq!(violation.what, "1 holds the configuration at 1, though its log has one at 2");
    }

    #[test]
    fn what_a_node_did_not_begin_with_it_cannot_go_back_to() {
        let told = |index, ids| Note::Members { index, members: Box::new(voters(ids)) };
        // It took up work with a log, and tells of what stands there first.
        let story =
            story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").receive(0, 1, 1).note(1, told(1, &[0, 1]));
        story.truncate(1, 1).note(1, told(0, &[0, 1, 2])).keeps(ConfigSafety);
        // What its snapshot held is gone with it.
        let story = ready().configure_note(0, voters(&[0, 1, 2, 3])).replicate(0, 1, 2).replicate(0, 2, 2);
        let story = story
            .replicate(0, 3, 2)
            .commit(0, 2)
            .apply(0)
            .apply(0)
            .snapshot(0)
            .note(0, told(0, &[0, 1, 2, 3]));
        assert_eq!(story.restart(0).holds().node(0).members_index, 0);
    }
}
