//! A state machine that remembers in sixteen bytes what was applied to it.

use std::sync::Arc;

use raft_node::{Entry, EntryKind, LogIndex, Output};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Up to here all is applied.
    pub(crate) index: LogIndex,
    hash: u64,
}

impl Machine {
    fn apply(&mut self, index: LogIndex, entry: &Entry) {
        let kind = match entry.kind {
            EntryKind::Noop => 1,
            EntryKind::Command(_) => 2,
            EntryKind::Change(_) => 3,
        };
        self.index = index;
        for byte in [entry.term.0, kind].iter().flat_map(|word| word.to_le_bytes()) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        for byte in entry.payload() {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// The machine after one more entry.
    pub(crate) fn after(mut self, index: LogIndex, entry: &Entry) -> Self {
        self.apply(index, entry);
        self
    }

    /// Does what a step wants of the machine.
    pub(crate) fn follow(&mut self, out: &[Output]) {
        for output in out {
            if let Output::Apply { index, entry } = output {
                assert_eq!(*index, self.index.next(), "entries are applied in order, and each once");
                self.apply(*index, entry);
            } else if let Output::Install { snapshot } = output {
                let (index, hash) = snapshot.data.split_at(8);
                let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
                *self = Self { index: LogIndex(word(index)), hash: word(hash) };
                assert_eq!(self.index, snapshot.index, "a snapshot is of the index that it says");
            }
        }
    }

    pub(crate) fn bytes(&self) -> Arc<[u8]> {
        let mut bytes = self.index.0.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.hash.to_le_bytes());
        bytes.into()
    }
}
