//! Draws predicates.

use super::values::*;
use crate::record::Role;
use crate::scenario::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

pub(super) fn leaders() -> impl Strategy<Value = SingleLeader> {
    (of(targets()), of(targets()), of(targets()), of(names()), of(names())).prop_map(
        |(not, is, among, term_above, same_term_as)| SingleLeader {
            not,
            is,
            among,
            term_above,
            same_term_as,
        },
    )
}

pub(super) fn predicates_about_nodes() -> impl Strategy<Value = Predicate> {
    let among = || of(targets()).prop_map(|among| Among { among });
    prop_oneof![
        leaders().prop_map(Predicate::SingleLeader),
        among().prop_map(Predicate::NoLeader),
        among().prop_map(Predicate::TermsAgree),
        among().prop_map(Predicate::LogsEqual),
        among().prop_map(Predicate::Synced),
        targets().prop_map(Predicate::LeaderIs),
        targets().prop_map(|of| Predicate::Durable(Of { of })),
        (of(targets()), of(term_refs()), of(term_refs()), of(any::<u64>())).prop_map(
            |(of, above, equals, at_least)| Predicate::Term(TermIs { of, above, equals, at_least })
        ),
        (targets(), select(vec![Role::Follower, Role::Candidate, Role::Leader]), of(any::<u64>()))
            .prop_map(|(of, is, term)| Predicate::Role(RoleIs { of, is, term })),
        (targets(), of(targets())).prop_map(|(of, is)| Predicate::Vote(VoteIs { of, is })),
    ]
}

pub(super) fn predicates_about_numbers() -> impl Strategy<Value = Predicate> {
    let number = || of(any::<u64>());
    prop_oneof![
        (".*", of(counts()), of(targets()))
            .prop_map(|(command, on, among)| Predicate::Committed(Committed { command, on, among })),
        (".*", of(targets()))
            .prop_map(|(command, among)| Predicate::NotCommitted(NotCommitted { command, among })),
        (of(".*"), any::<u64>())
            .prop_map(|(command, index)| Predicate::CommittedAt(CommittedAt { command, index })),
        (targets(), number(), number()).prop_map(|(of, at_least, equals)| Predicate::CommitIndex(IndexIs {
            of,
            at_least,
            equals
        })),
        (targets(), number(), number()).prop_map(|(of, at_least, equals)| Predicate::LastIndex(IndexIs {
            of,
            at_least,
            equals
        })),
        counts().prop_map(Predicate::Up),
        (targets(), number(), number(), number()).prop_map(|(of, at_least, at_most, equals)| {
            Predicate::Count(CountOf { of, at_least, at_most, equals })
        }),
        (of(kinds()), of(targets()), of(names()), number(), number()).prop_map(
            |(kind, from, since, at_least, at_most)| Predicate::Messages(Messages {
                kind,
                from,
                since,
                at_least,
                at_most
            })
        ),
        (of(names()), number(), number()).prop_map(|(since, at_least, at_most)| Predicate::MessageBytes(
            MessageBytes { since, at_least, at_most }
        )),
        (of(names()), of(spans()), of(spans()))
            .prop_map(|(since, at_least, at_most)| Predicate::Elapsed(Elapsed { since, at_least, at_most })),
    ]
}

pub(super) fn amounts() -> impl Strategy<Value = Amount> {
    let number = || of(any::<u64>());
    (targets(), number(), number(), number()).prop_map(|(of, at_least, at_most, equals)| Amount {
        of,
        at_least,
        at_most,
        equals,
    })
}

pub(super) fn predicates_about_logs() -> impl Strategy<Value = Predicate> {
    let number = || of(any::<u64>());
    let bound = || of(index_refs());
    let which = select(vec![Which::Commit, Which::Applied, Which::Last, Which::Base, Which::Snapshot]);
    let members = (targets(), number(), of(targets()), of(targets()), of(targets()), any::<bool>());
    let membership = of(select(vec![Membership::Voter, Membership::Learner]));
    let config = (targets(), of(targets()), membership);
    prop_oneof![
        (targets(), which, bound(), bound(), bound()).prop_map(|(of, which, at_least, at_most, equals)| {
            Predicate::Index(Index { of, which, at_least, at_most, equals })
        }),
        (targets(), number(), number()).prop_map(|(of, index, term)| Predicate::LastEntry(LastEntry {
            of,
            index,
            term
        })),
        amounts().prop_map(Predicate::LogLength),
        amounts().prop_map(Predicate::StorageOperations),
        (targets(), of(files()), number(), number()).prop_map(|(of, file, at_least, at_most)| {
            Predicate::DiskBytes(DiskBytes { of, file, at_least, at_most })
        }),
        targets().prop_map(|of| Predicate::Halted(Of { of })),
        targets().prop_map(|of| Predicate::Joint(Of { of })),
        members.prop_map(|(of, at, voters, outgoing, learners, absent)| {
            Predicate::Members(MembersAre { of, at, voters, outgoing, learners, absent })
        }),
        (config, any::<bool>()).prop_map(|((nodes, of, membership), is_in)| {
            let config = InConfig { nodes, of, membership };
            if is_in { Predicate::InConfig(config) } else { Predicate::NotInConfig(config) }
        }),
    ]
}

pub(super) fn predicates_about_clients() -> impl Strategy<Value = Predicate> {
    let number = || of(any::<u64>());
    let kinds = vec![
        OperationKind::Get,
        OperationKind::Put,
        OperationKind::Cas,
        OperationKind::Append,
        OperationKind::Delete,
    ];
    let outcomes = vec![
        CallOutcome::Ok,
        CallOutcome::Mismatch,
        CallOutcome::NotFound,
        CallOutcome::Unknown,
        CallOutcome::Pending,
    ];
    let calls = (of(targets()), of(select(kinds)), of(select(outcomes)), of(names()), number(), number());
    let served = of(select(vec![ReadOutcome::Served, ReadOutcome::Refused, ReadOutcome::Pending]));
    let reads = (of(targets()), of(read_kinds()), served, of(names()), number(), number());
    prop_oneof![
        of(targets()).prop_map(|among| Predicate::MachineEqual(Among { among })),
        (targets(), keys(), of(".*"), any::<bool>())
            .prop_map(|(of, key, equals, absent)| Predicate::Value(ValueIs { of, key, equals, absent })),
        of(targets()).prop_map(|clients| Predicate::ClientsDone(ClientsDone { clients })),
        calls.prop_map(|(by, op, outcome, since, at_least, at_most)| {
            Predicate::Calls(Calls { by, op, outcome, since, at_least, at_most })
        }),
        reads.prop_map(|(at, kind, outcome, since, at_least, at_most)| {
            Predicate::Reads(Reads { at, kind, outcome, since, at_least, at_most })
        }),
    ]
}

pub(super) fn predicates() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        predicates_about_nodes(),
        predicates_about_numbers(),
        predicates_about_logs(),
        predicates_about_clients()
    ]
    .prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Predicate::All),
            vec(inner.clone(), 0..3).prop_map(Predicate::Any),
            inner.prop_map(Predicate::negated),
        ]
    })
}
