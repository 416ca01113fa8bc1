//! `seaworthy show`: a trace file drawn, or written as other tools read it.

use crate::cli::args::{Show, ShowFormat, View};
use crate::cli::output::{Output, shown};
use crate::cli::{Exit, Failure, files};
use crate::record::{MessageFacts, Note};
use crate::view::{Detail, Heading, TableOptions, chrome, mermaid, shiviz, table};
use serde_json::{Value, json};
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
    let word = |value: &Value| value.as_str().unwrap_or("?").to_string();
    let window = match (args.from, args.to) {
        (None, None) => None,
        (from, to) => Some(from.unwrap_or(1)..=to.unwrap_or(u64::MAX)),
    };
    let about = &trace.header.about;
    let end = trace.end.as_ref();
    let violation = end.and_then(|end| end.about["violations"][0]["record"].as_u64());
    // What comes before the window says who is who in it, so the lines are cut here only where that is not asked.
    let is_in = |number: u64| window.as_ref().is_none_or(|window| window.contains(&number));
    let drawn = match args.format {
        ShowFormat::Table if args.view == View::None => return Ok(Exit::Clean),
        ShowFormat::Table => None,
        ShowFormat::Mermaid => Some(mermaid(processes, &trace.lines, window.as_ref(), violation)),
        ShowFormat::Shiviz => {
            let lines: Vec<_> =
                trace.lines.iter().filter(|(stamp, _)| is_in(stamp.number)).cloned().collect();
            Some(shiviz(processes, &lines))
        }
        ShowFormat::Chrome => {
            let last = window.as_ref().map_or(u64::MAX, |window| *window.end());
            let lines: Vec<_> =
                trace.lines.iter().filter(|(stamp, _)| stamp.number <= last).cloned().collect();
            Some(chrome(processes, &lines) + "\n")
        }
        ShowFormat::Json => {
            let lines = trace.lines.iter().filter(|(stamp, _)| is_in(stamp.number));
            let records: Vec<Value> = lines
                .map(|(stamp, record)| json!({ "n": stamp.number, "t": stamp.at, "record": record }))
                .collect();
            let document =
                json!({ "schema_version": 1, "header": trace.header, "records": records, "end": end });
            Some(format!("{document}\n"))
        }
    };
    if let Some(drawn) = drawn {
        output.raw(drawn.as_bytes())?;
        return Ok(Exit::Clean);
    }
    let verdict = end.map_or_else(|| "CUT OFF".to_string(), |end| word(&end.about["verdict"]));
    let heading = Heading {
        name: word(&about["scenario"]["name"]),
        failed: verdict != "PASS",
        verdict,
        seed: word(&about["seed"]),
        digest: end.map(|end| end.digest.clone()).unwrap_or_default(),
        ended: trace.lines.last().map(|(stamp, _)| stamp.at).unwrap_or_default(),
    };
    let options = TableOptions {
        width: output.width,
        color: output.color,
        ascii: output.ascii,
        detail: if args.view == View::Full { Detail::Full } else { Detail::Folded },
        window,
        violation,
    };
    output.raw(table(trace.header.processes, &trace.lines, &heading, &options).as_bytes())?;
    Ok(Exit::Clean)
}
