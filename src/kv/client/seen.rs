//! What a client saw last at each key.
//!
//! Owns its idea of the keys, from its own answers alone. It may be wrong: it serves to make compare-and-sets that have
//! a chance.

use crate::kv::command::{Key, Operation};
use crate::kv::response::Response;
use crate::kv::value::Value;
use crate::kv::wire::Asked;
use std::collections::BTreeMap;

/// The values seen last. A key that was never seen counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(BTreeMap<Key, Value>);

impl Seen {
    pub(super) fn at(&self, key: Key) -> Option<&Value> {
        self.0.get(&key)
    }

    /// Takes in what was answered.
    pub(super) fn learn(&mut self, asked: &Asked, response: &Response) {
        let (key, written) = match asked {
            Asked::Read { key, .. } | Asked::Write(Operation::Get { key } | Operation::Delete { key }) => {
                (*key, None)
            }
            Asked::Write(
                Operation::Put { key, value }
                | Operation::Cas { key, value, .. }
                | Operation::Append { key, value },
            ) => (*key, Some(value)),
            Asked::Write(Operation::OpenSession | Operation::CloseSession) => return,
        };
        let now = match response {
            Response::Value(value) | Response::Unswapped(value) => value.clone(),
            Response::Written | Response::Swapped => written.cloned(),
            // Only the length is told. If it fits what was seen before, that is most likely what is there.
            Response::Length(length) => {
                let mut value = self.0.remove(&key).unwrap_or_else(|| Value::new(&[]));
                value.append(written.map_or(&[], Value::as_slice));
                Some(value).filter(|value| value.len() == *length)
            }
            Response::Deleted { .. }
            | Response::Opaque
            | Response::Opened { .. }
            | Response::Closed
            | Response::Stale
            | Response::SessionExpired => None,
        };
        match now {
            Some(value) => self.0.insert(key, value),
            None => self.0.remove(&key),
        };
    }
}
