//! `autodo config`: every setting with its origin; `autodo config permissions`: the rules that hold, and where they stand.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{context::Context, ui};
use crate::{
    adapters::{fs, git::Git},
    app::{
        AppError, Exit,
        intake::{repo_at, settings_at},
    },
    config::{Entry, Origin, Settings},
    domain::observed::Observed,
    format::permissions::Live,
};

/// `config`.
#[derive(Args)]
pub struct ConfigArgs {
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

/// What of the settings.
#[derive(Clone, Copy, Subcommand)]
enum What {
    /// List the rules for what agents ask to be allowed, in the order in which they are looked at
    ///
    /// Those of the project's settings hold for tickets that are accepted from now on. Those that autodo answer ID always
    /// added are read at each request; edit their file to change or remove them.
    Permissions {
        /// JSON, for programs.
        #[arg(long)]
        json: bool,
    },
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
    if let Some(What::Permissions { json }) = args.what {
        let root = root.ok_or_else(|| {
            AppError::usage("this is no project, so it has no rules for permissions").hint("go to your project first")
        })?;
        return permissions(&home.live_rules(&root), &root, &settings, json || args.json);
    }
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

/// The rules of the project at `root`: the live ones, which are in `file`, and those of its settings.
fn permissions(file: &Path, root: &Path, settings: &Settings, json: bool) -> Result<Exit, AppError> {
    let live = match fs::look_text(file) {
        Observed::Present(text) => Live::parse(&text, root).map_err(|why| {
            AppError::new(format!("cannot read {}: {why}", file.display()))
                .hint("mend that line; until then a person is asked everything")
        })?,
        Observed::Absent => Live::default(),
        Observed::Unknown(why) => return Err(AppError::new(why).hint("mend the file's permissions")),
    };
    let own = &settings.permissions;
    if json {
        let origin = own.origin.to_string();
        let settings = json!({ "rules": own.value, "origin": origin });
        ui::json(&json!({ "version": 1, "file": file, "live": live.rules, "settings": settings }));
        return Ok(Exit::Ok);
    }
    ui::out(format!("# live, read at each request: {}", file.display()));
    for rule in &live.rules {
        ui::out(ui::plain(rule));
    }
    ui::out(format!("\n# of the settings, kept with each ticket when it is accepted: {}", own.origin));
    for rule in &own.value {
        ui::out(ui::plain(rule));
    }
    ui::out(
        "\n# The first that matches decides; a deny of the settings stands. Where none matches, a person is asked.",
    );
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
