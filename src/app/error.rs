//! Errors as people meet them: what was tried, on what, why it failed, and what to do now; and the exit codes.

/// Exit codes of the program. Documented in `docs/reference`; other programs read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All is well, or there is nothing to do.
    Ok,
    /// Something failed.
    Error,
    /// The command line, a ticket or a setting is wrong.
    Usage,
    /// The agent is not logged in.
    LoggedOut,
    /// A ticket failed.
    TicketFailed,
    /// A person is needed: blocked, or parked without a time.
    PersonNeeded,
    /// The lock is held, and its holder does not answer; or no slot was free in time.
    Locked,
    /// `heavy`: the command cannot be run.
    NotRun,
    /// `heavy`: the command is not there.
    NotFound,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// All of them, by their number.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::Error,
        Self::Usage,
        Self::LoggedOut,
        Self::TicketFailed,
        Self::PersonNeeded,
        Self::Locked,
        Self::NotRun,
        Self::NotFound,
        Self::Interrupted,
    ];

    /// What it means, in a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "All is well, or there was nothing to do. Tickets that wait for your review are no error.",
            Self::Error => "Something failed; for `doctor`: something must be mended.",
            Self::Usage => "The command line, a ticket, a profile or a setting is wrong.",
            Self::LoggedOut => "An agent is not logged in.",
            Self::TicketFailed => "A ticket failed.",
            Self::PersonNeeded => "A person is needed: a ticket is blocked, or parked without a time.",
            Self::Locked => {
                "The lock is held, and its holder does not answer: look with `autodo list`, then try again. For \
                 `heavy --wait`: no slot was free in time, and the command was not run."
            }
            Self::NotRun => "For `heavy`, as of shells: the command was found, and cannot be run.",
            Self::NotFound => "For `heavy`, as of shells: the command was not found.",
            Self::Interrupted => "Interrupted. The agents go on, and the next start picks them up.",
        }
    }

    /// The reference page of all exit codes: `docs/reference/exit-codes.md` is this text.
    #[must_use]
    pub fn page() -> String {
        let mut text =
            "# Exit codes\n\nMade of the program's own table; `scripts/test` fails where the two differ.\n\n\
                        | code | meaning |\n|---|---|\n"
                .to_owned();
        for exit in Self::ALL {
            text.push_str(&format!("| {} | {} |\n", exit.code(), exit.meaning()));
        }
        text.push_str("\nWhere several would hold, the first of 130, 1, 2, 75, 4, 5, 8 is given.\n");
        text
    }

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::LoggedOut => 4,
            Self::TicketFailed => 5,
            Self::PersonNeeded => 8,
            Self::Locked => 75,
            Self::NotRun => 126,
            Self::NotFound => 127,
            Self::Interrupted => 130,
        }
    }

    /// Of several, the one that is said: the first of 130, 1, 2, 75, 4, 5, 8.
    #[must_use]
    pub fn first_of(all: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| match exit {
            Self::Interrupted => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::Locked => 3,
            Self::LoggedOut => 4,
            Self::TicketFailed => 5,
            Self::PersonNeeded => 6,
            Self::NotFound => 7,
            Self::NotRun => 8,
            Self::Ok => 9,
        };
        all.into_iter().min_by_key(rank).unwrap_or(Self::Ok)
    }
}

/// An error for a person: made by [`AppError::new`] and [`AppError::usage`], and only whole with its hint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    /// The exit code.
    pub exit: Exit,
    /// What was tried, on what, why it failed.
    pub message: String,
    /// What to do now.
    pub hint: String,
}

/// An error that does not yet say what to do now. It is none before it does: no error reaches a person without a hint.
#[derive(Clone, Debug)]
#[must_use = "it becomes an error with its hint"]
pub struct Unhinted {
    exit: Exit,
    message: String,
}

impl Unhinted {
    /// With another exit code.
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The error, with what to do now.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> AppError {
        AppError { exit: self.exit, message: self.message, hint: hint.into() }
    }
}

impl AppError {
    /// Something failed.
    #[expect(clippy::new_ret_no_self, reason = "an error is one once it has its hint")]
    pub fn new(message: impl Into<String>) -> Unhinted {
        Unhinted { exit: Exit::Error, message: message.into() }
    }

    /// The command line, a ticket or a setting is wrong.
    pub fn usage(message: impl Into<String>) -> Unhinted {
        Unhinted { exit: Exit::Usage, message: message.into() }
    }

    /// With another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}
