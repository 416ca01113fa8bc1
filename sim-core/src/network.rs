//! The links between processes: which are open, what waits on them, how they treat messages.
//!
//! A link is directed. It carries messages while neither of its ends is isolated, it is not cut itself, and no
//! partition separates its ends; each of these is undone only by its own opposite, or by healing everything.

use crate::ordinals::Ordinals;
use crate::{LinkQuality, MessageId, ProcessId, Span, VirtualTime};
use std::collections::VecDeque;

/// One direction between two processes.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) quality: LinkQuality,
    cut: bool,
    /// Whether it carries messages, all reasons taken together.
    pub(crate) open: bool,
    pub(crate) held: bool,
    /// Messages sent before this set out at this time.
    pub(crate) clogged_until: VirtualTime,
    /// When the last message sent over it arrives: a `fifo` link never delivers a later one before.
    pub(crate) last_due: VirtualTime,
    /// What waits while it is held: slab places, oldest first.
    pub(crate) waiting: VecDeque<u32>,
}

/// What a pin makes of the messages it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Fate {
    /// They take just so long.
    Latency(Span),
    /// They are lost.
    Drop,
}

/// Decides what becomes of certain messages instead of leaving it to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePin {
    /// Only messages from this process.
    pub from: ProcessId,
    /// Only messages to this process.
    pub to: ProcessId,
    /// Only messages of this kind, an index into [`crate::Process::KINDS`].
    pub kind: u8,
    /// Only messages of this epoch.
    pub epoch: Option<u64>,
    /// Only the message with this number (see [`MessageId`]).
    pub ordinal: Option<u32>,
    /// What becomes of them.
    pub fate: Fate,
}

impl MessagePin {
    fn matches(&self, id: &MessageId) -> bool {
        self.from == id.from
            && self.to == id.to
            && self.kind == id.kind
            && self.epoch.is_none_or(|epoch| epoch == id.epoch)
            && self.ordinal.is_none_or(|ordinal| ordinal == id.ordinal)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Network {
    count: u16,
    kinds: usize,
    links: Vec<Link>,
    ordinals: Vec<Ordinals>,
    isolated: Vec<bool>,
    /// The group of each process while there is a partition; all 0 otherwise.
    group: Vec<u16>,
    pub(crate) pins: Vec<MessagePin>,
}

impl Network {
    pub(crate) fn new(count: u16, kinds: usize, quality: LinkQuality) -> Self {
        let link = Link {
            quality,
            cut: false,
            open: true,
            held: false,
            clogged_until: VirtualTime::ZERO,
            last_due: VirtualTime::ZERO,
            waiting: VecDeque::new(),
        };
        let links = usize::from(count) * usize::from(count);
        Self {
            count,
            kinds,
            links: vec![link; links],
            ordinals: vec![Ordinals::default(); links * kinds],
            isolated: vec![false; usize::from(count)],
            group: vec![0; usize::from(count)],
            pins: Vec::new(),
        }
    }

    #[inline]
    fn index(&self, from: ProcessId, to: ProcessId) -> usize {
        from.index() * usize::from(self.count) + to.index()
    }

    #[inline]
    pub(crate) fn link(&self, from: ProcessId, to: ProcessId) -> &Link {
        &self.links[self.index(from, to)]
    }

    #[inline]
    pub(crate) fn link_mut(&mut self, from: ProcessId, to: ProcessId) -> &mut Link {
        let index = self.index(from, to);
        &mut self.links[index]
    }

    /// The number of the next message of this kind and epoch on the link.
    #[inline]
    pub(crate) fn ordinal(&mut self, from: ProcessId, to: ProcessId, kind: u8, epoch: u64) -> u32 {
        let index = self.index(from, to) * self.kinds + usize::from(kind);
        self.ordinals[index].take(epoch)
    }

    /// The fate of a message that a pin decides; the newest matching pin does.
    #[inline]
    pub(crate) fn pinned(&self, id: &MessageId) -> Option<Fate> {
        if self.pins.is_empty() {
            return None;
        }
        self.pins.iter().rev().find(|pin| pin.matches(id)).map(|pin| pin.fate)
    }

    pub(crate) fn is_isolated(&self, process: ProcessId) -> bool {
        self.isolated[process.index()]
    }

    /// Which links are open, sender by sender.
    pub(crate) fn open_links(&self) -> Vec<bool> {
        self.links.iter().map(|link| link.open).collect()
    }

    pub(crate) fn set_cut(&mut self, from: ProcessId, to: ProcessId, cut: bool) {
        let apart = self.isolated[from.index()]
            || self.isolated[to.index()]
            || self.group[from.index()] != self.group[to.index()];
        let link = self.link_mut(from, to);
        link.cut = cut;
        link.open = !cut && !apart;
    }

    pub(crate) fn set_isolated(&mut self, process: ProcessId, isolated: bool) {
        self.isolated[process.index()] = isolated;
        self.refresh();
    }

    /// Undoes the isolation of a process and every cut of a link of its.
    pub(crate) fn reconnect(&mut self, process: ProcessId) {
        for other in ProcessId::all(self.count) {
            self.link_mut(process, other).cut = false;
            self.link_mut(other, process).cut = false;
        }
        self.set_isolated(process, false);
    }

    /// Processes in no group make up one more together.
    pub(crate) fn partition(&mut self, groups: &[Vec<ProcessId>]) {
        self.group.fill(0);
        for (number, group) in (1..).zip(groups) {
            for process in group {
                self.group[process.index()] = number;
            }
        }
        self.refresh();
    }

    /// Opens every link and ends every clog. What is held is not touched.
    pub(crate) fn open_all(&mut self) {
        self.isolated.fill(false);
        self.group.fill(0);
        for link in &mut self.links {
            link.cut = false;
            link.clogged_until = VirtualTime::ZERO;
            // A new stream: it does not wait for what the old one still carries.
            link.last_due = VirtualTime::ZERO;
        }
        self.refresh();
    }

    /// The links that are held, in order of sender and receiver.
    pub(crate) fn held(&self) -> Vec<(ProcessId, ProcessId)> {
        let ends =
            ProcessId::all(self.count).flat_map(|from| ProcessId::all(self.count).map(move |to| (from, to)));
        ends.zip(&self.links).filter(|(_, link)| link.held).map(|(ends, _)| ends).collect()
    }

    fn refresh(&mut self) {
        let (isolated, group) = (&self.isolated, &self.group);
        let ends =
            ProcessId::all(self.count).flat_map(|from| ProcessId::all(self.count).map(move |to| (from, to)));
        for ((from, to), link) in ends.zip(&mut self.links) {
            let (from, to) = (from.index(), to.index());
            link.open = !link.cut && !isolated[from] && !isolated[to] && group[from] == group[to];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network::new(4, 1, LinkQuality::default())
    }

    fn open(network: &Network) -> Vec<(u16, u16)> {
        let ids = || ProcessId::all(4);
        let pairs = ids().flat_map(|from| ids().map(move |to| (from, to)));
        pairs.filter(|(a, b)| a < b && network.link(*a, *b).open).map(|(a, b)| (a.0, b.0)).collect()
    }

    const P: fn(u16) -> ProcessId = ProcessId;

    #[test]
    fn a_link_between_two_isolated_processes_opens_when_both_are_back() {
        let mut network = network();
        network.set_isolated(P(0), true);
        network.set_isolated(P(1), true);
        assert_eq!(open(&network), [(2, 3)]);
        network.reconnect(P(0));
        assert_eq!(open(&network), [(0, 2), (0, 3), (2, 3)]);
        network.reconnect(P(1));
        assert_eq!(open(&network).len(), 6);
    }

    #[test]
    fn cuts_isolations_and_partitions_do_not_undo_each_other() {
        let mut network = network();
        network.set_cut(P(0), P(1), true);
        network.partition(&[vec![P(0), P(1), P(2)]]);
        assert_eq!(open(&network), [(0, 2), (1, 2)]);
        network.partition(&[]);
        assert!(!network.link(P(0), P(1)).open);
        assert!(network.link(P(1), P(0)).open, "a cut has one direction");
        network.open_all();
        assert_eq!(open(&network).len(), 6);
    }

    #[test]
    fn processes_in_no_group_stay_together() {
        let mut network = network();
        network.partition(&[vec![P(1)]]);
        assert_eq!(open(&network), [(0, 2), (0, 3), (2, 3)]);
    }

    #[test]
    fn the_newest_matching_pin_decides() {
        let mut network = network();
        let id = MessageId { from: P(0), to: P(1), kind: 0, copy: 0, ordinal: 3, epoch: 2 };
        let pin = MessagePin { from: P(0), to: P(1), kind: 0, epoch: None, ordinal: None, fate: Fate::Drop };
        assert_eq!(network.pinned(&id), None);
        network.pins.push(pin);
        assert_eq!(network.pinned(&id), Some(Fate::Drop));
        network.pins.push(MessagePin { ordinal: Some(3), fate: Fate::Latency(Span::ZERO), ..pin });
        assert_eq!(network.pinned(&id), Some(Fate::Latency(Span::ZERO)));
        assert_eq!(network.pinned(&MessageId { ordinal: 4, ..id }), Some(Fate::Drop));
        assert_eq!(network.pinned(&MessageId { to: P(2), ..id }), None);
    }
}
