//! What a step is about, by families: each has a room that carries it out.

use crate::scenario::Step;

/// A family of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Time passes, something is asked, remembered or chosen.
    Flow,
    /// Links between processes.
    Links,
    /// Messages on their way.
    Messages,
    /// Processes, their timers and clocks.
    Processes,
    /// Disks.
    Disks,
    /// Who leads, and who belongs to the cluster.
    Members,
    /// Snapshots, short logs, and state machines that wait.
    Snapshots,
    /// A node is given a command, or asked for what is current.
    Requests,
    /// A client calls; those of a workload begin, stop, or are waited for.
    Clients,
}

impl Step {
    /// The family that it belongs to.
    pub(crate) const fn family(&self) -> Family {
        match self {
            Self::Sleep(_)
            | Self::Until(_)
            | Self::Assert(_)
            | Self::Always(_)
            | Self::Bind(_)
            | Self::Pick(_)
            | Self::Mark(_)
            | Self::Note(_)
            | Self::Stop(_)
            | Self::Repeat(_)
            | Self::Choose(_)
            | Self::If(_) => Family::Flow,
            Self::Isolate(_)
            | Self::Reconnect(_)
            | Self::Cut(_)
            | Self::Join(_)
            | Self::Partition(_)
            | Self::Heal
            | Self::Hold(_)
            | Self::Release(_)
            | Self::Clog(_)
            | Self::SetLink(_) => Family::Links,
            Self::DeliverOne(_)
            | Self::DropPending(_)
            | Self::DuplicatePending(_)
            | Self::Shuffle(_)
            | Self::Deliver(_)
            | Self::DropAfter(_)
            | Self::StopDropping(_)
            | Self::Pin(_)
            | Self::Unpin(_) => Family::Messages,
            Self::Crash(_)
            | Self::CrashAt(_)
            | Self::Disarm(_)
            | Self::SetCrashMode(_)
            | Self::Restart(_)
            | Self::Shutdown(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::SetClock(_)
            | Self::HoldTimers(_)
            | Self::ReleaseTimers(_)
            | Self::Tick(_) => Family::Processes,
            Self::HoldWrites(_)
            | Self::CompleteWrite(_)
            | Self::ReleaseWrites(_)
            | Self::FailWrite(_)
            | Self::FillDisk(_)
            | Self::FreeDisk(_)
            | Self::SlowDisk(_)
            | Self::Rot(_)
            | Self::MisdirectWrite(_)
            | Self::LieAboutFsync(_)
            | Self::Wipe(_) => Family::Disks,
            Self::Change(_)
            | Self::LeaveJoint(_)
            | Self::Transfer(_)
            | Self::ForgetLeader(_)
            | Self::Campaign(_)
            | Self::ReportUnreachable(_) => Family::Members,
            Self::Snapshot(_)
            | Self::Compact(_)
            | Self::SendSnapshot(_)
            | Self::HoldApplies(_)
            | Self::CompleteApply(_)
            | Self::ReleaseApplies(_) => Family::Snapshots,
            Self::Propose(_) | Self::Read(_) => Family::Requests,
            Self::Call(_) | Self::StartClients(_) | Self::StopClients(_) | Self::AwaitClients(_) => {
                Family::Clients
            }
        }
    }
}
