//! Draws options, what is there at the beginning, the end, and whole scenarios.

use super::links::{pins, rules};
use super::steps::steps;
use super::values::*;
use crate::kv::{Mix, ReadMix, Workload};
use crate::scenario::*;
use crate::violation::Property;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn raft() -> impl Strategy<Value = RaftOptions> {
    // Everything but what no node may have of its own, from a change in which nothing is left out.
    let whole = changes().prop_map(|change| RaftOptions::default().with(&change));
    (whole, any::<u32>()).prop_map(|(options, sessions_max)| RaftOptions { sessions_max, ..options })
}

fn changes() -> impl Strategy<Value = RaftChange> {
    let flag = || of(any::<bool>());
    let basic = (of(spans()), of((spans(), spans())), flag(), of(any::<u32>()));
    let votes = (flag(), flag(), flag(), of(ratios()), flag(), flag(), of(any::<u32>()));
    let flow = (of(any::<u64>()), of(any::<u32>()), of(any::<u64>()), of(any::<u64>()), of(spans()));
    let snapshots = (of(any::<u64>()), of(any::<u64>()), of(any::<u32>()));
    let applies = (of(latencies()), of(any::<u32>()));
    (basic, votes, flow, snapshots, applies).prop_map(
        |(
            (heartbeat, election_timeout, noop_on_election, entries_per_append),
            (
                pre_vote,
                check_quorum,
                lease_reads,
                clock_drift_max,
                forward_proposals,
                step_down_on_removal,
                priority,
            ),
            (bytes_per_append, in_flight_messages, in_flight_bytes, uncommitted_bytes, batch_delay),
            (snapshot_after, snapshot_keep, snapshot_chunk),
            (apply_delay, apply_window),
        )| RaftChange {
            heartbeat,
            election_timeout,
            noop_on_election,
            entries_per_append,
            pre_vote,
            check_quorum,
            lease_reads,
            clock_drift_max,
            forward_proposals,
            step_down_on_removal,
            priority,
            bytes_per_append,
            in_flight_messages,
            in_flight_bytes,
            uncommitted_bytes,
            batch_delay,
            snapshot_after,
            snapshot_keep,
            snapshot_chunk,
            apply_delay,
            apply_window,
        },
    )
}

fn keyed<V: core::fmt::Debug>(
    values: impl Strategy<Value = V>,
) -> impl Strategy<Value = std::collections::BTreeMap<NodeKey, V>> {
    btree_map(any::<u16>().prop_map(NodeKey), values, 0..2)
}

fn storage() -> impl Strategy<Value = StorageOptions> {
    let disk = (of(latencies()), of(latencies()), of(keeps()), of(any::<bool>()), of(any::<u64>()));
    let disk = disk.prop_map(|(write, notice, crash, torn, capacity)| DiskOptions {
        write,
        notice,
        crash,
        torn,
        capacity,
    });
    (latencies(), latencies(), keeps(), any::<bool>(), of(any::<u64>()), keyed(disk)).prop_map(
        |(write, notice, crash, torn, capacity, nodes)| StorageOptions {
            write,
            notice,
            crash,
            torn,
            capacity,
            nodes,
        },
    )
}

fn clocks() -> impl Strategy<Value = ClockOptions> {
    (of(drifts()), of(periodics()), of(spans())).prop_map(|(drift, periodic, offset)| ClockOptions {
        drift,
        periodic,
        offset,
    })
}

fn states() -> impl Strategy<Value = InitialState> {
    let entry = (any::<u64>(), of(".*")).prop_map(|(term, command)| InitialEntry { term, command });
    let snapshot = (any::<u64>(), any::<u64>()).prop_map(|(index, term)| InitialSnapshot { index, term });
    (of(any::<u64>()), of(any::<u16>()), vec(entry, 0..3), of(snapshot))
        .prop_map(|(term, vote, log, snapshot)| InitialState { term, vote, log, snapshot })
}

fn workloads() -> impl Strategy<Value = Workload> {
    let number = any::<u32>;
    let mix = (number(), number(), number(), number(), number())
        .prop_map(|(get, put, cas, append, delete)| Mix { get, put, cas, append, delete });
    let reads = (number(), number(), number(), number(), number()).prop_map(
        |(log, read_index, lease, follower, local)| ReadMix { log, read_index, lease, follower, local },
    );
    let times = ((spans(), spans()), spans(), spans(), spans());
    (any::<u16>(), number(), number(), mix, reads, times).prop_map(
        |(clients, operations, keys, mix, reads, (think, timeout, give_up, start))| Workload {
            clients,
            operations,
            keys,
            mix,
            reads,
            think,
            timeout,
            give_up,
            start,
        },
    )
}

fn members() -> impl Strategy<Value = InitialMembers> {
    (vec(any::<u16>(), 0..3), vec(any::<u16>(), 0..3))
        .prop_map(|(voters, learners)| InitialMembers { voters, learners })
}

fn ends() -> impl Strategy<Value = End> {
    let connectivity = select(vec![
        Connectivity::Full,
        Connectivity::Bridge,
        Connectivity::Chain,
        Connectivity::Ring,
        Connectivity::OneWayExtras,
        Connectivity::Any,
    ]);
    let cores = prop_oneof![
        Just(Core::All),
        connectivity.prop_map(|connectivity| Core::Quorum(Quorum { connectivity }))
    ];
    prop_oneof![
        (cores, of(spans())).prop_map(|(core, within)| End::Live(Live { core, within })),
        ".*".prop_map(End::Stop)
    ]
}

pub(super) fn scenarios() -> impl Strategy<Value = Scenario> {
    let expected = prop_oneof![Just(Expect::Pass), select(Property::ALL).prop_map(Expect::Violation)];
    let plain = (of(".*"), ".*", ".*", any::<u16>(), any::<u64>(), (of(any::<u64>()), of(".*")));
    let network = (vec(rules(), 0..2), ratios()).prop_map(|(links, corrupt)| NetworkOptions {
        links,
        corrupt,
        ..NetworkOptions::default()
    });
    let options = (raft(), keyed(changes()), network, storage());
    let around = (of(workloads()), vec(pins(), 0..2), vec(steps(), 0..4), ends(), expected);
    let beginning = (of(members()), vec(any::<u16>(), 0..3), keyed(states()), keyed(clocks()));
    (plain, options, beginning, around).prop_map(
        |(
            (schema, name, shows, nodes, seed, (events_max, mutation)),
            (raft, node_options, network, storage),
            (members, down, initial, clocks),
            (workload, pins, steps, end, expect),
        )| Scenario {
            schema,
            name,
            shows,
            nodes,
            members,
            down,
            initial,
            seed: Seed(seed),
            raft,
            node_options,
            network,
            storage,
            clocks,
            workload,
            pins,
            steps,
            end,
            expect,
            events_max,
            mutation,
        },
    )
}
