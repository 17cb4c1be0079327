//! `{name}` in the argv and environment of a profile: parsed when the profile is read, filled when an agent is
//! launched. `{{` and `}}` stand for the braces themselves.

/// The names that autodo fills, beside the profile's own `options`.
pub const BUILT_IN: [&str; 16] = [
    "autodo",
    "ticket",
    "title_safe",
    "run",
    "key",
    "branch",
    "worktree",
    "run_dir",
    "state_dir",
    "outbox",
    "prompt_file",
    "prompt",
    "conversation",
    "git_dir",
    "git_common",
    "settings",
];

/// A text with places to fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(String),
}

/// Why a text with braces is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{` without `}`, or the reverse.
    #[error("a single brace; write {{{{ or }}}} for the character itself")]
    Brace,
    /// A name that nobody fills.
    #[error("unknown placeholder {{{0}}}; known are {1}")]
    Unknown(String, String),
}

impl Template {
    /// Parses `text`; `known` says which names there are.
    ///
    /// # Errors
    /// A lone brace, or a name that `known` refuses.
    pub fn parse(text: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let tail = &rest[at..];
            if let Some(after) = tail.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = tail.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else {
                let (name, after) =
                    tail.strip_prefix('{').and_then(|t| t.split_once('}')).ok_or(TemplateError::Brace)?;
                if !known(name) {
                    return Err(TemplateError::Unknown(name.to_owned(), BUILT_IN.join(", ")));
                }
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Slot(name.to_owned()));
                rest = after;
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// True if the place `name` is in it.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        self.pieces.iter().any(|p| matches!(p, Piece::Slot(slot) if slot == name))
    }

    /// Fills all places; the name of the first for which `value` has nothing is the error.
    ///
    /// # Errors
    /// The name without a value.
    pub fn fill(&self, value: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        self.pieces.iter().try_fold(String::new(), |mut all, piece| {
            match piece {
                Piece::Text(text) => all.push_str(text),
                Piece::Slot(name) => all.push_str(&value(name).ok_or_else(|| name.clone())?),
            }
            Ok(all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        BUILT_IN.contains(&name)
    }

    #[test]
    fn places_are_filled_and_doubled_braces_stay() {
        let t = Template::parse("a{ticket}b{{x}}{run}", &known).unwrap();
        assert!(t.uses("run") && !t.uses("x"));
        assert_eq!(t.fill(&|n| Some(format!("<{n}>"))), Ok("a<ticket>b{x}<run>".to_owned()));
        assert_eq!(t.fill(&|n| (n == "ticket").then(String::new)), Err("run".to_owned()));
    }

    #[test]
    fn a_value_with_braces_is_not_filled_again() {
        let t = Template::parse("{title_safe}", &known).unwrap();
        assert_eq!(t.fill(&|_| Some("{run}".to_owned())), Ok("{run}".to_owned()));
    }

    #[test]
    fn lone_braces_and_unknown_names_are_refused() {
        for bad in ["{", "}", "{ticket", "a}b", "{}"] {
            assert!(Template::parse(bad, &known).is_err(), "{bad}");
        }
        assert!(matches!(Template::parse("{nope}", &known), Err(TemplateError::Unknown(n, _)) if n == "nope"));
    }
}
