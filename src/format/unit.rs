//! systemd's unit files: values as they must be written. Source: systemd.unit(5), systemd.service(5), systemd.exec(5).

/// A text in which `%` would begin a specifier.
#[must_use]
pub fn plain(text: &str) -> String {
    text.replace('%', "%%")
}

/// A word of `Environment=`: quoted, so that it may hold spaces.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(&text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A word of `ExecStart=`: as [`quoted`], and without variables.
#[must_use]
pub fn word(text: &str) -> String {
    quoted(&text.replace('$', "$$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_is_taken_for_more_than_it_is() {
        assert_eq!(plain("/a 100%/b"), "/a 100%%/b");
        assert_eq!(quoted("A=b \"c\" \\ 5% $x"), "\"A=b \\\"c\\\" \\\\ 5%% $x\"");
        assert_eq!(word("$HOME/50%"), "\"$$HOME/50%%\"");
    }
}
