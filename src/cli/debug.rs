//! `autodo debug`: looks at what autodo itself sees.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    bundle::{self, BundleArgs},
    context::Context,
    ui,
};
use crate::{
    adapters::{fs, git::Git, stdin},
    agent::classify::classify,
    app::{AppError, Exit, intake::repo_at, profiles::LayeredProfiles},
    domain::screen::Screen,
};

/// `debug`.
#[derive(Args)]
pub struct DebugArgs {
    #[command(subcommand)]
    verb: DebugVerb,
}

#[derive(Subcommand)]
enum DebugVerb {
    /// Say what a captured screen means to a profile, and which rule decided.
    Screen(ScreenArgs),
    /// Write one file for a bug report: what autodo knows of itself, without secrets and without your texts.
    Bundle(BundleArgs),
}

#[derive(Args)]
struct ScreenArgs {
    /// The screen as tmux capture-pane -p prints it; - for standard input.
    file: PathBuf,
    /// The agent profile to look with.
    #[arg(long, value_name = "NAME")]
    profile: String,
    /// Where the cursor is, from 0; behind the last text where it is not given.
    #[arg(long, value_name = "COLUMN,ROW", value_parser = cursor)]
    cursor: Option<(u16, u16)>,
    /// The title of the pane.
    #[arg(long, value_name = "TEXT", default_value = "")]
    title: String,
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Where a screen is to be had.
const SCREEN: &str = "give it a screen: tmux capture-pane -p -t PANE > FILE";

/// Reads `COLUMN,ROW`.
///
/// # Errors
/// It is none.
fn cursor(text: &str) -> Result<(u16, u16), String> {
    let parts = text.split_once(',').and_then(|(c, r)| Some((c.trim().parse().ok()?, r.trim().parse().ok()?)));
    parts.ok_or_else(|| "a cursor is two numbers from 0, such as 2,17".to_owned())
}

/// Runs it.
///
/// # Errors
/// There is no such profile or ticket, or a file cannot be read or written.
pub async fn run(context: &Context, args: &DebugArgs) -> Result<Exit, AppError> {
    match &args.verb {
        DebugVerb::Screen(args) => screen(context, args).await,
        DebugVerb::Bundle(args) => bundle::run(context, args).await,
    }
}

async fn screen(context: &Context, args: &ScreenArgs) -> Result<Exit, AppError> {
    let folder = context.folder()?;
    let text = if args.file.as_os_str() == "-" {
        stdin::read_all().map_err(|e| AppError::usage(format!("cannot read standard input: {e}")).hint(SCREEN))?
    } else {
        fs::read_to_string(&folder.join(&args.file)).map_err(|e| AppError::usage(e.to_string()).hint(SCREEN))?
    };
    let root = match repo_at(&Git::new(), &folder).await {
        Ok(repo) => Some(repo.root),
        Err(error) if error.exit == Exit::Usage => None,
        Err(error) => return Err(error),
    };
    let (library, _) = LayeredProfiles::new(context.home()?.root()).library(root.as_deref());
    let profile = library
        .get(&args.profile)
        .map_err(|e| AppError::usage(e.to_string()).hint("autodo profile list shows what there is"))?;
    let mut screen = Screen::of_text(&text);
    screen.cursor = args.cursor.unwrap_or_else(|| end_of(&screen));
    screen.title.clone_from(&args.title);
    let seen = classify(&profile, &screen, None);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (rule, said) = (some(&seen.rule), some(&seen.text));
    if args.json {
        let value: Value =
            json!({ "version": 1, "state": seen.state.word(), "rule": rule, "row": seen.row, "text": said });
        ui::json(&value);
        return Ok(Exit::Ok);
    }
    ui::out(format!("state  {}", seen.state.word()));
    ui::out(format!("rule   {}", rule.as_deref().unwrap_or("-")));
    match seen.row {
        Some(row) => ui::out(format!("row    {row}")),
        None => ui::out("row    -"),
    }
    for (at, line) in said.as_deref().unwrap_or("-").lines().enumerate() {
        ui::out(format!("{}{}", if at == 0 { "text   " } else { "       " }, ui::plain(line)));
    }
    Ok(Exit::Ok)
}

/// The place behind the last text of the screen.
fn end_of(screen: &Screen) -> (u16, u16) {
    let row = screen.rows.iter().rposition(|row| !row.is_empty()).unwrap_or(0);
    let column = screen.rows.get(row).map_or(0, |row| row.chars().count());
    (u16::try_from(column).unwrap_or(u16::MAX), u16::try_from(row).unwrap_or(u16::MAX))
}
