//! Texts from outside, and tables that fit whatever they hold.

use super::story::{Story, accepted, append, granted, heartbeat, p, request};
use super::{Detail, TableOptions, draw, heading, options, stripped};
use crate::record::{Hash64, MessageFacts, Note, Role};
use crate::view::table;
use crate::view::text::{inert, quoted, width, wrap};
use sim_core::{DropReason, Fault, InFlight};
use unicode_width::UnicodeWidthStr;

const HOSTILE: &[&str] = &[
    "\u{1b}[2J\u{1b}[H gone",
    "\u{9b}31m red",
    "over\rwritten",
    "two\nlines\tand a tab",
    "bell\u{7}\u{8}\u{7f}\0",
    "zero\u{200b}width\u{200d}\u{feff}\u{2060}",
    "\u{202e}desrever\u{202c} \u{2066}isolated\u{2069}",
    "combining e\u{301}\u{301}\u{301}",
    "日本語の文字列は幅が二倍です",
    "👩\u{200d}👩\u{200d}👧 👍\u{1f3fd} 🇫🇷 ❤\u{fe0f}",
    "שלום עולם",
    "لا إله",
    "\u{1a15}\u{1a17}\u{200d}\u{1a10} ᨕᨗᨐ ꓸꓹ ⵏ\u{2d7f}ⴽ",
    "क्षि த்தி กำ \u{1100}\u{1161}\u{11a8}",
    "a\u{2028}b\u{2029}c\u{ad}d",
    "quo\"te back\\slash",
];

#[test]
fn hostile_texts_are_inert() {
    for text in HOSTILE {
        for ascii in [false, true] {
            let shown = inert(text, ascii);
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
            assert!(!ascii || shown.is_ascii(), "{shown:?}");
            let moves = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
            assert!(!shown.chars().any(moves), "{shown:?}");
            assert!(!shown.contains(['\u{2028}', '\u{2029}', '\u{ad}', '\u{feff}']), "{shown:?}");
            // Broken anywhere, the parts take the columns that they are reckoned with.
            for (at, _) in shown.char_indices() {
                let (one, other) = shown.split_at(at);
                assert_eq!(one.width() + other.width(), shown.width(), "{shown:?} at {at}");
                assert_eq!(width(one), one.width(), "{shown:?}");
            }
        }
    }
    assert_eq!(inert("a\u{1b}[2Jb\r\n", false), "a\\u{1b}[2Jb\\r\\n");
    assert_eq!(inert("\u{202e}x", false), "\\u{202e}x");
    assert_eq!(inert("日本 né", false), "日本 né");
    // Only what changes the width of what stands before it.
    assert_eq!(inert("日👍\u{1f3fd}é", false), "日👍\\u{1f3fd}é");
    assert_eq!(inert("1→2", true), "1->2");
    assert_eq!(quoted("a\"b\\", false), r#""a\"b\\""#);
}

#[test]
fn hostile_texts_stay_in_their_place() {
    let mut story = Story::elected();
    story.at(200_000);
    for (number, text) in (1..).zip(HOSTILE) {
        story.mark(text).panic(2, text);
        story.note(1, Note::Proposed { command: Hash64(number), text: (*text).into() });
    }
    let mut heading = heading();
    heading.name = HOSTILE.concat();
    heading.verdict = HOSTILE[0].to_string();
    for detail in [Detail::Folded, Detail::Full] {
        for width in [40, 41, 77, 120] {
            let options = TableOptions { detail, ..options(width) };
            let drawn = table(story.nodes, &story.lines, &heading, &options);
            let body: Vec<&str> = drawn.lines().collect();
            for line in body.iter().filter(|line| line.starts_with(['│', '├'])) {
                assert_eq!(line.width(), width, "{line}");
                assert!(line.ends_with(['│', '┤']), "{line}");
            }
            assert!(body.iter().all(|line| line.width() <= width));
            assert!(!drawn.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}

#[test]
fn a_long_command_is_cut_short_in_a_story_and_whole_in_full() {
    let mut story = Story::new(1);
    let text = "日".repeat(100);
    story.boot_all().note(0, Note::Proposed { command: Hash64(9), text: text.clone().into() });
    assert!(draw(&story, &options(300)).contains("日日…\""));
    assert!(!draw(&story, &options(300)).contains(&text));
    let full = TableOptions { detail: Detail::Full, ..options(300) };
    assert!(draw(&story, &full).contains(&text));
}

#[test]
fn phrases_share_lines_and_long_words_break() {
    let phrases = ["one", "two", "a longer phrase", "abcdefghijklmnopqrstuvwxyz", "end"].map(str::to_string);
    assert_eq!(
        wrap(&phrases, 12),
        ["one; two", "a longer", " phrase", "abcdefghijkl", " mnopqrstuvw", " xyz; end"]
    );
    assert_eq!(wrap(&["日本語".to_string()], 5), ["日本", "語"]);
    assert_eq!(wrap(&[], 5), Vec::<String>::new());
}

/// A linear congruential generator: its numbers must be the same for ever, and no more is asked of them.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn node(&mut self, nodes: u16) -> u16 {
        u16::try_from(self.below(u64::from(nodes))).unwrap()
    }
}

/// Anything after anything: it need not make sense.
fn anything(nodes: u16, records: u64, seed: u64) -> Story {
    let mut dice = Dice(seed);
    let mut story = Story::new(nodes);
    let mut under_way: Vec<(sim_core::MessageId, MessageFacts)> = Vec::new();
    let mut now = 0;
    for _ in 0..records {
        now += dice.below(3) * dice.below(40_000);
        let (node, term) = (dice.node(nodes), dice.below(1_500));
        let other = (node + 1 + dice.node(nodes - 1)) % nodes;
        let hash = Hash64(dice.below(20));
        story.at(now);
        match dice.below(22) {
            0 => story.boot(node, 1 + u32::try_from(dice.below(3)).unwrap(), term),
            1 => story.crash(node, 1),
            2 => story.role(
                node,
                [Role::Follower, Role::Candidate, Role::Leader, Role::PreCandidate]
                    [usize::from(dice.node(4))],
                term,
            ),
            3 => story.mark(HOSTILE[usize::try_from(dice.below(HOSTILE.len() as u64)).unwrap()]),
            4 => story.fault(Fault::Isolate { process: p(node), in_flight: InFlight::Drop }),
            5 => story.fault(Fault::Cut { from: p(node), to: p(other), in_flight: InFlight::Keep }),
            6 => story.fault(Fault::Partition {
                groups: vec![vec![p(node)], vec![p(other)]],
                in_flight: InFlight::Drop,
            }),
            7 => story.fault(
                [Fault::Heal, Fault::Reconnect { process: p(other) }][usize::from(dice.node(2))].clone(),
            ),
            8 => story.note(node, Note::Append { index: dice.below(9), term, command: hash }),
            9 => story.note(
                node,
                Note::Proposed { command: hash, text: HOSTILE[usize::from(dice.node(9))].into() },
            ),
            10 => story.panic(node, HOSTILE[usize::from(dice.node(9))]),
            11 => story.election_timer(node, term),
            12 => story.write(node, Some((term, Some(p(other)))), Some((1, 3))),
            13 => story.durable(node),
            14 | 15 if !under_way.is_empty() => {
                let (id, facts) =
                    under_way.swap_remove(usize::try_from(dice.below(under_way.len() as u64)).unwrap());
                if dice.below(3) == 0 { story.lose(id, DropReason::Loss) } else { story.deliver(id, facts) }
            }
            _ => {
                let facts =
                    [heartbeat(term), append(term, 4, 2), accepted(term, 6), request(term), granted(term)]
                        [usize::from(dice.node(5))];
                let id = story.send(node, other, facts);
                under_way.push((id, facts));
                &mut story
            }
        };
    }
    story
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for (nodes, seed) in [(2, 1), (3, 2), (5, 3), (9, 4), (40, 5)] {
        let story = anything(nodes, 120, seed);
        for columns in 40..=200 {
            let detail = if columns % 2 == 0 { Detail::Folded } else { Detail::Full };
            let violation = (columns % 3 == 0).then_some(77);
            let (color, ascii) = (columns % 5 == 0, columns % 7 == 0);
            let options = TableOptions { width: columns, color, ascii, detail, window: None, violation };
            for line in stripped(&draw(&story, &options)).lines() {
                assert!(line.width() <= columns, "{} columns of {columns}: {line}", line.width());
                if line.starts_with(['│', '├', '┌', '└', '|', '+']) {
                    assert_eq!(line.width(), columns, "{line}");
                }
            }
        }
    }
}

#[test]
fn every_record_has_its_row_in_full() {
    let story = anything(4, 200, 6);
    let full = TableOptions { detail: Detail::Full, ..options(150) };
    let drawn = draw(&story, &full);
    let numbered = |line: &&str| line.chars().skip(1).take(5).any(|c| c.is_ascii_digit());
    assert_eq!(drawn.lines().skip(4).filter(numbered).count(), story.lines.len());
}

#[test]
fn nothing_makes_it_panic() {
    for width in [0, 1, 31] {
        draw(&anything(3, 100, 7), &options(width));
    }
    assert!(table(0, &[], &heading(), &options(80)).contains("PASS"));
    // Times of centuries and terms of twenty digits.
    let mut story = Story::new(3);
    story.boot_all().at(9_000_000_000_000_000).role(0, Role::Leader, u64::MAX);
    for width in [40, 80, 200] {
        assert!(draw(&story, &options(width)).contains("9000000000000.000ms"));
    }
    // A node that is not in the cluster.
    story.lines.append(&mut anything(9, 50, 8).lines);
    draw(&story, &options(200));
}
