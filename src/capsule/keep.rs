//! Capsules as files in a folder.

use super::Capsule;
use core::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a capsule could not be written: a file or a folder refuses it.
#[derive(Debug)]
pub struct KeepError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for KeepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl core::error::Error for KeepError {}

/// Writes a capsule into a folder, which is made where there is none, under its own name ([`Capsule::file_name`]).
///
/// # Errors
///
/// When the folder cannot be written to.
pub fn keep(folder: &Path, capsule: &Capsule) -> Result<PathBuf, KeepError> {
    write(folder, &capsule.file_name(), &capsule.to_json())
}

/// Writes a file into a folder, which is made where there is none.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, KeepError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |error| KeepError { path, error }
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
    if there.as_ref().is_some_and(|there| there.permissions().readonly()) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it may only be read"));
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

/// How much of the name of a file is in that of the one beside it, in characters of up to four bytes.
const NAME_MAX: usize = 60;

/// A new file in the same folder. What is there already is not touched.
fn create_beside(path: &Path) -> io::Result<(PathBuf, std::fs::File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A name may be as long as a folder takes, and then its end finds no room behind it.
    let name: String = name.chars().take(NAME_MAX).collect();
    let mut number = 0;
    loop {
        let end = if number == 0 { ".tmp".to_string() } else { format!(".{number}.tmp") };
        let beside = path.with_file_name(format!("{name}{end}"));
        match std::fs::File::create_new(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < BESIDE_MAX => number += 1,
            Ok(file) => return Ok((beside, file)),
            Err(error) => {
                let what = format!("cannot write {} beside it: {error}", beside.display());
                return Err(io::Error::new(error.kind(), what));
            }
        }
    }
}
