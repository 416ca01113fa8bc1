//! Predicates about leaders, terms, roles and votes.

use crate::record::Role;
use crate::scenario::bounds::TermRef;
use crate::scenario::form::As;
use crate::scenario::name::Name;
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Exactly one leader in the highest term among the nodes asked about, and no two in any one term. Bound to a name,
/// the name stands for that leader and remembers its term at that moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SingleLeader {
    /// The leader is none of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Target>,
    /// The leader is one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Target>,
    /// The nodes asked about. Default: connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub among: Option<Target>,
    /// Its term is above the one remembered under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_above: Option<Name>,
    /// Its term is the one remembered under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_term_as: Option<Name>,
}

/// The nodes asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Among {
    /// The nodes asked about. Default: connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub among: Option<Target>,
}

/// The nodes asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Of {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
}

/// The term of a node. At least one bound must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TermIs {
    /// The nodes asked about: it must hold of each. Default: the single leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Target>,
    /// The term is above this number or the term remembered under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<TermRef>,
    /// The term is this number or the term remembered under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<TermRef>,
    /// The term is this or above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
}

/// The role of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleIs {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// What it is.
    #[serde(with = "As::<Role>")]
    pub is: Role,
    /// In this term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
}

/// Whom a node voted for in its term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteIs {
    /// The nodes asked about: it must hold of each.
    pub of: Target,
    /// The candidate that has its vote, or null if none has.
    #[serde(with = "As::<Option<Target>>")]
    pub is: Option<Target>,
}
