//! `list.jsonl`: the queue at a glance, derived from the rows with each `queue.toml`, so that `list` need not read
//! those. One line of JSON for the file, one for each ticket.
//!
//! It says which `queue.toml` it belongs to; beside any other one, and where its checksum (CRC-32 of the step, that
//! name and all after the first line) is wrong, it means nothing.

use serde::{Deserialize, Serialize};

use crate::domain::glance::Glance;

/// Version of the file; another one is not read.
pub const GLANCES_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    seq: u64,
    queue: String,
    checksum: u32,
}

/// The file's line of one ticket.
///
/// # Errors
/// Never, for what a ticket can hold.
pub fn line(glance: &Glance) -> Result<String, serde_json::Error> {
    serde_json::to_string(glance).map(|line| line + "\n")
}

/// Renders the file; `queue` names the `queue.toml` that it belongs to, of step `seq`.
///
/// # Errors
/// Never, for what these are.
pub fn render<'a>(seq: u64, queue: &str, lines: impl Iterator<Item = &'a str>) -> Result<String, serde_json::Error> {
    let body: String = lines.collect();
    let head = Head {
        version: GLANCES_VERSION,
        seq,
        queue: queue.to_owned(),
        checksum: checksum(seq, queue, body.as_bytes()),
    };
    Ok(serde_json::to_string(&head)? + "\n" + &body)
}

fn checksum(seq: u64, queue: &str, body: &[u8]) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    hash.update(format!("{seq}\n{queue}\n").as_bytes());
    hash.update(body);
    hash.finalize()
}

/// Reads the file that belongs to the `queue.toml` that `queue` names: the step, and the tickets in order. `None`: it
/// is another's, or is not as it was written.
#[must_use]
pub fn parse(bytes: &[u8], queue: &str) -> Option<(u64, Vec<Glance>)> {
    // Ignored below: whatever cannot be read is not as it was written.
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let (head, body) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    let head: Head = serde_json::from_slice(head).ok()?;
    if head.version != GLANCES_VERSION || head.queue != queue || head.checksum != checksum(head.seq, queue, body) {
        return None;
    }
    let lines = body.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let glances = lines.map(|line| serde_json::from_slice(line).ok()).collect::<Option<Vec<Glance>>>()?;
    Some((head.seq, glances))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::samples;

    fn written() -> (Vec<Glance>, String) {
        let all: Vec<Glance> = samples::every_row().iter().map(Glance::from).collect();
        let lines: Vec<String> = all.iter().map(|glance| line(glance).unwrap()).collect();
        let text = render(7, "q1", lines.iter().map(String::as_str)).unwrap();
        (all, text)
    }

    #[test]
    fn what_was_written_is_read_beside_its_own_queue_only() {
        let (all, text) = written();
        assert_eq!(parse(text.as_bytes(), "q1"), Some((7, all)));
        assert_eq!(parse(text.as_bytes(), "q2"), None);
        assert_eq!(parse(b"", "q1"), None);
        let empty = render(3, "q", std::iter::empty()).unwrap();
        assert_eq!(parse(empty.as_bytes(), "q"), Some((3, vec![])));
    }

    proptest! {
        #[test]
        fn no_other_bytes_are_taken(cut in 0..4000usize, at in 0..4000usize, byte in any::<u8>()) {
            let (all, text) = written();
            let mut bytes = text.into_bytes();
            bytes.truncate(bytes.len().saturating_sub(cut));
            let index = at % bytes.len().max(1);
            let is_same = cut == 0 && bytes[index] == byte;
            if let Some(slot) = bytes.get_mut(index) {
                *slot = byte;
            }
            let read = parse(&bytes, "q1");
            prop_assert!(read.is_none() || is_same || read == Some((7, all)));
        }
    }
}
