//! Whether a predicate holds, and if not, why not.

use crate::execute::{Bound, Cluster, Marked};
use crate::mirror::NodeMirror;
use crate::record::{Hash64, MESSAGE_KINDS, MessageFacts, Note, Role};
use crate::scenario::{
    Committed, Count, CountOf, Elapsed, IndexIs, MessageBytes, Messages, Name, Predicate, RoleIs,
    SingleLeader, Target, TermIs, TermRef, VoteIs,
};
use sim_core::{Observer, ProcessId, Span, Traffic};
use std::collections::BTreeMap;

/// Everything that a predicate can look at.
pub(crate) struct Asking<'a, T> {
    pub(crate) sim: &'a Cluster<T>,
    pub(crate) names: &'a BTreeMap<Name, Bound>,
    pub(crate) marks: &'a BTreeMap<Name, Marked>,
    /// Commands that were padded when they were proposed, and the hash of what was proposed.
    pub(crate) padded: &'a BTreeMap<String, Hash64>,
}

/// Whom a predicate that holds is about, if it is about one; or why it does not hold, if that was asked for.
type Answer = Result<Option<ProcessId>, String>;

/// A refusal, put into words only where somebody will read them.
macro_rules! no {
    ($explain:expr, $($words:tt)+) => {
        return Err(if $explain { format!($($words)+) } else { String::new() })
    };
}

/// Whether what a predicate says can become true while no node changes.
pub(crate) fn reads_clock_or_traffic(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Messages(_) | Predicate::MessageBytes(_) | Predicate::Elapsed(_) => true,
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().any(reads_clock_or_traffic),
        Predicate::Not(inner) => reads_clock_or_traffic(inner),
        Predicate::SingleLeader(_)
        | Predicate::NoLeader(_)
        | Predicate::LeaderIs(_)
        | Predicate::Term(_)
        | Predicate::TermsAgree(_)
        | Predicate::Role(_)
        | Predicate::Vote(_)
        | Predicate::Committed(_)
        | Predicate::NotCommitted(_)
        | Predicate::CommittedAt(_)
        | Predicate::CommitIndex(_)
        | Predicate::LastIndex(_)
        | Predicate::LogsEqual(_)
        | Predicate::Synced(_)
        | Predicate::Durable(_)
        | Predicate::Up(_)
        | Predicate::Count(_) => false,
    }
}

impl<T: Observer<MessageFacts, Note>> Asking<'_, T> {
    /// Whether `predicate` holds.
    pub(crate) fn holds(&self, predicate: &Predicate) -> bool {
        self.ask(predicate, false).is_ok()
    }

    /// Whom `predicate` is about, if it holds; why it does not, if not.
    pub(crate) fn explain(&self, predicate: &Predicate) -> Answer {
        self.ask(predicate, true)
    }

    pub(crate) fn node(&self, node: ProcessId) -> &NodeMirror {
        &self.sim.observer().0.mirror().nodes[node.index()]
    }

    fn ask(&self, predicate: &Predicate, explain: bool) -> Answer {
        match predicate {
            Predicate::SingleLeader(asked) => self.single_leader(asked, explain),
            Predicate::NoLeader(asked) => {
                match self.among(asked.among.as_ref())?.into_iter().find(|node| self.leads(*node)) {
                    Some(node) => no!(explain, "{node} leads term {}", self.node(node).term),
                    None => Ok(None),
                }
            }
            Predicate::LeaderIs(target) => {
                let asked = SingleLeader { is: Some(target.clone()), ..SingleLeader::default() };
                self.single_leader(&asked, explain)
            }
            Predicate::Term(asked) => self.term(asked, explain),
            Predicate::TermsAgree(asked) => {
                let term = |node: ProcessId| self.node(node).term;
                self.alike(asked.among.as_ref(), explain, "term", |a, b| term(a) == term(b))
            }
            Predicate::Role(asked) => self.role(asked, explain),
            Predicate::Vote(asked) => self.vote(asked, explain),
            Predicate::Committed(asked) => self.committed(asked, explain),
            Predicate::NotCommitted(asked) => {
                let hash = self.hash(&asked.command);
                let nodes = self.among_all(asked.among.as_ref())?;
                match nodes.into_iter().find(|node| self.applied(*node, hash).is_some()) {
                    Some(node) => no!(explain, "{node} has applied {:?}", asked.command),
                    None => Ok(None),
                }
            }
            Predicate::CommittedAt(asked) => {
                let at = |node: &ProcessId| {
                    let node = self.node(*node);
                    node.log.get(asked.index).filter(|_| node.applied >= asked.index).map(|cell| cell.command)
                };
                let found = ProcessId::all(self.sim.count()).find_map(|node| at(&node));
                let wanted = asked.command.as_ref().map(|command| self.hash(command));
                match (found, wanted) {
                    (None, _) => no!(explain, "nothing is applied at index {}", asked.index),
                    (Some(found), Some(wanted)) if found != wanted => {
                        no!(explain, "another command is applied at index {}", asked.index)
                    }
                    _ => Ok(None),
                }
            }
            Predicate::CommitIndex(asked) => self.index(asked, explain, "commit index", |node| node.commit),
            Predicate::LastIndex(asked) => {
                self.index(asked, explain, "last index", |node| node.log.last_index())
            }
            Predicate::LogsEqual(asked) => {
                let log = |node: ProcessId| self.node(node).log.last_prefix();
                self.alike(asked.among.as_ref(), explain, "log", |a, b| log(a) == log(b))
            }
            Predicate::Synced(asked) => self.synced(asked.among.as_ref(), explain),
            Predicate::Durable(asked) => {
                for node in self.somebody(&asked.of)? {
                    if !self.is_durable(node) {
                        no!(explain, "what node {node} has in memory is not what it has on its disk");
                    }
                }
                Ok(None)
            }
            Predicate::Up(bounds) => self.counted(&Target::Up, bounds, explain),
            Predicate::Count(CountOf { of, at_least, at_most, equals }) => {
                let bounds = Count { at_least: *at_least, at_most: *at_most, equals: *equals };
                self.counted(of, &bounds, explain)
            }
            Predicate::Messages(asked) => self.messages(asked, explain),
            Predicate::MessageBytes(asked) => self.bytes(asked, explain),
            Predicate::Elapsed(asked) => self.elapsed(asked, explain),
            Predicate::All(parts) => {
                let mut subject = None;
                for part in parts {
                    subject = subject.or(self.ask(part, explain)?);
                }
                Ok(subject)
            }
            Predicate::Any(parts) => {
                let mut reasons = Vec::new();
                for part in parts {
                    match self.ask(part, explain) {
                        Ok(subject) => return Ok(subject),
                        Err(reason) => reasons.push(reason),
                    }
                }
                no!(explain, "none holds: {}", reasons.join("; "))
            }
            Predicate::Not(inner) => match self.ask(inner, false) {
                Ok(_) => no!(explain, "it holds: {}", serde_json::to_string(inner).unwrap_or_default()),
                Err(_) => Ok(None),
            },
        }
    }

    fn leads(&self, node: ProcessId) -> bool {
        self.node(node).role == Role::Leader
    }

    /// The nodes asked about; by default those that are up and not isolated.
    fn among(&self, target: Option<&Target>) -> Result<Vec<ProcessId>, String> {
        match target {
            Some(target) => self.resolve(target, None),
            None => Ok(self.connected()),
        }
    }

    /// The nodes that a target means, of whom there must be one: what holds of nobody says nothing.
    fn somebody(&self, target: &Target) -> Result<Vec<ProcessId>, String> {
        let nodes = self.resolve(target, None)?;
        if nodes.is_empty() { Err(format!("`{target}` means nobody now")) } else { Ok(nodes) }
    }

    /// The nodes asked about; by default all.
    fn among_all(&self, target: Option<&Target>) -> Result<Vec<ProcessId>, String> {
        self.resolve(target.unwrap_or(&Target::All), None)
    }

    /// The hash of a command, which may have been padded when it was proposed.
    fn hash(&self, command: &str) -> Hash64 {
        self.padded.get(command).copied().unwrap_or_else(|| Hash64::of_command(command.as_bytes()))
    }

    fn remembered_term(&self, name: &Name) -> Result<u64, String> {
        let bound = self.names.get(name).map(|bound| bound.term);
        let term = bound.or_else(|| self.marks.get(name).map(|mark| mark.term));
        term.ok_or_else(|| format!("nothing is called `{name}` yet"))
    }

    fn single_leader(&self, asked: &SingleLeader, explain: bool) -> Answer {
        let among = self.among(asked.among.as_ref())?;
        let mut leader: Option<ProcessId> = None;
        for (place, node) in among.iter().copied().enumerate().filter(|(_, node)| self.leads(*node)) {
            let term = self.node(node).term;
            let same = |rival: &&ProcessId| self.leads(**rival) && self.node(**rival).term == term;
            if let Some(rival) = among[..place].iter().find(same) {
                no!(explain, "{rival} and {node} both lead term {term}");
            }
            if leader.is_none_or(|leader| self.node(leader).term < term) {
                leader = Some(node);
            }
        }
        let Some(leader) = leader else { no!(explain, "none of the nodes asked about leads") };
        let term = self.node(leader).term;
        if let Some(not) = &asked.not
            && self.resolve(not, None)?.contains(&leader)
        {
            no!(explain, "{leader} leads, which is `{not}`");
        }
        if let Some(is) = &asked.is
            && !self.resolve(is, None)?.contains(&leader)
        {
            no!(explain, "{leader} leads, not `{is}`");
        }
        if let Some(name) = &asked.term_above {
            let above = self.remembered_term(name)?;
            if term <= above {
                no!(explain, "{leader} leads term {term}, which is not above {above} (`{name}`)");
            }
        }
        if let Some(name) = &asked.same_term_as {
            let same = self.remembered_term(name)?;
            if term != same {
                no!(explain, "{leader} leads term {term}, not {same} (`{name}`)");
            }
        }
        Ok(Some(leader))
    }

    fn term(&self, asked: &TermIs, explain: bool) -> Answer {
        let nodes = match &asked.of {
            Some(target) => self.somebody(target)?,
            None => match self.leader() {
                Some(leader) => vec![leader],
                None => no!(explain, "nobody leads"),
            },
        };
        let number = |reference: &TermRef| match reference {
            TermRef::Number(term) => Ok(*term),
            TermRef::Name(name) => self.remembered_term(name),
        };
        for node in nodes {
            let term = self.node(node).term;
            if let Some(above) = asked.above.as_ref().map(number).transpose()?
                && term <= above
            {
                no!(explain, "node {node} is in term {term}, not above {above}");
            }
            if let Some(equals) = asked.equals.as_ref().map(number).transpose()?
                && term != equals
            {
                no!(explain, "node {node} is in term {term}, not {equals}");
            }
            if let Some(least) = asked.at_least.filter(|least| term < *least) {
                no!(explain, "node {node} is in term {term}, below {least}");
            }
        }
        Ok(None)
    }

    /// Whether the nodes asked about are alike.
    fn alike(
        &self,
        among: Option<&Target>,
        explain: bool,
        what: &str,
        same: impl Fn(ProcessId, ProcessId) -> bool,
    ) -> Answer {
        let nodes = self.somebody(among.unwrap_or(&Target::Connected))?;
        match nodes.windows(2).find(|pair| !same(pair[0], pair[1])) {
            Some(pair) => no!(explain, "nodes {} and {} differ in their {what}", pair[0], pair[1]),
            None => Ok(None),
        }
    }

    fn role(&self, asked: &RoleIs, explain: bool) -> Answer {
        for node in &self.somebody(&asked.of)? {
            let NodeMirror { up, role, term, .. } = self.node(*node);
            if !up {
                no!(explain, "node {node} is down");
            }
            if *role != asked.is || asked.term.is_some_and(|wanted| wanted != *term) {
                no!(explain, "node {node} is {} in term {term}", role.name());
            }
        }
        Ok(None)
    }

    fn vote(&self, asked: &VoteIs, explain: bool) -> Answer {
        let wanted = match &asked.is {
            Some(target) => self.resolve(target, None)?,
            None => Vec::new(),
        };
        for node in self.somebody(&asked.of)? {
            let vote = self.node(node).vote;
            if vote.as_slice() != wanted {
                no!(explain, "the vote of node {node} is {vote:?}");
            }
        }
        Ok(None)
    }

    /// Where a node has applied a command.
    fn applied(&self, node: ProcessId, command: Hash64) -> Option<u64> {
        let node = self.node(node);
        // Recent commands are the ones asked about.
        (1..=node.applied)
            .rev()
            .find(|index| node.log.get(*index).is_some_and(|cell| cell.command == command))
    }

    fn committed(&self, asked: &Committed, explain: bool) -> Answer {
        let hash = self.hash(&asked.command);
        let nodes = self.among_all(asked.among.as_ref())?;
        let bounds = asked.on.unwrap_or_else(|| Count::exactly(nodes.len() as u64));
        let count = nodes.iter().filter(|node| self.applied(**node, hash).is_some()).count();
        if bounds.holds(count as u64) {
            return Ok(None);
        }
        no!(explain, "{count} nodes have applied {:?}, expected {bounds}", asked.command)
    }

    fn index(&self, asked: &IndexIs, explain: bool, what: &str, of: impl Fn(&NodeMirror) -> u64) -> Answer {
        let bounds = Count { at_least: asked.at_least, at_most: None, equals: asked.equals };
        for node in self.somebody(&asked.of)? {
            let index = of(self.node(node));
            if !bounds.holds(index) {
                no!(explain, "the {what} of node {node} is {index}, expected {bounds}");
            }
        }
        Ok(None)
    }

    fn is_durable(&self, node: ProcessId) -> bool {
        let node = self.node(node);
        let disk = &node.durable;
        let same_log = node.log.last_index() == disk.log.last_index()
            && node.log.last_prefix() == disk.log.last_prefix();
        node.up && node.term == disk.term && node.vote == disk.vote && same_log
    }

    fn synced(&self, among: Option<&Target>, explain: bool) -> Answer {
        let nodes = self.somebody(among.unwrap_or(&Target::Connected))?;
        for node in &nodes {
            if !self.node(*node).up {
                no!(explain, "node {node} is down");
            }
        }
        for pair in nodes.windows(2) {
            let (one, other) = (self.node(pair[0]), self.node(pair[1]));
            let names = || format!("nodes {} and {}", pair[0], pair[1]);
            if one.log.last_index() != other.log.last_index()
                || one.log.last_prefix() != other.log.last_prefix()
            {
                no!(explain, "{} differ in their logs", names());
            }
            if one.commit != other.commit || one.applied != other.applied {
                no!(explain, "{} differ in what they have committed or applied", names());
            }
        }
        match nodes.into_iter().find(|node| !self.is_durable(*node)) {
            Some(node) => no!(explain, "node {node} has something in memory that is not on its disk"),
            None => Ok(None),
        }
    }

    fn counted(&self, target: &Target, bounds: &Count, explain: bool) -> Answer {
        let count = self.resolve(target, None)?.len() as u64;
        if bounds.holds(count) {
            return Ok(None);
        }
        no!(explain, "`{target}` means {count} nodes, expected {bounds}")
    }

    fn mark(&self, since: Option<&Name>) -> Result<Option<&Marked>, String> {
        let find = |name| self.marks.get(name).ok_or_else(|| format!("there is no mark `{name}` yet"));
        since.map(find).transpose()
    }

    /// What was sent since a mark, or since the beginning.
    fn sent(&self, from: &[ProcessId], kind: Option<u8>, since: Option<&Name>) -> Result<Traffic, String> {
        let mark = self.mark(since)?;
        let kinds = MESSAGE_KINDS.len();
        let mut total = Traffic::default();
        for node in from {
            for (index, _) in
                (0u8..).zip(MESSAGE_KINDS).filter(|(index, _)| kind.is_none_or(|kind| kind == *index))
            {
                let now = self.sim.stats().traffic(Some(*node), Some(index));
                let then = mark
                    .map(|mark| mark.traffic[node.index() * kinds + usize::from(index)])
                    .unwrap_or_default();
                total.messages += now.messages - then.messages;
                total.bytes += now.bytes - then.bytes;
            }
        }
        Ok(total)
    }

    fn messages(&self, asked: &Messages, explain: bool) -> Answer {
        let from = self.resolve(asked.from.as_ref().unwrap_or(&Target::All), None)?;
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: None };
        let sent = self.sent(&from, asked.kind.map(|kind| kind.index()), asked.since.as_ref())?.messages;
        if bounds.holds(sent) {
            return Ok(None);
        }
        no!(explain, "{sent} messages were sent, expected {bounds}")
    }

    fn bytes(&self, asked: &MessageBytes, explain: bool) -> Answer {
        let all: Vec<ProcessId> = ProcessId::all(self.sim.count()).collect();
        let bounds = Count { at_least: asked.at_least, at_most: asked.at_most, equals: None };
        let sent = self.sent(&all, None, asked.since.as_ref())?.bytes;
        if bounds.holds(sent) {
            return Ok(None);
        }
        no!(explain, "{sent} bytes were sent, expected {bounds}")
    }

    fn elapsed(&self, asked: &Elapsed, explain: bool) -> Answer {
        let mark = self.mark(asked.since.as_ref())?;
        let elapsed = self.sim.now().since(mark.map(|mark| mark.at).unwrap_or_default());
        if asked.at_least.unwrap_or(Span::ZERO) <= elapsed && elapsed <= asked.at_most.unwrap_or(Span::MAX) {
            return Ok(None);
        }
        no!(explain, "{elapsed} have passed")
    }
}
