//! Judging histories: every tier against the definition, and the program on files.

mod brute;
mod compare;
mod lines;
mod program;
mod random;

use compare::{Tally, Way, compare, compare_long};

/// Compares so many histories, and checks that they were worth comparing.
fn comparisons(indices: core::ops::Range<u64>, way: Way) {
    let count = indices.end - indices.start;
    let mut tally = Tally::default();
    indices.for_each(|index| compare(index, way, &mut tally));
    assert!(tally.linearizable > count / 10 && tally.not > count / 10, "{tally:?}");
    assert!(tally.by_zones[0] > count / 10 && tally.by_zones[1] > count / 2, "{tally:?}");
    assert!(tally.certified > count / 2, "{tally:?}");
    for met in [tally.unknown, tally.mismatches, tally.deletes, tally.appends] {
        assert!(met > count / 6, "{tally:?}");
    }
}

#[test]
fn every_tier_agrees_with_the_definition_on_250_000_histories() {
    comparisons(0..250_000, Way::Drawn);
}

#[test]
fn every_tier_agrees_with_the_definition_on_250_000_other_histories() {
    comparisons(250_000..500_000, Way::Drawn);
}

#[test]
fn the_tool_agrees_with_the_definition_on_50_000_histories_that_it_reads_from_files() {
    comparisons(500_000..550_000, Way::Read);
}

#[test]
fn the_tiers_agree_with_each_other_on_long_histories() {
    let (mut decided, mut zones, mut linearizable) = (0, 0, 0);
    for (applied, truth) in (0..1_000).filter_map(compare_long) {
        decided += 1;
        zones += u32::from(applied);
        linearizable += u32::from(truth);
    }
    assert!(decided > 900 && zones > 500, "{decided} {zones}");
    assert!((300..800).contains(&linearizable), "{linearizable}");
}
