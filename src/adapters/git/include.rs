//! `.worktreeinclude`: the ignored files of a checkout that its worktrees get a copy of.
//!
//! The file lies at the top of the checkout and has the syntax of `.gitignore`. Several tools read it, Claude Code
//! (2.1) among them; as there, a file is taken only if it matches and git ignores it.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::{
    Git,
    command::{Call, GitError},
    prepare::RUN_FOLDER,
};

/// Name of the file.
pub(crate) const INCLUDE: &str = ".worktreeinclude";

impl Git {
    /// The files below the checkout at `root` that its `.worktreeinclude` names and git ignores, sorted. A folder that
    /// is a repository of its own is left out.
    pub(crate) async fn included(&self, root: &Path) -> Result<Vec<PathBuf>, GitError> {
        let file = root.join(INCLUDE);
        if !file.is_file() {
            return Ok(Vec::new());
        }
        let mut named = OsString::from("--exclude-from=");
        named.push(&file);
        let named = self.ignored(root, &named).await?;
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let ignored = self.ignored(root, OsStr::new("--exclude-standard")).await?;
        let is_ours = |path: &&OsString| !path.as_bytes().ends_with(b"/") && !Path::new(path).starts_with(RUN_FOLDER);
        Ok(named.intersection(&ignored).filter(is_ours).map(PathBuf::from).collect())
    }

    /// Untracked files that the patterns `by` ignore.
    async fn ignored(&self, root: &Path, by: &OsStr) -> Result<BTreeSet<OsString>, GitError> {
        let call = Call::new(root).args(["--no-optional-locks", "ls-files", "-z", "--others", "--ignored"]).args([by]);
        let output = self.program.ok(&call).await?;
        let names = output.stdout.split(|b| *b == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| OsStr::from_bytes(name).to_owned()).collect())
    }
}
