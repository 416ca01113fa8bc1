//! The results of a campaign on disk: a file that is only added to, in order. Killed at any moment, it has lost the chunks that
//! were being run, and those behind them that waited for their turn.

use crate::cli::output::shown;
use crate::cli::{Exit, Failure, files};
use crate::ledger::{Campaign, Chunk, Ledger};
use core::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// How large a file of results may be, in bytes: those of some hundred million runs.
const FILE_MAX: u64 = 1 << 30;

/// What every file of results begins with.
const BEGIN: &[u8] = b"{\"campaign\":";

fn wrong(path: &Path, why: impl Display) -> Failure {
    Failure::new(Exit::BadInput, format!("{}: {why}", shown(path)))
}

/// Reads results.
pub(crate) fn read(path: &Path) -> Result<Ledger, Failure> {
    let text = files::read_lines(path, FILE_MAX).map_err(|error| wrong(path, error))?;
    Ledger::parse(&text).map_err(|error| wrong(path, error))
}

/// The results that a campaign begins with: those in its file, if there is one and it is there.
pub(crate) fn begun(path: Option<&Path>) -> Result<Option<Ledger>, Failure> {
    let Some(path) = path else { return Ok(None) };
    match begins_as_results(path) {
        Ok(true) if !path.is_file() => return Ok(None),
        Ok(true) => {}
        Ok(false) => return Err(wrong(path, "these are no results of a campaign")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(path, error)),
    }
    let text = files::read_lines(path, FILE_MAX).map_err(|error| wrong(path, error))?;
    if !text.contains('\n') {
        // It was killed before it had written a line.
        return Ok(None);
    }
    Ledger::parse(&text).map(Some).map_err(|error| wrong(path, error))
}

/// Whether what stands in a file could be results, or the beginning of them. Of a pipe or a device nothing is read: there is
/// nothing to go on from, and it may have no end.
fn begins_as_results(path: &Path) -> std::io::Result<bool> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Ok(true);
    }
    let mut begin = Vec::new();
    File::open(path)?.take(BEGIN.len() as u64).read_to_end(&mut begin)?;
    Ok(BEGIN.starts_with(&begin))
}

/// The ledger of `campaign`, which goes on with what was begun.
pub(crate) fn of(
    path: Option<&Path>,
    begun: Option<Ledger>,
    campaign: Campaign,
    bound: Option<u64>,
) -> Result<Ledger, Failure> {
    let Some(mut ledger) = begun else { return Ok(Ledger::new(campaign, bound)) };
    let differences = campaign.differences(ledger.campaign());
    if !differences.is_empty() {
        let what = format!("these are results of another campaign: {}", differences.join("; "));
        return Err(wrong(path.unwrap_or_else(|| Path::new("")), what));
    }
    ledger.extend(bound);
    Ok(ledger)
}

/// A file that chunks are added to.
#[derive(Debug)]
pub(crate) struct Appender {
    path: PathBuf,
    file: File,
}

impl Appender {
    /// Opens the file, and writes how it begins if nothing stands in it. Half a line at its end is cut off.
    pub(crate) fn open(path: &Path, ledger: &Ledger) -> Result<Self, Failure> {
        let open = || {
            let file = OpenOptions::new().append(true).create(true).open(path)?;
            let text = if path.is_file() { std::fs::read(path)? } else { Vec::new() };
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            if whole < text.len() {
                file.set_len(whole as u64)?;
            }
            let mut appender = Self { path: path.to_path_buf(), file };
            appender.write(&if whole == 0 { ledger.head() } else { ledger.bound_line() })?;
            Ok(appender)
        };
        open().map_err(|error: std::io::Error| wrong(path, error))
    }

    fn write(&mut self, text: &str) -> std::io::Result<()> {
        self.file.write_all(text.as_bytes())
    }

    /// Adds a chunk.
    pub(crate) fn add(&mut self, chunk: &Chunk) -> Result<(), Failure> {
        self.write(&chunk.line()).map_err(|error| wrong(&self.path, error))
    }

    /// Makes sure that it is on the disk.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.file.sync_all() {
            // Pipes and devices have nothing to be sure of.
            Err(error) if error.kind() != ErrorKind::InvalidInput => Err(wrong(&self.path, error)),
            _ => Ok(()),
        }
    }
}
