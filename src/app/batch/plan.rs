//! What a batch is to do, and the texts that have it done: nothing of the environment that it needs is left to chance.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::{
    adapters::{env, fs, process::find_program},
    app::{App, AppError, intake::Project},
    domain::observed::Observed,
    format::{
        crontab::{self, LONGEST_COMMAND},
        time, unit,
        window::Hours,
    },
};

/// What a person wants.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// When it begins: a time of day.
    pub at: String,
    /// When the last ticket is started.
    pub until: String,
    /// When the last agent is stopped.
    pub hard_stop: Option<String>,
    /// Further words for `dispatch`, such as `--budget 20`.
    pub more: Vec<String>,
    /// Further variables that it gets as they are set now.
    pub variables: Vec<String>,
}

/// What stands of a batch in its comment, to be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When it begins, `HH:MM`.
    pub at: String,
    /// When the last ticket is started.
    pub until: String,
    /// When the last agent is stopped.
    pub hard_stop: Option<String>,
    /// The program.
    pub program: String,
}

impl Note {
    /// As a comment.
    fn line(&self) -> String {
        let hard_stop = self.hard_stop.as_deref().unwrap_or("-");
        format!("# at={} until={} hard_stop={hard_stop} program={}", self.at, self.until, self.program)
    }

    /// Reads [`Note::line`].
    pub(super) fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("# at=")?;
        let (at, rest) = rest.split_once(" until=")?;
        let (until, rest) = rest.split_once(" hard_stop=")?;
        let (hard_stop, program) = rest.split_once(" program=")?;
        let hard_stop = Some(hard_stop.to_owned()).filter(|text| text != "-");
        Some(Self { at: at.to_owned(), until: until.to_owned(), hard_stop, program: program.to_owned() })
    }
}

/// A batch to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The project's folder.
    pub project: String,
    hour: i8,
    minute: i8,
    note: Note,
    variables: Vec<(String, String)>,
    words: Vec<String>,
}

/// Works out what is to be installed for `project`.
///
/// # Errors
/// The hours are wrong, or something of it cannot stand in a crontab or a unit.
pub fn plan(app: &App, project: &Project, wish: &Wish) -> Result<Plan, AppError> {
    let hours = Hours::parse(("--at", &wish.at), &wish.until, wish.hard_stop.as_deref())
        .map_err(|e| AppError::usage(e.to_string()).hint("for example --at 01:00 --until 06:30 --hard-stop 07:30"))?;
    let (hour, minute) = hours.begins();
    let at = format!("{hour:02}:{minute:02}");
    let program = text("the program", &program()?)?;
    let mut variables = vec![
        ("PATH".to_owned(), text("the PATH", Path::new(&path()))?),
        ("HOME".to_owned(), text("the home", &env::home().unwrap_or_else(|| PathBuf::from("/")))?),
        locale(),
        ("AUTODO_HOME".to_owned(), text("autodo's home", app.home.root())?),
    ];
    for name in &wish.variables {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let value = env::var(name).filter(|_| name.chars().all(is_name)).ok_or_else(|| {
            AppError::usage(format!("--env {name}: that variable is not set here"))
                .hint("set it first, or leave --env away")
        })?;
        variables.push((name.clone(), text(name, Path::new(&value))?));
    }
    let mut words: Vec<String> =
        ["dispatch", "--cron", "--from", &at, "--until", &wish.until].map(str::to_owned).into();
    if let Some(stop) = &wish.hard_stop {
        words.extend(["--hard-stop".to_owned(), stop.clone()]);
    }
    words.extend(wish.more.iter().cloned());
    let note = Note { at, until: wish.until.clone(), hard_stop: wish.hard_stop.clone(), program };
    Ok(Plan { project: text("the project", &project.repo.root)?, hour, minute, note, variables, words })
}

/// `path` as a text that may stand in a line.
fn text(what: &str, path: &Path) -> Result<String, AppError> {
    path.to_str().filter(|text| !text.contains(['\n', '\r', '\0'])).map(str::to_owned).ok_or_else(|| {
        AppError::usage(format!("{what} cannot stand in a crontab or a unit: {}", path.display()))
            .hint("give it a name in UTF-8 without line ends")
    })
}

/// This program as the PATH finds it, so that an upgrade is taken up; else its file.
fn program() -> Result<PathBuf, AppError> {
    let own = env::current_exe().map_err(|e| {
        AppError::new(format!("cannot tell where autodo itself is: {e}")).hint("call it by its whole path")
    })?;
    Ok(match find_program("autodo") {
        Observed::Present(found) if found.is_absolute() && fs::resolved(&found) == own => found,
        _ => own,
    })
}

/// The folders of the PATH that a program started elsewhere can use.
fn path() -> String {
    env::path_folders().iter().map(|folder| folder.to_string_lossy()).collect::<Vec<_>>().join(":")
}

/// The locale, which must be UTF-8: without one agents draw their screens in another way.
fn locale() -> (String, String) {
    let is_utf8 = |value: &str| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    };
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| Some((name.to_owned(), env::var(name)?.into_string().ok()?)));
    set.filter(|(_, value)| is_utf8(value)).unwrap_or_else(|| ("LC_ALL".to_owned(), "C.UTF-8".to_owned()))
}

impl Plan {
    /// What is run, as a line for `sh`: it needs nothing of whatever starts it.
    #[must_use]
    pub fn command(&self) -> String {
        let set = |(name, value): &(String, String)| format!("{name}={}", shell_words::quote(value));
        let mut all = vec![format!("cd {} &&", shell_words::quote(&self.project))];
        all.extend(self.variables.iter().map(set));
        all.push(shell_words::quote(&self.note.program).into_owned());
        all.extend(self.words.iter().map(|word| shell_words::quote(word).into_owned()));
        all.join(" ")
    }

    /// The lines of its block in a crontab: every night, and after a reboot within its hours.
    #[must_use]
    pub fn crontab(&self) -> Vec<String> {
        let command = crontab::escaped(&self.command());
        vec![
            "# written by autodo batch install; autodo batch remove takes it away".to_owned(),
            self.note.line(),
            format!("{} {} * * * {command}", self.minute, self.hour),
            format!("@reboot {command}"),
        ]
    }

    /// True if every cron takes the line.
    #[must_use]
    pub fn fits_cron(&self) -> bool {
        crontab::escaped(&self.command()).len() <= LONGEST_COMMAND
    }

    /// The name of its units, without their kind.
    #[must_use]
    pub fn unit(&self) -> String {
        unit_of(&self.project)
    }

    /// Its unit files: names and texts.
    #[must_use]
    pub fn units(&self) -> [(String, String); 2] {
        let name = self.unit();
        let project = unit::plain(&self.project);
        let head = format!(
            "# autodo batch: {}\n# written by autodo batch install; autodo batch remove takes it away\n{}\n",
            self.project,
            self.note.line()
        );
        let set: String = self
            .variables
            .iter()
            .map(|(name, value)| format!("Environment={}\n", unit::quoted(&format!("{name}={value}"))))
            .collect();
        let argv = [&self.note.program].into_iter().chain(&self.words).map(|word| unit::word(word));
        let argv = argv.collect::<Vec<_>>().join(" ");
        // The tmux server and the agents in it outlive the supervisor, and one of them that runs out of memory must not
        // end it. A supervisor that was killed goes on where it was.
        let service = format!(
            "{head}[Unit]\nDescription=autodo batch of {project}\n\n[Service]\nType=exec\nWorkingDirectory={project}\n\
             {set}ExecStart={argv}\nKillMode=process\nOOMPolicy=continue\nRestart=on-abnormal\nRestartSec=30\n\n\
             [Install]\nWantedBy=default.target\n"
        );
        let timer = format!(
            "{head}[Unit]\nDescription=autodo batch of {project}\n\n[Timer]\nOnCalendar=*-*-* {:02}:{:02}:00\n\n\
             [Install]\nWantedBy=timers.target\n",
            self.hour, self.minute
        );
        [(format!("{name}.service"), service), (format!("{name}.timer"), timer)]
    }

    /// When it begins next.
    #[must_use]
    pub fn next(&self, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
        time::clock(&self.note.at, now, &TimeZone::system()).ok()
    }
}

/// The name of a project's units: its folder's name for people, and a sum of its path, since names repeat.
pub(super) fn unit_of(project: &str) -> String {
    let folder = project.rsplit('/').next().unwrap_or_default();
    let plain: String = folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    format!("autodo-{plain}-{:08x}", crc32fast::hash(project.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Plan {
        let note = Note {
            at: "01:05".into(),
            until: "06:30".into(),
            hard_stop: Some("07:30".into()),
            program: "/opt/a b/autodo".into(),
        };
        Plan {
            project: "/srv/ann/it's 100% mine".into(),
            hour: 1,
            minute: 5,
            note,
            variables: vec![("PATH".into(), "/a b:/c$d".into())],
            words: ["dispatch", "--cron"].map(str::to_owned).into(),
        }
    }

    #[test]
    fn the_crontab_says_when_where_and_with_what_and_nothing_in_it_is_taken_for_more() {
        let lines = sample().crontab();
        assert_eq!(Note::parse(&lines[1]), Some(sample().note));
        assert_eq!(
            lines[2],
            "5 1 * * * cd '/srv/ann/it'\\''s 100\\% mine' && PATH='/a b:/c$d' '/opt/a b/autodo' dispatch --cron"
        );
        assert_eq!(lines[3].strip_prefix("@reboot "), lines[2].strip_prefix("5 1 * * * "));
    }

    #[test]
    fn the_units_say_the_same() {
        let [(service, text), (timer, when)] = sample().units();
        assert!(service.starts_with("autodo-it-s-100--mine-") && service.ends_with(".service"), "{service}");
        assert_eq!(service.replace(".service", ".timer"), timer);
        for line in [
            "WorkingDirectory=/srv/ann/it's 100%% mine",
            "Environment=\"PATH=/a b:/c$d\"",
            "ExecStart=\"/opt/a b/autodo\" \"dispatch\" \"--cron\"",
            "KillMode=process",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        assert!(when.contains("\nOnCalendar=*-*-* 01:05:00\n"), "{when}");
        assert_eq!(when.lines().find_map(Note::parse), Some(sample().note));
    }
}
