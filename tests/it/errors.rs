//! The errors of the program, as `docs/reference/errors.md` lists them: read from the sources, each with its hint.
//!
//! `UPDATE_REFERENCE=1 cargo test --test it errors` writes the page anew.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::support::{
    errors::{Cause, Entry, Found, read},
    files::{files_below, repository},
};

/// Where the causes of a type surface, and so what a person is told to do. Whoever adds a type of errors says it here:
/// the test fails until then.
const SURFACES: &[(&str, &str)] = &[
    ("AcceptedError", "autodo doctor looks at the home"),
    ("BacklogError", "autodo init makes .autodo/tickets; or name another folder or file"),
    (
        "BlocksError",
        "on the screen of the ticket, and in its review: mend its blocks under ## Run, then autodo retry ID",
    ),
    ("BrokenBlock", "mend or remove the lines between the markers: crontab -e"),
    ("ControlError", "look with autodo list whether it was done; try again if not"),
    ("CopyError", "free space on that disk, or mend its permissions"),
    ("FrontError", "that of the place in the file, with line and caret"),
    ("FsError", "free space on that disk, or mend its permissions; nothing was lost"),
    ("GitError", "autodo doctor looks at git; as the reason of a parked ticket: mend it, then autodo retry ID"),
    ("HoursError", "for example --at 01:00 --until 06:30 --hard-stop 07:30"),
    ("IdError", "for example --id T-12, or leave it to autodo"),
    ("JournalError", "bring journal.jsonl back from a backup, or move it away: the rows then come from queue.toml"),
    ("LaunchError", "the reason of a parked ticket: mend it, then autodo resume ID"),
    ("LedgerError", "on the screen of the ticket, and in its review: mend it, then autodo retry ID"),
    ("LockError", "try again; if it does not pass, look at that process; or put AUTODO_HOME on a local disk"),
    ("NotASize", "that of the option it was given to, with an example"),
    ("NotTold", "of autodo notify test: mend its settings under [notify]; else in the log: it is tried again"),
    ("ProfileError", "autodo profile list shows what there is; autodo profile check FILE says where it is wrong"),
    ("PromptError", "the reason of a parked ticket: mend the template of the prompt, then autodo resume ID"),
    ("QueueError", "bring the file back from a backup, or move it away; nothing was changed"),
    ("ReportError", "run the command again; nothing was reported"),
    (
        "StartError",
        "on the screen of the ticket, and in its review: autodo doctor looks at the agent, then autodo retry ID",
    ),
    ("StoreError", "free space on that disk, or mend its permissions; nothing was lost"),
    ("TakeError", "autodo list shows them; autodo list --all also those that are archived"),
    ("TemplateError", "autodo profile check FILE says where it is wrong"),
    ("TerminalError", "autodo doctor looks at tmux; as the reason of a parked ticket: autodo resume ID"),
    ("TimeError", "that of the option or key it was given to, with an example"),
    ("Trouble", "on the screen of the ticket, and in its review: autodo retry ID has it done again"),
    ("Unreadable", "autodo doctor looks at tmux"),
    ("WakeError", "autodo doctor looks at the folder"),
];

fn sources() -> Vec<(String, Found)> {
    let root = repository();
    let rust = files_below(&root.join("src")).into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| !name.contains("tests") && !name.ends_with("samples.rs"))
        .map(|(name, path)| (name, read(&std::fs::read_to_string(path).unwrap())))
        .collect()
}

/// True for a text that is nothing but placeholders: it was put together elsewhere, and is listed there.
fn is_handed_on(text: &str) -> bool {
    let mut inside = false;
    let own = text.chars().filter(|c| {
        inside = if inside { *c != '>' } else { *c == '<' };
        !inside && c.is_alphanumeric()
    });
    own.count() == 0 && text.contains('<')
}

/// The errors of a file that say something themselves.
fn own(found: &Found) -> BTreeSet<Entry> {
    let says = |e: &&Entry| !(e.texts.iter().all(|t| is_handed_on(t)) && e.hints.iter().all(|h| is_handed_on(h)));
    found.entries.iter().filter(says).cloned().collect()
}

/// What is wrong with what the sources say.
fn faults(sources: &[(String, Found)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, found) in sources {
        wrong.extend(found.apart.iter().map(|text| format!("{name}: {text:?}: its hint does not stand beside it")));
        for entry in own(found) {
            let says_nothing = |hint: &String| hint.trim().is_empty() || is_handed_on(hint);
            if entry.hints.is_empty() || entry.hints.iter().any(says_nothing) {
                wrong.push(format!("{name}: {:?}: no hint, or none that can be read here", entry.texts));
            }
        }
        for cause in &found.causes {
            if !SURFACES.iter().any(|(of, _)| *of == cause.of) {
                wrong.push(format!("{name}: {}: where does it surface, with which hint? Say it in SURFACES", cause.of));
            }
        }
    }
    let causes: BTreeSet<&str> = sources.iter().flat_map(|(_, f)| f.causes.iter().map(|c| c.of.as_str())).collect();
    let gone = SURFACES.iter().filter(|(of, _)| !causes.contains(of));
    wrong.extend(gone.map(|(of, _)| format!("SURFACES: there is no {of}")));
    wrong
}

/// A text as a cell of a table.
fn cell(texts: &[String]) -> String {
    let code = |text: &String| {
        let text = text.replace('\n', " ").replace('|', "\\|");
        if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
    };
    texts.iter().map(code).collect::<Vec<_>>().join("<br>")
}

/// The first sentence of what a file is for.
fn heading(about: &str) -> &str {
    about.split_once(". ").map_or(about, |(first, _)| first).trim_end_matches('.')
}

fn page(sources: &[(String, Found)]) -> String {
    let mut page = "# Errors\n\n\
        Made of the program's own sources; `scripts/test` fails where the two differ, and where an error has no hint.\n\n\
        An error is said on standard error, in two parts: `error:` and what was tried, on what, and why it failed; then\n\
        `hint:` and what to do now. With `--json` it is one object on the last line of standard error: see\n\
        [JSON](json.md). The exit code is that of [exit codes](exit-codes.md). What stands in `<…>` is filled in; an error\n\
        that is nothing but `<cause>` repeats one of the [causes](#causes) below. What is wrong with the command line\n\
        itself is said by the parser (exit code 2), with the usage and `--help` as what to do.\n\n## By command and part\n"
        .to_owned();
    for (_, found) in sources {
        let entries = own(found);
        if entries.is_empty() {
            continue;
        }
        write!(page, "\n### {}\n\n| error | exit | hint |\n|---|---|---|\n", heading(&found.about)).unwrap();
        for entry in entries {
            writeln!(page, "| {} | {} | {} |", cell(&entry.texts), entry.exit, cell(&entry.hints)).unwrap();
        }
    }
    page.push_str("\n## Causes\n\nWhat an error names as its cause, and what is then to be done.\n");
    for (_, found) in sources {
        let mut last = "";
        for Cause { of, text, when } in &found.causes {
            if of != last {
                let surface = SURFACES.iter().find(|(name, _)| name == of).map_or("", |(_, hint)| hint);
                let about = heading(&found.about);
                write!(page, "\n### {about} (`{of}`)\n\nHint: {surface}.\n\n| cause | when |\n|---|---|\n").unwrap();
            }
            last = of;
            writeln!(page, "| {} | {} |", cell(std::slice::from_ref(text)), when.replace('|', "\\|")).unwrap();
        }
    }
    page
}

#[test]
fn every_error_is_in_the_reference_with_its_hint() {
    let sources = sources();
    let wrong = faults(&sources);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (path, text) = (repository().join("docs/reference/errors.md"), page(&sources));
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let listed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(listed == text, "docs/reference/errors.md differs from the sources: run with UPDATE_REFERENCE=1");
    assert!(text.lines().filter(|l| l.starts_with("| ")).count() > 200, "the sources are read");
}

#[test]
fn an_error_without_a_hint_is_found() {
    let fault = |source: &str| {
        faults(&[("x.rs".to_owned(), read(&format!("//! X.\n{source}")))])
            .into_iter()
            .filter(|f| f.starts_with("x.rs"))
            .collect::<Vec<_>>()
    };
    for source in [
        "fn f() { let e = AppError::new(\"it broke\"); }",
        "fn f() -> AppError { AppError::new(format!(\"{a} broke\")).hint(\"\") }",
        "fn f() { g().map_err(|e| crate::app::AppError::usage(e.to_string()))?; }",
        "fn f() { Refusal::new(\"it broke\", \" \") }",
        "fn f() { StoreError { what, path, why: \"it broke\".into(), hint: String::new() } }",
        "#[derive(thiserror::Error)] enum NewError { #[error(\"it broke\")] A }",
    ] {
        assert_eq!(fault(source).len(), 1, "{source}: {:?}", fault(source));
    }
    let fine = "const H: &str = \"mend it\"; fn f(id: u8) { AppError::new(\"a\").exit(Exit::Locked).hint(H); \
        let hint = match 1 { 1 => format!(\"autodo show {id}\"), _ => \"b\".into() }; Refusal::new(format!(\"{} c {e}\", row.id), hint) }";
    assert_eq!(fault(fine), Vec::<String>::new());
    let entries = read(fine).entries;
    assert_eq!((entries[0].exit, entries[0].hints[0].as_str()), (75, "mend it"));
    assert_eq!((entries[1].texts[0].as_str(), entries[1].hints.len()), ("<id> c <cause>", 2));
}
