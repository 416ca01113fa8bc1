//! What a key holds.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

/// A value or a key: a string of bytes. Appending concatenates.
///
/// A number stands as its decimal digits, so that histories of numbers and of texts are told alike. A short one lies in
/// place: a history holds two or more for each call.
#[derive(Clone)]
pub struct Value(Lying);

/// Where the bytes lie.
#[derive(Clone)]
enum Lying {
    Here {
        len: u8,
        bytes: [u8; Value::HERE_MAX],
    },
    #[expect(
        clippy::box_collection,
        reason = "in place it would make every value longer, and most are short"
    )]
    There(Box<Vec<u8>>),
}

/// How many characters of a value are shown.
const SHOWN_MAX: usize = 48;

impl Value {
    /// The longest that lies in place, in bytes.
    const HERE_MAX: usize = 22;

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Lying::Here { len, bytes } => &bytes[..usize::from(*len)],
            Lying::There(bytes) => bytes,
        }
    }

    /// Adds `more` at the end.
    pub fn append(&mut self, more: &Self) {
        match &mut self.0 {
            Lying::There(bytes) => bytes.extend_from_slice(more.bytes()),
            Lying::Here { .. } => *self = Self::from([self.bytes(), more.bytes()].concat()),
        }
    }

    /// The bytes in place, if they are few enough.
    #[inline]
    fn here(bytes: &[u8]) -> Option<Self> {
        let len = u8::try_from(bytes.len()).ok().filter(|len| usize::from(*len) <= Self::HERE_MAX)?;
        let mut here = [0; Self::HERE_MAX];
        here[..bytes.len()].copy_from_slice(bytes);
        Some(Self(Lying::Here { len, bytes: here }))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::here(&bytes).unwrap_or_else(|| Self(Lying::There(Box::new(bytes))))
    }
}

impl From<&[u8]> for Value {
    #[inline]
    fn from(bytes: &[u8]) -> Self {
        Self::here(bytes).unwrap_or_else(|| Self(Lying::There(Box::new(bytes.to_vec()))))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<u64> for Value {
    /// The decimal digits.
    fn from(number: u64) -> Self {
        let (mut digits, mut begin, mut rest) = ([0; 20], 20, number);
        loop {
            begin -= 1;
            digits[begin] = b'0' + u8::try_from(rest % 10).expect("a digit is below ten");
            rest /= 10;
            if rest == 0 {
                return Self::from(&digits[begin..]);
            }
        }
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::from(&[][..])
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&self.bytes()).finish()
    }
}

// Equal, ordered and hashed by content: where the bytes lie is nobody's business.
impl PartialEq for Value {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl fmt::Display for Value {
    /// Digits as they are, other text in quotes with escapes, other bytes in hex; a long value is cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes();
        let cut = |f: &mut fmt::Formatter<'_>, shown: &str, quote: &str| match shown
            .char_indices()
            .nth(SHOWN_MAX)
        {
            Some((end, _)) => write!(f, "{quote}{}…{quote} ({} bytes)", &shown[..end], bytes.len()),
            None => write!(f, "{quote}{shown}{quote}"),
        };
        // Only what can be shown is escaped: a value may be megabytes.
        let some = &bytes[..bytes.len().min(8 * SHOWN_MAX)];
        match bytes.utf8_chunks().next().filter(|chunk| chunk.valid().len() >= some.len()) {
            _ if bytes.is_empty() => f.write_str("\"\""),
            Some(_) if bytes.len() <= 20 && bytes.iter().all(u8::is_ascii_digit) => {
                f.write_str(&String::from_utf8_lossy(bytes))
            }
            Some(_) => {
                let text: String = String::from_utf8_lossy(some).chars().take(SHOWN_MAX + 1).collect();
                cut(f, &text.escape_debug().to_string(), "\"")
            }
            None => {
                let hex: Vec<String> = some.iter().map(|byte| format!("{byte:02x}")).collect();
                cut(f, &format!("0x{}", hex.concat()), "")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_a_person_would_write_them() {
        for (bytes, shown) in [
            (&b"17"[..], "17"),
            (b"", "\"\""),
            (b"a b", "\"a b\""),
            (b"a\"\n\0", "\"a\\\"\\n\\0\""),
            (b"\xff\x01", "0xff01"),
            ("é\u{202e}".as_bytes(), "\"é\\u{202e}\""),
        ] {
            assert_eq!(Value::from(bytes).to_string(), shown);
        }
        let long = Value::from(vec![b'x'; 10_000_000]).to_string();
        assert_eq!(long, format!("\"{}…\" (10000000 bytes)", "x".repeat(48)));
        assert!(Value::from(vec![0xff; 1_000]).to_string().ends_with("ff… (1000 bytes)"));
        assert_eq!(Value::from(12).to_string(), "12");
    }

    #[test]
    fn a_value_is_24_bytes_and_keeps_what_it_was_given_and_what_was_added() {
        assert_eq!(size_of::<Value>(), 24);
        let mut grown = Value::default();
        let mut all = Vec::new();
        for len in [0, 1, 20, 1, 1, 300, 0, 5] {
            let bytes = vec![b'a' + u8::try_from(all.len() % 26).unwrap(); len];
            let (long, short) = (Value::from(&bytes[..]), Value::from(bytes.clone()));
            assert_eq!((long.bytes(), short.bytes()), (&bytes[..], &bytes[..]));
            all.extend_from_slice(&bytes);
            grown.append(&long);
            assert_eq!(grown.bytes(), all);
            assert_eq!(grown, Value::from(all.clone()));
        }
        for number in [0, 7, 10, 4_294_967_296, u64::MAX] {
            assert_eq!(Value::from(number).bytes(), number.to_string().as_bytes());
        }
    }

    #[test]
    fn values_are_ordered_as_their_bytes_are() {
        let texts = ["", "a", "aa", "aaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaab", "ab", "b"];
        assert!(texts.map(Value::from).is_sorted_by(|one, next| one < next));
    }
}
