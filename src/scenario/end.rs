//! How a scenario ends: what is healed, and what must live then.

use crate::scenario::form::As;
use crate::scenario::shorthand::{or_word, tagged};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;

/// How a scenario ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[schemars(rename = "End", transform = live_word)]
pub enum End {
    /// Every fault is undone; then the cluster must elect, commit and converge.
    Live(Live),
    /// Liveness is not asked for. The text says why.
    Stop(String),
}

tagged!(End, "\"live\", {\"live\": {\"within\": \"20s\"}} or {\"stop\": \"the reason\"}");

fn live_word(schema: &mut schemars::Schema) {
    or_word(schema, &["live"]);
}

impl Default for End {
    fn default() -> Self {
        Self::Live(Live::default())
    }
}

/// The core is healed: what crashed there restarts, what is paused goes on; then it must elect a leader, commit a command
/// and converge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    /// Who must live: `all` (default), or `quorum`.
    #[serde(skip_serializing_if = "Core::is_all")]
    pub core: Core,
    /// Within this time. Default: derived from election timeouts and latencies.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
}

/// Who is healed and must live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[schemars(rename = "Core", transform = quorum_word)]
pub enum Core {
    /// Everybody: every fault is undone.
    #[default]
    All,
    /// A drawn quorum; in a joint configuration one of both. Everything else stays broken for good, and what is not broken
    /// yet breaks.
    Quorum(Quorum),
}

tagged!(Core, "\"all\", \"quorum\" or {\"quorum\": {\"connectivity\": \"chain\"}}");

impl Core {
    fn is_all(&self) -> bool {
        *self == Self::All
    }
}

fn quorum_word(schema: &mut schemars::Schema) {
    or_word(schema, &["quorum"]);
}

/// A quorum that is healed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quorum {
    /// Which of its links are healed: `full` (default), `bridge`, `chain`, `ring`, `one_way_extras`, or `any`.
    pub connectivity: Connectivity,
}

/// Which links of a healed quorum carry messages. All others stay broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connectivity {
    /// Between every two of its nodes.
    #[default]
    Full,
    /// Between one drawn node and each other.
    Bridge,
    /// Between neighbours in a drawn order.
    Chain,
    /// Between neighbours in a drawn order, and between the last and the first.
    Ring,
    /// Between every two of its nodes, and one way from drawn nodes of it to drawn nodes outside, or from there.
    OneWayExtras,
    /// One of the others, drawn.
    Any,
}
