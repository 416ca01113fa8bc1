//! Bounds that predicates put on numbers.

use crate::scenario::name::Name;
use crate::scenario::shorthand::{or, shorthand};
use core::fmt;
use schemars::JsonSchema;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many: a number, or an object with bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(rename = "Count", transform = count_number)]
pub struct Count {
    /// At least so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// Exactly so many.
    #[serde(alias = "exactly", skip_serializing_if = "Option::is_none")]
    pub equals: Option<u64>,
}

shorthand!(
    Count,
    "a number, or bounds such as {\"at_least\": 2}",
    u64,
    |number| Count::exactly(number),
    |count| match count {
        Count { at_least: None, at_most: None, equals } => equals.as_ref(),
        _ => None,
    }
);

fn count_number(schema: &mut schemars::Schema) {
    // Another word for `equals`, which serde does not tell schemars of.
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut)
        && let Some(equals) = properties.get("equals").cloned()
    {
        properties.insert("exactly".to_owned(), equals);
    }
    or(schema, &serde_json::json!({ "type": "integer", "minimum": 0 }));
}

impl Count {
    /// Exactly `count`.
    #[must_use]
    pub const fn exactly(count: u64) -> Self {
        Self { at_least: None, at_most: None, equals: Some(count) }
    }

    /// `count` or more.
    #[must_use]
    pub const fn at_least(count: u64) -> Self {
        Self { at_least: Some(count), at_most: None, equals: None }
    }

    /// `count` or fewer.
    #[must_use]
    pub const fn at_most(count: u64) -> Self {
        Self { at_least: None, at_most: Some(count), equals: None }
    }

    /// Whether `value` keeps every bound.
    #[must_use]
    pub fn holds(&self, value: u64) -> bool {
        self.at_least.is_none_or(|least| value >= least)
            && self.at_most.is_none_or(|most| value <= most)
            && self.equals.is_none_or(|exact| value == exact)
    }

    /// Whether it bounds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self { at_least: None, at_most: None, equals: None })
    }
}

impl fmt::Display for Count {
    /// `exactly 3`, `at least 2 and at most 4`, `any number`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds = [("exactly", self.equals), ("at least", self.at_least), ("at most", self.at_most)];
        let said: Vec<String> =
            bounds.iter().filter_map(|(word, bound)| bound.map(|bound| format!("{word} {bound}"))).collect();
        f.write_str(if said.is_empty() { "any number" } else { "" })?;
        f.write_str(&said.join(" and "))
    }
}

/// A term: a number, or the one remembered under a name by a mark or a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermRef {
    /// This term.
    Number(u64),
    /// The term remembered under this name.
    Name(Name),
}

/// An index: a number, or the one remembered under the name of a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexRef {
    /// This index.
    Number(u64),
    /// The index of the same kind remembered at this mark.
    Mark(Name),
}

/// How a number that may be remembered under a name is written: as the number, or as the name.
macro_rules! number_or_name {
    ($type:ident, $name:ident, $expected:literal, $description:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Number(number) => serializer.serialize_u64(*number),
                    Self::$name(name) => name.serialize(serializer),
                }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Either;
                impl Visitor<'_> for Either {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_u64<E: Error>(self, number: u64) -> Result<$type, E> {
                        Ok($type::Number(number))
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map($type::$name).map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Either)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let name = generator.subschema_for::<Name>();
                schemars::json_schema!({
                    "description": $description,
                    "anyOf": [{ "type": "integer", "minimum": 0 }, name],
                })
            }
        }
    };
}

number_or_name!(
    TermRef,
    Name,
    "the number of a term, or a name that remembers one",
    "The number of a term, or a name under which one is remembered."
);
number_or_name!(
    IndexRef,
    Mark,
    "an index, or the name of a mark",
    "An index, or the name of a mark at which one is remembered."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_include_their_ends() {
        let both = Count { at_least: Some(2), at_most: Some(4), equals: None };
        let held = |count: Count| (0..6).filter(|value| count.holds(*value)).collect::<Vec<u64>>();
        assert_eq!(held(both), [2, 3, 4]);
        assert_eq!(held(Count::exactly(3)), [3]);
        assert_eq!(held(Count::at_least(4)), [4, 5]);
        assert_eq!(held(Count::at_most(1)), [0, 1]);
        assert_eq!(held(Count::default()), [0, 1, 2, 3, 4, 5]);
        assert_eq!(both.to_string(), "at least 2 and at most 4");
        assert_eq!(Count::default().to_string(), "any number");
    }
}
