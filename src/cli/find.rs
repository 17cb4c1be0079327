//! Finds the tickets that a person names: by id, or by a unique prefix of it.

use crate::{
    adapters::store,
    app::{App, AppError},
    domain::{id::TicketId, row::Row},
};

/// All rows, read without the lock. What was odd about the file is said.
///
/// # Errors
/// The queue cannot be read.
pub fn rows(app: &App) -> Result<Vec<Row>, AppError> {
    let read = store::read_queue(&app.home)?;
    for notice in &read.notices {
        super::ui::notice(notice);
    }
    Ok(read.rows)
}

/// The row that `text` names.
///
/// # Errors
/// None does, or several do.
pub fn row(app: &App, text: &str) -> Result<Row, AppError> {
    let rows = rows(app)?;
    find(&rows, text).cloned()
}

/// The row that `text` names in the queue, or else in the archive.
///
/// # Errors
/// None does, or several do.
pub fn anywhere(app: &App, text: &str) -> Result<Row, AppError> {
    match row(app, text) {
        Ok(row) => Ok(row),
        Err(error) => {
            let folded = text.to_ascii_lowercase();
            let begins = |id: &str| !folded.is_empty() && id.to_ascii_lowercase().starts_with(&folded);
            let ids = store::archived_ids(&app.home, begins)?;
            let id = pick(&ids, text).ok().cloned().ok_or(error)?;
            let (rows, notices) = store::read_archived(&app.home, |other| other == id.as_str())?;
            let gone = || AppError::new(format!("{id} cannot be read: {}", notices.join("; "))).hint("autodo doctor");
            rows.into_iter().next_back().ok_or_else(gone)
        }
    }
}

/// The rows that `texts` name, each once, in order.
///
/// # Errors
/// One of them names none, or several.
pub fn some(app: &App, texts: &[String]) -> Result<Vec<Row>, AppError> {
    among(&rows(app)?, texts)
}

/// The rows among `rows` that `texts` name, each once, in order.
///
/// # Errors
/// One of them names none, or several.
pub fn among(rows: &[Row], texts: &[String]) -> Result<Vec<Row>, AppError> {
    let mut found: Vec<Row> = Vec::new();
    for text in texts {
        let row = find(rows, text)?;
        if !found.iter().any(|f| f.id == row.id) {
            found.push(row.clone());
        }
    }
    Ok(found)
}

/// The row that `text` names among `rows`: its id, its id in another case, or a unique prefix.
///
/// # Errors
/// None does, or several do.
pub fn find<'a>(rows: &'a [Row], text: &str) -> Result<&'a Row, AppError> {
    named(rows, |row| &row.id, text)
}

/// As [`find`], among ids.
fn pick<'a>(ids: &'a [TicketId], text: &str) -> Result<&'a TicketId, AppError> {
    named(ids, |id| id, text)
}

fn named<'a, T>(all: &'a [T], id: impl Fn(&T) -> &TicketId, text: &str) -> Result<&'a T, AppError> {
    if let Some(one) = all.iter().find(|one| id(one).as_str() == text) {
        return Ok(one);
    }
    let folded = text.to_ascii_lowercase();
    if let Some(one) = all.iter().find(|one| id(one).folded() == folded) {
        return Ok(one);
    }
    let matching: Vec<&T> =
        all.iter().filter(|one| !folded.is_empty() && id(one).folded().starts_with(&folded)).collect();
    match matching.as_slice() {
        [one] => Ok(one),
        [] => Err(AppError::usage(format!("there is no ticket {text:?} in the queue"))
            .hint("autodo list shows them; autodo list --all also those that are archived")),
        several => {
            let ids: Vec<&str> = several.iter().take(5).map(|one| id(one).as_str()).collect();
            Err(AppError::usage(format!("{text:?} is the beginning of {} tickets: {}", several.len(), ids.join(", ")))
                .hint("type more of the id"))
        }
    }
}
