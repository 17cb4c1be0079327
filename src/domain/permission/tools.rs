//! From a call of an agent's tool to what rules look at.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Subject;

/// Longest command that is looked at, in bytes: no rule is that long.
const LONGEST_COMMAND: usize = 16 * 1024;

/// How an agent's tools name what they would do. A part of its profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tools {
    /// Tools whose dialogs ask something else than a permission: no rule answers them.
    pub questions: Vec<String>,
    /// Fields of a tool's input that hold a command for a shell.
    pub command: Vec<String>,
    /// Fields that hold the path of a file.
    pub path: Vec<String>,
    /// Fields that may stand beside a command without changing what it does.
    pub beside: Vec<String>,
}

impl Default for Tools {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            questions: vec![],
            command: names(&["command"]),
            path: names(&["file_path", "notebook_path", "path"]),
            beside: names(&["description", "timeout", "run_in_background"]),
        }
    }
}

/// Where a tool would act.
pub struct Place<'a> {
    /// The worktree, links resolved.
    pub worktree: &'a Path,
    /// The agent's present folder; `None`: it is not known.
    pub folder: Option<&'a Path>,
    /// autodo as the agent was told to call it.
    pub program: &'a str,
    /// Resolves the links of a path that may not be there; `None`: it leads nowhere for certain.
    pub resolve: &'a dyn Fn(&Path) -> Option<PathBuf>,
}

impl Tools {
    /// What rules look at; `None`: no rule may answer this.
    #[must_use]
    pub fn subject(&self, tool: &str, input: &Value, place: &Place<'_>) -> Option<Subject> {
        if self.questions.iter().any(|name| name == tool) {
            return None;
        }
        let texts = |names: &[String]| -> Vec<String> {
            names.iter().filter_map(|name| input.get(name)?.as_str().map(str::to_owned)).collect()
        };
        let is_known = |key: &String| self.command.contains(key) || self.beside.contains(key);
        let has_more = input.as_object().is_some_and(|fields| fields.keys().any(|key| !is_known(key)));
        Some(match (texts(&self.command).as_slice(), texts(&self.path).as_slice()) {
            ([], []) => Subject::Input,
            ([], [path]) => Subject::Path { path: path.clone(), inside: place.inside(path) },
            ([], [path, ..]) => Subject::Path { path: path.clone(), inside: None },
            ([line, rest @ ..], _) => {
                let is_cut = line.len() > LONGEST_COMMAND;
                let line: String = if is_cut { line.chars().take(LONGEST_COMMAND / 4).collect() } else { line.clone() };
                let unclear = has_more || is_cut || !rest.is_empty() || !place.is_here();
                Subject::Command { line: named(&line, place.program), unclear }
            }
        })
    }
}

impl Place<'_> {
    fn is_here(&self) -> bool {
        self.folder.and_then(|folder| (self.resolve)(folder)).is_some_and(|folder| folder.starts_with(self.worktree))
    }

    /// `path` from the worktree's root; `None`: it lies outside, or goes through `..`.
    fn inside(&self, path: &str) -> Option<String> {
        let path = Path::new(path);
        if path.components().any(|part| part == std::path::Component::ParentDir) {
            return None;
        }
        let whole = if path.is_absolute() { path.to_owned() } else { self.folder?.join(path) };
        let real = (self.resolve)(&whole)?;
        let inside = real.strip_prefix(self.worktree).ok()?.to_str()?;
        (!inside.is_empty()).then(|| inside.to_owned())
    }
}

/// `line` with the word `autodo` in the place of the program's path, so that one rule stands for every version of it.
#[must_use]
pub fn named(line: &str, program: &str) -> String {
    let quoted = [format!("\"{program}\""), format!("'{program}'")];
    let forms = [program, &quoted[0], &quoted[1], "\"$AUTODO_BIN\""];
    let rest = forms.iter().filter(|form| !form.is_empty()).find_map(|form| line.trim_start().strip_prefix(*form));
    match rest.filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
        Some(rest) => format!("autodo{rest}"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subject(tool: &str, input: &Value) -> Option<Subject> {
        let resolve = |path: &Path| match path.strip_prefix("/w/link") {
            Ok(rest) => Some(Path::new("/etc").join(rest)),
            Err(_) if path.ends_with("dangling") => None,
            Err(_) => Some(path.to_owned()),
        };
        let tools = Tools { questions: vec!["Ask".into()], ..Tools::default() };
        let folder = Path::new("/w/src");
        let place =
            Place { worktree: Path::new("/w"), folder: Some(folder), program: "/h/bin/1/autodo", resolve: &resolve };
        tools.subject(tool, input, &place)
    }

    #[test]
    fn a_command_is_clear_only_where_nothing_else_hangs_on_it() {
        let command = |line: &str, unclear| Some(Subject::Command { line: line.into(), unclear });
        assert_eq!(subject("Bash", &json!({"command": "ls", "description": "x", "timeout": 3})), command("ls", false));
        assert_eq!(subject("Bash", &json!({"command": "ls", "dangerouslyDisableSandbox": true})), command("ls", true));
        assert_eq!(subject("mcp", &json!({"command": "create", "path": "/etc/x"})), command("create", true));
        let long = "x".repeat(LONGEST_COMMAND + 1);
        assert!(matches!(subject("Bash", &json!({"command": long})), Some(Subject::Command { unclear: true, .. })));
        let own = json!({"command": "/h/bin/1/autodo report note x"});
        assert_eq!(subject("Bash", &own), command("autodo report note x", false));
        let elsewhere = |folder: Option<&Path>| {
            let resolve = |path: &Path| Some(path.to_owned());
            let place = Place { worktree: Path::new("/w"), folder, program: "", resolve: &resolve };
            Tools::default().subject("Bash", &json!({"command": "ls"}), &place)
        };
        assert_eq!(elsewhere(Some(Path::new("/w/a"))), command("ls", false));
        assert_eq!(elsewhere(Some(Path::new("/worktree"))), command("ls", true));
        assert_eq!(elsewhere(None), command("ls", true));
    }

    #[test]
    fn a_path_is_inside_only_where_its_links_lead_there() {
        let path = |path: &str| match subject("Edit", &json!({"file_path": path, "old_string": "x"})) {
            Some(Subject::Path { inside, .. }) => inside,
            other => panic!("{other:?}"),
        };
        for (given, inside) in [
            ("/w/src/a.rs", Some("src/a.rs")),
            ("a.rs", Some("src/a.rs")),
            ("/w/src/../a.rs", None),
            ("../a.rs", None),
            ("/etc/passwd", None),
            ("/w/link/passwd", None),
            ("/w/dangling", None),
            ("/w", None),
            ("", Some("src")),
        ] {
            assert_eq!(path(given).as_deref(), inside, "{given}");
        }
        let two = subject("Move", &json!({"path": "/w/a", "file_path": "/etc/b"}));
        assert!(matches!(two, Some(Subject::Path { inside: None, .. })));
    }

    #[test]
    fn a_question_is_nothing_that_a_rule_answers() {
        assert_eq!(subject("Ask", &json!({"command": "ls"})), None);
        assert_eq!(subject("WebFetch", &json!({"url": "http://x"})), Some(Subject::Input));
        assert_eq!(subject("Odd", &json!("text")), Some(Subject::Input));
    }

    #[test]
    fn the_programs_path_is_its_name() {
        let name = |line: &str| named(line, "/h/autodo");
        assert_eq!(name("/h/autodo report done"), "autodo report done");
        assert_eq!(name("\"$AUTODO_BIN\" report done"), "autodo report done");
        assert_eq!(name("'/h/autodo'"), "autodo");
        for line in ["/h/autodox y", "x /h/autodo", "\"$AUTODO_BIN\"x", "/h/autodo;ls"] {
            assert_eq!(name(line), line);
        }
        assert_eq!(named("ls", ""), "ls");
    }
}
