//! Whole scenarios for property tests, and what they are made of.

use super::faults::{Disturbance, fault_plan};
use crate::fuzz::{Strategy as Drawing, Timeline, draw_by, step_of};
use crate::kv::{Mix, ReadMix, Workload};
use crate::scenario::{CountOf, If, Predicate, Propose, RaftOptions, Scenario, Seed, Step, Target};
use proptest::collection::vec;
use proptest::prelude::*;
use sim_core::Span;

/// A command and when and to whom it is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// When.
    pub at: Span,
    /// To this node; none: to whoever leads then, if anybody does.
    pub to: Option<u16>,
    /// What.
    pub command: String,
}

/// Up to eight proposals within `horizon`, most of them to the leader, of the commands `c1`, `c2`, …: no two are equal.
pub fn proposals(nodes: u16, horizon: Span) -> impl Strategy<Value = Vec<Proposal>> {
    proposals_of(Just(String::new()), nodes, horizon).prop_map(|drawn| {
        let numbered = (1..).zip(drawn);
        numbered.map(|(number, drawn)| Proposal { command: format!("c{number}"), ..drawn }).collect()
    })
}

/// Up to eight proposals of drawn commands: those of a state machine of yours. No command may be longer than 1,000 bytes.
pub fn proposals_of(
    commands: impl Strategy<Value = String>,
    nodes: u16,
    horizon: Span,
) -> impl Strategy<Value = Vec<Proposal>> {
    let one = (0..=horizon.nanos() / 1_000_000, prop::option::weighted(0.25, 0..nodes), commands);
    vec(one.prop_map(|(at, to, command)| Proposal { at: Span::from_millis(at), to, command }), 0..=8)
}

/// What clients do: one to four of them, with up to twelve calls each on up to three keys, reading in every way that is
/// linearizable.
pub fn workload() -> impl Strategy<Value = Workload> {
    let mix = (0u32..5, 1u32..5, 0u32..5, 0u32..5, 0u32..2);
    let reads = (1u32..4, 0u32..3, 0u32..2, 0u32..2);
    let think = (0u64..40, 0u64..160);
    (1u16..=4, 1u32..=12, 1u32..=3, mix, reads, think, 40u64..300, 0u64..2_000).prop_map(
        |(clients, operations, keys, mix, reads, (least, more), timeout, patience)| Workload {
            clients,
            operations,
            keys,
            mix: Mix { get: mix.0, put: mix.1, cas: mix.2, append: mix.3, delete: mix.4 },
            reads: ReadMix { log: reads.0, read_index: reads.1, lease: reads.2, follower: reads.3, local: 0 },
            think: (Span::from_millis(least), Span::from_millis(least + more)),
            timeout: Span::from_millis(timeout),
            give_up: Span::from_millis(timeout + patience),
            start: Span::ZERO,
        },
    )
}

/// Settings of a Raft node in which what the paper's algorithm does not have is on or off: PreVote, CheckQuorum, leases, an
/// empty entry at an election, commands that are handed on, snapshots.
pub fn raft_options() -> impl Strategy<Value = RaftOptions> {
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let snapshots = (prop::option::of(2u64..12), 0u64..3);
    (switches, snapshots).prop_map(
        |((noop_on_election, pre_vote, check_quorum, leases, forward_proposals), (after, keep))| {
            RaftOptions {
                noop_on_election,
                pre_vote,
                check_quorum,
                lease_reads: check_quorum && leases,
                forward_proposals,
                snapshot_after: after,
                snapshot_keep: keep,
                ..RaftOptions::default()
            }
        },
    )
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

/// How long what is drawn goes on before the cluster must prove that it lives.
pub const HORIZON: Span = Span::from_secs(2);

/// Whole scenarios for [`super::check`]: three to five nodes with drawn options, two seconds of disturbances, proposals and
/// perhaps clients, then the proof of liveness. The seed is in them. proptest leaves them as they are: what fails is shrunk by
/// us.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    whole(|nodes| proposals(nodes, HORIZON)).no_shrink()
}

/// The same with commands of yours, for tests that judge what the simulator does not know: proptest takes disturbances,
/// proposals and clients away as long as your test fails.
pub fn shrinking_scenario(
    commands: impl Strategy<Value = String> + Clone,
) -> impl Strategy<Value = Scenario> {
    whole(move |nodes| proposals_of(commands.clone(), nodes, HORIZON))
}

fn whole<P: Strategy<Value = Vec<Proposal>>>(
    proposals: impl Fn(u16) -> P,
) -> impl Strategy<Value = Scenario> {
    (3u16..=5).prop_flat_map(move |nodes| {
        let events = (fault_plan(nodes, HORIZON), proposals(nodes));
        let cluster = (raft_options(), prop::option::of(workload()), any::<u64>().no_shrink());
        (events, cluster).prop_map(move |((faults, proposals), (raft, workload, seed))| {
            let mut scenario = scenario_of(nodes, &faults, &proposals, HORIZON).seeded(Seed(seed));
            (scenario.raft, scenario.workload) = (raft, workload);
            scenario
        })
    })
}

/// The scenarios of `seaworthy fuzz`, from its whole portfolio of strategies or from one: everything that the simulator can do to
/// a cluster, of 1 to 7 nodes. Nothing in them shrinks but by us.
pub fn drawn(by: Drawing) -> impl Strategy<Value = Scenario> {
    any::<u64>().no_shrink().prop_map(move |seed| draw_by(by, seed).seeded(Seed(seed)))
}
