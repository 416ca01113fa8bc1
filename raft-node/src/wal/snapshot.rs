//! The file of the snapshot.
//!
//! Owns: its bytes, and the name by which frames call it. Must not know: frames.
//!
//! Header (as any file's), index (8 bytes), term (8), the hard state along with which it was written (11),
//! membership (length of 4 and bytes), the host's bytes to the end but for the last four, which are the CRC-32C
//! of all between header and checksum. Numbers are little-endian.
//!
//! The hard state is there because a write is done wholly or not at all: should a crash take the frame that was
//! to follow, the snapshot alone says what that would have said.

use std::sync::Arc;

use super::File;
use super::bytes::{Reader, put_counted};
use super::frame::{HEADER_BYTES, header, put_hard, read_hard, read_header};
use crate::membership::Membership;
use crate::storage::{HardState, Snapshot};
use crate::types::{LogIndex, Term};

/// What a frame says of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SnapshotRef {
    pub(super) index: LogIndex,
    pub(super) term: Term,
    pub(super) checksum: u32,
}

impl SnapshotRef {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { index: LogIndex(reader.u64()?), term: Term(reader.u64()?), checksum: reader.u32()? })
    }
}

/// The file, and what frames call it.
pub(super) fn encode(snapshot: &Snapshot, hard: HardState) -> (Vec<u8>, SnapshotRef) {
    let Snapshot { index, term, membership, data } = snapshot;
    let mut bytes = header(File::Snapshot, 0).to_vec();
    bytes.extend_from_slice(&index.0.to_le_bytes());
    bytes.extend_from_slice(&term.0.to_le_bytes());
    put_hard(&mut bytes, hard);
    let mut members = Vec::with_capacity(membership.encoded_len());
    membership.encode(&mut members);
    put_counted(&mut bytes, &members);
    bytes.extend_from_slice(data);
    let checksum = crc32c::crc32c(&bytes[HEADER_BYTES..]);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    (bytes, SnapshotRef { index: *index, term: *term, checksum })
}

/// What a file holds, or what is wrong with it and where.
pub(super) fn decode(bytes: &[u8]) -> Result<(Snapshot, HardState, SnapshotRef), (usize, &'static str)> {
    read_header(File::Snapshot, bytes).map_err(|fault| (0, fault))?;
    let body = &bytes[HEADER_BYTES..];
    let (body, checksum) = body.split_last_chunk::<4>().ok_or((HEADER_BYTES, "there is no checksum"))?;
    let checksum = u32::from_le_bytes(*checksum);
    if crc32c::crc32c(body) != checksum {
        return Err((HEADER_BYTES, "the checksum is wrong"));
    }
    let read = || {
        let mut reader = Reader(body);
        let (index, term) = (LogIndex(reader.u64()?), Term(reader.u64()?));
        let hard = read_hard(&mut reader)?;
        let membership = Arc::new(Membership::decode(reader.counted()?)?);
        let snapshot = Snapshot { index, term, membership, data: Arc::from(reader.0) };
        Some((snapshot, hard, SnapshotRef { index, term, checksum }))
    };
    read().ok_or((HEADER_BYTES, "the fields make no sense"))
}
