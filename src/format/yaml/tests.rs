//! Tests of the YAML wrapper.

use proptest::prelude::*;

use super::*;

fn entry<'a>(node: &'a Node, key: &str) -> &'a Node {
    let Value::Map(entries) = &node.value else { panic!("{node:?}") };
    entries.iter().find(|(k, _)| k.as_text() == Some(key)).map(|(_, v)| v).unwrap()
}

#[test]
fn every_value_knows_its_place_and_numbers_keep_their_spelling() {
    let text =
        "id: 007\r\ntitle: yes\nafter: [T-1, 1.10]\nlimit: 1_0\nday: 2026-02-19\nclock: 12:30\nnone:\n'a b': 2\n";
    let node = parse(text).unwrap();
    assert_eq!(entry(&node, "id").value, Value::Text("007".to_owned()));
    assert_eq!(entry(&node, "title").value, Value::Text("yes".to_owned()));
    let Value::List(after) = &entry(&node, "after").value else { panic!() };
    assert_eq!(after[1].value, Value::Number("1.10".to_owned()));
    assert_eq!((after[1].place.line, after[1].place.column, after[1].place.len), (3, 14, 4));
    assert_eq!(entry(&node, "clock").as_text(), Some("12:30"));
    assert_eq!(entry(&node, "day").as_text(), Some("2026-02-19"));
    assert_eq!(entry(&node, "none").value, Value::Null);
    let Value::Map(entries) = &node.value else { panic!() };
    assert_eq!((entries[7].0.place.line, entries[7].0.place.column), (8, 1));
}

#[test]
fn a_key_that_occurs_twice_is_seen_twice() {
    let Value::Map(entries) = parse("a: 1\na: 2\n").unwrap().value else { panic!() };
    assert_eq!(entries.len(), 2);
}

#[test]
fn a_syntax_error_names_its_place() {
    let error = parse("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
    assert!(error.place.line >= 2, "{error:?}");
    assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error:?}");
}

#[test]
fn an_alias_bomb_ends_as_an_error_or_a_bounded_tree() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let refs = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{refs}]\n"));
    }
    assert!(parse(&bomb).is_err());
    let deep = "[".repeat(100_000);
    assert!(parse(&deep).is_err());
}

proptest! {
    #[test]
    fn text_is_written_on_one_line_and_read_back(text in any::<String>()) {
        #[derive(serde::Serialize)]
        struct Both { quoted: Quoted, plain: String }
        let out = write(&Both { quoted: Quoted(text.clone()), plain: text.clone() }).unwrap();
        prop_assert_eq!(out.split('\n').count(), 3, "{:?}", out);
        let node = parse(&out).unwrap();
        prop_assert_eq!(entry(&node, "quoted").as_text(), Some(text.as_str()), "{:?}", out);
        prop_assert_eq!(entry(&node, "plain").as_text(), Some(text.as_str()), "{:?}", out);
    }

    #[test]
    fn any_text_gives_a_tree_or_an_error(text in "[-\\[\\]{}:,&*#!|>'\"%@` \t\na-c0-9~?.\r\u{85}é]{0,60}") {
        if let Ok(node) = parse(&text) && let Ok(again) = write(&node) {
            let back = parse(&again).unwrap();
            prop_assert!(back.says_the_same(&node), "{:?} {:?}", again, back);
        }
    }
}

#[test]
fn a_stamp_is_written_plainly_and_words_of_older_yaml_are_quoted() {
    let map = |text: &str| write(&std::collections::BTreeMap::from([("k", text)])).unwrap();
    assert_eq!(map("2026-02-19T14:30:22-0800"), "k: 2026-02-19T14:30:22-0800\n");
    assert_eq!(map("auto-20260219-143022"), "k: auto-20260219-143022\n");
    for text in ["no", "on", "007", "1e3", "12:30:45", "null", "~", "2026-02-19"] {
        assert!(map(text).contains(['"', '\'']), "{}", map(text));
    }
}
