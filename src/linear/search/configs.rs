//! The configurations that a search has met: which operations were carried out, and what the cell holds.

/// A set of configurations. Sets of operations are stored without the operations up to which everything was carried out
/// and after which nothing was, so a configuration takes a few words however long the history.
#[derive(Clone, Debug)]
pub(super) struct Configs {
    words: Vec<u64>,
    /// By configuration, where its words begin.
    begins: Vec<usize>,
    hashes: Vec<u64>,
    /// Open addressing: the number of a configuration and 1, or 0.
    slots: Vec<u32>,
}

/// A set of operations, as bits, with what changes in it.
#[derive(Clone, Debug)]
pub(super) struct Done {
    bits: Vec<u64>,
    /// All words before it are full.
    low: usize,
    /// All words from it on are empty.
    high: usize,
    /// The exclusive or of the hashes of the members.
    hash: u64,
}

/// Mixes all bits into all bits (the finalizer of SplitMix64).
const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn scattered(member: usize) -> u64 {
    let member = u64::try_from(member).expect("a place fits in 64 bits");
    mix(member.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

impl Done {
    pub(super) fn new(count: usize) -> Self {
        Self { bits: vec![0; count.div_ceil(64)], low: 0, high: 0, hash: 0 }
    }

    pub(super) fn insert(&mut self, member: usize) {
        let word = member / 64;
        self.bits[word] |= 1 << (member % 64);
        self.high = self.high.max(word + 1);
        while self.bits.get(self.low) == Some(&u64::MAX) {
            self.low += 1;
        }
        self.hash ^= scattered(member);
    }

    pub(super) fn remove(&mut self, member: usize) {
        let word = member / 64;
        self.bits[word] &= !(1 << (member % 64));
        self.low = self.low.min(word);
        while self.high > 0 && self.bits[self.high - 1] == 0 {
            self.high -= 1;
        }
        self.hash ^= scattered(member);
    }

    fn window(&self) -> &[u64] {
        &self.bits[self.low.min(self.high)..self.high]
    }
}

impl Configs {
    pub(super) fn new() -> Self {
        Self { words: Vec::new(), begins: Vec::new(), hashes: Vec::new(), slots: vec![0; 64] }
    }

    /// Adds a configuration; false if it was there.
    pub(super) fn insert(&mut self, done: &Done, state: u32) -> bool {
        if self.begins.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let low = u32::try_from(done.low).expect("fewer than 2^38 operations");
        let head = u64::from(state) << 32 | u64::from(low);
        let hash = mix(done.hash ^ mix(u64::from(state)));
        let mut slot = self.home(hash);
        while let Some(config) = self.slots[slot].checked_sub(1) {
            let config = usize::try_from(config).expect("it is in memory");
            let stored = self.stored(config);
            if self.hashes[config] == hash && stored[0] == head && stored[1..] == *done.window() {
                return false;
            }
            slot = (slot + 1) % self.slots.len();
        }
        self.slots[slot] = u32::try_from(self.begins.len() + 1).expect("fewer than 2^32 configurations");
        self.begins.push(self.words.len());
        self.hashes.push(hash);
        self.words.push(head);
        self.words.extend_from_slice(done.window());
        true
    }

    fn stored(&self, config: usize) -> &[u64] {
        let end = self.begins.get(config + 1).copied().unwrap_or(self.words.len());
        &self.words[self.begins[config]..end]
    }

    fn home(&self, hash: u64) -> usize {
        let slots = u64::try_from(self.slots.len()).expect("a length fits in 64 bits");
        usize::try_from(hash % slots).expect("it is below a length")
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 4];
        for (number, hash) in (1..).zip(&self.hashes) {
            let mut slot = self.home(*hash);
            while self.slots[slot] != 0 {
                slot = (slot + 1) % self.slots.len();
            }
            self.slots[slot] = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_known_again_and_no_other_is() {
        let mut configs = Configs::new();
        let mut done = Done::new(200);
        assert!(configs.insert(&done, 0));
        for member in 0..200 {
            done.insert(member);
            assert!(configs.insert(&done, 0), "{member}");
            assert!(configs.insert(&done, 1), "{member}");
            assert!(!configs.insert(&done, 0), "{member}");
        }
        for member in (0..200).rev() {
            done.remove(member);
            assert!(!configs.insert(&done, 0), "{member}");
        }
        // The order in which a set was filled does not matter.
        for member in [150, 3, 77] {
            done.insert(member);
        }
        assert!(configs.insert(&done, 0));
        for member in [150, 3, 77] {
            done.remove(member);
        }
        for member in [77, 150, 3] {
            done.insert(member);
        }
        assert!(!configs.insert(&done, 0));
    }

    #[test]
    fn a_configuration_deep_in_a_history_takes_a_few_words() {
        let mut configs = Configs::new();
        let mut done = Done::new(100_000);
        (0..99_000).for_each(|member| done.insert(member));
        done.insert(99_100);
        configs.insert(&done, 7);
        assert!(configs.words.len() <= 4, "{}", configs.words.len());
    }
}
