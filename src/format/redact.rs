//! Takes out of a text what must not leave the machine: secrets by their form and by their name, and what a caller
//! names. Made for the bundle of a bug report; a person looks into that all the same before it is sent.

use regex::{Captures, Regex};
use serde_json::Value;

/// What a secret becomes.
pub const SECRET: &str = "<secret>";

/// A name that says that its value is secret.
const NAME: &str = r"(?:token|secret|password|passwd|passphrase|pwd|api_?-?key|access_?-?key|private_?-?key|credentials?|auth|cookie|session_?-?id)";

/// Forms of secrets; each match becomes [`SECRET`], with what stands before it in group 1 and
/// behind it in group 2.
const FORMS: &[&str] = &[
    // Keys over several lines, also where line ends are written as \n, and cut ones.
    r"(?s)()-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\z)",
    r#"(?i)((?:authorization|x-[a-z-]*(?:key|token|auth)|cookie)\\?["']?\s*[:=]\s*\\?["']?)[^"'\r\n\\]+"#,
    r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}",
    r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@]+(@)",
    r"()\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{8,}",
    r"()\bgh[a-z]_[A-Za-z0-9]{8,}|\bgithub_pat_[A-Za-z0-9_]{8,}|\bgl[a-z]{2,4}-[A-Za-z0-9_-]{8,}",
    r"()\bxox[a-z]-[A-Za-z0-9-]{8,}|\bnpm_[A-Za-z0-9]{8,}|\bhf_[A-Za-z0-9]{8,}|\bpypi-[A-Za-z0-9_-]{8,}",
    r"()\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bAIza[A-Za-z0-9_-]{20,}|\bya29\.[A-Za-z0-9_-]{8,}",
    r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
];

/// Takes things out of texts.
pub struct Redactor {
    forms: Vec<Regex>,
    named: Regex,
    name: Regex,
    mail: Regex,
    /// What is replaced word for word, the longest first.
    words: Vec<(String, String)>,
}

/// A part of a text that stands for itself: no letter or digit before or behind it.
fn is_whole(text: &str, at: usize, len: usize) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !is_word(text[..at].chars().next_back()) && !is_word(text[at + len..].chars().next())
}

impl Redactor {
    /// With words of the caller's own and what stands for each, such as the user's home and `~`. An empty one is left
    /// out.
    ///
    /// # Errors
    /// Never, for the forms that are part of the program.
    pub fn new(words: impl IntoIterator<Item = (String, String)>) -> Result<Self, regex::Error> {
        let value = r#"(?:\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'|[^\s"'\\,;&]+)"#;
        let mut words: Vec<(String, String)> = words.into_iter().filter(|(word, _)| !word.is_empty()).collect();
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        words.dedup();
        Ok(Self {
            forms: FORMS.iter().map(|form| Regex::new(form)).collect::<Result<_, _>>()?,
            named: Regex::new(&format!(r#"(?i)(\b[a-z0-9_.-]*{NAME}[0-9_]*\\?["']?\s*[:=]\s*){value}"#))?,
            name: Regex::new(&format!("(?i){NAME}[0-9_]*$"))?,
            mail: Regex::new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")?,
            words,
        })
    }

    /// The text without them.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, instead) in &self.words {
            text = replaced(&text, word, instead);
        }
        for form in &self.forms {
            let keep = |found: &Captures<'_>| {
                let part = |n: usize| found.get(n).map_or("", |m| m.as_str());
                format!("{}{SECRET}{}", part(1), part(2))
            };
            text = form.replace_all(&text, keep).into_owned();
        }
        text = self.named.replace_all(&text, |found: &Captures<'_>| format!("{}{SECRET}", &found[1])).into_owned();
        self.mail.replace_all(&text, "<mail>").into_owned()
    }

    /// True for the name of a variable or field whose value is a secret.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        self.name.is_match(name)
    }

    /// Every text in `value` without them; what stands under a name that says it is a secret is gone whole. `open`
    /// says under which names texts stay at all: another text becomes its length.
    pub fn json(&self, value: &mut Value, open: &dyn Fn(&str) -> bool) {
        self.below(value, "", open);
    }

    fn below(&self, value: &mut Value, name: &str, open: &dyn Fn(&str) -> bool) {
        match value {
            Value::String(_) if self.is_secret(name) || name == "key" => *value = Value::String(SECRET.to_owned()),
            Value::String(text) if !open(name) => *text = format!("<text, {} characters>", text.chars().count()),
            Value::String(text) => *text = self.text(text),
            Value::Array(all) => all.iter_mut().for_each(|one| self.below(one, name, open)),
            Value::Object(fields) => {
                // Names may be paths or words of others, too.
                let all = std::mem::take(fields);
                for (name, mut one) in all {
                    self.below(&mut one, &name, open);
                    fields.insert(self.text(&name), one);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn replaced(text: &str, word: &str, instead: &str) -> String {
    let mut all = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, _) in text.match_indices(word) {
        // `/` begins no word: a path is replaced before what goes on below it.
        if at < rest || !is_whole(text, at, word.len()) {
            continue;
        }
        all.push_str(&text[rest..at]);
        all.push_str(instead);
        rest = at + word.len();
    }
    all.push_str(&text[rest..]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let words = [("/srv/me", "~"), ("ann", "<user>"), ("mybox", "<host>"), ("d4767458", "<run key>")];
        Redactor::new(words.map(|(a, b)| (a.to_owned(), b.to_owned()))).unwrap()
    }

    #[test]
    fn secrets_are_known_by_their_form_and_by_their_name() {
        for (text, secret) in [
            ("key sk-ant-REDACTED here", "abcdef"),
            ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7"),
            ("Authorization: Bearer abc.def-ghi123", "abc"),
            ("curl -H 'authorization: token hunter2hunter2'", "hunter2"),
            ("X-Api-Key: hunter2", "hunter2"),
            ("{\"Authorization\":\"Basic aGVsbG86d29ybGQ=\"}", "aGVs"),
            ("NPM_TOKEN=hunter2 npm publish", "hunter2"),
            ("export DB_PASSWORD='hunter 2 and more'", "hunter"),
            ("\"api_key\": \"hunter2\"", "hunter2"),
            ("\\\"api_key\\\":\\\"hunter2\\\"", "hunter2"),
            ("https://ann:hunter2@example.com/x.git", "hunter2"),
            ("https://hunter2@example.com/x.git", "hunter2"),
            ("https://x.invalid/?access_token=hunter2&b=1", "hunter2"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\nhunter2\n-----END OPENSSH PRIVATE KEY-----", "hunter2"),
            ("-----BEGIN PRIVATE KEY-----\\nhunter2 and it is cut", "hunter2"),
            ("AKIAIOSFODNN7EXAMPLE", "IOSFOD"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.dozjgNryP4J3", "eyJ"),
            ("xoxb-123456789012-abcdef", "123456"),
            ("written by ann.other@example.com", "other"),
            ("/srv/me/work on mybox by ann", "mybox"),
            ("AUTODO-DONE-d4767458", "d4767458"),
        ] {
            let told = redactor().text(text);
            assert!(!told.contains(secret), "{text} -> {told}");
            assert_eq!(redactor().text(&told), told, "again: {text}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in ["T-3: blocked (question)", "12 tokens were used", "annotate /srv/media", "https://example.com/a@b"]
        {
            assert_eq!(redactor().text(text), text);
        }
        assert_eq!(redactor().text("cd /srv/me/x && ls"), "cd ~/x && ls");
    }

    #[test]
    fn of_json_only_open_texts_stay_and_no_key() {
        let mut value = serde_json::json!({
            "status": "blocked", "question": "may I?", "key": "d4767458", "auth_token": "x", "tokens": 3,
            "rows": [{ "status": "in /srv/me", "title": "abc" }], "/srv/me/a": 1,
        });
        redactor().json(&mut value, &|name| name == "status");
        let expected = serde_json::json!({
            "status": "blocked", "question": "<text, 6 characters>", "key": SECRET, "auth_token": SECRET, "tokens": 3,
            "rows": [{ "status": "in ~", "title": "<text, 3 characters>" }], "~/a": 1,
        });
        assert_eq!(value, expected);
    }
}
