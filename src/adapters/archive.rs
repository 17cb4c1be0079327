//! Writes a `.tar.gz`, as `tar tzf` lists it.

use std::{io, path::Path};

use flate2::{Compression, write::GzEncoder};

use super::fs::{self, FsError};

/// Writes `entries` (path inside the archive, content) to a new file that only its owner can read. Returns its length
/// in bytes; `None`: there is a file of that name, which was not touched.
///
/// # Errors
/// It cannot be written.
pub fn write_new(path: &Path, entries: &[(String, Vec<u8>)]) -> Result<Option<u64>, FsError> {
    let bytes = packed(entries).map_err(|e| FsError::new("write", path, &e))?;
    let is_new = fs::exclusive_create(path, &bytes, 0o600)?;
    Ok(is_new.then_some(bytes.len() as u64))
}

fn packed(entries: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    archive.into_inner()?.finish()
}
