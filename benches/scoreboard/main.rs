//! How many runs the search takes to find each planted bug, how long that lasts on one core, and how short the story is.
//!
//! `cargo bench --bench scoreboard --features mutations` prints a Markdown table. Each bug is looked for in `--campaigns N`
//! campaigns (default 30) of at most `--runs N` runs (default 100,000), by `--strategy S` (default the portfolio), among
//! clusters of `--nodes N` only if that is given, and one bug alone with `--mutation M`. With `--guided` half of the runs are
//! spliced of earlier ones that reached new states of the protocol, to see whether that would be worth its time. What the
//! first `--stories N` campaigns (default 3) find is made short, and compared with the shortest story known that breaks the
//! same property: of those, or the witness in the library made short. All of that is the same everywhere; the times below are
//! of this machine, each campaign on one of `--jobs N` threads (default 1).
//!
//! Without the feature there is nothing to find, and it says so.

#[cfg(feature = "mutations")]
mod search;

#[cfg(not(feature = "mutations"))]
fn main() {}

#[cfg(feature = "mutations")]
fn main() -> std::process::ExitCode {
    scoreboard::main()
}

#[cfg(feature = "mutations")]
mod scoreboard {
    #![expect(
        clippy::print_stdout,
        clippy::print_stderr,
        clippy::disallowed_types,
        reason = "a benchmark measures wall time and prints it; nothing here decides a run"
    )]

    use crate::search::{Field, Found, percentile, row, shown};
    use seaworthy::adapter::Mutation;
    use seaworthy::campaign::{Flow, in_order};
    use seaworthy::fuzz::{LIMITS, Strategy};
    use seaworthy::scenario::Scenario;
    use seaworthy::shrink::{Shrunk, shrink};
    use seaworthy::violation::Property;
    use std::cmp::Reverse;
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::process::ExitCode;
    use std::str::FromStr;
    use std::time::{Duration, Instant};

    struct Settings {
        campaigns: u64,
        field: Field,
        stories: u64,
        jobs: usize,
        mutation: Option<Mutation>,
    }

    fn value<T: FromStr>(option: &str, text: Option<String>) -> Result<T, String> {
        let text = text.ok_or_else(|| format!("{option} needs a value"))?;
        text.parse().map_err(|_| format!("{option} {text}: no such value"))
    }

    fn settings() -> Result<Settings, String> {
        let mut settings = Settings {
            campaigns: 30,
            field: Field { runs: 100_000, nodes: None, strategy: Strategy::Portfolio, is_guided: false },
            stories: 3,
            jobs: 1,
            mutation: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(option) = arguments.next() {
            let mut next = || arguments.next();
            match option.as_str() {
                "--campaigns" => settings.campaigns = value(&option, next())?,
                "--runs" => settings.field.runs = value(&option, next())?,
                "--stories" => settings.stories = value(&option, next())?,
                "--jobs" => settings.jobs = value(&option, next())?,
                "--nodes" => settings.field.nodes = Some(value(&option, next())?),
                "--strategy" => settings.field.strategy = value(&option, next())?,
                "--mutation" => settings.mutation = Some(value(&option, next())?),
                "--guided" => settings.field.is_guided = true,
                // What cargo adds.
                "--bench" => {}
                other => return Err(format!("no such option: {other}")),
            }
        }
        Ok(settings)
    }

    /// One campaign: in which run it found the bug, if it did, and how long it took.
    struct Campaign {
        found: Option<u64>,
        took: Duration,
        /// What it found, made short, if that was asked for.
        story: Option<Story>,
    }

    /// A failure made short.
    #[derive(Clone, Copy)]
    struct Story {
        property: Property,
        deliveries: u64,
        externals: u64,
        is_minimal: bool,
        took: Duration,
    }

    impl Story {
        fn of(scenario: &Scenario) -> Option<Self> {
            let begin = Instant::now();
            let Shrunk { outcome, size, is_minimal, .. } =
                shrink(scenario, scenario.seed.0, LIMITS).expect("the build has the bug")?;
            let property = outcome.violation()?.property;
            let (deliveries, externals) = (size.deliveries, size.externals);
            Some(Self { property, deliveries, externals, is_minimal, took: begin.elapsed() })
        }

        /// At least one, so that there is a ratio.
        fn events(&self) -> u64 {
            (self.deliveries + self.externals).max(1)
        }
    }

    /// The witness in the library, made short.
    fn witness(mutation: Mutation) -> Story {
        let name = format!("scenarios/mutations/{}.json", mutation.name());
        let scenario = Scenario::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
            .expect("every bug has a witness");
        Story::of(&scenario).expect("a witness fails")
    }

    fn campaign(settings: &Settings, mutation: Mutation, number: u64) -> Campaign {
        let begin = Instant::now();
        let found = settings.field.search(mutation, number);
        let took = begin.elapsed();
        let shrunk = found.as_ref().filter(|_| number < settings.stories);
        let story = shrunk.and_then(|Found { scenario, .. }| Story::of(scenario));
        Campaign { found: found.map(|found| found.run), took, story }
    }

    fn seconds(duration: Duration) -> String {
        with_hundredths(u64::try_from(duration.as_millis() / 10).unwrap_or(u64::MAX))
    }

    fn with_hundredths(value: u64) -> String {
        format!("{}.{:02}", value / 100, value % 100)
    }

    pub(super) fn main() -> ExitCode {
        let settings = match settings() {
            Ok(settings) => settings,
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
        };
        let bugs: Vec<Mutation> =
            Mutation::ALL.into_iter().filter(|bug| settings.mutation.is_none_or(|one| one == *bug)).collect();
        let nodes =
            settings.field.nodes.map_or_else(|| "of every size".to_string(), |nodes| format!("of {nodes}"));
        println!(
            "{} campaigns of at most {} runs, clusters {nodes}, by {}\n",
            settings.campaigns, settings.field.runs, settings.field.strategy
        );
        println!(
            "| bug | found | runs, median | runs, p90 | most | events of a story, median | shortest known | ratio |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        let mut all: Vec<(Mutation, Vec<Campaign>)> = Vec::new();
        let witnesses: BTreeMap<&str, Story> = if settings.stories > 0 {
            bugs.iter().map(|bug| (bug.name(), witness(*bug))).collect()
        } else {
            BTreeMap::new()
        };
        let work = |index: u64| {
            let bug = bugs[usize::try_from(index / settings.campaigns).expect("a place in a list")];
            Some(campaign(&settings, bug, index % settings.campaigns))
        };
        let count = bugs.len() as u64 * settings.campaigns;
        in_order(count, settings.jobs, work, |index, result| {
            let bug = bugs[usize::try_from(index / settings.campaigns).expect("a place in a list")];
            if index % settings.campaigns == 0 {
                all.push((bug, Vec::new()));
            }
            let (_, campaigns) = all.last_mut().expect("the list of this bug was begun");
            campaigns.push(result);
            if campaigns.len() as u64 == settings.campaigns {
                let found: Vec<Option<u64>> = campaigns.iter().map(|one| one.found).collect();
                println!(
                    "| {} | {} | {} |",
                    bug.name(),
                    row(&found),
                    told(witnesses.get(bug.name()), campaigns)
                );
            }
            Flow::Continue
        });
        times(&settings, &all);
        stories(&all, &witnesses);
        let found_all =
            all.iter().all(|(_, campaigns)| campaigns.iter().all(|campaign| campaign.found.is_some()));
        if found_all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// How many events a story has, the shortest one known, and by how much it is longer.
    fn told(witness: Option<&Story>, campaigns: &[Campaign]) -> String {
        let stories: Vec<Story> = campaigns.iter().filter_map(|one| one.story).collect();
        let mut ratios = hundredths(witness, &stories);
        ratios.sort_unstable();
        let mut events: Vec<u64> = stories.iter().map(Story::events).collect();
        events.sort_unstable();
        let ratio = percentile(&ratios, 50).map(with_hundredths);
        let shortest = stories.iter().chain(witness).map(Story::events).min();
        format!("{} | {} | {}", shown(percentile(&events, 50)), shown(shortest), shown(ratio))
    }

    /// By how much each story is longer than the shortest one known that breaks the same property, in hundredths.
    fn hundredths(witness: Option<&Story>, stories: &[Story]) -> Vec<u64> {
        let shortest = |property| {
            let same = stories.iter().chain(witness).filter(|story| story.property == property);
            same.map(Story::events).min().unwrap_or(1)
        };
        stories.iter().map(|story| story.events() * 100 / shortest(story.property)).collect()
    }

    /// All stories together: how long they are, and how long it took to make them so.
    fn stories(all: &[(Mutation, Vec<Campaign>)], witnesses: &BTreeMap<&str, Story>) {
        let mut ratios = Vec::new();
        let mut stories: Vec<Story> = Vec::new();
        for (bug, campaigns) in all {
            let own: Vec<Story> = campaigns.iter().filter_map(|one| one.story).collect();
            ratios.extend(hundredths(witnesses.get(bug.name()), &own));
            stories.extend(own);
        }
        ratios.sort_unstable();
        let mut externals: Vec<u64> = stories.iter().map(|story| story.externals).collect();
        externals.sort_unstable();
        let mut took: Vec<Duration> = stories.iter().map(|story| story.took).collect();
        took.sort_unstable();
        println!("\n| {} stories | median | p90 | most |\n|---|---|---|---|", stories.len());
        let ratio = |ratio: Option<u64>| shown(ratio.map(with_hundredths));
        println!(
            "| length against the shortest known | {} | {} | {} |",
            ratio(percentile(&ratios, 50)),
            ratio(percentile(&ratios, 90)),
            ratio(ratios.last().copied())
        );
        let count = |value: Option<u64>| shown(value);
        println!(
            "| faults, commands and timers in it | {} | {} | {} |",
            count(percentile(&externals, 50)),
            count(percentile(&externals, 90)),
            count(externals.last().copied())
        );
        println!(
            "| seconds to make it short | {} | {} | {} |",
            shown(percentile(&took, 50).map(seconds)),
            shown(percentile(&took, 90).map(seconds)),
            shown(took.last().copied().map(seconds))
        );
        longest(all, witnesses);
        let minimal = stories.iter().filter(|story| story.is_minimal).count();
        println!(
            "\n{minimal} of {} are 1-minimal; for the others the budget of runs was spent",
            stories.len()
        );
    }

    /// Which stories are more than three times as long as the shortest known.
    fn longest(all: &[(Mutation, Vec<Campaign>)], witnesses: &BTreeMap<&str, Story>) {
        let mut rows: Vec<(u64, String)> = Vec::new();
        for (bug, campaigns) in all {
            let own: Vec<(usize, Story)> =
                campaigns.iter().enumerate().filter_map(|(number, one)| Some((number, one.story?))).collect();
            let stories: Vec<Story> = own.iter().map(|(_, story)| *story).collect();
            let ratios = hundredths(witnesses.get(bug.name()), &stories);
            for ((number, story), ratio) in own.iter().zip(ratios).filter(|(_, ratio)| *ratio > 300) {
                let events = story.events();
                let row =
                    format!("{} in campaign {number}: {events} events ({})", bug.name(), story.property);
                rows.push((ratio, row));
            }
        }
        rows.sort_by_key(|(ratio, _)| Reverse(*ratio));
        println!("\n{} are more than three times as long:\n", rows.len());
        for (ratio, row) in rows {
            println!("- {} {row}", with_hundredths(ratio));
        }
    }

    /// How long it took, and how long one campaign takes for all of safety together.
    fn times(settings: &Settings, all: &[(Mutation, Vec<Campaign>)]) {
        println!("\n| bug | seconds, median | seconds, p90 |\n|---|---|---|");
        for (bug, campaigns) in all {
            let mut times: Vec<Duration> = campaigns.iter().map(|one| one.took).collect();
            times.sort_unstable();
            let show = |hundredths| shown(percentile(&times, hundredths).map(seconds));
            println!("| {} | {} | {} |", bug.name(), show(50), show(90));
        }
        let safety = || all.iter().filter(|(bug, _)| bug.breaks() != "convergence");
        let number = usize::try_from(settings.campaigns).expect("as many as there are lists");
        let mut sums: Vec<Duration> =
            (0..number).map(|one| safety().map(|(_, campaigns)| campaigns[one].took).sum()).collect();
        sums.sort_unstable();
        let show = |hundredths| shown(percentile(&sums, hundredths).map(seconds));
        println!("| all {} of safety together | {} | {} |", safety().count(), show(50), show(90));
    }
}
