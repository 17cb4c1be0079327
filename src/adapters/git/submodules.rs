//! Submodules of a worktree: those that the user's checkout has, from its own clones of them.
//!
//! git makes a clone of its own for each worktree. It is taken from the clone that the checkout has, so that nothing
//! goes over the network unless that one lacks the commit; then its remote is asked, with nobody to type a password.
//! The address is given for the one call: `git submodule init` would write into the configuration that the user's
//! checkout shares.

use std::path::{Path, PathBuf};

use super::{
    Git,
    command::{Call, GitError},
    leftovers::PREPARING,
};

/// A submodule as the index of a worktree and its `.gitmodules` have it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Module {
    name: String,
    /// Below the worktree.
    path: String,
    /// The commit to check out.
    commit: String,
}

impl Git {
    /// Checks out the submodules of `worktree`, and those in them, that the checkout at `from` has. Says which it left.
    /// `from`: `None` where the repository is bare.
    pub(crate) async fn place_submodules(&self, from: Option<&Path>, worktree: &Path) -> Result<Vec<String>, GitError> {
        let mut notes = Vec::new();
        let mut trees = vec![(from.map(Path::to_owned), worktree.to_owned())];
        while let Some((from, to)) = trees.pop() {
            for module in self.modules(&to).await? {
                let place = to.join(&module.path);
                let own = match &from {
                    Some(from) => self.clone_of(from, &module).await?,
                    None => None,
                };
                let below = from.as_ref().map(|from| from.join(&module.path));
                let Some(own) = own else {
                    notes.push(format!(
                        "the submodule {} is not checked out, as your checkout has none: `git submodule update --init` \
                         there, or as a set-up command",
                        place.strip_prefix(worktree).unwrap_or(&place).display()
                    ));
                    continue;
                };
                self.place_module(&to, &module, &own, worktree).await?;
                trees.push((below, place));
            }
        }
        Ok(notes)
    }

    /// The submodules of the tree at `top` that are to be checked out: a sparse checkout leaves some out.
    async fn modules(&self, top: &Path) -> Result<Vec<Module>, GitError> {
        if !top.join(".gitmodules").is_file() {
            return Ok(Vec::new());
        }
        let call = Call::new(top).args(["--no-optional-locks", "ls-files", "-z", "-t", "--stage"]);
        let listed = self.program.ok(&call).await?.stdout;
        // `H 160000 <commit> 0<tab>path`; `S` instead of `H`: left out.
        let links = String::from_utf8_lossy(&listed).into_owned();
        let links = links.split_terminator('\0').filter_map(|line| {
            let (facts, path) = line.strip_prefix("H 160000 ")?.split_once('\t')?;
            Some((facts.split(' ').next()?.to_owned(), path.to_owned()))
        });
        let call = Call::new(top).args(["config", "-z", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"]);
        let output = self.program.run(&call).await?;
        let names = String::from_utf8_lossy(&output.stdout).into_owned();
        let name_of = |path: &str| {
            names.split_terminator('\0').find_map(|line| {
                let (key, value) = line.split_once('\n')?;
                let name = key.strip_prefix("submodule.")?.strip_suffix(".path")?;
                (value == path).then(|| name.to_owned())
            })
        };
        Ok(links.filter_map(|(commit, path)| Some(Module { name: name_of(&path)?, path, commit })).collect())
    }

    /// The git folder of the clone that the checkout at `from` has of a submodule.
    async fn clone_of(&self, from: &Path, module: &Module) -> Result<Option<PathBuf>, GitError> {
        let place = from.join(&module.path);
        if place.join(".git").exists() {
            let call = Call::new(&place).args(["rev-parse", "--absolute-git-dir"]);
            return Ok(Some(self.program.ok(&call).await?.text().into()));
        }
        if !from.is_dir() {
            return Ok(None);
        }
        // On another branch the submodule has no folder, but its clone is kept.
        let call = Call::new(from).args(["rev-parse", "--path-format=absolute", "--git-path", "modules"]);
        let kept = Path::new(&self.program.ok(&call).await?.text()).join(&module.name);
        Ok(kept.join("HEAD").is_file().then_some(kept))
    }

    /// Checks one submodule out of the clone at `own`.
    async fn place_module(&self, top: &Path, module: &Module, own: &Path, mark: &Path) -> Result<(), GitError> {
        let place = top.join(&module.path);
        let git_dir = |dir: &Path| Call::new(top).args(["--git-dir"]).args([dir]);
        if place.join(".git").exists() {
            let head = self.program.run(&Call::new(&place).args(["rev-parse", "HEAD"])).await?;
            if head.status.success() && head.text() == module.commit {
                return Ok(());
            }
        }
        let address = self.program.run(&git_dir(own).args(["config", "--get", "remote.origin.url"])).await?;
        let address = Some(address.text()).filter(|address| address_is_given(address));
        let object = format!("{}^{{commit}}", module.commit);
        let is_here = self.program.run(&git_dir(own).args(["cat-file", "-e", &object])).await?.status.success();
        let source = match (&address, is_here) {
            (Some(address), false) => address.clone(),
            _ => own.to_string_lossy().into_owned(),
        };
        let setting = |key: &str, value: &str| ["-c".to_owned(), format!("submodule.{}.{key}={value}", module.name)];
        let call = Call::new(top)
            // Since git 2.38.1 clones of local folders must be allowed for submodules; this folder is the user's own.
            .args(["-c", "protocol.file.allow=always"])
            .args(setting("url", &source))
            .args(setting("active", "true"))
            .args(["submodule", "--quiet", "update", "--checkout", "--", &module.path])
            .env(PREPARING, mark)
            .checks_out();
        // Ignored: as for the worktree itself.
        let turn = self.checkouts.acquire().await.ok();
        let done = self.program.ok(&call).await;
        drop(turn);
        if let Err(why) = done {
            let lacks = if is_here { "" } else { " (your clone of it lacks the commit, so its remote was asked)" };
            return Err(GitError::Refused(format!(
                "cannot check out the submodule {} at {}{lacks}: {why}; `git submodule update --init` in your checkout \
                 may mend it, `worktree.submodules = false` leaves submodules out",
                module.path, module.commit
            )));
        }
        if let Some(address) = address {
            let call = Call::new(&place).args(["config", "remote.origin.url", &address]);
            self.program.ok(&call).await?;
        }
        Ok(())
    }

    /// Submodules of `worktree` with commits that neither their remotes nor the clones of the checkout at `from` hold,
    /// each with why. Removing the worktree would remove those commits.
    pub(crate) async fn unheld(&self, from: Option<&Path>, worktree: &Path) -> Result<Vec<String>, GitError> {
        let mut lost = Vec::new();
        let mut trees = vec![(from.map(Path::to_owned), worktree.to_owned())];
        while let Some((from, to)) = trees.pop() {
            for module in self.modules(&to).await? {
                let place = to.join(&module.path);
                if !place.join(".git").exists() {
                    continue;
                }
                let own = match &from {
                    Some(from) => self.clone_of(from, &module).await?,
                    None => None,
                };
                let tips = ["for-each-ref", "--format=%(objectname)", "refs/heads", "refs/stash"];
                let tips = self.program.ok(&Call::new(&place).args(tips)).await?.text();
                let head = self.program.ok(&Call::new(&place).args(["rev-parse", "HEAD"])).await?.text();
                for tip in tips.lines().chain([head.as_str()]) {
                    let remotes = ["rev-list", "-n1", tip, "--not", "--remotes", "--tags"];
                    let mut held = self.is_empty(&Call::new(&place).args(remotes)).await?;
                    if let (false, Some(own)) = (held, &own) {
                        let all = ["rev-list", "-n1", tip, "--not", "--all", "HEAD"];
                        held = self.is_empty(&Call::new(&place).args(["--git-dir"]).args([own]).args(all)).await?;
                    }
                    if !held {
                        let shown = place.strip_prefix(worktree).unwrap_or(&place).display();
                        lost.push(format!("the submodule {shown} has commits that only this worktree holds ({tip})"));
                        break;
                    }
                }
                trees.push((from.as_ref().map(|from| from.join(&module.path)), place));
            }
        }
        Ok(lost)
    }

    /// True if the call succeeds and says nothing.
    async fn is_empty(&self, call: &Call) -> Result<bool, GitError> {
        let output = self.program.run(call).await?;
        Ok(output.status.success() && output.stdout.is_empty())
    }
}

/// True if there is an address, and it does not stand for a folder that was meant relative to somewhere else.
fn address_is_given(address: &str) -> bool {
    !address.is_empty() && !address.starts_with("./") && !address.starts_with("../")
}
