//! Virtual time: an instant and a span, both whole nanoseconds in a `u64`.

use core::fmt;
use core::str::FromStr;

/// An instant of virtual time: nanoseconds since the world began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct VirtualTime(u64);

impl VirtualTime {
    /// The beginning of the world.
    pub const ZERO: Self = Self(0);
    /// The last instant that a world can reach: 2^63 - 1 ns, about 292 years.
    pub const MAX: Self = Self(u64::MAX >> 1);

    /// The instant `nanos` nanoseconds after the beginning, capped at [`Self::MAX`].
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        if nanos > Self::MAX.0 { Self::MAX } else { Self(nanos) }
    }

    /// Nanoseconds since the beginning.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The instant `span` later, capped at [`Self::MAX`].
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        // Both are at most 2^63 - 1, so the sum fits.
        Self::from_nanos(self.0 + span.0)
    }

    /// The span from `earlier` to here; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for VirtualTime {
    /// Seconds with the digits that matter, at least milliseconds: `0.308s`, `1.000250s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if nanos % 1_000_000 == 0 {
            write!(f, "{seconds}.{:03}s", nanos / 1_000_000)
        } else if nanos % 1_000 == 0 {
            write!(f, "{seconds}.{:06}s", nanos / 1_000)
        } else {
            write!(f, "{seconds}.{nanos:09}s")
        }
    }
}

/// A length of virtual time in whole nanoseconds, written `"150ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

/// The units a span can be written in, largest first.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl Span {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// The longest span: 2^63 - 1 ns, about 292 years.
    pub const MAX: Self = Self(u64::MAX >> 1);

    /// A span of `nanos` nanoseconds, capped at [`Self::MAX`].
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        if nanos > Self::MAX.0 { Self::MAX } else { Self(nanos) }
    }

    /// A span of `micros` microseconds, capped at [`Self::MAX`].
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self::from_nanos(micros.saturating_mul(1_000))
    }

    /// A span of `millis` milliseconds, capped at [`Self::MAX`].
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_nanos(millis.saturating_mul(1_000_000))
    }

    /// A span of `seconds` seconds, capped at [`Self::MAX`].
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self::from_nanos(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds in this span.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Both spans one after the other, capped at [`Self::MAX`].
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self::from_nanos(self.0 + other.0)
    }

    /// This span `count` times, capped at [`Self::MAX`].
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self::from_nanos(self.0.saturating_mul(count))
    }
}

impl fmt::Display for Span {
    /// The largest unit that divides it: `150ms`, `2s`, `1500us`. [`Span::from_str`] reads it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0ms");
        }
        for (unit, nanos) in UNITS {
            if self.0.is_multiple_of(nanos) {
                return write!(f, "{}{unit}", self.0 / nanos);
            }
        }
        unreachable!("every span is a whole number of nanoseconds")
    }
}

/// Why a text is not a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanError {
    /// It does not begin with a digit. A minus sign ends here too: spans are never negative.
    NoNumber,
    /// The number is not followed by `d`, `h`, `min`, `s`, `ms`, `us` or `ns`.
    UnknownUnit(String),
    /// More digits after the point than the unit has nanoseconds for.
    TooFine,
    /// Longer than [`Span::MAX`].
    TooLong,
}

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let example = "expected a number with a unit, such as \"150ms\" or \"1.5s\"";
        match self {
            Self::NoNumber => write!(f, "not a duration: {example}"),
            Self::UnknownUnit(unit) if unit.is_empty() => {
                write!(f, "a duration needs a unit (d, h, min, s, ms, us, ns): {example}")
            }
            Self::UnknownUnit(unit) => {
                write!(f, "unknown unit of time `{unit}`: the units are d, h, min, s, ms, us, ns")
            }
            Self::TooFine => f.write_str("finer than a nanosecond: the clock counts whole nanoseconds"),
            Self::TooLong => f.write_str("longer than the clock can count (about 292 years)"),
        }
    }
}

impl core::error::Error for SpanError {}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (whole, rest) = text.split_at(digits_end);
        if whole.is_empty() {
            return Err(SpanError::NoNumber);
        }
        let (fraction, unit) = match rest.strip_prefix('.') {
            None => ("", rest),
            Some(rest) => {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                if end == 0 {
                    return Err(SpanError::NoNumber);
                }
                rest.split_at(end)
            }
        };
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(SpanError::UnknownUnit(unit.to_string()));
        };
        let whole: u64 = whole.parse().map_err(|_| SpanError::TooLong)?;
        let mut nanos = u128::from(whole) * u128::from(*scale);
        let mut place = u128::from(*scale);
        for digit in fraction.bytes() {
            let digit = u128::from(digit - b'0');
            if digit != 0 && (place == 0 || !place.is_multiple_of(10)) {
                return Err(SpanError::TooFine);
            }
            place /= 10;
            nanos += digit * place;
        }
        match u64::try_from(nanos) {
            Ok(nanos) if nanos <= Self::MAX.0 => Ok(Self(nanos)),
            _ => Err(SpanError::TooLong),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_in_every_unit() {
        for (text, nanos) in [
            ("0ms", 0),
            ("1ns", 1),
            ("7us", 7_000),
            ("150ms", 150_000_000),
            ("1.5s", 1_500_000_000),
            ("0.25ms", 250_000),
            ("2min", 120_000_000_000),
            ("24h", 86_400_000_000_000),
            ("1d", 86_400_000_000_000),
            ("1.50000000000s", 1_500_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Span(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_span_says_why() {
        for (text, error) in [
            ("", SpanError::NoNumber),
            ("ms", SpanError::NoNumber),
            ("-1ms", SpanError::NoNumber),
            ("1.ms", SpanError::NoNumber),
            ("150", SpanError::UnknownUnit(String::new())),
            ("150 ms", SpanError::UnknownUnit(" ms".into())),
            ("1m", SpanError::UnknownUnit("m".into())),
            ("1e3ms", SpanError::UnknownUnit("e3ms".into())),
            ("0.5ns", SpanError::TooFine),
            ("0.0000005ms", SpanError::TooFine),
            ("1.05ns", SpanError::TooFine),
            ("1.00000000009s", SpanError::TooFine),
            ("99999999999999999999s", SpanError::TooLong),
            ("107000d", SpanError::TooLong),
        ] {
            assert_eq!(text.parse::<Span>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_span_is_written_as_it_is_read() {
        for text in ["0ms", "1ns", "1500us", "150ms", "2s", "90s", "36h", "3d"] {
            assert_eq!(text.parse::<Span>().map(|span| span.to_string()), Ok(text.to_string()));
        }
    }

    #[test]
    fn time_stops_at_its_end_instead_of_wrapping() {
        assert_eq!(VirtualTime::MAX.after(Span::MAX), VirtualTime::MAX);
        assert_eq!(Span::MAX.times(3), Span::MAX);
        assert_eq!(VirtualTime::ZERO.since(VirtualTime::MAX), Span::ZERO);
    }
}
