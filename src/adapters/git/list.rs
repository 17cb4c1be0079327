//! What git knows of worktrees, and what stands at a path: read before anything is made.

use std::path::{Path, PathBuf};

use super::{
    Git,
    command::{Call, GitError},
};

/// Reason of the lock on a worktree whose set-up has not ended.
pub(crate) const CREATING: &str = "autodo-creating";

/// A worktree as `git worktree list --porcelain` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    /// `None`: bare.
    pub(crate) head: Option<String>,
    /// Without `refs/heads/`; `None`: detached or bare.
    pub(crate) branch: Option<String>,
    /// The reason, which may be empty; `None`: not locked.
    pub(crate) locked: Option<String>,
}

impl Entry {
    fn is_creating(&self) -> bool {
        self.locked.as_deref() == Some(CREATING)
    }

    /// What it has checked out, for people.
    pub(crate) fn on(&self) -> String {
        match (&self.branch, &self.head) {
            (Some(branch), _) => format!("the branch {branch}"),
            (None, Some(head)) => format!("the commit {} without a branch", head.get(..12).unwrap_or(head)),
            (None, None) => "nothing".to_owned(),
        }
    }
}

/// What stands at the place of a worktree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    Missing,
    Empty,
    Full,
}

/// What is there already for a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing that is in the way.
    Free,
    /// It is registered, but its folder is gone.
    Missing(Entry),
    /// An earlier attempt was interrupted before the agent ever saw the folder.
    HalfMade(Entry),
    /// It is there, and this ticket's.
    Made(Entry),
    /// Branch or folder are in the hands of somebody else; says whose, and what to do.
    Taken(String),
}

/// What a judgement needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// The place of the worktree, without links.
    pub(crate) path: &'a Path,
    pub(crate) branch: &'a str,
    pub(crate) folder: Folder,
    /// True if autodo made this worktree before and knows where its work began.
    pub(crate) known: bool,
    /// True if the folder leads to what this repository knows of it.
    pub(crate) is_linked: bool,
    /// True if the checkout at `path` has got as far as its index.
    pub(crate) has_index: bool,
    /// True if it was drawn from the pool, and its branch was not switched yet.
    pub(crate) is_drawn: bool,
}

/// Judges whose branch and folder are. Pure.
pub(crate) fn judge(entries: &[Entry], facts: &Facts<'_>) -> Found {
    let Facts { path, branch, .. } = facts;
    let shown = path.display();
    let here = entries.iter().find(|e| e.path == *path);
    let elsewhere = entries.iter().find(|e| e.branch.as_deref() == Some(*branch) && e.path != *path);
    if let Some(other) = elsewhere {
        return Found::Taken(format!(
            "the branch {branch} is checked out in {}, not in {shown}: switch that worktree to another branch, or \
             remove it with `git worktree remove`",
            other.path.display()
        ));
    }
    let Some(entry) = here else {
        return match facts.folder {
            Folder::Missing | Folder::Empty => Found::Free,
            Folder::Full => Found::Taken(format!(
                "the folder {shown} exists and is no worktree of this repository: move it away, or remove it"
            )),
        };
    };
    let entry = entry.clone();
    let is_ours = entry.branch.as_deref() == Some(*branch) || facts.known;
    if facts.folder != Folder::Full {
        return match &entry.locked {
            Some(reason) if reason != CREATING => Found::Taken(format!(
                "the worktree {shown} is locked ({reason}) and its folder is not there: mount its disk, or unlock it \
                 with `git worktree unlock`"
            )),
            Some(_) => Found::Missing(entry),
            None if is_ours => Found::Missing(entry),
            None => Found::Taken(format!(
                "a worktree is registered at {shown} with {}, and its folder is gone: remove it with `git worktree \
                 remove`",
                entry.on()
            )),
        };
    }
    if !facts.is_linked {
        return Found::Taken(format!(
            "the folder {shown} is registered as a worktree, but does not lead back to its repository: move it away, \
             or try `git worktree repair {shown}`"
        ));
    }
    // Until its HEAD is written, a worktree that git is making is detached; one that autodo registers is on no branch
    // that there is.
    let is_on_none = entry.branch.as_deref().is_none_or(|branch| branch == super::register::UNBORN);
    let unborn = is_on_none && !facts.has_index;
    if entry.is_creating() && (is_ours || unborn || facts.is_drawn) {
        return Found::HalfMade(entry);
    }
    if is_ours {
        return Found::Made(entry);
    }
    Found::Taken(format!(
        "the worktree {shown} has {} checked out, not {branch}: switch it with `git switch {branch}`, or move it with \
         `git worktree move`",
        entry.on()
    ))
}

/// Reads `git worktree list --porcelain`, with `end` after each field: NUL, or a line feed before git 2.36.
pub(crate) fn parse(text: &str, end: char) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for field in text.split(end) {
        let (key, value) = field.split_once(' ').unwrap_or((field, ""));
        if key == "worktree" {
            entries.push(Entry { path: PathBuf::from(value), ..Entry::default() });
        }
        let Some(entry) = entries.last_mut() else { continue };
        match key {
            "HEAD" => entry.head = Some(value.to_owned()),
            "branch" => entry.branch = Some(value.strip_prefix("refs/heads/").unwrap_or(value).to_owned()),
            "locked" => entry.locked = Some(value.to_owned()),
            _ => {}
        }
    }
    entries
}

/// `path` without links, as far as it exists.
pub(crate) fn real(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            return rest.iter().rev().fold(real, |p, name| p.join(name));
        }
        rest.extend(ancestor.file_name());
    }
    path.to_owned()
}

/// The folder in which git keeps what belongs to the linked worktree at `worktree` alone.
///
/// # Errors
/// It is no linked worktree: its `.git` is missing, a folder, or unreadable.
pub(crate) fn own_dir(worktree: &Path) -> Result<PathBuf, GitError> {
    let file = worktree.join(".git");
    let text = std::fs::read_to_string(&file).map_err(|e| GitError::file("read", &file, &e))?;
    let dir = text.strip_prefix("gitdir:").map(str::trim).unwrap_or_default();
    let dir = worktree.join(dir);
    if dir.parent().and_then(Path::file_name).is_none_or(|name| name != "worktrees") {
        return Err(GitError::Refused(format!("{} is no linked worktree", worktree.display())));
    }
    Ok(dir)
}

/// True if a worktree is registered at `path`, or a registration cannot be read. Source: the files `gitdir`,
/// gitrepository-layout(5).
fn is_registered(common: &Path, path: &Path) -> bool {
    let folder = common.join("worktrees");
    let names = match std::fs::read_dir(&folder) {
        Ok(names) => names,
        Err(why) => return why.kind() != std::io::ErrorKind::NotFound,
    };
    let is_it = |own: PathBuf| match std::fs::read_to_string(own.join("gitdir")) {
        // It may be relative to the folder that the file is in (git 2.48, `worktree.useRelativePaths`).
        Ok(text) => own
            .join(text.trim_end())
            .parent()
            .is_none_or(|place| place == path || (place.file_name() == path.file_name() && real(place) == path)),
        Err(_) => true,
    };
    names.into_iter().any(|name| name.map_or(true, |name| is_it(name.path())))
}

/// Removes the folders for reports, where they are empty and all that is left of a worktree: an agent or a look at its
/// reports may have made them again just when somebody deleted the worktree. No file is ever removed.
fn remove_hollow(path: &Path) {
    if path.join(".git").symlink_metadata().is_ok() {
        return;
    }
    for folder in [".autodo/run/outbox", ".autodo/run", ".autodo"] {
        // Ignored: it is not there, or it holds something, which then is in the way and is named.
        std::fs::remove_dir(path.join(folder)).ok();
    }
}

impl Git {
    /// All worktrees of a repository, the main one first; paths without links.
    pub(crate) async fn worktrees(&self, repo: &Path) -> Result<Vec<Entry>, GitError> {
        let call = Call::new(repo).args(["worktree", "list", "--porcelain"]);
        let output = self.program.run(&call.clone().args(["-z"])).await?;
        // Exit 129 is a usage error: a git before 2.36, which has no -z.
        let mut entries = match output.status.code() {
            Some(129) => parse(&self.program.ok(&call).await?.text(), '\n'),
            Some(0) => parse(&String::from_utf8_lossy(&output.stdout), '\0'),
            _ => return Err(super::command::failed(&call, &output)),
        };
        for entry in &mut entries {
            entry.path = real(&entry.path);
        }
        Ok(entries)
    }

    /// True if there is neither such a branch nor a worktree registered at `path`. `git worktree list` would tell, too, but
    /// looks into every worktree for it: with a thousand of them that takes longer than all else.
    async fn is_unheard_of(&self, repo: &Path, path: &Path, branch: &str) -> Result<bool, GitError> {
        let (path, branch) = (path.to_owned(), format!("refs/heads/{branch}"));
        self.read(repo, move |r| Ok(r.resolve(&branch)?.is_none() && !is_registered(&r.layout()?.common_dir, &path)))
            .await
    }

    /// Looks at what is there for the branch `branch` at `path`.
    pub(crate) async fn look(&self, repo: &Path, path: &Path, branch: &str, known: bool) -> Result<Found, GitError> {
        let path = real(path);
        remove_hollow(&path);
        let folder = match std::fs::read_dir(&path) {
            Ok(mut names) => match names.next() {
                None => Folder::Empty,
                Some(_) => Folder::Full,
            },
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Folder::Missing,
            Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => Folder::Full,
            Err(e) => return Err(GitError::file("look into", &path, &e)),
        };
        if folder != Folder::Full && !known && self.is_unheard_of(repo, &path, branch).await? {
            return Ok(Found::Free);
        }
        let entries = self.worktrees(repo).await?;
        let own = own_dir(&path).ok().filter(|dir| dir.is_dir());
        let has_index = own.as_ref().is_some_and(|dir| dir.join("index").exists());
        let is_drawn = own.as_ref().is_some_and(|dir| dir.join(super::pool::MARK).exists());
        let is_linked = own.is_some();
        Ok(judge(&entries, &Facts { path: &path, branch, folder, known, is_linked, has_index, is_drawn }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "worktree /r\0HEAD aa\0branch refs/heads/main\0\0worktree /w/T\0HEAD bb\0branch \
                        refs/heads/autodo/T\0locked autodo-creating\0\0worktree /w/U\0HEAD cc\0detached\0locked\0\0";

    fn facts(folder: Folder, known: bool) -> Facts<'static> {
        Facts {
            path: Path::new("/w/T"),
            branch: "autodo/T",
            folder,
            known,
            is_linked: true,
            has_index: true,
            is_drawn: false,
        }
    }

    fn entry(branch: Option<&str>, locked: Option<&str>) -> Entry {
        Entry {
            path: "/w/T".into(),
            head: Some("bb".into()),
            branch: branch.map(Into::into),
            locked: locked.map(Into::into),
        }
    }

    #[test]
    fn the_list_is_read_with_both_ends_of_line() {
        let entries = parse(LIST, '\0');
        assert_eq!(entries, parse(&LIST.replace('\0', "\n"), '\n'));
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[1], entry(Some("autodo/T"), Some(CREATING)));
        assert_eq!((entries[2].branch.clone(), entries[2].locked.clone()), (None, Some(String::new())));
    }

    #[test]
    fn branch_and_folder_are_judged_by_what_is_registered() {
        use Folder::{Empty, Full, Missing};
        let ours = || entry(Some("autodo/T"), None);
        let table = [
            (vec![], Missing, false, "free"),
            (vec![], Empty, false, "free"),
            (vec![], Full, false, "taken"),
            (vec![], Full, true, "taken"),
            (vec![ours()], Full, false, "made"),
            (vec![ours()], Missing, false, "missing"),
            (vec![entry(Some("other"), None)], Full, false, "taken"),
            (vec![entry(Some("other"), None)], Full, true, "made"),
            (vec![entry(None, None)], Full, false, "taken"),
            (vec![entry(None, None)], Full, true, "made"),
            (vec![entry(None, None)], Missing, false, "taken"),
            (vec![entry(None, None)], Missing, true, "missing"),
            (vec![entry(Some("autodo/T"), Some(CREATING))], Full, false, "half"),
            (vec![entry(Some("autodo/T"), Some(CREATING))], Full, true, "half"),
            (vec![entry(Some("autodo/T"), Some("mine"))], Full, false, "made"),
            (vec![entry(Some("autodo/T"), Some("mine"))], Missing, false, "taken"),
            (vec![entry(None, Some(CREATING))], Missing, false, "missing"),
            (vec![entry(None, Some(CREATING))], Full, false, "taken"),
            (vec![Entry { path: "/else".into(), ..ours() }], Missing, false, "taken"),
            (vec![Entry { path: "/else".into(), ..ours() }], Missing, true, "taken"),
        ];
        for (entries, folder, known, expected) in table {
            let found = match judge(&entries, &facts(folder, known)) {
                Found::Free => "free",
                Found::Missing(_) => "missing",
                Found::HalfMade(_) => "half",
                Found::Made(_) => "made",
                Found::Taken(_) => "taken",
            };
            assert_eq!(found, expected, "{entries:?} {folder:?} known {known}");
        }
        let lost = Facts { is_linked: false, ..facts(Full, true) };
        assert!(matches!(judge(&[ours()], &lost), Found::Taken(_)));
        let unborn = Facts { has_index: false, ..facts(Full, false) };
        assert!(matches!(judge(&[entry(None, Some(CREATING))], &unborn), Found::HalfMade(_)));
    }
}
