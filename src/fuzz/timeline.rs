//! Steps and when they are due.

use crate::scenario::{Sleep, Step};
use sim_core::Span;

/// Steps at their times, in any order; they become a list with sleeps between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    steps: Vec<(Span, Step)>,
}

impl Timeline {
    /// Adds a step that is due `at` after the beginning.
    pub(crate) fn at(&mut self, at: Span, step: Step) {
        self.steps.push((at, step));
    }

    /// The steps in order, with sleeps between them, the last one up to `horizon`.
    pub(crate) fn steps(mut self, horizon: Span) -> Vec<Step> {
        // Stable: what is due at the same time stays in the order in which it was added.
        self.steps.sort_by_key(|(at, _)| *at);
        let mut steps = Vec::new();
        let mut now = Span::ZERO;
        for (at, step) in self.steps {
            pass(&mut steps, &mut now, at);
            steps.push(step);
        }
        pass(&mut steps, &mut now, horizon);
        steps
    }
}

fn pass(steps: &mut Vec<Step>, now: &mut Span, until: Span) {
    if until > *now {
        steps.push(Step::Sleep(Sleep::For(Span::from_nanos(until.nanos() - now.nanos()))));
        *now = until;
    }
}
