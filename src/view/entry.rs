//! The phrases of one entry, and how like phrases become one.

use crate::record::Hash64;
use crate::view::wording::Words;
use sim_core::ProcessId;

/// How many commands an entry spells out before it only counts them.
const COMMANDS_MAX: usize = 3;

/// How far back a phrase looks for one to join. Entries are short, but those of a thousand nodes are not.
const LOOK_BACK: usize = 8;

/// A phrase of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phrase {
    Text(String),
    /// Something that happens between the acting node and others, in the same words for all of them.
    Toward {
        before: String,
        others: Vec<ProcessId>,
        after: String,
    },
    /// Entries of the log with consecutive indexes and one term.
    Entries {
        verb: &'static str,
        first: u64,
        last: u64,
        term: u64,
        commands: Vec<Hash64>,
    },
}

/// Adds a phrase, or lets an earlier one say it too.
pub(super) fn add(phrases: &mut Vec<Phrase>, phrase: Phrase) {
    let joined = match &phrase {
        Phrase::Text(_) => false,
        Phrase::Toward { before, others, after } => {
            let recent = phrases.iter_mut().rev().take(LOOK_BACK);
            let like = recent.into_iter().find_map(|earlier| match earlier {
                Phrase::Toward { before: b, others: o, after: a } if b == before && a == after => Some(o),
                Phrase::Toward { .. } | Phrase::Text(_) | Phrase::Entries { .. } => None,
            });
            like.map(|like| like.extend(others)).is_some()
        }
        Phrase::Entries { verb, first, last, term, commands } => match phrases.last_mut() {
            Some(Phrase::Entries { verb: v, last: l, term: t, commands: c, .. })
                if v == verb && t == term && l.checked_add(1) == Some(*first) =>
            {
                *l = *last;
                c.extend(commands);
                true
            }
            Some(_) | None => false,
        },
    };
    if !joined {
        phrases.push(phrase);
    }
}

impl Phrase {
    /// The phrase in words.
    pub(super) fn spell(&self, words: &Words) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Toward { before, others, after } => format!("{before}{}{after}", words.nodes(others)),
            Self::Entries { verb, first, last, term, commands } => {
                let at = if first == last { first.to_string() } else { format!("{first}-{last}") };
                let mut text = format!("{verb} {at} (t{term})");
                let (shown, hidden) = match commands.len() {
                    count if count <= COMMANDS_MAX => (commands.as_slice(), 0),
                    count => (&commands[..1], count - 1),
                };
                for command in shown {
                    text.push(' ');
                    text.push_str(&words.command(*command));
                }
                if hidden > 0 {
                    text.push_str(&format!(" and {hidden} more"));
                }
                text
            }
        }
    }
}
