//! The fields of an event, and what they mean.

use crate::linear::explain::asked;
use crate::linear::history::{Action, Operation, Outcome};
use crate::linear::read::json::{Field, Flaw, Json, Placed, object, short};
use crate::linear::value::Value;
use crate::scenario::did_you_mean;
use core::ops::Range;
use sim_core::VirtualTime;

/// What happens in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// A line, taken apart.
pub(super) struct Event<'t> {
    pub(super) process: u64,
    pub(super) process_range: Range<usize>,
    pub(super) kind: Kind,
    pub(super) time: VirtualTime,
    /// The whole line, and its number.
    pub(super) range: Range<usize>,
    pub(super) line: u64,
    op: Option<(&'static str, Range<usize>)>,
    key: Option<Placed<'t>>,
    value: Option<Placed<'t>>,
    seen: Option<Placed<'t>>,
}

const FIELDS: [&str; 7] = ["process", "type", "op", "key", "value", "seen", "time"];

/// Fields that converters of other logs leave in, and that mean nothing here.
const IGNORED: [&str; 5] = ["index", "error", "node", "client", "comment"];

const KINDS: [(&str, Kind); 4] =
    [("invoke", Kind::Invoke), ("ok", Kind::Ok), ("fail", Kind::Fail), ("info", Kind::Info)];

/// Every name of an action, and ours.
const OPS: [(&str, &str); 7] = [
    ("get", "get"),
    ("put", "put"),
    ("cas", "cas"),
    ("append", "append"),
    ("delete", "delete"),
    ("read", "get"),
    ("write", "put"),
];

/// Reads a line; nothing if it is about the nemesis, which is no client.
pub(super) fn read(text: &str, range: Range<usize>, line: u64) -> Result<Option<Event<'_>>, Flaw> {
    let fields = object(text, range.clone())?;
    let mut found: [Option<Placed<'_>>; 7] = [const { None }; 7];
    for Field { name, name_range, value } in fields {
        // Jepsen calls it f.
        let name = if name == "f" { "op" } else { &*name };
        if let Some(place) = FIELDS.iter().position(|field| *field == name) {
            if found[place].is_some() {
                return Err(Flaw::new(name_range, "found both `f` and `op`: expected one of them"));
            }
            found[place] = Some(value);
        } else if !IGNORED.contains(&name) {
            let (name, hint) = (short(name), did_you_mean(name, FIELDS));
            let message =
                format!("found the unknown field `{name}`: expected one of {}{hint}", FIELDS.join(", "));
            return Err(Flaw::new(name_range, message));
        }
    }
    let missing = |name: &str| {
        let end = range.end.max(range.start + 1);
        Flaw::new(end - 1..end, format!("found no `{name}`: expected the field `{name}` in this event"))
    };
    let [process, kind, op, key, value, seen, time] = found;
    let process = process.ok_or_else(|| missing("process"))?;
    if matches!(&process.value, Json::Text(name) if plain(name) == "nemesis") {
        return Ok(None);
    }
    let kind = kind.ok_or_else(|| missing("type"))?;
    Ok(Some(Event {
        process: whole(&process, "the id of a process, a whole number")?,
        process_range: process.range,
        kind: word(&kind, "type", &KINDS)?,
        time: match time {
            Some(time) => VirtualTime::from_nanos(whole(&time, "a time, a whole number of nanoseconds")?),
            None => VirtualTime::ZERO,
        },
        op: match op {
            Some(op) => Some((word(&op, "operation", &OPS)?, op.range)),
            None => None,
        },
        range,
        line,
        key,
        value,
        seen,
    }))
}

/// A word without the colon that Clojure puts first.
fn plain(word: &str) -> &str {
    word.strip_prefix(':').unwrap_or(word)
}

fn expected<T>(found: &Placed<'_>, expected: &str) -> Result<T, Flaw> {
    Err(Flaw::new(found.range.clone(), format!("found {}: expected {expected}", found.value.found())))
}

fn whole(found: &Placed<'_>, what: &str) -> Result<u64, Flaw> {
    let digits = match &found.value {
        Json::Number(digits) => digits,
        // Large numbers may be written as texts, for readers that round.
        Json::Text(digits) => &**digits,
        Json::Null | Json::Truth(_) | Json::List(_) | Json::Other(_) => "",
    };
    digits.parse().or_else(|_| expected(found, what))
}

fn word<T: Copy>(found: &Placed<'_>, what: &str, words: &[(&str, T)]) -> Result<T, Flaw> {
    let names = || words.iter().map(|(name, _)| *name);
    let list = || names().collect::<Vec<_>>().join(", ");
    let Json::Text(text) = &found.value else { return expected(found, &format!("a {what}: {}", list())) };
    let text = plain(text);
    match words.iter().find(|(name, _)| *name == text) {
        Some((_, meaning)) => Ok(*meaning),
        None => {
            let message = format!(
                "found the {what} `{}`: expected one of {}{}",
                short(text),
                list(),
                did_you_mean(text, names())
            );
            Err(Flaw::new(found.range.clone(), message))
        }
    }
}

/// A value of a key; `None` if it is absent.
fn value(found: &Placed<'_>) -> Result<Option<Value>, Flaw> {
    Ok(Some(match &found.value {
        Json::Null => return Ok(None),
        Json::Truth(truth) => Value::from(truth.to_string().as_str()),
        Json::Number(digits) => Value::from(*digits),
        Json::Text(text) => Value::from(&**text),
        Json::List(items) => {
            // Each element ends with a comma: appending lists is appending bytes, and no element begins another.
            let mut bytes = String::new();
            for item in items {
                match &item.value {
                    Json::Null => bytes.push_str("null"),
                    Json::Truth(truth) => bytes.push_str(&truth.to_string()),
                    Json::Number(digits) => bytes.push_str(digits),
                    Json::Text(text) => bytes.push_str(&serde_json::Value::from(&**text).to_string()),
                    Json::List(_) | Json::Other(_) => {
                        return expected(item, "text or a whole number in a list");
                    }
                }
                bytes.push(',');
            }
            Value::from(bytes.as_str())
        }
        Json::Other(_) => return expected(found, "text, a whole number, a list or null"),
    }))
}

/// A value that is not absent.
fn present(found: &Placed<'_>) -> Result<Value, Flaw> {
    match value(found)? {
        Some(value) => Ok(value),
        None => expected(found, "a value, text or a number or a list (to make a key absent is `delete`)"),
    }
}

impl Event<'_> {
    fn missing<T>(&self, name: &str, why: &str) -> Result<T, Flaw> {
        let end = self.range.end.max(self.range.start + 1);
        let message = format!("found no `{name}`: expected the field `{name}`, {why}");
        Err(Flaw::new(end - 1..end, message))
    }

    fn no_seen(&self) -> Result<(), Flaw> {
        match &self.seen {
            Some(seen) => {
                let message = "found `seen`: expected it only where a cas fails, as what it saw instead";
                Err(Flaw::new(seen.range.clone(), message))
            }
            None => Ok(()),
        }
    }

    pub(super) fn key(&self) -> Result<Option<Value>, Flaw> {
        self.key.as_ref().map(present).transpose()
    }

    pub(super) fn key_range(&self) -> Range<usize> {
        self.key.as_ref().map_or_else(|| self.range.clone(), |key| key.range.clone())
    }

    /// Registers have no appends and no deletes.
    pub(super) fn only_of_register(&self) -> Result<(), Flaw> {
        match &self.op {
            Some((name @ ("append" | "delete"), range)) => {
                let message = format!(
                    "found `{name}`: expected get, put or cas, for a register has no more\nuse --model kv"
                );
                Err(Flaw::new(range.clone(), message))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What an invocation asks.
    pub(super) fn action(&self) -> Result<Action, Flaw> {
        self.no_seen()?;
        let Some((name, _)) = &self.op else { return self.missing("op", "for this is a call") };
        let written = || match &self.value {
            Some(value) => present(value),
            None => self.missing("value", &format!("what to {name}")),
        };
        match *name {
            "put" => Ok(Action::Put(written()?)),
            "append" => Ok(Action::Append(written()?)),
            "cas" => match &self.value {
                Some(value) => cas(value),
                None => self.missing("value", "the list [expected, new]"),
            },
            name => match &self.value {
                Some(value) if value.value != Json::Null => {
                    expected(value, &format!("no value: {name} is called without one"))
                }
                Some(_) | None => Ok(if name == "get" { Action::Get } else { Action::Delete }),
            },
        }
    }

    /// What a return says of the call.
    pub(super) fn outcome(&self, call: &Operation) -> Result<Outcome, Flaw> {
        let (line, asked) = (call.call.number, asked(&call.action));
        if let Some((name, range)) = &self.op
            && *name != call.action.name()
        {
            let message =
                format!("found the end of a {name}: expected that of the call on line {line}, {asked}");
            return Err(Flaw::new(range.clone(), message));
        }
        if let Some(key) = self.key()?.filter(|key| *key != call.key) {
            let message = format!("found the key {key}: expected {} as in the call on line {line}", call.key);
            return Err(Flaw::new(self.key_range(), message));
        }
        let is_cas = matches!(call.action, Action::Cas { .. });
        match self.kind {
            Kind::Invoke | Kind::Info => self.no_seen().map(|()| Outcome::Unknown),
            Kind::Fail => match &self.seen {
                Some(seen) if is_cas => Ok(Outcome::Mismatch(value(seen)?)),
                Some(_) | None => self.no_seen().map(|()| Outcome::Failed),
            },
            Kind::Ok => {
                self.no_seen()?;
                if call.action == Action::Get {
                    return match &self.value {
                        Some(read) => Ok(Outcome::Read(value(read)?)),
                        None => self.missing("value", "what was read (null if the key is absent)"),
                    };
                }
                self.repeats(call)?;
                Ok(Outcome::Done)
            }
        }
    }

    /// What was written may be said again, but not otherwise.
    fn repeats(&self, call: &Operation) -> Result<(), Flaw> {
        let Some(again) = self.value.as_ref().filter(|again| again.value != Json::Null) else {
            return Ok(());
        };
        let is_same = match &call.action {
            Action::Put(written) | Action::Append(written) => value(again)?.as_ref() == Some(written),
            Action::Cas { .. } => cas(again)? == call.action,
            Action::Get | Action::Delete => false,
        };
        if is_same {
            return Ok(());
        }
        let (line, asked) = (call.call.number, asked(&call.action));
        expected(again, &format!("nothing, or the value of the call on line {line}: {asked}"))
    }
}

fn cas(found: &Placed<'_>) -> Result<Action, Flaw> {
    let Json::List(items) = &found.value else { return expected(found, "a list of two, [expected, new]") };
    let [old, new] = items.as_slice() else { return expected(found, "a list of two, [expected, new]") };
    Ok(Action::Cas { expected: value(old)?, new: present(new)? })
}
