//! Every option of a run, for people to read before they run it.

use crate::scenario::{RaftOptions, Scenario};
use serde_json::Value;
use sim_core::Latency;

/// Every option of a run as it is after all defaults and overrides, one subject a line. Of what is off or absent by default
/// only what is on is told.
#[must_use]
pub fn resolved(scenario: &Scenario) -> Vec<String> {
    let mut lines =
        vec![format!("nodes     {}", scenario.nodes), format!("raft      {}", raft(&scenario.raft))];
    for node in scenario.node_options.keys() {
        lines.push(format!("  node {node}  {}", raft(&scenario.options_of(node.0))));
    }
    lines.extend(scenario.members.iter().map(|members| format!("members   {}", json(members))));
    if !scenario.down.is_empty() {
        lines.push(format!("down      {}", json(&scenario.down)));
    }
    for (node, state) in &scenario.initial {
        lines.push(format!("initial   node {node} {}", json(state)));
    }
    let network = &scenario.network;
    lines.push(format!(
        "network   latency {}, loss {}, duplicate {}, reorder {} by {}, corrupt {}, fifo {}",
        latency(&network.latency),
        network.loss,
        network.duplicate,
        network.reorder,
        network.reorder_by,
        network.corrupt,
        network.fifo
    ));
    lines.extend(network.links.iter().map(|rule| format!("  link    {}", json(rule))));
    let storage = &scenario.storage;
    let capacity = storage.capacity.map_or_else(|| "none".to_string(), |bytes| bytes.to_string());
    lines.push(format!(
        "storage   write {}, notice {}, crash {}, torn {}, capacity {capacity}",
        latency(&storage.write),
        latency(&storage.notice),
        plain(&value(&storage.crash)),
        storage.torn
    ));
    for (node, disk) in &storage.nodes {
        lines.push(format!("  node {node}  {}", json(&disk)));
    }
    for (node, clock) in &scenario.clocks {
        lines.push(format!("clock     node {node} {}", json(clock)));
    }
    lines.extend(scenario.workload.iter().map(|workload| format!("workload  {}", json(workload))));
    lines.extend(scenario.pins.iter().map(|pin| format!("pin       {}", json(pin))));
    lines.push(format!("end       {}", json(&scenario.end)));
    lines.push(format!("expect    {}", json(&scenario.expect)));
    lines.extend(scenario.events_max.map(|events| format!("events    at most {events}")));
    lines.extend(scenario.mutation.iter().map(|mutation| format!("mutation  {mutation}")));
    lines
}

/// The options that every node has, then those that are not as they usually are.
fn raft(options: &RaftOptions) -> String {
    const ALWAYS: [&str; 4] = ["heartbeat", "election_timeout", "noop_on_election", "entries_per_append"];
    let (min, max) = options.election_timeout;
    let mut line = format!(
        "heartbeat {}, election timeout {min}..{max}, noop on election {}, entries per append {}",
        options.heartbeat, options.noop_on_election, options.entries_per_append
    );
    let (own, usual) = (value(options), value(&RaftOptions::default()));
    let own = own.as_object().into_iter().flatten();
    for (key, value) in own.filter(|(key, value)| usual.get(key) != Some(value)) {
        if !ALWAYS.contains(&key.as_str()) {
            line.push_str(&format!(", {} {}", key.replace('_', " "), plain(value)));
        }
    }
    line
}

/// A value as it would stand in a sentence.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// A distribution as it would stand in a sentence, with the words of scenario files.
fn latency(latency: &Latency) -> String {
    match latency {
        Latency::Constant(span) => span.to_string(),
        Latency::Uniform(min, max) => format!("uniform {min}..{max}"),
        Latency::HeavyTail { min, typical, max } => format!("heavy_tail {min}..{max}, typical {typical}"),
        Latency::Bimodal { fast, slow, slow_share } => {
            format!("bimodal {}..{}, {slow_share} {}..{}", fast.0, fast.1, slow.0, slow.1)
        }
    }
}

fn value(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("options have a JSON form")
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("options can be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_told_in_words() {
        for (form, told) in [
            (r#"{ "constant": "3ms" }"#, "latency 3ms, loss"),
            (r#"{ "uniform": ["1ms", "1500us"] }"#, "latency uniform 1ms..1500us, loss"),
            (
                r#"{ "heavy_tail": { "min": "1ms", "typical": "2ms", "max": "1s" } }"#,
                "latency heavy_tail 1ms..1s, typical 2ms, loss",
            ),
            (
                r#"{ "bimodal": { "fast": ["1ms", "2ms"], "slow": ["50ms", "60ms"], "slow_share": "1%" } }"#,
                "latency bimodal 1ms..2ms, 1% 50ms..60ms, loss",
            ),
        ] {
            let text = format!(r#"{{ "name": "told", "nodes": 3, "network": {{ "latency": {form} }} }}"#);
            let lines = resolved(&Scenario::parse("told", &text).unwrap());
            assert!(lines.iter().any(|line| line.contains(told)), "{told} in {lines:#?}");
        }
    }

    #[test]
    fn what_is_on_is_told_and_what_is_off_is_not() {
        let text = r#"{ "name": "told", "nodes": 4, "members": { "voters": [0, 1, 2] }, "down": [3],
            "raft": { "pre_vote": true, "clock_drift_max": "2%", "snapshot_after": 10 },
            "node_options": { "1": { "priority": 3 } }, "clocks": { "2": { "drift": "1%" } },
            "initial": { "0": { "log": [1] } }, "storage": { "capacity": 9000, "torn": true },
            "workload": { "clients": 2 }, "network": { "corrupt": "1%" } }"#;
        let lines = resolved(&Scenario::parse("told", text).unwrap());
        let has = |part: &str| lines.iter().any(|line| line.contains(part));
        for part in [
            "entries per append 64, clock drift max 2%, pre vote true, snapshot after 10",
            "node 1  heartbeat 50ms",
            "priority 3",
            "members   {\"voters\":[0,1,2]}",
            "down      [3]",
            "initial   node 0 {\"log\":[1]}",
            "corrupt 1%",
            "write uniform 100us..1ms, notice 0ms, crash lose, torn true, capacity 9000",
            "clock     node 2 {\"drift\":\"1%\"}",
            "workload  {\"clients\":2",
        ] {
            assert!(has(part), "{part} in {lines:#?}");
        }
        assert!(!has("lease reads"));
        let plain = resolved(&Scenario::new("plain", 3));
        assert!(!plain.iter().any(|line| line.contains("members") || line.contains("clock")), "{plain:#?}");
    }
}
