//! What notes and messages beyond elections and replication are called.

use super::story::{Story, p};
use super::{Detail, TableOptions, draw, options};
use crate::record::{
    Action, Call, Effect, Hash64, Members, MessageFacts, Note, Outcome, ReadKind, Record, Refusal, Reply,
    Return, Role, SnapshotFacts,
};
use sim_core::{ClockChange, CrashMode, Fault, Kept, Span, WriteId};

/// A table of one note of node 0, in full.
fn told(note: Note) -> String {
    let mut story = Story::new(2);
    story.note(0, note);
    draw(&story, &TableOptions { detail: Detail::Full, ..options(160) })
}

#[test]
fn notes_are_told_in_the_words_of_the_field() {
    let members = Members { outgoing: Members::voters(3).voters, learners: vec![p(4)], ..Members::voters(2) };
    let facts = SnapshotFacts { index: 7, term: 2, ..SnapshotFacts::default() };
    let called = |action, read| Note::Call(Box::new(Call { client: 1, number: 3, key: 8, action, read }));
    let returned = |outcome| Note::Return(Box::new(Return { client: 1, number: 3, outcome, index: None }));
    let bytes = |text: &str| text.parse().expect("a value");
    let expected = [
        (Note::Role { role: Role::PreCandidate, term: 4 }, "becomes pre-candidate t4"),
        (Note::Refused { leader: None, why: Refusal::ChangePending }, "refuses it, a change is under way"),
        (Note::Forwarded { to: p(1) }, "hands it on to 1"),
        (Note::Members { index: 5, members: Box::new(members) }, "members from 5: 0,1 from 0,1,2 learners 4"),
        (Note::Snapshot(Box::new(facts.clone())), "snapshot 7/2"),
        (Note::Installed(Box::new(facts)), "installs snapshot 7/2"),
        (Note::PersistSnapshot { write: WriteId(3), index: 7 }, "write 3 holds snapshot 7"),
        (Note::Compacted { base: 6 }, "compacts to 6"),
        (Note::ReadReady { read: 2, index: 7 }, "serves read 2 at 7"),
        (Note::StorageFailed { what: "a sync failed".into() }, "stops, disk: a sync failed"),
        (Note::StorageCorrupt { what: "bad checksum".into() }, "does not start, disk: bad checksum"),
        (called(Action::Get, ReadKind::Lease), "calls 3: get 8 by lease"),
        (called(Action::Cas(None, bytes("x")), ReadKind::Log), "calls 3: cas 8 nothing \"x\""),
        (returned(Outcome::Read(Some(bytes("x")))), "reads \"x\", end of 3"),
        (returned(Outcome::Unknown), "gives up, end of 3"),
    ];
    for (note, text) in expected {
        let drawn = told(note);
        assert!(drawn.contains(&format!(" {text} ")), "no `{text}` in\n{drawn}");
    }
}

#[test]
fn every_timer_has_a_name_and_a_wandering_clock_is_told_in_ascii_too() {
    use crate::adapter::{APPLY, BATCH, ELECTION, HEARTBEAT};
    let names = ["election timeout", "heartbeat timer", "batch timer", "apply timer"];
    for (timer, name) in [ELECTION, HEARTBEAT, BATCH, APPLY].into_iter().zip(names) {
        let mut story = Story::new(2);
        story.push(Record::TimerFired { process: p(0), timer });
        let drawn = draw(&story, &TableOptions { detail: Detail::Full, ..options(160) });
        assert!(drawn.contains(name), "no `{name}` in\n{drawn}");
    }
    let clock = ClockChange::Wander { ppm: 50_000, period: Span::from_secs(1) };
    let mut story = Story::new(2);
    story.fault(Fault::SetClock { process: p(0), clock });
    for (ascii, told) in [(false, "0 ±50000 ppm every 1s"), (true, "0 +-50000 ppm every 1s")] {
        let drawn = draw(&story, &TableOptions { ascii, ..options(160) });
        assert!(drawn.contains(told) && (!ascii || drawn.is_ascii()), "no `{told}` in\n{drawn}");
    }
}

#[test]
fn what_a_crash_is_to_keep_is_told() {
    for (kept, torn, told) in
        [(Kept::Nothing, false, "lose"), (Kept::Prefix, false, "prefix"), (Kept::Any, true, "any, torn")]
    {
        let mut story = Story::new(2);
        story.fault(Fault::SetCrashMode { process: p(1), mode: CrashMode { kept, torn } });
        let drawn = draw(&story, &options(160));
        assert!(drawn.contains(&format!("set crash mode 1 to {told} ")), "no `{told}` in\n{drawn}");
    }
}

#[test]
fn a_retry_that_had_its_effect_before_is_told_apart() {
    let (command, state) = (Hash64::of_command(b"x"), Hash64(1));
    for (effect, verb) in
        [(Effect::Done, "apply 1"), (Effect::Repeated, "repeat 1"), (Effect::Ignored, "ignore 1")]
    {
        let drawn = told(Note::Apply { index: 1, term: 1, command, state, effect });
        assert!(drawn.contains(verb), "{drawn}");
    }
}

#[test]
fn a_write_tells_of_all_that_it_holds_when_it_is_durable() {
    let mut story = Story::new(2);
    story.write(0, None, None);
    let write = WriteId(1);
    story
        .note(0, Note::PersistSnapshot { write, index: 7 })
        .note(0, Note::PersistCompacted { write, base: 6 });
    story.durable(0);
    let drawn = draw(&story, &TableOptions { detail: Detail::Full, ..options(160) });
    assert!(drawn.contains("durable snapshot 7, log without 6 and below"), "{drawn}");
}

#[test]
fn messages_are_told_in_the_words_of_the_field() {
    let expected = [
        (MessageFacts::PreVote { term: 3, last_index: 7, last_term: 2 }, "PreVote t3 last 7/2"),
        (MessageFacts::PreVoteResponse { term: 3, granted: true }, "would vote t3"),
        (
            MessageFacts::InstallSnapshot { term: 3, index: 7, offset: 64, bytes: 32, done: true },
            "InstallSnapshot 7 (t3) bytes 64 +32, the last",
        ),
        (
            MessageFacts::InstallSnapshotResponse { term: 3, index: 7, received: 96, installed: true },
            "has snapshot 7 (t3)",
        ),
        (MessageFacts::TimeoutNow { term: 3 }, "TimeoutNow t3"),
        (MessageFacts::ReadIndexResponse { term: 3, read: 1, index: Some(7) }, "read 1 must see 7 (t3)"),
        (MessageFacts::ClientRequest { number: 5, read: true }, "reads, request 5"),
        (
            MessageFacts::ClientReply { number: 5, reply: Reply::NotLeader(Some(p(1))) },
            "answers 5: not leading, 1 may",
        ),
        (
            MessageFacts::RequestVote { term: 3, last_index: 7, last_term: 2, transfer: true },
            "RequestVote t3 last 7/2 by order",
        ),
    ];
    for (facts, text) in expected {
        let mut story = Story::new(2);
        story.send(0, 1, facts);
        let drawn = draw(&story, &TableOptions { detail: Detail::Full, ..options(160) });
        assert!(drawn.contains(text), "no `{text}` in\n{drawn}");
    }
}

#[test]
fn a_snapshot_and_a_change_are_part_of_the_story_and_the_first_configuration_is_not() {
    let mut story = Story::new(2);
    let members = |count| Box::new(Members::voters(count));
    story.boot_all().note(0, Note::Members { index: 0, members: members(2) });
    let drawn = draw(&story, &options(120));
    assert!(!drawn.contains("begins with"), "{drawn}");
    story.at(5_000).note(0, Note::Members { index: 4, members: members(1) });
    story.note(0, Note::Compacted { base: 3 });
    let drawn = draw(&story, &options(120));
    assert!(drawn.contains("members from 4: 0") && drawn.contains("compacts to 3"), "{drawn}");
}
