//! What the network does to messages.

use crate::common::{P, TELL, at, dropped, heard, ms, speaker, steady};
use sim_core::{
    DropReason, Fate, Fault, FaultError, InFlight, Latency, LinkQuality, MessagePin, Ratio, Record, Settings,
    Span,
};

#[test]
fn messages_arrive_after_their_latency() {
    let mut world = speaker(&steady(4), 1, 1);
    world.run_until(at(35));
    assert_eq!(heard(&world, 1), [(14, 1), (24, 2), (34, 3)]);
    assert_eq!(world.stats().delivered, 3);
    assert_eq!(world.stats().traffic(Some(P(0)), Some(TELL)).bytes, 48);
}

#[test]
fn an_isolated_process_hears_nothing_until_it_is_reconnected() {
    let mut world = speaker(&steady(1), 2, 1);
    world.inject(&Fault::Isolate { process: P(1), in_flight: InFlight::Drop }).unwrap();
    world.run_until(at(25));
    world.inject(&Fault::Reconnect { process: P(1) }).unwrap();
    world.run_until(at(45));
    assert_eq!(heard(&world, 1), [(31, 3), (41, 4)]);
    assert_eq!(heard(&world, 2).len(), 4);
    assert_eq!(dropped(&world, DropReason::Cut), 2);
}

#[test]
fn what_is_on_the_way_is_lost_or_kept_as_the_cut_says() {
    for (in_flight, first) in [(InFlight::Drop, vec![]), (InFlight::Keep, vec![(15, 1)])] {
        let mut world = speaker(&steady(5), 1, 1);
        world.run_until(at(12));
        world.inject(&Fault::Cut { from: P(0), to: P(1), in_flight }).unwrap();
        world.run_until(at(28));
        assert_eq!(heard(&world, 1), first);
        assert_eq!(dropped(&world, DropReason::CutInFlight), 1 - first.len());
        world.inject(&Fault::Restore { from: P(0), to: P(1) }).unwrap();
        world.run_until(at(36));
        assert_eq!(heard(&world, 1).last(), Some(&(35, 3)));
    }
}

#[test]
fn a_second_cut_spares_what_an_earlier_one_kept() {
    let mut world = speaker(&steady(5), 2, 1);
    world.run_until(at(12));
    world.inject(&Fault::Cut { from: P(0), to: P(1), in_flight: InFlight::Keep }).unwrap();
    world.inject(&Fault::Isolate { process: P(2), in_flight: InFlight::Drop }).unwrap();
    world.run_until(at(20));
    assert_eq!(heard(&world, 1), [(15, 1)]);
    assert_eq!(heard(&world, 2), []);
}

#[test]
fn partitions_let_through_within_their_groups_only() {
    let mut world = speaker(&steady(1), 3, 1);
    let groups = vec![vec![P(0), P(2)], vec![P(1)]];
    world.inject(&Fault::Partition { groups, in_flight: InFlight::Drop }).unwrap();
    world.run_until(at(15));
    assert_eq!([1, 2, 3].map(|p| heard(&world, p).len()), [0, 1, 0]);
    world.inject(&Fault::Heal).unwrap();
    world.run_until(at(25));
    assert_eq!([1, 2, 3].map(|p| heard(&world, p).len()), [1, 2, 1]);
}

#[test]
fn bystanders_hear_every_side_of_a_partition_that_does_not_name_them() {
    let settings = Settings { bystanders: 1, ..steady(1) };
    let mut world = speaker(&settings, 2, 1);
    let partition = |groups| Fault::Partition { groups, in_flight: InFlight::Drop };
    world.inject(&partition(vec![vec![P(0)], vec![P(1)]])).unwrap();
    world.run_until(at(15));
    assert_eq!([1, 2].map(|p| heard(&world, p).len()), [0, 1]);
    assert!(world.is_open(P(1), P(2)) && !world.is_open(P(0), P(1)));
    world.inject(&partition(vec![vec![P(0)], vec![P(1), P(2)]])).unwrap();
    world.run_until(at(25));
    assert_eq!([1, 2].map(|p| heard(&world, p).len()), [0, 1], "now it is named");
    world.inject(&Fault::Heal).unwrap();
    world.inject(&Fault::Isolate { process: P(2), in_flight: InFlight::Drop }).unwrap();
    world.run_until(at(35));
    assert_eq!([1, 2].map(|p| heard(&world, p).len()), [1, 1], "isolated like any other");
}

#[test]
#[should_panic(expected = "3 of 2 processes are bystanders")]
fn more_bystanders_than_processes_are_refused() {
    speaker(&Settings { bystanders: 3, ..steady(1) }, 1, 1);
}

#[test]
fn held_messages_wait_for_their_release() {
    let mut world = speaker(&steady(5), 1, 1);
    let (from, to) = (P(0), P(1));
    world.run_until(at(12));
    world.inject(&Fault::Hold { from, to, capture: false }).unwrap();
    world.run_until(at(42));
    assert_eq!(heard(&world, 1), [(15, 1)], "what was on the way is not held");
    world.inject(&Fault::DeliverOne { from, to, kind: Some(TELL) }).unwrap();
    world.run_until(at(42));
    assert_eq!(heard(&world, 1)[1..], [(42, 2)], "the oldest, at once");
    world.inject(&Fault::Release { from, to }).unwrap();
    world.run_until(at(48));
    let mut rest = heard(&world, 1)[2..].to_vec();
    rest.sort_unstable();
    assert_eq!(rest, [(47, 3), (47, 4)], "the others with their latency from now");
}

#[test]
fn a_held_message_is_delivered_by_its_name_and_a_copy_of_it_leaves_it_held() {
    let mut world = speaker(&steady(5), 1, 1);
    let (from, to) = (P(0), P(1));
    world.inject(&Fault::Hold { from, to, capture: false }).unwrap();
    world.run_until(at(42));
    let names: Vec<_> = world.held_on(from, to).collect();
    assert_eq!(names.iter().map(|id| id.ordinal).collect::<Vec<_>>(), [0, 1, 2, 3], "the oldest first");
    let third = names[2];
    for copy in [true, false] {
        world.inject(&Fault::DeliverThis { id: third, copy }).unwrap();
        world.run_until(at(42));
    }
    assert_eq!(heard(&world, 1), [(42, 3), (42, 3)]);
    assert_eq!(world.stats().duplicated, 1);
    let copied = |(_, record): &&(_, _)| matches!(record, Record::Duplicated { id } if id.copy == 2);
    let copy = world.observer().iter().find(copied).expect("it was told");
    assert!(matches!(copy.1, Record::Duplicated { id } if id.as_sent() == third));
    assert_eq!(world.held_on(from, to).map(|id| id.ordinal).collect::<Vec<_>>(), [0, 1, 3]);
    let (before, gone) = (world.digest(), Err(FaultError::NothingHeld { from, to }));
    for copy in [true, false] {
        assert_eq!(world.inject(&Fault::DeliverThis { id: third, copy }), gone);
    }
    assert_eq!(world.digest(), before, "what is refused changes nothing");
}

#[test]
fn a_message_has_no_more_copies_than_it_can_have_names() {
    let mut world = speaker(&steady(5), 1, 1);
    let (from, to) = (P(0), P(1));
    world.inject(&Fault::Hold { from, to, capture: false }).unwrap();
    world.run_until(at(12));
    let id = world.held_on(from, to).next().expect("it is held");
    for _ in 0..300 {
        world.inject(&Fault::DeliverThis { id, copy: true }).unwrap();
        world.run_until(at(12));
    }
    assert_eq!(heard(&world, 1).len(), 254, "from 2 to 255");
    assert_eq!(world.held_on(from, to).count(), 1);
}

#[test]
fn holding_can_capture_what_is_on_the_way() {
    let mut world = speaker(&steady(5), 1, 1);
    world.run_until(at(12));
    world.inject(&Fault::Hold { from: P(0), to: P(1), capture: true }).unwrap();
    world.run_until(at(18));
    assert_eq!(heard(&world, 1), []);
    world.inject(&Fault::Heal).unwrap();
    world.run_until(at(24));
    assert_eq!(heard(&world, 1), [(23, 1)], "healing releases it");
}

#[test]
fn nothing_held_is_an_error_and_changes_nothing() {
    let mut world = speaker(&steady(5), 1, 1);
    let before = world.digest();
    let fault = Fault::DeliverOne { from: P(0), to: P(1), kind: None };
    assert_eq!(world.inject(&fault), Err(FaultError::NothingHeld { from: P(0), to: P(1) }));
    assert_eq!(world.digest(), before);
}

#[test]
fn impossible_faults_are_refused() {
    let mut world = speaker(&steady(5), 1, 1);
    let in_flight = InFlight::Drop;
    for (fault, error) in [
        (Fault::Crash { process: P(2) }, FaultError::UnknownProcess(P(2))),
        (Fault::Cut { from: P(1), to: P(1), in_flight }, FaultError::SameEnds(P(1))),
        (Fault::Partition { groups: vec![vec![P(0)], vec![P(0)]], in_flight }, FaultError::InTwoGroups(P(0))),
        (Fault::DropPending { from: None, to: None, kind: Some(9) }, FaultError::UnknownKind(9)),
        (Fault::DropPending { from: Some(P(7)), to: None, kind: None }, FaultError::UnknownProcess(P(7))),
    ] {
        assert_eq!(world.inject(&fault), Err(error), "{fault:?}");
    }
}

#[test]
fn pending_messages_can_be_dropped_in_flight_and_held() {
    let mut world = speaker(&steady(5), 2, 1);
    world.inject(&Fault::Hold { from: P(0), to: P(2), capture: false }).unwrap();
    world.run_until(at(12));
    world.inject(&Fault::DropPending { from: Some(P(0)), to: None, kind: Some(TELL) }).unwrap();
    assert_eq!(dropped(&world, DropReason::Ordered), 2);
    world.inject(&Fault::Heal).unwrap();
    world.run_until(at(19));
    assert_eq!((heard(&world, 1), heard(&world, 2)), (vec![], vec![]));
    world.run_until(at(26));
    assert_eq!(heard(&world, 1), [(25, 2)]);
}

#[test]
fn a_clogged_link_delivers_after_the_clog() {
    let mut world = speaker(&steady(2), 1, 1);
    world.inject(&Fault::Clog { from: P(0), to: P(1), span: ms(35) }).unwrap();
    world.run_until(at(45));
    let mut heard = heard(&world, 1);
    heard.sort_unstable();
    assert_eq!(heard, [(37, 1), (37, 2), (37, 3), (42, 4)]);
}

#[test]
fn a_fifo_link_keeps_the_order_and_another_does_not() {
    for fifo in [true, false] {
        let link = LinkQuality { latency: Latency::Uniform(ms(1), ms(80)), fifo, ..LinkQuality::default() };
        let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 3);
        world.run_until(at(2_000));
        let beats: Vec<u64> = heard(&world, 1).iter().map(|(_, beat)| *beat).collect();
        assert_eq!(beats.is_sorted(), fifo);
        assert!(beats.len() > 150);
    }
}

#[test]
fn loss_and_duplication_come_at_their_rates() {
    let link = LinkQuality {
        loss: Ratio::from_percent(20),
        duplicate: Ratio::from_percent(30),
        ..LinkQuality::default()
    };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 5);
    world.run_until(at(100_000));
    let sent = world.stats().traffic(None, None).messages;
    let lost = dropped(&world, DropReason::Loss) as u64;
    let copies = world.stats().duplicated;
    assert_eq!(sent, 10_000);
    assert!((2_800..3_200).contains(&copies), "{copies} copies");
    // Copies are lost as well.
    assert!((2_350..2_850).contains(&lost), "{lost} lost");
}

#[test]
fn reordered_messages_are_overtaken() {
    let link = LinkQuality { reorder: Ratio::from_percent(30), reorder_by: ms(25), ..LinkQuality::default() };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 5);
    world.run_until(at(1_000));
    let heard = heard(&world, 1);
    assert!(!heard.iter().map(|(_, beat)| beat).is_sorted());
    assert!(heard.len() >= 95);
}

#[test]
fn pins_decide_instead_of_chance() {
    let mut world = speaker(&steady(5), 1, 1);
    let pin = |ordinal, fate| MessagePin { from: P(0), to: P(1), kind: TELL, epoch: Some(0), ordinal, fate };
    world.pin_message(pin(Some(0), Fate::Latency(ms(17))));
    world.pin_message(pin(Some(1), Fate::Drop));
    world.run_until(at(36));
    assert_eq!(heard(&world, 1), [(27, 1), (35, 3)]);
}

#[test]
fn a_link_can_be_changed_on_its_own() {
    let mut world = speaker(&steady(1), 2, 1);
    let quality = LinkQuality { latency: Latency::Constant(Span::from_millis(7)), ..LinkQuality::default() };
    world.inject(&Fault::SetQuality { from: P(0), to: P(2), quality }).unwrap();
    world.run_until(at(18));
    assert_eq!((heard(&world, 1), heard(&world, 2)), (vec![(11, 1)], vec![(17, 1)]));
}

#[test]
fn simultaneous_deliveries_come_in_a_drawn_order() {
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut world = speaker(&steady(1), 3, seed);
        world.run_until(at(11));
        let order: Vec<u16> = world
            .observer()
            .iter()
            .filter_map(|(_, record)| match record {
                Record::Delivered { id, .. } => Some(id.to.0),
                _ => None,
            })
            .collect();
        orders.insert(order);
    }
    assert_eq!(orders.len(), 6, "all six orders of three deliveries");
}

#[test]
fn captured_messages_are_released_once_and_the_oldest_first() {
    let link =
        LinkQuality { duplicate: Ratio::ONE, latency: Latency::Constant(ms(15)), ..LinkQuality::default() };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
    world.run_until(at(22));
    world.inject(&Fault::Hold { from: P(0), to: P(1), capture: true }).unwrap();
    world.inject(&Fault::DeliverOne { from: P(0), to: P(1), kind: None }).unwrap();
    world.run_until(at(22));
    assert_eq!(heard(&world, 1), [(22, 1)]);
    world.inject(&Fault::Release { from: P(0), to: P(1) }).unwrap();
    world.run_until(at(38));
    let mut rest = heard(&world, 1)[1..].to_vec();
    rest.sort_unstable();
    assert_eq!(rest, [(37, 1), (37, 2), (37, 2)], "each message and its copy, once");
}

#[test]
fn one_held_message_is_delivered_at_once_even_where_the_link_is_clogged() {
    let mut world = speaker(&steady(5), 1, 1);
    let (from, to) = (P(0), P(1));
    world.inject(&Fault::Hold { from, to, capture: false }).unwrap();
    world.inject(&Fault::Clog { from, to, span: ms(500) }).unwrap();
    world.run_until(at(12));
    world.inject(&Fault::DeliverOne { from, to, kind: None }).unwrap();
    world.run_until(at(12));
    assert_eq!(heard(&world, 1), [(12, 1)]);
}

#[test]
fn healing_begins_a_new_stream() {
    let link = LinkQuality { latency: Latency::Constant(ms(5)), fifo: true, ..LinkQuality::default() };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
    world.inject(&Fault::Clog { from: P(0), to: P(1), span: ms(100_000) }).unwrap();
    world.run_until(at(12));
    world.inject(&Fault::Heal).unwrap();
    world.run_until(at(26));
    assert_eq!(heard(&world, 1), [(25, 2)]);
}

#[test]
fn a_large_world_can_be_cut_link_by_link() {
    let mut world = speaker(&steady(5), 120, 1);
    for from in 0..121 {
        for to in (0..121).filter(|to| *to != from) {
            world.inject(&Fault::Cut { from: P(from), to: P(to), in_flight: InFlight::Drop }).unwrap();
        }
    }
    world.run_until(at(30));
    assert_eq!(world.stats().delivered, 0);
}

#[test]
fn more_groups_than_processes_are_refused() {
    let mut world = speaker(&steady(5), 1, 1);
    let fault = Fault::Partition { groups: vec![vec![]; 70_000], in_flight: InFlight::Drop };
    assert_eq!(world.inject(&fault), Err(FaultError::TooManyGroups(70_000)));
}

#[test]
fn a_fifo_link_does_not_wait_for_what_was_taken_from_it() {
    let link = LinkQuality { latency: Latency::Constant(ms(5)), fifo: true, ..LinkQuality::default() };
    let (from, to) = (P(0), P(1));
    let slow = |ordinal, millis| {
        let (kind, epoch, fate) = (TELL, Some(0), Fate::Latency(ms(millis)));
        MessagePin { from, to, kind, epoch, ordinal: Some(ordinal), fate }
    };
    let ways: [&[Fault]; 3] = [
        &[Fault::DropPending { from: Some(from), to: None, kind: None }],
        &[Fault::Cut { from, to, in_flight: InFlight::Drop }, Fault::Restore { from, to }],
        &[
            Fault::Hold { from, to, capture: true },
            Fault::DropPending { from: None, to: Some(to), kind: None },
        ],
    ];
    for way in ways {
        let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
        world.pin_message(slow(0, 500));
        world.run_until(at(12));
        for fault in way {
            world.inject(fault).unwrap();
        }
        world.inject(&Fault::Release { from, to }).unwrap();
        world.run_until(at(36));
        assert_eq!(heard(&world, 1), [(25, 2), (35, 3)], "{way:?}");
    }
    // It waits for what is left, and for nothing of an older stream.
    let mut world = speaker(&Settings { link, ..Settings::default() }, 2, 1);
    world.pin_message(slow(0, 100));
    world.run_until(at(12));
    world.inject(&Fault::SetQuality { from, to, quality: link }).unwrap();
    world.pin_message(slow(1, 15));
    world.run_until(at(22));
    world.inject(&Fault::Cut { from, to: P(2), in_flight: InFlight::Drop }).unwrap();
    world.run_until(at(42));
    assert_eq!(heard(&world, 1), [(35, 2), (35, 3)]);
    world.inject(&Fault::DropPending { from: Some(from), to: Some(to), kind: Some(9) }).unwrap_err();
    world.run_until(at(130));
    assert_eq!(heard(&world, 1)[2..5], [(45, 4), (55, 5), (65, 6)]);
}
