//! What tmux says on its error output, as a kind. Texts are those of tmux 3.2 to 3.6.

use crate::ports::terminal::TerminalError;

/// What a failed command failed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing listens on the socket, or the server went away meanwhile.
    NoServer(String),
    /// The target is not there.
    NoTarget(String),
    /// There is a session of that name.
    Duplicate,
    /// Anything else.
    Other(String),
}

/// tmux found no server.
const NO_SERVER: &[&str] = &["no server running on ", "server exited", "lost server", "server version is too old"];
/// The server has no such thing.
const NO_TARGET: &[&str] = &[
    "can't find pane",
    "can't find window",
    "can't find session",
    "no such pane",
    "no such window",
    "no such session",
];

/// Says what `stderr` means.
pub(super) fn fault(stderr: &str) -> Fault {
    let text = stderr.trim();
    let has = |known: &[&str]| known.iter().any(|start| text.lines().any(|line| line.starts_with(start)));
    // "Permission denied" or "Resource temporarily unavailable" on the socket say nothing about the server.
    let refused = text.starts_with("error connecting to ")
        && (text.ends_with("(No such file or directory)") || text.ends_with("(Connection refused)"));
    if refused || has(NO_SERVER) {
        Fault::NoServer(text.to_owned())
    } else if has(NO_TARGET) {
        Fault::NoTarget(text.to_owned())
    } else if has(&["duplicate session: "]) {
        Fault::Duplicate
    } else {
        Fault::Other(text.to_owned())
    }
}

/// True if a command that ended well nevertheless said that it had no server: tmux 3.3a does so where the folder of
/// its socket is missing.
pub(super) fn is_failure_in_disguise(stderr: &str) -> bool {
    stderr.starts_with("error ") || stderr.starts_with("no server ")
}

impl From<Fault> for TerminalError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NoServer(text) => Self::NoServer(text),
            Fault::NoTarget(text) => Self::NoTarget(text),
            Fault::Duplicate => Self::Other("a session of that name exists already".to_owned()),
            Fault::Other(text) if text.is_empty() => Self::Other("it failed without a word".to_owned()),
            Fault::Other(text) => Self::Other(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_proves_absence_counts_as_no_server() {
        for text in [
            "no server running on /x/s\n",
            "error connecting to /x/s (No such file or directory)",
            "error connecting to /x/s (Connection refused)",
            "server exited unexpectedly",
            "lost server",
        ] {
            assert!(matches!(fault(text), Fault::NoServer(_)), "{text}");
        }
        for text in [
            "error connecting to /x/s (Permission denied)",
            "error connecting to /x/s (Resource temporarily unavailable)",
            "error connecting to /x/s (File name too long)",
            "command too long",
            "failed to send command",
            "",
        ] {
            assert!(matches!(fault(text), Fault::Other(_)), "{text}");
        }
    }

    #[test]
    fn missing_targets_are_known() {
        for text in ["can't find pane: %9", "can't find session: =x", "no such pane: %9", "can't find window: =x:"] {
            assert!(matches!(fault(text), Fault::NoTarget(_)), "{text}");
        }
        assert_eq!(fault("duplicate session: ad-T"), Fault::Duplicate);
    }
}
