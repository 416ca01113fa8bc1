//! Messages whose bytes are damaged on the way.

use crate::common::{P, TELL, at, dropped, heard, ms, speaker, steady};
use sim_core::{
    DropReason, Fate, Fault, Latency, LinkQuality, MessageId, MessagePin, Ratio, Record, Settings,
};

#[test]
fn a_damaged_message_is_lost_when_it_arrives() {
    let link = LinkQuality {
        latency: Latency::Constant(ms(4)),
        corrupt: Ratio::from_percent(25),
        ..LinkQuality::default()
    };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
    let mut sound = speaker(&steady(4), 1, 1);
    world.run_until(at(10_004));
    sound.run_until(at(10_004));
    let lost: Vec<u64> = world
        .observer()
        .iter()
        .filter_map(|(stamp, record)| match record {
            Record::Dropped { reason: DropReason::Corrupt, .. } => Some(stamp.at.nanos() / 1_000_000),
            _ => None,
        })
        .collect();
    assert!((200..300).contains(&lost.len()), "{} of 1,000", lost.len());
    assert!(lost.iter().all(|at| at % 10 == 4), "each 4 ms after it was sent");
    let mut all: Vec<u64> = heard(&world, 1).iter().map(|(at, _)| *at).chain(lost).collect();
    all.sort_unstable();
    assert_eq!(all, heard(&sound, 1).iter().map(|(at, _)| *at).collect::<Vec<_>>());
}

#[test]
fn damage_moves_no_other_draw_and_each_copy_has_its_own() {
    let rough = LinkQuality {
        latency: Latency::Uniform(ms(1), ms(30)),
        loss: Ratio::from_percent(10),
        duplicate: Ratio::from_percent(30),
        reorder: Ratio::from_percent(10),
        ..LinkQuality::default()
    };
    let arrivals = |corrupt| {
        let link = LinkQuality { corrupt, ..rough };
        let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 3);
        world.run_until(at(3_000));
        let lines = world.observer().iter();
        let arrived = lines.filter_map(|(stamp, record)| match record {
            Record::Delivered { id, .. } => Some((stamp.at, *id, true)),
            Record::Dropped { id, reason: DropReason::Corrupt } => Some((stamp.at, *id, false)),
            _ => None,
        });
        arrived.collect::<Vec<_>>()
    };
    let (sound, damaged) = (arrivals(Ratio::ZERO), arrivals(Ratio::from_percent(50)));
    assert!(sound.iter().all(|(.., whole)| *whole));
    let ids =
        |arrivals: &[(_, _, bool)]| -> Vec<_> { arrivals.iter().map(|(at, id, _)| (*at, *id)).collect() };
    assert_eq!(ids(&sound), ids(&damaged), "the same arrive at the same times");
    let is_whole = |copy, of: &MessageId| {
        let id = MessageId { copy, ..*of };
        damaged.iter().find(|(_, other, _)| *other == id).map(|(.., whole)| *whole)
    };
    let pairs: Vec<_> = damaged
        .iter()
        .filter(|(_, id, _)| id.copy == 1)
        .map(|(_, id, whole)| (is_whole(0, id), *whole))
        .collect();
    for pair in [(Some(true), true), (Some(true), false), (Some(false), true), (Some(false), false)] {
        assert!(pairs.contains(&pair), "{pair:?}");
    }
}

#[test]
fn damage_is_found_while_the_receiver_is_paused_and_by_nobody_while_it_is_down() {
    let link = LinkQuality { corrupt: Ratio::ONE, ..LinkQuality::default() };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
    world.inject(&Fault::Pause { process: P(1) }).unwrap();
    world.run_until(at(15));
    assert_eq!(dropped(&world, DropReason::Corrupt), 1);
    world.inject(&Fault::Crash { process: P(1) }).unwrap();
    world.run_until(at(25));
    assert_eq!((dropped(&world, DropReason::Corrupt), dropped(&world, DropReason::Down)), (1, 1));
}

#[test]
fn orders_and_pins_deliver_whole_where_everything_is_damaged() {
    let (from, to) = (P(0), P(1));
    let link =
        LinkQuality { latency: Latency::Constant(ms(5)), corrupt: Ratio::ONE, ..LinkQuality::default() };
    let mut world = speaker(&Settings { link, ..Settings::default() }, 1, 1);
    let fate = Fate::Latency(ms(2));
    world.pin_message(MessagePin { from, to, kind: TELL, epoch: None, ordinal: Some(0), fate });
    world.run_until(at(22));
    assert_eq!(heard(&world, 1), [(12, 1)], "the pin decided");
    world.inject(&Fault::Hold { from, to, capture: true }).unwrap();
    world.run_until(at(32));
    let mut released = world.clone();
    world.inject(&Fault::DeliverOne { from, to, kind: None }).unwrap();
    world.inject(&Fault::DeliverOne { from, to, kind: None }).unwrap();
    world.run_until(at(32));
    assert_eq!(heard(&world, 1).len(), 3);
    // What is released is what it was.
    let quality = LinkQuality { corrupt: Ratio::ZERO, ..link };
    released.inject(&Fault::SetQuality { from, to, quality }).unwrap();
    released.inject(&Fault::Release { from, to }).unwrap();
    released.run_until(at(38));
    assert_eq!(dropped(&released, DropReason::Corrupt), 1, "it was damaged before it was captured");
    assert_eq!(heard(&released, 1), [(12, 1), (37, 3)], "nothing was decided of the other");
}

#[cfg(feature = "serde")]
#[test]
fn a_quality_that_says_nothing_of_damage_is_read_as_free_of_it() {
    let text = r#"{"latency":{"constant":"1ms"},"loss":"0%","duplicate":"0%","reorder":"0%","reorder_by":"20ms","fifo":false}"#;
    assert_eq!(serde_json::from_str::<LinkQuality>(text).unwrap(), LinkQuality::default());
    let damaged = LinkQuality { corrupt: Ratio::from_percent(3), ..LinkQuality::default() };
    let text = serde_json::to_string(&damaged).unwrap();
    assert_eq!(serde_json::from_str::<LinkQuality>(&text).unwrap(), damaged, "{text}");
}
