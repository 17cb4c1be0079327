//! The person of the soak: looks at the list now and then, and does what a person would.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

use crate::{
    backlog::{End, Kind},
    stage::Stage,
};

/// What the person has done so far.
#[derive(Default)]
pub struct Person {
    /// Answers by ticket.
    pub answers: BTreeMap<String, usize>,
    /// How often a ticket was done again from the start.
    pub retries: BTreeMap<String, usize>,
    /// The last words for each ticket.
    said: BTreeMap<String, String>,
    /// Tickets whose wrong end was told already.
    told: BTreeSet<String>,
}

/// True if the ticket has come to the end that it must come to.
pub fn is_over(end: End, row: &Value) -> bool {
    let (status, verified) = (row["status"].as_str().unwrap_or_default(), &row["verified"]);
    match end {
        End::Verified => matches!(status, "needs_review" | "reviewed" | "landed") && *verified == true,
        End::Unverified(reason) => status == "needs_review" && *verified == false && row["reason"] == reason,
        End::Failed => status == "failed",
        End::Cancelled => status == "cancelled",
    }
}

impl Person {
    /// Looks at all tickets once and does what there is to do; returns how many are not over.
    pub fn look(&mut self, stage: &mut Stage) -> Option<usize> {
        let rows = stage.rows()?;
        let mut open = stage.tickets.len();
        for row in &rows {
            let id = row["id"].as_str().unwrap_or_default().to_owned();
            let Some(kind) = stage.tickets.get(&id).map(|ticket| ticket.kind) else {
                stage.wrong("doubled", format!("nobody ever handed in {id}"));
                continue;
            };
            stage.handed_in.insert(id.clone());
            if is_over(kind.end(), row) {
                open -= 1;
            } else {
                self.act(stage, &id, kind, row);
            }
        }
        Some(open)
    }

    fn act(&mut self, stage: &mut Stage, id: &str, kind: Kind, row: &Value) {
        let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let (status, reason) = (word("status"), word("reason"));
        if row["verified"] == true && kind.end() != End::Verified && status == "needs_review" {
            self.tell(stage, id, format!("{id} is verified, and was never done: {row}"));
            return;
        }
        if kind == Kind::Unwanted && status != "queued" {
            stage.autodo(&["cancel", id]);
            return;
        }
        match status.as_str() {
            "blocked" => self.answer(stage, id, kind, &reason, &word("question")),
            "parked" if row["parked_until"].is_null() => self.let_go(stage, id, kind, row),
            "failed" => {
                let crashes = kind == Kind::Crashing && !stage.path(&format!("mended/{id}")).exists();
                if !crashes && stage.hits.get(id).copied().unwrap_or_default() < 3 {
                    self.tell(stage, id, format!("{id} failed, and nobody killed its agent: {row}"));
                }
                self.mend(stage, id);
                self.retry(stage, id);
            }
            "needs_review" => {
                // A hand was in its worktree, or ended its checks: then it is right that this is no proof.
                // Or its agent was killed after its claim, and could not be told of the checks.
                let is_killed = reason == "checks_failed" && (kind == Kind::Mends || stage.hits.contains_key(id));
                let is_excused = stage.wrecked.contains(id) || reason == "checks_unknown" || is_killed;
                if !is_excused {
                    self.tell(stage, id, format!("{id} should end as {:?}: {row}", kind.end()));
                }
                self.straighten(stage, id, row);
                self.retry(stage, id);
            }
            "cancelled" => self.tell(stage, id, format!("{id} was cancelled by nobody: {row}")),
            _ => {}
        }
    }

    fn tell(&mut self, stage: &mut Stage, id: &str, words: String) {
        if self.told.insert(id.to_owned()) {
            stage.wrong("wrong status", words);
        }
    }

    fn mend(&self, stage: &Stage, id: &str) {
        fs::write(stage.path(&format!("mended/{id}")), "").unwrap();
    }

    /// Does what the agent waits for, and says so.
    fn answer(&mut self, stage: &mut Stage, id: &str, kind: Kind, reason: &str, question: &str) {
        let answer = match reason {
            "delivery_unverified" => {
                let words = if self.has_arrived(stage, id, kind, question) { "accepted" } else { "again" };
                words.to_owned()
            }
            "question" if kind.is_script() => {
                self.mend(stage, id);
                "rerun".to_owned()
            }
            "question" => format!("the answer {} for {id}", self.answers.get(id).copied().unwrap_or_default() + 1),
            "setup" | "conflict" => "mended".to_owned(),
            // A box that does not get free, a dialog that nobody knows: begun again.
            _ => {
                self.retry(stage, id);
                return;
            }
        };
        if stage.autodo(&["answer", id, &answer]).code == 0 {
            *self.answers.entry(id.to_owned()).or_insert(0) += 1;
            if !matches!(answer.as_str(), "accepted" | "again") {
                self.said.insert(id.to_owned(), answer);
            }
        }
    }

    /// True if the agent has the prompt that the question names, as the agent itself wrote down.
    fn has_arrived(&self, stage: &Stage, id: &str, kind: Kind, question: &str) -> bool {
        if kind.is_script() {
            // Its ledger asks before it does anything twice, so another prompt does no harm.
            return false;
        }
        let prompts = stage.prompts(id);
        let mut words = question.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.'));
        let named = words.any(|word| prompts.iter().any(|prompt| delivery_of(prompt).is_some_and(|id| id == word)));
        named || self.said.get(id).is_some_and(|said| prompts.iter().any(|prompt| prompt.contains(said)))
    }

    fn let_go(&mut self, stage: &mut Stage, id: &str, kind: Kind, row: &Value) {
        match row["reason"].as_str().unwrap_or_default() {
            "stalled" => {
                let is_excused = kind == Kind::Hanging || stage.hits.contains_key(id);
                if !is_excused {
                    stage.log(&format!("{id} stalled by itself"));
                }
                self.mend(stage, id);
                self.retry(stage, id);
            }
            // What it stands on is brought back; this one comes back by itself.
            "dependency" => {}
            reason => {
                let place = row["worktree"].as_str().unwrap_or_default();
                if reason == "worktree" && !std::path::Path::new(place).exists() {
                    // It says that it was removed: another run makes it again.
                    self.retry(stage, id);
                    return;
                }
                if reason == "worktree" {
                    // It says what to do: a hand left it on no branch, or on another one.
                    self.straighten(stage, id, row);
                }
                stage.autodo(&["resume", id]);
            }
        }
    }

    /// Puts the worktree back on its branch.
    fn straighten(&self, stage: &mut Stage, id: &str, row: &Value) {
        let worktree = row["worktree"].as_str().unwrap_or_default().to_owned();
        if stage.wrecked.contains(id) && std::path::Path::new(&worktree).exists() {
            let branch = format!("autodo/{id}");
            let run = stage.world.program("git", &["-C", &worktree, "checkout", "-q", &branch]).run();
            stage.log(&format!("{id} is put back on its branch: {}", run.both()));
        }
    }

    fn retry(&mut self, stage: &mut Stage, id: &str) {
        if stage.autodo(&["retry", id]).code == 0 {
            *self.retries.entry(id.to_owned()).or_insert(0) += 1;
        }
    }
}

/// The id of the delivery that a prompt carries: `1.2` of `Task [autodo 1.2]: …`.
pub fn delivery_of(prompt: &str) -> Option<String> {
    Some(prompt.split_once("[autodo ")?.1.split_once(']')?.0.to_owned())
}
