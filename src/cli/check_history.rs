//! `seaworthy check-history`: is what clients saw linearizable?

use crate::cli::args::{CheckHistory, Format, ModelName};
use crate::cli::output::{Output, shown};
use crate::cli::{Exit, Failure};
use crate::linear::{
    Action, Checked, Explanation, History, Model, Moment, Operation, OperationId, Outcome, SIZE_MAX, Value,
    Verdict, check,
};
use serde_json::{Value as Json, json};
use std::io::Read;
use std::path::Path;

pub(crate) fn check_history(args: &CheckHistory, output: &mut Output) -> Result<Exit, Failure> {
    let model = match args.model {
        ModelName::Register => Model::register(),
        ModelName::Kv => Model::kv(),
    };
    let model = match &args.initial {
        Some(initial) => model.starting_with(Value::from(initial.as_str())),
        None => model,
    };
    // All files are read before any is judged: a mistake in the last is told at once.
    let mut histories = Vec::new();
    for path in &args.files {
        histories.push((name(path), read(path, &model, output)?));
    }
    for (name, history) in &histories {
        let says_little = |operation: &&Operation| {
            operation.outcome == Outcome::Failed && matches!(operation.action, Action::Cas { .. })
        };
        match history.operations().iter().filter(says_little).count() {
            0 => {}
            count => output
                .aside(&format!("{name}: {count} failed cas without `seen`: taken for not having happened")),
        }
    }
    let (mut violated, mut undecided) = (false, false);
    let mut documents = Vec::new();
    for (name, history) in &histories {
        let checked = check(history, &model, args.budget);
        match &checked.verdict {
            Verdict::Linearizable => {}
            Verdict::Violation(_) => violated = true,
            Verdict::Undecided { .. } => undecided = true,
        }
        if args.format == Format::Json {
            documents.push(document(name, history, &checked));
        } else if !output.quiet || checked.verdict != Verdict::Linearizable {
            output.line(&text(name, history, &checked))?;
        }
    }
    if args.format == Format::Json {
        let document = json!({
            "schema_version": 1,
            "tool_version": env!("CARGO_PKG_VERSION"),
            "histories": documents,
        });
        output.line(&document.to_string())?;
    }
    Ok(match (violated, undecided) {
        (true, _) => Exit::Violation,
        (false, true) => Exit::Undecided,
        (false, false) => Exit::Clean,
    })
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_string() } else { shown(path) }
}

fn read(path: &Path, model: &Model, output: &Output) -> Result<History, Failure> {
    let name = name(path);
    let mut bytes = Vec::new();
    // One byte more than allowed shows that it is too large, however large it is.
    let limit = u64::try_from(SIZE_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let taken = if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    taken.map_err(|error| Failure::new(Exit::BadInput, format!("{name}: cannot be read: {error}")))?;
    History::parse(&name, &bytes, model).map_err(|error| {
        let rendered = error.render(output.error_color(), output.width);
        Failure::new(Exit::BadInput, format!("{name}\n{}", rendered.trim_end()))
    })
}

/// "1 key", "2 keys".
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn text(name: &str, history: &History, checked: &Checked) -> String {
    let size = counted(history.operations().len(), "operation");
    match &checked.verdict {
        Verdict::Linearizable => {
            format!("PASS {name}  linearizable  {size} on {}", counted(checked.parts, "key"))
        }
        Verdict::Violation(explanation) => {
            let key = explanation.key.as_ref().map(|key| format!(" on key {key}")).unwrap_or_default();
            let mut text = format!(
                "FAIL {name}  not linearizable{key}  {} of {size}:\n{}",
                explanation.operations.len(),
                explanation.render(history)
            );
            if !explanation.reduced {
                text.push_str("\n  perhaps fewer would do: a larger --budget looks longer");
            }
            text
        }
        Verdict::Undecided { steps, keys } => {
            let keys = match keys.as_slice() {
                [] => String::new(),
                keys => format!(" on {}: {}", counted(keys.len(), "key"), list(keys)),
            };
            format!(
                "UNDECIDED {name}  no verdict in {steps} steps{keys}  a larger --budget may find one  {size}"
            )
        }
    }
}

/// The first keys of many.
fn list(keys: &[Value]) -> String {
    let mut words: Vec<String> = keys.iter().take(8).map(ToString::to_string).collect();
    if keys.len() > 8 {
        words.push("…".to_string());
    }
    words.join(", ")
}

fn document(name: &str, history: &History, checked: &Checked) -> Json {
    let mut document = json!({
        "file": name,
        "operations": history.operations().len(),
        "parts": checked.parts,
        "searched": checked.searched,
        "steps": checked.steps,
    });
    match &checked.verdict {
        Verdict::Linearizable => document["verdict"] = "linearizable".into(),
        Verdict::Violation(explanation) => {
            document["verdict"] = "violation".into();
            document["violation"] = violation(history, explanation);
        }
        Verdict::Undecided { keys, .. } => {
            document["verdict"] = "undecided".into();
            document["undecided_keys"] = keys.iter().map(|key| value(Some(key))).collect();
        }
    }
    document
}

fn violation(history: &History, explanation: &Explanation) -> Json {
    let moment = |moment: Moment| json!({ "event": moment.number, "time_ns": moment.at });
    let operation = |id: &OperationId| {
        let operation = &history.operations()[id.0];
        let mut document = json!({
            "process": operation.process,
            "op": operation.action.name(),
            "key": value(Some(&operation.key)),
            "call": moment(operation.call),
            "return": operation.end.map(moment),
        });
        let asked = match &operation.action {
            Action::Get | Action::Delete => None,
            Action::Put(written) | Action::Append(written) => Some(value(Some(written))),
            Action::Cas { expected, new } => Some(json!([value(expected.as_ref()), value(Some(new))])),
        };
        let (word, answer) = match &operation.outcome {
            Outcome::Unknown => ("unknown", None),
            Outcome::Read(read) => ("read", Some(value(read.as_ref()))),
            Outcome::Done => ("ok", None),
            Outcome::Mismatch(seen) => ("mismatch", Some(value(seen.as_ref()))),
            Outcome::Failed => ("failed", None),
        };
        document["outcome"] = word.into();
        document["asked"] = asked.into();
        document["answer"] = answer.into();
        document
    };
    json!({
        "key": explanation.key.as_ref().map(|key| value(Some(key))),
        "why": explanation.why,
        "reduced": explanation.reduced,
        "operations": explanation.operations.iter().map(operation).collect::<Vec<_>>(),
    })
}

/// A value as a text; null if absent. Bytes that are no text cannot come from a history file.
fn value(value: Option<&Value>) -> Json {
    value.map(|value| String::from_utf8_lossy(value.bytes()).into_owned()).into()
}
