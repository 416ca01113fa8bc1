//! The disk of a process: bytes in a few files, of which the newest are not durable yet.
//!
//! Owns the files, the operations on them that are not durable, and the syncs under way. Must not know what the bytes
//! mean, nor what time it is: when a sync completes is the world's affair.
//!
//! A file is one buffer: what its process reads. Beside it stands, oldest first, what each operation that is not durable
//! did to it. The durable image is had by undoing them; that is done when a process crashes and at no other time.

mod crash;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use crash::{Crash, Losses};
pub use settings::{CrashMode, CrashPoint, DiskError, DiskQuality, Honesty, Kept, Unsynced};

use crate::ordinals::Ordinals;
use crate::queue::Key;
use crate::{FileId, Span, VirtualTime, WriteId};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Append,
    Replace,
}

/// How far an operation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Volatile,
    /// A disk that lies has called it durable.
    Claimed,
    /// A sync that failed has dropped it: no sync will make it durable.
    Gone,
    /// It waits for nothing but an older one that is gone.
    Durable,
}

/// An operation that a crash may lose.
#[derive(Clone, Debug)]
struct Operation {
    number: u64,
    file: FileId,
    kind: Kind,
    standing: Standing,
    /// For an append where its bytes stand.
    offset: usize,
    length: usize,
    /// What few operations have; apart, so that the others are small.
    rest: Option<Box<Rest>>,
}

#[derive(Clone, Debug, Default)]
struct Rest {
    /// What it takes to undo a replacement: the file as it was. For a misdirected append its bytes.
    bytes: Vec<u8>,
    /// Where the bytes of a misdirected append will be found.
    landed: usize,
}

/// The appends to a file that reached the disk in a wrong place.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Misdirected {
    pub(crate) appends: u64,
    /// The replacement that the last one belongs to.
    pub(crate) of: u64,
}

impl Misdirected {
    fn count(&mut self, of: u64) {
        *self = Self { appends: self.appends + 1, of };
    }
}

/// How a sync will end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Honest,
    Lie,
    Failure(Unsynced),
}

/// A sync on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sync {
    pub(crate) id: WriteId,
    /// The event that completes it. An event without such a sync belongs to one that a crash has lost.
    pub(crate) key: Key,
    /// Its own number: it is about the operations with lower ones.
    pub(crate) number: u64,
    pub(crate) verdict: Verdict,
    /// How much later its process hears of it.
    pub(crate) notice: Span,
}

/// What will be found wrong with a file when it is next read from the disk.
#[derive(Clone, Debug)]
struct Damage {
    file: FileId,
    offset: usize,
    what: Harm,
    /// The replacement that the bytes belong to: 0 for the file as it began. Another one is not damaged.
    of: u64,
}

#[derive(Clone, Debug)]
enum Harm {
    /// These bits of one byte are turned over.
    Flip(u8),
    /// These bytes stand here, as far as the file reaches.
    Bytes(Vec<u8>),
}

/// What was ordered to go wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    /// The operation at which the process crashes.
    pub(crate) crash: Option<(u64, CrashPoint)>,
    /// How many appends and replacements until one fails; 0 for none.
    pub(crate) fail_in: u32,
    /// How many syncs until one fails, and what becomes of what it is about.
    pub(crate) fail_sync: Option<(u32, Unsynced)>,
    /// How many bytes the files may hold together.
    pub(crate) capacity: Option<u64>,
    /// The files whose next append lands elsewhere: at an offset, or where chance will have it.
    pub(crate) misdirect: Vec<(FileId, Option<u64>)>,
}

impl Orders {
    fn is_empty(&self) -> bool {
        let Self { crash, fail_in, fail_sync, capacity, misdirect } = self;
        crash.is_none() && *fail_in == 0 && fail_sync.is_none() && capacity.is_none() && misdirect.is_empty()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Disk {
    pub(crate) quality: DiskQuality,
    pub(crate) mode: CrashMode,
    pub(crate) honesty: Honesty,
    pub(crate) stalled: bool,
    /// How many of the oldest syncs may complete although the disk is stalled.
    pub(crate) released: usize,
    /// How many storage operations there were.
    pub(crate) operations: u64,
    /// Whether the next operation must look at the orders.
    pub(crate) is_ordered: bool,
    pub(crate) orders: Orders,
    pub(crate) syncs: VecDeque<Sync>,
    pub(crate) last_due: VirtualTime,
    pub(crate) ordinals: Ordinals,
    last_id: u64,
    files: Vec<Vec<u8>>,
    volatile: VecDeque<Operation>,
    /// The number of the last durable replacement of each file.
    replaced: Vec<u64>,
    /// Whether there is damage, or an operation that is gone or misdirected. Only then is a sync more than a pop.
    is_troubled: bool,
    damage: Vec<Damage>,
    /// How many bits were drawn to be turned over.
    pub(crate) flips: u64,
    /// The appends to each file that have reached the disk in a wrong place.
    misdirected: Vec<Misdirected>,
    /// What a durable replacement has left behind, for the next one.
    spare: Option<Box<Rest>>,
}

impl Disk {
    pub(crate) fn new(files: usize, quality: DiskQuality, mode: CrashMode) -> Self {
        Self {
            quality,
            mode,
            honesty: Honesty::Honest,
            stalled: false,
            released: 0,
            operations: 0,
            is_ordered: false,
            orders: Orders::default(),
            syncs: VecDeque::new(),
            last_due: VirtualTime::ZERO,
            ordinals: Ordinals::default(),
            last_id: 0,
            files: vec![Vec::new(); files],
            volatile: VecDeque::new(),
            replaced: vec![0; files],
            is_troubled: false,
            damage: Vec::new(),
            flips: 0,
            misdirected: vec![Misdirected::default(); files],
            spare: None,
        }
    }

    /// What the next sync will be called.
    pub(crate) const fn coming_id(&self) -> WriteId {
        WriteId(self.last_id + 1)
    }

    pub(crate) fn next_id(&mut self) -> WriteId {
        self.last_id += 1;
        WriteId(self.last_id)
    }

    /// What the process reads.
    #[inline]
    pub(crate) fn files(&self) -> &[Vec<u8>] {
        &self.files
    }

    /// The appends to a file that reached the disk in a wrong place.
    pub(crate) fn misdirected(&self, file: FileId) -> Misdirected {
        self.misdirected[file.index()]
    }

    /// The number of the last durable replacement of a file; 0 if there was none.
    pub(crate) fn replaced(&self, file: FileId) -> u64 {
        self.replaced[file.index()]
    }

    /// Lets a file hold these bytes from the beginning: they are durable.
    pub(crate) fn preset(&mut self, file: FileId, bytes: Vec<u8>) {
        self.files[file.index()] = bytes;
    }

    /// How many bytes the files hold together.
    pub(crate) fn used(&self) -> u64 {
        self.files.iter().map(|file| file.len() as u64).sum()
    }

    /// Gives orders, or takes them back.
    pub(crate) fn order(&mut self, change: impl FnOnce(&mut Orders)) {
        change(&mut self.orders);
        self.is_ordered = !self.orders.is_empty();
    }

    /// Where the process is to crash if the operation with this number is the one that was ordered.
    #[inline]
    pub(crate) fn crash_point(&self, number: u64) -> Option<CrashPoint> {
        let (at, point) = self.orders.crash?;
        (at == number).then_some(point)
    }

    /// How the sync that is issued now will end.
    pub(crate) fn verdict(&mut self) -> Verdict {
        if let Some((left, unsynced)) = self.orders.fail_sync {
            self.order(|orders| orders.fail_sync = (left > 1).then(|| (left - 1, unsynced)));
            if left == 1 {
                return Verdict::Failure(unsynced);
            }
        }
        if self.honesty == Honesty::Honest { Verdict::Honest } else { Verdict::Lie }
    }

    /// Appends; the operation's number was taken before.
    #[inline]
    pub(crate) fn append(&mut self, file: FileId, bytes: &[u8]) {
        let number = self.operations;
        let buffer = &mut self.files[file.index()];
        let (offset, length) = (buffer.len(), bytes.len());
        buffer.extend_from_slice(bytes);
        self.volatile.push_back(Operation {
            number,
            file,
            kind: Kind::Append,
            standing: Standing::Volatile,
            offset,
            length,
            rest: None,
        });
    }

    /// Misdirects the append that was just made; `landed` says where to, given how many bytes are older.
    pub(crate) fn misdirect(&mut self, landed: impl FnOnce(usize) -> usize) {
        let append = self.volatile.back_mut().expect("an append was just made");
        let end = append.offset + append.length;
        let bytes = self.files[append.file.index()][append.offset..end].to_vec();
        append.rest = Some(Box::new(Rest { bytes, landed: landed(append.offset) }));
        self.is_troubled = true;
    }

    /// Replaces a file as a whole; the operation's number was taken before.
    pub(crate) fn replace(&mut self, file: FileId, bytes: &[u8]) {
        let mut rest = self.spare.take().unwrap_or_default();
        rest.bytes.clear();
        rest.bytes.extend_from_slice(bytes);
        core::mem::swap(&mut self.files[file.index()], &mut rest.bytes);
        self.volatile.push_back(Operation {
            number: self.operations,
            file,
            kind: Kind::Replace,
            standing: Standing::Volatile,
            offset: 0,
            length: bytes.len(),
            rest: Some(rest),
        });
    }

    /// Takes out the sync that the event `key` completes, if there is one: a crash may have lost it, and a stalled disk
    /// completes none but those that were released.
    #[inline]
    pub(crate) fn complete(&mut self, key: Key) -> Option<Sync> {
        if self.syncs.front()?.key != key || (self.stalled && self.released == 0) {
            return None;
        }
        self.released = self.released.saturating_sub(1);
        self.syncs.pop_front()
    }

    /// Makes durable what came before the operation `number`.
    #[inline]
    pub(crate) fn retire(&mut self, number: u64) {
        if self.is_troubled {
            return self.retire_with_trouble(number);
        }
        while self.volatile.front().is_some_and(|operation| operation.number < number) {
            let Some(operation) = self.volatile.pop_front() else { return };
            if operation.kind == Kind::Replace {
                self.replaced[operation.file.index()] = operation.number;
                self.spare = operation.rest;
            }
        }
    }

    #[cold]
    fn retire_with_trouble(&mut self, number: u64) {
        let Self { volatile, replaced, damage, misdirected, .. } = self;
        // The replacement, durable or gone, that each file is at.
        let mut of = replaced.clone();
        for operation in volatile.iter_mut().take_while(|operation| operation.number < number) {
            let index = operation.file.index();
            if operation.kind == Kind::Replace {
                of[index] = operation.number;
            }
            match operation.standing {
                Standing::Gone | Standing::Durable => continue,
                Standing::Volatile | Standing::Claimed => operation.standing = Standing::Durable,
            }
            match operation.kind {
                Kind::Append => {
                    let bytes = operation.rest.as_deref().map_or(&[][..], |rest| &rest.bytes);
                    if operation.harm(of[index], bytes, damage) {
                        misdirected[index].count(of[index]);
                    }
                }
                Kind::Replace => replaced[index] = operation.number,
            }
        }
        // What came before a durable replacement matters no more, gone or not.
        volatile.retain(|operation| operation.number >= replaced[operation.file.index()]);
        damage.retain(|damage| damage.of >= replaced[damage.file.index()]);
        while volatile.front().is_some_and(|operation| operation.standing == Standing::Durable) {
            volatile.pop_front();
        }
    }

    /// Calls durable what came before the operation `number`, and leaves it as it is.
    pub(crate) fn claim(&mut self, number: u64) {
        self.mark(number, Standing::Claimed);
    }

    /// A sync failed that was about what came before the operation `number`.
    pub(crate) fn fail(&mut self, number: u64, unsynced: Unsynced) {
        if unsynced == Unsynced::Gone {
            self.mark(number, Standing::Gone);
            self.is_troubled = true;
        }
    }

    /// The newest first: whatever lies behind one that is not volatile any more was marked before.
    fn mark(&mut self, number: u64, standing: Standing) {
        let older = self.volatile.iter_mut().rev().skip_while(|operation| operation.number >= number);
        for operation in older.take_while(|operation| operation.standing == Standing::Volatile) {
            operation.standing = standing;
        }
    }
}

impl Operation {
    /// Such bytes of an append reached the disk, in the file that the replacement `of` made: if it is misdirected, that
    /// does damage. Says whether it did.
    fn harm(&self, of: u64, bytes: &[u8], damage: &mut Vec<Damage>) -> bool {
        let Some(rest) = &self.rest else { return false };
        let harm = |offset, bytes| Damage { file: self.file, offset, what: Harm::Bytes(bytes), of };
        damage.push(harm(self.offset, vec![0; bytes.len()]));
        damage.push(harm(rest.landed, bytes.to_vec()));
        !bytes.is_empty()
    }
}

/// What survived on the disk of a process that boots.
#[derive(Clone, Copy, Debug)]
pub struct DiskView<'a> {
    pub(crate) files: &'a [Vec<u8>],
}

impl<'a> DiskView<'a> {
    /// What a file holds; nothing if it was never written to.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    #[must_use]
    pub fn read(&self, file: FileId) -> &'a [u8] {
        &self.files[file.index()]
    }

    /// Whether no file holds anything, as when a process boots for the first time and nobody
    /// [put](crate::Simulation::put_file) anything there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.iter().all(Vec::is_empty)
    }
}
