//! Where words go: results to standard output, everything else to standard error.

use crate::cli::Failure;
use crate::cli::args::{Color, Common};
use std::io::{self, BufWriter, IsTerminal, Write};

/// The program's mouth.
pub(crate) struct Output {
    out: BufWriter<io::Stdout>,
    /// Whether nobody reads standard output any more.
    gone: bool,
    /// What could not be written besides the result.
    unwritten: Option<Failure>,
    pub(crate) quiet: bool,
    /// Whether standard output takes colour.
    pub(crate) color: bool,
    /// Whether standard error does.
    error_color: bool,
    /// Columns to draw in.
    pub(crate) width: usize,
    pub(crate) ascii: bool,
}

/// What is drawn in where there is no terminal to ask.
const WIDTH_DEFAULT: usize = 120;

impl Output {
    pub(crate) fn new(common: &Common) -> Self {
        let wants = |auto: anstream::ColorChoice| match common.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => auto != anstream::ColorChoice::Never,
        };
        let terminal = terminal_size::terminal_size()
            .map(|(width, _)| usize::from(width.0))
            .filter(|width| *width >= 40);
        let width = common.width.map(usize::from).or(terminal).unwrap_or(WIDTH_DEFAULT);
        Self {
            out: BufWriter::new(io::stdout()),
            gone: false,
            unwritten: None,
            quiet: common.quiet,
            color: wants(anstream::AutoStream::choice(&io::stdout())),
            error_color: wants(anstream::AutoStream::choice(&io::stderr())),
            width,
            ascii: common.ascii,
        }
    }

    /// A file besides the result could not be written: the program fails of it once the result is told.
    pub(crate) fn not_written(&mut self, failure: Failure) {
        self.unwritten.get_or_insert(failure);
    }

    /// The first of these failures.
    pub(crate) fn take_unwritten(&mut self) -> Option<Failure> {
        self.unwritten.take()
    }

    /// A line of the result.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// Bytes of the result. If whoever read them has gone the rest is left unsaid, and the program goes on to its exit
    /// code.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        match self.out.write_all(bytes).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            written => written,
        }
    }

    /// Something beside the result, unless it is to be quiet.
    pub(crate) fn aside(&mut self, text: &str) {
        if !self.quiet {
            self.tell(text);
        }
    }

    /// Something that must be said beside the result.
    pub(crate) fn tell(&mut self, text: &str) {
        // If standard error is gone there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// What ends the program.
    pub(crate) fn error(&mut self, message: &str) {
        let label = if self.error_color { "\x1b[1;31merror\x1b[0m" } else { "error" };
        self.tell(&format!("{label}: {message}"));
    }

    /// Whether progress can be drawn over itself.
    pub(crate) fn draws_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Whether diagnostics take colour.
    pub(crate) fn error_color(&self) -> bool {
        self.error_color
    }
}

/// A path as it can be shown: control characters and those that turn writing round are escaped.
pub(crate) fn shown(path: &std::path::Path) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escaped =
        |c: char| if c.is_control() || turns(c) { c.escape_default().to_string() } else { c.to_string() };
    path.to_string_lossy().chars().map(escaped).collect()
}
