//! What a cell can hold, as small numbers, and what each operation does to it.

use crate::linear::history::{Action, Outcome};
use crate::linear::part::Item;
use crate::linear::value::Value;
use std::collections::BTreeMap;

/// The number of a state.
pub(super) type StateId = u32;

/// What an operation does, in numbers of states.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effect {
    /// It saw this state.
    Sees(StateId),
    /// It saw `seen`, which is what it expected: that cannot be.
    Never,
    /// It leaves this state.
    Writes(StateId),
    /// It found the first and leaves the second.
    Replaces(StateId, StateId),
    /// It adds bytes: its number among the appends.
    Appends(u32),
}

/// The states that were met so far.
#[derive(Clone, Debug)]
pub(super) struct States<'h> {
    numbers: BTreeMap<Option<Value>, StateId>,
    values: Vec<Option<Value>>,
    appended: Vec<&'h Value>,
    /// What an append makes of a state.
    grown: BTreeMap<(StateId, u32), StateId>,
    /// How many bytes the values have that appends made.
    grown_bytes: u64,
}

impl<'h> States<'h> {
    pub(super) fn new() -> Self {
        Self {
            numbers: BTreeMap::new(),
            values: Vec::new(),
            appended: Vec::new(),
            grown: BTreeMap::new(),
            grown_bytes: 0,
        }
    }

    /// How many bytes the values have that appends made: what a search does and keeps besides its looks.
    pub(super) const fn grown_bytes(&self) -> u64 {
        self.grown_bytes
    }

    pub(super) fn number(&mut self, value: Option<&Value>) -> StateId {
        // Looking up borrows an owned key; values are short where there are many.
        let value = value.cloned();
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let number = StateId::try_from(self.values.len()).expect("fewer than 2^32 states");
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        number
    }

    pub(super) fn effect(&mut self, item: &Item<'h>) -> Effect {
        match (item.action, item.outcome) {
            (Action::Cas { expected, .. }, Outcome::Mismatch(seen)) if expected == seen => Effect::Never,
            (_, Outcome::Read(seen) | Outcome::Mismatch(seen)) => Effect::Sees(self.number(seen.as_ref())),
            (Action::Put(value), _) => Effect::Writes(self.number(Some(value))),
            (Action::Delete, _) => Effect::Writes(self.number(None)),
            (Action::Cas { expected, new }, _) => {
                Effect::Replaces(self.number(expected.as_ref()), self.number(Some(new)))
            }
            (Action::Append(more), _) => {
                self.appended.push(more);
                Effect::Appends(u32::try_from(self.appended.len() - 1).expect("fewer than 2^32 appends"))
            }
            // A history has no get without an answer here: parts leave them out.
            (Action::Get, Outcome::Unknown | Outcome::Done | Outcome::Failed) => Effect::Never,
        }
    }

    /// The state after a write; `None` if it cannot be carried out in this one.
    pub(super) fn write(&mut self, state: StateId, effect: Effect) -> Option<StateId> {
        match effect {
            Effect::Sees(_) | Effect::Never => None,
            Effect::Writes(value) => Some(value),
            Effect::Replaces(expected, new) => (state == expected).then_some(new),
            Effect::Appends(number) => Some(self.append(state, number)),
        }
    }

    fn append(&mut self, state: StateId, number: u32) -> StateId {
        if let Some(grown) = self.grown.get(&(state, number)) {
            return *grown;
        }
        let index = |number: u32| usize::try_from(number).expect("it is in memory");
        let mut value = self.values[index(state)].clone().unwrap_or_default();
        value.append(self.appended[index(number)]);
        // Known or not, it had to be made and looked up.
        self.grown_bytes += value.bytes().len() as u64;
        let grown = self.number(Some(&value));
        self.grown.insert((state, number), grown);
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_append_makes_is_counted_once_for_each_whether_it_was_known_or_not() {
        let same = Value::from("yy");
        let mut states = States::new();
        states.appended = vec![&same, &same];
        let begin = states.number(Some(&"x".into()));
        let grown = states.append(begin, 0);
        assert_eq!(states.grown_bytes(), 3);
        assert_eq!(states.append(begin, 1), grown, "both make the same value");
        assert_eq!(states.grown_bytes(), 6);
        states.append(begin, 0);
        assert_eq!(states.grown_bytes(), 6, "it need not be made again");
    }
}
