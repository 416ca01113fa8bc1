//! What a key holds.

use core::fmt;

/// A value or a key: a string of bytes. Appending concatenates.
///
/// A number stands as its decimal digits, so that histories of numbers and of texts are told alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(Vec<u8>);

/// How many characters of a value are shown.
const SHOWN_MAX: usize = 48;

impl Value {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds `more` at the end.
    pub fn append(&mut self, more: &Self) {
        self.0.extend_from_slice(&more.0);
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<u64> for Value {
    /// The decimal digits.
    fn from(number: u64) -> Self {
        Self(number.to_string().into_bytes())
    }
}

impl fmt::Display for Value {
    /// Digits as they are, other text in quotes with escapes, other bytes in hex; a long value is cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = |f: &mut fmt::Formatter<'_>, shown: &str, quote: &str| match shown
            .char_indices()
            .nth(SHOWN_MAX)
        {
            Some((end, _)) => write!(f, "{quote}{}…{quote} ({} bytes)", &shown[..end], self.0.len()),
            None => write!(f, "{quote}{shown}{quote}"),
        };
        // Only what can be shown is escaped: a value may be megabytes.
        let some = &self.0[..self.0.len().min(8 * SHOWN_MAX)];
        match self.0.utf8_chunks().next().filter(|chunk| chunk.valid().len() >= some.len()) {
            _ if self.0.is_empty() => f.write_str("\"\""),
            Some(_) if self.0.len() <= 20 && self.0.iter().all(u8::is_ascii_digit) => {
                f.write_str(&String::from_utf8_lossy(&self.0))
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
}
