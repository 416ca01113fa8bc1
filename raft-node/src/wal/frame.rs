//! The header of a file and the frames behind it.
//!
//! Owns: their bytes. Must not know: which frames are to be believed; `recover` does.
//!
//! A frame: length of all after the checksum (4 bytes), CRC-32C over the length and all after the checksum,
//! begun with the salt (4), its number from one on (8), the number up to which all was durable when it was made (8), where in the
//! log it stands (8), what it carries (1 byte of flags, then as the flags say: hard state, named snapshot,
//! base, change of the log). All numbers are little-endian.
//!
//! The salt is there because a command is written as it is: without it a client could say what a frame looks like, and
//! where a crash tears the frame around it, recovery would take it for one.

use std::sync::Arc;

use super::File;
use super::bytes::Reader;
use super::snapshot::SnapshotRef;
use crate::entry::{Entries, Entry, EntryKind};
use crate::membership::Membership;
use crate::payload::Payload;
use crate::storage::{HardState, LogWrite};
use crate::types::{LogIndex, NodeId, Term};

/// The length of a header.
pub(super) const HEADER_BYTES: usize = 20;
/// The version that this code writes, and the only one that it reads.
const VERSION: u32 = 4;
/// Length and checksum.
const PREFIX_BYTES: usize = 8;
/// Number, what is durable, place.
const NUMBERS_BYTES: usize = 24;
/// No log comes so far; from here on there is room to count.
pub(super) const SEQ_MAX: u64 = u64::MAX / 2;
/// An entry without its payload: term, kind, length.
const ENTRY_BYTES_MIN: usize = 13;

const HAS_HARD: u8 = 1;
const HAS_SNAPSHOT: u8 = 2;
const HAS_BASE: u8 = 4;
const HAS_LOG: u8 = 8;

/// The header of a file: what it is (8 bytes), version (4), salt (4; 0 where no frames are), CRC-32C of these (4).
pub(super) fn header(file: File, salt: u32) -> [u8; HEADER_BYTES] {
    let name: &[u8; 8] = match file {
        File::Log => b"raft log",
        File::Tail => b"raftTail",
        File::Snapshot => b"raftSnap",
    };
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(name);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..16].copy_from_slice(&salt.to_le_bytes());
    let checksum = crc32c::crc32c(&header[..16]);
    header[16..].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// The salt in the header of a file.
///
/// # Errors
///
/// What is wrong with the header.
pub(super) fn read_header(file: File, bytes: &[u8]) -> Result<u32, &'static str> {
    let found = bytes.first_chunk::<HEADER_BYTES>().ok_or("there is no header")?;
    let [.., a, b, c, d, _, _, _, _] = *found;
    let salt = u32::from_le_bytes([a, b, c, d]);
    let expected = header(file, salt);
    if *found == expected {
        return Ok(salt);
    }
    // Before version 4 there was no salt; a later one is known if it keeps this layout.
    let is_named = found[..8] == expected[..8] && found[8..12] != expected[8..12];
    let is_intact = |at: usize| crc32c::crc32c(&found[..at]).to_le_bytes() == found[at..at + 4];
    Err(if is_named && (is_intact(16) || is_intact(12)) {
        "the version is not known"
    } else {
        "the header is bad"
    })
}

/// One write, or a whole state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) seq: u64,
    pub(super) durable: u64,
    /// Where in the log it begins; its copy in the tail says the same.
    pub(super) place: u64,
    pub(super) body: Body<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Whole(Whole<'a>),
    Change { hard: Option<HardState>, snapshot: Option<SnapshotRef>, log: Option<&'a LogWrite> },
}

/// All that is durable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole<'a> {
    pub(super) hard: HardState,
    pub(super) snapshot: Option<SnapshotRef>,
    pub(super) base: (LogIndex, Term),
    pub(super) log: &'a [Entry],
}

/// A frame as it was read. One with a base is a whole state.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) seq: u64,
    pub(super) durable: u64,
    pub(super) place: u64,
    /// Where in the log it ends.
    pub(super) end: u64,
    pub(super) hard: Option<HardState>,
    pub(super) snapshot: Option<SnapshotRef>,
    pub(super) base: Option<(LogIndex, Term)>,
    pub(super) log: Option<LogWrite>,
}

impl Frame<'_> {
    /// Appends the frame.
    pub(super) fn encode(&self, salt: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let mut head = [0; PREFIX_BYTES + NUMBERS_BYTES];
        head[PREFIX_BYTES..PREFIX_BYTES + 8].copy_from_slice(&self.seq.to_le_bytes());
        head[PREFIX_BYTES + 8..PREFIX_BYTES + 16].copy_from_slice(&self.durable.to_le_bytes());
        head[PREFIX_BYTES + 16..].copy_from_slice(&self.place.to_le_bytes());
        out.extend_from_slice(&head);
        match self.body {
            Body::Whole(Whole { hard, snapshot, base, log }) => {
                let log = (base.0.next(), log);
                put_body(out, Some(hard), snapshot, Some(base), Some(log));
            }
            Body::Change { hard, snapshot, log } => {
                let log = log.map(|log| (log.first, log.entries.as_slice()));
                put_body(out, hard, snapshot, None, log);
            }
        }
        let len = u32::try_from(out.len() - start - PREFIX_BYTES).expect("a write is shorter than 4 GiB");
        out[start..start + 4].copy_from_slice(&len.to_le_bytes());
        // The length stands where the checksum will, so that what the checksum is over lies in one piece.
        out[start + 4..start + PREFIX_BYTES].copy_from_slice(&len.to_le_bytes());
        let checksum = crc32c::crc32c_append(salt, &out[start + 4..]);
        out[start + 4..start + PREFIX_BYTES].copy_from_slice(&checksum.to_le_bytes());
    }
}

fn checksum(salt: u32, len: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(salt, &len.to_le_bytes()), bytes)
}

fn put_body(
    out: &mut Vec<u8>,
    hard: Option<HardState>,
    snapshot: Option<SnapshotRef>,
    base: Option<(LogIndex, Term)>,
    log: Option<(LogIndex, &[Entry])>,
) {
    let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
    out.push(
        flag(hard.is_some(), HAS_HARD)
            | flag(snapshot.is_some(), HAS_SNAPSHOT)
            | flag(base.is_some(), HAS_BASE)
            | flag(log.is_some(), HAS_LOG),
    );
    if let Some(hard) = hard {
        put_hard(out, hard);
    }
    if let Some(SnapshotRef { index, term, checksum }) = snapshot {
        out.extend_from_slice(&index.0.to_le_bytes());
        out.extend_from_slice(&term.0.to_le_bytes());
        out.extend_from_slice(&checksum.to_le_bytes());
    }
    if let Some((index, term)) = base {
        out.extend_from_slice(&index.0.to_le_bytes());
        out.extend_from_slice(&term.0.to_le_bytes());
    }
    if let Some((first, entries)) = log {
        let count = u32::try_from(entries.len()).expect("a log has fewer than 2^32 entries");
        let mut head = [0; 12];
        head[..8].copy_from_slice(&first.0.to_le_bytes());
        head[8..].copy_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&head);
        entries.iter().for_each(|entry| put_entry(out, entry));
    }
}

#[inline]
fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    match &entry.kind {
        EntryKind::Noop => put_carried(out, entry.term, 0, &[]),
        EntryKind::Command(payload) => put_carried(out, entry.term, 1, payload.as_slice()),
        EntryKind::Change(membership) => {
            let mut bytes = Vec::with_capacity(membership.encoded_len());
            membership.encode(&mut bytes);
            put_carried(out, entry.term, 2, &bytes);
        }
    }
}

#[inline]
fn put_carried(out: &mut Vec<u8>, term: Term, kind: u8, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).expect("a command is shorter than 4 GiB");
    let mut head = [0; ENTRY_BYTES_MIN];
    head[..8].copy_from_slice(&term.0.to_le_bytes());
    head[8] = kind;
    head[9..].copy_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(bytes);
}

impl Read {
    /// Reads the frame at the start of `bytes`, and how long it is. None if there is no intact one.
    pub(super) fn decode(salt: u32, bytes: &[u8]) -> Option<(Self, usize)> {
        let mut reader = Reader(bytes);
        let (len, expected) = (reader.u32()?, reader.u32()?);
        let body = reader.take(usize::try_from(len).ok()?)?;
        let mut reader = Reader(body);
        let (seq, durable, place, flags) = (reader.u64()?, reader.u64()?, reader.u64()?, reader.u8()?);
        // No frame has the number zero. And whoever looks for one at every byte finds many lengths: what costs little is
        // asked before the checksum.
        let is_numbered = durable < seq && seq <= SEQ_MAX;
        if flags & !(HAS_HARD | HAS_SNAPSHOT | HAS_BASE | HAS_LOG) != 0
            || !is_numbered
            || checksum(salt, len, body) != expected
        {
            return None;
        }
        let len = PREFIX_BYTES + body.len();
        let has = |flag: u8| flags & flag != 0;
        let frame = Self {
            seq,
            durable,
            place,
            end: place.checked_add(len as u64)?,
            hard: if has(HAS_HARD) { Some(read_hard(&mut reader)?) } else { None },
            snapshot: if has(HAS_SNAPSHOT) { Some(SnapshotRef::read(&mut reader)?) } else { None },
            base: if has(HAS_BASE) { Some((LogIndex(reader.u64()?), Term(reader.u64()?))) } else { None },
            log: if has(HAS_LOG) { Some(read_log(&mut reader)?) } else { None },
        };
        reader.0.is_empty().then_some((frame, len))
    }
}

pub(super) fn put_hard(out: &mut Vec<u8>, HardState { term, vote }: HardState) {
    out.extend_from_slice(&term.0.to_le_bytes());
    out.push(u8::from(vote.is_some()));
    out.extend_from_slice(&vote.unwrap_or_default().0.to_le_bytes());
}

pub(super) fn read_hard(reader: &mut Reader<'_>) -> Option<HardState> {
    let term = Term(reader.u64()?);
    let vote = match (reader.u8()?, reader.u16()?) {
        (0, 0) => None,
        (1, id) => Some(NodeId(id)),
        _ => return None,
    };
    Some(HardState { term, vote })
}

fn read_log(reader: &mut Reader<'_>) -> Option<LogWrite> {
    let first = LogIndex(reader.u64()?);
    let count = usize::try_from(reader.u32()?).ok()?;
    if count > reader.0.len() / ENTRY_BYTES_MIN {
        return None;
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let term = Term(reader.u64()?);
        let kind = reader.u8()?;
        let bytes = reader.counted()?;
        let kind = match kind {
            0 if bytes.is_empty() => EntryKind::Noop,
            1 => EntryKind::Command(Payload::new(bytes)),
            2 => EntryKind::Change(Arc::new(Membership::decode(bytes)?)),
            _ => return None,
        };
        entries.push(Entry { term, kind });
    }
    Some(LogWrite { first, entries: Entries::from(entries) })
}
