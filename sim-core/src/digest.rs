//! The rolling digest of a run: a fixed function of what happened, in order.
//!
//! Every record is written into it as a sequence of 64-bit words (see [`Encode`]). The function is ours and fixed:
//! two lanes of multiply-and-rotate over 64-bit words, finished by an avalanche. It is not cryptographic; it must be
//! the same on every platform and cheap enough to be always on.

use crate::VirtualTime;

const LANE_A: u64 = 0x9e37_79b9_7f4a_7c15;
const LANE_B: u64 = 0xd6e8_feb8_6659_fd93;

/// Something with a canonical encoding.
///
/// The encoding must tell apart whatever should count as different: every variant begins with its own number, every
/// sequence with its length.
pub trait Encode {
    /// Writes this value's words into `digest`.
    fn encode(&self, digest: &mut Digest);

    /// Whether to drop this value is to do nothing, so that nobody need. A record is dropped as soon as it was told: for
    /// what is told all the time it pays to say so. Whoever says it of a value that owns memory lets that memory go.
    #[inline]
    fn owns_nothing(&self) -> bool
    where
        Self: Sized,
    {
        !core::mem::needs_drop::<Self>()
    }
}

/// A rolling 128-bit state over 64-bit words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    a: u64,
    b: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl Digest {
    /// The digest of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { a: 0x243f_6a88_85a3_08d3, b: 0x1319_8a2e_0370_7344 }
    }

    /// Takes in one word.
    #[inline]
    pub const fn word(&mut self, word: u64) {
        self.pair(word, 0);
    }

    /// Takes in two words at once: as strong as, and cheaper than, one after the other.
    #[inline]
    pub const fn pair(&mut self, first: u64, second: u64) {
        // Each lane is a bijection of its state for a fixed word (xor, odd multiplication, rotation), so nothing that
        // was taken in is ever lost; the lanes feed each other so that order and place matter.
        let a = (self.a ^ first).wrapping_mul(LANE_A);
        let b = (self.b ^ second).wrapping_mul(LANE_B);
        self.a = a.rotate_left(29).wrapping_add(b);
        self.b = b.rotate_left(32) ^ self.a;
    }

    /// Takes in a text: its length, then its bytes, eight to a word.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Takes in bytes: their number, then the bytes, eight to a word, little end first, two words at once.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let word = |bytes: &[u8]| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        };
        self.word(bytes.len() as u64);
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            self.pair(word(&pair[..8]), word(&pair[8..]));
        }
        if !rest.is_empty() {
            let (first, second) = rest.split_at(rest.len().min(8));
            self.pair(word(first), word(second));
        }
    }

    /// The digest of all that was taken in so far. Taking in more remains possible.
    #[must_use]
    pub const fn value(&self) -> u64 {
        let mut x = self.a ^ self.b.rotate_left(17);
        x = (x ^ (x >> 32)).wrapping_mul(LANE_B);
        x = (x ^ (x >> 29)).wrapping_mul(LANE_A);
        x ^ (x >> 32)
    }
}

/// The digest after a given number of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many records had been taken in.
    pub records: u64,
    /// When the last of them happened.
    pub at: VirtualTime,
    /// The digest then.
    pub value: u64,
}

/// Checkpoints at doubling distance: never more than [`Checkpoints::COUNT_MAX`], however long the run.
///
/// While there is room one is kept every `interval` records. When it is full every other one is dropped and the
/// interval doubles. So their places depend on the number of records alone, and two runs can be compared at the
/// same places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    interval: u64,
    kept: Vec<Checkpoint>,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self { interval: Self::FIRST_INTERVAL, kept: Vec::new() }
    }
}

impl Checkpoints {
    /// How many are kept at most.
    pub const COUNT_MAX: usize = 16;
    /// Records between checkpoints at the beginning of a run.
    pub const FIRST_INTERVAL: u64 = 16;

    /// Whether a checkpoint is due after `records` records.
    #[inline]
    #[must_use]
    pub const fn due(&self, records: u64) -> bool {
        // The interval is a power of two.
        records & (self.interval - 1) == 0
    }

    /// Keeps `checkpoint`, which must be [due](Self::due).
    #[cold]
    pub fn keep(&mut self, checkpoint: Checkpoint) {
        if self.kept.len() == Self::COUNT_MAX {
            self.interval *= 2;
            let interval = self.interval;
            self.kept.retain(|kept| kept.records % interval == 0);
        }
        if self.due(checkpoint.records) {
            self.kept.push(checkpoint);
        }
    }

    /// What is kept, oldest first.
    #[must_use]
    pub fn as_slice(&self) -> &[Checkpoint] {
        &self.kept
    }

    /// The places at which a run of `records` records has its checkpoints.
    #[must_use]
    pub fn places(records: u64) -> Vec<u64> {
        let count_max = Self::COUNT_MAX as u64;
        let mut interval = Self::FIRST_INTERVAL;
        while records / interval > count_max {
            interval *= 2;
        }
        (1..=records / interval).map(|k| k * interval).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u64]) -> u64 {
        let mut digest = Digest::new();
        for word in words {
            digest.word(*word);
        }
        digest.value()
    }

    #[test]
    fn the_function_is_fixed() {
        assert_eq!(of(&[]), 0x07a7_da40_54ba_bf34);
        assert_eq!(of(&[0]), 0x3ef0_c136_bf9c_88af);
        assert_eq!(of(&[1, 2, 3]), 0xddd6_ce3d_c06c_cd2a);
        let mut digest = Digest::new();
        digest.text("seaworthy");
        digest.pair(7, u64::MAX);
        assert_eq!(digest.value(), 0x4fa2_b977_0ed5_6d27);
    }

    #[test]
    fn order_length_and_every_bit_matter() {
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        assert_ne!(of(&[0]), of(&[0, 0]));
        let base = of(&[0, 0, 0]);
        let mut seen = std::collections::BTreeSet::from([base]);
        for place in 0..3 {
            for bit in 0..64 {
                let mut words = [0; 3];
                words[place] = 1 << bit;
                assert!(seen.insert(of(&words)), "word {place} bit {bit}");
            }
        }
    }

    #[test]
    fn a_flipped_bit_flips_about_half_of_the_value() {
        let base = of(&[5, 6, 7, 8]);
        let total: u32 = (0..64).map(|bit| (base ^ of(&[5 ^ (1 << bit), 6, 7, 8])).count_ones()).sum();
        assert!((28 * 64..36 * 64).contains(&total), "mean of {} bits", total / 64);
    }

    #[test]
    fn checkpoints_stay_few_and_their_places_follow_from_the_length() {
        for length in [0, 15, 16, 255, 256, 257, 271, 272, 512, 513, 100_000] {
            let mut checkpoints = Checkpoints::default();
            for records in 1..=length {
                if checkpoints.due(records) {
                    checkpoints.keep(Checkpoint { records, at: VirtualTime::ZERO, value: records });
                }
            }
            let places: Vec<u64> = checkpoints.as_slice().iter().map(|c| c.records).collect();
            assert_eq!(places, Checkpoints::places(length), "after {length} records");
            assert!(places.len() <= Checkpoints::COUNT_MAX);
        }
    }
}
