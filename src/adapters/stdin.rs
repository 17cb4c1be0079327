//! Standard input, for texts that are piped in.

use std::io::Read;

/// Most bytes that are taken.
const LIMIT: u64 = 16 * 1024 * 1024;

/// All of standard input, as bytes.
///
/// # Errors
/// It cannot be read, or is larger than `limit` bytes.
pub fn read_at_most(limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)?;
    if read as u64 > limit {
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Reads all of standard input and forgets it: whoever writes it is not cut off.
///
/// # Errors
/// It cannot be read.
pub fn drain() -> std::io::Result<()> {
    std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).map(drop)
}

/// All of standard input, as text.
///
/// # Errors
/// It cannot be read, is not UTF-8, or is larger than 16 MiB.
pub fn read_all() -> std::io::Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LIMIT + 1).read_to_string(&mut text)?;
    if read as u64 > LIMIT {
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "it is larger than 16 MiB"));
    }
    Ok(text)
}
