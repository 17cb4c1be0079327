//! `autodo profile`: what agents there are, and whether a profile of one's own is right.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{context::Context, json, ui};
use crate::{
    adapters::{fs, git::Git},
    agent::profile::{Library, Profile},
    app::{AppError, Exit, intake::repo_at, profiles::LayeredProfiles},
};

/// `profile`.
#[derive(Args)]
pub struct ProfileArgs {
    #[command(subcommand)]
    verb: ProfileVerb,
}

#[derive(Subcommand)]
enum ProfileVerb {
    /// List the profiles that a ticket can name.
    List {
        /// JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Print a profile with all that it extends, and the files it comes from.
    Show {
        /// Its name.
        name: String,
    },
    /// Say what is wrong with the file of a profile.
    Check {
        /// The file.
        file: PathBuf,
    },
}

/// Runs it.
///
/// # Errors
/// There is no such profile, or it is wrong: with line and caret.
pub async fn run(context: &Context, args: &ProfileArgs) -> Result<Exit, AppError> {
    let profiles = LayeredProfiles::new(context.home()?.root());
    let folder = context.folder()?;
    let root = match repo_at(&Git::new(), &folder).await {
        Ok(repo) => Some(repo.root),
        // Outside a project the user's profiles are there.
        Err(error) if error.exit == Exit::Usage => None,
        Err(error) => return Err(error),
    };
    match &args.verb {
        ProfileVerb::List { json } => Ok(list(&profiles, root.as_deref(), *json)),
        ProfileVerb::Show { name } => show(&profiles, root.as_deref(), name),
        ProfileVerb::Check { file } => check(&profiles, root.as_deref(), &folder.join(file), file),
    }
}

/// Lists them; a file that is wrong is named, and makes the exit code 2.
fn list(profiles: &LayeredProfiles, root: Option<&Path>, as_json: bool) -> Exit {
    let (library, mut problems) = profiles.library(root);
    let mut good: Vec<Profile> = Vec::new();
    for (name, _) in library.names() {
        match library.get(name) {
            Ok(profile) => good.push(profile),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if as_json {
        let all: Vec<Value> = good.iter().map(entry).collect();
        ui::json(&json!({ "version": 1, "profiles": all, "problems": problems }));
    } else {
        let width = good.iter().map(|profile| profile.name.len()).max().unwrap_or(0);
        for profile in &good {
            let base = if profile.launch.argv.is_empty() { " (a base: it starts nothing itself)" } else { "" };
            ui::out(format!(
                "{:<width$}  {}{base}  [{}]",
                profile.name,
                ui::plain(&profile.description),
                profile.origin
            ));
        }
        for problem in &problems {
            ui::notice(problem);
        }
    }
    if problems.is_empty() { Exit::Ok } else { Exit::Usage }
}

fn entry(profile: &Profile) -> Value {
    json!({
        "name": profile.name,
        "description": profile.description,
        "origin": profile.origin,
        "is_base": profile.launch.argv.is_empty(),
        "programs": profile.programs.iter().map(|program| &program.name).collect::<Vec<_>>(),
        "resumable": profile.resumable,
        "feedback": profile.feedback,
        "unverified": profile.unverified,
    })
}

fn show(profiles: &LayeredProfiles, root: Option<&Path>, name: &str) -> Result<Exit, AppError> {
    let (library, problems) = profiles.library(root);
    let shown = library.show(name).map_err(|error| {
        let also = problems.iter().map(|problem| format!("\n{problem}")).collect::<String>();
        AppError::usage(format!("{error}{also}")).hint("autodo profile list shows what there is")
    })?;
    if json::is_on() {
        json::document(&json!({ "version": 1, "name": name, "origins": shown.origins, "text": shown.text }));
        return Ok(Exit::Ok);
    }
    let mut origins = shown.origins.iter();
    let first = origins.next().map_or("", String::as_str);
    ui::out(format!("# {first}"));
    for origin in origins {
        ui::out(format!("#   over {origin}"));
    }
    ui::out_text(&shown.text);
    Ok(Exit::Ok)
}

/// Reads the file as it would be read in its place: over the built-in profiles, the user's and the project's.
fn check(profiles: &LayeredProfiles, root: Option<&Path>, path: &Path, typed: &Path) -> Result<Exit, AppError> {
    let text =
        fs::read_to_string(path).map_err(|e| AppError::usage(e.to_string()).hint("name the TOML file of a profile"))?;
    let (mut library, problems): (Library, _) = profiles.library_without(root, Some(path));
    let origin = typed.display().to_string();
    let checked = library.add(&text, &origin).and_then(|name| library.get(&name));
    let profile = checked.map_err(|error| {
        let also = problems.iter().map(|problem| format!("\n{problem}")).collect::<String>();
        AppError::usage(format!("{error}{also}")).hint("profiles/README.md in autodo's source explains every key")
    })?;
    ui::did(None, "checked", format!("{origin}: the profile {} is right", profile.name));
    if profile.launch.argv.is_empty() {
        ui::say("it has no argv: it is a base for other profiles, and no ticket can name it");
    }
    Ok(Exit::Ok)
}
