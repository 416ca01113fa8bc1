//! **Election safety**: at most one leader in each term, ever, and none without the votes of a quorum.
//!
//! - Whoever becomes leader of a term is the only one who ever does.
//! - It has the votes of a quorum of the configuration in force for it, in a joint one of both halves (Raft §6): a vote
//!   counts from when the voter gave it, or was found with it on its disk.
//!
//! Source: Raft §5.2 and Figure 3, "Election Safety". etcd's TLA+ `MoreThanOneLeaderInv` is the first at one
//! instant only; here terms are remembered, so two leaders of a term need not meet to be seen.
//!
//! Not asserted: that there is at most one leader at a time. A leader that was cut off lives on beside the
//! leader of a higher term. Nor that its votes are durable: durable vote says when one may be told. Nor that votes of a
//! term were enough if that many higher terms had votes since that they are forgotten.
//!
//! Cost: one look-up and insertion per election and per vote, which is compared with those of its term; an election asks after
//! every voter. 24 bytes for each of the last 4,096 terms with a leader, 8 for each vote of the last 256 terms with votes.

use super::share::Share;
use super::{Found, Oracle, Seen};
use crate::mirror::{Mirror, NodeMirror};
use crate::record::{Members, Note, Record, Role};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp, VirtualTime};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct ElectionSafety {
    /// By term: its leader, and since when.
    leaders: BTreeMap<u64, (ProcessId, VirtualTime)>,
    votes: Votes,
}

impl ElectionSafety {
    /// How many terms are remembered: the highest ones.
    const TERMS_MAX: usize = 4_096;
}

impl Oracle for ElectionSafety {
    const PROPERTY: Property = Property::ElectionSafety;
    const INTEREST: Interest = Interest::of(&[RecordKind::Noted]);

    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let Record::Noted { process, note } = record else { return };
        match *note {
            Note::Vote { term, candidate } | Note::Recovered { term, vote: Some(candidate), .. } => {
                let life = seen.mirror.node(*process).map_or(0, |node| node.life);
                self.votes.see(term, Vote { voter: *process, candidate, life });
            }
            Note::Role { role: Role::Leader, term } => {
                found.judged(Self::PROPERTY);
                let (first, since) = *self.leaders.entry(term).or_insert((*process, stamp.at));
                if self.leaders.len() > Self::TERMS_MAX {
                    self.leaders.pop_first();
                }
                let votes = &self.votes;
                if first != *process {
                    found.report_with_cause(Self::PROPERTY, stamp, *process, || {
                        let what =
                            format!("two leaders in term {term}: {first} (since {since}) and {process}");
                        (what, votes.explain(term, [first, *process], seen.mirror))
                    });
                } else if let Some(node) = seen.mirror.node(*process)
                    && !votes.are_enough(term, *process, node)
                {
                    found.report(Self::PROPERTY, stamp, *process, || {
                        let Share { of, names } = votes.share(term, *process, &node.members);
                        format!("{process} leads term {term} with the votes of {of} only ({names})")
                    });
                }
            }
            _ => {}
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Vote {
    voter: ProcessId,
    candidate: ProcessId,
    life: u32,
}

/// The votes that were given, by term: those of the highest terms.
#[derive(Clone, Debug, Default)]
struct Votes {
    terms: BTreeMap<u64, Vec<Vote>>,
    /// The highest term whose votes are forgotten.
    forgotten: Option<u64>,
}

impl Votes {
    const TERMS_MAX: usize = 256;

    fn see(&mut self, term: u64, vote: Vote) {
        if self.forgotten.is_some_and(|forgotten| term <= forgotten) {
            return;
        }
        let votes = self.terms.entry(term).or_default();
        if !votes.iter().any(|known| (known.voter, known.candidate) == (vote.voter, vote.candidate)) {
            votes.push(vote);
        }
        if self.terms.len() > Self::TERMS_MAX {
            self.forgotten = self.terms.pop_first().map(|(term, _)| term);
        }
    }

    fn of(&self, term: u64) -> &[Vote] {
        self.terms.get(&term).map_or(&[], Vec::as_slice)
    }

    /// Whether a leader has the votes of a quorum, as far as they are remembered.
    fn are_enough(&self, term: u64, leader: ProcessId, node: &NodeMirror) -> bool {
        self.forgotten.is_some_and(|forgotten| term <= forgotten)
            || node.members.is_quorum(|voter| self.has_voted(term, voter, leader))
    }

    fn share(&self, term: u64, candidate: ProcessId, members: &Members) -> Share {
        Share::new(members, |voter| self.has_voted(term, voter, candidate))
    }

    fn has_voted(&self, term: u64, voter: ProcessId, candidate: ProcessId) -> bool {
        self.of(term).iter().any(|vote| (vote.voter, vote.candidate) == (voter, candidate))
    }

    /// How `term` came to have two leaders, as far as the votes tell.
    fn explain(&self, term: u64, leaders: [ProcessId; 2], mirror: &Mirror) -> Option<String> {
        let votes = self.of(term);
        for (k, second) in votes.iter().enumerate() {
            let first = votes[..k].iter().find(|first| first.voter == second.voter);
            if let Some(first) = first {
                let mut text = format!(
                    "{} voted twice in term {term} (for {}, then {}",
                    first.voter, first.candidate, second.candidate
                );
                text.push_str(if first.life == second.life { ")" } else { " after a restart)" });
                return Some(text);
            }
        }
        // Nobody voted twice, so somebody took too few votes for enough.
        let mut text = String::new();
        for leader in leaders {
            let Some(node) = mirror.node(leader) else { continue };
            if !self.are_enough(term, leader, node) {
                let separator = if text.is_empty() { "" } else { "; " };
                let Share { of, .. } = self.share(term, leader, &node.members);
                write!(text, "{separator}{leader} had the votes of {of} in term {term}")
                    .expect("a String takes all that is written to it");
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::ElectionSafety as Oracle;
    use crate::oracles::testing::{joint, story};
    use crate::oracles::{Found, Oracle as _, Seen};
    use crate::record::Role::Leader;
    use crate::record::{Hash64, Members};
    use crate::violation::Property::ElectionSafety;
    use sim_core::ProcessId;

    #[test]
    fn leaders_of_different_terms_may_live_at_once() {
        story(3).boot_all().elect(0, 1, &[1]).elect(1, 2, &[2]).holds();
    }

    #[test]
    fn a_node_may_lead_a_lower_term_after_another_led_a_higher() {
        // The votes of term 1 were given before term 2 began, and arrive late.
        let story = story(3).boot_all().candidate(0, 1).votes(2, 1, 0).elect(1, 2, &[2]);
        story.role(0, Leader, 1).holds();
    }

    #[test]
    fn a_second_leader_breaks_it_though_the_first_is_long_gone() {
        let story = story(3).boot_all().elect(0, 1, &[1]).crash(0).candidate(2, 1);
        let violation = story.role(2, Leader, 1).breaks_only(ElectionSafety);
        assert_eq!(violation.what, "two leaders in term 1: 0 (since 0.019s) and 2");
        assert_eq!(violation.cause.as_deref(), Some("2 had the votes of 1 of 3 voters in term 1"));
    }

    #[test]
    fn it_names_who_voted_twice() {
        let story = story(3).boot_all().candidate(0, 7).candidate(1, 7);
        let story = story.decides(2, 7, 0).role(0, Leader, 7);
        let again = story.clone().vote(2, 7, 1).role(1, Leader, 7).breaks(ElectionSafety);
        assert_eq!(again.cause.as_deref(), Some("2 voted twice in term 7 (for 0, then 1)"));
        let restarted = story.restart(2).decides(2, 7, 1).role(1, Leader, 7).breaks(ElectionSafety);
        assert_eq!(
            restarted.cause.as_deref(),
            Some("2 voted twice in term 7 (for 0, then 1 after a restart)")
        );
    }

    #[test]
    fn a_leader_may_say_again_that_it_leads() {
        story(3).boot_all().elect(0, 1, &[1]).role(0, Leader, 1).holds();
    }

    #[test]
    fn a_leader_without_the_votes_of_a_quorum_breaks_it_though_nobody_else_leads() {
        let story = story(5).boot_all().candidate(0, 3).votes(1, 3, 0);
        story.clone().votes(2, 3, 0).role(0, Leader, 3).holds();
        let violation = story.clone().role(0, Leader, 3).breaks_only(ElectionSafety);
        assert_eq!(violation.what, "0 leads term 3 with the votes of 2 of 5 voters only (0, 1)");
        // What was voted in another term, or for another, is none of it.
        story.clone().votes(2, 4, 0).role(0, Leader, 3).breaks_only(ElectionSafety);
        story.clone().votes(2, 3, 4).role(0, Leader, 3).breaks_only(ElectionSafety);
        let nobody = story.follows(0, 4).role(0, Leader, 4).breaks(ElectionSafety);
        assert_eq!(nobody.what, "0 leads term 4 with the votes of 0 of 5 voters only (none)");
    }

    #[test]
    fn a_leader_of_a_joint_configuration_has_a_quorum_of_both_halves_and_learners_do_not_count() {
        let joint = Members { learners: vec![ProcessId(5)], ..joint(&[0, 3, 4], &[0, 1, 2]) };
        let story = story(6).boot_all().begin(&[0, 1, 2]).elect(0, 1, &[1]).lead(0, "a").replicate(0, 1, 1);
        let story = story.commit(0, 1).configure(0, joint).candidate(0, 2);
        let new = story.clone().votes(3, 2, 0).votes(4, 2, 0).votes(5, 2, 0);
        let violation = new.clone().role(0, Leader, 2).breaks(ElectionSafety);
        assert_eq!(
            violation.what,
            "0 leads term 2 with the votes of 3 of a joint configuration's 5 voters only (0, 3, 4)"
        );
        story.votes(1, 2, 0).votes(2, 2, 0).role(0, Leader, 2).breaks(ElectionSafety);
        new.votes(1, 2, 0).role(0, Leader, 2).keeps(ElectionSafety);
    }

    #[test]
    fn a_vote_that_was_found_on_a_disk_counts() {
        let found = story(3).boot(0).boot(2).boot_finding(1, 3, Some(ProcessId(0)), (0, Hash64(0)), None);
        let story = found.candidate(0, 3);
        assert_eq!(story.node(1).vote, Some(ProcessId(0)));
        story.clone().role(0, Leader, 3).keeps(ElectionSafety);
        story.follows(2, 3).candidate(2, 4).role(2, Leader, 4).breaks(ElectionSafety);
    }

    /// The audit forgets nothing.
    #[test]
    fn votes_that_are_forgotten_are_taken_for_enough() {
        let story = story(3).boot_all().candidate(0, 1);
        let with_later = |terms: u64| {
            let later = (2..2 + terms).fold(story.clone(), |story, term| story.candidate(1, term));
            later.role(0, Leader, 1).judge().violations().len()
        };
        assert_eq!((with_later(255), with_later(256)), (1, 0));
    }

    #[test]
    fn the_leaders_of_the_highest_terms_are_remembered() {
        let (mut oracle, mut found) = (Oracle::default(), Found::default());
        let terms = Oracle::TERMS_MAX as u64 + 1;
        let story = (1..=terms).fold(story(2).boot_all(), |story, term| story.role(0, Leader, term));
        let judge = story.judge();
        let seen = Seen { mirror: judge.mirror(), canon: judge.canon() };
        story.history.iter().for_each(|(stamp, record)| oracle.observe(*stamp, record, seen, &mut found));
        assert!(oracle.leaders.keys().copied().eq(2..=terms));
    }
}
