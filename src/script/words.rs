//! What a submitted text means.

/// The first file `.autodo/run/<name>.md` that a text names, if it names one.
#[must_use]
pub fn prompt_file(text: &str) -> Option<&str> {
    const FOLDER: &str = ".autodo/run/";
    text.match_indices(FOLDER).find_map(|(at, _)| {
        let name = text.get(at + FOLDER.len()..)?;
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(name.len());
        let stem = name.get(..end)?.rfind(".md").filter(|stem| *stem > 0)?;
        text.get(at..at + FOLDER.len() + stem + ".md".len())
    })
}

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on at the block in question.
    Rerun,
    /// Go on behind it.
    Skip,
    /// Run everything again.
    StartOver,
}

impl Answer {
    /// `skip…` and `start over…`, in any case; everything else means: go on at the block in question.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        if text.starts_with("skip") {
            Self::Skip
        } else if text.starts_with("start over") || text.starts_with("start-over") {
            Self::StartOver
        } else {
            Self::Rerun
        }
    }
}

/// True for a line that autodo writes itself: it carries the id of its delivery, and is no person's answer.
#[must_use]
pub fn is_from_autodo(text: &str) -> bool {
    text.contains("[autodo ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_prompt_file_of_a_text_is_found() {
        let table = [
            ("Please read .autodo/run/prompt.md and begin. [autodo 1.1]", Some(".autodo/run/prompt.md")),
            ("see `.autodo/run/feedback-2.md`.", Some(".autodo/run/feedback-2.md")),
            ("see .autodo/run/prompt.md.", Some(".autodo/run/prompt.md")),
            ("/w/.autodo/run/a.md .autodo/run/b.md", Some(".autodo/run/a.md")),
            ("look into .autodo/run/ please, or .autodo/run/x.md", Some(".autodo/run/x.md")),
            (".autodo/run/../../etc/passwd.md", None),
            (".autodo/run/.md", None),
            ("please commit your work", None),
        ];
        for (text, file) in table {
            assert_eq!(prompt_file(text), file, "{text}");
        }
    }

    #[test]
    fn any_other_answer_goes_on_at_the_block() {
        for (text, answer) in [
            ("rerun", Answer::Rerun),
            ("r", Answer::Rerun),
            (" Skip it\n", Answer::Skip),
            ("START OVER", Answer::StartOver),
            ("start the database first, I did", Answer::Rerun),
            ("fixed it by hand", Answer::Rerun),
        ] {
            assert_eq!(Answer::parse(text), answer, "{text}");
        }
    }
}
