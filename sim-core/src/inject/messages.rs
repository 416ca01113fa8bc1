//! Doing things to messages on their way: losing, holding, delivering, doubling and shuffling them.

use crate::queue::Key;
use crate::simulation::Simulation;
use crate::world::{Lot, Pending, SLAB, Stage, TAG, World};
use crate::{DropReason, MessageId, Observer, Process, ProcessId, Record, VirtualTime};
use std::collections::BTreeSet;

/// Whether a message is from, to and of what is asked for; nothing asked for is anything.
pub(crate) fn matching(
    from: Option<ProcessId>,
    to: Option<ProcessId>,
    kind: Option<u8>,
) -> impl Fn(&MessageId) -> bool {
    move |id| {
        from.is_none_or(|from| from == id.from)
            && to.is_none_or(|to| to == id.to)
            && kind.is_none_or(|kind| kind == id.kind)
    }
}

/// The number of records when a message came to its link.
pub(crate) fn age<P: Process>(slab: &[Pending<P>], place: u32) -> u64 {
    let Pending::Message { since, .. } = &slab[place as usize] else {
        unreachable!("only messages have an age")
    };
    *since
}

impl<P: Process, O: Observer<P::Facts, P::Note>> Simulation<P, O> {
    /// Takes messages that match out of the world.
    pub(super) fn drop_pending(
        &mut self,
        reason: DropReason,
        stages: &[Stage],
        matches: impl Fn(&MessageId) -> bool,
    ) {
        let taken = self.pending(stages, matches);
        for (id, place) in &taken {
            let (id, place) = (*id, *place);
            let link = self.world.network.link_mut(id.from, id.to);
            match link.waiting.iter().position(|waiting| *waiting == place) {
                Some(position) => {
                    link.waiting.remove(position);
                    self.world.take(place);
                }
                // The queue still refers to it.
                None => self.world.slab[place as usize] = Pending::Cancelled,
            }
            self.world.lose(&mut self.observer, id, reason);
        }
        let mut links: Vec<_> = taken.into_iter().map(|(id, _)| (id.from, id.to)).collect();
        links.dedup();
        self.forget_taken(&links);
    }

    /// Messages in flight were taken from these links: later ones on a `fifo` link wait for those that are left.
    pub(crate) fn forget_taken(&mut self, links: &[(ProcessId, ProcessId)]) {
        let is_fifo = |link: &&(ProcessId, ProcessId)| self.world.network.link(link.0, link.1).quality.fifo;
        let links: Vec<(ProcessId, ProcessId)> = links.iter().filter(is_fifo).copied().collect();
        if links.is_empty() {
            return;
        }
        for (from, to) in &links {
            self.world.network.link_mut(*from, *to).last_due = VirtualTime::ZERO;
        }
        let World { queue, slab, network, .. } = &mut self.world;
        for key in queue.keys().filter(|key| key.what() & TAG == SLAB) {
            if let Pending::Message { id, stage: Stage::InFlight, since, .. } = &slab[key.what() as usize]
                && links.binary_search(&(id.from, id.to)).is_ok()
            {
                let link = network.link_mut(id.from, id.to);
                if *since >= link.stream {
                    link.last_due = link.last_due.max(key.due());
                }
            }
        }
    }

    /// The messages that match and where they are, in order of their names: a slab's order means nothing.
    pub(crate) fn pending(
        &self,
        stages: &[Stage],
        matches: impl Fn(&MessageId) -> bool,
    ) -> Vec<(MessageId, u32)> {
        let mut found: Vec<(MessageId, u32)> = (0..)
            .zip(&self.world.slab)
            .filter_map(|(place, pending)| match pending {
                Pending::Message { id, stage, .. } if stages.contains(stage) && matches(id) => {
                    Some((*id, place))
                }
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// Takes messages in flight, of which it was found out where they are, out of the world, oldest first.
    pub(crate) fn take_in_flight(
        &mut self,
        found: Vec<(MessageId, u32)>,
    ) -> Vec<(u64, MessageId, P::Message, Lot)> {
        let mut taken = Vec::new();
        for (_, place) in found {
            // The queue still refers to it.
            let pending = core::mem::replace(&mut self.world.slab[place as usize], Pending::Cancelled);
            let Pending::Message { id, message, since, lot, .. } = pending else {
                unreachable!("only messages were asked for")
            };
            taken.push((since, id, message, lot));
        }
        taken.sort_by_key(|(since, id, ..)| (*since, *id));
        taken
    }

    pub(super) fn hold(&mut self, from: ProcessId, to: ProcessId, capture: bool) {
        self.world.network.link_mut(from, to).held = true;
        if !capture {
            return;
        }
        let found = self.pending(&[Stage::InFlight], |id| id.from == from && id.to == to);
        let captured = self.take_in_flight(found);
        for (since, id, message, lot) in captured {
            self.world.keep_back(&mut self.observer, (id, message, lot), Some(since));
        }
        // They may be older than what is held already.
        let World { slab, network, .. } = &mut self.world;
        let waiting = network.link_mut(from, to).waiting.make_contiguous();
        waiting.sort_by_key(|place| age(slab, *place));
        self.forget_taken(&[(from, to)]);
    }

    pub(super) fn release(&mut self, from: ProcessId, to: ProcessId) {
        let link = self.world.network.link_mut(from, to);
        link.held = false;
        for place in core::mem::take(&mut link.waiting) {
            let (id, message, lot) = self.world.take_message(place);
            self.world.emit(&mut self.observer, Record::Released { id });
            match lot {
                Lot::Open => self.world.hand_over(&mut self.observer, id, message),
                Lot::Sound | Lot::Damaged => {
                    self.world.post_again(&mut self.observer, (id, message, lot));
                }
            }
        }
    }

    pub(super) fn held_place(&self, from: ProcessId, to: ProcessId, kind: Option<u8>) -> Option<usize> {
        self.held_on(from, to).position(|id| kind.is_none_or(|kind| kind == id.kind))
    }

    pub(super) fn deliver_one(&mut self, from: ProcessId, to: ProcessId, kind: Option<u8>) {
        let position = self.held_place(from, to, kind).expect("that something is held was checked");
        self.deliver_at((from, to), position);
    }

    /// Where in the row of what its link holds a message stands.
    pub(super) fn place_of(&self, id: &MessageId) -> Option<usize> {
        self.held_on(id.from, id.to).position(|other| other == *id)
    }

    pub(super) fn deliver_this(&mut self, id: MessageId, copy: bool) {
        let position = self.place_of(&id).expect("that it is held was checked");
        if !copy {
            return self.deliver_at((id.from, id.to), position);
        }
        let place = self.world.network.link(id.from, id.to).waiting[position];
        let Pending::Message { message, .. } = &self.world.slab[place as usize] else {
            unreachable!("only messages are held")
        };
        let message = message.clone();
        let Some(id) = self.world.network.name_copy(id) else { return };
        self.world.stats.duplicated += 1;
        self.world.emit(&mut self.observer, Record::Duplicated { id });
        let tie = self.world.message_tie(&id);
        self.world.post_now(id, message, tie);
    }

    fn deliver_at(&mut self, (from, to): (ProcessId, ProcessId), position: usize) {
        let place = self.world.network.link_mut(from, to).waiting.remove(position);
        let place = place.expect("the position was just found");
        let (id, message, _) = self.world.take_message(place);
        self.world.emit(&mut self.observer, Record::Released { id });
        let tie = self.world.message_tie(&id);
        self.world.post_now(id, message, tie);
    }

    /// They are due now, in their order and before anything else that is due now.
    pub(super) fn deliver_all(&mut self, matches: impl Fn(&MessageId) -> bool) {
        let mut held = self.pending(&[Stage::Held], matches);
        held.sort_by_key(|(id, place)| (age(&self.world.slab, *place), *id));
        let places: BTreeSet<u32> = held.iter().map(|(_, place)| *place).collect();
        let links: BTreeSet<_> = held.iter().map(|(id, _)| (id.from, id.to)).collect();
        for (from, to) in links {
            self.world.network.link_mut(from, to).waiting.retain(|place| !places.contains(place));
        }
        for (tie, (id, place)) in (0..).zip(held) {
            let (_, message, _) = self.world.take_message(place);
            self.world.emit(&mut self.observer, Record::Released { id });
            self.world.post_now(id, message, tie);
        }
    }

    pub(super) fn duplicate_pending(&mut self, matches: impl Fn(&MessageId) -> bool) {
        let pending = self.pending(&[Stage::InFlight, Stage::Held], |_| true);
        // Nothing is copied that is not pending any more, so its numbers are forgotten.
        let names: BTreeSet<MessageId> = pending.iter().map(|(id, _)| id.as_sent()).collect();
        self.world.network.copies.retain(|id, _| names.contains(id));
        for (id, place) in pending.into_iter().filter(|(id, _)| matches(id)) {
            let Some(copied) = self.world.network.name_copy(id) else { continue };
            let Pending::Message { message, stage, lot, .. } = &self.world.slab[place as usize] else {
                unreachable!("only messages were asked for")
            };
            let (id, message, stage, lot) = (copied, message.clone(), *stage, *lot);
            self.world.stats.duplicated += 1;
            self.world.emit(&mut self.observer, Record::Duplicated { id });
            if stage == Stage::InFlight {
                self.world.post_anew((id, message, lot));
            } else {
                self.world.keep_back(&mut self.observer, (id, message, lot), None);
            }
        }
    }

    pub(super) fn shuffle(&mut self, matches: impl Fn(&MessageId) -> bool) {
        let network = &self.world.network;
        let is_loose = |id: &MessageId| matches(id) && !network.link(id.from, id.to).quality.fifo;
        let in_flight: BTreeSet<u32> =
            self.pending(&[Stage::InFlight], is_loose).into_iter().map(|(_, place)| place).collect();
        let held: BTreeSet<u32> =
            self.pending(&[Stage::Held], is_loose).into_iter().map(|(_, place)| place).collect();
        let mut arrivals: Vec<Key> = self
            .world
            .queue
            .keys()
            .filter(|key| key.what() & TAG == SLAB && in_flight.contains(&key.what()))
            .collect();
        arrivals.sort_unstable();
        self.permute(&arrivals.iter().map(|key| key.what()).collect::<Vec<_>>());
        for (from, to) in self.world.network.held() {
            let waiting = self.world.network.link(from, to).waiting.iter().copied();
            let places: Vec<u32> = waiting.filter(|place| held.contains(place)).collect();
            // A place in the row makes the age of whatever stands there: the first is the oldest.
            let ages: Vec<u64> = places.iter().map(|place| age(&self.world.slab, *place)).collect();
            self.permute(&places);
            for (place, age) in places.into_iter().zip(ages) {
                if let Pending::Message { since, .. } = &mut self.world.slab[place as usize] {
                    *since = age;
                }
            }
        }
    }

    /// Lets messages swap their places in a drawn way. A message's draw is its own, so that one more or less leaves the
    /// order of the others.
    fn permute(&mut self, places: &[u32]) {
        let World { slab, chance, now, .. } = &mut self.world;
        let mut drawn: Vec<(u64, MessageId, u32)> = Vec::with_capacity(places.len());
        for place in places {
            let Pending::Message { id, .. } = &slab[*place as usize] else {
                unreachable!("only messages were asked for")
            };
            drawn.push((chance.shuffle(id, *now), *id, *place));
        }
        drawn.sort_unstable();
        let taken: Vec<Pending<P>> = drawn
            .into_iter()
            .map(|(_, _, from)| core::mem::replace(&mut slab[from as usize], Pending::Vacant))
            .collect();
        for (place, message) in places.iter().zip(taken) {
            slab[*place as usize] = message;
        }
    }
}
