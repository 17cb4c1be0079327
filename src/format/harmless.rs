//! What others wrote, made harmless for where it is shown: a terminal, a Markdown page, an HTML page.

/// `text` in one line, without control characters and changes of direction: what others wrote must not steer a
/// terminal, nor show something else than it is.
#[must_use]
pub fn plain(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

/// As [`plain`], with its line ends.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Marks that turn the direction of what follows, and separators that some terminals take for line ends.
fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` as text of an HTML page or of an attribute in quotes.
#[must_use]
pub fn html(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '"' => all.push_str("&quot;"),
            '\'' => all.push_str("&#39;"),
            c => all.push(c),
        }
    }
    all
}

/// One line of text within a Markdown page: nothing in it is a mark, a link or HTML.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_{}[]<>#|~&!".contains(c) {
            all.push('\\');
        }
        all.push(c);
    }
    all
}

/// Lines as a fenced block of Markdown, whose fence is longer than any run of backticks in them.
#[must_use]
pub fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_steers_where_it_is_shown() {
        assert_eq!(plain("a\u{1b}[31mb\u{202e}c\nd"), "a [31mb c d");
        assert_eq!(plain_lines("a\u{7}\nb\r\nc"), "a \nb\nc");
        assert_eq!(
            html("<script>alert('x')&\"</script>"),
            "&lt;script&gt;alert(&#39;x&#39;)&amp;&quot;&lt;/script&gt;"
        );
        assert_eq!(markdown("[a](b) <i> `c` # *d*"), "\\[a\\](b) \\<i\\> \\`c\\` \\# \\*d\\*");
    }

    #[test]
    fn no_text_ends_its_own_fence() {
        for text in ["a", "```", "x ````` y\n```\n# heading", ""] {
            let block = fenced(text);
            let fence = block.split("text\n").next().unwrap();
            assert!(fence.len() >= 3 && !text.contains(fence), "{block}");
            assert!(block.ends_with(&format!("\n{fence}")), "{block}");
        }
    }
}
