//! Whole tables, compared letter by letter.

use super::story::{Story, accepted, append, heartbeat, isolate, p, request};
use super::{Detail, TableOptions, draw, options};
use crate::record::{Effect, Hash64, MessageFacts, Note, Record, Role};
use sim_core::{DropReason, Fault, InFlight};

/// Compares without the line breaks that the source puts around a table.
#[track_caller]
fn same(drawn: &str, expected: &str) {
    assert!(drawn.trim() == expected.trim(), "drawn:\n{drawn}\nexpected:\n{expected}");
}

#[test]
fn an_election_reads_as_a_story() {
    same(
        &draw(&Story::elected(), &options(100)),
        r#"
PASS story; seed 0x2a; digest 00c0ffee; 35 records, ended +900.000ms
┌─────────────┬────────────────────────────┬───────────────────────────┬───────────────────────────┐
│ #       TIME│0                           │1                          │2                          │
├─────────────┼────────────────────────────┼───────────────────────────┼───────────────────────────┤
│ 1   +0.000ms│F0 boots; timeout in 150ms  │F0 boots; timeout in 190ms │F0 boots; timeout in 230ms │
│10 +150.000ms│F0                          │C1 becomes candidate t1    │F0                         │
│             │                            │   timeout in 214ms        │                           │
│             │                            │   → all RequestVote t1    │                           │
│             │                            │    last 0/0               │                           │
│19 +151.250ms│F1 ← 1 RequestVote t1       │C1                         │F0                         │
│             │   votes for 1 (t1)         │                           │                           │
│24           │F1 → 1 grants vote t1       │C1                         │F1 ← 1 RequestVote t1      │
│             │                            │                           │   votes for 1 (t1)        │
│31           │F1                          │C1                         │F1 → 1 grants vote t1      │
│33 +152.000ms│F1                          │L1 ← 0 grants vote t1      │F1                         │
│             │                            │   becomes leader t1       │                           │
└─────────────┴────────────────────────────┴───────────────────────────┴───────────────────────────┘
L leader; C candidate; F follower
"#,
    );
}

#[test]
fn quiet_heartbeats_are_counted_and_what_became_of_them_is_told() {
    let mut story = Story::elected();
    for round in 0..6 {
        story.beat(200_000 + round * 50_000, 1, 1);
    }
    story.at(500_000).mark("until quiet: yes");
    story.at(510_000).fired(1, false);
    let lost = story.send(1, 0, heartbeat(1));
    story.lose(lost, DropReason::Loss);
    let unanswered = story.send(1, 2, heartbeat(1));
    story.at(511_000).deliver(unanswered, heartbeat(1));
    let answer = story.send(2, 1, accepted(1, 0));
    story.lose(answer, DropReason::Loss);
    story.at(520_000).mark("the rest is on its way");
    story.at(530_000).fired(1, false);
    story.send(1, 0, heartbeat(1));
    story.send(1, 2, heartbeat(1));
    let drawn = draw(&story, &options(100));
    same(
        &drawn[drawn.find("until quiet").expect("the mark is drawn")..],
        r#"
until quiet: yes ────────────────────────────────────────────────────────────────┤
│ 92 +510.000ms│F1                         │L1 2 heartbeats (t1), 1    │F1                         │
│              │                           │    lost, 1 unanswered     │                           │
│ 98 +520.000ms├─ the rest is on its way ──────────────────────────────────────────────────────────┤
│100 +530.000ms│F1                         │L1 2 heartbeats (t1), all  │F1                         │
│              │                           │    under way              │                           │
└──────────────┴───────────────────────────┴───────────────────────────┴───────────────────────────┘
L leader; C candidate; F follower
"#,
    );
    assert!(drawn.contains("12 heartbeats in 250ms"));
    assert!(drawn.contains(", all answered"));
}

#[test]
fn a_partition_stands_beside_the_role_while_it_lasts() {
    let mut story = Story::elected();
    let groups = vec![vec![p(0), p(2)], vec![p(1)]];
    story.at(160_000).mark("partition 0,2 | 1").fault(Fault::Partition { groups, in_flight: InFlight::Drop });
    story.at(170_000).note(2, Note::Commit { index: 1 });
    story.at(180_000).fault(Fault::Heal).note(2, Note::Commit { index: 2 });
    story.at(190_000).fault(isolate(1)).note(2, Note::Commit { index: 3 });
    story.at(200_000).fault(Fault::Reconnect { process: p(1) });
    story
        .fault(Fault::Cut { from: p(0), to: p(1), in_flight: InFlight::Keep })
        .note(2, Note::Commit { index: 4 });
    let drawn = draw(&story, &options(80));
    same(
        &drawn[drawn.find("partition 0,2").expect("the mark is drawn")..],
        r#"
partition 0,2 | 1 ────────────────────────────────────────────┤
│38 +170.000ms│F1a                  │L1b                  │F1a commit 1        │
│39 +180.000ms├─ heal ─────────────────────────────────────────────────────────┤
│40           │F1                   │L1                   │F1  commit 2        │
│41 +190.000ms├─ isolate 1 ────────────────────────────────────────────────────┤
│42           │F1                   │L1╳                  │F1  commit 3        │
│43 +200.000ms├─ reconnect 1; cut 0→1, sparing what is on the way ─────────────┤
│45           │F1╱                  │L1╱                  │F1  commit 4        │
└─────────────┴─────────────────────┴─────────────────────┴────────────────────┘
L leader; C candidate; F follower; ╱ some links cut; ╳ cut off
a b sides of a partition
"#,
    );
}

#[test]
fn a_crash_and_a_restart_are_seen_in_the_lane() {
    let mut story = Story::elected();
    story.at(160_000).mark("crash 1").fault(Fault::Crash { process: p(1) }).crash(1, 2);
    story.at(170_000).fault(Fault::Pause { process: p(2) }).push(Record::Paused { process: p(2) });
    story.at(180_000).fault(Fault::Restart { process: p(1) }).boot(1, 2, 1);
    story.at(181_000).panic(1, "no quorum");
    story.at(190_000).push(Record::Resumed { process: p(2) });
    let drawn = draw(&story, &options(90));
    same(
        &drawn[drawn.find("crash 1").expect("the mark is drawn")..],
        r#"
crash 1 ────────────────────────────────────────────────────────────────┤
│38           │F1                      │X  crash (2 writes lost)│F1                      │
│39 +170.000ms├─ pause 2 ────────────────────────────────────────────────────────────────┤
│40           │F1                      │X                       │Z1 paused               │
│41 +180.000ms├─ restart 1 ──────────────────────────────────────────────────────────────┤
│42           │F1                      │F1 restart, life 2      │Z1                      │
│             │                        │   recovers t1 log 0    │                        │
│44 +181.000ms│F1                      │X  panicked: no quorum  │Z1                      │
│             │                        │    (at raft.rs:7:1)    │                        │
│45 +190.000ms│F1                      │X                       │F1 resumed              │
└─────────────┴────────────────────────┴────────────────────────┴────────────────────────┘
L leader; C candidate; F follower; Z paused; X down
"#,
    );
}

#[test]
fn a_lost_message_says_why() {
    let mut story = Story::new(4);
    story.boot_all().at(1_000).fired(0, true).role(0, Role::Candidate, 1);
    for to in 1..4 {
        let id = story.send(0, to, request(1));
        if to > 1 {
            story.lose(id, DropReason::Cut);
        }
    }
    let refusal =
        MessageFacts::AppendEntriesRefused { term: 1, prev_index: 4, conflict_index: 3, conflict_term: None };
    let id = story.at(2_000).send(1, 0, refusal);
    story.at(3_000).lose(id, DropReason::Down);
    let drawn = draw(&story, &options(100));
    same(
        &drawn[drawn.find("becomes candidate").expect("it is drawn")..],
        r#"
becomes candidate │F0                   │F0                   │F0                  │
│           │    t1               │                     │                     │                    │
│           │   → all RequestVote │                     │                     │                    │
│           │    t1 last 0/0      │                     │                     │                    │
│           │   × RequestVote to  │                     │                     │                    │
│           │    2,3 lost (cut)   │                     │                     │                    │
│16 +2.000ms│C1                   │F0 → 0 refuses 4 (t1)│F0                   │F0                  │
│17 +3.000ms│C1                   │F0 ×                 │F0                   │F0                  │
│           │                     │    AppendEntriesResp│                     │                    │
│           │                     │    onse to 0 lost   │                     │                    │
│           │                     │    (receiver down)  │                     │                    │
└───────────┴─────────────────────┴─────────────────────┴─────────────────────┴────────────────────┘
C candidate; F follower
"#,
    );
}

/// A command is proposed, replicated to node 0, committed and applied.
fn replicated() -> Story {
    let mut story = Story::elected();
    let command = Hash64::of_command(b"42");
    story.at(160_000).mark("propose \"42\" to 1");
    story
        .note(1, Note::Proposed { command, text: "42".into() })
        .note(1, Note::Append { index: 1, term: 1, command });
    story.write(1, None, Some((1, 1))).note(1, Note::Accepted { index: 1, term: 1 });
    let sent = [0, 2].map(|to| story.send(1, to, append(1, 0, 1)));
    story.at(161_000).durable(1);
    story.at(161_500).deliver(sent[0], append(1, 0, 1)).note(0, Note::Append { index: 1, term: 1, command });
    story.write(0, None, Some((1, 1))).at(162_000).durable(0);
    let answer = story.send(0, 1, accepted(1, 1));
    story.at(163_000).deliver(answer, accepted(1, 1)).note(1, Note::Commit { index: 1 });
    story.note(1, Note::Apply { index: 1, term: 1, command, state: Hash64(7), effect: Effect::Carried });
    story
}

#[test]
fn a_command_is_followed_by_its_text() {
    let drawn = draw(&replicated(), &options(100));
    same(
        &drawn[drawn.find("propose ").expect("the mark is drawn")..],
        r#"
propose "42" to 1 ────────────────────────────────────────────────────────────────┤
│37           │F1                          │L1 proposed "42"           │F1                         │
│             │                            │   append 1 (t1) "42"      │                           │
│             │                            │   → all AppendEntries t1  │                           │
│             │                            │    +1 after 0/0           │                           │
│45 +161.500ms│F1 ← 1 AppendEntries t1 +1  │L1                         │F1                         │
│             │   append 1 (t1) "42"       │                           │                           │
│51 +163.000ms│F1                          │L1 ← 0 accepts 1 (t1)      │F1                         │
│             │                            │   commit 1                │                           │
│             │                            │   apply 1 (t1) "42"       │                           │
└─────────────┴────────────────────────────┴───────────────────────────┴───────────────────────────┘
L leader; C candidate; F follower
"#,
    );
}

#[test]
fn every_record_is_an_entry_in_full() {
    let full = TableOptions { detail: Detail::Full, window: Some(30..=u64::MAX), ..options(120) };
    let drawn = draw(&replicated(), &full);
    same(
        &drawn,
        r#"
PASS story; seed 0x2a; digest 00c0ffee; 53 records, ended +900.000ms
┌─────────────┬──────────────────────────────────┬──────────────────────────────────┬──────────────────────────────────┐
│ #       TIME│0                                 │1                                 │2                                 │
├─────────────┼──────────────────────────────────┼──────────────────────────────────┼──────────────────────────────────┤
│30 +151.250ms│F1                                │C1                                │F1 write 3 holds t1 vote 1        │
│31           │F1                                │C1                                │F1 durable t1 vote 1              │
│32           │F1                                │C1                                │F1 → 1 grants vote t1             │
│33 +152.000ms│F1                                │C1 ← 0 grants vote t1             │F1                                │
│34           │F1                                │L1 becomes leader t1              │F1                                │
│35 +152.100ms│F1                                │L1 ← 2 grants vote t1             │F1                                │
│36 +160.000ms├─ propose "42" to 1 ────────────────────────────────────────────────────────────────────────────────────┤
│37           │F1                                │L1 proposed "42"                  │F1                                │
│38           │F1                                │L1 append 1 (t1) "42"             │F1                                │
│39           │F1                                │L1 write 4 issued                 │F1                                │
│40           │F1                                │L1 write 4 holds log 1            │F1                                │
│41           │F1                                │L1 takes it at 1 (t1)             │F1                                │
│42           │F1                                │L1 → 0 AppendEntries t1 +1 after  │F1                                │
│             │                                  │    0/0 commit 0                  │                                  │
│43           │F1                                │L1 → 2 AppendEntries t1 +1 after  │F1                                │
│             │                                  │    0/0 commit 0                  │                                  │
│44 +161.000ms│F1                                │L1 durable log 1                  │F1                                │
│45 +161.500ms│F1 ← 1 AppendEntries t1 +1 after  │L1                                │F1                                │
│             │    0/0 commit 0                  │                                  │                                  │
│46           │F1 append 1 (t1) "42"             │L1                                │F1                                │
│47           │F1 write 5 issued                 │L1                                │F1                                │
│48           │F1 write 5 holds log 1            │L1                                │F1                                │
│49 +162.000ms│F1 durable log 1                  │L1                                │F1                                │
│50           │F1 → 1 accepts 1 (t1)             │L1                                │F1                                │
│51 +163.000ms│F1                                │L1 ← 0 accepts 1 (t1)             │F1                                │
│52           │F1                                │L1 commit 1                       │F1                                │
│53           │F1                                │L1 apply 1 (t1) "42"              │F1                                │
└─────────────┴──────────────────────────────────┴──────────────────────────────────┴──────────────────────────────────┘
L leader; C candidate; F follower
"#,
    );
}

#[test]
fn forty_columns_still_hold_three_lanes() {
    let window = Some(10..=24);
    same(
        &draw(&Story::elected(), &TableOptions { window, ..options(40) }),
        r#"
PASS story; seed 0x2a; digest 00c0ffee
35 records, ended +900.000ms
┌──────────┬─────────┬────────┬────────┐
│      TIME│0        │1       │2       │
├──────────┼─────────┼────────┼────────┤
│+150.000ms│F0       │C1 becom│F0      │
│          │         │   es   │        │
│          │         │   candi│        │
│          │         │   date │        │
│          │         │   t1   │        │
│          │         │   timeo│        │
│          │         │   ut in│        │
│          │         │   214ms│        │
│          │         │   → all│        │
│          │         │   Reque│        │
│          │         │   stVot│        │
│          │         │   e t1 │        │
│          │         │   last │        │
│          │         │   0/0  │        │
│+151.250ms│F1 ← 1   │C1      │F0      │
│          │   Reques│        │        │
│          │   tVote │        │        │
│          │   t1    │        │        │
│          │   votes │        │        │
│          │   for 1 │        │        │
│          │   (t1)  │        │        │
└──────────┴─────────┴────────┴────────┘
C candidate; F follower
"#,
    );
}

#[test]
fn nodes_without_room_for_lanes_share_one() {
    let mut story = Story::new(9);
    story.boot_all().at(1_000).fired(3, true).role(3, Role::Candidate, 1);
    let others: Vec<u16> = (0..9).filter(|node| *node != 3).collect();
    let ids: Vec<_> = others.iter().map(|to| story.send(3, *to, request(1))).collect();
    story.at(2_000).deliver(ids[0], request(1)).note(0, Note::Vote { term: 1, candidate: p(3) });
    story.at(3_000).mark("isolate 3").fault(isolate(3));
    for id in &ids[1..] {
        story.lose(*id, DropReason::CutInFlight);
    }
    same(
        &draw(&story, &TableOptions { window: Some(17..=u64::MAX), ..options(60) }),
        r#"
PASS story; seed 0x2a; digest 00c0ffee
39 records, ended +900.000ms
┌───────────┬──────────────────────────────────────────────┐
│ #     TIME│node: entry                                   │
├───────────┼──────────────────────────────────────────────┤
│17 +0.000ms│8: F0  boots                                  │
│19 +1.000ms│3: C1  becomes candidate t1                   │
│           │       → all RequestVote t1 last 0/0          │
│29 +2.000ms│0: F0  ← 3 RequestVote t1; votes for 3 (t1)   │
│31 +3.000ms├─ isolate 3 ──────────────────────────────────┤
│33         │3: C1╳ × RequestVote to 1,2,4-8 lost (cut on  │
│           │        the way)                              │
└───────────┴──────────────────────────────────────────────┘
C candidate; F follower; ╳ cut off
"#,
    );
}

#[test]
fn ascii_draws_with_plus_minus_and_bar() {
    let mut story = Story::elected();
    story.at(160_000).mark("isolate 1 → alone").fault(isolate(1));
    story.at(161_000).note(1, Note::Proposed { command: Hash64(5), text: "né".into() });
    let drawn = draw(&story, &TableOptions { ascii: true, window: Some(10..=u64::MAX), ..options(90) });
    assert!(drawn.is_ascii());
    same(
        &drawn,
        r#"
PASS story; seed 0x2a; digest 00c0ffee; 38 records, ended +900.000ms
+-------------+------------------------+------------------------+------------------------+
| #       TIME|0                       |1                       |2                       |
+-------------+------------------------+------------------------+------------------------+
|10 +150.000ms|F0                      |C1  becomes candidate t1|F0                      |
|             |                        |    timeout in 214ms    |                        |
|             |                        |    -> all RequestVote  |                        |
|             |                        |     t1 last 0/0        |                        |
|19 +151.250ms|F1  <- 1 RequestVote t1 |C1                      |F0                      |
|             |    votes for 1 (t1)    |                        |                        |
|24           |F1  -> 1 grants vote t1 |C1                      |F1  <- 1 RequestVote t1 |
|             |                        |                        |    votes for 1 (t1)    |
|31           |F1                      |C1                      |F1  -> 1 grants vote t1 |
|33 +152.000ms|F1                      |L1  <- 0 grants vote t1 |F1                      |
|             |                        |    becomes leader t1   |                        |
|36 +160.000ms+- isolate 1 -> alone -----------------------------------------------------+
|38 +161.000ms|F1                      |L1% proposed "n\u{e9}"  |F1                      |
+-------------+------------------------+------------------------+------------------------+
L leader; C candidate; F follower; % cut off
"#,
    );
}

#[test]
fn the_violating_row_is_pointed_at() {
    let violation = Some(30);
    let story = Story::elected();
    let drawn = draw(&story, &TableOptions { violation, window: Some(25..=u64::MAX), ..options(90) });
    same(
        &drawn,
        r#"
PASS story; seed 0x2a; digest 00c0ffee; 35 records, ended +900.000ms
┌─────────────────┬───────────────────────┬───────────────────────┬──────────────────────┐
│     #       TIME│0                      │1                      │2                     │
├─────────────────┼───────────────────────┼───────────────────────┼──────────────────────┤
│    25 +151.250ms│F1 → 1 grants vote t1  │C1                     │F0                    │
│>>> 30           │F1                     │C1                     │F1 ← 1 RequestVote t1 │
│                 │                       │                       │   votes for 1 (t1)   │
│                 │                       │                       │   write 3 holds t1   │
│                 │                       │                       │    vote 1            │
│    31           │F1                     │C1                     │F1 → 1 grants vote t1 │
│    33 +152.000ms│F1                     │L1 ← 0 grants vote t1  │F1                    │
│                 │                       │   becomes leader t1   │                      │
└─────────────────┴───────────────────────┴───────────────────────┴──────────────────────┘
L leader; C candidate; F follower
"#,
    );
    let colored = draw(&story, &TableOptions { violation, color: true, ..options(90) });
    let inverted: Vec<&str> = colored.lines().filter(|line| line.starts_with("\u{1b}[7m")).collect();
    assert_eq!(inverted.len(), 4, "every line of the row is inverted, and no other");
    assert!(inverted[0].contains(">>> "));
    assert!(inverted.iter().all(|line| line.matches('\u{1b}').count() == 2), "nothing ends it early");
}

#[test]
fn a_quiet_record_is_told_if_it_is_the_violation() {
    let mut story = Story::elected();
    let write = story.at(160_000).lines.len() as u64 + 1;
    story.write(2, Some((1, None)), None).at(161_000).durable(2);
    let pointed = |number| draw(&story, &TableOptions { violation: Some(number), ..options(90) });
    assert!(pointed(write).contains(">>> "));
    assert!(pointed(write).contains("write 4 issued"));
    assert!(pointed(write + 2).contains("write 4 durable"));
    assert!(!draw(&story, &options(90)).contains("write 4"));
}
