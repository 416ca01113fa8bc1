//! Where the columns of the table are.

use crate::record::{Note, Record};
use crate::view::cluster::cuts;
use crate::view::{Detail, TableOptions};
use sim_core::{Stamp, VirtualTime};

/// The least columns of a lane. With less, all nodes share one lane.
const LANE_MIN: usize = 8;
/// The least columns of a lane beside its role and term.
const TEXT_MIN: usize = 5;
/// Record numbers are shown beside a story only if its lanes stay this wide.
const LANE_EASY: usize = 20;
/// The narrowest table.
const WIDTH_MIN: usize = 32;

/// Widths in columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Of the whole table.
    pub(super) width: usize,
    /// Of the column with time, number and pointer.
    pub(super) time: usize,
    /// Of the pointer to the violation, with a space; 0 without one.
    pub(super) pointer: usize,
    /// Of a record's number, with a space; 0 if it is not shown.
    pub(super) number: usize,
    /// Digits of the time after the point: of milliseconds.
    pub(super) digits: usize,
    /// Of each lane. One lane with nodes' names before the entries if there is no room for all.
    pub(super) lanes: Vec<usize>,
    /// Whether every node has its own lane.
    pub(super) own_lanes: bool,
    /// Of a node's name in a shared lane, with a colon and a space.
    pub(super) name: usize,
    /// Of role, term and reach, without a space.
    pub(super) mark: usize,
    /// Whether marks tell who is cut off.
    pub(super) reach: bool,
}

impl Layout {
    pub(super) fn new(nodes: u16, lines: &[(Stamp, Record)], options: &TableOptions) -> Self {
        let mut term_max = 0;
        let mut reach = false;
        let mut whole_micros = true;
        for (stamp, record) in lines {
            whole_micros &= stamp.at.nanos() % 1_000 == 0;
            match record {
                Record::Noted { note, .. } => match note {
                    Note::Term { term } | Note::Role { term, .. } | Note::Recovered { term, .. } => {
                        term_max = term_max.max(*term);
                    }
                    Note::Vote { .. }
                    | Note::Append { .. }
                    | Note::Truncate { .. }
                    | Note::Persist { .. }
                    | Note::Commit { .. }
                    | Note::Apply { .. }
                    | Note::Proposed { .. }
                    | Note::Accepted { .. }
                    | Note::Refused { .. }
                    | Note::Forwarded { .. }
                    | Note::Members { .. }
                    | Note::Snapshot(_)
                    | Note::Installed(_)
                    | Note::PersistSnapshot { .. }
                    | Note::Compacted { .. }
                    | Note::PersistCompacted { .. }
                    | Note::ReadAsked { .. }
                    | Note::ReadReady { .. }
                    | Note::ReadRefused { .. }
                    | Note::StorageFailed { .. }
                    | Note::StorageCorrupt { .. }
                    | Note::Mending { .. }
                    | Note::Submitted { .. }
                    | Note::Call(_)
                    | Note::Return(_) => {}
                },
                Record::Injected { fault } => reach |= cuts(fault),
                Record::Booted { .. }
                | Record::Crashed { .. }
                | Record::Paused { .. }
                | Record::Resumed { .. }
                | Record::Panicked { .. }
                | Record::Sent { .. }
                | Record::Delivered { .. }
                | Record::Dropped { .. }
                | Record::Duplicated { .. }
                | Record::Held { .. }
                | Record::Released { .. }
                | Record::TimerSet { .. }
                | Record::TimerFired { .. }
                | Record::WriteIssued { .. }
                | Record::WriteDurable { .. }
                | Record::Marked { .. }
                | Record::WriteFailed { .. }
                | Record::OperationFailed { .. } => {}
            }
        }
        let full = options.detail == Detail::Full;
        let mark = 1 + decimal_digits(term_max) + usize::from(reach);
        let digits = if full && !whole_micros { 6 } else { 3 };
        let (end, last) = lines.last().map_or((VirtualTime::ZERO, 0), |(stamp, _)| (stamp.at, stamp.number));
        let pointer = if options.violation.is_some() { 4 } else { 0 };
        let bare = pointer + time(end, digits).len();
        let number = decimal_digits(last) + 1;
        let width = options.width.max(WIDTH_MIN);

        let count = usize::from(nodes.max(1));
        let lane_min = LANE_MIN.max(mark + 1 + TEXT_MIN);
        let lane = |time: usize| (width.saturating_sub(time + 2) / count).saturating_sub(1);
        let own_lanes = nodes > 0 && lane(bare) >= lane_min;
        let numbered = if own_lanes {
            lane(bare + number) >= if full { lane_min } else { LANE_EASY }
        } else {
            width >= bare + number + 2 * LANE_EASY
        };
        let number = if numbered { number } else { 0 };
        let time = bare + number;
        let count = if own_lanes { count } else { 1 };
        let name = if own_lanes { 0 } else { decimal_digits(u64::from(nodes.saturating_sub(1))) + 2 };
        // Only times of years and terms of many digits need more than the narrowest table has.
        let width = width.max(time + 3 + name + mark + 1 + TEXT_MIN);
        let room = width - time - 2 - count;
        let lanes = (0..count).map(|lane| room / count + usize::from(lane < room % count)).collect();
        Self { width, time, pointer, number, digits, lanes, own_lanes, name, mark, reach }
    }

    /// The columns of all lanes together with the borders between them.
    pub(super) fn inner(&self) -> usize {
        self.width - self.time - 3
    }

    /// The columns of a lane that its text has.
    pub(super) fn text(&self, lane: usize) -> usize {
        self.lanes[lane].saturating_sub(self.name + self.mark + 1)
    }
}

/// An instant in milliseconds.
pub(super) fn time(at: VirtualTime, digits: usize) -> String {
    let (whole, rest) = (at.nanos() / 1_000_000, at.nanos() % 1_000_000);
    if digits == 3 { format!("+{whole}.{:03}ms", rest / 1_000) } else { format!("+{whole}.{rest:06}ms") }
}

fn decimal_digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
