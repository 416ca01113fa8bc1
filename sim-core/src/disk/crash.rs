//! What a crash leaves of a disk.
//!
//! Everything that is not durable is undone, newest first; then what chance keeps is done again, oldest first; then the
//! damage shows.

use super::{Damage, Disk, Harm, Kept, Kind, Operation, Orders, Standing};
use crate::chance::{Chance, upper};
use crate::latency::multiply_high;
use crate::{CrashMode, FileId, Honesty, ProcessId, VirtualTime};
use std::collections::VecDeque;

/// What a crash lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Losses {
    /// Syncs under way.
    pub(crate) writes: u32,
    /// Operations that the disk had called durable.
    pub(crate) synced: u32,
    /// Operations that it had not, in whole or in part.
    pub(crate) unsynced: u32,
}

/// Whose crash it is, and what kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash<'a> {
    pub(crate) chance: &'a Chance,
    pub(crate) process: ProcessId,
    pub(crate) life: u32,
    /// The operation that the crash tears.
    pub(crate) torn: Option<u64>,
}

/// How much of an operation survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Nothing,
    All,
    /// So many bytes.
    Prefix(usize),
}

const HALF: u64 = 1 << 63;

impl Crash<'_> {
    /// What chance keeps of these operations.
    fn shares(&self, mode: CrashMode, operations: &VecDeque<Operation>) -> Vec<Share> {
        let at_stake = |operation: &Operation| match operation.standing {
            Standing::Volatile | Standing::Claimed => true,
            Standing::Gone | Standing::Durable => false,
        };
        let mut shares: Vec<Share> = operations
            .iter()
            .map(|operation| match operation.standing {
                Standing::Volatile | Standing::Claimed | Standing::Gone => Share::Nothing,
                Standing::Durable => Share::All,
            })
            .collect();
        let stakes: Vec<usize> = (0..operations.len()).filter(|k| at_stake(&operations[*k])).collect();
        if let Some(torn) = stakes.iter().rposition(|k| Some(operations[*k].number) == self.torn) {
            for k in &stakes[..torn] {
                shares[*k] = Share::All;
            }
            let operation = &operations[stakes[torn]];
            if operation.kind == Kind::Append {
                shares[stakes[torn]] = self.prefix(operation);
            }
            return shares;
        }
        let mode = match self.torn {
            // A sync is torn.
            Some(_) => CrashMode { kept: Kept::Prefix, torn: true },
            None => mode,
        };
        match mode.kept {
            Kept::Nothing => return shares,
            Kept::Prefix => {
                let draw = self.chance.crash(self.process, self.life, 0).0;
                let count = multiply_high(draw, stakes.len() as u64 + 1);
                for (k, _) in stakes.iter().zip(0..count) {
                    shares[*k] = Share::All;
                }
            }
            Kept::Any => {
                for k in &stakes {
                    if self.chance.crash(self.process, self.life, operations[*k].number).0 & HALF != 0 {
                        shares[*k] = Share::All;
                    }
                }
            }
        }
        let last = stakes.iter().rfind(|k| shares[**k] == Share::All);
        if let Some(last) = last.filter(|k| mode.torn && operations[**k].kind == Kind::Append) {
            let operation = &operations[*last];
            if self.chance.crash(self.process, self.life, operation.number).1 & HALF != 0 {
                shares[*last] = self.prefix(operation);
            }
        }
        shares
    }

    /// A drawn, proper prefix of an append. An empty one has none, and is kept.
    fn prefix(&self, operation: &Operation) -> Share {
        if operation.length == 0 {
            return Share::All;
        }
        let draw = self.chance.crash(self.process, self.life, operation.number).1 << 1;
        let length = multiply_high(draw, operation.length as u64);
        Share::Prefix(usize::try_from(length).expect("it is below a length"))
    }
}

impl Disk {
    /// Leaves on the disk what a crash leaves there. The syncs under way are lost, and a crash point is done with; whatever
    /// else was ordered stays so.
    pub(crate) fn crash(&mut self, crash: &Crash<'_>) -> Losses {
        let writes = u32::try_from(self.syncs.len()).unwrap_or(u32::MAX);
        self.syncs.clear();
        self.released = 0;
        self.last_due = VirtualTime::ZERO;
        self.order(|orders| orders.crash = None);
        let losses = if self.volatile.is_empty() { Losses::default() } else { self.settle(crash) };
        self.show_damage();
        Losses { writes, ..losses }
    }

    /// Undoes what is volatile and does again what is kept. Says which operations are lost.
    fn settle(&mut self, crash: &Crash<'_>) -> Losses {
        let mut operations = core::mem::take(&mut self.volatile);
        let shares = crash.shares(self.mode, &operations);
        // What it takes to do each again, newest first.
        let mut again = Vec::new();
        for operation in operations.iter_mut().rev() {
            let file = &mut self.files[operation.file.index()];
            again.push(match operation.kind {
                Kind::Append => file.split_off(operation.offset),
                Kind::Replace => {
                    let rest = operation.rest.take().expect("a replacement knows what it replaced");
                    core::mem::replace(file, rest.bytes)
                }
            });
        }
        let mut losses = Losses::default();
        // What was done to a replacement that is lost went to a file without a name.
        let mut nameless = vec![false; self.files.len()];
        for ((operation, share), bytes) in operations.into_iter().zip(shares).zip(again.into_iter().rev()) {
            let index = operation.file.index();
            let share = match operation.kind {
                Kind::Append if nameless[index] => Share::Nothing,
                Kind::Append => share,
                Kind::Replace => {
                    nameless[index] = share == Share::Nothing;
                    share
                }
            };
            if share != Share::All {
                losses.synced += u32::from(operation.standing == Standing::Claimed);
                losses.unsynced += u32::from(operation.standing == Standing::Volatile);
            }
            let length = match share {
                Share::Nothing => continue,
                Share::All => operation.length,
                Share::Prefix(length) => length,
            };
            if operation.standing != Standing::Durable {
                let of = self.replaced[index];
                if operation.harm(of, &bytes[..length], &mut self.damage) {
                    self.misdirected[index].count(of);
                }
            }
            let file = &mut self.files[index];
            match operation.kind {
                Kind::Append => {
                    file.resize(operation.offset, 0);
                    file.extend_from_slice(&bytes[..length]);
                }
                Kind::Replace => {
                    self.replaced[index] = operation.number;
                    *file = bytes;
                }
            }
        }
        losses
    }

    /// Applies the damage to what is read: nothing is volatile, and nobody has read it yet.
    pub(crate) fn show_damage(&mut self) {
        for Damage { file, offset, what, of } in core::mem::take(&mut self.damage) {
            if of != self.replaced[file.index()] {
                continue;
            }
            let Some(file) = self.files[file.index()].get_mut(offset..) else { continue };
            match what {
                Harm::Flip(bits) => {
                    if let Some(byte) = file.first_mut() {
                        *byte ^= bits;
                    }
                }
                Harm::Bytes(bytes) => {
                    let length = bytes.len().min(file.len());
                    file[..length].copy_from_slice(&bytes[..length]);
                }
            }
        }
        self.is_troubled = false;
    }

    /// What a crash that keeps nothing would leave of each file.
    pub(crate) fn durable(&self, crash: &Crash<'_>) -> Vec<Vec<u8>> {
        let mut copy = self.clone();
        copy.mode = CrashMode::default();
        copy.crash(crash);
        copy.files
    }

    /// Turns over bits of a byte of these files, which are the durable ones. What is not given is drawn. There must be
    /// such a byte.
    pub(crate) fn flip(
        &mut self,
        durable: &[Vec<u8>],
        place: (Option<FileId>, Option<u64>),
        bits: Option<u8>,
        draws: (u64, u64),
    ) {
        let lengths: Vec<u64> = durable.iter().map(|file| file.len() as u64).collect();
        let (file, offset) = match place {
            (Some(file), Some(offset)) => (file, offset),
            (Some(file), None) => (file, multiply_high(draws.0, lengths[file.index()])),
            (None, _) => {
                let mut offset = multiply_high(draws.0, lengths.iter().sum());
                let mut file = 0;
                while offset >= lengths[usize::from(file)] {
                    offset -= lengths[usize::from(file)];
                    file += 1;
                }
                (FileId(file), offset)
            }
        };
        let bits = bits.unwrap_or_else(|| 1 << (upper(draws.1) & 7));
        let offset = usize::try_from(offset).expect("it is below a length");
        let of = self.replaced[file.index()];
        self.damage.push(Damage { file, offset, what: Harm::Flip(bits), of });
        self.is_troubled = true;
    }

    /// Empties every file of a process that is down.
    pub(crate) fn wipe(&mut self) {
        self.files.iter_mut().for_each(Vec::clear);
        self.damage.clear();
        self.is_troubled = false;
    }

    /// Ends everything that was ordered, and stalls and lies. How long it takes and what a crash keeps stays.
    pub(crate) fn heal(&mut self) {
        self.order(|orders| *orders = Orders::default());
        self.honesty = Honesty::Honest;
    }
}
