//! Strategies for your own property tests with proptest, and the check that ends them.
//!
//! proptest draws faults, proposals and whole scenarios and takes parts of them away again when a test fails; the
//! executor runs what is left. A failure is written as a scenario file, and its message holds the line that replays it.
//!
//! ```no_run
//! use proptest::prelude::*;
//!
//! proptest! {
//!     #[test]
//!     fn my_cluster_is_seaworthy(scenario in seaworthy::strategy::scenario(), seed: u64) {
//!         seaworthy::strategy::check(&scenario, seed)?;
//!     }
//! }
//! ```

use crate::chain::Chain;
use crate::execute::{Limits, run};
use crate::fuzz::{Timeline, step_of};
use crate::report::{Replay, text};
use crate::scenario::{CountOf, If, Predicate, Propose, Scenario, Step, Target};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sim_core::{Digest, Fault, InFlight, Latency, LinkQuality, ProcessId, Ratio, Span};
use std::path::{Path, PathBuf};

/// The shortest time that a drawn fault lasts: one that is over at once tests nothing.
pub const LASTING_MIN: Span = Span::from_millis(20);

/// A fault that begins, lasts, and is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disturbance {
    /// When it begins.
    pub at: Span,
    /// How long it lasts, at least [`LASTING_MIN`].
    pub lasting: Span,
    /// What is done.
    pub fault: Fault,
    /// What undoes it; none for a clog, which ends by itself.
    pub undo: Option<Fault>,
}

/// One disturbance of a cluster of `nodes` nodes within `horizon`.
pub fn disturbance(nodes: u16, horizon: Span) -> impl Strategy<Value = Disturbance> {
    let millis = |span: Span| span.nanos() / 1_000_000;
    let times = (0..=millis(horizon), millis(LASTING_MIN)..=1_000);
    let in_flight = prop_oneof![Just(InFlight::Drop), Just(InFlight::Keep)];
    (times, 0u8..7, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1u32.., in_flight).prop_map(
        move |((at, lasting), sort, one, other, bits, in_flight)| {
            let node = |index: prop::sample::Index| {
                ProcessId(u16::try_from(index.index(usize::from(nodes))).unwrap_or(0))
            };
            let (process, from) = (node(one), node(one));
            // Another node than `from`, if there is one.
            let step = 1 + u16::try_from(other.index(usize::from(nodes.max(2)) - 1)).unwrap_or(0);
            let to = ProcessId((from.0 + step) % nodes);
            let lasting = Span::from_millis(lasting);
            let (fault, undo) = match sort {
                0 => (Fault::Crash { process }, Some(Fault::Restart { process })),
                1 => (Fault::Pause { process }, Some(Fault::Resume { process })),
                2 => (Fault::Isolate { process, in_flight }, Some(Fault::Reconnect { process })),
                _ if from == to => {
                    (Fault::Isolate { process, in_flight }, Some(Fault::Reconnect { process }))
                }
                3 => (Fault::Cut { from, to, in_flight }, Some(Fault::Restore { from, to })),
                4 => (Fault::Clog { from, to, span: lasting }, None),
                5 => {
                    let here = |id: &ProcessId| bits >> (id.0 % 32) & 1 == 1;
                    let mut group: Vec<ProcessId> = ProcessId::all(nodes).filter(here).collect();
                    if group.is_empty() {
                        group.push(from);
                    }
                    let groups = vec![group];
                    let none = Fault::Partition { groups: Vec::new(), in_flight: InFlight::Keep };
                    (Fault::Partition { groups, in_flight }, Some(none))
                }
                _ => {
                    let usual = Latency::Uniform(Span::from_millis(1), Span::from_millis(5));
                    let usual = LinkQuality { latency: usual, ..LinkQuality::default() };
                    let rough = LinkQuality {
                        latency: Latency::Uniform(Span::from_millis(1), Span::from_millis(120)),
                        loss: Ratio::from_percent(30),
                        duplicate: Ratio::from_percent(20),
                        ..usual
                    };
                    let set = |quality| Fault::SetQuality { from, to, quality };
                    (set(rough), Some(set(usual)))
                }
            };
            Disturbance { at: Span::from_millis(at), lasting, fault, undo }
        },
    )
}

/// A fault plan: up to eight disturbances of a cluster of `nodes` nodes within `horizon`.
pub fn fault_plan(nodes: u16, horizon: Span) -> impl Strategy<Value = Vec<Disturbance>> {
    vec(disturbance(nodes, horizon), 0..8)
}

/// A command and when and to whom it is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// When.
    pub at: Span,
    /// To this node; none: to whoever leads then, if anybody does.
    pub to: Option<u16>,
    /// What. Commands are unique within a plan.
    pub command: String,
}

/// Up to eight proposals within `horizon`, most of them to the leader.
pub fn proposals(nodes: u16, horizon: Span) -> impl Strategy<Value = Vec<Proposal>> {
    let one = (0..=horizon.nanos() / 1_000_000, prop::option::weighted(0.25, 0..nodes));
    vec(one, 0..8).prop_map(|drawn| {
        let numbered = (1..).zip(drawn);
        let proposal =
            |(number, (at, to))| Proposal { at: Span::from_millis(at), to, command: format!("c{number}") };
        numbered.map(proposal).collect()
    })
}

/// A scenario of `nodes` nodes with these disturbances and proposals, which ends by proving that it can live.
#[must_use]
pub fn scenario_of(
    nodes: u16,
    disturbances: &[Disturbance],
    proposals: &[Proposal],
    horizon: Span,
) -> Scenario {
    let mut timeline = Timeline::default();
    for disturbance in disturbances {
        if let Some(step) = step_of(&disturbance.fault) {
            timeline.at(disturbance.at, step);
        }
        if let Some(step) = disturbance.undo.as_ref().and_then(step_of) {
            timeline.at(disturbance.at.plus(disturbance.lasting), step);
        }
    }
    for Proposal { at, to, command } in proposals {
        let to = to.map_or(Target::Leader, Target::node);
        let leads = CountOf { of: Target::Leader, at_least: Some(1), at_most: None, equals: None };
        let then = vec![Step::Propose(Propose { to, ..Propose::to_leader(command.as_str()) })];
        timeline.at(*at, Step::If(If { that: Predicate::Count(leads), then, otherwise: Vec::new() }));
    }
    let mut scenario = Scenario::new("property", nodes);
    scenario.steps = timeline.steps(horizon);
    scenario
}

/// Whole scenarios: three to five nodes, two seconds of disturbances and proposals, then the proof of liveness.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    let horizon = Span::from_secs(2);
    (3u16..=5, any::<bool>()).prop_flat_map(move |(nodes, noop)| {
        (fault_plan(nodes, horizon), proposals(nodes, horizon)).prop_map(move |(faults, proposals)| {
            let mut scenario = scenario_of(nodes, &faults, &proposals, horizon);
            scenario.raft.noop_on_election = noop;
            scenario
        })
    })
}

/// Runs `scenario` with `seed`: every safety property must hold, and it must converge after healing.
///
/// # Errors
///
/// When something breaks. The scenario is then in a file below `.seaworthy/failures`, and the message ends with the
/// line that replays it.
pub fn check(scenario: &Scenario, seed: u64) -> Result<(), TestCaseError> {
    check_in(scenario, seed, Path::new(".seaworthy/failures"))
}

/// [`check`], with the folder for failures.
///
/// # Errors
///
/// As [`check`].
pub fn check_in(scenario: &Scenario, seed: u64, folder: &Path) -> Result<(), TestCaseError> {
    let (outcome, ()) =
        run(scenario, seed, Limits::default(), ()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    if outcome.verdict.as_expected() {
        return Ok(());
    }
    let path = write(scenario, folder).map_err(|error| {
        TestCaseError::fail(format!("{:?}; the scenario could not be written: {error}", outcome.violations))
    })?;
    let replay = Replay { program: "seaworthy".to_string(), scenario: Some(path), ..Replay::default() };
    let line = replay.line(seed, &Chain::of(&outcome));
    // proptest puts a full stop behind the message: it must not end up in the line to paste.
    Err(TestCaseError::fail(text(scenario, &outcome, &line) + "\n"))
}

/// Writes a scenario under a name that follows from what it says.
fn write(scenario: &Scenario, folder: &Path) -> std::io::Result<PathBuf> {
    let text = serde_json::to_string_pretty(scenario)?;
    let mut digest = Digest::new();
    digest.text(&text);
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}-{:016x}.json", scenario.name, digest.value()));
    std::fs::write(&path, text + "\n")?;
    Ok(path)
}
