//! The files of a ticket: what was accepted, prompts, delivery texts, screens, and where launches and checks live.

use std::path::{Path, PathBuf};

use crate::domain::{
    id::{DeliveryId, RunId, TicketId},
    measured::{Measured, Needs},
    permission::Tools,
    review::FileChange,
    ticket::{Frozen, Ticket},
};

/// Files below `$AUTODO_HOME/<ticket>` and `<worktree>/.autodo/run`. Errors are texts for people: what was tried, on
/// what, why it failed.
pub trait Files: Send + Sync {
    /// The ticket as accepted, with its frozen settings.
    ///
    /// # Errors
    /// It cannot be read.
    fn accepted(&self, ticket: &TicketId) -> Result<(Ticket, Frozen), String>;

    /// Writes `<worktree>/.autodo/run/<name>` for the agent, and a copy into the run's folder.
    ///
    /// # Errors
    /// It cannot be written.
    fn give(&self, worktree: &Path, run: &RunId, name: &str, text: &str) -> Result<(), String>;

    /// Keeps a text in the run's folder under `name` (may hold one `/`).
    ///
    /// # Errors
    /// It cannot be written.
    fn keep(&self, run: &RunId, name: &str, text: &str) -> Result<(), String>;

    /// A text kept in the run's folder; `None`: not there.
    ///
    /// # Errors
    /// It is there and cannot be read.
    fn kept(&self, run: &RunId, name: &str) -> Result<Option<String>, String>;

    /// The text of a delivery; `None`: not written yet.
    ///
    /// # Errors
    /// It is there and cannot be read.
    fn delivery(&self, run: &RunId, id: &DeliveryId) -> Result<Option<String>, String>;

    /// Writes the text of a delivery, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    fn keep_delivery(&self, run: &RunId, id: &DeliveryId, text: &str) -> Result<(), String>;

    /// Keeps the list of changed files of a run, for the review.
    ///
    /// # Errors
    /// It cannot be written.
    fn keep_changes(&self, run: &RunId, files: &[FileChange]) -> Result<(), String>;

    /// The list of changed files as last kept for a run; empty: none kept.
    fn changes(&self, run: &RunId) -> Vec<FileChange>;

    /// The end of a file below the ticket's folder, at most `bytes` of it; empty: it is not there.
    fn tail(&self, ticket: &TicketId, name: &str, bytes: usize) -> String;

    /// Removes what was being written in the run's folder when somebody died. Nobody writes there any more.
    fn tidy(&self, run: &RunId);

    /// Makes a private folder, and those above it.
    ///
    /// # Errors
    /// It cannot be made.
    fn make_folder(&self, folder: &Path) -> Result<(), String>;

    /// Keeps what the agent's hooks judge permissions by: the frozen rules, and where the live ones are. Returns the file.
    ///
    /// # Errors
    /// It cannot be written.
    fn keep_policy(
        &self,
        run: &RunId,
        worktree: &Path,
        repo: &Path,
        rules: &[String],
        tools: &Tools,
    ) -> Result<PathBuf, String>;

    /// The live rules for permissions of the project whose checkout is at `repo`; empty: there are none.
    ///
    /// # Errors
    /// Their file is there and cannot be read.
    fn live_rules(&self, repo: &Path) -> Result<Vec<String>, String>;

    /// Adds a live rule, as the first.
    ///
    /// # Errors
    /// The file cannot be read or written; it is as it was.
    fn add_rule(&self, repo: &Path, rule: &str) -> Result<(), String>;

    /// Keeps what the agent of a run takes of the machine. A loss of power may lose it.
    ///
    /// # Errors
    /// It cannot be written.
    fn keep_measured(&self, run: &RunId, measured: &Measured) -> Result<(), String>;

    /// What the agent of a run took when it was looked at last; `None`: it never was, or that cannot be read.
    fn measured(&self, run: &RunId) -> Option<Measured>;

    /// Keeps what agents have needed. A loss of power may lose it.
    ///
    /// # Errors
    /// It cannot be written.
    fn keep_needs(&self, needs: &Needs) -> Result<(), String>;

    /// What agents have needed; nothing, where that cannot be read.
    fn needs(&self) -> Needs;

    /// Where things are.
    fn places(&self) -> &dyn Places;
}

/// Where things are: functions of ids, no I/O.
pub trait Places: Send + Sync {
    /// The ticket's folder.
    fn ticket(&self, ticket: &TicketId) -> PathBuf;
    /// The run's folder.
    fn run(&self, run: &RunId) -> PathBuf;
    /// The folder of a launch.
    fn launch(&self, run: &RunId, launch: u32) -> PathBuf;
    /// The folder of one check of one round.
    fn check(&self, run: &RunId, round: u32, index: u32) -> PathBuf;
    /// What the agent keeps over runs, per epoch of the ticket.
    fn state(&self, ticket: &TicketId, epoch: u32) -> PathBuf;
    /// The socket that is told "look".
    fn wake(&self) -> PathBuf;
    /// A private `TMUX_TMPDIR` for agents.
    fn agent_tmux(&self) -> PathBuf;
    /// The file of a project's live rules for permissions.
    fn live_rules(&self, repo: &Path) -> PathBuf;
    /// The program that agents call as `autodo`.
    fn program(&self) -> PathBuf;
}
