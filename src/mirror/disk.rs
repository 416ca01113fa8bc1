//! The disk of a node as it was told: what a crash does not take, and what is on the way there.
//!
//! Owns the order in which writes take effect. Must not know what a node does with what it has written.

use super::log::{LogCell, LogMirror};
use crate::record::{Hash64, SnapshotFacts};
use sim_core::{ProcessId, WriteId};
use std::collections::VecDeque;
use std::sync::Arc;

/// What a node has on its disk: what a crash does not take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DurableMirror {
    /// The term.
    pub term: u64,
    /// The vote in that term.
    pub vote: Option<ProcessId>,
    /// The log.
    pub log: LogMirror,
    /// The snapshot.
    pub snapshot: Option<Arc<SnapshotFacts>>,
}

/// What a node found on its disk, beside what was durable there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Finding {
    /// What was durable, with as many of the writes that were under way as a disk may have finished: a prefix of them, in
    /// the order in which they were issued.
    #[default]
    Lawful,
    /// Something else, but nothing that the disk cannot have held before: no later term or snapshot, and in no term that is
    /// known another vote.
    Older,
    /// What the disk never held.
    Unheard,
}

/// What a node says that it found on its disk when it took up work.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundState<'a> {
    pub(super) term: u64,
    pub(super) vote: Option<ProcessId>,
    pub(super) last_index: u64,
    pub(super) last_hash: Hash64,
    pub(super) snapshot: Option<&'a SnapshotFacts>,
}

impl FoundState<'_> {
    fn is(&self, durable: &DurableMirror) -> bool {
        (self.term, self.vote) == (durable.term, durable.vote)
            && self.last_index == durable.log.last_index()
            && self.last_hash == durable.log.last_prefix()
            && self.snapshot == durable.snapshot.as_deref()
    }

    /// What this is beside all that the disk may hold now, none of which it is. Its log may be any: what was removed is not
    /// remembered.
    fn beside<'a>(&self, disks: impl Iterator<Item = &'a DurableMirror> + Clone) -> Finding {
        let index = |snapshot: Option<&SnapshotFacts>| snapshot.map_or(0, |facts| facts.index);
        let votes: Vec<_> =
            disks.clone().filter(|disk| disk.term == self.term).map(|disk| disk.vote).collect();
        let is_earlier = disks.clone().any(|disk| self.term <= disk.term)
            && disks.clone().any(|disk| index(self.snapshot) <= index(disk.snapshot.as_deref()));
        match is_earlier && (votes.is_empty() || self.vote.is_none() || votes.contains(&self.vote)) {
            true => Finding::Older,
            false => Finding::Unheard,
        }
    }
}

/// Writes that were issued and are not durable, oldest first, and the entries in them, back to back in one
/// buffer: so that a write costs no allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct PendingWrites {
    writes: VecDeque<PendingWrite>,
    cells: VecDeque<LogCell>,
    /// Whether one of them failed in this life.
    failed: bool,
    /// The write that mends what the node found, and how many of the oldest writes were found: they are durable by it.
    mending: Option<(WriteId, usize)>,
}

/// What a node that took up work has on its disk.
pub(super) struct Survival {
    /// What it found, or, if nothing explains that, what was durable.
    pub(super) disk: DurableMirror,
    pub(super) finding: Finding,
}

#[derive(Clone, Debug)]
struct PendingWrite {
    write: WriteId,
    /// Whether it is durable and only waits for older ones, to be forgotten together with them.
    done: bool,
    hard: Option<(u64, Option<ProcessId>)>,
    /// The first index that it replaces, if it touches the log.
    first: Option<u64>,
    /// The hash of the log below that index, as it was in memory.
    before: Option<Hash64>,
    /// How many cells of the buffer are its own.
    count: usize,
    /// What few writes hold.
    rest: Option<Box<Rest>>,
}

#[derive(Clone, Debug, Default)]
struct Rest {
    /// A snapshot, and whether it replaces the log.
    snapshot: Option<(Arc<SnapshotFacts>, bool)>,
    /// The last index of the log that is dropped.
    base: Option<u64>,
}

impl PendingWrites {
    #[inline]
    pub(super) fn issue(
        &mut self,
        write: WriteId,
        hard: Option<(u64, Option<ProcessId>)>,
        log: Option<(u64, u64)>,
        memory: &LogMirror,
    ) {
        let mut pending =
            PendingWrite { write, done: false, hard, first: None, before: None, count: 0, rest: None };
        if let Some((first, count)) = log {
            let first = first.max(1);
            let before = self.cells.len();
            match memory.late_run(first, count) {
                Some(run) => self.cells.extend(run),
                None => self.cells.extend(memory.run(first, count)),
            }
            pending.first = Some(first);
            pending.before = memory.prefix_at(first - 1);
            pending.count = self.cells.len() - before;
        }
        self.writes.push_back(pending);
    }

    /// The write holds a snapshot too, which replaces the log if it was `installed`.
    pub(super) fn hold_snapshot(&mut self, write: WriteId, facts: Arc<SnapshotFacts>, installed: bool) {
        if let Some(rest) = self.rest(write) {
            rest.snapshot = Some((facts, installed));
        }
    }

    /// The write drops the log up to `base` too.
    pub(super) fn hold_base(&mut self, write: WriteId, base: u64) {
        if let Some(rest) = self.rest(write) {
            rest.base = Some(base);
        }
    }

    fn rest(&mut self, write: WriteId) -> Option<&mut Rest> {
        let pending = self.writes.iter_mut().rfind(|pending| pending.write == write && !pending.done)?;
        Some(pending.rest.get_or_insert_default())
    }

    /// A write failed. What is written after it does not count before the next recovery, whether it reached the disk or
    /// not: it stands behind a gap, and nobody may promise it.
    pub(super) fn fail(&mut self) {
        self.failed = true;
    }

    #[inline]
    pub(super) fn complete(&mut self, write: WriteId, durable: &mut DurableMirror) -> bool {
        if self.failed {
            return false;
        }
        if let Some((_, found)) = self.mending.take_if(|(mending, _)| *mending == write) {
            self.mend(found, durable);
            return true;
        }
        // Disks mostly finish in order: then it is the first.
        let mut start = 0;
        let Some(place) = self.writes.iter().position(|pending| {
            let here = pending.write == write && !pending.done;
            start += if here { 0 } else { pending.count };
            here
        }) else {
            return false;
        };
        self.writes[place].done = true;
        self.store(place, start, durable);
        if self.writes.len() == 1 {
            // Mostly there is no other.
            self.writes.pop_front();
            self.cells.clear();
        }
        self.drop_done();
        true
    }

    fn drop_done(&mut self) {
        while let Some(front) = self.writes.front().filter(|front| front.done) {
            self.cells.drain(..front.count);
            self.writes.pop_front();
        }
    }

    /// What the node found when it took up work is durable: the oldest `found` writes.
    #[cold]
    fn mend(&mut self, found: usize, durable: &mut DurableMirror) {
        let mut start = 0;
        for place in 0..found {
            if !core::mem::replace(&mut self.writes[place].done, true) {
                self.store(place, start, durable);
            }
            start += self.writes[place].count;
        }
        self.drop_done();
    }

    /// The write at `place`, whose cells begin at `start`, takes effect.
    #[inline]
    fn store(&self, place: usize, start: usize, durable: &mut DurableMirror) {
        let pending = &self.writes[place];
        if let Some((term, vote)) = pending.hard {
            durable.term = term;
            durable.vote = vote;
        }
        if let Some((facts, installed)) = pending.rest.as_ref().and_then(|rest| rest.snapshot.as_ref()) {
            if *installed {
                durable.log.install(facts);
            }
            durable.snapshot = Some(facts.clone());
        }
        // What would stand beyond a gap adds nothing: no recovery could read it as part of a log. What would stand
        // below the base is covered already.
        let has_place = |first: &u64| *first <= durable.log.last_index().saturating_add(1);
        if let Some(first) = pending.first.filter(has_place) {
            let covered = durable.log.base().checked_sub(first).map_or(0, |below| below + 1);
            let skip = usize::try_from(covered).unwrap_or(usize::MAX).min(pending.count);
            if first <= durable.log.last_index() {
                durable.log.truncate_from(first);
            }
            let before = pending.before.filter(|_| covered == 0);
            durable.log.extend(before, self.cells.range(start + skip..start + pending.count).copied());
        }
        if let Some(base) = pending.rest.as_ref().and_then(|rest| rest.base) {
            durable.log.compact(base);
        }
    }

    /// The node took up work with what it `found`. Of the writes that were under way as many survive, in the order in which
    /// they were issued, as explain it. If the node has to mend that by a write, they are under way until that is durable:
    /// they may stand where the next crash, or a rotten byte, takes them away again. All others are gone for good.
    pub(super) fn survive(
        &mut self,
        durable: &DurableMirror,
        found: &FoundState<'_>,
        mending: Option<WriteId>,
    ) -> Survival {
        let mut disk = durable.clone();
        let mut others = Vec::new();
        let (mut kept, mut cells) = (0, 0);
        while !found.is(&disk) && kept < self.writes.len() {
            if !self.writes[kept].done {
                others.push(disk.clone());
                self.store(kept, cells, &mut disk);
            }
            cells += self.writes[kept].count;
            kept += 1;
        }
        let mut finding = Finding::Lawful;
        if !found.is(&disk) {
            finding = found.beside(others.iter().chain([&disk]));
            disk = durable.clone();
        }
        self.mending = mending.filter(|_| finding == Finding::Lawful).map(|write| (write, kept));
        let (kept, cells) = if self.mending.is_some() { (kept, cells) } else { (0, 0) };
        self.writes.truncate(kept);
        self.cells.truncate(cells);
        self.failed = false;
        Survival { disk, finding }
    }

    /// What the oldest `count` writes make of a disk.
    #[cfg(test)]
    pub(super) fn stored(&self, count: usize, durable: &DurableMirror) -> DurableMirror {
        let (mut disk, mut start) = (durable.clone(), 0);
        for (place, pending) in self.writes.iter().enumerate().take(count) {
            if !pending.done {
                self.store(place, start, &mut disk);
            }
            start += pending.count;
        }
        disk
    }
}
