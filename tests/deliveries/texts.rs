//! Texts to deliver, of seeded sizes and kinds, and as what each is to arrive.

use unicode_normalization::UnicodeNormalization;

use crate::{stage::Agent, support::chance::Chance};

/// Smallest and largest text, in bytes.
const SIZES: (f64, f64) = (30.0, 100_000.0);

/// What a text begins with; most with nothing special. Some of these are a command to one agent or the other.
const LEADS: [&str; 14] = ["", "", "", "", "", "", "!", "/", "#", "@", "&", "-n ", "!!", "//"];

/// What it ends with.
const TAILS: [&str; 8] = ["", "", "", "", "\\", ";", " Enter", "}"];

/// Words to fill it with.
const WORDS: [&[&str]; 3] = [
    &["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "rests", "on", "its", "bed"],
    &["設定を", "読み込む", "👩‍👩‍👧", "größer", "🙂", "данные", "مرحبا", "e\u{301}", "漢字", "한국어", "ﷺ", "x"],
    &[
        "$(touch",
        "x)",
        "`id`",
        "#{pane_id}",
        "\"q\"",
        "'s'",
        "a;b",
        "C:\\dir\\",
        "%d",
        "~/x",
        "{1..9}",
        "a\tb",
        "&&",
        "|",
    ],
];

/// A text to deliver.
pub struct Text {
    /// As a person gives it.
    pub given: String,
    /// As the agent's model may get it.
    pub arrives: Vec<String>,
}

impl Text {
    /// True if the model got this text.
    pub fn is(&self, prompt: &serde_json::Value) -> bool {
        self.arrives.iter().any(|text| prompt == text.as_str())
    }
}

/// The texts of one measurement. The first are the smallest and the largest, the other sizes lie evenly on a logarithmic
/// scale between them; each text says its number, so that no two are the same.
pub fn texts(agent: Agent, count: usize, seed: u64) -> Vec<Text> {
    let mut chance = Chance::new(seed);
    (0..count).map(|number| text(agent, number, &mut chance)).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "sizes are small"
)]
fn text(agent: Agent, number: usize, chance: &mut Chance) -> Text {
    let share = match number {
        0 => 0.0,
        1 => 1.0,
        _ => chance.below(10_000) as f64 / 10_000.0,
    };
    let size = (SIZES.0 * (SIZES.1 / SIZES.0).powf(share)) as usize;
    let (lead, tail, words) = (chance.one(&LEADS), chance.one(&TAILS), chance.one(&WORDS));
    let ends = chance.one(&["\n", "\n", "\r\n", "\r"]);
    // One line, short lines, or long ones that the agent's box wraps.
    let columns = chance.one(&[usize::MAX, usize::MAX, 60, 400]);
    let mut given = format!("{lead}N{number:04}");
    let mut line = given.len();
    loop {
        let word = chance.one(words);
        if given.len() + 1 + word.len() + tail.len() > size {
            break;
        }
        if line + word.len() > columns {
            // A blank line now and then.
            given.push_str(&if chance.below(8) == 0 { ends.repeat(2) } else { ends.to_owned() });
            line = 0;
        } else {
            given.push(' ');
        }
        given.push_str(word);
        line += 1 + word.len();
    }
    while given.len() + tail.len() < size {
        given.push('.');
    }
    given.push_str(tail);
    Text { arrives: arrives(agent, &given), given }
}

/// What the table of delivery says becomes of it. It does not ask the code that is measured.
fn arrives(agent: Agent, given: &str) -> Vec<String> {
    let mut text = given.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
    let disarm = match agent {
        Agent::Claude => "!/#@&",
        Agent::Codex => "!/@",
    };
    if text.starts_with(|first| disarm.contains(first)) {
        text.insert_str(0, "Task: ");
    }
    if text.ends_with('\\') {
        text.push(' ');
    }
    // Both trim what they are given, also the blank that stands behind a `\\`; Claude Code composes letters and accents as
    // well. But neither in a text that its box shows as a placeholder.
    let trimmed = text.trim().to_owned();
    let composed: String = trimmed.nfc().collect();
    let mut all = vec![text, trimmed];
    if agent == Agent::Claude {
        all.push(composed);
    }
    all.dedup();
    all
}
