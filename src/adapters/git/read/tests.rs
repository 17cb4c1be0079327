//! Both readers answer every question alike.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Command};

use super::*;
use crate::adapters::git::command::Program;

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(["AUTHOR", "COMMITTER"].map(|w| (format!("GIT_{w}_NAME"), "a")))
        .envs(["AUTHOR", "COMMITTER"].map(|w| (format!("GIT_{w}_EMAIL"), "a@b")))
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn commit(dir: &Path) -> String {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "x"]);
    git(dir, &["rev-parse", "HEAD"])
}

/// Asks both readers, beside the runtime that the slower one needs.
async fn both<T: PartialEq + std::fmt::Debug + Send + 'static>(
    dir: &Path,
    what: impl Fn(&dyn Reads) -> T + Send + 'static,
) -> T {
    let dir = dir.to_owned();
    let ask = move || {
        let library = what(&Library::open(&dir).unwrap());
        let program = Program { env: std::sync::Arc::default(), limits: crate::adapters::git::Limits::default() };
        assert_eq!(library, what(&Cli::new(program, &dir)));
        library
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

#[tokio::test]
async fn both_readers_see_the_same_diff() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    git(dir, &["init", "-q", "-b", "main"]);
    let write = |path: &str, text: &[u8]| std::fs::write(dir.join(path), text).unwrap();
    write("changed", b"1\n2\n3\n");
    write("gone", b"x\n");
    write("moved", "line\n".repeat(30).as_bytes());
    write("tool", b"#!/bin/sh\n");
    write("blob", b"\0\x01");
    write("sp ace é", b"");
    std::os::unix::fs::symlink("changed", dir.join("link")).unwrap();
    let from = commit(dir);
    write("changed", b"1\ntwo\n3\n4\n");
    write("sp ace é", b"x");
    std::fs::remove_file(dir.join("gone")).unwrap();
    std::fs::rename(dir.join("moved"), dir.join("there")).unwrap();
    std::fs::set_permissions(dir.join("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    write("blob", b"\0\x02\x03");
    write("new\tname", b"a\nb");
    std::fs::remove_file(dir.join("link")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.join("link")).unwrap();
    git(dir, &["update-index", "--add", "--cacheinfo", &format!("160000,{from},module")]);
    let to = commit(dir);
    let entries = both(dir, move |r| r.diff(&from, &to).unwrap()).await;
    let paths: Vec<_> = entries.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(paths, ["blob", "changed", "gone", "link", "new\tname", "sp ace é", "there", "tool"]);
    assert_eq!(entries[0].bytes, 3);
    assert_eq!(entries[3].symlink.as_deref(), Some("/etc/passwd"));
    assert_eq!(entries[6].old_path.as_deref(), Some("moved"));
}

#[tokio::test]
async fn both_readers_see_the_same_submodule() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    git(dir, &["init", "-q", "-b", "main"]);
    std::fs::write(dir.join("a"), "").unwrap();
    let from = commit(dir);
    git(dir, &["update-index", "--add", "--cacheinfo", &format!("160000,{from},module")]);
    git(dir, &["commit", "-q", "-m", "module"]);
    let to = git(dir, &["rev-parse", "HEAD"]);
    let entries = both(dir, move |r| r.diff(&from, &to).unwrap()).await;
    assert_eq!((entries.len(), entries[0].path.as_str(), entries[0].submodule), (1, "module", true));
}

#[tokio::test]
async fn both_readers_see_the_same_history() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().canonicalize().unwrap();
    git(&dir, &["init", "-q", "-b", "main"]);
    assert_eq!(both(&dir, |r| r.head().unwrap()).await, Head { commit: None, branch: Some("main".into()) });
    std::fs::write(dir.join("a"), "").unwrap();
    let one = commit(&dir);
    std::fs::write(dir.join("b"), "").unwrap();
    let two = commit(&dir);
    git(&dir, &["checkout", "-q", "--orphan", "apart"]);
    let apart = commit(&dir);
    git(&dir, &["checkout", "-q", "--detach", "main"]);
    git(&dir, &["tag", "-a", "v1", "-m", "x", &one]);

    let head = both(&dir, |r| r.head().unwrap()).await;
    assert_eq!(head, Head { commit: Some(two.clone()), branch: None });
    let layout = both(&dir, |r| r.layout().unwrap()).await;
    assert_eq!(layout, Layout { root: Some(dir.clone()), common_dir: dir.join(".git") });
    let missing = "0".repeat(39) + "1";
    for (rev, expected) in [
        ("main", Some(&two)),
        ("HEAD~1", Some(&one)),
        ("v1", Some(&one)),
        (one.as_str(), Some(&one)),
        ("refs/heads/apart", Some(&apart)),
        ("nothing", None),
        (missing.as_str(), None),
    ] {
        let name = rev.to_owned();
        assert_eq!(both(&dir, move |r| r.resolve(&name).unwrap()).await.as_ref(), expected, "{rev}");
    }
    let (a, b, c) = (one.clone(), two.clone(), apart);
    both(&dir, move |r| {
        assert_eq!(r.merge_base(&a, &b).unwrap(), Some(a.clone()));
        assert_eq!(r.merge_base(&a, &c).unwrap(), None);
        assert_eq!([r.count(&a, &b).unwrap(), r.count(&b, &a).unwrap(), r.count(&c, &b).unwrap()], [1, 0, 2]);
        assert!(r.is_ancestor(&a, &b).unwrap() && r.is_ancestor(&a, &a).unwrap() && !r.is_ancestor(&b, &a).unwrap());
        assert!(r.is_ancestor(&missing, &a).is_err());
        assert_eq!(r.symbolic("refs/remotes/origin/HEAD").unwrap(), None);
    })
    .await;
}
