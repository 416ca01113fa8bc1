//! A file of a snapshot that is not the one of which the log tells.

use std::sync::Arc;

use super::disk::{Files, recover};
use super::history;
use crate::membership::Membership;
use crate::storage::{Durable, HardState, Snapshot, Write};
use crate::types::{LogIndex, NodeId, PersistId, Term};
use crate::wal::{File, snapshot};

fn of(index: u64, data: u8) -> Snapshot {
    let membership = Arc::new(Membership::of_voters(&[NodeId(1)]).unwrap());
    Snapshot { index: LogIndex(index), term: Term(1), membership, data: [data].into() }
}

/// A log of six entries that names the snapshot of the fifth, and begins with the first.
fn named() -> Files {
    let mut files = Files::default();
    let mut wal = recover(&files).unwrap().wal;
    wal.start(&mut files);
    let taken = Write { snapshot: Some(Arc::new(of(5, 7))), ..Write::default() };
    let mut durable = Durable::default();
    for (id, write) in (1..).zip([history::append(1, &[1; 6]), taken]) {
        durable.apply(write.clone());
        wal.persist_beside(PersistId(id), &write, (durable.base, &durable.log), &mut files);
    }
    files.settle(&mut wal);
    assert_eq!(recover(&files).unwrap().durable, durable);
    assert_eq!((durable.base.0, durable.log.len()), (LogIndex::ZERO, 6));
    files
}

#[test]
fn a_snapshot_is_taken_for_the_one_that_the_log_names_or_for_a_newer_one_and_for_no_other() {
    let other = Err("the snapshot is not the one that the log names");
    // A newer one is that of a write whose frame a crash took.
    let rows = [(5, 7, Ok(5)), (5, 8, other), (4, 7, other), (6, 7, Ok(6)), (9, 7, Ok(9))];
    for (index, data, expected) in rows {
        let mut files = named();
        files.put(File::Snapshot, |bytes| {
            *bytes = snapshot::encode(&of(index, data), HardState::default()).0;
        });
        let found = recover(&files).map_err(|corrupt| corrupt.what);
        let found = found.map(|recovered| recovered.durable.snapshot.unwrap().index.0);
        assert_eq!(found, expected, "the file is of {index}, {data}");
    }
}

/// The log alone would do for a boot, but who asks for what was dropped elsewhere must be sent the snapshot.
#[test]
fn a_snapshot_that_is_lost_is_missed_though_the_log_is_whole() {
    let mut files = named();
    files.put(File::Snapshot, Vec::clear);
    assert_eq!(recover(&files).unwrap_err().what, "there is no snapshot, but the log is of one");
}
