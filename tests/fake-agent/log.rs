//! The fake agent's own records.

use std::{fs::OpenOptions, io::Write};

/// Appends bytes to the file that the variable `name` names, in one write; without the variable, nothing.
pub fn append(name: &str, bytes: &[u8]) {
    let Ok(path) = std::env::var(name) else { return };
    let file = OpenOptions::new().append(true).create(true).open(&path);
    if let Err(why) = file.and_then(|mut file| file.write_all(bytes)) {
        eprintln!("\r\nfake-agent: cannot write {path}: {why}\r");
    }
}

/// Appends one line to `FAKE_PROMPTS`.
pub fn record(value: &serde_json::Value) {
    append("FAKE_PROMPTS", format!("{value}\n").as_bytes());
}
