//! The user database: name and home of a user id.
//!
//! A statically linked glibc cannot ask it the usual way: getpwuid(3) would load the machine's own lookup modules, which
//! belong to the machine's own glibc (LDAP, SSSD, systemd), and may crash. Such a build reads `/etc/passwd`, and asks
//! getent(1), a program of the machine, about whoever is not in there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::unistd::Uid;

/// What the database says of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Home folder.
    pub home: PathBuf,
}

/// The user with this id. `None`: the database has none, or cannot be read, which callers never tell apart.
#[must_use]
pub fn of(uid: Uid) -> Option<User> {
    if cfg!(target_feature = "crt-static") {
        return in_file(Path::new("/etc/passwd"), uid).or_else(|| by_program("getent", uid));
    }
    // Ignored: see above.
    let found = nix::unistd::User::from_uid(uid).ok().flatten()?;
    Some(User { name: found.name, home: found.dir })
}

fn in_file(file: &Path, uid: Uid) -> Option<User> {
    // Ignored: a file that cannot be read names nobody.
    in_lines(&fs::read(file).ok()?, uid)
}

/// Asks `program`, as `getent passwd UID`.
fn by_program(program: &str, uid: Uid) -> Option<User> {
    let mut command = Command::new(program);
    command.args(["passwd", &uid.to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
    // Ignored: a machine without the program has no other database that could be asked.
    let answer = command.output().ok()?;
    in_lines(&answer.stdout, uid)
}

/// The first line of passwd(5) with this id: `name:password:uid:gid:comment:home:shell`.
fn in_lines(text: &[u8], uid: Uid) -> Option<User> {
    String::from_utf8_lossy(text).lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, id, _, _, home, _] = fields[..] else { return None };
        // Ignored: a line with another text there is nobody's.
        let is_it = id.parse().ok() == Some(uid.as_raw());
        (is_it && !name.is_empty()).then(|| User { name: name.to_owned(), home: PathBuf::from(home) })
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const LINES: &str = "root:x:0:0:root:/adm:/bin/sh\n# 7:x:7\n+::::::\n\
                         you:x:1000:1000:You,,,:/home/you:/bin/bash\nbob:x:1000:1::/net/bob:/bin/sh\n";

    #[test]
    fn a_user_is_the_first_line_with_the_id() {
        let user = |uid: u32| in_lines(LINES.as_bytes(), Uid::from_raw(uid));
        assert_eq!(user(1000), Some(User { name: "you".into(), home: "/home/you".into() }));
        assert_eq!(user(0).unwrap().name, "root");
        assert_eq!((user(7), user(100)), (None, None));
    }

    #[test]
    fn whoever_is_not_in_the_file_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passwd");
        fs::write(&file, LINES).unwrap();
        let program = dir.path().join("getent");
        fs::write(
            &program,
            "#!/bin/sh\n[ \"$1\" = passwd ] && [ \"$2\" = 52 ] && echo 'eve:*:52:5::/net/eve:/bin/sh'\n",
        )
        .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let eve = Uid::from_raw(52);
        assert_eq!(in_file(&file, eve), None);
        let found = by_program(program.to_str().unwrap(), eve);
        assert_eq!(found, Some(User { name: "eve".into(), home: "/net/eve".into() }));
        assert_eq!(by_program(program.to_str().unwrap(), Uid::from_raw(53)), None);
        assert_eq!(by_program("/nowhere/getent", eve), None);
        assert_eq!(in_file(&dir.path().join("none"), eve), None);
    }

    #[test]
    fn both_ways_of_asking_know_this_user_alike() {
        let own = Uid::effective();
        let by_hand = in_file(Path::new("/etc/passwd"), own).or_else(|| by_program("getent", own));
        assert_eq!(by_hand, of(own));
    }
}
