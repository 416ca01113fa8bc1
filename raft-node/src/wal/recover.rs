//! From bytes back to durable state.
//!
//! Owns: which frames are believed, what was torn and is cut, what has rotten and is read from the other copy
//! or reported. Must not know: how the bytes came to be as they are, beyond the order in which [`super::Wal`]
//! issues them.
//!
//! The log is read up to its first bad frame, and from there on the tail, as far as its numbers go on. If
//! anything that was read says that more was durable than was found, the rest is not torn but lost. So it is if
//! something stands where it was not written: a crash does not do that, and nobody knows what else was done.

use core::fmt;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::frame::{HEADER_BYTES, Read, SEQ_MAX, header, read_header};
use super::snapshot::SnapshotRef;
use super::{File, Wal, snapshot};
use crate::storage::{Durable, HardState, Write};
use crate::types::LogIndex;

/// Something that was durable is missing or wrong: a node that went on without it could break its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// In which file.
    pub file: File,
    /// Where in it what is wrong begins, in bytes.
    pub offset: usize,
    /// What is wrong, without a full stop.
    pub what: &'static str,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} is corrupt at byte {}: {}", self.file.name(), self.offset, self.what)
    }
}

impl core::error::Error for Corrupt {}

/// What was read, and what goes on from there.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The writing side. [`Wal::start`] mends what needs it.
    pub wal: Wal,
    /// What survived: the state after some write, and after every one that was called durable.
    pub durable: Durable,
    /// What was not as a clean stop leaves it.
    pub repair: Repair,
}

/// What recovery found and mends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// How many bytes at the end of the log were torn and are cut.
    pub cut_bytes: usize,
    /// How many frames were bad in the log, or missing, and were read from the tail.
    pub repaired_frames: usize,
    /// Whether the log will be rewritten before anything is appended.
    pub rewrites: bool,
}

/// What a file of frames holds.
struct Scan {
    /// Up to the first bad one.
    frames: Vec<Read>,
    /// Where each of these begins, and at last where they end.
    offsets: Vec<usize>,
    /// Where intact frames begin behind the first bad one, and what they say of themselves. What they carry is not used.
    behind: Vec<(usize, Claim)>,
}

/// What is to be known of a frame that is not used.
#[derive(Clone, Copy)]
struct Claim {
    seq: u64,
    durable: u64,
    place: u64,
}

impl Claim {
    const fn of(&Read { seq, durable, place, .. }: &Read) -> Self {
        Self { seq, durable, place }
    }
}

impl Scan {
    /// Reads behind the header. A frame of the log that stands elsewhere than it says is bad.
    fn of(file: File, salt: u32, bytes: &[u8]) -> Self {
        let (mut frames, mut offsets) = (Vec::new(), vec![HEADER_BYTES.min(bytes.len())]);
        let mut at = offsets[0];
        while let Some((frame, len)) = Read::decode(salt, &bytes[at..])
            && (file != File::Log || frame.place == at as u64)
        {
            at += len;
            frames.push(frame);
            offsets.push(at);
        }
        // Where a frame is bad its length may be, too: the next one may begin anywhere.
        let behind = (at..bytes.len())
            .filter_map(|at| Read::decode(salt, &bytes[at..]).map(|(frame, _)| (at, Claim::of(&frame))))
            .collect();
        Self { frames, offsets, behind }
    }

    fn end(&self) -> usize {
        *self.offsets.last().expect("there is an end, if of nothing")
    }

    /// Every intact frame, and where it stands.
    fn claims(&self) -> impl Iterator<Item = (usize, Claim)> {
        self.offsets.iter().copied().zip(self.frames.iter().map(Claim::of)).chain(self.behind.iter().copied())
    }
}

/// Whether something stands in the files that no crash leaves there: a frame that was written to another place, or bytes
/// at the beginning of the tail, which is made as a whole. `whole` is the number of the frame that began the log.
fn is_misplaced(log: &Scan, whole: u64, tail_bytes: &[u8], tail: &Scan) -> bool {
    // Copies of one and the same log stand as far from each other as in that.
    let shift = |(at, claim): (usize, Claim)| (at as u64).wrapping_sub(claim.place);
    let mut shifts = tail.claims().filter(|(_, claim)| claim.seq > whole).map(shift);
    let first = shifts.next();
    log.behind.iter().any(|(at, claim)| *at as u64 != claim.place)
        || (tail.frames.is_empty() && !tail_bytes.is_empty())
        || shifts.any(|shift| Some(shift) != first)
}

/// The tail with one rotten byte of its header or of its first frame put right; none if there is no such byte.
///
/// Without its beginning nothing of a tail is believed ([`is_misplaced`]), and what a crash tore at the end of the
/// log could not be cut. Both can be put right without a guess: the header is known from the log's (with another
/// salt its checksum would differ too), and the frame is one of the log's if it differs from it in one byte only.
/// For it to be another one with a rotten byte, the two would have to be equal in all but two, and they differ in
/// their numbers, in their places and, with these, in their checksums: any two frames of one log are at least three
/// bytes apart. So nothing is believed here that no checksum vouches for, and a frame that is bad in the log too,
/// which may have been durable, is not found.
fn mend_beginning(salt: u32, tail: &[u8], log: &[u8], log_scan: &Scan) -> Option<Vec<u8>> {
    let differing =
        |one: &[u8], other: &[u8]| one.iter().zip(other).filter(|(one, other)| one != other).take(2).count();
    let (found, frames) = tail.split_at_checked(HEADER_BYTES)?;
    let header = header(File::Tail, salt);
    match differing(found, &header) {
        0 => {}
        1 => return Some([&header, frames].concat()),
        _ => return None,
    }
    if frames.is_empty() || Read::decode(salt, frames).is_some() {
        return None;
    }
    let in_log = log_scan.offsets.windows(2).map(|pair| &log[pair[0]..pair[1]]);
    let mut copies = in_log.filter(|copy| copy.len() <= frames.len() && differing(copy, frames) == 1);
    let copy = copies.next()?;
    Some([&header, copy, &frames[copy.len()..]].concat())
}

pub(super) fn recover(
    log: &[u8],
    tail: &[u8],
    snapshot: &[u8],
    fresh_salt: u32,
) -> Result<Recovered, Corrupt> {
    if log.is_empty() {
        return first_boot(tail, snapshot, fresh_salt);
    }
    let salt = read_header(File::Log, log).map_err(|what| Corrupt { file: File::Log, offset: 0, what })?;
    let log_scan = Scan::of(File::Log, salt, log);
    let mended = mend_beginning(salt, tail, log, &log_scan);
    let is_whole = mended.is_none();
    let tail = mended.as_deref().unwrap_or(tail);
    let tail_is_intact = read_header(File::Tail, tail) == Ok(salt);
    let tail_scan = Scan::of(File::Tail, salt, if tail_is_intact { tail } else { &[] });
    let mut state = State::begin(&log_scan)?;
    let in_log = state.follow(log_scan.frames.iter(), |at| (File::Log, log_scan.offsets[at]))?;
    let copies: BTreeMap<u64, usize> =
        tail_scan.frames.iter().enumerate().map(|(at, frame)| (frame.seq, at)).collect();
    let from_log = state.seq;
    while let Some(at) = copies.get(&(state.seq + 1)) {
        state.follow(core::iter::once(&tail_scan.frames[*at]), |_| (File::Tail, tail_scan.offsets[*at]))?;
    }
    let all = || log_scan.claims().chain(tail_scan.claims()).map(|(_, claim)| claim);
    let claimed = all().map(|claim| claim.durable).max().unwrap_or(0);
    let last = all().map(|claim| claim.seq).max().unwrap_or(0);
    let corrupt = |what| Corrupt { file: File::Log, offset: log_scan.offsets[in_log], what };
    if claimed > state.seq {
        return Err(corrupt("a frame is bad or missing that was durable"));
    }
    let is_misplaced = is_misplaced(&log_scan, state.whole, tail, &tail_scan);
    if is_misplaced && (last > state.seq || log.len() as u64 > state.end) {
        return Err(corrupt("a frame is bad or missing, and others stand where they were not written"));
    }
    if last > SEQ_MAX / 2 {
        return Err(corrupt("a frame has a number that no log comes to"));
    }
    let in_frames = state.named;
    let named = state.take_snapshot(snapshot)?;
    let is_clean = named == in_frames
        && is_whole
        && !is_misplaced
        && log_scan.end() == log.len()
        && in_log == log_scan.frames.len()
        && (tail_is_intact || tail.is_empty())
        && tail_scan.end() == tail.len()
        && (claimed.max(state.whole) + 1..=state.seq).all(|seq| copies.contains_key(&seq))
        && last == state.seq
        && from_log == state.seq;
    let repair = Repair {
        cut_bytes: log.len() - log_scan.offsets[in_log],
        repaired_frames: usize::try_from(state.seq - from_log).unwrap_or(usize::MAX),
        rewrites: !is_clean,
    };
    // Numbers that were used, be it by a frame that is cut, are not used again.
    let seq = if is_clean { state.seq } else { last + 1 };
    let mut wal = Wal::at(seq, salt, state.durable.hard, named);
    if is_clean {
        wal.log_len = log.len();
        let lengths = tail_scan.offsets.windows(2).map(|pair| pair[1] - pair[0]);
        wal.tail = tail.get(HEADER_BYTES..).unwrap_or_default().to_vec();
        wal.tail_frames = tail_scan.frames.iter().map(|frame| frame.seq).zip(lengths).collect();
        wal.tail_is_stale = tail.is_empty();
    } else {
        // Before anything else. The tail stays stale: its numbers are of before.
        wal.rewrite(seq - 1, state.durable.base, &state.durable.log);
    }
    Ok(Recovered { wal, durable: state.durable, repair })
}

/// Nothing was ever durable: the log is the first file that is written, and is written alone.
fn first_boot(tail: &[u8], snapshot: &[u8], salt: u32) -> Result<Recovered, Corrupt> {
    if let Some(file) =
        [(File::Tail, tail), (File::Snapshot, snapshot)].iter().find(|(_, file)| !file.is_empty())
    {
        let what = "the log is empty, but this file is not";
        return Err(Corrupt { file: file.0, offset: 0, what });
    }
    let durable = Durable::default();
    let mut wal = Wal::at(1, salt, durable.hard, None);
    wal.rewrite(0, durable.base, &durable.log);
    Ok(Recovered { wal, durable, repair: Repair { rewrites: true, ..Repair::default() } })
}

impl Wal {
    /// A writing side that goes on behind frame `seq`.
    fn at(seq: u64, salt: u32, hard: HardState, snapshot: Option<SnapshotRef>) -> Self {
        Self {
            seq,
            salt,
            durable: seq,
            origin: seq,
            log_len: 0,
            hard,
            snapshot,
            under_way: VecDeque::new(),
            waiting: VecDeque::new(),
            tail: Vec::new(),
            tail_frames: VecDeque::new(),
            tail_claimed: (0, 0),
            tail_is_stale: true,
            scratch: Vec::new(),
        }
    }
}

/// The state after some frames.
struct State {
    durable: Durable,
    named: Option<SnapshotRef>,
    seq: u64,
    /// Where the last of these frames ends in the log.
    end: u64,
    /// The number of the frame that holds a whole state, with which the log begins.
    whole: u64,
}

impl State {
    /// The state of the first frame, which was written along with its file and so is never torn.
    fn begin(log: &Scan) -> Result<Self, Corrupt> {
        let corrupt = |what| Corrupt { file: File::Log, offset: HEADER_BYTES, what };
        let first = log.frames.first().ok_or_else(|| corrupt("the first frame is bad"))?;
        let base = first.base.ok_or_else(|| corrupt("the first frame holds no whole state"))?;
        let durable = Durable { base, ..Durable::default() };
        Ok(Self { durable, named: None, seq: first.seq - 1, end: first.place, whole: first.seq })
    }

    /// Does what frames say, as long as their numbers go on. Returns how many that were.
    fn follow<'a>(
        &mut self,
        frames: impl Iterator<Item = &'a Read>,
        place: impl Fn(usize) -> (File, usize),
    ) -> Result<usize, Corrupt> {
        let mut done = 0;
        for (at, frame) in frames.enumerate() {
            if frame.seq != self.seq + 1 {
                break;
            }
            let (file, offset) = place(at);
            self.apply(frame).map_err(|what| Corrupt { file, offset, what })?;
            done += 1;
        }
        Ok(done)
    }

    fn apply(&mut self, frame: &Read) -> Result<(), &'static str> {
        if frame.base.is_some() && frame.seq != self.whole {
            return Err("a whole state stands behind other frames");
        }
        if let Some(hard) = frame.hard {
            self.durable.hard = hard;
        }
        if let Some(named) = frame.snapshot {
            // A whole state is as it was when all had been done; else a snapshot goes before a change of the
            // log.
            if frame.base.is_none() {
                self.durable.follow_snapshot(named.index, named.term);
            }
            self.named = Some(named);
        }
        if let Some(log) = &frame.log {
            let base = self.durable.base.0;
            if log.first <= base || log.first > self.durable.last_index().next() {
                return Err("a change of the log leaves a gap");
            }
            self.durable.apply(Write { log: Some(log.clone()), ..Write::default() });
        }
        (self.seq, self.end) = (frame.seq, frame.end);
        Ok(())
    }

    /// Reads the snapshot that was named last, or the one after it, whose frame a crash took. Returns how it
    /// is called.
    fn take_snapshot(&mut self, bytes: &[u8]) -> Result<Option<SnapshotRef>, Corrupt> {
        let corrupt = |offset, what| Corrupt { file: File::Snapshot, offset, what };
        if bytes.is_empty() {
            return if self.named.is_none() && self.durable.base.0 == LogIndex::ZERO {
                Ok(None)
            } else {
                Err(corrupt(0, "there is no snapshot, but the log is of one"))
            };
        }
        let (found, hard, called) =
            snapshot::decode(bytes).map_err(|(offset, what)| corrupt(offset, what))?;
        match self.named {
            Some(named) if named == called => {}
            Some(named) if called.index <= named.index => {
                return Err(corrupt(HEADER_BYTES, "the snapshot is not the one that the log names"));
            }
            Some(_) | None => {
                // The write that it belongs to is as good as done.
                self.durable.follow_snapshot(found.index, found.term);
                self.durable.hard = hard;
            }
        }
        if found.index < self.durable.base.0 {
            return Err(corrupt(HEADER_BYTES, "the snapshot ends before the log begins"));
        }
        self.durable.snapshot = Some(Arc::new(found));
        Ok(Some(called))
    }
}
