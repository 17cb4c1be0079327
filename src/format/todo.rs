//! The section `## Autonomous Review Queue` of a project's TODO.md: autodo's own lines in it, each known by the mark at
//! its end, and not a byte of the rest.

use super::harmless::{markdown, plain};
use crate::domain::todo::{Item, Standing};

/// The heading under which autodo's lines stand.
pub const HEADING: &str = "## Autonomous Review Queue";

/// The text with this ticket as it stands now; `None`: nothing changes.
#[must_use]
pub fn edited(text: &str, item: &Item) -> Option<String> {
    let mark = format!("<!-- autodo:{} -->", item.id);
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = lines.iter().position(|line| line.trim_end().ends_with(&mark));
    let body = match &item.standing {
        Standing::Review => format!("REVIEW: {} ✅", words(&item.title)),
        Standing::Blocked(question) => format!("[BLOCKED] {} ⚠️ {}", words(&item.title), words(question)),
        Standing::Gone => {
            lines.remove(at?);
            return Some(lines.concat());
        }
        Standing::Approved => {
            let line = *lines.get(at?)?;
            let ticked = line.replacen("- [ ]", "- [x]", 1);
            let changes = ticked != line;
            let all = lines.iter().enumerate().map(|(n, l)| if Some(n) == at { ticked.as_str() } else { l });
            return changes.then(|| all.collect());
        }
    };
    let new = format!("- [ ] {} {mark}", body.trim_end());
    match at {
        Some(at) => {
            let line = lines[at];
            let old = line.trim_end_matches(['\r', '\n']);
            // Who has ticked it off by hand is done with it, for as long as it stands for the same.
            let as_open = old.replacen("- [x]", "- [ ]", 1).replacen("- [X]", "- [ ]", 1);
            if as_open.trim_start() == new {
                return None;
            }
            let line = format!("{new}{}", &line[old.len()..]);
            Some(lines.iter().enumerate().map(|(n, l)| if n == at { line.as_str() } else { l }).collect())
        }
        None => Some(inserted(&lines, &new, end)),
    }
}

/// A text of others in one line of Markdown.
fn words(text: &str) -> String {
    markdown(&plain(text).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The lines with `new` behind the last of autodo's section, which is made at the end where there is none.
fn inserted(lines: &[&str], new: &str, end: &str) -> String {
    let mut fence = false;
    let mut heading = None;
    let mut next = lines.len();
    for (n, line) in lines.iter().enumerate() {
        let line = line.trim_end();
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fence = !fence;
        }
        if fence {
            continue;
        }
        if heading.is_none() && line == HEADING {
            heading = Some(n);
        } else if heading.is_some() && (line.starts_with("# ") || line.starts_with("## ")) {
            next = n;
            break;
        }
    }
    let Some(heading) = heading else {
        let text = lines.concat();
        let gap = match text.as_str() {
            "" => String::new(),
            text if text.ends_with('\n') => end.to_owned(),
            _ => format!("{end}{end}"),
        };
        return format!("{text}{gap}{HEADING}{end}{end}{new}{end}");
    };
    // Behind the last line of the section that says something.
    let section = &lines[heading..next];
    let last = heading + section.iter().rposition(|line| !line.trim().is_empty()).unwrap_or(0);
    let (above, below) = (lines[..=last].concat(), lines[last + 1..].concat());
    let ends = if above.ends_with('\n') { "" } else { end };
    let gap = if last == heading { end } else { "" };
    format!("{above}{ends}{gap}{new}{end}{below}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::samples;

    fn item(id: &str, standing: Standing) -> Item {
        Item { id: samples::id(id), title: format!("Title of {id}"), standing }
    }

    #[test]
    fn a_ticket_comes_changes_is_ticked_and_goes() {
        let empty = edited("", &item("T-1", Standing::Review)).unwrap();
        assert_eq!(empty, "## Autonomous Review Queue\n\n- [ ] REVIEW: Title of T-1 ✅ <!-- autodo:T-1 -->\n");
        assert_eq!(edited(&empty, &item("T-1", Standing::Review)), None);
        let two = edited(&empty, &item("T-2", Standing::Blocked("Which\n*colour*?".to_owned()))).unwrap();
        assert!(two.ends_with("- [ ] [BLOCKED] Title of T-2 ⚠️ Which \\*colour\\*? <!-- autodo:T-2 -->\n"), "{two}");
        let ticked = edited(&two, &item("T-1", Standing::Approved)).unwrap();
        assert!(ticked.contains("- [x] REVIEW: Title of T-1"), "{ticked}");
        assert_eq!(edited(&ticked, &item("T-1", Standing::Approved)), None);
        let gone = edited(&two, &item("T-2", Standing::Gone)).unwrap();
        assert_eq!(gone, empty);
        assert_eq!(edited(&gone, &item("T-2", Standing::Gone)), None);
        let by_hand = empty.replace("[ ]", "[x]");
        assert_eq!(edited(&by_hand, &item("T-1", Standing::Review)), None, "a person has ticked it off");
    }

    #[test]
    fn the_rest_of_the_file_stays_byte_for_byte() {
        let text =
            "# Mine\r\n\r\n## Autonomous Review Queue\r\n\r\nwords of mine\r\n\r\n## After\r\n- [ ] mine  \r\n\ttail";
        let new = edited(text, &item("T-1", Standing::Review)).unwrap();
        let line = "- [ ] REVIEW: Title of T-1 ✅ <!-- autodo:T-1 -->\r\n";
        assert_eq!(new, text.replace("words of mine\r\n", &format!("words of mine\r\n{line}")));
        assert_eq!(edited(&new, &item("T-1", Standing::Gone)).unwrap(), text);
    }

    #[test]
    fn a_heading_within_a_fence_is_none() {
        let text = "```\n## Autonomous Review Queue\n```\n";
        let new = edited(text, &item("T-1", Standing::Review)).unwrap();
        assert!(new.starts_with(&format!("{text}\n{HEADING}\n\n- [ ] ")), "{new}");
    }

    proptest! {
        #[test]
        fn no_file_loses_a_byte(text in "([a-z#` \\-\\[\\]\r\n]|## Autonomous Review Queue\n|é){0,60}") {
            let new = edited(&text, &item("T-1", Standing::Review)).unwrap();
            let without: String =
                new.split_inclusive('\n').filter(|line| !line.contains("autodo:T-1")).collect();
            // What was there is there in its order; at most a heading and line ends were added.
            prop_assert!(without.starts_with(text.trim_end_matches(['\n', '\r', ' '])) || without.replace("\r", "").replace('\n', "") == text.replace("\r", "").replace('\n', ""));
            let again = edited(&new, &item("T-1", Standing::Gone)).unwrap();
            prop_assert_eq!(again, without);
        }
    }
}
