//! What must hold of the text before it is parsed: bounded depth, closed strings, no control characters in them.

use crate::scenario::read::Flaw;

/// How deep lists and objects may stand inside each other.
pub(crate) const DEPTH_MAX: usize = 64;

/// Finds the first place where the text cannot be what it should be. Does not recurse, so no text can overflow the
/// stack; what it lets pass is shallow enough for parsers that do.
pub(crate) fn check(text: &str, depth_max: usize) -> Result<(), Flaw> {
    let mut depth = 0usize;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '[' | '{' => {
                depth += 1;
                if depth > depth_max {
                    let message = format!(
                        "nested too deeply: expected at most {depth_max} levels of lists and objects"
                    );
                    return Err(Flaw::new(at..at + 1, message).label(format!("level {depth}")));
                }
            }
            // Too many of them is the parser's to tell.
            ']' | '}' => depth = depth.saturating_sub(1),
            '"' => string(at, &mut rest)?,
            '/' => match rest.peek() {
                Some((_, '/')) => while rest.next_if(|(_, c)| *c != '\n').is_some() {},
                Some((_, '*')) => {
                    rest.next();
                    let mut star = false;
                    while let Some((_, c)) = rest.next()
                        && !(star && c == '/')
                    {
                        star = c == '*';
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
    Ok(())
}

/// Steps over the string that began at `start`.
fn string(start: usize, rest: &mut core::iter::Peekable<core::str::CharIndices<'_>>) -> Result<(), Flaw> {
    let open = "a string without an end: expected a closing `\"` on the same line";
    while let Some((at, c)) = rest.next() {
        match c {
            '"' => return Ok(()),
            '\\' => {
                rest.next_if(|(_, c)| *c != '\n');
            }
            '\n' | '\r' => return Err(Flaw::new(start..at, open.to_owned()).label("begins here")),
            // JSON forbids those below the space; it does allow U+007F.
            c if c < ' ' => {
                let code = u32::from(c);
                let message =
                    format!("control character U+{code:04X} in a string: expected it escaped, \\u{code:04x}");
                return Err(Flaw::new(at..at + 1, message));
            }
            _ => {}
        }
    }
    Err(Flaw::new(start..start + 1, open.to_owned()).label("begins here"))
}
