//! Backlogs: directories of Markdown tickets.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::format::problem::Problem;

/// Largest ticket that is read, in bytes.
pub const LARGEST_TICKET: u64 = 1024 * 1024;

/// The texts of a backlog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Files and their texts, sorted by name.
    pub files: Vec<(PathBuf, String)>,
    /// What could not be read, one problem a file.
    pub problems: Vec<Problem>,
}

/// A backlog that could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the backlog {}", path.display())]
pub struct BacklogError {
    /// The directory or file that was named.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Reads the tickets of a backlog: every `*.md` file of a directory, sorted by name; not those whose name begins with
/// a dot, nor `README.md` (in any case), nor what is in folders below. Where `path` is a file, that file alone, whatever
/// its name. A file that cannot be read (no permission, not UTF-8, larger than [`LARGEST_TICKET`], no regular file)
/// becomes a problem and does not stop the others.
///
/// # Errors
/// [`BacklogError`] where `path` itself is not there or cannot be listed.
pub fn read_dir(path: &Path) -> Result<Texts, BacklogError> {
    let failed = |source| BacklogError { path: path.to_owned(), source };
    let meta = fs::metadata(path).map_err(failed)?;
    let mut paths = Vec::new();
    if meta.is_dir() {
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if is_ticket_name(&entry.file_name()) {
                paths.push(entry.path());
            }
        }
        paths.sort();
    } else {
        paths.push(path.to_owned());
    }
    let mut texts = Texts::default();
    for path in paths {
        match read_text(&path) {
            Ok(Some(text)) => texts.files.push((path, text)),
            Ok(None) => {}
            Err((message, hint)) => {
                texts.problems.push(Problem::whole_file(&path.display().to_string(), &message, hint));
            }
        }
    }
    Ok(texts)
}

fn is_ticket_name(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.len() > 3
        && bytes[bytes.len() - 3..].eq_ignore_ascii_case(b".md")
        && !bytes.starts_with(b".")
        && !bytes.eq_ignore_ascii_case(b"readme.md")
}

/// The text of a file; `None` for a folder whose name happens to end in `.md`.
fn read_text(path: &Path) -> Result<Option<String>, (String, &'static str)> {
    const LOOK: &str = "look at the file's permissions, or move it out of the backlog";
    let failed = |error: io::Error| (format!("cannot read the ticket: {error}"), LOOK);
    // Looked at before it is opened: opening a pipe would wait for a writer.
    let meta = fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        return Ok(None);
    }
    if !meta.is_file() {
        return Err(("cannot read the ticket: it is not a regular file".to_owned(), "move it out of the backlog"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST_TICKET + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > LARGEST_TICKET {
        let message = format!("the ticket is larger than {} KiB", LARGEST_TICKET / 1024);
        return Err((message, "put what is long into a file of the repository, and name it in the ticket"));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        (format!("the ticket is not UTF-8 (byte {at}, line {line})"), "save the file as UTF-8")
    })
}

/// A hash of a ticket's text, 32 hexadecimal digits: the same backlog dispatched again is known by it. FNV-1a with 128
/// bits; it tells edits apart, it does not protect against forgery. Equal in every version of autodo.
#[must_use]
pub fn digest(text: &str) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}
