//! The end of a scenario, and what is expected of it.

use super::Checker;
use crate::scenario::document::{Expect, Scenario};
use crate::scenario::end::End;
use crate::violation::Property;

impl Checker {
    pub(super) fn ending(&mut self, scenario: &Scenario) {
        self.under("end", |c| match &scenario.end {
            End::Live(live) => c.under("live", |c| c.under("within", |c| c.some_time(live.within))),
            End::Stop(reason) => c.under("stop", |c| {
                c.wrong_if(reason.trim().is_empty(), || {
                    "no reason: expected why liveness is not asked for".to_owned()
                });
                c.line(reason, 200);
            }),
        });
        let unasked = scenario.expect == Expect::Violation(Property::Convergence)
            && matches!(scenario.end, End::Stop(_));
        self.under("expect", |c| {
            c.wrong_if(unasked, || {
                "`convergence` is only asked for at a live end: expected `\"end\": \"live\"` with it"
                    .to_owned()
            });
        });
    }
}
