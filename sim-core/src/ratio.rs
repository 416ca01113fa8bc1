//! A probability as a whole number of parts per million.

use core::fmt;
use core::str::FromStr;

/// A probability from 0 to 1 in steps of one millionth, written `"2.5%"`. No floating point takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ratio(u32);

impl Ratio {
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(1_000_000);

    /// `parts` in a million, capped at [`Self::ONE`].
    #[must_use]
    pub const fn from_ppm(parts: u32) -> Self {
        if parts > Self::ONE.0 { Self::ONE } else { Self(parts) }
    }

    /// `percent` in a hundred, capped at [`Self::ONE`].
    #[must_use]
    pub const fn from_percent(percent: u32) -> Self {
        Self::from_ppm(percent.saturating_mul(10_000))
    }

    /// Parts in a million, 0 to 1,000,000.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// Whether an event of this probability happens for the 32 drawn bits `draw`.
    ///
    /// [`Self::ZERO`] never happens and [`Self::ONE`] always does, whatever is drawn.
    #[must_use]
    pub const fn happens(self, draw: u32) -> bool {
        // draw / 2^32 < ppm / 10^6, without division.
        (draw as u64) * 1_000_000 < (self.0 as u64) << 32
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 {
            write!(f, "{percent}%")
        } else {
            let digits = format!("{rest:04}");
            write!(f, "{percent}.{}%", digits.trim_end_matches('0'))
        }
    }
}

/// Why a text is not a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatioError {
    /// It is not a number followed by `%`.
    NotPercent,
    /// More than four digits after the point.
    TooFine,
    /// More than 100 %.
    AboveOne,
}

impl fmt::Display for RatioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPercent => "not a rate: expected a percentage, such as \"10%\" or \"0.5%\"",
            Self::TooFine => "rates have at most four digits after the point (0.0001% is one in a million)",
            Self::AboveOne => "a rate is at most 100%",
        })
    }
}

impl core::error::Error for RatioError {}

impl FromStr for Ratio {
    type Err = RatioError;

    fn from_str(text: &str) -> Result<Self, RatioError> {
        let number = text.strip_suffix('%').ok_or(RatioError::NotPercent)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(RatioError::NotPercent);
        }
        let fraction = match fraction.trim_end_matches('0') {
            "" => 0,
            digits if digits.len() > 4 => return Err(RatioError::TooFine),
            digits => format!("{digits:0<4}").parse::<u32>().map_err(|_| RatioError::NotPercent)?,
        };
        let whole: u32 = whole.parse().map_err(|_| RatioError::AboveOne)?;
        match whole.checked_mul(10_000).and_then(|ppm| ppm.checked_add(fraction)) {
            Some(ppm) if ppm <= Self::ONE.0 => Ok(Self(ppm)),
            _ => Err(RatioError::AboveOne),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Ratio {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Ratio {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_read_and_written() {
        for (text, ppm, back) in [
            ("0%", 0, "0%"),
            ("100%", 1_000_000, "100%"),
            ("2.5%", 25_000, "2.5%"),
            ("0.0001%", 1, "0.0001%"),
            ("12.50%", 125_000, "12.5%"),
        ] {
            assert_eq!(text.parse(), Ok(Ratio(ppm)), "{text}");
            assert_eq!(Ratio(ppm).to_string(), back);
        }
    }

    #[test]
    fn what_is_not_a_ratio_says_why() {
        for (text, error) in [
            ("10", RatioError::NotPercent),
            ("-1%", RatioError::NotPercent),
            ("%", RatioError::NotPercent),
            (".5%", RatioError::NotPercent),
            ("1.%", RatioError::NotPercent),
            ("0.00001%", RatioError::TooFine),
            ("100.0001%", RatioError::AboveOne),
            ("99999999999%", RatioError::AboveOne),
        ] {
            assert_eq!(text.parse::<Ratio>(), Err(error), "{text}");
        }
    }

    #[test]
    fn the_ends_are_certain_and_the_middle_is_exact() {
        for draw in [0, 1, u32::MAX / 2, u32::MAX] {
            assert!(!Ratio::ZERO.happens(draw));
            assert!(Ratio::ONE.happens(draw));
        }
        let half = Ratio::from_percent(50);
        assert!(half.happens((1 << 31) - 1));
        assert!(!half.happens(1 << 31));
    }
}
