//! What the program says: data on standard output, all else on standard error. The only place that prints.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::app::{AppError, Exit};

/// Writes a line of data to standard output. A reader that has gone is no error: there is nobody left to tell.
pub fn out(line: impl AsRef<str>) {
    let line = line.as_ref();
    if line.bytes().any(|byte| byte == 0x1b) {
        // Ignored: see above.
        writeln!(anstream::stdout().lock(), "{line}").ok();
    } else {
        // Nothing to take out where colours are not wanted: a long list is written as it is. Ignored: see above.
        writeln!(std::io::stdout().lock(), "{line}").ok();
    }
}

/// Writes text to standard output as it is.
pub fn out_text(text: &str) {
    let mut stdout = anstream::stdout().lock();
    // Ignored: see `out`.
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).ok();
}

/// Writes bytes to standard output as they are, whatever they would do to a terminal.
pub fn out_bytes(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    // Ignored: see `out`.
    stdout.write_all(bytes).and_then(|()| stdout.flush()).ok();
}

/// Writes JSON to standard output, indented.
pub fn json(value: &Value) {
    out(serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Says something to the user.
pub fn say(line: impl AsRef<str>) {
    // Ignored: see `out`.
    writeln!(anstream::stderr().lock(), "{}", line.as_ref()).ok();
}

/// Says what went wrong and what to do.
pub fn error(error: &AppError) {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    say(format!("{style}error:{style:#} {}", error.message));
    say_hint(&error.hint);
}

/// Says what went wrong, if anything did; the exit code for the system.
#[must_use]
pub fn ended(result: Result<Exit, AppError>) -> ExitCode {
    let exit = result.unwrap_or_else(|why| {
        error(&why);
        why.exit
    });
    ExitCode::from(exit.code())
}

/// Says what to do now.
pub fn say_hint(hint: &str) {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Cyan.into()));
    say(format!("{style}hint:{style:#} {hint}"));
}

/// Says what a person should know.
pub fn notice(line: &str) {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Yellow.into()));
    say(format!("{style}note:{style:#} {line}"));
}

/// True if standard output is a terminal.
#[must_use]
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// True if standard error is a terminal.
#[must_use]
pub fn status_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns of the terminal; `None`: it is not one, and nothing is cut.
#[must_use]
pub fn width() -> Option<usize> {
    is_terminal().then(|| console::Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns)))
}

/// Columns of a terminal that `text` takes.
#[must_use]
pub fn columns_of(text: &str) -> usize {
    text.width()
}

/// `text` cut to `columns` columns of a terminal, with an ellipsis.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < columns
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// `text` in one line, without control characters and changes of direction: what others wrote must not steer a
/// terminal, nor show something else than it is.
#[must_use]
pub fn plain(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

/// As [`plain`], with its line ends.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Marks that turn the direction of what follows, and separators that some terminals take for line ends.
fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
