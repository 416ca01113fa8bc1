//! Tier 0: somebody claims to know the order in which everything took effect. Is the order a linearization?
//!
//! A yes is a proof, whoever made the claim: the order is carried out on the reference model, and every answer and every
//! pair that real time orders is compared. A no says that the claim is wrong, not yet that clients could see it: they may
//! be served by another order. Costs O(n log n) for sorting, O(n) if the claim is in order already.

use crate::linear::explain::held;
use crate::linear::history::{Action, History, Operation, OperationId, Outcome};
use crate::linear::model::{Kind, Model, step};
use crate::linear::value::Value;
use core::fmt;
use std::collections::BTreeMap;

/// Where an operation took effect, by its place in the history: for what was written to the log (a put, an append, a
/// delete, a cas) the index of its first application; for a read the index of the last entry that was applied when it
/// read. `None` for what never took effect.
pub type Positions = [Option<u64>];

/// Why the claimed order is no linearization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inconsistency {
    /// An operation returned and has no position.
    NoPosition(OperationId),
    /// An operation that certainly did not happen has a position.
    FailedTookEffect(OperationId),
    /// In the claimed order the operation would have found another value than it answered.
    Answer {
        /// The operation.
        operation: OperationId,
        /// What its key held.
        held: Option<Value>,
    },
    /// `late` returned before `early` was called, and the order puts `early` first.
    RealTime {
        /// First in the claimed order.
        early: OperationId,
        /// Later in the claimed order.
        late: OperationId,
    },
}

impl Inconsistency {
    /// A sentence about it.
    #[must_use]
    pub fn render(&self, history: &History, positions: &Positions) -> String {
        Told { inconsistency: self, history, positions }.to_string()
    }
}

struct Told<'a> {
    inconsistency: &'a Inconsistency,
    history: &'a History,
    positions: &'a Positions,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = |id: &OperationId| &self.history.operations()[id.0];
        let name =
            |id: &OperationId| format!("{} #{}", operation(id).action.name(), operation(id).call.number);
        let index = |id: &OperationId| self.positions[id.0].unwrap_or_default();
        match self.inconsistency {
            Inconsistency::NoPosition(id) => write!(f, "{} returned and took effect nowhere", name(id)),
            Inconsistency::FailedTookEffect(id) => {
                write!(f, "{} failed for certain, yet took effect at index {}", name(id), index(id))
            }
            Inconsistency::Answer { operation: id, held: value } => {
                let (key, at) = (&operation(id).key, index(id));
                write!(
                    f,
                    "{} cannot have answered so at index {at}, where {key} held {}",
                    name(id),
                    held(value.as_ref())
                )
            }
            Inconsistency::RealTime { early, late } => write!(
                f,
                "{} (index {}) returned before {} (index {}) was called, and took effect after it",
                name(late),
                index(late),
                name(early),
                index(early)
            ),
        }
    }
}

/// Whether an operation has an entry in the log.
const fn logged(operation: &Operation) -> bool {
    !matches!(operation.action, Action::Get)
}

/// Checks the claimed order.
///
/// # Errors
///
/// The first thing in the claimed order that is wrong with it.
///
/// # Panics
///
/// If `positions` has another length than the history.
pub fn certify(history: &History, model: &Model, positions: &Positions) -> Result<(), Inconsistency> {
    let operations = history.operations();
    assert_eq!(operations.len(), positions.len(), "one position for each operation");
    // By index, writes before reads, then by call: calls are in the order of places.
    let (mut is_sorted, mut last) = (true, None);
    for (place, (operation, position)) in operations.iter().zip(positions).enumerate() {
        let id = OperationId(place);
        match (&operation.outcome, position) {
            (Outcome::Failed, Some(_)) => return Err(Inconsistency::FailedTookEffect(id)),
            (Outcome::Failed | Outcome::Unknown, None) => {}
            (Outcome::Read(_) | Outcome::Done | Outcome::Mismatch(_), None) => {
                return Err(Inconsistency::NoPosition(id));
            }
            (_, Some(index)) => {
                let next = Some((*index, !logged(operation)));
                is_sorted &= last <= next;
                last = next;
            }
        }
    }
    if is_sorted {
        let placed = (0..positions.len()).filter(|place| positions[*place].is_some());
        return carry_out(operations, model, placed);
    }
    let claims = (0..).zip(operations.iter().zip(positions));
    let mut order: Vec<(u64, bool, usize)> = claims
        .filter_map(|(place, (operation, index))| index.map(|index| (index, !logged(operation), place)))
        .collect();
    order.sort_unstable();
    carry_out(operations, model, order.into_iter().map(|(_, _, place)| place))
}

/// Carries out operations in a claimed order, and compares what they answered and when.
fn carry_out(
    operations: &[Operation],
    model: &Model,
    order: impl Iterator<Item = usize>,
) -> Result<(), Inconsistency> {
    let mut places: BTreeMap<&Value, usize> = BTreeMap::new();
    let mut cells: Vec<Option<Value>> = Vec::new();
    // The operation with the latest call so far.
    let mut latest: Option<(u64, usize)> = None;
    for place in order {
        let operation = &operations[place];
        if let (Some((call, early)), Some(end)) = (latest, operation.end)
            && end.number < call
        {
            return Err(Inconsistency::RealTime { early: OperationId(early), late: OperationId(place) });
        }
        if latest.is_none_or(|(call, _)| operation.call.number > call) {
            latest = Some((operation.call.number, place));
        }
        let cell = match model.kind {
            Kind::Register => 0,
            Kind::Kv => *places.entry(&operation.key).or_insert(cells.len()),
        };
        if cell == cells.len() {
            cells.push(model.initial.clone());
        }
        let cell = &mut cells[cell];
        if !step(cell, &operation.action, &operation.outcome) {
            return Err(Inconsistency::Answer { operation: OperationId(place), held: cell.take() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::testing::{Story, story};
    use crate::linear::{Verdict, check_with_certificate};

    /// A put of `a` that overlaps one of `b`, then a get of `a`.
    fn overlapping() -> Story {
        story().put(1, "a").put(2, "b").ok(1).ok(2).reads(3, "a")
    }

    fn claim(story: &Story, positions: &Positions) -> Result<(), Inconsistency> {
        certify(&story.history, &story.model, positions)
    }

    #[test]
    fn the_true_order_is_accepted() {
        assert_eq!(claim(&overlapping(), &[Some(2), Some(1), Some(2)]), Ok(()));
        // A read stands behind the entry at its index and before the next.
        let story = story().puts(1, "a").reads(1, "a").puts(1, "b").reads(1, "b");
        assert_eq!(claim(&story, &[Some(1), Some(1), Some(2), Some(2)]), Ok(()));
    }

    #[test]
    fn an_order_with_another_answer_is_refused_though_another_order_would_do() {
        let story = overlapping();
        let positions = [Some(1), Some(2), Some(2)];
        let wrong = Inconsistency::Answer { operation: OperationId(2), held: Some("b".into()) };
        assert_eq!(claim(&story, &positions), Err(wrong.clone()));
        assert_eq!(
            wrong.render(&story.history, &positions),
            "get #5 cannot have answered so at index 2, where \"x\" held \"b\""
        );
        let checked = check_with_certificate(&story.history, &story.model, &positions, 100);
        assert_eq!((checked.verdict, checked.refused), (Verdict::Linearizable, Some(wrong)));
    }

    #[test]
    fn an_order_against_real_time_is_refused() {
        let story = story().puts(1, "a").puts(1, "b").reads(2, "a");
        let positions = [Some(2), Some(1), Some(2)];
        let wrong = Inconsistency::RealTime { early: OperationId(1), late: OperationId(0) };
        assert_eq!(claim(&story, &positions), Err(wrong.clone()));
        assert_eq!(
            wrong.render(&story.history, &positions),
            "put #1 (index 2) returned before put #3 (index 1) was called, and took effect after it"
        );
        let checked = check_with_certificate(&story.history, &story.model, &positions, 100);
        assert!(matches!(checked.verdict, Verdict::Violation(_)));
    }

    #[test]
    fn what_returned_has_a_position_and_what_failed_has_none() {
        let story = story().puts(1, "a").put(1, "b").failed(1).put(1, "c");
        assert_eq!(claim(&story, &[Some(1), None, None]), Ok(()));
        assert_eq!(claim(&story, &[Some(1), None, Some(2)]), Ok(()));
        assert_eq!(claim(&story, &[None, None, None]), Err(Inconsistency::NoPosition(OperationId(0))));
        let wrong = Inconsistency::FailedTookEffect(OperationId(1));
        assert_eq!(claim(&story, &[Some(1), Some(2), None]), Err(wrong));
    }

    #[test]
    fn a_certificate_that_holds_is_enough() {
        let story = overlapping();
        let checked = check_with_certificate(&story.history, &story.model, &[Some(2), Some(1), Some(2)], 0);
        assert_eq!((checked.verdict, checked.parts, checked.refused), (Verdict::Linearizable, 0, None));
    }
}
