//! The machine: what commands do, and how often.

use super::{KEY, append, apply, cas, get, open, put, value};
use crate::kv::machine::{Config, ConfigError, Machine, SESSIONS_MAX_LIMIT};
use crate::kv::{Applied, Effect, Key, Operation, Response, SessionId};

const S1: SessionId = SessionId(1);

fn executed(number: u64, response: Response) -> Applied {
    Applied { effect: Effect::Executed { session: S1, number }, response }
}

fn few(sessions_max: u32) -> Machine {
    Machine::new(Config::new(sessions_max).expect("it is within the limit"))
}

#[test]
fn a_session_is_named_by_the_index_at_which_it_was_opened() {
    let mut machine = Machine::default();
    for index in [1, 2] {
        let session = SessionId(index);
        let applied = apply(&mut machine, 0, 0, Operation::OpenSession);
        let effect = Effect::Opened { session, expired: None };
        assert_eq!(applied, Applied { effect, response: Response::Opened { session } });
    }
    assert_eq!((machine.sessions(), machine.applied()), (2, 2));
}

#[test]
fn every_operation_does_what_it_says() {
    let mut machine = Machine::default();
    open(&mut machine);
    let story = [
        (get(), Response::Value(None)),
        (append("a"), Response::Length(1)),
        (append("bc"), Response::Length(3)),
        (get(), Response::Value(Some(value("abc")))),
        (put("d"), Response::Written),
        (cas(Some("abc"), "e"), Response::Unswapped(Some(value("d")))),
        (cas(None, "e"), Response::Unswapped(Some(value("d")))),
        (cas(Some("d"), "e"), Response::Swapped),
        (get(), Response::Value(Some(value("e")))),
        (Operation::Delete { key: KEY }, Response::Deleted { existed: true }),
        (Operation::Delete { key: KEY }, Response::Deleted { existed: false }),
        (cas(Some("e"), "f"), Response::Unswapped(None)),
        (cas(None, "f"), Response::Swapped),
        (put(""), Response::Written),
        (cas(None, "g"), Response::Unswapped(Some(value("")))),
    ];
    for (number, (operation, response)) in (1..).zip(story) {
        assert_eq!(apply(&mut machine, 1, number, operation), executed(number, response));
    }
    assert_eq!((machine.read(KEY), machine.read(Key(8))), (Some(&value("")), None));
}

#[test]
fn a_repeated_command_gets_the_same_response_and_has_no_effect() {
    let mut machine = Machine::default();
    open(&mut machine);
    assert_eq!(apply(&mut machine, 1, 1, append("a")), executed(1, Response::Length(1)));
    for _ in 0..3 {
        let effect = Effect::Duplicate { session: S1, number: 1 };
        let applied = apply(&mut machine, 1, 1, append("a"));
        assert_eq!(applied, Applied { effect, response: Response::Length(1) });
    }
    assert_eq!(machine.read(KEY), Some(&value("a")));
    // What counts is the number, not the bytes: a new one with the same bytes is a new command.
    assert_eq!(apply(&mut machine, 1, 2, append("a")), executed(2, Response::Length(2)));
}

#[test]
fn a_remembered_value_is_the_one_of_then() {
    let mut machine = Machine::default();
    let (reader, writer) = (open(&mut machine), open(&mut machine));
    apply(&mut machine, writer, 1, put("a"));
    apply(&mut machine, reader, 1, get());
    apply(&mut machine, writer, 2, append("b"));
    let again = apply(&mut machine, reader, 1, get());
    assert_eq!(again.response, Response::Value(Some(value("a"))));
    assert_eq!(machine.read(KEY), Some(&value("ab")));
}

#[test]
fn a_number_below_the_last_is_stale_and_gaps_are_none_of_our_business() {
    let mut machine = Machine::default();
    open(&mut machine);
    assert_eq!(apply(&mut machine, 1, 5, put("a")), executed(5, Response::Written));
    for number in [1, 4] {
        let effect = Effect::Stale { session: S1, number };
        assert_eq!(
            apply(&mut machine, 1, number, put("late")),
            Applied { effect, response: Response::Stale }
        );
    }
    assert_eq!(machine.read(KEY), Some(&value("a")));
    assert_eq!(apply(&mut machine, 1, 9, get()), executed(9, Response::Value(Some(value("a")))));
}

#[test]
fn sessions_count_on_their_own() {
    let mut machine = Machine::default();
    let (first, second) = (open(&mut machine), open(&mut machine));
    for session in [first, second] {
        for number in [1, 2] {
            let effect = Effect::Executed { session: SessionId(session), number };
            assert_eq!(apply(&mut machine, session, number, append("x")).effect, effect);
        }
    }
    assert_eq!(machine.read(KEY), Some(&value("xxxx")));
}

#[test]
fn an_unknown_session_is_expired_and_does_nothing() {
    let mut machine = Machine::default();
    let effect = Effect::Expired { session: SessionId(9), number: 1 };
    let expired = Applied { effect, response: Response::SessionExpired };
    assert_eq!(apply(&mut machine, 9, 1, put("a")), expired);
    assert_eq!(machine.read(KEY), None);
}

#[test]
fn the_least_recently_active_session_goes_when_there_are_too_many() {
    let mut machine = few(2);
    let (first, second) = (open(&mut machine), open(&mut machine));
    // The older session was active last: it stays.
    apply(&mut machine, first, 1, get());
    let applied = apply(&mut machine, 0, 0, Operation::OpenSession);
    let third = SessionId(machine.applied());
    assert_eq!(applied.effect, Effect::Opened { session: third, expired: Some(SessionId(second)) });
    // A duplicate is a sign of life too.
    apply(&mut machine, first, 1, get());
    assert_eq!(apply(&mut machine, 0, 0, Operation::OpenSession).effect, {
        Effect::Opened { session: SessionId(machine.applied()), expired: Some(third) }
    });
    assert_eq!(machine.sessions(), 2);
    assert_eq!(apply(&mut machine, second, 1, get()).response, Response::SessionExpired);
    assert!(matches!(apply(&mut machine, first, 2, get()).effect, Effect::Executed { .. }));
}

#[test]
fn a_retry_after_its_session_expired_is_not_applied_again() {
    let mut machine = few(1);
    let session = open(&mut machine);
    apply(&mut machine, session, 1, append("a"));
    open(&mut machine);
    let effect = Effect::Expired { session: SessionId(session), number: 1 };
    let retried = apply(&mut machine, session, 1, append("a"));
    assert_eq!(retried, Applied { effect, response: Response::SessionExpired });
    assert_eq!(machine.read(KEY), Some(&value("a")));
}

#[test]
fn a_closed_session_is_gone() {
    let mut machine = Machine::default();
    open(&mut machine);
    apply(&mut machine, 1, 2, put("a"));
    let close = || Operation::CloseSession;
    assert_eq!(apply(&mut machine, 1, 1, close()).effect, Effect::Stale { session: S1, number: 1 });
    assert_eq!(machine.sessions(), 1);
    assert_eq!(apply(&mut machine, 1, 3, close()), executed(3, Response::Closed));
    assert_eq!(machine.sessions(), 0);
    assert_eq!(apply(&mut machine, 1, 3, close()).response, Response::SessionExpired);
}

#[test]
fn opaque_bytes_change_the_hash_and_nothing_else() {
    let mut machine = Machine::default();
    open(&mut machine);
    apply(&mut machine, 1, 1, put("a"));
    let before = machine.clone();
    let mut hashes = std::collections::BTreeSet::from([machine.hash()]);
    for bytes in [&b""[..], b"x1", b"x1", b"\xd7\x01\xff", b"sixteen bytes...", b"more than sixteen bytes"] {
        let applied = machine.apply(machine.applied() + 1, bytes);
        assert_eq!(applied, Applied { effect: Effect::Opaque, response: Response::Opaque });
        assert!(hashes.insert(machine.hash()), "{bytes:x?} leaves no mark");
        assert_eq!(machine.hash(), machine.hash_from_scratch());
    }
    let (applied, carried) = (machine.applied, machine.carried);
    assert_eq!(machine, Machine { applied, carried, ..before });
}

#[test]
fn machines_carried_different_entries_do_not_look_alike() {
    let carried = |entries: [&[u8]; 2]| {
        let mut machine = Machine::default();
        for (index, bytes) in (1..).zip(entries) {
            machine.apply(index, bytes);
        }
        machine.hash()
    };
    let base = carried([b"x1", b"x2"]);
    for entries in [[b"x2", b"x1"], [b"x1", b"x1"], [b"x1", b"x3"]] {
        assert_ne!(carried(entries.map(|entry| entry.as_slice())), base);
    }
}

#[test]
fn the_hash_is_of_the_state_and_not_of_the_way_there() {
    // Two keys, written in either order; the sessions and the number of entries end up the same.
    let state = |order: [u32; 2]| {
        let mut machine = Machine::default();
        open(&mut machine);
        for (number, key) in (1..).zip(order) {
            let value = value(&format!("of {key}"));
            apply(&mut machine, 1, number, Operation::Put { key: Key(key), value });
        }
        machine
    };
    let (one, other) = (state([1, 2]), state([2, 1]));
    assert_eq!((one.hash(), &one), (other.hash(), &other));
    // The same value at another key, or another value at the same one.
    assert_ne!(state([1, 3]).hash(), one.hash());
    assert_ne!(few(3).hash(), few(4).hash());
}

#[test]
fn the_hash_is_fixed() {
    let mut machine = few(8);
    open(&mut machine);
    apply(&mut machine, 1, 1, append("0.1;"));
    machine.apply(3, b"x1");
    apply(&mut machine, 1, 2, cas(None, "0.2;"));
    assert_eq!(machine.hash(), 0xbf3e_17f0_caad_58a0);
}

#[test]
fn a_machine_holds_at_least_one_session_and_not_too_many() {
    for sessions_max in [0, SESSIONS_MAX_LIMIT + 1] {
        assert_eq!(Config::new(sessions_max), Err(ConfigError(sessions_max)));
    }
    for sessions_max in [1, SESSIONS_MAX_LIMIT] {
        assert_eq!(Config::new(sessions_max).map(Config::sessions_max), Ok(sessions_max));
    }
}
