//! The pen: it knows columns, borders and colours, and nothing of records.

use crate::view::cluster::{Mark, Reach, Standing};
use crate::view::layout::{Layout, time};
use crate::view::text::{inert, pad, width, wrap};
use crate::view::{Heading, TableOptions};
use anstyle::{AnsiColor, Color, Style};
use sim_core::{ProcessId, VirtualTime};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What one node does in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// What it is after that.
    pub(super) mark: Mark,
    pub(super) phrases: Vec<String>,
}

/// Where a row or a band stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: VirtualTime,
    /// The number of its first record.
    pub(super) number: u64,
    /// Whether to point at it.
    pub(super) violation: bool,
}

/// What several nodes do at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) place: Place,
    /// What every node is; empty where they share one lane.
    pub(super) marks: Vec<Mark>,
    pub(super) cells: BTreeMap<ProcessId, Cell>,
    /// Whether nothing but routine happens in it.
    pub(super) routine: bool,
}

/// The characters of the borders.
#[derive(Clone, Copy)]
struct Borders {
    across: char,
    down: char,
    /// Left, middle and right of the first, a middle, and the last line.
    corners: [[char; 3]; 3],
}

const BOX: Borders =
    Borders {
        across: '─', down: '│', corners: [['┌', '┬', '┐'], ['├', '┼', '┤'], ['└', '┴', '┘']]
    };
const ASCII: Borders = Borders { across: '-', down: '|', corners: [['+'; 3]; 3] };

const PLAIN: Style = Style::new();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// Draws a table line by line.
pub(super) struct Pen {
    layout: Layout,
    borders: Borders,
    ascii: bool,
    color: bool,
    nodes: u16,
    out: String,
    /// The time in the row above: it is not repeated.
    above: Option<VirtualTime>,
    seen: BTreeSet<Standing>,
    reached: BTreeSet<Reach>,
}

impl Pen {
    pub(super) fn new(layout: Layout, options: &TableOptions, nodes: u16) -> Self {
        Self {
            layout,
            borders: if options.ascii { ASCII } else { BOX },
            ascii: options.ascii,
            color: options.color,
            nodes,
            out: String::new(),
            above: None,
            seen: BTreeSet::new(),
            reached: BTreeSet::new(),
        }
    }

    /// Whether every node has its own lane.
    pub(super) fn own_lanes(&self) -> bool {
        self.layout.own_lanes
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn heading(&mut self, heading: &Heading, records: usize) {
        let name = format!("{} {}", heading.verdict, heading.name);
        let seed = format!("seed {}", heading.seed);
        let digest = format!("digest {}", heading.digest);
        let ended = format!("{records} records, ended {}", time(heading.ended, 3));
        let parts: Vec<String> =
            [name, seed, digest, ended].iter().map(|part| inert(part, self.ascii)).collect();
        let color = if heading.failed { AnsiColor::Red } else { AnsiColor::Green };
        let style = Style::new().bold().fg_color(Some(Color::Ansi(color)));
        for (line, style) in
            wrap(&parts, self.layout.width).iter().zip([style].into_iter().chain([PLAIN].into_iter().cycle()))
        {
            self.ink(style, line);
            self.out.push('\n');
        }
    }

    pub(super) fn top(&mut self) {
        self.rule(0);
        let Layout { pointer, number, time, .. } = self.layout;
        let mut head = String::new();
        pad(&mut head, 0, pointer);
        if number > 0 {
            let _ = write!(head, "{:>1$} ", "#", number - 1);
        }
        let room = time - pointer - number;
        let _ = write!(head, "{:>room$}", "TIME");
        self.border();
        self.ink(BOLD, &head);
        for lane in 0..self.layout.lanes.len() {
            self.border();
            let name = if self.layout.own_lanes { lane.to_string() } else { "node: entry".to_string() };
            self.ink(BOLD, &name);
            pad(&mut self.out, name.len(), self.layout.lanes[lane]);
        }
        self.border();
        self.out.push('\n');
        self.rule(1);
    }

    pub(super) fn bottom(&mut self) {
        self.rule(2);
        let mut legend: Vec<String> = Vec::new();
        for standing in core::mem::take(&mut self.seen) {
            if standing != Standing::Absent {
                legend.push(format!("{} {}", standing.letter(), standing.name()));
            }
        }
        let mut sides = Vec::new();
        for reach in core::mem::take(&mut self.reached) {
            let glyph = self.glyph(reach);
            match reach {
                Reach::Everybody => {}
                Reach::Side(_) => sides.push(glyph.to_string()),
                Reach::Partly => legend.push(format!("{glyph} some links cut")),
                Reach::Nobody => legend.push(format!("{glyph} cut off")),
            }
        }
        if !sides.is_empty() {
            legend.push(format!("{} sides of a partition", sides.join(" ")));
        }
        for line in wrap(&legend, self.layout.width) {
            self.ink(DIM, &line);
            self.out.push('\n');
        }
    }

    /// A band across all lanes.
    pub(super) fn band(&mut self, place: Place, text: &str) {
        let [left, _, right] = self.borders.corners[1];
        let inner = self.layout.inner();
        let text = [text.to_string()];
        for (index, line) in wrap(&text, inner.saturating_sub(4)).iter().enumerate() {
            let time = self.time(place, index == 0);
            let across =
                |count: usize| -> String { core::iter::repeat_n(self.borders.across, count).collect() };
            let rest = across(inner.saturating_sub(3 + width(line)));
            let begin = format!("{left}{} ", across(1));
            let end = format!(" {rest}{right}");
            let style = if place.violation { PLAIN.invert() } else { BOLD };
            let dim = if place.violation { PLAIN.invert() } else { DIM };
            self.border_in(dim);
            self.ink(style, &time);
            self.ink(dim, &begin);
            self.ink(style, line);
            self.ink(dim, &end);
            self.out.push('\n');
        }
        self.above = Some(place.at);
    }

    pub(super) fn row(&mut self, row: &Row) {
        if self.layout.own_lanes {
            self.lanes_row(row);
        } else {
            for (node, cell) in &row.cells {
                self.shared_row(row, *node, cell);
            }
        }
    }

    fn lanes_row(&mut self, row: &Row) {
        let texts: Vec<Vec<String>> = (0..self.nodes)
            .map(|node| match row.cells.get(&ProcessId(node)) {
                Some(cell) => wrap(&cell.phrases, self.layout.text(usize::from(node))),
                None => Vec::new(),
            })
            .collect();
        let height = texts.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for index in 0..height {
            self.begin(row.place, index == 0);
            for (node, text) in texts.iter().enumerate() {
                let mark = row.marks.get(node).copied().unwrap_or_default();
                let text = text.get(index).map_or("", String::as_str);
                let acts = !row.routine
                    && row.cells.contains_key(&ProcessId(u16::try_from(node).unwrap_or(u16::MAX)));
                self.lane(row.place, node, (index == 0).then_some(mark), acts, "", text);
            }
            self.end(row.place);
        }
        self.above = Some(row.place.at);
    }

    fn shared_row(&mut self, row: &Row, node: ProcessId, cell: &Cell) {
        let name = format!("{node}: ");
        for (index, text) in wrap(&cell.phrases, self.layout.text(0)).iter().enumerate() {
            self.begin(row.place, index == 0);
            let name = if index == 0 { name.as_str() } else { "" };
            self.lane(row.place, 0, (index == 0).then_some(cell.mark), !row.routine, name, text);
            self.end(row.place);
        }
        self.above = Some(row.place.at);
    }

    fn begin(&mut self, place: Place, first: bool) {
        let time = self.time(place, first);
        if place.violation {
            if self.color {
                let _ = write!(self.out, "{}", PLAIN.invert().render());
            }
            self.out.push(self.borders.down);
            self.out.push_str(&time);
        } else {
            self.border();
            self.ink(PLAIN, &time);
        }
    }

    fn lane(&mut self, place: Place, lane: usize, mark: Option<Mark>, acts: bool, name: &str, text: &str) {
        // A row that is inverted as a whole has no colours within.
        let styled = |style: Style| if place.violation { PLAIN } else { style };
        if place.violation {
            self.out.push(self.borders.down);
        } else {
            self.border();
        }
        self.out.push_str(name);
        pad(&mut self.out, name.len(), self.layout.name);
        let badge = mark.map(|mark| self.badge(mark)).unwrap_or_default();
        let used = width(&badge);
        self.ink(styled(mark.map_or(PLAIN, |mark| style_of(mark, acts))), &badge);
        pad(&mut self.out, used, self.layout.mark + 1);
        self.ink(styled(if acts { PLAIN } else { DIM }), text);
        let used = self.layout.name + self.layout.mark + 1 + width(text);
        pad(&mut self.out, used, self.layout.lanes[lane]);
    }

    fn end(&mut self, place: Place) {
        if place.violation {
            self.out.push(self.borders.down);
            if self.color {
                let _ = write!(self.out, "{}", PLAIN.invert().render_reset());
            }
        } else {
            self.border();
        }
        self.out.push('\n');
    }

    fn time(&self, place: Place, first: bool) -> String {
        let Layout { pointer, number, time: columns, digits, .. } = self.layout;
        let mut cell = String::with_capacity(columns);
        if !first {
            pad(&mut cell, 0, columns);
            return cell;
        }
        if pointer > 0 {
            cell.push_str(if place.violation { ">>> " } else { "    " });
        }
        if number > 0 {
            let _ = write!(cell, "{:>1$} ", place.number, number - 1);
        }
        let room = columns - pointer - number;
        let text = if self.above == Some(place.at) { String::new() } else { time(place.at, digits) };
        let _ = write!(cell, "{text:>room$}");
        cell
    }

    fn badge(&mut self, mark: Mark) -> String {
        self.seen.insert(mark.standing);
        let mut badge = String::from(mark.standing.letter());
        match mark.standing {
            Standing::Absent | Standing::Down => {}
            Standing::Leader
            | Standing::Candidate
            | Standing::PreCandidate
            | Standing::Follower
            | Standing::Paused => {
                let _ = write!(badge, "{}", mark.term);
            }
        }
        if mark.reach != Reach::Everybody {
            self.reached.insert(mark.reach);
            badge.push(self.glyph(mark.reach));
        }
        badge
    }

    fn glyph(&self, reach: Reach) -> char {
        match reach {
            Reach::Everybody => ' ',
            Reach::Side(side) => char::from(b'a'.saturating_add(side)),
            Reach::Partly => {
                if self.ascii {
                    '/'
                } else {
                    '╱'
                }
            }
            Reach::Nobody => {
                if self.ascii {
                    '%'
                } else {
                    '╳'
                }
            }
        }
    }

    fn rule(&mut self, which: usize) {
        let [left, middle, right] = self.borders.corners[which];
        let mut line = String::from(left);
        line.extend(core::iter::repeat_n(self.borders.across, self.layout.time));
        for lane in &self.layout.lanes {
            line.push(middle);
            line.extend(core::iter::repeat_n(self.borders.across, *lane));
        }
        line.push(right);
        self.ink(DIM, &line);
        self.out.push('\n');
    }

    fn border(&mut self) {
        self.border_in(DIM);
    }

    fn border_in(&mut self, style: Style) {
        let mut buffer = [0; 4];
        let down = self.borders.down.encode_utf8(&mut buffer);
        self.ink(style, down);
    }

    /// Writes `text` in a style, if there are colours.
    fn ink(&mut self, style: Style, text: &str) {
        if self.color && style != PLAIN && !text.is_empty() {
            let _ = write!(self.out, "{}{text}{}", style.render(), style.render_reset());
        } else {
            self.out.push_str(text);
        }
    }
}

/// The colours of a mark. The letter says the same, for those who do not see colours.
fn style_of(mark: Mark, acts: bool) -> Style {
    let on = |background: AnsiColor| {
        Style::new().fg_color(Some(Color::Ansi(AnsiColor::Black))).bg_color(Some(Color::Ansi(background)))
    };
    let style = match mark.standing {
        Standing::Absent => PLAIN,
        Standing::Leader => on(AnsiColor::Green),
        Standing::Candidate | Standing::PreCandidate => on(AnsiColor::Yellow),
        Standing::Follower => Style::new().fg_color(Some(Color::Ansi(AnsiColor::Cyan))),
        Standing::Paused => on(AnsiColor::Magenta),
        Standing::Down => on(AnsiColor::Red),
    };
    if acts { style.bold() } else { style }
}
