//! Counts of what happened in a run.

use crate::{MessageId, ProcessId};

/// Counts since the world began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Events executed: deliveries, timers, completed writes, requests.
    pub events: u64,
    /// Messages delivered to a process.
    pub delivered: u64,
    /// Messages lost, for whatever reason.
    pub dropped: u64,
    /// Messages that were doubled, by their link or by order.
    pub duplicated: u64,
    /// Writes issued.
    pub writes: u64,
    /// Storage operations that were not durable and that a crash has undone, in whole or in part.
    pub unsynced_lost: u64,
    kinds: usize,
    by_sender: Vec<Traffic>,
}

/// Messages sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How many.
    pub messages: u64,
    /// Their bytes on the wire together.
    pub bytes: u64,
}

impl Stats {
    pub(crate) fn new(processes: u16, kinds: usize) -> Self {
        let by_sender = vec![Traffic::default(); usize::from(processes) * kinds];
        Self {
            events: 0,
            delivered: 0,
            dropped: 0,
            duplicated: 0,
            writes: 0,
            unsynced_lost: 0,
            kinds,
            by_sender,
        }
    }

    #[inline]
    pub(crate) fn sent(&mut self, id: &MessageId, bytes: u32) {
        let traffic = &mut self.by_sender[id.from.index() * self.kinds + usize::from(id.kind)];
        traffic.messages += 1;
        traffic.bytes += u64::from(bytes);
    }

    /// What was sent, by one process or by all, of one kind or of all. Messages that a cut link swallowed count too.
    #[must_use]
    pub fn traffic(&self, from: Option<ProcessId>, kind: Option<u8>) -> Traffic {
        let mut total = Traffic::default();
        for (index, traffic) in self.by_sender.iter().enumerate() {
            let (sender, of_kind) = (index / self.kinds, index % self.kinds);
            let wanted = from.is_none_or(|from| from.index() == sender);
            if wanted && kind.is_none_or(|kind| usize::from(kind) == of_kind) {
                total.messages += traffic.messages;
                total.bytes += traffic.bytes;
            }
        }
        total
    }
}
