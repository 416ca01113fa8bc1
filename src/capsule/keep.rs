//! Capsules as files in a folder.

use super::Capsule;
use crate::execute::{Limits, Outcome, UnknownMutation};
use crate::scenario::Scenario;
use core::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a failure could not be kept.
#[derive(Debug)]
pub enum KeepError {
    /// A file or folder cannot be written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The scenario names a planted bug that this build does not have.
    Mutation(UnknownMutation),
}

impl fmt::Display for KeepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Mutation(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for KeepError {}

/// Makes a capsule of a run that failed, short unless it is to stay as it is, and writes it into a folder. None if nothing broke
/// in the run.
///
/// # Errors
///
/// When the folder cannot be written to, or the scenario names a planted bug that this build does not have.
pub fn keep(
    folder: &Path,
    scenario: &Scenario,
    outcome: &Outcome,
    limits: Limits,
    shrinks: bool,
) -> Result<Option<(PathBuf, Capsule)>, KeepError> {
    let Some(mut capsule) = Capsule::of(scenario, outcome, limits).map_err(KeepError::Mutation)? else {
        return Ok(None);
    };
    if shrinks {
        capsule.shrink().map_err(KeepError::Mutation)?;
    }
    let path = write(folder, &capsule.file_name(), &capsule.to_json())?;
    Ok(Some((path, capsule)))
}

/// Writes a file into a folder, which is made where there is none.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, KeepError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |error| KeepError::File { path, error }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    let path = folder.join(name);
    replace(&path, text).map_err(failed(&path))?;
    Ok(path)
}

/// Writes a file whole or not at all. A link is followed, a file keeps who may read it, and a device or a pipe is written to.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let there = std::fs::metadata(&path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return std::fs::OpenOptions::new().write(true).open(&path)?.write_all(text.as_bytes());
    }
    let (beside, mut file) = create_beside(&path)?;
    let write = || {
        file.write_all(text.as_bytes())?;
        if let Some(there) = there {
            file.set_permissions(there.permissions())?;
        }
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

/// How many names are tried: as many as programs that were killed may have left files behind.
const BESIDE_MAX: u32 = 100;

/// A new file in the same folder. What is there already is not touched.
fn create_beside(path: &Path) -> io::Result<(PathBuf, std::fs::File)> {
    let mut number = 0;
    loop {
        let mut beside = path.to_path_buf().into_os_string();
        beside.push(if number == 0 { ".tmp".to_string() } else { format!(".{number}.tmp") });
        match std::fs::File::create_new(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < BESIDE_MAX => number += 1,
            Ok(file) => return Ok((beside.into(), file)),
            Err(error) => {
                let what = format!("cannot write {} beside it: {error}", Path::new(&beside).display());
                return Err(io::Error::new(error.kind(), what));
            }
        }
    }
}
