//! The page as text for a terminal.

use super::Page;

/// Lines; empty where there are no tickets.
#[must_use]
pub fn text(page: &Page) -> Vec<String> {
    let counts = page.counts();
    if counts.is_empty() {
        return vec![];
    }
    let mut lines = vec![counts, page.totals.words()];
    for (heading, cards) in page.shown() {
        lines.extend([String::new(), heading.to_owned()]);
        for card in cards {
            let risk = card.risk.map_or_else(String::new, |tier| format!("{tier:<7}  "));
            let facts = if card.facts.is_empty() { String::new() } else { format!("  ({})", card.facts.join(", ")) };
            lines.push(format!("  {risk}{}  {}{facts}", card.row.id, card.title));
            lines.extend(card.notes.iter().map(|note| format!("    {note}")));
            let question = card.question.iter().flat_map(|question| question.lines());
            lines.extend(question.map(|line| format!("    {line}")));
            if !card.options.is_empty() {
                lines.push(format!("    [{}]", card.options.join(" | ")));
            }
            let screen = card.screen.iter().flat_map(|screen| screen.lines());
            lines.extend(screen.map(|line| format!("    | {line}").trim_end().to_owned()));
        }
    }
    if !page.next.is_empty() {
        lines.extend([String::new(), "Next".to_owned()]);
        lines.extend(page.next.iter().map(|line| format!("  {line}")));
    }
    lines
}
