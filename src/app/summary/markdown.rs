//! The page as Markdown.

use super::Page;
use crate::format::harmless::{fenced, markdown as escaped};

/// The page, with its last line end.
#[must_use]
pub fn markdown(page: &Page) -> String {
    let mut out = format!("# Summary\n\n{}\n", escaped(&page.about()));
    let counts = page.counts();
    if counts.is_empty() {
        return out + "\nThere are no tickets.\n";
    }
    out.push_str(&format!("\n**{}**\n\n{}\n", escaped(&counts), escaped(&page.totals.words())));
    for (heading, cards) in page.shown() {
        out.push_str(&format!("\n## {heading}\n\n"));
        for card in cards {
            let risk = card.risk.map_or_else(String::new, |tier| format!("{tier}: "));
            let id = escaped(card.row.id.as_str());
            out.push_str(&format!("- {risk}**{id}** {}", escaped(&card.title)));
            if !card.facts.is_empty() {
                out.push_str(&format!(" ({})", escaped(&card.facts.join(", "))));
            }
            out.push('\n');
            for note in &card.notes {
                out.push_str(&format!("\n  {}\n", escaped(note)));
            }
            for block in card.question.iter().chain(&card.screen) {
                out.push_str(&format!("\n{}\n", indented(&fenced(block))));
            }
            if !card.options.is_empty() {
                out.push_str(&format!("\n  Answers: {}\n", escaped(&card.options.join(" | "))));
            }
        }
    }
    if !page.next.is_empty() {
        out.push_str(&format!("\n## Next\n\n{}\n", fenced(&page.next.join("\n"))));
    }
    out
}

fn indented(block: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("  {line}") };
    block.lines().map(line).collect::<Vec<_>>().join("\n")
}
