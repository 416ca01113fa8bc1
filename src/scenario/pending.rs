//! Steps about messages that are on the way, held, or to come from a node.

use crate::scenario::form::MessageKind;
use crate::scenario::link::or_target;
use crate::scenario::shorthand::shorthand;
use crate::scenario::target::Target;
use core::fmt;
use schemars::JsonSchema;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Delivers one held message at once: the oldest of those that match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliverOne {
    /// Who sent it. Must stand for one node.
    pub from: Target,
    /// Who gets it. Must stand for one node.
    pub to: Target,
    /// Only one of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
    /// Only one of this term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
    /// Only the n-th, counted from 0 for each (from, to, kind, term).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Delivers a copy: the message itself stays held. Default false.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub copy: bool,
}

impl DeliverOne {
    /// The oldest of a kind, or of all if none is given.
    #[must_use]
    pub const fn of(from: Target, to: Target, kind: Option<MessageKind>) -> Self {
        Self { from, to, kind, term: None, nth: None, copy: false }
    }
}

/// Messages in flight or held. An empty object means every one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pending {
    /// Only those from these nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Target>,
    /// Only those to these nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Target>,
    /// Only those of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
}

/// How many messages are delivered: a number, `"all"`, or `"until_quiet"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HowMany {
    /// So many, the oldest first. Fewer that match are an unmet expectation.
    Count(u32),
    /// All that are held now.
    #[default]
    All,
    /// All that are held now, then those that were sent in answer, and so on until none is held.
    UntilQuiet,
}

impl HowMany {
    fn is_all(&self) -> bool {
        *self == Self::All
    }
}

const HOW_MANY: &str = "a number, \"all\" or \"until_quiet\"";

impl Serialize for HowMany {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u32(*count),
            Self::All => serializer.serialize_str("all"),
            Self::UntilQuiet => serializer.serialize_str("until_quiet"),
        }
    }
}

impl<'de> Deserialize<'de> for HowMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HowManyVisitor;
        impl Visitor<'_> for HowManyVisitor {
            type Value = HowMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(HOW_MANY)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<HowMany, E> {
                // What is beyond is told like everything that is out of range.
                Ok(HowMany::Count(u32::try_from(number).unwrap_or(u32::MAX)))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<HowMany, E> {
                match word {
                    "all" => Ok(HowMany::All),
                    "until_quiet" => Ok(HowMany::UntilQuiet),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(HowManyVisitor)
    }
}

impl JsonSchema for HowMany {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HowMany".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How many messages: a number, 1 to 100000, or a word.",
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": 100_000 },
                { "enum": ["all", "until_quiet"] },
            ],
        })
    }
}

/// Delivers held messages at once, the oldest first. An empty object means every one that is held now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Deliver {
    /// Only those from these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Target>,
    /// Only those to these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Target>,
    /// Only those of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
    /// How many: a number, `all` (default) or `until_quiet`.
    #[serde(skip_serializing_if = "HowMany::is_all")]
    pub count: HowMany,
}

/// Lets so many more messages through, then loses everything that the nodes send, until `stop_dropping`, `heal` or the
/// end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropAfter {
    /// Who sends them.
    pub from: Target,
    /// How many of each node get through, at most 1000000.
    #[schemars(range(max = 1_000_000))]
    pub count: u32,
}

/// Leaves to chance again what pins have fixed: of every draw, or only of these. A target, or an object with `of`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(rename = "Unpin", transform = or_target)]
pub struct Unpin {
    /// Only the timeouts of these, and the messages that they send. Absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Target>,
}

shorthand!(Unpin, "a target, or an object with `of`", Target, |of| Unpin { of: Some(of) }, |full| full
    .of
    .as_ref());
