//! Intact checksums around what this code never writes: only one who makes such files gets here.

use super::disk::{Files, SALT, recover};
use super::history;
use crate::storage::HardState;
use crate::types::{LogIndex, Term};
use crate::wal::File;
use crate::wal::frame::{Body, Frame, Read, Whole, header};

/// A frame with one command of these bytes, and then another number in the place of its kind.
fn entry_of_kind(kind: u8, bytes: usize) -> Vec<u8> {
    let write = history::command(1, bytes);
    let body = Body::Change { hard: None, snapshot: None, log: write.log.as_ref() };
    let mut frame = Vec::new();
    Frame { seq: 1, durable: 0, place: 20, body }.encode(SALT, &mut frame);
    // Behind the kind stand the length and the bytes.
    let at = frame.len() - bytes - 5;
    assert_eq!(core::mem::replace(&mut frame[at], kind), 1);
    let checksum = crc32c::crc32c_append(crc32c::crc32c_append(SALT, &frame[..4]), &frame[8..]);
    frame[4..8].copy_from_slice(&checksum.to_le_bytes());
    frame
}

#[test]
fn an_entry_of_no_kind_that_there_is_makes_no_frame_nor_does_one_that_carries_nothing_and_has_bytes() {
    let rows = [(0, 0, true), (0, 3, false), (1, 0, true), (1, 3, true), (2, 3, false), (3, 0, false)];
    for (kind, bytes, is_frame) in rows {
        let frame = entry_of_kind(kind, bytes);
        assert_eq!(Read::decode(SALT, &frame).is_some(), is_frame, "kind {kind}, {bytes} bytes");
    }
}

/// The log has two entries, the first of which is number one.
#[test]
fn a_change_of_the_log_that_leaves_a_gap_is_refused() {
    let two = history::append(1, &[1, 1]).log.unwrap();
    let whole = Whole {
        hard: HardState::default(),
        snapshot: None,
        base: (LogIndex::ZERO, Term::ZERO),
        log: two.entries.as_slice(),
    };
    for (first, left) in [(0, None), (1, Some(1)), (2, Some(2)), (3, Some(3)), (4, None), (u64::MAX, None)] {
        let write = history::append(first, &[1]);
        let mut files = Files::default();
        files.put(File::Log, |bytes| {
            bytes.extend_from_slice(&header(File::Log, SALT));
            let change = Body::Change { hard: None, snapshot: None, log: write.log.as_ref() };
            for (seq, body) in [(1, Body::Whole(whole)), (2, change)] {
                let place = bytes.len() as u64;
                Frame { seq, durable: 0, place, body }.encode(SALT, bytes);
            }
        });
        let found = recover(&files).map(|recovered| recovered.durable.log.len()).map_err(|error| error.what);
        assert_eq!(found, left.ok_or("a change of the log leaves a gap"), "from {first}");
    }
}
