//! A disk of bytes under a write-ahead log.

use crate::world::{Chance, Host};
use raft_node::wal::{File, Sink, Wal};
use raft_node::{Durable, Output, PersistId, Write};

/// Files, what of them is durable, and the log that is written to them.
pub(super) struct Tape {
    wal: Wal,
    bytes: Bytes,
}

/// What survives a crash for certain, and what was done since.
#[derive(Default)]
struct Bytes {
    durable: [Vec<u8>; 3],
    since: Vec<Operation>,
}

enum Operation {
    Append(File, Vec<u8>),
    Replace(File, Vec<u8>),
    Sync,
}

impl Sink for Bytes {
    fn append(&mut self, file: File, bytes: &[u8]) {
        self.since.push(Operation::Append(file, bytes.to_vec()));
    }

    fn replace(&mut self, file: File, bytes: &[u8]) {
        self.since.push(Operation::Replace(file, bytes.to_vec()));
    }

    fn sync(&mut self) {
        self.since.push(Operation::Sync);
    }
}

impl Bytes {
    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Append(file, bytes) => self.durable[file as usize].extend_from_slice(&bytes),
            Operation::Replace(file, bytes) => self.durable[file as usize] = bytes,
            Operation::Sync => {}
        }
    }
}

impl Tape {
    /// A new disk.
    pub(super) fn new() -> Self {
        Self::boot(Bytes::default()).0
    }

    fn boot(mut bytes: Bytes) -> (Self, Durable) {
        let [log, tail, snapshot] = &bytes.durable;
        let recovered = Wal::recover(log, tail, snapshot, 0).expect("a crash corrupts nothing");
        let mut wal = recovered.wal;
        wal.start(&mut bytes);
        (Self { wal, bytes }, recovered.durable)
    }

    /// Takes the writes that a step asks for.
    pub(super) fn take(&mut self, host: &Host, out: &[Output]) {
        for output in out {
            if let Output::Persist { id, write } = output {
                self.wal.persist(*id, write, &host.view(), &mut self.bytes);
            }
        }
    }

    /// Finishes the oldest sync, if there is one; the writes that are durable by it.
    pub(super) fn sync(&mut self) -> Vec<PersistId> {
        let Some(at) = self.bytes.since.iter().position(|one| matches!(one, Operation::Sync)) else {
            return Vec::new();
        };
        let done: Vec<Operation> = self.bytes.since.drain(..=at).collect();
        done.into_iter().for_each(|operation| self.bytes.apply(operation));
        self.wal.synced(&mut self.bytes).collect()
    }

    /// Keeps a beginning of what was not synced, the last of it torn perhaps, and recovers: the state, which
    /// is that after some of the `writes` that were not durable.
    pub(super) fn crash(
        &mut self,
        durable: &Durable,
        writes: &[(PersistId, Write)],
        chance: &mut Chance,
    ) -> Result<Durable, String> {
        let mut bytes = core::mem::take(&mut self.bytes);
        let mut since: Vec<Operation> = bytes.since.drain(..).collect();
        since.retain(|operation| !matches!(operation, Operation::Sync));
        since.truncate(chance.index(since.len() + 1));
        if let Some(Operation::Append(_, last)) = since.last_mut()
            && chance.one_in(2)
        {
            last.truncate(chance.index(last.len()));
        }
        since.into_iter().for_each(|operation| bytes.apply(operation));
        let (tape, recovered) = Self::boot(bytes);
        *self = tape;
        let mut expected = durable.clone();
        for (_, write) in writes {
            if expected == recovered || of_its_snapshot(&expected, write) == recovered {
                return Ok(recovered);
            }
            expected.apply(write.clone());
        }
        if expected == recovered {
            Ok(recovered)
        } else {
            Err(format!("durable: {recovered:?}, not {expected:?}"))
        }
    }
}

/// A snapshot is durable before the rest of its write.
fn of_its_snapshot(before: &Durable, write: &Write) -> Durable {
    let mut state = before.clone();
    if let Some(snapshot) = &write.snapshot {
        state.apply(Write { snapshot: Some(snapshot.clone()), ..Write::default() });
        if snapshot.term > state.hard.term {
            state.hard = raft_node::HardState { term: snapshot.term, vote: None };
        }
    }
    state
}
