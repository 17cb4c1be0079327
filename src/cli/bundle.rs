//! `autodo debug bundle`: one file for a bug report.

use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{context::Context, find, json, ui};
use crate::{
    adapters::{archive, clock::SystemClock},
    app::{
        AppError, Exit,
        bundle::{self, Wanted},
    },
    ports::clock::Clock,
};

/// `debug bundle`.
#[derive(Args)]
pub struct BundleArgs {
    /// Only this ticket, with the records of its runs; an id, or a unique beginning of it.
    id: Option<String>,
    /// The file to write; unset: autodo-bundle-TIME.tar.gz in this folder.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also what people and agents wrote: tickets, prompts, answers, screens, reviews, logs of checks.
    #[arg(long)]
    with_texts: bool,
    /// How many lines of the journal.
    #[arg(long, value_name = "N", default_value_t = 500)]
    lines: usize,
}

/// Writes it, and says what went in, what was left out, and how to look into it.
///
/// # Errors
/// There is no such ticket, or the file cannot be written.
pub async fn run(context: &Context, args: &BundleArgs) -> Result<Exit, AppError> {
    let (home, folder) = (context.home()?, context.folder()?);
    let ticket = match &args.id {
        Some(text) => Some(find::anywhere(&context.app()?, text)?.id),
        None => None,
    };
    let wanted = Wanted { ticket, texts: args.with_texts, lines: args.lines };
    let bundle = bundle::collect(&home, &folder, &wanted)
        .await
        .map_err(|e| AppError::new(format!("cannot make a bundle: {e}")).hint("write what you did and saw by hand"))?;
    let now = SystemClock.now().to_zoned(TimeZone::system());
    let name = now.strftime("autodo-bundle-%Y%m%d-%H%M%S.tar.gz").to_string();
    let file = folder.join(args.output.clone().unwrap_or_else(|| PathBuf::from(name)));
    let written = archive::write_new(&file, &bundle.entries)
        .map_err(|e| AppError::new(e.to_string()).hint("--output FILE takes another place"))?;
    let Some(bytes) = written else {
        return Err(AppError::usage(format!("there is a file {} already", file.display()))
            .hint("--output FILE takes another place"));
    };
    if json::is_on() {
        let entries = bundle.entries.iter().map(|(name, content)| json!({ "name": name, "bytes": content.len() }));
        let entries: Vec<_> = entries.collect();
        let (file, left) = (file.to_string_lossy(), &bundle.left_out);
        json::document(&json!({ "version": 1, "file": file, "bytes": bytes, "entries": entries, "left_out": left }));
        return Ok(Exit::Ok);
    }
    ui::out(file.display().to_string());
    ui::say(format!("{} files, {bytes} bytes; nothing was sent anywhere", bundle.entries.len()));
    for (name, content) in &bundle.entries {
        ui::say(format!("  {:>8}  {}", content.len(), ui::plain(name)));
    }
    for left in &bundle.left_out {
        ui::say(format!("left out: {left}"));
    }
    let shown = file.display();
    ui::say_hint(&format!("look into it before you send it: tar tzf {shown}; tar xzOf {shown} | less"));
    Ok(Exit::Ok)
}
