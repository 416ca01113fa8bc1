//! Draws steps about members, disks, clocks, snapshots and clients.

use super::values::*;
use crate::scenario::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

pub(super) fn member_steps() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        targets().prop_map(MemberChange::AddVoter),
        targets().prop_map(MemberChange::AddLearner),
        targets().prop_map(MemberChange::Remove),
    ];
    let changes = vec(change, 0..3).prop_map(MemberChanges);
    let transitions = select(vec![Transition::Auto, Transition::Implicit, Transition::Explicit]);
    let timers = select(vec![TimerKind::Election, TimerKind::Heartbeat]);
    let expect =
        select(vec![ReadAnswer::Served, ReadAnswer::Refused, ReadAnswer::Unanswered, ReadAnswer::Any]);
    let wanted = (expect, of(any::<u64>()), spans(), of(names()));
    prop_oneof![
        (targets(), changes, transitions, answers()).prop_map(|(to, changes, transition, expect)| {
            Step::Change(Change { to, changes, transition, expect })
        }),
        (targets(), answers()).prop_map(|(to, expect)| Step::LeaveJoint(LeaveJoint { to, expect })),
        (targets(), targets(), answers()).prop_map(|(from, to, expect)| Step::Transfer(Transfer {
            from,
            to,
            expect
        })),
        (targets(), timers).prop_map(|(nodes, timer)| Step::Tick(Tick { nodes, timer })),
        (targets(), targets()).prop_map(|(at, of)| Step::ReportUnreachable(ReportUnreachable { at, of })),
        (targets(), read_kinds(), of(keys()), wanted).prop_map(
            |(at, kind, key, (expect, at_least_index, within, bind))| {
                Step::Read(Read { at, kind, key, expect, at_least_index, within, bind })
            }
        ),
    ]
}

pub(super) fn disk_steps() -> impl Strategy<Value = Step> {
    let operations = select(vec![DiskOperation::Append, DiskOperation::Fsync]);
    let places = || prop_oneof![any::<u64>().prop_map(FilePlace::Offset), Just(FilePlace::Random)];
    let counted = prop_oneof![
        any::<u64>().prop_map(OperationRef::Number),
        any::<u64>().prop_map(OperationRef::Coming),
        Just(OperationRef::Coming(1)),
    ];
    let points = select(vec![CrashPoint::Before, CrashPoint::Torn, CrashPoint::After]);
    prop_oneof![
        (targets(), operations, any::<u64>()).prop_map(|(nodes, what, after)| Step::FailWrite(FailWrite {
            nodes,
            what,
            after
        })),
        (targets(), any::<u64>()).prop_map(|(nodes, free)| Step::FillDisk(FillDisk { nodes, free })),
        (targets(), of(latencies()), of(latencies()))
            .prop_map(|(nodes, write, notice)| Step::SlowDisk(SlowDisk { nodes, write, notice })),
        (targets(), files(), places(), any::<u32>()).prop_map(|(nodes, file, at, bits)| Step::Rot(Rot {
            nodes,
            file,
            at,
            bits
        })),
        (targets(), files(), places()).prop_map(|(nodes, file, at)| Step::MisdirectWrite(MisdirectWrite {
            nodes,
            file,
            at
        })),
        (targets(), any::<bool>()).prop_map(|(nodes, on)| Step::LieAboutFsync(LieAboutFsync { nodes, on })),
        (targets(), of(keeps()), of(any::<bool>()))
            .prop_map(|(nodes, keep, torn)| { Step::SetCrashMode(SetCrashMode { nodes, keep, torn }) }),
        (targets(), counted, points).prop_map(|(node, operation, when)| Step::CrashAt(CrashAt {
            node,
            operation,
            when
        })),
    ]
}

pub(super) fn node_steps() -> impl Strategy<Value = Step> {
    let verbs: Vec<fn(Nodes) -> Step> = vec![
        Step::ForgetLeader,
        Step::Snapshot,
        Step::HoldWrites,
        Step::CompleteWrite,
        Step::ReleaseWrites,
        Step::HoldApplies,
        Step::CompleteApply,
        Step::ReleaseApplies,
        Step::FreeDisk,
        Step::Disarm,
        Step::Wipe,
        Step::Shutdown,
    ];
    prop_oneof![
        (select(verbs), targets()).prop_map(|(verb, nodes)| verb(Nodes { nodes })),
        (targets(), any::<u64>()).prop_map(|(nodes, keep)| Step::Compact(Compact { nodes, keep })),
        (targets(), targets()).prop_map(|(from, to)| Step::SendSnapshot(SendSnapshot { from, to })),
        (targets(), of(drifts()), of(periodics()), of(jumps())).prop_map(|(nodes, drift, periodic, step)| {
            Step::SetClock(SetClock { nodes, drift, periodic, step })
        }),
    ]
}

fn operations() -> impl Strategy<Value = Operation> {
    let written = || (keys(), ".*").prop_map(|(key, value)| KeyValue { key, value });
    prop_oneof![
        keys().prop_map(|key| Operation::Get(Keyed { key })),
        keys().prop_map(|key| Operation::Delete(Keyed { key })),
        written().prop_map(Operation::Put),
        written().prop_map(Operation::Append),
        (keys(), of(".*"), ".*").prop_map(|(key, expected, value)| Operation::Cas(CompareAndSwap {
            key,
            expected,
            value
        })),
    ]
}

pub(super) fn client_steps() -> impl Strategy<Value = Step> {
    let expected = prop_oneof![
        ".*".prop_map(CallAnswer::Value),
        select(vec![
            CallAnswer::Ok,
            CallAnswer::Mismatch,
            CallAnswer::NotFound,
            CallAnswer::Timeout,
            CallAnswer::NotLeader,
        ]),
    ];
    let set = || of(targets()).prop_map(|clients| ClientSet { clients });
    let wanted = (of(expected), spans(), any::<bool>(), of(names()));
    prop_oneof![
        (names(), of(targets()), operations(), of(read_kinds()), wanted).prop_map(
            |(client, to, op, kind, (expect, within, wait, bind))| {
                Step::Call(Call { client, to, op, kind, expect, within, wait, bind })
            }
        ),
        operations().prop_map(|op| Step::Call(Call::of(op))),
        set().prop_map(Step::StartClients),
        set().prop_map(Step::StopClients),
        (of(targets()), spans())
            .prop_map(|(clients, within)| Step::AwaitClients(AwaitClients { clients, within })),
    ]
}
