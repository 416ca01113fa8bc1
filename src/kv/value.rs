//! What a key holds.
//!
//! Owns the bytes and a hash that grows with them. Must not know what they mean.

use core::fmt;
use sim_core::Digest;
use std::sync::Arc;

/// The bytes that a key holds. A clone shares them.
///
/// Appending costs what is appended (amortised), and so does keeping the hash; only a value that somebody else still
/// shares is copied first.
#[derive(Clone)]
pub struct Value {
    bytes: Arc<Vec<u8>>,
    /// Over all whole words of eight bytes.
    words: Digest,
}

impl Value {
    /// A value of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut value = Self { bytes: Arc::new(bytes.to_vec()), words: Digest::new() };
        value.take_in(0);
        value
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether there are none: a key may hold an empty value, which is not the same as no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Puts `bytes` at the end.
    pub fn append(&mut self, bytes: &[u8]) {
        let whole = self.bytes.len() / 8 * 8;
        Arc::make_mut(&mut self.bytes).extend_from_slice(bytes);
        self.take_in(whole);
    }

    /// A hash of the bytes, whatever the pieces in which they came.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut digest = self.words;
        let mut last = [0; 8];
        let (_, rest) = self.bytes.as_chunks::<8>();
        last[..rest.len()].copy_from_slice(rest);
        digest.pair(u64::from_le_bytes(last), self.len());
        digest.value()
    }

    /// Takes the whole words from byte `from` on into the digest.
    fn take_in(&mut self, from: usize) {
        let (words, _) = self.bytes[from..].as_chunks::<8>();
        for word in words {
            self.words.word(u64::from_le_bytes(*word));
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

// The digest follows from the bytes.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Value {}

impl fmt::Display for Value {
    /// ASCII as it is, everything else escaped: always one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_hashes_the_same_however_it_grew() {
        let text: Vec<u8> = (0..40).collect();
        for length in 0..text.len() {
            let whole = Value::new(&text[..length]);
            for cut in 0..=length {
                let mut grown = Value::new(&text[..cut]);
                grown.append(&text[cut..length]);
                assert_eq!((grown.hash(), &grown), (whole.hash(), &whole), "{cut} of {length}");
            }
        }
    }

    #[test]
    fn values_that_differ_hash_differently() {
        let texts = [&b""[..], b"\0", b"\0\0", b"abcdefgh", b"abcdefgh\0", b"abcdefg", b"hgfedcba"];
        let hashes: std::collections::BTreeSet<u64> =
            texts.iter().map(|text| Value::new(text).hash()).collect();
        assert_eq!(hashes.len(), texts.len());
    }

    #[test]
    fn to_append_leaves_clones_as_they_were() {
        let mut value = Value::from("a");
        let before = value.clone();
        value.append(b"\n");
        assert_eq!((before.as_slice(), value.as_slice()), (&b"a"[..], &b"a\n"[..]));
        assert_eq!(value.to_string(), "a\\n");
    }
}
