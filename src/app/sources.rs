//! Where tickets come from: folders and files of tickets, checklists, lists, standard input, commands.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{error::AppError, intake::Draft};
use crate::{
    adapters::{backlog, fs, process, stdin},
    domain::{id::TicketId, observed::Observed, row::Source},
    format::{
        problem::Problem,
        ticket::{self as text, Listed},
    },
};

/// Begins the name of a backlog that a command prints.
const COMMAND: &str = "cmd:";

/// Standard input, by its name.
const STDIN: &str = "-";

/// Longest that a command may take to print a backlog.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// Largest backlog that a command may print, in bytes.
const COMMAND_BYTES: u64 = 16 * 1024 * 1024;

/// How the tickets of one text are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One ticket, Markdown.
    Ticket,
    /// A Markdown checklist.
    Checklist,
    /// YAML or JSON: a list.
    List,
    /// JSON, a ticket a line.
    Lines,
}

/// Reads tickets from `places`: folders of tickets, files (`.md`: a ticket or a checklist; `.yaml`, `.yml`, `.json`: a
/// list; `.jsonl`: a ticket a line), `-` for standard input, `cmd:…` for what a command prints when it is run in
/// `folder`. Every problem is returned beside the good tickets.
///
/// # Errors
/// A place is not there at all, or a command failed.
pub async fn read(places: &[PathBuf], folder: &Path) -> Result<(Vec<Draft>, Vec<Problem>), AppError> {
    let mut drafts = Vec::new();
    let mut problems = Vec::new();
    let mut take = |(found, wrong): (Vec<Draft>, Vec<Problem>)| {
        drafts.extend(found);
        problems.extend(wrong);
    };
    for place in places {
        let name = place.to_string_lossy();
        if let Some(line) = name.strip_prefix(COMMAND) {
            let printed = printed_by(line.trim(), folder).await?;
            take(drafts_of(place, &printed, Some(Form::Lines)));
        } else if name == STDIN {
            let given = stdin::read_all().map_err(|e| {
                AppError::usage(format!("cannot read standard input: {e}"))
                    .hint("give it a text in UTF-8, from a pipe or a file: autodo dispatch --backlog - < FILE")
            })?;
            take(drafts_of(place, &given, Some(sniffed(&given))));
        } else {
            take(files(place)?);
        }
    }
    Ok((drafts, problems))
}

/// The tickets of a file or folder.
fn files(path: &Path) -> Result<(Vec<Draft>, Vec<Problem>), AppError> {
    let texts = backlog::read_dir(path).map_err(|e| {
        AppError::usage(format!("{e}: {}", e.source))
            .hint("autodo init makes .autodo/tickets; or name another folder or file")
    })?;
    let mut problems = texts.problems;
    let mut drafts = Vec::new();
    // What lies in a folder is a ticket each, whatever boxes it has.
    let is_alone = !path.is_dir();
    for (file, content) in texts.files {
        let form = if is_alone { None } else { Some(Form::Ticket) };
        let (found, wrong) = drafts_of(&file, &content, form);
        drafts.extend(found);
        problems.extend(wrong);
    }
    Ok((drafts, problems))
}

async fn printed_by(line: &str, folder: &Path) -> Result<String, AppError> {
    const HINT: &str = "it must print one ticket a line, as JSON: {\"title\": \"…\", \"body\": \"…\"}";
    let failed = |why: String| AppError::usage(format!("the backlog of `{line}` cannot be read: {why}")).hint(HINT);
    let printed = process::output_of(line, folder, COMMAND_LIMIT, COMMAND_BYTES).await.map_err(failed)?;
    match printed.trouble {
        None => Ok(printed.out),
        Some(end) => {
            let said: Vec<&str> = printed.err.lines().rev().take(5).collect();
            let said = said.into_iter().rev().collect::<Vec<_>>().join("\n");
            Err(failed(if said.is_empty() { end } else { format!("{end}\n{said}") }))
        }
    }
}

/// What a text on standard input is.
fn sniffed(given: &str) -> Form {
    let first = given.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    match first.chars().next() {
        Some('{') => Form::Lines,
        Some('[') => Form::List,
        _ if text::is_checklist(given) => Form::Checklist,
        _ if first.starts_with("- ") => Form::List,
        _ => Form::Ticket,
    }
}

fn form_of(path: &Path, content: &str) -> Form {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "yaml" | "yml" | "json" => Form::List,
        "jsonl" | "ndjson" => Form::Lines,
        _ if text::is_checklist(content) => Form::Checklist,
        _ => Form::Ticket,
    }
}

fn drafts_of(place: &Path, content: &str, form: Option<Form>) -> (Vec<Draft>, Vec<Problem>) {
    let shown = if place.as_os_str() == STDIN { "standard input".to_owned() } else { place.display().to_string() };
    let listed = match form.unwrap_or_else(|| form_of(place, content)) {
        Form::Ticket => return one(place, &shown, content),
        Form::Checklist => text::parse_checklist(&shown, content),
        Form::List => text::parse_list(&shown, content),
        Form::Lines => text::parse_lines(&shown, content),
    };
    let draft = |listed: Listed| Draft {
        origin: format!("{shown}:{}", listed.line),
        source: Some(Source { path: kept(place), digest: backlog::digest(&listed.words()) }),
        ticket: listed.ticket,
        id_is_generated: false,
    };
    match listed {
        Ok(listed) => (listed.into_iter().map(draft).collect(), Vec::new()),
        Err(problems) => (Vec::new(), problems),
    }
}

/// The place as the books have it: a file is found again from any folder.
fn kept(place: &Path) -> PathBuf {
    let name = place.to_string_lossy();
    if name == STDIN || name.starts_with(COMMAND) {
        return place.to_owned();
    }
    // Ignored: without a present folder the path stays as it was given.
    std::path::absolute(place).unwrap_or_else(|_| place.to_owned())
}

fn one(place: &Path, shown: &str, content: &str) -> (Vec<Draft>, Vec<Problem>) {
    let stem = match place.file_stem().map(|stem| stem.to_string_lossy()) {
        Some(stem) if stem != STDIN => stem.into_owned(),
        _ => "ticket".to_owned(),
    };
    match text::parse_ticket(shown, &stem, content) {
        Ok(ticket) => {
            let source = Some(Source { path: kept(place), digest: backlog::digest(content) });
            (vec![Draft { origin: shown.to_owned(), source, ticket, id_is_generated: false }], Vec::new())
        }
        Err(problems) => (Vec::new(), problems),
    }
}

/// The ticket `id` as its file has it now; `None`: it was not in a file, or is no longer.
#[must_use]
pub fn again(source: &Source, id: &TicketId) -> Option<Draft> {
    let name = source.path.to_string_lossy();
    if name == STDIN || name.starts_with(COMMAND) {
        return None;
    }
    let content = match fs::look_text(&source.path) {
        Observed::Present(content) => content,
        Observed::Absent | Observed::Unknown(_) => return None,
    };
    // A ticket that was read alone and one out of a list are told apart by the id.
    [None, Some(Form::Ticket)].into_iter().find_map(|form| {
        drafts_of(&source.path, &content, form).0.into_iter().find(|draft| draft.ticket.id.folded() == id.folded())
    })
}

/// Ticks the ticket's box in the checklist that it came from; all else in the file stays as it is. True: it was ticked
/// now.
///
/// # Errors
/// The file cannot be read or written.
pub fn tick(source: &Source, id: &TicketId) -> Result<bool, AppError> {
    let failed = |why: String| {
        AppError::new(format!("{id} is approved, but its box is not ticked: {why}")).hint("tick it yourself")
    };
    let content = match fs::look_text(&source.path) {
        Observed::Present(content) => content,
        Observed::Absent => return Ok(false),
        Observed::Unknown(why) => return Err(failed(why)),
    };
    if form_of(&source.path, &content) != Form::Checklist {
        return Ok(false);
    }
    let Some(ticked) = text::tick(&content, id) else { return Ok(false) };
    fs::rewrite(&source.path, ticked.as_bytes()).map(|()| true).map_err(|e| failed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_on_standard_input_is_known_by_how_it_begins() {
        for (given, form) in [
            ("{\"title\": \"a\"}\n", Form::Lines),
            ("[{\"title\": \"a\"}]", Form::List),
            ("\n- title: a\n", Form::List),
            ("# Things\n- [ ] a\n", Form::Checklist),
            ("- [ ] a\n", Form::Checklist),
            ("---\ntitle: a\n---\n- [ ] b\n", Form::Ticket),
            ("Do it.\n", Form::Ticket),
            ("", Form::Ticket),
        ] {
            assert_eq!(sniffed(given), form, "{given:?}");
        }
    }
}
