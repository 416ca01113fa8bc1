//! The number that every draw of a run depends on.

use crate::scenario::form::text_form;
use core::fmt;
use core::str::FromStr;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The seed of a run. Written `0x2a`; read from decimal (`42`), hexadecimal (`0x2a`) or a 40-digit git hash, of which
/// the first 16 digits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seed(pub u64);

/// JSON numbers are exact up to here in every reader.
const NUMBER_MAX: u64 = 1 << 53;
const EXPECTED: &str = "a seed: decimal (\"42\"), hexadecimal (\"0x2a\") or a 40-digit git hash";

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let parsed = if text.len() == 40 && is_hex(text) {
            u64::from_str_radix(&text[..16], 16)
        } else if let Some(digits) = text.strip_prefix("0x").filter(|digits| is_hex(digits)) {
            u64::from_str_radix(digits, 16)
        } else if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse()
        } else {
            return Err(format!("`{text}` is not a seed: expected {EXPECTED}"));
        };
        parsed.map(Self).map_err(|_| format!("`{text}` is too large for a seed: expected at most 64 bits"))
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SeedVisitor;
        impl Visitor<'_> for SeedVisitor {
            type Value = Seed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Seed, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Seed, E> {
                if number > NUMBER_MAX {
                    return Err(E::custom(format!(
                        "`{number}` is above 2^53, where JSON numbers lose digits: expected text, \"{number}\""
                    )));
                }
                Ok(Seed(number))
            }
        }
        deserializer.deserialize_any(SeedVisitor)
    }
}

impl schemars::JsonSchema for Seed {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seed".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The seed of a run: decimal, hexadecimal with 0x, or a 40-digit git hash (its first 16 \
                            digits count). Numbers above 2^53 must be text.",
            "anyOf": [
                text_form("^(0x[0-9a-fA-F]{1,16}|[0-9]{1,20}|[0-9a-fA-F]{40})$"),
                { "type": "integer", "minimum": 0, "maximum": NUMBER_MAX },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_from_decimal_hexadecimal_and_git_hashes() {
        for (text, seed) in [
            ("0", 0),
            ("42", 42),
            ("0x2a", 42),
            ("0xDEADBEEF", 0xdead_beef),
            ("18446744073709551615", u64::MAX),
            ("0xffffffffffffffff", u64::MAX),
            ("0123456789abcdef0123456789abcdef01234567", 0x0123_4567_89ab_cdef),
            ("1234567890123456789012345678901234567890", 0x1234_5678_9012_3456),
        ] {
            assert_eq!(text.parse(), Ok(Seed(seed)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_seed_is_refused() {
        for text in [
            "",
            "x",
            "0x",
            "-1",
            "+1",
            "0x+1",
            "1_000",
            "2a",
            " 1",
            "18446744073709551616",
            "0x10000000000000000",
        ] {
            assert!(text.parse::<Seed>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_seed_is_written_as_it_is_read() {
        for seed in [0, 42, 1 << 53, u64::MAX] {
            assert_eq!(Seed(seed).to_string().parse(), Ok(Seed(seed)));
        }
    }
}
