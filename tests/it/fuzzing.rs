//! The search finds every planted bug, and nothing else.

use seaworthy::execute::run;
use seaworthy::fuzz::{LIMITS, Strategy, draw_by, run_seed};

/// Runs a campaign and gives the number of the first run that fails.
#[cfg(feature = "mutations")]
fn found(mutation: &str, campaign: u64, runs: u64) -> Option<u64> {
    (0..runs).find(|index| {
        let seed = run_seed(campaign, *index);
        let mut scenario = draw_by(Strategy::Portfolio, seed);
        scenario.mutation = Some(mutation.to_string());
        !run(&scenario, seed, LIMITS, ()).expect("the build has the bug").0.verdict.as_expected()
    })
}

#[cfg(feature = "mutations")]
#[test]
fn every_planted_bug_is_found_from_five_seeds() {
    use seaworthy::adapter::Mutation;
    use seaworthy::campaign::{Flow, in_order};
    let campaigns: Vec<(&str, u64)> =
        Mutation::ALL.iter().flat_map(|bug| (0..5).map(|campaign| (bug.name(), campaign))).collect();
    // Of thirty campaigns for each bug the longest took 3,861 runs.
    let search = |index: u64| {
        let (name, campaign) = campaigns[usize::try_from(index).expect("they are few")];
        Some((name, campaign, found(name, campaign, 20_000)))
    };
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    in_order(campaigns.len() as u64, jobs, search, |_, (name, campaign, runs)| {
        assert!(runs.is_some(), "{name} is not found in 20,000 runs of campaign {campaign}");
        Flow::Continue
    });
}

#[cfg(feature = "mutations")]
#[test]
fn every_planted_bug_has_a_witness_that_passes_without_it() {
    use crate::support::library;
    use seaworthy::execute::Limits;
    use seaworthy::scenario::Expect;
    let library = library();
    for mutation in seaworthy::adapter::Mutation::ALL {
        let name = mutation.name();
        let witness = library.iter().find(|(_, scenario)| scenario.mutation.as_deref() == Some(name));
        let (path, witness) = witness.unwrap_or_else(|| panic!("{name} has no witness"));
        let mut sound = witness.clone();
        sound.mutation = None;
        sound.expect = Expect::Pass;
        let breaks = match witness.expect {
            Expect::Violation(property) => property.name(),
            Expect::Pass => "nothing",
        };
        assert_eq!(breaks, mutation.breaks(), "{}", path.display());
        for seed in 0..50 {
            let with = run(witness, seed, Limits::default(), ()).expect("the build has the bug").0;
            assert!(with.verdict.as_expected(), "{} seed {seed}: {:?}", path.display(), with.violations);
            let without = run(&sound, seed, Limits::default(), ()).expect("no bug is named").0;
            assert!(
                without.verdict.as_expected(),
                "{} without the bug: {:?}",
                path.display(),
                without.violations
            );
        }
    }
}

#[test]
fn the_correct_node_survives_every_strategy() {
    for (strategy, runs) in Strategy::ALL.into_iter().zip([1_000, 400, 400, 400, 400, 400]) {
        for index in 0..runs {
            let seed = run_seed(0, index);
            let (outcome, ()) = run(&draw_by(strategy, seed), seed, LIMITS, ()).expect("no bug is named");
            assert!(outcome.verdict.as_expected(), "{strategy}, seed {seed:#x}: {:?}", outcome.violations);
        }
    }
}

#[cfg(not(feature = "mutations"))]
#[test]
fn a_build_without_bugs_says_so() {
    let mut scenario = draw_by(Strategy::Portfolio, 1);
    scenario.mutation = Some("vote_not_persisted".to_string());
    let error = run(&scenario, 1, LIMITS, ()).expect_err("the bug is not there").to_string();
    assert!(error.contains("--features mutations"), "{error}");
}
