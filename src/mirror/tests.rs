//! Tests of the mirror as a whole.

use crate::mirror::{Finding, Mirror};
use crate::oracles::testing::{Story, accepted, heartbeat, story};
use crate::record::{Hash64, Members, Note, Record, Role, SnapshotFacts};
use sim_core::{ProcessId, Stamp, VirtualTime, WriteId};

fn terms(log: &crate::mirror::LogMirror) -> Vec<u64> {
    log.cells().map(|cell| cell.term).collect()
}

/// Node 0 of term 3 with two durable entries, of terms 1 and 3.
fn settled() -> Story {
    let story = story(1).boot_all().term(0, 3).vote(0, 3, 0).append(0, 1, "a").append(0, 3, "b");
    story.persist_hard(0).persist_log(0, 1).durable(0).durable(0)
}

#[test]
fn a_first_boot_finds_nothing() {
    let story = story(2).boot(1);
    let (down, up) = (story.node(0), story.node(1));
    assert_eq!((down.up, down.life), (false, 0));
    assert_eq!((up.up, up.life, up.term, up.vote, up.role), (true, 1, 0, None, Role::Follower));
    assert_eq!(up.log.last_index(), 0);
}

#[test]
fn a_crash_leaves_what_is_durable_and_nothing_else() {
    let story =
        settled().append(0, 3, "c").persist_log(0, 3).role(0, Role::Leader, 3).commit(0, 2).apply(0).crash(0);
    let node = story.node(0);
    assert_eq!(
        (node.up, node.role, node.leader_of, node.term, node.vote),
        (false, Role::Follower, None, 0, None)
    );
    assert_eq!((node.commit, node.applied, node.state, node.log.last_index()), (0, 0, Hash64(0), 0));
    assert_eq!((node.durable.term, node.durable.vote), (3, Some(ProcessId(0))));
    assert_eq!(terms(&node.durable.log), [1, 3]);
}

#[test]
fn a_panic_is_a_crash() {
    let story = settled().append(0, 3, "c").panic(0);
    assert!(!story.node(0).up);
    assert_eq!(terms(&story.boot(0).node(0).log), [1, 3]);
}

#[test]
fn a_new_life_takes_up_what_is_durable_and_forgets_writes_on_the_way() {
    let story = settled().append(0, 3, "c").persist_log(0, 3).restart(0);
    let node = story.node(0);
    assert_eq!((node.up, node.life, node.term, node.vote), (true, 2, 3, Some(ProcessId(0))));
    assert_eq!(node.log, node.durable.log);
    // The lost write was the third. To hear of it now changes nothing.
    let late = story.record(Record::WriteDurable { process: ProcessId(0), write: WriteId(3) });
    assert_eq!(terms(&late.node(0).durable.log), [1, 3]);
}

#[test]
fn a_write_holds_the_log_as_it_was_when_it_was_issued() {
    let story =
        settled().append(0, 3, "c").persist_log(0, 3).truncate(0, 2).append(0, 4, "d").persist_log(0, 2);
    let story = story.durable(0);
    assert_eq!(terms(&story.node(0).durable.log), [1, 3, 3]);
    assert_eq!(terms(&story.durable(0).node(0).durable.log), [1, 4]);
}

#[test]
fn a_write_without_entries_removes_the_end_of_the_durable_log() {
    let story = settled().truncate(0, 2).persist_log(0, 2);
    assert_eq!(terms(&story.node(0).durable.log), [1, 3]);
    assert_eq!(terms(&story.durable(0).node(0).durable.log), [1]);
}

#[test]
fn writes_may_finish_out_of_order() {
    let story =
        settled().append(0, 3, "c").persist_log(0, 3).truncate(0, 2).append(0, 4, "d").persist_log(0, 2);
    let story = story.durable_youngest(0);
    assert_eq!(terms(&story.node(0).durable.log), [1, 4]);
    let story = story.durable(0);
    assert_eq!(terms(&story.node(0).durable.log), [1, 4, 3]);
    // The buffer is in step still.
    let story = story.append(0, 5, "e").persist_log(0, 2).durable(0);
    assert_eq!(terms(&story.node(0).durable.log), [1, 4, 5]);
    assert_eq!(story.node(0).durable.log, story.node(0).log);
}

#[test]
fn entries_written_onto_another_log_than_they_came_from_are_hashed_anew() {
    let story = settled().truncate(0, 1).append(0, 2, "x").append(0, 3, "b").persist_log(0, 2).durable(0);
    let node = story.node(0);
    assert_eq!(terms(&node.durable.log), [1, 3]);
    assert_eq!(terms(&node.log), [2, 3]);
    assert_ne!(node.durable.log.prefix_at(2), node.log.prefix_at(2));
    let honest = settled();
    assert_eq!(node.durable.log, honest.node(0).durable.log);
}

#[test]
fn a_write_beyond_a_gap_adds_nothing() {
    let story = settled().append(0, 3, "c").append(0, 3, "d").persist_log(0, 4).durable(0);
    assert_eq!(terms(&story.node(0).durable.log), [1, 3]);
}

#[test]
fn an_append_in_the_middle_replaces_the_rest() {
    assert_eq!(terms(&settled().append_at(0, 1, 3, "x").node(0).log), [3]);
    assert_eq!(terms(&settled().append_at(0, 4, 3, "x").node(0).log), [1, 3], "no log has a gap");
}

#[test]
fn the_vote_goes_with_the_term() {
    let story = settled().term(0, 4);
    assert_eq!((story.node(0).term, story.node(0).vote), (4, None));
    let story = story.vote(0, 4, 0).role(0, Role::Candidate, 5);
    assert_eq!((story.node(0).term, story.node(0).vote), (5, None));
}

#[test]
fn a_leader_leads_until_it_knows_of_a_higher_term() {
    let story = settled().role(0, Role::Leader, 3);
    assert!(story.node(0).leads());
    let story = story.term(0, 4);
    assert_eq!((story.node(0).leads(), story.node(0).leader_of), (false, Some(3)));
    assert_eq!(story.role(0, Role::Follower, 4).node(0).leader_of, None);
}

#[test]
fn the_version_stands_still_while_messages_come_and_go() {
    let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a");
    let version = story.mirror.version();
    let story = story.send(0, 1, heartbeat(1, 0)).send(1, 0, accepted(1, 0));
    let proposed = Note::Proposed { command: Hash64(1), text: "put x 1".into() };
    let story = story.note(0, proposed).note(0, Note::Accepted { index: 2, term: 1 }).persist_log(0, 1);
    assert_eq!(story.mirror.version(), version);
    let mut versions = vec![version];
    let mut story = story;
    let changes: [fn(Story) -> Story; 5] =
        [|s| s.durable(0), |s| s.commit(0, 1), |s| s.apply(0), |s| s.term(2, 9), |s| s.crash(1)];
    for change in changes {
        story = change(story);
        versions.push(story.mirror.version());
    }
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
}

#[test]
fn a_frozen_node_is_told_apart() {
    let process = ProcessId(0);
    let story = settled().record(Record::Paused { process });
    assert_eq!((story.node(0).up, story.node(0).paused), (true, true));
    assert!(!story.clone().record(Record::Resumed { process }).node(0).paused);
    assert!(!story.restart(0).node(0).paused);
}

#[test]
fn processes_that_are_no_nodes_are_passed_over() {
    let mut mirror = Mirror::new(1);
    let stamp = Stamp { number: 1, at: VirtualTime::ZERO };
    mirror.apply(stamp, &Record::Booted { process: ProcessId(1), life: 1 });
    assert_eq!(mirror.version(), 0);
    assert!(mirror.node(ProcessId(1)).is_none());
}

#[test]
fn a_snapshot_write_takes_effect_when_it_is_durable_and_a_compaction_with_it() {
    let story = settled().commit(0, 2).apply(0).snapshot(0).save_snapshot(0).compacts(0, 1);
    let story = story.save_compaction(0, 1);
    assert_eq!((story.node(0).log.base(), story.node(0).durable.log.base()), (1, 0));
    let story = story.durable(0);
    assert_eq!(story.node(0).durable.snapshot.as_ref().map(|facts| facts.index), Some(1));
    let story = story.durable(0);
    assert_eq!((story.node(0).durable.log.base(), terms(&story.node(0).durable.log)), (1, vec![3]));
    let node = story.restart(0).node(0).clone();
    assert_eq!((node.applied, node.commit, node.log.base(), node.log.last_index()), (1, 1, 1, 2));
    assert_eq!(node.state, node.snapshot.map(|facts| facts.state).unwrap_or_default());
}

#[test]
fn an_installed_snapshot_replaces_the_log_on_disk_when_it_is_durable() {
    let facts =
        SnapshotFacts { index: 9, term: 2, log: Hash64(7), state: Hash64(8), ..SnapshotFacts::default() };
    let story = settled().install(0, facts);
    let node = story.node(0);
    assert_eq!((node.applied, node.commit, node.state, node.log.last_index()), (9, 9, Hash64(8), 9));
    assert_eq!(terms(&node.durable.log), [1, 3]);
    let story = story.append(0, 3, "j").persist_log(0, 10);
    // Nothing of it is on the disk yet, or the snapshot is, or the entry behind it too.
    for (kept, end) in [(0, (0, 2)), (1, (9, 9)), (2, (9, 10))] {
        let story = story.clone().crash(0).boot_keeping(0, kept);
        let log = &story.node(0).log;
        assert_eq!(story.node(0).found, Finding::Lawful);
        assert_eq!((log.base(), log.last_index()), end, "with {kept} writes kept");
    }
}

/// A scenario may begin with a snapshot of any index.
#[test]
fn no_index_is_too_high() {
    for below in [0, 1] {
        let index = u64::MAX - below;
        let facts = SnapshotFacts { index, term: 2, ..SnapshotFacts::default() };
        let append = |story: Story, term, name| {
            story.append_at(0, u64::MAX, term, name).persist(0, None, Some((u64::MAX, 1))).durable(0)
        };
        let story = settled().install(0, facts).durable(0);
        let story = append(append(story, 3, "x"), 4, "y");
        let expected = if below == 0 { vec![] } else { vec![4] };
        let node = story.node(0);
        for log in [&node.log, &node.durable.log] {
            assert_eq!((log.base(), log.last_index(), terms(log)), (index, u64::MAX, expected.clone()));
            assert_eq!(log.run(u64::MAX, 9).count(), expected.len());
        }
        let story = story.truncate(0, u64::MAX);
        assert_eq!(story.node(0).log.last_index(), index);
        assert_eq!(story.restart(0).node(0).log.last_index(), u64::MAX);
    }
}

#[test]
fn what_survived_of_the_writes_under_way_is_durable_from_then_on() {
    let story = settled().append(0, 3, "c").persist_log(0, 3).append(0, 3, "d").persist_log(0, 4);
    let story = story.crash(0).boot_keeping(0, 1);
    assert_eq!(terms(&story.node(0).durable.log), [1, 3, 3]);
    assert_eq!(terms(&story.restart(0).node(0).durable.log), [1, 3, 3]);
}

#[test]
fn what_has_to_be_mended_is_durable_when_that_is_done() {
    let story = settled().append(0, 3, "c").persist_log(0, 3).append(0, 3, "d").persist_log(0, 4);
    let story = story.crash(0).boot_mending(0, 1);
    let node = story.node(0);
    assert_eq!(node.found, Finding::Lawful);
    assert_eq!((terms(&node.log), terms(&node.durable.log)), (vec![1, 3, 3], vec![1, 3]));
    let mended = story.clone().durable(0);
    assert_eq!(terms(&mended.node(0).durable.log), [1, 3, 3]);
    // If it crashes before, all that it found may be there again, or not; what it had not found is gone.
    for (kept, length) in [(0, 2), (1, 3), (2, 3)] {
        let again = story.clone().crash(0).boot_mending(0, kept);
        assert_eq!(again.node(0).found, Finding::Lawful);
        assert_eq!(again.node(0).log.last_index(), length, "with {kept} writes kept");
        assert_eq!(again.node(0).durable.log.last_index(), 2);
        assert_eq!(again.durable(0).node(0).durable.log.last_index(), length);
    }
    // What comes next stands on it, and may have got there with it.
    let story = story.append(0, 3, "e").persist_log(0, 4);
    assert_eq!(terms(&story.clone().settle(0).node(0).durable.log), [1, 3, 3, 3]);
    assert_eq!(story.crash(0).boot_keeping(0, 2).node(0).durable.log.last_index(), 4);
}

#[test]
fn what_is_written_after_a_write_that_failed_is_not_durable_before_the_next_life() {
    let story = settled().append(0, 3, "c").persist_log(0, 3).append(0, 3, "d").persist_log(0, 4);
    // The disk lost the third entry, and holds the fourth behind the gap.
    let story = story.write_fails(0).durable(0);
    assert_eq!(terms(&story.node(0).durable.log), [1, 3]);
    let story = story.crash(0).boot_keeping(0, 0);
    assert_eq!(story.node(0).found, Finding::Lawful);
    let story = story.append(0, 3, "e").persist_log(0, 3).durable(0);
    assert_eq!(terms(&story.node(0).durable.log), [1, 3, 3]);
}

#[test]
fn a_node_that_finds_less_than_was_dropped_from_its_log_holds_what_it_says() {
    let story = settled().commit(0, 2).apply(0).snapshot(0).save_snapshot(0).durable(0).compact(0, 1);
    assert_eq!(story.node(0).durable.log.base(), 1);
    let emptied = story.crash(0).boot_finding(0, 3, None, (0, Hash64(0)), None);
    assert_eq!(emptied.node(0).found, Finding::Older);
    assert_eq!(emptied.node(0).log.last_index(), 0);
    assert_eq!(terms(&emptied.append(0, 4, "d").node(0).log), [4]);
}

#[test]
fn what_is_found_may_be_older_than_the_disk_or_nothing_that_it_ever_held() {
    let story = settled().term(0, 4).vote(0, 4, 1).persist_hard(0).crash(0);
    let last = (story.node(0).durable.log.last_index(), story.node(0).durable.log.last_prefix());
    let at = |index| SnapshotFacts { index, ..SnapshotFacts::default() };
    let rows = [
        (3, Some(0), last, None, Finding::Lawful),
        (4, Some(1), last, None, Finding::Lawful),
        (4, Some(1), (1, Hash64(1)), None, Finding::Older),
        (4, None, last, None, Finding::Older),
        (3, None, (0, Hash64(0)), None, Finding::Older),
        (1, Some(7), (9, Hash64(1)), None, Finding::Older),
        (3, Some(1), last, None, Finding::Unheard),
        (4, Some(0), last, None, Finding::Unheard),
        (5, None, last, None, Finding::Unheard),
        (3, Some(0), last, Some(at(1)), Finding::Unheard),
    ];
    for (term, vote, last, snapshot, finding) in rows {
        let story = story.clone().boot_finding(0, term, vote.map(ProcessId), last, snapshot);
        assert_eq!(story.node(0).found, finding, "term {term}, vote {vote:?}, {last:?}");
    }
}

#[test]
fn all_nodes_vote_until_one_tells_otherwise() {
    let story = story(3).boot_all();
    assert_eq!(*story.node(0).members, Members::voters(3));
    let story = story.begin(&[0, 1]);
    assert_eq!((story.node(2).members_index, &*story.node(2).members), (0, &Members::voters(2)));
    assert_eq!(*story.restart(2).node(2).members, Members::voters(2));
}

#[test]
fn the_floor_is_the_lowest_base_of_any_log_that_has_entries() {
    let story = settled().commit(0, 2).apply(0).snapshot(0).save_snapshot(0).durable(0);
    assert_eq!(story.mirror.floor(), 0);
    assert_eq!(story.clone().compacts(0, 1).mirror.floor(), 0, "its disk has the entry still");
    assert_eq!(story.compact(0, 1).mirror.floor(), 1);
}
