//! One line of JSON: an object of plain values and short lists of them, each with its place.
//!
//! Goes no deeper than an event can, so no line overflows the stack. What lies deeper stands in fields that nobody reads, or
//! is an error there.

use core::ops::Range;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json<'t> {
    Null,
    Truth(bool),
    /// A whole number, as it is written.
    Number(&'t str),
    Text(Cow<'t, str>),
    List(Vec<Placed<'t>>),
    /// An object, a list inside such lists, or another number than a whole one: JSON, but part of no event.
    Other(&'t str),
}

/// A value and where it stands in the text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed<'t> {
    pub(super) value: Json<'t>,
    pub(super) range: Range<usize>,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field<'t> {
    pub(super) name: Cow<'t, str>,
    pub(super) name_range: Range<usize>,
    pub(super) value: Placed<'t>,
}

/// Something wrong at a place of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) range: Range<usize>,
    /// What was found and what was expected; further lines are help.
    pub(super) message: String,
}

impl Flaw {
    pub(super) fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { range, message: message.into() }
    }
}

impl Json<'_> {
    /// What it is, for errors.
    pub(super) fn found(&self) -> String {
        match self {
            Self::Null => "null".to_string(),
            Self::Truth(truth) => truth.to_string(),
            Self::Number(number) => format!("the number {}", short(number)),
            Self::Text(text) => format!("the text \"{}\"", short(text)),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Other(text) if text.starts_with('{') => "an object".to_string(),
            Self::Other(text) if text.starts_with('[') => "a list too deep inside lists".to_string(),
            Self::Other(number) => format!("the number {}", short(number)),
        }
    }
}

/// At most 60 characters of a text.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(60) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// How deep lists may stand inside each other: a cas has a list of two values, each of which may be a list.
const DEPTH_MAX: usize = 2;

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Where the line ends.
    end: usize,
}

/// The fields of the object that is the line `line` of `text`.
pub(super) fn object(text: &str, line: Range<usize>) -> Result<Vec<Field<'_>>, Flaw> {
    let mut scanner = Scanner { text, at: line.start, end: line.end };
    scanner.expect(b'{', "an event, {\"process\": …, \"type\": …}")?;
    let mut fields: Vec<Field<'_>> = Vec::new();
    if !scanner.skip(b'}') {
        loop {
            scanner.space();
            if scanner.peek() != Some(b'"') {
                return Err(scanner.unexpected("a field name in quotes"));
            }
            let (name, name_range) = scanner.text()?;
            if fields.iter().any(|field| field.name == name) {
                let message =
                    format!("`{}` stands twice in this event: expected every field once", short(&name));
                return Err(Flaw::new(name_range, message));
            }
            scanner.expect(b':', "a colon")?;
            let value = scanner.value(0)?;
            fields.push(Field { name, name_range, value });
            if !scanner.skip(b',') {
                break;
            }
        }
        scanner.expect(b'}', "a comma or the closing brace of the event")?;
    }
    scanner.space();
    if scanner.at < scanner.end {
        return Err(scanner.unexpected("the end of the line: one event a line"));
    }
    Ok(fields)
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes()[..self.end].get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), Flaw> {
        if self.skip(byte) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    fn unexpected(&self, expected: &str) -> Flaw {
        let (found, length) = match self.text[self.at..self.end].chars().next() {
            None => ("the end of the line".to_string(), 0),
            Some(c) if c.is_control() => {
                (format!("the control character U+{:04X}", u32::from(c)), c.len_utf8())
            }
            Some(c) => (format!("`{c}`"), c.len_utf8()),
        };
        Flaw::new(self.at..self.at + length, format!("found {found}: expected {expected}"))
    }

    fn value(&mut self, depth: usize) -> Result<Placed<'t>, Flaw> {
        self.space();
        let start = self.at;
        let value = match self.peek() {
            Some(b'"') => Json::Text(self.text()?.0),
            Some(b'[') if depth < DEPTH_MAX => self.list(depth)?,
            Some(b'[' | b'{') => self.other()?,
            _ => self.word()?,
        };
        Ok(Placed { value, range: start..self.at })
    }

    /// Whatever JSON begins here.
    fn other(&mut self) -> Result<Json<'t>, Flaw> {
        let rest = &self.text[self.at..self.end];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        let found = values.next();
        let end = self.at + values.byte_offset();
        if let Some(Err(error)) = found {
            // It counts columns in bytes, from one.
            let at = if error.is_eof() { self.end } else { self.at + error.column().saturating_sub(1) };
            let at = (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(self.at);
            return Err(Flaw::new(at..at, format!("found what is no JSON: {}", reason(&error))));
        }
        let value = Json::Other(&self.text[self.at..end]);
        self.at = end;
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Json<'t>, Flaw> {
        self.at += 1;
        let mut items = Vec::new();
        if self.skip(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.skip(b',') {
                break;
            }
        }
        self.expect(b']', "a comma or the closing bracket of the list")?;
        Ok(Json::List(items))
    }

    /// A text, which begins here.
    fn text(&mut self) -> Result<(Cow<'t, str>, Range<usize>), Flaw> {
        let start = self.at;
        let mut escapes = false;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escapes = true;
                    self.at += 2;
                }
                Some(byte) if byte < b' ' => {
                    let message = format!(
                        "found the control character U+{byte:04X} in a text: expected it escaped, \\u{byte:04x}"
                    );
                    return Err(Flaw::new(self.at..self.at + 1, message));
                }
                Some(_) => self.at += 1,
                None => {
                    let message = "found a text without an end: expected a closing `\"` on the same line";
                    return Err(Flaw::new(start..start + 1, message));
                }
            }
        }
        self.at += 1;
        let range = start..self.at;
        let quoted = &self.text[range.clone()];
        if !escapes {
            return Ok((Cow::Borrowed(&quoted[1..quoted.len() - 1]), range));
        }
        match serde_json::from_str(quoted) {
            Ok(text) => Ok((Cow::Owned(text), range)),
            Err(_) => {
                let message =
                    "found an escape that JSON does not have: expected one such as \\n, \\\" or \\u00e9";
                Err(Flaw::new(range, message))
            }
        }
    }

    /// A number, null, true or false.
    fn word(&mut self) -> Result<Json<'t>, Flaw> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.' | b'_'))
        {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        let digits = word.strip_prefix('-').unwrap_or(word);
        let is_whole = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'))
            && word != "-0";
        match word {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Truth(true)),
            "false" => Ok(Json::Truth(false)),
            _ if is_whole => Ok(Json::Number(word)),
            "" => Err(self.unexpected("text in quotes, a whole number, a list or null")),
            _ if serde_json::from_str::<IgnoredAny>(word).is_ok() => Ok(Json::Other(word)),
            _ => {
                let message = format!(
                    "found `{}`: expected text in quotes, a whole number, a list or null",
                    short(word)
                );
                Err(Flaw::new(start..self.at, message))
            }
        }
    }
}

/// What serde says, without its own idea of the place.
fn reason(error: &serde_json::Error) -> String {
    let told = error.to_string();
    told.rsplit_once(" at line ").map_or(&*told, |(reason, _)| reason).to_string()
}
