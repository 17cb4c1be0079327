//! What a person or the application asks of a repository: where it is, who commits, what is configured.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{
    Git,
    command::{Call, GitError},
};
use crate::domain::observed::Observed;

/// Names of the hooks that git runs on the client. Source: githooks(5), git 2.47.
const HOOKS: &[&str] = &[
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-rewrite",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "prepare-commit-msg",
    "reference-transaction",
    "sendemail-validate",
];

/// A repository, as found from a folder in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    /// Top of the checkout or linked worktree that holds the folder; of a bare repository its own folder.
    pub root: PathBuf,
    /// Top of the main checkout, which the linked worktrees belong to; the bare repository itself where there is none.
    pub main_root: PathBuf,
    /// What all worktrees share.
    pub common_dir: PathBuf,
    /// The commit checked out; `None`: there is none yet.
    pub head_commit: Option<String>,
    /// The branch checked out; `None`: detached.
    pub head_branch: Option<String>,
    /// True if there is no checkout.
    pub is_bare: bool,
    /// The remote's default branch, such as `origin/main`, as far as this clone knows.
    pub remote_default: Option<String>,
    /// Changed and untracked paths, at most 200 and one entry that counts the rest.
    pub dirty: Vec<String>,
}

/// Oldest git that can be used: the first whose `worktree add` takes `--reason`.
pub const OLDEST: (u32, u32) = (2, 33);

impl Git {
    /// Finds the repository that holds `path`.
    ///
    /// # Errors
    /// [`GitError::NotARepository`], or why it could not be read.
    pub async fn discover(&self, path: &Path) -> Result<Repo, GitError> {
        let (layout, head, remote_default) =
            self.read(path, |r| Ok((r.layout()?, r.head()?, r.symbolic("refs/remotes/origin/HEAD")?))).await?;
        let main_root = self.worktrees(path).await?.first().map(|e| e.path.clone());
        let dirty = match &layout.root {
            Some(root) => self.status(root).await?.dirty,
            None => Vec::new(),
        };
        Ok(Repo {
            is_bare: layout.root.is_none(),
            root: layout.root.unwrap_or_else(|| layout.common_dir.clone()),
            main_root: main_root.unwrap_or_else(|| layout.common_dir.clone()),
            common_dir: layout.common_dir,
            head_commit: head.commit,
            head_branch: head.branch,
            remote_default: remote_default.and_then(|r| r.strip_prefix("refs/remotes/").map(str::to_owned)),
            dirty,
        })
    }

    /// Name and address that commits in `repo` would carry, if somebody has set them; what git would make up of the
    /// machine's names does not count.
    pub async fn identity(&self, repo: &Path) -> Observed<(String, String)> {
        let call = Call::new(repo).args(["-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"]);
        match self.program.run(&call).await {
            Err(why) => Observed::Unknown(why.to_string()),
            Ok(output) if output.status.success() => {
                let text = output.text();
                let parts = text.rsplit_once('>').and_then(|(who, _)| who.rsplit_once(" <"));
                match parts {
                    Some((name, address)) => Observed::Present((name.to_owned(), address.to_owned())),
                    None => Observed::Unknown(format!("git gave an identity that cannot be read: {text}")),
                }
            }
            // The words of git 2.x for a missing name or address; anything else is another trouble.
            Ok(output) if output.stderr.contains("Please tell me who you are") => Observed::Absent,
            Ok(output) => Observed::Unknown(super::command::failed(&call, &output).to_string()),
        }
    }

    /// Options that give autodo's own commits an identity where nobody has set one.
    pub(crate) async fn own_identity(&self, repo: &Path) -> Result<Vec<&'static str>, GitError> {
        match self.identity(repo).await {
            Observed::Present(_) => Ok(Vec::new()),
            Observed::Absent => Ok(vec!["-c", "user.name=autodo", "-c", "user.email=autodo@localhost"]),
            Observed::Unknown(why) => Err(GitError::Refused(format!("cannot find out who commits: {why}"))),
        }
    }

    /// The format (`openpgp`, `ssh`, `x509`) in which commits are signed; absent: they are not.
    pub async fn signing(&self, repo: &Path) -> Observed<String> {
        match self.config(repo, &["--type=bool", "commit.gpgsign"]).await {
            Ok(Some(value)) if value == "true" => match self.config(repo, &["gpg.format"]).await {
                Ok(format) => Observed::Present(format.unwrap_or_else(|| "openpgp".to_owned())),
                Err(why) => Observed::Unknown(why.to_string()),
            },
            Ok(_) => Observed::Absent,
            Err(why) => Observed::Unknown(why.to_string()),
        }
    }

    pub(crate) async fn config(&self, repo: &Path, what: &[&str]) -> Result<Option<String>, GitError> {
        let call = Call::new(repo).args(["config", "--get"]).args(what);
        let output = self.program.run(&call).await?;
        match output.status.code() {
            Some(0) => Ok(Some(output.text())),
            Some(1) => Ok(None),
            _ => Err(super::command::failed(&call, &output)),
        }
    }

    /// Names of the hooks that git would run in `repo`, wherever `core.hooksPath` puts them.
    ///
    /// # Errors
    /// The folder of the hooks could not be found or read. One that is not there has no hooks.
    pub async fn hooks(&self, repo: &Path) -> Result<Vec<String>, GitError> {
        let folder = self.program.ok(&Call::new(repo).args(["rev-parse", "--git-path", "hooks"])).await?.text();
        let folder = repo.join(folder);
        let is_active = |name: &&&str| {
            let kind = std::fs::metadata(folder.join(name));
            kind.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        };
        match std::fs::read_dir(&folder) {
            Ok(_) => Ok(HOOKS.iter().filter(is_active).map(|h| (*h).to_owned()).collect()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(GitError::file("list the hooks in", &folder, &e)),
        }
    }

    /// The diff between two commits, for people: with colours, or as a list of files with counts.
    ///
    /// # Errors
    /// Why git could not make it.
    pub async fn diff(&self, repo: &Path, base: &str, head: &str, color: bool, stat: bool) -> Result<String, GitError> {
        let color = if color { "--color=always" } else { "--color=never" };
        let mut call = Call::new(repo).args(["diff", "--no-ext-diff", "-M", color]);
        if stat {
            call = call.args(["--stat=120"]);
        }
        let output = self.program.ok(&call.args(["--end-of-options", base, head, "--"])).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The version of git, such as `2.47.3`; absent: there is no git on the PATH.
    pub async fn version(&self) -> Observed<String> {
        match self.program.ok(&Call::new(Path::new("/")).args(["version"])).await {
            Ok(output) => match output.text().split_whitespace().nth(2) {
                Some(version) => Observed::Present(version.to_owned()),
                None => Observed::Unknown(format!("git says {:?} of its version", output.text())),
            },
            Err(GitError::Start { why, .. }) if why.contains("No such file") => Observed::Absent,
            Err(why) => Observed::Unknown(why.to_string()),
        }
    }
}
