//! The books on disk: the lock, the journal, and what is projected from it.
//!
//! Whoever changes anything first takes the [`Lock`], then calls [`open`], which repairs what a crash left, and works
//! with the [`Books`] it gives. Without the lock there are [`read_queue`], [`read_archive`] and [`read_archived`], which never write.
//!
//! | file | written by | after a crash |
//! |---|---|---|
//! | `journal.jsonl` | `commit` | a cut-off last line is taken away |
//! | `queue.toml` | `publish` | written anew from the journal's rows |
//! | `list.jsonl` | `publish` | means nothing beside another `queue.toml` than its own |
//! | `archive/*.toml` | `archive` | a cut-off last block is taken away; an id also in the queue is resolved |
//! | `archive/*.index` | `archive` | means nothing beside another version of its file; then that is read, and it is made anew |
//! | `<ticket>/events.jsonl` | `audit` | a cut-off last line is taken away; missing transitions are added |
//! | `<ticket>/review.md` | `review` | the ticket is named in [`Loaded::unprojected`], for the caller to write it |
//! | `ids/*` | [`claim_id`] | claims without a row are freed, missing ones are made |

mod archive;
mod archive_ids;
mod audit;
mod books;
mod claims;
mod journal_file;
mod lock;
mod open;
mod read;
mod recover;
mod review;

pub use books::{Books, COMPACT_ABOVE};
pub use claims::{Claim, claim_id, release_id};
pub use lock::{Lock, LockError};
pub use open::{Loaded, open};
pub use read::{QueueRead, archived_ids, read_archive, read_archived, read_glances, read_queue};

use std::io::ErrorKind;

use super::fs::FsError;
use crate::{format::queue::QueueError, ports::store::StoreError};

impl From<FsError> for StoreError {
    fn from(error: FsError) -> Self {
        let hint = match error.kind {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on that disk; nothing was lost",
            ErrorKind::ReadOnlyFilesystem => "make that file system writable again; nothing was lost",
            _ => "free space on that disk, or mend its permissions; nothing was lost",
        };
        Self { what: error.what, path: error.path, why: error.why, hint: hint.to_owned() }
    }
}

/// A file that a newer autodo wrote, or that cannot be read as what it is.
fn unreadable(path: &std::path::Path, error: &QueueError) -> StoreError {
    let hint = match error {
        QueueError::Newer(_) => "use the autodo that wrote it, or a newer one; nothing was changed".to_owned(),
        QueueError::Edited | QueueError::Unreadable(_) => {
            format!("bring {} back from a backup, or move it away; nothing was changed", path.display())
        }
    };
    StoreError { what: "read", path: path.to_owned(), why: error.to_string(), hint }
}
