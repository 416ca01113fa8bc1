//! The bytes of a command.
//!
//! Owns: where the bytes lie. Must not know: what they mean.

use core::fmt;
use core::hash::{Hash, Hasher};
use std::sync::Arc;

/// The bytes of a command: up to [`Payload::INLINE_MAX`] of them in place, more behind a shared pointer.
///
/// Cloning never copies more than 24 bytes and never allocates, so that one command can lie in a log, in a
/// write and in a message to each follower at no cost.
#[derive(Clone)]
pub struct Payload(Bytes);

#[derive(Clone)]
enum Bytes {
    Inline { len: u8, bytes: [u8; Payload::INLINE_MAX] },
    Shared(Arc<[u8]>),
}

impl Payload {
    /// The longest command that needs no allocation, in bytes.
    pub const INLINE_MAX: usize = 22;

    /// Copies `bytes`; allocates if they are more than [`Payload::INLINE_MAX`].
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        if let (Some(len), true) = (u8::try_from(bytes.len()).ok(), bytes.len() <= Self::INLINE_MAX) {
            let mut inline = [0; Self::INLINE_MAX];
            inline[..bytes.len()].copy_from_slice(bytes);
            Self(Bytes::Inline { len, bytes: inline })
        } else {
            Self(Bytes::Shared(Arc::from(bytes)))
        }
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Bytes::Shared(bytes) => bytes,
        }
    }

    /// How many bytes there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Bytes::Inline { len, .. } => usize::from(*len),
            Bytes::Shared(bytes) => bytes.len(),
        }
    }

    /// Whether there are no bytes at all: a command may be empty.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

// Equal by content: where the bytes lie is nobody's business.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Payload {}

impl Hash for Payload {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_slice().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use core::hash::{Hash, Hasher};

    use super::{Bytes, Payload};

    #[test]
    fn a_payload_is_24_bytes_and_keeps_what_it_was_given() {
        assert_eq!(size_of::<Payload>(), 24);
        for len in [0, 1, 21, 22, 23, 255, 256, 5000] {
            let bytes: Vec<u8> = (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let payload = Payload::new(&bytes);
            assert_eq!(payload.as_slice(), bytes);
            assert_eq!(payload.len(), bytes.len());
            assert_eq!(payload.is_empty(), bytes.is_empty());
            assert_eq!(payload, payload.clone());
        }
    }

    #[test]
    fn payloads_differ_when_their_bytes_or_lengths_differ() {
        assert_ne!(Payload::from("a"), Payload::from("b"));
        assert_ne!(Payload::new(&[0]), Payload::new(&[0, 0]));
        assert_eq!(format!("{:?}", Payload::from("x=\n1")), r#""x=\n1""#);
        assert_eq!(Payload::from(&b"a"[..]), Payload::from("a"));
    }

    /// Keeps what it is given, so that nothing rests on a hash.
    #[derive(Default)]
    struct Given(Vec<u8>);

    impl Hasher for Given {
        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }

    #[test]
    fn payloads_hash_as_their_bytes_wherever_those_lie() {
        let given = |payload: &Payload| {
            let mut given = Given::default();
            payload.hash(&mut given);
            given.0
        };
        let shared = Payload(Bytes::Shared((*b"a").into()));
        assert_eq!(given(&Payload::from("a")), given(&shared));
        assert_ne!(given(&Payload::from("a")), given(&Payload::from("b")));
    }
}
