//! The reference page of all settings, made of the table: `docs/reference/config.md` is this text.

use super::settings::{Definition, TABLE};

/// The page, as Markdown.
#[must_use]
pub fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    for row in TABLE {
        text.push_str(&section(row));
    }
    text
}

/// One setting.
fn section(row: &Definition) -> String {
    let built_in = match row.otherwise {
        Some(words) => format!("unset: {words}"),
        None => format!("`{}`", (row.built_in)()),
    };
    format!(
        "\n## `{}`\n\n{}\n\n- takes: {}\n- built-in: {built_in}\n- variable: `{}`\n",
        row.name,
        row.meaning(),
        row.kind.expected(),
        row.variable(),
    )
}

const INTRODUCTION: &str = "# Settings

Made of the program's own table of settings; `scripts/test` fails where the two differ.

Settings come in layers, the weakest first; a stronger layer's value replaces a weaker one's as a whole (lists are
not joined):

1. built-in,
2. the user's file, `$AUTODO_HOME/config.toml`,
3. the project's file, `<repo>/.autodo/config.toml`,
4. environment variables `AUTODO_*`,
5. flags.

`autodo config` lists every value with its origin: the file and line, the variable or the flag. A key that is not
known, or a value of the wrong type, is an error that names line and column. The files may say `version = 1`; a newer
version is refused.

In a variable, a list is TOML where it begins as a TOML list of texts does (`[\"cargo test\", \"cargo clippy\"]`), and
otherwise one element (`AUTODO_CHECKS=\"cargo test\"`); an empty variable is an empty list.

What concerns a ticket's run (`checks`, `worktree.*`, `limits.*`) is taken from your checkout when the ticket is
accepted, and kept with the ticket: an agent that edits `.autodo/config.toml` in its worktree changes nothing for
itself. A `limits.*` value that no layer sets is the agent profile's.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_setting_with_its_variable() {
        let page = page();
        for row in TABLE {
            assert!(page.contains(&format!("## `{}`\n", row.name)), "{}", row.name);
            assert!(page.contains(&format!("`{}`", row.variable())), "{}", row.name);
        }
    }
}
