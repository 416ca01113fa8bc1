//! Draws steps, and steps that hold steps.

use super::fields::{client_steps, disk_steps, member_steps, node_steps};
use super::links::{link_steps, pins};
use super::predicates::predicates;
use super::values::*;
use crate::scenario::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

pub(super) fn proposals() -> impl Strategy<Value = Step> {
    (targets(), ".*", of(any::<u32>()), of(any::<u32>()), answers(), of(names())).prop_map(
        |(to, command, count, bytes, expect, bind)| {
            Step::Propose(Propose { to, command, count, bytes, expect, bind })
        },
    )
}

pub(super) fn other_steps() -> impl Strategy<Value = Step> {
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
        (targets(), of(keeps()), of(any::<bool>())).prop_map(|(nodes, keep, torn)| Step::Crash(Crash {
            nodes,
            keep,
            torn
        })),
        nodes().prop_map(Step::Restart),
        nodes().prop_map(Step::Pause),
        nodes().prop_map(Step::Resume),
        nodes().prop_map(Step::HoldTimers),
        nodes().prop_map(Step::ReleaseTimers),
        targets().prop_map(Step::Campaign),
        pins().prop_map(Step::Pin),
        ".*".prop_map(Step::Note),
        ".*".prop_map(|why| Step::Stop(Stop { why })),
        Just(Step::Propose(Propose::to_leader("x"))),
    ]
}

pub(super) fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        link_steps(),
        proposals(),
        other_steps(),
        member_steps(),
        disk_steps(),
        node_steps(),
        client_steps()
    ]
    .prop_recursive(3, 8, 3, |inner| {
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
