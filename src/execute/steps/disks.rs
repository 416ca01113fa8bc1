//! Steps about disks.

use crate::adapter::{LOG, SNAPSHOT, TAIL};
use crate::execute::{Halt, Runner};
use crate::scenario::{DiskOperation, FailWrite, File, FilePlace, Nodes, Rot, SlowDisk, Step};
use sim_core::{DiskQuality, Fault, FileId, Honesty, Unsynced};

/// The world's name of a file.
pub(in crate::execute) const fn file_id(file: File) -> FileId {
    match file {
        File::Log => LOG,
        File::Tail => TAIL,
        File::Snapshot => SNAPSHOT,
    }
}

const fn offset(place: FilePlace) -> Option<u64> {
    match place {
        FilePlace::Offset(offset) => Some(offset),
        FilePlace::Random => None,
    }
}

impl Runner<'_> {
    pub(super) fn disks(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::HoldWrites(nodes) => {
                self.each(step, &nodes.nodes, "", |process| Fault::StallDisk { process })
            }
            Step::CompleteWrite(nodes) => self.complete_write(step, nodes),
            Step::ReleaseWrites(nodes) => {
                self.each(step, &nodes.nodes, "", |process| Fault::UnstallDisk { process })
            }
            Step::FailWrite(fail) => self.fail_write(step, fail),
            Step::FillDisk(fill) => {
                for process in self.told_nodes(step, &fill.nodes, "")? {
                    let bytes = Some(self.sim.disk_bytes(process).saturating_add(fill.free));
                    self.inject(&Fault::LimitDisk { process, bytes })?;
                }
                Ok(())
            }
            Step::FreeDisk(nodes) => {
                let storage = &self.scenario.storage;
                self.each(step, &nodes.nodes, "", |process| {
                    let bytes = storage.of(process.0).capacity;
                    Fault::LimitDisk { process, bytes }
                })
            }
            Step::SlowDisk(slow) => self.slow_disk(step, slow),
            Step::Rot(rot) => self.rot(step, rot),
            Step::MisdirectWrite(misdirect) => {
                let (file, offset) = (file_id(misdirect.file), offset(misdirect.at));
                for process in self.told_nodes(step, &misdirect.nodes, "")? {
                    self.expect_damage(process, file);
                    self.inject(&Fault::Misdirect { process, file, offset })?;
                }
                Ok(())
            }
            Step::LieAboutFsync(lie) => {
                let (honesty, rest) =
                    if lie.on { (Honesty::LiesWhenDue, "") } else { (Honesty::Honest, " no more") };
                for node in self.told_nodes(step, &lie.nodes, rest)? {
                    self.inject(&Fault::SetHonesty { process: node, honesty })?;
                }
                Ok(())
            }
            Step::Wipe(nodes) => {
                for process in self.told_nodes(step, &nodes.nodes, "")? {
                    if self.sim.is_up(process) {
                        let what = format!("node {process} is up, and its disk cannot be wiped");
                        return Err(self.unmet(format!("{what}: `crash` it first")));
                    }
                    self.void_what_is_wiped(process);
                    self.inject(&Fault::WipeDisk { process })?;
                    self.forget_damage(process);
                }
                Ok(())
            }
            other => unreachable!("`{}` belongs to another room", other.verb()),
        }
    }

    fn complete_write(&mut self, step: &Step, nodes: &Nodes) -> Result<(), Halt> {
        let nodes = self.told_nodes(step, &nodes.nodes, "")?;
        if let Some(node) = nodes.iter().find(|node| self.sim.syncs_stalled(**node) == 0) {
            let what = format!("node {node} has no stalled write to complete");
            return Err(self.unmet(format!("{what}: `hold_writes` it before it writes something")));
        }
        nodes.into_iter().try_for_each(|process| self.inject(&Fault::CompleteSync { process }))?;
        self.catch_up()
    }

    fn fail_write(&mut self, step: &Step, fail: &FailWrite) -> Result<(), Halt> {
        let nth = u32::try_from(fail.after.saturating_add(1)).unwrap_or(u32::MAX);
        match fail.what {
            DiskOperation::Append => {
                self.each(step, &fail.nodes, ", an append", |process| Fault::FailOperation { process, nth })
            }
            DiskOperation::Fsync => {
                let unsynced = Unsynced::Gone;
                self.each(step, &fail.nodes, ", a sync", |process| Fault::FailSync { process, nth, unsynced })
            }
        }
    }

    fn slow_disk(&mut self, step: &Step, slow: &SlowDisk) -> Result<(), Halt> {
        for process in self.told_nodes(step, &slow.nodes, "")? {
            let usual = self.sim.disk_quality(process);
            let quality = DiskQuality {
                write: slow.write.unwrap_or(usual.write),
                notice: slow.notice.unwrap_or(usual.notice),
                ..usual
            };
            self.inject(&Fault::SetDisk { process, quality: Box::new(quality) })?;
        }
        Ok(())
    }

    fn rot(&mut self, step: &Step, rot: &Rot) -> Result<(), Halt> {
        let (file, offset) = (file_id(rot.file), offset(rot.at));
        let mut order = [1u8, 2, 4, 8, 16, 32, 64, 128];
        for process in self.told_nodes(step, &rot.nodes, "")? {
            self.draws(rot).shuffle(&mut order);
            let count = usize::try_from(rot.bits).unwrap_or(usize::MAX).min(order.len());
            let bits = order[..count].iter().fold(0, |all, bit| all | bit);
            let fault = Fault::FlipBits { process, file: Some(file), offset, bits: Some(bits) };
            self.sim.inject(&fault).map_err(|why| {
                self.unmet(format!("{why}: choose another file or place, or let it write something first"))
            })?;
            self.note_damage(process, file);
        }
        Ok(())
    }
}
