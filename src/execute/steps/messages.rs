//! Steps about messages on their way, and about those to come.

use crate::execute::build::set_pin;
use crate::execute::steps::listed;
use crate::execute::{Halt, Runner};
use crate::record::MESSAGE_KINDS;
use crate::scenario::{Deliver, DeliverOne, HowMany, MessageKind, Pending, Pin, Step, Target};
use core::fmt;
use sim_core::{Fault, MessageId, ProcessId};

/// How many held messages one step delivers at most.
const DELIVERIES_MAX: usize = 100_000;

/// Messages by their ends and their kind; what is not asked for may be anything.
struct Matching {
    from: Vec<Option<ProcessId>>,
    to: Vec<Option<ProcessId>>,
    kind: Option<u8>,
}

impl Matching {
    fn has(&self, id: &MessageId) -> bool {
        let among = |ends: &[Option<ProcessId>], end| ends.iter().any(|one| one.is_none_or(|one| one == end));
        among(&self.from, id.from) && among(&self.to, id.to) && self.kind.is_none_or(|kind| kind == id.kind)
    }

    fn ends(&self) -> impl Iterator<Item = (Option<ProcessId>, Option<ProcessId>)> + use<> {
        let to = self.to.clone();
        self.from.clone().into_iter().flat_map(move |from| to.clone().into_iter().map(move |to| (from, to)))
    }
}

/// Which message of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Which {
    term: Option<u64>,
    nth: Option<u32>,
}

impl Which {
    fn has(&self, id: &MessageId) -> bool {
        self.term.is_none_or(|term| term == id.epoch) && self.nth.is_none_or(|nth| nth == id.ordinal)
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.term.iter().try_for_each(|term| write!(f, " of term {term}"))?;
        self.nth.iter().try_for_each(|nth| write!(f, " number {nth}"))
    }
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |nodes: &[Option<ProcessId>]| {
            let nodes: Option<Vec<ProcessId>> = nodes.iter().copied().collect();
            nodes.map_or_else(|| "*".to_string(), |nodes| listed(&nodes))
        };
        if let Some(kind) = self.kind {
            write!(f, "{} ", MESSAGE_KINDS[usize::from(kind)])?;
        }
        write!(f, "{}→{}", said(&self.from), said(&self.to))
    }
}

impl Runner<'_> {
    pub(super) fn messages(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::DeliverOne(one) => self.deliver_one(step, one),
            Step::DropPending(which) => {
                self.pending(step, which, |from, to, kind| Fault::DropPending { from, to, kind })
            }
            Step::DuplicatePending(which) => {
                self.pending(step, which, |from, to, kind| Fault::DuplicatePending { from, to, kind })
            }
            Step::Shuffle(which) => {
                self.pending(step, which, |from, to, kind| Fault::Shuffle { from, to, kind })
            }
            Step::Deliver(deliver) => self.deliver(step, deliver),
            Step::DropAfter(drop) => {
                let count = drop.count;
                let rest = format!(", {count} messages to come");
                self.each(step, &drop.from, &rest, |process| Fault::DropAfter { process, count })
            }
            Step::StopDropping(nodes) => {
                self.each(step, &nodes.nodes, "", |process| Fault::StopDropping { process })
            }
            Step::Pin(pin) => {
                self.say(format!("pin {}", serde_json::to_string(pin).unwrap_or_default()));
                let links = match pin {
                    Pin::Message(message) => self.pairs(step, &message.from, &message.to)?,
                    Pin::ElectionTimeout(_) => Vec::new(),
                };
                set_pin(&mut self.sim, pin, &links);
                Ok(())
            }
            Step::Unpin(unpin) => match &unpin.of {
                None => {
                    self.say("unpin".to_string());
                    self.sim.unpin_all();
                    Ok(())
                }
                Some(target) => {
                    let nodes = self.told_nodes(step, target, "")?;
                    nodes.into_iter().for_each(|node| self.sim.unpin(node));
                    Ok(())
                }
            },
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
    }

    fn matching(
        &mut self,
        step: &Step,
        from: Option<&Target>,
        to: Option<&Target>,
        kind: Option<MessageKind>,
    ) -> Result<Matching, Halt> {
        let mut ends = |target: Option<&Target>| match target {
            Some(target) => self.nodes(step, target).map(|nodes| nodes.into_iter().map(Some).collect()),
            None => Ok(vec![None]),
        };
        Ok(Matching { from: ends(from)?, to: ends(to)?, kind: kind.map(|kind| kind.index()) })
    }

    fn pending(
        &mut self,
        step: &Step,
        which: &Pending,
        fault: impl Fn(Option<ProcessId>, Option<ProcessId>, Option<u8>) -> Fault,
    ) -> Result<(), Halt> {
        let matching = self.matching(step, which.from.as_ref(), which.to.as_ref(), which.kind)?;
        self.say(format!("{} {matching}", step.verb().replace('_', " ")));
        matching.ends().try_for_each(|(from, to)| self.inject(&fault(from, to, matching.kind)))
    }

    fn deliver_one(&mut self, step: &Step, one: &DeliverOne) -> Result<(), Halt> {
        let (from, to) = (self.one(step, &one.from)?, self.one(step, &one.to)?);
        let kind = one.kind.map(|kind| kind.index());
        let what = kind.map_or("message", |kind| MESSAGE_KINDS[usize::from(kind)]);
        let which = Which { term: one.term, nth: one.nth };
        let copy = if one.copy { "a copy of " } else { "" };
        self.say(format!("deliver one {copy}{what}{which} {from}→{to}"));
        let is_like_it = |id: &MessageId| kind.is_none_or(|kind| kind == id.kind);
        let Some(id) = self.meant((from, to), |id| is_like_it(id) && which.has(id), is_like_it) else {
            let what = format!("no such message is held on {from}→{to}: {what}{which}");
            return Err(self.unmet(format!("{what}; `hold` that link first")));
        };
        if which == Which::default() && !one.copy {
            self.inject(&Fault::DeliverOne { from, to, kind })?;
        } else {
            self.inject(&Fault::DeliverThis { id, copy: one.copy })?;
        }
        self.catch_up()
    }

    /// Each is delivered, and what it brings about at once has happened, before the next one is.
    fn deliver(&mut self, step: &Step, deliver: &Deliver) -> Result<(), Halt> {
        let matching = self.matching(step, deliver.from.as_ref(), deliver.to.as_ref(), deliver.kind)?;
        let held: usize =
            matching.ends().map(|(from, to)| self.sim.held_messages(from, to, matching.kind)).sum();
        let (count, how) = match deliver.count {
            HowMany::All => (held, format!("{held} messages")),
            HowMany::UntilQuiet => (DELIVERIES_MAX, "messages until quiet".to_string()),
            HowMany::Count(count) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                if count > held {
                    let what = format!("{held} messages are held on {matching}, too few to deliver {count}");
                    return Err(self.unmet(format!("{what}: `hold` those links first")));
                }
                (count, format!("{count} messages"))
            }
        };
        self.say(format!("deliver {how} {matching}"));
        for _ in 0..count {
            let Some(id) = self.sim.oldest_held(|id| matching.has(id)) else { return Ok(()) };
            let MessageId { from, to, kind, .. } = id;
            self.inject(&Fault::DeliverOne { from, to, kind: Some(kind) })?;
            self.catch_up()?;
        }
        let is_quiet = self.sim.oldest_held(|id| matching.has(id)).is_none();
        if deliver.count == HowMany::UntilQuiet && !is_quiet {
            return Err(self.unmet(format!("after {DELIVERIES_MAX} messages more are still held")));
        }
        Ok(())
    }
}
