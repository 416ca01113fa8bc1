//! How long a message or a write takes: distributions over whole nanoseconds.

use crate::{Digest, Encode, Ratio, Span};

/// A distribution of spans. Sampling is our own integer code: the same draw gives the same span on every platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
pub enum Latency {
    /// Always the same.
    Constant(Span),
    /// Every nanosecond from the first to the second, both included, equally likely.
    Uniform(Span, Span),
    /// Mostly about `typical`, never below `min`, sometimes up to `max`: 1 in 100 takes more than 10 times,
    /// 1 in 1,000 more than 32 times the typical excess over `min` (a Pareto tail, read from a table).
    HeavyTail {
        /// The shortest possible.
        min: Span,
        /// The median.
        typical: Span,
        /// The longest possible; longer draws are cut to it.
        max: Span,
    },
    /// Two uniform humps: a fast path, and a slow one that is taken now and then.
    Bimodal {
        /// The range of the fast path, both ends included.
        fast: (Span, Span),
        /// The range of the slow path, both ends included.
        slow: (Span, Span),
        /// How often the slow path is taken.
        slow_share: Ratio,
    },
}

impl Default for Latency {
    fn default() -> Self {
        Self::Constant(Span::from_millis(1))
    }
}

/// Quantiles of the heavy tail in 1/1024 of its median excess, at u = 0, 1/64, …, 63/64: `(1 - u)^-2/3 - 1`, scaled
/// so that the value at u = 1/2 is 1024. Above 63/64 [`TAIL`] takes over.
const BODY: [u64; 64] = body();
/// The same at u = 63/64 + k/4096 for k = 0..=63, and a last value for the end.
const TAIL: [u64; 65] = tail();

/// `floor(1024 * ((64 / (64 - k))^(2/3) - 1) / (2^(2/3) - 1))` by integer cube roots.
const fn quantile(remaining: u64, whole: u64) -> u64 {
    // (whole/remaining)^(2/3) in 1/2^20: the cube root of (whole/remaining)^2 * 2^60.
    let square = (((whole as u128) * (whole as u128)) << 60) / ((remaining as u128) * (remaining as u128));
    let root = cube_root(square);
    // 2^(2/3) - 1 in 1/2^20.
    let scale = cube_root(4 << 60) - (1 << 20);
    (root - (1 << 20)) * 1024 / scale
}

const fn cube_root(value: u128) -> u64 {
    let (mut low, mut high) = (0u128, 1u128 << 42);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if middle * middle * middle <= value {
            low = middle;
        } else {
            high = middle;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 2^42 by the bound above")]
    let root = low as u64;
    root
}

const fn body() -> [u64; 64] {
    let mut table = [0; 64];
    let mut k = 0;
    while k < 64 {
        table[k] = quantile(64 - k as u64, 64);
        k += 1;
    }
    table
}

const fn tail() -> [u64; 65] {
    let mut table = [0; 65];
    let mut k = 0;
    while k < 64 {
        table[k] = quantile(64 - k as u64, 4096);
        k += 1;
    }
    // The last step has no finite end in theory; here it is that of one in 32,768.
    table[64] = quantile(1, 32_768);
    table
}

/// The excess over the minimum, in 1/1024 of the median excess, at the quantile `draw / 2^64`.
fn heavy_tail_1024ths(draw: u64) -> u64 {
    let step = (draw >> 58) as usize;
    let (low, high, fraction) = if step < 63 {
        (BODY[step], BODY[step + 1], draw << 6)
    } else {
        let rest = draw << 6;
        let step = (rest >> 58) as usize;
        (TAIL[step], TAIL[step + 1], rest << 6)
    };
    low + multiply_high(fraction, high - low)
}

/// The upper half of a product: `draw / 2^64 * bound`, below `bound`.
#[inline]
pub(crate) const fn multiply_high(draw: u64, bound: u64) -> u64 {
    ((draw as u128 * bound as u128) >> 64) as u64
}

/// The span at `draw / 2^64` of the way from `min` to `max`, both included.
#[inline]
pub(crate) fn between(min: Span, max: Span, draw: u64) -> Span {
    let width = max.nanos().saturating_sub(min.nanos());
    Span::from_nanos(min.nanos() + multiply_high(draw, width + 1))
}

impl Latency {
    /// The span that the 64 drawn bits `draw` stand for.
    #[inline]
    #[must_use]
    pub fn sample(&self, draw: u64) -> Span {
        if let Self::Uniform(min, max) = *self { between(min, max, draw) } else { self.sample_other(draw) }
    }

    fn sample_other(&self, draw: u64) -> Span {
        match *self {
            Self::Constant(span) => span,
            Self::Uniform(min, max) => between(min, max, draw),
            Self::HeavyTail { min, typical, max } => {
                let median = u128::from(typical.nanos().saturating_sub(min.nanos()));
                let excess = (median * u128::from(heavy_tail_1024ths(draw))) >> 10;
                let room = max.nanos().saturating_sub(min.nanos());
                let excess = u64::try_from(excess).unwrap_or(u64::MAX).min(room);
                Span::from_nanos(min.nanos() + excess)
            }
            Self::Bimodal { fast, slow, slow_share } => {
                // The upper half chooses the path, the lower half the place within it.
                let (min, max) = if slow_share.happens((draw >> 32) as u32) { slow } else { fast };
                between(min, max, draw << 32)
            }
        }
    }

    /// The longest span that can be drawn.
    #[must_use]
    pub fn longest(&self) -> Span {
        match *self {
            Self::Constant(span) => span,
            Self::Uniform(_, max) | Self::HeavyTail { max, .. } => max,
            Self::Bimodal { fast, slow, .. } => fast.1.max(slow.1),
        }
    }

    /// Whether every range runs from the smaller to the larger end.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        match *self {
            Self::Constant(_) => true,
            Self::Uniform(min, max) => min <= max,
            Self::HeavyTail { min, typical, max } => min <= typical && typical <= max,
            Self::Bimodal { fast, slow, .. } => fast.0 <= fast.1 && slow.0 <= slow.1,
        }
    }
}

impl Encode for Latency {
    fn encode(&self, digest: &mut Digest) {
        match *self {
            Self::Constant(span) => digest.pair(0, span.nanos()),
            Self::Uniform(min, max) => {
                digest.word(1);
                digest.pair(min.nanos(), max.nanos());
            }
            Self::HeavyTail { min, typical, max } => {
                digest.pair(2, min.nanos());
                digest.pair(typical.nanos(), max.nanos());
            }
            Self::Bimodal { fast, slow, slow_share } => {
                digest.pair(3, u64::from(slow_share.ppm()));
                digest.pair(fast.0.nanos(), fast.1.nanos());
                digest.pair(slow.0.nanos(), slow.1.nanos());
            }
        }
    }
}

/// How a directed link treats the messages on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct LinkQuality {
    /// One-way delay of each message.
    pub latency: Latency,
    /// Share of messages that are lost.
    pub loss: Ratio,
    /// Share of the others whose bytes are damaged on the way. The receiver's checksum finds out, so they are lost when
    /// they arrive.
    pub corrupt: Ratio,
    /// Share of messages that arrive twice, each copy with its own delay.
    pub duplicate: Ratio,
    /// Share of messages that are held back by up to `reorder_by` more, so that later ones overtake them.
    pub reorder: Ratio,
    /// The longest extra delay of a reordered message.
    pub reorder_by: Span,
    /// Whether messages arrive in the order in which they were sent, as on a stream. A change of the link's quality
    /// and a healing of the network begin a new stream.
    pub fifo: bool,
}

impl Default for LinkQuality {
    /// A reliable link with a constant delay of 1 ms, on which messages may overtake each other.
    fn default() -> Self {
        Self {
            latency: Latency::default(),
            loss: Ratio::ZERO,
            corrupt: Ratio::ZERO,
            duplicate: Ratio::ZERO,
            reorder: Ratio::ZERO,
            reorder_by: Span::from_millis(20),
            fifo: false,
        }
    }
}

impl Encode for LinkQuality {
    fn encode(&self, digest: &mut Digest) {
        self.latency.encode(digest);
        digest.pair(u64::from(self.loss.ppm()), u64::from(self.duplicate.ppm()));
        digest.pair(u64::from(self.reorder.ppm()), self.reorder_by.nanos());
        digest.pair(u64::from(self.fifo), u64::from(self.corrupt.ppm()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Span = Span::from_millis;

    #[test]
    fn samples_are_fixed() {
        let draws = [0, 1 << 62, 1 << 63, 0xc000_0000_0000_0000, u64::MAX - (u64::MAX >> 7), u64::MAX];
        let sampled = |latency: Latency| draws.map(|draw| latency.sample(draw).nanos());
        assert_eq!(sampled(Latency::Constant(MS(2))), [2_000_000; 6]);
        assert_eq!(
            sampled(Latency::Uniform(MS(1), MS(5))),
            [1_000_000, 2_000_000, 3_000_000, 4_000_000, 4_968_750, 5_000_000]
        );
        let tail = Latency::HeavyTail { min: MS(1), typical: MS(2), max: MS(1_000) };
        assert_eq!(sampled(tail)[..4], [1_000_000, 1_359_375, 2_000_000, 3_586_914]);
        assert!(sampled(tail)[5] > 100_000_000);
        let two = Latency::Bimodal {
            fast: (MS(1), MS(2)),
            slow: (MS(50), MS(60)),
            slow_share: Ratio::from_percent(25),
        };
        assert_eq!(sampled(two)[..2], [50_000_000, 1_000_000]);
    }

    #[test]
    fn samples_stay_in_their_range() {
        let tail = Latency::HeavyTail { min: MS(1), typical: MS(2), max: MS(30) };
        let mut draw = 1u64;
        for _ in 0..100_000 {
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            assert!((MS(1)..=MS(30)).contains(&tail.sample(draw)));
            assert!((MS(1)..=MS(5)).contains(&Latency::Uniform(MS(1), MS(5)).sample(draw)));
        }
    }

    #[test]
    fn the_tail_is_as_heavy_as_it_says() {
        let median = heavy_tail_1024ths(1 << 63);
        assert_eq!(median, 1024);
        let one_in_100 = heavy_tail_1024ths(u64::MAX - u64::MAX / 100);
        assert!((10 * 1024..40 * 1024).contains(&one_in_100), "{one_in_100}");
        let one_in_1000 = heavy_tail_1024ths(u64::MAX - u64::MAX / 1000);
        assert!((32 * 1024..180 * 1024).contains(&one_in_1000), "{one_in_1000}");
    }

    #[test]
    fn quantiles_never_fall() {
        let mut last = 0;
        for step in 0..=u16::MAX {
            let now = heavy_tail_1024ths(u64::from(step) << 48);
            assert!(now >= last, "at {step}");
            last = now;
        }
    }

    #[test]
    fn the_widest_range_does_not_overflow() {
        assert_eq!(Latency::Uniform(Span::ZERO, Span::MAX).sample(u64::MAX), Span::MAX);
        let tail = Latency::HeavyTail { min: Span::ZERO, typical: Span::MAX, max: Span::MAX };
        assert_eq!(tail.sample(u64::MAX), Span::MAX);
    }
}
