//! Tests of files: atomic writes, symbolic links, what is missing and what is in the way.

use std::{fs as std_fs, os::unix::fs::symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    std_fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    for (bytes, sync) in [(&b"one"[..], Sync::Full), (b"two", Sync::None), (b"", Sync::Contents)] {
        write_atomic(&path, bytes, 0o600, sync).unwrap();
        assert_eq!((read(&path).unwrap(), mode(&path)), (bytes.to_vec(), 0o600));
    }
    drop(write_aside(&path, b"never put", 0o600, Sync::None).unwrap());
    assert_eq!(std_fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_exclusive_file_has_one_maker() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let makers = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8_u8)
            .map(|n| {
                let path = &path;
                scope.spawn(move || exclusive_create(path, &[n; 100], 0o600).unwrap().then_some(n))
            })
            .collect();
        tries.into_iter().filter_map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(makers.len(), 1);
    assert_eq!(read(&path).unwrap(), [makers[0]; 100]);
}

#[test]
fn absent_and_unreadable_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(look(&dir.path().join("no")), Observed::Absent);
    assert_eq!(look(&dir.path().join("no/deeper")), Observed::Absent);
    let file = dir.path().join("file");
    write_atomic(&file, b"x", 0o600, Sync::None).unwrap();
    assert_eq!(look(&file.join("below a file")), Observed::Absent);
    assert!(matches!(look(dir.path()), Observed::Unknown(_)), "a folder cannot be read as a file");
    symlink("loop", dir.path().join("loop")).unwrap();
    assert!(matches!(look(&dir.path().join("loop")), Observed::Unknown(_)));
    assert_eq!(list_dir(&dir.path().join("no")), Observed::Absent);
}

#[test]
fn appended_lines_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    append_sync(&path, b"one\n").unwrap();
    append(&path, b"two\n", Sync::None).unwrap();
    assert_eq!((read_to_string(&path).unwrap().as_str(), mode(&path)), ("one\ntwo\n", 0o600));
    assert_eq!(look_tail(&path, 3), Observed::Present((5, b"wo\n".to_vec())));
    assert_eq!(look_tail(&path, 100), Observed::Present((0, b"one\ntwo\n".to_vec())));
    truncate(&path, 4).unwrap();
    assert_eq!(read_to_string(&path).unwrap(), "one\n");
}

#[test]
fn a_file_renamed_aside_never_covers_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue.toml");
    let mut asides = Vec::new();
    for n in 0..3_u8 {
        write_atomic(&path, &[n], 0o600, Sync::None).unwrap();
        asides.push(rename_aside(&path).unwrap());
    }
    assert!(!path.exists());
    for (n, aside) in (0_u8..).zip(&asides) {
        assert_eq!(read(aside).unwrap(), [n]);
        assert!(aside.file_name().unwrap().to_str().unwrap().starts_with("queue.toml.unreadable-2"), "{aside:?}");
    }
}

#[test]
fn a_shared_place_that_is_not_ours_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let me = nix::unistd::Uid::effective().as_raw();
    let folder = dir.path().join("d");
    create_dir_guarded(&folder, me).unwrap();
    std_fs::set_permissions(&folder, std_fs::Permissions::from_mode(0o777)).unwrap();
    create_dir_guarded(&folder, me).unwrap();
    assert_eq!(mode(&folder), 0o700);
    let foreign = create_dir_guarded(&folder, me + 1).unwrap_err().to_string();
    assert!(foreign.contains("belongs to user"), "{foreign}");
    let link = dir.path().join("link");
    symlink(&folder, &link).unwrap();
    assert!(create_dir_guarded(&link, me).unwrap_err().to_string().contains("symbolic link"));
    let file = dir.path().join("file");
    write_atomic(&file, b"", 0o600, Sync::None).unwrap();
    assert!(create_dir_guarded(&file, me).is_err());
}

#[test]
fn only_our_own_leftovers_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    for name in [".autodo-tmp-abc", "journal.jsonl", ".other", "x.autodo-tmp-"] {
        std_fs::write(dir.path().join(name), b"").unwrap();
    }
    std_fs::create_dir(dir.path().join(".autodo-tmp-folder")).unwrap();
    remove_leftovers(dir.path());
    let Observed::Present(left) = list_dir(dir.path()) else { panic!("the folder is there") };
    let names: Vec<_> = left.iter().map(|l| l.name.to_str().unwrap()).collect();
    assert_eq!(names, [".autodo-tmp-folder", ".other", "journal.jsonl", "x.autodo-tmp-"]);
}

#[test]
fn an_error_names_what_path_and_why() {
    let error = read(Path::new("/no/such/file")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /no/such/file: No such file or directory (os error 2)");
}
