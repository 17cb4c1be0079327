//! How surely a text reaches a real agent: the real `autodo` delivers generated texts into live, idle sessions of Claude
//! Code and Codex, and the scripted model, which gets what the agents were given, is the judge. `scripts/deliveries`
//! builds and runs it.
//!
//! Each text must reach the model of its own session exactly once, byte for byte as the table of delivery says. A text
//! that the books call submitted and that never arrived is a false one; one that arrived twice is a duplicate; words that
//! nobody delivered, such as half of a text, are strange.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    unused_imports,
    reason = "a measurement with the support code of the tests, which is all its own"
)]

mod load;
#[path = "../contract/model.rs"]
mod model;
mod session;
#[path = "../contract/stage.rs"]
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod texts;

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use load::Load;
use session::{Delivered, Session, ends};
use stage::{Agent, Stage};

/// What `--help` prints.
const HELP: &str = "\
Delivers texts into live sessions of the real agents and counts what arrives.

  --count N       texts for each row (200)
  --sessions N    live sessions at a time (4)
  --seed N        which texts (1)
  --agent NAME    claude, codex or both (both)
  --load NAME     idle, busy or both (both); busy: two loops per core, and writes to the disk
  --without-hooks only the screen tells what happens (Claude Code; Codex has none in any case)
";

/// What to do.
struct Options {
    count: usize,
    sessions: usize,
    seed: u64,
    agents: Vec<Agent>,
    loads: Vec<bool>,
    without_hooks: bool,
}

impl Options {
    /// Reads the arguments; `None`: only help was asked for.
    fn parse(arguments: &[String]) -> Result<Option<Self>, String> {
        let mut options = Self {
            count: 200,
            sessions: 4,
            seed: 1,
            agents: vec![Agent::Claude, Agent::Codex],
            loads: vec![false, true],
            without_hooks: false,
        };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let mut value = || rest.next().map(String::as_str).ok_or_else(|| format!("{name} needs a value"));
            let number = |text: &str| text.parse::<usize>().map_err(|_| format!("{name} {text}: a number is wanted"));
            match name.as_str() {
                "-h" | "--help" => return Ok(None),
                "--count" => options.count = number(value()?)?.max(1),
                "--sessions" => options.sessions = number(value()?)?.max(1),
                "--seed" => options.seed = number(value()?)? as u64,
                "--without-hooks" => options.without_hooks = true,
                "--agent" => match value()? {
                    "claude" => options.agents = vec![Agent::Claude],
                    "codex" => options.agents = vec![Agent::Codex],
                    "both" => {}
                    other => return Err(format!("--agent {other}: known are claude, codex and both")),
                },
                "--load" => match value()? {
                    "idle" => options.loads = vec![false],
                    "busy" => options.loads = vec![true],
                    "both" => {}
                    other => return Err(format!("--load {other}: known are idle, busy and both")),
                },
                other => return Err(format!("unknown option {other}: see --help")),
            }
        }
        Ok(Some(options))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::parse(&arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(2);
        }
    };
    println!("seed {}, {} sessions at a time", options.seed, options.sessions);
    println!("| agent | machine | texts | submitted | false | duplicates | strange | to a person | median | p99 |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut good = true;
    for agent in &options.agents {
        for busy in &options.loads {
            good &= measure(&options, *agent, *busy);
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Delivers all texts to one agent, and prints their row; true if each arrived exactly once.
fn measure(options: &Options, agent: Agent, busy: bool) -> bool {
    let stage = Stage::new(agent);
    prepare(&stage, options);
    let all = texts::texts(agent, options.count, options.seed);
    let mut shares: Vec<Vec<_>> = (0..options.sessions).map(|_| vec![]).collect();
    for (number, text) in all.into_iter().enumerate() {
        shares[number % options.sessions].push(text);
    }
    let mut sessions = vec![];
    for (number, share) in shares.into_iter().enumerate() {
        let id = format!("T-{}", number + 1);
        stage.ticket(&id, &steps(share.len()));
        sessions.push(Session::new(&id, share));
    }
    // Sessions that all ask at the same time would leave the supervisor with nothing to do.
    let body = "## Run\n\n```sh\nsleep 86400\n```\n";
    stage.repo.ticket("T-0", "id: T-0\ntitle: Keeps the supervisor\nprofile: script", body);
    let load = busy.then(|| Load::on(stage.world.root()));
    let mut dispatch = stage.start();
    while !sessions.iter().all(Session::is_over) {
        assert!(dispatch.is_running(), "the supervisor ended: {}", dispatch.said().both());
        let list = stage.autodo(&["list", "--all", "--json"]).ok().json();
        let titles = titles(&stage);
        for session in &mut sessions {
            let row = list["tickets"].as_array().unwrap().iter().find(|row| row["id"] == session.id.as_str());
            let Some(row) = row else { continue };
            let title = titles.get(row["session"].as_str().unwrap_or_default()).map_or("", String::as_str);
            session.go_on(&stage, row, title);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    // The last texts are on their way from the agents to their model. A missing one is counted, not waited for.
    let end = std::time::Instant::now() + Duration::from_secs(20);
    let mut strange = vec![];
    while std::time::Instant::now() < end {
        strange = sessions.iter_mut().flat_map(|session| session.judge(&stage)).collect();
        if sessions.iter().flat_map(|session| &session.done).all(|one| one.arrived > 0) {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    drop(load);
    let done: Vec<&Delivered> = sessions.iter().flat_map(|session| &session.done).collect();
    let good = row(agent, busy, options.count, &done, &strange);
    if !good {
        eprintln!("{}", stage.world.story());
    }
    good
}

/// The profile and the settings of the measurement: no session is nudged or set aside while it has nothing to do.
fn prepare(stage: &Stage, options: &Options) {
    let (name, more) = match stage.agent {
        Agent::Claude => ("claude", ""),
        Agent::Codex => ("codex", "[options]\napproval = \"never\"\n"),
    };
    let hooks = if options.without_hooks { "[launch.settings]\ndisableAllHooks = true\n" } else { "" };
    let profile = format!("version = 1\nname = \"measured\"\nextends = \"{name}\"\nnudge = false\n{more}{hooks}");
    std::fs::write(stage.world.home().join("profiles/measured.toml"), profile).unwrap();
    let parallel = options.sessions + 1;
    stage.repo.settings(&format!(
        "version = 1\nprofile = \"measured\"\nparallel = {parallel}\nstagger = \"0s\"\nchecks = []\n\
         [limits]\nstall = \"24h\"\nrun = \"24h\"\n"
    ));
}

/// What the model says: it reads its task and asks; then each text is by turns an answer, of which it takes note, and
/// words into an idle session, after which it asks again.
fn steps(count: usize) -> Vec<&'static str> {
    const ASK: &str = "[[step]]\nrun = '\"$AUTODO_BIN\" report blocked --question \"What next?\"'\n";
    const WAIT: &str = "[[step]]\nsay = 'I wait.'\n";
    const HEARD: &str = "[[step]]\nsay = 'I took note of that.'\n";
    let mut steps = vec![model::READ];
    for _ in 0..=count / 2 {
        steps.extend([ASK, WAIT, HEARD]);
    }
    steps
}

/// The titles of all panes, by session.
fn titles(stage: &Stage) -> BTreeMap<String, String> {
    let said = stage.world.tmux(&["list-panes", "-a", "-F", "#{session_name}\t#{pane_title}"]).stdout;
    said.lines().filter_map(|line| line.split_once('\t')).map(|(name, title)| (name.into(), title.into())).collect()
}

/// Prints the figures, and each text of which something is wrong; true if there is none.
fn row(agent: Agent, busy: bool, wanted: usize, done: &[&Delivered], strange: &[String]) -> bool {
    let count = |is: &dyn Fn(&Delivered) -> bool| done.iter().filter(|one| is(one)).count();
    let submitted = count(&|one| one.submitted);
    let wrong = count(&|one| one.submitted && one.arrived == 0);
    let twice = count(&|one| one.arrived > 1);
    let told = count(&|one| one.told.is_some());
    let mut seconds: Vec<f64> = done.iter().filter_map(|one| one.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let at = |share: usize| seconds.get((seconds.len() * share / 100).min(seconds.len().saturating_sub(1)));
    let shown = |share| at(share).map_or("-".to_owned(), |seconds| format!("{seconds:.2} s"));
    println!(
        "| {} | {} | {} | {submitted} | {wrong} | {twice} | {} | {told} | {} | {} |",
        if agent == Agent::Claude { "claude" } else { "codex" },
        if busy { "busy" } else { "idle" },
        done.len(),
        strange.len(),
        shown(50),
        shown(99),
    );
    for one in done.iter().filter(|one| !one.submitted || one.arrived != 1) {
        let (text, told) = (ends(&one.text.given), one.told.as_deref().unwrap_or_default());
        let (bytes, arrived) = (one.text.given.len(), one.arrived);
        println!("  {}: {bytes} bytes, submitted {}, arrived {arrived}: {text:?} {told}", one.verb, one.submitted);
    }
    for what in strange {
        println!("  {what}");
    }
    submitted == wanted && wrong == 0 && twice == 0 && told == 0 && strange.is_empty()
}
