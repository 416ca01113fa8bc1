//! Signed values of clocks: how fast they run beside true time, and how far they are off.

use crate::scenario::form::{read_text, text_form};
use core::fmt;
use core::str::FromStr;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::{Ratio, Span};
use std::borrow::Cow;

/// How much faster a clock runs than true time, in millionths; slower if negative. Written `"2%"` or `"-0.5%"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Drift {
    ppm: i32,
}

impl Drift {
    /// So many millionths, from -1000000 to 1000000; what is beyond counts as the end.
    #[must_use]
    pub const fn from_ppm(ppm: i32) -> Self {
        let most = Ratio::ONE.ppm().cast_signed();
        Self {
            ppm: if ppm > most {
                most
            } else if ppm < -most {
                -most
            } else {
                ppm
            },
        }
    }

    /// In millionths.
    #[must_use]
    pub const fn ppm(self) -> i32 {
        self.ppm
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.ppm < 0 { "-" } else { "" };
        write!(f, "{sign}{}", Ratio::from_ppm(self.ppm.unsigned_abs()))
    }
}

impl FromStr for Drift {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (slower, rest) = signed(text);
        let ratio: Ratio = rest.parse().map_err(|error: sim_core::RatioError| error.to_string())?;
        let ppm = ratio.ppm().cast_signed();
        Ok(Self { ppm: if slower { -ppm } else { ppm } })
    }
}

/// A jump of a clock: ahead, or back if negative. Written `"5s"` or `"-200ms"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Jump {
    back: bool,
    span: Span,
}

impl Jump {
    /// So far ahead.
    #[must_use]
    pub const fn ahead(span: Span) -> Self {
        Self { back: false, span }
    }

    /// So far back.
    #[must_use]
    pub const fn back(span: Span) -> Self {
        Self { back: span.nanos() != 0, span }
    }

    /// Whether it goes back.
    #[must_use]
    pub const fn is_back(self) -> bool {
        self.back
    }

    /// How far, whichever way.
    #[must_use]
    pub const fn span(self) -> Span {
        self.span
    }
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.back { "-" } else { "" };
        write!(f, "{sign}{}", self.span)
    }
}

impl FromStr for Jump {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (back, rest) = signed(text);
        let span: Span = rest.parse().map_err(|error: sim_core::SpanError| error.to_string())?;
        Ok(if back { Self::back(span) } else { Self::ahead(span) })
    }
}

/// Whether there is a minus, and what stands after the sign.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A value written as text: its serde and its schema.
macro_rules! as_text {
    ($type:ident, $expected:literal, $pattern:literal, $description:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read_text(deserializer, $expected)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = text_form($pattern);
                schema.insert("description".to_owned(), $description.into());
                schema
            }
        }
    };
}

as_text!(
    Drift,
    "a signed percentage, such as \"2%\" or \"-0.5%\"",
    "^[+-]?[0-9]{1,3}(\\.[0-9]+)?%$",
    "How much faster a clock runs than true time; slower if negative."
);
as_text!(
    Jump,
    "a signed duration with its unit, such as \"5s\" or \"-200ms\"",
    "^[+-]?[0-9]+(\\.[0-9]+)?(d|h|min|s|ms|us|ns)$",
    "A jump of a clock: ahead, or back if negative."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_read_and_written() {
        for (text, ppm) in
            [("2%", 20_000), ("-0.5%", -5_000), ("0%", 0), ("-0.0001%", -1), ("100%", 1_000_000)]
        {
            assert_eq!(text.parse(), Ok(Drift::from_ppm(ppm)), "{text}");
            assert_eq!(Drift::from_ppm(ppm).to_string(), text);
        }
        assert_eq!("+2%".parse(), Ok(Drift::from_ppm(20_000)));
        assert_eq!(Drift::from_ppm(i32::MIN), Drift::from_ppm(-1_000_000));
        let second = Span::from_secs(1);
        for (text, jump) in [("1s", Jump::ahead(second)), ("-1s", Jump::back(second))] {
            assert_eq!(text.parse(), Ok(jump), "{text}");
            assert_eq!(jump.to_string(), text);
        }
        assert_eq!("-0ns".parse(), Ok(Jump::default()), "nowhere is neither ahead nor back");
        assert_eq!("+1s".parse(), Ok(Jump::ahead(second)));
    }

    #[test]
    fn what_is_no_signed_value_is_refused() {
        for text in ["", "-", "2", "--2%", "101%", "-101%", "2 %"] {
            assert!(text.parse::<Drift>().is_err(), "{text}");
        }
        for text in ["", "-", "5", "--5s", "- 5s", "5m"] {
            assert!(text.parse::<Jump>().is_err(), "{text}");
        }
    }
}
