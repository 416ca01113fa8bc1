//! What a note says, in the words of the field.

use crate::record::{Action, Bytes, Call, Effect, Members, Note, Outcome, ReadKind, Refusal, Role};
use crate::view::entry::Phrase;
use crate::view::text::{inert, quoted};
use crate::view::wording::{Words, listed};
use sim_core::ProcessId;
use std::fmt::Write as _;

/// What a write holds that holds neither a term nor entries.
pub(super) const NOTHING: &str = "nothing";

impl Words {
    /// What a note says.
    pub(super) fn note(&self, process: ProcessId, note: &Note) -> Phrase {
        let text = match note {
            Note::Recovered { term, vote, last_index, snapshot, .. } => {
                let mut text = format!("recovers {}", state(*term, *vote, Some(*last_index)));
                if let Some(snapshot) = snapshot {
                    let _ = write!(text, " snapshot {}", snapshot.index);
                }
                text
            }
            Note::Role { role: Role::PreCandidate, term } => format!("becomes pre-candidate t{term}"),
            Note::Role { role, term } => format!("becomes {} t{term}", role.name()),
            Note::Term { term } => format!("moves to t{term}"),
            Note::Vote { term, candidate } if *candidate == process => format!("votes for itself (t{term})"),
            Note::Vote { term, candidate } => format!("votes for {candidate} (t{term})"),
            Note::Append { index, term, command } => {
                let (verb, first, last, term) = ("append", *index, *index, *term);
                return Phrase::Entries { verb, first, last, term, commands: vec![*command] };
            }
            Note::Truncate { from } => format!("truncate from {from}"),
            Note::Persist { write, hard, log } => {
                format!("write {} holds {}", write.0, persisted(hard.as_ref(), log.as_ref()))
            }
            Note::Commit { index } => format!("commit {index}"),
            Note::Apply { index, term, command, effect, .. } => {
                let verb = match effect {
                    Effect::Carried | Effect::Done => "apply",
                    Effect::Repeated => "repeat",
                    Effect::Ignored => "ignore",
                };
                let (first, last, term) = (*index, *index, *term);
                return Phrase::Entries { verb, first, last, term, commands: vec![*command] };
            }
            Note::Proposed { command, .. } => format!("proposed {}", self.command(*command)),
            Note::Accepted { index, term } => format!("takes it at {index} (t{term})"),
            Note::Refused { leader: Some(leader), why: Refusal::NotLeader } => {
                format!("refuses it, {leader} leads")
            }
            Note::Refused { leader: None, why: Refusal::NotLeader } => {
                "refuses it, knows no leader".to_string()
            }
            Note::Refused { why, .. } => format!("refuses it, {}", refusal(*why)),
            Note::Forwarded { to } => format!("hands it on to {to}"),
            Note::Members { index: 0, members } => format!("begins with {}", configuration(members)),
            Note::Members { index, members } => format!("members from {index}: {}", configuration(members)),
            Note::Snapshot(facts) => format!("snapshot {}/{}", facts.index, facts.term),
            Note::Installed(facts) => format!("installs snapshot {}/{}", facts.index, facts.term),
            Note::PersistSnapshot { write, index } => format!("write {} holds snapshot {index}", write.0),
            Note::Compacted { base } => format!("compacts to {base}"),
            Note::PersistCompacted { write, base } => format!("write {} compacts to {base}", write.0),
            Note::ReadAsked { read, kind } => format!("takes {} read {read}", kind.name()),
            Note::ReadReady { read, index } => format!("serves read {read} at {index}"),
            Note::ReadRefused { read } => format!("refuses read {read}"),
            Note::StorageFailed { what } => format!("stops, disk: {}", inert(what, self.ascii)),
            Note::StorageCorrupt { what } => format!("does not start, disk: {}", inert(what, self.ascii)),
            Note::Mending { write, cut_bytes, repaired_frames } => {
                format!(
                    "mends its disk by write {}: {cut_bytes} bytes cut, {repaired_frames} writes from their second copy",
                    write.0
                )
            }
            Note::Submitted { number, command, .. } => format!("{number} is {}", self.command(*command)),
            Note::Call(call) => format!("calls {}: {}", call.number, self.called(call)),
            Note::Return(back) => format!("{} of {}", self.returned(&back.outcome), back.number),
        };
        Phrase::Text(text)
    }

    fn called(&self, call: &Call) -> String {
        let key = call.key;
        match &call.action {
            Action::Get => {
                let how = match call.read {
                    ReadKind::Log => "",
                    ReadKind::ReadIndex => " by read index",
                    ReadKind::Lease => " by lease",
                    ReadKind::Follower => " from a follower",
                    ReadKind::Local => " as it is there",
                };
                format!("get {key}{how}")
            }
            Action::Put(new) => format!("put {key} {}", self.value(Some(new))),
            Action::Cas(old, new) => {
                format!("cas {key} {} {}", self.value(old.as_ref()), self.value(Some(new)))
            }
            Action::Append(more) => format!("append {key} {}", self.value(Some(more))),
            Action::Delete => format!("delete {key}"),
        }
    }

    fn returned(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Read(read) => format!("reads {}, end", self.value(read.as_ref())),
            Outcome::Done => "done, end".to_string(),
            Outcome::Length(length) => format!("done ({length} bytes), end"),
            Outcome::Deleted(true) => "deleted, end".to_string(),
            Outcome::Deleted(false) => "was absent, end".to_string(),
            Outcome::Mismatch(saw) => format!("finds {}, end", self.value(saw.as_ref())),
            Outcome::Refused => "refused, end".to_string(),
            Outcome::Unknown => "gives up, end".to_string(),
        }
    }

    fn value(&self, bytes: Option<&Bytes>) -> String {
        bytes.map_or_else(|| "nothing".to_string(), |bytes| quoted(&bytes.to_string(), self.ascii))
    }
}

const fn refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::NotLeader => "it does not lead",
        Refusal::Transferring => "it hands over",
        Refusal::TooMuchUncommitted => "too much is uncommitted",
        Refusal::ChangePending => "a change is under way",
        Refusal::NoCommitInTerm => "nothing of its term is committed",
        Refusal::BadChange => "there can be no such change",
        Refusal::Impossible => "there is nobody or nothing to do it with",
    }
}

/// A configuration as a person would list it.
fn configuration(members: &Members) -> String {
    let mut text = listed(&members.voters);
    for (list, what) in [
        (&members.outgoing, "from"),
        (&members.learners, "learners"),
        (&members.learners_next, "learners next"),
    ] {
        if !list.is_empty() {
            let _ = write!(text, " {what} {}", listed(list));
        }
    }
    text
}

fn state(term: u64, vote: Option<ProcessId>, last: Option<u64>) -> String {
    let mut text = format!("t{term}");
    if let Some(vote) = vote {
        let _ = write!(text, " vote {vote}");
    }
    if let Some(last) = last {
        let _ = write!(text, " log {last}");
    }
    text
}

/// What a write holds: term and vote, and the index up to which the log is durable with it.
pub(super) fn persisted(hard: Option<&(u64, Option<ProcessId>)>, log: Option<&(u64, u64)>) -> String {
    let last = log.map(|(first, count)| first.saturating_add(*count).saturating_sub(1));
    match (hard, last) {
        (Some((term, vote)), last) => state(*term, *vote, last),
        (None, Some(last)) => format!("log {last}"),
        (None, None) => NOTHING.to_string(),
    }
}
