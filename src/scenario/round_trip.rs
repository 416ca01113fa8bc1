//! What is written is read back as it was: drawn and shrunk scenarios are files too.

use super::*;
use crate::record::Role;
use crate::violation::Property;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use sim_core::{InFlight, Latency, Ratio, Span};

fn spans() -> impl Strategy<Value = Span> {
    prop_oneof![
        any::<u64>().prop_map(Span::from_nanos),
        (0..100_000u64).prop_map(Span::from_millis),
        (0..100u64).prop_map(Span::from_secs),
    ]
}

fn ratios() -> impl Strategy<Value = Ratio> {
    (0..=1_000_000u32).prop_map(Ratio::from_ppm)
}

fn latencies() -> impl Strategy<Value = Latency> {
    prop_oneof![
        spans().prop_map(Latency::Constant),
        (spans(), spans()).prop_map(|(min, max)| Latency::Uniform(min, max)),
        (spans(), spans(), spans()).prop_map(|(min, typical, max)| Latency::HeavyTail { min, typical, max }),
        ((spans(), spans()), (spans(), spans()), ratios())
            .prop_map(|(fast, slow, slow_share)| Latency::Bimodal { fast, slow, slow_share }),
    ]
}

fn names() -> impl Strategy<Value = Name> {
    "[a-z][a-z0-9_]{0,39}".prop_filter_map("reserved", |text| text.parse().ok())
}

fn kinds() -> impl Strategy<Value = MessageKind> {
    (0..4u8).prop_map(|index| MessageKind::from_index(index).unwrap())
}

fn targets() -> impl Strategy<Value = Target> {
    let words = vec![
        Target::Leader,
        Target::Followers,
        Target::Candidates,
        Target::All,
        Target::Up,
        Target::Crashed,
        Target::Connected,
        Target::Isolated,
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
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Target::List), inner.prop_map(Target::all_but)]
    })
}

fn counts() -> impl Strategy<Value = Count> {
    (of(any::<u64>()), of(any::<u64>()), of(any::<u64>())).prop_map(|(at_least, at_most, equals)| Count {
        at_least,
        at_most,
        equals,
    })
}

fn term_refs() -> impl Strategy<Value = TermRef> {
    prop_oneof![any::<u64>().prop_map(TermRef::Number), names().prop_map(TermRef::Name)]
}

fn leaders() -> impl Strategy<Value = SingleLeader> {
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

fn predicates_about_nodes() -> impl Strategy<Value = Predicate> {
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

fn predicates_about_numbers() -> impl Strategy<Value = Predicate> {
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

fn predicates() -> impl Strategy<Value = Predicate> {
    prop_oneof![predicates_about_nodes(), predicates_about_numbers()].prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Predicate::All),
            vec(inner.clone(), 0..3).prop_map(Predicate::Any),
            inner.prop_map(Predicate::negated),
        ]
    })
}

fn pins() -> impl Strategy<Value = Pin> {
    let fates = prop_oneof![spans().prop_map(Fate::Latency), Just(Fate::Drop)];
    prop_oneof![
        (any::<u16>(), vec(spans(), 0..3))
            .prop_map(|(node, delays)| Pin::ElectionTimeout(TimeoutPin { node, delays })),
        (any::<u16>(), any::<u16>(), kinds(), of(any::<u64>()), of(any::<u32>()), fates).prop_map(
            |(from, to, kind, term, nth, fate)| Pin::Message(MessagePin { from, to, kind, term, nth, fate })
        ),
    ]
}

fn rules() -> impl Strategy<Value = LinkRule> {
    let rates = (of(ratios()), of(ratios()), of(ratios()));
    (targets(), targets(), of(latencies()), rates, of(spans()), of(any::<bool>())).prop_map(
        |(from, to, latency, (loss, duplicate, reorder), reorder_by, fifo)| LinkRule {
            from,
            to,
            latency,
            loss,
            duplicate,
            reorder,
            reorder_by,
            fifo,
        },
    )
}

fn in_flights() -> impl Strategy<Value = InFlight> {
    select(vec![InFlight::Drop, InFlight::Keep])
}

fn ends() -> impl Strategy<Value = Ends> {
    (targets(), targets(), any::<bool>())
        .prop_map(|(from, to, both)| if both { Ends::Between(from, to) } else { Ends::OneWay { from, to } })
}

fn held() -> impl Strategy<Value = Held> {
    prop_oneof![
        targets().prop_map(Held::Of),
        (targets(), targets()).prop_map(|(from, to)| Held::OneWay { from, to })
    ]
}

fn link_steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        (targets(), in_flights()).prop_map(|(nodes, in_flight)| Step::Isolate(Isolate { nodes, in_flight })),
        (ends(), in_flights()).prop_map(|(ends, in_flight)| Step::Cut(Cut { ends, in_flight })),
        ends().prop_map(|ends| Step::Join(Links { ends })),
        (vec(targets(), 0..3), in_flights())
            .prop_map(|(groups, in_flight)| Step::Partition(Partition { groups, in_flight })),
        Just(Step::Heal),
        (held(), any::<bool>()).prop_map(|(links, capture)| Step::Hold(Hold { links, capture })),
        held().prop_map(|links| Step::Release(HeldLinks { links })),
        (targets(), targets(), of(kinds())).prop_map(|(from, to, kind)| Step::DeliverOne(DeliverOne {
            from,
            to,
            kind
        })),
        (of(targets()), of(targets()), of(kinds()))
            .prop_map(|(from, to, kind)| Step::DropPending(DropPending { from, to, kind })),
        (targets(), targets(), spans()).prop_map(|(from, to, span)| Step::Clog(Clog { from, to, span })),
        rules().prop_map(Step::SetLink),
    ]
}

fn proposals() -> impl Strategy<Value = Step> {
    let answers = select(vec![Answer::Accepted, Answer::Refused, Answer::Any]);
    (targets(), ".*", of(any::<u32>()), of(any::<u32>()), answers, of(names())).prop_map(
        |(to, command, count, bytes, expect, bind)| {
            Step::Propose(Propose { to, command, count, bytes, expect, bind })
        },
    )
}

fn other_steps() -> impl Strategy<Value = Step> {
    let nodes = || targets().prop_map(|nodes| Nodes { nodes });
    prop_oneof![
        spans().prop_map(|span| Step::Sleep(Sleep::For(span))),
        (spans(), spans()).prop_map(|(least, most)| Step::Sleep(Sleep::Between(least, most))),
        (predicates(), spans(), of(names())).prop_map(|(that, within, bind)| Step::Until(Until {
            that,
            within,
            bind
        })),
        (predicates(), of(names())).prop_map(|(that, bind)| Step::Assert(Assert { that, bind })),
        (predicates(), spans()).prop_map(|(that, during)| Step::Always(Always { that, during })),
        (names(), targets()).prop_map(|(name, to)| Step::Bind(Bind { name, to })),
        (names(), any::<u16>(), targets()).prop_map(|(name, count, from)| Step::Pick(Pick {
            name,
            count,
            from
        })),
        names().prop_map(Step::Mark),
        nodes().prop_map(Step::Reconnect),
        nodes().prop_map(Step::Crash),
        nodes().prop_map(Step::Restart),
        nodes().prop_map(Step::Pause),
        nodes().prop_map(Step::Resume),
        targets().prop_map(Step::Campaign),
        pins().prop_map(Step::Pin),
        Just(Step::Propose(Propose::to_leader("x"))),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![link_steps(), proposals(), other_steps()].prop_recursive(3, 8, 3, |inner| {
        let block = || vec(inner.clone(), 0..3);
        prop_oneof![
            (any::<u32>(), block()).prop_map(|(times, steps)| Step::Repeat(Repeat { times, steps })),
            vec((any::<u32>(), block()).prop_map(|(weight, steps)| Branch { weight, steps }), 0..3)
                .prop_map(Step::Choose),
            (predicates(), block(), block()).prop_map(|(that, then, otherwise)| Step::If(If {
                that,
                then,
                otherwise
            })),
        ]
    })
}

fn raft() -> impl Strategy<Value = RaftOptions> {
    (spans(), (spans(), spans()), any::<bool>(), any::<u32>()).prop_map(
        |(heartbeat, election_timeout, noop_on_election, entries_per_append)| RaftOptions {
            heartbeat,
            election_timeout,
            noop_on_election,
            entries_per_append,
        },
    )
}

fn changes() -> impl Strategy<Value = RaftChange> {
    (of(spans()), of((spans(), spans())), of(any::<bool>()), of(any::<u32>())).prop_map(
        |(heartbeat, election_timeout, noop_on_election, entries_per_append)| RaftChange {
            heartbeat,
            election_timeout,
            noop_on_election,
            entries_per_append,
        },
    )
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    let disks = (latencies(), btree_map(any::<u16>().prop_map(NodeKey), latencies(), 0..2));
    let endings =
        prop_oneof![of(spans()).prop_map(|within| End::Live(Live { within })), ".*".prop_map(End::Stop)];
    let expected = prop_oneof![Just(Expect::Pass), select(Property::ALL).prop_map(Expect::Violation)];
    let plain = (of(".*"), ".*", ".*", any::<u16>(), any::<u64>(), of(".*"));
    let options =
        (raft(), btree_map(any::<u16>().prop_map(NodeKey), changes(), 0..2), vec(rules(), 0..2), disks);
    (plain, options, vec(pins(), 0..2), vec(steps(), 0..4), endings, expected).prop_map(
        |(
            (schema, name, shows, nodes, seed, mutation),
            (raft, node_options, links, disks),
            pins,
            steps,
            end,
            expect,
        )| {
            let nodes_disks = disks.1.into_iter().map(|(key, write)| (key, DiskOptions { write }));
            Scenario {
                schema,
                name,
                shows,
                nodes,
                seed: Seed(seed),
                raft,
                node_options,
                network: NetworkOptions { links, ..NetworkOptions::default() },
                storage: StorageOptions { write: disks.0, nodes: nodes_disks.collect() },
                pins,
                steps,
                end,
                expect,
                mutation,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn what_is_written_is_read_back_as_it_was(scenario in scenarios()) {
        let text = scenario.to_json();
        let read = read::unchecked(&text).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&read, &scenario);
        // The format does not depend on our own reader.
        let by_serde: Scenario = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&by_serde, &scenario);
        // No scenario makes the check panic.
        let _ = scenario.check();
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]{}\",:a-z0-9/* \n\u{e9}]{0,60}") {
        if let Err(error) = Scenario::parse("any.json", &text) {
            prop_assert!(!error.render(false, 80).is_empty());
        }
    }
}

#[test]
fn a_scenario_built_in_rust_is_checked_like_one_that_was_read() {
    let good = Scenario::new("built", 3).seeded(Seed(7)).steps([
        Step::Until(Until { that: Predicate::single_leader(), within: WITHIN_DEFAULT, bind: None }),
        Step::Propose(Propose::to_leader("x")),
        Step::Heal,
    ]);
    assert_eq!(good.check(), Ok(()));
    assert_eq!(Scenario::parse("built.json", &good.to_json()).unwrap(), good);
    let bad = good.steps([Step::Crash(Nodes { nodes: Target::Node(3) })]);
    let findings = bad.check().unwrap_err();
    assert_eq!(findings, ["steps[3].crash.nodes: there is no node 3: the cluster has nodes 0..=2"]);
}
