//! Report files of the outbox: JSON to [`Report`] and back.
//!
//! A report comes from an agent: whatever it holds, the result is a report or the reason why it is not one. Its texts
//! are cleaned at this door, so that none of them can move a cursor, colour a terminal or reorder a line later.

use crate::domain::{
    id::{RunId, RunKey},
    permission::{Asked, Subject},
    report::{Hook, REPORT_VERSION, Report, Said},
};

/// Largest report file, in bytes.
pub const MAX_REPORT_BYTES: u64 = 1024 * 1024;

/// Why a file is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// It is not a report.
    #[error("it is not a report: {0}")]
    Malformed(String),
    /// A newer autodo wrote it.
    #[error("it has version {0}, this autodo knows {REPORT_VERSION}")]
    Newer(u64),
    /// Another run wrote it.
    #[error("it is of the run {found:?}, not of {expected:?}")]
    OtherRun {
        /// Whose outbox this is.
        expected: String,
        /// Who wrote it.
        found: String,
    },
    /// The key is not this run's.
    #[error("its key is not that of the run")]
    WrongKey,
    /// It is too large to be written.
    #[error("it would have {0} bytes, more than {MAX_REPORT_BYTES}: write long texts to a file and name that")]
    TooLarge(usize),
}

/// Renders a report as JSON with a final line feed.
///
/// # Errors
/// It would be larger than a reader takes.
pub fn render(report: &Report) -> Result<String, ReportError> {
    let mut text = serde_json::to_string(report).map_err(|e| ReportError::Malformed(e.to_string()))?;
    text.push('\n');
    if text.len() as u64 > MAX_REPORT_BYTES { Err(ReportError::TooLarge(text.len())) } else { Ok(text) }
}

/// Reads a report and cleans its texts.
///
/// # Errors
/// [`ReportError::Malformed`] or [`ReportError::Newer`].
pub fn parse(bytes: &[u8]) -> Result<Report, ReportError> {
    let malformed = |e: serde_json::Error| ReportError::Malformed(clean(&e.to_string()));
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(malformed)?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(REPORT_VERSION) => {}
        Some(version) if version > u64::from(REPORT_VERSION) => return Err(ReportError::Newer(version)),
        Some(_) | None => return Err(ReportError::Malformed("it has no version".to_owned())),
    }
    let report: Report = serde_json::from_value(value).map_err(malformed)?;
    Ok(Report { id: clean(&report.id), run: clean(&report.run), said: cleaned(report.said), ..report })
}

/// Checks that a report comes from `run`, which has `key`.
///
/// # Errors
/// [`ReportError::OtherRun`] or [`ReportError::WrongKey`].
pub fn check(report: &Report, run: &RunId, key: &RunKey) -> Result<(), ReportError> {
    if report.run != run.to_string() {
        return Err(ReportError::OtherRun { expected: run.to_string(), found: report.run.chars().take(100).collect() });
    }
    if report.key == *key { Ok(()) } else { Err(ReportError::WrongKey) }
}

fn cleaned(said: Said) -> Said {
    let opt = |text: Option<String>| text.map(|t| clean(&t));
    match said {
        Said::Done { summary, no_change } => Said::Done { summary: clean(&summary), no_change: opt(no_change) },
        Said::Blocked { question, risk, options } => {
            Said::Blocked { question: clean(&question), risk, options: options.iter().map(|o| clean(o)).collect() }
        }
        Said::Decision { risk, text, why } => Said::Decision { risk, text: clean(&text), why: opt(why) },
        Said::Flag { risk, text } => Said::Flag { risk, text: clean(&text) },
        Said::Note { text } => Said::Note { text: clean(&text) },
        Said::Hook(hook) => Said::Hook(match hook {
            Hook::Started => Hook::Started,
            Hook::Active => Hook::Active,
            Hook::Submitted { delivery } => Hook::Submitted { delivery: opt(delivery) },
            Hook::Asks(asked) => Hook::Asks(cleaned_request(asked)),
            Hook::Stopped { background, marker, text, turn } => {
                Hook::Stopped { background, marker, text: clean(&text), turn: turn.as_deref().map(clean) }
            }
            Hook::Failed { error, text } => Hook::Failed { error: clean(&error), text: clean(&text) },
            Hook::Ended { reason } => Hook::Ended { reason: clean(&reason) },
        }),
    }
}

fn cleaned_request(asked: Asked) -> Asked {
    let subject = asked.subject.map(|subject| match subject {
        Subject::Command { line, unclear } => Subject::Command { line: clean(&line), unclear },
        Subject::Path { path, inside } => Subject::Path { path: clean(&path), inside: inside.map(|p| clean(&p)) },
        Subject::Input => Subject::Input,
    });
    Asked {
        tool: clean(&asked.tool),
        input: clean(&asked.input),
        subject,
        rule: asked.rule.map(|rule| clean(&rule)),
        ..asked
    }
}

/// A text without control characters: escape sequences go as a whole, CRLF and CR become line feeds, a tab becomes a
/// blank; all other C0 and C1 characters, DEL and the characters that turn the writing direction go. Line feeds stay.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push('\n'),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\t' => out.push(' '),
            '\u{1b}' => skip_sequence(&mut chars),
            '\u{9b}' => skip_until_final(&mut chars),
            c if c.is_control() || turns_direction(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Skips what follows an ESC. Source: ECMA-48 5th edition, sections 5.3 and 5.4: a control sequence is `[`, parameters
/// and intermediates (0x20–0x3F) and one final byte (0x40–0x7E).
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if chars.next_if_eq(&'[').is_some() {
        skip_until_final(chars);
    }
}

fn skip_until_final(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm, which can show a text as another one.
/// Source: UAX #9, section 2.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{permission::Verdict, risk::Tier, samples::id, screen::Marker};

    fn report(said: Said) -> Report {
        Report { version: 1, id: "1-2-3".to_owned(), run: "T-1/2".to_owned(), key: RunKey::from_bits(7), said }
    }

    fn every_kind(text: &str) -> Vec<Report> {
        let text = || text.to_owned();
        let all = [
            Said::Done { summary: text(), no_change: None },
            Said::Done { summary: text(), no_change: Some(text()) },
            Said::Blocked { question: text(), risk: None, options: Vec::new() },
            Said::Blocked { question: text(), risk: Some(Tier::High), options: vec![text(), text()] },
            Said::Decision { risk: Tier::Low, text: text(), why: None },
            Said::Decision { risk: Tier::Medium, text: text(), why: Some(text()) },
            Said::Flag { risk: Tier::Blocked, text: text() },
            Said::Note { text: text() },
            Said::Hook(Hook::Started),
            Said::Hook(Hook::Active),
            Said::Hook(Hook::Submitted { delivery: Some(text()) }),
            Said::Hook(Hook::Asks(Asked { tool: text(), input: text(), ..Asked::default() })),
            Said::Hook(Hook::Asks(Asked {
                subject: Some(Subject::Command { line: text(), unclear: true }),
                verdict: Verdict::Deny,
                rule: Some(text()),
                ..Asked::default()
            })),
            Said::Hook(Hook::Asks(Asked {
                subject: Some(Subject::Path { path: text(), inside: Some(text()) }),
                ..Asked::default()
            })),
            Said::Hook(Hook::Stopped { background: 1, marker: Some(Marker::Done), text: text(), turn: Some(text()) }),
            Said::Hook(Hook::Failed { error: text(), text: text() }),
            Said::Hook(Hook::Ended { reason: text() }),
        ];
        all.map(report).to_vec()
    }

    #[test]
    fn every_kind_round_trips() {
        for report in every_kind("two\nlines, \"quotes\" and é 🦀") {
            assert_eq!(parse(render(&report).unwrap().as_bytes()).unwrap(), report);
        }
    }

    #[test]
    fn control_characters_are_cleaned_at_the_door() {
        let table = [
            ("a\nb", "a\nb"),
            ("a\r\nb\rc\r", "a\nb\nc\n"),
            ("a\tb", "a b"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[2J\u{1b}]0;title\u{7}x", "]0;titlex"),
            ("\u{9b}31mred", "red"),
            ("a\u{0}\u{8}\u{7f}\u{85}b", "ab"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}[é", "é"),
            ("a\u{202e}b\u{2066}c", "abc"),
            ("🦀 é 漢\u{200d}", "🦀 é 漢\u{200d}"),
        ];
        for (dirty, expected) in table {
            assert_eq!(clean(dirty), expected, "{dirty:?}");
            for (report, expected) in every_kind(dirty).into_iter().zip(every_kind(expected)) {
                assert_eq!(parse(render(&report).unwrap().as_bytes()).unwrap(), expected, "{dirty:?}");
            }
        }
    }

    #[test]
    fn what_is_no_report_is_rejected_with_a_reason() {
        let table = [
            ("", "it is not a report"),
            ("{", "it is not a report"),
            ("[]", "it has no version"),
            ("{\"version\":1}", "missing field"),
            ("{\"version\":\"1\"}", "it has no version"),
            ("{\"version\":0}", "it has no version"),
            ("{\"version\":2,\"kind\":\"dance\"}", "it has version 2"),
            (r#"{"version":1,"id":"1","run":"a/1","key":"k","kind":"dance"}"#, "dance"),
            (r#"{"version":1,"id":"1","run":"a/1","key":"k","kind":"flag","risk":"huge","text":""}"#, "huge"),
        ];
        for (text, why) in table {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn another_runs_report_is_not_believed() {
        let note = report(Said::Note { text: String::new() });
        let run = |ticket: &str, number| RunId { ticket: id(ticket), number };
        assert_eq!(check(&note, &run("T-1", 2), &RunKey::from_bits(7)), Ok(()));
        assert_eq!(check(&note, &run("T-1", 2), &RunKey::from_bits(8)), Err(ReportError::WrongKey));
        for other in [run("T-1", 1), run("T-2", 2)] {
            assert!(matches!(check(&note, &other, &RunKey::from_bits(7)), Err(ReportError::OtherRun { .. })));
        }
    }

    #[test]
    fn a_report_that_no_reader_would_take_is_not_written() {
        let long = report(Said::Note { text: "x".repeat(1024 * 1024) });
        assert!(matches!(render(&long), Err(ReportError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_result(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(parse(&bytes));
        }

        #[test]
        fn a_clean_text_stays_as_it_is(text in any::<String>()) {
            let once = clean(&text);
            prop_assert!(once.chars().all(|c| c == '\n' || !c.is_control()));
            prop_assert_eq!(clean(&once), once);
        }
    }
}
