//! Tests of backlog: directories of tickets on a real file system.

use std::{
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
};

use autodo::{
    adapters::backlog::{LARGEST_TICKET, digest, read_dir},
    domain::backlog::check,
    format::ticket::parse_ticket,
};

#[test]
fn tickets_are_read_in_the_order_of_their_names() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.md", "a.md", "10.md", "Z.MD", "README.md", "readme.MD", ".hidden.md", "notes.txt", ".md", "md"] {
        fs::write(dir.path().join(name), name).unwrap();
    }
    fs::create_dir(dir.path().join("folder.md")).unwrap();
    fs::write(dir.path().join("folder.md/inner.md"), "").unwrap();
    symlink("a.md", dir.path().join("link.md")).unwrap();
    let texts = read_dir(dir.path()).unwrap();
    let names: Vec<_> = texts.files.iter().map(|(p, _)| p.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["10.md", "Z.MD", "a.md", "b.md", "link.md"]);
    assert_eq!(texts.files[4].1, "a.md");
    assert_eq!(texts.problems, []);
}

#[test]
fn a_single_file_is_a_backlog_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("README.md");
    fs::write(&path, "x").unwrap();
    assert_eq!(read_dir(&path).unwrap().files, [(path, "x".to_owned())]);
}

#[test]
fn a_file_that_cannot_be_read_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    fs::write(file("a.md"), b"line\nl\xff").unwrap();
    fs::write(file("good.md"), "x").unwrap();
    fs::write(file("large.md"), vec![b'x'; usize::try_from(LARGEST_TICKET).unwrap() + 1]).unwrap();
    fs::write(file("full.md"), vec![b'x'; usize::try_from(LARGEST_TICKET).unwrap()]).unwrap();
    symlink("nowhere", file("dangling.md")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(file("socket.md")).unwrap();
    nix::unistd::mkfifo(&file("pipe.md"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"\xfe.md");
    fs::write(dir.path().join(odd), b"\xff").unwrap();

    let texts = read_dir(dir.path()).unwrap();
    let read: Vec<_> = texts.files.iter().map(|(p, _)| p.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(read, ["full.md", "good.md"]);
    let said: Vec<&str> = texts.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(said.len(), 6, "{said:#?}");
    assert_eq!(said[0], "the ticket is not UTF-8 (byte 6, line 2)");
    assert!(said[1].contains("No such file"), "{said:?}");
    assert!(said[2].contains("larger than 1024 KiB"), "{said:?}");
    assert!(said[3].contains("not a regular file") && said[4].contains("not a regular file"), "{said:?}");
    assert!(texts.problems.iter().all(|p| !p.hint.is_empty() && p.snippet.contains(&p.file)));
}

#[test]
fn a_backlog_that_cannot_be_listed_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = read_dir(&dir.path().join("none")).unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    let shut = dir.path().join("shut");
    fs::create_dir(&shut).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    // A superuser may look all the same; then there is nothing in it.
    match read_dir(&shut) {
        Ok(texts) => assert_eq!(texts.files, []),
        Err(error) => assert_eq!(error.source.kind(), std::io::ErrorKind::PermissionDenied),
    }
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_digest_is_the_same_in_every_version() {
    assert_eq!(digest(""), "6c62272e07bb014262b821756295c58d");
    assert_eq!(digest("a"), "d228cb696f1a8caf78912b704e4a8964");
    assert_ne!(digest("a\n"), digest("a"));
}

#[test]
fn a_backlog_goes_from_files_to_troubles() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("T-1.md", "---\ntitle: One\n---\nbody"),
        ("t-1.md", "# One again"),
        ("T-2.md", "---\nafter: [T-1, T-9]\n---\n"),
        ("T-3.md", "---\nafter: [T-3]\n---\n"),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let texts = read_dir(dir.path()).unwrap();
    let tickets: Vec<_> = texts
        .files
        .iter()
        .map(|(path, text)| {
            let (name, stem) =
                (path.file_name().unwrap().to_string_lossy(), path.file_stem().unwrap().to_string_lossy());
            (name.clone().into_owned(), parse_ticket(&name, &stem, text).unwrap())
        })
        .collect();
    let said: Vec<String> =
        check(&tickets, &std::collections::BTreeSet::new()).iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 4, "{said:#?}");
    assert_eq!(said[1], "T-2.md: T-2 depends on T-9, which is unknown");
    assert_eq!(said[2], "T-3.md: T-3 depends on itself");
}
