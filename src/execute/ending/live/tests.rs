//! Whatever an ending asks for is missed where it is missing, and named.

use super::*;
use crate::adapter::{Change, ChangeRequest, node_id};
use crate::execute::watching::Watching;
use crate::execute::{Limits, build};
use crate::mirror::DurableMirror;
use crate::oracles::Judge;
use crate::record::{Effect, Members, Note, Record};
use crate::scenario::Scenario;
use sim_core::{Observer, Stamp, VirtualTime};

/// One command, on all disks; whoever leads gathers commands for a while before it sends them.
fn scenario() -> Scenario {
    let text = r#"{ "name": "small", "nodes": 3, "raft": { "batch_delay": "20ms" }, "steps": [
        { "until": { "that": { "all": ["single_leader", "terms_agree"] } } }, { "propose": "x" },
        { "until": { "that": { "all": [{ "committed": { "command": "x", "on": 3 } }, "synced"] } } }
    ], "end": { "stop": "it is asked by hand" } }"#;
    Scenario::parse("small.json", text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)))
}

/// A cluster whose steps are done.
fn played(scenario: &Scenario) -> Runner<'_> {
    let sim = build::cluster(scenario, 1, Watching::of(())).unwrap();
    let mut runner = Runner::new(scenario, 1, Limits::default(), sim);
    runner.play().unwrap();
    runner
}

/// The same cluster, had the node told this too.
fn told<'w>(sim: &Cluster<'w>, process: ProcessId, note: Note) -> Cluster<'w> {
    let mut sim = sim.clone();
    let stamp = Stamp { number: sim.records(), at: sim.now() };
    sim.observer_mut().0.observe(stamp, &Record::Noted { process, note });
    sim
}

fn applied(index: u64, state: Hash64) -> Note {
    Note::Apply { index, term: 1, command: Hash64::of_command(b"x"), state, effect: Effect::Carried }
}

#[test]
fn those_agree_who_have_the_leaders_term_log_state_and_disk() {
    let scenario = scenario();
    let runner = played(&scenario);
    let (sim, core) = (&runner.sim, runner.surveyed().everybody());
    let reign = Reign::of(sim, &core, &[]).unwrap();
    assert_eq!(reign.agrees(sim, 1), Ok(()));
    assert_eq!(reign.agrees(sim, 2), Err(Pending::Command));
    let (leader, term) = (reign.leader, reign.term);
    let state = mirror(sim, leader).state;
    for node in reign.followers(sim) {
        let other = Hash64::of_command(b"other");
        let role = |role| Note::Role { role, term };
        let cases = [
            (node, role(Role::Leader), Pending::Rival(node)),
            (node, role(Role::Candidate), Pending::Standing(node)),
            (node, role(Role::PreCandidate), Pending::Standing(node)),
            (node, Note::Term { term: term + 1 }, Pending::Term(node, term + 1)),
            (leader, role(Role::Follower), Pending::Over),
            (leader, Note::Term { term: term + 1 }, Pending::Over),
            (node, Note::Truncate { from: 1 }, Pending::Log(node)),
            (node, Note::Append { index: 1, term, command: other }, Pending::Log(node)),
            (node, Note::Append { index: 2, term, command: other }, Pending::Log(node)),
            (leader, Note::Commit { index: 0 }, Pending::Commit(leader, 0)),
            (node, Note::Commit { index: 0 }, Pending::Commit(node, 0)),
            (node, applied(0, state), Pending::Applied(node, 0)),
            (node, applied(1, other), Pending::State(node)),
            (leader, Note::Vote { term, candidate: node }, Pending::Disk(leader)),
            (node, Note::Vote { term, candidate: node }, Pending::Disk(node)),
        ];
        for (teller, note, pending) in cases {
            assert_eq!(reign.agrees(&told(sim, teller, note.clone()), 1), Err(pending), "{note:?}");
        }
        assert_eq!(reign.agrees(&told(sim, node, applied(1, state)), 1), Ok(()));
        let mut forgetful = sim.clone();
        let disk = DurableMirror { log: Default::default(), ..mirror(sim, node).durable.clone() };
        forgetful.observer_mut().0.begin_with(node, disk);
        assert_eq!(reign.agrees(&forgetful, 1), Err(Pending::Disk(node)));
    }
}

#[test]
fn who_leads_the_highest_term_must_be_followed() {
    let scenario = scenario();
    let runner = played(&scenario);
    let (sim, core) = (&runner.sim, runner.surveyed().everybody());
    let Reign { leader, term, .. } = Reign::of(sim, &core, &[]).unwrap();
    let of = |sim: &Cluster<'_>| Reign::of(sim, &core, &[]).map(|reign| reign.leader);
    assert_eq!(of(sim), Ok(leader));
    assert_eq!(of(&told(sim, leader, Note::Role { role: Role::Follower, term })), Err(Pending::Nobody));
    let node = core.nodes.iter().copied().find(|node| *node != leader).unwrap();
    let later = told(sim, node, Note::Term { term: term + 1 });
    assert_eq!(of(&later), Err(Pending::Term(node, term + 1)));
    let third = core.nodes.iter().copied().find(|other| ![leader, node].contains(other)).unwrap();
    let later = told(&later, third, Note::Term { term: term + 1 });
    let led = told(&later, node, Note::Role { role: Role::Leader, term: term + 1 });
    assert_eq!(of(&led), Err(Pending::Rival(leader)));
}

#[test]
fn who_stops_is_missed_unless_its_disk_refused_it_before() {
    let scenario = scenario();
    let mut runner = played(&scenario);
    let core = runner.surveyed().everybody();
    let leader = Reign::of(&runner.sim, &core, &[]).unwrap().leader;
    let process = core.nodes.iter().copied().find(|node| *node != leader).unwrap();
    runner.inject(&Fault::Crash { process }).unwrap();
    let of = |refused: &[ProcessId]| Reign::of(&runner.sim, &core, refused).map(|reign| reign.leader);
    assert_eq!(of(&[]), Err(Pending::Down(process)));
    assert_eq!(of(&[process]), Ok(leader));
}

#[test]
fn who_was_switched_off_is_missed_by_a_leader_that_is_linked_with_it_and_holds_it_for_a_member() {
    let scenario = scenario();
    let runner = played(&scenario);
    let (sim, core) = (&runner.sim, runner.surveyed().everybody());
    let leader = leading(sim, &core).unwrap();
    let node = core.nodes.iter().copied().find(|node| *node != leader).unwrap();
    assert_eq!((missed(sim, &core, &[node]), missed(sim, &core, &[])), (Some(node), None));
    let mut apart = core.clone();
    apart.links.remove(&(node, leader));
    assert_eq!(missed(sim, &apart, &[node]), None);
    let voters = core.nodes.iter().copied().filter(|one| *one != node).collect();
    let members = Box::new(Members { voters, ..Members::default() });
    assert_eq!(missed(&told(sim, leader, Note::Members { index: 1, members }), &core, &[node]), None);
    let follows = told(sim, leader, Note::Role { role: Role::Follower, term: mirror(sim, leader).term });
    assert_eq!(missed(&follows, &core, &[node]), None, "nobody leads");
}

#[test]
fn a_joint_configuration_that_is_left_by_itself_must_be_left() {
    let scenario = scenario();
    let mut runner = played(&scenario);
    let core = runner.surveyed().everybody();
    let leader = Reign::of(&runner.sim, &core, &[]).unwrap().leader;
    let others = core.nodes.iter().copied().filter(|node| *node != leader);
    let removals: Vec<Change> = others.map(|node| Change::Remove(node_id(node))).collect();
    runner.sim.request(leader, Request::Change(Box::new(ChangeRequest::auto(&removals))));
    let reign = Reign::of(&runner.sim, &core, &[]).unwrap();
    assert_eq!(reign.agrees(&runner.sim, 1), Err(Pending::Joint));
    runner.pass(Span::from_millis(200)).unwrap();
    assert_eq!(reign.agrees(&runner.sim, 3), Ok(()));
}

/// What an ending that waits for rest until now comes to.
fn rest(runner: &mut Runner<'_>) -> Result<bool, String> {
    let core = runner.surveyed().everybody();
    let reign = Reign::of(&runner.sim, &core, &[]).unwrap();
    match runner.come_to_rest(&reign, Span::from_millis(200), VirtualTime::ZERO) {
        Ok(rests) => Ok(rests),
        Err(Halt::Failed(violation)) => {
            assert_eq!(violation.property, Property::Convergence);
            Err(violation.what)
        }
        Err(halt) => panic!("{halt:?}"),
    }
}

#[test]
fn a_cluster_at_rest_sends_nothing_but_heartbeats() {
    let scenario = scenario();
    let mut runner = played(&scenario);
    runner.pass(Span::from_millis(200)).unwrap();
    assert_eq!(rest(&mut runner), Ok(true));
    let core = runner.surveyed().everybody();
    let leader = Reign::of(&runner.sim, &core, &[]).unwrap().leader;
    runner.sim.request(leader, Request::propose("y"));
    let noise = "end: healed, the cluster did not come to rest within 1600ms: \
                 2 messages other than heartbeats in the last moments";
    assert_eq!(rest(&mut runner), Err(noise.to_string()));
    assert_eq!(rest(&mut runner), Ok(true));
}

#[test]
fn a_cluster_whose_states_differ_is_not_at_rest() {
    let scenario = scenario();
    let mut runner = played(&scenario);
    runner.pass(Span::from_millis(200)).unwrap();
    let core = runner.surveyed().everybody();
    let leader = Reign::of(&runner.sim, &core, &[]).unwrap().leader;
    let node = core.nodes.iter().copied().find(|node| *node != leader).unwrap();
    // The oracles would stop the run before the ending is asked.
    Judge::SAFETY.into_iter().for_each(|property| runner.sim.observer_mut().0.disable(property));
    runner.sim = told(&runner.sim, node, applied(1, Hash64::of_command(b"other")));
    let differs = format!(
        "end: healed, the cluster did not come to rest within 1600ms: the state machine of node {node} is not like the leader's"
    );
    assert_eq!(rest(&mut runner), Err(differs));
}
