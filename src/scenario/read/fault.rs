//! What serde finds wrong, in the words of the format.

use crate::scenario::path::{Path, Segment};
use crate::scenario::suggest::did_you_mean;
use core::fmt;
use jsonc_parser::common::Range;
use serde::de::{Error, Expected, Unexpected};

/// The first value that does not fit, and where it stands.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The first line says what is wrong, the others are help.
    pub(crate) message: String,
    pub(crate) range: Option<Range>,
    /// From the value up to the document.
    reversed: Vec<Segment>,
}

impl Fault {
    /// The fault stands at `range`, unless a place nearer to it is known.
    pub(crate) fn at(mut self, range: Range) -> Self {
        self.range.get_or_insert(range);
        self
    }

    /// The value stands within another, at `segment`.
    pub(crate) fn within(mut self, segment: Segment) -> Self {
        self.reversed.push(segment);
        self
    }

    pub(crate) fn path(&self) -> Path {
        Path(self.reversed.iter().rev().cloned().collect())
    }

    /// At most 60 characters of a text from the file.
    pub(crate) fn short(text: &str) -> String {
        match text.char_indices().nth(60) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        }
    }

    /// "`a`, `b` or `c`".
    pub(crate) fn one_of(words: &[&str]) -> String {
        match words {
            [] => "nothing".to_owned(),
            [only] => format!("`{only}`"),
            [first @ .., last] => {
                let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
                format!("{} or `{last}`", first.join(", "))
            }
        }
    }

    /// What serde's derived code calls by Rust names, in words of JSON.
    fn expected(expected: &dyn Expected) -> String {
        let text = expected.to_string();
        let mut words = text.split(' ');
        let first = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        match first {
            ("u8", "") => format!("a whole number from 0 to {}", u8::MAX),
            ("u16", "") => format!("a whole number from 0 to {}", u16::MAX),
            ("u32", "") => format!("a whole number from 0 to {}", u32::MAX),
            ("u64" | "usize", "") => format!("a whole number from 0 to {}", u64::MAX),
            ("struct", _) | ("a", "map") => "an object".to_owned(),
            ("enum", _) | ("variant", _) => "a word".to_owned(),
            ("a", "sequence") => "a list".to_owned(),
            ("a", "boolean") => "true or false".to_owned(),
            ("a", "string") => "text in quotes".to_owned(),
            // The only lists of fixed length that derived code reads are ranges.
            ("tuple", "variant") => {
                "the shortest and the longest duration, such as [\"1ms\", \"5ms\"]".to_owned()
            }
            _ => text,
        }
    }

    fn found(unexpected: &Unexpected<'_>) -> String {
        match unexpected {
            Unexpected::Bool(truth) => truth.to_string(),
            Unexpected::Unsigned(number) => format!("the number {number}"),
            Unexpected::Signed(number) => format!("the number {number}"),
            Unexpected::Str(text) => format!("the text \"{}\"", Self::short(text)),
            Unexpected::Unit | Unexpected::Option => "null".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "an object".to_owned(),
            Unexpected::Other(words) => (*words).to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), range: None, reversed: Vec::new() }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("found {}: expected {}", Self::found(&unexpected), Self::expected(expected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let items = if length == 1 { "1 element" } else { &format!("{length} elements") };
        Self::custom(format!("a list with {items}: expected {}", Self::expected(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let what = match expected {
            ["sleep", ..] => "verb",
            ["single_leader", ..] => "predicate",
            ["election_safety", ..] => "property",
            _ => "word",
        };
        let hint = did_you_mean(variant, expected.iter().copied());
        Self::custom(format!(
            "unknown {what} `{}`: expected {}{hint}",
            Self::short(variant),
            Self::one_of(expected)
        ))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = did_you_mean(field, expected.iter().copied());
        Self::custom(format!(
            "unknown field `{}`: expected {}{hint}",
            Self::short(field),
            Self::one_of(expected)
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("`{field}` is missing: expected the field `{field}` here"))
    }
}
