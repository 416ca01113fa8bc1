//! Texts that come from outside, made harmless, and the breaking of lines.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Characters that move text about or are invisible although they have a width.
const UNSEEN: &[char] = &['\u{ad}', '\u{61c}', '\u{2028}', '\u{2029}', '\u{3164}', '\u{ffa0}', '\u{115f}'];

/// The columns that a character of an inert text takes.
pub(super) fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The columns that an inert text takes: the sum of those of its characters, which [`inert`] sees to.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(columns).sum() }
}

/// `text` with everything escaped that could move the cursor, reorder or overlay what stands beside it.
///
/// What is left takes the same columns wherever it stands, so that it can be broken anywhere.
pub(super) fn inert(text: &str, ascii: bool) -> String {
    let gentle = escape(text, |before, c| if ascii { !c.is_ascii() } else { is_unruly(before, c) });
    if width(&gentle) == gentle.width() {
        gentle
    } else {
        // Some longer sequence takes other columns than its parts do.
        escape(text, |_, c| !c.is_ascii())
    }
}

/// As [`inert`], between quotation marks that end where they seem to.
pub(super) fn quoted(text: &str, ascii: bool) -> String {
    format!("\"{}\"", inert(&text.replace('\\', "\\\\").replace('"', "\\\""), ascii))
}

fn escape(text: &str, unruly: impl Fn(Option<char>, char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c if unruly(out.chars().next_back(), c) => match c {
                // The arrows of our own scenario steps.
                '→' => out.push_str("->"),
                '←' => out.push_str("<-"),
                c => out.extend(c.escape_unicode()),
            },
            c => out.push(c),
        }
    }
    out
}

/// Whether a character takes no columns of its own, or changes those of the character before it.
fn is_unruly(before: Option<char>, c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    if columns(c) == 0 || UNSEEN.contains(&c) {
        return true;
    }
    before.is_some_and(|before| {
        let pair: String = [before, c].iter().collect();
        pair.width() != columns(before) + columns(c)
    })
}

/// Sets phrases in lines of at most `width` columns: as many phrases in a line as fit, long ones broken between words
/// and long words anywhere. The second line of a phrase is indented, so that it does not look like a new one.
pub(super) fn wrap(phrases: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for phrase in phrases {
        let long = self::width(phrase);
        match lines.last_mut() {
            Some(line) if used + 2 + long <= width => {
                line.push_str("; ");
                line.push_str(phrase);
                used += 2 + long;
            }
            _ if long <= width => {
                lines.push(phrase.clone());
                used = long;
            }
            _ => used = break_up(phrase, width, &mut lines),
        }
    }
    lines
}

/// Breaks a phrase that does not fit in one line, and says how long the last line is.
fn break_up(phrase: &str, width: usize, lines: &mut Vec<String>) -> usize {
    let indent = usize::from(width >= 12);
    let mut line = String::new();
    let mut used = 0;
    let next = |line: &mut String, lines: &mut Vec<String>| {
        let full = core::mem::replace(line, " ".repeat(indent));
        lines.push(full.trim_end().to_string());
        indent
    };
    // Whether the line holds more than its indent.
    let mut begun = false;
    for word in phrase.split(' ') {
        let long = self::width(word);
        let gap = usize::from(begun);
        if begun && used + gap + long > width {
            used = next(&mut line, lines);
        } else if begun {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used + columns(c) > width {
                used = next(&mut line, lines);
            }
            line.push(c);
            used += columns(c);
        }
        begun = true;
    }
    lines.push(line);
    used
}

/// Adds spaces to `out` until `used` columns are `width`.
pub(super) fn pad(out: &mut String, used: usize, width: usize) {
    for _ in used..width {
        out.push(' ');
    }
}
