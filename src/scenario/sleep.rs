//! How long to sleep.

use crate::scenario::form::{As, PairVisitor, with_expected};
use core::fmt;
use schemars::JsonSchema;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::{Span, SpanError};

/// How long to sleep: a duration, or the shortest and the longest of a range to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// This long.
    For(Span),
    /// From the first to the second, both included, drawn.
    Between(Span, Span),
}

impl Serialize for Sleep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::For(span) => span.serialize(serializer),
            Self::Between(shortest, longest) => (shortest, longest).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Sleep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str =
            "a duration with its unit, such as \"150ms\", or a range, such as [\"10ms\", \"500ms\"]";
        struct SleepVisitor;
        impl<'de> Visitor<'de> for SleepVisitor {
            type Value = Sleep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a duration with its unit, such as \"150ms\", or a range, such as [\"10ms\", \"500ms\"]",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Sleep, E> {
                text.parse()
                    .map(Sleep::For)
                    .map_err(|error: SpanError| E::custom(with_expected(&error, EXPECTED)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Sleep, A::Error> {
                PairVisitor.visit_seq(items).map(|(shortest, longest)| Sleep::Between(shortest, longest))
            }
        }
        deserializer.deserialize_any(SleepVisitor)
    }
}

impl JsonSchema for Sleep {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sleep".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (one, pair) = (As::<Span>::json_schema(generator), As::<(Span, Span)>::json_schema(generator));
        schemars::json_schema!({
            "description": "A duration, or the shortest and the longest of a range to draw from.",
            "anyOf": [one, pair],
        })
    }
}
