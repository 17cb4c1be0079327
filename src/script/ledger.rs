//! The ledger of a ticket's blocks: `blocks.jsonl` in the folder `AUTODO_STATE`, which outlives crashes and runs.
//!
//! One JSON object per line, appended and synced before the act that it announces, or right after the one it tells of.
//! A torn last line is dropped (what it would have said has not happened yet, or is asked again); any other line that
//! cannot be read stops the work, since running a block twice is worse than not running it.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Version of the file, told by each plan.
const VERSION: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Record {
    /// These blocks are to be run, from the first or from where a person said.
    Plan {
        /// Always [`VERSION`]; a newer one is refused.
        version: u32,
        /// Digest of all blocks.
        digest: String,
        /// How many there are.
        blocks: usize,
        /// The file that holds them, relative to the worktree.
        prompt: String,
        /// Tip of the branch before the first block ever ran; `None` where git did not say.
        head: Option<String>,
        /// The block to begin with, from 1.
        next: usize,
    },
    /// A block is about to run.
    Begun {
        /// Which, from 1.
        block: usize,
    },
    /// It ended.
    Ended {
        /// Which.
        block: usize,
        /// True for exit 0.
        ok: bool,
        /// How, in words.
        end: String,
    },
    /// Its decision was reported.
    Logged {
        /// Which.
        block: usize,
    },
    /// A person is asked about it.
    Asked {
        /// Which.
        block: usize,
        /// The exact question.
        question: String,
        /// In which run.
        run: String,
    },
    /// A person wants it to run again.
    Rerun {
        /// Which.
        block: usize,
    },
    /// A person wants it left out.
    Skipped {
        /// Which.
        block: usize,
    },
    /// Everything was reported as done.
    Done,
}

/// Why the work is at a stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// A block was begun, and nobody saw its end.
    Interrupted,
    /// It failed.
    Failed {
        /// How.
        end: String,
    },
}

/// What the lines say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Digest of the blocks; `None`: nothing was planned yet.
    pub digest: Option<String>,
    /// The file that holds them.
    pub prompt: String,
    /// Tip of the branch before the first block.
    pub head: Option<String>,
    /// The block that comes next, or that is open, from 1.
    pub next: usize,
    /// True once any block ran since nothing was there.
    pub touched: bool,
    /// Why block `next` cannot simply run.
    pub open: Option<Open>,
    /// What a person was asked about it and did not answer yet, and in which run.
    pub question: Option<(String, String)>,
    /// A block whose decision is not reported, and how it ended.
    pub unlogged: Option<(usize, String)>,
    /// Blocks that were left out.
    pub skipped: Vec<usize>,
    /// Everything was reported as done.
    pub done: bool,
}

impl Progress {
    fn apply(&mut self, record: Record) {
        match record {
            Record::Plan { digest, prompt, head, next, .. } => {
                let touched = self.touched;
                *self = Self { digest: Some(digest), prompt, head, next, touched, ..Self::default() };
            }
            Record::Begun { block } => {
                (self.next, self.touched, self.done) = (block, true, false);
                self.open = Some(Open::Interrupted);
            }
            Record::Ended { block, ok, end } => {
                self.next = if ok { block + 1 } else { block };
                self.open = (!ok).then(|| Open::Failed { end: end.clone() });
                self.unlogged = Some((block, end));
            }
            Record::Logged { .. } => self.unlogged = None,
            Record::Asked { question, run, .. } => self.question = Some((question, run)),
            Record::Rerun { block } => (self.next, self.open, self.question) = (block, None, None),
            Record::Skipped { block } => {
                (self.next, self.open, self.question) = (block + 1, None, None);
                self.skipped.push(block);
            }
            Record::Done => self.done = true,
        }
    }
}

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened, read or written.
    #[error("cannot {what} {}: {why}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        why: std::io::Error,
    },
    /// A line in it means nothing to this program.
    #[error("cannot read line {line} of {}: {why}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// Another process works with it.
    #[error("another agent works on this ticket: {} is locked", path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
    },
}

/// The open ledger. While it lives, no other process can open it.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    progress: Progress,
}

impl Ledger {
    /// Opens the ledger in `folder`, making both where they are not there, and reads what it says.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing was changed, except that a torn last line may be cut off.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        let path = folder.join("blocks.jsonl");
        let failed = |what| {
            let path = path.clone();
            move |why| LedgerError::Io { what, path, why }
        };
        std::fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(LedgerError::Locked { path }),
            Err(std::fs::TryLockError::Error(why)) => return Err(failed("lock")(why)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read"))?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let progress = read(&path, bytes.get(..whole).unwrap_or_default())?;
        file.set_len(whole as u64).map_err(failed("cut the torn line off"))?;
        file.seek(SeekFrom::End(0)).map_err(failed("go to the end of"))?;
        file.sync_all().map_err(failed("sync"))?;
        File::open(folder).and_then(|dir| dir.sync_all()).map_err(failed("sync the folder of"))?;
        Ok(Self { path, file, progress })
    }

    /// What it says now.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Appends one line and syncs it.
    ///
    /// # Errors
    /// It is not known to be on disk: the caller must not act on it.
    pub fn write(&mut self, record: Record) -> Result<(), LedgerError> {
        let failed = |why| LedgerError::Io { what: "write", path: self.path.clone(), why };
        let mut line = serde_json::to_vec(&record).map_err(|why| failed(why.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(failed)?;
        self.progress.apply(record);
        Ok(())
    }

    /// Appends a plan; see [`Record::Plan`].
    ///
    /// # Errors
    /// As [`Ledger::write`].
    pub fn plan(
        &mut self,
        (digest, blocks): (String, usize),
        prompt: &str,
        head: Option<String>,
        next: usize,
    ) -> Result<(), LedgerError> {
        self.write(Record::Plan { version: VERSION, digest, blocks, prompt: prompt.to_owned(), head, next })
    }
}

fn read(path: &Path, bytes: &[u8]) -> Result<Progress, LedgerError> {
    let mut progress = Progress::default();
    for (line, text) in (1..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
        let bad = |why: String| LedgerError::Line { path: path.to_owned(), line, why };
        let record: Record = serde_json::from_slice(text).map_err(|why| bad(why.to_string()))?;
        if let Record::Plan { version, .. } = &record
            && *version > VERSION
        {
            return Err(bad(format!("it has version {version}, and this program knows {VERSION}")));
        }
        progress.apply(record);
    }
    Ok(progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(folder: &Path) -> Ledger {
        let mut ledger = Ledger::open(folder).unwrap();
        ledger.plan(("aa".to_owned(), 3), ".autodo/run/prompt.md", Some("c0ffee".to_owned()), 1).unwrap();
        ledger
    }

    fn ended(block: usize, ok: bool) -> Record {
        Record::Ended { block, ok, end: if ok { "exit 0" } else { "exit 1" }.to_owned() }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = planned(folder.path());
        for record in
            [Record::Begun { block: 1 }, ended(1, true), Record::Logged { block: 1 }, Record::Begun { block: 2 }]
        {
            ledger.write(record).unwrap();
        }
        let before = ledger.progress().clone();
        assert_eq!((before.next, before.open.clone()), (2, Some(Open::Interrupted)));
        drop(ledger);
        assert_eq!(*Ledger::open(folder.path()).unwrap().progress(), before);
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_the_next_one_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(planned(folder.path()));
        let path = folder.path().join("blocks.jsonl");
        let whole = std::fs::read(&path).unwrap();
        for torn in ["{", r#"{"what":"begun","block":1}"#] {
            std::fs::write(&path, [whole.as_slice(), torn.as_bytes()].concat()).unwrap();
            let mut ledger = Ledger::open(folder.path()).unwrap();
            assert_eq!((ledger.progress().next, ledger.progress().touched), (1, false), "{torn}");
            ledger.write(Record::Begun { block: 1 }).unwrap();
            drop(ledger);
            assert!(Ledger::open(folder.path()).unwrap().progress().touched);
        }
    }

    #[test]
    fn a_bad_line_in_the_middle_or_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blocks.jsonl");
        let newer = r#"{"what":"plan","version":2,"digest":"a","blocks":1,"prompt":"p","head":null,"next":1}"#;
        for text in ["{\n{\"what\":\"done\"}\n".to_owned(), format!("{newer}\n")] {
            std::fs::write(&path, &text).unwrap();
            let error = Ledger::open(folder.path()).unwrap_err();
            assert!(matches!(error, LedgerError::Line { line: 1, .. }), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_second_agent_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _first = planned(folder.path());
        assert!(matches!(Ledger::open(folder.path()), Err(LedgerError::Locked { .. })));
    }

    #[test]
    fn a_failed_block_stays_open_until_a_person_chooses() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = planned(folder.path());
        ledger.write(Record::Begun { block: 1 }).unwrap();
        ledger.write(ended(1, false)).unwrap();
        ledger.write(Record::Asked { block: 1, question: "why?".to_owned(), run: "T-1/1".to_owned() }).unwrap();
        let open = Open::Failed { end: "exit 1".to_owned() };
        assert_eq!((ledger.progress().next, &ledger.progress().open), (1, &Some(open)));
        assert_eq!(ledger.progress().question, Some(("why?".to_owned(), "T-1/1".to_owned())));
        ledger.write(Record::Skipped { block: 1 }).unwrap();
        assert_eq!((ledger.progress().next, &ledger.progress().open, &ledger.progress().question), (2, &None, &None));
        assert_eq!(ledger.progress().skipped, [1]);
    }
}
