//! Writes a review.md.

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::{
    check::ChecksStatus,
    decision::{Decision, Flag},
    review::{CheckLine, FileChange, Question, Review},
    risk::{RiskOrigin, Tier},
};

use crate::format::{
    frontmatter::{Entry, FrontError, fenced, line},
    time::{human_duration, stamp},
    yaml::Quoted,
};

use super::{
    HUMAN_NOTES, KEYS, REVIEW_VERSION, Rendered,
    parts::{self, Parts},
    text::{self, Spot, encode},
};

/// Indentation of the lines of a bullet below its first.
const INDENT: &str = "  ";

/// Writes a review. `previous` is the text of the file as it is now, if there is one: what people wrote in it is kept
/// as the table of [`super`] says. Times are written in `zone`. Rendering its own result again changes nothing.
#[must_use]
pub fn render(review: &Review, previous: Option<&str>, zone: &TimeZone) -> Rendered {
    let kept = previous.map(parts::take_apart);
    let mut front = front_lines(review, zone);
    for entry in kept.iter().flat_map(|kept| kept.front.iter().flatten()).filter(|entry| is_unknown(entry)) {
        front.push_str(&entry.raw);
    }
    let mut text = fenced(&front);
    if let Some(preamble) = kept.as_ref().map(|kept| kept.preamble).filter(|preamble| !preamble.trim().is_empty()) {
        text.push_str(&format!("\n{}\n", preamble.trim_matches('\n').trim_end()));
    }
    for (name, content) in sections(review) {
        text.push_str(&format!("\n## {name}\n\n{}\n", content.trim_end_matches('\n')));
    }
    for section in kept.iter().flat_map(|kept| &kept.sections).filter(|section| !parts::is_machine(section.name)) {
        // A heading without words and nothing below it would be no heading any more without the blank behind it.
        if section.raw.trim_end() != "##" {
            text.push_str(&format!("\n{}\n", section.raw.trim_end()));
        }
    }
    // The checksums are those of the text as it will be read, so that reading it finds no edit.
    let seal = parts::seal_line(&parts::checksums(&parts::take_apart(&text)));
    let notes = kept.as_ref().map(notes_of).unwrap_or_default();
    text.push_str(&format!("\n{seal}\n## {HUMAN_NOTES}\n{notes}"));
    Rendered { text, edited: kept.as_ref().map(parts::edited).unwrap_or_default() }
}

fn is_unknown(entry: &Entry) -> bool {
    !KEYS.contains(&entry.key.as_str())
}

/// The notes of people, and below them front matter that could not be read: there may be keys of theirs in it.
fn notes_of(kept: &Parts<'_>) -> String {
    let mut notes = kept.notes.clone();
    if let (Err(FrontError::Yaml(_) | FrontError::NotAMap { .. }), Some(lost)) = (&kept.front, kept.front_text) {
        let longest = lost.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        if !notes.is_empty() && !notes.ends_with('\n') {
            notes.push('\n');
        }
        notes.push_str(&format!("\nFront matter that could not be read:\n\n{fence}yaml\n{lost}{fence}\n"));
    }
    notes
}

#[derive(Serialize)]
struct Summary {
    low: u32,
    medium: u32,
    high: u32,
    blocked: u32,
}

fn front_lines(review: &Review, zone: &TimeZone) -> String {
    let at = |time: Option<jiff::Timestamp>| time.map(|time| stamp(time, zone));
    let risk = review.risk_summary;
    let summary = Summary { low: risk.low, medium: risk.medium, high: risk.high, blocked: risk.blocked };
    [
        line("id", &review.id.as_str()),
        line("title", &Quoted(review.title.clone())),
        line("started", &at(review.started)),
        line("ended", &at(review.ended)),
        line("duration_minutes", &review.duration_minutes),
        line("status", &review.status),
        line("launched_by", &review.launched_by),
        line("launched_from", &review.launched_from),
        line("project", &review.project),
        line("risk_summary", &summary),
        line("decisions_count", &review.decisions.len()),
        line("flags_count", &review.flags.len()),
        line("version", &REVIEW_VERSION),
        line("verified", &review.verified),
        line("reason", &review.reason),
        line("checks_status", &review.checks_status.word()),
        line("effective_risk", &review.effective_risk.word()),
        line("profile", &review.profile),
        line("runs", &review.runs),
        line("branch", &review.branch),
        line("base", &review.base),
        line("head", &review.head),
    ]
    .concat()
}

fn sections(review: &Review) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("Task", task(&review.task)),
        ("Decisions Made", bullets(review.decisions.iter().map(decision))),
        ("Flagged for Review", bullets(review.flags.iter().map(flag))),
        ("Files Changed", bullets(review.files.iter().map(file))),
    ];
    if let Some(asked) = &review.question {
        all.push(("Question", question(asked)));
    }
    all.push(("Checks", checks(&review.checks, review.checks_status)));
    all.push(("Evidence", bullets(evidence(review))));
    all
}

fn bullets(items: impl IntoIterator<Item = String>) -> String {
    let all: String = items.into_iter().map(|item| format!("- {item}\n")).collect();
    if all.is_empty() { "None.\n".to_owned() } else { all }
}

fn decision(decision: &Decision) -> String {
    tiered(decision.tier, &decision.text, decision.why.as_deref())
}

fn flag(flag: &Flag) -> String {
    tiered(flag.tier, &flag.text, flag.why.as_deref())
}

fn tiered(tier: Tier, text: &str, why: Option<&str>) -> String {
    let text = encode(text, Spot::BeforeReason, INDENT);
    match why {
        Some(why) => format!("[{tier}] {text} — {}", encode(why, Spot::Plain, INDENT)),
        None => format!("[{tier}] {text}"),
    }
}

fn file(file: &FileChange) -> String {
    let path = encode(&file.path, Spot::Path, INDENT);
    if file.note.is_empty() { path } else { format!("{path} ({})", encode(&file.note, Spot::Note, INDENT)) }
}

fn question(question: &Question) -> String {
    let text = encode(&question.text, Spot::Plain, "> ");
    let options: String =
        question.options.iter().map(|option| format!("- {}\n", encode(option, Spot::Plain, INDENT))).collect();
    let gap = if options.is_empty() { "" } else { "\n" };
    format!("> {text}\n\nReason: {}\n{gap}{options}", text::on_one_line(&question.reason))
}

fn checks(checks: &[CheckLine], status: ChecksStatus) -> String {
    let all: String = checks
        .iter()
        .map(|check| {
            let word = if check.passed { "passed" } else { "failed" };
            let command = encode(&check.command, Spot::BeforeReason, INDENT);
            let result = encode(&check.result, Spot::Plain, INDENT);
            let log = text::on_one_line(&check.log);
            format!("- [{word}] {command} — {result}, {}, {log}\n", human_duration(check.took_ms / 1000))
        })
        .collect();
    let said = match status {
        ChecksStatus::NotRun => "The checks have not been run on this work.\n",
        ChecksStatus::None => "The project says that it has no checks.\n",
        ChecksStatus::Unset => "Nobody has said which checks this project has.\n",
        ChecksStatus::Green | ChecksStatus::Failed => "",
    };
    match (said.is_empty(), all.is_empty()) {
        (true, true) => "None.\n".to_owned(),
        (false, false) => format!("{said}\n{all}"),
        (true, false) | (false, true) => format!("{said}{all}"),
    }
}

fn evidence(review: &Review) -> Vec<String> {
    let plain = |text: &str| encode(text, Spot::Plain, INDENT);
    let reason = review.reason.as_deref().map(|reason| format!(" ({})", plain(reason))).unwrap_or_default();
    let mut all = vec![match review.verified {
        Some(true) => format!("verified{reason}"),
        Some(false) => format!("not verified{reason}"),
        None => "no claim yet".to_owned(),
    }];
    all.extend(review.evidence.iter().map(|line| plain(line)));
    all.extend(review.summary.as_deref().map(|summary| format!("the agent says: {}", plain(summary))));
    all.push(format!("effective risk: {}", review.effective_risk));
    all.extend(review.risk_sources.iter().map(|source| {
        let who = match source.source {
            RiskOrigin::Agent => "agent",
            RiskOrigin::Diff => "diff",
            RiskOrigin::Person => "person",
        };
        format!("risk {}, {who}: {}", source.tier, plain(&source.why))
    }));
    all
}

/// The task as it is, where none of its lines could be taken for anything but text; otherwise as a quotation.
fn task(task: &str) -> String {
    let shown = text::shown(task);
    let shown = shown.trim_matches('\n').trim_end();
    if shown.is_empty() {
        return "None.\n".to_owned();
    }
    if shown.lines().all(is_harmless) {
        return format!("{shown}\n");
    }
    shown.lines().map(|line| format!("> {line}").trim_end().to_owned() + "\n").collect()
}

fn is_harmless(line: &str) -> bool {
    let trimmed = line.trim_start();
    let item = ["- ", "* "].iter().find_map(|mark| trimmed.strip_prefix(mark));
    let text = item.unwrap_or(trimmed);
    let starts = text.is_empty() && item.is_none()
        || text
            .starts_with(|c: char| c.is_alphanumeric() || matches!(c, '(' | '[' | '"' | '\'' | '`' | '$' | '/' | '.'));
    starts && !text.starts_with("```") && !line.contains("<!--")
}
