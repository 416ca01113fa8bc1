//! Steps about links: which ones, and what becomes of their messages.

use crate::scenario::form::As;
use crate::scenario::shorthand::{or, shorthand};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{InFlight, Span};

/// Whether the choice is the default one, which need not be written.
fn is_drop(in_flight: &InFlight) -> bool {
    *in_flight == InFlight::Drop
}

/// The nodes to cut off: a target, or an object with `nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Isolate", transform = or_target)]
pub struct Isolate {
    /// The nodes.
    pub nodes: Target,
    /// What becomes of the messages on the way: `drop` (default) or `keep`.
    #[serde(default, with = "As::<InFlight>", skip_serializing_if = "is_drop")]
    pub in_flight: InFlight,
}

shorthand!(
    Isolate,
    "a target, or an object with `nodes` and `in_flight`",
    Target,
    |nodes| Isolate { nodes, in_flight: InFlight::Drop },
    |full| is_drop(&full.in_flight).then_some(&full.nodes)
);

pub(crate) fn or_target(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "$ref": "#/$defs/Target" }));
}

/// Directed links between two sets of nodes. A node has no link to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Both ways between each node of the first and each of the second.
    Between(Target, Target),
    /// One way.
    OneWay {
        /// From each of these.
        from: Target,
        /// To each of these.
        to: Target,
    },
}

/// Links to join: both ways with `between` and `and`, or one way with `from` and `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "LinkFields", into = "LinkFields")]
pub struct Links {
    /// The links.
    pub ends: Ends,
}

/// Links to cut: both ways with `between` and `and`, or one way with `from` and `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "CutFields", into = "CutFields")]
pub struct Cut {
    /// The links.
    pub ends: Ends,
    /// What becomes of the messages on the way.
    pub in_flight: InFlight,
}

/// Links: both ways with `between` and `and`, or one way with `from` and `to`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Links", transform = two_ways)]
struct LinkFields {
    /// One side of links that are meant both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    between: Option<Target>,
    /// The other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    and: Option<Target>,
    /// Where the messages come from, for one way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Target>,
    /// Where they go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Target>,
}

/// Links: both ways with `between` and `and`, or one way with `from` and `to`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cut", transform = two_ways)]
struct CutFields {
    /// One side of links that are meant both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    between: Option<Target>,
    /// The other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    and: Option<Target>,
    /// Where the messages come from, for one way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Target>,
    /// Where they go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Target>,
    /// What becomes of the messages on the way: `drop` (default) or `keep`.
    #[serde(default, with = "As::<InFlight>", skip_serializing_if = "is_drop")]
    in_flight: InFlight,
}

impl TryFrom<LinkFields> for Links {
    type Error = &'static str;

    fn try_from(fields: LinkFields) -> Result<Self, &'static str> {
        let ends = match (fields.between, fields.and, fields.from, fields.to) {
            (Some(one), Some(other), None, None) => Ends::Between(one, other),
            (None, None, Some(from), Some(to)) => Ends::OneWay { from, to },
            _ => return Err("these are no links: expected either `between` and `and`, or `from` and `to`"),
        };
        Ok(Self { ends })
    }
}

impl From<Links> for LinkFields {
    fn from(links: Links) -> Self {
        match links.ends {
            Ends::Between(one, other) => Self { between: Some(one), and: Some(other), from: None, to: None },
            Ends::OneWay { from, to } => Self { between: None, and: None, from: Some(from), to: Some(to) },
        }
    }
}

impl TryFrom<CutFields> for Cut {
    type Error = &'static str;

    fn try_from(fields: CutFields) -> Result<Self, &'static str> {
        let CutFields { between, and, from, to, in_flight } = fields;
        let Links { ends } = LinkFields { between, and, from, to }.try_into()?;
        Ok(Self { ends, in_flight })
    }
}

impl From<Cut> for CutFields {
    fn from(cut: Cut) -> Self {
        let LinkFields { between, and, from, to } = Links { ends: cut.ends }.into();
        Self { between, and, from, to, in_flight: cut.in_flight }
    }
}

fn two_ways(schema: &mut schemars::Schema) {
    let ways = serde_json::json!([{ "required": ["between", "and"] }, { "required": ["from", "to"] }]);
    schema.insert("oneOf".to_owned(), ways);
}

fn nodes_or_ends(schema: &mut schemars::Schema) {
    let ways = serde_json::json!([{ "required": ["nodes"] }, { "required": ["from", "to"] }]);
    schema.insert("oneOf".to_owned(), ways);
    or_target(schema);
}

/// Groups of nodes: a list of targets, or an object with `groups`. Nodes in no group make up one more together. Clients may
/// stand in groups; those in none reach every node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Partition", transform = or_targets)]
pub struct Partition {
    /// The groups; no node may stand in two.
    #[schemars(length(min = 1))]
    pub groups: Vec<Target>,
    /// What becomes of the messages on the way between groups: `drop` (default) or `keep`.
    #[serde(default, with = "As::<InFlight>", skip_serializing_if = "is_drop")]
    pub in_flight: InFlight,
}

shorthand!(
    Partition,
    "groups, such as [[0, 1], [2, 3, 4]], or an object with `groups` and `in_flight`",
    Vec<Target>,
    |groups| Partition { groups, in_flight: InFlight::Drop },
    |full| is_drop(&full.in_flight).then_some(&full.groups)
);

fn or_targets(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "type": "array", "items": { "$ref": "#/$defs/Target" }, "minItems": 1 }));
}

/// Links to hold or to release: a target (every link from or to its nodes), or an object with `nodes`, or with `from`
/// and `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Every link from or to any of these nodes.
    Of(Target),
    /// One way.
    OneWay {
        /// From each of these.
        from: Target,
        /// To each of these.
        to: Target,
    },
}

/// Links to hold: a target (every link from or to its nodes), or an object with `nodes`, or with `from` and `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "HoldFields", into = "HoldFields")]
pub struct Hold {
    /// The links.
    pub links: Held,
    /// Whether the messages already on the way are held too.
    pub capture: bool,
}

/// Links to release: a target (every link from or to its nodes), or an object with `nodes`, or with `from` and `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "ReleaseFields", into = "ReleaseFields")]
pub struct HeldLinks {
    /// The links.
    pub links: Held,
}

/// Links to hold: a target (every link from or to its nodes), or an object with `nodes`, or with `from` and `to`.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(rename = "Hold", transform = nodes_or_ends)]
struct HoldFields {
    /// Every link from or to any of these nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Target>,
    /// Where the messages come from, for one way.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Target>,
    /// Where they go.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Target>,
    /// Whether the messages already on the way are held too. Default false.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    capture: bool,
}

shorthand!(
    HoldFields,
    "a target, or an object with `nodes`, or with `from` and `to`",
    Target,
    |nodes| HoldFields { nodes: Some(nodes), ..HoldFields::default() },
    |full| full.nodes.as_ref().filter(|_| !full.capture)
);

/// Links to release: a target (every link from or to its nodes), or an object with `nodes`, or with `from` and `to`.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(rename = "Release", transform = nodes_or_ends)]
struct ReleaseFields {
    /// Every link from or to any of these nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Target>,
    /// Where the messages come from, for one way.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Target>,
    /// Where they go.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Target>,
}

shorthand!(
    ReleaseFields,
    "a target, or an object with `nodes`, or with `from` and `to`",
    Target,
    |nodes| ReleaseFields { nodes: Some(nodes), ..ReleaseFields::default() },
    |full| full.nodes.as_ref()
);

impl TryFrom<ReleaseFields> for HeldLinks {
    type Error = &'static str;

    fn try_from(fields: ReleaseFields) -> Result<Self, &'static str> {
        let links = match (fields.nodes, fields.from, fields.to) {
            (Some(nodes), None, None) => Held::Of(nodes),
            (None, Some(from), Some(to)) => Held::OneWay { from, to },
            _ => return Err("these are no links: expected either `nodes`, or `from` and `to`"),
        };
        Ok(Self { links })
    }
}

impl From<HeldLinks> for ReleaseFields {
    fn from(held: HeldLinks) -> Self {
        match held.links {
            Held::Of(nodes) => Self { nodes: Some(nodes), from: None, to: None },
            Held::OneWay { from, to } => Self { nodes: None, from: Some(from), to: Some(to) },
        }
    }
}

impl TryFrom<HoldFields> for Hold {
    type Error = &'static str;

    fn try_from(fields: HoldFields) -> Result<Self, &'static str> {
        let HoldFields { nodes, from, to, capture } = fields;
        let HeldLinks { links } = ReleaseFields { nodes, from, to }.try_into()?;
        Ok(Self { links, capture })
    }
}

impl From<Hold> for HoldFields {
    fn from(hold: Hold) -> Self {
        let ReleaseFields { nodes, from, to } = HeldLinks { links: hold.links }.into();
        Self { nodes, from, to, capture: hold.capture }
    }
}

/// Stalls links: what is sent meanwhile sets out at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clog {
    /// Where the messages come from.
    pub from: Target,
    /// Where they go.
    pub to: Target,
    /// For how long, from now.
    #[serde(rename = "for", with = "As::<Span>")]
    pub span: Span,
}
