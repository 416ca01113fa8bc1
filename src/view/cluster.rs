//! What is known of every node at a moment: its role, its term, and whether it is cut off.

use crate::record::{Note, Record, Role};
use sim_core::{Fault, ProcessId};
use std::collections::BTreeSet;

/// What a node is, as far as one letter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Standing {
    /// It was not started yet.
    #[default]
    Absent,
    Leader,
    Candidate,
    PreCandidate,
    Follower,
    Paused,
    Down,
}

impl Standing {
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Absent => ' ',
            Self::Leader => Role::Leader.letter(),
            Self::Candidate => Role::Candidate.letter(),
            Self::PreCandidate => Role::PreCandidate.letter(),
            Self::Follower => Role::Follower.letter(),
            Self::Paused => 'Z',
            Self::Down => 'X',
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Absent => "not started",
            Self::Leader => Role::Leader.name(),
            Self::Candidate => Role::Candidate.name(),
            Self::PreCandidate => "pre-candidate",
            Self::Follower => Role::Follower.name(),
            Self::Paused => "paused",
            Self::Down => "down",
        }
    }
}

/// Whom a node can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Reach {
    /// Everybody.
    #[default]
    Everybody,
    /// Only those on its side of a partition.
    Side(u8),
    /// Some of its links are cut.
    Partly,
    /// Nobody.
    Nobody,
}

/// What stands beside a node's number in every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Mark {
    pub(super) standing: Standing,
    pub(super) term: u64,
    pub(super) reach: Reach,
}

#[derive(Clone, Debug, Default)]
struct Node {
    started: bool,
    up: bool,
    paused: bool,
    role: Option<Role>,
    term: u64,
    isolated: bool,
    side: Option<u8>,
    /// How many links from or to it are cut one by one.
    cuts: usize,
}

/// Every node, folded from the records so far.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    nodes: Vec<Node>,
    cuts: BTreeSet<(ProcessId, ProcessId)>,
}

impl Cluster {
    pub(super) fn new(nodes: u16) -> Self {
        Self { nodes: vec![Node::default(); usize::from(nodes)], cuts: BTreeSet::new() }
    }

    pub(super) fn mark(&self, process: ProcessId) -> Mark {
        let Some(node) = self.nodes.get(process.index()) else { return Mark::default() };
        let standing = match node.role {
            _ if !node.started => Standing::Absent,
            _ if !node.up => Standing::Down,
            _ if node.paused => Standing::Paused,
            Some(Role::Leader) => Standing::Leader,
            Some(Role::Candidate) => Standing::Candidate,
            Some(Role::PreCandidate) => Standing::PreCandidate,
            Some(Role::Follower) | None => Standing::Follower,
        };
        let links = 2 * self.nodes.len().saturating_sub(1);
        let reach = match node.side {
            _ if node.isolated || node.cuts > 0 && node.cuts == links => Reach::Nobody,
            Some(side) => Reach::Side(side),
            None if node.cuts > 0 => Reach::Partly,
            None => Reach::Everybody,
        };
        Mark { standing, term: node.term, reach }
    }

    pub(super) fn marks(&self) -> impl Iterator<Item = Mark> {
        // A world holds at most 1,024 processes, and `new` was given a u16.
        (0..=u16::MAX).zip(&self.nodes).map(|(node, _)| self.mark(ProcessId(node)))
    }

    pub(super) fn apply(&mut self, record: &Record) {
        if let Record::Injected { fault } = record {
            return self.inject(fault);
        }
        let Some(node) = record.process().and_then(|process| self.nodes.get_mut(process.index())) else {
            return;
        };
        match record {
            Record::Booted { .. } => {
                (node.started, node.up, node.paused) = (true, true, false);
                node.role = Some(Role::Follower);
            }
            Record::Crashed { .. } | Record::Panicked { .. } => (node.up, node.paused) = (false, false),
            Record::Paused { .. } => node.paused = true,
            Record::Resumed { .. } => node.paused = false,
            Record::Noted { note, .. } => match note {
                Note::Role { role, term } => {
                    node.role = Some(*role);
                    node.term = *term;
                }
                Note::Term { term } | Note::Recovered { term, .. } => node.term = *term,
                Note::Vote { .. }
                | Note::Append { .. }
                | Note::Truncate { .. }
                | Note::Persist { .. }
                | Note::Commit { .. }
                | Note::Apply { .. }
                | Note::Proposed { .. }
                | Note::Accepted { .. }
                | Note::Refused { .. }
                | Note::Forwarded { .. }
                | Note::Members { .. }
                | Note::Snapshot(_)
                | Note::Installed(_)
                | Note::PersistSnapshot { .. }
                | Note::Compacted { .. }
                | Note::PersistCompacted { .. }
                | Note::ReadAsked { .. }
                | Note::ReadReady { .. }
                | Note::ReadRefused { .. }
                | Note::StorageFailed { .. }
                | Note::StorageCorrupt { .. }
                | Note::Mending { .. }
                | Note::Submitted { .. }
                | Note::Call(_)
                | Note::Return(_) => {}
            },
            Record::Sent { .. }
            | Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Duplicated { .. }
            | Record::Held { .. }
            | Record::Released { .. }
            | Record::TimerSet { .. }
            | Record::TimerFired { .. }
            | Record::WriteIssued { .. }
            | Record::WriteDurable { .. }
            | Record::Injected { .. }
            | Record::Marked { .. }
            | Record::WriteFailed { .. }
            | Record::OperationFailed { .. } => {}
        }
    }

    fn inject(&mut self, fault: &Fault) {
        match fault {
            Fault::Cut { from, to, .. } => {
                if self.cuts.insert((*from, *to)) {
                    self.recount(*from, *to, 1);
                }
            }
            Fault::Restore { from, to } => {
                if self.cuts.remove(&(*from, *to)) {
                    self.recount(*from, *to, -1);
                }
            }
            Fault::Isolate { process, .. } => self.set_isolated(*process, true),
            Fault::Reconnect { process } => {
                self.set_isolated(*process, false);
                let gone: Vec<_> =
                    self.cuts.iter().filter(|(from, to)| from == process || to == process).copied().collect();
                for (from, to) in gone {
                    self.cuts.remove(&(from, to));
                    self.recount(from, to, -1);
                }
            }
            Fault::Partition { groups, .. } => {
                let last = side(groups.len());
                for (index, node) in self.nodes.iter_mut().enumerate() {
                    let own = groups.iter().position(|group| group.iter().any(|member| member.index() == index));
                    node.side = Some(own.map_or(last, side));
                }
            }
            Fault::Heal => {
                self.cuts.clear();
                for node in &mut self.nodes {
                    (node.isolated, node.side, node.cuts) = (false, None, 0);
                }
            }
            Fault::Hold { .. }
            | Fault::Release { .. }
            | Fault::DeliverOne { .. }
            | Fault::DeliverThis { .. }
            | Fault::DropPending { .. }
            | Fault::DeliverAll { .. }
            | Fault::DuplicatePending { .. }
            | Fault::Shuffle { .. }
            | Fault::DropAfter { .. }
            | Fault::StopDropping { .. }
            | Fault::Clog { .. }
            | Fault::SetQuality { .. }
            // Their records tell what became of them.
            | Fault::Crash { .. }
            | Fault::Restart { .. }
            | Fault::Pause { .. }
            | Fault::Resume { .. }
            | Fault::WipeDisk { .. }
            // Nothing of them is seen in a lane.
            | Fault::SetDisk { .. }
            | Fault::StallDisk { .. }
            | Fault::UnstallDisk { .. }
            | Fault::CompleteSync { .. }
            | Fault::FailOperation { .. }
            | Fault::FailSync { .. }
            | Fault::LimitDisk { .. }
            | Fault::FlipBits { .. }
            | Fault::Misdirect { .. }
            | Fault::SetHonesty { .. }
            | Fault::SetCrashMode { .. }
            | Fault::CrashAt { .. }
            | Fault::CrashAtComing { .. }
            | Fault::DisarmCrash { .. }
            | Fault::HealDisk { .. }
            | Fault::SetClock { .. } => {}
        }
    }

    fn set_isolated(&mut self, process: ProcessId, isolated: bool) {
        if let Some(node) = self.nodes.get_mut(process.index()) {
            node.isolated = isolated;
        }
    }

    fn recount(&mut self, from: ProcessId, to: ProcessId, by: isize) {
        for end in [from, to] {
            if let Some(node) = self.nodes.get_mut(end.index()) {
                node.cuts = node.cuts.saturating_add_signed(by);
            }
        }
    }
}

/// The side of a partition that its `group`-th group is. Sides past the alphabet share its last letter.
fn side(group: usize) -> u8 {
    u8::try_from(group).unwrap_or(u8::MAX).min(25)
}

/// Whether a fault can cut a node off from another.
pub(super) fn cuts(fault: &Fault) -> bool {
    matches!(fault, Fault::Cut { .. } | Fault::Isolate { .. } | Fault::Partition { .. })
}
