//! The few operations because of which there is no order.
//!
//! Nothing is left out that would make a possible history impossible: what reads may go, for it only asks; what writes may
//! at most lose its end, so that it may happen at any time or never, and goes when nobody can have observed it. So what is
//! left is impossible because the whole is.

use crate::linear::history::Outcome;
use crate::linear::part::{Item, NEVER};
use crate::linear::search::relevant::relevant;
use crate::linear::search::wgl::{Progress, Search};
use crate::linear::value::Value;

/// What is left of an impossible history.
#[derive(Clone, Debug)]
pub(crate) struct Shrunk<'h> {
    pub(crate) items: Vec<Item<'h>>,
    /// Whether nothing more can go.
    pub(crate) reduced: bool,
}

struct Shrinker<'a> {
    initial: Option<&'a Value>,
    steps: u64,
    budget: u64,
    /// Whether no attempt was cut short.
    thorough: bool,
}

impl Shrinker<'_> {
    const fn is_spent(&self) -> bool {
        self.steps >= self.budget
    }

    /// Relaxes `size` items at a time, either those that read or those that write, from the last to the first. Returns
    /// whether any could be.
    fn pass<'h>(&mut self, left: &mut Vec<Item<'h>>, size: usize, reads: bool) -> bool {
        let forces = |item: &Item<'_>| item.end != NEVER && item.reads() == reads;
        let mut shrunk = false;
        let mut end = left.len();
        while !self.is_spent() {
            let first = (0..end).rev().filter(|place| forces(&left[*place])).take(size).last();
            let Some(start) = first else { break };
            let keep = |(place, item): (usize, &Item<'h>)| {
                if (start..end).contains(&place) && forces(item) { relaxed(item) } else { Some(*item) }
            };
            let attempt: Vec<Item<'h>> = left.iter().enumerate().filter_map(keep).collect();
            let attempt = relevant(&attempt);
            if self.impossible(&attempt) {
                *left = attempt;
                shrunk = true;
            }
            end = start.min(left.len());
        }
        shrunk
    }

    /// Whether the items, which are relevant, are known to have no linearization. Not knowing counts as no.
    fn impossible(&mut self, items: &[Item<'_>]) -> bool {
        let mut search = Search::new(items, self.initial);
        // An easy attempt must not be kept waiting by a hard one, and a smaller history is seldom harder.
        let progress = search.run((self.budget / 16).min(self.budget.saturating_sub(self.steps)));
        // Setting a search up looks at every item, too.
        self.steps += search.steps() + u64::try_from(items.len()).expect("a length fits in 64 bits");
        self.thorough &= progress != Progress::Open;
        progress == Progress::Decided(false)
    }
}

/// Whether the item still forces something, and what it is when it forces less; `None` in place of a read.
fn relaxed<'h>(item: &Item<'h>) -> Option<Item<'h>> {
    (!item.reads()).then_some(Item { end: NEVER, outcome: &Outcome::Unknown, ..*item })
}

/// What was known when event `last` had happened.
fn until<'h>(items: &[Item<'h>], last: u64) -> Vec<Item<'h>> {
    let known = |item: &Item<'h>| if item.end <= last { Some(*item) } else { relaxed(item) };
    items.iter().filter(|item| item.call <= last).filter_map(known).collect()
}

/// Shrinks items that have no linearization, within about `budget` steps.
pub(crate) fn shrink<'h>(items: &[Item<'h>], initial: Option<&Value>, budget: u64) -> Shrunk<'h> {
    let mut shrinker = Shrinker { initial, steps: 0, budget, thorough: true };
    let mut left = beginning(items, &mut shrinker);
    // What reads goes first: writes that may or may not happen make a search hard as long as many may have been observed.
    for reads in [true, false] {
        let mut size = left.len().div_ceil(2);
        while size > 0 {
            shrinker.pass(&mut left, size, reads);
            size /= 2;
        }
    }
    // Singly, until nothing goes any more.
    loop {
        shrinker.thorough = true;
        let fewer = [true, false].map(|reads| shrinker.pass(&mut left, 1, reads));
        if shrinker.is_spent() {
            shrinker.thorough = false;
            break;
        }
        if fewer == [false, false] {
            break;
        }
    }
    Shrunk { items: left, reduced: shrinker.thorough }
}

/// The shortest beginning that is impossible already.
fn beginning<'h>(items: &[Item<'h>], shrinker: &mut Shrinker<'_>) -> Vec<Item<'h>> {
    let mut ends: Vec<u64> = items.iter().map(|item| item.end).filter(|end| *end != NEVER).collect();
    ends.sort_unstable();
    // All up to `impossible` returns are impossible; fewer than `possible` are not known to be.
    let (mut possible, mut impossible) = (0, ends.len());
    let mut left = relevant(items);
    while possible + 1 < impossible {
        let middle = possible + (impossible - possible) / 2;
        let attempt = relevant(&until(items, ends[middle - 1]));
        if shrinker.impossible(&attempt) {
            impossible = middle;
            left = attempt;
        } else {
            possible = middle;
        }
    }
    left
}
