//! **Election safety**: at most one leader in each term, ever.
//!
//! Source: Raft §5.2 and Figure 3, "Election Safety". etcd's TLA+ `MoreThanOneLeaderInv` is the same at one
//! instant only; here terms are remembered, so two leaders of a term need not meet to be seen.
//!
//! Not asserted: that there is at most one leader at a time. A leader that was cut off lives on beside the
//! leader of a higher term.
//!
//! Cost: one look-up and insertion per election, 24 bytes for each of the last 4,096 terms with a leader.
//! The votes of recent terms are kept besides, to say how it came about.

use super::{Found, Oracle, Seen};
use crate::mirror::Mirror;
use crate::record::{Note, Record, Role};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp, VirtualTime};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct ElectionSafety {
    /// By term: its leader, and since when.
    leaders: BTreeMap<u64, (ProcessId, VirtualTime)>,
    votes: RecentVotes,
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
            Note::Vote { term, candidate } => {
                let life = seen.mirror.node(*process).map_or(0, |node| node.life);
                self.votes.see(Vote { term, voter: *process, candidate, life });
            }
            Note::Role { role: Role::Leader, term } => {
                found.judged(Self::PROPERTY);
                let (first, since) = *self.leaders.entry(term).or_insert((*process, stamp.at));
                if self.leaders.len() > Self::TERMS_MAX {
                    self.leaders.pop_first();
                }
                if first != *process {
                    let votes = &self.votes;
                    found.report_with_cause(Self::PROPERTY, stamp, *process, || {
                        let what =
                            format!("two leaders in term {term}: {first} (since {since}) and {process}");
                        (what, votes.explain(term, [first, *process], seen.mirror))
                    });
                }
            }
            _ => {}
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Vote {
    term: u64,
    voter: ProcessId,
    candidate: ProcessId,
    life: u32,
}

/// The votes that were noted last: enough to explain a broken election, and bounded.
#[derive(Clone, Debug, Default)]
struct RecentVotes {
    votes: std::collections::VecDeque<Vote>,
}

impl RecentVotes {
    const COUNT_MAX: usize = 1_024;

    fn see(&mut self, vote: Vote) {
        if self.votes.len() == Self::COUNT_MAX {
            self.votes.pop_front();
        }
        self.votes.push_back(vote);
    }

    /// How `term` came to have two leaders, as far as the votes tell.
    fn explain(&self, term: u64, leaders: [ProcessId; 2], mirror: &Mirror) -> Option<String> {
        let votes: Vec<Vote> = self.votes.iter().filter(|vote| vote.term == term).copied().collect();
        for (k, second) in votes.iter().enumerate() {
            let first = votes[..k].iter().find(|first| first.voter == second.voter);
            if let Some(first) = first.filter(|first| first.candidate != second.candidate) {
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
            let mut voters: Vec<ProcessId> =
                votes.iter().filter(|vote| vote.candidate == leader).map(|vote| vote.voter).collect();
            voters.sort_unstable();
            voters.dedup();
            let Some(node) = mirror.node(leader) else { continue };
            if !node.members.is_quorum(|process| voters.contains(&process)) {
                let separator = if text.is_empty() { "" } else { "; " };
                let (count, all) = (voters.len(), node.members.voters.len());
                write!(text, "{separator}{leader} had {count} of {all} votes in term {term}")
                    .expect("a String takes all that is written to it");
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::story;
    use crate::record::Role::Leader;
    use crate::violation::Property::ElectionSafety;

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
        assert_eq!(violation.cause.as_deref(), Some("2 had 1 of 3 votes in term 1"));
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
}
