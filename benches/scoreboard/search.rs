//! Looking for a planted bug, campaign after campaign. All of it is the same everywhere, so the tests look up in the committed
//! tables what they find.

use seaworthy::adapter::Mutation;
use seaworthy::execute::run;
use seaworthy::fuzz::{Coverage, LIMITS, States, Strategy, draw_by, run_seed, splice};
use seaworthy::scenario::{Scenario, Seed};
use sim_core::Stream;

/// Where a bug is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// How many runs a campaign has at most.
    pub(crate) runs: u64,
    /// In clusters of this size only; in those of every size if none is given.
    pub(crate) nodes: Option<u16>,
    pub(crate) strategy: Strategy,
    /// Whether half of the runs are made of those that reached states which no other had.
    pub(crate) is_guided: bool,
}

/// What a campaign that is guided has learned.
struct Guide {
    stream: Stream,
    reached: States,
    /// What reached something new, the latest last.
    corpus: Vec<Scenario>,
}

/// How many scenarios are kept to be made others of.
const CORPUS_MAX: usize = 500;

impl Guide {
    fn new(number: u64) -> Self {
        Self { stream: Stream::new(number, "guide", 0), reached: States::default(), corpus: Vec::new() }
    }

    /// Half of the time the scenario that was drawn, else that spliced with an earlier one.
    fn vary(&mut self, seed: u64, drawn: Scenario) -> Scenario {
        if self.corpus.is_empty() || self.stream.coin() {
            return drawn;
        }
        let one = self.stream.pick(&self.corpus);
        splice(seed, one, &drawn).seeded(Seed(seed))
    }

    /// Keeps a scenario that reached something new.
    fn learn(&mut self, scenario: &Scenario, states: &States) {
        let all = |states: &States| states.reached.len() + states.dangerous.len();
        let before = all(&self.reached);
        self.reached.add(states);
        if all(&self.reached) == before {
            return;
        }
        if self.corpus.len() == CORPUS_MAX {
            let place = self.stream.index(CORPUS_MAX);
            self.corpus.swap_remove(place);
        }
        self.corpus.push(scenario.clone());
    }
}

/// What a campaign found.
pub(crate) struct Found {
    /// In which of its runs, from 1.
    pub(crate) run: u64,
    /// With its seed, and the bug in it.
    pub(crate) scenario: Scenario,
}

impl Field {
    /// Goes through the campaign of this number until it finds the bug.
    pub(crate) fn search(&self, mutation: Mutation, number: u64) -> Option<Found> {
        let (mut done, mut index) = (0, 0);
        let mut guide = self.is_guided.then(|| Guide::new(number));
        while done < self.runs {
            let seed = run_seed(number, index);
            index += 1;
            let mut scenario = draw_by(self.strategy, seed).seeded(Seed(seed));
            // Nobody waits for ever for clusters of a size that is never drawn.
            assert!(index < 1_000 || done > 0, "no cluster of this size is drawn");
            if self.nodes.is_some_and(|nodes| nodes != scenario.nodes) {
                continue;
            }
            done += 1;
            if let Some(guide) = &mut guide {
                scenario = guide.vary(seed, scenario);
            }
            scenario.mutation = Some(mutation.name().to_string());
            let outcome = if let Some(guide) = &mut guide {
                let coverage = Coverage::new(scenario.nodes);
                let (outcome, coverage) =
                    run(&scenario, seed, LIMITS, coverage).expect("the build has the bug");
                guide.learn(&scenario, &coverage.states());
                outcome
            } else {
                run(&scenario, seed, LIMITS, ()).expect("the build has the bug").0
            };
            if !outcome.verdict.as_expected() {
                return Some(Found { run: done, scenario });
            }
        }
        None
    }
}

/// The value below which so many hundredths of the sorted values lie; none if there are no values.
pub(crate) fn percentile<T: Copy>(sorted: &[T], hundredths: usize) -> Option<T> {
    let place = (sorted.len() * hundredths).div_ceil(100).max(1) - 1;
    sorted.get(place).copied()
}

/// A value, or a dash where there is none.
pub(crate) fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_string(), |value| value.to_string())
}

/// How many campaigns found the bug, and in which runs: the median, the 90th percentile and the last. Those that found nothing
/// count as later than any that did.
pub(crate) fn row(found: &[Option<u64>]) -> String {
    let mut runs: Vec<u64> = found.iter().map(|run| run.unwrap_or(u64::MAX)).collect();
    runs.sort_unstable();
    let known = |run: Option<u64>| shown(run.filter(|run| *run < u64::MAX));
    format!(
        "{}/{} | {} | {} | {}",
        found.iter().flatten().count(),
        found.len(),
        known(percentile(&runs, 50)),
        known(percentile(&runs, 90)),
        known(runs.last().copied())
    )
}
