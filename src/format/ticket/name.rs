//! Ids for tickets that name none: made from the file's name, always the same for the same name.

use crate::domain::id::{MAX_ID_LEN, TicketId};

/// The id for a file name without its extension. A name that is an id already is taken as it is; of others, what no
/// id may hold becomes `-`. Where that leaves nothing, or more than an id may be long, a checksum of the name stands in
/// for what is lost.
#[must_use]
pub fn id_of_name(stem: &str) -> TicketId {
    if let Ok(id) = TicketId::parse(stem) {
        return id;
    }
    let mut slug = String::new();
    for c in stem.chars() {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
        let doubled = matches!(c, '.' | '-') && slug.ends_with(c);
        let starts = slug.is_empty() && !c.is_ascii_alphanumeric();
        if !doubled && !starts {
            slug.push(c);
        }
    }
    let slug = slug.trim_end_matches(['.', '-', '_']);
    let sum = format!("{:08x}", crc32fast::hash(stem.as_bytes()));
    let cut = &slug[..slug.len().min(MAX_ID_LEN - 1 - sum.len())];
    let tries = [slug.to_owned(), format!("{}-{sum}", cut.trim_end_matches(['.', '-', '_']))];
    tries.iter().find_map(|text| TicketId::parse(text).ok()).unwrap_or_else(|| of_sum(&sum))
}

/// `t-` and eight hexadecimal digits: within the rule whatever the digits are.
#[expect(clippy::expect_used, reason = "letters, a hyphen and hexadecimal digits are always an id")]
fn of_sum(sum: &str) -> TicketId {
    TicketId::parse(&format!("t-{sum}")).expect("a letter, a hyphen and hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_ids() {
        for (stem, id) in [
            ("T-12", "T-12"),
            ("Fix the login test", "Fix-the-login-test"),
            ("a; rm -rf ~", "a-rm-rf"),
            ("-x", "x"),
            ("..", "t-"),
            ("a..b", "a.b"),
            ("notes.lock", "notes.lock-"),
            ("HEAD", "HEAD-"),
            ("日本", "t-"),
            ("", "t-00000000"),
            ("$(x)", "x"),
            ("café menu", "caf-menu"),
        ] {
            let made = id_of_name(stem);
            assert!(made.as_str().starts_with(id), "{stem:?} {made}");
            assert_eq!(made, id_of_name(stem));
        }
        assert_ne!(id_of_name("日本"), id_of_name("中国"));
        assert_ne!(id_of_name(&"x ".repeat(60)), id_of_name(&"x ".repeat(61)));
    }

    proptest! {
        #[test]
        fn every_name_has_an_id(stem in any::<String>(), lump in "[-._a-zé ]{0,90}(\\.lock)?") {
            for stem in [stem, lump] {
                prop_assert!(TicketId::parse(id_of_name(&stem).as_str()).is_ok());
            }
        }
    }
}
