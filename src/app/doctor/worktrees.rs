//! Where the worktrees are to be.

use std::path::{Component, Path, PathBuf};

use super::{Check, run::Scene};
use crate::{
    adapters::{env, fs},
    app::intake::{Project, worktree_root},
};

const NAME: &str = "worktrees";

/// The pool of warm checkouts, where there is one or is to be one.
pub(super) async fn pool(scene: &Scene) -> Option<Check> {
    let name = "pool";
    let project = scene.project.as_ref()?;
    let wanted = project.settings.worktree_pool.value;
    match scene.git.warm(&project.repo.root, &worktree_root(project)).await {
        Ok((ready, touched)) if touched.is_empty() => {
            let detail = format!("{} of {wanted} checkouts are warm", ready.len());
            (wanted > 0 || !ready.is_empty()).then(|| Check::ok(name, detail))
        }
        Ok((_, touched)) => {
            let list: Vec<String> = touched.iter().map(|path| path.display().to_string()).collect();
            let detail =
                format!("not handed out, as they are half made or something was changed in them: {}", list.join(", "));
            Some(Check::warn(
                name,
                detail,
                "look whether you miss anything in them; autodo clean --pool removes the others",
            ))
        }
        Err(why) => Some(Check::warn(name, why.to_string(), "run git worktree list, and mend what it says")),
    }
}

/// `None`: there is no project here.
pub(super) fn check(scene: &Scene) -> Option<Check> {
    let project = scene.project.as_ref()?;
    let wanted = folder(project);
    let home = env::home().map(|home| fs::resolved(&home));
    Some(look(&wanted, &fs::resolved(&project.repo.root), home.as_deref()))
}

/// The folder of the worktrees, without links as far as it is there.
pub(super) fn folder(project: &Project) -> PathBuf {
    fs::resolved(&without_dots(&worktree_root(project)))
}

fn look(wanted: &Path, checkout: &Path, home: Option<&Path>) -> Check {
    let shown = wanted.display();
    let fix = "set worktree.root in .autodo/config.toml to a folder outside the checkout that you can write to";
    if wanted.starts_with(checkout) {
        return Check::fail(
            NAME,
            format!("{shown} is inside the checkout, where its files would count as the project's"),
            fix,
        );
    }
    // The folder in which some agents keep their own settings, and refuse to edit.
    if home.is_some_and(|home| wanted.starts_with(home.join(".claude"))) {
        return Check::fail(NAME, format!("{shown} is in a folder in which agents may not edit"), fix);
    }
    let folder = fs::nearest_folder(wanted);
    match fs::try_write(&folder) {
        Ok(()) => Check::ok(NAME, format!("worktrees go into {shown}")),
        Err(error) => Check::fail(NAME, error.to_string(), fix),
    }
}

/// `a/b/../c` as `a/c`: a folder that is not there cannot be asked.
fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut all, part| {
        match part {
            Component::ParentDir => {
                all.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => all.push(part),
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::Health;

    #[test]
    fn worktrees_are_never_inside_the_checkout_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let at = |path: &str| look(&without_dots(&root.join(path)), &root.join("p"), Some(&root.join("h")));
        for inside in ["p", "p/trees", "p/../p/trees", "q/../p/./x"] {
            assert_eq!(at(inside).status, Health::Fail, "{inside}");
        }
        for outside in ["p.worktrees", "p/../trees", "pp"] {
            assert_eq!(at(outside).status, Health::Ok, "{outside}");
        }
        assert_eq!(at("h/.claude/trees").status, Health::Fail);
    }
}
