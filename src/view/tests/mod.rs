//! Stories told by hand, and how they look.

mod golden;
mod inert;
pub(super) mod story;
mod telling;
mod words;

use super::{Detail, Heading, TableOptions, table};
use sim_core::VirtualTime;
use story::Story;

fn options(width: usize) -> TableOptions {
    TableOptions { width, color: false, ascii: false, detail: Detail::Folded, window: None, violation: None }
}

fn heading() -> Heading {
    Heading {
        name: "story".to_string(),
        verdict: "PASS".to_string(),
        failed: false,
        seed: "0x2a".to_string(),
        digest: "00c0ffee".to_string(),
        ended: VirtualTime::from_nanos(900_000_000),
    }
}

fn draw(story: &Story, options: &TableOptions) -> String {
    table(story.nodes, &story.lines, &heading(), options)
}

/// The text without its escape sequences of colour.
fn stripped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            assert_eq!(chars.next(), Some('['), "only sequences of colour");
            let parameters: String = chars.by_ref().take_while(|c| *c != 'm').collect();
            assert!(parameters.chars().all(|c| c.is_ascii_digit() || c == ';'), "only sequences of colour");
        } else {
            out.push(c);
        }
    }
    out
}
