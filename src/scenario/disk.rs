//! Steps about disks: writes that wait, fail, lie, tear or rot, and crashes that keep part of them.

use crate::scenario::defaults::{is_one, is_yes, one, yes};
use crate::scenario::form::As;
use crate::scenario::link::or_target;
use crate::scenario::shorthand::shorthand;
use crate::scenario::storage::Keep;
use crate::scenario::target::Target;
use core::fmt;
use schemars::JsonSchema;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::Latency;

/// A file of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum File {
    /// The write-ahead log.
    Log,
    /// The second copy of the end of the log.
    Tail,
    /// The newest snapshot.
    Snapshot,
}

/// Stops nodes: they lose their memory, and of the writes that are not durable what their disk says. A target, or an
/// object with `nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Crash", transform = or_target)]
pub struct Crash {
    /// The nodes.
    pub nodes: Target,
    /// What this crash keeps of the writes that are not durable: `lose`, `prefix` or `any`. Default: what the disk does
    /// by `storage` or the last `set_crash_mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// Whether the last write that it keeps may be torn. Default: as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<bool>,
}

shorthand!(
    Crash,
    "a target, or an object with `nodes`, `keep` and `torn`",
    Target,
    |nodes| Crash::of(nodes),
    |full| (full.keep.is_none() && full.torn.is_none()).then_some(&full.nodes)
);

impl Crash {
    /// A crash of these nodes that keeps what their disks say.
    #[must_use]
    pub const fn of(nodes: Target) -> Self {
        Self { nodes, keep: None, torn: None }
    }
}

/// The number of an operation on a node's files: counted from 1 over all its lives, or from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationRef {
    /// The one with this number since the beginning. Written as a number.
    Number(u64),
    /// The k-th from now on. Written `"+3"`; `"next"` is `"+1"`.
    Coming(u64),
}

const OPERATION: &str = "the number of an operation, \"next\", or one of those to come, such as \"+3\"";

impl Serialize for OperationRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Coming(1) => serializer.serialize_str("next"),
            Self::Coming(count) => serializer.collect_str(&format_args!("+{count}")),
        }
    }
}

impl<'de> Deserialize<'de> for OperationRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OperationVisitor;
        impl Visitor<'_> for OperationVisitor {
            type Value = OperationRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(OPERATION)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<OperationRef, E> {
                Ok(OperationRef::Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OperationRef, E> {
                if text == "next" {
                    return Ok(OperationRef::Coming(1));
                }
                let digits =
                    text.strip_prefix('+').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
                let count = digits.and_then(|digits| digits.parse().ok());
                count
                    .map(OperationRef::Coming)
                    .ok_or_else(|| E::custom(format!("`{text}` is no operation: expected {OPERATION}")))
            }
        }
        deserializer.deserialize_any(OperationVisitor)
    }
}

impl JsonSchema for OperationRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OperationRef".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An operation on files: its number from 1 since the beginning, \"next\", or the k-th from now, \
                            such as \"+3\".",
            "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": "^(next|\\+[0-9]+)$" }],
        })
    }
}

/// Where in an operation a node crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CrashPoint {
    /// It is not done.
    Before,
    /// A drawn beginning of it is done.
    Torn,
    /// It is done, and nothing after it.
    #[default]
    After,
}

impl CrashPoint {
    fn is_after(&self) -> bool {
        *self == Self::After
    }
}

/// Lets a node crash at one of its operations on files: an append, a replacement, a sync begun or a sync completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashAt {
    /// The node. Must stand for one.
    pub node: Target,
    /// At which operation.
    pub operation: OperationRef,
    /// Where in it: `before`, `torn` or `after` (default).
    #[serde(default, skip_serializing_if = "CrashPoint::is_after")]
    pub when: CrashPoint,
}

/// Changes what crashes keep of the writes that are not durable, from now on. At least one of the two must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCrashMode {
    /// The nodes.
    pub nodes: Target,
    /// What they keep: `lose`, `prefix` or `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// Whether the last write that a crash keeps may be torn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<bool>,
}

/// What a disk does when it is told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskOperation {
    /// An append to a file, or a replacement of one.
    Append,
    /// Making what was written durable.
    Fsync,
}

/// Lets one coming operation of a disk fail, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailWrite {
    /// The nodes.
    pub nodes: Target,
    /// What fails: `append` or `fsync`.
    pub what: DiskOperation,
    /// After so many of its kind that succeed, at most 1000000. Default 0: the next one.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(max = 1_000_000))]
    pub after: u64,
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Fills disks: what does not fit any more fails. A target, or an object with `nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "FillDisk", transform = or_target)]
pub struct FillDisk {
    /// The nodes.
    pub nodes: Target,
    /// How many bytes are left free. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub free: u64,
}

shorthand!(
    FillDisk,
    "a target, or an object with `nodes` and `free`",
    Target,
    |nodes| FillDisk { nodes, free: 0 },
    |full| (full.free == 0).then_some(&full.nodes)
);

/// Changes how long writes take from now on. At least one of the two must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowDisk {
    /// The nodes.
    pub nodes: Target,
    /// How long a write takes to become durable.
    #[serde(default, with = "As::<Option<Latency>>", skip_serializing_if = "Option::is_none")]
    pub write: Option<Latency>,
    /// How much later the node hears of it.
    #[serde(default, with = "As::<Option<Latency>>", skip_serializing_if = "Option::is_none")]
    pub notice: Option<Latency>,
}

/// A place in a file: an offset in bytes from its beginning, or `"random"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilePlace {
    /// At this offset.
    Offset(u64),
    /// Drawn.
    #[default]
    Random,
}

impl FilePlace {
    fn is_random(&self) -> bool {
        *self == Self::Random
    }
}

impl Serialize for FilePlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Offset(offset) => serializer.serialize_u64(*offset),
            Self::Random => serializer.serialize_str("random"),
        }
    }
}

impl<'de> Deserialize<'de> for FilePlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlaceVisitor;
        impl Visitor<'_> for PlaceVisitor {
            type Value = FilePlace;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an offset in bytes, or \"random\"")
            }

            fn visit_u64<E: Error>(self, offset: u64) -> Result<FilePlace, E> {
                Ok(FilePlace::Offset(offset))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<FilePlace, E> {
                match word {
                    "random" => Ok(FilePlace::Random),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(PlaceVisitor)
    }
}

impl JsonSchema for FilePlace {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FilePlace".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A place in a file: an offset in bytes from its beginning, or drawn.",
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "enum": ["random"] }],
        })
    }
}

/// Flips bits of what is durable. Nobody notices before it is read, when the node starts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rot {
    /// The nodes.
    pub nodes: Target,
    /// In this file: `log`, `tail` or `snapshot`.
    pub file: File,
    /// Where the damage begins. Default random.
    #[serde(default, skip_serializing_if = "FilePlace::is_random")]
    pub at: FilePlace,
    /// How many bits of the byte there are flipped, 1 to 8. Which ones is drawn. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 8))]
    pub bits: u32,
}

/// Lets the next append to a file land over older bytes of it, and leave zeros where it belongs. A node mends what is bad in
/// the log or in its tail from the other, and does not start if more is bad. Only the newest writes, bad in both, can pass
/// for torn ones: a node that loses them so is not to blame, and what rests on its disk is not judged any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MisdirectWrite {
    /// The nodes.
    pub nodes: Target,
    /// The file: `log`, `tail` or `snapshot`.
    pub file: File,
    /// Where it lands. Default random.
    #[serde(default, skip_serializing_if = "FilePlace::is_random")]
    pub at: FilePlace,
}

/// Lets disks say that what was written is durable when it is not: a target, or an object with `nodes`. What they lied
/// about is lost by a crash, unless an honest sync came after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "LieAboutFsync", transform = or_target)]
pub struct LieAboutFsync {
    /// The nodes.
    pub nodes: Target,
    /// Whether they lie from now on, or are honest again. Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub on: bool,
}

shorthand!(
    LieAboutFsync,
    "a target, or an object with `nodes` and `on`",
    Target,
    |nodes| LieAboutFsync { nodes, on: true },
    |full| full.on.then_some(&full.nodes)
);
