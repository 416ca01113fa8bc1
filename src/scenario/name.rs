//! Names that a scenario gives to nodes and to moments.

use crate::scenario::form::{read_text, text_form};
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name bound in a scenario: `[a-z][a-z0-9_]*`, at most 40 characters, none of the reserved words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Words that have a meaning as a target and so cannot be bound.
pub const RESERVED: &[&str] = &[
    "leader",
    "follower",
    "followers",
    "candidate",
    "candidates",
    "all",
    "but",
    "up",
    "crashed",
    "connected",
    "isolated",
    "voters",
    "learners",
    "members",
    "halted",
    "clients",
    "client",
    "minority",
    "majority",
    "others",
    "random",
    "with",
    "of",
    "term",
    "node",
    "none",
];

impl Name {
    /// Longest name, in characters.
    pub const LENGTH_MAX: usize = 40;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected a lower-case letter, then lower-case letters, digits and `_`";
        if !is_identifier(text) {
            return Err(format!("`{text}` is not a name: {expected}"));
        }
        if text.len() > Self::LENGTH_MAX {
            return Err(format!(
                "a name of {} characters: expected at most {}",
                text.len(),
                Self::LENGTH_MAX
            ));
        }
        if RESERVED.contains(&text) {
            return Err(format!("`{text}` is a reserved word: expected a name that is not a target already"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether `text` is `[a-z][a-z0-9_]*`.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a name, such as \"old\"")
    }
}

impl schemars::JsonSchema for Name {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = text_form("^[a-z][a-z0-9_]{0,39}$");
        schema
            .insert("description".into(), "A name given to a node or a moment; not a reserved word.".into());
        schema.insert("not".into(), serde_json::json!({ "enum": RESERVED }));
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words_that_mean_nothing_yet() {
        for text in ["a", "old", "new_leader", "n2"] {
            assert_eq!(text.parse::<Name>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "Old", "2n", "_a", "a b", "ä", "leader", "all", &"x".repeat(41)] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }
}
