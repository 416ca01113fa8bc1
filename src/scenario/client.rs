//! Steps about clients of the key-value machine: single calls, and the clients of a workload.

use crate::scenario::defaults::{is_within_default, is_yes, within_default, yes};
use crate::scenario::form::{As, read_text, text_form};
use crate::scenario::link::or_target;
use crate::scenario::name::Name;
use crate::scenario::read_step::ReadKind;
use crate::scenario::shorthand::{or, shorthand, tagged};
use crate::scenario::step::WITHIN_DEFAULT;
use crate::scenario::target::Target;
use core::fmt;
use core::str::FromStr;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::Span;

/// A key of the key-value machine: 1 to 40 lower-case letters, digits and `_`. `k7` is key 7 of the workload; any other
/// name stands for a key that the workload does not use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Longest key, in characters.
    pub const LENGTH_MAX: usize = 40;

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of the workload's key that it names, if it names one.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        let digits = self.0.strip_prefix('k')?;
        let number = digits.parse().ok()?;
        // One spelling each: `k07` is a name like any other.
        (format!("{number}") == digits).then_some(number)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_key = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_key || text.is_empty() || text.len() > Self::LENGTH_MAX {
            return Err(format!(
                "`{text}` is not a key: expected 1 to {} lower-case letters, digits and `_`",
                Self::LENGTH_MAX
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a key, such as \"x\"")
    }
}

impl JsonSchema for Key {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = text_form("^[a-z0-9_]{1,40}$");
        let description = "A key: `k7` is key 7 of the workload, any other name a key of its own.";
        schema.insert("description".to_owned(), description.into());
        schema
    }
}

/// What a call does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Reads the value.
    Get(Keyed),
    /// Writes a value.
    Put(KeyValue),
    /// Writes a value if another one is there.
    Cas(CompareAndSwap),
    /// Puts text behind the value.
    Append(KeyValue),
    /// Removes the value.
    Delete(Keyed),
}

impl Operation {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::Get(_) => OperationKind::Get,
            Self::Put(_) => OperationKind::Put,
            Self::Cas(_) => OperationKind::Cas,
            Self::Append(_) => OperationKind::Append,
            Self::Delete(_) => OperationKind::Delete,
        }
    }
}

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Reading a value.
    Get,
    /// Writing a value.
    Put,
    /// Writing a value if another one is there.
    Cas,
    /// Putting text behind a value.
    Append,
    /// Removing a value.
    Delete,
}

/// A key: as text, or an object with `key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Keyed", transform = or_key)]
pub struct Keyed {
    /// The key.
    pub key: Key,
}

shorthand!(Keyed, "a key as text, or an object with `key`", Key, |key| Keyed { key }, |full| Some(&full.key));

fn or_key(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "$ref": "#/$defs/Key" }));
}

/// A key and what is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyValue {
    /// The key.
    pub key: Key,
    /// The text, at most 1000 bytes.
    #[schemars(length(max = 1_000))]
    pub value: String,
}

/// Writes a value if another one is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareAndSwap {
    /// The key.
    pub key: Key,
    /// What must be there. Absent: nothing must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1_000))]
    pub expected: Option<String>,
    /// The text that is written, at most 1000 bytes.
    #[schemars(length(max = 1_000))]
    pub value: String,
}

/// What a call must come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[schemars(rename = "CallAnswer")]
pub enum CallAnswer {
    /// It is done; of a read, a value is there.
    Ok,
    /// The value read, or the one that a `cas` found instead of what it expected.
    Value(String),
    /// A `cas` found something else than it expected, and did nothing.
    Mismatch,
    /// There is no value under this key.
    NotFound,
    /// No answer came in time.
    Timeout,
    /// The node that was asked says that it does not lead.
    NotLeader,
}

tagged!(
    CallAnswer,
    "one of \"ok\", \"mismatch\", \"not_found\", \"timeout\" and \"not_leader\", or {\"value\": \"1\"}"
);

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// It was done, or a value was read.
    Ok,
    /// A `cas` found something else than it expected.
    Mismatch,
    /// There was no value under the key.
    NotFound,
    /// The client gave up: nobody knows whether it was done, or may yet be.
    Unknown,
    /// Nothing yet.
    Pending,
}

/// One call of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Who calls. Each name is one client with a session of its own, which makes one call at a time; elsewhere it is the
    /// target `client` with this name. Default caller.
    #[serde(default = "caller", skip_serializing_if = "is_caller")]
    pub client: Name,
    /// The only node that is asked; must stand for one. Absent: the client finds the leader, as those of a workload do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Target>,
    /// What it does.
    pub op: Operation,
    /// How a `get` is served. Absent: through the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ReadKind>,
    /// What must come of it. Absent: anything. If the call is not waited for, it is checked when the call comes back, and
    /// at the latest by `await_clients` or at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<CallAnswer>,
    /// For how long the client tries at most. Default 5s.
    #[serde(default = "within_default", with = "As::<Span>", skip_serializing_if = "is_within_default")]
    pub within: Span,
    /// Whether the scenario waits for what comes of it. Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub wait: bool,
    /// Gives the node that answered a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<Name>,
}

impl Call {
    /// A call of the default client, which is waited for.
    #[must_use]
    pub fn of(op: Operation) -> Self {
        Self {
            client: caller(),
            to: None,
            op,
            kind: None,
            expect: None,
            within: WITHIN_DEFAULT,
            wait: true,
            bind: None,
        }
    }
}

/// The client that makes the calls which name none.
fn caller() -> Name {
    "caller".parse().expect("it is a name")
}

fn is_caller(name: &Name) -> bool {
    name.as_str() == "caller"
}

/// Clients of the workload: a target, or an object with `clients`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(rename = "ClientSet", transform = or_target)]
pub struct ClientSet {
    /// The clients, none of which makes calls. Default: all of the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Target>,
}

shorthand!(
    ClientSet,
    "a target, or an object with `clients`",
    Target,
    |clients| ClientSet { clients: Some(clients) },
    |full| full.clients.as_ref()
);

/// Lets time pass until clients have nothing left to do. The scenario fails if they still have when the time is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AwaitClients {
    /// The clients. Default: clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Target>,
    /// For how long to wait at most. Default 5s.
    #[serde(with = "As::<Span>", skip_serializing_if = "is_within_default")]
    pub within: Span,
}

impl Default for AwaitClients {
    fn default() -> Self {
        Self { clients: None, within: WITHIN_DEFAULT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_workload_have_one_spelling() {
        let number = |text: &str| text.parse::<Key>().map(|key| key.number());
        assert_eq!(number("k7"), Ok(Some(7)));
        assert_eq!(number("k0"), Ok(Some(0)));
        for other in ["x", "k", "k07", "k_7", "7", "k99999999999"] {
            assert_eq!(number(other), Ok(None), "{other}");
        }
        for wrong in ["", "X", "a b", "ä", &"x".repeat(41)] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }
}
