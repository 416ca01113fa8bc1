//! What disks do, and what can be wrong with them.

use crate::common::{at, inject};
use crate::scribe::{
    LOG, META, Order, P0, Told, World, append, ask, asleep, crashed, durable, durable_text, reboot, replace,
    scribe, survivors, text, told,
};
use sim_core::{
    CrashMode, CrashPoint, DiskError, DiskQuality, Fault, FaultError, FileId, Honesty, Kept, Latency,
    ProcessId, Record, Span, Unsynced,
};

const MS: fn(u64) -> Span = Span::from_millis;

fn constant(write: u64, sync: u64, notice: u64) -> Box<DiskQuality> {
    let [write, sync, notice] = [write, sync, notice].map(MS).map(Latency::Constant);
    Box::new(DiskQuality { write, sync, notice })
}

#[test]
fn what_is_written_can_be_read_at_once_and_is_durable_when_it_is_synced() {
    let mut world = scribe();
    ask(&mut world, &[append("one "), replace("first"), Order::Sync, append("two")]);
    assert_eq!((text(&world, LOG), text(&world, META)), ("one two".into(), "first".into()));
    world.run_until(at(3));
    assert_eq!((durable_text(&world, LOG), durable_text(&world, META)), (String::new(), String::new()));
    world.run_until(at(4));
    assert_eq!((durable_text(&world, LOG), durable_text(&world, META)), ("one ".into(), "first".into()));
    assert_eq!(told(&world)[1..], [(0, Told::Done), (4, Told::Durable(1))]);
    assert_eq!(survivors(&mut world, Kept::Nothing, true), [b"one ".to_vec(), b"first".to_vec()]);
    assert_eq!(crashed(&world), Some((0, 0, None)));
    assert_eq!(text(&world, LOG), "one ", "what was lost is gone for its reader too");
}

#[test]
fn syncs_that_are_under_way_overlap_and_end_in_order() {
    let mut world = scribe();
    ask(&mut world, &[append("a"), Order::Sync]);
    world.run_until(at(1));
    inject(&mut world, Fault::SetDisk { process: P0, quality: constant(0, 1, 0) });
    ask(&mut world, &[append("b"), Order::Sync]);
    assert_eq!(world.syncs_under_way(P0), 2);
    world.run_until(at(9));
    assert_eq!(durable(&world), [(4, 1), (4, 2)], "the second waits for the first");
    ask(&mut world, &[append("c"), Order::Sync]);
    world.run_until(at(20));
    assert_eq!(durable(&world)[2..], [(10, 3)], "a disk can be made fast, and slow");
}

#[test]
fn the_news_of_a_sync_can_come_late_and_out_of_order() {
    let mut world = scribe();
    inject(&mut world, Fault::SetDisk { process: P0, quality: constant(1, 1, 10) });
    ask(&mut world, &[append("a"), Order::Sync]);
    inject(&mut world, Fault::SetDisk { process: P0, quality: constant(1, 1, 3) });
    ask(&mut world, &[append("b"), Order::Sync]);
    world.run_until(at(3));
    assert_eq!(durable(&world), [(2, 1), (2, 2)]);
    assert_eq!(durable_text(&world, LOG), "ab");
    world.run_until(at(20));
    assert_eq!(told(&world)[3..], [(5, Told::Durable(2)), (12, Told::Durable(1))]);
    // News of one life is nothing to the next.
    ask(&mut world, &[append("c"), Order::Sync]);
    world.run_until(at(23));
    assert_eq!(durable(&world)[2..], [(22, 3)]);
    assert_eq!(survivors(&mut world, Kept::Nothing, false)[0], b"abc");
    let before = told(&world).len();
    world.run_until(at(60));
    assert_eq!(told(&world).len(), before);
}

#[test]
fn the_news_waits_while_its_process_is_paused() {
    let mut world = scribe();
    inject(&mut world, Fault::SetDisk { process: P0, quality: constant(1, 1, 2) });
    ask(&mut world, &[append("a"), Order::Sync]);
    inject(&mut world, Fault::Pause { process: P0 });
    world.run_until(at(9));
    assert_eq!(durable(&world), [(2, 1)]);
    inject(&mut world, Fault::Resume { process: P0 });
    world.run_until(at(9));
    assert_eq!(told(&world).last(), Some(&(9, Told::Durable(1))));
}

#[test]
fn nothing_completes_on_a_stalled_disk_until_it_goes_on() {
    let mut world = scribe();
    ask(&mut world, &[append("a"), Order::Sync]);
    inject(&mut world, Fault::StallDisk { process: P0 });
    world.run_until(at(8));
    ask(&mut world, &[append("b"), Order::Sync]);
    world.run_until(at(10));
    ask(&mut world, &[append("c"), Order::Sync]);
    assert!(durable(&world).is_empty());
    world.run_until(at(13));
    inject(&mut world, Fault::UnstallDisk { process: P0 });
    world.run_until(at(20));
    assert_eq!(durable(&world), [(13, 1), (13, 2), (14, 3)]);
    inject(&mut world, Fault::UnstallDisk { process: P0 });
}

#[test]
fn a_disk_says_what_it_waits_for() {
    let mut world = scribe();
    let process = P0;
    let state = |world: &World| (world.is_stalled(P0), world.syncs_under_way(P0), world.syncs_stalled(P0));
    ask(&mut world, &[append("a"), Order::Sync, replace("bc"), Order::Sync]);
    assert_eq!(state(&world), (false, 2, 0));
    inject(&mut world, Fault::StallDisk { process });
    assert_eq!(state(&world), (true, 2, 2));
    inject(&mut world, Fault::CompleteSync { process });
    assert_eq!(state(&world), (true, 2, 1), "it was told to complete, and will");
    world.run_until(at(1));
    assert_eq!(state(&world), (true, 1, 1));
    assert_eq!((world.disk_bytes(P0), world.disk_capacity(P0)), (3, None));
    inject(&mut world, Fault::LimitDisk { process, bytes: Some(9) });
    let when = CrashPoint::Torn;
    inject(&mut world, Fault::CrashAtComing { process, coming: 2, when });
    let operations = world.storage_operations(P0);
    assert_eq!(world.disk_capacity(P0), Some(9));
    assert_eq!(world.crash_point(P0), Some((operations + 2, when)));
    inject(&mut world, Fault::Crash { process });
    assert_eq!(world.crash_point(P0), None);
    assert_eq!(world.disk_bytes(P0), 1, "what was lost takes no room");
    assert_eq!(state(&world), (true, 0, 0));
    inject(&mut world, Fault::HealDisk { process });
    assert_eq!((state(&world), world.disk_capacity(P0)), ((false, 0, 0), None));
}

#[test]
fn one_sync_of_a_stalled_disk_can_be_completed_at_a_time() {
    let mut world = scribe();
    let complete = Fault::CompleteSync { process: P0 };
    ask(&mut world, &[append("a"), Order::Sync, append("b"), Order::Sync, append("c"), Order::Sync]);
    assert_eq!(world.inject(&complete), Err(FaultError::NothingStalled(P0)), "it is not stalled");
    inject(&mut world, Fault::StallDisk { process: P0 });
    world.run_until(at(2));
    inject(&mut world, complete.clone());
    world.run_until(at(9));
    assert_eq!(durable(&world), [(2, 1)], "before it was due");
    inject(&mut world, complete.clone());
    inject(&mut world, complete.clone());
    assert_eq!(world.inject(&complete), Err(FaultError::NothingStalled(P0)));
    world.run_until(at(9));
    assert_eq!(durable(&world)[1..], [(9, 2), (9, 3)]);
    ask(&mut world, &[append("d"), Order::Sync]);
    inject(&mut world, complete);
    inject(&mut world, Fault::Crash { process: P0 });
    assert_eq!(crashed(&world), Some((1, 0, None)), "a crash comes before what is due at the same time");
    inject(&mut world, Fault::Restart { process: P0 });
    ask(&mut world, &[append("e"), Order::Sync]);
    world.run_until(at(30));
    assert_eq!(durable(&world).len(), 3, "a crash does not end the stall, and what was released is lost");
    inject(&mut world, Fault::HealDisk { process: P0 });
    world.run_until(at(30));
    assert_eq!(durable(&world)[3..], [(30, 5)]);
}

#[test]
fn an_operation_that_fails_leaves_its_file_alone() {
    let mut world = scribe();
    inject(&mut world, Fault::FailOperation { process: P0, nth: 2 });
    ask(&mut world, &[append("a"), replace("b"), append("c"), Order::Sync]);
    assert_eq!((text(&world, LOG), text(&world, META)), ("ac".into(), String::new()));
    assert_eq!(told(&world)[1..], [(0, Told::Refused(DiskError::Device)), (0, Told::Done)]);
    let failed = Record::OperationFailed { process: P0, file: META, operation: 2, error: DiskError::Device };
    assert_eq!(world.observer().iter().filter(|(_, record)| *record == failed).count(), 1);
    inject(&mut world, Fault::FailOperation { process: P0, nth: 1 });
    inject(&mut world, Fault::FailOperation { process: P0, nth: 0 });
    ask(&mut world, &[append("d")]);
    assert_eq!(text(&world, LOG), "acd", "the order was taken back");
}

#[test]
fn what_a_failed_sync_was_about_is_gone_whatever_is_synced_later() {
    for (unsynced, expected) in [(Unsynced::Gone, b"a\0c".to_vec()), (Unsynced::Kept, b"abc".to_vec())] {
        let mut world = scribe();
        ask(&mut world, &[append("a"), Order::Sync]);
        world.run_until(at(5));
        inject(&mut world, Fault::FailSync { process: P0, nth: 1, unsynced });
        ask(&mut world, &[append("b"), Order::Sync, append("c"), Order::Sync]);
        world.run_until(at(10));
        assert_eq!(told(&world)[4..], [(9, Told::Failed(2, DiskError::Device)), (9, Told::Durable(3))]);
        assert_eq!(durable(&world), [(4, 1), (9, 3)]);
        assert_eq!(text(&world, LOG), "abc", "it can be read until the crash");
        assert_eq!(survivors(&mut world, Kept::Any, false)[0], expected);
        assert_eq!(crashed(&world), Some((0, 0, None)), "nobody had called it durable");
    }
}

#[test]
fn a_later_sync_fails_if_that_is_the_order() {
    let failed = |nths: &[u32]| {
        let mut world = scribe();
        for nth in nths {
            inject(&mut world, Fault::FailSync { process: P0, nth: *nth, unsynced: Unsynced::Kept });
        }
        ask(&mut world, &[append("a"), Order::Sync, append("b"), Order::Sync, append("c"), Order::Sync]);
        world.run_until(at(30));
        let lines = world.observer().iter();
        let writes = lines.filter_map(|(_, record)| match record {
            Record::WriteFailed { write, .. } => Some(write.0),
            _ => None,
        });
        writes.collect::<Vec<u64>>()
    };
    assert_eq!(failed(&[1]), [1]);
    assert_eq!(failed(&[2]), [2]);
    assert_eq!(failed(&[2, 3]), [3], "a new order replaces the old one");
    assert_eq!(failed(&[2, 0]), [0; 0], "and 0 takes it back");
}

#[test]
fn a_process_that_does_not_know_better_stops_when_a_sync_fails() {
    let mut world = crate::scribe::scribes(2, 1);
    inject(&mut world, Fault::FailSync { process: P0, nth: 1, unsynced: Unsynced::Gone });
    ask(&mut world, &[append("b"), Order::Sync]);
    world.run_until(at(10));
    assert!(!world.is_up(P0));
    assert_eq!(crashed(&world), Some((0, 0, None)));
    assert!(!world.observer().iter().any(|(_, record)| matches!(record, Record::Panicked { .. })));
}

#[test]
fn a_full_disk_refuses_what_does_not_fit() {
    let mut world = scribe();
    ask(&mut world, &[append("abcd"), replace("ef")]);
    inject(&mut world, Fault::LimitDisk { process: P0, bytes: Some(8) });
    ask(&mut world, &[append("g"), append("hi"), append("j"), append("k"), replace("")]);
    assert_eq!((text(&world, LOG), text(&world, META)), ("abcdgj".into(), String::new()));
    let refused = || (0, Told::Refused(DiskError::NoSpace));
    assert_eq!(told(&world)[2..], [refused(), refused(), (0, Told::Done)]);
    // The new contents stand beside the old ones for a moment.
    ask(&mut world, &[replace("lm"), replace("n")]);
    assert_eq!(text(&world, META), "lm");
    inject(&mut world, Fault::LimitDisk { process: P0, bytes: Some(1) });
    ask(&mut world, &[append("o")]);
    inject(&mut world, Fault::LimitDisk { process: P0, bytes: None });
    ask(&mut world, &[append("p")]);
    assert_eq!(text(&world, LOG), "abcdgjp");
}

#[test]
fn a_disk_that_lies_loses_what_it_called_durable() {
    for (honesty, told_at) in [(Honesty::LiesWhenDue, 4), (Honesty::LiesAtOnce, 0)] {
        let mut world = scribe();
        inject(&mut world, Fault::SetHonesty { process: P0, honesty });
        ask(&mut world, &[append("a"), append("b"), Order::Sync]);
        world.run_until(at(5));
        assert_eq!(durable(&world), [(told_at, 1)]);
        ask(&mut world, &[append("c")]);
        assert_eq!(durable_text(&world, LOG), "");
        let mut honest = world.clone();
        assert_eq!(survivors(&mut world, Kept::Nothing, false)[0], b"");
        assert_eq!(crashed(&world), Some((0, 2, None)));
        // The next honest sync makes good what was lied about.
        inject(&mut honest, Fault::SetHonesty { process: P0, honesty: Honesty::Honest });
        ask(&mut honest, &[Order::Sync]);
        honest.run_until(at(10));
        assert_eq!(survivors(&mut honest, Kept::Nothing, false)[0], b"abc");
        assert_eq!(crashed(&honest), Some((0, 0, None)));
    }
}

#[test]
fn a_panic_tells_what_a_lie_lost_too() {
    let mut world = scribe();
    inject(&mut world, Fault::SetHonesty { process: P0, honesty: Honesty::LiesAtOnce });
    ask(&mut world, &[append("a"), Order::Sync]);
    world.run_until(at(1));
    ask(&mut world, &[Order::Panic]);
    let lost = world.observer().iter().find_map(|(_, record)| match record {
        Record::Panicked { synced_lost, .. } => Some(*synced_lost),
        _ => None,
    });
    assert_eq!(lost, Some(1));
}

#[test]
fn a_process_can_boot_from_a_disk_that_was_put_there() {
    let mut world = asleep(1, 1);
    world.put_file(P0, LOG, "lost");
    world.put_file(P0, LOG, "old ");
    assert_eq!(durable_text(&world, LOG), "old ");
    world.boot_all();
    assert_eq!(told(&world), [(0, Told::Began([b"old ".to_vec(), Vec::new()]))]);
    assert_eq!(world.storage_operations(P0), 0);
    ask(&mut world, &[append("new "), Order::Sync, append("newer"), replace("meta")]);
    world.run_until(at(5));
    assert_eq!(survivors(&mut world, Kept::Nothing, false), [b"old new ".to_vec(), Vec::new()]);
    // It rots as any other.
    let mut world = asleep(1, 1);
    world.put_file(P0, META, "abc");
    let (file, offset, bits) = (Some(META), Some(1), Some(0x20));
    inject(&mut world, Fault::FlipBits { process: P0, file, offset, bits });
    assert_eq!(reboot(&mut world)[1], b"aBc");
}

#[test]
#[should_panic(expected = "process 0 has booted already")]
fn nothing_can_be_put_on_the_disk_of_a_process_that_has_booted() {
    let mut world = scribe();
    inject(&mut world, Fault::Crash { process: P0 });
    world.put_file(P0, LOG, "too late");
}

#[test]
fn the_disk_of_a_process_that_is_down_can_be_wiped() {
    let mut world = scribe();
    ask(&mut world, &[append("a"), replace("b"), Order::Sync]);
    world.run_until(at(5));
    let wipe = Fault::WipeDisk { process: P0 };
    assert_eq!(world.inject(&wipe), Err(FaultError::StillUp(P0)));
    inject(&mut world, Fault::Crash { process: P0 });
    inject(&mut world, wipe);
    assert_eq!(reboot(&mut world), [b"".to_vec(), b"".to_vec()]);
    ask(&mut world, &[append("c"), Order::Sync]);
    world.run_until(at(10));
    assert_eq!(survivors(&mut world, Kept::Nothing, false)[0], b"c");
}

#[test]
fn impossible_faults_of_disks_are_refused_and_change_nothing() {
    let mut world = scribe();
    ask(&mut world, &[append("a"), Order::Sync]);
    let (digest, nobody) = (world.digest(), ProcessId(1));
    let when = CrashPoint::Before;
    for (fault, error) in [
        (Fault::StallDisk { process: nobody }, FaultError::UnknownProcess(nobody)),
        (Fault::SetDisk { process: nobody, quality: constant(1, 1, 1) }, FaultError::UnknownProcess(nobody)),
        (
            Fault::SetCrashMode { process: nobody, mode: CrashMode::default() },
            FaultError::UnknownProcess(nobody),
        ),
        (Fault::Misdirect { process: P0, file: FileId(2), offset: None }, FaultError::UnknownFile(FileId(2))),
        (
            Fault::FlipBits { process: P0, file: Some(FileId(9)), offset: None, bits: None },
            FaultError::UnknownFile(FileId(9)),
        ),
        (Fault::CompleteSync { process: P0 }, FaultError::NothingStalled(P0)),
        (
            Fault::CrashAt { process: P0, operation: 2, when },
            FaultError::OperationPast { process: P0, operations: 2 },
        ),
        (
            Fault::CrashAtComing { process: P0, coming: 0, when },
            FaultError::OperationPast { process: P0, operations: 2 },
        ),
    ] {
        assert_eq!(world.inject(&fault), Err(error), "{fault:?}");
    }
    assert_eq!(world.digest(), digest);
}
