//! What doctor asks of a repository by trying it: whether commits can be signed with nobody there, and what its hooks do.

use std::path::PathBuf;

use super::{
    Git,
    command::{Call, GitError},
};

/// Bytes of a hook that are looked at.
const HOOK_BYTES: u64 = 256 * 1024;

impl Git {
    /// Signs a commit of nothing as git would sign an agent's, with nobody to type a passphrase. The commit goes into a
    /// folder that is removed at once: the repository gets nothing. `Ok(None)`: it was signed; `Ok(Some(why))`: git
    /// would not.
    ///
    /// # Errors
    /// It could not be tried.
    pub async fn try_signing(&self, repo: &std::path::Path) -> Result<Option<String>, GitError> {
        let folder = tempfile::tempdir().map_err(|e| GitError::file("make a folder in", &std::env::temp_dir(), &e))?;
        let real = self.program.ok(&Call::new(repo).args(["rev-parse", "--git-path", "objects"])).await?.text();
        let call = |args: &[&str]| {
            let call = Call::new(repo).args(args).env("GIT_OBJECT_DIRECTORY", folder.path());
            // Whoever would ask, gets no answer: OpenSSH through its helper, gpg through the terminal it is told of.
            let call = call.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", repo.join(&real));
            call.env("SSH_ASKPASS", "false").env("SSH_ASKPASS_REQUIRE", "force").env("GPG_TTY", "")
        };
        let tree = self.program.ok(&call(&["hash-object", "-t", "tree", "-w", "/dev/null"])).await?.text();
        let who = self.own_identity(repo).await?;
        let mut args = who;
        args.extend(["commit-tree", "-S", "-m", "autodo doctor", &tree]);
        match self.program.run(&call(&args)).await {
            Ok(output) if output.status.success() => Ok(None),
            Ok(output) => Ok(Some(super::command::tail(&output.stderr, 3).replace('\n', "; "))),
            Err(GitError::TimedOut { limit, .. }) => {
                Ok(Some(format!("it still waited for something after {} s", limit.as_secs())))
            }
            Err(why) => Err(why),
        }
    }

    /// The hooks that git would run in `repo`, each with its file.
    ///
    /// # Errors
    /// See [`Git::hooks`].
    pub async fn hook_files(&self, repo: &std::path::Path) -> Result<Vec<(String, PathBuf)>, GitError> {
        let names = self.hooks(repo).await?;
        let folder = self.program.ok(&Call::new(repo).args(["rev-parse", "--git-path", "hooks"])).await?.text();
        let folder = repo.join(folder);
        Ok(names.into_iter().map(|name| (name.clone(), folder.join(name))).collect())
    }
}

/// True if the text of a hook asks a person something: it opens the terminal, or reads an answer with a question.
/// `None`: the file cannot be read.
#[must_use]
pub fn hook_asks(file: &std::path::Path) -> Option<bool> {
    let bytes = crate::adapters::fs::look_tail(file, HOOK_BYTES).present()?.1;
    let text = String::from_utf8_lossy(&bytes);
    let mut code = text.lines().map(str::trim).filter(|line| !line.starts_with('#') || line.starts_with("#!"));
    Some(code.any(|line| line.contains("/dev/tty") || line.contains("read -p") || line.contains("read -rp")))
}
