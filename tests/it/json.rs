//! What the real program prints for programs, held against the schemas of `docs/reference/schemas`.

use std::{collections::BTreeSet, sync::Mutex};

use autodo::cli::json::{OUTPUTS, Output, table};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    desk::Desk,
    files::{files_below, repository},
    program::Run,
    schema::faults,
    wait_for,
};

fn schema(name: &str) -> Value {
    let path = repository().join(format!("docs/reference/schemas/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn holds(name: &str, value: &Value) {
    let found = faults(&schema(name), value);
    assert!(found.is_empty(), "{name}:\n{}\nin {value:#}", found.join("\n"));
}

/// Runs commands of a desk with `--json`, and holds what they print against the schema that the table names.
struct Held<'a> {
    desk: &'a Desk,
    seen: Mutex<BTreeSet<&'static str>>,
}

impl<'a> Held<'a> {
    fn new(desk: &'a Desk) -> Self {
        Self { desk, seen: Mutex::new(BTreeSet::new()) }
    }

    /// `words` are those of the table; they are typed with `more` and `--json`.
    #[track_caller]
    fn run(&self, words: &'static str, more: &[&str]) -> Vec<Value> {
        let mut args: Vec<&str> = words.split(' ').collect();
        args.extend(more);
        args.push("--json");
        self.of(words, &self.desk.autodo(&args))
    }

    #[track_caller]
    fn of(&self, words: &'static str, run: &Run) -> Vec<Value> {
        let (name, output) = OUTPUTS.iter().find(|(name, _)| *name == words).unwrap();
        self.seen.lock().unwrap().insert(name);
        let (schema, values): (_, Vec<Value>) = match output {
            Output::One(schema) => (schema, vec![run.json()]),
            Output::Lines(schema) => {
                let lines =
                    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")));
                (schema, lines.collect())
            }
            Output::Text(why) => panic!("{words}: {why}"),
        };
        assert!(!values.is_empty(), "{words} prints nothing: {}", run.both());
        values.iter().for_each(|value| holds(schema, value));
        values
    }
}

/// The words of what was done.
fn did(values: &[Value]) -> Vec<String> {
    let results = values[0]["results"].as_array().unwrap();
    results.iter().map(|r| format!("{} {}", r["id"].as_str().unwrap_or("-"), r["did"].as_str().unwrap())).collect()
}

#[test]
fn every_command_prints_what_its_schema_says() {
    let desk = Desk::new();
    let held = Held::new(&desk);
    assert_eq!(did(&held.run("init", &[]))[0], "- kept");
    desk.ticket("T-1", "accept: ['true', 'false']", "echo a > a.txt");
    desk.ticket(
        "T-2",
        "after: [T-4]",
        "\"$AUTODO_BIN\" report decision --risk medium 'another library' --why speed; echo b > b.txt",
    );
    desk.asking("T-3", "");
    desk.ticket("T-4", "", "echo d > d.txt; \"$AUTODO_BIN\" report flag --risk low 'please look'");
    desk.ticket("T-5", "", "exit 3");
    let plan = held.run("dispatch --dry-run", &["--max", "2"]).remove(0);
    assert_eq!(plan["tickets"].as_array().unwrap().len(), 5);
    assert_eq!((&plan["order"][2]["beyond_max"], &plan["tickets"][1]["after"]), (&json!(true), &json!(["T-4"])));
    held.run("import --dry-run", &[]);
    held.run("add --dry-run", &["Another", "--profile", "generic"]);
    assert_eq!(did(&held.run("add", &["Another", "--id", "A-1", "--profile", "generic"])), ["A-1 queued"]);
    assert_eq!(did(&held.run("import", &["T-1"])), ["T-1 queued"]);
    assert_eq!(did(&held.run("import", &["T-1"])), ["T-1 open"]);
    assert_eq!(did(&held.run("stop", &["A-1"])), ["A-1 stopped"]);
    assert_eq!(did(&held.run("resume", &["A-1"])), ["A-1 queued to go on"]);
    assert_eq!(did(&held.run("cancel", &["A-1", "--dry-run"])), ["A-1 would cancel"]);
    assert_eq!(did(&held.run("cancel", &["A-1"])), ["A-1 cancelled"]);
    assert_eq!(did(&held.run("drain", &[])), Vec::<String>::new());
    let events = held.run("dispatch", &["--parallel", "4"]);
    assert!(events.len() > 20 && events.iter().all(|e| e["ticket"].is_string()), "{events:?}");
    held.run("list", &[]);
    for id in ["T-1", "T-2", "T-3", "T-4", "T-5", "A-1"] {
        held.run("show", &[id]);
        held.run("review", &[id]);
    }
    held.run("summary", &[]);
    held.run("notify test", &["desktop", "--dry-run"]);
    held.run("notify flush", &[]);
    held.run("diff", &["T-4"]);
    held.run("diff", &["T-4", "--stat"]);
    held.run("path", &["T-4"]);
    held.run("logs", &["T-4"]);
    assert!(held.run("logs", &["T-1", "--checks"])[0]["lines"].as_array().unwrap().len() > 1);
    held.run("logs", &["T-1", "--events"]);
    held.run("logs --follow", &["T-4", "--events"]);
    assert_eq!(did(&held.run("wait", &["T-3", "T-4"])), ["T-3 blocked", "T-4 needs_review"]);
    assert_eq!(did(&held.run("review --tier", &["low", "T-2"])), ["T-2 tier set"]);
    held.run("approve-low", &["--dry-run"]);
    assert_eq!(did(&held.run("approve", &["T-4"])), ["T-4 approved"]);
    assert_eq!(did(&held.run("approve-low", &[])), Vec::<String>::new());
    held.run("reject", &["T-1", "-m", "do it well"]);
    std::fs::write(std::path::Path::new(held.run("path", &["T-3"])[0]["path"].as_str().unwrap()).join("answer"), "")
        .unwrap();
    assert_eq!(did(&held.run("answer", &["T-3", "green"])), ["T-3 answered"]);
    held.run("retry", &["T-5", "--dry-run"]);
    held.run("tick", &[]);
    held.run("clean", &["A-1", "--dry-run"]);
    assert!(did(&held.run("clean", &["A-1"])).contains(&"A-1 cleaned".to_owned()));
    held.run("cancel", &["T-1"]);
    assert!(did(&held.run("clean", &["T-5", "T-1", "--logs", "--builds"])).contains(&"T-1 cleared".to_owned()));
    desk.world.tmux(&["new-session", "-d", "-s", "mine", "sleep", "600"]).ok();
    assert_eq!(held.run("clean --orphans", &["--yes"])[0]["orphans"].as_array().unwrap().len(), 1);
    desk.world.tmux(&["kill-session", "-t", "=mine"]).ok();
    assert!(did(&held.run("clean", &["T-1", "--rescue"])).contains(&"T-1 rescued".to_owned()));
    assert_eq!(held.run("rescue list", &[])[0]["rescues"].as_array().unwrap().len(), 1);
    assert_eq!(did(&held.run("rescue restore", &["T-1", "--dry-run"])), ["- would restore"]);
    assert_eq!(did(&held.run("rescue restore", &["T-1"])), ["- restored"]);
    held.run("doctor", &[]);
    let hours = ["--at", "01:00", "--until", "06:30", "--cron", "--dry-run"];
    assert_eq!(did(&held.run("batch install", &hours)).len(), 4);
    held.run("batch status", &["--here"]);
    assert_eq!(did(&held.run("batch remove", &["--dry-run"])), Vec::<String>::new());
    held.run("config", &[]);
    held.run("config permissions", &[]);
    held.run("profile list", &[]);
    held.run("profile show", &["claude"]);
    std::fs::write(desk.world.root().join("screen"), "hello\n").unwrap();
    held.run("debug screen", &["../screen", "--profile", "claude"]);
    held.run("debug bundle", &["--output", "../x.tar.gz"]);
    std::fs::write(desk.world.root().join("mine.toml"), crate::cli::profile_text("mine", "sh")).unwrap();
    held.run("profile check", &["../mine.toml"]);
    assert_eq!(did(&held.run("send", &["T-2", "hello", "--dry-run"])).len(), 0);
    let mut watch = desk.spawn(&["list", "--watch", "--json"]);
    wait_for("a line", || watch.said().stdout.contains('\n').then_some(()), || watch.said().both());
    watch.signal(Signal::SIGINT);
    held.of("list --watch", &watch.wait(PATIENCE));
    desk.held("T-9", "", "true");
    desk.autodo(&["import", "T-9"]).ok();
    assert_eq!(did(&held.run("dispatch --detach", &["T-9", "--parallel", "1"])), ["- detached"]);
    desk.let_go("T-9");
    assert_eq!(did(&held.run("wait", &["T-9"])), ["T-9 needs_review"]);
    // Work on a stale base takes a moved dependency; what is printed is what `ask` prints for all verbs.
    let seen = held.seen.into_inner().unwrap();
    let all = OUTPUTS.iter().filter(|(_, output)| !matches!(output, Output::Text(_))).map(|(words, _)| *words);
    let left: Vec<&str> = all.filter(|words| !seen.contains(words)).collect();
    assert_eq!(left, ["review --accept-stale"]);
}

#[test]
fn an_error_is_one_line_of_json_on_standard_error() {
    let desk = Desk::new();
    for (args, code) in [
        (&["show", "nothing", "--json"][..], 2),
        (&["diff", "nothing", "--json"], 2),
        (&["path", "nothing", "--json"], 2),
        (&["dispatch", "--json", "--parallel", "0"], 2),
        (&["wait", "--json", "T-1"], 2),
        (&["logs", "T-1", "--json"], 2),
    ] {
        let run = desk.autodo(args).code(code);
        assert_eq!(run.stdout, "", "{args:?}");
        let error: Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
        holds("error", &error);
        assert_eq!(error["error"]["exit"], code);
    }
    desk.ticket("T-1", "", "true");
    desk.autodo(&["add", "One", "--id", "A-1", "--profile", "generic", "--json"]).ok();
    let run = desk.autodo(&["approve", "A-1", "--json"]).code(1);
    holds("results", &run.json());
    let line = run.stderr.lines().find(|line| line.starts_with('{')).unwrap();
    holds("error", &serde_json::from_str(line).unwrap());
}

#[test]
fn a_schema_is_strict_about_what_it_names_and_lets_fields_be_added() {
    let desk = Desk::new();
    desk.autodo(&["add", "One", "--id", "A-1", "--profile", "generic"]).ok();
    let good = desk.autodo(&["show", "A-1", "--json"]).ok().json();
    holds("show", &good);
    for name in schema("show")["required"].as_array().unwrap().iter().filter_map(Value::as_str) {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(faults(&schema("show"), &without).len(), 1, "without {name}");
        let mut other = good.clone();
        other[name] = json!({ "of": ["another type"] });
        assert!(!faults(&schema("show"), &other).is_empty(), "{name} of another type");
    }
    let mut more = good;
    more["something_new"] = json!(1);
    holds("show", &more);
}

#[test]
fn every_schema_is_named_and_every_named_one_is_there() {
    let used: BTreeSet<String> = OUTPUTS
        .iter()
        .filter_map(|(_, output)| match output {
            Output::One(schema) | Output::Lines(schema) => Some((*schema).to_owned()),
            Output::Text(_) => None,
        })
        .chain(["error".to_owned()])
        .collect();
    let files = files_below(&repository().join("docs/reference/schemas"));
    let there: BTreeSet<String> = files.iter().map(|f| f.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(there, used);
    for name in &there {
        let schema = schema(name);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        // Reads it to its end: an unknown keyword panics.
        faults(&schema, &json!({}));
    }
}

#[test]
fn the_page_has_the_program_s_own_table() {
    let path = repository().join("docs/reference/json.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- table: made by the program -->\n", "<!-- end of the table -->");
    let (above, rest) = page.split_once(begin).unwrap();
    let (listed, below) = rest.split_once(end).unwrap();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, format!("{above}{begin}{}{end}{below}", table())).unwrap();
        return;
    }
    assert!(listed == table(), "docs/reference/json.md differs from the program: run with UPDATE_REFERENCE=1");
}
