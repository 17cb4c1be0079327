//! The page as JSON: the contract with other programs.

use serde_json::{Value, json};

use super::{Card, Page};
use crate::{app::view, domain::usage::dollars, format::time::stamp};

/// Counts, the tickets by status, sums, and what to type next. Absent knowledge is null.
#[must_use]
pub fn json(page: &Page) -> Value {
    let mut counts = serde_json::Map::new();
    let mut groups = serde_json::Map::new();
    for (word, _, cards) in &page.groups {
        counts.insert((*word).to_owned(), json!(cards.len()));
        groups.insert((*word).to_owned(), cards.iter().map(ticket).collect());
    }
    let mut totals = json!(page.totals);
    if let Some(fields) = totals.as_object_mut() {
        let cost = page.totals.cost.filter(|_| page.totals.cost_is_all).map(dollars);
        fields.insert("cost_usd".into(), json!(cost));
        fields.insert("cost_usd_at_least".into(), json!(page.totals.cost.map(dollars)));
    }
    json!({
        "version": 1,
        "counts": counts,
        "groups": groups,
        "made": stamp(page.made, &page.zone),
        "since": page.since.map(|since| stamp(since, &page.zone)),
        "batch": page.batch,
        "totals": totals,
        "next": page.next,
    })
}

fn ticket(card: &Card) -> Value {
    let mut value = view::ticket(&card.row);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("waits_for".into(), json!(card.waits_for));
        fields.insert("notes".into(), json!(card.notes));
        fields.insert("options".into(), json!(card.options));
        fields.insert("last_screen".into(), json!(card.screen));
    }
    value
}
