//! Tests of the machine, of clients, and of both over a bad channel.

mod channel;
mod client;
mod exactly_once;
mod model;
mod scripted;
mod session;
mod snapshot;
mod workload;

use crate::kv::{Applied, Command, Key, Machine, Operation, SessionId, Value};

const KEY: Key = Key(7);

fn value(text: &str) -> Value {
    Value::from(text)
}

fn put(text: &str) -> Operation {
    Operation::Put { key: KEY, value: value(text) }
}

fn append(text: &str) -> Operation {
    Operation::Append { key: KEY, value: value(text) }
}

fn cas(expected: Option<&str>, text: &str) -> Operation {
    Operation::Cas { key: KEY, expected: expected.map(value), value: value(text) }
}

fn get() -> Operation {
    Operation::Get { key: KEY }
}

/// Applies a command at the next index, and compares the two hashes.
fn apply(machine: &mut Machine, session: u64, number: u64, operation: Operation) -> Applied {
    let command = Command { session: SessionId(session), number, operation };
    let applied = machine.apply(machine.applied() + 1, &command.encode());
    assert_eq!(machine.hash(), machine.hash_from_scratch(), "after {command}");
    applied
}

/// Opens a session and says which.
fn open(machine: &mut Machine) -> u64 {
    apply(machine, 0, 0, Operation::OpenSession);
    machine.applied()
}
