//! Short stories around a change of leaders, of several steps each: what goes wrong there needs them in order, and a draw at
//! any time seldom has that.
//!
//! A leader that is deposed and hears of it late; a candidate whose votes come when it stands again; a log with entries that
//! nobody else has, and a snapshot in their place; one who leads again while what it said before is on its way.

use super::{Features, MS, work};
use crate::fuzz::timeline::Timeline;
use crate::scenario::{
    Answer, Bind, Compact, Cut, Deliver, Ends, Held, HeldLinks, Hold, HowMany, Isolate, Links, MessageKind,
    Name, Nodes, Pending, Propose, Read, ReadKind, Scenario, Sleep, Step, Target, Transfer,
};
use sim_core::{InFlight, Span, Stream};

/// The stories that the features ask for, one or two of a sort.
pub(in crate::fuzz) fn draw(
    timeline: &mut Timeline,
    stream: &mut Stream,
    features: Features,
    scenario: &Scenario,
    horizon: Span,
) {
    // Each needs a quorum of others.
    if scenario.nodes < 3 {
        return;
    }
    for number in 1..=stream.between(1, 2) {
        if features.deposed {
            let at = stream.span(MS(150), horizon);
            timeline.at(at, work::if_led(deposed(stream, number, scenario)));
        }
        if features.late_votes {
            let at = stream.span(MS(20), horizon);
            timeline.at(at, work::if_any(Target::Followers, 2, late_votes(stream, number)));
        }
        if features.replaced {
            let at = stream.span(MS(150), horizon);
            timeline.at(at, work::if_led(replaced(stream, number, scenario)));
        }
        if features.leads_again {
            let at = stream.span(MS(100), horizon);
            timeline.at(at, work::if_led(leads_again(stream, number, scenario)));
        }
    }
}

fn name(word: &str, number: u64) -> Name {
    format!("{word}{number}").parse().expect("letters and digits")
}

fn pause(stream: &mut Stream, least: Span, most: Span) -> Step {
    Step::Sleep(Sleep::For(stream.span(least.max(Span::from_micros(1)), most.max(least))))
}

fn in_flight(stream: &mut Stream) -> InFlight {
    if stream.coin() { InFlight::Keep } else { InFlight::Drop }
}

/// What a leader has asked is answered, but the answers wait. It is cut off, another is elected and given a command. Then the
/// answers arrive, and the old one is asked for what it takes to be current.
fn deposed(stream: &mut Stream, number: u64, scenario: &Scenario) -> Vec<Step> {
    let heartbeat = scenario.raft.heartbeat;
    let name = name("deposed", number);
    let old = || Target::Named(name.clone());
    let others = || Target::all_but(old());
    let links = || Held::OneWay { from: others(), to: old() };
    let ends = || Ends::OneWay { from: old(), to: others() };
    let mut steps = vec![
        Step::Bind(Bind { name: name.clone(), to: Target::Leader }),
        Step::Hold(Hold { links: links(), capture: stream.coin() }),
        pause(stream, MS(1), heartbeat.times(2)),
        Step::Cut(Cut { ends: ends(), in_flight: in_flight(stream) }),
    ];
    steps.push(forgotten(stream, scenario));
    steps.push(stand(Target::Follower(u16::from(stream.coin())), 2));
    steps.push(pause(stream, MS(3), MS(30)));
    steps.push(work::if_led(vec![Step::Propose(Propose::to_leader(format!("later{number}x")))]));
    steps.push(pause(stream, MS(3), MS(30)));
    let kind = if stream.below(4) > 0 { MessageKind::from_index(3) } else { None };
    let (from, to) = (Some(others()), Some(old()));
    steps.push(Step::Deliver(Deliver { from, to, kind, count: HowMany::All }));
    let kind = *stream.pick(&[ReadKind::Lease, ReadKind::Lease, ReadKind::ReadIndex]);
    steps.push(Step::Read(Read { at: old(), within: MS(1), ..Read::at_leader(kind) }));
    steps.push(pause(stream, MS(1), MS(60)));
    steps.push(Step::Release(HeldLinks { links: links() }));
    steps.push(Step::Join(Links { ends: ends() }));
    steps
}

/// A node stands for election, if so many follow.
fn stand(who: Target, followers: u64) -> Step {
    work::if_any(Target::Followers, followers, vec![Step::Campaign(who)])
}

/// What one candidate is answered waits while it stands again and a rival stands beside it; then all of it arrives.
fn late_votes(stream: &mut Stream, number: u64) -> Vec<Step> {
    let (one, other) = (name("late", number), name("rival", number));
    let candidate = || Target::Named(one.clone());
    let rival = || Target::Named(other.clone());
    let first = u16::from(stream.coin());
    let kind = MessageKind::from_index(1);
    let links = || Held::OneWay { from: Target::all_but(candidate()), to: candidate() };
    let bind = |name: &Name, place| Step::Bind(Bind { name: name.clone(), to: Target::Follower(place) });
    let mut steps =
        vec![bind(&one, first), bind(&other, 1 - first), Step::Hold(Hold { links: links(), capture: false })];
    for round in 0..stream.between(1, 3) {
        // Each after the other, or both at once.
        let mut both = [candidate(), rival()];
        stream.shuffle(&mut both);
        let alone = stream.coin() && round == 0;
        for who in both.into_iter().filter(|who| !alone || *who == candidate()) {
            steps.push(work::if_not_leading(who.clone(), vec![Step::Campaign(who)]));
            steps.push(pause(stream, Span::ZERO, MS(12)));
        }
    }
    if stream.below(3) == 0 {
        let pending = Pending { from: None, to: Some(candidate()), kind };
        steps.push(Step::DuplicatePending(pending));
    }
    let (from, to) = (None, Some(candidate()));
    steps.push(Step::Deliver(Deliver { from, to, kind, count: HowMany::All }));
    steps.push(pause(stream, MS(1), MS(30)));
    steps.push(Step::Release(HeldLinks { links: links() }));
    steps
}

/// A leader that is cut off takes commands that nobody else gets. The others go on without it and forget what they have
/// applied, so that it is sent a snapshot when it comes back. Then it leads, with a disk that is in no hurry.
fn replaced(stream: &mut Stream, number: u64, scenario: &Scenario) -> Vec<Step> {
    let (shortest, longest) = scenario.raft.election_timeout;
    let name = name("replaced", number);
    let old = || Target::Named(name.clone());
    let mut many = |word: &str, to: Target, most: u64| {
        let count = u32::try_from(stream.between(1, most)).unwrap_or(1);
        Step::Propose(Propose { to, count: Some(count), ..Propose::to_leader(format!("{word}{number}x")) })
    };
    let (alone, together) = (many("alone", old(), 12), many("joint", Target::Leader, 4));
    let mut steps = vec![
        Step::Bind(Bind { name: name.clone(), to: Target::Leader }),
        Step::Isolate(Isolate { nodes: old(), in_flight: in_flight(stream) }),
        alone,
        pause(stream, shortest, longest),
        stand(Target::Follower(0), 1),
        pause(stream, MS(5), MS(40)),
        work::if_led(vec![together]),
        pause(stream, MS(10), MS(60)),
        work::if_led(vec![Step::Snapshot(Nodes { nodes: Target::Leader })]),
        // Whoever writes may fall over it.
        work::if_led(vec![Step::Compact(Compact { nodes: Target::Leader, keep: 0 })]),
        Step::Reconnect(Nodes { nodes: old() }),
    ];
    if stream.coin() {
        // What it is sent comes more than once.
        let kind = MessageKind::from_index(6);
        let pending = || Pending { from: None, to: Some(old()), kind };
        for _ in 0..stream.between(1, 3) {
            steps.push(pause(stream, MS(1), scenario.raft.heartbeat));
            steps.push(Step::DuplicatePending(pending()));
        }
    }
    steps.push(pause(stream, MS(20), scenario.raft.heartbeat.times(3)));
    steps.push(work::if_follows(old(), vec![Step::Campaign(old())]));
    steps.push(pause(stream, MS(3), MS(40)));
    let follower = Target::Follower(u16::from(stream.coin()));
    let cut_off = Step::Isolate(Isolate { nodes: follower, in_flight: InFlight::Drop });
    if stream.below(3) > 0 {
        steps.push(work::if_any(Target::Followers, 2, vec![cut_off]));
    }
    let leader = || Nodes { nodes: Target::Leader };
    let last = Step::Propose(Propose::to_leader(format!("slow{number}x")));
    steps.push(work::if_led(vec![Step::HoldWrites(leader()), last]));
    steps.push(pause(stream, MS(10), MS(60)));
    steps.push(Step::ReleaseWrites(Nodes { nodes: Target::All }));
    steps.push(Step::Reconnect(Nodes { nodes: Target::All }));
    steps
}

/// What a new leader says to so many followers that they and it are a majority waits, and reads make it say much. It hands over,
/// and is handed leadership back; only then they hear what was said before, and their answers wait until the others have gone on
/// without the leader, which is asked for what it takes to be current.
fn leads_again(stream: &mut Stream, number: u64, scenario: &Scenario) -> Vec<Step> {
    let [first, late, other] = ["again", "hears", "next"].map(|word| name(word, number));
    let (old, hearers) = (|| Target::Named(first.clone()), || Target::Named(late.clone()));
    let next = || Target::Named(other.clone());
    let said = || Held::OneWay { from: old(), to: hearers() };
    let answered = || Held::OneWay { from: Target::all_but(old()), to: old() };
    let ends = || Ends::OneWay { from: old(), to: Target::all_but(old()) };
    let deliver = |from, to, index| {
        let kind = MessageKind::from_index(index);
        Step::Deliver(Deliver { from: Some(from), to: Some(to), kind, count: HowMany::All })
    };
    let hand_over = |to| Step::Transfer(Transfer { from: Target::Leader, to, expect: Answer::Any });
    let read = |kind, within| Step::Read(Read { at: old(), within, ..Read::at_leader(kind) });
    let mut places: Vec<u16> = (0..=(scenario.nodes - 1) / 2).collect();
    stream.shuffle(&mut places);
    let mut places = places.into_iter().map(Target::Follower);
    let followers = places.len() as u64;
    let successor = places.next().unwrap_or(Target::Follower(0));
    let mut story = vec![
        Step::Bind(Bind { name: first.clone(), to: Target::Leader }),
        Step::Bind(Bind { name: late.clone(), to: Target::List(places.collect()) }),
        Step::Bind(Bind { name: other.clone(), to: successor }),
        Step::Hold(Hold { links: said(), capture: stream.coin() }),
    ];
    for _ in 0..stream.between(3, 10) {
        story.extend([read(ReadKind::ReadIndex, Span::ZERO), pause(stream, Span::ZERO, MS(5))]);
    }
    story.extend([pause(stream, MS(1), MS(30)), work::if_led(vec![hand_over(next())])]);
    story.extend([pause(stream, MS(5), MS(30)), work::if_led(vec![hand_over(old())])]);
    story.push(pause(stream, MS(5), MS(40)));
    story.push(Step::Hold(Hold { links: answered(), capture: stream.coin() }));
    // By the first of these it comes to the term in which it then hears what was said in an earlier one.
    story.extend([deliver(old(), hearers(), 0), pause(stream, MS(1), MS(20)), deliver(old(), hearers(), 2)]);
    story.push(Step::Cut(Cut { ends: ends(), in_flight: in_flight(stream) }));
    story.push(forgotten(stream, scenario));
    story.push(work::if_follows(next(), vec![Step::Campaign(next())]));
    story.push(pause(stream, MS(3), MS(30)));
    story.push(work::if_led(vec![Step::Propose(Propose::to_leader(format!("more{number}x")))]));
    story.push(pause(stream, MS(3), MS(30)));
    if stream.coin() {
        story.push(read(ReadKind::ReadIndex, Span::ZERO));
    }
    story.push(deliver(hearers(), old(), 3));
    story.push(read(*stream.pick(&[ReadKind::Lease, ReadKind::ReadIndex]), MS(1)));
    story.extend([said(), answered()].map(|links| Step::Release(HeldLinks { links })));
    story.push(Step::Join(Links { ends: ends() }));
    let if_followed = |then| work::if_led(vec![work::if_any(Target::Followers, followers, then)]);
    // Few rounds are behind who has just begun to lead. Names are known only where they are given.
    let begin = if_followed(vec![hand_over(Target::Follower(u16::from(stream.coin())))]);
    vec![begin, pause(stream, MS(5), MS(30)), if_followed(story)]
}

/// As long as it takes until those who have heard a leader vote again: none of them does before the shortest timeout is over.
fn forgotten(stream: &mut Stream, scenario: &Scenario) -> Step {
    let (shortest, longest) = scenario.raft.election_timeout;
    pause(stream, shortest, shortest.plus(scenario.raft.heartbeat).min(longest))
}
