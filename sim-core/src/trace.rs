//! Traces: one JSON document a line. The first line is the header, the last the end, those between are records.
//!
//! ```text
//! {"format":"sim-core-trace","schema_version":2,"processes":3,"kinds":["Ping"],"timers":["retry"],"files":["log"],"about":{…}}
//! {"n":1,"t":0,"record":{"booted":{"process":0,"life":1}}}
//! {"end":{"records":1,"digest":"0123456789abcdef","about":{…}}}
//! ```
//!
//! `n` numbers the records from 1, `t` is virtual time in nanoseconds, `about` is whatever the writer says of the run.
//! 64-bit values that use their upper bits (digests, seeds) are hexadecimal strings, because JSON readers round large
//! numbers.

use crate::{Observer, Process, Record, Stamp, VirtualTime};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};

/// The version of the form of a trace. A reader refuses others.
pub const SCHEMA_VERSION: u32 = 2;
/// What a trace calls itself.
pub const FORMAT: &str = "sim-core-trace";

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`SCHEMA_VERSION`], in a trace that this version reads.
    pub schema_version: u32,
    /// How many processes there are.
    pub processes: u16,
    /// The names of the kinds of message.
    pub kinds: Vec<String>,
    /// The names of the timers.
    pub timers: Vec<String>,
    /// The names of the files of a process.
    pub files: Vec<String>,
    /// What the writer says of the run.
    pub about: serde_json::Value,
}

impl Header {
    /// The header of a trace of `processes` processes of type `P`.
    #[must_use]
    pub fn of<P: Process>(processes: u16, about: serde_json::Value) -> Self {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            format: FORMAT.to_string(),
            schema_version: SCHEMA_VERSION,
            processes,
            kinds: names(P::KINDS),
            timers: names(P::TIMERS),
            files: names(P::FILES),
            about,
        }
    }
}

/// A line between the first and the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line<R> {
    /// The record's number, from 1.
    pub n: u64,
    /// When it happened.
    pub t: VirtualTime,
    /// What happened.
    pub record: R,
}

/// The last line of a trace. One that lacks it was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How many records there are.
    pub records: u64,
    /// The digest of the run, 16 hexadecimal digits.
    pub digest: String,
    /// What the writer says of how it ended.
    pub about: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    end: End,
}

/// Writes a trace as it happens.
///
/// An error of the sink does not disturb the run: it is kept, nothing more is written, and [`Self::finish`] tells.
#[derive(Debug)]
pub struct TraceWriter<W: Write> {
    sink: W,
    outcome: io::Result<()>,
}

impl<W: Write> TraceWriter<W> {
    /// Writes the header.
    pub fn new(sink: W, header: &Header) -> Self {
        let mut writer = Self { sink, outcome: Ok(()) };
        writer.line(header);
        writer
    }

    fn line(&mut self, line: &impl Serialize) {
        if self.outcome.is_ok() {
            let written = serde_json::to_writer(&mut self.sink, line).map_err(io::Error::from);
            self.outcome = written.and_then(|()| self.sink.write_all(b"\n"));
        }
    }

    /// Writes the end and gives the sink back.
    ///
    /// # Errors
    ///
    /// The first error of the sink since the beginning.
    pub fn finish(mut self, end: End) -> io::Result<W> {
        self.line(&EndLine { end });
        self.outcome.and_then(|()| self.sink.flush())?;
        Ok(self.sink)
    }
}

impl<W: Write, F: Serialize + Clone, N: Serialize + Clone> Observer<F, N> for TraceWriter<W> {
    fn observe(&mut self, stamp: Stamp, record: &Record<F, N>) {
        self.line(&Line { n: stamp.number, t: stamp.at, record });
    }
}

/// A whole trace in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace<F, N> {
    /// The first line.
    pub header: Header,
    /// What happened.
    pub lines: Vec<(Stamp, Record<F, N>)>,
    /// The last line; none if the trace was cut off.
    pub end: Option<End>,
}

/// Why a text is not a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1; 0 for the line as a whole.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

impl core::fmt::Display for TraceError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column.max(1), self.message)
    }
}

impl core::error::Error for TraceError {}

impl<F: DeserializeOwned, N: DeserializeOwned> Trace<F, N> {
    /// Reads a trace. Records must be numbered without a gap and never go back in time.
    ///
    /// # Errors
    ///
    /// The first line that is not as it should be.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut rest = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let wrong = |line: usize, message: String| TraceError { line, column: 0, message };
        let json = |line: usize, error: &serde_json::Error| TraceError {
            line,
            column: error.column(),
            message: error.to_string(),
        };
        let (number, first) =
            rest.next().ok_or_else(|| wrong(1, "an empty file, not a trace".to_string()))?;
        let header: Header = serde_json::from_str(first).map_err(|error| json(number, &error))?;
        if header.format != FORMAT {
            return Err(wrong(number, format!("the format is {:?}, expected {FORMAT:?}", header.format)));
        }
        if header.schema_version != SCHEMA_VERSION {
            let found = header.schema_version;
            return Err(wrong(
                number,
                format!("schema version {found}: this program reads {SCHEMA_VERSION}"),
            ));
        }
        let mut trace = Self { header, lines: Vec::new(), end: None };
        let mut last = VirtualTime::ZERO;
        for (number, line) in rest {
            if trace.end.is_some() {
                return Err(wrong(number, "something follows the end".to_string()));
            }
            if line.starts_with("{\"end\"") {
                let EndLine { end } = serde_json::from_str(line).map_err(|error| json(number, &error))?;
                if end.records != trace.lines.len() as u64 {
                    let (told, found) = (end.records, trace.lines.len());
                    return Err(wrong(
                        number,
                        format!("the end tells of {told} records, but there are {found}"),
                    ));
                }
                trace.end = Some(end);
                continue;
            }
            let Line { n, t, record } = serde_json::from_str(line).map_err(|error| json(number, &error))?;
            let expected = trace.lines.len() as u64 + 1;
            if n != expected {
                return Err(wrong(number, format!("record {n}, expected record {expected}")));
            }
            if t < last {
                return Err(wrong(number, format!("time goes back from {last} to {t}")));
            }
            last = t;
            trace.lines.push((Stamp { number: n, at: t }, record));
        }
        Ok(trace)
    }
}
