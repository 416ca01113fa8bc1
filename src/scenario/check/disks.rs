//! Steps about disks.

use super::Checker;
use crate::scenario::disk::{CrashAt, FailWrite, OperationRef, Rot, SetCrashMode, SlowDisk};

impl Checker {
    pub(super) fn fail_write(&mut self, fail: &FailWrite) {
        self.target_at("nodes", &fail.nodes);
        self.under("after", |c| c.between(fail.after, 0, 1_000_000));
    }

    pub(super) fn slow_disk(&mut self, slow: &SlowDisk) {
        self.target_at("nodes", &slow.nodes);
        self.wrong_if(slow.write.is_none() && slow.notice.is_none(), || {
            "this changes nothing: expected `write` or `notice`".to_owned()
        });
        self.some_latency("write", slow.write.as_ref());
        self.some_latency("notice", slow.notice.as_ref());
    }

    pub(super) fn rot(&mut self, rot: &Rot) {
        self.target_at("nodes", &rot.nodes);
        self.under("bits", |c| c.between(u64::from(rot.bits), 1, 8));
    }

    pub(super) fn set_crash_mode(&mut self, set: &SetCrashMode) {
        self.under("nodes", |c| c.target(&set.nodes));
        self.wrong_if(set.keep.is_none() && set.torn.is_none(), || {
            "this changes nothing: expected `keep` or `torn`".to_owned()
        });
    }

    pub(super) fn crash_at(&mut self, crash: &CrashAt) {
        self.under("node", |c| {
            c.target(&crash.node);
            let many = crash.node.literal().filter(|nodes| nodes.len() > 1);
            c.wrong_if(many.is_some(), || {
                "operations are counted for each node: expected one node".to_owned()
            });
        });
        let (OperationRef::Number(number) | OperationRef::Coming(number)) = crash.operation;
        self.under("operation", |c| c.between(number, 1, 1 << 53));
    }
}
