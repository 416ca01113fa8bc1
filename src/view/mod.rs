//! Views of a run: the lane table as a person reads it in a terminal, the story in sentences, and what other tools draw
//! (`mermaid.rs`, `shiviz.rs`, `chrome.rs`).
//!
//! Each is a pure function of the records of a run and must not know a simulation, a node or a terminal: the same records
//! give the same text, whether they come from a run that just ended or from a file.

mod chrome;
mod cluster;
mod course;
mod draw;
mod entry;
mod faults;
mod fold;
mod layout;
mod letters;
mod mermaid;
mod messages;
mod notes;
mod shiviz;
mod story;
mod text;
mod wording;

#[cfg(test)]
mod tests;

pub use chrome::chrome;
pub use course::course;
pub use mermaid::mermaid;
pub use shiviz::shiviz;
pub use story::{sentence, story};

use crate::record::Record;
use core::ops::RangeInclusive;
use sim_core::{Stamp, VirtualTime};

/// What stands above the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The name of the scenario.
    pub name: String,
    /// The verdict in words: `PASS`, `FAIL election_safety`, …
    pub verdict: String,
    /// Whether the run failed; it decides the colour of the verdict.
    pub failed: bool,
    /// The seed, as `0x…`.
    pub seed: String,
    /// The digest of the run.
    pub digest: String,
    /// When the run ended.
    pub ended: VirtualTime,
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Detail {
    /// The story: what a delivery causes is one entry with it, quiet heartbeats are counted, and what changes nothing
    /// is left out.
    #[default]
    Folded,
    /// Every record is an entry.
    Full,
}

/// How a table is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOptions {
    /// Columns of the terminal. No line is wider, unless there are fewer than 32.
    pub width: usize,
    /// Whether to colour with escape sequences.
    pub color: bool,
    /// Whether to keep to ASCII, for terminals and fonts that have no box drawing.
    pub ascii: bool,
    /// How much is told.
    pub detail: Detail,
    /// Draws only the records with these numbers. Roles and terms are those of the whole run nevertheless.
    pub window: Option<RangeInclusive<u64>>,
    /// The number of the record to point at.
    pub violation: Option<u64>,
}

/// Draws the records of a run with `nodes` nodes. Records of processes beyond those have no lane and are not drawn.
#[must_use]
pub fn table(nodes: u16, lines: &[(Stamp, Record)], heading: &Heading, options: &TableOptions) -> String {
    let layout = layout::Layout::new(nodes, lines, options);
    let mut pen = draw::Pen::new(layout, options, nodes);
    pen.heading(heading, lines.len());
    pen.top();
    let mut pen = fold::draw(nodes, lines, options, pen);
    pen.bottom();
    pen.finish()
}
