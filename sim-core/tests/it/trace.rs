//! Traces are written and read back, and what is not a trace says why.

use crate::common::{Beater, Habits, Line, Note, P, Said, at, ms};
use sim_core::trace::{End, Header, Trace, TraceWriter};
use sim_core::{Fault, Latency, LinkQuality, Ratio, Record, Settings, Simulation};

type Run = Simulation<Beater, (Vec<Line>, TraceWriter<Vec<u8>>)>;

fn trace() -> (Vec<Line>, String) {
    let link = LinkQuality {
        latency: Latency::Uniform(ms(1), ms(9)),
        loss: Ratio::from_percent(10),
        duplicate: Ratio::from_percent(10),
        ..LinkQuality::default()
    };
    let settings = Settings { link, ..Settings::default() };
    let habits = vec![Habits { writes: true, panics_at: Some(30), ..Habits::default() }; 4];
    let header = Header::of::<Beater>(4, serde_json::json!({ "seed": "0x1" }));
    let mut run: Run =
        Simulation::new(&settings, habits, 1, (Vec::new(), TraceWriter::new(Vec::new(), &header)));
    run.boot_all();
    run.mark("a mark");
    run.run_until(at(100));
    let cut = Fault::Partition { groups: vec![vec![P(0)]], in_flight: sim_core::InFlight::Drop };
    run.inject(&cut).expect("a partition of one");
    run.inject(&Fault::Crash { process: P(1) }).expect("process 1 exists");
    let when = sim_core::CrashPoint::Torn;
    run.inject(&Fault::CrashAtComing { process: P(0), coming: 7, when }).expect("process 0 exists");
    run.inject(&Fault::FailSync { process: P(2), nth: 1, unsynced: sim_core::Unsynced::Gone })
        .expect("process 2 exists");
    run.run_until(at(400));
    let end = End {
        records: run.records(),
        digest: format!("{:016x}", run.digest()),
        about: serde_json::Value::Null,
    };
    let (lines, writer) = run.into_observer();
    let text = writer.finish(end).expect("memory takes everything");
    (lines, String::from_utf8(text).expect("JSON is UTF-8"))
}

fn parse(text: &str) -> Result<Trace<Said, Note>, String> {
    Trace::parse(text).map_err(|error| error.to_string())
}

#[test]
fn a_trace_is_read_back_as_it_happened() {
    let (lines, text) = trace();
    let trace = parse(&text).unwrap();
    assert_eq!(trace.lines, lines);
    assert_eq!(trace.header.kinds, ["Tell", "Answer"]);
    assert_eq!(trace.header.files, ["last"]);
    assert_eq!(trace.end.unwrap().records, lines.len() as u64);
    let tells = |is_it: fn(&Record<Said, Note>) -> bool| lines.iter().any(|(_, record)| is_it(record));
    assert!(tells(|record| matches!(record, Record::Panicked { .. })));
    assert!(tells(|record| matches!(record, Record::WriteFailed { .. })));
    assert!(tells(|record| matches!(record, Record::Crashed { operation: Some(_), .. })));
}

#[test]
fn a_trace_that_was_cut_off_is_read_up_to_there() {
    let (_, text) = trace();
    let cut = &text[..text.find("\n{\"end\"").unwrap()];
    assert!(parse(cut).unwrap().end.is_none());
}

#[test]
fn what_is_not_a_trace_says_where_and_why() {
    let (_, text) = trace();
    let lines: Vec<&str> = text.lines().collect();
    let with = |number: usize, line: &str| {
        let mut lines = lines.clone();
        lines[number] = line;
        lines.join("\n")
    };
    for (text, expected) in [
        (String::new(), "line 1, column 1: an empty file"),
        ("{}".to_string(), "line 1, column 2: missing field"),
        (with(0, &lines[0].replace("sim-core-trace", "other")), "line 1, column 1: the format is \"other\""),
        (with(0, &lines[0].replace("version\":2", "version\":9")), "line 1, column 1: schema version 9"),
        (with(2, lines[1]), "line 3, column 1: record 1, expected record 2"),
        (with(3, "{\"n\":3,\"t\":-1,\"record\":{}}"), "line 4, column 13: invalid value"),
        (with(3, "nonsense"), "line 4, column 2: expected ident"),
        (format!("{text}{}", lines[1]), "something follows the end"),
        (lines[..3].join("\n") + "\n" + lines.last().unwrap(), "the end tells of"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(expected), "{error:?} does not contain {expected:?}");
    }
}

#[test]
fn a_sink_that_fails_is_told_of_at_the_end() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let writer = TraceWriter::new(Full, &Header::of::<Beater>(1, serde_json::Value::Null));
    let end = End { records: 0, digest: String::new(), about: serde_json::Value::Null };
    assert_eq!(writer.finish(end).err().unwrap().to_string(), "disk full");
}
