//! `autodo report`: what an agent says from inside its pane. Works with or without a supervisor.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use super::ui;
use crate::{
    adapters::{env, outbox, wake},
    app::{AppError, Exit},
    domain::{
        id::{RunId, RunKey},
        report::{REPORT_VERSION, Report, Said},
        risk::Tier,
    },
};

/// `report`.
#[derive(Args)]
pub struct ReportArgs {
    #[command(subcommand)]
    said: SaidArgs,
}

/// `report` by itself.
#[derive(Parser)]
#[command(name = "autodo report")]
struct Alone {
    #[command(flatten)]
    args: ReportArgs,
}

/// Does what `words` say if they are a report, without the rest of the command line, which takes longer to build than a
/// report to write. `None`: they are for the whole of it, which also has the words for what is wrong with them.
pub fn quickly(words: impl Iterator<Item = OsString>) -> Option<Result<Exit, AppError>> {
    // The verb stands for the program's name.
    let mut words = words.peekable();
    if words.peek()? != "report" || env::var("AUTODO_LOG").is_some() {
        return None;
    }
    // Ignored: see above.
    Alone::try_parse_from(words).ok().map(|alone| run(alone.args))
}

/// What is reported.
#[derive(Subcommand)]
enum SaidArgs {
    /// The work is done and committed.
    Done {
        /// What was done, in a sentence or two.
        #[arg(long, allow_hyphen_values = true)]
        summary: String,
        /// Nothing had to be changed, and why.
        #[arg(long, value_name = "WHY", allow_hyphen_values = true)]
        no_change: Option<String>,
    },
    /// A person is needed.
    Blocked {
        /// The exact question.
        #[arg(long, allow_hyphen_values = true)]
        question: String,
        /// How much hangs on it.
        #[arg(long, value_parser = tier)]
        risk: Option<Tier>,
        /// An answer to choose from; may be repeated.
        #[arg(long = "option", value_name = "TEXT", allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Something was decided.
    Decision {
        /// low, medium, high or blocked.
        #[arg(long, value_parser = tier)]
        risk: Tier,
        /// What was decided.
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Why.
        #[arg(long, allow_hyphen_values = true)]
        why: Option<String>,
    },
    /// A person should look at something.
    Flag {
        /// low, medium, high or blocked.
        #[arg(long, value_parser = tier)]
        risk: Tier,
        /// What, and what to verify.
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// For the record.
    Note {
        /// Anything.
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
}

/// Reads a tier's word.
///
/// # Errors
/// It is none.
pub fn tier(text: &str) -> Result<Tier, String> {
    Tier::parse(text).ok_or_else(|| "a tier is low, medium, high or blocked".to_owned())
}

/// Writes the report; it is there once this returns.
///
/// # Errors
/// This is no agent's session, or the file cannot be written.
pub fn run(args: ReportArgs) -> Result<Exit, AppError> {
    let variable = |name: &str| {
        env::var(name).map(|v| v.to_string_lossy().into_owned()).ok_or_else(|| {
            AppError::usage(format!("autodo report works inside an agent's session only: {name} is not set"))
                .hint("people use autodo add, answer, send and review")
        })
    };
    let run = variable("AUTODO_RUN")?;
    let key = variable("AUTODO_KEY")?;
    let outbox = PathBuf::from(variable("AUTODO_OUTBOX")?);
    if RunId::parse(&run).is_none() {
        return Err(AppError::usage(format!("AUTODO_RUN is {run:?}, which is no run"))
            .hint("leave the variables of the session as they are"));
    }
    let said = match args.said {
        SaidArgs::Done { summary, no_change } => Said::Done { summary, no_change },
        SaidArgs::Blocked { question, risk, options } => Said::Blocked { question, risk, options },
        SaidArgs::Decision { risk, text, why } => Said::Decision { risk, text, why },
        SaidArgs::Flag { risk, text } => Said::Flag { risk, text },
        SaidArgs::Note { text } => Said::Note { text },
    };
    let word = said.word();
    let report = Report { version: REPORT_VERSION, id: outbox::new_report_id(), run, key: RunKey::of_text(&key), said };
    outbox::write_report(&outbox, &report)
        .map_err(|e| AppError::new(e.to_string()).hint("run the command again; nothing was reported"))?;
    if let Some(socket) = env::var("AUTODO_WAKE") {
        wake::wake(std::path::Path::new(&socket));
    }
    ui::out(format!("reported: {word}"));
    Ok(Exit::Ok)
}
