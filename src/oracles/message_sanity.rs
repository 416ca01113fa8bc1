//! **Message sanity**: a message promises nothing that its sender's disk does not hold, and claims nothing
//! that its sender is not.
//!
//! - Its term is at most the sender's durable term (Raft Figure 2: persistent state is updated before
//!   responding).
//! - An accepted AppendEntries or an installed snapshot vouches for no more than the sender's disk holds.
//! - Only the leader of its term sends AppendEntries, InstallSnapshot, TimeoutNow or the index of a read, and
//!   with a commit index, snapshot or read index that it has reached.
//! - A candidate claims no longer log than it had when it became one.
//! - A client is told that something is done, or read, only as of an index that the node has applied.
//!
//! Source: Raft Figure 2 and §5.1 to §5.3; hashicorp's verifier ("one AppendEntries sender per term").
//!
//! It is judged at the moment of sending. A node may lawfully hold less later: what it vouched for may be
//! removed by a leader of a later term.
//!
//! Not asserted: that a candidate still is one, or still has its log, when its RequestVote leaves. The
//! request waits for its vote to be durable, and meanwhile a leader of the same term may have made it follow
//! and truncate: that is as if the network had been slow. For the same reason not that who tells the index of
//! a read still leads: it did when it learned that the index is good, and a read may always see more. Nor that
//! a message's term is the sender's *current* one, or that what PreVote, a request to the leader or its
//! refusal says of a term is durable (they bind nobody: thesis §9.6), or that what an accepting node vouches
//! for is the leader's log (that is log matching and commit legality).
//!
//! Cost: three loads and comparisons per message; 16 bytes for each of the last 64 candidacies of a node's
//! present life.

use super::{Found, Oracle, Seen};
use crate::mirror::NodeMirror;
use crate::record::{MESSAGE_KINDS, MessageFacts, Note, Record, Reply, Role};
use crate::violation::Property;
use sim_core::{Interest, MessageId, ProcessId, RecordKind, Stamp};

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct MessageSanity {
    /// By node.
    candidacies: Vec<Candidacies>,
}

/// How long a node's log was when it became candidate, by term, in one life.
#[derive(Clone, Debug, Default)]
struct Candidacies {
    life: u32,
    /// The term that it led last.
    led: Option<u64>,
    lengths: Vec<(u64, u64)>,
}

impl Candidacies {
    /// How many are kept of a life: a request of one that is forgotten may claim what the log is when it leaves.
    const COUNT_MAX: usize = 64;
}

impl MessageSanity {
    pub(super) fn new(nodes: u16) -> Self {
        Self { candidacies: vec![Candidacies::default(); usize::from(nodes)] }
    }

    fn of_this_life(&mut self, process: ProcessId, node: &NodeMirror) -> &mut Candidacies {
        let candidacies = &mut self.candidacies[process.index()];
        if candidacies.life != node.life {
            *candidacies = Candidacies { life: node.life, ..Candidacies::default() };
        }
        candidacies
    }

    fn stand(&mut self, process: ProcessId, node: &NodeMirror, term: u64) {
        let candidacies = self.of_this_life(process, node);
        if candidacies.lengths.len() == Candidacies::COUNT_MAX {
            candidacies.lengths.remove(0);
        }
        candidacies.lengths.push((term, node.log.last_index()));
    }

    /// How long a log `process` may claim in `term`.
    fn length(&self, process: ProcessId, node: &NodeMirror, term: u64) -> u64 {
        let candidacies = &self.candidacies[process.index()];
        let known = candidacies.lengths.iter().rfind(|(t, _)| *t == term && candidacies.life == node.life);
        known.map_or_else(|| node.log.last_index(), |(_, length)| *length)
    }

    /// Whether `process` leads `term`, or led it last in this life.
    fn led(&self, process: ProcessId, node: &NodeMirror, term: u64) -> bool {
        let candidacies = &self.candidacies[process.index()];
        node.leader_of == Some(term) || (candidacies.life == node.life && candidacies.led == Some(term))
    }

    #[inline]
    fn is_sane(&self, process: ProcessId, node: &NodeMirror, facts: &MessageFacts) -> bool {
        let leads = |term| node.leader_of == Some(term) && node.leads();
        // What is sent all the time is asked for one after the other: a table is a jump that nobody can guess.
        if let MessageFacts::AppendEntries { term, commit, .. } = *facts {
            term <= node.durable.term && leads(term) && commit <= node.commit
        } else if let MessageFacts::AppendEntriesAccepted { term, match_index } = *facts {
            term <= node.durable.term && match_index <= node.durable.log.last_index()
        } else if let MessageFacts::AppendEntriesRefused { term, .. } = *facts {
            term <= node.durable.term
        } else {
            self.is_rare_and_sane(process, node, facts)
        }
    }

    /// The same of what is not sent all the time.
    #[inline(never)]
    fn is_rare_and_sane(&self, process: ProcessId, node: &NodeMirror, facts: &MessageFacts) -> bool {
        let leads = |term| node.leader_of == Some(term) && node.leads();
        (facts.term() <= node.durable.term || !binds(facts))
            && match *facts {
                MessageFacts::InstallSnapshotResponse { index, installed: true, .. } => {
                    index <= node.durable.log.last_index()
                }
                MessageFacts::RequestVote { term, last_index, .. } => {
                    last_index <= self.length(process, node, term)
                }
                MessageFacts::InstallSnapshot { term, index, .. } => leads(term) && index <= node.commit,
                MessageFacts::ReadIndexResponse { term, index: Some(index), .. } => {
                    self.led(process, node, term) && index <= node.commit
                }
                MessageFacts::TimeoutNow { term } => leads(term),
                MessageFacts::ClientReply { reply: Reply::Done(index), .. } => index <= node.applied,
                MessageFacts::AppendEntries { .. }
                | MessageFacts::AppendEntriesAccepted { .. }
                | MessageFacts::AppendEntriesRefused { .. } => {
                    unreachable!("what is sent all the time was judged before")
                }
                MessageFacts::RequestVoteResponse { .. }
                | MessageFacts::PreVote { .. }
                | MessageFacts::PreVoteResponse { .. }
                | MessageFacts::InstallSnapshotResponse { installed: false, .. }
                | MessageFacts::ReadIndex { .. }
                | MessageFacts::ReadIndexResponse { index: None, .. }
                | MessageFacts::Forward { .. }
                | MessageFacts::ClientRequest { .. }
                | MessageFacts::ClientReply { .. } => true,
            }
    }
}

impl Oracle for MessageSanity {
    const PROPERTY: Property = Property::MessageSanity;
    const INTEREST: Interest = Interest::of(&[RecordKind::Sent, RecordKind::Noted]);

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record, seen: Seen<'_>, found: &mut Found) {
        match record {
            Record::Sent { id, facts, .. } => {
                let Some(node) = seen.mirror.node(id.from) else { return };
                found.judged(Self::PROPERTY);
                if !self.is_sane(id.from, node, facts) {
                    let length = self.length(id.from, node, facts.term());
                    let led = self.led(id.from, node, facts.term());
                    found.report(Self::PROPERTY, stamp, id.from, || say(node, id, facts, length, led));
                }
            }
            Record::Noted { process, note: Note::Role { role: Role::Candidate, term } } => {
                let Some(node) = seen.mirror.node(*process) else { return };
                self.stand(*process, node, *term);
            }
            Record::Noted { process, note: Note::Role { role: Role::Leader, term } } => {
                let Some(node) = seen.mirror.node(*process) else { return };
                self.of_this_life(*process, node).led = Some(*term);
            }
            _ => {}
        }
    }
}

/// Whether the sender of a message is bound by the term in it. PreVote asks about a term that does not exist yet, and a
/// request to the leader, or its refusal, promises nothing.
const fn binds(facts: &MessageFacts) -> bool {
    match facts {
        MessageFacts::PreVote { .. }
        | MessageFacts::PreVoteResponse { .. }
        | MessageFacts::ReadIndex { .. }
        | MessageFacts::ReadIndexResponse { index: None, .. }
        | MessageFacts::Forward { .. }
        | MessageFacts::ClientRequest { .. }
        | MessageFacts::ClientReply { .. } => false,
        MessageFacts::RequestVote { .. }
        | MessageFacts::RequestVoteResponse { .. }
        | MessageFacts::AppendEntries { .. }
        | MessageFacts::AppendEntriesAccepted { .. }
        | MessageFacts::AppendEntriesRefused { .. }
        | MessageFacts::InstallSnapshot { .. }
        | MessageFacts::InstallSnapshotResponse { .. }
        | MessageFacts::TimeoutNow { .. }
        | MessageFacts::ReadIndexResponse { index: Some(_), .. } => true,
    }
}

/// What is wrong with a message that is not sane.
#[cold]
fn say(node: &NodeMirror, id: &MessageId, facts: &MessageFacts, length: u64, led: bool) -> String {
    let (from, to) = (id.from, id.to);
    let durable = &node.durable;
    if facts.term() > durable.term && binds(facts) {
        return format!(
            "{from} told {to} of term {}, but its disk knows only term {}",
            facts.term(),
            durable.term
        );
    }
    let kind = MESSAGE_KINDS[usize::from(facts.kind())];
    match *facts {
        MessageFacts::AppendEntries { term, commit: index, .. }
        | MessageFacts::InstallSnapshot { term, index, .. }
            if node.leader_of == Some(term) && node.leads() =>
        {
            format!("{from} told {to} that {index} is committed, but knows it only up to {}", node.commit)
        }
        MessageFacts::ReadIndexResponse { index: Some(index), .. } if led => {
            format!("{from} told {to} that {index} is committed, but knows it only up to {}", node.commit)
        }
        MessageFacts::AppendEntries { term, .. }
        | MessageFacts::InstallSnapshot { term, .. }
        | MessageFacts::ReadIndexResponse { term, .. }
        | MessageFacts::TimeoutNow { term } => {
            format!("{from} sent {kind} of term {term} to {to}, but does not lead that term")
        }
        MessageFacts::AppendEntriesAccepted { match_index: index, .. }
        | MessageFacts::InstallSnapshotResponse { index, .. } => {
            format!(
                "{from} vouched to {to} for its log up to {index}, but its disk ends at {}",
                durable.log.last_index()
            )
        }
        MessageFacts::ClientReply { reply: Reply::Done(index), .. } => {
            format!("{from} answered {to} as of {index}, but has applied only up to {}", node.applied)
        }
        MessageFacts::RequestVote { last_index, .. } => {
            format!(
                "{from} claimed to {to} a log up to {last_index}, but had one up to {length} when it stood"
            )
        }
        MessageFacts::RequestVoteResponse { .. }
        | MessageFacts::AppendEntriesRefused { .. }
        | MessageFacts::PreVote { .. }
        | MessageFacts::PreVoteResponse { .. }
        | MessageFacts::ReadIndex { .. }
        | MessageFacts::Forward { .. }
        | MessageFacts::ClientRequest { .. }
        | MessageFacts::ClientReply { .. } => {
            unreachable!("a message without a promise can only be wrong in its term")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::oracles::testing::{Story, accepted, heartbeat, request_vote, story};
    use crate::record::{MessageFacts, Reply, Role};
    use crate::violation::Property::MessageSanity;

    fn leader_of_term_2() -> Story {
        let story = story(3).boot_all().elect(0, 2, &[1]).lead(0, "a").replicate(0, 1, 1).commit(0, 1);
        story.send(0, 1, heartbeat(2, 1)).send(0, 2, heartbeat(2, 0)).holds()
    }

    #[test]
    fn a_term_that_is_not_yet_durable_breaks_it() {
        let refused = MessageFacts::RequestVoteResponse { term: 5, granted: false };
        let story = leader_of_term_2().term(2, 5).persist_hard(2);
        story.clone().durable(2).send(2, 0, refused).holds();
        let violation = story.send(2, 0, refused).breaks_only(MessageSanity);
        assert_eq!(violation.what, "2 told 0 of term 5, but its disk knows only term 0");
    }

    #[test]
    fn to_vouch_for_more_than_the_disk_holds_breaks_it() {
        let story = leader_of_term_2().lead(0, "b").receive(0, 1, 2).send(1, 0, accepted(2, 1)).holds();
        story.clone().durable(1).send(1, 0, accepted(2, 2)).holds();
        let violation = story.send(1, 0, accepted(2, 2)).breaks_only(MessageSanity);
        assert_eq!(violation.what, "1 vouched to 0 for its log up to 2, but its disk ends at 1");
    }

    #[test]
    fn to_vouch_for_what_has_to_be_mended_breaks_it_before_that_is_done() {
        let story = leader_of_term_2().lead(0, "b").receive(0, 1, 2).crash(1).boot_mending(1, 1);
        story.clone().durable(1).send(1, 0, accepted(2, 2)).holds();
        story.clone().send(1, 0, accepted(2, 1)).holds();
        let violation = story.send(1, 0, accepted(2, 2)).breaks_only(MessageSanity);
        assert_eq!(violation.what, "1 vouched to 0 for its log up to 2, but its disk ends at 1");
        // So does its term.
        let story = leader_of_term_2().term(2, 5).persist_hard(2).crash(2).boot_mending(2, 1);
        let refused = MessageFacts::RequestVoteResponse { term: 5, granted: false };
        story.clone().durable(2).send(2, 0, refused).holds();
        let violation = story.send(2, 0, refused).breaks_only(MessageSanity);
        assert_eq!(violation.what, "2 told 0 of term 5, but its disk knows only term 0");
    }

    #[test]
    fn append_entries_from_anyone_but_the_leader_of_its_term_breaks_it() {
        let violation = leader_of_term_2().send(1, 0, heartbeat(2, 0)).breaks_only(MessageSanity);
        assert_eq!(violation.what, "1 sent AppendEntries of term 2 to 0, but does not lead that term");
        let violation = leader_of_term_2().send(0, 1, heartbeat(1, 0)).breaks_only(MessageSanity);
        assert_eq!(violation.what, "0 sent AppendEntries of term 1 to 1, but does not lead that term");
        let deposed = leader_of_term_2().term(0, 3).persist_hard(0).durable(0);
        let violation = deposed.send(0, 1, heartbeat(2, 0)).breaks_only(MessageSanity);
        assert_eq!(violation.what, "0 sent AppendEntries of term 2 to 1, but does not lead that term");
        leader_of_term_2().role(0, Role::Follower, 2).send(0, 1, heartbeat(2, 0)).breaks_only(MessageSanity);
    }

    #[test]
    fn a_commit_index_that_the_leader_has_not_reached_breaks_it() {
        let violation = leader_of_term_2().send(0, 1, heartbeat(2, 2)).breaks_only(MessageSanity);
        assert_eq!(violation.what, "0 told 1 that 2 is committed, but knows it only up to 1");
    }

    #[test]
    fn a_candidate_that_claims_a_longer_log_breaks_it() {
        let story = leader_of_term_2().candidate(1, 3);
        story.clone().send(1, 2, request_vote(3, 1, 2)).holds();
        let violation = story.send(1, 2, request_vote(3, 2, 2)).breaks_only(MessageSanity);
        assert_eq!(violation.what, "1 claimed to 2 a log up to 2, but had one up to 1 when it stood");
    }

    #[test]
    fn a_request_that_waited_for_the_disk_may_claim_the_log_of_when_it_was_made() {
        // 0 stands in term 2 with two entries, but 1 wins, and has 0 follow and remove one before the request
        // leaves.
        let story = story(3).boot_all().elect(0, 1, &[1, 2]).lead(0, "a").replicate(0, 1, 1).lead(0, "b");
        let story = story.term(0, 2).role(0, Role::Candidate, 2).vote(0, 2, 0).persist_hard(0);
        let story = story.elect(1, 2, &[2]).lead(1, "c").receive(1, 0, 2).durable(0);
        assert_eq!(story.node(0).role, Role::Follower);
        let story = story.truncate(0, 2);
        story.clone().send(0, 2, request_vote(2, 2, 1)).holds();
        story.clone().send(0, 2, request_vote(2, 3, 1)).breaks_only(MessageSanity);
        // A new life knows nothing of it.
        let story = story.restart(0).truncate(0, 2).send(0, 2, request_vote(2, 2, 1));
        story.breaks_only(MessageSanity);
    }

    #[test]
    fn pre_vote_and_requests_to_a_leader_bind_nobody() {
        let story = leader_of_term_2().term(2, 5);
        let free = [
            MessageFacts::PreVote { term: 6, last_index: 9, last_term: 2 },
            MessageFacts::PreVoteResponse { term: 9, granted: true },
            MessageFacts::ReadIndex { term: 5, read: 1 },
            MessageFacts::ReadIndexResponse { term: 5, read: 1, index: None },
            MessageFacts::Forward { term: 5, bytes: 3 },
        ];
        free.into_iter().fold(story, |story, facts| story.send(2, 0, facts)).holds();
    }

    #[test]
    fn the_index_of_a_read_may_leave_after_its_term_as_leader() {
        let answer = MessageFacts::ReadIndexResponse { term: 2, read: 1, index: Some(1) };
        let story = leader_of_term_2().role(0, Role::Follower, 2);
        story.clone().send(0, 1, answer).holds();
        let beyond = MessageFacts::ReadIndexResponse { term: 2, read: 1, index: Some(7) };
        let violation = story.clone().send(0, 1, beyond).breaks_only(MessageSanity);
        assert!(violation.what.starts_with("0 told 1 that 7 is committed, but knows it only up to "));
        // Another life never led, and so has learned of no index.
        let violation = story.restart(0).send(0, 1, answer).breaks_only(MessageSanity);
        assert_eq!(violation.what, "0 sent ReadIndexResponse of term 2 to 1, but does not lead that term");
    }

    #[test]
    fn only_a_leader_sends_snapshots_orders_to_stand_and_indexes_of_reads() {
        let of = |index| {
            [
                MessageFacts::InstallSnapshot { term: 2, index, offset: 0, bytes: 1, done: true },
                MessageFacts::ReadIndexResponse { term: 2, read: 1, index: Some(index) },
                MessageFacts::TimeoutNow { term: 2 },
            ]
        };
        of(1).into_iter().fold(leader_of_term_2(), |story, facts| story.send(0, 1, facts)).holds();
        for (facts, kind) in of(1).into_iter().zip(["InstallSnapshot", "ReadIndexResponse", "TimeoutNow"]) {
            let violation = leader_of_term_2().send(1, 0, facts).breaks_only(MessageSanity);
            assert_eq!(violation.what, format!("1 sent {kind} of term 2 to 0, but does not lead that term"));
        }
        // Nor one that leads another term, or has noted a higher one.
        let deposed = leader_of_term_2().term(0, 3).persist_hard(0).durable(0);
        for facts in [of(1)[0], of(1)[2]] {
            let violation = deposed.clone().send(0, 1, facts).breaks_only(MessageSanity);
            assert!(
                violation.what.ends_with("of term 2 to 1, but does not lead that term"),
                "{}",
                violation.what
            );
        }
        let orders = MessageFacts::TimeoutNow { term: 1 };
        leader_of_term_2().send(0, 1, orders).breaks_only(MessageSanity);
        for facts in &of(2)[..2] {
            let violation = leader_of_term_2().send(0, 1, *facts).breaks_only(MessageSanity);
            assert_eq!(violation.what, "0 told 1 that 2 is committed, but knows it only up to 1");
        }
    }

    #[test]
    fn to_vouch_for_a_snapshot_before_it_is_durable_breaks_it() {
        let story = leader_of_term_2().apply(0).snapshot(0).follows(2, 2).persist_hard(2).durable(2);
        let facts = story.facts(0);
        let done = MessageFacts::InstallSnapshotResponse { term: 2, index: 1, received: 1, installed: true };
        let under_way =
            MessageFacts::InstallSnapshotResponse { term: 2, index: 1, received: 1, installed: false };
        let story = story.install(2, facts).send(2, 0, under_way);
        story.clone().durable(2).send(2, 0, done).holds();
        let violation = story.send(2, 0, done).breaks_only(MessageSanity);
        assert_eq!(violation.what, "2 vouched to 0 for its log up to 1, but its disk ends at 0");
    }

    #[test]
    fn to_answer_a_client_before_the_entry_is_applied_breaks_it() {
        let done = MessageFacts::ClientReply { number: 7, reply: Reply::Done(1) };
        leader_of_term_2().apply(0).send(0, 9, done).holds();
        let violation = leader_of_term_2().send(0, 9, done).breaks_only(MessageSanity);
        assert_eq!(violation.what, "0 answered 9 as of 1, but has applied only up to 0");
    }

    #[test]
    fn what_was_vouched_for_may_be_removed_later() {
        let story = story(3).boot_all().elect(0, 1, &[1]).lead(0, "a").lead(0, "b").replicate(0, 1, 2);
        story.elect(2, 2, &[1]).lead(2, "x").replicate(2, 1, 1).holds();
    }
}
