//! Spellings of targets.

use super::*;

fn named(text: &str) -> Target {
    Target::Named(text.parse().unwrap())
}

#[test]
fn every_spelling_of_a_target_is_read_and_written_back() {
    for (text, target) in [
        ("2", Target::Node(2)),
        ("leader", Target::Leader),
        ("leader of term 2", Target::LeaderOfTerm(2)),
        ("follower 0", Target::Follower(0)),
        ("followers", Target::Followers),
        ("candidates", Target::Candidates),
        ("all", Target::All),
        ("up", Target::Up),
        ("crashed", Target::Crashed),
        ("connected", Target::Connected),
        ("isolated", Target::Isolated),
        ("minority", Target::Minority { with_leader: false }),
        ("minority with leader", Target::Minority { with_leader: true }),
        ("majority", Target::Majority { with_leader: false }),
        ("majority with leader", Target::Majority { with_leader: true }),
        ("random", Target::Random),
        ("voters", Target::Voters),
        ("learners", Target::Learners),
        ("members", Target::Members),
        ("halted", Target::Halted),
        ("clients", Target::Clients),
        ("client 7", Target::Client(Client::Number(7))),
        ("client alice", Target::Client(Client::Name("alice".parse().unwrap()))),
        ("old", named("old")),
        ("all but old", Target::all_but(named("old"))),
        ("all but [0, leader, all but 2]", {
            Target::all_but(Target::List(vec![
                Target::Node(0),
                Target::Leader,
                Target::all_but(Target::Node(2)),
            ]))
        }),
        ("[]", Target::List(vec![])),
    ] {
        assert_eq!(text.parse(), Ok(target.clone()), "{text}");
        assert_eq!(target.to_string(), text);
    }
}

#[test]
fn what_is_no_target_is_told_with_what_was_expected() {
    for (text, part) in [
        ("", "an empty target"),
        ("  ", "an empty target"),
        ("Leader", "did you mean `leader`?"),
        ("leader of", "does not belong after `leader`"),
        ("leader of term", "the number of a term"),
        ("leader of term x", "the number of a term"),
        ("leader of term 99999999999999999999", "the number of a term"),
        ("follower", "the place of a follower"),
        ("follower -1", "the place of a follower"),
        ("candidate", "did you mean `candidates`?"),
        ("others", "`all but`"),
        ("all but", "ends too early"),
        ("[0, 1", "expected `,` or `]`"),
        ("[0 1]", "expected `,` or `]`"),
        ("0 1", "does not belong after `0`"),
        ("70000", "there is no node 70000"),
        ("client", "the number or the name of a client"),
        ("client 99999", "the number or the name of a client"),
        ("client leader", "`leader` is a reserved word"),
        ("old!", "unknown target `old!`"),
    ] {
        let error = text.parse::<Target>().unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_target_nested_without_end_is_refused_and_does_not_overflow() {
    let deep = format!("{}0", "all but ".repeat(100_000));
    assert!(deep.parse::<Target>().unwrap_err().contains("nested too deeply"));
    assert!("[".repeat(100_000).parse::<Target>().unwrap_err().contains("nested too deeply"));
}

#[test]
fn only_numbers_are_literal() {
    assert_eq!(Target::nodes([0, 2]).literal(), Some(vec![0, 2]));
    assert_eq!(Target::List(vec![Target::Node(0), Target::Leader]).literal(), None);
    assert_eq!(Target::All.literal(), None);
}
