//! Trace events as Chrome and Perfetto read them: a track for each node with its roles as slices, messages as flows, commit
//! indexes as counters, steps of the scenario as instants over all.
//!
//! Times are whole microseconds, which is what the format counts in.

use crate::record::{Note, Record};
use crate::view::cluster::{Cluster, Mark, Reach, Standing};
use crate::view::wording::Words;
use serde_json::{Value, json};
use sim_core::{MessageId, ProcessId, Stamp, VirtualTime};
use std::collections::BTreeMap;

/// The records as one JSON document of trace events.
#[must_use]
pub fn chrome(nodes: u16, lines: &[(Stamp, Record)]) -> String {
    let mut pen = Pen {
        nodes,
        words: Words::new(nodes, false, false),
        cluster: Cluster::new(nodes),
        open: vec![(Mark::default(), VirtualTime::ZERO); usize::from(nodes)],
        flows: BTreeMap::new(),
        events: vec![event("M", 0, VirtualTime::ZERO, "process_name", json!({ "name": "cluster" }))],
    };
    for node in 0..nodes {
        let name = json!({ "name": format!("node {node}") });
        pen.events.push(event("M", u64::from(node), VirtualTime::ZERO, "thread_name", name));
    }
    for (stamp, record) in lines {
        pen.words.learn(record);
        pen.cluster.apply(record);
        pen.draw(*stamp, record);
    }
    let end = lines.last().map_or(VirtualTime::ZERO, |(stamp, _)| stamp.at);
    for node in 0..nodes {
        pen.close(ProcessId(node), Mark::default(), end);
    }
    json!({ "displayTimeUnit": "ms", "traceEvents": pen.events }).to_string()
}

struct Pen {
    nodes: u16,
    words: Words,
    cluster: Cluster,
    /// What each node is, and since when.
    open: Vec<(Mark, VirtualTime)>,
    /// The numbers of messages that are on their way.
    flows: BTreeMap<MessageId, u64>,
    events: Vec<Value>,
}

const fn micros(at: VirtualTime) -> u64 {
    at.nanos() / 1_000
}

fn event(phase: &str, track: u64, at: VirtualTime, name: &str, args: Value) -> Value {
    json!({ "ph": phase, "pid": 0, "tid": track, "ts": micros(at), "name": name, "args": args })
}

impl Pen {
    fn draw(&mut self, stamp: Stamp, record: &Record) {
        let at = stamp.at;
        for node in 0..self.nodes {
            let mark = self.cluster.mark(ProcessId(node));
            if mark != self.open[usize::from(node)].0 {
                self.close(ProcessId(node), mark, at);
            }
        }
        match record {
            Record::Sent { id, facts, .. } => {
                let name = self.words.facts(facts);
                self.flows.insert(id.as_sent(), stamp.number);
                self.message("s", id.from, at, &name, stamp.number);
            }
            Record::Delivered { id, facts } => {
                let name = self.words.facts(facts);
                if let Some(number) = self.flows.get(&id.as_sent()).copied() {
                    self.message("f", id.to, at, &name, number);
                }
            }
            Record::Noted { process, note: Note::Commit { index } } if process.0 < self.nodes => {
                let args = json!({ "index": index });
                self.events.push(event("C", 0, at, &format!("commit index of {process}"), args));
            }
            Record::Marked { text } => {
                let mut mark = event("i", 0, at, text, json!({ "record": stamp.number }));
                mark["s"] = "p".into();
                self.events.push(mark);
            }
            _ => {}
        }
    }

    /// One end of a message. Where it has no length on a track it would be drawn nowhere, so it stands in a slice of its own.
    fn message(&mut self, phase: &str, process: ProcessId, at: VirtualTime, name: &str, number: u64) {
        if process.0 >= self.nodes {
            return;
        }
        let track = u64::from(process.0);
        let mut slice = event("X", track, at, name, json!({ "record": number }));
        slice["dur"] = 1.into();
        let mut flow = event(phase, track, at, name, json!({}));
        (flow["id"], flow["cat"]) = (number.into(), "message".into());
        if phase == "f" {
            flow["bp"] = "e".into();
        }
        self.events.extend([slice, flow]);
    }

    /// A node is something else from now on.
    fn close(&mut self, node: ProcessId, next: Mark, at: VirtualTime) {
        let (was, since) = core::mem::replace(&mut self.open[node.index()], (next, at));
        if was.standing == Standing::Absent {
            return;
        }
        let cut = match was.reach {
            Reach::Everybody => "",
            Reach::Side(_) => ", in a partition",
            Reach::Partly => ", some links cut",
            Reach::Nobody => ", cut off",
        };
        let name = format!("{} t{}{cut}", was.standing.name(), was.term);
        let mut slice = event("X", u64::from(node.0), since, &name, json!({ "term": was.term }));
        slice["dur"] = (micros(at) - micros(since)).into();
        self.events.push(slice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tests::story::Story;

    fn events(story: &Story) -> Vec<Value> {
        let document: Value = serde_json::from_str(&chrome(story.nodes, &story.lines)).expect("it is JSON");
        document["traceEvents"].as_array().expect("a list of events").clone()
    }

    #[test]
    fn roles_are_slices_and_messages_have_two_ends() {
        let mut story = Story::elected();
        story
            .note(1, Note::Commit { index: 1 })
            .at(300_000)
            .mark("crash 1")
            .crash(1, 0)
            .at(400_000)
            .mark("over");
        let events = events(&story);
        let of = |phase: &'static str| events.iter().filter(move |event| event["ph"] == phase);
        let slices = |node: u64| -> Vec<(String, u64, u64)> {
            let long = of("X").filter(|event| event["tid"] == node && event["args"]["term"].is_u64());
            let number = |event: &Value, field: &str| event[field].as_u64().expect("a number");
            long.map(|event| {
                (
                    event["name"].as_str().expect("a name").to_string(),
                    number(event, "ts"),
                    number(event, "dur"),
                )
            })
            .collect()
        };
        let expected = [
            ("follower t0", 0, 150_000),
            ("follower t1", 150_000, 0),
            ("candidate t1", 150_000, 2_000),
            ("leader t1", 152_000, 148_000),
            ("down t1", 300_000, 100_000),
        ];
        assert_eq!(slices(1), expected.map(|(name, since, long)| (name.to_string(), since, long)));
        let ids = |phase| of(phase).map(|event| event["id"].as_u64()).collect::<Vec<_>>();
        assert_eq!(ids("s").len(), 4);
        assert!(ids("f").iter().all(|id| ids("s").contains(id)) && ids("f").len() == 4);
        assert_eq!(of("C").map(|event| &event["args"]["index"]).collect::<Vec<_>>(), [1]);
        assert_eq!(of("i").map(|event| &event["name"]).collect::<Vec<_>>(), ["crash 1", "over"]);
    }
}
