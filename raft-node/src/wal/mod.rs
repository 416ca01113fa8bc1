//! Durable state as bytes in three files: a write-ahead log for hosts that have disks of bytes.
//!
//! Owns: what is appended to which file, in what order, and what must be durable before what. Must not know:
//! disks, or when a sync is done; the host lends it a [`Sink`] and tells it.
//!
//! # The files
//!
//! * **Log**: a header and frames, one for each [`Write`], numbered without gaps. Its first frame holds a
//!   whole state; each frame says up to which number all was known to be durable when it was made.
//! * **Tail**: a second copy of the frames that no frame before the last replacing of the tail has called
//!   durable.
//! * **Snapshot**: the last snapshot. Frames name it by its index, term and checksum.
//!
//! # Why a second copy
//!
//! The last frame of a log may be bad for two reasons: the crash tore it, and nobody was ever told that it is
//! durable; or it was durable, and a byte has rotten since. The first must be cut, the second must not: a
//! vote would be forgotten. From one copy nobody can tell. With two, a frame that is bad in both was torn, a
//! frame that is bad in one is read from the other, and a frame that is bad where there is no other copy was
//! called durable by a later one, so that its loss is noticed.
//!
//! What no file can tell is whether frames that no intact one calls durable were durable, if they are bad in both
//! copies: those that were under way when the last intact frame was made, or that last frame itself. They are cut,
//! unless something shows that it was no crash which did that: each frame says where it stands, and one that is
//! found elsewhere was written to a wrong place. Then the log is not cut but refused.
//!
//! # The order
//!
//! Frames go out as they come, any number of syncs at a time. Two things wait: a file is replaced only when
//! all that was issued before is durable or is in the new bytes, and after a file was replaced nothing is
//! issued until that is durable. A snapshot is durable before the frame that names it; should a crash come
//! between the two, recovery uses it by the rule of [`Write::snapshot`], and with it the hard state of that write.

mod bytes;
mod frame;
mod recover;
mod snapshot;
#[cfg(test)]
mod tests;

pub use recover::{Corrupt, Recovered, Repair};

use std::collections::VecDeque;
use std::sync::Arc;

use crate::entry::Entry;
use crate::node::NodeView;
use crate::storage::{Durable, HardState, Snapshot, Write};
use crate::types::{LogIndex, PersistId, Term};
use frame::{Body, Frame, Whole};
use snapshot::SnapshotRef;

/// The files of a write-ahead log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum File {
    /// Every write since the last compaction.
    Log,
    /// The latest writes again.
    Tail,
    /// The last snapshot.
    Snapshot,
}

impl File {
    /// Every file, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Log, Self::Tail, Self::Snapshot];

    /// The file's name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Tail => "tail",
            Self::Snapshot => "snapshot",
        }
    }
}

/// A host's disk. After a crash any of the operations that no finished sync covers may be missing, and of the
/// bytes of an append any may be missing or wrong.
pub trait Sink {
    /// Adds bytes at the end of a file.
    fn append(&mut self, file: File, bytes: &[u8]);

    /// Puts other bytes in the place of a whole file: all of them, or none (a new file, renamed).
    fn replace(&mut self, file: File, bytes: &[u8]);

    /// Begins to make durable all that was done so far. The host says [`Wal::synced`] when it is, once for
    /// each call and in their order.
    fn sync(&mut self);
}

/// Writes that have become durable, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persisted {
    next: PersistId,
    last: PersistId,
}

impl Iterator for Persisted {
    type Item = PersistId;

    #[inline]
    fn next(&mut self) -> Option<PersistId> {
        let next = self.next;
        (next <= self.last).then(|| {
            self.next = next.next();
            next
        })
    }
}

/// A tail longer than this is replaced, once most of it needs no second copy any more.
const TAIL_MAX: usize = 1 << 16;

/// The writing side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wal {
    /// The number of the last frame that was made.
    seq: u64,
    /// What the checksums of its frames begin with.
    salt: u32,
    /// Frames up to this one are durable.
    durable: u64,
    /// The number of the frame before the first of this life.
    origin: u64,
    /// How long the log is when all that was asked for is done.
    log_len: usize,
    hard: HardState,
    snapshot: Option<SnapshotRef>,
    /// What is being synced, oldest first.
    under_way: VecDeque<Group>,
    /// What is to be done when that allows it, in order.
    waiting: VecDeque<Step>,
    /// What the file of the tail holds behind its header, or will.
    tail: Vec<u8>,
    /// The number and length of each frame in the tail.
    tail_frames: VecDeque<(u64, usize)>,
    /// How many of these, from the first on, a later one calls durable, and how long they are together.
    tail_claimed: (usize, usize),
    /// Whether the file of the tail must be replaced before anything is appended to it.
    tail_is_stale: bool,
    /// Room for one frame.
    scratch: Vec<u8>,
}

/// What one sync makes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    /// All frames up to this one.
    seq: u64,
    /// Whether a file was replaced, so that nothing else may be issued meanwhile.
    replaces: bool,
}

/// Something to be done in its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Append a frame to the log and the tail.
    Append(Pending),
    /// Replace the snapshot.
    Snapshot(Arc<[u8]>),
    /// Replace the log by this file, whose one frame has this number.
    Rewrite { seq: u64, file: Vec<u8> },
}

/// A frame as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pending {
    seq: u64,
    /// What the frame says to be durable.
    claims: u64,
    bytes: Vec<u8>,
}

impl Wal {
    /// Reads what is left on a disk, which is empty before the first boot. Then `salt` is kept there: a number that whoever
    /// sends commands to the node cannot foresee, lest a command look like a frame. Later on it means nothing.
    ///
    /// # Errors
    ///
    /// If something is missing or wrong that was called durable; see [`Corrupt`].
    pub fn recover(log: &[u8], tail: &[u8], snapshot: &[u8], salt: u32) -> Result<Recovered, Corrupt> {
        recover::recover(log, tail, snapshot, salt)
    }

    /// Issues what recovery wants mended before anything is appended, if anything. To be called once, before
    /// the first write.
    pub fn start(&mut self, sink: &mut impl Sink) {
        self.advance(sink);
    }

    /// Issues a write, or keeps it until it may be issued.
    ///
    /// `view` is that of the node right after the step that asked for the write: when the log is compacted,
    /// what is left is taken from there.
    ///
    /// # Panics
    ///
    /// If writes do not come in the order in which they were asked for, each once.
    #[inline]
    pub fn persist(&mut self, id: PersistId, write: &Write, view: &NodeView<'_>, sink: &mut impl Sink) {
        self.persist_beside(id, write, (view.base, view.log), sink);
    }

    fn persist_beside(
        &mut self,
        id: PersistId,
        write: &Write,
        (base, log): ((LogIndex, Term), &[Entry]),
        sink: &mut impl Sink,
    ) {
        self.seq += 1;
        assert!(self.origin + id.0 == self.seq, "write {id} is not the one after the last");
        if let Some(hard) = write.hard {
            self.hard = hard;
        }
        let named = write.snapshot.as_deref().map(|snapshot| self.keep_snapshot(snapshot));
        let claims = self.durable;
        if write.compact != LogIndex::ZERO {
            self.rewrite(claims, base, log);
            return self.advance(sink);
        }
        let mut bytes = core::mem::take(&mut self.scratch);
        bytes.clear();
        let body = Body::Change { hard: write.hard, snapshot: named, log: write.log.as_ref() };
        let place = self.log_len as u64;
        Frame { seq: self.seq, durable: claims, place, body }.encode(self.salt, &mut bytes);
        self.log_len += bytes.len();
        let frame = Pending { seq: self.seq, claims, bytes };
        if self.waiting.is_empty() && !self.is_blocked() {
            self.issue(&frame, sink);
            self.scratch = frame.bytes;
        } else {
            self.waiting.push_back(Step::Append(frame));
            self.advance(sink);
        }
    }

    /// The oldest sync is done. Issues what has waited for it, and returns the writes that are durable by it.
    pub fn synced(&mut self, sink: &mut impl Sink) -> Persisted {
        let before = self.durable;
        if let Some(Group { seq, .. }) = self.under_way.pop_front() {
            self.durable = seq;
        }
        self.advance(sink);
        self.between(before, self.durable)
    }

    /// The writes that will be durable by the `nth` of the syncs under way, from zero: for a host that hears of them
    /// out of order and tells its node so. They come again from [`Wal::synced`].
    #[must_use]
    pub fn under_way(&self, nth: usize) -> Persisted {
        let before =
            nth.checked_sub(1).map_or(Some(self.durable), |before| Some(self.under_way.get(before)?.seq));
        let after = self.under_way.get(nth).map(|group| group.seq);
        let (before, after) = before.zip(after).unwrap_or((self.durable, self.durable));
        self.between(before, after)
    }

    /// The writes of this life among frames after `before`, up to `after`.
    fn between(&self, before: u64, after: u64) -> Persisted {
        let id = |seq: u64| PersistId(seq.max(self.origin) - self.origin);
        Persisted { next: id(before).next(), last: id(after) }
    }

    /// Puts a whole state in the place of what is there: that of a node which ran elsewhere. To be called instead of
    /// [`Wal::start`]. Where that state has no snapshot, there must be none on the disk: its file would be believed.
    pub fn adopt(&mut self, durable: &Durable, sink: &mut impl Sink) {
        // What was to be mended is replaced.
        self.waiting.clear();
        self.hard = durable.hard;
        if let Some(snapshot) = durable.snapshot.as_deref() {
            self.keep_snapshot(snapshot);
        }
        self.rewrite(self.seq - 1, durable.base, &durable.log);
        self.advance(sink);
    }

    /// How many syncs are to be issued when what is under way allows it: the last write that was given to
    /// [`Wal::persist`] is durable with the last of them, or with the last sync that was issued if there are none.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing is under way and nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.waiting.is_empty()
    }

    fn keep_snapshot(&mut self, snapshot: &Snapshot) -> SnapshotRef {
        let (bytes, named) = snapshot::encode(snapshot, self.hard);
        self.snapshot = Some(named);
        self.waiting.push_back(Step::Snapshot(bytes.into()));
        named
    }

    /// Puts a whole state in the place of the log, in its turn: the last frame that was made.
    fn rewrite(&mut self, claims: u64, base: (LogIndex, Term), log: &[Entry]) {
        let whole = Whole { hard: self.hard, snapshot: self.snapshot, base, log };
        let mut file = frame::header(File::Log, self.salt).to_vec();
        let place = file.len() as u64;
        Frame { seq: self.seq, durable: claims, place, body: Body::Whole(whole) }
            .encode(self.salt, &mut file);
        self.log_len = file.len();
        self.waiting.push_back(Step::Rewrite { seq: self.seq, file });
    }

    fn is_blocked(&self) -> bool {
        self.under_way.back().is_some_and(|group| group.replaces)
    }

    /// Does what waits, as far as it may be done.
    fn advance(&mut self, sink: &mut impl Sink) {
        while !self.is_blocked()
            && let Some(step) = self.waiting.front()
        {
            // Only what is appended may go out while something is under way.
            if !matches!(step, Step::Append(_)) && !self.under_way.is_empty() {
                return;
            }
            match self.waiting.pop_front().expect("the front was just seen") {
                Step::Append(frame) => self.issue(&frame, sink),
                Step::Snapshot(bytes) => {
                    sink.replace(File::Snapshot, &bytes);
                    self.sync(self.durable, true, sink);
                }
                Step::Rewrite { seq, file } => {
                    sink.replace(File::Log, &file);
                    self.sync(seq, true, sink);
                }
            }
        }
    }

    /// Appends a frame to the log and the tail.
    fn issue(&mut self, frame: &Pending, sink: &mut impl Sink) {
        self.tail.extend_from_slice(&frame.bytes);
        self.tail_frames.push_back((frame.seq, frame.bytes.len()));
        sink.append(File::Log, &frame.bytes);
        self.note_claims(frame.claims);
        // While more is under way than a tail should hold, it grows: to write all of it again would free nothing, and
        // nothing goes out meanwhile.
        let replaces =
            self.tail_is_stale || (self.tail.len() > TAIL_MAX && 2 * self.tail_claimed.1 >= self.tail.len());
        if replaces {
            self.forget_claimed();
            let mut file = frame::header(File::Tail, self.salt).to_vec();
            file.extend_from_slice(&self.tail);
            sink.replace(File::Tail, &file);
            self.tail_is_stale = false;
        } else {
            sink.append(File::Tail, &frame.bytes);
        }
        self.sync(frame.seq, replaces, sink);
    }

    /// What the newest frame calls durable needs no second copy: should it be lost, that is noticed.
    fn note_claims(&mut self, claims: u64) {
        let (frames, bytes) = &mut self.tail_claimed;
        while let Some((_, len)) = self.tail_frames.get(*frames).filter(|(seq, _)| *seq <= claims) {
            *frames += 1;
            *bytes += len;
        }
    }

    fn forget_claimed(&mut self) {
        let (frames, bytes) = core::mem::take(&mut self.tail_claimed);
        self.tail_frames.drain(..frames);
        self.tail.drain(..bytes);
    }

    fn sync(&mut self, seq: u64, replaces: bool, sink: &mut impl Sink) {
        sink.sync();
        self.under_way.push_back(Group { seq, replaces });
    }
}
