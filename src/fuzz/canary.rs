//! A planted bug that every search must find: one that does not could not find anything.

use crate::execute::run;
use crate::fuzz::{LIMITS, Strategy, draw_by, run_seed};

/// The bug: a vote that is not written down, the first mistake of all who implement Raft.
pub const CANARY: &str = "vote_not_persisted";

/// After how many runs at most it must be found. The strategies take no more than thirty.
pub const CANARY_RUNS: u64 = 500;

/// Another seed than any campaign is likely to have.
const SEED: u64 = 0xca_0a_71;

/// In which run, from 1, a strategy finds the bug; none if it does not, or this build has no planted bugs
/// ([`has_canary`]). It is the same for every campaign.
#[must_use]
pub fn canary(strategy: Strategy) -> Option<u64> {
    if !has_canary() {
        return None;
    }
    let fails = |index: &u64| {
        let seed = run_seed(SEED, *index);
        let mut scenario = draw_by(strategy, seed);
        scenario.mutation = Some(CANARY.to_string());
        run(&scenario, seed, LIMITS, ()).is_ok_and(|(outcome, ())| !outcome.verdict.as_expected())
    };
    (0..CANARY_RUNS).find(fails).map(|index| index + 1)
}

/// Whether this build has planted bugs.
#[must_use]
pub const fn has_canary() -> bool {
    cfg!(feature = "mutations")
}

#[cfg(all(test, feature = "mutations"))]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_finds_the_canary_soon() {
        for strategy in Strategy::ALL {
            let run = canary(strategy);
            assert!(run.is_some_and(|run| run <= 30), "{strategy}: {run:?}");
            assert_eq!(canary(strategy), run);
        }
    }
}
