//! Steps that let time pass, ask, remember, or hold other steps.

use crate::execute::ask::index_of;
use crate::execute::steps::listed;
use crate::execute::{Bound, Halt, Marked, Runner, everybody};
use crate::record::MESSAGE_KINDS;
use crate::scenario::{Always, Assert, Branch, Name, Pick, Predicate, Sleep, Step, Until, Which};
use sim_core::ProcessId;

/// Every kind of index, in the order in which marks remember them.
const INDEXES: [Which; 5] = [Which::Commit, Which::Applied, Which::Last, Which::Base, Which::Snapshot];

/// Why a name cannot be bound to whom a predicate is about.
const NOT_ABOUT_ONE: &str = "the predicate is not about one node";

impl Runner<'_> {
    pub(super) fn flow(&mut self, step: &Step) -> Result<(), Halt> {
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
            Step::Note(text) => {
                self.say(text.clone());
                Ok(())
            }
            Step::Stop(stop) => {
                let why = if stop.why.is_empty() { String::new() } else { format!(": {}", stop.why) };
                self.say(format!("stop{why}"));
                Err(Halt::Stopped)
            }
            Step::Repeat(repeat) => self.repeat(repeat.times, &repeat.steps),
            Step::Choose(branches) => self.choose(step, branches),
            Step::If(condition) if self.asking().holds(&condition.that) => self.all(&condition.then, "then"),
            Step::If(condition) => self.all(&condition.otherwise, "else"),
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
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
        self.bind_found(until.bind.as_ref(), subject.into_iter().collect(), NOT_ABOUT_ONE)
    }

    fn assert(&mut self, assert: &Assert) -> Result<(), Halt> {
        match self.asking().explain(&assert.that) {
            Ok(subject) => {
                self.say(met("assert", &text(&assert.that), subject));
                self.bind_found(assert.bind.as_ref(), subject.into_iter().collect(), NOT_ABOUT_ONE)
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

    pub(super) fn bind(&mut self, name: &Name, nodes: Vec<ProcessId>) {
        let term = nodes.iter().map(|node| self.asking().node(*node).term).max().unwrap_or_default();
        self.memory.names.insert(name.clone(), Bound { nodes, term });
    }

    /// Binds a name, if there is one, to those who were found; `nobody` says why there may be none.
    pub(super) fn bind_found(
        &mut self,
        name: Option<&Name>,
        found: Vec<ProcessId>,
        nobody: &str,
    ) -> Result<(), Halt> {
        match name {
            Some(name) if found.is_empty() => Err(self.unmet(format!("{nobody}, so `{name}` means nobody"))),
            Some(name) => {
                self.bind(name, found);
                Ok(())
            }
            None => Ok(()),
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
        // Clients send messages too.
        for process in ProcessId::all(self.sim.count()) {
            for (kind, _) in (0u8..).zip(MESSAGE_KINDS) {
                traffic.push(self.sim.stats().traffic(Some(process), Some(kind)));
            }
        }
        let era = self.sim.observer_mut().1.0.mark();
        let asking = self.asking();
        let nodes = || everybody(&self.sim).map(|node| asking.node(node));
        let term = nodes().map(|node| node.term).max().unwrap_or_default();
        let indexes =
            INDEXES.map(|which| nodes().map(|node| index_of(which, node)).max().unwrap_or_default());
        let mark = Marked { at: self.sim.now(), traffic, term, indexes, era };
        self.memory.marks.insert(name.clone(), mark);
        Ok(())
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

fn text(predicate: &Predicate) -> String {
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
