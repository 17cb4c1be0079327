//! Ten commands at once, beside a supervisor or without one.

use serde_json::Value;

use crate::{
    backlog::{End, Ticket},
    stage::Stage,
    support::chance::Chance,
    support::program::LIMIT,
};

/// Adds, approvals, answers, stops, sends and lists, all at once; each must come to its end.
pub fn at_once(stage: &mut Stage, chance: &mut Chance) -> Option<&'static str> {
    let rows = stage.rows()?;
    let mut commands: Vec<(Vec<String>, String)> = Vec::new();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    for ticket in late(stage).into_iter().take(4) {
        commands.push((add(&ticket), ticket.body(&stage.world.root().display().to_string())));
        stage.handed_in.insert(ticket.id.clone());
    }
    while commands.len() < 10 {
        let Some(row) = chance.pick(&rows) else { break };
        let (id, status) = (row["id"].as_str()?, row["status"].as_str()?);
        let command = match chance.below(5) {
            0 if may_be_approved(stage, row) => words(&["approve", id]),
            1 if status == "running" => words(&["stop", id]),
            2 if status == "parked" => words(&["resume", id]),
            3 => words(&["review", id, "--tier", "low"]),
            _ => words(&["list", "--json"]),
        };
        commands.push((command, String::new()));
    }
    let begun: Vec<_> = commands
        .into_iter()
        .map(|(args, input)| {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let shown = args.join(" ");
            (shown, stage.world.command(&args).in_dir(&stage.repo).stdin(input).spawn())
        })
        .collect();
    for (shown, command) in begun {
        match command.try_wait_for(LIMIT) {
            Ok(run) => {
                let said = if shown.starts_with("list") { format!("(exit {})", run.code) } else { run.both() };
                stage.log(&format!("at once: autodo {shown}: {}", said.replace('\n', " | ")));
                stage.judge(&shown, &run);
                if shown.starts_with("add") && run.code != 0 {
                    stage.handed_in.remove(shown.split(' ').nth(1).unwrap_or_default());
                }
            }
            Err(why) => stage.wrong("stuck", why),
        }
    }
    Some("ten commands at once")
}

fn may_be_approved(stage: &Stage, row: &Value) -> bool {
    let end = row["id"].as_str().and_then(|id| stage.tickets.get(id)).map(|ticket| ticket.kind.end());
    end == Some(End::Verified) && row["status"] == "needs_review" && row["verified"] == true
}

/// Tickets that are still to be handed in, whose dependency was.
pub fn late(stage: &Stage) -> Vec<Ticket> {
    let is_in = |id: &String| stage.handed_in.contains(id);
    let next = stage.tickets.values().filter(|t| !is_in(&t.id) && t.after.as_ref().is_none_or(is_in));
    next.cloned().collect()
}

/// The command that hands a ticket in; its body is read.
pub fn add(ticket: &Ticket) -> Vec<String> {
    let mut args = vec!["add", &ticket.id, "--id", &ticket.id, "--profile", ticket.profile(), "--body", "-"]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    if let Some(after) = &ticket.after {
        args.extend(["--after".to_owned(), after.clone()]);
    }
    if let Some(accept) = ticket.accept() {
        args.extend(["--accept".to_owned(), accept]);
    }
    args
}
