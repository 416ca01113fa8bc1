//! What clients ask, and what they are told: the history from outside.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use sim_core::{Digest, Encode};

/// Bytes that are written as text: printable ASCII as it is, everything else (and the backslash) as `\xNN`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Box<[u8]>);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0 {
            match byte {
                b'\\' => f.write_str("\\x5c")?,
                b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
                byte => write!(f, "\\x{byte:02x}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{}` is not a value: expected printable ASCII and `\\xNN`", text.escape_debug());
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let [first, after @ ..] = rest {
            rest = after;
            if *first != b'\\' {
                bytes.push(Some(*first).filter(|byte| (b' '..=b'~').contains(byte)).ok_or_else(wrong)?);
                continue;
            }
            let [b'x', high, low, after @ ..] = rest else { return Err(wrong()) };
            let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low).ok_or_else(wrong)?);
            rest = after;
        }
        Ok(Self(bytes.into_boxed_slice()))
    }
}

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a client does to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Reads it.
    Get,
    /// Writes it.
    Put(Bytes),
    /// Writes the second if the first is there (nothing: if the key is absent).
    Cas(Option<Bytes>, Bytes),
    /// Adds to its end.
    Append(Bytes),
    /// Removes it.
    Delete,
}

/// How a read is served.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ReadKind {
    /// As an entry of the log.
    Log,
    /// From the leader's state, after it has confirmed that it leads (ReadIndex, thesis §6.4).
    ReadIndex,
    /// From the leader's state, as long as its lease runs (thesis §6.4.1).
    Lease,
    /// From a follower's state, at an index that the leader has confirmed.
    Follower,
    /// From whatever the node that is asked has applied. It may be out of date: nobody judges it.
    Local,
}

impl ReadKind {
    /// Its name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::ReadIndex => "read_index",
            Self::Lease => "lease",
            Self::Follower => "follower",
            Self::Local => "local",
        }
    }
}

/// A client calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The client's name in the history: it has one call open at a time, and a new name after one that it gave up.
    pub client: u64,
    /// Which of the client's calls it is, from 1.
    pub number: u64,
    /// The key.
    pub key: u64,
    /// What it does.
    pub action: Action,
    /// How a read is served; `log` for everything else.
    pub read: ReadKind,
}

/// A call comes back, or is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// The client's name in the history.
    pub client: u64,
    /// Which of the client's calls it is.
    pub number: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// The index of the log at which it took effect, or whose state was read. None if nobody knows.
    pub index: Option<u64>,
}

/// What comes of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// This was read: nothing if the key was absent.
    Read(Option<Bytes>),
    /// It was done.
    Done,
    /// An append was done, and this many bytes are there now.
    Length(u64),
    /// A delete was done, and whether anything was there before.
    Deleted(bool),
    /// A compare-and-swap found this instead of what it expected, and did nothing.
    Mismatch(Option<Bytes>),
    /// It surely did not happen: nobody took it.
    Refused,
    /// The client gave up. It may have happened, may happen yet, or never.
    Unknown,
}

fn value(bytes: Option<&Bytes>, digest: &mut Digest) {
    digest.word(u64::from(bytes.is_some()));
    digest.bytes(bytes.map_or(&[], |bytes| &bytes.0));
}

impl Encode for Call {
    fn encode(&self, digest: &mut Digest) {
        digest.pair(self.client, self.number);
        digest.pair(self.key, self.read as u64);
        match &self.action {
            Action::Get => digest.word(0),
            Action::Put(new) => {
                digest.word(1);
                digest.bytes(&new.0);
            }
            Action::Cas(expected, new) => {
                digest.word(2);
                value(expected.as_ref(), digest);
                digest.bytes(&new.0);
            }
            Action::Append(more) => {
                digest.word(3);
                digest.bytes(&more.0);
            }
            Action::Delete => digest.word(4),
        }
    }
}

impl Encode for Return {
    fn encode(&self, digest: &mut Digest) {
        digest.pair(self.client, self.number);
        digest.pair(u64::from(self.index.is_some()), self.index.unwrap_or(0));
        match &self.outcome {
            Outcome::Read(read) => {
                digest.word(0);
                value(read.as_ref(), digest);
            }
            Outcome::Done => digest.word(1),
            Outcome::Mismatch(saw) => {
                digest.word(2);
                value(saw.as_ref(), digest);
            }
            Outcome::Unknown => digest.word(3),
            Outcome::Length(length) => digest.pair(4, *length),
            Outcome::Deleted(existed) => digest.pair(5, u64::from(*existed)),
            Outcome::Refused => digest.word(6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn bytes_are_read_as_they_were_written() {
        for bytes in [&b""[..], b"c1.7", b"a b\"", b"\\x41", &[0, 1, 127, 128, 255], b"\xc3\xa4\n"] {
            let bytes = Bytes(bytes.into());
            assert_eq!(bytes.to_string().parse(), Ok(bytes.clone()));
            let json = serde_json::to_string(&bytes).unwrap();
            assert_eq!(serde_json::from_str::<Bytes>(&json).unwrap(), bytes);
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in ["\\", "\\x", "\\x4", "\\y41", "ä", "a\nb", "\\xg0", "\\x+1"] {
            assert!(text.parse::<Bytes>().is_err(), "{text:?}");
        }
    }
}
