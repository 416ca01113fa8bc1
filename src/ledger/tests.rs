//! Ledgers are sets: in whatever order they are merged, the report is the same.

use super::{CHUNK, Campaign, Chunk, Found, Ledger};
use crate::chain::Chain;
use crate::fuzz::Tally;
use crate::scenario::Seed;
use crate::violation::Property;
use proptest::collection::vec;
use proptest::prelude::*;

fn campaign(seed: &str) -> Campaign {
    Campaign::new(seed.to_string(), "portfolio".to_string(), None, None)
}

/// What came of the chunk `number` of the campaign, of which so many runs were made; every third chunk has a failure.
fn chunk(number: u64, runs: u64) -> Chunk {
    let begin = number * CHUNK;
    let digest: Chain = format!("{:016x}", number + 7).parse().expect("it is a digest");
    let fails = number % 3 == 2;
    let found = Found {
        run: begin,
        seed: Seed(number),
        property: Some(Property::LogMatching),
        signature: None,
        record: 1_000 - number,
        digest,
    };
    let tally = Tally { runs: runs - u64::from(fails), events: number, digest: number, ..Tally::default() };
    Chunk { number, runs, tally, failed: if fails { vec![found] } else { Vec::new() } }
}

fn ledger(chunks: impl IntoIterator<Item = (u64, u64)>) -> Ledger {
    let mut ledger = Ledger::new(campaign("0x1"), Some(10 * CHUNK));
    chunks.into_iter().for_each(|(number, runs)| ledger.add(chunk(number, runs)).expect("they agree"));
    ledger
}

fn merged(one: &Ledger, other: &Ledger) -> Ledger {
    let mut both = one.clone();
    both.merge(other.clone()).expect("they are of one campaign");
    both
}

fn ledgers() -> impl Strategy<Value = Ledger> {
    vec((0..10u64, prop_oneof![Just(CHUNK), Just(9)]), 0..8).prop_map(ledger)
}

proptest! {
    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in ledgers(), b in ledgers(), c in ledgers()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a.clone());
        prop_assert_eq!(Ledger::parse(&a.text()), Ok(a));
    }
}

#[test]
fn what_is_missing_is_told() {
    assert_eq!(ledger((0..10).map(|number| (number, CHUNK))).holes(), []);
    assert_eq!(ledger([]).holes(), [(0, 10 * CHUNK - 1)]);
    let some = ledger([(1, CHUNK), (2, 9), (5, CHUNK)]);
    assert_eq!(some.holes(), [(0, 255), (521, 1_279), (1_536, 2_559)]);
    let mut open = Ledger::new(campaign("0x1"), None);
    open.add(chunk(1, CHUNK)).expect("nothing is there");
    assert_eq!(open.holes(), [(0, 255)], "nobody knows what is to come");
    let mut extended = some.clone();
    extended.merge(open).expect("they are of one campaign");
    assert_eq!(extended.bound(), None, "as long as there is time");
    assert!(some.has(1) && !some.has(2) && !some.has(3));
}

#[test]
fn failures_of_one_kind_stand_together_the_shortest_first() {
    let all = ledger((0..10).map(|number| (number, CHUNK)));
    let groups = all.groups();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].all.len(), 3);
    assert_eq!(groups[0].shortest.seed, Seed(8));
    assert_eq!((all.runs(), all.tally().runs), (10 * CHUNK, 10 * CHUNK - 3));
}

#[test]
fn results_that_do_not_fit_are_refused() {
    let mut one = ledger([(1, CHUNK)]);
    let other = Chunk { tally: Tally { runs: CHUNK, ..Tally::default() }, ..chunk(1, CHUNK) };
    let error = one.add(other).expect_err("it is another").to_string();
    assert!(error.contains("runs 256 to 511 were made twice with different results"), "{error}");
    // One that was cut short at a failure that the whole one does not have.
    let mut cut = chunk(1, 9);
    cut.failed = vec![Found { run: CHUNK + 3, ..chunk(2, CHUNK).failed[0].clone() }];
    assert!(one.add(cut.clone()).is_err(), "the longer one says that this run did not fail");
    let mut other = ledger([]);
    other.add(cut).expect("nothing is there");
    assert!(other.merge(one.clone()).is_err(), "in whatever order");
    let error = one.merge(Ledger::new(campaign("0x2"), None)).expect_err("it is another").to_string();
    assert!(error.contains("seed 0x2 there, 0x1 here"), "{error}");
}

#[test]
fn half_a_line_at_the_end_is_left_out_and_any_other_bad_line_is_told() {
    let all = ledger([(0, CHUNK), (1, CHUNK), (2, CHUNK)]);
    let text = all.text();
    let cut = &text[..text.len() - 5];
    assert_eq!(Ledger::parse(cut), Ok(ledger([(0, CHUNK), (1, CHUNK)])));
    let lines: Vec<&str> = text.lines().collect();
    // Killed between the first two lines, it has all that it is told later.
    let without_bound = format!("{}\n{}\n", lines[0], lines[2]);
    let mut begun = Ledger::parse(&without_bound).expect("it is the beginning of one");
    begun.extend(Some(10 * CHUNK));
    assert_eq!(begun, ledger([(0, CHUNK)]));
    for (bad, told) in [
        (String::new(), "nothing stands in it"),
        ("{}\n".to_string(), "line 1"),
        (format!("{}\n", lines[2]), "line 1: expected the campaign first"),
        (format!("{text}{}\n", lines[0]), "line 6: a second campaign begins"),
        (format!("{text}{{\"chunk\":\n"), "line 6: a key without a value"),
        (text.replace("\"runs\":256", "\"runs\":255"), "line 5: the sums of chunk 2 cannot be"),
        (
            text.replace("\"number\":1,", "\"number\":99999999999999,"),
            "line 4: the sums of chunk 99999999999999",
        ),
        (
            text.replace("\"seed\":\"0x2\"", "\"sead\":\"0x2\""),
            "line 5: chunk.failed[0]: unknown field `sead`",
        ),
    ] {
        let error = Ledger::parse(&bad).expect_err("it is none").to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
}
