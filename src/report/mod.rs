//! What is said of a run: for people in at most fifteen lines, for programs in JSON.

use crate::SIM_VERSION;
use crate::chain::Chain;
use crate::execute::{Outcome, Verdict};
use crate::fuzz::Strategy;
use crate::scenario::{Scenario, Seed};
use crate::violation::Violation;
use indexmap::IndexMap;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The version of the JSON that this module writes.
pub const SCHEMA_VERSION: u32 = 1;

/// How to get a run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// What to call the program by.
    pub program: String,
    /// The scenario file; none if the scenario was drawn from the seed.
    pub scenario: Option<PathBuf>,
    /// The strategy that drew it from the seed: the seed alone does not tell.
    pub strategy: Strategy,
    /// The planted bug that was asked for on the command line.
    pub mutation: Option<String>,
}

impl Replay {
    /// A line to paste into a shell.
    #[must_use]
    pub fn line(&self, seed: u64, chain: &Chain) -> String {
        let mut line = format!("{} replay {}", quoted(&self.program), Seed(seed));
        if let Some(path) = &self.scenario {
            let path = path.to_string_lossy();
            // A path that looks like an option would be taken for one.
            let here = if path.starts_with('-') { "./" } else { "" };
            line.push_str(&format!(" --scenario {}", quoted(&format!("{here}{path}"))));
        }
        if self.strategy != Strategy::default() {
            line.push_str(&format!(" --strategy {}", self.strategy));
        }
        if let Some(mutation) = &self.mutation {
            line.push_str(&format!(" --mutation {mutation}"));
        }
        line.push_str(&format!(" --digest {chain}"));
        line
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The verdict of a run and how to get it again, for people.
#[must_use]
pub fn text(scenario: &Scenario, outcome: &Outcome, replay: &str) -> String {
    let name = &scenario.name;
    let seed = Seed(outcome.seed);
    let ended = format!("t={} records {} digest {:016x}", outcome.at, outcome.records, outcome.digest);
    let mut lines = Vec::new();
    match (outcome.verdict, outcome.violation()) {
        (Verdict::Passed, _) => lines.push(format!("PASS {name}  seed {seed}  {ended}")),
        (Verdict::FailedAsExpected(property), _) => {
            lines.push(format!("PASS {name}  seed {seed}  violates {property}, as expected  {ended}"));
            let expected = outcome.violations.iter().find(|violation| violation.property == property);
            lines.extend(expected.map(|violation| format!("  {}", clipped(&violation.what))));
        }
        (Verdict::FailedToFail(property), _) => {
            lines.push(format!("FAIL {name}  seed {seed}  {ended}"));
            lines.push(format!("  expected a violation of {property}, but nothing broke"));
        }
        (Verdict::Failed, Some(violation)) => lines.extend(failure(scenario, outcome, violation)),
        (Verdict::Failed, None) => lines.push(format!("FAIL {name}  seed {seed}  {ended}")),
    }
    lines.extend(not_judged(outcome));
    if let Some(why) = &outcome.excused {
        lines.push(format!("  not asked to live: {}", clipped(why)));
    }
    lines.push(format!("replay: {replay}"));
    lines.join("\n")
}

/// What was not judged to the end, a line for each reason.
fn not_judged(outcome: &Outcome) -> Vec<String> {
    let mut reasons: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for (property, because) in &outcome.voided {
        reasons.entry(because).or_default().push(property.name());
    }
    let line =
        |(because, names): (&str, Vec<&str>)| format!("  not judged, for {because}: {}", names.join(", "));
    reasons.into_iter().map(line).collect()
}

fn failure(scenario: &Scenario, outcome: &Outcome, violation: &Violation) -> Vec<String> {
    let Violation { property, record, at, what, cause, .. } = violation;
    let (name, seed) = (&scenario.name, Seed(outcome.seed));
    let mut lines = vec![
        format!("FAIL {property}  in {name}  seed {seed}  t={at}  record #{record}"),
        format!("  {}", clipped(what)),
    ];
    lines.extend(cause.as_ref().map(|cause| format!("  cause: {}", clipped(cause))));
    let others: Vec<&str> =
        outcome.violations[1..].iter().take(4).map(|other| other.property.name()).collect();
    if !others.is_empty() {
        lines.push(format!("  also: {}", others.join(", ")));
    }
    lines.push(format!("  digest {:016x} after {} records", outcome.digest, outcome.records));
    lines
}

/// One line of at most 400 characters, without control characters.
fn clipped(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match clean.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

/// A run for programs. Seeds and digests are strings: JSON readers round large numbers.
#[must_use]
pub fn run_json(scenario: &Scenario, outcome: &Outcome, replay: &str) -> Value {
    let traffic = outcome.stats.traffic(None, None);
    let voided =
        outcome.voided.iter().map(|(property, because)| json!({ "property": property, "because": because }));
    json!({
        "name": scenario.name,
        "seed": Seed(outcome.seed).to_string(),
        "verdict": outcome.verdict.word(),
        "expected": scenario.expect,
        "violations": outcome.violations,
        "voided": voided.collect::<Vec<_>>(),
        "ended_ns": outcome.at,
        "liveness_excused": outcome.excused,
        "records": outcome.records,
        "digest": format!("{:016x}", outcome.digest),
        "events": outcome.stats.events,
        "messages_sent": traffic.messages,
        "messages_delivered": outcome.stats.delivered,
        "replay": replay,
    })
}

/// A document around runs.
#[must_use]
pub fn document(runs: Vec<Value>, extra: Value) -> Value {
    let mut document = json!({
        "schema_version": SCHEMA_VERSION,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "sim_version": SIM_VERSION,
    });
    if let (Value::Object(document), Value::Object(extra)) = (&mut document, extra) {
        document.extend(extra);
        document.insert("runs".to_string(), Value::Array(runs));
    }
    document
}
