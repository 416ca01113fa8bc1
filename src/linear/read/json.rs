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

/// What is open, and how it ends.
#[derive(Clone, Copy)]
enum End {
    List,
    Object,
}

impl End {
    fn byte(self) -> u8 {
        match self {
            Self::List => b']',
            Self::Object => b'}',
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::List => "a comma or the closing bracket of the list",
            Self::Object => "a comma or the closing brace of the object",
        }
    }
}

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
            scanner.begin_name()?;
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
            _ => self.word("text in quotes, a whole number, a list or null")?,
        };
        Ok(Placed { value, range: start..self.at })
    }

    /// Whatever JSON begins here. What is open stands in a list, not on the stack: a line may go as deep as it is long.
    fn other(&mut self) -> Result<Json<'t>, Flaw> {
        let start = self.at;
        let mut open = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(bracket @ (b'[' | b'{')) => {
                    self.at += 1;
                    let ends = if bracket == b'{' { End::Object } else { End::List };
                    if !self.skip(ends.byte()) {
                        self.begin_item(ends)?;
                        open.push(ends);
                        continue;
                    }
                }
                Some(b'"') => self.skip_text()?,
                _ => drop(self.word("text in quotes, a number, true, false, null, a list or an object")?),
            }
            loop {
                let Some(ends) = open.last().copied() else {
                    return Ok(Json::Other(&self.text[start..self.at]));
                };
                if self.skip(b',') {
                    self.begin_item(ends)?;
                    break;
                }
                self.expect(ends.byte(), ends.expected())?;
                open.pop();
            }
        }
    }

    /// An object has names before its values.
    fn begin_item(&mut self, of: End) -> Result<(), Flaw> {
        match of {
            End::List => Ok(()),
            End::Object => {
                self.begin_name()?;
                self.skip_text()?;
                self.expect(b':', "a colon")
            }
        }
    }

    fn begin_name(&mut self) -> Result<(), Flaw> {
        self.space();
        if self.peek() == Some(b'"') { Ok(()) } else { Err(self.unexpected("a field name in quotes")) }
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
        self.expect(b']', End::List.expected())?;
        Ok(Json::List(items))
    }

    /// A text, which begins here.
    fn text(&mut self) -> Result<(Cow<'t, str>, Range<usize>), Flaw> {
        let (range, escapes) = self.quoted()?;
        let quoted = &self.text[range.clone()];
        if !escapes {
            return Ok((Cow::Borrowed(&quoted[1..quoted.len() - 1]), range));
        }
        match serde_json::from_str(quoted) {
            Ok(text) => Ok((Cow::Owned(text), range)),
            Err(_) => Err(bad_escape(range)),
        }
    }

    /// A text that nobody reads: its escapes are JSON, but need not be characters.
    fn skip_text(&mut self) -> Result<(), Flaw> {
        let (range, escapes) = self.quoted()?;
        if escapes && serde_json::from_str::<IgnoredAny>(&self.text[range.clone()]).is_err() {
            return Err(bad_escape(range));
        }
        Ok(())
    }

    /// Where a text stands that begins here, and whether it holds escapes.
    fn quoted(&mut self) -> Result<(Range<usize>, bool), Flaw> {
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
        Ok((start..self.at, escapes))
    }

    /// A number, null, true or false.
    fn word(&mut self, expected: &str) -> Result<Json<'t>, Flaw> {
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
            "" => Err(self.unexpected(expected)),
            _ if serde_json::from_str::<IgnoredAny>(word).is_ok() => Ok(Json::Other(word)),
            _ => {
                let message = format!("found `{}`: expected {expected}", short(word));
                Err(Flaw::new(start..self.at, message))
            }
        }
    }
}

fn bad_escape(range: Range<usize>) -> Flaw {
    Flaw::new(range, "found an escape that JSON does not have: expected one such as \\n, \\\" or \\u00e9")
}
