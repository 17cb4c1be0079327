//! Reads a review.md: one of autodo's own, or one that a person or another program wrote in the same form.

use jiff::Timestamp;

use crate::domain::{
    decision::{Decision, Flag},
    review::{FileChange, Question},
    risk::{RiskSummary, Tier},
};

use crate::format::{
    frontmatter::Entry,
    problem::{Place, Problem},
    ticket::front_problem,
    time::parse_stamp,
    yaml::{Node, Value},
};

use super::{
    Front, KEYS, ParsedReview, REVIEW_VERSION,
    parts::{Parts, Section, take_apart},
    text::{decode, join, split_note, split_reason},
};

/// Reads a review. `file` names it in problems.
///
/// Bullets may be wrapped over lines, indented or not, and go on until the next `- ` or heading; times may have any
/// spelling of their offset. Sections and keys that are not there are empty.
///
/// # Errors
/// Every mistake, with its place: front matter that cannot be read, a value of the wrong kind, a newer version, a
/// decision or flag without a tier.
pub fn parse(file: &str, text: &str) -> Result<ParsedReview, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parts = take_apart(text);
    let entries = match &parts.front {
        Ok(entries) => entries,
        Err(error) => return Err(vec![front_problem(file, text, error)]),
    };
    let mut reader = Reader { file, text, problems: Vec::new() };
    let front = reader.front(entries);
    let decisions = reader.tiered(&parts, "Decisions Made");
    let flags = reader.tiered(&parts, "Flagged for Review");
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    Ok(ParsedReview {
        front,
        unknown: entries.iter().filter(|entry| !KEYS.contains(&entry.key.as_str())).cloned().collect(),
        task: parts.sections.iter().find(|s| s.name == "Task").map_or_else(String::new, |s| task(s.text)),
        decisions: decisions.into_iter().map(|(tier, text, why)| Decision { tier, text, why }).collect(),
        flags: flags.into_iter().map(|(tier, text, why)| Flag { tier, text, why }).collect(),
        files: bullets(&parts, "Files Changed").iter().map(|bullet| file_change(&bullet.joined)).collect(),
        question: parts.sections.iter().find(|s| s.name == "Question").and_then(|s| question(s)),
        human_notes: parts.notes,
    })
}

/// One bullet: its text, still encoded, and the line it begins on.
struct Bullet {
    joined: String,
    line: usize,
}

fn bullets(parts: &Parts<'_>, name: &str) -> Vec<Bullet> {
    parts.sections.iter().filter(|section| section.name == name).flat_map(bullets_of).collect()
}

fn bullets_of(section: &Section<'_>) -> Vec<Bullet> {
    let mut all: Vec<(usize, Vec<&str>)> = Vec::new();
    for (index, line) in section.text.lines().enumerate() {
        // A mark that is indented further belongs to a list inside the bullet.
        let line = line.trim_end_matches([' ', '\t', '\r']);
        let mark = line.strip_prefix(' ').unwrap_or(line);
        if let Some(rest) = mark.strip_prefix("- ").or_else(|| (mark == "-").then_some("")) {
            all.push((section.line + index, vec![rest]));
        } else if let Some((_, lines)) = all.last_mut() {
            lines.push(line);
        }
    }
    all.into_iter().map(|(line, lines)| Bullet { joined: join(&lines), line }).collect()
}

fn file_change(joined: &str) -> FileChange {
    let (path, note) = split_note(joined);
    FileChange { path: decode(path), note: note.map(decode).unwrap_or_default() }
}

fn task(text: &str) -> String {
    let text = text.trim_matches(['\n', '\r']).trim_end();
    if text.lines().all(|line| line.starts_with('>')) {
        let inner = text.lines().map(|line| line.strip_prefix("> ").unwrap_or(&line[1..]));
        return inner.collect::<Vec<_>>().join("\n");
    }
    text.to_owned()
}

fn question(section: &Section<'_>) -> Option<Question> {
    let above: Vec<&str> = section.text.lines().take_while(|line| !line.starts_with("- ") && *line != "-").collect();
    let quoted: Vec<&str> = above.iter().filter_map(|line| line.strip_prefix('>')).collect();
    let reason = above.iter().find_map(|line| line.strip_prefix("Reason:"));
    let plain: Vec<&str> = above.iter().filter(|line| !line.starts_with("Reason:")).copied().collect();
    let text = decode(&join(if quoted.is_empty() { &plain } else { &quoted }));
    let options: Vec<String> = bullets_of(section).iter().map(|bullet| decode(&bullet.joined)).collect();
    let reason = reason.map(|reason| decode(reason.trim_matches([' ', '\t', '\r']))).unwrap_or_default();
    (!text.is_empty() || !options.is_empty() || !reason.is_empty()).then_some(Question { text, reason, options })
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, place: Place, message: &str, hint: &str) {
        self.problems.push(Problem::new(self.file, self.text, place, message, hint));
    }

    fn tiered(&mut self, parts: &Parts<'_>, name: &str) -> Vec<(Tier, String, Option<String>)> {
        let mut all = Vec::new();
        for bullet in bullets(parts, name) {
            let tier = bullet.joined.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let Some((tier, rest)) = tier.and_then(|(word, rest)| Some((Tier::parse(word)?, rest))) else {
                let line = self.text.split('\n').nth(bullet.line - 1).unwrap_or("");
                let message = format!("a line below `## {name}` does not begin with a tier");
                self.wrong(
                    Place::line(bullet.line, line),
                    &message,
                    "write `- [low] text — reason`; the tiers are low, medium, high, blocked",
                );
                continue;
            };
            let (text, why) = split_reason(rest.strip_prefix(' ').unwrap_or(rest));
            all.push((tier, decode(text), why.map(decode)));
        }
        all
    }

    fn front(&mut self, entries: &[Entry]) -> Front {
        let find = |key: &str| entries.iter().find(|e| e.key == key && e.value.value != Value::Null).map(|e| &e.value);
        let version = self.count(find("version"), "version");
        if let (Some(found), Some(node)) = (version.filter(|found| *found > REVIEW_VERSION), find("version")) {
            let message =
                format!("the file has version {found}, and this autodo knows versions up to {REVIEW_VERSION}");
            self.wrong(node.place.below(1), &message, "use the autodo that wrote it, or a newer one");
        }
        Front {
            id: self.words(find("id"), "id"),
            title: self.words(find("title"), "title"),
            started: self.time(find("started"), "started"),
            ended: self.time(find("ended"), "ended"),
            duration_minutes: self.count(find("duration_minutes"), "duration_minutes"),
            status: self.words(find("status"), "status"),
            launched_by: self.words(find("launched_by"), "launched_by"),
            launched_from: self.words(find("launched_from"), "launched_from"),
            project: self.words(find("project"), "project"),
            risk_summary: self.summary(find("risk_summary")),
            decisions_count: self.count(find("decisions_count"), "decisions_count"),
            flags_count: self.count(find("flags_count"), "flags_count"),
            version,
            verified: self.truth(find("verified"), "verified"),
            reason: self.words(find("reason"), "reason"),
            checks_status: self.words(find("checks_status"), "checks_status"),
            effective_risk: self.words(find("effective_risk"), "effective_risk"),
            profile: self.words(find("profile"), "profile"),
            runs: self.count(find("runs"), "runs"),
            branch: self.words(find("branch"), "branch"),
            base: self.words(find("base"), "base"),
            head: self.words(find("head"), "head"),
        }
    }

    /// A value that must be of a kind; anything else is a problem.
    fn value<T>(
        &mut self,
        node: Option<&Node>,
        key: &str,
        wanted: &str,
        read: impl Fn(&Node) -> Option<T>,
    ) -> Option<T> {
        let node = node?;
        let found = read(node);
        if found.is_none() {
            let message = format!("`{key}` must be {wanted}, not {}", node.value.kind());
            self.wrong(node.place.below(1), &message, "correct it, or delete the line: autodo writes it anew");
        }
        found
    }

    fn words(&mut self, node: Option<&Node>, key: &str) -> Option<String> {
        self.value(node, key, "text", |node| node.as_text().map(str::to_owned))
    }

    fn count(&mut self, node: Option<&Node>, key: &str) -> Option<u64> {
        self.value(node, key, "a whole number", number)
    }

    fn truth(&mut self, node: Option<&Node>, key: &str) -> Option<bool> {
        self.value(node, key, "true or false", |node| match node.value {
            Value::Bool(value) => Some(value),
            Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
        })
    }

    fn time(&mut self, node: Option<&Node>, key: &str) -> Option<Timestamp> {
        self.value(node, key, "a time such as 2026-02-19T14:30:22-0800", |node| parse_stamp(node.as_text()?).ok())
    }

    fn summary(&mut self, node: Option<&Node>) -> Option<RiskSummary> {
        self.value(node, "risk_summary", "a number for each tier", |node| {
            let Value::Map(entries) = &node.value else { return None };
            let mut summary = RiskSummary::default();
            for (key, value) in entries {
                let count = u32::try_from(number(value)?).ok()?;
                match Tier::parse(key.as_text()?)? {
                    Tier::Low => summary.low = count,
                    Tier::Medium => summary.medium = count,
                    Tier::High => summary.high = count,
                    Tier::Blocked => summary.blocked = count,
                }
            }
            Some(summary)
        })
    }
}

fn number(node: &Node) -> Option<u64> {
    match &node.value {
        Value::Number(spelling) => spelling.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
    }
}
