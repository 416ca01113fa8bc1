//! **Durable vote**: a node gives one vote a term, and tells of it only once it is durable.
//!
//! To give a vote is to send a granting response, or, for oneself, to send RequestVote.
//!
//! - No node gives votes to two candidates in one term, over all its lives.
//! - When a vote is given it is on the sender's disk: the durable term is the vote's and the durable vote is
//!   the receiver, or the durable term has moved on and the last vote on the disk for that term was the
//!   receiver.
//! - A node does not decide for another candidate (`Vote`) in the same life, or once the vote was durable or
//!   given.
//!
//! Source: Raft §5.2 and Figure 2, "updated on stable storage before responding to RPCs".
//!
//! Not asserted: that a node decides once a term. A decision that a crash took before it was durable was
//! never told to anybody, and the next life may decide otherwise. Nor that a granted vote's log is still no
//! better than the candidate's (etcd's `VotesGrantedInv` is false).
//!
//! Shown *after*: it remembers what the disk has become.
//!
//! Cost: nothing for the messages of a stable leader but a branch; 48 bytes for each of at least
//! the last 256 terms in which a node voted. What is forgotten is no longer judged.

use super::{Found, Oracle, Seen};
use crate::mirror::Mirror;
use crate::record::{MessageFacts, Note, Record};
use crate::violation::Property;
use sim_core::{Interest, ProcessId, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct DurableVote {
    /// By node.
    ballots: Vec<Ballots>,
}

/// The ballots of one node: the last ones, in the order of their terms.
#[derive(Clone, Debug, Default)]
struct Ballots {
    list: Vec<Ballot>,
    /// The ballots of lower terms are forgotten.
    kept_from: u64,
}

/// What is known of one node's vote in one term.
#[derive(Clone, Copy, Debug)]
struct Ballot {
    term: u64,
    /// What it decided last, and in which life.
    noted: Option<ProcessId>,
    noted_life: u32,
    /// What stood last on its disk.
    durable: Option<ProcessId>,
    /// To whom it was given first.
    given: Option<ProcessId>,
}

impl DurableVote {
    pub(super) fn new(nodes: u16) -> Self {
        Self { ballots: vec![Ballots::default(); usize::from(nodes)] }
    }

    /// How many ballots of a node are kept at most.
    const BALLOTS_MAX: usize = 512;

    fn is_forgotten(&self, process: ProcessId, term: u64) -> bool {
        self.ballots.get(process.index()).is_none_or(|ballots| term < ballots.kept_from)
    }

    /// The ballot of a node in a term, made if need be.
    fn ballot(&mut self, process: ProcessId, term: u64) -> &mut Ballot {
        let Ballots { list: ballots, kept_from } = &mut self.ballots[process.index()];
        if ballots.len() == Self::BALLOTS_MAX && ballots.last().is_some_and(|last| last.term < term) {
            *kept_from = ballots[Self::BALLOTS_MAX / 2].term;
            ballots.drain(..Self::BALLOTS_MAX / 2);
        }
        // A node's terms rise, so it is the last one or a new one, mostly.
        let place = match ballots.last() {
            Some(last) if last.term == term => Ok(ballots.len() - 1),
            Some(last) if last.term > term => ballots.binary_search_by_key(&term, |ballot| ballot.term),
            Some(_) | None => Err(ballots.len()),
        };
        let place = place.unwrap_or_else(|place| {
            ballots.insert(place, Ballot { term, noted: None, noted_life: 0, durable: None, given: None });
            place
        });
        &mut ballots[place]
    }

    fn decide(&mut self, voter: ProcessId, term: u64, candidate: ProcessId, life: u32) -> Result<(), String> {
        if self.is_forgotten(voter, term) {
            return Ok(());
        }
        let ballot = self.ballot(voter, term);
        let in_this_life = ballot.noted.filter(|_| ballot.noted_life == life);
        ballot.noted = Some(candidate);
        ballot.noted_life = life;
        let other = |vote: &ProcessId| *vote != candidate;
        if let Some(first) = ballot.given.filter(other) {
            Err(format!(
                "{voter} voted for {candidate} in term {term}, though it had given its vote to {first}"
            ))
        } else if let Some(first) = ballot.durable.filter(other) {
            Err(format!(
                "{voter} voted for {candidate} in term {term}, though its disk held a vote for {first}"
            ))
        } else if let Some(first) = in_this_life.filter(other) {
            Err(format!("{voter} voted twice in term {term}: for {first}, then for {candidate}"))
        } else {
            Ok(())
        }
    }

    fn give(
        &mut self,
        voter: ProcessId,
        term: u64,
        candidate: ProcessId,
        mirror: &Mirror,
    ) -> Result<(), String> {
        let Some(node) = mirror.node(voter).filter(|_| !self.is_forgotten(voter, term)) else {
            return Ok(());
        };
        let ballot = self.ballot(voter, term);
        let first = *ballot.given.get_or_insert(candidate);
        if first != candidate {
            return Err(format!("{voter} gave two votes in term {term}: to {first} and to {candidate}"));
        }
        if node.durable.term < term || ballot.durable != Some(candidate) {
            let holds = match ballot.durable {
                Some(other) if node.durable.term >= term => format!("a vote for {other}"),
                _ if node.durable.term >= term => "no vote in that term".to_string(),
                _ => format!("term {}", node.durable.term),
            };
            return Err(format!(
                "{voter} gave its vote in term {term} to {candidate} before it was durable (its disk held {holds})"
            ));
        }
        Ok(())
    }
}

impl Oracle for DurableVote {
    const PROPERTY: Property = Property::DurableVote;
    const INTEREST: Interest = Interest::of(&[RecordKind::Sent, RecordKind::WriteDurable, RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        let (process, verdict) = match record {
            Record::Sent { id, facts, .. } => match *facts {
                MessageFacts::RequestVoteResponse { term, granted: true } => {
                    (id.from, self.give(id.from, term, id.to, seen.mirror))
                }
                MessageFacts::RequestVote { term, .. } => {
                    (id.from, self.give(id.from, term, id.from, seen.mirror))
                }
                MessageFacts::RequestVoteResponse { granted: false, .. }
                | MessageFacts::AppendEntries { .. }
                | MessageFacts::AppendEntriesAccepted { .. }
                | MessageFacts::AppendEntriesRefused { .. }
                | MessageFacts::PreVote { .. }
                | MessageFacts::PreVoteResponse { .. }
                | MessageFacts::InstallSnapshot { .. }
                | MessageFacts::InstallSnapshotResponse { .. }
                | MessageFacts::TimeoutNow { .. }
                | MessageFacts::ReadIndex { .. }
                | MessageFacts::ReadIndexResponse { .. }
                | MessageFacts::Forward { .. }
                | MessageFacts::ClientRequest { .. }
                | MessageFacts::ClientReply { .. } => return,
            },
            Record::Noted { process, note: Note::Vote { term, candidate } } => {
                let Some(node) = seen.mirror.node(*process) else { return };
                (*process, self.decide(*process, *term, *candidate, node.life))
            }
            Record::WriteDurable { process, .. }
            | Record::Noted { process, note: Note::Recovered { .. } } => {
                let Some(durable) = seen.mirror.node(*process).map(|node| &node.durable) else { return };
                // A term without a vote needs a ballot only if there was one that is now gone.
                let last = self.ballots[process.index()].list.last();
                if last.is_some_and(|last| (last.term, last.durable) == (durable.term, durable.vote)) {
                    return;
                }
                let last = last.map_or(0, |ballot| ballot.term);
                let is_forgotten = self.is_forgotten(*process, durable.term);
                if !is_forgotten && (durable.vote.is_some() || durable.term <= last) {
                    self.ballot(*process, durable.term).durable = durable.vote;
                }
                return;
            }
            _ => return,
        };
        found.verdict(Self::PROPERTY, stamp, process, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::DurableVote as Oracle;
    use crate::oracles::testing::{grant, request_vote, story};
    use crate::record::{Record, Role};
    use crate::violation::Property::DurableVote;
    use sim_core::ProcessId;

    #[test]
    fn one_vote_a_term_may_be_given_again_and_again() {
        let story = story(3).boot_all().candidate(0, 1).votes(1, 1, 0).send(1, 0, grant(1));
        story.restart(1).send(1, 0, grant(1)).votes(1, 2, 2).holds();
    }

    #[test]
    fn a_vote_that_was_lost_before_it_was_durable_may_be_given_to_another() {
        let story = story(3).boot_all().candidate(0, 1).candidate(2, 1).decides(1, 1, 0).persist_hard(1);
        story.restart(1).votes(1, 1, 2).holds();
    }

    #[test]
    fn a_grant_may_be_sent_after_the_disk_has_moved_on_to_a_higher_term() {
        let story = story(3).boot_all().decides(1, 1, 0).persist_hard(1).term(1, 2).persist_hard(1);
        story.durable(1).durable(1).send(1, 0, grant(1)).holds();
    }

    #[test]
    fn a_grant_whose_vote_was_overtaken_before_it_was_durable_breaks_it() {
        let story = story(3).boot_all().decides(1, 1, 0).term(1, 2).persist_hard(1).durable(1);
        let violation = story.send(1, 0, grant(1)).breaks_only(DurableVote);
        let what =
            "1 gave its vote in term 1 to 0 before it was durable (its disk held no vote in that term)";
        assert_eq!(violation.what, what);
    }

    #[test]
    fn a_grant_before_its_write_is_durable_breaks_it() {
        let story = story(3).boot_all().decides(1, 1, 0).persist_hard(1).send(1, 0, grant(1));
        let what = "1 gave its vote in term 1 to 0 before it was durable (its disk held term 0)";
        assert_eq!(story.breaks(DurableVote).what, what);
    }

    #[test]
    fn a_grant_to_another_than_the_disk_names_breaks_it() {
        let story = story(3).boot_all().decides(1, 1, 2).persist_hard(1).durable(1).send(1, 0, grant(1));
        let what = "1 gave its vote in term 1 to 0 before it was durable (its disk held a vote for 2)";
        assert_eq!(story.breaks_only(DurableVote).what, what);
    }

    #[test]
    fn a_grant_of_a_vote_that_the_disk_has_forgotten_breaks_it() {
        for forgetful in [(1, None), (2, None)] {
            let story = story(3).boot_all().decides(1, 2, 0).persist_hard(1).durable(1);
            let story = story.persist(1, Some(forgetful), None).durable(1).keeps(DurableVote);
            let holds = if forgetful.0 == 1 { "term 1" } else { "no vote in that term" };
            let what =
                format!("1 gave its vote in term 2 to 0 before it was durable (its disk held {holds})");
            assert_eq!(story.send(1, 0, grant(2)).breaks(DurableVote).what, what);
        }
    }

    #[test]
    fn a_candidate_that_asks_before_its_own_vote_is_durable_breaks_it() {
        let story = story(3).boot_all().term(0, 1).persist_hard(0).durable(0).role(0, Role::Candidate, 1);
        let story = story.vote(0, 1, 0).persist_hard(0);
        story.clone().durable(0).send(0, 1, request_vote(1, 0, 0)).holds();
        story.send(0, 1, request_vote(1, 0, 0)).breaks_only(DurableVote);
    }

    #[test]
    fn a_candidate_that_votes_for_another_breaks_it() {
        let violation = story(3).boot_all().candidate(0, 1).vote(0, 1, 1).breaks_only(DurableVote);
        assert_eq!(violation.what, "0 voted for 1 in term 1, though it had given its vote to 0");
    }

    #[test]
    fn two_grants_in_one_term_break_it_over_a_restart() {
        let story = story(3).boot_all().votes(1, 1, 0).restart(1).send(1, 2, grant(1));
        assert_eq!(story.breaks_only(DurableVote).what, "1 gave two votes in term 1: to 0 and to 2");
    }

    #[test]
    fn two_decisions_in_one_life_break_it_though_neither_was_durable() {
        let story = story(3).boot_all().decides(1, 1, 0).vote(1, 1, 2);
        assert_eq!(story.breaks_only(DurableVote).what, "1 voted twice in term 1: for 0, then for 2");
    }

    #[test]
    fn a_decision_against_the_vote_on_the_disk_breaks_it() {
        let story = story(3).boot_all().decides(1, 1, 0).persist_hard(1).durable(1).restart(1);
        let violation = story.vote(1, 1, 2).breaks_only(DurableVote);
        assert_eq!(violation.what, "1 voted for 2 in term 1, though its disk held a vote for 0");
    }

    #[test]
    fn two_grants_in_one_term_break_it_though_the_disk_names_the_second() {
        let story =
            story(3).boot_all().votes(1, 1, 0).persist(1, Some((1, Some(ProcessId(2)))), None).durable(1);
        let violation = story.send(1, 2, grant(1)).breaks(DurableVote);
        assert_eq!(violation.what, "1 gave two votes in term 1: to 0 and to 2");
    }

    #[test]
    fn terms_without_a_vote_make_no_vote_forgotten() {
        let story = story(3).boot_all().votes(1, 1, 0);
        let terms = 2..=2 * Oracle::BALLOTS_MAX as u64;
        let story = terms.fold(story, |story, term| story.term(1, term).persist_hard(1).durable(1));
        let judge = story.vote(1, 1, 2).judge();
        let found: Vec<&str> = judge.violations().iter().map(|violation| violation.what.as_str()).collect();
        assert_eq!(found, ["1 voted for 2 in term 1, though it had given its vote to 0"]);
    }

    #[test]
    fn at_least_half_of_the_ballots_that_there_is_room_for_are_remembered() {
        let (mut oracle, max) = (Oracle::new(1), Oracle::BALLOTS_MAX as u64);
        let ballots = |oracle: &mut Oracle, term| {
            oracle.ballot(ProcessId(0), term);
            let forgotten = (1..=term).filter(|term| oracle.is_forgotten(ProcessId(0), *term)).count();
            (oracle.ballots[0].list.len() as u64, forgotten as u64)
        };
        (1..max).for_each(|term| assert_eq!(ballots(&mut oracle, term), (term, 0)));
        assert_eq!(ballots(&mut oracle, max), (max, 0));
        assert_eq!(ballots(&mut oracle, max), (max, 0));
        assert_eq!(ballots(&mut oracle, max + 1), (max / 2 + 1, max / 2));
    }

    #[test]
    fn a_vote_that_was_written_behind_a_write_that_failed_is_not_durable() {
        let story =
            story(3).boot_all().term(1, 1).persist_hard(1).vote(1, 1, 0).persist_hard(1).write_fails(1);
        story.clone().durable(1).send(1, 0, grant(1)).breaks(DurableVote);
        let life = story.node(1).life + 1;
        let story = story.record(Record::Booted { process: ProcessId(1), life });
        story.durable(1).send(1, 0, grant(1)).breaks(DurableVote);
    }
}
