//! The lines of a file that an error shows: numbered, cut to a readable length, with nothing that drives a terminal.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// A place in a file and the lines around it.
#[derive(Clone, Debug)]
pub(crate) struct Excerpt {
    file: String,
    /// The line of the place and the one before it.
    text: String,
    /// The place within `text`, in bytes.
    start: usize,
    length: usize,
    /// The number of the first line of `text`, from 0.
    first_line: usize,
    /// Line and column of the place, from 1; columns count characters.
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// How many characters of a line are shown before and after the place.
const SHOWN: usize = 60;

impl Excerpt {
    /// The place from byte `start` to byte `end` of `text`. A place of several lines is shown by its first character.
    pub(crate) fn new(file: &str, text: &str, start: usize, end: usize) -> Self {
        let start = floor(text, start);
        let end = floor(text, end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let (before, rest) = line.split_at((start - line_start).min(line.len()));
        let one = rest.chars().next().map_or(0, char::len_utf8);
        let marked = if end > line_end || end == start { one } else { (end - start).min(rest.len()) };
        let (marked, after) = rest.split_at(marked);

        let (dots, before_shown) = last(before, SHOWN);
        let above =
            text[..line_start].strip_suffix('\n').map(|above| above.rsplit('\n').next().unwrap_or(""));
        let mut shown = String::new();
        if let Some(above) = above {
            shown.push_str(&plain(&first(above, 2 * SHOWN)));
            shown.push('\n');
        }
        shown.push_str(dots);
        shown.push_str(&plain(before_shown));
        let at = shown.len();
        shown.push_str(&plain(&first(marked, SHOWN)));
        if marked.is_empty() {
            // Something for the caret to stand under at the end of a line.
            shown.push(' ');
        }
        let length = shown.len() - at;
        shown.push_str(&plain(&first(after, SHOWN)));
        let line_number = text[..line_start].matches('\n').count();
        Self {
            file: file.chars().map(|c| if c.is_control() { '?' } else { c }).collect(),
            text: shown,
            start: at,
            length,
            first_line: line_number - usize::from(above.is_some()),
            line: line_number + 1,
            column: before.chars().count() + 1,
        }
    }

    /// The place, for a label.
    pub(crate) fn span(&self) -> SourceSpan {
        SourceSpan::new(self.start.into(), self.length)
    }

    /// `file:line:column`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The first `count` characters, and dots if there are more.
fn first(text: &str, count: usize) -> String {
    match text.char_indices().nth(count) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The last `count` characters, after dots if there are more.
fn last(text: &str, count: usize) -> (&'static str, &str) {
    match text.char_indices().rev().nth(count) {
        Some((start, skipped)) => ("…", &text[start + skipped.len_utf8()..]),
        None => ("", text),
    }
}

/// The text with everything replaced that moves a cursor, rings a bell or turns the direction of writing.
pub(crate) fn plain(text: &str) -> String {
    let harmless = |c: char| {
        c == '\t'
            || !(c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
    };
    text.chars().map(|c| if harmless(c) { c } else { '\u{fffd}' }).collect()
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        let (range, line, column) = if lines_before == 0 {
            (span.offset()..end, self.line - 1, self.column - 1)
        } else {
            (0..self.text.len(), self.first_line, 0)
        };
        let data = self.text.as_bytes().get(range.clone()).ok_or(MietteError::OutOfBounds)?;
        let span = SourceSpan::new(range.start.into(), range.len());
        let lines = self.text.matches('\n').count() + 1;
        Ok(Box::new(MietteSpanContents::new_named(self.file.clone(), data, span, line, column, lines)))
    }
}
