//! The repository's own files, for tests that read them.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder`, sorted; links are not followed.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("cannot list {}: {e}", folder.display())) {
            let entry = entry.unwrap();
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Files that git tracks or would track, relative to the root; in an unpacked archive without `.git`, all files.
pub fn tracked() -> Vec<PathBuf> {
    let root = repository();
    let files: Vec<PathBuf> = if root.join(".git").exists() {
        let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = std::process::Command::new("git").args(args).current_dir(&root).output().unwrap();
        assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
        let names = String::from_utf8(listed.stdout).unwrap();
        names.split('\0').filter(|n| !n.is_empty()).map(PathBuf::from).filter(|p| root.join(p).is_file()).collect()
    } else {
        let own = |p: &PathBuf| !p.starts_with("target") && !p.starts_with(".tools");
        files_below(&root).iter().map(|p| p.strip_prefix(&root).unwrap().to_owned()).filter(own).collect()
    };
    assert!(files.len() > 20, "found only {} files", files.len());
    files
}
