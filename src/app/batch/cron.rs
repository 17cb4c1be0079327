//! The user's crontab, which is read and written by its own program only.

use std::time::Duration;

use super::{
    install::{Batch, Kind},
    plan::{Note, Plan},
};
use crate::{
    adapters::process::feed,
    app::AppError,
    format::crontab::{self, BrokenBlock, LONGEST_COMMAND},
};

const WAIT: Duration = Duration::from_secs(20);

fn trouble(what: &str, why: &str) -> AppError {
    AppError::new(format!("cannot {what} the crontab: {why}"))
        .hint("crontab -l shows whether you may have one; --systemd does without")
}

/// The crontab as it is; empty where there is none.
async fn read() -> Result<Vec<u8>, AppError> {
    let said = feed(&["crontab", "-l"], b"", WAIT).await.map_err(|why| trouble("read", &why))?;
    // The words of Debian's cron, cronie and fcron, and of busybox, where a user has none yet.
    let is_none = |err: &str| {
        err.contains("no crontab for")
            || (err.starts_with("crontab: can't open") && err.ends_with("No such file or directory"))
    };
    match said {
        said if said.is_ok => Ok(said.out),
        said if is_none(&said.err) => Ok(Vec::new()),
        said => Err(trouble("read", &said.said())),
    }
}

async fn write(text: &[u8]) -> Result<(), AppError> {
    let said = feed(&["crontab", "-"], text, WAIT).await.map_err(|why| trouble("write", &why))?;
    if said.is_ok { Ok(()) } else { Err(trouble("write", &said.said())) }
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn broken(why: BrokenBlock) -> AppError {
    AppError::new(why.to_string()).hint("mend or remove the lines between the markers: crontab -e")
}

/// The batches in it.
pub(super) async fn installed() -> Result<Vec<Batch>, AppError> {
    let batch = |block: crontab::Block| {
        let command = block.lines.iter().find_map(|line| line.strip_prefix("@reboot ")).unwrap_or_default();
        Batch {
            kind: Kind::Cron,
            project: block.project,
            note: block.lines.iter().find_map(|line| Note::parse(line)),
            command: command.to_owned(),
        }
    };
    Ok(crontab::blocks(&read().await?).map_err(broken)?.into_iter().map(batch).collect())
}

/// Puts the batch in, in the place of the project's former one.
pub(super) async fn install(plan: &Plan) -> Result<(), AppError> {
    if !plan.fits_cron() {
        let what = format!("the line for the crontab is longer than {LONGEST_COMMAND} bytes, which cron refuses");
        return Err(AppError::usage(what).hint("install it with a shorter PATH, or with --systemd"));
    }
    let before = read().await?;
    let after = crontab::with_block(&before, &plan.project, Some(&plan.crontab())).map_err(broken)?;
    if after == before { Ok(()) } else { write(&after).await }
}

/// Takes the project's batch out; false: there was none.
pub(super) async fn remove(project: &str) -> Result<bool, AppError> {
    let before = read().await?;
    let after = crontab::with_block(&before, project, None).map_err(broken)?;
    if after == before {
        return Ok(false);
    }
    write(&after).await?;
    Ok(true)
}
