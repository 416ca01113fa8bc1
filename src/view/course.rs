//! How a failure came nearer, in lines.

use crate::inevitable::{Inevitable, Moment};
use crate::record::Record;
use crate::view::story::sentence;
use sim_core::Stamp;

/// How long the longest bar is.
const BAR: usize = 24;

/// Tells how a failure of a run with `nodes` nodes came nearer, and which of its events made it inevitable.
#[must_use]
pub fn course(nodes: u16, lines: &[(Stamp, Record)], inevitable: &Inevitable) -> String {
    let Inevitable { course, since, before } = inevitable;
    let mut text = vec![
        "How it came nearer in the whole run: so many others break that are like it up to then.".to_string(),
    ];
    for Moment { after, failed, of } in course {
        let length = *failed as usize * BAR / (*of).max(1) as usize;
        let (at, bar) = (after.at.to_string(), "#".repeat(length));
        text.push(format!("      {at:>12}  {failed:>3} of {of}  {bar}").trim_end().to_string());
    }
    let since = since.map(|moment| (moment, sentence(nodes, lines, moment.after.number)));
    text.push(match (since, before) {
        (None, _) => "It was not inevitable before the very event in which it broke.".to_string(),
        (Some((Moment { of, .. }, _)), None) => {
            format!("It was inevitable from the beginning: {of} of {of} other runs of the same steps break.")
        }
        (Some((Moment { after, of, .. }, told)), Some(before)) => {
            let told = told.map_or_else(String::new, |told| format!(" ({told})"));
            format!(
                "It was inevitable since {}{told}: after it {of} of {of} break, before it {} of {}.",
                after.at, before.failed, before.of
            )
        }
    });
    text.push(String::new());
    text.join("\n")
}
