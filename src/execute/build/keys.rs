//! The numbers of the keys that a scenario names.
//!
//! `k7` is key 7 of the workload. Every other name gets a number of its own, in the order in which the file names them,
//! far from those of the workload.

use crate::kv;
use crate::scenario::{Key, Operation, Predicate, Scenario, Step};
use std::collections::{BTreeMap, BTreeSet};

/// The first number of a key that the workload does not use.
const OWN_FIRST: u32 = 1_000_000;

/// The number of every key that the steps name.
pub(crate) fn numbers(scenario: &Scenario) -> BTreeMap<Key, kv::Key> {
    let mut keys = Vec::new();
    of_steps(&scenario.steps, &mut keys);
    let given: BTreeSet<u32> = keys.iter().filter_map(|key| key.number()).collect();
    let mut numbers = BTreeMap::new();
    let mut own = (OWN_FIRST..).filter(|number| !given.contains(number));
    for key in keys {
        if !numbers.contains_key(key) {
            let number = key.number().or_else(|| own.next()).expect("there are more numbers than names");
            numbers.insert(key.clone(), kv::Key(number));
        }
    }
    numbers
}

fn of_steps<'a>(steps: &'a [Step], keys: &mut Vec<&'a Key>) {
    for step in steps {
        match step {
            Step::Call(call) => keys.push(match &call.op {
                Operation::Get(keyed) | Operation::Delete(keyed) => &keyed.key,
                Operation::Put(written) | Operation::Append(written) => &written.key,
                Operation::Cas(cas) => &cas.key,
            }),
            Step::Read(read) => keys.extend(&read.key),
            Step::Until(until) => of_predicate(&until.that, keys),
            Step::Assert(assert) => of_predicate(&assert.that, keys),
            Step::Always(always) => of_predicate(&always.that, keys),
            Step::If(condition) => of_predicate(&condition.that, keys),
            // No other step names a key.
            _ => {}
        }
        step.blocks().into_iter().for_each(|steps| of_steps(steps, keys));
    }
}

fn of_predicate<'a>(predicate: &'a Predicate, keys: &mut Vec<&'a Key>) {
    match predicate {
        Predicate::Value(asked) => keys.push(&asked.key),
        Predicate::All(parts) | Predicate::Any(parts) => {
            parts.iter().for_each(|part| of_predicate(part, keys));
        }
        Predicate::Not(inner) => of_predicate(inner, keys),
        // No other predicate names a key.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_numbers_in_the_order_of_the_file_and_keep_out_of_the_way_of_the_workload() {
        let text = r#"{ "name": "keys", "nodes": 1, "steps": [
            { "assert": { "not": { "value": { "of": 0, "key": "b", "absent": true } } } },
            { "call": { "op": { "get": "k1000000" } } },
            { "repeat": { "times": 2, "steps": [{ "call": { "op": { "put": { "key": "a", "value": "1" } } } }] } },
            { "read": { "kind": "local", "key": "b" } }, { "call": { "op": { "delete": "k3" } } }
        ] }"#;
        let scenario = Scenario::parse("keys", text).unwrap();
        let shown: Vec<String> =
            numbers(&scenario).into_iter().map(|(key, number)| format!("{key} {}", number.0)).collect();
        assert_eq!(shown, ["a 1000002", "b 1000001", "k1000000 1000000", "k3 3"]);
    }
}
