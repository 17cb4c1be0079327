//! What the program says: data on standard output, all else on standard error. The only place that prints.

use std::{
    io::{IsTerminal, Write},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::json;
pub use crate::format::harmless::{plain, plain_lines};
use crate::{app::AppError, domain::id::TicketId};

/// Most lines that are kept for a page while nothing is printed.
const MOST_KEPT: usize = 100;

/// What should be said while nothing is printed; `None`: everything is printed.
static KEPT: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// From now on nothing is printed; errors and what a person should know are kept for [`speak`].
pub fn hush() {
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
}

/// Prints again from now on; returns what was kept.
pub fn speak() -> Vec<String> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
}

/// True after [`hush`].
#[must_use]
pub fn is_hushed() -> bool {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// Keeps a line instead of printing it, where nothing is printed.
fn kept(line: &dyn Fn() -> String) -> bool {
    match KEPT.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        Some(lines) => {
            if lines.len() < MOST_KEPT {
                lines.push(line());
            }
            true
        }
        None => false,
    }
}

/// Writes a line to standard output. A reader that has gone is no error: there is nobody left to tell.
pub fn print(line: &str) {
    if is_hushed() {
        return;
    }
    if line.bytes().any(|byte| byte == 0x1b) {
        // Ignored: see above.
        writeln!(anstream::stdout().lock(), "{line}").ok();
    } else {
        // Nothing to take out where colours are not wanted: a long list is written as it is. Ignored: see above.
        writeln!(std::io::stdout().lock(), "{line}").ok();
    }
}

/// Writes a line of data for people to standard output; with `--json` it is one of the results.
pub fn out(line: impl AsRef<str>) {
    did(None, "said", line);
}

/// Says what was done to a ticket (or to none), as a line for people; with `--json` it is one of the results, with
/// `did` as its word.
pub fn did(id: Option<&TicketId>, did: &str, line: impl AsRef<str>) {
    if json::is_on() {
        json::note(id.map(TicketId::as_str), did, line.as_ref());
    } else {
        print(line.as_ref());
    }
}

/// Writes text to standard output as it is.
pub fn out_text(text: &str) {
    if json::is_on() {
        return out(text);
    }
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
    json::document(value);
}

/// Says something to the user.
pub fn say(line: impl AsRef<str>) {
    if is_hushed() {
        return;
    }
    // Ignored: see `out`.
    writeln!(anstream::stderr().lock(), "{}", line.as_ref()).ok();
}

/// Says what is wrong with something that was left out.
pub fn wrong(line: impl AsRef<str>) {
    if !kept(&|| line.as_ref().to_owned()) {
        say(line);
    }
}

/// Says what went wrong and what to do; with `--json` as one line of JSON.
pub fn error(error: &AppError) {
    if json::is_on() {
        return say(json::error(error).to_string());
    }
    if kept(&|| format!("error: {}\nhint: {}", error.message, error.hint)) {
        return;
    }
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    say(format!("{style}error:{style:#} {}", error.message));
    say_hint(&error.hint);
}

/// Says what to do now.
pub fn say_hint(hint: &str) {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Cyan.into()));
    say(format!("{style}hint:{style:#} {hint}"));
}

/// Says what a person should know.
pub fn notice(line: &str) {
    if kept(&|| format!("note: {line}")) {
        return;
    }
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
