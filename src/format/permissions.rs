//! Policies for permissions as files: that of a launch, JSON for the hook that judges; and a project's live rules, lines
//! that a person may edit.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::permission::{Place, Policy, Rule, Subject, Tools};

/// Version of both files.
pub const POLICY_VERSION: u32 = 1;

/// What the hook of a launch judges by, beside the live rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchPolicy {
    /// Always [`POLICY_VERSION`]; a newer one is refused.
    pub version: u32,
    /// The worktree.
    pub worktree: PathBuf,
    /// autodo, as the agent was told to call it.
    pub program: String,
    /// The user's checkout: whose live rules count.
    pub project: PathBuf,
    /// The file of the live rules; it need not be there.
    pub live: PathBuf,
    /// The rules that were frozen with the ticket.
    pub rules: Vec<String>,
    /// How the agent's tools name what they would do.
    pub tools: Tools,
}

impl LaunchPolicy {
    /// As it is written.
    ///
    /// # Errors
    /// A path is not UTF-8.
    pub fn render(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|why| format!("the policy of a launch cannot be written: {why}"))
    }

    /// Reads it.
    ///
    /// # Errors
    /// It is not one, or a newer autodo wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = serde_json::from_str(text).map_err(|why| format!("the launch's policy: {why}"))?;
        match policy.version {
            POLICY_VERSION => Ok(policy),
            other => Err(format!("the launch's policy has version {other}, this autodo knows {POLICY_VERSION}")),
        }
    }

    /// The rules that count, with the text of the live file (`None`: there is none).
    ///
    /// # Errors
    /// One of them is no rule, or the live file is another project's.
    pub fn rules(&self, live: Option<&str>) -> Result<Policy, String> {
        let live = live.map(|text| Live::parse(text, &self.project)).transpose()?.unwrap_or_default();
        policy(&live.rules, &self.rules)
    }

    /// What rules look at in a call of a tool. `folder` is the agent's present one; `resolve` is that of [`Place`].
    #[must_use]
    pub fn subject(
        &self,
        tool: &str,
        input: &Value,
        folder: Option<&Path>,
        resolve: &dyn Fn(&Path) -> Option<PathBuf>,
    ) -> Option<Subject> {
        let worktree = resolve(&self.worktree)?;
        let place = Place { worktree: &worktree, folder, program: &self.program, resolve };
        self.tools.subject(tool, input, &place)
    }
}

/// Both lists of rules as one policy.
///
/// # Errors
/// A text is no rule.
pub fn policy(live: &[String], frozen: &[String]) -> Result<Policy, String> {
    Policy::of(live.iter().map(String::as_str), frozen.iter().map(String::as_str)).map_err(|why| why.to_string())
}

/// A project's live rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// In order.
    pub rules: Vec<String>,
}

impl Live {
    /// Reads the file of `project`.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn parse(text: &str, project: &Path) -> Result<Self, String> {
        let mut rules = Vec::new();
        let (mut version, mut whose) = (None, None);
        for (index, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), index + 1);
            match line.split_once(' ') {
                _ if line.is_empty() || line.starts_with('#') => {}
                Some(("version", given)) if version.is_none() => version = Some(given.trim().to_owned()),
                Some(("project", given)) if whose.is_none() => whose = Some(given.trim().to_owned()),
                _ => {
                    Rule::parse(line).map_err(|why| format!("line {number}: {why}"))?;
                    rules.push(line.to_owned());
                }
            }
        }
        match version.as_deref().map(str::parse::<u32>) {
            Some(Ok(POLICY_VERSION)) => {}
            Some(Ok(newer)) if newer > POLICY_VERSION => {
                return Err(format!("it has version {newer}, this autodo knows {POLICY_VERSION}"));
            }
            _ => return Err(format!("it does not say: version {POLICY_VERSION}")),
        }
        let own = project.to_string_lossy();
        match whose {
            Some(whose) if whose == own => Ok(Self { rules }),
            Some(whose) => Err(format!("it is of the project {whose}, not of {own}")),
            None => Err(format!("it does not say: project {own}")),
        }
    }

    /// The text of the file with `rule` as its first rule; comments and all other rules stay as they are.
    #[must_use]
    pub fn with_rule(text: Option<&str>, project: &Path, rule: &str) -> String {
        let fresh = format!(
            "# Rules for what agents ask to be allowed in this project; autodo answer ID always adds to them.\n\
             # The first that matches decides. They go before the project's own rules, save where those deny.\n\
             # Edit or remove lines as you like: they are read anew at each request.\n\
             version {POLICY_VERSION}\nproject {}\n\n",
            project.to_string_lossy()
        );
        let text = text.unwrap_or(&fresh);
        let is_rule = |line: &&str| Rule::parse(line).is_ok();
        let at = match text.lines().find(is_rule) {
            Some(first) => first.as_ptr() as usize - text.as_ptr() as usize,
            None => text.len(),
        };
        let (before, after) = text.split_at(at);
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        format!("{before}{gap}{rule}\n{after}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn project() -> &'static Path {
        Path::new("/src/my project")
    }

    #[test]
    fn a_rule_is_added_before_the_others_and_nothing_else_changes() {
        let first = Live::with_rule(None, project(), "allow Bash npm test");
        assert_eq!(Live::parse(&first, project()).unwrap().rules, ["allow Bash npm test"]);
        let edited = format!("{first}# mine\n  deny Bash rm *\n");
        let second = Live::with_rule(Some(&edited), project(), "allow Edit 'a b'");
        let rules = ["allow Edit 'a b'", "allow Bash npm test", "deny Bash rm *"];
        assert_eq!(Live::parse(&second, project()).unwrap().rules, rules);
        assert!(second.contains("# mine\n  deny Bash rm *\n"), "{second}");
        let bare = Live::with_rule(Some("version 1\nproject /x"), project(), "allow A");
        assert_eq!(bare, "version 1\nproject /x\nallow A\n");
    }

    #[test]
    fn what_is_wrong_in_the_file_is_named() {
        for (text, says) in [
            ("", "version 1"),
            ("version 2\nproject /src/my project\n", "version 2"),
            ("version 1\n", "project /src/my project"),
            ("version 1\nproject /other\n", "of the project /other"),
            ("version 1\nproject /src/my project\nallow\n", "line 3"),
            ("version 1\nproject /src/my project\nversion 1\n", "line 3"),
        ] {
            let error = Live::parse(text, project()).unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_policy_of_a_launch_is_read_back_and_a_newer_one_refused() {
        let policy = LaunchPolicy {
            version: POLICY_VERSION,
            worktree: "/w".into(),
            program: "/h/autodo".into(),
            project: project().into(),
            live: "/h/permissions/x".into(),
            rules: vec!["deny Bash git push *".into()],
            tools: Tools::default(),
        };
        let text = policy.render().unwrap();
        assert_eq!(LaunchPolicy::parse(&text), Ok(policy.clone()));
        assert!(LaunchPolicy::parse(&text.replace("\"version\":1", "\"version\":2")).is_err());
        let live = Live::with_rule(None, project(), "allow Bash npm test");
        let rules = policy.rules(Some(&live)).unwrap();
        assert_eq!((rules.live.len(), rules.frozen.len()), (1, 1));
        assert!(policy.rules(Some("version 1\nproject /other\n")).is_err());
        assert_eq!(policy.rules(None).unwrap().live, []);
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_none(text in any::<String>(), lines in "(version 1\n|project /src/my project\n|allow [a-z ]{0,5}\n|#.{0,4}\n){0,6}") {
            for text in [text, lines] {
                if let Ok(live) = Live::parse(&text, project()) {
                    let more = Live::parse(&Live::with_rule(Some(&text), project(), "ask X"), project()).unwrap();
                    prop_assert_eq!(more.rules.len(), live.rules.len() + 1);
                }
                let _ = LaunchPolicy::parse(&text);
            }
        }
    }
}
