//! Draws steps about links and messages, and pins.

use super::values::*;
use crate::scenario::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use sim_core::InFlight;

pub(super) fn pins() -> impl Strategy<Value = Pin> {
    let fates = prop_oneof![spans().prop_map(Fate::Latency), Just(Fate::Drop)];
    prop_oneof![
        (any::<u16>(), vec(spans(), 0..3))
            .prop_map(|(node, delays)| Pin::ElectionTimeout(TimeoutPin { node, delays })),
        (targets(), targets(), kinds(), of(any::<u64>()), of(any::<u32>()), fates).prop_map(
            |(from, to, kind, term, nth, fate)| Pin::Message(MessagePin { from, to, kind, term, nth, fate })
        ),
    ]
}

pub(super) fn rules() -> impl Strategy<Value = LinkRule> {
    let rates = (of(ratios()), of(ratios()), of(ratios()), of(ratios()));
    (targets(), targets(), of(latencies()), rates, of(spans()), of(any::<bool>())).prop_map(
        |(from, to, latency, (loss, duplicate, reorder, corrupt), reorder_by, fifo)| LinkRule {
            from,
            to,
            latency,
            loss,
            duplicate,
            reorder,
            reorder_by,
            corrupt,
            fifo,
        },
    )
}

pub(super) fn in_flights() -> impl Strategy<Value = InFlight> {
    select(vec![InFlight::Drop, InFlight::Keep])
}

pub(super) fn ends() -> impl Strategy<Value = Ends> {
    (targets(), targets(), any::<bool>())
        .prop_map(|(from, to, both)| if both { Ends::Between(from, to) } else { Ends::OneWay { from, to } })
}

pub(super) fn held() -> impl Strategy<Value = Held> {
    prop_oneof![
        targets().prop_map(Held::Of),
        (targets(), targets()).prop_map(|(from, to)| Held::OneWay { from, to })
    ]
}

pub(super) fn pending() -> impl Strategy<Value = Pending> {
    (of(targets()), of(targets()), of(kinds())).prop_map(|(from, to, kind)| Pending { from, to, kind })
}

pub(super) fn how_many() -> impl Strategy<Value = HowMany> {
    prop_oneof![any::<u32>().prop_map(HowMany::Count), Just(HowMany::All), Just(HowMany::UntilQuiet)]
}

pub(super) fn link_steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        (targets(), in_flights()).prop_map(|(nodes, in_flight)| Step::Isolate(Isolate { nodes, in_flight })),
        (ends(), in_flights()).prop_map(|(ends, in_flight)| Step::Cut(Cut { ends, in_flight })),
        ends().prop_map(|ends| Step::Join(Links { ends })),
        (vec(targets(), 0..3), in_flights())
            .prop_map(|(groups, in_flight)| Step::Partition(Partition { groups, in_flight })),
        Just(Step::Heal),
        (held(), any::<bool>()).prop_map(|(links, capture)| Step::Hold(Hold { links, capture })),
        held().prop_map(|links| Step::Release(HeldLinks { links })),
        (targets(), targets(), of(kinds()), of(any::<u64>()), of(any::<u32>()), any::<bool>()).prop_map(
            |(from, to, kind, term, nth, copy)| Step::DeliverOne(DeliverOne {
                from,
                to,
                kind,
                term,
                nth,
                copy
            })
        ),
        pending().prop_map(Step::DropPending),
        pending().prop_map(Step::DuplicatePending),
        pending().prop_map(Step::Shuffle),
        (of(targets()), of(targets()), of(kinds()), how_many())
            .prop_map(|(from, to, kind, count)| Step::Deliver(Deliver { from, to, kind, count })),
        (targets(), any::<u32>()).prop_map(|(from, count)| Step::DropAfter(DropAfter { from, count })),
        targets().prop_map(|nodes| Step::StopDropping(Nodes { nodes })),
        of(targets()).prop_map(|of| Step::Unpin(Unpin { of })),
        (targets(), targets(), spans()).prop_map(|(from, to, span)| Step::Clog(Clog { from, to, span })),
        rules().prop_map(Step::SetLink),
    ]
}
