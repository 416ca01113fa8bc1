//! What leads a walk astray.

use super::settle;
use crate::oracles::testing::{Story, accepted, command, grant, heartbeat, request_vote};
use crate::record::{Effect, Hash64, Members, MessageFacts, Note, ReadKind, Reply, Role};
use proptest::prelude::*;
use proptest::sample::select;
use sim_core::ProcessId;

#[derive(Clone, Copy, Debug)]
pub(super) enum Rogue {
    Lead,
    LeadOfOld,
    Vote,
    Grant,
    Ask,
    Truncate,
    Append,
    Commit,
    Apply,
    WriteHard,
    WriteSomeOfTheLog,
    FlushYoungest,
    Recover,
    Beat,
    Accept,
    Refuse,
    TermBack,
    Panic,
    Snapshot,
    State,
    Install,
    Compact,
    Change,
    Members,
    Serve,
    Do,
    Tell,
    Lose,
}

pub(super) fn rogues() -> impl Strategy<Value = Rogue> {
    select(vec![
        // What matters only once something is committed comes up more often.
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Truncate,
        Rogue::Truncate,
        Rogue::LeadOfOld,
        Rogue::Vote,
        Rogue::Grant,
        Rogue::Ask,
        Rogue::Truncate,
        Rogue::Append,
        Rogue::Commit,
        Rogue::Apply,
        Rogue::WriteHard,
        Rogue::WriteSomeOfTheLog,
        Rogue::FlushYoungest,
        Rogue::Recover,
        Rogue::Beat,
        Rogue::Accept,
        Rogue::Refuse,
        Rogue::TermBack,
        Rogue::Panic,
        Rogue::Snapshot,
        Rogue::Snapshot,
        Rogue::State,
        Rogue::Install,
        Rogue::Compact,
        Rogue::Compact,
        Rogue::Compact,
        Rogue::Change,
        Rogue::Change,
        Rogue::Members,
        Rogue::Serve,
        Rogue::Serve,
        Rogue::Serve,
        Rogue::Do,
        Rogue::Do,
        Rogue::Do,
        Rogue::Tell,
        Rogue::Lose,
        Rogue::Lose,
        Rogue::Lose,
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Lead,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Commit,
        Rogue::Truncate,
        Rogue::Truncate,
        Rogue::Truncate,
        Rogue::Truncate,
        Rogue::Do,
        Rogue::Do,
        Rogue::Do,
        Rogue::Serve,
        Rogue::Serve,
        Rogue::WriteHard,
        Rogue::WriteHard,
    ])
}

/// Who does it: often somebody for whom it matters, else the one that was drawn.
fn culprit(story: &Story, kind: Rogue, a: u16, y: u64) -> u16 {
    let matters = |node: &u16| match kind {
        Rogue::Truncate | Rogue::Append if y.is_multiple_of(2) => story.node(*node).leads(),
        Rogue::Truncate | Rogue::Append | Rogue::Commit | Rogue::Serve | Rogue::Lose => {
            story.node(*node).commit > 0
        }
        Rogue::Snapshot | Rogue::State | Rogue::Compact => story.node(*node).snapshot.is_some(),
        Rogue::Do => story.node(*node).applied < story.node(*node).commit,
        Rogue::Change | Rogue::Members => story.node(*node).leads(),
        Rogue::Lead => {
            story.mirror.nodes.iter().any(|other| other.commit > story.node(*node).log.last_index())
        }
        _ => false,
    };
    (a..story.nodes()).chain(0..a).find(matters).unwrap_or(a)
}

/// Something that a node should not do, or that is close to it.
pub(super) fn go(story: Story, kind: Rogue, a: u16, b: u16, x: u64, y: u64) -> Story {
    let a = culprit(&story, kind, a, y);
    let node = story.node(a).clone();
    let (last, term) = (node.log.last_index(), node.term);
    let off = |base: u64| (base + x).saturating_sub(1);
    match kind {
        Rogue::Lead => story.role(a, Role::Leader, term + x / 2),
        Rogue::LeadOfOld => story.role(a, Role::Leader, term.saturating_sub(x)),
        Rogue::Vote => story.vote(a, term + x / 3, b),
        Rogue::Grant => story.send(a, b, grant(term.saturating_sub(x / 2))),
        Rogue::Ask => story.send(a, b, request_vote(term, off(last), 0)),
        Rogue::Truncate if y.is_multiple_of(2) => story.truncate(a, (last + 1).saturating_sub(x)),
        Rogue::Truncate => story.truncate(a, node.commit + 1 - x / 2 * node.commit.min(1)),
        Rogue::Append => story.append_at(a, (last + 2).saturating_sub(x), off(term), &format!("rogue {y}")),
        Rogue::Commit => story.commit(a, off(node.commit)),
        Rogue::Apply => {
            let index = node.applied + 1 + x / 3;
            let cell = node.log.get(index).copied();
            let (term, name) =
                cell.map_or_else(|| (term, command("rogue")), |cell| (cell.term, cell.command));
            let name = if y == 0 { command("rogue") } else { name };
            let state = cell.filter(|_| y > 1).map_or(Hash64(y), |cell| cell.prefix);
            story.note(
                a,
                Note::Apply {
                    index,
                    term: term + u64::from(y == 3 && x == 2),
                    command: name,
                    state,
                    effect: Effect::Carried,
                },
            )
        }
        Rogue::WriteHard => {
            let vote = [None, Some(ProcessId(b)), node.durable.vote, node.durable.vote];
            let hard = (off(node.durable.term), vote[usize::try_from(y).unwrap()]);
            settle(story.persist(a, Some(hard), None), a)
        }
        Rogue::WriteSomeOfTheLog => {
            settle(story.persist(a, None, Some(((last + 1).saturating_sub(x), y))), a).crash(a).boot(a)
        }
        Rogue::FlushYoungest if story.pending(a) > 0 => story.durable_youngest(a),
        Rogue::FlushYoungest => story,
        Rogue::Recover => {
            let durable = &node.durable.log;
            let last = durable.last_index().saturating_sub(x / 2);
            let hash = durable.prefix_at(last).filter(|_| y > 0).unwrap_or(Hash64(y));
            story.crash(a).boot_with(a, last, hash)
        }
        Rogue::Beat => story.send(a, b, heartbeat(term.saturating_sub(y / 2), off(node.commit))),
        Rogue::Accept => story.send(a, b, accepted(node.durable.term, off(node.durable.log.last_index()))),
        Rogue::Refuse => {
            let term = off(node.durable.term);
            let (prev_index, conflict_index) = (last + 1, last);
            let facts =
                MessageFacts::AppendEntriesRefused { term, prev_index, conflict_index, conflict_term: None };
            story.send(a, b, facts)
        }
        Rogue::Snapshot => {
            let story = if y == 0 { story } else { story.snapshot(a) };
            let mut facts = story.node(a).snapshot.as_deref().cloned().unwrap_or_default();
            match x {
                0 => facts.index += 1,
                1 => facts.term += 1,
                2 => facts.log = Hash64(y),
                _ => facts.members = Members::voters(1 + u16::try_from(y).unwrap()),
            }
            if y > 1 { story.takes(a, facts) } else { story.installs(b, facts) }
        }
        Rogue::State => {
            let mut facts = node.snapshot.as_deref().cloned().unwrap_or_default();
            facts.state = Hash64(x);
            if y > 1 { story.takes(a, facts) } else { story.installs(b, facts) }
        }
        Rogue::Install => {
            let facts = story.node(b).snapshot.as_deref().cloned();
            match facts {
                Some(facts) => story.install(a, facts),
                None => story,
            }
        }
        Rogue::Compact => {
            let covered = node.snapshot.as_ref().map_or(0, |facts| facts.index);
            story.compacts(a, off(covered)).save_compaction(a, off(covered))
        }
        Rogue::Change => {
            let others = Members::voters(1 + u16::try_from(y).unwrap());
            let others =
                if x == 0 { Members { outgoing: node.members.voters.clone(), ..others } } else { others };
            story.configure_note(a, others)
        }
        Rogue::Members => {
            let members =
                Box::new(if y == 0 { Members::voters(2) } else { (*story.node(b).members).clone() });
            let index = off(node.members_index);
            story.note(a, Note::Members { index: if x == 0 { 0 } else { index }, members })
        }
        Rogue::Serve => {
            let (read, index) = (y, node.commit.saturating_sub(x));
            story
                .note(a, Note::ReadAsked { read, kind: ReadKind::ReadIndex })
                .note(a, Note::ReadReady { read, index })
        }
        Rogue::Do => match node.log.get(node.applied + 1) {
            Some(_) => {
                let effects = [Effect::Done, Effect::Repeated, Effect::Done, Effect::Ignored];
                story.apply_doing(a, [effects[usize::try_from(x).unwrap()]])
            }
            None => story,
        },
        Rogue::Tell => {
            let index = off(if y == 0 { node.commit } else { node.durable.log.last_index() });
            let term = term.saturating_sub(y / 3);
            let facts = match y {
                0 => MessageFacts::InstallSnapshot { term, index, offset: 0, bytes: 1, done: true },
                1 => MessageFacts::InstallSnapshotResponse { term, index, received: 1, installed: x > 0 },
                2 => MessageFacts::TimeoutNow { term },
                _ => MessageFacts::ReadIndexResponse { term, read: 1, index: Some(index) },
            };
            let reply = MessageFacts::ClientReply { number: 1, reply: Reply::Done(off(node.applied)) };
            story.send(a, b, facts).send(a, b, reply)
        }
        Rogue::Lose => {
            let first = node.commit.max(1);
            let story = settle(story.persist(a, None, Some((first, 0))), a);
            story.crash(a).boot(a)
        }
        Rogue::TermBack => story.term(a, term.saturating_sub(x)),
        Rogue::Panic => story.panic(a),
    }
}
