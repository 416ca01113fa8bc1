//! What is told and what is left out.

use super::story::{Story, accepted, append, granted, heartbeat, isolate, p, request};
use super::{Detail, TableOptions, draw, options, stripped};
use crate::record::{Hash64, Note, Role};
use sim_core::{DropReason, Fault, Span};

fn full(width: usize) -> TableOptions {
    TableOptions { detail: Detail::Full, ..options(width) }
}

/// The first line of a table that holds `what`.
fn line<'a>(drawn: &'a str, what: &str) -> &'a str {
    drawn.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no `{what}` in\n{drawn}"))
}

#[test]
fn a_window_keeps_the_roles_and_commands_from_before() {
    let mut story = Story::elected();
    let command = Hash64::of_command(b"42");
    story.at(160_000).note(1, Note::Proposed { command, text: "42".into() }).fault(isolate(2));
    story.at(170_000).note(0, Note::Append { index: 1, term: 1, command });
    let window = Some(story.lines.len() as u64..=u64::MAX);
    for options in [options(90), full(90)] {
        let drawn = draw(&story, &TableOptions { window: window.clone(), ..options });
        let row = line(&drawn, "append 1 (t1) \"42\"");
        assert!(row.contains("│L1 "), "{row}");
        assert!(row.contains("│F1╳"), "{row}");
        assert!(!drawn.contains("boots"), "{drawn}");
    }
}

#[test]
fn a_fault_needs_no_words_beside_the_step_that_asks_for_it() {
    let mut story = Story::new(3);
    story.boot_all().at(5_000).mark("isolate 0,2 (minority)").fault(isolate(0)).fault(isolate(2));
    let folded = draw(&story, &options(90));
    assert_eq!(folded.matches("isolate").count(), 1, "{folded}");
    assert_eq!(draw(&story, &full(90)).matches("isolate").count(), 3);
    // Another fault, a fault that no step asked for, and a later one are told.
    story.fault(Fault::Heal);
    assert!(draw(&story, &options(90)).contains("─ heal ─"));
    story.at(6_000).fault(isolate(0)).fault(isolate(1));
    assert!(draw(&story, &options(90)).contains("─ isolate 0; isolate 1 ─"));
}

#[test]
fn many_faults_at_once_are_counted() {
    let mut story = Story::new(3);
    for _ in 0..20 {
        story.fault(Fault::Clog { from: p(0), to: p(1), span: Span::from_millis(5) });
    }
    let drawn = draw(&story, &options(200));
    assert_eq!(drawn.matches("clog 0→1 for 5ms").count(), 6, "{drawn}");
    assert!(drawn.contains("; 20 faults in all ─"), "{drawn}");
}

#[test]
fn a_broadcast_of_different_facts_is_not_one_line() {
    let mut story = Story::elected();
    story.at(160_000).note(1, Note::Commit { index: 1 });
    story.send(1, 0, append(1, 3, 2));
    story.send(1, 2, append(1, 4, 1));
    let drawn = draw(&story, &options(160));
    assert!(drawn.contains("→ 0 AppendEntries t1 +2 after 3/1"), "{drawn}");
    assert!(drawn.contains("→ 2 AppendEntries t1 +1 after 4/1"), "{drawn}");
}

#[test]
fn entries_of_one_term_are_one_phrase() {
    let mut story = Story::elected();
    story.at(160_000);
    for index in 1..=9 {
        story.note(0, Note::Append { index, term: 1 + index / 8, command: Hash64(index << 40) });
    }
    let drawn = draw(&story, &options(200));
    assert!(drawn.contains("append 1-7 (t1) #000001 and 6 more"), "{drawn}");
    assert!(drawn.contains("append 8-9 (t2) #000008 #000009"), "{drawn}");
}

#[test]
fn entries_sent_once_more_are_routine() {
    let mut story = Story::elected();
    for round in 0..5 {
        let id = story.at(160_000 + round * 50_000).send(1, 2, append(1, 0, 1));
        story.lose(id, DropReason::Cut);
    }
    let drawn = draw(&story, &options(200));
    assert_eq!(drawn.matches("AppendEntries t1 +1 after 0/0").count(), 1, "{drawn}");
    assert!(drawn.contains("4 resends in 150ms (t1), all lost"), "{drawn}");
}

#[test]
fn a_late_answer_from_the_disk_is_still_an_answer() {
    let mut story = Story::elected();
    let id = story.at(200_000).send(1, 2, heartbeat(1));
    story.at(201_000).deliver(id, heartbeat(1)).write(2, Some((1, None)), None);
    story.at(202_000).durable(2);
    let answer = story.send(2, 1, accepted(1, 0));
    story.at(203_000).deliver(answer, accepted(1, 0));
    assert!(draw(&story, &options(160)).contains("1 heartbeat (t1), answered"));
}

#[test]
fn an_answer_is_not_credited_to_a_heartbeat_that_a_crash_forgot() {
    let mut story = Story::elected();
    let forgotten = story.at(200_000).send(1, 2, heartbeat(1));
    story.at(201_000).deliver(forgotten, heartbeat(1)).at(202_000).crash(2, 0).at(203_000).boot(2, 2, 1);
    story.at(204_000).mark("later");
    let id = story.at(210_000).send(1, 2, heartbeat(1));
    story.at(211_000).deliver(id, heartbeat(1)).at(212_000).durable(2);
    let answer = story.send(2, 1, accepted(1, 0));
    story.at(213_000).deliver(answer, accepted(1, 0));
    let drawn = draw(&story, &options(160));
    let (before, after) = drawn.split_once("─ later ─").expect("the mark is drawn");
    assert!(before.contains("1 heartbeat (t1), unanswered"), "{drawn}");
    assert!(after.contains("1 heartbeat (t1), answered"), "{drawn}");
}

#[test]
fn an_answer_given_at_once_is_not_credited_to_what_waits_for_the_disk() {
    let mut story = Story::elected();
    let entries = story.at(200_000).send(1, 2, append(1, 0, 1));
    story.at(201_000).deliver(entries, append(1, 0, 1)).write(2, None, Some((1, 1)));
    let id = story.at(210_000).send(1, 2, heartbeat(1));
    story.at(211_000).deliver(id, heartbeat(1));
    let answer = story.send(2, 1, accepted(1, 0));
    story.at(212_000).deliver(answer, accepted(1, 0));
    let drawn = draw(&story, &options(160));
    assert!(drawn.contains("1 heartbeat (t1), answered"), "{drawn}");
}

#[test]
fn the_only_other_node_is_not_all_of_them() {
    let mut story = Story::new(2);
    story.boot_all().at(1_000).send(0, 1, request(1));
    assert!(draw(&story, &options(100)).contains("→ 1 RequestVote"));
}

#[test]
fn a_heartbeat_that_changes_something_is_told() {
    let mut story = Story::elected();
    let id = story.at(200_000).send(1, 2, heartbeat(1));
    story.at(201_000).deliver(id, heartbeat(1)).note(2, Note::Commit { index: 3 });
    let drawn = draw(&story, &options(100));
    assert!(drawn.contains("← 1 heartbeat t1"), "{drawn}");
    assert!(drawn.contains("commit 3"), "{drawn}");
}

#[test]
fn a_vote_that_comes_too_late_is_left_out() {
    let drawn = draw(&Story::elected(), &options(100));
    assert!(drawn.contains("← 0 grants vote t1"));
    assert!(!drawn.contains("← 2 grants vote t1"), "node 1 leads already:\n{drawn}");
}

#[test]
fn simultaneous_entries_share_a_row_unless_one_causes_the_other() {
    let mut story = Story::new(3);
    story.boot_all();
    assert_eq!(line(&draw(&story, &options(100)), "boots").matches("boots").count(), 3);
    story.at(1_000).role(0, Role::Candidate, 1);
    let id = story.send(0, 1, request(1));
    story.deliver(id, request(1)).note(1, Note::Vote { term: 1, candidate: p(0) });
    let answer = story.send(1, 0, granted(1));
    story.deliver(answer, granted(1)).role(0, Role::Leader, 1);
    let drawn = draw(&story, &options(100));
    let cause = line(&drawn, "becomes candidate");
    assert!(!cause.contains("← 0 RequestVote"), "{cause}");
    assert!(line(&drawn, "← 0 RequestVote").contains("│C1 "), "the sender's role is carried down:\n{drawn}");
    assert!(line(&drawn, "← 1 grants vote").contains("│L1 "), "{drawn}");
}

#[test]
fn without_colour_there_is_no_escape_and_with_it_nothing_else_changes() {
    let mut story = Story::elected();
    story.beat(200_000, 1, 1).at(300_000).mark("isolate 1").fault(isolate(1)).at(310_000).crash(0, 0);
    for detail in [Detail::Folded, Detail::Full] {
        for width in [40, 100] {
            let plain = TableOptions { detail, violation: Some(12), ..options(width) };
            let colored = TableOptions { color: true, ..plain.clone() };
            let text = draw(&story, &plain);
            assert!(!text.contains('\u{1b}'));
            let colored = draw(&story, &colored);
            assert!(colored.contains("\u{1b}["));
            assert_eq!(stripped(&colored), text);
        }
    }
}

#[test]
fn colours_follow_the_role() {
    let mut story = Story::elected();
    story.at(300_000).crash(0, 0);
    let drawn = draw(&story, &TableOptions { color: true, ..options(100) });
    for (mark, color) in [("L1", "42"), ("C1", "43"), ("F1", "36"), ("X", "41")] {
        assert!(drawn.contains(&format!("\u{1b}[{color}m{mark}")), "{mark} in {color}");
    }
}

#[test]
fn long_quiet_runs_take_few_lines() {
    let mut story = Story::elected();
    for round in 0..2_000 {
        story.beat(200_000 + round * 50_000, 1, 1);
    }
    let drawn = draw(&story, &options(100));
    assert!(drawn.lines().count() < 30, "{drawn}");
    assert!(drawn.contains("4000 heartbeats"));
}

#[test]
fn of_a_long_run_the_middle_is_left_out_of_the_sentences() {
    let told = |marks: u64| {
        let mut story = Story::new(3);
        for number in 1..=marks {
            story.at(1_000 * number).mark(&format!("note {number}"));
        }
        crate::view::story(3, &story.lines, None)
    };
    let (whole, cut) = (told(400), told(1_000));
    assert!(!whole.contains('…') && whole.lines().count() == 401, "{whole}");
    assert_eq!(cut.lines().count(), 402, "{cut}");
    assert!(line(&cut, " 200. ").ends_with("note 200."), "{cut}");
    assert_eq!(cut.lines().nth(200), Some("      … 600 more …"));
    assert!(cut.lines().nth(201).is_some_and(|next| next.starts_with(" 801. ") && next.contains("note 801")));
}
