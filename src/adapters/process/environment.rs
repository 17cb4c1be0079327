//! The environment of a launch: handed over by whoever starts it, in a file that the wrapper reads and removes.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt, fs,
    io::Write,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::OpenOptionsExt,
    },
    path::{Path, PathBuf},
};

use nix::unistd::{AccessFlags, access};

use super::files::{self, failed};
use crate::{
    adapters::crash,
    ports::launches::{LaunchError, LaunchSpec},
};

/// Names the run, in every process of a launch: `<ticket>/<n>`.
pub const RUN: &str = "AUTODO_RUN";
/// Names the launch, in every process of it: the absolute path of its folder.
pub const LAUNCH: &str = "AUTODO_LAUNCH";

const HAND_OVER: &str = "environment";
const ASIDE: &str = "environment.new";
/// Names, in every process of a heavy command, the one that holds the slot.
pub const HEAVY: &str = "AUTODO_HEAVY";
/// tmux's own, which would lead an agent to the server it runs in; and a slot that is not the launch's.
const NEVER: &[&str] = &["TMUX", "TMUX_PANE", "OLDPWD", HEAVY];
/// What a terminal says of itself: taken from the pane, not from the terminal that autodo was started in.
const OF_THE_TERMINAL: &[&str] = &["TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "LINES", "COLUMNS"];

/// Environment variables. Values may be secrets: `Debug` shows none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Environment {
    /// The environment of this process, without what a test gave to it alone.
    #[must_use]
    pub fn of_this_process() -> Self {
        std::env::vars_os().filter(|(name, _)| !crash::VARIABLES.iter().any(|own| name == own)).collect()
    }

    /// The variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// A variable's value.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// What a launch in `folder` runs in: this environment without `unset`, with `env` and autodo's own on top. With
    /// `pane`, what the terminal says of itself comes from there.
    #[must_use]
    pub fn for_launch(&self, folder: &Path, spec: &LaunchSpec, pane: Option<&Self>) -> Self {
        let mut all = self.0.clone();
        if let Some(pane) = pane {
            for name in OF_THE_TERMINAL.iter().map(OsStr::new) {
                match pane.0.get(name) {
                    Some(value) => all.insert(name.to_owned(), value.clone()),
                    None => all.remove(name),
                };
            }
        }
        for name in NEVER.iter().copied().chain(spec.unset.iter().map(String::as_str)) {
            all.remove(OsStr::new(name));
        }
        all.insert("PWD".into(), spec.cwd.clone().into());
        all.extend(spec.env.iter().map(|(name, value)| (name.into(), value.into())));
        all.insert(RUN.into(), spec.run.clone().into());
        all.insert(LAUNCH.into(), folder.into());
        Self(all)
    }

    /// Checks the variables that the launch requires; one without a value counts as missing.
    ///
    /// # Errors
    /// [`LaunchError::MissingVariable`] names the first that is not there.
    pub fn require(&self, names: &[String]) -> Result<(), LaunchError> {
        match names.iter().find(|name| self.value(name).is_none_or(OsStr::is_empty)) {
            Some(name) => Err(LaunchError::MissingVariable(name.clone())),
            None => Ok(()),
        }
    }

    /// Finds `program` as `execvp` will, for a process in `cwd`.
    ///
    /// # Errors
    /// [`LaunchError::MissingProgram`].
    pub fn program(&self, program: &str, cwd: &Path) -> Result<PathBuf, LaunchError> {
        let runs = |path: &PathBuf| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
        let found = if program.contains('/') {
            Some(cwd.join(program)).filter(runs)
        } else {
            let path = self.value("PATH").unwrap_or(OsStr::new("/bin:/usr/bin"));
            std::env::split_paths(path).map(|place| cwd.join(place).join(program)).find(runs)
        };
        found.filter(|_| !program.is_empty()).ok_or_else(|| LaunchError::MissingProgram(program.to_owned()))
    }

    /// Writes the hand-over file of the launch in `folder`, readable by this user only.
    pub(super) fn hand_over(&self, folder: &Path) -> Result<(), LaunchError> {
        let (path, aside) = (folder.join(HAND_OVER), folder.join(ASIDE));
        let mut text = Vec::new();
        for (name, value) in &self.0 {
            text.extend_from_slice(name.as_bytes());
            text.push(b'=');
            text.extend_from_slice(value.as_bytes());
            text.push(0);
        }
        files::remove(&aside)?;
        // Not synced: after a loss of power nothing is left to read it, and it is written again before the launch.
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&aside)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&aside, &path))
            .map_err(|e| failed("write", &path, &e))
    }

    /// Reads the hand-over file of the launch in `folder`, and removes it.
    pub(super) fn take(folder: &Path) -> Result<Self, LaunchError> {
        let path = folder.join(HAND_OVER);
        let text = fs::read(&path).map_err(|e| failed("read", &path, &e));
        discard(folder)?;
        Ok(text?.split(|byte| *byte == 0).filter_map(variable).collect())
    }
}

/// Removes the hand-over files of the launch in `folder` and of those in folders below it, whether or not they were read.
pub(super) fn discard(folder: &Path) -> Result<(), LaunchError> {
    files::remove(&folder.join(HAND_OVER))?;
    files::remove(&folder.join(ASIDE))?;
    // Ignored: a folder that is not there holds nothing.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        discard(&entry.path())?;
    }
    Ok(())
}

fn variable(entry: &[u8]) -> Option<(OsString, OsString)> {
    let cut = entry.iter().position(|byte| *byte == b'=')?;
    Some((OsString::from_vec(entry[..cut].to_vec()), OsString::from_vec(entry[cut + 1..].to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect()
    }

    fn spec() -> LaunchSpec {
        LaunchSpec {
            version: 1,
            run: "T-1/2".into(),
            argv: vec!["sh".into()],
            cwd: "/there".into(),
            env: [("A".to_owned(), "mine".to_owned()), ("AUTODO_RUN".to_owned(), "forged".to_owned())].into(),
            unset: vec!["NESTED".into(), "A".into()],
            require: vec![],
            output: None,
            limit_s: 0,
            wake: None,
        }
    }

    #[test]
    fn a_launch_gets_the_starters_environment_changed_as_the_spec_says() {
        let starter = environment(&[
            ("A", "theirs"),
            ("KEY", "s=e=c"),
            ("NESTED", "1"),
            ("TMUX", "x"),
            ("TMUX_PANE", "%1"),
            ("PWD", "/here"),
            ("OLDPWD", "/"),
            ("TERM", "xterm"),
            ("COLUMNS", "80"),
        ]);
        let pane = environment(&[("TERM", "tmux-256color"), ("KEY", "old"), ("TMUX", "y")]);
        let wanted =
            [("A", "mine"), ("AUTODO_LAUNCH", "/l"), ("AUTODO_RUN", "T-1/2"), ("KEY", "s=e=c"), ("PWD", "/there")];
        let mut in_pane = environment(&wanted);
        in_pane.0.insert("TERM".into(), "tmux-256color".into());
        assert_eq!(starter.for_launch(Path::new("/l"), &spec(), Some(&pane)).0, in_pane.0);
        let mut without = environment(&wanted);
        without.0.insert("TERM".into(), "xterm".into());
        without.0.insert("COLUMNS".into(), "80".into());
        assert_eq!(starter.for_launch(Path::new("/l"), &spec(), None).0, without.0);
    }

    #[test]
    fn the_hand_over_keeps_every_byte_and_leaves_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let odd = OsString::from_vec(vec![0xff, b'\n', b'=', b' ']);
        let all: Environment = [("X".into(), odd), ("EMPTY".into(), OsString::new())].into_iter().collect();
        all.hand_over(folder.path()).unwrap();
        let mode = std::fs::metadata(folder.path().join(HAND_OVER)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Environment::take(folder.path()).unwrap().0, all.0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(Environment::take(folder.path()).is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        assert!(!format!("{:?}", environment(&[("KEY", "secret")])).contains("secret"));
    }

    #[test]
    fn a_required_variable_needs_a_value() {
        let all = environment(&[("A", "1"), ("B", "")]);
        assert!(all.require(&["A".into()]).is_ok());
        for name in ["B", "C"] {
            assert!(
                matches!(all.require(&["A".into(), name.into()]), Err(LaunchError::MissingVariable(n)) if n == name)
            );
        }
    }

    #[test]
    fn programs_are_looked_up_on_the_path_of_the_launch() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bin");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("plain"), "").unwrap();
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o755)
            .open(path.join("tool"))
            .unwrap();
        let all = environment(&[("PATH", "/nowhere:bin")]);
        assert_eq!(all.program("tool", folder.path()).unwrap(), path.join("tool"));
        assert!(all.program("bin/tool", folder.path()).is_ok());
        for missing in ["plain", "sh", "", "bin/plain", "bin"] {
            assert!(matches!(all.program(missing, folder.path()), Err(LaunchError::MissingProgram(_))), "{missing}");
        }
        assert!(environment(&[]).program("sh", folder.path()).is_ok());
    }
}
