//! Tier 1: exact for histories in which every observed value was written once, in O(n log n).
//!
//! Operations on one cell are grouped by the value they are about: whoever wrote it and all who saw it form a cluster. A
//! cas, or an append of which somebody saw what it was appended to, stands right after the value it found, so clusters
//! form chains. A chain has a forced place: it reaches from its first return to its last call. Two chains conflict exactly
//! if each has an operation that returned before one of the other was called (Gibbons and Korach 1997; for chains the
//! same proof holds: the order A before B is forced iff the first return of A is before the last call of B, and in any
//! cycle of forced orders the chain with the first return and its predecessor force each other already).
//!
//! Values are unique if clients take care; where they are not, and it matters, this tier says so and decides nothing.

mod chain;
mod intern;
mod origin;
#[cfg(test)]
mod tests;

use crate::linear::part::{Item, Part};
use crate::linear::value::Value;

/// What the tier says of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Zones {
    /// There is a linearization.
    Linearizable,
    /// There is none.
    Violation(Conflict),
    /// An observed value was written more than once, or cannot be taken apart into what was appended in just one way.
    NotApplicable,
}

/// Operations that cannot be ordered, by their places in the part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) items: Vec<usize>,
    pub(crate) why: String,
}

/// Why the tier stops early.
enum Stop {
    Ambiguous,
    Conflict(Conflict),
}

impl Stop {
    fn conflict(items: &[usize], why: String) -> Self {
        let mut items = items.to_vec();
        items.sort_unstable();
        items.dedup();
        Self::Conflict(Conflict { items, why })
    }
}

/// Judges a part.
pub(crate) fn judge(part: &Part<'_>, initial: Option<&Value>) -> Zones {
    match try_judge(&part.items, initial) {
        Ok(()) => Zones::Linearizable,
        Err(Stop::Conflict(conflict)) => Zones::Violation(conflict),
        Err(Stop::Ambiguous) => Zones::NotApplicable,
    }
}

fn try_judge(items: &[Item<'_>], initial: Option<&Value>) -> Result<(), Stop> {
    let table = intern::Table::new(items, initial);
    let origins = origin::Origins::trace(items, &table)?;
    chain::order(items, &origins)
}
