//! git: the program, who commits, and what would ask a person for something at night.

use std::path::Path;

use super::{Check, run::Scene};
use crate::{
    adapters::{
        fs,
        git::{OLDEST, hook_asks},
    },
    domain::observed::Observed,
};

/// Hooks that run while an agent works in its worktree: making it, committing, rewriting.
const AT_WORK: [&str; 6] =
    ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-checkout", "post-rewrite"];

pub(super) async fn checks(scene: &Scene, folder: &Path) -> Vec<Check> {
    let version = match scene.git.version().await {
        Observed::Present(version) => match is_usable(&version) {
            Some(true) => Check::ok("git", format!("git {version}")),
            Some(false) => {
                let detail = format!("git {version} is too old: autodo needs {} or newer", oldest());
                return vec![Check::fail("git", detail, format!("install git {} or newer", oldest()))];
            }
            None => Check::warn(
                "git",
                format!("git says {version:?} of its version, which cannot be read"),
                format!("nothing has to be done if it is {} or newer", oldest()),
            ),
        },
        Observed::Absent => return vec![Check::fail("git", "there is no git on the PATH", "install git")],
        Observed::Unknown(why) => return vec![Check::fail("git", why, "run git version, and mend what it says")],
    };
    let root = scene.project.as_ref().map(|project| project.repo.root.clone());
    let asked = root.clone().unwrap_or_else(|| fs::nearest_folder(folder));
    let mut checks = vec![version, identity(scene, &asked).await];
    if let Some(root) = root {
        checks.push(signing(scene, &root).await);
        checks.push(hooks(scene, &root).await);
        match scene.git.lfs(&root).await {
            Observed::Present(true) => checks.push(Check::ok("lfs", "git-lfs is there for this project's large files")),
            Observed::Present(false) => checks.push(Check::warn(
                "lfs",
                "this project keeps files in Git LFS, and git-lfs is not on the PATH: worktrees get pointers only",
                "install git-lfs, then: git lfs install",
            )),
            Observed::Absent | Observed::Unknown(_) => {}
        }
    }
    checks
}

fn oldest() -> String {
    let (major, minor) = OLDEST;
    format!("{major}.{minor}")
}

/// True for [`OLDEST`] and newer; `None`: the version cannot be read. git says `2.47.3`, `2.50.GIT`, `2.53.0.rc1`.
fn is_usable(version: &str) -> Option<bool> {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    match (numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor)) => Some((major, minor) >= OLDEST),
        _ => None,
    }
}

async fn identity(scene: &Scene, folder: &Path) -> Check {
    let name = "identity";
    match scene.git.identity(folder).await {
        Observed::Present((who, address)) => Check::ok(name, format!("commits are by {who} <{address}>")),
        Observed::Absent => Check::warn(
            name,
            "git does not know who commits: autodo commits as autodo <autodo@localhost>, and an agent's own commit may fail",
            "git config --global user.name \"Your Name\" and user.email you@example.org",
        ),
        Observed::Unknown(why) => Check::warn(name, why, "run git var GIT_COMMITTER_IDENT, and mend what it says"),
    }
}

async fn signing(scene: &Scene, root: &Path) -> Check {
    let name = "signing";
    let format = match scene.git.signing(root).await {
        Observed::Absent => return Check::ok(name, "commits are not signed"),
        Observed::Unknown(why) => {
            return Check::warn(name, why, "run git config commit.gpgsign, and mend what it says");
        }
        Observed::Present(format) => format,
    };
    let off = "use a key that needs no passphrase, or let this project go unsigned: git config commit.gpgsign false";
    match scene.git.try_signing(root).await {
        Ok(None) => Check::ok(
            name,
            format!(
                "commits are signed ({format}), and a trial needed nobody; a passphrase that is only kept for a while may run out at night"
            ),
        ),
        Ok(Some(why)) => Check::fail(
            name,
            format!("commits are signed ({format}), and a trial with nobody there failed: {why}"),
            off,
        ),
        Err(why) => {
            Check::warn(name, format!("commits are signed ({format}), and that could not be tried: {why}"), off)
        }
    }
}

async fn hooks(scene: &Scene, root: &Path) -> Check {
    let name = "hooks";
    let all = match scene.git.hook_files(root).await {
        Ok(all) => all,
        Err(why) => return Check::warn(name, why.to_string(), "look at the folder of the repository's hooks"),
    };
    let at_work: Vec<&(String, std::path::PathBuf)> =
        all.iter().filter(|(hook, _)| AT_WORK.contains(&hook.as_str())).collect();
    if at_work.is_empty() {
        return Check::ok(name, "no hook runs while an agent works");
    }
    let list = |hooks: &[&(String, std::path::PathBuf)]| {
        hooks.iter().map(|(hook, _)| hook.as_str()).collect::<Vec<_>>().join(", ")
    };
    let asking: Vec<_> = at_work.iter().copied().filter(|(_, file)| hook_asks(file) == Some(true)).collect();
    let unread: Vec<_> = at_work.iter().copied().filter(|(_, file)| hook_asks(file).is_none()).collect();
    if !asking.is_empty() {
        return Check::warn(
            name,
            format!("{} asks on the terminal, where at night nobody answers", list(&asking)),
            "let the hook pass where standard input is no terminal, or where AUTODO_RUN is set",
        );
    }
    if !unread.is_empty() {
        return Check::warn(name, format!("{} cannot be read", list(&unread)), "mend the permissions of the hook");
    }
    Check::ok(name, format!("{} runs in the agents' worktrees too; nothing in it asks on the terminal", list(&at_work)))
}
