//! Stories: histories for the oracles' tests, told in a line.
//!
//! A story knows what its nodes are (it keeps a mirror), so that a test says only what matters to it. It does
//! not keep anyone from breaking the rules.

mod cover;

pub(crate) use cover::compacted;

use super::{Judge, audit};
use crate::mirror::{Mirror, NodeMirror};
use crate::record::{Effect, Hash64, Members, MessageFacts, Note, Record, Role, SnapshotFacts};
use crate::violation::{Property, Violation};
use sim_core::{MessageId, Observer as _, PanicReport, ProcessId, Stamp, VirtualTime, WriteId};
use std::collections::VecDeque;

/// The safety properties: those that the judge judges.
pub(crate) const SAFETY: [Property; Judge::SAFETY.len()] = Judge::SAFETY;

/// A history being told, one millisecond per record.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) history: Vec<(Stamp, Record)>,
    pub(crate) mirror: Mirror,
    writes_issued: u64,
    /// What a cluster that tells of its configurations began with.
    initial: Option<Members>,
    /// The configurations that stand in entries: index, hash of the log up to there, and what it is.
    configurations: Vec<(u64, Hash64, Members)>,
    /// By node: the writes on the way to its disk.
    writes: Vec<VecDeque<WriteId>>,
}

/// Begins a story of `nodes` nodes, none of which has booted.
pub(crate) fn story(nodes: u16) -> Story {
    Story {
        history: Vec::new(),
        mirror: Mirror::new(nodes),
        writes_issued: 0,
        initial: None,
        configurations: Vec::new(),
        writes: vec![VecDeque::new(); usize::from(nodes)],
    }
}

/// A command's hash, from its name.
pub(crate) fn command(name: &str) -> Hash64 {
    Hash64::of_command(name.as_bytes())
}

/// A configuration of these voters.
pub(crate) fn voters(ids: &[u16]) -> Members {
    Members { voters: ids.iter().copied().map(ProcessId).collect(), ..Members::default() }
}

/// A joint configuration on the way from `outgoing` to `ids`.
pub(crate) fn joint(ids: &[u16], outgoing: &[u16]) -> Members {
    Members { outgoing: voters(outgoing).voters, ..voters(ids) }
}

/// The messages of a story, as a test writes them.
pub(crate) const fn request_vote(term: u64, last_index: u64, last_term: u64) -> MessageFacts {
    MessageFacts::RequestVote { term, last_index, last_term, transfer: false }
}

pub(crate) const fn grant(term: u64) -> MessageFacts {
    MessageFacts::RequestVoteResponse { term, granted: true }
}

pub(crate) const fn heartbeat(term: u64, commit: u64) -> MessageFacts {
    MessageFacts::AppendEntries { term, prev_index: 0, prev_term: 0, entries: 0, commit }
}

pub(crate) const fn accepted(term: u64, match_index: u64) -> MessageFacts {
    MessageFacts::AppendEntriesAccepted { term, match_index }
}

/// What a story can tell, record by record.
impl Story {
    pub(crate) fn nodes(&self) -> u16 {
        u16::try_from(self.mirror.nodes.len()).unwrap()
    }

    pub(crate) fn node(&self, node: u16) -> &NodeMirror {
        &self.mirror.nodes[usize::from(node)]
    }

    pub(crate) fn record(mut self, record: Record) -> Self {
        let number = self.history.len() as u64 + 1;
        let stamp = Stamp { number, at: VirtualTime::from_nanos(number * 1_000_000) };
        self.mirror.apply(stamp, &record);
        self.history.push((stamp, record));
        self
    }

    pub(crate) fn note(self, node: u16, note: Note) -> Self {
        self.record(Record::Noted { process: ProcessId(node), note })
    }

    pub(crate) fn send(self, from: u16, to: u16, facts: MessageFacts) -> Self {
        let kind = facts.kind();
        let (from, to) = (ProcessId(from), ProcessId(to));
        let id = MessageId { from, to, kind, copy: 0, ordinal: 0, epoch: facts.term() };
        self.record(Record::Sent { id, facts, bytes: 100 })
    }

    pub(crate) fn boot_all(self) -> Self {
        (0..self.nodes()).fold(self, Self::boot)
    }

    /// Boots a node, which recovers what is on its disk.
    pub(crate) fn boot(self, node: u16) -> Self {
        self.boot_keeping(node, 0)
    }

    /// Boots a node on whose disk as many of the writes that were under way as `kept` survived a crash.
    pub(crate) fn boot_keeping(self, node: u16, kept: usize) -> Self {
        let life = self.node(node).life + 1;
        self.record(Record::Booted { process: ProcessId(node), life }).find_keeping(node, kept)
    }

    /// The same, but what survived has to be mended by a write, which is on its way.
    pub(crate) fn boot_mending(mut self, node: u16, kept: usize) -> Self {
        let life = self.node(node).life + 1;
        self.writes_issued += 1;
        let write = WriteId(self.writes_issued);
        self.writes[usize::from(node)].push_back(write);
        self.record(Record::Booted { process: ProcessId(node), life })
            .note(node, Note::Mending { write, cut_bytes: 0, repaired_frames: 0 })
            .find_keeping(node, kept)
    }

    fn find_keeping(self, node: u16, kept: usize) -> Self {
        let disk = self.node(node).disk_after(kept);
        let (last, hash) = (disk.log.last_index(), disk.log.last_prefix());
        let snapshot = disk.snapshot.as_deref().cloned();
        self.find(node, disk.term, disk.vote, (last, hash), snapshot).tell_members(node)
    }

    pub(crate) fn boot_with(self, node: u16, last_index: u64, last_hash: Hash64) -> Self {
        let disk = self.node(node).durable.clone();
        let snapshot = disk.snapshot.as_deref().cloned();
        self.boot_finding(node, disk.term, disk.vote, (last_index, last_hash), snapshot)
    }

    /// Boots a node that says that it found this.
    pub(crate) fn boot_finding(
        self,
        node: u16,
        term: u64,
        vote: Option<ProcessId>,
        last: (u64, Hash64),
        snapshot: Option<SnapshotFacts>,
    ) -> Self {
        let life = self.node(node).life + 1;
        let story = self.record(Record::Booted { process: ProcessId(node), life });
        story.find(node, term, vote, last, snapshot)
    }

    fn find(
        self,
        node: u16,
        term: u64,
        vote: Option<ProcessId>,
        (last_index, last_hash): (u64, Hash64),
        snapshot: Option<SnapshotFacts>,
    ) -> Self {
        let snapshot = snapshot.map(Box::new);
        self.note(node, Note::Recovered { term, vote, last_index, last_hash, snapshot })
    }

    /// All that is on the way to the node's disk gets there.
    pub(crate) fn settle(self, node: u16) -> Self {
        (0..self.pending(node)).fold(self, |story, _| story.durable(node))
    }

    pub(crate) fn crash(mut self, node: u16) -> Self {
        let lost = std::mem::take(&mut self.writes[usize::from(node)]);
        let writes_lost = u32::try_from(lost.len()).unwrap();
        self.record(Record::Crashed {
            process: ProcessId(node),
            writes_lost,
            synced_lost: 0,
            operation: None,
        })
    }

    pub(crate) fn restart(self, node: u16) -> Self {
        self.crash(node).boot(node)
    }

    pub(crate) fn panic(mut self, node: u16) -> Self {
        self.writes[usize::from(node)].clear();
        let report =
            PanicReport { message: "no progress for 3".to_string(), place: "leader.rs:7:1".to_string() };
        self.record(Record::Panicked { process: ProcessId(node), report: Box::new(report), synced_lost: 0 })
    }

    pub(crate) fn term(self, node: u16, term: u64) -> Self {
        self.note(node, Note::Term { term })
    }

    pub(crate) fn role(self, node: u16, role: Role, term: u64) -> Self {
        self.note(node, Note::Role { role, term })
    }

    pub(crate) fn vote(self, node: u16, term: u64, candidate: u16) -> Self {
        self.note(node, Note::Vote { term, candidate: ProcessId(candidate) })
    }

    pub(crate) fn append_at(self, node: u16, index: u64, term: u64, name: &str) -> Self {
        self.note(node, Note::Append { index, term, command: command(name) })
    }

    /// Appends behind the last entry.
    pub(crate) fn append(self, node: u16, term: u64, name: &str) -> Self {
        let index = self.node(node).log.last_index() + 1;
        self.append_at(node, index, term, name)
    }

    pub(crate) fn truncate(self, node: u16, from: u64) -> Self {
        self.note(node, Note::Truncate { from })
    }

    pub(crate) fn persist(
        mut self,
        node: u16,
        hard: Option<(u64, Option<ProcessId>)>,
        log: Option<(u64, u64)>,
    ) -> Self {
        self.writes_issued += 1;
        let write = WriteId(self.writes_issued);
        self.writes[usize::from(node)].push_back(write);
        self.note(node, Note::Persist { write, hard, log })
    }

    /// Issues a write of the term and vote in memory.
    pub(crate) fn persist_hard(self, node: u16) -> Self {
        let hard = (self.node(node).term, self.node(node).vote);
        self.persist(node, Some(hard), None)
    }

    /// Issues a write of the log in memory from `first` on.
    pub(crate) fn persist_log(self, node: u16, first: u64) -> Self {
        let count = (self.node(node).log.last_index() + 1).saturating_sub(first);
        self.persist(node, None, Some((first, count)))
    }

    /// How many writes are on the way to the node's disk.
    pub(crate) fn pending(&self, node: u16) -> usize {
        self.writes[usize::from(node)].len()
    }

    /// The oldest write on the way to the node's disk gets there. Nothing happens if there is none.
    pub(crate) fn durable(mut self, node: u16) -> Self {
        match self.writes[usize::from(node)].pop_front() {
            Some(write) => self.record(Record::WriteDurable { process: ProcessId(node), write }),
            None => self,
        }
    }

    /// The oldest write on the way to the node's disk fails. There must be one.
    pub(crate) fn write_fails(mut self, node: u16) -> Self {
        let write = self.writes[usize::from(node)].pop_front().unwrap();
        let error = sim_core::DiskError::Device;
        self.record(Record::WriteFailed { process: ProcessId(node), write, error })
    }

    /// The youngest write on the way to the node's disk gets there, before all the others.
    pub(crate) fn durable_youngest(mut self, node: u16) -> Self {
        let write = self.writes[usize::from(node)].pop_back().unwrap();
        self.record(Record::WriteDurable { process: ProcessId(node), write })
    }

    pub(crate) fn commit(self, node: u16, index: u64) -> Self {
        self.note(node, Note::Commit { index })
    }

    pub(crate) fn apply_with(self, node: u16, index: u64, term: u64, name: &str, state: u64) -> Self {
        self.note(
            node,
            Note::Apply {
                index,
                term,
                command: command(name),
                state: Hash64(state),
                effect: Effect::Carried,
            },
        )
    }

    /// Applies the next entry of the node's log. The state after it is the log up to it.
    pub(crate) fn apply(self, node: u16) -> Self {
        self.apply_doing(node, [Effect::Carried])
    }

    /// Applies the next entries of the node's log, to these effects.
    pub(crate) fn apply_doing<const N: usize>(self, node: u16, effects: [Effect; N]) -> Self {
        effects.into_iter().fold(self, |story, effect| story.apply_next(node, effect))
    }

    fn apply_next(self, node: u16, effect: Effect) -> Self {
        let index = self.node(node).applied + 1;
        let cell = *self.node(node).log.get(index).unwrap();
        let (term, command, state) = (cell.term, cell.command, cell.prefix);
        self.note(node, Note::Apply { index, term, command, state, effect })
    }
}

/// What Raft does in one go.
impl Story {
    /// The node asks all the others for their votes.
    pub(crate) fn candidate(self, node: u16, term: u64) -> Self {
        let story = self.candidacy(node, term).vote(node, term, node).persist_hard(node).durable(node);
        let log = &story.node(node).log;
        let facts = request_vote(term, log.last_index(), log.last_term());
        (0..story.nodes()).filter(|to| *to != node).fold(story, |story, to| story.send(node, to, facts))
    }

    /// The node becomes a candidate, and no more.
    pub(crate) fn candidacy(self, node: u16, term: u64) -> Self {
        self.term(node, term).role(node, Role::Candidate, term)
    }

    /// The voter takes up the term if need be, and gives its vote.
    pub(crate) fn votes(self, voter: u16, term: u64, candidate: u16) -> Self {
        self.decides(voter, term, candidate).persist_hard(voter).durable(voter).send(
            voter,
            candidate,
            grant(term),
        )
    }

    /// The same, but nothing of it gets to the disk, or is told to anybody.
    pub(crate) fn decides(self, voter: u16, term: u64, candidate: u16) -> Self {
        let story = self.follows(voter, term);
        story.vote(voter, term, candidate)
    }

    pub(crate) fn follows(self, node: u16, term: u64) -> Self {
        let story = if self.node(node).term < term { self.term(node, term) } else { self };
        if story.node(node).role == Role::Follower { story } else { story.role(node, Role::Follower, term) }
    }

    /// The node becomes leader by the votes of `voters`.
    pub(crate) fn elect(self, node: u16, term: u64, voters: &[u16]) -> Self {
        let story = self.candidate(node, term);
        voters.iter().fold(story, |story, voter| story.votes(*voter, term, node)).role(
            node,
            Role::Leader,
            term,
        )
    }

    /// A leader appends an entry of its term, durably.
    pub(crate) fn lead(self, node: u16, name: &str) -> Self {
        let term = self.node(node).term;
        let story = self.append(node, term, name);
        let last = story.node(node).log.last_index();
        story.persist_log(node, last).durable(node)
    }

    /// A follower takes over the leader's log up to `upto`, durably, and says so.
    pub(crate) fn replicate(self, leader: u16, follower: u16, upto: u64) -> Self {
        let story = self.receive(leader, follower, upto).durable(follower).durable(follower);
        let (term, last) = (story.node(leader).term, upto);
        story.send(follower, leader, accepted(term, last))
    }

    /// The same, but nothing of it gets to the disk, or is told to anybody.
    pub(crate) fn receive(self, leader: u16, follower: u16, upto: u64) -> Self {
        let (term, leaders) = (self.node(leader).term, self.node(leader).log.clone());
        let commit = self.node(leader).commit;
        let mut story = self.send(leader, follower, heartbeat(term, commit)).follows(follower, term);
        if story.node(follower).durable.term < term {
            story = story.persist_hard(follower);
        }
        let same = {
            let log = &story.node(follower).log;
            let both = |i: u64| leaders.prefix_at(i).is_some() && leaders.prefix_at(i) == log.prefix_at(i);
            // Where one of them has compacted what the other has, the other's base is the place to go on from.
            (0..=upto).rfind(|i| both(*i)).unwrap_or_else(|| leaders.base().max(log.base()).min(upto))
        };
        if same == upto {
            return story;
        }
        if story.node(follower).log.last_index() > same {
            let held = story.node(follower).members_index;
            story = story.truncate(follower, same + 1);
            story = if held > same { story.tell_members(follower) } else { story };
        }
        for (index, cell) in (same + 1..).zip(leaders.run(same + 1, upto - same)) {
            story = story.note(follower, Note::Append { index, term: cell.term, command: cell.command });
            let here = (index, cell.prefix);
            let holds = story.configurations.iter().any(|(index, prefix, _)| (*index, *prefix) == here);
            story = if holds { story.tell_members(follower) } else { story };
        }
        story.persist_log(follower, same + 1)
    }
}

/// Verdicts.
impl Story {
    pub(crate) fn judge(&self) -> Judge {
        let mut judge = Judge::new(self.nodes());
        for (stamp, record) in &self.history {
            judge.observe(*stamp, record);
        }
        judge
    }

    /// Nothing is broken, and the audit agrees.
    #[track_caller]
    pub(crate) fn holds(self) -> Self {
        assert_eq!(self.judge().violations(), []);
        for property in SAFETY {
            let breach = audit::first_breach(property, &self.history, self.nodes());
            assert_eq!(breach, None, "the audit says that {property} is broken");
        }
        self
    }

    /// The property is not broken, whatever else is, and the audit agrees.
    #[track_caller]
    pub(crate) fn keeps(self, property: Property) -> Self {
        let judge = self.judge();
        assert_eq!(judge.violations().iter().find(|violation| violation.property == property), None);
        assert_eq!(audit::first_breach(property, &self.history, self.nodes()), None);
        self
    }

    /// The property is broken by the last record, and not before, and the audit agrees.
    #[track_caller]
    pub(crate) fn breaks(self, property: Property) -> Violation {
        let last = self.history.len() as u64;
        let judge = self.judge();
        let violation = judge.violations().iter().find(|violation| violation.property == property);
        assert_eq!(
            violation.map(|violation| violation.record),
            Some(last),
            "found: {:#?}",
            judge.violations()
        );
        assert_eq!(
            audit::first_breach(property, &self.history, self.nodes()),
            Some(last),
            "the audit disagrees"
        );
        violation.unwrap().clone()
    }

    /// The property is broken by the last record, and no other property is broken at all.
    #[track_caller]
    pub(crate) fn breaks_only(self, property: Property) -> Violation {
        assert_eq!(self.judge().violations().iter().map(|v| v.property).collect::<Vec<_>>(), [property]);
        self.breaks(property)
    }
}
