//! What a fault is called: beginning with the verb of the step that brings it about, where there is one.

use crate::record::MESSAGE_KINDS;
use crate::view::wording::{Words, listed, spared};
use sim_core::{ClockChange, CrashMode, CrashPoint, Fault, FileId, Honesty, Kept, ProcessId};

impl Words {
    /// What a fault does.
    pub(super) fn fault(&self, fault: &Fault) -> String {
        let link = |from: &ProcessId, to: &ProcessId| format!("{from}{}{to}", self.glyphs.to);
        let any = |process: &Option<ProcessId>| process.map_or_else(|| "*".to_string(), |p| p.to_string());
        let kind = |kind: &Option<u8>, none: &'static str| {
            kind.map_or(none, |kind| MESSAGE_KINDS.get(usize::from(kind)).copied().unwrap_or("unknown"))
        };
        let verb = verb(fault);
        match fault {
            Fault::Cut { from, to, in_flight } => format!("{verb} {}{}", link(from, to), spared(*in_flight)),
            Fault::Isolate { process, in_flight } => format!("{verb} {process}{}", spared(*in_flight)),
            Fault::Partition { groups, in_flight } => {
                let sides: Vec<String> = groups.iter().map(|group| listed(group)).collect();
                format!("{verb} {}{}", sides.join(" | "), spared(*in_flight))
            }
            Fault::Heal => verb.to_string(),
            Fault::Restore { from, to } | Fault::Release { from, to } => format!("{verb} {}", link(from, to)),
            Fault::Hold { from, to, capture } => {
                let captured = if *capture { ", with what is on the way" } else { "" };
                format!("{verb} {}{captured}", link(from, to))
            }
            Fault::DeliverOne { from, to, kind: k } => {
                format!("{verb} {} {}", kind(k, "message"), link(from, to))
            }
            Fault::DeliverThis { id, copy } => {
                let what = if *copy { "a copy of " } else { "" };
                let name = format!("{what}{}", kind(&Some(id.kind), "message"));
                format!("{verb} {name} {} (term {}, number {})", link(&id.from, &id.to), id.epoch, id.ordinal)
            }
            Fault::DropPending { from, to, kind: k }
            | Fault::DeliverAll { from, to, kind: k }
            | Fault::DuplicatePending { from, to, kind: k }
            | Fault::Shuffle { from, to, kind: k } => {
                format!("{verb} {} {}{}{}", kind(k, "messages"), any(from), self.glyphs.to, any(to))
            }
            Fault::Clog { from, to, span } => format!("{verb} {} for {span}", link(from, to)),
            Fault::SetQuality { from, to, .. } => format!("{verb} {}", link(from, to)),
            Fault::Crash { process }
            | Fault::Restart { process }
            | Fault::Pause { process }
            | Fault::Resume { process }
            | Fault::Reconnect { process }
            | Fault::StopDropping { process }
            | Fault::StallDisk { process }
            | Fault::UnstallDisk { process }
            | Fault::CompleteSync { process }
            | Fault::WipeDisk { process }
            | Fault::DisarmCrash { process }
            | Fault::HealDisk { process }
            | Fault::SetDisk { process, .. } => format!("{verb} {process}"),
            Fault::SetCrashMode { process, mode } => format!("{verb} {process} to {}", crash_mode(*mode)),
            Fault::DropAfter { process, count } => format!("{verb} {process}, {count} messages to come"),
            Fault::FailOperation { process, nth } => format!("{verb} {process}, operation {nth} to come"),
            Fault::FailSync { process, nth, .. } => format!("{verb} {process}, sync {nth} to come"),
            Fault::LimitDisk { process, bytes: Some(bytes) } => format!("{verb} {process} to {bytes} bytes"),
            Fault::LimitDisk { process, bytes: None } => format!("{verb} {process} no more"),
            Fault::FlipBits { process, file, offset, .. } => {
                format!("{verb} {process}, {}{}", file_name(*file), at_byte(*offset))
            }
            Fault::Misdirect { process, file, offset } => {
                format!("{verb} {process}, {}{}", file_name(Some(*file)), at_byte(*offset))
            }
            Fault::SetHonesty { process, honesty: Honesty::Honest } => format!("{verb} {process} no more"),
            Fault::SetHonesty { process, .. } => format!("{verb} {process}"),
            Fault::CrashAt { process, operation, when } => {
                format!("{verb} {process}, {} storage operation {operation}", point(*when))
            }
            Fault::CrashAtComing { process, coming, when } => {
                format!("{verb} {process}, {} storage operation {coming} to come", point(*when))
            }
            Fault::SetClock { process, clock } => format!("{verb} {process} {}", course(*clock, self.ascii)),
        }
    }
}

/// The verb that a scenario has for a fault. Those of what a file sets up, or of parts of a step, are verbs of our own.
pub(super) const fn verb(fault: &Fault) -> &'static str {
    match fault {
        Fault::Cut { .. } => "cut",
        Fault::Restore { .. } => "join",
        Fault::Isolate { .. } => "isolate",
        Fault::Reconnect { .. } => "reconnect",
        Fault::Partition { .. } => "partition",
        Fault::Heal => "heal",
        Fault::Hold { .. } => "hold",
        Fault::Release { .. } => "release",
        Fault::DeliverOne { .. } | Fault::DeliverThis { .. } => "deliver one",
        Fault::DropPending { .. } => "drop pending",
        Fault::DeliverAll { .. } => "deliver",
        Fault::DuplicatePending { .. } => "duplicate pending",
        Fault::Shuffle { .. } => "shuffle",
        Fault::DropAfter { .. } => "drop after",
        Fault::StopDropping { .. } => "stop dropping",
        Fault::Clog { .. } => "clog",
        Fault::SetQuality { .. } => "set link",
        Fault::Crash { .. } => "crash",
        Fault::Restart { .. } => "restart",
        Fault::Pause { .. } => "pause",
        Fault::Resume { .. } => "resume",
        Fault::SetDisk { .. } => "set disk",
        Fault::StallDisk { .. } => "hold writes",
        Fault::UnstallDisk { .. } => "release writes",
        Fault::CompleteSync { .. } => "complete write",
        Fault::FailOperation { .. } | Fault::FailSync { .. } => "fail write",
        Fault::LimitDisk { .. } => "limit disk",
        Fault::FlipBits { .. } => "rot",
        Fault::Misdirect { .. } => "misdirect write",
        Fault::SetHonesty { .. } => "lie about fsync",
        Fault::WipeDisk { .. } => "wipe",
        Fault::SetCrashMode { .. } => "set crash mode",
        Fault::CrashAt { .. } | Fault::CrashAtComing { .. } => "crash at",
        Fault::DisarmCrash { .. } => "disarm crash",
        Fault::HealDisk { .. } => "heal disk",
        Fault::SetClock { .. } => "set clock",
    }
}

fn file_name(file: Option<FileId>) -> String {
    const NAMES: [&str; 3] = ["log", "tail", "snapshot"];
    file.map_or_else(
        || "any file".to_string(),
        |file| NAMES.get(file.index()).map_or_else(|| format!("file {}", file.0), |name| (*name).to_string()),
    )
}

fn at_byte(offset: Option<u64>) -> String {
    offset.map_or_else(String::new, |offset| format!(" at byte {offset}"))
}

const fn point(when: CrashPoint) -> &'static str {
    match when {
        CrashPoint::Before => "before",
        CrashPoint::Torn => "within",
        CrashPoint::After => "after",
    }
}

/// What a crash keeps, in the words of scenarios.
fn crash_mode(mode: CrashMode) -> String {
    let kept = match mode.kept {
        Kept::Nothing => "lose",
        Kept::Prefix => "prefix",
        Kept::Any => "any",
    };
    format!("{kept}{}", if mode.torn { ", torn" } else { "" })
}

fn course(clock: ClockChange, ascii: bool) -> String {
    let either_way = if ascii { "+-" } else { "±" };
    match clock {
        ClockChange::Drift { ppm } => format!("{ppm:+} ppm"),
        ClockChange::Wander { ppm, period } => format!("{either_way}{ppm} ppm every {period}"),
        ClockChange::Ahead { by } => format!("ahead {by}"),
        ClockChange::Back { by } => format!("back {by}"),
        ClockChange::Right => "right".to_string(),
    }
}
