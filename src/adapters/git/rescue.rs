//! Rescue references: `refs/autodo/rescue/<ticket>/<n>` holds work that a removal would lose.
//!
//! The reference names the tip of the ticket's branch; or, where the tree held changes, a commit above it with the
//! whole tree, untracked files included. Where the index held something else again, that is its second parent. Nothing
//! in autodo ever deletes such a reference.

use std::{
    ffi::OsString,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::{
    Git,
    command::{Call, GitError},
    list::own_dir,
    place,
    prepare::RUN_FOLDER,
};
use crate::domain::id::TicketId;

const PREFIX: &str = "refs/autodo/rescue/";
/// How the subject of a commit begins that holds what was not committed.
const UNCOMMITTED: &str = "autodo: uncommitted work of ";

/// One rescue reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescue {
    /// The ticket, as the reference names it.
    pub ticket: String,
    /// Which rescue of that ticket, from 1.
    pub number: String,
    /// The whole name of the reference.
    pub name: String,
    /// The commit.
    pub commit: String,
    /// When the commit was made, in seconds since 1970.
    pub made: i64,
    /// The first line of its message.
    pub subject: String,
    /// True if it holds what was not committed, above the last commit.
    pub uncommitted: bool,
}

/// What a restore made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The new branch.
    pub branch: String,
    /// The new worktree.
    pub worktree: PathBuf,
}

impl Git {
    /// Keeps the ticket's branch and what its worktree holds; returns the name of the reference. What is kept already
    /// is not kept again.
    ///
    /// # Errors
    /// Something could not be kept: a submodule or a repository of its own with changes, or git failed. Then nothing
    /// may be removed.
    pub(crate) async fn rescue(
        &self,
        repo: &Path,
        worktree: Option<&Path>,
        ticket: &TicketId,
    ) -> Result<String, GitError> {
        let commit = match worktree.filter(|path| path.exists()) {
            Some(path) => self.snapshot(path, ticket).await?,
            None => None,
        };
        let commit = match commit {
            Some(commit) => commit,
            None => self.tip_of(repo, ticket).await?.ok_or_else(|| {
                GitError::Refused(format!("cannot rescue {ticket}: there is neither a branch nor a change"))
            })?,
        };
        self.keep_rescue(repo, ticket, &commit).await
    }

    /// Gives `commit` a rescue reference of its own, unless one holds the same.
    pub(crate) async fn keep_rescue(&self, repo: &Path, ticket: &TicketId, commit: &str) -> Result<String, GitError> {
        let known = self.rescues(repo).await?;
        let known: Vec<&Rescue> = known.iter().filter(|r| r.ticket == ticket.as_str()).collect();
        let shape = self.shape(repo, commit).await?;
        for rescue in &known {
            if rescue.commit == commit || self.shape(repo, &rescue.commit).await? == shape {
                return Ok(rescue.name.clone());
            }
        }
        let last = known.iter().filter_map(|r| r.number.parse::<u32>().ok()).max().unwrap_or(0);
        let name = format!("{PREFIX}{ticket}/{}", last + 1);
        // The empty old value: it must not be there.
        self.program.ok(&Call::new(repo).args(["update-ref", &name, commit, ""])).await?;
        Ok(name)
    }

    /// Tree and parents of a commit, and its subject: the same work kept again differs in its time only.
    async fn shape(&self, repo: &Path, commit: &str) -> Result<String, GitError> {
        let call = Call::new(repo).args(["show", "-s", "--no-show-signature", "--format=%T %P %s", commit, "--"]);
        Ok(self.program.ok(&call).await?.text())
    }

    /// A commit above HEAD with all that stands in the worktree; `None`: it is what HEAD holds.
    async fn snapshot(&self, worktree: &Path, ticket: &TicketId) -> Result<Option<String>, GitError> {
        let own = own_dir(worktree)?;
        let (index, paths) = (own.join("autodo-rescue-index"), own.join("autodo-rescue-paths"));
        let made = self.snapshot_by(worktree, ticket, &own, &index, &paths).await;
        for file in [index, paths] {
            // Ignored: they lie in the folder that goes with the worktree, and are written anew each time.
            std::fs::remove_file(file).ok();
        }
        made
    }

    async fn snapshot_by(
        &self,
        worktree: &Path,
        ticket: &TicketId,
        own: &Path,
        index: &Path,
        paths: &Path,
    ) -> Result<Option<String>, GitError> {
        let real = own.join("index");
        if real.exists() {
            std::fs::copy(&real, index).map_err(|e| GitError::file("copy", &real, &e))?;
        }
        let no_hooks = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
        let filters = self.lfs_options(worktree).await;
        let call = |args: &[&str]| {
            Call::new(worktree).args(no_hooks).args(filters).args(args).env("GIT_INDEX_FILE", index).checks_out()
        };
        let tree_of = |rev: &str| Call::new(worktree).args(["rev-parse", &format!("{rev}^{{tree}}")]);
        let head = self.program.ok(&Call::new(worktree).args(["rev-parse", "HEAD"])).await?.text();
        let head_tree = self.program.ok(&tree_of(&head)).await?.text();
        // Fails while a merge is unresolved; then the files hold the conflict, and there is no second state.
        let staged = self.program.run(&call(&["write-tree"])).await?;
        let staged = staged.status.success().then(|| staged.text());
        self.write_paths(worktree, paths).await?;
        let from = format!("--pathspec-from-file={}", paths.display());
        let mut add = vec!["add", "--all", "--pathspec-file-nul", &from];
        if self.config(worktree, &["--type=bool", "core.sparseCheckout"]).await?.as_deref() == Some("true") {
            add.push("--sparse");
        }
        self.program.ok(&call(&add)).await?;
        self.refuse_links(&call(&["diff-index", "--cached", "--raw", "-z", "--no-renames", &head, "--"])).await?;
        let inside = self.status_with(worktree, &["--ignore-submodules=none"]).await?.submodules;
        if let Some(path) = inside.first() {
            let why = format!("the submodule {path} holds changes that are not committed: commit and push them there");
            return Err(GitError::Refused(format!("cannot rescue {ticket}: {why}")));
        }
        let tree = self.program.ok(&call(&["write-tree"])).await?.text();
        let staged = staged.filter(|staged| *staged != tree && *staged != head_tree);
        if tree == head_tree && staged.is_none() {
            return Ok(None);
        }
        let who = self.own_identity(worktree).await?;
        let commit = |args: &[&str], message: String| {
            Call::new(worktree).args(&who).arg("commit-tree").args(args).args(["-m", &message])
        };
        let mut parents = vec!["-p".to_owned(), head.clone()];
        if let Some(staged) = &staged {
            let call = commit(&["-p", &head, staged], format!("autodo: index of {ticket}"));
            parents.extend(["-p".to_owned(), self.program.ok(&call).await?.text()]);
        }
        parents.push(tree);
        let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
        let made = self.program.ok(&commit(&parents, format!("{UNCOMMITTED}{ticket}"))).await?;
        Ok(Some(made.text()))
    }

    /// A repository inside the worktree that is no submodule would be kept by its name only.
    async fn refuse_links(&self, diff: &Call) -> Result<(), GitError> {
        let output = self.program.ok(diff).await?.stdout;
        let text = String::from_utf8_lossy(&output).into_owned();
        let mut fields = text.split_terminator('\0');
        while let (Some(facts), Some(path)) = (fields.next(), fields.next()) {
            let mut modes = facts.trim_start_matches(':').split(' ');
            if let (Some(old), Some("160000")) = (modes.next(), modes.next())
                && old != "160000"
            {
                let why = format!("{path} is a repository of its own: move it out of the worktree");
                return Err(GitError::Refused(format!("cannot rescue the worktree: {why}")));
            }
        }
        Ok(())
    }

    /// The rescue references of a repository, by name.
    ///
    /// # Errors
    /// They could not be read.
    pub async fn rescues(&self, repo: &Path) -> Result<Vec<Rescue>, GitError> {
        let format = "--format=%(refname)%00%(objectname)%00%(creatordate:unix)%00%(contents:subject)";
        let output = self.program.ok(&Call::new(repo).args(["for-each-ref", format, PREFIX])).await?;
        let rescue = |line: &str| {
            let [name, commit, made, subject] = line.split('\0').collect::<Vec<_>>().try_into().ok()?;
            let (ticket, number) = name.strip_prefix(PREFIX)?.rsplit_once('/')?;
            Some(Rescue {
                ticket: ticket.to_owned(),
                number: number.to_owned(),
                name: name.to_owned(),
                commit: commit.to_owned(),
                made: made.parse().unwrap_or(0),
                uncommitted: subject.starts_with(UNCOMMITTED),
                subject: subject.to_owned(),
            })
        };
        let mut rescues: Vec<Rescue> = output.text().lines().filter_map(rescue).collect();
        rescues.sort_by_key(|r| (r.ticket.clone(), r.number.parse::<u32>().unwrap_or(u32::MAX), r.number.clone()));
        Ok(rescues)
    }

    /// Makes a worktree at `place`, on the new branch `rescue/<ticket>-<n>`, with the rescued work: its commits
    /// committed, and what was not committed uncommitted again. The reference stays.
    ///
    /// # Errors
    /// The branch or the folder is there already, or git could not make them.
    pub async fn restore(&self, repo: &Path, rescue: &Rescue, place: &Path) -> Result<Restored, GitError> {
        let branch = format!("rescue/{}-{}", rescue.ticket, rescue.number);
        let start = if rescue.uncommitted { format!("{}^1", rescue.commit) } else { rescue.commit.clone() };
        let no_hooks = ["-c", "core.hooksPath=/dev/null"];
        let add = Call::new(repo).args(no_hooks).args(self.lfs_options(repo).await);
        let add = add.args(["worktree", "add", "--quiet", "-b", &branch]).args([place]).arg(&start).checks_out();
        self.program.ok(&add).await?;
        if rescue.uncommitted {
            let filters = self.lfs_options(place).await;
            let call = |args: &[&str]| Call::new(place).args(no_hooks).args(filters).args(args).checks_out();
            self.program.ok(&call(&["read-tree", "-m", "-u", "HEAD", &rescue.commit])).await?;
            // The files stay as they are; only the index goes back, so that nothing is committed or staged.
            self.program.ok(&call(&["reset", "--quiet", "--mixed"])).await?;
        }
        Ok(Restored { branch, worktree: place.to_owned() })
    }
}

impl Git {
    /// Writes what `git add` is to take: all but what autodo itself placed. Git complains where an ignored path is
    /// excluded once more, so that only those stand there that nobody ignores.
    async fn write_paths(&self, worktree: &Path, file: &Path) -> Result<(), GitError> {
        let placed = place::placed(worktree);
        let own = format!("{RUN_FOLDER}/");
        let open = self.files(worktree, &["--others", "--exclude-standard"]).await?;
        let mut paths = OsString::from(".\0");
        for path in open.iter().filter(|path| path.starts_with(&own) || placed.contains(*path)) {
            paths.push(":(exclude,top,literal)");
            paths.push(path);
            paths.push("\0");
        }
        std::fs::write(file, paths.as_bytes()).map_err(|e| GitError::file("write", file, &e))
    }
}
