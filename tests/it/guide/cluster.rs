//! A cluster of ours with settings of one's own.

use proptest::prelude::*;
use seaworthy::strategy::{HORIZON, check, fault_plan, proposals, scenario_of, workload};

proptest! {
    #[test]
    fn my_settings_are_seaworthy(
        faults in fault_plan(5, HORIZON),
        proposals in proposals(5, HORIZON),
        workload in workload(),
    ) {
        let mut scenario = scenario_of(5, &faults, &proposals, HORIZON);
        scenario.raft.pre_vote = true;
        scenario.raft.snapshot_after = Some(3);
        scenario.workload = Some(workload);
        check(&scenario)?;
    }
}
