//! Histories for tests, a call or a return at a time.

use crate::linear::history::{Action, History, OperationId, Outcome};
use crate::linear::model::Model;
use crate::linear::value::Value;
use crate::linear::{Explanation, Verdict, check, check_by_search, check_by_zones};
use sim_core::VirtualTime;

/// A history on the key `x` of a store, and what the key begins with.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) history: History,
    pub(crate) model: Model,
}

pub(crate) fn story() -> Story {
    Story { history: History::default(), model: Model::kv() }
}

fn value(text: &str) -> Option<Value> {
    (text != "-").then(|| text.into())
}

/// In every text `-` stands for an absent key.
impl Story {
    pub(crate) fn starting_with(mut self, text: &str) -> Self {
        self.model = self.model.starting_with(text.into());
        self
    }

    fn call(mut self, process: u64, action: Action) -> Self {
        self.history.call(process, "x".into(), action, VirtualTime::ZERO).unwrap();
        self
    }

    fn end(mut self, process: u64, outcome: Outcome) -> Self {
        self.history.end(process, outcome, VirtualTime::ZERO).unwrap();
        self
    }

    pub(crate) fn put(self, process: u64, text: &str) -> Self {
        self.call(process, Action::Put(text.into()))
    }

    pub(crate) fn append(self, process: u64, text: &str) -> Self {
        self.call(process, Action::Append(text.into()))
    }

    pub(crate) fn delete(self, process: u64) -> Self {
        self.call(process, Action::Delete)
    }

    pub(crate) fn get(self, process: u64) -> Self {
        self.call(process, Action::Get)
    }

    pub(crate) fn cas(self, process: u64, expected: &str, new: &str) -> Self {
        self.call(process, Action::Cas { expected: value(expected), new: new.into() })
    }

    pub(crate) fn ok(self, process: u64) -> Self {
        self.end(process, Outcome::Done)
    }

    pub(crate) fn read(self, process: u64, text: &str) -> Self {
        self.end(process, Outcome::Read(value(text)))
    }

    pub(crate) fn saw(self, process: u64, text: &str) -> Self {
        self.end(process, Outcome::Mismatch(value(text)))
    }

    pub(crate) fn failed(self, process: u64) -> Self {
        self.end(process, Outcome::Failed)
    }

    /// A put that returns before anything else happens.
    pub(crate) fn puts(self, process: u64, text: &str) -> Self {
        self.put(process, text).ok(process)
    }

    /// A get that does.
    pub(crate) fn reads(self, process: u64, text: &str) -> Self {
        self.get(process).read(process, text)
    }

    pub(crate) fn appends(self, process: u64, text: &str) -> Self {
        self.append(process, text).ok(process)
    }

    /// All tiers that apply find a linearization; the zones do apply.
    #[track_caller]
    pub(crate) fn holds(&self) {
        assert_eq!(check_by_zones(&self.history, &self.model), Some(Verdict::Linearizable));
        self.holds_by_search();
    }

    /// The zones do not apply; the search finds a linearization.
    #[track_caller]
    pub(crate) fn holds_after_search(&self) {
        assert_eq!(check_by_zones(&self.history, &self.model), None);
        self.holds_by_search();
    }

    #[track_caller]
    fn holds_by_search(&self) {
        assert_eq!(check_by_search(&self.history, &self.model, 1_000_000).verdict, Verdict::Linearizable);
        assert_eq!(check(&self.history, &self.model, 1_000_000).verdict, Verdict::Linearizable);
    }

    /// Zones and search find that there is none. Returns what the zones say, with the calls of the operations.
    #[track_caller]
    pub(crate) fn breaks(&self) -> (Vec<u64>, String) {
        let by_zones = check_by_zones(&self.history, &self.model);
        let Some(Verdict::Violation(explanation)) = by_zones else { panic!("{by_zones:?}") };
        self.breaks_by_search();
        (self.calls(&explanation), explanation.why)
    }

    /// The search finds that there is none. Returns the calls of the operations that it tells.
    #[track_caller]
    pub(crate) fn breaks_by_search(&self) -> Vec<u64> {
        let verdict = check_by_search(&self.history, &self.model, 1_000_000).verdict;
        let Verdict::Violation(explanation) = verdict else { panic!("{verdict:?}") };
        assert!(explanation.reduced, "{}", explanation.render(&self.history));
        self.calls(&explanation)
    }

    fn calls(&self, explanation: &Explanation) -> Vec<u64> {
        let call = |id: &OperationId| self.history.operations()[id.0].call.number;
        explanation.operations.iter().map(call).collect()
    }
}
