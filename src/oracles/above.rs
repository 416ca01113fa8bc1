//! A list by index that forgets its beginning: what oracles remember of a log, in memory that does not grow with a
//! cluster that compacts.

use std::collections::BTreeMap;

/// Items by index, from 1, of which those below a floor are forgotten.
///
/// Items mostly come in the order of their indexes. One that leaves a gap (only a broken cluster makes any) is kept too.
#[derive(Clone, Debug)]
pub(super) struct Above<T> {
    /// The last index that is forgotten.
    base: u64,
    items: Vec<T>,
    /// The index of the first item that is there: some at the front are forgotten, but still there.
    begin: u64,
    /// Items beyond a gap.
    strays: BTreeMap<u64, T>,
}

impl<T> Default for Above<T> {
    fn default() -> Self {
        Self { base: 0, items: Vec::new(), begin: 1, strays: BTreeMap::new() }
    }
}

impl<T> Above<T> {
    /// One that has forgotten all up to `base`.
    pub(super) const fn behind(base: u64) -> Self {
        Self { base, items: Vec::new(), begin: base + 1, strays: BTreeMap::new() }
    }

    /// The last index that is forgotten; 0 if none is.
    #[inline]
    pub(super) const fn base(&self) -> u64 {
        self.base
    }

    /// The index up to which there is no gap.
    #[inline]
    pub(super) fn last_index(&self) -> u64 {
        self.begin + self.items.len() as u64 - 1
    }

    #[inline]
    pub(super) fn get(&self, index: u64) -> Option<&T> {
        if index <= self.base {
            return None;
        }
        let place = usize::try_from(index - self.begin).ok()?;
        match self.items.get(place) {
            None if !self.strays.is_empty() => self.strays.get(&index),
            item => item,
        }
    }

    /// Puts an item where there is none. Nothing happens if there is one, or `index` is forgotten.
    #[inline]
    pub(super) fn insert(&mut self, index: u64, item: T) {
        if index == self.last_index() + 1 {
            self.items.push(item);
            if !self.strays.is_empty() {
                self.join();
            }
        } else if index > self.last_index() {
            self.strays.entry(index).or_insert(item);
        }
    }

    /// Puts items behind the last one.
    #[inline]
    pub(super) fn extend(&mut self, items: impl Iterator<Item = T>) {
        self.items.extend(items);
        if !self.strays.is_empty() {
            // What stood beyond a gap came first.
            let last = self.last_index();
            self.strays.retain(|index, _| *index > last);
            self.join();
        }
    }

    /// How many items at the front are forgotten.
    fn stale(&self) -> usize {
        usize::try_from(self.base + 1 - self.begin)
            .expect("what is forgotten and still there fits into memory")
    }

    /// Takes over the strays that follow now.
    #[cold]
    fn join(&mut self) {
        while let Some(item) = self.strays.remove(&(self.last_index() + 1)) {
            self.items.push(item);
        }
    }

    /// Every item up to the first gap that is not forgotten, in order.
    pub(super) fn items(&self) -> &[T] {
        &self.items[self.stale()..]
    }

    /// Forgets everything up to `index`.
    pub(super) fn forget(&mut self, index: u64) {
        if index <= self.base {
            return;
        }
        let last = self.last_index();
        self.base = index;
        if !self.strays.is_empty() {
            self.strays = self.strays.split_off(&(index + 1));
        }
        if index >= last {
            self.items.clear();
            self.begin = index + 1;
            self.join();
        } else if self.stale() * 2 >= self.items.len() {
            // Moving what stays is paid for by what goes.
            self.items.drain(..self.stale());
            self.begin = index + 1;
        }
        if self.items.capacity() > 64 && self.items.capacity() > 4 * self.items.len() {
            self.items.shrink_to(2 * self.items.len());
        }
    }

    /// How many items there is room for.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.items.capacity() + self.strays.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Above;

    fn of(indexes: &[u64]) -> Above<u64> {
        let mut above = Above::default();
        indexes.iter().for_each(|index| above.insert(*index, *index * 10));
        above
    }

    #[test]
    fn an_item_is_found_at_its_index_until_it_is_forgotten() {
        let mut above = of(&[1, 2, 3, 4]);
        assert_eq!([0, 1, 4, 5].map(|index| above.get(index).copied()), [None, Some(10), Some(40), None]);
        above.forget(1);
        above.forget(0);
        assert_eq!([1, 2, 4].map(|index| above.get(index).copied()), [None, Some(20), Some(40)]);
        assert_eq!((above.base(), above.last_index(), above.items()), (1, 4, [20, 30, 40].as_slice()));
        above.insert(1, 0);
        above.insert(2, 0);
        above.insert(4, 0);
        assert!(above.strays.is_empty());
        above.insert(5, 50);
        above.forget(3);
        assert_eq!((above.get(3), above.items()), (None, [40, 50].as_slice()));
    }

    #[test]
    fn to_forget_more_than_is_there_leaves_nothing_and_goes_on_from_there() {
        let mut above = of(&[1, 2, 3]);
        above.forget(7);
        assert_eq!((above.base(), above.last_index(), above.get(3)), (7, 7, None));
        above.insert(8, 80);
        assert_eq!(above.get(8), Some(&80));
    }

    #[test]
    fn what_stands_beyond_a_gap_is_found_too_and_joins_when_the_gap_closes() {
        let mut above = of(&[1, 4, 5, 9]);
        assert_eq!((above.last_index(), above.get(4), above.get(9)), (1, Some(&40), Some(&90)));
        above.insert(2, 20);
        above.insert(3, 30);
        assert_eq!((above.last_index(), above.get(5)), (5, Some(&50)));
        above.forget(8);
        assert_eq!((above.last_index(), above.get(9)), (9, Some(&90)));
    }

    #[test]
    fn its_room_follows_what_it_holds() {
        let mut above = Above::default();
        for index in 1..100_000 {
            above.insert(index, index);
            above.forget(index.saturating_sub(100));
            assert!(above.room() <= 1_024, "at {index}");
        }
        assert_eq!(above.items().len(), 100);
    }

    #[test]
    fn one_whose_beginning_is_forgotten_goes_on_from_there() {
        let mut above = Above::behind(5);
        assert_eq!((above.base(), above.last_index()), (5, 5));
        above.insert(5, 50);
        above.insert(6, 60);
        assert_eq!((above.get(5), above.get(6), above.items()), (None, Some(&60), [60].as_slice()));
    }

    #[test]
    fn what_comes_in_a_row_takes_the_place_of_what_stood_beyond_a_gap() {
        let mut above = of(&[1, 3, 5, 6, 9]);
        above.extend([21, 31, 41, 51].into_iter());
        assert_eq!((above.last_index(), above.items()), (6, [10, 21, 31, 41, 51, 60].as_slice()));
        assert_eq!((above.get(9), above.strays.len()), (Some(&90), 1));
    }

    #[test]
    fn what_stands_beyond_a_gap_is_forgotten_too() {
        let mut above = of(&[1, 4, 5, 9]);
        above.forget(5);
        assert_eq!((above.get(5), above.get(9), above.strays.len()), (None, Some(&90), 1));
        above.forget(9);
        assert_eq!((above.get(9), above.strays.len(), above.last_index()), (None, 0, 9));
    }

    #[test]
    fn room_is_given_back_where_less_than_a_quarter_of_it_is_used() {
        let mut above = Above::default();
        (1..=1_024).for_each(|index| above.insert(index, index));
        let room = above.room();
        above.forget(768);
        assert_eq!((above.items().len(), above.room()), (256, room));
        above.forget(1_000);
        assert!((48..=64).contains(&above.room()), "{}", above.room());
        assert_eq!(above.items().first(), Some(&1_001));
        // A little room is not worth it.
        let mut small = Above { items: Vec::with_capacity(64), ..Above::default() };
        let room = small.room();
        small.insert(1, 1);
        small.forget(1);
        assert_eq!((small.items().len(), small.room()), (0, room));
    }
}
