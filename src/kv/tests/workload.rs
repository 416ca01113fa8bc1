//! Workloads: what can be written, and what makes no sense.

use crate::kv::{Mix, ReadMix, Workload};
use serde_json::json;
use sim_core::Span;

fn read(text: &str) -> Result<Workload, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn wrong(workload: &Workload) -> Vec<String> {
    let told = workload.check();
    told.into_iter().map(|wrong| format!("{}: {}", wrong.path.join("."), wrong.problem)).collect()
}

#[test]
fn a_workload_is_read_as_it_was_written() {
    let workload = Workload {
        clients: 3,
        mix: Mix { get: 0, put: 1, cas: 0, append: 0, delete: 7 },
        reads: ReadMix { log: 0, read_index: 1, lease: 2, follower: 3, local: 4 },
        think: (Span::from_millis(1), Span::from_micros(1_500)),
        start: Span::from_secs(1),
        ..Workload::default()
    };
    for workload in [workload, Workload::default()] {
        let text = serde_json::to_string(&workload).expect("it can be written");
        assert_eq!(read(&text), Ok(workload), "{text}");
    }
}

#[test]
fn what_is_not_said_is_as_by_default_but_a_mix_says_it_all() {
    assert_eq!(read("{}"), Ok(Workload::default()));
    let workload = read(r#"{"mix": {"append": 2}, "reads": {"lease": 1}, "think": ["1ms", "2ms"]}"#);
    let expected = Workload {
        mix: Mix { get: 0, put: 0, cas: 0, append: 2, delete: 0 },
        reads: ReadMix { log: 0, read_index: 0, lease: 1, follower: 0, local: 0 },
        think: (Span::from_millis(1), Span::from_millis(2)),
        ..Workload::default()
    };
    assert_eq!(workload, Ok(expected));
}

#[test]
fn what_cannot_be_read_says_what_was_expected() {
    for (text, expected) in [
        (r#"{"client": 3}"#, "unknown field `client`"),
        (r#"{"mix": {"swap": 3}}"#, "unknown field `swap`"),
        (r#"{"timeout": 200}"#, "expected a duration with its unit"),
        (r#"{"timeout": "200"}"#, "a duration needs a unit"),
        (r#"{"timeout": "107000d"}"#, "longer than the clock can count"),
        (r#"{"think": "1ms"}"#, "the shortest and the longest duration"),
        (r#"{"think": ["1ms"]}"#, "the shortest and the longest duration"),
        (r#"{"think": ["1ms", "2ms", "3ms"]}"#, "the shortest and the longest duration"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn the_bounds_are_inside_and_what_lies_beyond_is_told() {
    let least = Workload {
        clients: 1,
        operations: 1,
        keys: 1,
        mix: Mix { get: 0, put: 1, cas: 0, append: 0, delete: 0 },
        reads: ReadMix { log: 0, read_index: 0, lease: 0, follower: 0, local: 0 },
        think: (Span::ZERO, Span::ZERO),
        timeout: Span::from_nanos(1),
        give_up: Span::from_nanos(1),
        start: Span::ZERO,
    };
    let hundred_days = Span::from_secs(100 * 86_400);
    let most = Workload {
        clients: 64,
        operations: 1_000_000,
        keys: 10_000,
        mix: Mix { get: 1_000_000, put: 1_000_000, cas: 1_000_000, append: 1_000_000, delete: 1_000_000 },
        reads: ReadMix {
            log: 1_000_000,
            read_index: 1_000_000,
            lease: 1_000_000,
            follower: 1_000_000,
            local: 1_000_000,
        },
        think: (hundred_days, hundred_days),
        timeout: hundred_days,
        give_up: hundred_days,
        start: hundred_days,
    };
    for workload in [Workload::default(), least, most] {
        assert_eq!(wrong(&workload), Vec::<String>::new());
    }
    let beyond = Workload {
        clients: 65,
        operations: 0,
        keys: 10_001,
        mix: Mix { get: 1_000_001, ..Mix::default() },
        reads: ReadMix { log: 0, read_index: 0, lease: 0, follower: 0, local: 0 },
        think: (hundred_days.plus(Span::from_nanos(1)), Span::ZERO),
        timeout: Span::ZERO,
        ..Workload::default()
    };
    assert_eq!(
        wrong(&beyond),
        [
            "clients: 65 is out of range: expected 1 to 64",
            "operations: 0 is out of range: expected 1 to 1000000",
            "keys: 10001 is out of range: expected 1 to 10000",
            "mix.get: 1000001 is out of range: expected 0 to 1000000",
            "reads: no way of reading has any weight: expected at least one above 0, since there are gets",
            "think: the range is reversed, 8640000000000001ns to 0ms: expected the shorter duration first",
            "think: 8640000000000001ns is too long: expected at most 100d",
            "timeout: no time at all: expected more than 0",
        ]
    );
    let idle = Mix { get: 0, put: 0, cas: 0, append: 0, delete: 0 };
    let hasty = Workload { mix: idle, give_up: Span::from_millis(199), ..Workload::default() };
    assert_eq!(
        wrong(&hasty),
        [
            "mix: no operation has any weight: expected at least one above 0",
            "give_up: 199ms is below the timeout (200ms): expected at least as long",
        ]
    );
}

#[test]
fn reads_that_may_be_stale_are_drawn_only_where_a_mix_says_so() {
    assert_eq!(ReadMix::default().local, 0);
    let others = read(r#"{"reads": {"log": 1, "read_index": 1, "lease": 1, "follower": 1}}"#);
    assert_eq!(others.map(|workload| workload.reads.local), Ok(0));
    let local = read(r#"{"reads": {"local": 1}}"#).expect("it can be read");
    assert_eq!((local.reads.weights(), wrong(&local)), ([0, 0, 0, 0, 1], Vec::new()));
}

#[test]
fn the_schema_has_the_bounds_and_the_forms() {
    let schema = schemars::schema_for!(Workload).to_value();
    let properties = &schema["properties"];
    assert_eq!(schema["additionalProperties"], json!(false));
    for (field, least, most) in [("clients", 1, 64), ("operations", 1, 1_000_000), ("keys", 1, 10_000)] {
        assert_eq!(
            (&properties[field]["minimum"], &properties[field]["maximum"]),
            (&json!(least), &json!(most))
        );
    }
    assert_eq!(properties["timeout"]["type"], "string");
    assert_eq!(properties["think"]["items"]["pattern"], properties["timeout"]["pattern"]);
    let documented = properties.as_object().expect("it has fields");
    assert!(documented.values().all(|field| field["description"].is_string()), "{properties}");
}
