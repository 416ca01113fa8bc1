//! A state machine of yours, replicated: what Raft demands of it, judged along whole runs of a cluster.

use crate::execute::{Limits, run};
use crate::record::{Hash64, MessageFacts, Note, Record};
use crate::scenario::{Scenario, Step};
use crate::violation::Property;
use core::fmt::Debug;
use proptest::test_runner::TestCaseError;
use sim_core::{Interest, Observer, ProcessId, RecordKind, Stamp};
use std::collections::BTreeMap;

/// A state machine that Raft could replicate (Raft §2, Figure 1): what it does follows from what it was told, and nothing else.
pub trait StateMachine: Clone + Debug + Default + PartialEq {
    /// Applies a command, and says what its client is told.
    fn apply(&mut self, command: &str) -> String;

    /// Everything that it is, as bytes (Raft §7).
    fn snapshot(&self) -> Vec<u8>;

    /// What a snapshot holds.
    ///
    /// # Errors
    ///
    /// When the bytes are none of [`Self::snapshot`].
    fn restore(snapshot: &[u8]) -> Result<Self, String>;
}

/// Runs `scenario` with a copy of a state machine at every node: it applies what the node applies, is lost when the node
/// crashes, comes back from the node's last durable snapshot, and takes the snapshots that its leader sends.
///
/// Commands are the texts of `propose` steps; what clients of a workload do is none of them.
///
/// # Errors
///
/// When two copies that have applied the same are not equal or answer in different ways, when a machine cannot be restored from
/// its own snapshot or is another one then, and when something breaks in the run itself.
pub fn check_machine<M: StateMachine>(scenario: &Scenario) -> Result<(), TestCaseError> {
    let replicas = Replicas::<M>::of(scenario);
    let (outcome, replicas) = run(scenario, scenario.seed.0, Limits::of(scenario), replicas)
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    // A cluster that breaks is not the machine's fault: it is made short as such.
    if !outcome.verdict.as_expected() {
        return super::check(scenario);
    }
    // Nor is one whose disks lied.
    let is_excused = outcome.voided.iter().any(|(property, _)| *property == Property::StateMachineSafety);
    replicas.wrong.filter(|_| !is_excused).map_or(Ok(()), |wrong| Err(TestCaseError::fail(wrong)))
}

/// A copy of the machine at each node.
#[derive(Debug)]
struct Replicas<M> {
    /// What is proposed by steps.
    texts: Vec<String>,
    copies: BTreeMap<ProcessId, Replica<M>>,
    /// The texts of the commands that were proposed.
    commands: BTreeMap<Hash64, String>,
    /// Who came so far first, by index.
    first: BTreeMap<u64, First<M>>,
    /// The snapshots that were taken, by index. A leader sends its own, and all of one index are equal.
    snapshots: BTreeMap<u64, Vec<u8>>,
    wrong: Option<String>,
}

impl<M> Replicas<M> {
    fn of(scenario: &Scenario) -> Self {
        let mut texts = Vec::new();
        proposed(&scenario.steps, &mut texts);
        Self {
            texts,
            copies: BTreeMap::new(),
            commands: BTreeMap::new(),
            first: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            wrong: None,
        }
    }
}

/// Whether a step of the scenario proposes this: clients have commands too, and so has the end.
fn is_of_steps(texts: &[String], text: &str) -> bool {
    texts.iter().any(|proposed| match proposed.split_once("{round}") {
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)),
        None => text == proposed,
    })
}

/// The commands that these steps propose, and those within them.
fn proposed(steps: &[Step], texts: &mut Vec<String>) {
    for step in steps {
        if let Step::Propose(propose) = step {
            texts.extend(propose.commands());
        }
        step.blocks().into_iter().for_each(|steps| proposed(steps, texts));
    }
}

/// Who was the first to apply an index.
#[derive(Debug)]
struct First<M> {
    node: ProcessId,
    command: Hash64,
    /// What its machine was then.
    machine: M,
    /// What it said.
    answer: String,
}

#[derive(Debug)]
struct Replica<M> {
    machine: M,
    /// Its own snapshots, by index: what is on its disk.
    kept: BTreeMap<u64, Vec<u8>>,
}

impl<M: StateMachine> Replica<M> {
    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.machine = M::restore(bytes)?;
        Ok(())
    }
}

impl<M: StateMachine> Observer<MessageFacts, Note> for Replicas<M> {
    fn interest(&self) -> Interest {
        Interest::of(&[RecordKind::Noted])
    }

    fn observe(&mut self, stamp: Stamp, record: &Record) {
        let Record::Noted { process, note } = record else { return };
        // What comes after the first mistake follows from it.
        if self.wrong.is_none() {
            self.wrong = self.noted(*process, note).err().map(|wrong| format!("at {}, {wrong}", stamp.at));
        }
    }
}

impl<M: StateMachine> Replicas<M> {
    fn noted(&mut self, process: ProcessId, note: &Note) -> Result<(), String> {
        let copy = self
            .copies
            .entry(process)
            .or_insert_with(|| Replica { machine: M::default(), kept: BTreeMap::new() });
        match note {
            Note::Proposed { command, text } if is_of_steps(&self.texts, text) => {
                self.commands.insert(*command, text.to_string());
            }
            // A life begins.
            Note::Recovered { snapshot, .. } => {
                copy.machine = M::default();
                // One from before the run is none of the machine's.
                if let Some(facts) = snapshot
                    && let Some(bytes) = copy.kept.get(&facts.index).cloned()
                {
                    copy.restore(&bytes).map_err(|error| {
                        format!("{process} cannot restore its snapshot of index {}: {error}", facts.index)
                    })?;
                }
            }
            Note::Apply { index, command, .. } => {
                let Some(text) = self.commands.get(command) else { return Ok(()) };
                let said = copy.machine.apply(text);
                let first = self.first.entry(*index).or_insert_with(|| First {
                    node: process,
                    command: *command,
                    machine: copy.machine.clone(),
                    answer: said.clone(),
                });
                let First { node, machine, answer, .. } = &*first;
                if first.command != *command {
                    // The cluster is wrong and not the machine: the judge says so, or the file expects it.
                    return Ok(());
                }
                if said != *answer {
                    return Err(format!(
                        "{process} answers {said:?} to {text:?} (index {index}), and {node} answered {answer:?}"
                    ));
                }
                if copy.machine != *machine {
                    return Err(format!(
                        "after {text:?} (index {index}) {process} and {node} differ:\n  {process}: {:?}\n  {node}: \
                         {machine:?}",
                        copy.machine
                    ));
                }
            }
            Note::Snapshot(facts) => {
                let bytes = copy.machine.snapshot();
                let again = M::restore(&bytes).map_err(|error| {
                    format!(
                        "{process} cannot restore the snapshot that it took at index {}: {error}",
                        facts.index
                    )
                })?;
                if again != copy.machine {
                    return Err(format!(
                        "the snapshot that {process} took at index {} is another machine:\n  taken: {:?}\n  restored: \
                         {again:?}",
                        facts.index, copy.machine
                    ));
                }
                self.snapshots.insert(facts.index, bytes.clone());
                copy.kept.insert(facts.index, bytes);
            }
            Note::Installed(facts) => {
                let Some(bytes) = self.snapshots.get(&facts.index).cloned() else { return Ok(()) };
                copy.restore(&bytes).map_err(|error| {
                    format!(
                        "{process} cannot restore the snapshot of index {} that it was sent: {error}",
                        facts.index
                    )
                })?;
                copy.kept.insert(facts.index, bytes);
            }
            _ => {}
        }
        Ok(())
    }
}
