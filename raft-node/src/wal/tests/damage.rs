//! Both copies of a frame are bad: what can be told from a torn end is refused.

use std::collections::BTreeMap;
use std::ops::Range;

use super::disk::{Files, SALT, recover};
use super::history;
use crate::storage::{Durable, HardState};
use crate::types::{LogIndex, PersistId, Term};
use crate::wal::frame::{Body, Frame, HEADER_BYTES, Read, SEQ_MAX, Whole, header};
use crate::wal::{File, Recovered, Sink, Wal};

/// A disk after some writes, all of them durable, and the states before and after each of them.
struct Written {
    files: Files,
    states: Vec<Durable>,
}

/// Each write is durable `together` with so many others, before the next are asked for.
fn write(count: u64, together: u64) -> Written {
    let mut files = Files::default();
    let mut wal = recover(&files).unwrap().wal;
    wal.start(&mut files);
    files.settle(&mut wal);
    let mut states = vec![Durable::default()];
    for id in 1..=count {
        let write = history::command(id, 5 + usize::try_from(id * 7 % 20).unwrap());
        let mut durable = states.last().unwrap().clone();
        durable.apply(write.clone());
        wal.persist_beside(PersistId(id), &write, (durable.base, &durable.log), &mut files);
        states.push(durable);
        if id % together == 0 {
            files.settle(&mut wal);
        }
    }
    files.settle(&mut wal);
    Written { files, states }
}

/// The frames of a file by their numbers: where each stands, and what it calls durable.
fn frames(bytes: &[u8]) -> BTreeMap<u64, (Range<usize>, u64)> {
    let (mut at, mut frames) = (HEADER_BYTES, BTreeMap::new());
    while let Some((frame, len)) = Read::decode(SALT, &bytes[at..]) {
        frames.insert(frame.seq, (at..at + len, frame.durable));
        at += len;
    }
    assert_eq!(at, bytes.len());
    frames
}

#[test]
fn a_frame_that_is_bad_in_both_copies_is_reported_if_anything_else_calls_it_durable() {
    for (count, together, told) in [(8, 1, 7), (8, 3, 6), (9, 3, 6), (8, 100, 1)] {
        let Written { files, states } = write(count, together);
        let (log, tail) = (frames(files.read(File::Log)), frames(files.read(File::Tail)));
        let mut reported = 0;
        for (seq, (place, _)) in log.iter().skip(1) {
            let mut files = files.clone();
            files.flip(File::Log, place.end * 8 - 1);
            files.flip(File::Tail, tail[seq].0.end * 8 - 1);
            // The tail is never torn where it begins: it was made as a whole, up to its first frame or further.
            let begins_tail = tail.keys().next() == Some(seq);
            let claimed =
                log.iter().filter(|(other, _)| *other != seq).map(|(_, (_, durable))| *durable).max();
            match recover(&files) {
                Err(_) => {
                    assert!(claimed >= Some(*seq) || begins_tail, "{together} together, frame {seq}");
                    reported += 1;
                }
                Ok(recovered) => {
                    assert!(claimed < Some(*seq) && !begins_tail, "{together} together, frame {seq}");
                    // The first frame is the whole state before the first write.
                    let before = &states[usize::try_from(seq - 2).unwrap()];
                    assert_eq!(recovered.durable, *before, "{together} together, frame {seq}");
                }
            }
        }
        assert_eq!(reported, told, "{count} writes, {together} together");
    }
}

/// Both copies of a write went to wrong places, or one did: every write, every place in the log.
#[test]
fn a_write_that_went_to_a_wrong_place_in_both_copies_is_never_taken_for_a_torn_end() {
    for together in [1, 3, 100] {
        let Written { files, states } = write(8, together);
        let (log, tail) = (frames(files.read(File::Log)), frames(files.read(File::Tail)));
        let (mut mended, mut reported) = (0_u32, 0_u32);
        for (seq, (in_log, _)) in log.iter().skip(1) {
            let in_tail = &tail[seq].0;
            let elsewhere =
                [None, Some(0), Some(HEADER_BYTES), Some(in_tail.start / 2), in_tail.start.checked_sub(9)];
            for (to, tail_to) in (0..in_log.start).flat_map(|to| elsewhere.map(|tail_to| (to, tail_to))) {
                let mut files = files.clone();
                files.misdirect(File::Log, in_log.clone(), to);
                if let Some(to) = tail_to.filter(|to| *to < in_tail.start) {
                    files.misdirect(File::Tail, in_tail.clone(), to);
                }
                match recover(&files) {
                    Err(_) => reported += 1,
                    Ok(recovered) => {
                        assert_eq!(
                            recovered.durable,
                            *states.last().unwrap(),
                            "{seq} at {to} and {tail_to:?}"
                        );
                        assert!(recovered.repair.rewrites);
                        mended += 1;
                    }
                }
            }
        }
        assert!(mended > 100 && reported > 1000, "{together} together: {mended} {reported}");
    }
}

#[test]
fn a_write_that_went_to_a_wrong_place_in_the_tail_is_noticed_if_its_other_copy_is_bad() {
    let Written { files, states } = write(8, 100);
    let (log, tail) = (frames(files.read(File::Log)), frames(files.read(File::Tail)));
    let mut reported = 0;
    for (seq, (in_log, _)) in log.iter().skip(2) {
        let in_tail = &tail[seq].0;
        // The last place is that of the frame before, which is as good as gone then.
        for to in (0..HEADER_BYTES + 1).chain(core::iter::once(in_tail.start - tail[&(seq - 1)].0.len())) {
            let mut files = files.clone();
            files.flip(File::Log, in_log.end * 8 - 1);
            files.misdirect(File::Tail, in_tail.clone(), to);
            match recover(&files) {
                Err(_) => reported += 1,
                Ok(recovered) => {
                    assert_eq!(recovered.durable, *states.last().unwrap(), "frame {seq} at {to}")
                }
            }
        }
    }
    assert!(reported > 100, "{reported}");
}

/// The end of the log was lost, and two bytes where the tail begins have rotten: what is behind them cannot
/// be believed, but that it is there shows that more was written.
#[test]
fn a_log_that_ends_well_is_refused_if_a_tail_without_its_beginning_goes_on_behind_it() {
    let Written { files, states } = write(8, 100);
    let log = frames(files.read(File::Log));
    let last = *log.keys().last().unwrap();
    for (seq, (place, _)) in log {
        let mut files = files.clone();
        files.put(File::Log, |bytes| bytes.truncate(place.end));
        files.put(File::Tail, |bytes| bytes[HEADER_BYTES + 4..HEADER_BYTES + 6].fill(0));
        match recover(&files) {
            Err(refused) => {
                assert!(
                    seq < last && refused.what.ends_with("stand where they were not written"),
                    "{refused}"
                );
            }
            Ok(recovered) => {
                assert_eq!(seq, last);
                assert_eq!(recovered.durable, *states.last().unwrap());
                assert!(recovered.repair.rewrites);
            }
        }
    }
}

#[test]
fn a_frame_whose_number_cannot_be_counted_on_from_is_no_frame() {
    let whole =
        Whole { hard: HardState::default(), snapshot: None, base: (LogIndex::ZERO, Term::ZERO), log: &[] };
    for seq in [0, u64::MAX] {
        let mut files = Files::default();
        files.put(File::Log, |bytes| {
            bytes.extend_from_slice(&header(File::Log, SALT));
            Frame { seq, durable: 0, place: 20, body: Body::Whole(whole) }.encode(SALT, bytes);
        });
        let refused = recover(&files).unwrap_err().to_string();
        assert_eq!(refused, "the log is corrupt at byte 20: the first frame is bad", "{seq}");
    }
}

#[test]
fn no_frame_is_so_far_that_nobody_could_count_on_from_it() {
    let whole =
        Whole { hard: HardState::default(), snapshot: None, base: (LogIndex::ZERO, Term::ZERO), log: &[] };
    let forged = |seq| {
        let mut files = Files::default();
        files.put(File::Log, |bytes| {
            bytes.extend_from_slice(&header(File::Log, SALT));
            Frame { seq, durable: 0, place: 20, body: Body::Whole(whole) }.encode(SALT, bytes);
        });
        files
    };
    // As far as a log may come it is read, mended, and read again.
    let mut files = forged(SEQ_MAX / 2 - 1);
    files.append(File::Log, &[1]);
    let mut wal = recover(&files).unwrap().wal;
    wal.start(&mut files);
    files.settle(&mut wal);
    assert!(recover(&files).is_ok());
    for seq in [SEQ_MAX / 2 + 1, SEQ_MAX] {
        let refused = recover(&forged(seq)).unwrap_err().to_string();
        assert!(refused.ends_with("a frame has a number that no log comes to"), "{seq}: {refused}");
    }
}

/// What a client says is written as it is, and would be taken for a frame when the one around it is torn.
#[test]
fn a_command_that_looks_like_a_frame_of_another_log_is_none() {
    let Written { files, states } = write(3, 1);
    let torn = |salt, seq, durable| {
        let mut files = files.clone();
        let place = files.read(File::Log).len() as u64 + 9;
        let body = Body::Change { hard: None, snapshot: None, log: None };
        let mut fake = Vec::new();
        Frame { seq, durable, place, body }.encode(salt, &mut fake);
        files.append(File::Log, &[&[0; 9], &fake[..], &[0]].concat());
        files
    };
    for (seq, durable) in [(5, 0), (100, 99), (SEQ_MAX / 2, 0), (SEQ_MAX, 0)] {
        let mut files = torn(!SALT, seq, durable);
        let recovered = recover(&files).unwrap();
        assert_eq!(recovered.durable, *states.last().unwrap());
        let mut wal = recovered.wal;
        wal.start(&mut files);
        files.settle(&mut wal);
        assert_eq!(recover(&files).unwrap().durable, *states.last().unwrap(), "it starts again");
    }
    // One who knows the salt is believed.
    assert!(recover(&torn(SALT, 100, 99)).is_err());
}

#[test]
fn a_log_keeps_the_salt_that_it_began_with() {
    let Written { files, states } = write(3, 1);
    let again = |files: &Files, salt| {
        Wal::recover(files.read(File::Log), files.read(File::Tail), files.read(File::Snapshot), salt)
    };
    let mut files = files;
    for salt in [0, 1, 2] {
        files.append(File::Log, b"torn");
        let Recovered { mut wal, durable, .. } = again(&files, salt).unwrap();
        assert_eq!(durable, *states.last().unwrap());
        wal.start(&mut files);
        files.settle(&mut wal);
    }
    // A tail of another log is no copy of this one.
    files.put(File::Tail, |bytes| bytes[..HEADER_BYTES].copy_from_slice(&header(File::Tail, 7)));
    assert!(again(&files, 0).unwrap().repair.rewrites);
}

/// One rotten byte at the beginning of the tail, and a log whose last frame a crash has torn: the frame is in the tail, or
/// torn there too.
#[test]
fn a_rotten_byte_where_the_tail_begins_does_not_keep_a_torn_end_from_being_cut() {
    for (together, bits) in [(1, 1_u8), (3, 0xff), (100, 0x18)] {
        let Written { files, states } = write(8, together);
        let (log, tail) = (frames(files.read(File::Log)), frames(files.read(File::Tail)));
        let (first, last) = (tail.values().next().unwrap().0.clone(), log.values().last().unwrap().0.clone());
        let before = &states[states.len() - 2];
        for at in 0..first.end {
            for left in [0, 1, last.len() / 2, last.len() - 1] {
                let mut torn = files.clone();
                torn.put(File::Log, |bytes| bytes.truncate(last.start + left));
                torn.put(File::Tail, |bytes| bytes[at] ^= bits);
                let recovered = recover(&torn).unwrap();
                assert_eq!(recovered.durable, *states.last().unwrap(), "byte {at}: it is in the tail");
                assert!(recovered.repair.rewrites);
                torn.put(File::Tail, |bytes| bytes.truncate(bytes.len() - 1 - left.min(last.len() - 2)));
                let recovered = recover(&torn).unwrap();
                assert_eq!(recovered.durable, *before, "byte {at}: it is torn in both");
                assert!(recovered.repair.rewrites);
            }
            // A byte of the last frame is rotten too, and its copy is intact: it was durable, and is not cut.
            let mut rotten = files.clone();
            rotten.flip(File::Log, last.end * 8 - 1);
            rotten.put(File::Tail, |bytes| bytes[at] ^= bits);
            assert_eq!(recover(&rotten).unwrap().durable, *states.last().unwrap(), "byte {at}");
        }
    }
}

/// Two rotten bytes at the beginning of the tail, or one there and one in the log's copy: nothing is put right by a guess.
#[test]
fn what_is_wrong_in_more_than_one_byte_where_the_tail_begins_is_not_put_right() {
    let Written { files, .. } = write(8, 100);
    let (log, tail) = (frames(files.read(File::Log)), frames(files.read(File::Tail)));
    let (seq, first) = tail.iter().map(|(seq, (place, _))| (*seq, place.clone())).next().unwrap();
    let last = log.values().last().unwrap().0.clone();
    for at in first.start..first.end - 1 {
        for (file, other) in [(File::Tail, at + 1), (File::Log, log[&seq].0.start)] {
            let mut files = files.clone();
            files.put(File::Tail, |bytes| bytes[at] ^= 1);
            files.put(file, |bytes| bytes[other] ^= 1);
            files.put(File::Log, |bytes| bytes.truncate(last.end - 1));
            assert!(recover(&files).is_err(), "bytes {at} and {other} of {file:?}");
        }
    }
}
