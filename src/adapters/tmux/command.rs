//! tmux commands as argument lists, and the two ways in which tmux reads them back.
//!
//! `tmux_interface` spells the commands; it quotes nothing, so the joining is done here. On the command line an
//! argument that ends in `;` ends the command unless that `;` has a backslash before it. In a command string (the
//! branches of `if-shell`, the lines of `source-file`) words are quoted as tmux's own parser reads them.

use tmux_interface::TmuxCommand;

/// One tmux command: its name and its arguments, unquoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cmd(Vec<String>);

impl Cmd {
    /// Takes what the builder made.
    pub(super) fn of(built: &TmuxCommand<'_>) -> Self {
        Self(built.to_vec().into_iter().map(std::borrow::Cow::into_owned).collect())
    }

    /// Adds an argument.
    pub(super) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.0.push(argument.into());
        self
    }

    /// Adds arguments.
    pub(super) fn args(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.0.extend(arguments);
        self
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Its words, unquoted.
    pub(super) fn words(self) -> Vec<String> {
        self.0
    }

    /// The command as one line for tmux's own parser.
    pub(super) fn line(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|word| quote(word)).collect();
        words.join(" ")
    }
}

/// Several commands as arguments of the tmux program.
pub(super) fn argv(commands: &[Cmd]) -> Vec<String> {
    let mut all = Vec::new();
    for (number, Cmd(words)) in commands.iter().enumerate() {
        if number > 0 {
            all.push(";".to_owned());
        }
        all.extend(words.iter().map(|word| escape_end(word)));
    }
    all
}

/// Several commands as one command string, for a branch of `if-shell` or a line of the control client.
pub(super) fn body(commands: &[Cmd]) -> String {
    let lines: Vec<String> = commands.iter().map(Cmd::line).collect();
    lines.join(" ; ")
}

/// A `;` at the end of an argument gets its backslash.
fn escape_end(word: &str) -> String {
    match word.strip_suffix(';') {
        Some(stem) => format!("{stem}\\;"),
        None => word.to_owned(),
    }
}

/// A word in double quotes. Inside them tmux gives a meaning to `"`, `\`, `$` and a first `~` only
/// (cmd-parse.y of 3.3a); control characters are written in octal.
fn quote(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('"');
    for c in word.chars() {
        match c {
            '"' | '\\' | '$' | '~' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_ascii_control() => quoted.push_str(&format!("\\{:03o}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use tmux_interface::{KillSession, SendKeys};

    use super::*;

    fn send(text: &str) -> Cmd {
        Cmd::of(&SendKeys::new().target_pane("%1").build()).arg(text)
    }

    #[test]
    fn a_final_semicolon_never_ends_a_command() {
        for (text, sent) in [("foo;", "foo\\;"), (";", "\\;"), ("a;b", "a;b"), ("x\\;", "x\\\\;"), ("", "")] {
            assert_eq!(argv(&[send(text)]), ["send-keys", "-t", "%1", sent]);
        }
        assert_eq!(argv(&[send("a"), send("b")]).iter().filter(|word| *word == ";").count(), 1);
    }

    #[test]
    fn words_of_a_line_are_quoted() {
        let line = send("a \"b\" \\ $HOME ~x #{y} ; } 'z' \n\u{1b}é").line();
        let text = "\"a \\\"b\\\" \\\\ \\$HOME \\~x #{y} ; } 'z' \\012\\033é\"";
        assert_eq!(line, format!("\"send-keys\" \"-t\" \"%1\" {text}"));
        let two = body(&[Cmd::of(&KillSession::new().build()), send("x")]);
        assert_eq!(two, "\"kill-session\" ; \"send-keys\" \"-t\" \"%1\" \"x\"");
    }
}
