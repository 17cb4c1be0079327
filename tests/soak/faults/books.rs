//! Harm to the books while nobody runs: by a crash, a disk or a hand.

use std::fs;

use nix::sys::signal::Signal;

use crate::{stage::Stage, support::chance::Chance};

/// Harms one of the books, and sees that `list` still tells all tickets.
pub fn harm(stage: &mut Stage, chance: &mut Chance) -> Option<&'static str> {
    stage.end_supervisor(Signal::SIGKILL);
    // Both at once nobody could make good: one that was taken away is there again before the other goes.
    let has_journal = fs::metadata(stage.world.home().join("journal.jsonl")).is_ok_and(|journal| journal.len() > 0);
    if !has_journal {
        stage.autodo(&["tick", "--for", "1s"]);
    }
    let before = ids(stage)?;
    let kind = match chance.below(8) {
        0 => change(stage, "queue.toml", |text| text[..text.len() / 2].to_owned(), "queue.toml cut off"),
        1 => change(stage, "queue.toml", |_| String::new(), "queue.toml emptied"),
        2 => {
            let edit = |text: String| text.replace("status = \"running\"", "status = \"needs_review\"") + "\n# mine\n";
            change(stage, "queue.toml", edit, "queue.toml edited")
        }
        3 => fs::remove_file(stage.world.home().join("queue.toml")).is_ok().then_some("queue.toml deleted"),
        4 => {
            // A line is torn once: whoever opens the journal cuts it off before anything else is written.
            let torn = |text: String| {
                if !text.ends_with('\n') {
                    return text;
                }
                let half = text.lines().last().map(|last| last[..last.len() / 2].to_owned());
                text + &half.unwrap_or_default()
            };
            change(stage, "journal.jsonl", torn, "journal torn")
        }
        5 => damage(stage),
        gone => {
            // What only the journal has would be gone with it: the books are made whole first.
            stage.autodo(&["tick", "--for", "1s"]);
            let journal = stage.world.home().join("journal.jsonl");
            if gone == 6 {
                fs::remove_file(journal).is_ok().then_some("journal deleted")
            } else {
                change(stage, "journal.jsonl", |_| String::new(), "journal emptied")
            }
        }
    };
    let after = ids(stage)?;
    if before != after {
        stage.wrong("lost", format!("{kind:?}: list had {before:?}, and has {after:?}"));
    }
    kind
}

/// The ids that `list` tells.
fn ids(stage: &mut Stage) -> Option<Vec<String>> {
    let rows = stage.rows()?;
    let mut ids: Vec<String> = rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect();
    ids.sort();
    Some(ids)
}

fn change(
    stage: &Stage,
    name: &str,
    change: impl FnOnce(String) -> String,
    kind: &'static str,
) -> Option<&'static str> {
    let path = stage.world.home().join(name);
    let text = fs::read_to_string(&path).ok().filter(|text| !text.is_empty())?;
    fs::write(&path, change(text)).unwrap();
    Some(kind)
}

/// A journal that is wrong in the middle is refused by all that would write; it is brought back as the hint says.
fn damage(stage: &mut Stage) -> Option<&'static str> {
    let path = stage.world.home().join("journal.jsonl");
    let whole = fs::read_to_string(&path).ok()?;
    let lines: Vec<&str> = whole.lines().collect();
    let middle = lines.get(lines.len().checked_sub(2)?)?.replacen("\"seq\":", "\"seq\":9", 1);
    let mut damaged: Vec<&str> = lines.clone();
    *damaged.get_mut(lines.len() - 2)? = &middle;
    fs::write(&path, damaged.join("\n") + "\n").unwrap();
    let run = stage.autodo(&["tick", "--for", "1s"]);
    if run.code != 1 || !run.stderr.contains("journal.jsonl") {
        stage.wrong("journal", format!("a damaged journal was not refused: {}", run.both()));
    }
    fs::write(&path, whole).unwrap();
    Some("journal damaged")
}
