//! `queue.toml` and the archive's files: rows as people and programs read them.
//!
//! `queue.toml` is a comment, `version = 1`, `seq = N` (the journal's step that it reflects), `checksum = "xxxxxxxx"`
//! and one `[[ticket]]` block a row. The checksum is the CRC-32 of all the file's bytes but that line, so that an edit
//! by hand is noticed: it is never taken.
//!
//! An archive file is a comment, `version = 1`, and blocks that are appended one by one, each sealed for itself:
//! `[[ticket]]`, `checksum = "xxxxxxxx"` (the CRC-32 of the block's lines after it), `archived_seq = N`, the row. Where
//! an id has several blocks, the last one counts.
//!
//! Within a block each key is one line: a text's line feeds are escapes, nested data is an inline table. So a line
//! `[[ticket]]` always begins a block. Counters that are 0 and things that are not known are left out.

use std::{fmt::Write as _, ops::Range};

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{id::TicketId, row::Row};

/// Version of the files that are written.
pub const QUEUE_VERSION: u64 = 1;

const QUEUE_COMMENT: &str = "# Written by autodo from its journal. Edits are not taken: use the autodo command.\n";
const ARCHIVE_COMMENT: &str = "# Written by autodo: tickets that have left the queue.\n";
const BLOCK: &str = "[[ticket]]";
const CHECKSUM: &str = "checksum = \"";

/// Keys that come first in a block, so that a person sees what matters.
const FIRST: [&str; 5] = ["id", "title", "status", "reason", "phase"];

/// Counters of a row, left out where they are 0: a row without them is read as 0.
const COUNTERS: [&str; 7] = ["worked_s", "run", "launch", "last_delivery", "crashes", "epoch", "flags"];

/// What `queue.toml` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// The step that it reflects.
    pub seq: u64,
    /// The rows, in the order of the file.
    pub rows: Vec<Row>,
}

/// One block of an archive file, whose checksum is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// The ticket.
    pub id: TicketId,
    /// The last step when it was archived.
    pub seq: u64,
    /// The block's bytes in the file.
    pub bytes: Range<usize>,
}

/// What an archive file says. Rows are read one by one, by [`archived_row`]: most readers want few of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// Its blocks, oldest first.
    pub blocks: Vec<Archived>,
    /// True: the last block was cut off, and is not counted.
    pub dropped_tail: bool,
    /// Bytes up to the end of the last block.
    pub valid_len: usize,
    /// First lines of blocks in the middle that are damaged, and how.
    pub damaged: Vec<(usize, String)>,
}

/// Why a file is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// A newer autodo wrote it.
    #[error("it was written by a newer autodo (version {0}, this one knows {QUEUE_VERSION})")]
    Newer(u64),
    /// It is readable, but not as autodo wrote it.
    #[error("it was changed by hand")]
    Edited,
    /// It cannot be read as what it should be.
    #[error("{0}")]
    Unreadable(String),
}

/// Renders `queue.toml`.
///
/// # Errors
/// A path in a row is not UTF-8.
pub fn render(seq: u64, rows: &[&Row]) -> Result<String, QueueError> {
    let blocks = rows.iter().map(|row| block(row)).collect::<Result<Vec<_>, _>>()?;
    Ok(render_blocks(seq, blocks.iter().map(String::as_str)))
}

/// The block of one row in `queue.toml`.
///
/// # Errors
/// A path in the row is not UTF-8.
pub fn block(row: &Row) -> Result<String, QueueError> {
    let mut text = format!("\n{BLOCK}\n");
    render_row(&mut text, row)?;
    Ok(text)
}

/// Renders `queue.toml` of the blocks of its rows.
pub fn render_blocks<'a>(seq: u64, blocks: impl Iterator<Item = &'a str>) -> String {
    let head = format!("{QUEUE_COMMENT}version = {QUEUE_VERSION}\nseq = {seq}\n");
    let body: String = blocks.collect();
    let mut hash = crc32fast::Hasher::new();
    hash.update(head.as_bytes());
    hash.update(body.as_bytes());
    format!("{head}{CHECKSUM}{:08x}\"\n{body}", hash.finalize())
}

/// Reads `queue.toml`.
///
/// # Errors
/// See [`QueueError`]. A newer version is named before anything else is looked at.
pub fn parse(bytes: &[u8]) -> Result<Queue, QueueError> {
    #[derive(Deserialize)]
    struct File {
        seq: u64,
        #[serde(default, rename = "ticket")]
        rows: Vec<Row>,
    }
    let (text, table) = table_of(bytes)?;
    let Some(start) = text.find(&format!("\n{CHECKSUM}")).map(|at| at + 1) else { return Err(QueueError::Edited) };
    let (before, rest) = text.split_at(start);
    let (sum, after) = rest.split_once('\n').ok_or(QueueError::Edited)?;
    let mut hash = crc32fast::Hasher::new();
    hash.update(before.as_bytes());
    hash.update(after.as_bytes());
    if sum != format!("{CHECKSUM}{:08x}\"", hash.finalize()) {
        return Err(QueueError::Edited);
    }
    let file: File = table.try_into().map_err(|e| QueueError::Unreadable(one_line(&e.to_string())))?;
    Ok(Queue { seq: file.seq, rows: file.rows })
}

/// Parses as TOML of a version that is known.
fn table_of(bytes: &[u8]) -> Result<(&str, toml::Table), QueueError> {
    let text = std::str::from_utf8(bytes).map_err(|e| QueueError::Unreadable(format!("it is not UTF-8: {e}")))?;
    let table: toml::Table = toml::from_str(text)
        .map_err(|e| QueueError::Unreadable(format!("it is not TOML: {}", one_line(e.message()))))?;
    let version = table.get("version").and_then(toml::Value::as_integer).and_then(|v| u64::try_from(v).ok());
    match version {
        Some(QUEUE_VERSION) => Ok((text, table)),
        Some(newer) if newer > QUEUE_VERSION => Err(QueueError::Newer(newer)),
        Some(_) | None => Err(QueueError::Unreadable("it has no version".to_owned())),
    }
}

/// The beginning of every archive file.
#[must_use]
pub fn archive_head() -> String {
    format!("{ARCHIVE_COMMENT}version = {QUEUE_VERSION}\n")
}

/// Renders one block of an archive file, to be appended after [`archive_head`] or another block.
///
/// # Errors
/// A path in the row is not UTF-8.
pub fn render_archived(seq: u64, row: &Row) -> Result<String, QueueError> {
    let mut body = format!("archived_seq = {seq}\n");
    render_row(&mut body, row)?;
    Ok(format!("\n{BLOCK}\n{CHECKSUM}{:08x}\"\n{body}", crc32fast::hash(body.as_bytes())))
}

/// Reads an archive file. Its last block may be cut off; a damaged block elsewhere is named and not counted.
///
/// # Errors
/// A newer version, or a file that does not begin as an archive does.
pub fn parse_archive(bytes: &[u8]) -> Result<Archive, QueueError> {
    if archive_head().as_bytes().starts_with(bytes) {
        let whole = bytes.len() == archive_head().len();
        return Ok(Archive {
            dropped_tail: !whole,
            valid_len: if whole { bytes.len() } else { 0 },
            ..Archive::default()
        });
    }
    let head_end = part_end(bytes);
    table_of(&bytes[..head_end])?;
    let mut archive = Archive { valid_len: head_end, ..Archive::default() };
    let starts = block_starts(bytes);
    for (n, (start, line)) in starts.iter().enumerate() {
        let before_next = &bytes[..starts.get(n + 1).map_or(bytes.len(), |(next, _)| *next)];
        let range = *start..start + part_end(&before_next[*start..]);
        archive.valid_len = match unseal(&bytes[range.clone()]) {
            Ok((seq, id)) => {
                archive.blocks.push(Archived { id, seq, bytes: range.clone() });
                range.end
            }
            Err(_) if n + 1 == starts.len() => break,
            Err(why) => {
                archive.damaged.push((*line, why));
                range.end
            }
        };
    }
    archive.dropped_tail = bytes[archive.valid_len..].iter().any(|b| !b.is_ascii_whitespace());
    Ok(archive)
}

/// The number and the row in a block of an archive file; `bytes` are the block's, as [`Archived::bytes`] says.
///
/// # Errors
/// They are no block that is whole.
pub fn archived_row(bytes: &[u8]) -> Result<(u64, Row), QueueError> {
    let (seq, id) = unseal(bytes).map_err(QueueError::Unreadable)?;
    let bad = |why: String| QueueError::Unreadable(format!("the block of {id}: {why}"));
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let body = text.splitn(3, '\n').nth(2).ok_or_else(|| bad("it is cut off".to_owned()))?;
    toml::from_str(body).map(|row| (seq, row)).map_err(|e| bad(one_line(e.message())))
}

/// Where a head or a block ends: after its last line, before an empty one.
fn part_end(bytes: &[u8]) -> usize {
    bytes.windows(2).position(|pair| pair == b"\n\n").map_or(bytes.len(), |at| at + 1)
}

/// Byte and line (from 1) of each line that begins a block.
fn block_starts(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut starts = Vec::new();
    let mut at = 0;
    for (n, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        if line.strip_suffix(b"\n").unwrap_or(line) == BLOCK.as_bytes() {
            starts.push((at, n + 1));
        }
        at += line.len();
    }
    starts
}

/// Checks a block, from its `[[ticket]]` to its last line, and reads its number and id.
fn unseal(bytes: &[u8]) -> Result<(u64, TicketId), String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let inner = text.strip_prefix(BLOCK).and_then(|t| t.strip_prefix('\n')).ok_or("it is cut off")?;
    let (sum, body) = inner.split_once('\n').ok_or("it is cut off")?;
    if sum != format!("{CHECKSUM}{:08x}\"", crc32fast::hash(body.as_bytes())) {
        return Err("its checksum does not match".to_owned());
    }
    let mut lines = body.lines();
    let mut value = |key: &str| lines.next().and_then(|l| l.strip_prefix(key)).ok_or(format!("it has no {key}"));
    let seq = value("archived_seq = ")?.parse().map_err(|_| "its number is none".to_owned())?;
    let id = TicketId::parse(value("id = ")?.trim_matches('"')).map_err(|e| e.to_string())?;
    Ok((seq, id))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes a row's keys, one a line.
fn render_row(out: &mut String, row: &Row) -> Result<(), QueueError> {
    let value = serde_json::to_value(row).map_err(|e| QueueError::Unreadable(format!("cannot be written: {e}")))?;
    let Value::Object(keys) = value else { return Ok(()) };
    let first = FIRST.iter().filter_map(|name| keys.get_key_value(*name));
    let others = keys.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
    for (name, value) in first.chain(others) {
        let is_zero = COUNTERS.contains(&name.as_str()) && value.as_u64() == Some(0);
        if !value.is_null() && !is_zero {
            write_key(out, name);
            out.push_str(" = ");
            write_value(out, value);
            out.push('\n');
        }
    }
    Ok(())
}

/// Writes a value on one line. TOML has no null: in a table such a key is left out, elsewhere none occurs.
fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("\"\""),
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) => {
            // Ignored: writing to a String cannot fail.
            write!(out, "{number}").ok();
        }
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(keys) => {
            let mut separator = "{ ";
            for (name, value) in keys.iter().filter(|(_, v)| !v.is_null()) {
                out.push_str(separator);
                separator = ", ";
                write_key(out, name);
                out.push_str(" = ");
                write_value(out, value);
            }
            out.push_str(if separator == ", " { " }" } else { "{}" });
        }
    }
}

/// Writes a key: bare where TOML allows it.
fn write_key(out: &mut String, name: &str) {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_bare { out.push_str(name) } else { write_string(out, name) }
}

/// Writes a basic string, with everything escaped that would break its line or is no character to see.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                // Ignored: writing to a String cannot fail.
                write!(out, "\\u{:04X}", u32::from(c)).ok();
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
