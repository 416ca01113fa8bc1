//! Tier 2: search, for histories in which values were written more than once. Exact, but it may take forever, so it counts
//! its steps and stops.

mod configs;
mod relevant;
mod shrink;
mod states;
#[cfg(test)]
mod tests;
mod wgl;

pub(crate) use relevant::relevant;
pub(crate) use shrink::shrink;
pub(crate) use wgl::{Progress, Search};

use crate::linear::part::Part;
use crate::linear::value::Value;

/// What the search says of some parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Each has a linearization.
    Linearizable,
    /// This one has none.
    Violation(usize),
    /// The steps ran out before these were decided.
    Undecided(Vec<usize>),
}

/// How many steps each part gets at first, and how much more in each further round.
const FIRST: u64 = 2_000;
const GROWTH: u64 = 4;

/// Searches all parts in turn with growing shares of the budget: one part that takes forever must not keep another from
/// showing what is wrong with it. Returns what was found and how many steps it took.
pub(crate) fn search(parts: &[&Part<'_>], initial: Option<&Value>, budget: u64) -> (Found, u64) {
    let items = parts.iter().map(|part| relevant(&part.items));
    let mut open: Vec<(usize, Search<'_>)> =
        items.map(|items| Search::new(&items, initial)).enumerate().collect();
    let mut steps = 0;
    let mut share = FIRST;
    while !open.is_empty() {
        let mut still = Vec::new();
        for (place, mut search) in open {
            let before = search.steps();
            let progress = search.run(share.min(budget.saturating_sub(steps)));
            steps += search.steps() - before;
            match progress {
                Progress::Decided(true) => {}
                Progress::Decided(false) => return (Found::Violation(place), steps),
                Progress::Open => still.push((place, search)),
            }
        }
        open = still;
        if steps >= budget {
            break;
        }
        share = share.saturating_mul(GROWTH);
    }
    let undecided: Vec<usize> = open.into_iter().map(|(place, _)| place).collect();
    (if undecided.is_empty() { Found::Linearizable } else { Found::Undecided(undecided) }, steps)
}
