//! What a write-ahead log gives back after a crash, and of bytes that have rotten.

mod damage;
mod disk;
mod frames;
mod header;
mod history;
mod snapshots;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Corrupt, File, Recovered, Repair, Sink, Wal};
use crate::storage::Durable;
use crate::types::{LogIndex, PersistId, Term};
use disk::{Files, recover};
use history::{History, Rng};

/// Histories of few writes: short enough to try every crash.
const WRITES: usize = 7;

/// Histories of up to so many writes; what breaks is made short.
fn histories() -> impl Strategy<Value = (u64, usize)> {
    (any::<u64>().no_shrink(), 1..=WRITES)
}

/// The same cases in every run.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn gives_back_some_state(history: &History, moment: usize, files: &Files) -> Result<(), TestCaseError> {
    let recovered = recover(files).map_err(|corrupt| TestCaseError::fail(corrupt.to_string()))?;
    let allowed = history.allowed(moment);
    prop_assert!(allowed.contains(&recovered.durable), "{:?} is none of {allowed:?}", recovered.durable);
    Ok(())
}

#[test]
fn after_a_crash_the_state_is_that_of_some_write_and_of_every_one_that_was_called_durable() {
    let crashes = Cell::new(0_u32);
    let check = |(seed, writes): (u64, usize)| {
        let history = History::draw(seed, writes);
        let mut rng = Rng(seed);
        for moment in 0..=history.events.len() {
            for files in history.crashes(moment, &mut rng) {
                gives_back_some_state(&history, moment, &files)?;
                crashes.set(crashes.get() + 1);
            }
        }
        Ok(())
    };
    if let Err(broken) = runner(250).run(&histories(), check) {
        panic!("{broken}");
    }
    assert!(crashes.get() > 20_000, "{crashes:?}");
}

#[test]
fn a_recovered_log_goes_on_and_is_recovered_again_whatever_was_mended() {
    let check = |((seed, writes), more): ((u64, usize), usize)| {
        let history = History::draw(seed, writes);
        let mut rng = Rng(seed ^ 77);
        for moment in 0..=history.events.len() {
            let crashes = history.crashes(moment, &mut rng);
            let files = &crashes[rng.index(crashes.len())];
            let before = recover(files).map_err(|corrupt| TestCaseError::fail(corrupt.to_string()))?;
            let more = History::go_on(seed ^ 5, more, files.clone(), before.wal, before.durable);
            for later in 0..=more.events.len() {
                for files in more.crashes(later, &mut rng) {
                    gives_back_some_state(&more, later, &files)?;
                }
            }
        }
        Ok(())
    };
    if let Err(broken) = runner(100).run(&(histories(), 1..=3_usize), check) {
        panic!("{broken}");
    }
}

/// One bit at a time: of a clean stop, and of what a crash left.
#[test]
fn one_bad_bit_is_mended_or_reported_and_never_served() {
    let (mut mended, mut reported) = (0_u32, 0_u32);
    for seed in 0..24 {
        let history = History::draw(seed, WRITES);
        let mut rng = Rng(seed ^ 99);
        for moment in [history.events.len(), rng.index(history.events.len() + 1)] {
            let crashes = history.crashes(moment, &mut rng);
            let files = &crashes[rng.index(crashes.len())];
            for file in File::ALL {
                for at in 0..files.read(file).len() * 8 {
                    let mut files = files.clone();
                    files.flip(file, at);
                    match recover(&files) {
                        Err(Corrupt { .. }) => reported += 1,
                        Ok(recovered) => {
                            let allowed = history.allowed(moment);
                            assert!(
                                allowed.contains(&recovered.durable),
                                "seed {seed} moment {moment} {file:?} bit {at}: {:?} is none of {allowed:?}",
                                recovered.durable
                            );
                            mended += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(mended > 10_000 && reported > 10_000, "{mended} {reported}");
}

#[test]
fn a_clean_stop_needs_no_mending_and_a_torn_end_does() {
    for seed in 0..100 {
        let history = History::draw(seed, WRITES);
        let files = history.clean();
        let recovered = recover(&files).unwrap();
        assert!(!recovered.repair.rewrites, "seed {seed}");
        assert_eq!((recovered.repair.cut_bytes, recovered.repair.repaired_frames), (0, 0));
        assert!(recovered.wal.is_idle());
        let mut torn = files;
        torn.append(File::Log, &[1, 2, 3]);
        let recovered = recover(&torn).unwrap();
        assert_eq!((recovered.repair.cut_bytes, recovered.repair.rewrites), (3, true), "seed {seed}");
        assert!(!recovered.wal.is_idle());
    }
}

/// Writes commands `ids` of so many bytes, each of them durable before the next.
fn go_on(
    files: &mut Files,
    wal: &mut Wal,
    durable: &mut Durable,
    ids: core::ops::RangeInclusive<u64>,
    bytes: usize,
) {
    for id in ids {
        let write = history::command(durable.last_index().next().0, bytes);
        durable.apply(write.clone());
        wal.persist_beside(PersistId(id), &write, (durable.base, &durable.log), files);
        files.settle(wal);
    }
}

/// A new disk after so many writes of 20 bytes.
fn written(count: u64) -> (Files, Durable) {
    let mut files = Files::default();
    let Recovered { mut wal, mut durable, repair } = recover(&files).unwrap();
    assert_eq!(repair, Repair { rewrites: true, ..Repair::default() }, "an empty log is written at first");
    wal.start(&mut files);
    files.settle(&mut wal);
    go_on(&mut files, &mut wal, &mut durable, 1..=count, 20);
    (files, durable)
}

#[test]
fn a_tail_that_was_found_is_replaced_in_its_time_and_nothing_is_lost_with_it() {
    let (mut files, _) = written(3);
    let Recovered { mut wal, mut durable, .. } = recover(&files).unwrap();
    let before = files.read(File::Tail).len();
    wal.start(&mut files);
    go_on(&mut files, &mut wal, &mut durable, 1..=200, 1000);
    assert!(files.read(File::Tail).len() < before + 200 * 1000, "it was replaced");
    let recovered = recover(&files).unwrap();
    assert_eq!((recovered.durable, recovered.repair), (durable.clone(), Repair::default()));
    // It is a second copy still.
    files.flip(File::Log, files.read(File::Log).len() * 8 - 1);
    let recovered = recover(&files).unwrap();
    assert_eq!((recovered.durable, recovered.repair.repaired_frames), (durable, 1));
}

/// What was there may be nothing, or frames in the tail, the last of which has the number that the adopted
/// state gets, or a torn end.
#[test]
fn a_state_from_elsewhere_is_adopted_in_the_place_of_what_is_there() {
    let adopted = History::draw(3, 20);
    let adopted = adopted.allowed(adopted.events.len()).pop().unwrap();
    assert!(adopted.snapshot.is_some() && !adopted.log.is_empty());
    let mut torn = written(3).0;
    torn.append(File::Log, &[1, 2, 3]);
    for (mut files, before) in [(Files::default(), "none"), (written(3).0, "clean"), (torn, "torn")] {
        let mut wal = recover(&files).unwrap().wal;
        wal.adopt(&adopted, &mut files);
        assert_eq!(files.settle(&mut wal), [], "{before}: it is no write of the node");
        let recovered = recover(&files).unwrap();
        assert_eq!((&recovered.durable, recovered.repair), (&adopted, Repair::default()), "{before}");
        let mut durable = adopted.clone();
        go_on(&mut files, &mut wal, &mut durable, 1..=3, 20);
        let recovered = recover(&files).unwrap();
        assert_eq!((&recovered.durable, recovered.repair), (&durable, Repair::default()), "{before}");
    }
}

#[test]
fn what_waits_is_counted_until_it_is_issued() {
    let mut files = Files::default();
    let mut wal = recover(&files).unwrap().wal;
    assert_eq!(wal.waiting(), 1, "the log is to be made");
    wal.start(&mut files);
    assert_eq!(wal.waiting(), 0, "it is under way");
    for id in 1..=3 {
        let write = history::command(id, 20);
        wal.persist_beside(PersistId(id), &write, ((LogIndex::ZERO, Term::ZERO), &[]), &mut files);
        assert_eq!(wal.waiting() as u64, id, "nothing is issued while a file is replaced");
    }
    files.settle(&mut wal);
    assert_eq!((wal.waiting(), wal.is_idle()), (0, true));
}

#[test]
fn a_frame_that_only_the_tail_holds_is_taken_from_there() {
    let mut files = Files::default();
    let mut wal = recover(&files).unwrap().wal;
    wal.start(&mut files);
    files.settle(&mut wal);
    let mut durable = Durable::default();
    let mut states = Vec::new();
    for id in 1..=2 {
        let write = history::append(id, &[3]);
        durable.apply(write.clone());
        wal.persist_beside(PersistId(id), &write, (durable.base, &durable.log), &mut files);
        files.settle(&mut wal);
        states.push(durable.clone());
    }
    let last = files.read(File::Log).len() * 8 - 1;
    files.flip(File::Log, last);
    let recovered = recover(&files).unwrap();
    assert_eq!(recovered.durable, states[1]);
    assert_eq!(recovered.repair.repaired_frames, 1);
    files.flip(File::Tail, files.read(File::Tail).len() * 8 - 1);
    let recovered = recover(&files).unwrap();
    assert_eq!(recovered.durable, states[0], "bad in both: it was torn");
}

#[test]
fn the_tail_is_replaced_when_it_has_grown_and_nothing_is_lost_with_it() {
    let mut files = Files::default();
    let mut wal = recover(&files).unwrap().wal;
    wal.start(&mut files);
    files.settle(&mut wal);
    let mut durable = Durable::default();
    let mut longest = 0;
    for id in 1..=400 {
        let write = history::command(id, 1000);
        durable.apply(write.clone());
        wal.persist_beside(PersistId(id), &write, (durable.base, &durable.log), &mut files);
        // Mostly several syncs are under way.
        if id % 3 == 0 {
            files.settle(&mut wal);
        }
        longest = longest.max(files.read(File::Tail).len());
    }
    files.settle(&mut wal);
    assert!(longest < 2 * super::TAIL_MAX, "{longest}");
    assert_eq!(recover(&files).unwrap().durable, durable);
    for at in (0..files.read(File::Log).len()).step_by(997) {
        let mut files = files.clone();
        files.flip(File::Log, at * 8);
        if let Ok(recovered) = recover(&files) {
            assert_eq!(recovered.durable, durable, "byte {at}");
        }
    }
}

/// Files that count what is written to the tail.
#[derive(Default)]
struct Counted {
    files: Files,
    tail_bytes: usize,
}

impl Sink for Counted {
    fn append(&mut self, file: File, bytes: &[u8]) {
        self.tail_bytes += if file == File::Tail { bytes.len() } else { 0 };
        self.files.append(file, bytes);
    }

    fn replace(&mut self, file: File, bytes: &[u8]) {
        self.tail_bytes += if file == File::Tail { bytes.len() } else { 0 };
        self.files.replace(file, bytes);
    }

    fn sync(&mut self) {
        self.files.sync();
    }
}

/// With more under way than a tail should hold, to replace it would free nothing and hold up all that follows.
#[test]
fn a_tail_is_not_replaced_for_nothing_however_much_is_under_way() {
    for under_way in [10, 100, 300] {
        let mut files = Counted::default();
        let mut wal = recover(&files.files).unwrap().wal;
        wal.start(&mut files);
        files.files.settle(&mut wal);
        let (mut asked, mut bytes, mut rounds) = (0, 0, 0);
        while asked < 3000 || !wal.is_idle() {
            rounds += 1;
            // As many as may be, and one sync is done: the host is told of each in its order.
            while asked < 3000 && asked - wal_told(&wal) < under_way {
                asked += 1;
                let write = history::command(asked, 1000);
                bytes += 1000;
                wal.persist_beside(PersistId(asked), &write, ((LogIndex::ZERO, Term::ZERO), &[]), &mut files);
            }
            let _ = wal.synced(&mut files);
        }
        assert!(files.tail_bytes < 3 * bytes, "{under_way} under way: {} of {bytes}", files.tail_bytes);
        assert!(rounds < 4000, "{under_way} under way: {rounds} syncs");
        assert_eq!(recover(&files.files).unwrap().durable.log.len(), 3000);
    }
}

/// How many writes of its life are durable.
fn wal_told(wal: &Wal) -> u64 {
    wal.durable.max(wal.origin) - wal.origin
}

#[test]
fn steady_writes_allocate_no_room() {
    let mut files = Files::default();
    let mut wal = recover(&files).unwrap().wal;
    wal.start(&mut files);
    files.settle(&mut wal);
    let mut room = Vec::new();
    for id in 1..=2000 {
        let write = history::command(id, 100);
        wal.persist_beside(PersistId(id), &write, ((LogIndex::ZERO, Term::ZERO), &[]), &mut files);
        files.settle(&mut wal);
        room.push((wal.scratch.capacity(), wal.tail.capacity(), wal.tail_frames.capacity()));
    }
    assert_eq!(room[1000], room[1999], "what grew has grown at first");
}

#[test]
fn writes_are_told_to_be_durable_once_each_and_in_order() {
    for seed in 0..100 {
        let history = History::draw(seed, 20);
        let told: Vec<u64> = history.told.iter().map(|id| id.0).collect();
        assert_eq!(told, (1..=20).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
#[should_panic = "write 2 is not the one after the last"]
fn a_write_that_is_left_out_is_noticed() {
    let mut files = Files::default();
    let mut wal = recover(&files).unwrap().wal;
    let write = history::append(1, &[3]);
    wal.persist_beside(PersistId(2), &write, ((LogIndex::ZERO, Term::ZERO), &[]), &mut files);
}

#[test]
fn hostile_bytes_are_refused_or_read_and_nothing_else() {
    let mut rng = Rng(1);
    let mut refused = 0_u32;
    for seed in 0..150 {
        let clean = History::draw(seed, WRITES).clean();
        for _ in 0..20 {
            let mut files = clean.clone();
            files.scramble(&mut rng);
            refused += u32::from(recover(&files).is_err());
        }
    }
    assert!(refused > 1000, "{refused}");
    // Intact checksums around nonsense: only one who writes such files gets here.
    for round in 0..20_000 {
        let mut files = Files::default();
        files.forge(&mut Rng(round));
        drop(recover(&files));
    }
}
