//! Damage: bits that rot, appends that land on a wrong place, and what takes either away.

use crate::common::{at, inject};
use crate::scribe::{
    LOG, META, Order, P0, World, append, ask, durable_text, reboot, replace, scribe, survivors, text,
};
use sim_core::{Fault, FaultError, Kept};

#[test]
fn rot_is_found_when_the_process_boots_again() {
    let mut world = scribe();
    ask(&mut world, &[append("abc"), Order::Sync]);
    let flip = |file, offset, bits| Fault::FlipBits { process: P0, file, offset, bits };
    assert_eq!(
        world.inject(&flip(Some(LOG), Some(0), None)),
        Err(FaultError::NothingThere(P0)),
        "it is not durable"
    );
    world.run_until(at(5));
    inject(&mut world, flip(Some(LOG), Some(1), Some(0x20)));
    assert_eq!(world.inject(&flip(Some(LOG), Some(3), None)), Err(FaultError::NothingThere(P0)));
    assert_eq!(world.inject(&flip(Some(META), None, None)), Err(FaultError::NothingThere(P0)));
    assert_eq!(world.inject(&flip(None, None, Some(0))), Err(FaultError::NoBits));
    assert_eq!(text(&world, LOG), "abc", "nobody has noticed");
    assert_eq!(durable_text(&world, LOG), "aBc");
    ask(&mut world, &[append("d"), Order::Sync]);
    world.run_until(at(10));
    assert_eq!(survivors(&mut world, Kept::Nothing, false)[0], b"aBcd");
    // A drawn bit of a drawn byte, on the disk of a process that is down.
    inject(&mut world, Fault::Crash { process: P0 });
    inject(&mut world, flip(None, None, None));
    let found = reboot(&mut world)[0].clone();
    let turned: u32 = found.iter().zip(b"aBcd").map(|(one, other)| (one ^ other).count_ones()).sum();
    assert_eq!((found.len(), turned), (4, 1));
}

#[test]
fn a_replacement_takes_the_rot_away() {
    for (is_synced, expected) in [(true, b"new".to_vec()), (false, b"Old".to_vec())] {
        let mut world = scribe();
        ask(&mut world, &[replace("old"), Order::Sync]);
        world.run_until(at(5));
        ask(&mut world, &[replace("new"), Order::Sync]);
        inject(
            &mut world,
            Fault::FlipBits { process: P0, file: Some(META), offset: Some(0), bits: Some(0x20) },
        );
        if is_synced {
            world.run_until(at(10));
        }
        assert_eq!(survivors(&mut world, Kept::Nothing, false)[1], expected);
    }
}

#[test]
fn a_misdirected_append_lands_on_older_bytes() {
    for (offset, expected) in [(Some(1), "aXYd\0\0f"), (Some(4), "abcdXYf"), (Some(6), "abcd\0\0X")] {
        let mut world = scribe();
        ask(&mut world, &[append("abcd"), Order::Sync]);
        inject(&mut world, Fault::Misdirect { process: P0, file: LOG, offset });
        ask(&mut world, &[replace("z"), append("XY"), append("f"), Order::Sync]);
        world.run_until(at(10));
        assert_eq!(text(&world, LOG), "abcdXYf", "nobody has noticed");
        assert_eq!(
            String::from_utf8(survivors(&mut world, Kept::Nothing, false)[0].clone()).unwrap(),
            expected
        );
    }
    let mut world = scribe();
    ask(&mut world, &[append("abcd")]);
    inject(&mut world, Fault::Misdirect { process: P0, file: LOG, offset: None });
    ask(&mut world, &[append("X"), Order::Sync]);
    world.run_until(at(10));
    let found = survivors(&mut world, Kept::Nothing, false)[0].clone();
    assert_eq!((found.len(), found[4], found.iter().filter(|byte| **byte == b'X').count()), (5, 0, 1));
}

#[test]
fn a_misdirected_append_counts_once_its_bytes_are_on_the_disk() {
    let mut world = scribe();
    inject(&mut world, Fault::Misdirect { process: P0, file: LOG, offset: Some(0) });
    ask(&mut world, &[append("abc")]);
    assert_eq!(world.misdirected_appends(P0, LOG), 0, "it is on its way");
    let (mut lost, mut kept) = (world.clone(), world.clone());
    survivors(&mut lost, Kept::Nothing, false);
    assert_eq!(lost.misdirected_appends(P0, LOG), 0, "the crash took it away");
    ask(&mut kept, &[Order::Sync]);
    kept.run_until(at(10));
    assert_eq!(kept.misdirected_appends(P0, LOG), 1);
    survivors(&mut kept, Kept::Nothing, false);
    assert_eq!(kept.misdirected_appends(P0, LOG), 1, "once");
    let counts: Vec<u64> = (0..20)
        .map(|number| {
            let mut world = world.clone();
            ask(&mut world, &(0..number).map(|_| append("d")).collect::<Vec<_>>());
            survivors(&mut world, Kept::Any, false);
            world.misdirected_appends(P0, LOG)
        })
        .collect();
    assert!(counts.iter().all(|count| *count <= 1) && counts.contains(&1), "{counts:?}");
}

#[test]
fn a_file_tells_which_durable_replacement_it_is_of() {
    let mut world = scribe();
    ask(&mut world, &[append("a"), Order::Sync]);
    world.run_until(at(10));
    assert_eq!(world.last_replacement(P0, LOG), 0, "it grew");
    ask(&mut world, &[replace("b")]);
    assert_eq!(world.last_replacement(P0, META), 0, "it is on its way");
    ask(&mut world, &[Order::Sync]);
    world.run_until(at(20));
    let first = world.last_replacement(P0, META);
    ask(&mut world, &[replace("c"), Order::Sync]);
    world.run_until(at(30));
    let second = world.last_replacement(P0, META);
    assert!(0 < first && first < second);
    // A crash takes a replacement away or keeps it.
    for_crashes(&world, &[replace("d")], |crashed, survivors| {
        assert_eq!(crashed.last_replacement(P0, META) > second, survivors[1] == b"d");
        survivors[1] == b"d"
    });
}

#[test]
fn a_misdirected_append_that_is_kept_with_a_later_replacement_belongs_to_an_earlier_one() {
    let onto = |text: &str| Order::Append(META, text.into());
    let mut world = scribe();
    ask(&mut world, &[onto("ab"), Order::Sync]);
    world.run_until(at(10));
    inject(&mut world, Fault::Misdirect { process: P0, file: META, offset: Some(0) });
    let is_gone = |world: &World| world.last_misdirected(P0, META) < world.last_replacement(P0, META);
    for (orders, expected) in [(vec![onto("X"), replace("z")], true), (vec![replace("z"), onto("X")], false)]
    {
        let mut synced = world.clone();
        ask(&mut synced, &orders);
        ask(&mut synced, &[Order::Sync]);
        synced.run_until(at(20));
        assert_eq!((synced.misdirected_appends(P0, META), is_gone(&synced)), (1, expected), "{orders:?}");
    }
    for_crashes(&world, &[onto("X"), replace("z")], |crashed, survivors| {
        let is_there = crashed.misdirected_appends(P0, META) == 1 && !is_gone(crashed);
        assert_eq!(is_there, survivors[1] == b"Xb\0", "{:?}", survivors[1]);
        survivors[1] == b"z"
    });
}

/// Looks at what crashes that keep anything leave of these orders, which must be true of some of them and not of others.
fn for_crashes(world: &World, orders: &[Order], look: impl Fn(&World, &[Vec<u8>]) -> bool) {
    let looked: Vec<bool> = (0..20)
        .map(|number| {
            let mut world = world.clone();
            ask(&mut world, &(0..number).map(|_| append("d")).collect::<Vec<_>>());
            ask(&mut world, orders);
            let survivors = survivors(&mut world, Kept::Any, false);
            look(&world, &survivors)
        })
        .collect();
    assert!(looked.contains(&true) && looked.contains(&false));
}
