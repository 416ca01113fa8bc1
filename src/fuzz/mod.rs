//! Drawing whole scenarios from a seed.
//!
//! A drawn scenario is an ordinary one: it can be written to a file, read, and run by the same executor.

mod plan;
mod swarm;
mod tally;
mod timeline;

pub use plan::step_of;
pub use swarm::draw;
pub use tally::Tally;
pub(crate) use timeline::Timeline;

use crate::execute::Limits;

/// Bounds on a drawn run: it is meant to be short.
pub const LIMITS: Limits = Limits { events_max: 200_000 };

/// The seed of the `index`-th run of the campaign `seed`.
#[must_use]
pub fn run_seed(seed: u64, index: u64) -> u64 {
    sim_core::Stream::new(seed, "campaign", index).bits()
}
