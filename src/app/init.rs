//! `init`: makes a git repository ready for autodo. It may be run again, and changes only what is missing.

use std::path::{Path, PathBuf};

use super::{
    error::AppError,
    intake::{default_backlog, repo_at, settings_at},
    profiles::LayeredProfiles,
};
use crate::{
    adapters::{
        fs::{self, FsError},
        git::{Git, Repo},
        process::find_program,
    },
    agent::profile::Profile,
    config::{project_file, propose_checks},
    domain::observed::Observed,
};

/// Profile of a project for which no agent was found: it is part of the program.
pub const FALLBACK: &str = "script";
/// Largest file of a project that is read for a proposal, in bytes.
const READ_AT_MOST: u64 = 1024 * 1024;
/// What `info/exclude` says.
const EXCLUDED: &str = "/.autodo/run/";

/// One thing that `init` looks after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What, in a few words: a path of the project, or a line in a file.
    pub what: String,
    /// True: it was missing, and was made (or would be). False: it was there, and was left as it is.
    pub made: bool,
    /// More lines for a person.
    pub notes: Vec<String>,
}

/// What `init` did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Top of the checkout.
    pub root: PathBuf,
    /// What it looked after, in order.
    pub steps: Vec<Step>,
    /// The text of the settings file, where it was missing.
    pub config: Option<String>,
}

/// Makes the repository of `folder` ready, for a home at `home`, which need not be there. With `dry_run` nothing is
/// changed, and what would be done is returned.
///
/// # Errors
/// It is no repository with a checkout and a commit, or something could not be written.
pub async fn init(git: &Git, home: &Path, folder: &Path, dry_run: bool) -> Result<Done, AppError> {
    let repo = usable(repo_at(git, folder).await?)?;
    let root = repo.root.clone();
    let (settings, config) = settings_file(home, &root, dry_run)?;
    let steps = vec![settings, tickets(&root, dry_run)?, exclude(git, &repo, dry_run).await?];
    Ok(Done { root, steps, config })
}

/// Refuses a repository in which no ticket could be worked on.
fn usable(repo: Repo) -> Result<Repo, AppError> {
    let shown = repo.root.display();
    if repo.is_bare {
        return Err(AppError::usage(format!("{shown} is a bare repository: it has no checkout to work from"))
            .hint("clone it, and run autodo init in the clone"));
    }
    if repo.head_commit.is_none() {
        return Err(AppError::usage(format!("{shown} has no commit yet, and a worktree starts from one"))
            .hint("make a first commit: git commit --allow-empty -m \"first\""));
    }
    Ok(repo)
}

/// `.autodo/config.toml`, and its text where it was missing.
fn settings_file(home: &Path, root: &Path, dry_run: bool) -> Result<(Step, Option<String>), AppError> {
    let path = root.join(".autodo/config.toml");
    let mut step = Step { what: ".autodo/config.toml".to_owned(), made: false, notes: Vec::new() };
    match fs::look_kind(&path) {
        Observed::Present(_) => {
            // What is there is the project's; but a mistake in it is better known now than at night.
            if let Err(error) = settings_at(home, Some(root), vec![]) {
                step.notes.push(error.message);
            }
            return Ok((step, None));
        }
        Observed::Unknown(why) => return Err(AppError::new(why).hint(PERMISSIONS)),
        Observed::Absent => {}
    }
    let (profile, note) = choose_profile(home, root);
    let checks = proposed(root)?;
    step.notes.push(note.clone());
    step.notes.push(match checks.as_slice() {
        [] => {
            "no checks: nothing here says how this project is tested; set checks, or checks = [] if it has none".into()
        }
        some => format!("checks, as proposed: {}; read them, nobody else does at night", some.join(", ")),
    });
    let text = project_file(&profile, &checks, &note);
    step.made = true;
    if !dry_run {
        fs::create_dir(&root.join(".autodo")).map_err(|e| unwritable(&e))?;
        // Made by somebody else meanwhile: theirs counts.
        step.made = fs::exclusive_create(&path, text.as_bytes(), fs::SHARED).map_err(|e| unwritable(&e))?;
    }
    Ok((step, Some(text)))
}

/// The profile of the first agent that is installed, and why. The project's own profiles go before the user's, and
/// these before the built-in ones; among those of a layer such as have nothing unverified go first.
fn choose_profile(home: &Path, root: &Path) -> (String, String) {
    let (library, problems) = LayeredProfiles::new(home).library(Some(root));
    let mut found: Vec<((usize, bool), Profile, Vec<String>)> = Vec::new();
    for (name, origin) in library.names() {
        // Ignored: a profile that is wrong is not proposed; autodo profile list names it.
        let Ok(profile) = library.get(name) else { continue };
        if profile.programs.is_empty() || profile.launch.argv.is_empty() {
            continue;
        }
        let paths: Option<Vec<String>> = profile
            .programs
            .iter()
            .map(|p| find_program(&p.name).present().map(|path| path.display().to_string()))
            .collect();
        if let Some(paths) = paths {
            let own = Path::new(origin).starts_with(root);
            let rank = if own { 0 } else { 1 + usize::from(origin.starts_with("built-in ")) };
            found.push(((rank, !profile.unverified.is_empty()), profile, paths));
        }
    }
    found.sort_by_key(|(rank, ..)| *rank);
    let Some((_, first, paths)) = found.first() else {
        let also = if problems.is_empty() { "" } else { "; autodo profile list names profiles that cannot be read" };
        let why = format!(
            "no agent with a profile was found on the PATH, so tickets go to {FALLBACK}, which runs the sh blocks of a \
             ticket and calls no model{also}"
        );
        return (FALLBACK.to_owned(), why);
    };
    let mut why = format!("profile {}, since {} is there", first.name, paths.join(" and "));
    let others: Vec<&str> = found.iter().skip(1).map(|(_, profile, _)| profile.name.as_str()).collect();
    if !others.is_empty() {
        why.push_str(&format!("; there are also: {}", others.join(", ")));
    }
    (first.name.clone(), why)
}

/// Checks proposed by the files in the root of the project.
fn proposed(root: &Path) -> Result<Vec<String>, AppError> {
    let listed = match fs::list_dir(root) {
        Observed::Present(listed) => listed,
        Observed::Absent => Vec::new(),
        Observed::Unknown(why) => return Err(AppError::new(why).hint(PERMISSIONS)),
    };
    let names: Vec<String> = listed.iter().filter_map(|l| l.name.to_str().map(str::to_owned)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let read = |name: &str| {
        // Ignored: a file that cannot be read proposes nothing.
        let bytes = fs::read_untrusted(&root.join(name), READ_AT_MOST).ok()?;
        String::from_utf8(bytes).ok()
    };
    Ok(propose_checks(&names, &read))
}

/// `.autodo/tickets/`, with a page that shows how a ticket looks. A backlog passes over that name.
fn tickets(root: &Path, dry_run: bool) -> Result<Step, AppError> {
    let folder = default_backlog(root);
    let page = folder.join("README.md");
    let mut step = Step { what: ".autodo/tickets/".to_owned(), made: false, notes: Vec::new() };
    match fs::look_kind(&folder) {
        // A folder that is there is somebody's, with or without our page.
        Observed::Present(fs::Kind::Folder | fs::Kind::Link) => return Ok(step),
        Observed::Present(fs::Kind::File | fs::Kind::Other) => {
            return Err(AppError::new(format!("cannot make {}: there is a file of that name", folder.display()))
                .hint("move it away, and run autodo init again"));
        }
        Observed::Unknown(why) => return Err(AppError::new(why).hint(PERMISSIONS)),
        Observed::Absent => {}
    }
    step.made = true;
    step.notes.push("its README.md shows how a ticket looks; it is none itself".to_owned());
    if !dry_run {
        fs::create_dir(&folder).map_err(|e| unwritable(&e))?;
        fs::exclusive_create(&page, EXAMPLE.as_bytes(), fs::SHARED).map_err(|e| unwritable(&e))?;
    }
    Ok(step)
}

/// The line in `info/exclude`.
async fn exclude(git: &Git, repo: &Repo, dry_run: bool) -> Result<Step, AppError> {
    let file = repo.common_dir.join("info/exclude");
    let wrong = |why: String| AppError::new(why).hint(PERMISSIONS);
    let made = if dry_run {
        match fs::look(&file) {
            Observed::Present(bytes) => {
                !bytes.split(|b| *b == b'\n').any(|line| line.trim_ascii_end() == EXCLUDED.as_bytes())
            }
            Observed::Absent => true,
            Observed::Unknown(why) => return Err(wrong(why)),
        }
    } else {
        git.exclude_line(&repo.root, EXCLUDED).await.map_err(|e| wrong(e.to_string()))?
    };
    Ok(Step { what: format!("{EXCLUDED} in {}", file.display()), made, notes: Vec::new() })
}

const PERMISSIONS: &str = "mend the permissions there, and run autodo init again";

fn unwritable(error: &FsError) -> AppError {
    AppError::new(error.to_string()).hint(PERMISSIONS)
}

/// The page in the folder of tickets.
const EXAMPLE: &str = include_str!("tickets.md");
