//! Crashes: what they keep, and exactly where they come.

use crate::common::{at, inject};
use crate::scribe::{
    LOG, Order, P0, Told, World, append, ask, crashed, durable, reboot, replace, scribe, scribes, survivors,
    told,
};
use sim_core::{CrashPoint, Fault, Honesty, Kept, ProcessId, Record};
use std::collections::BTreeSet;

/// What a small process does; it takes ten operations, in this order.
const HISTORY: [Did; 10] = [
    Did::Append("abc"),
    Did::Replace("first"),
    Did::Sync,
    Did::Append("de"),
    Did::Replace("second"),
    Did::Sync,
    Did::Completion { of: 3 },
    Did::Completion { of: 6 },
    Did::Append("fgh"),
    Did::Sync,
];

#[derive(Clone, Copy, Debug)]
enum Did {
    Append(&'static str),
    Replace(&'static str),
    Sync,
    /// Of the sync with this number.
    Completion {
        of: u64,
    },
}

fn did(number: u64) -> Did {
    let mut numbered = (1..).zip(HISTORY);
    numbered.find(|(k, _)| *k == number).expect("it did that").1
}

fn play(world: &mut World) {
    ask(world, &[append("abc"), replace("first"), Order::Sync]);
    world.run_until(at(1));
    if world.is_up(P0) {
        ask(world, &[append("de"), replace("second"), Order::Sync]);
    }
    world.run_until(at(9));
    if world.is_up(P0) {
        ask(world, &[append("fgh"), Order::Sync]);
    }
    world.run_until(at(12));
}

type Files = [Vec<u8>; 2];

/// The files after the operations below `number`.
fn after(number: u64) -> Files {
    let mut files: Files = Default::default();
    for (did, _) in HISTORY.iter().zip(1..number) {
        match did {
            Did::Append(text) => files[0].extend(text.as_bytes()),
            Did::Replace(text) => files[1] = text.as_bytes().to_vec(),
            Did::Sync | Did::Completion { .. } => {}
        }
    }
    files
}

/// The files after the operations below `number` and some, but not all, of the bytes of the append that follows.
fn torn(number: u64) -> Vec<Files> {
    let Did::Append(text) = did(number) else { return vec![after(number)] };
    let with = |length: usize| {
        let mut files = after(number);
        files[0].extend(&text.as_bytes()[..length]);
        files
    };
    (0..text.len()).map(with).collect()
}

/// What may be found after a crash of a disk that keeps nothing by itself.
fn possible(number: u64, when: CrashPoint) -> Vec<Files> {
    let is_complete = |k: u64| k < number || (k == number && when == CrashPoint::After);
    let complete = (1..).zip(&HISTORY).filter_map(|(k, did)| match did {
        Did::Completion { of } if is_complete(k) => Some(*of),
        _ => None,
    });
    let durable = complete.max().unwrap_or(1);
    match (when, did(number)) {
        (CrashPoint::Torn, Did::Append(_) | Did::Replace(_)) => torn(number),
        (CrashPoint::Torn, Did::Sync | Did::Completion { .. }) => (durable..=number).flat_map(torn).collect(),
        (CrashPoint::Before | CrashPoint::After, _) => vec![after(durable)],
    }
}

#[test]
fn a_process_can_be_crashed_at_every_one_of_its_operations() {
    let mut found = BTreeSet::new();
    for seed in 0..60 {
        for operation in 1..=10 {
            for when in [CrashPoint::Before, CrashPoint::Torn, CrashPoint::After] {
                let mut world = scribes(2, seed);
                inject(&mut world, Fault::CrashAt { process: P0, operation, when });
                play(&mut world);
                let what = format!("seed {seed}, {when:?} {operation}");
                assert!(!world.is_up(P0), "{what}");
                assert_eq!(world.storage_operations(P0), operation, "{what}");
                assert_eq!(
                    crashed(&world).map(|(_, _, operation)| operation),
                    Some(Some(operation)),
                    "{what}"
                );
                let lines = world.observer();
                let crash = lines.iter().position(|(_, record)| matches!(record, Record::Crashed { .. }));
                let rest = &lines[crash.unwrap() + 1..];
                let is_his = |record: &Record<_, _>| record.process() == Some(P0);
                assert!(!rest.iter().any(|(_, record)| is_his(record)), "{what}: {rest:?}");
                let files = reboot(&mut world);
                assert!(possible(operation, when).contains(&files), "{what}: {files:?}");
                found.insert((operation, files));
            }
        }
    }
    for operation in 1..=10 {
        let all: BTreeSet<_> = [CrashPoint::Before, CrashPoint::Torn, CrashPoint::After]
            .into_iter()
            .flat_map(|when| possible(operation, when))
            .map(|files| (operation, files))
            .collect();
        let missing: Vec<_> = all.difference(&found).collect();
        assert!(missing.is_empty(), "all that is possible happens, but for {missing:?}");
    }
}

#[test]
fn what_the_rest_of_a_step_would_have_done_has_no_effect() {
    let mut world = scribes(2, 1);
    inject(&mut world, Fault::CrashAt { process: P0, operation: 2, when: CrashPoint::After });
    ask(&mut world, &[append("a"), append("b"), append("c"), Order::Sync, Order::Panic]);
    assert_eq!(told(&world).len(), 1, "it has told of its beginning and of nothing else");
    assert_eq!(crashed(&world), Some((0, 0, Some(2))));
    assert_eq!(world.stats().traffic(None, None).messages, 0);
    assert!(!world.observer().iter().any(|(_, record)| matches!(record, Record::Panicked { .. })));
    world.run_until(at(20));
    assert!(durable(&world).is_empty());
    // Nor has a process that stopped by itself.
    inject(&mut world, Fault::Restart { process: P0 });
    ask(&mut world, &[Order::Stop, append("d"), Order::Sync, Order::Panic]);
    assert_eq!(crashed(&world), Some((0, 0, None)));
    assert_eq!(world.storage_operations(P0), 2);
    assert!(!world.is_up(P0));
}

#[test]
fn a_process_can_stop_while_it_boots() {
    let mut world = scribe();
    ask(&mut world, &[replace("stop"), Order::Sync]);
    world.run_until(at(5));
    inject(&mut world, Fault::Crash { process: P0 });
    inject(&mut world, Fault::Restart { process: P0 });
    assert!(!world.is_up(P0));
    assert!(world.process(P0).is_none());
    assert_eq!(world.observer().iter().filter(|(_, r)| matches!(r, Record::Crashed { .. })).count(), 2);
}

#[test]
fn a_crash_point_can_be_counted_from_now_and_taken_back_and_ends_with_any_crash() {
    let mut world = scribe();
    ask(&mut world, &[append("a"), append("b")]);
    let coming = Fault::CrashAtComing { process: P0, coming: 2, when: CrashPoint::Before };
    inject(&mut world, coming.clone());
    ask(&mut world, &[append("c")]);
    inject(&mut world, Fault::DisarmCrash { process: P0 });
    ask(&mut world, &[append("d")]);
    assert!(world.is_up(P0));
    inject(&mut world, coming.clone());
    inject(&mut world, Fault::Crash { process: P0 });
    inject(&mut world, Fault::Restart { process: P0 });
    ask(&mut world, &[append("e"), append("f"), append("g")]);
    assert!(world.is_up(P0));
    inject(&mut world, coming);
    ask(&mut world, &[append("h"), append("i")]);
    assert_eq!(crashed(&world), Some((0, 0, Some(9))));
}

/// What is found of three appends that were not synced, over many seeds.
fn outcomes(kept: Kept, is_torn: bool) -> BTreeSet<String> {
    let outcome = |seed| {
        let mut world = scribes(2, seed);
        ask(&mut world, &[append("ab"), append("cd"), append("ef")]);
        String::from_utf8(survivors(&mut world, kept, is_torn)[0].clone()).expect("it is text")
    };
    (0..400).map(outcome).collect()
}

#[test]
fn a_crash_keeps_what_its_mode_says() {
    let set = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(outcomes(Kept::Nothing, true), set(&[""]));
    assert_eq!(outcomes(Kept::Prefix, false), set(&["", "ab", "abcd", "abcdef"]));
    assert_eq!(outcomes(Kept::Prefix, true), set(&["", "a", "ab", "abc", "abcd", "abcde", "abcdef"]));
    let any = ["", "ab", "\0\0cd", "abcd", "\0\0\0\0ef", "ab\0\0ef", "\0\0cdef", "abcdef"];
    assert_eq!(outcomes(Kept::Any, false), set(&any));
    let torn =
        ["a", "\0\0", "\0\0c", "abc", "\0\0\0\0", "\0\0\0\0e", "ab\0\0", "ab\0\0e", "\0\0cde", "abcde"];
    assert_eq!(outcomes(Kept::Any, true), &set(&any) | &(&set(&torn) | &set(&["\0\0cd"])));
}

#[test]
fn what_is_appended_to_a_replacement_is_lost_with_it() {
    let to_meta = |text: &str| Order::Append(sim_core::FileId(1), text.into());
    let outcome = |seed| {
        let mut world = scribes(2, seed);
        ask(&mut world, &[replace("old"), Order::Sync]);
        world.run_until(at(5));
        ask(&mut world, &[replace("new"), to_meta("er")]);
        String::from_utf8(survivors(&mut world, Kept::Any, false)[1].clone()).unwrap()
    };
    let found: BTreeSet<String> = (0..100).map(outcome).collect();
    assert_eq!(found, ["old", "new", "newer"].map(ToString::to_string).into());
}

#[test]
fn what_survives_is_durable_from_then_on() {
    let mut seen = 0;
    for seed in 0..50 {
        let mut world = scribes(2, seed);
        inject(&mut world, Fault::SetHonesty { process: P0, honesty: Honesty::LiesAtOnce });
        ask(&mut world, &[append("ab"), Order::Sync]);
        world.run_until(at(1));
        let found = survivors(&mut world, Kept::Any, false)[0].clone();
        let lost = u32::from(found.is_empty());
        assert_eq!(crashed(&world), Some((0, lost, None)), "what chance kept is not lost");
        assert_eq!(world.durable_file(P0, LOG), found);
        assert_eq!(survivors(&mut world, Kept::Nothing, false)[0], found);
        seen += lost;
    }
    assert!((10..40).contains(&seen), "{seen}");
}

#[test]
fn what_a_crash_keeps_does_not_depend_on_what_else_happened() {
    let outcome = |extra: bool| {
        let mut world = scribes(2, 7);
        if extra {
            assert!(world.request(ProcessId(1), vec![append("x"), Order::Sync]));
            inject(&mut world, Fault::Crash { process: ProcessId(1) });
        }
        ask(&mut world, &[append("ab"), append("cd"), append("ef"), append("gh")]);
        survivors(&mut world, Kept::Any, true)
    };
    assert_eq!(outcome(false), outcome(true));
}

#[test]
fn a_crash_point_comes_while_the_process_is_paused() {
    let mut world = scribe();
    ask(&mut world, &[append("a"), Order::Sync]);
    inject(&mut world, Fault::CrashAtComing { process: P0, coming: 1, when: CrashPoint::After });
    inject(&mut world, Fault::Pause { process: P0 });
    world.run_until(at(5));
    assert_eq!(crashed(&world), Some((0, 0, Some(3))));
    assert_eq!(told(&world).last(), Some(&(0, Told::Done)));
    assert_eq!(reboot(&mut world)[0], b"a");
}
