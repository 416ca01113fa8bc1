//! The leader's side of replication (Raft §5.3, §5.4.2).

use super::RaftNode;
use crate::entry::{Entries, Entry, EntryKind};
use crate::log::Log;
use crate::message::{AppendResult, Conflict, Message};
use crate::payload::Payload;
use crate::progress::{Pace, Progress};
use crate::quorum::stored_by_majority;
use crate::role::{Follower, Leader, Role};
use crate::step::{Output, Outputs, Timer};
use crate::types::{LogIndex, NodeId, Term};

impl RaftNode {
    /// A majority has voted for this node.
    pub(super) fn become_leader(&mut self, out: &mut Outputs) {
        let Some(own) = self.position else { return };
        let mut leader = Leader::new(self.voters.len(), self.log.last_index());
        leader.progress[own].matched = self.durability.log_durable();
        self.set_role(Role::Leader(leader), out);
        if self.options.noop_on_election {
            self.append(Entries::One(Entry { term: self.hard.term, kind: EntryKind::Noop }), out);
        }
        self.broadcast(out, |_| Some(Content::Entries));
    }

    pub(super) fn on_propose(&mut self, payload: Payload, out: &mut Outputs) {
        match self.role {
            Role::Leader(_) => {}
            Role::Follower(Follower { leader }) => return out.push(Output::Refused { leader }),
            Role::Candidate(_) => return out.push(Output::Refused { leader: None }),
        }
        let term = self.hard.term;
        self.append(Entries::One(Entry::command(term, payload)), out);
        out.push(Output::Accepted { index: self.log.last_index(), term });
        // A follower that is probed has been sent enough for now.
        self.broadcast(out, |progress| (progress.pace == Pace::Replicate).then_some(Content::Entries));
    }

    pub(super) fn on_heartbeat_timeout(&mut self, out: &mut Outputs) {
        if !matches!(self.role, Role::Leader(_)) {
            return;
        }
        out.push(Output::RearmTimer(Timer::Heartbeat));
        self.broadcast(out, |progress| match progress.pace {
            Pace::Probe => Some(Content::Entries),
            Pace::Replicate => Some(Content::Nothing),
        });
    }

    #[inline]
    pub(super) fn on_append_response(
        &mut self,
        position: usize,
        term: Term,
        result: AppendResult,
        out: &mut Outputs,
    ) {
        if term != self.hard.term {
            return;
        }
        match result {
            AppendResult::Accepted { match_index } => self.on_accepted(position, match_index, out),
            AppendResult::Rejected { prev_log_index, conflict } => {
                self.on_rejected(position, prev_log_index, conflict, out);
            }
        }
    }

    #[inline]
    fn on_accepted(&mut self, position: usize, match_index: LogIndex, out: &mut Outputs) {
        // Nobody can have stored what the leader has not: such an answer is nonsense.
        if match_index > self.log.last_index() {
            return;
        }
        let Some((_, followers)) = self.replication() else { return };
        if followers[position].accepted(match_index) {
            self.advance_commit(out);
        }
        let Some((sender, followers)) = self.replication() else { return };
        let progress = &mut followers[position];
        if progress.pace == Pace::Replicate && progress.next <= sender.log.last_index() {
            sender.send(position, progress, Content::Entries, out);
        }
    }

    fn on_rejected(&mut self, position: usize, prev: LogIndex, conflict: Conflict, out: &mut Outputs) {
        let Some((sender, followers)) = self.replication() else { return };
        let progress = &mut followers[position];
        if !progress.is_current(prev) {
            return;
        }
        // Where our log has the follower's term, the logs may agree up to our end of that term; where it does
        // not, nothing of that term can agree (Raft §5.3, end).
        let after_term = conflict.term.and_then(|term| sender.log.last_index_of(term)).map(LogIndex::next);
        progress.rejected(prev, after_term.unwrap_or(conflict.index));
        sender.send(position, progress, Content::Entries, out);
    }

    /// Counts what of the leader's own log has become durable.
    pub(super) fn count_own_log(&mut self, out: &mut Outputs) {
        let durable = self.durability.log_durable();
        let Some(own) = self.position else { return };
        let Some((_, progress)) = self.replication() else { return };
        if progress[own].matched < durable {
            progress[own].matched = durable;
            self.advance_commit(out);
        }
    }

    /// Commits what a majority has stored, if the last of it is of the leader's own term: what earlier terms
    /// left may be overwritten even then, and is committed only along with it (Raft §5.4.2).
    fn advance_commit(&mut self, out: &mut Outputs) {
        let Role::Leader(Leader { progress }) = &self.role else { return };
        let stored = progress.iter().map(|progress| progress.matched);
        let Some(index) = stored_by_majority(stored, self.voters.len(), self.commit) else { return };
        if self.log.term_at(index) == Some(self.hard.term) || mutant!(self, PriorTermCommitByCounting) {
            self.commit_to(index, out);
        }
    }

    /// Sends to each follower what `content` says, if anything.
    #[inline]
    fn broadcast(&mut self, out: &mut Outputs, content: impl Fn(&Progress) -> Option<Content>) {
        let Some((sender, followers)) = self.replication() else { return };
        for (position, progress) in followers.iter_mut().enumerate() {
            if sender.voters[position] != sender.id
                && let Some(content) = content(progress)
            {
                sender.send(position, progress, content, out);
            }
        }
    }

    /// A leader's means to send, and whom to: the two are used together. None if the node does not lead.
    #[inline]
    fn replication(&mut self) -> Option<(Sender<'_>, &mut [Progress])> {
        let Self { id, options, voters, hard, log, role, commit, .. } = self;
        let Role::Leader(Leader { progress }) = role else { return None };
        let sender = Sender {
            id: *id,
            voters: voters.ids(),
            term: hard.term,
            commit: *commit,
            log,
            entries_max: usize::try_from(options.entries_per_append_max).unwrap_or(usize::MAX),
        };
        Some((sender, progress))
    }
}

/// What an AppendEntries is to carry.
#[derive(Clone, Copy)]
enum Content {
    Nothing,
    /// What the follower lacks, as far as the leader knows and a message holds.
    Entries,
}

/// What a leader needs to make an AppendEntries, besides the follower's progress.
struct Sender<'a> {
    id: NodeId,
    voters: &'a [NodeId],
    term: Term,
    commit: LogIndex,
    log: &'a Log,
    entries_max: usize,
}

impl Sender<'_> {
    #[inline]
    fn send(&self, position: usize, progress: &mut Progress, content: Content, out: &mut Outputs) {
        let prev = progress.next.prev();
        let entries = match content {
            Content::Nothing => Entries::None,
            Content::Entries => self.log.run(progress.next, self.entries_max),
        };
        match progress.pace {
            Pace::Probe => {}
            Pace::Replicate => progress.next = progress.next.advanced_by(entries.len()),
        }
        let message = Message::AppendEntries {
            term: self.term,
            prev_log_index: prev,
            prev_log_term: self
                .log
                .term_at(prev)
                .expect("a leader's log reaches up to every follower's next entry"),
            entries,
            leader_commit: self.commit,
        };
        out.push(Output::Send { to: self.voters[position], message });
    }
}

#[cfg(test)]
mod tests {
    use super::{Leader, RaftNode, Role};
    use crate::config::{Config, Options};
    use crate::entry::{Entry, EntryKind};
    use crate::storage::{Durable, HardState};
    use crate::types::{LogIndex, NodeId, Term};

    /// T5, etcd-io/raft `TestCommit`: what each voter has stored, the leader first; the terms of the log; the
    /// term.
    #[test]
    fn a_leader_commits_what_a_majority_has_stored_if_it_ends_in_its_own_term() {
        let rows: [(&[u64], &[u64], u64, u64); 14] = [
            (&[1], &[1], 1, 1),
            (&[1], &[1], 2, 0),
            (&[2], &[1, 2], 2, 2),
            (&[1], &[2], 2, 1),
            (&[2, 1, 1], &[1, 2], 1, 1),
            (&[2, 1, 1], &[1, 1], 2, 0),
            (&[2, 1, 2], &[1, 2], 2, 2),
            (&[2, 1, 2], &[1, 1], 2, 0),
            (&[2, 1, 1, 1], &[1, 2], 1, 1),
            (&[2, 1, 1, 1], &[1, 1], 2, 0),
            (&[2, 1, 1, 2], &[1, 2], 1, 1),
            (&[2, 1, 1, 2], &[1, 1], 2, 0),
            (&[2, 1, 2, 2], &[1, 2], 2, 2),
            (&[2, 1, 2, 2], &[1, 1], 2, 0),
        ];
        for (stored, log, term, expected) in rows {
            let voters = (0..).map(NodeId).take(stored.len()).collect();
            let config = Config { id: NodeId(0), voters, options: Options::default() };
            let hard = HardState { term: Term(term), vote: Some(NodeId(0)) };
            let log = log.iter().map(|term| Entry { term: Term(*term), kind: EntryKind::Noop });
            let mut out = Vec::new();
            let mut node = RaftNode::start(config, &Durable { hard, log: log.collect() }, &mut out);
            let mut leader = Leader::new(stored.len(), node.log.last_index());
            for (progress, index) in leader.progress.iter_mut().zip(stored) {
                progress.matched = LogIndex(*index);
            }
            node.role = Role::Leader(leader);
            node.advance_commit(&mut out);
            assert_eq!(node.commit, LogIndex(expected), "{stored:?} in term {term}");
        }
    }
}
