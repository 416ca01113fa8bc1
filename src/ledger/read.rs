//! The lines of a ledger: the campaign first, then a chunk each, as they were done.

use super::{CHUNK, CHUNKS_MAX, Campaign, Chunk, Ledger};
use crate::scenario::document;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Why a text is no ledger, or two do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerError(String);

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for LedgerError {}

impl LedgerError {
    pub(super) fn conflict(chunk: &Chunk) -> Self {
        let begin = chunk.number * CHUNK;
        let last = begin + chunk.runs.max(1) - 1;
        Self(format!(
            "runs {begin} to {last} were made twice with different results: the builds differ, or one is not deterministic"
        ))
    }

    pub(super) fn of_another(differences: &[String]) -> Self {
        Self(format!("this is of another campaign: {}", differences.join("; ")))
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Campaign(Campaign),
    Bound(Option<u64>),
    Chunk(Chunk),
}

impl Line {
    fn text(&self) -> String {
        let mut text = serde_json::to_string(self).expect("numbers, text and lists can be written");
        text.push('\n');
        text
    }
}

impl Chunk {
    /// The line that says so.
    #[must_use]
    pub fn line(&self) -> String {
        Line::Chunk(self.clone()).text()
    }

    /// Whether its sums can be.
    fn is_plausible(&self) -> bool {
        if self.number >= CHUNKS_MAX || !(1..=CHUNK).contains(&self.runs) {
            return false;
        }
        let begin = self.number * CHUNK;
        let runs = || self.failed.iter().map(|found| found.run);
        let sums = self.tally.is_plausible() && self.tally.runs + self.failed.len() as u64 == self.runs;
        sums && runs().all(|run| (begin..begin + self.runs).contains(&run)) && runs().is_sorted()
    }
}

impl Ledger {
    /// The lines that a ledger begins with.
    #[must_use]
    pub fn head(&self) -> String {
        let campaign = Line::Campaign(self.campaign.clone());
        format!("{}{}", campaign.text(), self.bound_line())
    }

    /// The line that says how many runs it is to have.
    #[must_use]
    pub fn bound_line(&self) -> String {
        Line::Bound(self.bound).text()
    }

    /// All of it, chunks in order.
    #[must_use]
    pub fn text(&self) -> String {
        self.chunks().fold(self.head(), |text, chunk| text + &chunk.line())
    }

    /// Reads a ledger. A last line without its end was being written when the campaign was killed, and is left out.
    ///
    /// # Errors
    ///
    /// If a line is none of a ledger, the first one names no campaign, or two chunks with one number differ. The error says which
    /// line.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let mut ledger: Option<Self> = None;
        for (number, line) in (1..).zip(whole.lines()) {
            let wrong = |why: String| {
                LedgerError(format!("these are no results of a campaign: line {number}: {why}"))
            };
            let line: Line = document(line).map_err(wrong)?;
            match (line, &mut ledger) {
                (Line::Campaign(campaign), None) => ledger = Some(Self::new(campaign, Some(0))),
                (Line::Campaign(_), Some(_)) => return Err(wrong("a second campaign begins".to_string())),
                (_, None) => return Err(wrong("expected the campaign first".to_string())),
                (Line::Bound(bound), Some(ledger)) => ledger.extend(bound),
                (Line::Chunk(chunk), Some(ledger)) => {
                    if !chunk.is_plausible() {
                        return Err(wrong(format!("the sums of chunk {} cannot be", chunk.number)));
                    }
                    ledger.add(chunk).map_err(|error| wrong(error.to_string()))?;
                }
            }
        }
        ledger.ok_or_else(|| {
            LedgerError("these are no results of a campaign: nothing stands in it".to_string())
        })
    }
}
