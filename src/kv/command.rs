//! What is asked of the machine, and how it is written into a log.
//!
//! Owns commands and their bytes. Must not know what they do.

use crate::kv::bytes::{Reader, put_bytes, put_number};
use crate::kv::value::Value;
use core::fmt;

/// A session, named by the log index at which the command that opened it was applied (Ongaro, "Consensus: bridging
/// theory and practice", §6.3). No session has the number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl SessionId {
    /// Stands in a command that has no session yet.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// A key, written `k7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u32);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k{}", self.0)
    }
}

/// What a command does when it takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Opens a session.
    OpenSession,
    /// Closes the session of the command.
    CloseSession,
    /// Reads a key.
    Get {
        /// The key.
        key: Key,
    },
    /// Gives a key a value, whatever it held.
    Put {
        /// The key.
        key: Key,
        /// What it holds from now on.
        value: Value,
    },
    /// Gives a key a value if it holds what is expected.
    Cas {
        /// The key.
        key: Key,
        /// What it must hold; `None`: nothing.
        expected: Option<Value>,
        /// What it holds from now on.
        value: Value,
    },
    /// Puts a value at the end of what a key holds; an absent key counts as empty.
    Append {
        /// The key.
        key: Key,
        /// What is put at the end.
        value: Value,
    },
    /// Takes a key's value away.
    Delete {
        /// The key.
        key: Key,
    },
}

impl Operation {
    /// The key that it is about.
    #[must_use]
    pub const fn key(&self) -> Option<Key> {
        match self {
            Self::OpenSession | Self::CloseSession => None,
            Self::Get { key }
            | Self::Put { key, .. }
            | Self::Cas { key, .. }
            | Self::Append { key, .. }
            | Self::Delete { key } => Some(*key),
        }
    }
}

/// A command of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The session; [`SessionId::NONE`] in [`Operation::OpenSession`] and nowhere else.
    pub session: SessionId,
    /// Its place among the commands of the session: 1 or more, and more than all before. Gaps are allowed. The number
    /// of [`Operation::OpenSession`] means nothing and may be 0: it tells otherwise equal bytes apart.
    pub number: u64,
    /// What it does.
    pub operation: Operation,
}

/// The first byte of every command: no ASCII and no UTF-8 text begins with it.
const MAGIC: u8 = 0xd7;
/// Follows [`MAGIC`]; raised when the encoding changes.
const VERSION: u8 = 1;

impl Command {
    /// Whether `bytes` could be a command: one look at the first byte.
    #[inline]
    #[must_use]
    pub fn may_be(bytes: &[u8]) -> bool {
        bytes.first() == Some(&MAGIC)
    }

    /// The command as bytes: magic byte, version, operation, session, number and key as LEB128, then values, of which
    /// the last has no length of its own. A put of a short value takes about 15 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        out.extend([MAGIC, VERSION, self.tag()]);
        put_number(&mut out, self.session.0);
        put_number(&mut out, self.number);
        if let Some(key) = self.operation.key() {
            put_number(&mut out, u64::from(key.0));
        }
        match &self.operation {
            Operation::Cas { expected, value, .. } => {
                if let Some(expected) = expected {
                    put_bytes(&mut out, expected.as_slice());
                }
                out.extend_from_slice(value.as_slice());
            }
            Operation::Put { value, .. } | Operation::Append { value, .. } => {
                out.extend_from_slice(value.as_slice());
            }
            Operation::OpenSession
            | Operation::CloseSession
            | Operation::Get { .. }
            | Operation::Delete { .. } => {}
        }
        out
    }

    const fn tag(&self) -> u8 {
        match &self.operation {
            Operation::OpenSession => 0,
            Operation::CloseSession => 1,
            Operation::Get { .. } => 2,
            Operation::Put { .. } => 3,
            Operation::Cas { expected: None, .. } => 4,
            Operation::Cas { expected: Some(_), .. } => 5,
            Operation::Append { .. } => 6,
            Operation::Delete { .. } => 7,
        }
    }

    /// The command that [`Self::encode`] wrote as `bytes`; `None` for bytes that it writes for no command.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != MAGIC || reader.byte()? != VERSION {
            return None;
        }
        let tag = reader.byte()?;
        let session = SessionId(reader.number()?);
        let number = reader.number()?;
        let mut key = || reader.small().map(Key);
        let operation = match tag {
            0 => Operation::OpenSession,
            1 => Operation::CloseSession,
            2 => Operation::Get { key: key()? },
            3 => Operation::Put { key: key()?, value: Value::new(reader.rest()) },
            4 => Operation::Cas { key: key()?, expected: None, value: Value::new(reader.rest()) },
            5 => {
                let (key, expected) = (key()?, Some(Value::new(reader.bytes()?)));
                Operation::Cas { key, expected, value: Value::new(reader.rest()) }
            }
            6 => Operation::Append { key: key()?, value: Value::new(reader.rest()) },
            7 => Operation::Delete { key: key()? },
            _ => return None,
        };
        let named = if operation == Operation::OpenSession {
            session == SessionId::NONE
        } else {
            session != SessionId::NONE && number > 0
        };
        (named && reader.is_empty()).then_some(Self { session, number, operation })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenSession => f.write_str("open session"),
            Self::CloseSession => f.write_str("close session"),
            Self::Get { key } => write!(f, "get {key}"),
            Self::Put { key, value } => write!(f, "put {key}={value}"),
            Self::Cas { key, expected: None, value } => write!(f, "cas {key} absent->{value}"),
            Self::Cas { key, expected: Some(expected), value } => write!(f, "cas {key} {expected}->{value}"),
            Self::Append { key, value } => write!(f, "append {key}+={value}"),
            Self::Delete { key } => write!(f, "delete {key}"),
        }
    }
}

impl fmt::Display for Command {
    /// On one line, as a person would write it: `s12#3 put k7=0.5;`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.session == SessionId::NONE {
            self.operation.fmt(f)
        } else {
            write!(f, "{}#{} {}", self.session, self.number, self.operation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Command> {
        let (key, value) = (Key(7), Value::from("0.5;"));
        let expected = Some(Value::from(""));
        let operations = [
            Operation::CloseSession,
            Operation::Get { key: Key(u32::MAX) },
            Operation::Put { key, value: value.clone() },
            Operation::Put { key, value: Value::from("") },
            Operation::Cas { key, expected: None, value: value.clone() },
            Operation::Cas { key, expected, value: value.clone() },
            Operation::Cas { key, expected: Some(value.clone()), value: Value::from("") },
            Operation::Append { key, value },
            Operation::Delete { key },
        ];
        let command = |operation| Command { session: SessionId(300), number: 3, operation };
        let mut samples: Vec<Command> = operations.map(command).into();
        let open = |number| Command { session: SessionId::NONE, number, operation: Operation::OpenSession };
        samples.extend([open(0), open(u64::MAX)]);
        samples
    }

    #[test]
    fn a_command_is_read_as_it_was_written() {
        for command in samples() {
            let bytes = command.encode();
            assert!(Command::may_be(&bytes));
            assert_eq!(Command::decode(&bytes), Some(command), "{bytes:x?}");
        }
    }

    #[test]
    fn the_bytes_are_fixed_and_short() {
        let (key, value) = (Key(7), Value::from("0.5;"));
        let put = Command { session: SessionId(300), number: 3, operation: Operation::Put { key, value } };
        assert_eq!(put.encode(), b"\xd7\x01\x03\xac\x02\x03\x070.5;");
        let (key, value) = (Key(9_999), Value::from("1048575.999999;"));
        let operation = Operation::Put { key, value };
        let long = Command { session: SessionId(1 << 40), number: 999_999, operation };
        assert!(long.encode().len() <= 40, "{}", long.encode().len());
    }

    #[test]
    fn what_reads_as_a_command_is_written_back_byte_for_byte() {
        let mut read = 0u32;
        for command in samples() {
            let bytes = command.encode();
            for place in 0..bytes.len() {
                for byte in 0..=u8::MAX {
                    let mut bytes = bytes.clone();
                    bytes[place] = byte;
                    if let Some(command) = Command::decode(&bytes) {
                        assert_eq!(command.encode(), bytes);
                        read += 1;
                    }
                }
            }
        }
        assert!(read > 10_000, "{read}");
    }

    #[test]
    fn what_was_never_written_is_no_command() {
        let put = samples().remove(2).encode();
        assert!((0..7).all(|length| Command::decode(&put[..length]).is_none()));
        for bytes in [
            &b""[..],
            b"x1",
            b"\xd7\x02\x03\xac\x02\x03\x070.5;", // another version
            b"\xd7\x01\x08\x01\x01\x07",         // no such operation
            b"\xd7\x01\x00\x01\x00",             // a session in a command that opens one
            b"\xd7\x01\x02\x00\x01\x07",         // none in one that needs it
            b"\xd7\x01\x02\x01\x00\x07",         // the number 0
            b"\xd7\x01\x02\x01\x01\x07\x00",     // more after its end
            b"\xd7\x01\x02\x01\x01\x87\x00",     // a second spelling of 7
        ] {
            assert_eq!(Command::decode(bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn a_command_is_shown_as_a_person_would_write_it() {
        let shown: Vec<String> = samples().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown[1..9],
            [
                "s300#3 get k4294967295",
                "s300#3 put k7=0.5;",
                "s300#3 put k7=",
                "s300#3 cas k7 absent->0.5;",
                "s300#3 cas k7 ->0.5;",
                "s300#3 cas k7 0.5;->",
                "s300#3 append k7+=0.5;",
                "s300#3 delete k7",
            ]
        );
        assert_eq!((shown[0].as_str(), shown[9].as_str()), ("s300#3 close session", "open session"));
    }
}
