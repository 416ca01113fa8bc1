//! Sequential chance for what is planned in one go: fault plans, workloads, swarm settings.
//!
//! Inside a run draws are keyed instead (see [`crate::Simulation`]); a stream is for whoever writes the plan. The bits
//! are those of ChaCha8; the sampling is our own integer code, because libraries change theirs between releases.

use crate::latency::multiply_high;
use crate::{Ratio, Span};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A sequence of draws that belongs to a seed, a purpose and an index.
#[derive(Clone, Debug)]
pub struct Stream {
    bits: ChaCha8Rng,
}

impl Stream {
    /// The stream of `seed` for `purpose` (its first 8 bytes count) and `index`. Different ones are independent.
    #[must_use]
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        let purpose = purpose.as_bytes();
        let length = purpose.len().min(8);
        key[16..16 + length].copy_from_slice(&purpose[..length]);
        key[24..].copy_from_slice(b"seaworth");
        Self { bits: ChaCha8Rng::from_seed(key) }
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.bits.next_u64()
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        multiply_high(self.bits(), bound)
    }

    /// A number from `min` to `max`, both included; `min` if `max` is smaller.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        match max.saturating_sub(min).checked_add(1) {
            Some(width) => min + self.below(width),
            None => self.bits(),
        }
    }

    /// A span from `min` to `max`, both included.
    pub fn span(&mut self, min: Span, max: Span) -> Span {
        Span::from_nanos(self.between(min.nanos(), max.nanos()))
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, ratio: Ratio) -> bool {
        ratio.happens(crate::chance::upper(self.bits()))
    }

    /// Whether a fair coin shows heads.
    pub fn coin(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// An index below `length`, for picking from a list.
    ///
    /// # Panics
    ///
    /// If `length` is 0.
    pub fn index(&mut self, length: usize) -> usize {
        assert!(length > 0, "nothing to pick from");
        let length = u64::try_from(length).expect("a length fits in 64 bits");
        usize::try_from(self.below(length)).expect("it is below a length")
    }

    /// One of `items`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// The index of one of `weights`, each as likely as it is heavy.
    ///
    /// # Panics
    ///
    /// If all are 0.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        assert!(total > 0, "nothing has any weight");
        let mut rest = self.below(total);
        for (index, weight) in weights.iter().enumerate() {
            match rest.checked_sub(u64::from(*weight)) {
                Some(left) => rest = left,
                None => return index,
            }
        }
        unreachable!("the draw is below the total")
    }

    /// Puts `items` into a drawn order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed() {
        let mut stream = Stream::new(42, "plan", 0);
        let mut items: Vec<u32> = (0..8).collect();
        let drawn = (stream.bits(), stream.below(1_000), stream.between(10, 20), stream.weighted(&[1, 2, 3]));
        stream.shuffle(&mut items);
        let span = stream.span(Span::from_millis(1), Span::from_millis(9)).nanos();
        assert_eq!(drawn, (12_062_413_107_977_983_187, 175, 18, 2));
        assert_eq!(items, [7, 3, 4, 0, 6, 1, 5, 2]);
        assert_eq!(span, 4_176_438);
    }

    #[test]
    fn seed_purpose_and_index_tell_streams_apart() {
        let first = |mut stream: Stream| stream.bits();
        let base = first(Stream::new(1, "a", 0));
        for other in [Stream::new(2, "a", 0), Stream::new(1, "b", 0), Stream::new(1, "a", 1)] {
            assert_ne!(first(other), base);
        }
    }

    #[test]
    fn ranges_include_their_ends_and_nothing_else() {
        let mut stream = Stream::new(3, "range", 0);
        let mut seen = [0u32; 4];
        for _ in 0..4_000 {
            seen[usize::try_from(stream.between(5, 8) - 5).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
        assert_eq!(stream.below(0), 0);
        assert_eq!(stream.between(9, 3), 9);
        assert_eq!(stream.weighted(&[0, 0, 5, 0]), 2);
        stream.between(0, u64::MAX);
    }
}
