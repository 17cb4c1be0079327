//! Texts for the agent: the prompt's file, and what is delivered into its box.

use super::{World, launching::Job};
use crate::{
    agent::{
        profile::Profile,
        prompt::{self, Answered, Capabilities, LineInput, PromptInput},
        sanitize::sanitize,
    },
    domain::{
        id::DeliveryId,
        run::{Delivery, NextRun, Purpose},
    },
};

/// Bytes of a failed check's log that the agent is shown.
const LOG_TAIL: usize = 4_000;

/// Writes `.autodo/run/prompt.md` for the run, and a copy into the run's folder.
///
/// # Errors
/// The template does not render, or a file cannot be written.
pub fn write_prompt(world: &World, job: &Job) -> Result<(), String> {
    let row = &job.row;
    let (ticket, frozen) = (&job.ticket.0, &job.ticket.1);
    let task = row.running().map(|run| run.task.clone()).unwrap_or_default();
    let profile = world.profiles.get(&row.profile, &row.repo)?;
    let mut notes = Vec::new();
    let mut answers = Vec::new();
    let mut corrections = Vec::new();
    match task {
        NextRun::GoOn { because } => {
            notes.push(format!("An earlier run ended: {because}. The worktree is as it left it."));
        }
        NextRun::Continue { because, .. } => notes.push(format!(
            "{because}. What you did before stands in this conversation, and the worktree is as you left it; the run is a \
             new one, and only the commands and the key of this file count for it."
        )),
        NextRun::Answered { question, answer } => answers.push(Answered { question, answer }),
        NextRun::Corrected { correction } => corrections.push(correction),
        NextRun::Ticket | NextRun::ChecksOnly | NextRun::Resume { .. } => {}
    }
    let input = PromptInput {
        run: job.run.clone(),
        key: row.key.clone().ok_or("the run has no key")?,
        title: ticket.title.clone(),
        body: ticket.body.clone(),
        acceptance: prompt::acceptance(&ticket.body),
        commands: frozen.commands().map(str::to_owned).collect(),
        autodo: world.files.places().program().to_string_lossy().into_owned(),
        worktree: row.worktree.to_string_lossy().into_owned(),
        branch: row.id.branch(),
        target: row.target.clone(),
        corrections,
        answers,
        notes,
        can: Capabilities::from(profile.as_ref()),
    };
    let template = world.profiles.template(&row.repo);
    let text = prompt::prompt_file(&input, &template).map_err(|e| e.to_string())?;
    world.files.give(&row.worktree, &job.run, "prompt.md", &text)
}

/// The line for `purpose`.
#[must_use]
pub fn line(profile: &Profile, job: &Job, purpose: &Purpose, id: &DeliveryId) -> String {
    let input = LineInput { prefix: &profile.delivery.prefix, ticket: &job.row.id, text_file: None };
    prompt::line(purpose, id, &input)
}

/// The text of a delivery: as kept, or composed from its purpose and then kept.
///
/// # Errors
/// It cannot be read or written, or a person's text is gone.
pub fn delivery_text(world: &World, job: &Job, delivery: &Delivery) -> Result<String, String> {
    if let Some(text) = world.files.delivery(&job.run, &delivery.id)? {
        return Ok(text);
    }
    let profile = world.profiles.get(&job.row.profile, &job.row.repo)?;
    let text = match &delivery.purpose {
        Purpose::Answer | Purpose::Send => match world.files.kept(&job.run, "answer.txt")? {
            Some(text) => sanitize(&text, &profile.delivery),
            None => return Err(format!("the text of delivery {} is gone", delivery.id)),
        },
        Purpose::Feedback { round } => {
            let text = feedback(world, job, *round);
            world.files.give(&job.row.worktree, &job.run, "feedback.md", &text)?;
            line(&profile, job, &delivery.purpose, &delivery.id)
        }
        Purpose::Ticket
        | Purpose::Commit
        | Purpose::NoChange
        | Purpose::Denied { .. }
        | Purpose::Nudge
        | Purpose::GoOn => line(&profile, job, &delivery.purpose, &delivery.id),
    };
    world.files.keep_delivery(&job.run, &delivery.id, &text)?;
    Ok(text)
}

fn feedback(world: &World, job: &Job, round: u32) -> String {
    let mut text = format!("# Checks failed (round {round})\n\nautodo ran the checks on your last commit.\n");
    let checks = job.row.proof.as_ref().map(|p| p.checks.as_slice()).unwrap_or_default();
    for check in checks {
        let fine = check.end.succeeded();
        text.push_str(&format!(
            "\n## `{}`: {}\n",
            check.command,
            if fine { "passed".into() } else { check.end.to_string() }
        ));
        if !fine {
            let log = world.files.tail(&job.row.id, &check.log, LOG_TAIL);
            text.push_str(&format!("\nThe end of its output:\n\n~~~~~~\n{}\n~~~~~~\n", log.trim_end()));
        }
    }
    text.push_str("\nMend what they found, commit, and report done again as before.\n");
    text
}
