//! `archive/<month>.index`: which tickets an archive file holds and where, so that nobody need read all of that file to
//! know. Derived from it, and worth nothing beside any other version of it than the one that it names.
//!
//! A head of [`HEAD_LEN`] bytes, which is overwritten in its place, then one line for each block of the archive file,
//! oldest first: `<seq> <first byte> <bytes> <id>`. The head holds the length and the checksum (CRC-32) of those lines,
//! the version of the archive file after the last of them, and a checksum of its own.

use std::{fmt::Write as _, ops::Range};

/// Bytes of the head, its line feed included.
pub const HEAD_LEN: usize = 192;

const NAME: &str = "autodo archive index 1";

/// The head of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The version of the archive file that the lines speak of.
    pub file: String,
    /// Bytes of the lines.
    pub length: u64,
    /// Their checksum.
    pub checksum: u32,
}

/// One line: a block of the archive file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The last step when the ticket was archived.
    pub seq: u64,
    /// The block's bytes in the archive file.
    pub bytes: Range<u64>,
    /// The ticket's id.
    pub id: &'a str,
}

impl Head {
    /// The head of an index of `file` with these lines.
    #[must_use]
    pub fn of(file: &str, lines: &[u8]) -> Self {
        Self { file: file.to_owned(), length: 0, checksum: 0 }.with(file, lines)
    }

    /// The head after `more` lines were appended, for what the archive file is since.
    #[must_use]
    pub fn with(&self, file: &str, more: &[u8]) -> Self {
        let mut hash = crc32fast::Hasher::new_with_initial(self.checksum);
        hash.update(more);
        Self { file: file.to_owned(), length: self.length + more.len() as u64, checksum: hash.finalize() }
    }

    /// [`HEAD_LEN`] bytes; `None`: the version is too long, or holds blanks.
    #[must_use]
    pub fn render(&self) -> Option<String> {
        if self.file.contains(char::is_whitespace) {
            return None;
        }
        let body = format!("{NAME} {} {:08x} {}", self.length, self.checksum, self.file);
        let text = format!("{body} {:08x}", crc32fast::hash(body.as_bytes()));
        (text.len() < HEAD_LEN).then(|| format!("{text:<width$}\n", width = HEAD_LEN - 1))
    }

    /// Reads the head at the beginning of `bytes`; `None`: there is none that is whole.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        // Ignored below: whatever cannot be read is no head.
        let text = std::str::from_utf8(bytes.get(..HEAD_LEN)?).ok()?.strip_suffix('\n')?.trim_end();
        let (body, sum) = text.rsplit_once(' ')?;
        if sum != format!("{:08x}", crc32fast::hash(body.as_bytes())) {
            return None;
        }
        let mut words = body.strip_prefix(NAME)?.strip_prefix(' ')?.split(' ');
        let length = words.next()?.parse().ok()?;
        let checksum = u32::from_str_radix(words.next()?, 16).ok()?;
        Some(Self { length, checksum, file: words.next()?.to_owned() })
    }
}

/// Appends the line of one block.
pub fn push(lines: &mut String, seq: u64, bytes: &Range<u64>, id: &str) {
    // Ignored: writing to a String cannot fail.
    writeln!(lines, "{seq} {} {} {id}", bytes.start, bytes.end - bytes.start).ok();
}

/// Reads an index that belongs to the archive file of the version `file`: its lines. `None`: it is another's, or is not
/// as it was written.
#[must_use]
pub fn parse(mut bytes: Vec<u8>, file: &str) -> Option<String> {
    let head = Head::parse(&bytes)?;
    let length = usize::try_from(head.length).ok()?;
    let lines = bytes.get(HEAD_LEN..HEAD_LEN.checked_add(length)?)?;
    if head.file != file || head.checksum != crc32fast::hash(lines) {
        return None;
    }
    bytes.truncate(HEAD_LEN + length);
    bytes.drain(..HEAD_LEN);
    String::from_utf8(bytes).ok()
}

/// The entries in `lines`, which [`parse`] or [`push`] gave.
pub fn entries(lines: &str) -> impl Iterator<Item = Entry<'_>> {
    lines.lines().filter_map(|line| {
        let mut words = line.splitn(4, ' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (seq, start, length) = (number()?, number()?, number()?);
        Some(Entry { seq, bytes: start..start.checked_add(length)?, id: words.next()? })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(n: u64) -> (String, Vec<u8>) {
        let mut lines = String::new();
        for seq in 0..n {
            push(&mut lines, seq, &(seq * 100..seq * 100 + 90), &format!("T-{seq}"));
        }
        let bytes = Head::of("1:2:3.4", lines.as_bytes()).render().unwrap() + &lines;
        (lines, bytes.into_bytes())
    }

    #[test]
    fn what_was_written_is_read_beside_its_own_version_only() {
        let (lines, bytes) = written(3);
        assert_eq!(parse(bytes.clone(), "1:2:3.4"), Some(lines.clone()));
        assert_eq!(parse(bytes, "1:2:3.5"), None);
        let all: Vec<_> = entries(&lines).collect();
        assert_eq!((all.len(), &all[2]), (3, &Entry { seq: 2, bytes: 200..290, id: "T-2" }));
    }

    #[test]
    fn appending_lines_gives_the_head_of_all() {
        let (all, _) = written(5);
        let (first, _) = written(3);
        let more = &all[first.len()..];
        assert_eq!(Head::of("a", first.as_bytes()).with("b", more.as_bytes()), Head::of("b", all.as_bytes()));
    }

    #[test]
    fn an_append_that_a_crash_cut_off_is_never_taken_for_whole() {
        let (all, new) = written(5);
        let (lines, old) = written(3);
        let more = &all.as_bytes()[lines.len()..];
        // The lines come first, and mean nothing without the head.
        for cut in 0..=more.len() {
            let half = [&old[..], &more[..cut]].concat();
            assert_eq!(parse(half, "1:2:3.4"), Some(lines.clone()));
        }
        for cut in 1..HEAD_LEN {
            let half = [&new[..cut], &old[cut..], more].concat();
            let read = parse(half, "1:2:3.4");
            assert!(read.is_none() || read.as_ref() == Some(&all) || read.as_ref() == Some(&lines), "{cut}");
        }
    }

    #[test]
    fn a_version_that_does_not_fit_is_not_written() {
        assert_eq!(Head::of(&"1".repeat(200), b"").render(), None);
        assert_eq!(Head::of("1 2", b"").render(), None);
    }

    proptest! {
        #[test]
        fn no_other_bytes_are_taken(cut in 0..400usize, at in 0..400usize, byte in any::<u8>()) {
            let (lines, mut bytes) = written(9);
            bytes.truncate(bytes.len().saturating_sub(cut));
            let index = at % bytes.len().max(1);
            if let Some(slot) = bytes.get_mut(index) {
                *slot = byte;
            }
            let read = parse(bytes, "1:2:3.4");
            prop_assert!(read.is_none() || read == Some(lines));
        }
    }
}
