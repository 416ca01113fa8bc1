//! What nodes answered to what they were asked, and what came of reads and calls: the memory of the steps.
//!
//! It watches the records beside the judge. Must not know steps, nor judge anything. It remembers counts, what is open, and
//! what steps asked for, so that its size does not grow with the length of a run.

use crate::record::{Action, Hash64, MessageFacts, Note, Outcome, ReadKind, Record, Refusal};
use crate::scenario::{CallOutcome, OperationKind, ReadOutcome};
use sim_core::{Interest, Observer, ProcessId, RecordKind, Span, Stamp, VirtualTime};
use std::collections::{BTreeMap, VecDeque};

/// How many of the commands that were applied last it remembers.
const RECENT_MAX: usize = 4096;

/// What a node says at once to what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It takes it.
    Accepted,
    /// It hands it on.
    Forwarded,
    /// It does not take it.
    Refused(Refusal),
}

/// Reads that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadSort {
    /// How many marks had been set.
    pub(crate) era: u32,
    pub(crate) node: ProcessId,
    pub(crate) kind: ReadKind,
    pub(crate) outcome: ReadOutcome,
}

/// Calls that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallSort {
    /// How many marks had been set.
    pub(crate) era: u32,
    pub(crate) client: ProcessId,
    pub(crate) kind: OperationKind,
    /// None for a call that surely did not happen.
    pub(crate) outcome: Option<CallOutcome>,
}

/// A read that a step asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed {
    pub(crate) node: ProcessId,
    read: u64,
    pub(crate) end: Option<ReadEnd>,
}

/// What came of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// It was served from the state after this index.
    Served(u64),
    Refused,
}

/// A call that a step made.
#[derive(Clone, Debug)]
struct Made {
    within: Span,
    called: Option<VirtualTime>,
    back: Option<Back>,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    pub(crate) outcome: Outcome,
    /// Whether the client was out of time.
    pub(crate) is_late: bool,
    /// Who answered.
    pub(crate) by: Option<ProcessId>,
}

impl Back {
    /// As what it counts; none for a call that surely did not happen. A client that was out of time gave up, whether or not
    /// anything was sent.
    pub(crate) const fn counts_as(&self) -> Option<CallOutcome> {
        match &self.outcome {
            Outcome::Read(Some(_)) | Outcome::Done | Outcome::Length(_) | Outcome::Deleted(true) => {
                Some(CallOutcome::Ok)
            }
            Outcome::Read(None) | Outcome::Deleted(false) => Some(CallOutcome::NotFound),
            Outcome::Mismatch(_) => Some(CallOutcome::Mismatch),
            Outcome::Unknown => Some(CallOutcome::Unknown),
            Outcome::Refused if self.is_late => Some(CallOutcome::Unknown),
            Outcome::Refused => None,
        }
    }
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// By node: what it said last.
    said: Vec<Option<Said>>,
    /// By node: up to where its state machine has come in this life.
    applied: Vec<u64>,
    /// What was applied last, by whoever came first, in the order of the log: its index and its command. A log that is
    /// made short no longer tells.
    recent: VecDeque<(u64, Hash64)>,
    /// By node: whether its disk failed it, in this life.
    halted: Vec<bool>,
    /// How many marks were set.
    era: u32,
    reads: BTreeMap<ReadSort, u64>,
    /// Reads without an end, and the index that they wait for if it is known.
    open_reads: BTreeMap<(ProcessId, u64), (ReadSort, Option<u64>)>,
    /// How many of these know their index.
    ready: usize,
    follows: bool,
    followed: Vec<Followed>,
    calls: BTreeMap<CallSort, u64>,
    open_calls: BTreeMap<ProcessId, CallSort>,
    made: BTreeMap<(ProcessId, u64), Made>,
    /// Whether it must hear who answers clients.
    hears: bool,
    heard: BTreeMap<ProcessId, ProcessId>,
    /// Who lost what its disk had called durable, and how much.
    pub(crate) lost: Vec<(ProcessId, u32)>,
}

impl Told {
    /// A memory for so many nodes. It hears who answers clients only if somebody asks for that: it costs a look at every
    /// message that arrives.
    pub(crate) fn new(nodes: u16, hears: bool) -> Self {
        let nodes = usize::from(nodes);
        Self {
            said: vec![None; nodes],
            applied: vec![0; nodes],
            recent: VecDeque::new(),
            halted: vec![false; nodes],
            era: 0,
            reads: BTreeMap::new(),
            open_reads: BTreeMap::new(),
            ready: 0,
            follows: false,
            followed: Vec::new(),
            calls: BTreeMap::new(),
            open_calls: BTreeMap::new(),
            made: BTreeMap::new(),
            hears,
            heard: BTreeMap::new(),
            lost: Vec::new(),
        }
    }

    /// The command that was applied at an index, if that was not long ago.
    pub(crate) fn command_at(&self, index: u64) -> Option<Hash64> {
        let place = self.recent.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.recent.get(place).map(|(_, command)| *command)
    }

    /// Where a command was applied last, if that was not long ago.
    pub(crate) fn index_of(&self, command: Hash64) -> Option<u64> {
        self.recent.iter().rev().find(|(_, applied)| *applied == command).map(|(index, _)| *index)
    }

    /// Forgets what a node said, so that only what it says from now on counts.
    pub(crate) fn listen(&mut self, node: ProcessId) {
        self.said[node.index()] = None;
    }

    /// What a node said last.
    pub(crate) fn said(&self, node: ProcessId) -> Option<Said> {
        self.said[node.index()]
    }

    /// Whether a node stopped because its disk failed it.
    pub(crate) fn is_halted(&self, node: ProcessId) -> bool {
        self.halted[node.index()]
    }

    /// Counts what is asked and called from now on apart. Says how many marks there are.
    pub(crate) fn mark(&mut self) -> u32 {
        self.era += 1;
        self.era
    }

    /// How many reads there are of those that match.
    pub(crate) fn reads(&self, matches: impl Fn(&ReadSort) -> bool) -> u64 {
        self.reads.iter().filter(|(sort, _)| matches(sort)).map(|(_, count)| count).sum()
    }

    /// How many calls there are of those that match.
    pub(crate) fn calls(&self, matches: impl Fn(&CallSort) -> bool) -> u64 {
        self.calls.iter().filter(|(sort, _)| matches(sort)).map(|(_, count)| count).sum()
    }

    /// Follows the reads that are asked for from now on, and no others any more; or those that were until now.
    pub(crate) fn follow(&mut self, follows: bool) {
        self.follows = follows;
        if follows {
            self.followed.clear();
        }
    }

    /// The reads that it follows.
    pub(crate) fn followed(&self) -> &[Followed] {
        &self.followed
    }

    /// A client is told to make a call.
    pub(crate) fn make(&mut self, client: ProcessId, number: u64, within: Span) {
        self.made.insert((client, number), Made { within, called: None, back: None });
    }

    /// What came of a call that a client was told to make.
    pub(crate) fn back(&self, client: ProcessId, number: u64) -> Option<&Back> {
        self.made.get(&(client, number))?.back.as_ref()
    }

    /// What does not happen all the time.
    #[cold]
    fn note(&mut self, stamp: Stamp, process: ProcessId, note: &Note) {
        let node = process.index();
        match note {
            Note::Accepted { .. } => self.say(process, Said::Accepted),
            Note::Forwarded { .. } => self.say(process, Said::Forwarded),
            Note::Refused { why, .. } => self.say(process, Said::Refused(*why)),
            Note::StorageFailed { .. } | Note::StorageCorrupt { .. } => self.halted[node] = true,
            Note::Recovered { snapshot: Some(facts), .. } | Note::Installed(facts) => {
                self.applied[node] = facts.index;
                self.serve(process);
            }
            Note::ReadAsked { read, kind } => self.asked(process, *read, *kind),
            Note::ReadReady { read, index } => {
                if let Some((_, due)) = self.open_reads.get_mut(&(process, *read)) {
                    *due = Some(*index);
                    self.ready += 1;
                    self.serve(process);
                }
            }
            Note::ReadRefused { read } => self.read_over(process, *read, ReadEnd::Refused),
            Note::Call(call) => {
                let kind = match call.action {
                    Action::Get => OperationKind::Get,
                    Action::Put(_) => OperationKind::Put,
                    Action::Cas(..) => OperationKind::Cas,
                    Action::Append(_) => OperationKind::Append,
                    Action::Delete => OperationKind::Delete,
                };
                let outcome = Some(CallOutcome::Pending);
                let sort = CallSort { era: self.era, client: process, kind, outcome };
                *self.calls.entry(sort).or_default() += 1;
                self.open_calls.insert(process, sort);
                if let Some(made) = self.made.get_mut(&(process, call.number)) {
                    made.called = Some(stamp.at);
                }
            }
            Note::Return(back) => {
                let made = self.made.get_mut(&(process, back.number));
                let is_late = made.as_ref().is_some_and(|made| {
                    made.called.is_some_and(|called| called.after(made.within) <= stamp.at)
                });
                let by = self.heard.get(&process).copied().filter(|_| !is_late);
                let came = Back { outcome: back.outcome.clone(), is_late, by };
                if let Some(sort) = self.open_calls.remove(&process) {
                    move_one(&mut self.calls, sort, CallSort { outcome: came.counts_as(), ..sort });
                }
                if let Some(made) = made {
                    made.back = Some(came);
                }
            }
            _ => {}
        }
    }

    fn say(&mut self, node: ProcessId, said: Said) {
        self.said[node.index()] = Some(said);
    }

    fn asked(&mut self, node: ProcessId, read: u64, kind: ReadKind) {
        let sort = ReadSort { era: self.era, node, kind, outcome: ReadOutcome::Pending };
        *self.reads.entry(sort).or_default() += 1;
        self.open_reads.insert((node, read), (sort, None));
        if self.follows {
            self.followed.push(Followed { node, read, end: None });
        }
    }

    /// Ends the reads of a node that its state covers by now.
    fn serve(&mut self, node: ProcessId) {
        let applied = self.applied[node.index()];
        let covered = |due: &Option<u64>| due.is_some_and(|due| due <= applied);
        let of_node = self.open_reads.range((node, 0)..=(node, u64::MAX));
        let served: Vec<u64> =
            of_node.filter(|(_, (_, due))| covered(due)).map(|((_, read), _)| *read).collect();
        for read in served {
            self.read_over(node, read, ReadEnd::Served(applied));
        }
    }

    fn read_over(&mut self, node: ProcessId, read: u64, end: ReadEnd) {
        let Some((sort, due)) = self.open_reads.remove(&(node, read)) else { return };
        self.ready -= usize::from(due.is_some());
        let outcome = match end {
            ReadEnd::Served(_) => ReadOutcome::Served,
            ReadEnd::Refused => ReadOutcome::Refused,
        };
        move_one(&mut self.reads, sort, ReadSort { outcome, ..sort });
        let followed = self.followed.iter_mut().find(|one| one.node == node && one.read == read);
        if let Some(followed) = followed {
            followed.end = Some(end);
        }
    }

    /// What was asked of an earlier life nobody answers any more.
    fn boot(&mut self, process: ProcessId) {
        let Some(halted) = self.halted.get_mut(process.index()) else { return };
        *halted = false;
        self.applied[process.index()] = 0;
        self.open_reads.retain(|(node, _), _| *node != process);
        self.ready = self.open_reads.values().filter(|(_, due)| due.is_some()).count();
        self.followed.retain(|read| read.node != process || read.end.is_some());
    }
}

/// One that was counted as this counts as that from now on.
fn move_one<K: Ord>(counts: &mut BTreeMap<K, u64>, from: K, to: K) {
    if let Some(count) = counts.get_mut(&from) {
        *count -= 1;
    }
    *counts.entry(to).or_default() += 1;
}

impl Observer<MessageFacts, Note> for Told {
    fn interest(&self) -> Interest {
        const USUAL: Interest = Interest::of(&[RecordKind::Noted, RecordKind::Booted, RecordKind::Crashed]);
        const HEARING: Interest = USUAL.and(Interest::of(&[RecordKind::Delivered]));
        if self.hears { HEARING } else { USUAL }
    }

    #[inline]
    fn observe(&mut self, stamp: Stamp, record: &Record) {
        match record {
            Record::Noted { process, note: Note::Apply { index, command, .. } } => {
                self.applied[process.index()] = *index;
                if self.recent.back().is_none_or(|(last, _)| index > last) {
                    self.recent.push_back((*index, *command));
                    if self.recent.len() > RECENT_MAX {
                        self.recent.pop_front();
                    }
                }
                if self.ready > 0 {
                    self.serve(*process);
                }
            }
            Record::Noted {
                note:
                    Note::Append { .. }
                    | Note::Persist { .. }
                    | Note::Commit { .. }
                    | Note::Role { .. }
                    | Note::Term { .. }
                    | Note::Vote { .. }
                    | Note::Proposed { .. },
                ..
            } => {}
            Record::Noted { process, note } => self.note(stamp, *process, note),
            Record::Booted { process, .. } => self.boot(*process),
            Record::Crashed { process, synced_lost, .. } if *synced_lost > 0 => {
                self.lost.push((*process, *synced_lost));
            }
            Record::Delivered { id, facts: MessageFacts::ClientReply { .. } } => {
                self.heard.insert(id.to, id.from);
            }
            _ => {}
        }
    }
}
