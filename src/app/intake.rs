//! From what a person gives (a folder of tickets, a title, settings) to tickets that can be accepted.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{api::NewTicket, error::AppError, open::App, sources};
use crate::{
    adapters::{
        env, fs,
        git::{Git, GitError, Repo},
        store,
    },
    agent::profile::Profile,
    config::{FileLayer, Flag, Layer, Settings},
    domain::{
        backlog as rules,
        id::TicketId,
        observed::Observed,
        row::{Row, Source},
        ticket::Ticket,
    },
    format::{accepted, ticket as text},
    supervisor::Profiles,
};

/// A git repository with its settings.
pub struct Project {
    /// The repository.
    pub repo: Repo,
    /// Its name: the checkout's folder name.
    pub name: String,
    /// Its settings.
    pub settings: Settings,
}

/// A ticket as read, before it is accepted.
pub struct Draft {
    /// Where it was read from, for messages.
    pub origin: String,
    /// Its file and digest; `None`: typed.
    pub source: Option<Source>,
    /// The ticket.
    pub ticket: Ticket,
    /// True where its id was made by autodo.
    pub id_is_generated: bool,
}

/// The folder of a project's own tickets.
#[must_use]
pub fn default_backlog(root: &Path) -> PathBuf {
    root.join(".autodo/tickets")
}

/// The project that `folder` belongs to.
///
/// # Errors
/// It is in no git repository, or its settings are wrong.
pub async fn project(app: &App, folder: &Path, flags: Vec<Flag>) -> Result<Project, AppError> {
    project_at(&app.git, app.home.root(), folder, flags).await
}

/// The project that `folder` belongs to, for a home that need not be there.
///
/// # Errors
/// It is in no git repository, or its settings are wrong.
pub async fn project_at(git: &Git, home: &Path, folder: &Path, flags: Vec<Flag>) -> Result<Project, AppError> {
    let repo = repo_at(git, folder).await?;
    let settings = settings_at(home, Some(&repo.root), flags)?;
    let name = repo.root.file_name().map_or_else(|| "project".to_owned(), |n| n.to_string_lossy().into_owned());
    Ok(Project { repo, name, settings })
}

/// The git repository that `folder` belongs to.
///
/// # Errors
/// There is none, or git cannot read it.
pub async fn repo_at(git: &Git, folder: &Path) -> Result<Repo, AppError> {
    git.discover(folder).await.map_err(|error| match error {
        GitError::NotARepository { .. } => AppError::usage(format!("{} is in no git repository", folder.display()))
            .hint("go to your project first, or make it one: git init"),
        GitError::NoFolder(_) => AppError::usage(error.to_string()).hint("name a folder that is there"),
        other => AppError::new(other.to_string()).hint("autodo doctor looks at git"),
    })
}

/// Settings of the home, and of the checkout at `root`.
///
/// # Errors
/// All that is wrong in any layer.
pub fn settings(app: &App, root: Option<&Path>, flags: Vec<Flag>) -> Result<Settings, AppError> {
    settings_at(app.home.root(), root, flags)
}

/// Settings of the home at `home`, and of the checkout at `root`.
///
/// # Errors
/// All that is wrong in any layer.
pub fn settings_at(home: &Path, root: Option<&Path>, flags: Vec<Flag>) -> Result<Settings, AppError> {
    let mut layers = Vec::new();
    let files = [
        Some((FileLayer::User, home.join("config.toml"))),
        root.map(|root| (FileLayer::Project, root.join(".autodo/config.toml"))),
    ];
    for (whose, path) in files.into_iter().flatten() {
        match fs::look_text(&path) {
            Observed::Present(text) => layers.push(Layer::File { whose, path, text }),
            Observed::Absent => {}
            Observed::Unknown(why) => return Err(AppError::new(why).hint("mend the file's permissions")),
        }
    }
    let variables = env::all()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("AUTODO_"))
        .collect();
    layers.push(Layer::Variables(variables));
    layers.push(Layer::Flags(flags));
    Settings::load(&layers).map_err(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        AppError::usage(all.join("\n"))
            .hint("mend what is named; autodo config then lists every setting with its origin")
    })
}

/// What is wrong with a set of drafts, in words; and which of them must be left out because of it.
///
/// # Errors
/// The queue cannot be read.
pub fn check(app: &App, drafts: &mut Vec<Draft>) -> Result<Vec<String>, AppError> {
    let known: BTreeMap<String, TicketId> = known_ids(app, drafts)?;
    let mut pairs: Vec<(String, Ticket)> = drafts.iter().map(|d| (d.origin.clone(), d.ticket.clone())).collect();
    let folded: BTreeSet<String> = known.keys().cloned().collect();
    let troubles = rules::check(&pairs, &folded);
    let mut out: BTreeSet<usize> = troubles.iter().map(|t| t.index).collect();
    let mut said: Vec<String> = troubles.iter().map(|t| format!("{t}\n  hint: {}", t.hint())).collect();
    for (index, because) in rules::fallout(&pairs, &out) {
        said.push(format!("{}: left out too: it comes after {because}", pairs[index].0));
        out.insert(index);
    }
    rules::spell_dependencies(&mut pairs, known.values());
    for (draft, (_, ticket)) in drafts.iter_mut().zip(pairs) {
        draft.ticket = ticket;
    }
    let mut index = 0;
    drafts.retain(|_| {
        index += 1;
        !out.contains(&(index - 1))
    });
    Ok(said)
}

/// The ids of the queue, and those of the archive that the drafts speak of, by their folded form.
fn known_ids(app: &App, drafts: &[Draft]) -> Result<BTreeMap<String, TicketId>, AppError> {
    let named: BTreeSet<String> =
        drafts.iter().flat_map(|d| d.ticket.after.iter().chain([&d.ticket.id])).map(TicketId::folded).collect();
    let archived = store::archived_ids(&app.home, |id| named.contains(&id.to_ascii_lowercase()))?;
    let queue = store::read_queue(&app.home)?;
    let ids = queue.rows.into_iter().map(|row| row.id).chain(archived);
    Ok(ids.map(|id| (id.folded(), id)).collect())
}

/// Makes drafts acceptable: profile found, settings frozen, base resolved. `say` is told what a person should know.
///
/// # Errors
/// A profile is not there, a ticket does not fit its profile, or the base cannot be resolved.
pub async fn prepare(
    app: &App,
    project: &Project,
    drafts: Vec<Draft>,
    mut say: impl FnMut(String),
) -> Result<Vec<NewTicket>, AppError> {
    let wanted = &project.settings.base.value;
    let base = app
        .git
        .resolve(&project.repo.root, wanted)
        .await
        .map_err(|e| AppError::new(e.to_string()).hint("autodo doctor looks at git"))?
        .ok_or_else(|| {
            AppError::usage(format!("the base {wanted:?} names no commit in {}", project.repo.root.display()))
                .hint("make a first commit, or set base in .autodo/config.toml")
        })?;
    if let Some(remote) = &project.repo.remote_default
        && let Ok(Some(theirs)) = app.git.resolve(&project.repo.root, remote).await
        && theirs != base
    {
        say(format!("tickets start from {wanted} of this checkout, which is not the {remote} known here"));
    }
    let mut tickets = Vec::new();
    for draft in drafts {
        let name = draft.ticket.profile.clone().unwrap_or_else(|| project.settings.profile.value.clone());
        let profile = app.profiles.get(&name, &project.repo.root).map_err(|why| {
            AppError::usage(format!("{}: {why}", draft.origin)).hint("autodo profile list shows what there is")
        })?;
        fits(&draft, &profile)?;
        let frozen = project.settings.to_frozen(&draft.ticket, &profile.limits());
        let accepted = accepted::render(&draft.ticket, &frozen).map_err(|e| {
            AppError::new(e.to_string()).hint("write its title and keys in plain text; autodo add --dry-run tries it")
        })?;
        tickets.push(NewTicket {
            accepted,
            profile: name,
            project: project.name.clone(),
            repo: project.repo.root.clone(),
            target: project.repo.head_branch.clone(),
            base: base.clone(),
            worktree_root: worktree_root(project),
            source: draft.source,
            by: app.user(),
            from: env::current_dir().map(|d| d.display().to_string()).unwrap_or_default(),
            id_is_generated: draft.id_is_generated,
        });
    }
    Ok(tickets)
}

/// A profile that does nothing but run blocks takes no prose.
fn fits(draft: &Draft, profile: &Profile) -> Result<(), AppError> {
    if !profile.needs_run_blocks {
        return Ok(());
    }
    match text::run_blocks(&draft.ticket.body) {
        Ok(blocks) if !blocks.is_empty() => Ok(()),
        Ok(_) => Err(AppError::usage(format!(
            "{}: the profile {} does what stands in sh blocks under ## Run, and there are none",
            draft.origin, profile.name
        ))
        .hint("write the blocks, or give the ticket another profile (profile: claude, or --profile)")),
        Err(problems) => {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(AppError::usage(format!("{}:\n{}", draft.origin, all.join("\n")))
                .hint("mend its blocks under ## Run: docs/guide/tickets.md shows one"))
        }
    }
}

/// `<repo>.worktrees` beside the checkout, or what the settings say.
#[must_use]
pub fn worktree_root(project: &Project) -> PathBuf {
    let root = &project.repo.root;
    match &project.settings.worktree_root.value {
        Some(folder) => root.join(folder),
        None => {
            let mut name = root.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
            name.push(".worktrees");
            root.with_file_name(name)
        }
    }
}

/// The checks and settings of a known ticket, as the checkout has them now.
///
/// # Errors
/// The checkout or its settings cannot be read.
pub async fn refreshed(app: &App, row: &Row) -> Result<NewTicket, AppError> {
    let project = project(app, &row.repo, vec![]).await?;
    let (mut ticket, _) =
        app.world.files.accepted(&row.id).map_err(|why| AppError::new(why).hint("autodo doctor looks at the home"))?;
    ticket.profile = Some(row.profile.clone());
    // The ticket's own file may have been mended, too: its commands count as they are now.
    if let Some(source) = &row.source
        && let Some(draft) = sources::again(source, &row.id)
    {
        ticket.accept = draft.ticket.accept;
        ticket.limit_s = draft.ticket.limit_s;
        ticket.budget = draft.ticket.budget;
    }
    let draft = Draft { origin: row.id.to_string(), source: row.source.clone(), ticket, id_is_generated: false };
    let mut prepared = prepare(app, &project, vec![draft], |_| {}).await?;
    prepared.pop().ok_or_else(|| {
        AppError::new(format!("{} could not be read again", row.id))
            .hint(format!("autodo show {} tells where its file is", row.id))
    })
}
