//! `autodo clean --logs`, `--builds`: disk space of finished tickets, listed by size, and given back on a word.

use super::meant;
use crate::{
    adapters::store,
    app::{
        App, AppError, Exit,
        clean::Rule,
        trim::{self, Trim, Wanted},
    },
    cli::{
        find::{among, rows},
        ui,
    },
    domain::{id::TicketId, row::Row},
    format::size::human_size,
};

/// Lists what can be taken away of the tickets that `ids` name, or else of those that `rule` means, the largest first;
/// with `acts` takes it away. A ticket that is refused does not hold up the others.
///
/// # Errors
/// A ticket is not there, or the queue cannot be read.
pub async fn run(
    app: &App,
    ids: &[String],
    rule: &Rule,
    wanted: Wanted,
    acts: bool,
    is_dry: bool,
) -> Result<Exit, AppError> {
    let open = rows(app)?;
    let (archived, troubles) = store::read_archive(&app.home)?;
    troubles.iter().for_each(|trouble| ui::notice(trouble));
    // Archived and taken up again, it is the one in the queue.
    let archived = archived.into_iter().filter(|row| !open.iter().any(|other| other.id == row.id));
    let all: Vec<Row> = open.iter().cloned().chain(archived).collect();
    let mut exits = vec![Exit::Ok];
    let named = !ids.is_empty();
    // What is large is here what could be given back, not the worktree.
    let others = Rule { larger_than: None, ..rule.clone() };
    let chosen = if named { among(&all, ids)? } else { meant(app, &all, &others, &mut exits) };
    let mut trims = Vec::new();
    for row in chosen {
        let is_archived = !is_open(&open, &row.id);
        match trim::plan(app, &row, is_archived, wanted).await {
            Ok(trim) => trims.push(trim),
            Err(error) => {
                exits.push(error.exit);
                ui::error(&error);
            }
        }
    }
    trims.retain(|trim| !trim.pieces.is_empty() || (named && !trim.left.is_empty()));
    trims.retain(|trim| rule.larger_than.is_none_or(|least| trim.bytes() >= least));
    trims.sort_by_key(|trim| std::cmp::Reverse(trim.bytes()));
    trims.iter().for_each(|trim| list(trim, acts));
    let sum: u64 = trims.iter().map(Trim::bytes).sum();
    if sum == 0 {
        ui::say("no finished ticket has anything to give back");
        return Ok(Exit::first_of(exits));
    }
    if !acts {
        ui::say(format!("{} in all", human_size(sum)));
        if !is_dry {
            ui::say_hint("nothing was changed: the same with --yes takes it away");
        }
        return Ok(Exit::first_of(exits));
    }
    let mut freed = 0;
    for trim in trims.iter().filter(|trim| !trim.pieces.is_empty()) {
        let id = &trim.row.id;
        let done = match rows(app) {
            Ok(now) => trim::act(trim, now.iter().find(|row| row.id == *id)).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => {
                freed += trim.bytes();
                ui::did(Some(id), "cleared", format!("{id}: cleared, {}", human_size(trim.bytes())));
            }
            Err(error) => {
                exits.push(error.exit);
                ui::error(&error);
            }
        }
    }
    ui::say(format!("{} in all", human_size(freed)));
    Ok(Exit::first_of(exits))
}

fn is_open(open: &[Row], id: &TicketId) -> bool {
    open.iter().any(|row| row.id == *id)
}

fn list(trim: &Trim, acts: bool) {
    let row = &trim.row;
    let would = if acts { "clear" } else { "would clear" };
    let (title, size) = (ui::plain(&row.title), human_size(trim.bytes()));
    ui::did(Some(&row.id), would, format!("{would}: {} — {title} ({}), {size}", row.id, row.status.word()));
    for piece in &trim.pieces {
        let (word, size) = (if piece.is_build { "build" } else { "log" }, human_size(piece.bytes));
        ui::did(Some(&row.id), word, format!("  {word:<6} {size:>11}  {}", piece.path.display()));
    }
    for left in &trim.left {
        ui::did(Some(&row.id), "left", format!("  left   {}", ui::plain(left)));
    }
}
