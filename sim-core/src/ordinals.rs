//! Numbering things within an epoch, so that what happens in one epoch does not rename what happens in another.

/// How many epochs are remembered beside the current one.
const PAST_MAX: usize = 1_024;

/// Counts from 0 within each epoch. Exact while no more than [`PAST_MAX`] epochs are in use at a time: beyond that the
/// lowest is forgotten, and counted from 0 again should it come back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ordinals {
    epoch: u64,
    next: u32,
    /// Epochs left behind and the next number of each, in order. Epochs mostly rise, so entries mostly go to the end.
    past: Vec<(u64, u32)>,
}

impl Ordinals {
    /// The next number of `epoch`.
    #[inline]
    pub(crate) fn take(&mut self, epoch: u64) -> u32 {
        if epoch != self.epoch {
            self.switch(epoch);
        }
        let ordinal = self.next;
        self.next = ordinal.wrapping_add(1);
        ordinal
    }

    #[cold]
    fn switch(&mut self, epoch: u64) {
        let next = match self.place(epoch) {
            Ok(place) => self.past.remove(place).1,
            Err(_) => 0,
        };
        if self.next > 0
            && let Err(place) = self.place(self.epoch)
        {
            self.past.insert(place, (self.epoch, self.next));
            if self.past.len() > PAST_MAX {
                self.past.remove(0);
            }
        }
        (self.epoch, self.next) = (epoch, next);
    }

    fn place(&self, epoch: u64) -> Result<usize, usize> {
        self.past.binary_search_by_key(&epoch, |(epoch, _)| *epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_epoch_counts_for_itself() {
        let mut ordinals = Ordinals::default();
        let taken = [1, 1, 2, 1, 2, 2, 3, 1, 2, 3, 0, 0, 1].map(|epoch| ordinals.take(epoch));
        assert_eq!(taken, [0, 1, 0, 2, 1, 2, 0, 3, 3, 1, 0, 1, 4]);
    }

    #[test]
    fn many_epochs_in_turn_stay_apart_and_the_memory_has_an_end() {
        let mut ordinals = Ordinals::default();
        for round in 0..5 {
            for epoch in 0..1_000 {
                assert_eq!(ordinals.take(epoch), round);
            }
        }
        for epoch in 0..10_000 {
            ordinals.take(epoch);
        }
        assert_eq!(ordinals.past.len(), PAST_MAX);
        assert_eq!(ordinals.take(0), 0, "the lowest was forgotten");
        assert_eq!(ordinals.take(9_998), 1);
    }
}
