//! What is done, in order.

use crate::scenario::client::{AwaitClients, Call, ClientSet};
use crate::scenario::clocks::SetClock;
use crate::scenario::defaults::{is_within_default, within_default};
use crate::scenario::disk::{
    Crash, CrashAt, FailWrite, FillDisk, LieAboutFsync, MisdirectWrite, Rot, SetCrashMode, SlowDisk,
};
use crate::scenario::flow::{Assert, Branch, If, Propose, Repeat};
use crate::scenario::form::As;
use crate::scenario::link::{Clog, Cut, HeldLinks, Hold, Isolate, Links, Partition, or_target};
use crate::scenario::membership::{Change, LeaveJoint, ReportUnreachable, Tick, Transfer};
use crate::scenario::name::Name;
use crate::scenario::network::LinkRule;
use crate::scenario::pending::{Deliver, DeliverOne, DropAfter, Pending, Unpin};
use crate::scenario::pin::Pin;
use crate::scenario::predicate::Predicate;
use crate::scenario::read_step::Read;
use crate::scenario::shorthand::{or, or_word, shorthand, tagged};
use crate::scenario::sleep::Sleep;
use crate::scenario::snapshot_step::{Compact, SendSnapshot};
use crate::scenario::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::Span;

/// One step: an object whose only key is the verb.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[schemars(rename = "Step", transform = bare_verbs)]
pub enum Step {
    /// Lets time pass.
    Sleep(Sleep),
    /// Lets time pass until the predicate holds. The scenario fails if it does not in time.
    Until(Until),
    /// The scenario fails unless the predicate holds now.
    Assert(Assert),
    /// Lets time pass. The scenario fails if the predicate does not hold throughout.
    Always(Always),
    /// Gives the nodes of a target, as they are now, a name.
    Bind(Bind),
    /// Draws distinct nodes and gives them a name.
    Pick(Pick),
    /// Remembers time, counters and the highest term under a name, for `since` and terms in later steps.
    Mark(Name),
    /// Cuts every link from and to each of the nodes.
    Isolate(Isolate),
    /// Undoes `isolate` and every `cut` that touches the nodes.
    Reconnect(Nodes),
    /// Stops the nodes: they lose their memory and, unless their disk or this step says otherwise, their writes that are not
    /// durable.
    Crash(Crash),
    /// Starts crashed nodes from their durable state.
    Restart(Nodes),
    /// Freezes the nodes: what reaches them waits, their timers fire late.
    Pause(Nodes),
    /// Lets paused nodes go on.
    Resume(Nodes),
    /// Cuts links.
    Cut(Cut),
    /// Undoes a `cut` of the same links.
    Join(Links),
    /// Lets messages through only within each group. Replaces an earlier partition.
    Partition(Partition),
    /// Undoes every cut, isolation, partition, hold, clog and `drop_after`. Crashed and paused nodes stay as they are.
    Heal,
    /// Keeps what is sent over the links from now on until it is released.
    Hold(Hold),
    /// Lets go of what is held on the links, each message with its own latency from now on.
    Release(HeldLinks),
    /// Delivers one held message at once: the oldest, or the oldest of a kind.
    DeliverOne(DeliverOne),
    /// Loses every message in flight or held that matches.
    DropPending(Pending),
    /// Stalls links: what is sent meanwhile sets out at the end.
    Clog(Clog),
    /// Changes how links treat messages sent from now on.
    SetLink(LinkRule),
    /// Hands commands to nodes.
    Propose(Propose),
    /// Makes nodes stand for election now.
    Campaign(Target),
    /// Fixes the outcome of later draws.
    Pin(Pin),
    /// Lets every message in flight or held that matches arrive twice.
    DuplicatePending(Pending),
    /// Lets the messages in flight or held that match arrive in another, drawn order: they swap their places.
    Shuffle(Pending),
    /// Delivers held messages at once: some, all, or until all is quiet.
    Deliver(Deliver),
    /// Loses everything that nodes send after so many messages more.
    DropAfter(DropAfter),
    /// Undoes `drop_after` of the nodes.
    StopDropping(Nodes),
    /// Leaves to chance again what pins have fixed.
    Unpin(Unpin),
    /// Asks for another configuration.
    Change(Change),
    /// Asks to leave a joint configuration.
    LeaveJoint(LeaveJoint),
    /// Asks a leader to hand over its leadership.
    Transfer(Transfer),
    /// Lets followers forget whom they follow, so that they may vote for others.
    ForgetLeader(Nodes),
    /// Lets a timer fire now.
    Tick(Tick),
    /// Stalls election timers and heartbeats: none fires but by `tick`, until it is released. A crash does not end it.
    HoldTimers(Nodes),
    /// Undoes `hold_timers`: what would have fired meanwhile fires now.
    ReleaseTimers(Nodes),
    /// Tells nodes that others cannot be reached.
    ReportUnreachable(ReportUnreachable),
    /// Asks for a read that bypasses the log.
    Read(Read),
    /// Lets nodes take a snapshot now.
    Snapshot(Nodes),
    /// Drops the beginning of logs as far as a snapshot covers it.
    Compact(Compact),
    /// Makes a leader send its snapshot.
    SendSnapshot(SendSnapshot),
    /// Stalls disks: nothing that is written becomes durable until it is completed or released.
    HoldWrites(Nodes),
    /// Completes exactly one stalled write of each node: the oldest. None is an unmet expectation.
    CompleteWrite(Nodes),
    /// Undoes `hold_writes`: what is stalled completes, each write after a time of its own.
    ReleaseWrites(Nodes),
    /// Stalls state machines: nothing that is committed is applied until it is completed or released.
    HoldApplies(Nodes),
    /// Applies exactly one stalled entry at each node. None is an unmet expectation.
    CompleteApply(Nodes),
    /// Undoes `hold_applies`.
    ReleaseApplies(Nodes),
    /// Lets one coming operation of a disk fail.
    FailWrite(FailWrite),
    /// Fills disks: what does not fit any more fails.
    FillDisk(FillDisk),
    /// Undoes `fill_disk`: disks are as large again as in `storage`.
    FreeDisk(Nodes),
    /// Changes how long writes take.
    SlowDisk(SlowDisk),
    /// Flips bits of what is durable.
    Rot(Rot),
    /// Lets the next append to a file land over older bytes.
    MisdirectWrite(MisdirectWrite),
    /// Lets disks say that what was written is durable when it is not.
    LieAboutFsync(LieAboutFsync),
    /// Empties the disks of crashed nodes.
    Wipe(Nodes),
    /// Lets a node crash at one of its operations on files.
    CrashAt(CrashAt),
    /// Undoes every `crash_at` and `fail_write` of the nodes that has not come yet.
    Disarm(Nodes),
    /// Changes what crashes keep of the writes that are not durable.
    SetCrashMode(SetCrashMode),
    /// Stops nodes in good order: what they are writing becomes durable first.
    Shutdown(Nodes),
    /// Changes how clocks run, or lets them jump.
    SetClock(SetClock),
    /// Lets a client make one call.
    Call(Call),
    /// Lets clients of the workload begin, or go on after `stop_clients`.
    StartClients(ClientSet),
    /// Lets clients of the workload finish what they have begun, and begin nothing more.
    StopClients(ClientSet),
    /// Lets time pass until clients have nothing left to do.
    AwaitClients(AwaitClients),
    /// A caption for those who read the run: one line of at most 200 characters.
    Note(String),
    /// Ends the run here, well: nothing after it is done, and liveness is not asked for.
    Stop(Stop),
    /// Does steps several times.
    Repeat(Repeat),
    /// Draws one of several branches and does its steps.
    Choose(Vec<Branch>),
    /// Does one branch or the other.
    If(If),
}

tagged!(Step, "one step with one verb, such as {\"sleep\": \"300ms\"}");

impl Step {
    /// The lists of steps that it holds.
    #[must_use]
    pub fn blocks(&self) -> Vec<&[Self]> {
        match self {
            Self::Repeat(repeat) => vec![&repeat.steps],
            Self::Choose(branches) => branches.iter().map(|branch| branch.steps.as_slice()).collect(),
            Self::If(condition) => vec![&condition.then, &condition.otherwise],
            // Every other step stands alone.
            _ => Vec::new(),
        }
    }

    /// Its verb in scenario files.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Sleep(_) => "sleep",
            Self::Until(_) => "until",
            Self::Assert(_) => "assert",
            Self::Always(_) => "always",
            Self::Bind(_) => "bind",
            Self::Pick(_) => "pick",
            Self::Mark(_) => "mark",
            Self::Isolate(_) => "isolate",
            Self::Reconnect(_) => "reconnect",
            Self::Crash(_) => "crash",
            Self::Restart(_) => "restart",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Cut(_) => "cut",
            Self::Join(_) => "join",
            Self::Partition(_) => "partition",
            Self::Heal => "heal",
            Self::Hold(_) => "hold",
            Self::Release(_) => "release",
            Self::DeliverOne(_) => "deliver_one",
            Self::DropPending(_) => "drop_pending",
            Self::Clog(_) => "clog",
            Self::SetLink(_) => "set_link",
            Self::Propose(_) => "propose",
            Self::Campaign(_) => "campaign",
            Self::Pin(_) => "pin",
            Self::DuplicatePending(_) => "duplicate_pending",
            Self::Shuffle(_) => "shuffle",
            Self::Deliver(_) => "deliver",
            Self::DropAfter(_) => "drop_after",
            Self::StopDropping(_) => "stop_dropping",
            Self::Unpin(_) => "unpin",
            Self::Change(_) => "change",
            Self::LeaveJoint(_) => "leave_joint",
            Self::Transfer(_) => "transfer",
            Self::ForgetLeader(_) => "forget_leader",
            Self::Tick(_) => "tick",
            Self::HoldTimers(_) => "hold_timers",
            Self::ReleaseTimers(_) => "release_timers",
            Self::ReportUnreachable(_) => "report_unreachable",
            Self::Read(_) => "read",
            Self::Snapshot(_) => "snapshot",
            Self::Compact(_) => "compact",
            Self::SendSnapshot(_) => "send_snapshot",
            Self::HoldWrites(_) => "hold_writes",
            Self::CompleteWrite(_) => "complete_write",
            Self::ReleaseWrites(_) => "release_writes",
            Self::HoldApplies(_) => "hold_applies",
            Self::CompleteApply(_) => "complete_apply",
            Self::ReleaseApplies(_) => "release_applies",
            Self::FailWrite(_) => "fail_write",
            Self::FillDisk(_) => "fill_disk",
            Self::FreeDisk(_) => "free_disk",
            Self::SlowDisk(_) => "slow_disk",
            Self::Rot(_) => "rot",
            Self::MisdirectWrite(_) => "misdirect_write",
            Self::LieAboutFsync(_) => "lie_about_fsync",
            Self::Wipe(_) => "wipe",
            Self::CrashAt(_) => "crash_at",
            Self::Disarm(_) => "disarm",
            Self::SetCrashMode(_) => "set_crash_mode",
            Self::Shutdown(_) => "shutdown",
            Self::SetClock(_) => "set_clock",
            Self::Call(_) => "call",
            Self::StartClients(_) => "start_clients",
            Self::StopClients(_) => "stop_clients",
            Self::AwaitClients(_) => "await_clients",
            Self::Note(_) => "note",
            Self::Stop(_) => "stop",
            Self::Repeat(_) => "repeat",
            Self::Choose(_) => "choose",
            Self::If(_) => "if",
        }
    }
}

fn bare_verbs(schema: &mut schemars::Schema) {
    or_word(
        schema,
        &[
            "heal",
            "drop_pending",
            "duplicate_pending",
            "shuffle",
            "deliver",
            "unpin",
            "leave_joint",
            "start_clients",
            "stop_clients",
            "await_clients",
            "stop",
        ],
    );
    // The one verb that takes nothing may be written like the others.
    let nothing = serde_json::json!({ "type": "object", "additionalProperties": false });
    if let Some(forms) = schema.get_mut("anyOf").and_then(serde_json::Value::as_array_mut) {
        forms.push(serde_json::json!({
            "type": "object",
            "properties": { "heal": nothing },
            "required": ["heal"],
            "additionalProperties": false,
        }));
    }
}

/// How long `until` waits unless it says so.
pub const WITHIN_DEFAULT: Span = Span::from_secs(5);

/// Lets time pass until the predicate holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// What must come to hold.
    pub that: Predicate,
    /// For how long to wait at most. Default 5s.
    #[serde(default = "within_default", with = "As::<Span>", skip_serializing_if = "is_within_default")]
    pub within: Span,
    /// Gives the node that the predicate is about (the leader of `single_leader`) a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<Name>,
}

/// What must hold throughout, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Always {
    /// What must hold.
    pub that: Predicate,
    /// For how long.
    #[serde(with = "As::<Span>")]
    pub during: Span,
}

/// Gives the nodes of a target, as they are now, a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    /// The name. Bound again, it forgets what it stood for.
    pub name: Name,
    /// The nodes. A single leader's term is remembered with it.
    pub to: Target,
}

/// Draws distinct nodes and gives them a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// The name.
    pub name: Name,
    /// How many, 1 to 255. Fewer nodes to draw from than this are an unmet expectation.
    #[schemars(range(min = 1, max = 255))]
    pub count: u16,
    /// The nodes to draw from.
    pub from: Target,
}

/// Nodes: a target, or an object with `nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(rename = "Nodes", transform = or_target)]
pub struct Nodes {
    /// The nodes.
    pub nodes: Target,
}

shorthand!(Nodes, "a target, or an object with `nodes`", Target, |nodes| Nodes { nodes }, |full| Some(
    &full.nodes
));

/// The end of a run: why it ends here, or an object with `why`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[schemars(rename = "Stop", transform = or_text)]
pub struct Stop {
    /// Why it ends here, in one line of at most 200 characters.
    #[schemars(length(max = 200))]
    pub why: String,
}

shorthand!(Stop, "why the run ends here, or an object with `why`", String, |why| Stop { why }, |full| Some(
    &full.why
));

fn or_text(schema: &mut schemars::Schema) {
    or(schema, &serde_json::json!({ "type": "string", "maxLength": 200 }));
}
