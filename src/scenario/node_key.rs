//! Node numbers as keys of objects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A node number as the key of an object: `"2"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey(pub u16);

impl core::fmt::Display for NodeKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::str::FromStr for NodeKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().map(Self);
        // One spelling each: "02" and "2" would be two keys for one node.
        number.filter(|key| key.to_string() == text).ok_or_else(|| {
            format!("`{text}` is not the number of a node: expected a number as text, such as \"2\"")
        })
    }
}

impl Serialize for NodeKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NodeKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::scenario::form::read_text(deserializer, "the number of a node as text, such as \"2\"")
    }
}

impl JsonSchema for NodeKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NodeKey".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::scenario::form::text_form("^(0|[1-9][0-9]{0,2})$")
    }
}
