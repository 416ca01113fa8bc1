//! Steps that hold steps: which names are bound after them, and how many steps they come to.

use super::{Checker, Known};
use crate::scenario::flow::{Branch, If, Repeat};
use crate::scenario::step::Step;
use std::collections::BTreeSet;

/// The most steps that a run may come to, with every repetition counted.
const STEPS_MAX: u64 = 100_000;

impl Checker {
    pub(super) fn whole_story(&mut self, steps: &[Step]) {
        self.steps(steps);
        let total = expanded(steps);
        self.wrong_if(total > STEPS_MAX, || {
            format!("{total} steps with every repetition: expected at most {STEPS_MAX}")
        });
    }

    fn steps(&mut self, steps: &[Step]) {
        self.each(steps, Self::step);
    }

    pub(super) fn repeat(&mut self, repeat: &Repeat) {
        self.under("times", |c| c.between(u64::from(repeat.times), 1, 1_000));
        self.under("steps", |c| {
            c.wrong_if(repeat.steps.is_empty(), || {
                "nothing to repeat: expected at least one step".to_owned()
            });
            // It is done at least once, so what it binds is bound afterwards.
            c.steps(&repeat.steps);
        });
    }

    pub(super) fn choose(&mut self, branches: &[Branch]) {
        self.wrong_if(branches.is_empty(), || {
            "nothing to choose from: expected at least one branch".to_owned()
        });
        let mut after: Option<BTreeSet<Known>> = None;
        self.each(branches, |c, branch| {
            c.under("weight", |c| c.between(u64::from(branch.weight), 1, 1_000_000));
            let given = c.undone(|c| c.under("steps", |c| c.steps(&branch.steps)));
            after = Some(match after.take() {
                None => given,
                Some(earlier) => &earlier & &given,
            });
        });
        after.unwrap_or_default().into_iter().for_each(|known| self.give(known));
    }

    pub(super) fn condition(&mut self, condition: &If) {
        self.under("that", |c| c.predicate(&condition.that));
        let nothing = condition.then.is_empty() && condition.otherwise.is_empty();
        self.wrong_if(nothing, || "nothing to do either way: expected at least one step".to_owned());
        let then = self.undone(|c| c.under("then", |c| c.steps(&condition.then)));
        let otherwise = self.undone(|c| c.under("else", |c| c.steps(&condition.otherwise)));
        (&then & &otherwise).into_iter().for_each(|known| self.give(known));
    }

    /// Checks a branch, forgets the names that it gave, and returns them.
    fn undone(&mut self, branch: impl FnOnce(&mut Self)) -> BTreeSet<Known> {
        let before = self.given.len();
        branch(self);
        let given: BTreeSet<Known> = self.given.drain(before..).collect();
        given.iter().for_each(|known| {
            self.known.remove(known);
        });
        given
    }
}

/// How many steps at most, with every repetition counted.
fn expanded(steps: &[Step]) -> u64 {
    let counts = steps.iter().map(|step| match step {
        Step::Repeat(repeat) => u64::from(repeat.times).saturating_mul(expanded(&repeat.steps)),
        Step::Choose(branches) => branches.iter().map(|branch| expanded(&branch.steps)).max().unwrap_or(0),
        Step::If(condition) => expanded(&condition.then).max(expanded(&condition.otherwise)),
        _ => 0,
    });
    counts.fold(steps.len() as u64, u64::saturating_add)
}
