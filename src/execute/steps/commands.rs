//! Steps that hand commands to nodes.

use crate::adapter::Request;
use crate::execute::steps::Heard;
use crate::execute::told::Said;
use crate::execute::{Halt, Runner};
use crate::record::Hash64;
use crate::scenario::{Answer, Propose, Step, Target};
use sim_core::ProcessId;

impl Runner<'_> {
    /// Where an answer is expected somebody must be there to give it.
    pub(super) fn somebody_answers(
        &self,
        target: &Target,
        nodes: &[ProcessId],
        expected: Answer,
    ) -> Result<(), Halt> {
        if nodes.is_empty() && expected != Answer::Any {
            return Err(self.unmet(format!("`{target}` means nobody now, so nobody answers")));
        }
        Ok(())
    }

    pub(super) fn propose(&mut self, step: &Step, propose: &Propose) -> Result<(), Halt> {
        let nodes = self.nodes(step, &propose.to)?;
        self.somebody_answers(&propose.to, &nodes, propose.expect)?;
        let mut took = Vec::new();
        for command in propose.commands() {
            for node in &nodes {
                if self.propose_to(*node, &command, propose)? && !took.contains(node) {
                    took.push(*node);
                }
            }
        }
        self.bind_found(propose.bind.as_ref(), took, "nobody took the command")
    }

    /// Says whether the node took the command.
    fn propose_to(&mut self, node: ProcessId, command: &str, propose: &Propose) -> Result<bool, Halt> {
        let mut bytes = command.as_bytes().to_vec();
        if let Some(length) = propose.bytes.and_then(|length| usize::try_from(length).ok()) {
            bytes.resize(length.max(bytes.len()), b'.');
            self.memory.padded.insert(command.to_string(), Hash64::of_command(&bytes));
        } else {
            self.memory.padded.remove(command);
        }
        self.say(format!("propose {command:?} to {node}"));
        let heard = self.ask(node, Request::propose_as(&bytes, command));
        self.expect(node, &format!("{command:?}"), heard, propose.expect)?;
        Ok(heard == Heard::Said(Said::Accepted))
    }
}
