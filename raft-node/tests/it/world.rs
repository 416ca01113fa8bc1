//! A node with a disk, and short words for what it is told and what it says.

use raft_node::{
    AppendResult, Config, Conflict, Durable, Entries, Entry, EntryKind, Event, HardState, Input, LocalTime,
    LogIndex, Membership, Message, NodeId, NodeView, Options, Output, Outputs, Payload, PersistId, RaftNode,
    Term, Timer, Write,
};

/// A node and its disk.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) config: Config,
    pub(crate) node: RaftNode,
    pub(crate) disk: Durable,
    /// Writes that were asked for and not done.
    pub(crate) writes: Vec<(PersistId, Write)>,
    /// What its clock says.
    pub(crate) now: LocalTime,
}

/// A millisecond, in nanoseconds.
pub(crate) const MS: u64 = 1_000_000;

pub(crate) fn ids(ids: &[u16]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

pub(crate) fn voters(voters: &[u16]) -> Membership {
    Membership::of_voters(&ids(voters)).expect("each voter is listed once")
}

impl Host {
    /// The first boot of node `id` of `voters`, which are numbered from zero.
    pub(crate) fn new(id: u16, voters: u16) -> Self {
        Self::with(id, voters, 0, None, &[], Options::default())
    }

    /// A boot from a disk with this term, this vote and these terms of entries.
    pub(crate) fn with(
        id: u16,
        voters: u16,
        term: u64,
        vote: Option<u16>,
        log: &[u64],
        options: Options,
    ) -> Self {
        let membership = self::voters(&(0..voters).collect::<Vec<_>>());
        let hard = HardState { term: Term(term), vote: vote.map(NodeId) };
        let disk = Durable { hard, log: entries(log), ..Durable::default() };
        Self::boot(id, membership, disk, options)
    }

    /// A boot of a node of this membership from this disk.
    pub(crate) fn boot(id: u16, membership: Membership, disk: Durable, options: Options) -> Self {
        let config = Config { id: NodeId(id), membership, options };
        let now = LocalTime(1000 * MS);
        let node = RaftNode::start(config.clone(), &disk, now, &mut Outputs::new());
        Self { config, node, disk, writes: Vec::new(), now }
    }

    /// A follower in `term`.
    pub(crate) fn follower(term: u64, log: &[u64]) -> Self {
        Self::with(0, 3, term, None, log, Options::default())
    }

    /// Node 0 of `voters`, just elected in `term` by all, with these terms of entries from before.
    pub(crate) fn leader(voters: u16, term: u64, log: &[u64]) -> Self {
        Self::leader_with(voters, term, log, Options::default())
    }

    pub(crate) fn leader_with(voters: u16, term: u64, log: &[u64], options: Options) -> Self {
        let mut host = Self::with(0, voters, term - 1, None, log, options);
        host.run(Input::Campaign);
        for voter in 1..voters {
            host.hear(voter, vote(term, true));
        }
        assert_eq!(host.letter(), 'L');
        host
    }

    /// One step, whose write, if any, stays under way.
    ///
    /// A message that is heard where it lies does what it does as an input.
    pub(crate) fn step(&mut self, input: Input) -> Outputs {
        let mut out = Outputs::new();
        let (mut twin, mut heard) = (self.node.clone(), Outputs::new());
        if let Input::Message { from, message } = &input {
            twin.hear(self.now, *from, &mut message.clone(), &mut heard);
        } else {
            twin.step(self.now, input.clone(), &mut heard);
        }
        self.node.step(self.now, input, &mut out);
        assert_eq!((&twin, &heard), (&self.node, &out));
        self.note_writes(&out);
        out
    }

    fn note_writes(&mut self, out: &[Output]) {
        for output in out {
            if let Output::Persist { id, write } = output {
                self.writes.push((*id, write.clone()));
            }
        }
    }

    /// Does all writes, and those that follow from them.
    pub(crate) fn sync(&mut self) -> Outputs {
        let mut out = Outputs::new();
        while !self.writes.is_empty() {
            let (id, write) = self.writes.remove(0);
            self.disk.apply(write);
            out.append(&mut self.step(Input::Persisted(id)));
        }
        out
    }

    /// One step on an instant disk.
    pub(crate) fn run(&mut self, input: Input) -> Outputs {
        let mut out = self.step(input);
        out.append(&mut self.sync());
        out
    }

    /// Takes a message, on an instant disk.
    pub(crate) fn hear(&mut self, from: u16, message: Message) -> Outputs {
        self.run(Input::Message { from: NodeId(from), message })
    }

    /// Takes a message; the write stays under way.
    pub(crate) fn hear_only(&mut self, from: u16, message: Message) -> Outputs {
        self.step(Input::Message { from: NodeId(from), message })
    }

    pub(crate) fn propose(&mut self, command: &str) -> Outputs {
        self.run(Input::Propose(Payload::from(command)))
    }

    pub(crate) fn heartbeat(&mut self) -> Outputs {
        self.run(Input::TimerFired(Timer::Heartbeat))
    }

    /// Loses what is not durable, and boots again.
    pub(crate) fn restart(&mut self) -> Outputs {
        self.restart_by(RaftNode::start)
    }

    /// The same, and what the disk holds is not durable before [`Host::mend`].
    pub(crate) fn restart_mending(&mut self) -> Outputs {
        self.restart_by(RaftNode::start_mending)
    }

    /// What the disk held at the boot is durable again.
    pub(crate) fn mend(&mut self) -> Outputs {
        self.step(Input::Persisted(PersistId(0)))
    }

    fn restart_by(
        &mut self,
        start: impl FnOnce(Config, &Durable, LocalTime, &mut Outputs) -> RaftNode,
    ) -> Outputs {
        let mut out = Outputs::new();
        self.writes.clear();
        self.node = start(self.config.clone(), &self.disk, self.now, &mut out);
        self.note_writes(&out);
        out
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, ms: u64) {
        self.now = self.now.after(ms * MS);
    }

    pub(crate) fn view(&self) -> NodeView<'_> {
        self.node.view()
    }

    pub(crate) fn letter(&self) -> char {
        self.view().role.letter()
    }

    pub(crate) fn term(&self) -> u64 {
        self.view().term.0
    }

    pub(crate) fn vote(&self) -> Option<u16> {
        self.view().vote.map(|vote| vote.0)
    }

    pub(crate) fn commit(&self) -> u64 {
        self.view().commit_index.0
    }

    /// The terms of the entries in memory.
    pub(crate) fn log(&self) -> Vec<u64> {
        self.view().log.iter().map(|entry| entry.term.0).collect()
    }

    /// What a leader knows of a peer: next and match index.
    pub(crate) fn peer(&self, id: u16) -> (u64, u64) {
        let peer = self.view().peers().find(|peer| peer.id.0 == id).expect("a leader knows of each peer");
        (peer.next_index.0, peer.match_index.0)
    }
}

pub(crate) fn noop(term: u64) -> Entry {
    Entry { term: Term(term), kind: EntryKind::Noop }
}

pub(crate) fn entries(terms: &[u64]) -> Vec<Entry> {
    terms.iter().copied().map(noop).collect()
}

pub(crate) fn request_vote(term: u64, last_index: u64, last_term: u64) -> Message {
    Message::RequestVote {
        term: Term(term),
        last_log_index: LogIndex(last_index),
        last_log_term: Term(last_term),
        forced: false,
        priority: 0,
    }
}

pub(crate) fn vote(term: u64, granted: bool) -> Message {
    Message::RequestVoteResponse { term: Term(term), granted }
}

pub(crate) fn append(term: u64, prev: u64, prev_term: u64, terms: &[u64], commit: u64) -> Message {
    Message::AppendEntries {
        term: Term(term),
        prev_log_index: LogIndex(prev),
        prev_log_term: Term(prev_term),
        entries: Entries::from(entries(terms)),
        leader_commit: LogIndex(commit),
        round: 1,
    }
}

pub(crate) fn accepted(term: u64, match_index: u64) -> Message {
    accepted_in(1, term, match_index, false)
}

/// An acceptance in a round, from one who holds up leases or does not. A leader's first round is 1.
pub(crate) fn accepted_in(round: u64, term: u64, match_index: u64, holds: bool) -> Message {
    let result = AppendResult::Accepted { match_index: LogIndex(match_index) };
    Message::AppendEntriesResponse { term: Term(term), round, holds, result }
}

pub(crate) fn rejected(term: u64, prev: u64, conflict_term: Option<u64>, conflict_index: u64) -> Message {
    let conflict = Conflict { term: conflict_term.map(Term), index: LogIndex(conflict_index) };
    let result = AppendResult::Rejected { prev_log_index: LogIndex(prev), conflict };
    Message::AppendEntriesResponse { term: Term(term), round: 1, holds: false, result }
}

/// The messages that are sent, each as `receiver: message`.
pub(crate) fn sends(out: &[Output]) -> Vec<String> {
    let line = |output: &Output| {
        let Output::Send { to, message } = output else { return None };
        Some(format!("{to}: {message}"))
    };
    out.iter().filter_map(line).collect()
}

/// What happens to timers, each as `set election`, `rearm heartbeat`, …
pub(crate) fn timers(out: &[Output]) -> Vec<String> {
    let line = |output: &Output| match output {
        Output::SetTimer { timer, .. } => Some(format!("set {}", timer.name())),
        Output::RearmTimer(timer) => Some(format!("rearm {}", timer.name())),
        Output::CancelTimer(timer) => Some(format!("cancel {}", timer.name())),
        Output::Send { .. }
        | Output::Persist { .. }
        | Output::Apply { .. }
        | Output::Accepted { .. }
        | Output::Refused { .. }
        | Output::Forwarded { .. }
        | Output::Install { .. }
        | Output::ReadReady { .. }
        | Output::ReadRefused { .. }
        | Output::Event(_) => None,
    };
    out.iter().filter_map(line).collect()
}

/// The changes in memory, in short words.
pub(crate) fn events(out: &[Output]) -> Vec<String> {
    let line = |output: &Output| match output {
        Output::Event(Event::Role { role, term }) => Some(format!("{role} t{term}")),
        Output::Event(Event::Term(term)) => Some(format!("t{term}")),
        Output::Event(Event::Vote { term, candidate }) => Some(format!("vote t{term} {candidate}")),
        Output::Event(Event::Appended { first, entries }) => {
            Some(format!("append {first} +{}", entries.len()))
        }
        Output::Event(Event::Truncated { from }) => Some(format!("truncate {from}")),
        Output::Event(Event::Committed(index)) => Some(format!("commit {index}")),
        Output::Event(Event::Membership { index, membership }) => {
            Some(format!("membership {index} {membership}"))
        }
        Output::Event(Event::SnapshotTaken { index, term }) => Some(format!("snapshot {index}/{term}")),
        Output::Event(Event::SnapshotInstalled { index, term }) => Some(format!("installed {index}/{term}")),
        Output::Event(Event::Compacted { base }) => Some(format!("compacted {base}")),
        Output::Apply { index, .. } => Some(format!("apply {index}")),
        Output::Install { snapshot } => Some(format!("install {}", snapshot.index)),
        Output::Forwarded { to } => Some(format!("forwarded to {to}")),
        Output::ReadReady { id, index } => Some(format!("read {id} at {index}")),
        Output::ReadRefused { id, reason } => Some(format!("read {id} refused: {reason:?}")),
        Output::Send { .. }
        | Output::Persist { .. }
        | Output::SetTimer { .. }
        | Output::RearmTimer(_)
        | Output::CancelTimer(_)
        | Output::Accepted { .. }
        | Output::Refused { .. } => None,
    };
    out.iter().filter_map(line).collect()
}

/// A small random stream: the node needs no chance, its tests do.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    }

    /// A number below `end`, which is not zero.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).expect("a length fits"))).expect("below a length")
    }

    pub(crate) fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }
}

impl Host {
    /// What a message promises is on the disk.
    pub(crate) fn assert_promise_is_durable(&self, to: NodeId, message: &Message) {
        assert_eq!(self.broken_promise(to, message), None);
    }

    /// What a message promises and the disk does not hold.
    pub(crate) fn broken_promise(&self, to: NodeId, message: &Message) -> Option<String> {
        let HardState { term, vote } = self.disk.hard;
        let only_asks =
            matches!(message, Message::PreVote { .. } | Message::PreVoteResponse { granted: true, .. });
        if message.term() > term && !only_asks {
            return Some(format!("message_sanity: {message} while the durable term is {term}"));
        }
        match message {
            Message::RequestVote { .. } => {
                let own = vote == Some(self.config.id) && term == message.term();
                (!own).then(|| format!("durable_vote: {message} without a durable vote for oneself"))
            }
            Message::RequestVoteResponse { granted, .. } => {
                let kept = !granted || (vote == Some(to) && term == message.term());
                (!kept).then(|| {
                    format!("durable_vote: {message} to {to} while the disk says {vote:?} in {term}")
                })
            }
            Message::AppendEntries { .. } => None,
            Message::AppendEntriesResponse { result: AppendResult::Accepted { match_index }, .. } => {
                let last = self.disk.last_index();
                (*match_index > last)
                    .then(|| format!("message_sanity: {message} with {last} durable entries"))
            }
            Message::InstallSnapshotResponse { index, done: true, .. } => {
                let last = self.disk.last_index();
                (*index > last).then(|| format!("message_sanity: {message} with {last} durable entries"))
            }
            Message::AppendEntriesResponse { result: AppendResult::Rejected { .. }, .. }
            | Message::InstallSnapshotResponse { done: false, .. }
            | Message::PreVote { .. }
            | Message::PreVoteResponse { .. }
            | Message::InstallSnapshot { .. }
            | Message::TimeoutNow { .. }
            | Message::ReadIndex { .. }
            | Message::ReadIndexResponse { .. }
            | Message::Forward { .. } => None,
        }
    }
}
