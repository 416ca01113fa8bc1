//! How values from elsewhere are written in a scenario: `#[serde(with = "As::<Span>")]` reads and writes one with a
//! message that says what was expected, and gives its schema.

use crate::record::{MESSAGE_KINDS, Role};
use crate::scenario::suggest::did_you_mean;
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::{InFlight, Latency, Ratio, Span};
use std::borrow::Cow;

/// A value with a form of its own in scenario files.
pub(crate) trait Form: Sized {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// The form of `T`, where serde and schemars ask for a type.
pub(crate) struct As<T>(PhantomData<T>);

impl<T: Form> As<T> {
    pub(crate) fn serialize<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.write(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

impl<T: Form> JsonSchema for As<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Form".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

/// The schema of a text that matches `pattern`.
pub(crate) fn text_form(pattern: &str) -> Schema {
    json_schema!({ "type": "string", "pattern": pattern })
}

/// A text that [`FromStr`] reads; anything else is answered with what was expected.
pub(crate) fn read_text<'de, T, D>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    T: FromStr,
    T::Err: fmt::Display,
    D: Deserializer<'de>,
{
    struct TextVisitor<T>(&'static str, PhantomData<T>);
    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(|error| E::custom(with_expected(&error, self.0)))
        }
    }
    deserializer.deserialize_str(TextVisitor(expected, PhantomData))
}

/// The error, with what was expected where it does not say so itself.
pub(crate) fn with_expected(error: &impl fmt::Display, expected: &str) -> String {
    let error = error.to_string();
    if error.contains("expected") { error } else { format!("{error}: expected {expected}") }
}

impl Form for Span {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a duration with its unit, such as \"150ms\" or \"1.5s\"")
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_form("^[0-9]+(\\.[0-9]+)?(d|h|min|s|ms|us|ns)$")
    }
}

impl Form for Ratio {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a percentage, such as \"10%\" or \"0.5%\"")
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_form("^[0-9]{1,3}(\\.[0-9]+)?%$")
    }
}

impl Form for Latency {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        LatencyForm::serialize(self, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LatencyForm::deserialize(deserializer)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<LatencyForm>()
    }
}

/// How long something takes, drawn anew each time.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Latency", rename_all = "snake_case", deny_unknown_fields)]
enum LatencyForm {
    /// Always the same.
    Constant(#[serde(with = "As::<Span>")] Span),
    /// From the first to the second, both included, equally likely.
    Uniform(#[serde(with = "As::<Span>")] Span, #[serde(with = "As::<Span>")] Span),
    /// Mostly about `typical`, never below `min`, sometimes up to `max`.
    HeavyTail {
        /// The shortest possible.
        #[serde(with = "As::<Span>")]
        min: Span,
        /// The median.
        #[serde(with = "As::<Span>")]
        typical: Span,
        /// The longest possible.
        #[serde(with = "As::<Span>")]
        max: Span,
    },
    /// A fast path, and a slow one that is taken now and then.
    Bimodal {
        /// The range of the fast path.
        #[serde(with = "As::<(Span, Span)>")]
        fast: (Span, Span),
        /// The range of the slow path.
        #[serde(with = "As::<(Span, Span)>")]
        slow: (Span, Span),
        /// How often the slow path is taken.
        #[serde(with = "As::<Ratio>")]
        slow_share: Ratio,
    },
}

impl Form for Role {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["follower", "candidate", "leader", "pre_candidate"] })
    }
}

impl Form for InFlight {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["drop", "keep"] })
    }
}

/// A kind of message, by its name in [`MESSAGE_KINDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageKind(u8);

impl MessageKind {
    /// The kind at `index` in [`MESSAGE_KINDS`].
    #[must_use]
    pub fn from_index(index: u8) -> Option<Self> {
        (usize::from(index) < MESSAGE_KINDS.len()).then_some(Self(index))
    }

    /// Its index in [`MESSAGE_KINDS`].
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        MESSAGE_KINDS[usize::from(self.0)]
    }
}

impl FromStr for MessageKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = (0..).zip(MESSAGE_KINDS).find(|(_, name)| **name == text);
        found.map(|(index, _)| Self(index)).ok_or_else(|| {
            let hint = did_you_mean(text, MESSAGE_KINDS.iter().copied());
            format!("unknown kind of message `{text}`: expected {}{hint}", MESSAGE_KINDS.join(", "))
        })
    }
}

impl Serialize for MessageKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for MessageKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "the name of a kind of message, such as \"AppendEntries\"")
    }
}

impl JsonSchema for MessageKind {
    fn schema_name() -> Cow<'static, str> {
        "MessageKind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A kind of message.", "enum": MESSAGE_KINDS })
    }
}

impl<T: Form> Form for Option<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OptionVisitor<T>(PhantomData<T>);
        impl<'de, T: Form> Visitor<'de> for OptionVisitor<T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
                T::read(deserializer).map(Some)
            }
        }
        deserializer.deserialize_option(OptionVisitor(PhantomData))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = T::schema(generator);
        json_schema!({ "anyOf": [inner, { "type": "null" }] })
    }
}

/// Elements of a list, each in its form.
struct Element<T>(T);

impl<T: Form> Serialize for Element<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

impl<'de, T: Form> Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Element)
    }
}

impl<T: Form> Form for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Element))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let elements = Vec::<Element<T>>::deserialize(deserializer)?;
        Ok(elements.into_iter().map(|element| element.0).collect())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = T::schema(generator);
        json_schema!({ "type": "array", "items": inner })
    }
}

impl Form for (Span, Span) {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(2, PairVisitor)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let span = Span::schema(generator);
        json_schema!({ "type": "array", "items": span, "minItems": 2, "maxItems": 2 })
    }
}

/// Reads the shortest and the longest of a range.
pub(crate) struct PairVisitor;

impl<'de> Visitor<'de> for PairVisitor {
    type Value = (Span, Span);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shortest and the longest duration, such as [\"150ms\", \"300ms\"]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(Span, Span), A::Error> {
        let mut next = |count| {
            let item = items.next_element::<Element<Span>>()?;
            item.map(|element| element.0).ok_or_else(|| A::Error::invalid_length(count, &self))
        };
        let pair = (next(0)?, next(1)?);
        if items.next_element::<serde::de::IgnoredAny>()?.is_some() {
            return Err(A::Error::invalid_length(3, &self));
        }
        Ok(pair)
    }
}
