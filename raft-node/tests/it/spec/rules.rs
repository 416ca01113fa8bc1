//! The specification: one server of Raft as figure 2 of the paper and D. Ongaro's TLA+ have it, as plainly as it can be said.
//!
//! Owns: what a server may become and say. Must not know: how the node does it, above all nothing of what it remembers to
//! be fast: a leader may send what it likes of its log, and here nobody asks how often.

use raft_node::{AppendResult, Entry, HardState, LogIndex, Message, NodeId, ROUND_OVER, Term};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What figure 2 calls persistent state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) hard: HardState,
    pub(super) log: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Follower { leader: Option<NodeId> },
    Candidate { granted: BTreeSet<NodeId>, refused: BTreeSet<NodeId> },
    Leader { matched: BTreeMap<NodeId, usize> },
}

pub(super) struct Server {
    id: NodeId,
    pub(super) voters: Vec<NodeId>,
    noop: bool,
    /// What it has in mind.
    pub(super) now: Stored,
    pub(super) commit: usize,
    pub(super) role: Role,
    /// What a crash may leave: the first is durable, each other is a write under way, oldest first.
    pub(super) images: VecDeque<Stored>,
    /// What it owes others and has not said.
    pub(super) owed: Vec<(NodeId, Message)>,
    /// Whether it has a reason to wait for as long as it does before it stands again.
    pub(super) waits_anew: bool,
    /// Whom it must send AppendEntries before the step is over.
    pub(super) must_send: BTreeSet<NodeId>,
}

fn last(log: &[Entry]) -> (Term, usize) {
    (log.last().map_or(Term(0), |entry| entry.term), log.len())
}

fn term_at(log: &[Entry], index: usize) -> Option<Term> {
    if index == 0 { Some(Term(0)) } else { log.get(index - 1).map(|entry| entry.term) }
}

pub(super) fn place(index: LogIndex) -> usize {
    usize::try_from(index.0).expect("a log in a test is short")
}

fn index(place: usize) -> LogIndex {
    LogIndex(place as u64)
}

/// How much of two logs is the same.
fn shared(one: &[Entry], other: &[Entry]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

impl Server {
    /// A server that starts from what is stored: a follower who knows of no leader, and of nothing committed.
    pub(super) fn start(id: NodeId, voters: Vec<NodeId>, noop: bool, stored: Stored) -> Self {
        Self {
            id,
            voters,
            noop,
            images: VecDeque::from([stored.clone()]),
            now: stored,
            commit: 0,
            role: Role::Follower { leader: None },
            owed: Vec::new(),
            waits_anew: true,
            must_send: BTreeSet::new(),
        }
    }

    pub(super) fn others(&self) -> impl Iterator<Item = NodeId> + use<'_> {
        self.voters.iter().copied().filter(|voter| *voter != self.id)
    }

    fn is_majority(&self, count: usize) -> bool {
        2 * count > self.voters.len()
    }

    fn term(&self) -> Term {
        self.now.hard.term
    }

    /// Up to here no crash can take away what the log holds, whatever write comes last before it.
    pub(super) fn safe(&self) -> usize {
        self.images.iter().map(|image| shared(&image.log, &self.now.log)).min().unwrap_or(0)
    }

    /// Whether the step that is over must have asked for a write; it is under way from now on.
    pub(super) fn writes(&mut self) -> bool {
        let changed = self.images.back() != Some(&self.now);
        if changed {
            self.images.push_back(self.now.clone());
        }
        changed
    }

    /// So many more writes are durable.
    pub(super) fn written(&mut self, writes: usize) {
        self.images.drain(..writes);
        match &self.role {
            Role::Follower { .. } => {}
            Role::Candidate { .. } => self.count_votes(),
            Role::Leader { .. } => self.advance_commit(),
        }
    }

    /// "Convert to candidate" (Rules for Servers, Followers and Candidates).
    pub(super) fn election_timeout(&mut self) {
        if matches!(self.role, Role::Leader { .. }) {
            return;
        }
        let term = self.term().next();
        self.enter(term);
        self.now.hard.vote = Some(self.id);
        self.role = Role::Candidate { granted: BTreeSet::new(), refused: BTreeSet::new() };
        self.waits_anew = true;
        let (last_log_term, last) = last(&self.now.log);
        let message = Message::RequestVote {
            term,
            last_log_index: index(last),
            last_log_term,
            forced: false,
            priority: 0,
        };
        let asks: Vec<(NodeId, Message)> = self.others().map(|to| (to, message.clone())).collect();
        self.owed.extend(asks);
    }

    pub(super) fn heartbeat(&mut self) {
        if matches!(self.role, Role::Leader { .. }) {
            self.must_send = self.others().collect();
        }
    }

    /// Whether a command is taken into the log; for others, who leads.
    pub(super) fn propose(&mut self, entry: impl FnOnce(Term) -> Entry) -> Result<usize, Option<NodeId>> {
        match self.role {
            Role::Follower { leader } => Err(leader),
            Role::Candidate { .. } => Err(None),
            Role::Leader { .. } => {
                self.now.log.push(entry(self.term()));
                Ok(self.now.log.len())
            }
        }
    }

    fn enter(&mut self, term: Term) {
        self.now.hard = HardState { term, vote: None };
        // Nobody can use what was promised in an earlier term, and what it says may be undone.
        self.owed.clear();
    }

    pub(super) fn hear(&mut self, from: NodeId, message: &Message) {
        // "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower."
        if message.term() > self.term() {
            self.enter(message.term());
            let was_follower = matches!(self.role, Role::Follower { .. });
            self.role = Role::Follower { leader: None };
            self.waits_anew |= !was_follower;
        }
        match message {
            Message::RequestVote { term, last_log_index, last_log_term, .. } => {
                self.on_request_vote(from, *term, (*last_log_term, place(*last_log_index)));
            }
            Message::RequestVoteResponse { term, granted } => self.on_vote(from, *term, *granted),
            Message::AppendEntries {
                term,
                prev_log_index,
                prev_log_term,
                entries,
                leader_commit,
                round,
                ..
            } => {
                let prev = (place(*prev_log_index), *prev_log_term);
                let round = if *term < self.term() { ROUND_OVER } else { *round };
                let result = self.on_append(from, *term, prev, entries.as_slice(), place(*leader_commit));
                if let Some(result) = result {
                    let term = self.term();
                    self.owed
                        .push((from, Message::AppendEntriesResponse { term, round, holds: false, result }));
                }
            }
            Message::AppendEntriesResponse { term, result, .. } => {
                self.on_append_answer(from, *term, *result)
            }
            other => panic!("figure 2 has no {other}"),
        }
    }

    fn on_request_vote(&mut self, from: NodeId, term: Term, candidate: (Term, usize)) {
        let free = self.now.hard.vote.is_none_or(|vote| vote == from);
        let granted = term == self.term() && free && candidate >= last(&self.now.log);
        if granted {
            self.now.hard.vote = Some(from);
            self.waits_anew = true;
        }
        self.owed.push((from, Message::RequestVoteResponse { term: self.term(), granted }));
    }

    fn on_vote(&mut self, from: NodeId, term: Term, is_granted: bool) {
        // Nobody was asked in this term before the candidacy was durable: what comes earlier answers another request.
        if term != self.term() || self.images[0].hard != self.now.hard {
            return;
        }
        if let Role::Candidate { granted, refused } = &mut self.role {
            // The figure has no word for one who answers twice, and differently, for its log was cut meanwhile. To the node the
            // first answer is its answer.
            if !granted.contains(&from) && !refused.contains(&from) {
                let answers = if is_granted { granted } else { refused };
                answers.insert(from);
            }
            self.count_votes();
        }
    }

    fn count_votes(&mut self) {
        let Role::Candidate { granted, refused } = &self.role else { return };
        // A vote for itself counts when it cannot be forgotten, as anybody's does.
        let own = usize::from(self.images[0].hard == self.now.hard);
        if self.is_majority(granted.len() + own) {
            let matched = self.voters.iter().map(|voter| (*voter, 0)).collect();
            self.role = Role::Leader { matched };
            self.must_send = self.others().collect();
            if self.noop {
                let kind = raft_node::EntryKind::Noop;
                self.now.log.push(Entry { term: self.term(), kind });
            }
            self.waits_anew = false;
        } else if 2 * refused.len() >= self.voters.len() {
            // Not in the figure: whom so many have refused cannot win any more, and need not wait to know it.
            self.role = Role::Follower { leader: None };
            self.waits_anew = true;
        }
    }

    /// "AppendEntries RPC, Receiver implementation": the answer, if there is one.
    fn on_append(
        &mut self,
        from: NodeId,
        term: Term,
        (prev, prev_term): (usize, Term),
        entries: &[Entry],
        leader_commit: usize,
    ) -> Option<AppendResult> {
        let conflict = |term, place| raft_node::Conflict { term, index: index(place) };
        let refusal = |conflict| Some(AppendResult::Rejected { prev_log_index: index(prev), conflict });
        let log = &mut self.now.log;
        if term < self.now.hard.term {
            return refusal(conflict(None, log.len() + 1));
        }
        assert!(!matches!(self.role, Role::Leader { .. }), "{from} leads term {term} too");
        self.role = Role::Follower { leader: Some(from) };
        self.waits_anew = true;
        match term_at(log, prev) {
            None => return refusal(conflict(None, log.len() + 1)),
            Some(own) if own != prev_term => {
                // The first of that term, so that one refusal skips it (§5.3, end).
                let first = log.iter().position(|entry| entry.term == own).unwrap_or(0) + 1;
                return refusal(conflict(Some(own), first));
            }
            Some(_) => {}
        }
        for (offset, entry) in entries.iter().enumerate() {
            let place = prev + offset;
            if log.get(place).is_some_and(|own| own.term != entry.term) {
                log.truncate(place);
            }
            if log.len() == place {
                log.push(entry.clone());
            }
        }
        let vouched = prev + entries.len();
        self.commit = self.commit.max(leader_commit.min(vouched));
        Some(AppendResult::Accepted { match_index: index(vouched) })
    }

    fn on_append_answer(&mut self, from: NodeId, term: Term, result: AppendResult) {
        if term != self.term() {
            return;
        }
        if let (Role::Leader { matched }, AppendResult::Accepted { match_index }) = (&mut self.role, result) {
            let known = matched.entry(from).or_default();
            *known = (*known).max(place(match_index));
            self.advance_commit();
        }
    }

    /// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and log[N].term == currentTerm".
    fn advance_commit(&mut self) {
        let safe = self.safe();
        if let Role::Leader { matched } = &mut self.role {
            matched.insert(self.id, safe);
        }
        let Role::Leader { matched } = &self.role else { return };
        let stored = |place: usize| matched.values().filter(|matched| **matched >= place).count();
        let is_own = |place: usize| term_at(&self.now.log, place) == Some(self.term());
        let committed = (self.commit + 1..=self.now.log.len())
            .rev()
            .find(|place| is_own(*place) && self.is_majority(stored(*place)));
        self.commit = committed.unwrap_or(self.commit);
    }

    /// Why a message that the node has sent may not be said, if it may not; what was owed is not any more.
    pub(super) fn says(
        &mut self,
        to: NodeId,
        message: &Message,
        committed_before: usize,
    ) -> Result<(), String> {
        let wrong = |why: &str| Err(format!("{message} to {to}: {why}"));
        if let Message::AppendEntries {
            term, prev_log_index, prev_log_term, entries, leader_commit, ..
        } = message
        {
            let prev = place(*prev_log_index);
            let log = &self.now.log;
            let runs_on = log.get(prev..).is_some_and(|rest| rest.starts_with(entries.as_slice()));
            return if !matches!(self.role, Role::Leader { .. }) || *term != self.term() {
                wrong("it does not lead that term")
            } else if self.images[0].hard.term != self.term() {
                wrong("its term is not durable")
            } else if term_at(log, prev) != Some(*prev_log_term) || !runs_on {
                wrong("its log is another one")
            } else if !(committed_before..=self.commit).contains(&place(*leader_commit)) {
                wrong("it knows another commit index")
            } else {
                self.must_send.remove(&to);
                Ok(())
            };
        }
        let owed = self.owed.iter().position(|owed| (owed.0, &owed.1) == (to, message));
        let Some(owed) = owed else { return wrong("nobody asked for that") };
        self.owed.remove(owed);
        if !self.is_durable(to, message) {
            return wrong("a crash could make it untrue");
        }
        Ok(())
    }

    /// Whether what a message promises is there whatever a crash leaves.
    fn is_durable(&self, to: NodeId, message: &Message) -> bool {
        let hard = self.images[0].hard;
        let vote = |whom| hard == HardState { term: message.term(), vote: Some(whom) };
        match message {
            Message::RequestVote { .. } => vote(self.id),
            Message::RequestVoteResponse { granted: true, .. } => vote(to),
            Message::AppendEntriesResponse { result: AppendResult::Accepted { match_index }, .. } => {
                hard.term >= message.term() && self.safe() >= place(*match_index)
            }
            _ => hard.term >= message.term(),
        }
    }
}
