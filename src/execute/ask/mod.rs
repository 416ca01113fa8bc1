//! Whether a predicate holds, and if not, why not: one room for each family of predicates.
//!
//! Owns what predicates may look at. Must not change anything.

mod counts;
mod leaders;
mod logs;
mod machines;
mod members;

pub(crate) use logs::index_of;

use crate::execute::{Cluster, Memory};
use crate::mirror::NodeMirror;
use crate::scenario::{Count, CountOf, Predicate, Target};
use sim_core::ProcessId;

/// Everything that a predicate can look at.
pub(crate) struct Asking<'a> {
    pub(crate) sim: &'a Cluster<'a>,
    pub(crate) memory: &'a Memory,
}

/// Whom a predicate that holds is about, if it is about one; or why it does not hold, if that was asked for.
type Answer = Result<Option<ProcessId>, String>;

/// A refusal, put into words only where somebody will read them.
macro_rules! no {
    ($explain:expr, $($words:tt)+) => {
        return Err(if $explain { format!($($words)+) } else { String::new() })
    };
}
use no;

/// Whether what a predicate says can become true while no node changes.
pub(crate) fn reads_clock_or_traffic(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Messages(_)
        | Predicate::MessageBytes(_)
        | Predicate::Elapsed(_)
        | Predicate::DiskBytes(_)
        | Predicate::StorageOperations(_)
        | Predicate::ClientsDone(_)
        | Predicate::Calls(_)
        | Predicate::Reads(_) => true,
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
        | Predicate::Count(_)
        | Predicate::Index(_)
        | Predicate::LastEntry(_)
        | Predicate::LogLength(_)
        | Predicate::Halted(_)
        | Predicate::Members(_)
        | Predicate::Joint(_)
        | Predicate::InConfig(_)
        | Predicate::NotInConfig(_)
        | Predicate::MachineEqual(_)
        | Predicate::Value(_) => false,
    }
}

impl Asking<'_> {
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
            Predicate::NoLeader(asked) => self.no_leader(asked.among.as_ref(), explain),
            Predicate::LeaderIs(target) => self.leader_is(target, explain),
            Predicate::Term(asked) => self.term(asked, explain),
            Predicate::TermsAgree(asked) => self.terms_agree(asked.among.as_ref(), explain),
            Predicate::Role(asked) => self.role(asked, explain),
            Predicate::Vote(asked) => self.vote(asked, explain),
            Predicate::Committed(asked) => self.committed(asked, explain),
            Predicate::NotCommitted(asked) => self.not_committed(asked, explain),
            Predicate::CommittedAt(asked) => self.committed_at(asked, explain),
            Predicate::CommitIndex(asked) => self.index(asked, explain, "commit index", |node| node.commit),
            Predicate::LastIndex(asked) => {
                self.index(asked, explain, "last index", |node| node.log.last_index())
            }
            Predicate::LogsEqual(asked) => self.logs_equal(asked.among.as_ref(), explain),
            Predicate::Synced(asked) => self.synced(asked.among.as_ref(), explain),
            Predicate::Durable(asked) => self.durable(&asked.of, explain),
            Predicate::Index(asked) => self.one_index(asked, explain),
            Predicate::LastEntry(asked) => self.last_entry(asked, explain),
            Predicate::LogLength(asked) => self.log_length(asked, explain),
            Predicate::Members(asked) => self.members(asked, explain),
            Predicate::Joint(asked) => self.joint(&asked.of, explain),
            Predicate::InConfig(asked) => self.in_config(asked, true, explain),
            Predicate::NotInConfig(asked) => self.in_config(asked, false, explain),
            Predicate::DiskBytes(asked) => self.disk_bytes(asked, explain),
            Predicate::StorageOperations(asked) => self.storage_operations(asked, explain),
            Predicate::Halted(asked) => self.halted(&asked.of, explain),
            Predicate::MachineEqual(asked) => self.machine_equal(asked.among.as_ref(), explain),
            Predicate::Value(asked) => self.value(asked, explain),
            Predicate::ClientsDone(asked) => self.clients_done(asked, explain),
            Predicate::Up(bounds) => self.counted(&Target::Up, bounds, explain),
            Predicate::Count(CountOf { of, at_least, at_most, equals }) => {
                let bounds = Count { at_least: *at_least, at_most: *at_most, equals: *equals };
                self.counted(of, &bounds, explain)
            }
            Predicate::Messages(asked) => self.messages(asked, explain),
            Predicate::MessageBytes(asked) => self.bytes(asked, explain),
            Predicate::Elapsed(asked) => self.elapsed(asked, explain),
            Predicate::Calls(asked) => self.calls(asked, explain),
            Predicate::Reads(asked) => self.reads(asked, explain),
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

    /// The nodes asked about, each of them up.
    fn running(&self, target: &Target, explain: bool) -> Result<Vec<ProcessId>, String> {
        let nodes = self.somebody(target)?;
        match nodes.iter().find(|node| !self.node(**node).up) {
            Some(node) => no!(explain, "node {node} is down"),
            None => Ok(nodes),
        }
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

    /// Whether these nodes are alike in what they have.
    fn alike<V: PartialEq>(
        &self,
        nodes: &[ProcessId],
        explain: bool,
        what: &str,
        has: impl Fn(ProcessId) -> V,
    ) -> Answer {
        match nodes.windows(2).find(|pair| has(pair[0]) != has(pair[1])) {
            Some(pair) => no!(explain, "nodes {} and {} differ in their {what}", pair[0], pair[1]),
            None => Ok(None),
        }
    }
}
