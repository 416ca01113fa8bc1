//! A history as a file, and read back from it as the tool does.

use seaworthy::linear::{Action, History, Model, Operation, Outcome, Value};
use serde_json::{Value as Json, json};

/// The history that the tool reads from the file of this one: the same, event by event.
pub(crate) fn read_back(history: &History, model: &Model) -> History {
    let file = lines(history);
    let read =
        History::parse("history", file.as_bytes(), model).unwrap_or_else(|error| panic!("{error}\n{file}"));
    assert_eq!(read.operations(), history.operations(), "{file}");
    read
}

/// One event a line, each on the line of its number: a line without one, for an end of which nobody knows anything, says so.
fn lines(history: &History) -> String {
    let events = history.operations().iter().flat_map(|operation| {
        let end = operation.end.map(|end| (end.number, returned(operation)));
        [Some((operation.call.number, called(operation))), end].into_iter().flatten()
    });
    let mut events: Vec<(u64, Json)> = events.collect();
    events.sort_by_key(|(number, _)| *number);
    let (mut file, mut line) = (String::new(), 0);
    for (number, event) in events {
        (line + 1..number).for_each(|_| file.push_str("// nobody knows\n"));
        file.push_str(&format!("{event}\n"));
        line = number;
    }
    file
}

fn called(operation: &Operation) -> Json {
    let value = match &operation.action {
        Action::Get | Action::Delete => Json::Null,
        Action::Put(value) | Action::Append(value) => text(value),
        Action::Cas { expected, new } => json!([maybe(expected.as_ref()), text(new)]),
    };
    let mut event = event(operation, "invoke", operation.call.at.nanos());
    event["key"] = text(&operation.key);
    if value != Json::Null {
        event["value"] = value;
    }
    event
}

fn returned(operation: &Operation) -> Json {
    let at = operation.end.expect("it has returned").at.nanos();
    match &operation.outcome {
        Outcome::Read(value) => {
            let mut event = event(operation, "ok", at);
            event["value"] = maybe(value.as_ref());
            event
        }
        Outcome::Done => event(operation, "ok", at),
        Outcome::Mismatch(seen) => {
            let mut event = event(operation, "fail", at);
            event["seen"] = maybe(seen.as_ref());
            event
        }
        Outcome::Failed => event(operation, "fail", at),
        Outcome::Unknown => unreachable!("what has returned is known"),
    }
}

fn event(operation: &Operation, what: &str, time: u64) -> Json {
    json!({ "process": operation.process, "type": what, "op": operation.action.name(), "time": time })
}

fn text(value: &Value) -> Json {
    Json::from(core::str::from_utf8(value.bytes()).expect("drawn values are text"))
}

fn maybe(value: Option<&Value>) -> Json {
    value.map_or(Json::Null, text)
}
