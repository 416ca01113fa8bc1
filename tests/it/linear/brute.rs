//! Linearizability by its definition: every order is tried. Shares no code with what it judges.

use seaworthy::linear::{Action, History, Operation, Outcome, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Whether each key of the history has a linearization. For at most sixteen operations a key.
pub(crate) fn is_linearizable(history: &History, initial: Option<&Value>) -> bool {
    let mut keys: BTreeMap<&Value, Vec<&Operation>> = BTreeMap::new();
    for operation in history.operations() {
        keys.entry(&operation.key).or_default().push(operation);
    }
    keys.values().all(|operations| one_key(operations, initial))
}

fn one_key(operations: &[&Operation], initial: Option<&Value>) -> bool {
    let happened: Vec<&Operation> =
        operations.iter().copied().filter(|operation| operation.outcome != Outcome::Failed).collect();
    assert!(happened.len() <= 16, "every order is tried");
    // By operation, those that must stand before it.
    let required: Vec<u16> =
        happened.iter().map(|later| set(&happened, |earlier| returned(earlier, later))).collect();
    let all = set(&happened, |operation| operation.end.is_some());
    let mut states: Vec<Option<Vec<u8>>> = vec![initial.map(|value| value.bytes().to_vec())];
    let mut numbers: BTreeMap<Option<Vec<u8>>, usize> = BTreeMap::from([(states[0].clone(), 0)]);
    let mut seen: BTreeSet<(u16, usize)> = BTreeSet::new();
    let mut open = vec![(0u16, 0usize)];
    while let Some((done, state)) = open.pop() {
        if done & all == all {
            return true;
        }
        for (place, operation) in happened.iter().enumerate() {
            if done >> place & 1 == 1 || required[place] & !done != 0 {
                continue;
            }
            let Some(after) = after(&states[state], operation) else { continue };
            let number = *numbers.entry(after).or_insert_with_key(|after| {
                states.push(after.clone());
                states.len() - 1
            });
            let next = (done | 1 << place, number);
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

fn set(operations: &[&Operation], wanted: impl Fn(&Operation) -> bool) -> u16 {
    let bit = |(place, operation): (usize, &&Operation)| u16::from(wanted(operation)) << place;
    operations.iter().enumerate().map(bit).sum()
}

fn returned(earlier: &Operation, later: &Operation) -> bool {
    earlier.end.is_some_and(|end| end.number < later.call.number)
}

/// What the key holds after the operation; nothing if it cannot have gone so.
fn after(state: &Option<Vec<u8>>, operation: &Operation) -> Option<Option<Vec<u8>>> {
    let same = |value: &Option<Value>| value.as_ref().map(Value::bytes) == state.as_deref();
    match (&operation.action, &operation.outcome) {
        (Action::Get, Outcome::Read(seen)) => same(seen).then(|| state.clone()),
        (Action::Get, _) => Some(state.clone()),
        (Action::Put(value), _) => Some(Some(value.bytes().to_vec())),
        (Action::Append(more), _) => {
            Some(Some([state.as_deref().unwrap_or_default(), more.bytes()].concat()))
        }
        (Action::Delete, _) => Some(None),
        (Action::Cas { expected, .. }, Outcome::Mismatch(seen)) => {
            (same(seen) && !same(expected)).then(|| state.clone())
        }
        (Action::Cas { expected, new }, Outcome::Unknown) => {
            Some(if same(expected) { Some(new.bytes().to_vec()) } else { state.clone() })
        }
        (Action::Cas { expected, new }, _) => same(expected).then(|| Some(new.bytes().to_vec())),
    }
}
