//! `autodo init`: makes a repository ready.

use clap::Args;

use super::{context::Context, ui};
use crate::{
    adapters::git::Git,
    app::{
        AppError, Exit,
        init::{self, Step},
    },
};

/// `init`.
#[derive(Args)]
pub struct InitArgs {
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Makes the repository of the folder ready, and says what it did.
///
/// # Errors
/// It is no repository with a checkout and a commit, or something could not be written.
pub async fn run(context: &Context, args: &InitArgs) -> Result<Exit, AppError> {
    let home = context.home()?;
    let done = init::init(&Git::new(), home.root(), &context.folder()?, args.dry_run).await?;
    for step in &done.steps {
        ui::did(None, word(step, args.dry_run), line(step, args.dry_run));
        for note in &step.notes {
            ui::did(None, "note", format!("        {}", note.replace('\n', "\n        ")));
        }
    }
    if args.dry_run {
        if let Some(text) = &done.config {
            ui::say("\n.autodo/config.toml would be:\n");
            ui::out_text(text);
        }
        ui::say("nothing was changed");
        return Ok(Exit::Ok);
    }
    if done.steps.iter().all(|step| !step.made) {
        ui::say("all was there already: nothing was changed");
    } else {
        ui::say_hint("commit .autodo; then autodo doctor looks at the rest, and autodo add \"title\" takes a ticket");
    }
    Ok(Exit::Ok)
}

fn word(step: &Step, dry_run: bool) -> &'static str {
    match (step.made, dry_run) {
        (true, false) => "made",
        (true, true) => "make",
        (false, _) => "kept",
    }
}

fn line(step: &Step, dry_run: bool) -> String {
    format!("{}    {}", word(step, dry_run), step.what)
}
