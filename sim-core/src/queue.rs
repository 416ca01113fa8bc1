//! The event queue: a 4-ary heap of packed keys.
//!
//! A key is the time (64 bits), the drawn tie-break (32 bits) and what is due (32 bits) in one integer, so that order
//! is one comparison. Events at the same time are ordered by the draw; what is due decides only where two draws of 32
//! bits at the same nanosecond are equal.

use crate::VirtualTime;

/// When something is due, in what order among the simultaneous, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u128);

impl Key {
    #[inline]
    pub(crate) const fn new(due: VirtualTime, tie: u32, what: u32) -> Self {
        Self((due.nanos() as u128) << 64 | (tie as u128) << 32 | what as u128)
    }

    #[inline]
    pub(crate) const fn due(self) -> VirtualTime {
        VirtualTime::from_nanos((self.0 >> 64) as u64)
    }

    #[inline]
    pub(crate) const fn what(self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "the lowest 32 bits are what is due")]
        let what = self.0 as u32;
        what
    }
}

/// A priority queue of keys, smallest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    heap: Vec<Key>,
}

const ARITY: usize = 4;

impl Queue {
    #[inline]
    pub(crate) fn peek(&self) -> Option<Key> {
        self.heap.first().copied()
    }

    #[inline]
    pub(crate) fn push(&mut self, key: Key) {
        let mut place = self.heap.len();
        self.heap.push(key);
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[place] = self.heap[parent];
            place = parent;
        }
        self.heap[place] = key;
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Key> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first().copied() else { return Some(last) };
        let heap = &mut self.heap[..];
        let mut place = 0;
        loop {
            let child = place * ARITY + 1;
            let Some(children) = heap.get(child..heap.len().min(child + ARITY)) else { break };
            if children.is_empty() {
                break;
            }
            let offset = least(children);
            let least = children[offset];
            if last <= least {
                break;
            }
            heap[place] = least;
            place = child + offset;
        }
        heap[place] = last;
        Some(first)
    }

    /// Every key, in no order that means anything.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.heap.iter().copied()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

/// Which of a few keys is the least. Which one it is nobody could guess, so where there are all four, comparisons are
/// added up rather than branched on.
#[inline]
fn least(children: &[Key]) -> usize {
    if let [a, b, c, d] = children {
        let left = usize::from(b < a);
        let right = 2 + usize::from(d < c);
        return left + (right - left) * usize::from(children[right] < children[left]);
    }
    let mut best = 0;
    for (offset, key) in children.iter().enumerate().skip(1) {
        if *key < children[best] {
            best = offset;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    #[test]
    fn keys_come_out_in_order_whatever_the_order_they_went_in() {
        let mut stream = Stream::new(1, "queue", 0);
        let mut queue = Queue::default();
        let mut sorted = std::collections::BTreeSet::new();
        for round in 0..20_000u32 {
            if stream.below(5) < 3 {
                let key = Key::new(
                    VirtualTime::from_nanos(stream.below(50)),
                    crate::chance::upper(stream.bits()),
                    round,
                );
                queue.push(key);
                sorted.insert(key);
            } else {
                assert_eq!(queue.peek(), sorted.first().copied());
                assert_eq!(queue.pop(), sorted.pop_first());
            }
            assert_eq!(queue.len(), sorted.len());
        }
        while let Some(key) = sorted.pop_first() {
            assert_eq!(queue.pop(), Some(key));
        }
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn time_comes_before_the_tie_break_and_that_before_the_rest() {
        let key = |due, tie, what| Key::new(VirtualTime::from_nanos(due), tie, what);
        assert!(key(1, u32::MAX, u32::MAX) < key(2, 0, 0));
        assert!(key(1, 1, u32::MAX) < key(1, 2, 0));
        let far = key(VirtualTime::MAX.nanos(), u32::MAX, 7);
        assert_eq!((far.due(), far.what()), (VirtualTime::MAX, 7));
    }
}
