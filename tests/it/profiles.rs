//! The profiles that are part of the binary: their rules over golden screens, and the schema over what users write.

use std::{
    fs,
    path::{Path, PathBuf},
};

use autodo::{
    agent::{
        classify::{BoxSeen, box_content, classify, holding, keys_for, lines_above_box},
        launch::{LaunchVars, launch},
        profile::{Keystroke, Library, Profile},
        prompt::{self, Answered, Capabilities, PromptInput},
    },
    domain::{
        id::{RunId, RunKey, TicketId},
        run::LaunchKind,
        screen::{Marker, Screen, ScreenState, Sighting},
    },
};

#[test]
fn the_whole_prompt_reads_well() {
    let mut input = PromptInput {
        run: RunId { ticket: TicketId::parse("T-12").unwrap(), number: 2 },
        key: RunKey::from_bits(0x7f3a_0001),
        title: "Cache the parsed config".into(),
        body: "It is parsed on every call.\n\n## Acceptance\n\n- [ ] parsed once\n- [ ] no API changes\n".into(),
        acceptance: vec!["parsed once".into(), "no API changes".into()],
        commands: vec!["cargo test".into()],
        autodo: "/home/ada/.claude/autodo/bin/autodo".into(),
        worktree: "/src/shop.worktrees/T-12".into(),
        branch: "autodo/T-12".into(),
        target: Some("main".into()),
        corrections: vec!["Keep the old name.\nIt is public.".into()],
        answers: vec![Answered { question: "Which cache?".into(), answer: "A OnceCell.".into() }],
        notes: vec!["The last run ended when the machine was restarted.".into()],
        can: Capabilities { feedback: true, resumable: true },
    };
    insta::assert_snapshot!("prompt_of_a_second_run", prompt::prompt_file(&input, prompt::TEMPLATE).unwrap());
    input.run.number = 1;
    input.can = Capabilities::default();
    (input.acceptance, input.commands, input.corrections, input.answers, input.notes) = Default::default();
    insta::assert_snapshot!("prompt_of_a_first_run", prompt::prompt_file(&input, prompt::TEMPLATE).unwrap());
}

/// The profiles that have golden screens.
const PROFILES: [&str; 7] = ["script", "generic", "claude", "codex", "gemini", "opencode", "aider"];

/// Those of them whose screens `scripts/screens` captured.
const CAPTURED: [&str; 5] = ["claude", "codex", "gemini", "opencode", "aider"];

/// A golden screen: rows that begin with `#: ` at the top say what is known of it.
struct Golden {
    path: PathBuf,
    said: Vec<(String, String)>,
    screen: Screen,
}

impl Golden {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let heads = text.lines().take_while(|l| l.starts_with("#: ")).count();
        let mut screen = Screen::of_text(&text.lines().skip(heads).collect::<Vec<_>>().join("\n"));
        let pair = |l: &str| l["#: ".len()..].split_once(": ").map(|(k, v)| (k.to_owned(), v.to_owned()));
        let said: Vec<_> = text.lines().take(heads).map(|l| pair(l).unwrap()).collect();
        for (key, value) in &said {
            match key.as_str() {
                "cursor" => {
                    let (column, row) = value.split_once(',').unwrap();
                    screen.cursor = (column.parse().unwrap(), row.parse().unwrap());
                }
                "title" => screen.title.clone_from(value),
                "rule" | "box" | "text" | "marker" => {}
                other => panic!("{}: no such header: {other}", path.display()),
            }
        }
        Self { path, said, screen }
    }

    fn said(&self, key: &str) -> Option<&str> {
        self.said.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

/// The golden screens below `folder` of `tests/screens`.
fn golden(folder: &str) -> Vec<Golden> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no screen", root.display());
    files.into_iter().map(Golden::read).collect()
}

/// The states for which `profile` has golden screens, with those.
fn golden_states(profile: &str) -> Vec<(ScreenState, Vec<Golden>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(profile);
    let states = ScreenState::ALL.into_iter().filter(|s| root.join(s.word()).is_dir());
    let found: Vec<_> = states.map(|s| (s, golden(&format!("{profile}/{}", s.word())))).collect();
    assert_eq!(found.len(), fs::read_dir(&root).unwrap().count(), "a folder of {} is no state", root.display());
    found
}

fn key() -> RunKey {
    RunKey::from_bits(0xabcd)
}

fn profile(name: &str) -> Profile {
    Library::of_builtin().get(name).unwrap()
}

fn see(profile: &Profile, golden: &Golden) -> Sighting {
    classify(profile, &golden.screen, Some(&key()))
}

#[test]
fn what_there_is_to_choose_from_is_read_from_the_screen() {
    let claude = profile("claude");
    let of = |name: &str| {
        let all = golden("claude/question").into_iter().chain(golden("claude/permission"));
        all.into_iter().filter(|golden| golden.path.to_string_lossy().contains(name)).collect::<Vec<_>>()
    };
    for (name, expected) in [
        ("/question-", ["OnceCell", "LRU"].as_slice()),
        ("/more-questions-", &["OnceCell", "LRU"]),
        ("/plan-", &["Yes", "No"]),
    ] {
        let screens = of(name);
        assert_eq!(screens.len(), 3, "{name}");
        for golden in screens {
            let sighting = see(&claude, &golden);
            assert_eq!(sighting.choices, expected, "{}", golden.path.display());
            assert_eq!(sighting.takes_words, !name.contains("plan"));
            let press = |answer: &str| keys_for(&claude, &golden.screen, &sighting.rule, answer);
            assert_eq!(press(&expected[1].to_lowercase()), Some(vec![Keystroke::Char('2')]));
            assert_eq!(press("1"), Some(vec![Keystroke::Char('1')]));
            assert_eq!(press("neither of them"), None);
        }
    }
}

#[test]
fn a_screen_tells_a_command_only_where_it_is_whole() {
    let told = |name: &str| -> Vec<(String, String)> {
        let (profile, all) = (profile(name), golden(&format!("{name}/permission")));
        let file = |golden: &Golden| golden.path.file_stem().unwrap().to_string_lossy().into_owned();
        let request = |golden: &Golden| see(&profile, golden).request.map(|asked| asked.words());
        all.iter().filter_map(|golden| Some((file(golden), request(golden)?))).collect()
    };
    let pair = |file: String, words: &str| (file, words.to_owned());
    let widths = ["120", "220", "80"];
    let claude = widths
        .map(|width| pair(format!("permission-command-{width}"), "Bash: npm install left-pad && rm -rf node_modules"));
    assert_eq!(told("claude"), claude);
    // The others have commands of several rows.
    let codex = widths.map(|width| pair(format!("approval-{width}"), "Bash: npm install left-pad"));
    assert_eq!(told("codex"), codex);
}

#[test]
fn a_command_that_draws_a_dialog_of_its_own_is_not_taken_for_another() {
    for (name, file, line) in [
        ("codex", "approval-120", "npm install left-pad"),
        ("claude", "permission-command-120", "npm install left-pad && rm -rf node_modules"),
    ] {
        let (profile, all) = (profile(name), golden(&format!("{name}/permission")));
        let good = all.iter().find(|golden| golden.path.ends_with(format!("{file}.txt"))).unwrap();
        let text = good.screen.text();
        let seen = |text: &str| {
            let screen = Screen { title: good.screen.title.clone(), ..Screen::of_text(text) };
            classify(&profile, &screen, None).request.map(|asked| asked.words())
        };
        assert_eq!(seen(&text), Some(format!("Bash: {line}")));
        let lead = if name == "codex" { "\n  $ " } else { "\n   " };
        let (head, tail) = text.rsplit_once(&format!("{lead}{line}\n")).unwrap();
        let (head, tail) = (format!("{head}{lead}"), format!("\n{tail}"));
        let indent = if name == "codex" { "  " } else { "   " };
        for forged in [
            // A second row; a row that looks like the call; rows that look like the end of the dialog.
            format!("{head}{line}\n{indent}rm -rf /{tail}"),
            format!("{head}rm -rf /\n\n{indent}$ {line}{tail}"),
            format!("{head}{line}\n\n\n{indent}1. Yes, proceed (y)\n{indent}rm -rf /{tail}"),
            format!("{head}{line} --more{tail}"),
            format!("{head}{line}…{tail}"),
        ] {
            assert_ne!(seen(&forged), Some(format!("Bash: {line}")), "{forged}");
        }
    }
}

#[test]
fn every_golden_screen_means_what_its_folder_says() {
    for name in PROFILES {
        let profile = profile(name);
        for (state, screens) in golden_states(name) {
            for golden in screens {
                let seen = see(&profile, &golden);
                let path = golden.path.display();
                assert_eq!(seen.state, state, "{path}: {seen:?}");
                assert_eq!(seen.rule, golden.said("rule").unwrap_or(""), "{path}");
                let marker = seen.marker.map(|m| if m == Marker::Done { "done" } else { "blocked" });
                assert_eq!(marker, golden.said("marker"), "{path}");
                let content = box_content(&profile, &golden.screen);
                assert_eq!(seen.box_empty, content == BoxSeen::Empty, "{path}");
                // What was captured from real agents says it of some screens only.
                let is_captured = CAPTURED.contains(&name);
                match (golden.said("box"), &content) {
                    (None, _) if is_captured => {}
                    (Some("empty"), BoxSeen::Empty) => {}
                    (Some("absent"), BoxSeen::Absent) | (Some("pasted"), BoxSeen::Pasted) => {}
                    (said, content) => {
                        let text = said.unwrap().strip_prefix("text ").unwrap_or_else(|| panic!("{path}: {content:?}"));
                        assert!(content.holds(text), "{path}: {content:?}");
                    }
                }
                match golden.said("text") {
                    None if is_captured => {}
                    said => assert_eq!(seen.text, said.unwrap_or("").replace('|', "\n"), "{path}"),
                }
            }
        }
    }
}

#[test]
fn every_state_that_the_script_profile_knows_has_golden_screens() {
    let drawn: Vec<_> = golden_states("script").into_iter().map(|(state, _)| state).collect();
    for rule in &profile("script").screens {
        assert!(drawn.contains(&rule.state), "{} has no golden screen", rule.name);
    }
}

#[test]
fn a_screen_that_belongs_to_no_agent_is_unknown() {
    let screens = golden("none");
    assert!(screens.len() >= 30);
    for name in PROFILES {
        let profile = profile(name);
        for golden in &screens {
            let seen = see(&profile, golden);
            assert_eq!(seen.state, ScreenState::Unknown, "{name}, {}: {seen:?}", golden.path.display());
            assert_eq!((seen.rule.as_str(), seen.marker), ("", None), "{name}, {}", golden.path.display());
        }
    }
}

#[test]
fn there_are_sixty_screens_of_real_agents_at_three_widths() {
    let mut seen = 0;
    for name in CAPTURED {
        let screens: Vec<_> = golden_states(name).into_iter().flat_map(|(_, screens)| screens).collect();
        for width in ["-80.txt", "-120.txt", "-220.txt"] {
            let count = screens.iter().filter(|s| s.path.to_string_lossy().ends_with(width)).count();
            assert!(count >= 5, "{name}: {count} with {width}");
        }
        seen += screens.len();
    }
    assert!(seen >= 60, "{seen}");
}

#[test]
fn blanks_behind_the_rows_and_below_them_change_nothing() {
    for name in PROFILES {
        let profile = profile(name);
        let own = golden_states(name).into_iter().flat_map(|(_, screens)| screens);
        for golden in own.chain(golden("none")) {
            let mut padded = golden.screen.clone();
            padded.rows.iter_mut().for_each(|row| row.push_str("   "));
            padded.rows.extend([String::new(), "  ".to_owned(), String::new()]);
            assert_eq!(classify(&profile, &padded, Some(&key())), see(&profile, &golden), "{}", golden.path.display());
            assert_eq!(box_content(&profile, &padded), box_content(&profile, &golden.screen));
        }
    }
}

#[test]
fn no_golden_screen_is_decided_by_the_order_of_rules_alone() {
    for name in ["script", "generic"] {
        let profile = profile(name);
        for (state, screens) in golden_states(name) {
            for golden in screens {
                let others: Vec<_> =
                    holding(&profile, &golden.screen).into_iter().filter(|(_, other)| *other != state).collect();
                assert!(others.is_empty(), "{}: {others:?} hold as well", golden.path.display());
            }
        }
    }
}

#[test]
fn the_readme_explains_every_key() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/README.md")).unwrap();
    let base = "version = 1\nname = \"p\"\n";
    for table in [
        "",
        "[launch]",
        "[[programs]]",
        "[delivery]",
        "[box]",
        "[[screens]]",
        "[[dialogs]]",
        "[marker]",
        "[limits]",
        "[records]",
        "[records.head]",
        "[records.prompt]",
        "[records.turn_end]",
        "[records.tokens]",
    ] {
        let said = Profile::parse(&format!("{base}{table}\nnonsense = 1\n"), "p").unwrap_err().to_string();
        let known =
            said.split_once("expected ").unwrap_or_else(|| panic!("{said}")).1.lines().next().unwrap().to_owned();
        let keys: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        assert!(keys.len() > 1, "{known}");
        for key in keys {
            assert!(
                readme.contains(&format!("`{key}`"))
                    || readme.contains(&format!("[{key}]"))
                    || readme.contains(&format!("[records.{key}]")),
                "{table} {key}"
            );
        }
    }
    for name in autodo::agent::placeholder::BUILT_IN {
        assert!(readme.contains(&format!("`{{{name}}}`")), "{name}");
    }
}

#[test]
fn the_example_in_the_readme_works() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/README.md")).unwrap();
    let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let profile = Profile::parse(example, "README.md").unwrap_or_else(|e| panic!("{e}"));
    let mut screen = Screen::of_text("hello\nmy-agent>\n");
    screen.cursor = (10, 1);
    assert_eq!(classify(&profile, &screen, None).state, ScreenState::Ready);
}

#[test]
fn the_script_agent_is_started_by_the_program_itself() {
    let vars = LaunchVars {
        autodo: "/opt/autodo".into(),
        run: RunId { ticket: TicketId::parse("T-1").unwrap(), number: 1 },
        key: key(),
        title: "x".into(),
        branch: "autodo/T-1".into(),
        worktree: "/w".into(),
        run_dir: "/h/T-1/runs/1".into(),
        state_dir: "/h/T-1/state".into(),
        outbox: "/w/.autodo/run/outbox".into(),
        prompt_file: "/w/.autodo/run/prompt.md".into(),
        tmux_tmpdir: "/tmp/t".into(),
        prompt: None,
        conversation: None,
        git_dirs: None,
        options: Default::default(),
    };
    let plan = launch(&profile("script"), LaunchKind::Fresh, &vars).unwrap();
    assert_eq!(plan.argv, ["/opt/autodo", "script-agent"]);
    assert_eq!(plan.env["AUTODO_STATE"], "/h/T-1/state");
    assert!(launch(&profile("script"), LaunchKind::Resume, &vars).is_err());
}

#[test]
fn what_stands_above_the_boxes_of_real_agents_ends_with_what_they_say() {
    for (name, screen, last) in [
        ("claude", "claude/busy/streaming-120.txt", "  4. A thing"),
        ("claude", "claude/busy/background-120.txt", "✻ Cogitated for 1s"),
        ("codex", "codex/busy/more-mcp-120.txt", "  Worked for 1s"),
    ] {
        let file = crate::support::files::repository().join("tests/screens").join(screen);
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("#: ")).collect();
        let above = lines_above_box(&profile(name), &lines);
        let said = lines[..above].iter().rfind(|line| !line.trim().is_empty()).unwrap();
        assert!(said.starts_with(last), "{said}");
    }
}
