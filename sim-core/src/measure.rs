//! What only a benchmark needs: parts of the hot path on their own.

use crate::chance::{Block, Chance, Domain};
use crate::{MessageId, ProcessId};

/// Draws for `count` messages in a row and gives their bits combined, so that nothing is optimised away.
#[must_use]
pub fn keyed_draws(seed: u64, count: u32) -> u64 {
    let chance = Chance::new(seed);
    (0..count).fold(0, |bits, ordinal| {
        let id = MessageId { from: ProcessId(1), to: ProcessId(2), kind: 2, copy: 0, ordinal, epoch: 3 };
        let Block(one, other) = chance.message(Domain::Message, &id);
        bits ^ one ^ other.rotate_left(1)
    })
}
