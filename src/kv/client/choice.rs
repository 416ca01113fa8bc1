//! What a client asks for next.
//!
//! Owns the way from draws to an operation. Must not know how it is asked.

use crate::kv::client::seen::Seen;
use crate::kv::command::{Key, Operation};
use crate::kv::draws::{Decision, Draws, Purpose, weighted};
use crate::kv::value::Value;
use crate::kv::wire::{Asked, ReadKind};
use crate::kv::workload::Workload;

/// The operation that `of` names, whatever its purpose.
pub(super) fn choose(workload: &Workload, seen: &Seen, of: Decision, draws: &mut impl Draws) -> Asked {
    let about = |purpose| Decision { purpose, ordinal: 0, ..of };
    let key = draws.below(about(Purpose::Key), u64::from(workload.keys));
    let key = Key(u32::try_from(key).expect("it is below the number of keys"));
    // No two operations of a history write the same bytes, and what is left out changes nothing about the others.
    let value = Value::from(format!("{}.{};", of.client, of.operation).as_str());
    match weighted(draws, about(Purpose::Operation), &workload.mix.weights()) {
        0 => {
            let by = match weighted(draws, about(Purpose::ReadKind), &workload.reads.weights()) {
                0 => ReadKind::Log,
                1 => ReadKind::ReadIndex,
                2 => ReadKind::Lease,
                3 => ReadKind::Follower,
                _ => ReadKind::Local,
            };
            Asked::Read { key, by }
        }
        1 => Asked::Write(Operation::Put { key, value }),
        2 => Asked::Write(Operation::Cas { key, expected: seen.at(key).cloned(), value }),
        3 => Asked::Write(Operation::Append { key, value }),
        _ => Asked::Write(Operation::Delete { key }),
    }
}
