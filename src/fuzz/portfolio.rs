//! By which rules a scenario is drawn: one strategy alone, or a portfolio of them all.
//!
//! Owns the strategies' names and shares. No strategy knows of any planted bug.

use crate::fuzz::{aimed, priority, race, room, splice, swarm};
use crate::scenario::Scenario;
use core::fmt;
use core::str::FromStr;

/// By which rules a scenario is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Each seed picks one of the others, some more often than others.
    #[default]
    Portfolio,
    /// Everything at once, with a drawn part of it left out (Groce et al., "Swarm testing", ISSTA 2012).
    Swarm,
    /// Links with priorities, a few of which change on the way.
    Priority,
    /// Nothing but messages that overtake each other and rivals that stand together.
    Race,
    /// Few faults, each aimed at the messages of one kind and one term.
    Aimed,
    /// Two scenarios of the others, put together and varied.
    Splice,
}

impl Strategy {
    /// Every strategy, the portfolio first.
    pub const ALL: [Self; 6] =
        [Self::Portfolio, Self::Swarm, Self::Priority, Self::Race, Self::Aimed, Self::Splice];

    /// The strategies that the portfolio picks from, and how often each of them in a hundred. On the scoreboard the swarm and
    /// what is aimed find most bugs soonest; each of the others is the quickest for some.
    pub const SHARES: [(Self, u32); 5] =
        [(Self::Swarm, 40), (Self::Priority, 10), (Self::Race, 15), (Self::Aimed, 25), (Self::Splice, 10)];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portfolio => "portfolio",
            Self::Swarm => "swarm",
            Self::Priority => "priority",
            Self::Race => "race",
            Self::Aimed => "aimed",
            Self::Splice => "splice",
        }
    }

    /// The strategy that draws the scenario of `seed`: itself, or for the portfolio the one that the seed picks.
    #[must_use]
    pub fn of(self, seed: u64) -> Self {
        match self {
            Self::Portfolio => {
                let weights = Self::SHARES.map(|(_, weight)| weight);
                Self::SHARES[room(seed, "portfolio").weighted(&weights)].0
            }
            alone => alone,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Strategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|strategy| strategy.name() == text);
        named.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is no strategy: expected one of {names}")
        })
    }
}

/// The scenario of a seed: everything about it is drawn.
#[must_use]
pub fn draw(seed: u64) -> Scenario {
    draw_by(Strategy::Portfolio, seed)
}

/// The scenario that a strategy draws from a seed. Its name tells the strategy.
#[must_use]
pub fn draw_by(strategy: Strategy, seed: u64) -> Scenario {
    let strategy = strategy.of(seed);
    let mut scenario = match strategy {
        Strategy::Portfolio => unreachable!("a seed picks one of the others"),
        Strategy::Swarm => swarm::draw(seed),
        Strategy::Priority => priority::draw(seed),
        Strategy::Race => race::draw(seed),
        Strategy::Aimed => aimed::draw(seed),
        Strategy::Splice => splice::draw(seed),
    };
    scenario.name = format!("fuzz_{strategy}");
    scenario
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::run;
    use crate::fuzz::{LIMITS, run_seed};

    #[test]
    fn a_strategy_is_read_by_its_name() {
        for strategy in Strategy::ALL {
            assert_eq!(strategy.name().parse(), Ok(strategy));
        }
        let error = "mutant".parse::<Strategy>().expect_err("there is no such strategy");
        assert!(error.contains("portfolio, swarm, priority, race, aimed, splice"), "{error}");
        assert_eq!(Strategy::default(), Strategy::Portfolio);
    }

    #[test]
    fn the_portfolio_picks_each_strategy_in_about_its_share() {
        let total: u32 = Strategy::SHARES.iter().map(|(_, share)| share).sum();
        assert_eq!(total, 100);
        let picked: Vec<Strategy> =
            (0..10_000).map(|index| Strategy::Portfolio.of(run_seed(1, index))).collect();
        for (strategy, share) in Strategy::SHARES {
            let count = picked.iter().filter(|one| **one == strategy).count() as u64;
            let (least, most) = (u64::from(share) * 85, u64::from(share) * 115);
            assert!((least..=most).contains(&count), "{strategy}: {count} of 10,000, share {share}");
        }
        for seed in 0..200 {
            let alone = Strategy::Portfolio.of(seed);
            assert_eq!(draw(seed), draw_by(alone, seed));
            assert_eq!(draw(seed).name, format!("fuzz_{alone}"));
        }
    }

    #[test]
    fn what_a_strategy_draws_is_an_ordinary_file_and_the_same_again() {
        for strategy in Strategy::ALL {
            for index in 0..150 {
                let seed = run_seed(11, index);
                let scenario = draw_by(strategy, seed);
                assert_eq!(scenario, draw_by(strategy, seed));
                let text = scenario.to_json();
                let read = Scenario::parse("drawn.json", &text)
                    .unwrap_or_else(|error| panic!("{strategy} {seed:#x}: {}", error.render(false, 100)));
                assert_eq!(read, scenario);
            }
        }
    }

    #[test]
    fn a_run_of_any_strategy_can_be_repeated() {
        for strategy in Strategy::ALL {
            for index in 0..25 {
                let seed = run_seed(12, index);
                let scenario = draw_by(strategy, seed);
                let (one, ()) = run(&scenario, seed, LIMITS, ()).unwrap();
                assert_eq!(run(&scenario, seed, LIMITS, ()).unwrap().0, one);
            }
        }
    }
}
