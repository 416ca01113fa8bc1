//! What a campaign came to: for people, for programs, for the servers that build.

use crate::chain::Chain;
use crate::cli::args::{Format, Telling};
use crate::cli::capsules::{self, Kept};
use crate::cli::output::{Output, shown};
use crate::cli::run::program;
use crate::cli::{Exit, Failure};
use crate::execute::{self, Limits, Outcome};
use crate::fuzz::{CANARY, LIMITS, States, Strategy, draw_by};
use crate::ledger::{Campaign, Group, Ledger};
use crate::report::{self, Replay};
use crate::scenario::{Expect, Scenario, Seed};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};
use std::path::Path;

/// Of how many kinds of failure the shortest is told, kept and made short.
const GROUPS_TOLD: usize = 20;

/// How many seeds of a kind are named.
const SEEDS_TOLD: usize = 10;

/// The scenario of a run of a campaign, and its bounds.
pub(crate) fn scenario_of(campaign: &Campaign, strategy: Strategy, seed: u64) -> (Scenario, Limits) {
    let (mut scenario, limits) = match &campaign.scenario {
        Some(scenario) => ((**scenario).clone(), Limits::of(scenario)),
        None => (draw_by(strategy, seed), LIMITS),
    };
    if campaign.mutation.is_some() {
        scenario.mutation.clone_from(&campaign.mutation);
    }
    (scenario, limits)
}

/// What is known of a campaign beside its ledger.
pub(crate) struct Beside<'a> {
    pub(crate) strategy: Strategy,
    /// The file of the scenario that it runs, if none are drawn.
    pub(crate) scenario: Option<&'a Path>,
    /// In which run the canary was found; none if there was none.
    pub(crate) canary: Option<u64>,
    /// The states that were reached, if they were counted.
    pub(crate) states: Option<&'a States>,
}

/// The shortest failure of its kind, had again.
struct Shown<'a> {
    group: &'a Group<'a>,
    scenario: Scenario,
    limits: Limits,
    outcome: Outcome,
    line: String,
    kept: Option<Kept>,
}

/// Tells what a campaign came to.
pub(crate) fn tell(
    ledger: &Ledger,
    beside: &Beside<'_>,
    args: &Telling,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let groups = ledger.groups();
    let mut failures = Vec::new();
    for group in groups.iter().take(GROUPS_TOLD) {
        let mut one = again(ledger.campaign(), beside, group)?;
        if args.format == Format::Text {
            // What was found is told before anything else can fail.
            output.line(&report::text(&one.scenario, &one.outcome, &one.line))?;
        }
        one.kept = keep(args, &one, output)?;
        if args.format == Format::Text {
            tell_kept(&one, output)?;
        }
        failures.push(one);
    }
    if args.format == Format::Json {
        let runs = failures.iter().map(run_json).collect();
        output.line(&report::document(runs, about(ledger, beside, &groups)).to_string())?;
    } else {
        tell_sums(ledger, beside, &groups, output)?;
    }
    if let Some(path) = &args.junit
        && let Err(failure) = junit(path, ledger, &failures)
    {
        output.not_written(failure);
    }
    if args.github {
        failures.iter().for_each(|one| output.tell(&annotation(one)));
    }
    Ok(if groups.is_empty() { Exit::Clean } else { Exit::Violation })
}

fn again<'a>(campaign: &Campaign, beside: &Beside<'_>, group: &'a Group<'a>) -> Result<Shown<'a>, Failure> {
    let seed = group.shortest.seed.0;
    let (scenario, limits) = scenario_of(campaign, beside.strategy, seed);
    let (outcome, ()) = execute::run(&scenario, seed, limits, ())
        .map_err(|unknown| Failure::new(Exit::BadInput, unknown.to_string()))?;
    if let Err(divergence) = group.shortest.digest.check(&outcome) {
        let what = format!("run {} is another one now: {divergence}", group.shortest.run + 1);
        return Err(Failure::new(Exit::NotReproduced, what));
    }
    let replay = Replay {
        program: program(),
        scenario: beside.scenario.map(Path::to_path_buf),
        strategy: beside.strategy,
        mutation: campaign.mutation.clone(),
    };
    let line = replay.line(seed, &Chain::of(&outcome));
    Ok(Shown { group, scenario, limits, outcome, line, kept: None })
}

/// Writes the capsule of what failed, if one is wanted.
fn keep(args: &Telling, one: &Shown<'_>, output: &mut Output) -> Result<Option<Kept>, Failure> {
    if args.no_capsule {
        return Ok(None);
    }
    capsules::keep(&args.capsules, &one.scenario, &one.outcome, one.limits, !args.no_shrink, output)
        .map_err(|unknown| Failure::new(Exit::BadInput, unknown.to_string()))
}

fn tell_kept(one: &Shown<'_>, output: &mut Output) -> Result<(), Failure> {
    let all = &one.group.all;
    if all.len() > 1 {
        let seeds: Vec<String> = all.iter().take(SEEDS_TOLD).map(|found| found.seed.to_string()).collect();
        let more = if all.len() > SEEDS_TOLD { ", …" } else { "" };
        output.line(&format!("{} runs fail in this way: seeds {}{more}", all.len(), seeds.join(", ")))?;
    }
    if let Some(Kept { capsule, path }) = &one.kept {
        if let Some(path) = path {
            output.line(&format!("capsule: {}", shown(path)))?;
        }
        if let Some(story) = &capsule.story {
            output.line(&format!("story: {}", capsules::length(capsule, story)))?;
            if path.is_none() {
                output.raw(story.scenario.to_text().as_bytes())?;
            }
        }
    }
    Ok(())
}

fn run_json(one: &Shown<'_>) -> Value {
    let mut run = report::run_json(&one.scenario, &one.outcome, &one.line);
    let capsule = one.kept.as_ref().map(|Kept { capsule, path }| capsules::about(path.as_deref(), capsule));
    run["capsule"] = capsule.unwrap_or_default();
    run
}

/// `5 to 9, 12`.
fn holes_told(holes: &[(u64, u64)]) -> String {
    let one = |(first, last): &(u64, u64)| {
        if first == last { format!("{}", first + 1) } else { format!("{} to {}", first + 1, last + 1) }
    };
    holes.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn tell_sums(
    ledger: &Ledger,
    beside: &Beside<'_>,
    groups: &[Group<'_>],
    output: &mut Output,
) -> Result<(), Failure> {
    let tally = ledger.tally();
    if groups.is_empty() {
        if !output.quiet {
            let what = match ledger.campaign().scenario.as_ref().map(|scenario| scenario.expect) {
                Some(Expect::Violation(property)) => format!("{property} violated in each, as expected"),
                Some(Expect::Pass) | None => "no violation".to_string(),
            };
            output.line(&format!("PASS {} runs, {} events, {what}", tally.runs, tally.events))?;
            output.line(&tally.text())?;
            if let Some(States { reached, dangerous }) = beside.states {
                let (all, some) = (reached.len(), dangerous.len());
                output.line(&format!("  {:<32}{all}, danger states {some}", "protocol states reached"))?;
            }
        }
    } else {
        if groups.len() > GROUPS_TOLD {
            output.line(&format!("{} more kinds of failure are not told", groups.len() - GROUPS_TOLD))?;
        }
        let failed = ledger.failed().count();
        if failed > 1 {
            output.line(&format!("{failed} of {} runs failed, in {} ways", ledger.runs(), groups.len()))?;
        }
        if let Some(first) = ledger.failed().next() {
            output.aside(&format!("found first in run {}", first.run + 1));
        }
        output.aside(&format!("beside what failed\n{}", tally.text()));
    }
    let holes = ledger.holes();
    if !holes.is_empty() {
        output.aside(&format!("not run: {}", holes_told(&holes)));
    }
    Ok(())
}

fn about(ledger: &Ledger, beside: &Beside<'_>, groups: &[Group<'_>]) -> Value {
    let campaign = ledger.campaign();
    let key = if campaign.seeds.contains("..") { "seeds" } else { "campaign_seed" };
    let kinds = groups.iter().map(|group| {
        json!({
            "property": group.shortest.property,
            "signature": group.shortest.signature,
            "count": group.all.len(),
            "seeds": group.all.iter().take(SEEDS_TOLD).map(|found| found.seed).collect::<Vec<Seed>>(),
        })
    });
    json!({
        key: campaign.seeds,
        "strategy": campaign.strategy,
        "runs_done": ledger.runs(),
        "failed": ledger.failed().count(),
        "failures": kinds.collect::<Vec<_>>(),
        "holes": ledger.holes().iter().map(|(first, last)| json!([first, last])).collect::<Vec<_>>(),
        "canary": beside.canary.map(|run| json!({ "bug": CANARY, "found_in_run": run })),
        "tally": ledger.tally(),
        "coverage": beside.states.map(|states| json!({
            "reached": states.reached.len(),
            "dangerous": states.dangerous.len(),
        })),
    })
}

/// What is wrong in a run, in a line.
fn what(one: &Shown<'_>) -> String {
    let violation = one.outcome.violation();
    violation.map_or_else(
        || "nothing broke, though a violation was expected".to_string(),
        |violation| format!("{}: {}", violation.property, violation.what),
    )
}

/// The campaign as a suite of tests: one for each kind of failure, and one that all runs pass.
fn junit(path: &Path, ledger: &Ledger, failures: &[Shown<'_>]) -> Result<(), Failure> {
    let campaign = ledger.campaign();
    let mut suite = TestSuite::new("seaworthy fuzz");
    suite.add_property(("runs", ledger.runs().to_string().as_str()));
    suite.add_property(("seed", campaign.seeds.as_str()));
    suite.add_property(("strategy", campaign.strategy.as_str()));
    if failures.is_empty() {
        suite.add_test_case(TestCase::new("every run", TestCaseStatus::success()));
    }
    for one in failures {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let property = one.group.shortest.property;
        status
            .set_message(plain(&what(one)))
            .set_type(property.map_or("expectation", crate::violation::Property::name));
        let path = one.kept.as_ref().and_then(|kept| kept.path.as_deref());
        let story =
            one.kept.as_ref().filter(|kept| kept.path.is_none()).and_then(|kept| kept.capsule.story.as_ref());
        let story = story.map(|story| format!("\nstory:\n{}", plain(&story.scenario.to_text())));
        let kept = path.map(|path| format!("\ncapsule: {}", shown(path))).or(story).unwrap_or_default();
        status.set_description(format!(
            "{} runs fail in this way\nreplay: {}{kept}",
            one.group.all.len(),
            one.line
        ));
        let name =
            one.group.shortest.signature.as_ref().map_or("no violation", |signature| signature.as_str());
        suite.add_test_case(TestCase::new(plain(name), status));
    }
    let mut report = Report::new("seaworthy");
    report.add_test_suite(suite);
    let wrong =
        |why: &dyn core::fmt::Display| Failure::new(Exit::BadInput, format!("{}: {why}", shown(path)));
    let text = report.to_string().map_err(|error| wrong(&error))?;
    std::fs::write(path, text).map_err(|error| wrong(&error))
}

/// A text without what XML cannot hold and terminals obey.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c == '\n' || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    text.chars().map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect()
}

/// A line that GitHub shows beside the commit.
fn annotation(one: &Shown<'_>) -> String {
    let escaped = |text: &str| plain(text).replace('%', "%25").replace('\n', "%0A");
    let property = one.group.shortest.property.map_or("no violation", crate::violation::Property::name);
    format!(
        "::error title=seaworthy: {property}::{}",
        escaped(&format!("{}\nreplay: {}", what(one), one.line))
    )
}
