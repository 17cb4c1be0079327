//! Finds the tickets that a person names: by id, or by a unique prefix of it.

use crate::{
    adapters::store,
    app::{App, AppError},
    domain::row::Row,
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
            let archive = store::read_archive(&app.home)?;
            find(&archive.0, text).cloned().map_err(|_| error)
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
    if let Some(row) = rows.iter().find(|row| row.id.as_str() == text) {
        return Ok(row);
    }
    let folded = text.to_ascii_lowercase();
    if let Some(row) = rows.iter().find(|row| row.id.folded() == folded) {
        return Ok(row);
    }
    let matching: Vec<&Row> =
        rows.iter().filter(|row| !folded.is_empty() && row.id.folded().starts_with(&folded)).collect();
    match matching.as_slice() {
        [row] => Ok(row),
        [] => Err(AppError::usage(format!("there is no ticket {text:?} in the queue"))
            .hint("autodo list shows them; autodo list --all also those that are archived")),
        several => {
            let ids: Vec<&str> = several.iter().take(5).map(|row| row.id.as_str()).collect();
            Err(AppError::usage(format!("{text:?} is the beginning of {} tickets: {}", several.len(), ids.join(", ")))
                .hint("type more of the id"))
        }
    }
}
