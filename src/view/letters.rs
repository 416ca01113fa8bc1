//! Which messages are routine: heartbeats, what is sent once more, and the answers to them.
//!
//! What becomes of a heartbeat is known only later, so this reads all records before the first row is drawn.

use crate::record::{MessageFacts, Record};
use sim_core::{MessageId, ProcessId, Stamp};
use std::collections::{BTreeMap, VecDeque};

/// What became of a routine message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was lost on its way.
    Lost,
    /// It was not lost, but no answer to it came back.
    Unanswered,
    /// It, or the answer to it, was under way when the records ended.
    UnderWay,
    Answered,
}

/// What a record is to somebody who wants only the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    /// Nothing routine, or no message at all.
    Told,
    /// A heartbeat is sent.
    Heartbeat(Fate),
    /// The same entries are sent to the same node once more.
    Resend(Fate),
    /// A routine message, or an answer to one, goes its way.
    Routine,
}

/// A routine message on its way, or the answer to one.
#[derive(Clone, Copy)]
struct Trail {
    /// The place of the record of its sending.
    sent: usize,
    /// Whether it is the message as it was sent: the loss of an answer or of a second copy is not its loss.
    original: bool,
}

/// The pair of nodes that a message goes between, from and to.
type Link = (ProcessId, ProcessId);

#[derive(Default)]
struct Reader {
    letters: Vec<Letter>,
    under_way: BTreeMap<MessageId, Trail>,
    /// What was sent last over a link: where it began, how many entries, in which term.
    last: BTreeMap<Link, (u64, u32, u64)>,
    /// What reached a node over a link and is not answered yet; routine messages with the place of their sending.
    unanswered: BTreeMap<Link, VecDeque<Option<usize>>>,
    /// The link of the delivery that the records being read belong to.
    handling: Option<Link>,
}

/// What every record is, in their order.
pub(super) fn read(lines: &[(Stamp, Record)]) -> Vec<Letter> {
    let mut reader = Reader { letters: vec![Letter::Told; lines.len()], ..Reader::default() };
    for (place, (_, record)) in lines.iter().enumerate() {
        reader.record(place, record);
    }
    for trail in core::mem::take(&mut reader.under_way).into_values() {
        if let Letter::Heartbeat(Fate::Unanswered) | Letter::Resend(Fate::Unanswered) =
            reader.letters[trail.sent]
        {
            reader.decide(trail.sent, Fate::UnderWay);
        }
    }
    reader.letters
}

impl Reader {
    fn record(&mut self, place: usize, record: &Record) {
        match record {
            Record::Sent { id, facts, .. } => self.sent(place, *id, facts),
            Record::Delivered { id, facts } => self.delivered(place, *id, facts),
            Record::Dropped { id, .. } => {
                if let Some(trail) = self.under_way.remove(id) {
                    self.letters[place] = Letter::Routine;
                    if trail.original {
                        self.decide(trail.sent, Fate::Lost);
                    }
                }
            }
            Record::Duplicated { id } => {
                if let Some(trail) = self.under_way.get(&MessageId { copy: 0, ..*id }).copied() {
                    self.letters[place] = Letter::Routine;
                    self.under_way.insert(*id, Trail { original: false, ..trail });
                }
            }
            Record::Held { id } | Record::Released { id } => {
                if self.under_way.contains_key(id) {
                    self.letters[place] = Letter::Routine;
                }
            }
            Record::Crashed { process, .. } | Record::Booted { process, .. } => {
                self.handling = None;
                let of = (*process, ProcessId(0))..=(*process, ProcessId(u16::MAX));
                for (_, waiting) in self.unanswered.range_mut(of) {
                    waiting.clear();
                }
            }
            Record::TimerFired { .. } | Record::WriteDurable { .. } | Record::WriteFailed { .. } => {
                self.handling = None;
            }
            Record::Paused { .. }
            | Record::Resumed { .. }
            | Record::Panicked { .. }
            | Record::TimerSet { .. }
            | Record::WriteIssued { .. }
            | Record::Noted { .. }
            | Record::OperationFailed { .. }
            | Record::Injected { .. }
            | Record::Marked { .. } => {}
        }
    }

    fn sent(&mut self, place: usize, id: MessageId, facts: &MessageFacts) {
        match *facts {
            MessageFacts::AppendEntries { term, prev_index, entries, .. } => {
                let begins = (prev_index, entries, term);
                let before = self.last.insert((id.from, id.to), begins);
                if entries == 0 {
                    self.letters[place] = Letter::Heartbeat(Fate::Unanswered);
                } else if before == Some(begins) {
                    self.letters[place] = Letter::Resend(Fate::Unanswered);
                } else {
                    return;
                }
                self.under_way.insert(id, Trail { sent: place, original: true });
            }
            MessageFacts::AppendEntriesAccepted { .. } | MessageFacts::AppendEntriesRefused { .. } => {
                let link = (id.from, id.to);
                let Some(waiting) = self.unanswered.get_mut(&link) else { return };
                // An answer given at once is to what just came; a later one was waiting for the disk.
                let answered =
                    if self.handling == Some(link) { waiting.pop_back() } else { waiting.pop_front() };
                if let Some(Some(sent)) = answered {
                    self.letters[place] = Letter::Routine;
                    self.under_way.insert(id, Trail { sent, original: false });
                }
            }
            MessageFacts::RequestVote { .. }
            | MessageFacts::RequestVoteResponse { .. }
            | MessageFacts::PreVote { .. }
            | MessageFacts::PreVoteResponse { .. }
            | MessageFacts::InstallSnapshot { .. }
            | MessageFacts::InstallSnapshotResponse { .. }
            | MessageFacts::TimeoutNow { .. }
            | MessageFacts::ReadIndex { .. }
            | MessageFacts::ReadIndexResponse { .. }
            | MessageFacts::Forward { .. }
            | MessageFacts::ClientRequest { .. }
            | MessageFacts::ClientReply { .. } => {}
        }
    }

    fn delivered(&mut self, place: usize, id: MessageId, facts: &MessageFacts) {
        let trail = self.under_way.remove(&id);
        if trail.is_some() {
            self.letters[place] = Letter::Routine;
        }
        self.handling = Some((id.to, id.from));
        match facts {
            MessageFacts::AppendEntries { .. } => {
                let waiting = self.unanswered.entry((id.to, id.from)).or_default();
                waiting.push_back(trail.map(|trail| trail.sent));
            }
            MessageFacts::AppendEntriesAccepted { .. } | MessageFacts::AppendEntriesRefused { .. } => {
                if let Some(trail) = trail {
                    self.decide(trail.sent, Fate::Answered);
                }
            }
            MessageFacts::RequestVote { .. }
            | MessageFacts::RequestVoteResponse { .. }
            | MessageFacts::PreVote { .. }
            | MessageFacts::PreVoteResponse { .. }
            | MessageFacts::InstallSnapshot { .. }
            | MessageFacts::InstallSnapshotResponse { .. }
            | MessageFacts::TimeoutNow { .. }
            | MessageFacts::ReadIndex { .. }
            | MessageFacts::ReadIndexResponse { .. }
            | MessageFacts::Forward { .. }
            | MessageFacts::ClientRequest { .. }
            | MessageFacts::ClientReply { .. } => {}
        }
    }

    fn decide(&mut self, sent: usize, became: Fate) {
        match &mut self.letters[sent] {
            Letter::Heartbeat(fate) | Letter::Resend(fate) => *fate = became,
            Letter::Told | Letter::Routine => {
                unreachable!("only the sending of a routine message is remembered")
            }
        }
    }
}
