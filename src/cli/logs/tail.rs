//! A file that grows: its whole lines, each once.

use std::path::{Path, PathBuf};

use crate::{adapters::fs, app::AppError, cli::ui, domain::observed::Observed};

/// Bytes read at once.
const CHUNK: u64 = 256 * 1024;

/// The longest part of a file that is looked at for its last lines, in bytes.
const BEGIN_BYTES: u64 = 1024 * 1024;

/// A file, and how much of it was taken.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
    /// The beginning of a line whose end has not been written yet.
    part: Vec<u8>,
}

impl Tail {
    /// From the beginning of the file at `path`, which need not be there yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), offset: 0, part: Vec::new() }
    }

    /// The last `count` lines that it has now; what is told later comes after them.
    pub fn begin(&mut self, count: usize) -> String {
        let (start, bytes) = match fs::look_tail(&self.path, BEGIN_BYTES) {
            Observed::Present(seen) => seen,
            // What cannot be read now is read when it can be.
            Observed::Absent | Observed::Unknown(_) => return String::new(),
        };
        self.offset = start + bytes.len() as u64;
        let text = self.whole_lines(&bytes);
        super::last_lines(&text, count).to_owned()
    }

    /// The whole lines that were written since; true: the file was cut, and begins anew.
    ///
    /// # Errors
    /// It cannot be read; for people.
    pub fn more(&mut self) -> Result<(String, bool), String> {
        let (mut text, mut was_cut) = (String::new(), false);
        loop {
            match fs::look_after(&self.path, self.offset, CHUNK) {
                Observed::Present((length, _)) if length < self.offset => {
                    (self.offset, was_cut) = (0, true);
                    self.part.clear();
                }
                Observed::Present((_, bytes)) if bytes.is_empty() => return Ok((text, was_cut)),
                Observed::Present((_, bytes)) => {
                    self.offset += bytes.len() as u64;
                    text.push_str(&self.whole_lines(&bytes));
                }
                Observed::Absent => return Ok((text, was_cut)),
                Observed::Unknown(why) => return Err(why),
            }
        }
    }

    /// As [`Tail::more`], for a person: that it was cut is said.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn told(&mut self) -> Result<String, AppError> {
        let (text, was_cut) = self.more().map_err(|why| AppError::new(why).hint("autodo doctor looks at the home"))?;
        if was_cut {
            ui::notice(&format!("{} was cut: it is shown from its beginning", self.path.display()));
        }
        Ok(text)
    }

    /// What stands after the last line end: a last line without one.
    pub fn rest(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.part)).into_owned()
    }

    fn whole_lines(&mut self, bytes: &[u8]) -> String {
        self.part.extend_from_slice(bytes);
        let end = self.part.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
        let rest = self.part.split_off(end);
        String::from_utf8_lossy(&std::mem::replace(&mut self.part, rest)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::fs::{Sync, append, truncate};

    fn add(path: &Path, text: &str) {
        append(path, text.as_bytes(), Sync::None).unwrap();
    }

    #[test]
    fn each_line_is_told_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut tail = Tail::new(&path);
        assert_eq!(tail.more().unwrap(), (String::new(), false));
        add(&path, "eins\nzw\u{e9}");
        assert_eq!(tail.more().unwrap().0, "eins\n");
        add(&path, "i\ndrei");
        assert_eq!(tail.more().unwrap().0, "zw\u{e9}i\n");
        assert_eq!(tail.more().unwrap().0, "");
        assert_eq!((tail.rest().as_str(), tail.rest().as_str()), ("drei", ""));
    }

    #[test]
    fn it_begins_with_the_last_lines_and_goes_on_after_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        add(&path, "a\nb\nc\nd");
        let mut tail = Tail::new(&path);
        assert_eq!(tail.begin(2), "b\nc\n");
        add(&path, "\ne\n");
        assert_eq!(tail.more().unwrap().0, "d\ne\n");
    }

    #[test]
    fn a_file_that_was_cut_is_told_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        add(&path, "a\nb\nc\nhalf");
        let mut tail = Tail::new(&path);
        tail.more().unwrap();
        truncate(&path, 0).unwrap();
        add(&path, "x\n");
        assert_eq!(tail.more().unwrap(), ("x\n".to_owned(), true));
        assert_eq!(tail.more().unwrap(), (String::new(), false));
    }

    #[test]
    fn a_long_file_is_taken_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let text: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
        add(&path, &text);
        assert!(Tail::new(&path).more().unwrap().0 == text);
        assert_eq!(Tail::new(&path).begin(1), "line 99999\n");
    }
}
