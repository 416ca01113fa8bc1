//! Snapshots: a machine as bytes.
//!
//! Owns the format. Must not know when a snapshot is taken or where it goes.

use crate::kv::bytes::{Reader, put_bytes, put_number};
use crate::kv::command::{Key, SessionId};
use crate::kv::machine::{Config, Machine};
use crate::kv::response::Response;
use crate::kv::session::Session;
use crate::kv::value::Value;
use core::fmt;

/// Begins every snapshot; the last byte is the version of the format.
const MAGIC: [u8; 4] = *b"\xd7kv\x01";

/// Why bytes are not a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// They do not begin as a snapshot of this version does.
    NotASnapshot,
    /// What is named does not read as any machine writes it.
    Malformed(&'static str),
    /// Something follows the end.
    Trailing,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASnapshot => f.write_str("not a snapshot of this version"),
            Self::Malformed(part) => write!(f, "malformed {part} in a snapshot"),
            Self::Trailing => f.write_str("bytes after the end of a snapshot"),
        }
    }
}

impl core::error::Error for RestoreError {}

impl Machine {
    /// The machine as bytes: the same for equal machines, and different for others.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put_number(&mut out, u64::from(self.config.sessions_max()));
        put_number(&mut out, self.applied);
        out.extend(self.carried.to_le_bytes());
        put_number(&mut out, self.store.iter().len() as u64);
        for (key, value) in self.store.iter() {
            put_number(&mut out, u64::from(key.0));
            put_bytes(&mut out, value.as_slice());
        }
        put_number(&mut out, self.sessions.iter().len() as u64);
        for (id, session) in self.sessions.iter() {
            put_number(&mut out, id.0);
            put_number(&mut out, session.active);
            // No command has the number 0.
            put_number(&mut out, session.last.as_ref().map_or(0, |(number, _)| *number));
            if let Some((_, response)) = &session.last {
                put_response(&mut out, response);
            }
        }
        out
    }

    /// The machine that [`Self::snapshot`] wrote as `bytes`. It takes memory in proportion to the bytes, whatever they
    /// claim.
    ///
    /// # Errors
    ///
    /// For every other bytes. A snapshot that was changed into another machine's is that machine's: there is no checksum.
    pub fn restore(bytes: &[u8]) -> Result<Self, RestoreError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(RestoreError::NotASnapshot)?;
        let mut reader = Reader::new(rest);
        let machine = header(&mut reader).ok_or(RestoreError::Malformed("header"))?;
        let machine = keys(machine, &mut reader).ok_or(RestoreError::Malformed("keys"))?;
        let machine = sessions(machine, &mut reader).ok_or(RestoreError::Malformed("sessions"))?;
        if reader.is_empty() { Ok(machine) } else { Err(RestoreError::Trailing) }
    }
}

fn header(reader: &mut Reader<'_>) -> Option<Machine> {
    let config = Config::new(reader.small()?).ok()?;
    let applied = reader.number()?;
    let carried = u64::from_le_bytes(*reader.array()?);
    Some(Machine { applied, carried, ..Machine::new(config) })
}

fn keys(mut machine: Machine, reader: &mut Reader<'_>) -> Option<Machine> {
    let mut next = 0;
    for _ in 0..reader.number()? {
        let key = reader.small()?;
        if u64::from(key) < next {
            return None;
        }
        next = u64::from(key) + 1;
        machine.store.set(Key(key), Value::new(reader.bytes()?));
    }
    Some(machine)
}

fn sessions(mut machine: Machine, reader: &mut Reader<'_>) -> Option<Machine> {
    let count = reader.number()?;
    if count > u64::from(machine.config.sessions_max()) {
        return None;
    }
    let mut before = SessionId::NONE;
    for _ in 0..count {
        let id = SessionId(reader.number()?);
        let active = reader.number()?;
        if id <= before || active < id.0 || active > machine.applied {
            return None;
        }
        before = id;
        let last = match reader.number()? {
            0 => None,
            number => Some((number, response(reader)?)),
        };
        machine.sessions.put(id, Session { last, active });
    }
    Some(machine)
}

fn put_response(out: &mut Vec<u8>, response: &Response) {
    match response {
        Response::Value(None) => out.push(0),
        Response::Value(Some(value)) => {
            out.push(1);
            put_bytes(out, value.as_slice());
        }
        Response::Written => out.push(2),
        Response::Swapped => out.push(3),
        Response::Unswapped(None) => out.push(4),
        Response::Unswapped(Some(value)) => {
            out.push(5);
            put_bytes(out, value.as_slice());
        }
        Response::Length(length) => {
            out.push(6);
            put_number(out, *length);
        }
        Response::Deleted { existed: false } => out.push(7),
        Response::Deleted { existed: true } => out.push(8),
        Response::Opaque
        | Response::Opened { .. }
        | Response::Closed
        | Response::Stale
        | Response::SessionExpired => unreachable!("no session remembers {response}"),
    }
}

fn response(reader: &mut Reader<'_>) -> Option<Response> {
    Some(match reader.byte()? {
        0 => Response::Value(None),
        1 => Response::Value(Some(Value::new(reader.bytes()?))),
        2 => Response::Written,
        3 => Response::Swapped,
        4 => Response::Unswapped(None),
        5 => Response::Unswapped(Some(Value::new(reader.bytes()?))),
        6 => Response::Length(reader.number()?),
        7 => Response::Deleted { existed: false },
        8 => Response::Deleted { existed: true },
        _ => return None,
    })
}
