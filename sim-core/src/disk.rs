//! The disk of a process: writes that are issued now and durable later, in their order.

use crate::ordinals::Ordinals;
use crate::queue::Key;
use crate::{Latency, VirtualTime, WriteId};
use std::collections::VecDeque;

/// A write on its way to the disk.
#[derive(Clone, Debug)]
pub(crate) struct Issued<W> {
    pub(crate) id: WriteId,
    pub(crate) write: W,
    /// The event that makes it durable. An event without such a write belongs to one that a crash has lost.
    pub(crate) key: Key,
}

#[derive(Clone, Debug)]
pub(crate) struct Disk<D, W> {
    pub(crate) latency: Latency,
    pub(crate) durable: D,
    pub(crate) pending: VecDeque<Issued<W>>,
    pub(crate) last_due: VirtualTime,
    pub(crate) ordinals: Ordinals,
    last_id: u64,
}

impl<D: Default, W> Disk<D, W> {
    pub(crate) fn new(latency: Latency) -> Self {
        Self {
            latency,
            durable: D::default(),
            pending: VecDeque::new(),
            last_due: VirtualTime::ZERO,
            ordinals: Ordinals::default(),
            last_id: 0,
        }
    }

    pub(crate) fn next_id(&mut self) -> WriteId {
        self.last_id += 1;
        WriteId(self.last_id)
    }

    /// Takes out the write that the event `key` makes durable, unless a crash has lost it.
    pub(crate) fn complete(&mut self, key: Key) -> Option<Issued<W>> {
        if self.pending.front()?.key == key { self.pending.pop_front() } else { None }
    }

    /// Loses every write that is not durable, and says how many they were.
    pub(crate) fn crash(&mut self) -> u32 {
        let lost = u32::try_from(self.pending.len()).unwrap_or(u32::MAX);
        self.pending.clear();
        self.last_due = VirtualTime::ZERO;
        lost
    }
}
