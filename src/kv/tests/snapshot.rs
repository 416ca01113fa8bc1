//! Snapshots: the same machine comes back, and nothing else comes from anything else.

use super::{KEY, append, apply, cas, get, open, put, value};
use crate::kv::machine::{Config, Machine};
use crate::kv::{Effect, Key, Operation, Response, RestoreError, SessionId};

/// A machine with a bit of everything: several keys, a session for each kind of response, and one that answered nothing.
fn rich() -> Machine {
    let mut machine = Machine::new(Config::new(16).expect("it is within the limit"));
    let delete = |key| Operation::Delete { key: Key(key) };
    machine.apply(1, b"x1");
    let story = [
        get(),
        append("0.1;"),
        get(),
        cas(Some("nothing like it"), "0.2;"),
        cas(Some("0.1;"), "0.3;"),
        Operation::Cas { key: Key(300), expected: Some(value("")), value: value("0.4;") },
        delete(7),
        delete(7),
        put("0.5;"),
        Operation::Put { key: Key(u32::MAX), value: value("") },
    ];
    for operation in story {
        let session = open(&mut machine);
        apply(&mut machine, session, session * 3, operation);
    }
    open(&mut machine);
    machine
}

#[test]
fn a_machine_comes_back_from_its_snapshot() {
    for machine in [Machine::default(), rich()] {
        let restored = Machine::restore(&machine.snapshot()).expect("it was written by a machine");
        assert_eq!(restored, machine);
        assert_eq!((restored.hash(), restored.snapshot()), (machine.hash(), machine.snapshot()));
    }
}

#[test]
fn equal_machines_have_equal_bytes_whatever_their_past() {
    let state = |order: [u32; 2]| {
        let mut machine = Machine::default();
        open(&mut machine);
        for (number, key) in (1..).zip(order) {
            apply(&mut machine, 1, number, Operation::Put { key: Key(key), value: value("v") });
        }
        machine
    };
    assert_eq!(state([1, 2]).snapshot(), state([2, 1]).snapshot());
    assert_ne!(state([1, 2]).snapshot(), state([1, 3]).snapshot());
}

#[test]
fn a_restored_machine_goes_on_as_the_original_would() {
    let (mut machine, story) = (rich(), [(2, 99, append("a")), (99, 1, get()), (4, 12, append("b"))]);
    let mut restored = Machine::restore(&machine.snapshot()).expect("it was written by a machine");
    for (session, number, operation) in story {
        let applied = apply(&mut machine, session, number, operation.clone());
        assert_eq!(apply(&mut restored, session, number, operation), applied);
        assert_eq!(restored.hash(), machine.hash());
    }
}

#[test]
fn a_retry_across_a_snapshot_is_a_duplicate_still() {
    let mut machine = Machine::default();
    open(&mut machine);
    let before = apply(&mut machine, 1, 1, append("a")).response;
    let mut restored = Machine::restore(&machine.snapshot()).expect("it was written by a machine");
    let again = apply(&mut restored, 1, 1, append("a"));
    assert_eq!(again.effect, Effect::Duplicate { session: SessionId(1), number: 1 });
    assert_eq!((again.response, restored.read(KEY)), (before, Some(&value("a"))));
}

#[test]
fn the_session_that_goes_next_is_the_same_after_a_snapshot() {
    let mut machine = Machine::new(Config::new(2).expect("it is within the limit"));
    let (first, second) = (open(&mut machine), open(&mut machine));
    apply(&mut machine, first, 1, get());
    let mut restored = Machine::restore(&machine.snapshot()).expect("it was written by a machine");
    open(&mut restored);
    assert_eq!(apply(&mut restored, second, 1, get()).response, Response::SessionExpired);
}

#[test]
fn what_restores_is_written_back_byte_for_byte() {
    let bytes = rich().snapshot();
    let (mut restored, mut refused) = (0u32, 0u32);
    let mut hashes = std::collections::BTreeMap::new();
    for place in 0..bytes.len() {
        assert!(Machine::restore(&bytes[..place]).is_err(), "cut at {place}");
        for byte in 0..=u8::MAX {
            let mut bytes = bytes.clone();
            bytes[place] = byte;
            match Machine::restore(&bytes) {
                Ok(machine) => {
                    assert_eq!(machine.snapshot(), bytes, "byte {place} is {byte}");
                    assert_eq!(machine.hash(), machine.hash_from_scratch());
                    // Whatever differs shows in the hash.
                    let before = hashes.insert(machine.hash(), bytes.clone());
                    assert!(before.is_none_or(|before| before == bytes), "byte {place} is {byte}");
                    restored += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(restored > 1_000 && refused > 1_000, "{restored} and {refused}");
}

#[test]
fn bytes_from_anywhere_give_an_error_and_cost_little() {
    let mut stream = sim_core::Stream::new(1, "hostile", 0);
    for length in 0..400 {
        let mut bytes = b"\xd7kv\x01".to_vec();
        bytes.extend((0..length).map(|_| u8::try_from(stream.below(256)).expect("it is a byte")));
        if let Ok(machine) = Machine::restore(&bytes) {
            assert_eq!(machine.snapshot(), bytes);
        }
    }
}

#[test]
fn a_snapshot_says_what_is_wrong_with_it() {
    // The header of an empty machine: sessions_max 1, nothing applied, nothing carried.
    let with = |rest: &[u8]| [&b"\xd7kv\x01\x01\x05\0\0\0\0\0\0\0\0"[..], rest].concat();
    let claims = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_eq!(Machine::restore(&with(b"\0\0")).map(|machine| machine.applied()), Ok(5));
    for (bytes, error) in [
        (Vec::new(), RestoreError::NotASnapshot),
        (b"\xd7kv\x02".to_vec(), RestoreError::NotASnapshot),
        (b"\xd7kv\x01\0".to_vec(), RestoreError::Malformed("header")),
        // As many keys, or as long a value, as there can be, and then none.
        (with(claims), RestoreError::Malformed("keys")),
        (with(&[&b"\x01\x07"[..], claims].concat()), RestoreError::Malformed("keys")),
        // Keys out of order, and twice.
        (with(b"\x02\x07\0\x06\0\0"), RestoreError::Malformed("keys")),
        (with(b"\x02\x07\0\x07\0\0"), RestoreError::Malformed("keys")),
        // More sessions than there may be; one opened by nothing; one active before it was opened, or in the future.
        (with(b"\0\x02\x01\x01\0\x02\x02\0"), RestoreError::Malformed("sessions")),
        (with(b"\0\x01\0\0\0"), RestoreError::Malformed("sessions")),
        (with(b"\0\x01\x02\x01\0"), RestoreError::Malformed("sessions")),
        (with(b"\0\x01\x02\x06\0"), RestoreError::Malformed("sessions")),
        // An unknown response.
        (with(b"\0\x01\x02\x02\x01\x09"), RestoreError::Malformed("sessions")),
        (with(b"\0\0\0"), RestoreError::Trailing),
    ] {
        assert_eq!(Machine::restore(&bytes).map_err(|found| (found, bytes.clone())), Err((error, bytes)));
    }
}
