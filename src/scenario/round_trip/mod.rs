//! What is written is read back as it was: drawn and shrunk scenarios are files too.

mod documents;
mod fields;
mod links;
mod predicates;
mod steps;
mod values;

use super::*;
use documents::scenarios;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn what_is_written_is_read_back_as_it_was(scenario in scenarios()) {
        let text = scenario.to_json();
        let read = read::unchecked(&text).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&read, &scenario);
        // The format does not depend on our own reader.
        let by_serde: Scenario = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&by_serde, &scenario);
        // No scenario makes the check panic.
        let _ = scenario.check();
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]{}\",:a-z0-9/* \n\u{e9}]{0,60}") {
        if let Err(error) = Scenario::parse("any.json", &text) {
            prop_assert!(!error.render(false, 80).is_empty());
        }
    }
}

#[test]
fn a_scenario_built_in_rust_is_checked_like_one_that_was_read() {
    let good = Scenario::new("built", 3).seeded(Seed(7)).steps([
        Step::Until(Until { that: Predicate::single_leader(), within: WITHIN_DEFAULT, bind: None }),
        Step::Propose(Propose::to_leader("x")),
        Step::Heal,
    ]);
    assert_eq!(good.check(), Ok(()));
    assert_eq!(Scenario::parse("built.json", &good.to_json()).unwrap(), good);
    let bad = good.steps([Step::Crash(Crash::of(Target::Node(3)))]);
    let findings = bad.check().unwrap_err();
    assert_eq!(findings, ["steps[3].crash.nodes: there is no node 3: the cluster has nodes 0..=2"]);
}
