//! What every command needs: the home, the folder it was typed in, who typed it.

use std::path::PathBuf;

use crate::{
    adapters::{env, home::Home, process},
    app::{
        App, AppError,
        api::{ApiReply, ApiRequest},
        hold::{self, Met},
        intake::{self, Project},
        open::home_folder,
    },
    config::Flag,
};

/// The circumstances of a command.
pub struct Context {
    /// `--home`.
    pub home: Option<PathBuf>,
    /// `-C`: the folder the command is about; `None`: the current one.
    pub folder: Option<PathBuf>,
}

impl Context {
    /// Opens the home.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn app(&self) -> Result<App, AppError> {
        App::open(&home_folder(self.home.clone())?)
    }

    /// Where the home is, without making it.
    ///
    /// # Errors
    /// Its place cannot be told.
    pub fn home(&self) -> Result<Home, AppError> {
        Home::look(&home_folder(self.home.clone())?)
            .map_err(|e| AppError::new(e.to_string()).hint("set AUTODO_HOME to a folder of yours"))
    }

    /// The folder the command is about.
    ///
    /// # Errors
    /// The current folder is gone.
    pub fn folder(&self) -> Result<PathBuf, AppError> {
        let current = env::current_dir().map_err(|e| {
            AppError::new(format!("cannot tell the current folder: {e}")).hint("go to a folder that is there: cd ~")
        })?;
        Ok(self.folder.as_ref().map_or(current.clone(), |folder| current.join(folder)))
    }

    /// The project of that folder.
    ///
    /// # Errors
    /// It is not in a git repository, or its settings are wrong.
    pub async fn project(&self, app: &App) -> Result<Project, AppError> {
        intake::project(app, &self.folder()?, vec![]).await
    }

    /// The project of that folder, with settings from the command line.
    ///
    /// # Errors
    /// It is not in a git repository, or its settings are wrong.
    pub async fn project_with(&self, app: &App, flags: Vec<Flag>) -> Result<Project, AppError> {
        intake::project(app, &self.folder()?, flags).await
    }
}

/// Ctrl-C, from the moment this is made.
pub struct Interrupt(tokio::signal::unix::Signal);

impl Interrupt {
    /// From now on Ctrl-C no longer ends the program by itself.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> Result<Self, AppError> {
        let kind = tokio::signal::unix::SignalKind::interrupt();
        let signal = tokio::signal::unix::signal(kind);
        signal.map(Self).map_err(|e| {
            AppError::new(format!("cannot listen for Ctrl-C: {e}")).hint("autodo doctor looks at the machine")
        })
    }

    /// Waits for it.
    pub async fn came(&mut self) {
        self.0.recv().await;
    }
}

/// Refuses a verb of a person to a caller that descends from a launch wrapper: an agent does not approve itself.
///
/// # Errors
/// The caller is an agent, or something an agent started.
pub fn person_only(verb: &str) -> Result<(), AppError> {
    if process::table::descends_from_wrapper() {
        return Err(AppError::new(format!(
            "autodo {verb} is a person's to type, and this comes from an agent's session"
        ))
        .hint("agents speak through: autodo report done | blocked | decision | flag | note"));
    }
    Ok(())
}

/// Meets requests and passes on what was repaired on the way.
///
/// # Errors
/// See [`hold::meet`].
pub async fn meet(app: &App, requests: Vec<ApiRequest>) -> Result<Met, AppError> {
    let met = hold::meet(app, requests).await?;
    for notice in &met.notices {
        super::ui::notice(notice);
    }
    Ok(met)
}

/// An answer that says no, as an error.
///
/// # Errors
/// The answer says no.
pub fn accepted(reply: &ApiReply) -> Result<bool, AppError> {
    match reply {
        ApiReply::Done { changed } => Ok(*changed),
        ApiReply::Accepted { .. } => Ok(true),
        ApiReply::Discarded { gone } => Ok(gone.is_some()),
        ApiReply::Refused { why, hint } => Err(AppError::new(why.clone()).hint(hint.clone())),
        ApiReply::Failed { why, hint } => Err(AppError::new(why.clone()).hint(hint.clone())),
    }
}
