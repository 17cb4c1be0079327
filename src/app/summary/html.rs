//! The page as one HTML file: nothing is loaded, nothing runs, every text is escaped.

use super::{Card, Page};
use crate::format::harmless::html as escaped;

/// What it looks like: readable on a telephone, by day and by night.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;\
color:#222;background:#fff}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}ul{list-style:none;padding:0}\
li{margin:.6rem 0}pre{background:#f3f3f3;padding:.6rem;overflow-x:auto;white-space:pre-wrap}small{color:#666}\
.low{color:#270}.medium{color:#960}.high,.blocked{color:#b00}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}pre{background:#242424}small{color:#999}\
.low{color:#8c5}.medium{color:#eb5}.high,.blocked{color:#f77}}";

/// The page.
#[must_use]
pub fn html(page: &Page) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>autodo: {counts}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>Summary</h1>\n<p><small>{about}</small></p>\n",
        counts = escaped(&page.counts()),
        about = escaped(&page.about()),
    );
    if page.counts().is_empty() {
        out.push_str("<p>There are no tickets.</p>\n");
    } else {
        let (counts, totals) = (escaped(&page.counts()), escaped(&page.totals.words()));
        out.push_str(&format!("<p><strong>{counts}</strong><br>{totals}</p>\n"));
    }
    for (heading, cards) in page.shown() {
        out.push_str(&format!("<h2>{}</h2>\n<ul>\n", escaped(heading)));
        cards.iter().for_each(|card| out.push_str(&item(card)));
        out.push_str("</ul>\n");
    }
    if !page.next.is_empty() {
        out.push_str(&format!("<h2>Next</h2>\n<pre>{}</pre>\n", escaped(&page.next.join("\n"))));
    }
    out + "</body>\n</html>\n"
}

fn item(card: &Card) -> String {
    let risk = card.risk.map_or_else(String::new, |tier| format!("<span class=\"{tier}\">{tier}</span> "));
    let (id, title) = (escaped(card.row.id.as_str()), escaped(&card.title));
    let mut out = format!("<li>{risk}<strong>{id}</strong> {title}");
    if !card.facts.is_empty() {
        out.push_str(&format!(" <small>({})</small>", escaped(&card.facts.join(", "))));
    }
    for note in &card.notes {
        out.push_str(&format!("<br>{}", escaped(note)));
    }
    for block in card.question.iter().chain(&card.screen) {
        out.push_str(&format!("<pre>{}</pre>", escaped(block)));
    }
    if !card.options.is_empty() {
        out.push_str(&format!("<small>Answers: {}</small>", escaped(&card.options.join(" | "))));
    }
    out + "</li>\n"
}
