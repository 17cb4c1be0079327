//! Takes a review.md apart, whatever people did to it, and knows which parts of it are as autodo wrote them.

use std::collections::BTreeMap;

use crate::format::{
    frontmatter::{self, Entry, FrontError},
    yaml,
};

use super::{HUMAN_NOTES, KEYS, SECTIONS};

const SEAL_OPEN: &str = "<!-- autodo wrote:";
const SEAL_CLOSE: &str = "-->";

/// A file, taken apart.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// The keys; none where there is no front matter.
    pub(super) front: Result<Vec<Entry>, FrontError>,
    /// The text between the fences, where there are fences.
    pub(super) front_text: Option<&'a str>,
    /// What stands above the first section.
    pub(super) preamble: &'a str,
    /// The sections above the seal, or above the notes where there is no seal; without those of people's notes.
    pub(super) sections: Vec<Section<'a>>,
    /// The checksums of the seal; `None`: there is no seal.
    pub(super) seal: Option<BTreeMap<String, u32>>,
    /// What people wrote below `## Human Notes`.
    pub(super) notes: String,
}

/// A section: a line `## Name` and what follows up to the next such line. Fences do not count: a fence that someone
/// left open must not swallow what comes after it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Heading and text, as written.
    pub(super) raw: &'a str,
    /// What stands below the heading.
    pub(super) text: &'a str,
    /// Line of the file on which `text` begins, from 1.
    pub(super) line: usize,
}

/// Takes a file apart.
pub(super) fn take_apart(text: &str) -> Parts<'_> {
    let (front, front_text, body, body_line) = match frontmatter::split(text) {
        Ok(split) => (split.yaml.map_or(Ok(Vec::new()), frontmatter::entries), split.yaml, split.body, split.body_line),
        // All of it counts as text above the first section then, and is kept.
        Err(error) => (Err(error), None, text, 1),
    };
    let (machine, seal, mut notes) = cut_notes(body);
    let (preamble, all) = sections_of(machine, body_line);
    let (earlier, sections): (Vec<_>, Vec<_>) = all.into_iter().partition(|section| section.name == HUMAN_NOTES);
    for section in earlier.into_iter().rev() {
        notes.insert_str(0, section.text);
    }
    Parts { front, front_text, preamble, sections, seal, notes }
}

/// Cuts a body into what autodo writes, the seal, and the notes of people.
fn cut_notes(body: &str) -> (&str, Option<BTreeMap<String, u32>>, String) {
    if let Some((start, end)) = find_line(body, |line| line.starts_with(SEAL_OPEN) && line.ends_with(SEAL_CLOSE)) {
        let seal = read_seal(body[start..end].trim_end());
        let below = &body[end..];
        let notes = match find_line(below, |line| !line.is_empty()) {
            Some((from, to)) if is_notes_heading(below[from..to].trim_end()) => &below[to..],
            Some(_) => below,
            None => "",
        };
        return (&body[..start], Some(seal), notes.to_owned());
    }
    match find_line(body, is_notes_heading) {
        Some((start, end)) => (&body[..start], None, body[end..].to_owned()),
        None => (body, None, String::new()),
    }
}

fn is_notes_heading(line: &str) -> bool {
    line.strip_prefix("## ").is_some_and(|name| name.trim() == HUMAN_NOTES)
}

/// Start and end (with its line feed) of the first line that is wanted; it is shown without blanks at its end.
fn find_line(text: &str, wanted: impl Fn(&str) -> bool) -> Option<(usize, usize)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if wanted(line.trim_end()) {
            return Some((at, at + line.len()));
        }
        at += line.len();
    }
    None
}

fn sections_of(text: &str, first_line: usize) -> (&str, Vec<Section<'_>>) {
    let mut starts = Vec::new();
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(name) = line.strip_prefix("## ") {
            starts.push((at, at + line.len(), name.trim(), first_line + index + 1));
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|start| start.0).chain([text.len()]);
    let sections = starts
        .iter()
        .zip(ends)
        .map(|((start, below, name, line), end)| Section {
            name,
            raw: &text[*start..end],
            text: &text[*below..end],
            line: *line,
        })
        .collect();
    (&text[..starts.first().map_or(text.len(), |start| start.0)], sections)
}

/// The name of a section in the seal and in messages.
fn word(section: &str) -> String {
    section.to_lowercase().replace(' ', "_")
}

/// True for the sections that autodo writes.
pub(super) fn is_machine(section: &str) -> bool {
    SECTIONS.contains(&section)
}

/// A checksum for each key and section that autodo writes and the file holds. It depends on what is said, not on how
/// it is spelt: quotes, line ends and blanks at line ends do not count.
pub(super) fn checksums(parts: &Parts<'_>) -> BTreeMap<String, u32> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for entry in parts.front.iter().flatten().filter(|entry| KEYS.contains(&entry.key.as_str())) {
        // Ignored: what cannot be written anew is compared as it was written.
        let said = yaml::write(&entry.value).unwrap_or_else(|_| entry.raw.clone());
        texts.entry(entry.key.clone()).or_default().push_str(&said);
    }
    for section in parts.sections.iter().filter(|section| is_machine(section.name)) {
        let text = texts.entry(word(section.name)).or_default();
        for line in section.text.trim().lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    texts.into_iter().map(|(name, text)| (name, crc32fast::hash(text.as_bytes()))).collect()
}

/// The line that is put below the sections.
pub(super) fn seal_line(checksums: &BTreeMap<String, u32>) -> String {
    let mut line = String::from(SEAL_OPEN);
    for (name, sum) in checksums {
        line.push_str(&format!(" {name}={sum:08x}"));
    }
    line + " " + SEAL_CLOSE + "\n"
}

/// Reads the line; what is no checksum in it is skipped, so that its key counts as edited.
fn read_seal(line: &str) -> BTreeMap<String, u32> {
    let inner = line.trim_start_matches(SEAL_OPEN).trim_end_matches(SEAL_CLOSE);
    inner
        .split_whitespace()
        .filter_map(|pair| {
            let (name, sum) = pair.split_once('=')?;
            Some((name.to_owned(), u32::from_str_radix(sum, 16).ok()?))
        })
        .collect()
}

/// What was edited in a file since autodo wrote it, in the order of the file.
pub(super) fn edited(parts: &Parts<'_>) -> Vec<String> {
    let mut names = Vec::new();
    if parts.front.is_err() {
        names.push("front matter".to_owned());
    }
    let Some(seal) = &parts.seal else {
        names.push("seal".to_owned());
        return names;
    };
    let found = checksums(parts);
    let keys = KEYS.iter().filter(|_| parts.front.is_ok()).map(|key| (*key).to_owned());
    names.extend(keys.chain(SECTIONS.iter().map(|name| word(name))).filter(|name| seal.get(name) != found.get(name)));
    names
}
