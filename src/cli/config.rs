//! `autodo config`: every setting with its origin.

use clap::Args;
use serde_json::{Value, json};

use super::{context::Context, ui};
use crate::{
    adapters::git::Git,
    app::{
        AppError, Exit,
        intake::{repo_at, settings_at},
    },
    config::{Entry, Origin},
};

/// `config`.
#[derive(Args)]
pub struct ConfigArgs {
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Lists the settings that hold in the folder.
///
/// # Errors
/// A layer is wrong: all that is wrong, each with its place.
pub async fn run(context: &Context, args: &ConfigArgs) -> Result<Exit, AppError> {
    let home = context.home()?;
    let root = match repo_at(&Git::new(), &context.folder()?).await {
        Ok(repo) => Some(repo.root),
        // Outside a project the user's settings hold.
        Err(error) if error.exit == Exit::Usage => None,
        Err(error) => return Err(error),
    };
    let settings = settings_at(home.root(), root.as_deref(), vec![])?;
    let entries = settings.entries();
    if args.json {
        let settings: Vec<Value> = entries.iter().map(entry).collect();
        ui::json(&json!({ "version": 1, "home": home.root(), "project": root, "settings": settings }));
        return Ok(Exit::Ok);
    }
    if root.is_none() {
        ui::say("this is no project: these are your settings for all projects");
    }
    for entry in &entries {
        ui::out(format!("# {}", entry.doc));
        ui::out(match &entry.value {
            Some(value) => format!("{} = {value}  # {}\n", entry.name, entry.origin),
            None => format!("# {} is unset: {}\n", entry.name, entry.otherwise.unwrap_or("nothing")),
        });
    }
    Ok(Exit::Ok)
}

/// One setting for programs. `value` is null while it is unset; a span of time is text.
fn entry(entry: &Entry) -> Value {
    let origin = match &entry.origin {
        Origin::BuiltIn => json!({ "kind": "built_in" }),
        Origin::File { path, line, .. } => json!({ "kind": "file", "path": path, "line": line }),
        Origin::Variable(name) => json!({ "kind": "variable", "name": name }),
        Origin::Flag(flag) => json!({ "kind": "flag", "name": flag }),
    };
    json!({
        "name": entry.name,
        "value": entry.value.as_deref().map(of_toml),
        "origin": origin,
        "doc": entry.doc,
        "unset_means": entry.otherwise,
    })
}

/// A value of the table, which prints itself as TOML, as JSON.
fn of_toml(text: &str) -> Value {
    let read = toml::from_str::<toml::Table>(&format!("v = {text}"));
    let value = read.ok().and_then(|mut table| table.remove("v"));
    // Ignored: a text that is no TOML is shown as it is.
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_else(|| Value::String(text.to_owned()))
}
