//! Keys and what they hold.
//!
//! Owns the map and a hash of it that costs what changed. Must not know who changes it.

use crate::kv::command::Key;
use crate::kv::value::Value;
use sim_core::Digest;
use std::collections::BTreeMap;

/// Keys and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Store {
    held: BTreeMap<Key, Value>,
    /// The sum of [`part`] over all keys. A sum has no order and can be taken back.
    hash: u64,
}

/// What a key that holds `value` adds to the hash.
fn part(key: Key, value: &Value) -> u64 {
    let mut digest = Digest::new();
    digest.pair(u64::from(key.0), value.hash());
    digest.value()
}

impl Store {
    pub(crate) fn get(&self, key: Key) -> Option<&Value> {
        self.held.get(&key)
    }

    pub(crate) fn set(&mut self, key: Key, value: Value) {
        self.hash = self.hash.wrapping_add(part(key, &value));
        if let Some(before) = self.held.insert(key, value) {
            self.hash = self.hash.wrapping_sub(part(key, &before));
        }
    }

    /// Puts `value` at the end of what `key` holds, and says how long that is now.
    pub(crate) fn append(&mut self, key: Key, value: Value) -> u64 {
        let Some(held) = self.held.get_mut(&key) else {
            let length = value.len();
            self.set(key, value);
            return length;
        };
        self.hash = self.hash.wrapping_sub(part(key, held));
        held.append(value.as_slice());
        self.hash = self.hash.wrapping_add(part(key, held));
        held.len()
    }

    /// Takes the value of `key` away, and says whether there was one.
    pub(crate) fn remove(&mut self, key: Key) -> bool {
        let removed = self.held.remove(&key);
        if let Some(value) = &removed {
            self.hash = self.hash.wrapping_sub(part(key, value));
        }
        removed.is_some()
    }

    /// In order of keys.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (Key, &Value)> {
        self.held.iter().map(|(key, value)| (*key, value))
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    /// The hash by way of everything.
    pub(crate) fn hash_from_scratch(&self) -> u64 {
        self.iter().fold(0, |sum, (key, value)| sum.wrapping_add(part(key, &Value::new(value.as_slice()))))
    }
}
