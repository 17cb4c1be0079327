//! The one short line per purpose that is injected into an agent's box.

use crate::domain::{
    id::{DeliveryId, TicketId},
    run::Purpose,
};

/// The prompt's file, from the worktree's root.
pub const PROMPT_FILE: &str = ".autodo/run/prompt.md";
/// What failed checks said, from the worktree's root.
pub const FEEDBACK_FILE: &str = ".autodo/run/feedback.md";
/// Longest line, in columns.
pub const MAX_LINE: usize = 200;

/// What a line names.
#[derive(Clone, Copy, Debug)]
pub struct LineInput<'a> {
    /// The profile's harmless first word.
    pub prefix: &'a str,
    /// The ticket.
    pub ticket: &'a TicketId,
    /// File with a person's text, from the worktree's root; only for a text that is not pasted itself.
    pub text_file: Option<&'a str>,
}

/// What of a delivery can be found again on a screen: `[autodo 1.3]`.
#[must_use]
pub fn tag(delivery: &DeliveryId) -> String {
    format!("[autodo {delivery}]")
}

/// The line for `purpose`: ASCII, at most [`MAX_LINE`] columns, the tag right behind the first word, where no agent's
/// line break parts it. `Answer` and `Send` carry a person's own text; a line is made for them only where that text
/// lies in a file.
#[must_use]
pub fn line(purpose: &Purpose, delivery: &DeliveryId, input: &LineInput<'_>) -> String {
    let ticket = input.ticket;
    let what = match purpose {
        Purpose::Ticket => {
            format!("read the file {PROMPT_FILE} in this folder to its end, then do what it says ({ticket}).")
        }
        Purpose::Answer => match input.text_file {
            Some(file) => format!("read the answer to your question in the file {file}, then go on."),
            None => "your question was answered; go on.".to_owned(),
        },
        Purpose::Send => match input.text_file {
            Some(file) => format!("read the message in the file {file}, then go on."),
            None => "there is a message for you; go on.".to_owned(),
        },
        Purpose::Commit => {
            "there are changes that are not committed. Commit what belongs to the ticket, undo the rest, \
                            then report done again."
                .to_owned()
        }
        Purpose::NoChange => {
            "nothing has changed on this branch. If that is right, report done again and say why with \
                              --no-change; if not, do the work and commit it."
                .to_owned()
        }
        Purpose::Denied { rule } => {
            let rule: String = rule.chars().take(60).collect();
            format!(
                "this is not allowed here (rule: {rule}). Go on without it; if that cannot be done, report blocked."
            )
        }
        Purpose::Feedback { round } => format!(
            "checks failed (round {round}). Read the file {FEEDBACK_FILE} in this folder, mend what it names, commit, \
             and report done again."
        ),
        Purpose::Nudge => "nothing was heard of you for a while. If you are done or stuck, report it as your prompt \
                           says; if not, go on."
            .to_owned(),
        Purpose::GoOn => "you were interrupted. Look at git status and git log, then go on with the ticket where you \
                          were, and report as before."
            .to_owned(),
    };
    let line: String = format!("{} {}: {what}", input.prefix, tag(delivery));
    // Every part is ASCII and short, save a name that a caller may have chosen.
    line.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).take(MAX_LINE).collect()
}
