//! What each step does.

use crate::adapter::Request;
use crate::execute::build::set_pin;
use crate::execute::{Bound, Halt, Marked, Runner};
use crate::record::{Hash64, MESSAGE_KINDS, MessageFacts, Note, Role};
use crate::scenario::{
    Always, Answer, Assert, Branch, Cut, Ends, Held, LinkRule, Name, Partition, Pick, Propose, Sleep, Step,
    Target, Until,
};
use crate::violation::Property;
use sim_core::{Fault, InFlight, Observer, ProcessId};

/// Two sets of nodes and what becomes of the messages between them.
type Pairs = Vec<(ProcessId, ProcessId)>;

impl<T: Observer<MessageFacts, Note>> Runner<'_, T> {
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Sleep(sleep) => self.sleep(step, *sleep),
            Step::Until(until) => self.until(until),
            Step::Assert(assert) => self.assert(assert),
            Step::Always(always) => self.always(always),
            Step::Bind(bind) => {
                let nodes = self.nodes(step, &bind.to)?;
                self.bind(&bind.name, nodes);
                Ok(())
            }
            Step::Pick(pick) => self.pick(step, pick),
            Step::Mark(name) => self.mark(name),
            Step::Isolate(isolate) => {
                let in_flight = isolate.in_flight;
                self.each(step, "isolate", &isolate.nodes, |process| Fault::Isolate { process, in_flight })
            }
            Step::Reconnect(nodes) => {
                self.each(step, "reconnect", &nodes.nodes, |process| Fault::Reconnect { process })
            }
            Step::Crash(nodes) => self.each(step, "crash", &nodes.nodes, |process| Fault::Crash { process }),
            Step::Restart(nodes) => {
                self.each(step, "restart", &nodes.nodes, |process| Fault::Restart { process })
            }
            Step::Pause(nodes) => self.each(step, "pause", &nodes.nodes, |process| Fault::Pause { process }),
            Step::Resume(nodes) => {
                self.each(step, "resume", &nodes.nodes, |process| Fault::Resume { process })
            }
            Step::Cut(cut) => self.cut(step, cut),
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
            Step::DeliverOne(one) => {
                let (from, to) = (self.one(step, &one.from)?, self.one(step, &one.to)?);
                let kind = one.kind.map(|kind| kind.index());
                let what = kind.map_or("message", |kind| MESSAGE_KINDS[usize::from(kind)]);
                self.say(format!("deliver one {what} {from}→{to}"));
                self.inject(&Fault::DeliverOne { from, to, kind })?;
                self.run_to(self.sim.now(), |_| false).map(|_| ())
            }
            Step::DropPending(drop) => self.drop_pending(step, drop),
            Step::Clog(clog) => {
                let pairs = self.pairs(step, &clog.from, &clog.to)?;
                self.say(format!("clog {} for {}", arrows(&pairs), clog.span));
                self.over(&pairs, |from, to| Fault::Clog { from, to, span: clog.span })
            }
            Step::SetLink(rule) => self.set_link(step, rule),
            Step::Propose(propose) => self.propose(step, propose),
            Step::Campaign(target) => {
                let nodes = self.nodes(step, target)?;
                self.say(format!("campaign {}", listed(&nodes)));
                for node in nodes {
                    if !self.sim.request(node, Request::Campaign) {
                        return Err(self.unmet(format!("node {node} is down and cannot campaign")));
                    }
                }
                Ok(())
            }
            Step::Pin(pin) => {
                self.say(format!("pin {}", serde_json::to_string(pin).unwrap_or_default()));
                set_pin(&mut self.sim, pin);
                Ok(())
            }
            Step::Repeat(repeat) => self.repeat(repeat.times, &repeat.steps),
            Step::Choose(branches) => self.choose(step, branches),
            Step::If(condition) => {
                if self.asking().holds(&condition.that) {
                    self.all(&condition.then, "then")
                } else {
                    self.all(&condition.otherwise, "else")
                }
            }
        }
    }

    /// Sets a mark in the record, for those who read it.
    pub(super) fn say(&mut self, text: String) {
        self.sim.mark(text);
    }

    pub(super) fn inject(&mut self, fault: &Fault) -> Result<(), Halt> {
        self.sim.inject(fault).map_err(|why| self.unmet(why.to_string()))
    }

    fn sleep(&mut self, step: &Step, sleep: Sleep) -> Result<(), Halt> {
        match sleep {
            Sleep::For(span) => self.pass(span),
            Sleep::Between(min, max) => {
                let span = self.draws(step).span(min, max);
                self.pass(span)
            }
        }
    }

    fn until(&mut self, until: &Until) -> Result<(), Halt> {
        let deadline = self.sim.now().after(until.within);
        let held = self.pass_until(&until.that, deadline)?;
        let subject = match self.asking().explain(&until.that) {
            Ok(subject) if held => subject,
            Ok(_) => unreachable!("it was just seen not to hold"),
            Err(why) => {
                let asked = text(&until.that);
                return Err(self.unmet(format!("until {asked}: not within {}: {why}", until.within)));
            }
        };
        self.say(met("until", &text(&until.that), subject));
        self.bind_subject(until.bind.as_ref(), subject)
    }

    fn assert(&mut self, assert: &Assert) -> Result<(), Halt> {
        match self.asking().explain(&assert.that) {
            Ok(subject) => {
                self.say(met("assert", &text(&assert.that), subject));
                self.bind_subject(assert.bind.as_ref(), subject)
            }
            Err(why) => Err(self.unmet(format!("assert {}: {why}", text(&assert.that)))),
        }
    }

    fn always(&mut self, always: &Always) -> Result<(), Halt> {
        let asked = text(&always.that);
        self.say(format!("always {asked} for {}", always.during));
        let broken = always.that.clone().negated();
        let deadline = self.sim.now().after(always.during);
        if self.pass_until(&broken, deadline)? {
            let why = self.asking().explain(&always.that).err().unwrap_or_default();
            return Err(self.unmet(format!("always {asked}: {why}")));
        }
        Ok(())
    }

    fn bind(&mut self, name: &Name, nodes: Vec<ProcessId>) {
        let term = nodes.iter().map(|node| self.asking().node(*node).term).max().unwrap_or_default();
        self.names.insert(name.clone(), Bound { nodes, term });
    }

    fn bind_subject(&mut self, name: Option<&Name>, subject: Option<ProcessId>) -> Result<(), Halt> {
        let Some(name) = name else { return Ok(()) };
        match subject {
            Some(node) => {
                self.bind(name, vec![node]);
                Ok(())
            }
            None => {
                Err(self
                    .unmet(format!("the predicate is not about one node, so `{name}` cannot be bound to it")))
            }
        }
    }

    fn pick(&mut self, step: &Step, pick: &Pick) -> Result<(), Halt> {
        let mut nodes = self.nodes(step, &pick.from)?;
        let count = usize::from(pick.count);
        if nodes.len() < count {
            let why = format!("`{}` means {} nodes now, too few to pick {count}", pick.from, nodes.len());
            return Err(self.unmet(why));
        }
        self.draws(pick).shuffle(&mut nodes);
        nodes.truncate(count);
        nodes.sort_unstable();
        self.say(format!("pick {}: {}", pick.name, listed(&nodes)));
        self.bind(&pick.name, nodes);
        Ok(())
    }

    fn mark(&mut self, name: &Name) -> Result<(), Halt> {
        let mut traffic = Vec::new();
        for node in ProcessId::all(self.sim.count()) {
            for (kind, _) in (0u8..).zip(MESSAGE_KINDS) {
                traffic.push(self.sim.stats().traffic(Some(node), Some(kind)));
            }
        }
        let term = ProcessId::all(self.sim.count())
            .map(|node| self.asking().node(node).term)
            .max()
            .unwrap_or_default();
        self.marks.insert(name.clone(), Marked { at: self.sim.now(), traffic, term });
        Ok(())
    }

    fn each(
        &mut self,
        step: &Step,
        verb: &str,
        target: &Target,
        fault: impl Fn(ProcessId) -> Fault,
    ) -> Result<(), Halt> {
        let nodes = self.nodes(step, target)?;
        let named = match target {
            Target::Node(_) | Target::List(_) => String::new(),
            target => format!(" ({target})"),
        };
        self.say(format!("{verb} {}{named}", listed(&nodes)));
        nodes.into_iter().try_for_each(|node| self.inject(&fault(node)))
    }

    fn pairs(&mut self, step: &Step, from: &Target, to: &Target) -> Result<Pairs, Halt> {
        let (from, to) = (self.nodes(step, from)?, self.nodes(step, to)?);
        let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
        Ok(pairs.filter(|(from, to)| from != to).collect())
    }

    fn ends(&mut self, step: &Step, ends: &Ends) -> Result<Pairs, Halt> {
        match ends {
            Ends::OneWay { from, to } => self.pairs(step, from, to),
            Ends::Between(one, other) => {
                let mut pairs = self.pairs(step, one, other)?;
                pairs.extend(pairs.clone().into_iter().map(|(from, to)| (to, from)));
                pairs.sort_unstable();
                pairs.dedup();
                Ok(pairs)
            }
        }
    }

    fn held(&mut self, step: &Step, held: &Held) -> Result<Pairs, Halt> {
        match held {
            Held::OneWay { from, to } => self.pairs(step, from, to),
            Held::Of(nodes) => self.ends(step, &Ends::Between(nodes.clone(), Target::All)),
        }
    }

    fn over(&mut self, pairs: &Pairs, fault: impl Fn(ProcessId, ProcessId) -> Fault) -> Result<(), Halt> {
        pairs.iter().try_for_each(|(from, to)| self.inject(&fault(*from, *to)))
    }

    fn cut(&mut self, step: &Step, cut: &Cut) -> Result<(), Halt> {
        let pairs = self.ends(step, &cut.ends)?;
        let in_flight = cut.in_flight;
        self.say(format!("cut {}{}", arrows(&pairs), spared(in_flight)));
        self.over(&pairs, |from, to| Fault::Cut { from, to, in_flight })
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

    fn drop_pending(&mut self, step: &Step, drop: &crate::scenario::DropPending) -> Result<(), Halt> {
        let from = drop.from.as_ref().map(|target| self.nodes(step, target)).transpose()?;
        let to = drop.to.as_ref().map(|target| self.nodes(step, target)).transpose()?;
        let kind = drop.kind.map(|kind| kind.index());
        let any = |nodes: Option<Vec<ProcessId>>| match nodes {
            Some(nodes) => nodes.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let (from, to): (Vec<Option<ProcessId>>, Vec<Option<ProcessId>>) = (any(from), any(to));
        let said = |nodes: &[Option<ProcessId>]| {
            let nodes: Option<Vec<ProcessId>> = nodes.iter().copied().collect();
            nodes.map_or_else(|| "*".to_string(), |nodes| listed(&nodes))
        };
        self.say(format!("drop pending {}→{}", said(&from), said(&to)));
        for from in from {
            for to in &to {
                self.inject(&Fault::DropPending { from, to: *to, kind })?;
            }
        }
        Ok(())
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

    fn propose(&mut self, step: &Step, propose: &Propose) -> Result<(), Halt> {
        let nodes = self.nodes(step, &propose.to)?;
        if nodes.is_empty() && propose.expect != Answer::Any {
            return Err(self.unmet(format!("`{}` means nobody now, so nobody answers", propose.to)));
        }
        let mut took = Vec::new();
        for command in propose.commands() {
            for node in &nodes {
                if self.propose_to(*node, &command, propose)? && !took.contains(node) {
                    took.push(*node);
                }
            }
        }
        match &propose.bind {
            Some(name) if took.is_empty() => {
                Err(self.unmet(format!("nobody took the command, so `{name}` means nobody")))
            }
            Some(name) => {
                self.bind(name, took);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A leader takes a command in the same step, so what a node thinks it is tells the answer.
    fn propose_to(&mut self, node: ProcessId, command: &str, propose: &Propose) -> Result<bool, Halt> {
        let leads = self.asking().node(node).role == Role::Leader;
        let mut bytes = command.as_bytes().to_vec();
        if let Some(length) = propose.bytes.and_then(|length| usize::try_from(length).ok()) {
            bytes.resize(length.max(bytes.len()), b'.');
            self.padded.insert(command.to_string(), Hash64::of_command(&bytes));
        } else {
            self.padded.remove(command);
        }
        self.say(format!("propose {command:?} to {node}"));
        let up = self.sim.request(node, Request::propose_as(&bytes, command));
        let paused = up && self.sim.is_paused(node);
        let accepted = up && leads && !paused;
        match propose.expect {
            Answer::Accepted | Answer::Refused if paused => Err(self.failed(
                Property::Expectation,
                Some(node),
                format!("node {node} is paused and does not answer"),
            )),
            Answer::Accepted if !accepted => Err(self.failed(
                Property::Expectation,
                Some(node),
                format!("node {node} refuses {command:?}"),
            )),
            Answer::Refused if accepted => Err(self.failed(
                Property::Expectation,
                Some(node),
                format!("node {node} accepts {command:?}"),
            )),
            Answer::Accepted | Answer::Refused | Answer::Any => Ok(accepted),
        }
    }

    fn choose(&mut self, step: &Step, branches: &[Branch]) -> Result<(), Halt> {
        let weights: Vec<u32> = branches.iter().map(|branch| branch.weight).collect();
        if weights.iter().all(|weight| *weight == 0) {
            return Ok(());
        }
        let chosen = self.draws(step).weighted(&weights);
        self.all(&branches[chosen].steps, &format!("choose[{chosen}].steps"))
    }
}

fn text(predicate: &crate::scenario::Predicate) -> String {
    let json = serde_json::to_string(predicate).unwrap_or_default().replace('"', "").replace(":{}", "");
    // The outermost braces say nothing: `{role:{of:old,is:leader}}` is `role:{of:old,is:leader}`.
    json.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(&json).to_string()
}

fn met(verb: &str, asked: &str, subject: Option<ProcessId>) -> String {
    match subject {
        Some(node) => format!("{verb} {asked}: node {node}"),
        None => format!("{verb} {asked}: yes"),
    }
}

fn spared(in_flight: InFlight) -> &'static str {
    match in_flight {
        InFlight::Drop => "",
        InFlight::Keep => ", sparing what is on the way",
    }
}

/// Nodes as a person would list them.
fn listed(nodes: &[ProcessId]) -> String {
    match nodes {
        [] => "nobody".to_string(),
        nodes => nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}

/// Links as a person would list them.
fn arrows(pairs: &Pairs) -> String {
    let shown: Vec<String> = pairs.iter().take(6).map(|(from, to)| format!("{from}→{to}")).collect();
    let more = if pairs.len() > 6 { format!(" and {} more", pairs.len() - 6) } else { String::new() };
    if shown.is_empty() { "no link".to_string() } else { format!("{}{more}", shown.join(" ")) }
}
