//! Options of nodes.

use super::{Features, MS};
use crate::scenario::{NodeKey, RaftChange, RaftOptions, Scenario};
use sim_core::{Latency, Ratio, Span, Stream};

pub(in crate::fuzz) fn draw(stream: &mut Stream, features: Features, scenario: &mut Scenario) {
    scenario.raft = base(stream, features);
    if features.mixed {
        for node in 0..scenario.nodes {
            if stream.coin() {
                let change = change(stream, &scenario.raft);
                if change != RaftChange::default() {
                    scenario.node_options.insert(NodeKey(node), change);
                }
            }
        }
    }
}

fn base(stream: &mut Stream, features: Features) -> RaftOptions {
    let timeouts = [(150, 300), (150, 300), (100, 200), (150, 200), (300, 900)];
    let (min, max) = *stream.pick(&timeouts);
    // Two heartbeats fit into the shortest timeout, or the cluster could never be quiet.
    let heartbeat = (*stream.pick(&[50, 50, 25, 100])).min(min / 3);
    let mut raft = RaftOptions {
        heartbeat: MS(heartbeat),
        election_timeout: (MS(min), MS(max)),
        noop_on_election: stream.coin(),
        entries_per_append: *stream.pick(&[64, 64, 2, 1]),
        pre_vote: stream.coin(),
        check_quorum: stream.coin(),
        forward_proposals: stream.below(4) == 0,
        step_down_on_removal: stream.below(4) > 0,
        ..RaftOptions::default()
    };
    raft.lease_reads = raft.check_quorum && stream.coin();
    raft.clock_drift_max = Ratio::from_percent(u32::try_from(stream.between(1, 10)).unwrap_or(1));
    if stream.below(4) == 0 {
        bounds(stream, &mut raft);
    }
    if stream.below(6) == 0 {
        raft.batch_delay = MS(stream.between(1, 20));
    }
    if stream.below(5) == 0 {
        raft.apply_delay = Some(Latency::Uniform(Span::ZERO, MS(stream.between(1, 20))));
    }
    if stream.below(5) == 0 {
        raft.apply_window = Some(u32::try_from(stream.between(1, 4)).unwrap_or(1));
    }
    if stream.below(8) == 0 {
        raft.sessions_max = u32::try_from(stream.between(1, 3)).unwrap_or(1);
    }
    if features.snapshots {
        raft.snapshot_after = Some(*stream.pick(&[1, 2, 3, 5, 10, 30]));
        raft.snapshot_keep = *stream.pick(&[0, 0, 1, 5]);
        raft.snapshot_chunk = *stream.pick(&[65_536, 256, 48, 16]);
    }
    raft
}

fn bounds(stream: &mut Stream, raft: &mut RaftOptions) {
    let some = |stream: &mut Stream, most: u64| stream.coin().then(|| stream.between(1, most));
    raft.bytes_per_append = some(stream, 100);
    raft.in_flight_messages = *stream.pick(&[1, 2, 256]);
    raft.in_flight_bytes = some(stream, 200);
    raft.uncommitted_bytes = some(stream, 200);
}

/// What one node does otherwise, as while a cluster is changed node by node. Leases rest on what all nodes do, and
/// timeouts on what all clocks say: these stay alike.
fn change(stream: &mut Stream, base: &RaftOptions) -> RaftChange {
    let mut change = RaftChange::default();
    let mut some = || stream.below(3) == 0;
    let (noop, pre_vote, check_quorum, forwards) = (some(), some(), some(), some());
    let (entries, priority, chunk) = (some(), some(), some());
    change.noop_on_election = noop.then_some(!base.noop_on_election);
    change.pre_vote = pre_vote.then_some(!base.pre_vote);
    change.check_quorum = (check_quorum && !base.lease_reads).then_some(!base.check_quorum);
    change.forward_proposals = forwards.then_some(!base.forward_proposals);
    change.entries_per_append = entries.then_some(if base.entries_per_append == 1 { 64 } else { 1 });
    change.priority = priority.then(|| u32::try_from(stream.between(1, 3)).unwrap_or(1));
    if base.snapshot_after.is_some() && chunk {
        change.snapshot_after = Some(stream.between(1, 10));
        change.snapshot_chunk = Some(*stream.pick(&[100, 1_000]));
    }
    change
}
