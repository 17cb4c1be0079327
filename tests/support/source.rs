//! Reads Rust source far enough to see which paths it names: comments and texts blanked, `use` groups unfolded.
//!
//! Known gap: paths that a macro makes, and what another crate re-exports.

/// A path that a source names, such as `crate::domain::id::TicketId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    /// Line, from 1.
    pub line: usize,
    /// Its parts; a glob ends in `*`, a `self` in a group in `self`.
    pub names: Vec<String>,
    /// How many inline modules it stands in.
    pub depth: usize,
    /// True below `#[cfg(test)] mod …`.
    pub in_tests: bool,
}

impl NamedPath {
    /// As written, without groups.
    pub fn text(&self) -> String {
        self.names.join("::")
    }
}

/// The source with comments, string, character and lifetime texts as blanks; lines stay where they are.
pub fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut all = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let after_word = at > 0 && is_word(chars[at - 1]);
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => line_end(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => block_end(&chars, at),
            '"' => string_end(&chars, at),
            'r' | 'b' | 'c' if !after_word => raw_end(&chars, at).unwrap_or(at),
            '\'' => quote_end(&chars, at),
            _ => at,
        };
        if end == at {
            all.push(chars[at]);
            at += 1;
        } else {
            all.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    all
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n)
}

fn block_end(chars: &[char], mut at: usize) -> usize {
    let mut open = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (open, at) = (open + 1, at + 2),
            ('*', Some('/')) => (open, at) = (open - 1, at + 2),
            _ => at += 1,
        }
        if open == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut end = at + 1;
    while end < chars.len() && chars[end] != '"' {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    (end + 1).min(chars.len())
}

/// End of a raw string `r#"…"#` (or `br`, `cr`) that begins at `at`; `None`: none does.
fn raw_end(chars: &[char], at: usize) -> Option<usize> {
    let r = if chars[at] == 'r' { at } else { at + 1 };
    if chars.get(r) != Some(&'r') {
        return None;
    }
    let hashes = chars[r + 1..].iter().take_while(|c| **c == '#').count();
    let open = r + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes =
        |n: usize| chars[n] == '"' && chars[n + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    let close = (open + 1..chars.len()).find(|n| closes(*n));
    Some(close.map_or(chars.len(), |n| n + 1 + hashes))
}

/// End of a character literal or a lifetime.
fn quote_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            chars[(at + 3).min(chars.len())..].iter().position(|c| *c == '\'').map_or(chars.len(), |n| at + 3 + n + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1 + chars[at + 1..].iter().take_while(|c| is_word(**c)).count(),
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Token {
    line: usize,
    text: String,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut all = Vec::new();
    for (number, line) in blanked(text).lines().enumerate() {
        let chars: Vec<char> = line.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let word = chars[at..].iter().take_while(|c| is_word(**c)).count();
            let len = match chars[at] {
                _ if word > 0 => word,
                ':' if chars.get(at + 1) == Some(&':') => 2,
                _ => 1,
            };
            if !chars[at].is_whitespace() {
                all.push(Token { line: number + 1, text: chars[at..at + len].iter().collect() });
            }
            at += len;
        }
    }
    all
}

/// Every path of two or more parts that `text` names, and everything that it imports.
pub fn paths(text: &str) -> Vec<NamedPath> {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0, scopes: Vec::new(), found: Vec::new() };
    reader.read();
    reader.found
}

/// What a `{` opened: an inline module (and whether of tests), or anything else.
type Scope = Option<bool>;

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    scopes: Vec<Scope>,
    found: Vec<NamedPath>,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| t.text.as_str())
    }

    fn is_name(&self, at: usize) -> bool {
        self.text(at).starts_with(is_word)
    }

    fn read(&mut self) {
        let (mut tests_next, mut module_next) = (false, false);
        while self.at < self.tokens.len() {
            match self.text(self.at) {
                "#" => {
                    tests_next |= self.skip_attribute();
                    continue;
                }
                "mod" if self.is_name(self.at + 1) => module_next = self.text(self.at + 2) == "{",
                "{" => {
                    self.scopes.push(module_next.then_some(tests_next));
                    (tests_next, module_next) = (false, false);
                }
                "}" => drop(self.scopes.pop()),
                ";" => tests_next = false,
                "use" if self.text(self.at + 1) != "<" => {
                    self.at += 1;
                    self.tree(&[]);
                    continue;
                }
                _ if self.is_name(self.at) && self.text(self.at + 1) == "::" => {
                    self.expression();
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Steps over `#[…]` or `#![…]`; true for a `cfg` that holds under test only.
    fn skip_attribute(&mut self) -> bool {
        let start = self.at;
        self.at += if self.text(self.at + 1) == "!" { 2 } else { 1 };
        if self.text(self.at) != "[" {
            return false;
        }
        let mut open = 0;
        while self.at < self.tokens.len() {
            match self.text(self.at) {
                "[" => open += 1,
                "]" => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        let words: Vec<&str> = self.tokens[start..self.at].iter().map(|t| t.text.as_str()).collect();
        words.contains(&"cfg") && words.contains(&"test") && !words.contains(&"not")
    }

    /// A path in code: stops before generics, a call or anything else.
    fn expression(&mut self) {
        let line = self.tokens[self.at].line;
        let mut names = vec![self.text(self.at).to_owned()];
        self.at += 1;
        while self.text(self.at) == "::" && self.is_name(self.at + 1) {
            names.push(self.text(self.at + 1).to_owned());
            self.at += 2;
        }
        self.at += usize::from(self.text(self.at) == "::");
        self.push(line, names);
    }

    /// One tree of an import; stops behind it.
    fn tree(&mut self, prefix: &[String]) {
        let mut names = prefix.to_vec();
        loop {
            let line = self.tokens.get(self.at).map_or(0, |t| t.line);
            match self.text(self.at) {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(self.at), "}" | ";" | "") {
                        self.tree(&names);
                        self.at += usize::from(self.text(self.at) == ",");
                    }
                    self.at += usize::from(self.text(self.at) == "}");
                    return;
                }
                "as" => self.at += 2,
                word if word == "*" || self.is_name(self.at) => {
                    names.push(word.to_owned());
                    self.at += 1;
                    if self.text(self.at) != "::" {
                        self.push(line, names.clone());
                    }
                }
                _ => return,
            }
            if matches!(self.text(self.at), "," | "}" | ";" | "") {
                return;
            }
        }
    }

    fn push(&mut self, line: usize, names: Vec<String>) {
        let modules = self.scopes.iter().flatten();
        let (depth, in_tests) = (modules.clone().count(), modules.into_iter().any(|tests| *tests));
        self.found.push(NamedPath { line, names, depth, in_tests });
    }
}
