//! The links between processes: which are open, what waits on them, how they treat messages.
//!
//! A link is directed. It carries messages while neither of its ends is isolated, it is not cut itself, and no
//! partition separates its ends; each of these is undone only by its own opposite, or by healing everything.

use crate::ordinals::Ordinals;
use crate::{LinkQuality, MessageId, ProcessId, Span, VirtualTime};
use std::collections::{BTreeMap, VecDeque};

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
    /// The number of records when its stream began. Messages that came to the link before are of an older one, for which
    /// nobody waits.
    pub(crate) stream: u64,
    /// What waits while it is held: slab places, oldest first.
    pub(crate) waiting: VecDeque<u32>,
}

impl Link {
    /// Begins a new stream, after so many records: it does not wait for what the old one still carries.
    pub(crate) fn begin_stream(&mut self, records: u64) {
        self.stream = records;
        self.last_due = VirtualTime::ZERO;
    }
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

/// The group of those that no partition separates from anybody: no group has this number.
const EVERYBODY: u16 = u16::MAX;

/// Whether a partition separates a process of one group from one of the other.
#[inline]
fn are_apart(one: u16, other: u16) -> bool {
    one != other && one != EVERYBODY && other != EVERYBODY
}

/// The ends of every link, in the order in which the links stand.
fn all_ends(count: u16) -> impl Iterator<Item = (ProcessId, ProcessId)> {
    ProcessId::all(count).flat_map(move |from| ProcessId::all(count).map(move |to| (from, to)))
}

#[derive(Clone, Debug)]
pub(crate) struct Network {
    count: u16,
    kinds: usize,
    links: Vec<Link>,
    ordinals: Vec<Ordinals>,
    isolated: Vec<bool>,
    /// The group of each process while there is a partition; all 0 otherwise. Bystanders that no partition names are
    /// with [`EVERYBODY`].
    group: Vec<u16>,
    bystanders: u16,
    pub(crate) pins: Vec<MessagePin>,
    /// How many more messages those may send whose further ones are lost. Mostly nobody.
    allowances: Vec<(ProcessId, u32)>,
    /// The highest number of a copy that was ordered of each message that may still be copied. Mostly none.
    pub(crate) copies: BTreeMap<MessageId, u8>,
}

impl Network {
    /// The last `bystanders` of `count` processes are such.
    pub(crate) fn new((count, bystanders): (u16, u16), kinds: usize, quality: LinkQuality) -> Self {
        let link = Link {
            quality,
            cut: false,
            open: true,
            held: false,
            clogged_until: VirtualTime::ZERO,
            last_due: VirtualTime::ZERO,
            stream: 0,
            waiting: VecDeque::new(),
        };
        let links = usize::from(count) * usize::from(count);
        let mut network = Self {
            count,
            kinds,
            links: vec![link; links],
            ordinals: vec![Ordinals::default(); links * kinds],
            isolated: vec![false; usize::from(count)],
            group: vec![0; usize::from(count)],
            bystanders,
            pins: Vec::new(),
            allowances: Vec::new(),
            copies: BTreeMap::new(),
        };
        network.unite();
        network
    }

    /// Puts all processes back into one group, and the bystanders with everybody.
    fn unite(&mut self) {
        let first = usize::from(self.count - self.bystanders);
        self.group[..first].fill(0);
        self.group[first..].fill(EVERYBODY);
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

    /// Whether one more message of a process may set out; if so, it counts.
    #[inline]
    pub(crate) fn lets_go(&mut self, from: ProcessId) -> bool {
        self.allowances.is_empty() || self.spend(from)
    }

    #[cold]
    fn spend(&mut self, from: ProcessId) -> bool {
        let Some((_, left)) = self.allowances.iter_mut().find(|(process, _)| *process == from) else {
            return true;
        };
        let is_left = *left > 0;
        *left = left.saturating_sub(1);
        is_left
    }

    /// How many more messages a process may send; none if there is no end to them.
    pub(crate) fn allowance(&self, process: ProcessId) -> Option<u32> {
        self.allowances.iter().find(|(other, _)| *other == process).map(|(_, left)| *left)
    }

    /// Lets a process send so many more messages, or as many as it likes.
    pub(crate) fn allow(&mut self, process: ProcessId, allowance: Option<u32>) {
        self.allowances.retain(|(other, _)| *other != process);
        self.allowances.extend(allowance.map(|count| (process, count)));
    }

    /// The name of one more copy that is ordered of a message; none if there are too many.
    pub(crate) fn name_copy(&mut self, id: MessageId) -> Option<MessageId> {
        let highest = self.copies.entry(id.as_sent()).or_insert(1);
        *highest = highest.checked_add(1)?;
        Some(MessageId { copy: *highest, ..id })
    }

    pub(crate) fn is_isolated(&self, process: ProcessId) -> bool {
        self.isolated[process.index()]
    }

    /// Which links are open, sender by sender.
    pub(crate) fn open_links(&self) -> Vec<bool> {
        self.links.iter().map(|link| link.open).collect()
    }

    pub(crate) fn set_cut(&mut self, from: ProcessId, to: ProcessId, cut: bool) {
        self.link_mut(from, to).cut = cut;
        self.refresh_link(from, to);
    }

    pub(crate) fn set_isolated(&mut self, process: ProcessId, isolated: bool) {
        self.isolated[process.index()] = isolated;
        self.refresh();
    }

    /// Undoes the isolation of a process and every cut of a link of its, and lets go all that it sends.
    pub(crate) fn reconnect(&mut self, process: ProcessId) {
        self.allow(process, None);
        for other in ProcessId::all(self.count) {
            self.link_mut(process, other).cut = false;
            self.link_mut(other, process).cut = false;
        }
        self.set_isolated(process, false);
    }

    /// Processes in no group make up one more together; bystanders in no group are with everybody.
    pub(crate) fn partition(&mut self, groups: &[Vec<ProcessId>]) {
        self.unite();
        for (number, group) in (1..).zip(groups) {
            for process in group {
                self.group[process.index()] = number;
            }
        }
        self.refresh();
    }

    /// Opens every link, ends every clog and lets everything go, after so many records. What is held is not touched.
    pub(crate) fn open_all(&mut self, records: u64) {
        self.allowances.clear();
        self.isolated.fill(false);
        self.unite();
        for link in &mut self.links {
            link.cut = false;
            link.clogged_until = VirtualTime::ZERO;
            link.begin_stream(records);
        }
        self.refresh();
    }

    /// The links that are held, in order of sender and receiver.
    pub(crate) fn held(&self) -> Vec<(ProcessId, ProcessId)> {
        all_ends(self.count).zip(&self.links).filter(|(_, link)| link.held).map(|(ends, _)| ends).collect()
    }

    fn refresh(&mut self) {
        for (from, to) in all_ends(self.count) {
            self.refresh_link(from, to);
        }
    }

    /// Says anew whether a link is open: a cut concerns but one.
    fn refresh_link(&mut self, from: ProcessId, to: ProcessId) {
        let apart = self.isolated[from.index()]
            || self.isolated[to.index()]
            || are_apart(self.group[from.index()], self.group[to.index()]);
        let link = self.link_mut(from, to);
        link.open = !link.cut && !apart;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network::new((4, 0), 1, LinkQuality::default())
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
        network.open_all(0);
        assert_eq!(open(&network).len(), 6);
    }

    #[test]
    fn processes_in_no_group_stay_together() {
        let mut network = network();
        network.partition(&[vec![P(1)]]);
        assert_eq!(open(&network), [(0, 2), (0, 3), (2, 3)]);
    }

    #[test]
    fn a_bystander_is_with_everybody_until_a_partition_names_it() {
        let mut network = Network::new((4, 1), 1, LinkQuality::default());
        assert_eq!(open(&network).len(), 6);
        network.partition(&[vec![P(0)], vec![P(1)]]);
        assert_eq!(open(&network), [(0, 3), (1, 3), (2, 3)]);
        network.set_cut(P(0), P(3), true);
        network.set_cut(P(0), P(3), false);
        assert_eq!(open(&network), [(0, 3), (1, 3), (2, 3)], "a cut and its end ask the groups too");
        network.partition(&[vec![P(0)], vec![P(1), P(3)]]);
        assert_eq!(open(&network), [(1, 3)]);
        network.partition(&[vec![P(0)]]);
        assert_eq!(open(&network), [(0, 3), (1, 2), (1, 3), (2, 3)], "the next one does not name it");
        network.set_isolated(P(3), true);
        assert_eq!(open(&network), [(1, 2)]);
        network.open_all(0);
        assert_eq!(open(&network).len(), 6);
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
