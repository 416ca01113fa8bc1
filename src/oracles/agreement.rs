//! The oracles and their audit agree on random histories, and the histories are such that this means
//! something.

use super::testing::SAFETY;
use super::walk::plans;
use super::{Judge, audit};
use crate::record::Record;
use crate::violation::Property;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngSeed, TestRunner};
use sim_core::{Observer as _, Stamp};

/// The first breach of each property, as the judge sees it.
fn judged(nodes: u16, history: &[(Stamp, Record)]) -> [Option<u64>; SAFETY.len()] {
    let mut judge = Judge::new(nodes);
    for (stamp, record) in history {
        if Judge::INTEREST.has(record.kind()) {
            judge.observe(*stamp, record);
        }
    }
    let first = |property: Property| {
        judge
            .violations()
            .iter()
            .find(|violation| violation.property == property)
            .map(|violation| violation.record)
    };
    SAFETY.map(first)
}

/// The same cases in every run, unless the environment asks for others.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    config.cases = config.cases.max(1_024);
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(0x5ea_0321);
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn judge_and_audit_agree_on_what_is_broken_and_where_first(plan in plans()) {
        let history = plan.history();
        for (property, judged) in SAFETY.into_iter().zip(judged(plan.nodes, &history)) {
            let audited = audit::first_breach(property, &history, plan.nodes);
            prop_assert_eq!(judged, audited, "{}: the judge on the left, the audit on the right", property);
        }
    }

    #[test]
    fn a_lawful_walk_breaks_nothing(plan in plans()) {
        let lawful = plan.lawful();
        let history = lawful.history();
        for (property, judged) in SAFETY.into_iter().zip(judged(lawful.nodes, &history)) {
            prop_assert_eq!(judged, None, "{} breaks, at a record of {:#?}", property, history);
        }
    }
}

#[test]
fn the_walks_break_each_property_often_and_often_none() {
    const COUNT: usize = 2_000;
    let mut runner = TestRunner::deterministic();
    let mut broken = [0; SAFETY.len()];
    let (mut lawful, mut intact, mut commits, mut leaders) = (0, 0, 0, 0);
    for _ in 0..COUNT {
        let plan = plans().new_tree(&mut runner).unwrap().current();
        let history = plan.history();
        let judged = judged(plan.nodes, &history);
        for (count, breach) in broken.iter_mut().zip(judged) {
            *count += usize::from(breach.is_some());
        }
        lawful += usize::from(plan.is_lawful());
        intact += usize::from(judged == [None; SAFETY.len()]);
        let text = |what: &str| history.iter().any(|(_, record)| format!("{record:?}").contains(what));
        commits += usize::from(text("Commit {"));
        leaders += usize::from(text("Leader"));
    }
    let counts: Vec<String> =
        SAFETY.iter().zip(broken).map(|(property, count)| format!("{property} {count}")).collect();
    let all = format!(
        "of {COUNT}: lawful {lawful}, intact {intact}, commits {commits}, leaders {leaders}; {counts:?}"
    );
    assert!(broken.iter().all(|count| *count >= COUNT / 50), "{all}");
    assert!(lawful >= COUNT / 5, "{all}");
    // Not every odd move breaks a rule: near misses are there.
    assert!(intact >= lawful + COUNT / 20, "{all}");
    assert!(commits >= COUNT / 3, "{all}");
    assert!(leaders >= COUNT / 2, "{all}");
}
