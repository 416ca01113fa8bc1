//! Which cores can live.

use super::{Cluster, Core, Standing};
use crate::record::Members;
use crate::scenario::Connectivity;
use sim_core::{ProcessId, Stream};
use std::sync::Arc;

fn ids(ids: &[u16]) -> Vec<ProcessId> {
    ids.iter().copied().map(ProcessId).collect()
}

/// Nodes with these last entries, guarded, who all began as voters.
fn cluster(lasts: &[(u64, u64)]) -> Cluster {
    let members = Members::voters(u16::try_from(lasts.len()).unwrap());
    let standing = |last: &(u64, u64)| Standing {
        members: Arc::new(members.clone()),
        members_index: 0,
        last: *last,
        priority: 0,
        is_guarded: true,
        leads: false,
        boots: true,
    };
    Cluster { nodes: lasts.iter().map(standing).collect(), committed: 0, settled: vec![members.clone()] }
}

fn draws(cluster: &Cluster, asked: Connectivity) -> Vec<Core> {
    (0..200).map(|seed| cluster.draw(asked, &mut Stream::new(seed, "test", 0))).collect()
}

#[test]
fn a_drawn_core_keeps_a_quorum_and_everybody_is_spared_somewhere() {
    let cores = draws(&cluster(&[(1, 1); 5]), Connectivity::Full);
    assert!(cores.iter().all(|core| (3..5).contains(&core.nodes.len())));
    for node in ProcessId::all(5) {
        assert!(cores.iter().any(|core| !core.contains(node)), "{node} is always there");
    }
}

#[test]
fn the_best_log_need_not_be_in_the_core_but_somebody_electable_must() {
    let cores = draws(&cluster(&[(1, 1), (1, 1), (2, 3)]), Connectivity::Full);
    assert!(cores.iter().any(|core| !core.contains(ProcessId(2))));
    assert!(cores.iter().any(|core| core.contains(ProcessId(2))));
    // The one with the best log is no voter of any configuration, and the other voter of 0's is gone.
    let mut odd = cluster(&[(1, 1), (1, 1), (2, 3)]);
    let others = Members { voters: ids(&[1]), learners: ids(&[2]), ..Members::default() };
    odd.nodes[2].members = Arc::new(others);
    assert!(!odd.lives(&ids(&[0, 2])));
    assert!(odd.lives(&ids(&[0, 1, 2])));
}

#[test]
fn a_joint_configuration_needs_both_majorities_in_the_core() {
    let mut joint = cluster(&[(1, 5); 6]);
    joint.settled =
        vec![Members { voters: ids(&[3, 4, 5]), outgoing: ids(&[0, 1, 2]), ..Members::default() }];
    for core in draws(&joint, Connectivity::Full) {
        assert!(joint.settled[0].is_quorum(|node| core.contains(node)), "{core:?}");
    }
}

#[test]
fn a_configuration_that_is_not_committed_counts_where_it_stands() {
    let mut grown = cluster(&[(1, 5), (1, 5), (1, 5), (0, 0), (0, 0)]);
    grown.settled = vec![Members::voters(3)];
    grown.nodes.iter_mut().for_each(|node| node.members = Arc::new(Members::voters(3)));
    grown.nodes[0].members = Arc::new(Members::voters(5));
    grown.nodes[0].members_index = 6;
    grown.nodes[0].last = (1, 6);
    assert!(grown.lives(&ids(&[1, 2])));
    assert!(!grown.lives(&ids(&[0, 1])));
    assert!(grown.lives(&ids(&[0, 1, 3])));
}

#[test]
fn who_does_not_boot_is_never_in_a_core_and_without_a_quorum_nobody_is_spared() {
    let mut rotten = cluster(&[(1, 1); 3]);
    rotten.nodes[1].boots = false;
    assert!(draws(&rotten, Connectivity::Full).iter().all(|core| core.nodes == ids(&[0, 2])));
    rotten.nodes[2].boots = false;
    let core = rotten.draw(Connectivity::Full, &mut Stream::new(1, "test", 0));
    assert_eq!((core.nodes.len(), core.instead), (3, Some("nobody can be spared")));
}

#[test]
fn over_a_bridge_or_a_chain_somebody_reaches_a_quorum() {
    let five = cluster(&[(1, 1); 5]);
    for (shape, links) in [(Connectivity::Bridge, 2), (Connectivity::Chain, 2), (Connectivity::Ring, 2)] {
        for core in draws(&five, shape) {
            assert_eq!((core.connectivity, core.instead), (shape, None));
            let reach = core.nodes.iter().map(|node| core.near(*node).count()).max().unwrap();
            assert!(reach > links, "{core:?}");
        }
    }
}

#[test]
fn who_leads_without_a_quorum_of_neighbours_is_given_one_or_every_link() {
    let mut led = cluster(&[(1, 5); 5]);
    led.nodes[2].leads = true;
    for core in draws(&led, Connectivity::Chain).iter().filter(|core| core.contains(ProcessId(2))) {
        let reach = core.near(ProcessId(2)).count();
        assert!(reach >= 3, "{core:?}");
    }
}

#[test]
fn who_leads_at_an_end_of_a_bridge_must_step_down_if_the_middle_can_do_without_it() {
    let mut led = cluster(&[(1, 5); 5]);
    led.nodes[2].leads = true;
    let at_an_end = |core: &&Core| core.contains(ProcessId(2)) && core.near(ProcessId(2)).count() == 2;
    let cores = draws(&led, Connectivity::Bridge);
    assert!(cores.iter().filter(at_an_end).count() > 10);
    for core in cores.iter().filter(at_an_end) {
        assert_eq!((core.connectivity, core.nodes.len()), (Connectivity::Bridge, 4), "{core:?}");
    }
    // Without the votes of two others the middle would need its.
    led.nodes[4].last = (1, 6);
    for core in draws(&led, Connectivity::Bridge).iter().filter(at_an_end) {
        assert!(core.connectivity == Connectivity::Full || !core.contains(ProcessId(4)), "{core:?}");
    }
    // What it has and the middle lacks may be a configuration, in which the middle needs others.
    led.nodes[2].last = (1, 7);
    assert!(!draws(&led, Connectivity::Bridge).iter().any(|core| at_an_end(&core)));
}

#[test]
fn who_wants_to_lead_less_than_a_neighbour_is_no_bridge_however_long_its_log_is() {
    // Once node 0 has the entries of node 2, it votes for it no more.
    let mut eager = cluster(&[(1, 1), (1, 1), (2, 3), (1, 1), (1, 1)]);
    eager.nodes[0].priority = 1;
    for core in draws(&eager, Connectivity::Bridge) {
        let reaches = |node: ProcessId| core.near(node).count() >= 3;
        let bridges: Vec<ProcessId> = core.nodes.iter().copied().filter(|node| reaches(*node)).collect();
        let is_spared = bridges != ids(&[2]) || !core.contains(ProcessId(0));
        assert!(is_spared || core.connectivity == Connectivity::Full, "{core:?}");
    }
    assert!(draws(&eager, Connectivity::Bridge).iter().any(|core| core.near(ProcessId(2)).count() >= 3));
}

#[test]
fn who_will_be_no_voter_when_a_joint_configuration_is_left_is_no_bridge() {
    let mut joint = cluster(&[(1, 5); 3]);
    let members = Members { voters: ids(&[0, 1]), outgoing: ids(&[0, 1, 2]), ..Members::default() };
    joint.settled = vec![members.clone()];
    joint.nodes.iter_mut().for_each(|node| node.members = Arc::new(members.clone()));
    for core in draws(&joint, Connectivity::Bridge) {
        assert!(core.near(ProcessId(2)).count() < 3 || core.connectivity == Connectivity::Full, "{core:?}");
    }
}

/// `fuzz --strategy swarm --seed 20261202`, run 37260: 0 brought a configuration that it is to leave, which is committed nowhere,
/// to 2 and 4, and left; they are a majority of it and were not linked with each other.
#[test]
fn who_would_win_only_to_leave_is_linked_with_nobody_whom_another_could_lead() {
    let mut led = cluster(&[(1, 2), (1, 1), (0, 0), (1, 1), (0, 0)]);
    let members = Members { voters: ids(&[1, 2, 4]), outgoing: ids(&[0, 1, 2, 3, 4]), ..Members::default() };
    led.nodes[0].members = Arc::new(members);
    led.nodes[0].members_index = 2;
    led.committed = 1;
    let is_sparse = |core: &&Core| core.connectivity == Connectivity::Ring && core.nodes.len() > 3;
    let cores = draws(&led, Connectivity::Ring);
    let wins = |core: &Core| led.can_win(ProcessId(0), &core.near(ProcessId(0)).collect::<Vec<_>>());
    assert!(!cores.iter().filter(is_sparse).any(|core| core.contains(ProcessId(0)) && wins(core)));
    assert!(cores.iter().filter(is_sparse).count() > 10, "others are drawn");
    // As one who stays it may.
    led.nodes[0].members = Arc::new(Members { voters: ids(&[0, 1, 2, 3, 4]), ..Members::default() });
    let cores = draws(&led, Connectivity::Ring);
    let wins = |core: &Core| led.can_win(ProcessId(0), &core.near(ProcessId(0)).collect::<Vec<_>>());
    assert!(cores.iter().filter(is_sparse).any(|core| core.contains(ProcessId(0)) && wins(core)));
}

#[test]
fn who_could_disturb_a_leader_that_it_does_not_hear_gets_every_link() {
    let mut open = cluster(&[(1, 1); 5]);
    open.nodes.iter_mut().for_each(|node| node.is_guarded = false);
    for core in draws(&open, Connectivity::Chain) {
        assert_eq!(core.connectivity, Connectivity::Full);
        assert!(core.instead.is_some());
    }
    for core in draws(&open, Connectivity::OneWayExtras) {
        assert!(core.links.iter().all(|(from, _)| core.contains(*from)), "{core:?}");
    }
    let guarded = draws(&cluster(&[(1, 1); 5]), Connectivity::OneWayExtras);
    assert!(guarded.iter().any(|core| core.links.iter().any(|(from, _)| !core.contains(*from))));
}

#[test]
fn who_leads_on_outside_tells_the_core_of_no_configuration_that_it_is_no_quorum_of() {
    // 2 leads and has begun to leave 1 out, which is committed nowhere: of 0 and 2, the core of 0 and 1 is no majority.
    let mut led = cluster(&[(1, 2), (1, 1), (1, 2)]);
    led.committed = 1;
    led.nodes[2].members =
        Arc::new(Members { voters: ids(&[0, 2]), outgoing: ids(&[0, 1, 2]), ..Members::default() });
    led.nodes[2].members_index = 2;
    let told = |cluster: &Cluster| {
        let cores = draws(cluster, Connectivity::OneWayExtras);
        let hears =
            |core: &&Core| core.nodes == ids(&[0, 1]) && core.links.iter().any(|(from, _)| from.0 == 2);
        cores.iter().filter(hears).count()
    };
    // Who does not lead only asks for votes.
    assert!(told(&led) > 10);
    led.nodes[2].leads = true;
    assert_eq!(told(&led), 0);
    // What is committed, and what the core is a quorum of, may be told by anybody.
    led.nodes[2].members_index = 1;
    assert!(told(&led) > 10);
    led.nodes[2].members_index = 2;
    led.nodes[2].members = Arc::new(Members { voters: ids(&[0, 1, 2]), ..Members::default() });
    assert!(told(&led) > 10);
}
