//! What is not asked of a run any more, once something happened that Raft does not promise to bear.
//!
//! Owns which faults lie outside the model, and which properties rest on what they break.

use crate::execute::everybody;
use crate::execute::{Halt, Runner};
use crate::mirror::NodeMirror;
use crate::scenario::Scenario;
use crate::violation::Property;
use sim_core::{ClockChange, ProcessId};

/// What rests on disks that keep what they called durable (Raft §5: "persistent state"). A node that forgets what it
/// promised may do, lawfully by all it knows, what it promised not to:
///
/// - `durable_vote`, `election_safety`: it may vote again in a term in which it has voted, for somebody else.
/// - `monotonic_durable_term`: it begins in an earlier term than it was in.
/// - `log_matching`: two leaders of one term may fill the same index differently.
/// - `leader_completeness`: a majority may lack what a majority once held, and elect one who lacks it.
/// - `commit_legality`: a leader counts an answer that the one who gave it has forgotten.
/// - `state_machine_safety`, `no_truncation_below_commit`: such a leader replaces what others have committed and applied.
/// - `config_safety`: what is lost may be a configuration, and the next one then follows another.
/// - `snapshot_consistency`, `state_order`: snapshots cover what was replaced since, and a disk that came back empty has
///   nothing that the order of its indexes could be told of.
/// - `exactly_once`, `read_safety`, `linearizability`: a command or a read that was answered may rest on what is lost.
/// - `durability`: it is what was broken.
/// - `message_sanity`: what was called durable and is lost was all that is known of the disk, and so of what may be promised.
/// - `convergence`: a leader need not send again what it was told is there, and may wait for it forever.
///
/// Not among them: `leader_append_only` and `commit_monotonic`, which are about one life, and `no_panic`.
pub(super) const KEPT_PROMISES: [Property; 17] = [
    Property::DurableVote,
    Property::ElectionSafety,
    Property::MonotonicDurableTerm,
    Property::LogMatching,
    Property::LeaderCompleteness,
    Property::CommitLegality,
    Property::StateMachineSafety,
    Property::NoTruncationBelowCommit,
    Property::ConfigSafety,
    Property::SnapshotConsistency,
    Property::StateOrder,
    Property::ExactlyOnce,
    Property::ReadSafety,
    Property::Linearizability,
    Property::Durability,
    Property::MessageSanity,
    Property::Convergence,
];

/// What rests on clocks that keep within `clock_drift_max` where leases serve reads (thesis §6.4.1): a leader that trusts a
/// lease which is over for others serves what is out of date, and that is all that can happen.
const LEASES: [Property; 2] = [Property::ReadSafety, Property::Linearizability];

/// Whether a clock that does this breaks what the leases of the scenario rest on.
fn breaks_leases(scenario: &Scenario, clock: ClockChange) -> bool {
    let all = ProcessId::all(scenario.nodes).map(|node| scenario.options_of(node.0));
    let bounds = all.filter(|raft| raft.lease_reads).map(|raft| raft.clock_drift_max.ppm());
    let Some(bound) = bounds.min() else { return false };
    match clock {
        ClockChange::Drift { ppm } => ppm.unsigned_abs() > bound,
        ClockChange::Wander { ppm, .. } => ppm > bound,
        // A jump is faster than any rate.
        ClockChange::Ahead { .. } | ClockChange::Back { .. } | ClockChange::Right => true,
    }
}

/// Two nodes with leases of which the first has a longer shortest election timeout than the second, if there are any: for as long
/// a leader trusts a lease, and a follower holds it up.
fn uneven_leases(scenario: &Scenario) -> Option<[u16; 2]> {
    let all = (0..scenario.nodes).map(|node| (node, scenario.options_of(node)));
    let shortest =
        all.filter(|(_, raft)| raft.lease_reads).map(|(node, raft)| (raft.election_timeout.0, node));
    let (least, most) = (shortest.clone().min()?, shortest.max()?);
    (least.0 < most.0).then_some([most.1, least.1])
}

/// Whether a node has promised anything to anybody, by what is on its disk.
fn has_promised(node: &NodeMirror) -> bool {
    let disk = &node.durable;
    disk.term > 0 || disk.vote.is_some() || disk.log.last_index() > 0 || disk.snapshot.is_some()
}

impl Runner<'_> {
    /// Whether a property is not asked any more.
    pub(super) fn is_voided(&self, property: Property) -> bool {
        self.voided.iter().any(|(voided, _)| *voided == property)
    }

    fn void(&mut self, properties: &[Property], because: &str) {
        for property in properties {
            if !self.is_voided(*property) {
                self.sim.observer_mut().0.disable(*property);
                self.voided.push((*property, because.to_string()));
            }
        }
        self.say(format!("outside the model: {because}"));
    }

    /// What disks have lost that they had called durable.
    #[inline]
    pub(super) fn void_what_was_lost(&mut self) {
        self.follow_damage();
        for node in self.sim.observer_mut().0.take_bereft() {
            let what = format!("both copies of what the disk of node {node} had called durable were damaged");
            self.void(&KEPT_PROMISES, &what);
        }
        if self.sim.observer().1.0.lost.is_empty() {
            return;
        }
        for (node, operations) in core::mem::take(&mut self.sim.observer_mut().1.0.lost) {
            let what =
                format!("the disk of node {node} lost {operations} operations that it had called durable");
            self.void(&KEPT_PROMISES, &what);
        }
    }

    /// A disk is to be emptied: of a node that has promised nothing it voids nothing.
    pub(super) fn void_what_is_wiped(&mut self, node: ProcessId) {
        let has_begun = self.asking().node(node).life > 0;
        let initial = self.scenario.initial.contains_key(&crate::scenario::NodeKey(node.0));
        if has_promised(self.asking().node(node)) || (!has_begun && initial) {
            self.void(&KEPT_PROMISES, &format!("the disk of node {node} was wiped"));
        }
    }

    /// A clock is to be changed.
    pub(super) fn void_what_leases_promise(&mut self, node: ProcessId, clock: ClockChange) {
        if breaks_leases(self.scenario, clock) {
            let what = format!("the clock of node {node} is not what leases rely on");
            self.void(&LEASES, &what);
        }
    }

    /// The settings of leases that promise more than others keep.
    pub(super) fn void_by_uneven_leases(&mut self) {
        let Some([trusting, impatient]) = uneven_leases(self.scenario) else { return };
        let what = format!("node {trusting} trusts leases for longer than node {impatient} holds them up");
        self.void(&LEASES, &what);
    }

    /// The clocks that are beyond all bounds from the beginning.
    pub(super) fn void_by_first_clocks(&mut self) {
        for node in everybody(&self.sim) {
            let Some(clock) = self.scenario.clocks.get(&crate::scenario::NodeKey(node.0)) else { continue };
            if let Some(rate) = crate::execute::build::clocks::rate(clock.drift, clock.periodic) {
                self.void_what_leases_promise(node, rate);
            }
        }
    }

    /// The ending, unless it is asked no more whether the cluster can live.
    pub(super) fn end_as_promised(&mut self) -> Result<(), Halt> {
        match self.end() {
            Err(Halt::Failed(violation)) if self.is_voided(violation.property) => {
                self.say(format!("not asked any more: {}", violation.what));
                Ok(())
            }
            ended => ended,
        }
    }
}
