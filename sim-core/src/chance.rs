//! Keyed chance: a decision is a function of the seed and of what is decided, never of what was drawn before.
//!
//! A draw is one block of Philox 2x64 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
//! SC'11) with seven rounds, one above the six at which its authors found it to pass every test of BigCrush. The
//! counter names what is decided; the key belongs to the seed and the domain.

use crate::{MessageId, ProcessId, Stream, TimerId, VirtualTime};

/// What a keyed draw is about. Draws of different domains have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Domain {
    /// Latency, loss and tie-break of a message.
    Message,
    /// Duplication and reordering of a message.
    MessageTwist,
    /// Delay of a timer.
    Timer,
    /// Latency of a write.
    Write,
    /// Order of simultaneous events that are not messages.
    Tie,
    /// What a process asks for itself.
    Process,
    /// How much later a process hears of a sync.
    Notice,
    /// What a crash keeps.
    Crash,
    /// Where a disk is damaged.
    Damage,
    /// Whether a message is damaged.
    Corruption,
    /// The order into which messages are shuffled.
    Shuffle,
    /// How much longer an armed timer takes, where the future is drawn again.
    Redraw,
}

const DOMAINS: usize = 12;

/// The keys of all domains of one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chance {
    keys: [u64; DOMAINS],
}

/// One block: two words of 64 drawn bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block(pub(crate) u64, pub(crate) u64);

const MULTIPLIER: u64 = 0xd2b7_4407_b1ce_6e93;
const WEYL: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
const fn philox<const ROUNDS: u32>(mut counter: (u64, u64), mut key: u64) -> Block {
    let mut round = 0;
    while round < ROUNDS {
        let product = counter.0 as u128 * MULTIPLIER as u128;
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of a 128-bit product")]
        let (high, low) = ((product >> 64) as u64, product as u64);
        counter = (high ^ key ^ counter.1, low);
        key = key.wrapping_add(WEYL);
        round += 1;
    }
    Block(counter.0, counter.1)
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let mut stream = Stream::new(seed, "keys", 0);
        Self { keys: core::array::from_fn(|_| stream.bits()) }
    }

    #[inline]
    fn block(&self, domain: Domain, who: u64, which: u64) -> Block {
        philox::<7>((who, which), self.keys[domain as usize])
    }

    /// The block of a message. Injective while epochs and ordinals stay below 2^32.
    #[inline]
    pub(crate) fn message(&self, domain: Domain, id: &MessageId) -> Block {
        let link = u64::from(id.from.0) << 48 | u64::from(id.to.0) << 32;
        let kind = u64::from(id.kind) << 8 | u64::from(id.copy);
        self.block(domain, link | kind, phase(id.epoch, id.ordinal))
    }

    /// What decides the place of a message in a shuffle at this time.
    pub(crate) fn shuffle(&self, id: &MessageId, now: VirtualTime) -> u64 {
        let Block(who, which) = self.message(Domain::Shuffle, id);
        self.block(Domain::Shuffle, who ^ now.nanos(), which).0
    }

    /// The block of the `ordinal`-th draw of a process's timer within an epoch.
    #[inline]
    pub(crate) fn timer(&self, process: ProcessId, timer: TimerId, epoch: u64, ordinal: u32) -> Block {
        let who = u64::from(process.0) << 48 | u64::from(timer.0);
        self.block(Domain::Timer, who, phase(epoch, ordinal))
    }

    /// The block of the `ordinal`-th write of a process within an epoch.
    #[inline]
    pub(crate) fn write(&self, process: ProcessId, epoch: u64, ordinal: u32) -> Block {
        self.block(Domain::Write, u64::from(process.0) << 48, phase(epoch, ordinal))
    }

    /// The block of the news of the `ordinal`-th write of a process within an epoch.
    pub(crate) fn notice(&self, process: ProcessId, epoch: u64, ordinal: u32) -> Block {
        self.block(Domain::Notice, u64::from(process.0) << 48, phase(epoch, ordinal))
    }

    /// The block of what the crash that ends a life makes of a storage operation; 0 stands for all of them.
    pub(crate) fn crash(&self, process: ProcessId, life: u32, operation: u64) -> Block {
        self.block(Domain::Crash, u64::from(process.0) << 48 | u64::from(life), operation)
    }

    /// The block of damage to a disk: `sort` and `number` tell it apart.
    pub(crate) fn damage(&self, process: ProcessId, sort: u32, number: u64) -> Block {
        self.block(Domain::Damage, u64::from(process.0) << 48 | u64::from(sort), number)
    }

    /// What decides how much longer a timer takes that is armed when the future is drawn again.
    pub(crate) fn redrawn(&self, process: ProcessId, timer: TimerId, now: VirtualTime) -> u64 {
        let who = u64::from(process.0) << 48 | u64::from(timer.0);
        self.block(Domain::Redraw, who, now.nanos()).0
    }

    /// The tie-break of an event of a process (`what` tells its events apart) that is due at `due`.
    #[inline]
    pub(crate) fn tie(&self, process: ProcessId, what: u32, due: VirtualTime) -> u32 {
        let who = u64::from(process.0) << 48 | u64::from(what);
        upper(self.block(Domain::Tie, who, due.nanos()).0)
    }

    /// The bits that a process draws for its own `purpose`, the `which`-th time.
    pub(crate) fn process(&self, process: ProcessId, purpose: u32, which: u64) -> u64 {
        let who = u64::from(process.0) << 48 | u64::from(purpose);
        self.block(Domain::Process, who, which).0
    }
}

#[inline]
const fn phase(epoch: u64, ordinal: u32) -> u64 {
    epoch.rotate_left(32) ^ ordinal as u64
}

/// The upper 32 bits.
#[inline]
pub(crate) const fn upper(word: u64) -> u32 {
    (word >> 32) as u32
}

/// The lower 32 bits.
#[inline]
pub(crate) const fn lower(word: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
    let lower = word as u32;
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_is_philox() {
        // The known answers that its authors publish, for ten rounds.
        assert_eq!(philox::<10>((0, 0), 0), Block(0xca00_a045_9843_d731, 0x66c2_4222_c9a8_45b5));
        assert_eq!(
            philox::<10>((u64::MAX, u64::MAX), u64::MAX),
            Block(0x65b0_21d6_0cd8_310f, 0x4d02_f322_2f86_df20)
        );
    }

    #[test]
    fn the_draws_of_a_seed_are_fixed() {
        let chance = Chance::new(42);
        let id = MessageId { from: ProcessId(1), to: ProcessId(2), kind: 3, copy: 0, ordinal: 4, epoch: 5 };
        let block = Block(14_659_340_107_833_987_801, 12_727_401_224_438_985_319);
        assert_eq!(chance.message(Domain::Message, &id), block);
        assert_eq!(chance.timer(ProcessId(1), TimerId(0), 2, 3).0, 10_482_308_371_194_262_375);
        assert_eq!(chance.write(ProcessId(1), 2, 3).0, 17_386_053_526_709_079_647);
        assert_eq!(chance.tie(ProcessId(1), 2, VirtualTime::from_nanos(3)), 2_341_230_432);
        assert_eq!(chance.process(ProcessId(1), 2, 3), 5_453_650_886_135_274_754);
    }

    #[test]
    fn every_part_of_an_identity_and_every_domain_matter() {
        let chance = Chance::new(7);
        let base = MessageId { from: ProcessId(1), to: ProcessId(2), kind: 3, copy: 0, ordinal: 4, epoch: 5 };
        let others = [
            MessageId { from: ProcessId(2), to: ProcessId(1), ..base },
            MessageId { from: ProcessId(0), ..base },
            MessageId { to: ProcessId(3), ..base },
            MessageId { kind: 2, ..base },
            MessageId { copy: 1, ..base },
            MessageId { ordinal: 5, ..base },
            MessageId { epoch: 4, ..base },
            MessageId { epoch: 4, ordinal: 5, ..base },
        ];
        let mut seen =
            vec![chance.message(Domain::Message, &base), chance.message(Domain::MessageTwist, &base)];
        seen.extend(others.map(|id| chance.message(Domain::Message, &id)));
        seen.push(Chance::new(8).message(Domain::Message, &base));
        for (k, block) in seen.iter().enumerate() {
            assert!(!seen[..k].contains(block), "draw {k} equals an earlier one");
        }
    }

    #[test]
    fn draws_of_neighbours_are_evenly_spread() {
        // 65,536 consecutive messages into 256 bins of 256 each: chi-squared with 255 degrees of freedom.
        let chance = Chance::new(1);
        for word in 0..2 {
            let mut bins = [0i64; 256];
            for ordinal in 0..65_536 {
                let id =
                    MessageId { from: ProcessId(0), to: ProcessId(1), kind: 0, copy: 0, ordinal, epoch: 1 };
                let block = chance.message(Domain::Message, &id);
                bins[usize::try_from(if word == 0 { block.0 >> 56 } else { block.1 & 255 }).unwrap()] += 1;
            }
            let chi_squared_256 = bins.iter().map(|n| (n - 256) * (n - 256)).sum::<i64>();
            assert!((150 * 256..380 * 256).contains(&chi_squared_256), "{}", chi_squared_256 / 256);
        }
    }
}
