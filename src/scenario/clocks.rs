//! Local clocks: how they run when a scenario begins, and how a step sets them.

use crate::scenario::form::As;
use crate::scenario::signed::{Drift, Jump};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{Ratio, Span};

/// A rate that alternates: faster than true time by `amplitude` for the first half of each period, slower by as much
/// for the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Periodic {
    /// By how much faster and slower, at most 50%.
    #[serde(with = "As::<Ratio>")]
    pub amplitude: Ratio,
    /// How long it takes to be faster and slower once.
    #[serde(with = "As::<Span>")]
    pub period: Span,
}

/// The clock of one node. Its timers run by it. At least one field must be given, and not both rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClockOptions {
    /// How much faster than true time it runs, from -50% (slower) to 50%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// A rate that alternates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periodic: Option<Periodic>,
    /// What it shows when the run begins. Default 0ns.
    #[serde(with = "As::<Option<Span>>", skip_serializing_if = "Option::is_none")]
    pub offset: Option<Span>,
}

/// Changes how clocks run, or lets them jump. At least one change must be given, and not both rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetClock {
    /// The nodes.
    pub nodes: Target,
    /// How much faster than true time they run from now on, from -50% (slower) to 50%.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// A rate that alternates, from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periodic: Option<Periodic>,
    /// How far they jump now, ahead or back, but not below 0. Timers that are running do not move with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Jump>,
}
