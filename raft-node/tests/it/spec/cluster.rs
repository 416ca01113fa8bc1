//! A cluster of nodes, each beside its specification.

use super::rules::{Role, Server, Stored, place};
use crate::world::{Host, voters};
use raft_node::{
    Durable, Entry, Event, Input, LogIndex, Message, NodeId, Options, Output, Payload, PersistId, Refusal,
    RoleKind, Term, Timer,
};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that happens. Numbers are taken modulo how many there are, so that any list of actions is a run, and any part
/// of one too. From five on the number of a node means whoever leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// A message arrives: the so many-th that is under way.
    Deliver(usize),
    /// A message arrives and stays under way.
    Double(usize),
    /// A message is lost.
    Lose(usize),
    /// A node is told that a write is durable: the so many-th that is under way. The next node, if none is there.
    Written(u16, usize),
    ElectionTimeout(u16),
    Heartbeat(u16),
    Propose(u16),
    /// A node is cut off, or nobody is any more: what goes there or comes from there is lost when its turn comes.
    CutOff(Option<u16>),
    /// A node crashes, when so many of the writes that it was not told of are durable, and starts again.
    Crash(u16, usize),
}

/// What has come about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) elected: u32,
    pub(super) committed: u32,
    /// How often entries were removed from a log.
    pub(super) cut: u32,
    /// How many writes crashes have lost.
    pub(super) lost_writes: u32,
}

impl Counts {
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            elected: self.elected + other.elected,
            committed: self.committed + other.committed,
            cut: self.cut + other.cut,
            lost_writes: self.lost_writes + other.lost_writes,
        }
    }
}

struct Member {
    host: Host,
    server: Server,
    /// The disk when all that was asked for is done.
    asked: Durable,
    /// Which writes the node was told of before those that come before them.
    told: BTreeSet<PersistId>,
    applied: usize,
}

pub(super) struct Cluster {
    members: Vec<Member>,
    network: Vec<(NodeId, NodeId, Message)>,
    cut_off: Option<NodeId>,
    leaders: BTreeMap<Term, NodeId>,
    /// What was ever committed.
    canon: Vec<Entry>,
    proposals: u64,
    pub(super) counts: Counts,
}

impl Cluster {
    pub(super) fn new(nodes: u16, options: &Options) -> Self {
        let everybody = voters(&(0..nodes).collect::<Vec<_>>());
        let member = |id| {
            let host = Host::boot(id, everybody.clone(), Durable::default(), options.clone());
            let ids = (0..nodes).map(NodeId).collect();
            let server = Server::start(NodeId(id), ids, options.noop_on_election, Stored::default());
            Member { host, server, asked: Durable::default(), told: BTreeSet::new(), applied: 0 }
        };
        Self {
            members: (0..nodes).map(member).collect(),
            network: Vec::new(),
            cut_off: None,
            leaders: BTreeMap::new(),
            canon: Vec::new(),
            proposals: 0,
            counts: Counts::default(),
        }
    }

    fn node(&self, id: u16) -> usize {
        let leads = |member: &Member| matches!(member.server.role, Role::Leader { .. });
        let leader = || self.members.iter().position(leads).filter(|_| id >= 5);
        leader().unwrap_or_else(|| usize::from(id) % self.members.len())
    }

    pub(super) fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Deliver(_) | Action::Double(_) | Action::Lose(_) if self.network.is_empty() => Ok(()),
            Action::Deliver(which) => {
                let (from, to, message) = self.network.remove(which % self.network.len());
                self.arrives(from, to, message)
            }
            Action::Double(which) => {
                let (from, to, message) = self.network[which % self.network.len()].clone();
                self.arrives(from, to, message)
            }
            Action::Lose(which) => {
                self.network.remove(which % self.network.len());
                Ok(())
            }
            Action::Written(node, which) => {
                let first = self.node(node);
                let count = self.members.len();
                let mut nodes = (first..count).chain(0..first);
                let busy = nodes.find(|node| !self.members[*node].host.writes.is_empty());
                busy.map_or(Ok(()), |node| self.written(node, which))
            }
            Action::ElectionTimeout(node) => {
                let node = self.node(node);
                self.step(node, Input::TimerFired(Timer::Election), |server| {
                    server.election_timeout();
                    Vec::new()
                })
            }
            Action::Heartbeat(node) => {
                let node = self.node(node);
                self.step(node, Input::TimerFired(Timer::Heartbeat), |server| {
                    server.heartbeat();
                    Vec::new()
                })
            }
            Action::Propose(node) => self.propose(self.node(node)),
            Action::CutOff(node) => {
                self.cut_off = node.map(|node| self.members[self.node(node)].host.config.id);
                Ok(())
            }
            Action::Crash(node, kept) => self.crash(self.node(node), kept),
        }
    }

    fn arrives(&mut self, from: NodeId, to: NodeId, message: Message) -> Result<(), String> {
        if [Some(from), Some(to)].contains(&self.cut_off) {
            return Ok(());
        }
        let heard = message.clone();
        self.step(usize::from(to.0), Input::Message { from, message }, |server| {
            server.hear(from, &heard);
            Vec::new()
        })
    }

    fn propose(&mut self, node: usize) -> Result<(), String> {
        self.proposals += 1;
        let command = Payload::new(&self.proposals.to_le_bytes());
        self.step(node, Input::Propose(command.clone()), |server| {
            let answer = match server.propose(|term| Entry::command(term, command)) {
                Ok(place) => Output::Accepted { index: LogIndex(place as u64), term: server.now.hard.term },
                Err(leader) => Output::Refused { reason: Refusal::NotLeader { leader } },
            };
            vec![answer]
        })
    }

    fn written(&mut self, node: usize, which: usize) -> Result<(), String> {
        let Member { host, told, .. } = &mut self.members[node];
        let waiting: Vec<PersistId> =
            host.writes.iter().map(|(id, _)| *id).filter(|id| !told.contains(id)).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let id = waiting[which % waiting.len()];
        told.insert(id);
        let mut done = 0;
        while let Some((_, write)) = host.writes.first().filter(|(id, _)| told.contains(id)).cloned() {
            told.remove(&host.writes.remove(0).0);
            host.disk.apply(write);
            done += 1;
        }
        self.step(node, Input::Persisted(id), |server| {
            server.written(done);
            Vec::new()
        })
    }

    fn crash(&mut self, node: usize, kept: usize) -> Result<(), String> {
        let Member { host, server, asked, told, applied } = &mut self.members[node];
        let kept = kept.min(host.writes.len());
        self.counts.lost_writes += u32::try_from(host.writes.len() - kept).unwrap_or(u32::MAX);
        for (_, write) in host.writes.drain(..kept) {
            host.disk.apply(write);
        }
        let stored = server.images[kept].clone();
        let (id, voters) = (host.config.id, server.voters.clone());
        *server = Server::start(id, voters, host.config.options.noop_on_election, stored);
        *asked = host.disk.clone();
        told.clear();
        *applied = 0;
        let out = host.restart();
        self.judge(node, &out, 0, &[])
    }

    /// The node and its specification take a step; `rule` does the latter, and says what the node must answer its host.
    fn step(
        &mut self,
        node: usize,
        input: Input,
        rule: impl FnOnce(&mut Server) -> Vec<Output>,
    ) -> Result<(), String> {
        let what = format!("{input:?}");
        let member = &mut self.members[node];
        let before = member.server.commit;
        member.server.waits_anew = false;
        let answers = rule(&mut member.server);
        let out = member.host.step(input);
        let cut = |one: &Output| matches!(one, Output::Event(Event::Truncated { .. }));
        self.counts.cut += u32::from(out.iter().any(cut));
        self.judge(node, &out, before, &answers).map_err(|why| format!("node {node}, {what}: {why}"))
    }

    fn judge(
        &mut self,
        node: usize,
        out: &[Output],
        before: usize,
        answers: &[Output],
    ) -> Result<(), String> {
        let Member { host, server, asked, applied, .. } = &mut self.members[node];
        let id = host.config.id;
        let view = host.node.view();
        let (kind, leader) = match &server.role {
            Role::Follower { leader } => (RoleKind::Follower, *leader),
            Role::Candidate { .. } => (RoleKind::Candidate, None),
            Role::Leader { .. } => (RoleKind::Leader, Some(id)),
        };
        expect("role and leader", (view.role, view.leader), (kind, leader))?;
        expect("term and vote", (view.term, view.vote), (server.now.hard.term, server.now.hard.vote))?;
        expect("log", view.log, &server.now.log)?;
        expect("commit index", place(view.commit_index), server.commit)?;

        let mut writes = 0;
        let mut told = Vec::new();
        let mut handed_out = Vec::new();
        let mut election_timer = None;
        for output in out {
            match output {
                Output::Persist { write, .. } => {
                    writes += 1;
                    asked.apply(write.clone());
                }
                Output::Apply { index, entry } => handed_out.push((place(*index), entry.clone())),
                Output::SetTimer { timer: Timer::Election, .. } | Output::RearmTimer(Timer::Election) => {
                    election_timer = Some(true);
                }
                Output::CancelTimer(Timer::Election) => election_timer = Some(false),
                Output::Accepted { .. } | Output::Refused { .. } => told.push(output.clone()),
                Output::Send { to, message } => {
                    server.says(*to, message, before)?;
                    self.network.push((id, *to, message.clone()));
                }
                Output::SetTimer { .. }
                | Output::RearmTimer(_)
                | Output::CancelTimer(_)
                | Output::Event(_) => {}
                other => return Err(format!("figure 2 has no {other:?}")),
            }
        }
        expect("writes asked for", writes, usize::from(server.writes()))?;
        let disk = Stored { hard: asked.hard, log: asked.log.clone() };
        expect("disk when all is done", &disk, &server.now)?;
        expect("answers to its host", told.as_slice(), answers)?;
        let due: Vec<(usize, Entry)> =
            (*applied..server.commit).map(|at| (at + 1, server.now.log[at].clone())).collect();
        expect("what is applied", &handed_out, &due)?;
        *applied = server.commit;
        if server.waits_anew && election_timer != Some(true) {
            return Err("it does not wait anew before it stands".to_owned());
        }
        if !server.waits_anew && election_timer == Some(true) {
            return Err("it waits anew without a reason".to_owned());
        }
        if let Some(to) = server.must_send.pop_first() {
            return Err(format!("no AppendEntries to {to}"));
        }
        if server.images.len() == 1
            && let Some((to, message)) = server.owed.first()
        {
            return Err(format!("{message} to {to} was not said, though nothing is under way"));
        }
        self.agree(node)
    }

    /// What holds of all together (Raft, figure 3): at most one leader a term, and one history of what is committed.
    fn agree(&mut self, node: usize) -> Result<(), String> {
        let Member { server, .. } = &self.members[node];
        let (id, term) = (NodeId(u16::try_from(node).unwrap_or(u16::MAX)), server.now.hard.term);
        if matches!(server.role, Role::Leader { .. }) {
            if !self.leaders.contains_key(&term) {
                self.counts.elected += 1;
            }
            expect("leader of the term", *self.leaders.entry(term).or_insert(id), id)?;
        }
        let committed = &server.now.log[..server.commit];
        let known = committed.len().min(self.canon.len());
        expect("what is committed", &committed[..known], &self.canon[..known])?;
        self.counts.committed += u32::try_from(committed.len() - known).unwrap_or(u32::MAX);
        self.canon.extend_from_slice(&committed[known..]);
        Ok(())
    }

    /// All that is under way arrives, and all is written.
    fn calm(&mut self) -> Result<(), String> {
        for _ in 0..10_000 {
            let is_idle = self.members.iter().all(|member| member.host.writes.is_empty());
            if is_idle && self.network.is_empty() {
                return Ok(());
            }
            self.act(Action::Written(0, 0))?;
            self.act(Action::Deliver(0))?;
        }
        Err("it never comes to rest".to_owned())
    }

    /// Where nothing is lost any more, and one after the other stands, somebody is elected who commits, and all come to have
    /// its log.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        let nodes = u16::try_from(self.members.len()).unwrap_or(u16::MAX);
        self.cut_off = None;
        self.calm()?;
        let mut differs = Ok(());
        // Who lags behind learns the term in the first turn, and stands above it in the second.
        for node in (0..3).flat_map(|_| 0..nodes) {
            self.act(Action::ElectionTimeout(node))?;
            self.calm()?;
            self.act(Action::Propose(node))?;
            // The first finds where the logs agree, if what was sent before was lost; the last tells what is committed.
            for _ in 0..3 {
                self.act(Action::Heartbeat(node))?;
                self.calm()?;
            }
            differs = self.is_settled(usize::from(node));
            if differs.is_ok() {
                break;
            }
        }
        differs
    }

    fn is_settled(&self, leader: usize) -> Result<(), String> {
        let server = &self.members[leader].server;
        if !matches!(server.role, Role::Leader { .. }) {
            return Err("nobody is elected though nothing is lost".to_owned());
        }
        for other in self.members.iter().map(|member| &member.server) {
            expect("log in the end", &other.now.log, &server.now.log)?;
            expect("commit index in the end", other.commit, server.now.log.len())?;
        }
        Ok(())
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, node: T, specification: T) -> Result<(), String> {
    if node == specification {
        Ok(())
    } else {
        Err(format!("{what}: {node:?}, and by the specification {specification:?}"))
    }
}
