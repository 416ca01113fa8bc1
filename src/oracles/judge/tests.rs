//! Tests of the judge as a whole.

use super::*;
use crate::oracles::testing::{SAFETY, Story, story};
use crate::record::{Effect, Hash64, Members, ReadKind, Role, SnapshotFacts};
use sim_core::{Observer, RecordKind};
use std::sync::Arc;

/// Breaks commit monotonic, then no panic, each twice.
fn misdeeds() -> Story {
    let story =
        story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2).commit(0, 2);
    story.commit(0, 1).commit(0, 0).panic(1).panic(2)
}

#[test]
fn the_first_violation_of_each_property_is_kept_in_the_order_of_the_records() {
    let judge = misdeeds().judge();
    let found: Vec<Property> = judge.violations().iter().map(|violation| violation.property).collect();
    assert_eq!(found, [Property::CommitMonotonic, Property::NoPanic]);
    assert_eq!(judge.violations()[0].what, "0 took its commit index back from 2 to 1");
    assert_eq!(judge.violations()[1].node, Some(ProcessId(1)));
}

#[test]
fn a_disabled_property_is_not_judged_and_the_others_are() {
    for disabled in SAFETY {
        let mut judge = Judge::new(3);
        judge.disable(disabled);
        misdeeds().history.iter().for_each(|(stamp, record)| judge.observe(*stamp, record));
        let kept = [Property::CommitMonotonic, Property::NoPanic].into_iter().filter(|p| *p != disabled);
        assert!(judge.violations().iter().map(|violation| violation.property).eq(kept), "without {disabled}");
    }
}

#[test]
fn a_clone_goes_its_own_way() {
    let before = story(3).boot_all().elect(0, 1, &[1]).judge();
    let mut after = before.clone();
    let story = story(3).boot_all().elect(0, 1, &[1]).role(1, Role::Leader, 1);
    let (stamp, record) = story.history.last().expect("a story that was told");
    after.observe(*stamp, record);
    assert_eq!((before.violations().len(), after.violations().len()), (0, 1));
}

#[test]
fn it_does_not_ask_for_deliveries_and_timers() {
    let wanted = [RecordKind::Sent, RecordKind::Noted, RecordKind::WriteDurable, RecordKind::Panicked];
    assert!(wanted.into_iter().all(|kind| Judge::INTEREST.has(kind)));
    let unwanted =
        [RecordKind::Delivered, RecordKind::Dropped, RecordKind::TimerSet, RecordKind::WriteIssued];
    assert!(!unwanted.into_iter().any(|kind| Judge::INTEREST.has(kind)));
}

/// A long life of a cluster that compacts: what the judge remembers afterwards, at each of `rounds` times.
fn long_life(rounds: u64) -> (Judge, Vec<usize>) {
    let (mut judge, mut sizes, mut seen) = (Judge::new(3), Vec::new(), 0);
    let mut told = story(3).boot_all().begin(&[0, 1, 2]).elect(0, 1, &[1]);
    for round in 0..rounds {
        let leader = u16::try_from(round % 2).unwrap();
        if round > 0 {
            told = told.elect(leader, round + 1, &[1 - leader]);
        }
        for number in 0..20 {
            told = told.lead(leader, &format!("{round}/{number}"));
        }
        let last = told.node(leader).log.last_index();
        told = told.note(leader, Note::ReadAsked { read: round, kind: ReadKind::ReadIndex });
        told = told.replicate(leader, 1 - leader, last).commit(leader, last).commit(1 - leader, last);
        told = told.note(leader, Note::ReadReady { read: round, index: last });
        told = [leader, 1 - leader].into_iter().fold(told, |mut told, node| {
            while told.node(node).applied < last {
                told = told.apply_doing(node, [Effect::Done]);
            }
            told.snapshot(node).save_snapshot(node).settle(node).compact(node, last - 3)
        });
        // 2 is left behind, and gets the snapshot.
        let facts = told.facts(leader);
        told = told.follows(2, round + 1).persist_hard(2).install(2, facts).settle(2).restart(2);
        for (stamp, record) in told.history.drain(..) {
            seen += 1;
            judge.observe(Stamp { number: seen, ..stamp }, &record);
        }
        sizes.push(judge.size());
    }
    (judge, sizes)
}

#[test]
fn what_it_remembers_of_a_cluster_that_compacts_does_not_grow() {
    let (judge, sizes) = long_life(600);
    assert_eq!(judge.violations(), []);
    assert_eq!(judge.canon().last_index(), 12_000);
    assert!(judge.canon().base() >= 11_950, "{}", judge.canon().base());
    let (early, late) = (sizes[100..200].iter().max(), sizes[500..].iter().max());
    assert!(late <= early, "{early:?} things after 200 rounds, {late:?} after 600");
    assert!(late.is_some_and(|size| *size < 2_000), "{late:?}");
}

#[test]
fn it_counts_how_often_it_judged_each_property() {
    let (judge, _) = long_life(3);
    let counts: Vec<(Property, u64)> = judge.counts().collect();
    assert_eq!(counts.len(), SAFETY.len());
    let never: Vec<Property> =
        counts.iter().filter(|(_, count)| *count == 0).map(|(property, _)| *property).collect();
    assert_eq!(never, []);
    assert!(counts.contains(&(Property::ElectionSafety, 3)), "{counts:?}");
}

#[test]
fn the_canon_is_what_was_committed_by_anyone() {
    let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2);
    assert_eq!(story.judge().canon().last_index(), 0);
    let judge = story.commit(0, 1).crash(0).judge();
    assert_eq!(judge.canon().last_index(), 1);
    assert_eq!(judge.canon().get(1).map(|entry| (entry.term, entry.committed_in)), Some((1, 1)));
}

/// The judge of a story in which the disk of 0 is in doubt from its beginning on, or was.
fn doubting(story: &Story, is_over: bool) -> Judge {
    let mut judge = Judge::new(story.nodes());
    judge.doubt(ProcessId(0), &[Property::Durability]);
    if is_over {
        judge.trust(ProcessId(0));
    }
    story.history.iter().for_each(|(stamp, record)| judge.observe(*stamp, record));
    judge
}

#[test]
fn who_is_doubted_may_find_an_older_state_until_it_is_trusted_again() {
    let begun = story(3).boot_all().term(0, 2).vote(0, 2, 1).persist_hard(0).durable(0).crash(0);
    let older = begun.clone().boot_finding(0, 1, None, (0, Hash64(0)), None);
    let broken = |judge: &Judge| judge.violations().iter().any(|it| it.property == Property::Durability);
    let mut judge = doubting(&older, false);
    assert!(!broken(&judge));
    assert_eq!(judge.take_bereft(), [ProcessId(0)]);
    assert_eq!(judge.take_bereft(), []);
    // What it never held it cannot find.
    let other = begun.boot_finding(0, 2, Some(ProcessId(2)), (0, Hash64(0)), None);
    assert!(broken(&doubting(&other, false)));
    assert!(broken(&doubting(&older, true)));
}

#[test]
fn what_a_life_has_made_of_damage_and_not_told_the_next_one_may_find() {
    let begun = story(3).boot_all().term(0, 2).vote(0, 2, 1).persist_hard(0).durable(0).crash(0);
    let older = |story: Story| story.crash(0).boot_finding(0, 1, None, (0, Hash64(0)), None);
    let life = begun.node(0).life + 1;
    let untold = begun.record(Record::Booted { process: ProcessId(0), life });
    let told = untold.clone().boot_finding(0, 2, Some(ProcessId(1)), (0, Hash64(0)), None);
    for (begun, is_broken) in [(untold, false), (told, true)] {
        let mut judge = begun.judge();
        judge.doubt(ProcessId(0), &[Property::Durability]);
        judge.trust(ProcessId(0));
        let whole = older(begun.clone());
        let rest = &whole.history[begun.history.len()..];
        rest.iter().for_each(|(stamp, record)| judge.observe(*stamp, record));
        assert_eq!(judge.violations().iter().any(|it| it.property == Property::Durability), is_broken);
    }
}

#[test]
fn what_stands_on_disks_at_the_beginning_is_found_there_and_was_committed() {
    let members = Members::voters(3);
    let facts = SnapshotFacts { index: 4, term: 2, log: Hash64(7), state: Hash64(8), members };
    let mut disk = DurableMirror { term: 2, snapshot: Some(Arc::new(facts.clone())), ..Default::default() };
    disk.log.install(&facts);
    let finds = |story: Story, node| story.boot_finding(node, 2, None, (4, Hash64(7)), Some(facts.clone()));
    let told = finds(finds(story(3), 0), 1).boot(2);
    let mut judge = Judge::new(3);
    judge.begin_with(ProcessId(0), disk.clone());
    judge.begin_with(ProcessId(1), disk);
    told.history.iter().for_each(|(stamp, record)| judge.observe(*stamp, record));
    assert_eq!(judge.violations(), []);
    assert_eq!((judge.canon().last_index(), judge.canon().term_at(4)), (4, Some(2)));
}
