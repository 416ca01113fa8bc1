//! The same past, another future: from some moment on, chance goes by another seed.

use crate::chance::Chance;
use crate::latency::between;
use crate::simulation::Simulation;
use crate::world::{Pending, Stage, World};
use crate::{Observer, Process, Span};

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// Lets chance go by `seed` from now on, so that one past can have many futures. What has happened stays: who sent what,
    /// what is on which disk, which messages are lost or damaged. When something happens is open again: a message on its way
    /// sets out anew, and an armed timer fires after a new delay out of its range that is longer than what has passed of the
    /// old one. Delays that were pinned, and syncs that are under way, stay as they are.
    ///
    /// The future is a function of the past, of this seed, and of what is asked of the world. It is no record.
    pub fn redraw(&mut self, seed: u64) {
        self.world.chance = Chance::new(seed);
        self.set_out_anew();
        for index in 0..self.world.timers.len() {
            self.world.redraw_timer(index);
        }
    }

    fn set_out_anew(&mut self) {
        // Oldest first: on a link that keeps its order they keep it. What is pinned is not chance's affair.
        let network = &self.world.network;
        let open = self.pending(&[Stage::InFlight], |id| network.pinned(id).is_none());
        let on_the_way = self.take_in_flight(open);
        let mut links: Vec<_> = on_the_way.iter().map(|(_, id, ..)| (id.from, id.to)).collect();
        links.sort_unstable();
        links.dedup();
        self.forget_taken(&links);
        for (since, id, message, lot) in on_the_way {
            let place = self.world.post_anew((id, message, lot));
            // It came to its link when it did.
            if let Pending::Message { since: posted, .. } = &mut self.world.slab[place as usize] {
                *posted = since;
            }
        }
    }
}

impl<P: Process> World<P> {
    /// Lets an armed timer wait for another delay out of the range that its delay was drawn from.
    fn redraw_timer(&mut self, index: usize) {
        let (process, timer) = Self::timer_at(index);
        let slot = &self.timers[index];
        let (min, max) = slot.range;
        // One that is due is only not heard yet: it is held, or its process was paused.
        if !slot.armed || min >= max || slot.deadline <= self.now {
            return;
        }
        let left = self.clocks.left(process, timer.0, slot.deadline, self.now);
        let passed = slot.delay.nanos().saturating_sub(left.nanos());
        if passed >= max.nanos() {
            return;
        }
        let delay =
            between(min.max(Span::from_nanos(passed)), max, self.chance.redrawn(process, timer, self.now));
        self.timers[index].delay = delay;
        let due = self.clocks.arm(process, timer.0, self.now, Span::from_nanos(delay.nanos() - passed));
        self.arm(process, timer, due);
    }
}
