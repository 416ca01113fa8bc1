//! A terse way to write down what happened.

use crate::adapter::{ELECTION, HEARTBEAT};
use crate::record::{Hash64, MessageFacts, Note, Record, Role};
use sim_core::{
    DropReason, Fault, InFlight, MessageId, PanicReport, ProcessId, Span, Stamp, VirtualTime, WriteId,
};
use std::collections::BTreeMap;

/// Records with numbers from 1, at times that only grow.
pub(in crate::view) struct Story {
    pub(in crate::view) nodes: u16,
    pub(in crate::view) lines: Vec<(Stamp, Record)>,
    now: VirtualTime,
    sent: BTreeMap<(u16, u16, u8), u32>,
    writes: u64,
}

pub(in crate::view) fn p(node: u16) -> ProcessId {
    ProcessId(node)
}

pub(in crate::view) fn heartbeat(term: u64) -> MessageFacts {
    append(term, 0, 0)
}

pub(in crate::view) fn append(term: u64, prev_index: u64, entries: u32) -> MessageFacts {
    MessageFacts::AppendEntries { term, prev_index, prev_term: term.min(prev_index), entries, commit: 0 }
}

pub(in crate::view) fn accepted(term: u64, match_index: u64) -> MessageFacts {
    MessageFacts::AppendEntriesAccepted { term, match_index }
}

pub(in crate::view) fn request(term: u64) -> MessageFacts {
    MessageFacts::RequestVote { term, last_index: 0, last_term: 0, transfer: false }
}

pub(in crate::view) fn granted(term: u64) -> MessageFacts {
    MessageFacts::RequestVoteResponse { term, granted: true }
}

pub(in crate::view) fn isolate(node: u16) -> Fault {
    Fault::Isolate { process: p(node), in_flight: InFlight::Drop }
}

impl Story {
    pub(in crate::view) fn new(nodes: u16) -> Self {
        Self { nodes, lines: Vec::new(), now: VirtualTime::ZERO, sent: BTreeMap::new(), writes: 0 }
    }

    pub(in crate::view) fn at(&mut self, micros: u64) -> &mut Self {
        assert!(micros * 1_000 >= self.now.nanos());
        self.now = VirtualTime::from_nanos(micros * 1_000);
        self
    }

    pub(in crate::view) fn push(&mut self, record: Record) -> &mut Self {
        let number = self.lines.len() as u64 + 1;
        self.lines.push((Stamp { number, at: self.now }, record));
        self
    }

    pub(in crate::view) fn mark(&mut self, text: &str) -> &mut Self {
        self.push(Record::Marked { text: text.to_string() })
    }

    pub(in crate::view) fn fault(&mut self, fault: Fault) -> &mut Self {
        self.push(Record::Injected { fault })
    }

    pub(in crate::view) fn note(&mut self, node: u16, note: Note) -> &mut Self {
        self.push(Record::Noted { process: p(node), note })
    }

    pub(in crate::view) fn role(&mut self, node: u16, role: Role, term: u64) -> &mut Self {
        self.note(node, Note::Role { role, term })
    }

    pub(in crate::view) fn boot(&mut self, node: u16, life: u32, term: u64) -> &mut Self {
        self.push(Record::Booted { process: p(node), life }).note(
            node,
            Note::Recovered { term, vote: None, last_index: 0, last_hash: Hash64::default(), snapshot: None },
        )
    }

    pub(in crate::view) fn boot_all(&mut self) -> &mut Self {
        for node in 0..self.nodes {
            self.boot(node, 1, 0);
        }
        self
    }

    pub(in crate::view) fn crash(&mut self, node: u16, writes_lost: u32) -> &mut Self {
        self.push(Record::Crashed { process: p(node), writes_lost, synced_lost: 0, operation: None })
    }

    pub(in crate::view) fn panic(&mut self, node: u16, message: &str) -> &mut Self {
        let report = PanicReport { message: message.to_string(), place: "raft.rs:7:1".to_string() };
        self.push(Record::Panicked { process: p(node), report: Box::new(report), synced_lost: 0 })
    }

    pub(in crate::view) fn election_timer(&mut self, node: u16, millis: u64) -> &mut Self {
        let due = self.now.after(Span::from_millis(millis));
        self.push(Record::TimerSet { process: p(node), timer: ELECTION, due })
    }

    pub(in crate::view) fn fired(&mut self, node: u16, election: bool) -> &mut Self {
        let timer = if election { ELECTION } else { HEARTBEAT };
        self.push(Record::TimerFired { process: p(node), timer })
    }

    pub(in crate::view) fn write(
        &mut self,
        node: u16,
        hard: Option<(u64, Option<ProcessId>)>,
        log: Option<(u64, u64)>,
    ) -> &mut Self {
        self.writes += 1;
        let write = WriteId(self.writes);
        self.push(Record::WriteIssued { process: p(node), write })
            .note(node, Note::Persist { write, hard, log })
    }

    /// The last write is durable.
    pub(in crate::view) fn durable(&mut self, node: u16) -> &mut Self {
        let write = WriteId(self.writes);
        self.push(Record::WriteDurable { process: p(node), write })
    }

    /// Sends, and tells the name of what was sent.
    pub(in crate::view) fn send(&mut self, from: u16, to: u16, facts: MessageFacts) -> MessageId {
        let count = self.sent.entry((from, to, facts.kind())).or_default();
        let id = MessageId {
            from: p(from),
            to: p(to),
            kind: facts.kind(),
            copy: 0,
            ordinal: *count,
            epoch: facts.term(),
        };
        *count += 1;
        self.push(Record::Sent { id, facts, bytes: 64 });
        id
    }

    pub(in crate::view) fn deliver(&mut self, id: MessageId, facts: MessageFacts) -> &mut Self {
        self.push(Record::Delivered { id, facts })
    }

    pub(in crate::view) fn lose(&mut self, id: MessageId, reason: DropReason) -> &mut Self {
        self.push(Record::Dropped { id, reason })
    }

    /// Node `leader` sends one heartbeat to each of the others, who answer a millisecond later.
    pub(in crate::view) fn beat(&mut self, micros: u64, leader: u16, term: u64) -> &mut Self {
        let others: Vec<u16> = (0..self.nodes).filter(|node| *node != leader).collect();
        self.at(micros).fired(leader, false);
        let beats: Vec<MessageId> = others.iter().map(|to| self.send(leader, *to, heartbeat(term))).collect();
        self.at(micros + 1_000);
        let mut answers = Vec::new();
        for id in beats {
            self.deliver(id, heartbeat(term));
            answers.push(self.send(id.to.0, leader, accepted(term, 0)));
        }
        self.at(micros + 2_000);
        for id in answers {
            self.deliver(id, accepted(term, 0));
        }
        self
    }

    /// Three nodes start, and node 1 is elected in term 1 at 152 ms.
    pub(in crate::view) fn elected() -> Self {
        let mut story = Self::new(3);
        for node in 0..3 {
            story.boot(node, 1, 0).election_timer(node, 150 + u64::from(node) * 40);
        }
        story.at(150_000).fired(1, true).note(1, Note::Term { term: 1 }).role(1, Role::Candidate, 1);
        story.note(1, Note::Vote { term: 1, candidate: p(1) }).election_timer(1, 214).write(
            1,
            Some((1, Some(p(1)))),
            None,
        );
        let asked = [0, 2].map(|to| story.send(1, to, request(1)));
        story.at(151_250);
        let mut votes = Vec::new();
        for id in asked {
            story.deliver(id, request(1)).note(id.to.0, Note::Term { term: 1 });
            story.note(id.to.0, Note::Vote { term: 1, candidate: p(1) }).write(
                id.to.0,
                Some((1, Some(p(1)))),
                None,
            );
            story.durable(id.to.0);
            votes.push(story.send(id.to.0, 1, granted(1)));
        }
        story.at(152_000).deliver(votes[0], granted(1)).role(1, Role::Leader, 1);
        story.at(152_100).deliver(votes[1], granted(1));
        story
    }
}
