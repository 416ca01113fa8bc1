//! What can be ordered of messages on their way, beyond losing them: doubling, shuffling, delivering, silencing.

use crate::common::{Note, P, TELL, World, at, dropped, heard, inject, ms, speaker, steady};
use sim_core::{
    DropReason, Fault, FaultError, InFlight, Latency, LinkQuality, MessageId, ProcessId, Ratio, Record,
    Settings,
};

const ALL: Fault = Fault::DuplicatePending { from: None, to: None, kind: None };

fn shuffle(from: Option<ProcessId>) -> Fault {
    Fault::Shuffle { from, to: None, kind: None }
}

fn deliver_all(to: Option<ProcessId>) -> Fault {
    Fault::DeliverAll { from: None, to, kind: None }
}

fn drop_after(count: u32) -> Fault {
    Fault::DropAfter { process: P(0), count }
}

/// The names of the messages that were delivered.
fn delivered(world: &World) -> Vec<MessageId> {
    let lines = world.observer().iter();
    lines
        .filter_map(|(_, record)| match record {
            Record::Delivered { id, .. } => Some(*id),
            _ => None,
        })
        .collect()
}

/// Which beats a process heard, in order.
fn beats_of(world: &World, process: u16) -> Vec<u64> {
    heard(world, process).into_iter().map(|(_, beat)| beat).collect()
}

fn beats(world: &World) -> Vec<u64> {
    beats_of(world, 1)
}

#[test]
fn copies_that_were_ordered_have_names_and_latencies_of_their_own() {
    let link = LinkQuality {
        latency: Latency::Uniform(ms(30), ms(60)),
        duplicate: Ratio::ONE,
        ..LinkQuality::default()
    };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 2, 1);
    world.run_until(at(12));
    assert_eq!(
        world.messages_in_flight(None, Some(P(1)), None),
        2,
        "the message and the copy of the network"
    );
    inject(&mut world, Fault::DuplicatePending { from: Some(P(0)), to: Some(P(1)), kind: Some(TELL) });
    inject(&mut world, Fault::DuplicatePending { from: None, to: Some(P(1)), kind: None });
    assert_eq!(world.messages_in_flight(None, Some(P(1)), None), 8);
    inject(&mut world, Fault::DuplicatePending { from: Some(P(1)), to: None, kind: None });
    assert_eq!(world.messages_in_flight(None, Some(P(2)), None), 2, "nobody asked for those");
    inject(&mut world, Fault::Cut { from: P(0), to: P(1), in_flight: InFlight::Keep });
    inject(&mut world, Fault::DuplicatePending { from: None, to: Some(P(1)), kind: None });
    world.run_until(at(80));
    let mut copies: Vec<u8> = delivered(&world).iter().filter(|id| id.to == P(1)).map(|id| id.copy).collect();
    copies.sort_unstable();
    assert_eq!(copies, (0..16).collect::<Vec<u8>>(), "a cut does not stop what is on the way");
    let times: std::collections::BTreeSet<u64> = heard(&world, 1).iter().map(|(at, _)| *at).collect();
    assert!(times.len() > 8, "they arrive at {times:?}");
    assert!(times.iter().all(|at| (40..=72).contains(at)));
    let records = world.observer().iter().filter(|(_, record)| matches!(record, Record::Duplicated { .. }));
    assert_eq!(records.count() as u64, world.stats().duplicated);
}

#[test]
fn what_is_held_can_be_doubled_and_the_network_may_double_it_yet() {
    let (from, to) = (P(0), P(1));
    let link = LinkQuality { duplicate: Ratio::ONE, ..LinkQuality::default() };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
    inject(&mut world, Fault::Hold { from, to, capture: false });
    world.run_until(at(22));
    assert!(world.is_held(from, to) && !world.is_held(to, from));
    inject(&mut world, ALL);
    assert_eq!(world.held_messages(Some(from), None, Some(TELL)), 4);
    assert_eq!(world.held_messages(Some(to), None, None), 0);
    for expected in [1, 2, 1] {
        inject(&mut world, Fault::DeliverOne { from, to, kind: None });
        world.run_until(at(22));
        assert_eq!(beats(&world).last(), Some(&expected), "the copies come after what was there");
    }
}

#[test]
fn copies_are_counted_whatever_becomes_of_the_message() {
    let (from, to) = (P(0), P(1));
    let link = LinkQuality { duplicate: Ratio::ONE, ..LinkQuality::default() };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
    inject(&mut world, Fault::Hold { from, to, capture: false });
    world.run_until(at(12));
    inject(&mut world, ALL);
    inject(&mut world, Fault::Release { from, to });
    assert_eq!(world.messages_in_flight(None, None, None), 3, "the network has doubled the message itself");
    inject(&mut world, Fault::Hold { from, to, capture: true });
    inject(&mut world, ALL);
    inject(&mut world, Fault::DropPending { from: None, to: None, kind: None });
    let of = |record: &Record<_, _>| match record {
        Record::Dropped { id, .. } => Some(id.copy),
        _ => None,
    };
    let mut copies: Vec<u8> = world.observer().iter().filter_map(|(_, record)| of(record)).collect();
    copies.sort_unstable();
    assert_eq!(copies, [0, 1, 2, 3, 4, 5], "no name is used twice");
    // The next message is counted for itself.
    world.run_until(at(22));
    inject(&mut world, ALL);
    inject(&mut world, deliver_all(None));
    world.run_until(at(22));
    assert_eq!(
        delivered(&world).iter().map(|id| (id.ordinal, id.copy)).collect::<Vec<_>>(),
        [(1, 0), (1, 2)]
    );
}

#[test]
fn a_message_has_no_more_copies_than_there_are_names() {
    let mut world = speaker(&steady(5), 1, 1);
    world.run_until(at(12));
    for _ in 0..12 {
        inject(&mut world, ALL);
    }
    assert_eq!(world.messages_in_flight(None, None, None), 255, "1 is kept for the network");
    world.run_until(at(19));
    assert_eq!(world.messages_in_flight(None, None, None), 0);
}

#[test]
fn a_copy_of_a_damaged_message_is_damaged() {
    let link = LinkQuality { corrupt: Ratio::ONE, ..LinkQuality::default() };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
    world.run_until(at(10));
    inject(&mut world, ALL);
    world.run_until(at(15));
    assert_eq!(dropped(&world, DropReason::Corrupt), 2);
}

#[test]
fn the_oldest_of_held_messages_is_known_across_links() {
    let mut world = speaker(&steady(2), 2, 1);
    for to in [2, 1] {
        inject(&mut world, Fault::Hold { from: P(0), to: P(to), capture: false });
        world.run_until(at(if to == 2 { 15 } else { 25 }));
    }
    let oldest =
        |world: &World, to: u16| world.oldest_held(|id| id.to == P(to)).map(|id| (id.to, id.ordinal));
    assert_eq!(oldest(&world, 1), Some((P(1), 1)), "the first one went before the link was held");
    assert_eq!(world.oldest_held(|_| true).map(|id| (id.to, id.ordinal)), oldest(&world, 2));
    inject(&mut world, Fault::DeliverOne { from: P(0), to: P(2), kind: None });
    assert_eq!(oldest(&world, 2), Some((P(2), 1)));
    assert_eq!(world.oldest_held(|id| id.to == P(0)), None);
}

#[test]
fn what_is_pinned_of_one_process_can_be_left_to_chance_again() {
    let mut world = speaker(&steady(2), 1, 1);
    let pin = |from: u16, to: u16| {
        let (kind, fate) = (TELL, sim_core::Fate::Drop);
        sim_core::MessagePin { from: P(from), to: P(to), kind, epoch: None, ordinal: None, fate }
    };
    world.pin_message(pin(0, 1));
    world.unpin(P(1));
    world.run_until(at(25));
    assert_eq!(beats(&world), [0; 0], "what another one sends stays pinned");
    world.unpin(P(0));
    world.run_until(at(45));
    assert_eq!(beats(&world), [3, 4]);
}

#[test]
fn messages_in_flight_swap_their_times_of_arrival() {
    let link = LinkQuality { latency: Latency::Uniform(ms(100), ms(200)), ..LinkQuality::default() };
    let run = |shuffles: &[u64], lost: Option<u32>| {
        let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
        world.run_until(at(85));
        if let Some(ordinal) = lost {
            let fate = sim_core::Fate::Drop;
            let (from, to, kind) = (P(0), P(1), TELL);
            world.pin_message(sim_core::MessagePin {
                from,
                to,
                kind,
                epoch: None,
                ordinal: Some(ordinal),
                fate,
            });
        }
        for time in shuffles {
            world.run_until(at(*time));
            inject(&mut world, shuffle(Some(P(0))));
        }
        world.run_until(at(96));
        inject(&mut world, Fault::Isolate { process: P(0), in_flight: InFlight::Keep });
        world.run_until(at(400));
        heard(&world, 1)
    };
    let (shuffled, plain) = (run(&[95], None), run(&[], None));
    let times = |heard: &[(u64, u64)]| heard.iter().map(|(at, _)| *at).collect::<Vec<_>>();
    let order = |heard: &[(u64, u64)]| heard.iter().map(|(_, beat)| *beat).collect::<Vec<_>>();
    assert_eq!(shuffled.len(), 9);
    assert_eq!(times(&shuffled), times(&plain), "the times are the same");
    assert_ne!(order(&shuffled), order(&plain), "and the order is not");
    assert_eq!(run(&[95, 95], None), shuffled, "to shuffle twice at once is to shuffle once");
    assert_ne!(order(&run(&[95, 96], None)), order(&shuffled), "later it is another shuffle");
    // One message less leaves the others in their order.
    let without = order(&run(&[95], Some(8)));
    assert_eq!(without, order(&shuffled).into_iter().filter(|beat| *beat != 9).collect::<Vec<_>>());
}

#[test]
fn a_shuffle_goes_across_links_but_leaves_streams_alone() {
    let fifo = LinkQuality { latency: Latency::Constant(ms(50)), fifo: true, ..LinkQuality::default() };
    let loose = LinkQuality { fifo: false, ..fifo };
    let slow = LinkQuality { latency: Latency::Constant(ms(90)), ..loose };
    let mut swapped = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let mut world = speaker(&Settings { link: fifo, ..Settings::default() }, 3, seed);
        for (to, quality) in [(2, loose), (3, slow)] {
            inject(&mut world, Fault::SetQuality { from: P(0), to: P(to), quality });
        }
        world.run_until(at(42));
        inject(&mut world, shuffle(None));
        inject(&mut world, Fault::Isolate { process: P(0), in_flight: InFlight::Keep });
        world.run_until(at(200));
        let stream = [(60, 1), (70, 2), (80, 3), (90, 4)];
        assert_eq!(heard(&world, 1), stream, "seed {seed}: the stream keeps its order");
        let (two, three) = (heard(&world, 2), heard(&world, 3));
        let mut times: Vec<u64> = two.iter().chain(&three).map(|(at, _)| *at).collect();
        times.sort_unstable();
        assert_eq!(times, [60, 70, 80, 90, 100, 110, 120, 130], "seed {seed}");
        swapped.insert(two.iter().filter(|(at, _)| *at > 90).count());
    }
    assert!(swapped.len() > 2, "quick and slow ones are mixed in many ways: {swapped:?}");
}

#[test]
fn held_messages_swap_their_places_on_their_link() {
    let hold = |to| Fault::Hold { from: P(0), to: P(to), capture: false };
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let mut world = speaker(&steady(1), 2, seed);
        inject(&mut world, hold(1));
        inject(&mut world, hold(2));
        world.run_until(at(32));
        inject(&mut world, Fault::Shuffle { from: None, to: Some(P(1)), kind: None });
        let mut one_by_one = world.clone();
        for _ in 0..3 {
            inject(&mut one_by_one, Fault::DeliverOne { from: P(0), to: P(1), kind: None });
            one_by_one.run_until(at(32));
        }
        inject(&mut world, deliver_all(None));
        world.run_until(at(32));
        assert_eq!(beats(&world), beats(&one_by_one), "seed {seed}: the first in the row is the oldest");
        assert_eq!(heard(&world, 2), [(32, 1), (32, 2), (32, 3)], "seed {seed}: this link was not asked for");
        orders.insert(beats(&world));
    }
    assert_eq!(orders.len(), 6, "all six orders of three messages");
    let fifo = LinkQuality { fifo: true, ..LinkQuality::default() };
    for seed in 0..10 {
        let mut world = speaker(&Settings { link: fifo, ..Settings::default() }, 1, seed);
        inject(&mut world, hold(1));
        world.run_until(at(32));
        inject(&mut world, shuffle(None));
        inject(&mut world, Fault::Heal);
        world.run_until(at(35));
        assert_eq!(beats(&world), [1, 2, 3], "seed {seed}: a stream keeps its order");
    }
}

#[test]
fn everything_held_can_be_delivered_at_once_and_the_oldest_first() {
    for seed in 0..20 {
        let mut world = speaker(&steady(1), 2, seed);
        for to in [1, 2] {
            inject(&mut world, Fault::Hold { from: P(0), to: P(to), capture: false });
        }
        world.run_until(at(42));
        inject(&mut world, Fault::Cut { from: P(0), to: P(1), in_flight: InFlight::Drop });
        inject(&mut world, Fault::Clog { from: P(0), to: P(2), span: ms(500) });
        assert!(world.request(P(1), 1));
        world.request_at(at(42), P(1), 2);
        let mut some = world.clone();
        inject(&mut world, deliver_all(None));
        assert_eq!(world.held_messages(None, None, None), 0);
        world.run_until(at(42));
        let order: Vec<(u32, ProcessId)> = delivered(&world).iter().map(|id| (id.ordinal, id.to)).collect();
        let expected: Vec<_> = (0..4).flat_map(|ordinal| [(ordinal, P(1)), (ordinal, P(2))]).collect();
        assert_eq!(order, expected, "seed {seed}");
        let notes = crate::common::notes(&world, 1);
        assert_eq!(notes.last(), Some(&(42, Note::Asked(2))), "before what else is due");
        inject(&mut some, deliver_all(Some(P(2))));
        inject(&mut some, Fault::DeliverAll { from: Some(P(1)), to: None, kind: None });
        assert_eq!(some.held_messages(None, None, None), 4);
        some.run_until(at(42));
        assert_eq!((heard(&some, 1).len(), heard(&some, 2).len()), (0, 4));
        assert!(some.is_held(P(0), P(2)), "the link stays held");
    }
}

#[test]
fn what_is_captured_stands_before_what_is_younger() {
    let (from, to) = (P(0), P(1));
    let mut world = speaker(&steady(15), 1, 1);
    world.run_until(at(12));
    inject(&mut world, Fault::Hold { from, to, capture: false });
    world.run_until(at(22));
    inject(&mut world, Fault::Hold { from, to, capture: true });
    for expected in [1, 2] {
        inject(&mut world, Fault::DeliverOne { from, to, kind: None });
        world.run_until(at(22));
        assert_eq!(beats(&world).last(), Some(&expected));
    }
}

#[test]
fn a_process_can_be_silenced_in_the_midst_of_what_it_sends() {
    let mut world = speaker(&steady(1), 3, 1);
    assert_eq!(world.messages_left(P(0)), None);
    world.run_until(at(5));
    inject(&mut world, drop_after(4));
    world.run_until(at(35));
    assert_eq!(
        [1, 2, 3].map(|p| beats_of(&world, p)),
        [vec![1, 2], vec![1], vec![1]],
        "in the order of sending"
    );
    assert_eq!(dropped(&world, DropReason::Ordered), 5);
    assert_eq!(world.messages_left(P(0)), Some(0));
    // A crash does not end it, and a new order takes the place of the old.
    inject(&mut world, Fault::Crash { process: P(0) });
    inject(&mut world, Fault::Restart { process: P(0) });
    world.run_until(at(46));
    assert_eq!(dropped(&world, DropReason::Ordered), 8);
    inject(&mut world, drop_after(1));
    world.run_until(at(57));
    assert_eq!(heard(&world, 1).last(), Some(&(56, 2)));
    assert_eq!(dropped(&world, DropReason::Ordered), 10);
    // What a cut swallows counts.
    inject(&mut world, drop_after(2));
    inject(&mut world, Fault::Cut { from: P(0), to: P(1), in_flight: InFlight::Drop });
    world.run_until(at(67));
    assert_eq!(dropped(&world, DropReason::Cut), 1);
    assert_eq!((heard(&world, 2).last(), heard(&world, 3).last()), (Some(&(66, 3)), Some(&(11, 1))));
}

#[test]
fn silence_ends_when_it_is_told_to_or_the_network_is_mended() {
    let process = P(0);
    for end in [Fault::StopDropping { process }, Fault::Reconnect { process }, Fault::Heal] {
        let mut world = speaker(&steady(1), 2, 1);
        inject(&mut world, drop_after(0));
        inject(&mut world, Fault::DropAfter { process: P(1), count: 7 });
        world.run_until(at(15));
        inject(&mut world, Fault::StopDropping { process: P(2) });
        inject(&mut world, end.clone());
        assert_eq!(world.messages_left(P(0)), None, "{end:?}");
        assert_eq!(world.messages_left(P(1)).is_some(), end != Fault::Heal, "{end:?}");
        world.run_until(at(25));
        assert_eq!((heard(&world, 1), heard(&world, 2)), (vec![(21, 2)], vec![(21, 2)]), "{end:?}");
    }
}

#[test]
fn what_was_sent_before_the_silence_is_not_lost_by_it() {
    let (from, to) = (P(0), P(1));
    let mut world = speaker(&steady(5), 1, 1);
    world.run_until(at(12));
    inject(&mut world, Fault::Hold { from, to, capture: true });
    inject(&mut world, drop_after(0));
    inject(&mut world, Fault::Release { from, to });
    world.run_until(at(30));
    assert_eq!(heard(&world, 1), [(17, 1)]);
}

#[test]
fn impossible_orders_are_refused_and_change_nothing() {
    let mut world = speaker(&steady(5), 1, 1);
    let (digest, nobody) = (world.digest(), P(2));
    let kind = Some(9);
    for (fault, error) in [
        (Fault::DeliverAll { from: Some(nobody), to: None, kind: None }, FaultError::UnknownProcess(nobody)),
        (Fault::DuplicatePending { from: None, to: Some(nobody), kind }, FaultError::UnknownProcess(nobody)),
        (Fault::Shuffle { from: None, to: None, kind }, FaultError::UnknownKind(9)),
        (Fault::DropAfter { process: nobody, count: 1 }, FaultError::UnknownProcess(nobody)),
        (Fault::StopDropping { process: nobody }, FaultError::UnknownProcess(nobody)),
    ] {
        assert_eq!(world.inject(&fault), Err(error), "{fault:?}");
    }
    assert_eq!(world.digest(), digest);
    for fault in [ALL, shuffle(None), deliver_all(None), Fault::StopDropping { process: P(1) }] {
        inject(&mut world, fault);
    }
    world.run_until(at(16));
    assert_eq!(heard(&world, 1), [(15, 1)], "what has no effect is lawful");
}
