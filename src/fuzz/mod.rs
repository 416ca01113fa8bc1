//! Drawing whole scenarios from a seed.
//!
//! A drawn scenario is an ordinary one: it can be written to a file, read, and run by the same executor.

mod aimed;
mod canary;
mod coverage;
mod plan;
mod portfolio;
mod priority;
mod race;
mod splice;
mod swarm;
mod tally;
mod timeline;

pub use canary::{CANARY, CANARY_RUNS, canary, has_canary};
pub use coverage::{Coverage, States};
pub use plan::step_of;
pub use portfolio::{Strategy, draw, draw_by};
pub use splice::splice;
pub use tally::Tally;
pub(crate) use timeline::Timeline;

use crate::execute::Limits;
use sim_core::{Digest, Stream};

/// Bounds on a drawn run: it is meant to be short.
pub const LIMITS: Limits = Limits { events_max: 200_000 };

/// The seed of the `index`-th run of the campaign `seed`.
#[must_use]
pub fn run_seed(seed: u64, index: u64) -> u64 {
    Stream::new(seed, "campaign", index).bits()
}

/// A stream of its own for one kind of thing, so that what is added to one leaves the others as they were.
///
/// The name goes into the number of the stream, for of the purpose of a stream only the first bytes count.
fn room(seed: u64, name: &str) -> Stream {
    let mut digest = Digest::new();
    digest.text(name);
    Stream::new(seed, "room", digest.value())
}
