//! Git LFS: without its program the pointers stay in the worktree, and that is said.
//!
//! Source: the pointer format of git-lfs 3 (`docs/spec.md` there), and gitattributes(5) on filters: one that is
//! `required` and cannot be started fails the checkout, and any later `git status` that has to look into the file.

use std::{io::Read, path::Path};

use super::{
    Git,
    command::{Call, GitError},
};
use crate::domain::observed::Observed;

/// How every pointer file begins.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Takes the filters of LFS away for one call.
const WITHOUT: &[&str] = &[
    "-c",
    "filter.lfs.required=false",
    "-c",
    "filter.lfs.process=",
    "-c",
    "filter.lfs.smudge=",
    "-c",
    "filter.lfs.clean=",
];

impl Git {
    /// True if the checkout or worktree at `dir` has files that LFS keeps, as far as its top shows.
    fn uses_lfs(dir: &Path) -> bool {
        let says =
            |file: &Path| std::fs::read(file).is_ok_and(|text| String::from_utf8_lossy(&text).contains("filter=lfs"));
        says(&dir.join(".gitattributes")) || says(&dir.join(".git/info/attributes")) || dir.join("lfs").is_dir()
    }

    /// Options for a call of git in `dir`: none, but where the project uses LFS and its program is not there.
    pub(crate) async fn lfs_options(&self, dir: &Path) -> &'static [&'static str] {
        if !Self::uses_lfs(dir) {
            return &[];
        }
        match self.program.run(&Call::new(dir).args(["lfs", "version"])).await {
            Ok(output) if !output.status.success() => WITHOUT,
            // Where it cannot be asked, git itself will say what is wrong.
            Ok(_) | Err(_) => &[],
        }
    }

    /// Whether the project at `root` can have its large files: absent, it uses no LFS; else whether git-lfs is there.
    pub async fn lfs(&self, root: &Path) -> Observed<bool> {
        if Self::uses_lfs(root) { Observed::Present(self.lfs_options(root).await.is_empty()) } else { Observed::Absent }
    }

    /// Says how many files of a fresh worktree are pointers only.
    pub(crate) async fn lfs_gap(&self, worktree: &Path) -> Result<Option<String>, GitError> {
        if !Self::uses_lfs(worktree) {
            return Ok(None);
        }
        let call = Call::new(worktree).args(["--no-optional-locks", "ls-files", "-z", "--", ":(attr:filter=lfs)"]);
        let output = self.program.ok(&call).await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let pointers = text.split_terminator('\0').filter(|name| is_pointer(&worktree.join(name))).count();
        if pointers == 0 {
            return Ok(None);
        }
        let why = if self.lfs_options(worktree).await.is_empty() {
            "`git lfs install` and `git lfs pull` in your checkout bring them"
        } else {
            "git-lfs is not installed here"
        };
        Ok(Some(format!("{pointers} files are Git LFS pointers without their content: {why}")))
    }
}

fn is_pointer(file: &Path) -> bool {
    let mut start = [0; POINTER.len()];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *POINTER
}
