//! Draws values that steps, predicates and options share.

use crate::record::MESSAGE_KINDS;
use crate::scenario::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use sim_core::{Latency, Ratio, Span};

pub(super) fn spans() -> impl Strategy<Value = Span> {
    prop_oneof![
        any::<u64>().prop_map(Span::from_nanos),
        (0..100_000u64).prop_map(Span::from_millis),
        (0..100u64).prop_map(Span::from_secs),
    ]
}

pub(super) fn ratios() -> impl Strategy<Value = Ratio> {
    (0..=1_000_000u32).prop_map(Ratio::from_ppm)
}

pub(super) fn latencies() -> impl Strategy<Value = Latency> {
    prop_oneof![
        spans().prop_map(Latency::Constant),
        (spans(), spans()).prop_map(|(min, max)| Latency::Uniform(min, max)),
        (spans(), spans(), spans()).prop_map(|(min, typical, max)| Latency::HeavyTail { min, typical, max }),
        ((spans(), spans()), (spans(), spans()), ratios())
            .prop_map(|(fast, slow, slow_share)| Latency::Bimodal { fast, slow, slow_share }),
    ]
}

pub(super) fn names() -> impl Strategy<Value = Name> {
    "[a-z][a-z0-9_]{0,39}".prop_filter_map("reserved", |text| text.parse().ok())
}

pub(super) fn kinds() -> impl Strategy<Value = MessageKind> {
    (0..u8::try_from(MESSAGE_KINDS.len()).unwrap()).prop_map(|index| MessageKind::from_index(index).unwrap())
}

pub(super) fn clients() -> impl Strategy<Value = Client> {
    prop_oneof![any::<u16>().prop_map(Client::Number), names().prop_map(Client::Name)]
}

pub(super) fn keys() -> impl Strategy<Value = Key> {
    "[a-z0-9_]{1,40}".prop_map(|text| text.parse().unwrap())
}

pub(super) fn drifts() -> impl Strategy<Value = Drift> {
    (-1_000_000..=1_000_000i32).prop_map(Drift::from_ppm)
}

pub(super) fn jumps() -> impl Strategy<Value = Jump> {
    prop_oneof![spans().prop_map(Jump::ahead), spans().prop_map(Jump::back)]
}

pub(super) fn periodics() -> impl Strategy<Value = Periodic> {
    (ratios(), spans()).prop_map(|(amplitude, period)| Periodic { amplitude, period })
}

pub(super) fn keeps() -> impl Strategy<Value = Keep> {
    select(vec![Keep::Lose, Keep::Prefix, Keep::Any])
}

pub(super) fn files() -> impl Strategy<Value = File> {
    select(vec![File::Log, File::Tail, File::Snapshot])
}

pub(super) fn answers() -> impl Strategy<Value = Answer> {
    select(vec![
        Answer::Accepted,
        Answer::Refused,
        Answer::Any,
        Answer::Forwarded,
        Answer::NotLeader,
        Answer::Transferring,
        Answer::TooMuchUncommitted,
        Answer::ChangePending,
        Answer::NoCommitInTerm,
        Answer::BadChange,
    ])
}

pub(super) fn read_kinds() -> impl Strategy<Value = ReadKind> {
    select(vec![ReadKind::ReadIndex, ReadKind::Lease, ReadKind::Follower, ReadKind::Local])
}

pub(super) fn targets() -> impl Strategy<Value = Target> {
    let words = vec![
        Target::Leader,
        Target::Followers,
        Target::Candidates,
        Target::All,
        Target::Up,
        Target::Crashed,
        Target::Connected,
        Target::Isolated,
        Target::Voters,
        Target::Learners,
        Target::Members,
        Target::Halted,
        Target::Clients,
        Target::Random,
    ];
    let leaf = prop_oneof![
        any::<u16>().prop_map(Target::Node),
        any::<u64>().prop_map(Target::LeaderOfTerm),
        any::<u16>().prop_map(Target::Follower),
        any::<bool>().prop_map(|with_leader| Target::Minority { with_leader }),
        any::<bool>().prop_map(|with_leader| Target::Majority { with_leader }),
        select(words),
        names().prop_map(Target::Named),
        clients().prop_map(Target::Client),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Target::List), inner.prop_map(Target::all_but)]
    })
}

pub(super) fn counts() -> impl Strategy<Value = Count> {
    (of(any::<u64>()), of(any::<u64>()), of(any::<u64>())).prop_map(|(at_least, at_most, equals)| Count {
        at_least,
        at_most,
        equals,
    })
}

pub(super) fn term_refs() -> impl Strategy<Value = TermRef> {
    prop_oneof![any::<u64>().prop_map(TermRef::Number), names().prop_map(TermRef::Name)]
}

pub(super) fn index_refs() -> impl Strategy<Value = IndexRef> {
    prop_oneof![any::<u64>().prop_map(IndexRef::Number), names().prop_map(IndexRef::Mark)]
}
