//! Globs over relative paths: `*` and `?` stay within one component, `**` stands for any number of components.

/// True if `path` (components separated by `/`) matches `pattern` as a whole. `*` stands for any characters but `/`,
/// `?` for one of them, and a component `**` for zero or more components; everything else stands for itself, letter
/// case included.
#[must_use]
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    components(&pattern, &path)
}

/// True if a component of a pattern is more than literal text.
#[must_use]
pub fn is_wild(component: &str) -> bool {
    component.contains(['*', '?'])
}

/// Matches one component (no `/` in either) against a pattern of `*`, `?` and literal text.
#[must_use]
pub fn component(pattern: &str, text: &str) -> bool {
    // Two cursors and the place of the last star: linear for what people write, quadratic at worst.
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, eaten)) = star else { return false };
                star = Some((at, eaten + 1));
                p = at + 1;
                t = eaten + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

fn components(pattern: &[&str], path: &[&str]) -> bool {
    // reached[i]: the pattern so far can match the first i components. No backtracking, whatever the pattern.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        if *part == "**" {
            let mut any = false;
            for (i, here) in reached.iter().enumerate() {
                any |= here;
                next[i] = any;
            }
        } else {
            for (i, text) in path.iter().enumerate() {
                next[i + 1] = reached[i] && component(part, text);
            }
        }
        reached = next;
    }
    reached[path.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_relative_paths() {
        let table = [
            (".env.local", ".env.local", true),
            (".env.local", "a/.env.local", false),
            ("*.pem", "a.pem", true),
            ("*.pem", "a/b.pem", false),
            ("**/*.pem", "a.pem", true),
            ("**/*.pem", "x/y/a.pem", true),
            ("a/**", "a/b/c", true),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/b/b/c", true),
            ("a/**/c", "a/b/d", false),
            ("**/ci/**", "ci/x", true),
            ("**/ci/**", "a/ci/x/y", true),
            ("**/ci/**", "a/cix/y", false),
            ("?.rs", "é.rs", true),
            ("?.rs", ".rs", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("*", "", true),
            ("a.c", "abc", false),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(matches(pattern, path), expected, "{pattern} against {path}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        let pattern = "**/".repeat(40) + &"*a".repeat(40);
        assert!(!matches(&pattern, &format!("{}{}", "x/".repeat(200), "a".repeat(39) + "b")));
    }
}
