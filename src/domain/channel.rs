//! The ways to tell a person something outside of autodo.

use std::path::PathBuf;

/// Where a secret is read at the moment of its use: it stands in no setting, no argument list and no log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable.
    Variable(String),
    /// In a file, whose first line it is.
    File(PathBuf),
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A way to tell a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A line of `sh`, with JSON on its standard input and fields in its environment.
    Command {
        /// The line.
        line: String,
    },
    /// A topic of an ntfy server.
    Ntfy {
        /// The topic's address.
        url: String,
        /// An access token, where the server wants one.
        token: Option<Secret>,
    },
    /// An incoming webhook of Slack.
    Slack {
        /// The webhook's address, which is a secret itself.
        url: Secret,
    },
    /// A webhook of Discord.
    Discord {
        /// The webhook's address, which is a secret itself.
        url: Secret,
    },
    /// A bot of Telegram.
    Telegram {
        /// The server.
        url: String,
        /// The chat.
        chat: String,
        /// The bot's token.
        token: Secret,
    },
    /// Pushover.
    Pushover {
        /// The address that takes messages.
        url: String,
        /// The user's or group's key.
        user: String,
        /// The application's token.
        token: Secret,
    },
    /// The program `apprise`, with a configuration of its own.
    Apprise {
        /// Its configuration.
        config: PathBuf,
    },
    /// A notification of the desktop, by `notify-send`.
    Desktop,
}

/// The names of all channels, as settings and commands have them.
pub const NAMES: &[&str] = &["command", "ntfy", "slack", "discord", "telegram", "pushover", "apprise", "desktop"];

impl Channel {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Command { .. } => "command",
            Self::Ntfy { .. } => "ntfy",
            Self::Slack { .. } => "slack",
            Self::Discord { .. } => "discord",
            Self::Telegram { .. } => "telegram",
            Self::Pushover { .. } => "pushover",
            Self::Apprise { .. } => "apprise",
            Self::Desktop => "desktop",
        }
    }

    /// The secret it needs, if any.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Ntfy { token, .. } => token.as_ref(),
            Self::Slack { url } | Self::Discord { url } => Some(url),
            Self::Telegram { token, .. } | Self::Pushover { token, .. } => Some(token),
            Self::Command { .. } | Self::Apprise { .. } | Self::Desktop => None,
        }
    }

    /// The program that it needs.
    #[must_use]
    pub fn program(&self) -> &'static str {
        match self {
            Self::Command { .. } => "sh",
            Self::Apprise { .. } => "apprise",
            Self::Desktop => "notify-send",
            Self::Ntfy { .. }
            | Self::Slack { .. }
            | Self::Discord { .. }
            | Self::Telegram { .. }
            | Self::Pushover { .. } => "curl",
        }
    }
}
