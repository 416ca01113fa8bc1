//! Three files in memory, and what a crash or time does to them.

use std::ops::Range;

use super::history::Rng;
use crate::types::PersistId;
use crate::wal::frame::header;
use crate::wal::{Corrupt, File, Recovered, Sink, Wal};

/// What a process sees of its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    files: [Vec<u8>; 3],
    syncs: usize,
}

/// One operation, as it was issued.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Append { file: File, offset: usize, bytes: Vec<u8> },
    Replace { file: File, bytes: Vec<u8> },
    Sync,
}

/// That of all logs here.
pub(super) const SALT: u32 = 0x5eed_5a17;

pub(super) fn recover(files: &Files) -> Result<Recovered, Corrupt> {
    Wal::recover(files.read(File::Log), files.read(File::Tail), files.read(File::Snapshot), SALT)
}

impl Files {
    pub(super) fn read(&self, file: File) -> &[u8] {
        &self.files[file as usize]
    }

    /// Does an operation that survived; what was lost below an append is zeros.
    pub(super) fn keep(&mut self, operation: &Operation) {
        match operation {
            Operation::Append { file, offset, bytes } => {
                let file = &mut self.files[*file as usize];
                let end = offset + bytes.len();
                file.resize(file.len().max(end), 0);
                file[*offset..end].copy_from_slice(bytes);
            }
            Operation::Replace { file, bytes } => self.files[*file as usize].clone_from(bytes),
            Operation::Sync => {}
        }
    }

    pub(super) fn flip(&mut self, file: File, bit: usize) {
        self.files[file as usize][bit / 8] ^= 1 << (bit % 8);
    }

    pub(super) fn put(&mut self, file: File, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.files[file as usize]);
    }

    /// Lets what stands at `from` have landed at `to` instead.
    pub(super) fn misdirect(&mut self, file: File, from: Range<usize>, to: usize) {
        let file = &mut self.files[file as usize];
        let bytes = file[from.clone()].to_vec();
        file[from].fill(0);
        for (byte, landed) in bytes.into_iter().zip(file.iter_mut().skip(to)) {
            *landed = byte;
        }
    }

    /// Finishes every sync, and those that follow.
    pub(super) fn settle(&mut self, wal: &mut Wal) -> Vec<PersistId> {
        let mut told = Vec::new();
        while self.syncs > 0 {
            self.syncs -= 1;
            told.extend(wal.synced(self));
        }
        told
    }

    /// Changes, cuts and adds bytes.
    pub(super) fn scramble(&mut self, rng: &mut Rng) {
        for _ in 0..=rng.index(4) {
            let file = &mut self.files[rng.index(3)];
            match rng.index(4) {
                0 => file.truncate(rng.index(file.len() + 1)),
                1 => file.extend((0..rng.index(40)).map(|_| rng.byte())),
                _ if file.is_empty() => {}
                _ => {
                    let at = rng.index(file.len());
                    file[at] = rng.byte();
                }
            }
        }
    }

    /// Frames of random bodies behind good headers, with good checksums.
    pub(super) fn forge(&mut self, rng: &mut Rng) {
        for file in [File::Log, File::Tail] {
            let mut bytes = header(file, SALT).to_vec();
            for seq in 1..=rng.index(4) {
                let due = u64::try_from(seq).unwrap();
                let number = [due, due, due, 0, due + 1, u64::MAX / 2, u64::MAX][rng.index(7)];
                let place = [bytes.len() as u64, bytes.len() as u64, 0, u64::MAX][rng.index(4)];
                let mut body = number.to_le_bytes().to_vec();
                body.extend_from_slice(&[0, 0, number, u64::MAX][rng.index(4)].to_le_bytes());
                body.extend_from_slice(&place.to_le_bytes());
                body.push(if seq == 1 { 4 | 8 } else { 8 } | (rng.byte() & 3));
                for _ in 0..rng.index(12) {
                    let word = [0, 1, 2, u64::MAX, rng.next()][rng.index(5)];
                    body.extend_from_slice(&word.to_le_bytes()[..1 + rng.index(8)]);
                }
                let len = u32::try_from(body.len()).unwrap().to_le_bytes();
                bytes.extend_from_slice(&len);
                let checksum = crc32c::crc32c_append(crc32c::crc32c_append(SALT, &len), &body);
                bytes.extend_from_slice(&checksum.to_le_bytes());
                bytes.extend_from_slice(&body);
            }
            self.files[file as usize] = bytes;
        }
    }
}

impl Sink for Files {
    fn append(&mut self, file: File, bytes: &[u8]) {
        self.files[file as usize].extend_from_slice(bytes);
    }

    fn replace(&mut self, file: File, bytes: &[u8]) {
        self.files[file as usize] = bytes.to_vec();
    }

    fn sync(&mut self) {
        self.syncs += 1;
    }
}

/// Files that remember every operation.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    pub(super) files: Files,
    pub(super) operations: Vec<Operation>,
}

impl Sink for Recorder {
    fn append(&mut self, file: File, bytes: &[u8]) {
        let offset = self.files.read(file).len();
        self.operations.push(Operation::Append { file, offset, bytes: bytes.to_vec() });
        self.files.append(file, bytes);
    }

    fn replace(&mut self, file: File, bytes: &[u8]) {
        self.operations.push(Operation::Replace { file, bytes: bytes.to_vec() });
        self.files.replace(file, bytes);
    }

    fn sync(&mut self) {
        self.operations.push(Operation::Sync);
    }
}
