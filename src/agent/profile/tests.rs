//! Tests of the profile schema: what is right, and what each mistake is told.

use super::*;

/// A profile that is right; the tests spoil one thing each.
const GOOD: &str = r#"version = 1
name = "mine"
[options]
model = "m"
[launch]
argv = ["mine", "--model", "{model}"]
[box]
line = '^> (.*)$'
[[screens]]
name = "ready"
state = "ready"
box = "visible"
"#;

fn fault(text: &str) -> Place {
    match Profile::parse(text, "p.toml") {
        Err(ProfileError::Text(place)) => *place,
        other => panic!("{other:?}\n{text}"),
    }
}

#[test]
fn the_built_in_profiles_are_sound() {
    for (file, text) in builtin() {
        let profile = Profile::parse(text, file).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(format!("{}.toml", profile.name), *file);
        assert!(!profile.description.is_empty());
    }
}

#[test]
fn a_fault_is_shown_with_its_place() {
    let said = fault(&GOOD.replace("[box]\n", "[box]\ncolour = 3\n")).to_string();
    assert!(said.starts_with("p.toml:8:1: unknown field `colour`, expected one of `line`, "), "{said}");
    assert!(
        said.ends_with("\n  |\n8 | colour = 3\n  | ^^^^^^") || said.ends_with("\n |\n8 | colour = 3\n | ^^^^^^"),
        "{said}"
    );
}

#[test]
fn every_fault_names_its_line() {
    for (from, to, line, what) in [
        ("version = 1", "version = 2", 1, "newer"),
        ("version = 1", "version = \"1\"", 1, "begins with `version = 1`"),
        ("version = 1\n", "", 1, "begins with `version = 1`"),
        ("name = \"mine\"", "name = \"Mine\"", 2, "lower-case"),
        ("[box]", "[box", 7, ""),
        ("line = '^> (.*)$'", "line = '^> (.*$'", 8, "not a regular expression"),
        ("line = '^> (.*)$'", "line = '^> '", 8, "group"),
        ("line = '^> (.*)$'", "line = '(.*)'", 8, "every screen"),
        ("line = '^> (.*)$'", "line = 3", 8, "invalid type"),
        ("{model}", "{modell}", 6, "unknown placeholder {modell}"),
        ("{model}", "{", 6, "single brace"),
        ("model = \"m\"", "ticket = \"m\"", 4, "filled by autodo itself"),
        ("\"{model}\"", "\"{prompt}\"", 6, "delivery.first"),
        ("\"{model}\"", "\"{conversation}\"", 6, "chosen"),
        ("\"mine\",", "\"mine\", 3,", 6, "an argument is a string"),
        ("state = \"ready\"", "state = \"idle\"", 11, "unknown variant `idle`"),
        ("state = \"ready\"", "state = \"unknown\"", 11, "no rule"),
        ("state = \"ready\"", "state = \"dialog\"", 11, "[[dialogs]]"),
        ("state = \"ready\"", "state = \"busy\"", 2, "state \"ready\""),
        ("box = \"visible\"", "", 10, "at least one of"),
        ("box = \"visible\"", "pattern = 'x*'", 12, "every screen"),
        ("box = \"visible\"", "pattern = 'x'\nlast_rows = 0", 13, "1 to 500"),
        ("[box]\nline = '^> (.*)$'\n", "", 10, "no [box]"),
        ("[launch]", "[launch.env]\nAUTODO_KEY = \"x\"\n[launch]", 6, "set by autodo itself"),
        ("[launch]", "[launch.env]\n\"A B\" = \"x\"\n[launch]", 6, "letters, digits"),
        ("[launch]", "[delivery]\nprefix = \"!x\"\n[launch]", 6, "one word"),
        ("[launch]", "[delivery]\nfirst = \"argument\"\n[launch]", 8, "delivery.first"),
        ("[launch]", "[delivery]\nenter_delay_ms = 9000\n[launch]", 6, "at most 5000"),
        ("[options]", "exit = [\"C-z\"]\n[options]", 3, "a key is"),
        ("[options]", "resumable = true\n[options]", 3, "launch.resume"),
        ("[options]", "extends = \"nobody\"\n[options]", 3, "no profile \"nobody\""),
        ("[options]", "extends = 3\n[options]", 3, "the name of a profile"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let place = fault(&GOOD.replacen(from, to, 1));
        assert_eq!(place.line, line, "{to}: {place}");
        assert!(place.message.contains(what), "{to}: {place}");
    }
    assert!(Profile::parse(GOOD, "p.toml").is_ok());
}

#[test]
fn a_dialog_is_answered_only_by_keys_that_mean_one_thing() {
    let with = |dialog: &str| format!("{GOOD}[[dialogs]]\nname = \"d\"\npattern = 'Trust\\?'\n{dialog}\n");
    for (dialog, what) in [
        ("policy = \"answer\"", "needs an `answer`"),
        ("policy = \"answer\"\nanswer = [\"Down\", \"Enter\"]", "never arrows"),
        ("policy = \"answer\"\nanswer = [\"Enter\"]", "`selected`"),
        ("policy = \"ask\"\nstate = \"ready\"", "a person answers"),
        ("policy = \"maybe\"", "unknown variant"),
        ("policy = \"ask\"\nname2 = 1", "unknown field"),
    ] {
        let place = fault(&with(dialog));
        assert!(place.message.contains(what), "{dialog}: {place}");
    }
    let good = Profile::parse(&with("policy = \"answer\"\nanswer = [\"1\"]\nchoices = { no = [\"2\"] }"), "p").unwrap();
    assert_eq!(good.dialogs[0].choices["no"], [Keystroke::Char('2')]);
}

#[test]
fn two_rules_never_share_a_name() {
    let place = fault(&format!("{GOOD}[[screens]]\nname = \"ready\"\nstate = \"busy\"\npattern = 'x'\n"));
    assert_eq!((place.line, place.column), (14, 8));
}

#[test]
fn a_profile_extends_another_key_by_key() {
    let text = "version = 1\nname = \"mine\"\nextends = \"generic\"\n[launch]\nargv = [\"mine\"]\n[box]\nline = '^mine> ?(.*)$'\n";
    let mine = Profile::parse(text, "mine.toml").unwrap();
    let generic = Library::of_builtin().get("generic").unwrap();
    let spec = mine.input_box.unwrap();
    assert_eq!(spec.line.as_str(), "^mine> ?(.*)$");
    assert!(spec.cursor && spec.continuation.is_some(), "the rest of the table stays");
    assert_eq!((mine.screens.len(), mine.marker), (generic.screens.len(), generic.marker));
    assert_eq!((mine.name.as_str(), mine.origin.as_str()), ("mine", "mine.toml, over built-in generic.toml"));
    let none =
        format!("{text}[marker]\nbullets = \"\"\n[[screens]]\nname = \"r\"\nstate = \"ready\"\nbox = \"visible\"\n");
    let mine = Profile::parse(&none, "mine.toml").unwrap();
    assert_eq!(mine.screens.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["r"], "arrays are replaced");
}

#[test]
fn a_fault_in_a_chain_is_shown_in_the_file_that_has_it() {
    let mut library = Library::of_builtin();
    library.add(&GOOD.replace("(.*)", "(.*"), "base.toml").unwrap();
    let top = "version = 1\nname = \"top\"\nextends = \"mine\"\n\n\n\n\n\n[box]\nabove = '^-'\n";
    library.add(top, "top.toml").unwrap();
    let said = library.get("top").unwrap_err().to_string();
    assert!(said.starts_with("base.toml:8:8: not a regular expression"), "{said}");
    library.add(&top.replace("'^-'", "'^('").replace("mine", "generic"), "top.toml").unwrap();
    let said = library.get("top").unwrap_err().to_string();
    assert!(said.starts_with("top.toml:10:9: not a regular expression"), "{said}");
}

#[test]
fn a_later_file_hides_the_earlier_and_may_extend_it() {
    let mut library = Library::of_builtin();
    let user = "version = 1\nname = \"script\"\nextends = \"script\"\ndescription = \"mine\"\n";
    library.add(user, "user.toml").unwrap();
    let project = "version = 1\nname = \"script\"\nextends = \"script\"\nexit = [\"C-c\"]\n";
    library.add(project, "project.toml").unwrap();
    let script = library.get("script").unwrap();
    assert_eq!((script.description.as_str(), &script.exit), ("mine", &vec![Keystroke::Named("C-c")]));
    assert_eq!(script.origin, "project.toml, over user.toml, over built-in script.toml");
    assert_eq!(
        library.names(),
        [
            ("aider", "built-in aider.toml"),
            ("claude", "built-in claude.toml"),
            ("codex", "built-in codex.toml"),
            ("gemini", "built-in gemini.toml"),
            ("generic", "built-in generic.toml"),
            ("opencode", "built-in opencode.toml"),
            ("script", "project.toml")
        ]
    );
}

#[test]
fn a_circle_and_an_unknown_name_are_errors() {
    let mut library = Library::of_builtin();
    library.add("version = 1\nname = \"a\"\nextends = \"b\"\n", "a.toml").unwrap();
    library.add("version = 1\nname = \"b\"\nextends = \"a\"\n", "b.toml").unwrap();
    assert!(library.get("a").unwrap_err().to_string().contains("circle"));
    let said = library.get("cluade").unwrap_err().to_string();
    assert_eq!(
        said,
        "there is no agent profile \"cluade\"; there are: a, aider, b, claude, codex, gemini, generic, opencode, script"
    );
    let alone = Profile::parse("version = 1\nname = \"c\"\nextends = \"c\"\n", "c.toml").unwrap_err();
    assert!(alone.to_string().contains("no profile \"c\""), "{alone}");
}

#[test]
fn limits_are_the_profiles_over_the_general_ones() {
    let base = Limits::default();
    let script = Library::of_builtin().get("script").unwrap().limits();
    assert_eq!((script.start_s, script.run_s), (30, base.run_s));
    assert_eq!((script.feedback_rounds, script.resumable), (0, false), "no feedback means no rounds");
    assert_eq!(Library::of_builtin().get("generic").unwrap().limits().feedback_rounds, base.feedback_rounds);
}

#[test]
fn what_nobody_tried_is_said_in_one_line_each() {
    let profile = Profile::parse("version = 1\nname = \"p\"\nunverified = [\"login\", \"macOS\"]\n", "p").unwrap();
    assert_eq!(profile.unverified, ["login", "macOS"]);
    for bad in ["\"\"", "\" \"", "\"a\\nb\""] {
        let text = format!("version = 1\nname = \"p\"\nunverified = [{bad}]\n");
        assert!(Profile::parse(&text, "p").unwrap_err().to_string().contains("in one line"), "{bad}");
    }
}

#[test]
fn keys_are_tmuxs() {
    assert_eq!(Keystroke::parse("Enter"), Some(Keystroke::Enter));
    assert_eq!(Keystroke::parse("1"), Some(Keystroke::Char('1')));
    assert_eq!(Keystroke::parse("Escape"), Some(Keystroke::Named("Escape")));
    for bad in ["", "12", "é", "C-z", "\n", "enter"] {
        assert_eq!(Keystroke::parse(bad), None, "{bad:?}");
    }
}
