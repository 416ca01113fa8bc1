//! `seaworthy show`: a trace file drawn.

use crate::cli::args::{Show, View};
use crate::cli::output::{Output, shown};
use crate::cli::{Exit, Failure, files};
use crate::record::{MessageFacts, Note};
use crate::view::{Detail, Heading, TableOptions, table};
use serde_json::Value;
use sim_core::ProcessId;
use sim_core::trace::Trace;

/// How large a trace may be, in bytes: it is drawn from memory.
const TRACE_MAX: u64 = 1 << 30;

pub(crate) fn show(args: &Show, output: &mut Output) -> Result<Exit, Failure> {
    let path = shown(&args.file);
    let bad = |message: String| Failure::new(Exit::BadInput, message);
    let text = files::read_text(&args.file, TRACE_MAX).map_err(|error| bad(format!("{path}: {error}")))?;
    let trace: Trace<MessageFacts, Note> =
        Trace::parse(&text).map_err(|error| bad(format!("{path}: {error}")))?;
    let processes = trace.header.processes;
    if processes == 0 || processes > ProcessId::COUNT_MAX {
        let most = ProcessId::COUNT_MAX;
        return Err(bad(format!("{path}: line 1: {processes} processes, expected 1 to {most}")));
    }
    if args.view == View::None {
        return Ok(Exit::Clean);
    }
    let word = |value: &Value| value.as_str().unwrap_or("?").to_string();
    let about = &trace.header.about;
    let end = trace.end.as_ref();
    let verdict = end.map_or_else(|| "CUT OFF".to_string(), |end| word(&end.about["verdict"]));
    let heading = Heading {
        name: word(&about["scenario"]["name"]),
        failed: verdict != "PASS",
        verdict,
        seed: word(&about["seed"]),
        digest: end.map(|end| end.digest.clone()).unwrap_or_default(),
        ended: trace.lines.last().map(|(stamp, _)| stamp.at).unwrap_or_default(),
    };
    let window = match (args.from, args.to) {
        (None, None) => None,
        (from, to) => Some(from.unwrap_or(1)..=to.unwrap_or(u64::MAX)),
    };
    let options = TableOptions {
        width: output.width,
        color: output.color,
        ascii: output.ascii,
        detail: if args.view == View::Full { Detail::Full } else { Detail::Folded },
        window,
        violation: end.and_then(|end| end.about["violations"][0]["record"].as_u64()),
    };
    output.raw(table(trace.header.processes, &trace.lines, &heading, &options).as_bytes())?;
    Ok(Exit::Clean)
}
