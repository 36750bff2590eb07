//! The note beside a file that is being moved: whoever finds it knows that the same executions may
//! be in another database by now.
//!
//! It is written before anything is committed there and goes when the file itself says where it was
//! moved to, so a crash at any moment leaves one place where the executions run, and never two.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The note of a move.
#[derive(Debug)]
pub(crate) struct Note {
    path: PathBuf,
    /// Whether an earlier attempt has left it.
    pub(crate) is_old: bool,
}

impl Note {
    /// Notes that the file goes to a database; [`Error::Moving`] if it was on its way to another.
    pub(crate) fn take(file: &Path, to: &str) -> Result<Self, Error> {
        let path = path_of(file);
        let found = read(file)?;
        let is_old = found.is_some();
        match found {
            Some(found) if found != to => return Err(moving(file, found)),
            Some(_) => {}
            None => write(&path, to).map_err(|cause| failed(&path, cause))?,
        }
        Ok(Self { path, is_old })
    }

    /// The move is over, or has never begun.
    pub(crate) fn remove(self) -> Result<(), Error> {
        fs::remove_file(&self.path).map_err(|cause| failed(&self.path, cause))
    }
}

/// Refuses a file of which it is not known whether it was moved.
pub(crate) fn refuse(file: &Path) -> Result<(), Error> {
    match read(file)? {
        Some(to) => Err(moving(file, to)),
        None => Ok(()),
    }
}

fn moving(file: &Path, to: String) -> Error {
    Error::Moving {
        database: file.display().to_string(),
        to,
        note: path_of(file),
    }
}

fn read(file: &Path) -> Result<Option<String>, Error> {
    let path = path_of(file);
    match fs::read_to_string(&path) {
        Ok(to) => Ok(Some(to)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(failed(&path, cause)),
    }
}

/// On the disk, with its name, when it returns.
fn write(path: &Path, to: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(to.as_bytes())?;
    file.sync_all()?;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn path_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".moving");
    name.into()
}

fn failed(path: &Path, cause: io::Error) -> Error {
    Error::Open {
        path: path.to_owned(),
        reason: "the note of a move cannot be read or written",
        cause: Some(Box::new(cause)),
    }
}
