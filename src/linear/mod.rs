//! Linearizability: did every client see one object that does one thing at a time?
//!
//! Owns histories of calls and the verdict on them (Herlihy and Wing 1990). Must not know Raft, a simulation or its records:
//! what it judges may come from any system.
//!
//! Three tiers, each exact where it applies. A *certificate* is checked: an order that somebody claims. *Zones* decide in
//! O(n log n) where values are unique. A *search* with a budget decides the rest, or says that it could not.
//!
//! ```
//! use seaworthy::linear::{Action, History, Model, Outcome, Verdict, check};
//! use sim_core::VirtualTime;
//!
//! let mut history = History::default();
//! let at = VirtualTime::from_nanos;
//! history.call(1, "x".into(), Action::Put("new".into()), at(10))?;
//! history.end(1, Outcome::Done, at(20))?;
//! history.call(2, "x".into(), Action::Get, at(30))?;
//! history.end(2, Outcome::Read(None), at(40))?;
//! let Verdict::Violation(explanation) = check(&history, &Model::kv(), 1_000).verdict else { panic!() };
//! assert!(explanation.why.contains("#1 returned before #3 was called"));
//! # Ok::<(), seaworthy::linear::Misfit>(())
//! ```

mod certificate;
mod explain;
mod history;
mod model;
mod part;
mod read;
mod search;
#[cfg(test)]
mod testing;
mod value;
mod zones;

pub use certificate::{Inconsistency, Positions, certify};
pub use explain::Explanation;
pub use history::{Action, History, Misfit, Moment, Operation, OperationId, Outcome};
pub use model::Model;
pub use read::{HistoryError, LINE_MAX, SIZE_MAX};
pub use value::Value;

use part::{Item, Part};
use search::Found;
use zones::Zones;

/// How many steps a search takes at most if nobody says otherwise: a few seconds and some hundred megabytes.
pub const BUDGET_DEFAULT: u64 = 5_000_000;

/// Whether a history has a linearization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has.
    Linearizable,
    /// It has none.
    Violation(Explanation),
    /// The budget ran out. This is not a pass.
    Undecided {
        /// How many steps the search took.
        steps: u64,
        /// The keys that are not decided; none if keys do not matter.
        keys: Vec<Value>,
    },
}

/// A verdict and how it was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The verdict.
    pub verdict: Verdict,
    /// How many cells were judged one by one; 0 if a certificate was enough.
    pub parts: usize,
    /// How many of them needed a search.
    pub searched: usize,
    /// The steps of the search, without those for finding a small explanation.
    pub steps: u64,
    /// Why a certificate was refused, if there was one: the claimed order is wrong, whatever the verdict.
    pub refused: Option<Inconsistency>,
}

/// Judges a history. `budget` bounds the steps of the search over all keys, and again those for finding a small explanation.
#[must_use]
pub fn check(history: &History, model: &Model, budget: u64) -> Checked {
    let parts = part::parts(history, model);
    let mut checked = nothing_checked(parts.len());
    match zones_of(&parts, model) {
        (Some(verdict), _) => checked.verdict = verdict,
        (None, left) => search_of(&left, model, budget, &mut checked),
    }
    checked
}

/// What the zones alone say (tier 1); `None` if they do not apply to some key and find no violation on the others.
#[must_use]
pub fn check_by_zones(history: &History, model: &Model) -> Option<Verdict> {
    zones_of(&part::parts(history, model), model).0
}

/// What the search alone says (tier 2), for comparison: [`check`] is faster.
#[must_use]
pub fn check_by_search(history: &History, model: &Model, budget: u64) -> Checked {
    let parts = part::parts(history, model);
    let mut checked = nothing_checked(parts.len());
    search_of(&parts.iter().collect::<Vec<_>>(), model, budget, &mut checked);
    checked
}

const fn nothing_checked(parts: usize) -> Checked {
    Checked { verdict: Verdict::Linearizable, parts, searched: 0, steps: 0, refused: None }
}

/// A verdict if there is one, and the parts without.
fn zones_of<'a, 'h>(parts: &'a [Part<'h>], model: &Model) -> (Option<Verdict>, Vec<&'a Part<'h>>) {
    let mut left = Vec::new();
    for part in parts {
        match zones::judge(part, model.initial.as_ref()) {
            Zones::Linearizable => {}
            Zones::NotApplicable => left.push(part),
            Zones::Violation(conflict) => {
                let items = conflict.items.iter().map(|place| part.items[*place]);
                return (Some(violation(part, items, conflict.why, true)), left);
            }
        }
    }
    (left.is_empty().then_some(Verdict::Linearizable), left)
}

fn search_of(parts: &[&Part<'_>], model: &Model, budget: u64, checked: &mut Checked) {
    let initial = model.initial.as_ref();
    let (found, steps) = search::search(parts, initial, budget);
    checked.searched = parts.len();
    checked.steps = steps;
    checked.verdict = match found {
        Found::Linearizable => Verdict::Linearizable,
        Found::Violation(place) => {
            let shrunk = search::shrink(&parts[place].items, initial, budget);
            let why = "no order of these fits what they returned and when";
            violation(parts[place], shrunk.items.into_iter(), why.to_string(), shrunk.reduced)
        }
        Found::Undecided(places) => {
            let keys = places.iter().filter_map(|place| parts[*place].key.cloned()).collect();
            Verdict::Undecided { steps, keys }
        }
    };
}

/// Judges a history of which somebody claims to know the order: if the claim holds nothing else is asked, if not the
/// history is judged without it.
///
/// # Panics
///
/// If `positions` has another length than the history.
#[must_use]
pub fn check_with_certificate(
    history: &History,
    model: &Model,
    positions: &Positions,
    budget: u64,
) -> Checked {
    match certify(history, model, positions) {
        Ok(()) => nothing_checked(0),
        Err(inconsistency) => Checked { refused: Some(inconsistency), ..check(history, model, budget) },
    }
}

fn violation<'h>(
    part: &Part<'h>,
    items: impl Iterator<Item = Item<'h>>,
    why: String,
    reduced: bool,
) -> Verdict {
    let mut operations: Vec<OperationId> = items.map(|item| OperationId(item.index)).collect();
    operations.sort_unstable();
    Verdict::Violation(Explanation { key: part.key.cloned(), operations, why, reduced })
}
