//! What a person's answer to a blocked ticket leads to.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        row::{Row, Status},
        run::{Blocked, LaunchKind, NextRun, Phase, Purpose, Run},
        screen::WORDS,
        ticket::Frozen,
    },
    Outcome as Stepped, Refusal,
    blocked::{run_of, still},
    ending, permission, person,
    running::deliver,
};

/// True if `word` is an answer by keys: a name that the profile has keys for, or, where nothing but keys is taken, the
/// key itself.
fn presses(blocked: &Blocked, word: &str) -> bool {
    let is_key = word.len() == 1 && word.chars().all(|key| key.is_ascii_alphanumeric());
    let shows_options = !blocked.rule.is_empty() && !blocked.options.is_empty();
    let is_named = shows_options && blocked.options.iter().any(|option| option.to_lowercase() == word.to_lowercase());
    is_named || (is_key && (shows_options || blocked.reason != "question"))
}

pub(super) fn answer(mut row: Row, mut blocked: Blocked, frozen: &Frozen, text: &str, now: Timestamp) -> Stepped {
    person::touched(&mut row);
    let mut run = run_of(&row, &blocked, now);
    let is_live = blocked.live && !blocked.is_retiring();
    let word = text.trim();
    let again = |mut run: Run, row: Row| {
        let first = if run.start == LaunchKind::Fresh { Purpose::Ticket } else { Purpose::GoOn };
        let purpose = run.then_deliver.take().unwrap_or(first);
        Ok(deliver(row, run, purpose, now))
    };
    let answered = NextRun::Answered { question: blocked.question.clone(), answer: text.to_owned() };
    match blocked.reason.as_str() {
        "delivery_unverified" if is_live => match word {
            "accepted" => {
                run.then_deliver = None;
                run.enter(Phase::Working, now);
                row.status = Status::Running(Box::new(run));
                Ok(Some((row, vec![])))
            }
            "again" => again(run, row),
            _ => Err(Refusal::new(
                format!("{word:?} does not say whether the prompt of {} arrived", row.id),
                format!("look: autodo attach {0}; then autodo answer {0} accepted, or autodo answer {0} again", row.id),
            )),
        },
        "delivery" if is_live && word == "again" => again(run, row),
        "delivery" | "logged_out" if is_live => Err(Refusal::new(
            format!("{} takes no text now: {}", row.id, blocked.question),
            format!("mend it in the pane: autodo attach {}; what waits for it is delivered then", row.id),
        )),
        "permission" if word == "always" => {
            let effect = permission::always(&row, &blocked)?;
            blocked.pressed = Some(now);
            blocked.note.clear();
            Ok(Some((still(row, blocked), vec![effect])))
        }
        "permission" | "dialog" | "question" if is_live && presses(&blocked, word) => {
            blocked.pressed = Some(now);
            blocked.note.clear();
            let press = Effect::Press { rule: blocked.rule.clone(), key: word.to_owned() };
            Ok(Some((still(row, blocked), vec![press])))
        }
        // Its dialog is in the way of words: it is closed first.
        "question" if is_live && blocked.takes_words => {
            run.task = answered;
            blocked.run = Some(Box::new(run));
            blocked.pressed = Some(now);
            blocked.words_follow = true;
            blocked.note.clear();
            let press = Effect::Press { rule: blocked.rule.clone(), key: WORDS.to_owned() };
            Ok(Some((still(row, blocked), vec![press])))
        }
        "permission" | "dialog" if is_live => {
            let first = blocked.options.first().map_or("1", String::as_str);
            Err(Refusal::new(
                format!("{} shows a dialog, which takes one key: {}", row.id, blocked.question),
                match blocked.options.join(", ") {
                    none if none.is_empty() => {
                        format!("name the option's digit: autodo answer {0} 1; or look: autodo attach {0}", row.id)
                    }
                    names => format!(
                        "answer with one of {names}, or with the option's digit: autodo answer {0} {first}; or look: \
                         autodo attach {0}",
                        row.id
                    ),
                },
            ))
        }
        _ if is_live => {
            // Asked while it started: the prompt that it has not had follows.
            let owed = matches!(run.phase, Phase::Booting).then(|| match run.start {
                LaunchKind::Fresh => run.then_deliver.take().unwrap_or(Purpose::Ticket),
                LaunchKind::Resume => run.then_deliver.take().unwrap_or(Purpose::GoOn),
            });
            // Should the agent be lost before it has acted on it, the next run is told.
            run.task = answered;
            let Some((mut row, effects)) = deliver(row, run, Purpose::Answer, now) else { return Ok(None) };
            if let Status::Running(run) = &mut row.status {
                run.then_deliver = owed;
            }
            Ok(Some((row, effects)))
        }
        // Nobody is there. What was asked was about a session or a set-up, and says nothing to an agent.
        reason => {
            let held = blocked.run.as_deref().cloned().unwrap_or_else(|| Run::new(row.changed));
            let changed = row.changed;
            ending::count_work(&mut row, &held, changed);
            let about_the_session = matches!(reason, "delivery_unverified" | "delivery" | "logged_out" | "dialog");
            let about_the_tree = matches!(reason, "setup" | "conflict");
            let has_words = !matches!(run.task, NextRun::Ticket | NextRun::GoOn { .. });
            let next = if about_the_session || (about_the_tree && (has_words || run.start == LaunchKind::Resume)) {
                ending::go_on(&row, &run, frozen, format!("the session was lost while it waited: {}", blocked.question))
            } else if !about_the_tree && ending::can_resume(&row, frozen) {
                NextRun::Resume { deliver: Some(Purpose::Answer), instead: Some(Box::new(answered)) }
            } else {
                answered
            };
            row.pane = None;
            row.status = Status::Queued { not_before: None, next };
            Ok(Some((row, vec![])))
        }
    }
}
