//! Steps that hold other steps, assertions, and commands.

use crate::scenario::answer::Answer;
use crate::scenario::defaults::{is_leader, is_one, leader, one};
use crate::scenario::name::Name;
use crate::scenario::predicate::Predicate;
use crate::scenario::shorthand::{or, shorthand};
use crate::scenario::step::Step;
use crate::scenario::target::Target;
use core::fmt;
use schemars::JsonSchema;
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What must hold now: a predicate, or an object with `that`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Assert", transform = or_predicate)]
pub struct Assert {
    /// What must hold.
    pub that: Predicate,
    /// Gives the node that the predicate is about (the leader of `single_leader`) a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<Name>,
}

fn or_predicate(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "$ref": "#/$defs/Predicate" }));
}

impl Serialize for Assert {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.bind {
            None => Serialize::serialize(&self.that, serializer),
            Some(_) => Self::serialize(self, serializer),
        }
    }
}

/// The keys that [`Assert`] has beside those of a predicate.
const ASSERT_KEYS: &[&str] = &["that", "bind"];

impl<'de> Deserialize<'de> for Assert {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AssertVisitor;
        impl<'de> Visitor<'de> for AssertVisitor {
            type Value = Assert;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a predicate, or an object with `that`")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Assert, E> {
                let word = serde::de::IntoDeserializer::into_deserializer(word);
                <Predicate as Deserialize>::deserialize(word).map(|that| Assert { that, bind: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Assert, A::Error> {
                let (mut that, mut bind, mut bare) = (None, None, false);
                while let Some(key) = map.next_key_seed(AssertKey { bare })? {
                    match key.as_str() {
                        "that" => that = Some(map.next_value()?),
                        "bind" => bind = Some(map.next_value()?),
                        _ => {
                            bare = true;
                            that = Some(map.next_value_seed(Tagged(&key))?);
                        }
                    }
                }
                let that = that.ok_or_else(|| A::Error::missing_field("that"))?;
                Ok(Assert { that, bind })
            }
        }
        deserializer.deserialize_any(AssertVisitor)
    }
}

/// Reads a key of [`Assert`] or the name of a predicate, and refuses anything after the latter.
struct AssertKey {
    bare: bool,
}

impl<'de> DeserializeSeed<'de> for AssertKey {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let key = String::deserialize(deserializer)?;
        if self.bare {
            return Err(D::Error::custom(format!(
                "`{key}` does not belong beside a bare predicate: expected one predicate\nwith more than the predicate, \
                 write {{\"that\": …, \"bind\": …}}"
            )));
        }
        if ASSERT_KEYS.contains(&key.as_str()) || Predicate::NAMES.contains(&key.as_str()) {
            return Ok(key);
        }
        Err(D::Error::unknown_variant(&key, Predicate::NAMES))
    }
}

/// Reads what stands after the name of a predicate.
struct Tagged<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Tagged<'_> {
    type Value = Predicate;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Predicate, D::Error> {
        Predicate::deserialize(crate::scenario::shorthand::Known::new(self.0, deserializer))
    }
}

/// Commands for nodes: one command as text, which goes to the leader, or an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Propose", transform = command_text)]
pub struct Propose {
    /// Each of these nodes gets the command. Default: leader.
    #[serde(default = "leader", skip_serializing_if = "is_leader")]
    pub to: Target,
    /// The command. With `count`, `x` stands for `x1`, `x2`, … up to `x<count>`.
    pub command: String,
    /// How many commands to hand over at once, 1 to 10000. Absent: the one command, as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub count: Option<u32>,
    /// Pads each command to so many bytes, at most 1048576.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_048_576))]
    pub bytes: Option<u32>,
    /// What each node must answer: `accepted`, `refused`, why it refuses, or `any` (default).
    #[serde(default, skip_serializing_if = "Answer::is_any")]
    pub expect: Answer,
    /// Gives the node that took the command a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<Name>,
}

shorthand!(
    Propose,
    "a command as text, or an object with `command`",
    String,
    |command| Propose::to_leader(command),
    |full| (*full == Propose::to_leader(full.command.as_str())).then_some(&full.command)
);

impl Propose {
    /// One command for the leader.
    #[must_use]
    pub fn to_leader(command: impl Into<String>) -> Self {
        let command = command.into();
        Self { to: Target::Leader, command, count: None, bytes: None, expect: Answer::Any, bind: None }
    }

    /// The commands, each by its own text, before padding.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        match self.count {
            None => vec![self.command.clone()],
            Some(count) => (1..=count).map(|number| format!("{}{number}", self.command)).collect(),
        }
    }
}

fn command_text(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "type": "string" }));
}

/// Does steps several times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How often, 1 to 1000.
    #[schemars(range(min = 1, max = 1_000))]
    pub times: u32,
    /// What to do each time. `{round}` in any text of these steps stands for the number of the round, from 1; in a
    /// `repeat` within, for that of the inner one.
    pub steps: Vec<Step>,
}

/// One branch of a `choose`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// How likely it is beside the others, 1 to 1000000. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub weight: u32,
    /// What to do. May be empty.
    pub steps: Vec<Step>,
}

/// Does one branch or the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct If {
    /// What is asked.
    pub that: Predicate,
    /// What to do if it holds now.
    pub then: Vec<Step>,
    /// What to do if not. Default: nothing.
    #[serde(default, rename = "else", skip_serializing_if = "Vec::is_empty")]
    pub otherwise: Vec<Step>,
}
