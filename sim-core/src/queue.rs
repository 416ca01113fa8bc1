//! The event queue: packed keys, the next ones sorted and the rest in a 4-ary heap.
//!
//! A key is the time (64 bits), the drawn tie-break (32 bits) and what is due (32 bits) in one integer, so that order
//! is one comparison. Events at the same time are ordered by the draw; what is due decides only where two draws of 32
//! bits at the same nanosecond are equal.
//!
//! A small cluster has about 20 events pending. In a list that is sorted, latest first, the next one is taken off the
//! end, and one that is due at once (the sync of a disk that takes no time) is put there; a heap would sift both
//! through all its levels. Whatever does not fit into a short list goes into the heap.

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
    /// The next ones, latest first. Empty only if there are none at all.
    near: Vec<Key>,
    /// The others: none comes before any of the next.
    far: Heap,
}

/// How many keys are kept sorted at most. To sort in one moves half of them, so that more would cost more than a heap.
const NEAR_MAX: usize = 64;

impl Queue {
    #[inline]
    pub(crate) fn peek(&self) -> Option<Key> {
        self.near.last().copied()
    }

    #[inline]
    pub(crate) fn push(&mut self, key: Key) {
        // Whatever is due comes after most that are pending or before them all.
        if self.near.last().is_none_or(|next| key < *next) {
            self.near.push(key);
        } else if self.far.is_empty() || self.near.first().is_some_and(|latest| key < *latest) {
            // By the time alone, which a search compares without a branch that nobody could guess; then by the rest.
            let due = key.due();
            let mut later = self.near.partition_point(|other| due < other.due());
            while self.near.get(later).is_some_and(|other| key < *other) {
                later += 1;
            }
            self.near.insert(later, key);
        } else {
            return self.far.push(key);
        }
        if self.near.len() > NEAR_MAX {
            self.spill();
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Key> {
        let next = self.near.pop();
        if self.near.is_empty() && !self.far.is_empty() {
            self.refill();
        }
        next
    }

    /// Too many are sorted: the later half goes into the heap.
    #[cold]
    fn spill(&mut self) {
        for key in self.near.drain(..NEAR_MAX / 2) {
            self.far.push(key);
        }
    }

    /// None is sorted any more: the next few come out of the heap.
    #[cold]
    fn refill(&mut self) {
        self.near.extend(core::iter::from_fn(|| self.far.pop()).take(NEAR_MAX / 2));
        self.near.reverse();
    }

    /// Every key, in no order that means anything.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.near.iter().chain(&self.far.keys).copied()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.near.len() + self.far.keys.len()
    }
}

/// A heap in which each key has four below it that are not smaller.
#[derive(Clone, Debug, Default)]
struct Heap {
    keys: Vec<Key>,
}

const ARITY: usize = 4;

impl Heap {
    #[inline]
    fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn push(&mut self, key: Key) {
        let mut place = self.keys.len();
        self.keys.push(key);
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if self.keys[parent] <= key {
                break;
            }
            self.keys[place] = self.keys[parent];
            place = parent;
        }
        self.keys[place] = key;
    }

    fn pop(&mut self) -> Option<Key> {
        let last = self.keys.pop()?;
        let Some(first) = self.keys.first().copied() else { return Some(last) };
        let heap = &mut self.keys[..];
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
            // Now and then it grows beyond what is sorted, now and then it is empty.
            let pushes = if round / 500 % 2 == 0 { 3 } else { 2 };
            if stream.below(5) < pushes {
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
