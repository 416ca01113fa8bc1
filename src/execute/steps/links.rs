//! Steps about links: cutting, holding and changing them.

use crate::execute::steps::listed;
use crate::execute::{Halt, Runner};
use crate::scenario::{Ends, Held, LinkRule, Partition, Step, Target};
use sim_core::{Fault, InFlight, ProcessId};

/// Links, each by its two ends.
type Pairs = Vec<(ProcessId, ProcessId)>;

impl Runner<'_> {
    pub(super) fn links(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Isolate(isolate) => {
                let in_flight = isolate.in_flight;
                self.each(step, &isolate.nodes, "", |process| Fault::Isolate { process, in_flight })
            }
            Step::Reconnect(nodes) => {
                self.each(step, &nodes.nodes, "", |process| Fault::Reconnect { process })
            }
            Step::Cut(cut) => {
                let (pairs, in_flight) = (self.ends(step, &cut.ends)?, cut.in_flight);
                self.say(format!("cut {}{}", arrows(&pairs), spared(in_flight)));
                self.over(&pairs, |from, to| Fault::Cut { from, to, in_flight })
            }
            Step::Join(links) => {
                let pairs = self.ends(step, &links.ends)?;
                self.say(format!("join {}", arrows(&pairs)));
                self.over(&pairs, |from, to| Fault::Restore { from, to })
            }
            Step::Partition(partition) => self.partition(step, partition),
            Step::Heal => {
                self.say("heal".to_string());
                self.inject(&Fault::Heal)
            }
            Step::Hold(hold) => {
                let (pairs, capture) = (self.held(step, &hold.links)?, hold.capture);
                self.say(format!("hold {}", arrows(&pairs)));
                self.over(&pairs, |from, to| Fault::Hold { from, to, capture })
            }
            Step::Release(held) => {
                let pairs = self.held(step, &held.links)?;
                self.say(format!("release {}", arrows(&pairs)));
                self.over(&pairs, |from, to| Fault::Release { from, to })
            }
            Step::Clog(clog) => {
                let pairs = self.pairs(step, &clog.from, &clog.to)?;
                self.say(format!("clog {} for {}", arrows(&pairs), clog.span));
                self.over(&pairs, |from, to| Fault::Clog { from, to, span: clog.span })
            }
            Step::SetLink(rule) => self.set_link(step, rule),
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
    }

    /// The links from some to others. Nobody has one to itself.
    pub(super) fn pairs(&mut self, step: &Step, from: &Target, to: &Target) -> Result<Pairs, Halt> {
        let (from, to) = (self.nodes(step, from)?, self.nodes(step, to)?);
        let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
        Ok(pairs.filter(|(from, to)| from != to).collect())
    }

    fn ends(&mut self, step: &Step, ends: &Ends) -> Result<Pairs, Halt> {
        match ends {
            Ends::OneWay { from, to } => self.pairs(step, from, to),
            Ends::Between(one, other) => {
                let pairs = self.pairs(step, one, other)?;
                Ok(both_ways(pairs))
            }
        }
    }

    fn held(&mut self, step: &Step, held: &Held) -> Result<Pairs, Halt> {
        match held {
            Held::OneWay { from, to } => self.pairs(step, from, to),
            Held::Of(nodes) => {
                let nodes = self.nodes(step, nodes)?;
                let count = self.sim.count();
                let pairs = nodes.iter().flat_map(|node| ProcessId::all(count).map(move |to| (*node, to)));
                Ok(both_ways(pairs.filter(|(from, to)| from != to).collect()))
            }
        }
    }

    fn over(&mut self, pairs: &Pairs, fault: impl Fn(ProcessId, ProcessId) -> Fault) -> Result<(), Halt> {
        pairs.iter().try_for_each(|(from, to)| self.inject(&fault(*from, *to)))
    }

    fn partition(&mut self, step: &Step, partition: &Partition) -> Result<(), Halt> {
        let mut groups: Vec<Vec<ProcessId>> = Vec::new();
        for target in &partition.groups {
            let nodes = self.nodes(step, target)?;
            if let Some(node) = nodes.iter().find(|node| groups.iter().flatten().any(|other| other == *node))
            {
                return Err(self.unmet(format!("node {node} stands in two groups of the partition")));
            }
            groups.push(nodes);
        }
        let named: Vec<String> = groups.iter().map(|group| listed(group)).collect();
        let in_flight = partition.in_flight;
        self.say(format!("partition {}{}", named.join(" | "), spared(in_flight)));
        self.inject(&Fault::Partition { groups, in_flight })
    }

    fn set_link(&mut self, step: &Step, rule: &LinkRule) -> Result<(), Halt> {
        let pairs = self.pairs(step, &rule.from, &rule.to)?;
        self.say(format!("set link {}", arrows(&pairs)));
        for (from, to) in pairs {
            let quality = rule.over(self.sim.quality(from, to));
            self.inject(&Fault::SetQuality { from, to, quality })?;
        }
        Ok(())
    }
}

fn both_ways(mut pairs: Pairs) -> Pairs {
    pairs.extend(pairs.clone().into_iter().map(|(from, to)| (to, from)));
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn spared(in_flight: InFlight) -> &'static str {
    match in_flight {
        InFlight::Drop => "",
        InFlight::Keep => ", sparing what is on the way",
    }
}

/// Links as a person would list them.
fn arrows(pairs: &Pairs) -> String {
    let shown: Vec<String> = pairs.iter().take(6).map(|(from, to)| format!("{from}→{to}")).collect();
    let more = if pairs.len() > 6 { format!(" and {} more", pairs.len() - 6) } else { String::new() };
    if shown.is_empty() { "no link".to_string() } else { format!("{}{more}", shown.join(" ")) }
}
