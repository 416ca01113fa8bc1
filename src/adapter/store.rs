//! A node's files: its write-ahead log on the world's disk.
//!
//! Owns the way from what a node wants to keep to storage operations, and from finished syncs back to the node's writes.
//! Must not know what is kept.

use super::Member;
use super::tell::{self, process};
use crate::record::Note;
use raft_node::wal::{File, Persisted, Recovered, Sink, Wal};
use raft_node::{Durable, PersistId, RaftNode, Write};
use sim_core::{DiskError, DiskView, Effects, FileId, WriteId};
use std::collections::BTreeSet;

/// The file that holds every write since the last compaction.
pub const LOG: FileId = FileId(0);
/// The file that holds the latest writes again.
pub const TAIL: FileId = FileId(1);
/// The file that holds the last snapshot.
pub const SNAPSHOT: FileId = FileId(2);

/// The purpose of a draw: of what a new log's checksums begin with, lest a command look like one of its frames.
const SALT: u32 = 17;

#[derive(Clone, Debug)]
pub(super) struct Store {
    wal: Wal,
    /// The sync that was issued last, in this life.
    issued: WriteId,
    /// The sync whose end is waited for next.
    next: Option<WriteId>,
    /// Syncs that have ended before others issued before them.
    early: BTreeSet<WriteId>,
    /// The sync by which what was found at the boot is mended.
    mending: Option<WriteId>,
    /// Whether an operation failed. Nothing is written after it in this life: what followed would stand where it was not meant
    /// to, and nobody could trust the file.
    failed: bool,
}

/// The world's disk as the log sees it.
struct Disk<'a, 'w> {
    fx: &'a mut Effects<'w, Member>,
    epoch: u64,
    issued: &'a mut WriteId,
    next: &'a mut Option<WriteId>,
    failed: &'a mut bool,
}

impl Disk<'_, '_> {
    fn note(&mut self, done: Result<(), DiskError>) {
        if let Err(error) = done {
            *self.failed = true;
            tell::rarely(self.fx, Note::StorageFailed { what: format!("a write failed: {error}").into() });
            self.fx.stop();
        }
    }
}

const fn file(file: File) -> FileId {
    match file {
        File::Log => LOG,
        File::Tail => TAIL,
        File::Snapshot => SNAPSHOT,
    }
}

impl Sink for Disk<'_, '_> {
    #[inline]
    fn append(&mut self, to: File, bytes: &[u8]) {
        if !*self.failed {
            let done = self.fx.append(file(to), bytes);
            self.note(done);
        }
    }

    fn replace(&mut self, to: File, bytes: &[u8]) {
        if !*self.failed {
            let done = self.fx.replace(file(to), bytes);
            self.note(done);
        }
    }

    #[inline]
    fn sync(&mut self) {
        // Part of what is to be durable may be missing: better none of it than that.
        if !*self.failed {
            *self.issued = self.fx.sync(self.epoch);
            self.next.get_or_insert(*self.issued);
        }
    }
}

impl Store {
    /// Reads what the disk holds, and mends what a crash has left half done.
    ///
    /// # Errors
    ///
    /// If something is missing or wrong that was called durable: what and where.
    pub(super) fn recover(
        disk: &DiskView<'_>,
        fx: &mut Effects<'_, Member>,
    ) -> Result<(Self, Durable), String> {
        let salt = fx.draw(SALT, 0, 1 << 32);
        let salt = u32::try_from(salt).expect("it is below its bound");
        let Recovered { wal, durable, repair } =
            Wal::recover(disk.read(LOG), disk.read(TAIL), disk.read(SNAPSHOT), salt)
                .map_err(|corrupt| corrupt.to_string())?;
        // On the first boot there is nothing that could be lost again.
        let mends = repair.rewrites && durable != Durable::default();
        let mending = mends.then(|| fx.coming_sync());
        if let Some(write) = mending {
            let (cut_bytes, repaired_frames) = (repair.cut_bytes as u64, repair.repaired_frames as u64);
            tell::rarely(fx, Note::Mending { write, cut_bytes, repaired_frames });
        }
        let mut store =
            Self { wal, issued: WriteId(0), next: None, early: BTreeSet::new(), mending, failed: false };
        store.with_disk(durable.hard.term.0, fx, |wal, disk| wal.start(disk));
        Ok((store, durable))
    }

    /// Whether what was found at the boot is still being mended.
    pub(super) const fn is_mending(&self) -> bool {
        self.mending.is_some()
    }

    /// A sync has ended. Whether what was found at the boot is mended by it.
    #[inline]
    pub(super) fn has_mended(&mut self, write: WriteId) -> bool {
        self.mending.take_if(|mending| *mending == write).is_some()
    }

    #[inline]
    fn with_disk<R>(
        &mut self,
        epoch: u64,
        fx: &mut Effects<'_, Member>,
        act: impl FnOnce(&mut Wal, &mut Disk<'_, '_>) -> R,
    ) -> R {
        let Self { wal, issued, next, failed, .. } = self;
        act(wal, &mut Disk { fx, epoch, issued, next, failed })
    }

    /// Issues a write of the node, or keeps it until it may be issued.
    #[inline]
    pub(super) fn persist(
        &mut self,
        id: PersistId,
        write: &Write,
        node: &RaftNode,
        fx: &mut Effects<'_, Member>,
    ) {
        // Whatever waits will be issued in its order, one sync each, and nothing else is; a snapshot takes one of its
        // own. It is told before it is done: a crash in the midst of it may leave any part of it on the disk.
        let before = self.wal.waiting() + usize::from(write.snapshot.is_some());
        let name = WriteId(fx.coming_sync().0 + before as u64);
        let hard = write.hard.map(|hard| (hard.term.0, hard.vote.map(process)));
        let log = write.log.as_ref().map(|log| (log.first.0, log.entries.len() as u64));
        fx.note(Note::Persist { write: name, hard, log });
        if let Some(snapshot) = &write.snapshot {
            tell::rarely(fx, Note::PersistSnapshot { write: name, index: snapshot.index.0 });
        }
        if write.compact.0 > 0 {
            tell::rarely(fx, Note::PersistCompacted { write: name, base: write.compact.0 });
        }
        let view = node.view();
        self.with_disk(view.term.0, fx, |wal, disk| wal.persist(id, write, &view, disk));
    }

    /// A sync has ended. Says which writes of the node are durable by it: the node may hear of them before it hears of
    /// earlier ones, the log only in their order.
    #[inline]
    pub(super) fn synced(&mut self, write: WriteId, epoch: u64, fx: &mut Effects<'_, Member>) -> Persisted {
        let Some(next) = self.next.filter(|next| *next != write) else {
            let persisted = self.retire(write, epoch, fx);
            while let Some(next) = self.next.filter(|next| self.early.remove(next)) {
                self.retire(next, epoch, fx);
            }
            return persisted;
        };
        self.early.insert(write);
        self.wal.under_way(usize::try_from(write.0 - next.0).unwrap_or(usize::MAX))
    }

    #[inline]
    fn retire(&mut self, write: WriteId, epoch: u64, fx: &mut Effects<'_, Member>) -> Persisted {
        let after = WriteId(write.0 + 1);
        self.next = (after <= self.issued).then_some(after);
        self.with_disk(epoch, fx, |wal, disk| wal.synced(disk))
    }
}

/// A disk that does at once what it is told.
#[derive(Default)]
struct Memory {
    files: [Vec<u8>; 3],
    syncs: u32,
}

impl Sink for Memory {
    fn append(&mut self, to: File, bytes: &[u8]) {
        self.files[file(to).index()].extend_from_slice(bytes);
    }

    fn replace(&mut self, to: File, bytes: &[u8]) {
        self.files[file(to).index()] = bytes.to_vec();
    }

    fn sync(&mut self) {
        self.syncs += 1;
    }
}

/// What stands in the files of a node that has kept this and stopped in good order; its log has this salt.
#[must_use]
pub fn files(durable: &Durable, salt: u32) -> Vec<(FileId, Vec<u8>)> {
    let Recovered { mut wal, .. } =
        Wal::recover(&[], &[], &[], salt).expect("an empty disk is that of a new node");
    let mut disk = Memory::default();
    wal.adopt(durable, &mut disk);
    while disk.syncs > 0 {
        disk.syncs -= 1;
        wal.synced(&mut disk).for_each(drop);
    }
    [LOG, TAIL, SNAPSHOT].into_iter().zip(disk.files).filter(|(_, bytes)| !bytes.is_empty()).collect()
}
