//! Recovery: the supervisor is killed while a hundred agents work, and another is started.
//!
//! While nobody watches, every agent files a report and then asks something on its screen alone; but for one, which works
//! on, since a dispatch ends where nobody is at work. The new supervisor is ready when its socket answers a call, when the
//! reports of all agents are in the journal, and when all questions are, which only a look at each pane can tell: only
//! then is every session taken up. Before the next kill the agents go on by themselves, until all are seen at work.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Trouble,
    cost::median,
    options::Options,
    stage::{Stage, id},
    table::verdict,
};

/// Seconds until all is taken up again.
const READY_S: f64 = 2.0;
/// Between two looks.
const EVERY: Duration = Duration::from_millis(2);
/// Longest time for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured after one kill, in seconds since the start of the new supervisor.
#[derive(Clone, Copy, Debug)]
pub struct Recovery {
    /// Its socket answered.
    pub socket: f64,
    /// The report of the last agent was in the journal.
    pub reports: f64,
    /// So was the question of the last one.
    pub screens: f64,
    /// A bare look beside it: one `list-panes`, and a `capture-pane` for each pane, one after the other.
    pub bare: f64,
}

impl Recovery {
    /// All of it.
    fn ready(&self) -> f64 {
        self.socket.max(self.reports).max(self.screens)
    }
}

/// Busy until the gate of each turn is open; then a report, and a question unless it is the one that never `asks`.
fn scenario(kills: usize, asks: bool) -> String {
    let mut text = String::from("spinner 10\n");
    for turn in 0..kills {
        text.push_str(&format!("busy 0\nwait-file {{folder}}/gates/asks-{turn}\n"));
        text.push_str(&format!("ready\nreport note 'missed-{turn}-'\n"));
        if asks {
            text.push_str(&format!("show ? Which of the two, in turn {turn}?\nstatus question\npause 0\n"));
        } else {
            text.push_str("busy 0\n");
        }
        text.push_str(&format!("stamp asks-{turn}\nwait-file {{folder}}/gates/on-{turn}\nshow on with turn {turn}\n"));
    }
    text.push_str("busy 0\nhang\n");
    text
}

/// Measures all kills.
///
/// # Errors
/// Something did not start, or was not taken up.
pub fn measure(options: &Options) -> Result<Vec<Recovery>, Trouble> {
    let (sessions, mut all) = (options.sessions, Vec::new());
    eprintln!("recovery: {sessions} sessions");
    let mut stage = Stage::set(options, sessions, |number| scenario(options.kills, number > 0))?;
    stage.leave();
    for turn in 0..options.kills {
        stage.wait_until("all agents to be seen at work", Stage::is_all_at_work)?;
        stage.kill()?;
        stage.open(&format!("asks-{turn}"))?;
        let word = format!("asks-{turn}");
        let asks =
            |stage: &Stage| (0..sessions).all(|number| stage.stamps(number).iter().any(|(said, _)| *said == word));
        stage.wait_until("all agents to ask", asks)?;
        let bare = bare_look(&stage)?;
        let mut journal = Journal::behind(&stage.home(), turn)?;
        let began = Instant::now();
        stage.start_again()?;
        let since = move || began.elapsed().as_secs_f64();
        let home = stage.home();
        let socket = std::thread::spawn(move || {
            while !answers(&home) && began.elapsed() < PATIENCE {
                std::thread::sleep(EVERY);
            }
            since()
        });
        let (mut reports, mut screens) = (None, None);
        while reports.is_none() || screens.is_none() {
            if began.elapsed() > PATIENCE {
                let (told, asked) = (journal.told.len(), journal.asked.len());
                return Err(format!("after kill {turn} only {told} reports and {asked} questions were seen"));
            }
            std::thread::sleep(EVERY);
            journal.read()?;
            reports = reports.or_else(|| (journal.told.len() == sessions).then(since));
            screens = screens.or_else(|| (journal.asked.len() + 1 == sessions).then(since));
        }
        let socket = socket.join().map_err(|_| "nobody asked the supervisor".to_owned())?;
        if let (Some(reports), Some(screens)) = (reports, screens) {
            let one = Recovery { socket, reports, screens, bare };
            eprintln!("recovery: {one:.2?}");
            all.push(one);
        }
        stage.open(&format!("on-{turn}"))?;
    }
    stage.wait_until("all agents to be seen at work", Stage::is_all_at_work)?;
    match (0..sessions).find(|number| stage.prompts(*number) != 1) {
        Some(number) => Err(format!("{} was given its prompt {} times", id(number), stage.prompts(number))),
        None => Ok(all),
    }
}

/// The lines that are added to the journal.
struct Journal {
    file: std::fs::File,
    rest: String,
    note: String,
    told: BTreeSet<String>,
    asked: BTreeSet<String>,
}

impl Journal {
    fn behind(home: &Path, turn: usize) -> Result<Self, Trouble> {
        let path = home.join("journal.jsonl");
        let failed = |why: std::io::Error| format!("{}: {why}", path.display());
        let mut file = std::fs::File::open(&path).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let (told, asked) = (BTreeSet::new(), BTreeSet::new());
        Ok(Self { file, rest: String::new(), note: format!("missed-{turn}-"), told, asked })
    }

    fn read(&mut self) -> Result<(), Trouble> {
        self.file.read_to_string(&mut self.rest).map_err(|why| format!("the journal: {why}"))?;
        while let Some(end) = self.rest.find('\n') {
            let line: String = self.rest.drain(..=end).collect();
            let value: serde_json::Value = serde_json::from_str(&line).map_err(|why| format!("the journal: {why}"))?;
            let Some(ticket) = value["ticket"].as_str() else { continue };
            if value["event"].to_string().contains(&self.note) {
                self.told.insert(ticket.to_owned());
            }
            if value["row"]["status"] == "blocked" {
                self.asked.insert(ticket.to_owned());
            }
        }
        Ok(())
    }
}

/// True if a supervisor answers a call.
fn answers(home: &Path) -> bool {
    let call = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(home.join("run/supervisor.sock"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"{\"call\":\"ping\"}\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line.contains("\"answer\":\"done\""))
    };
    call().unwrap_or(false)
}

/// Seconds of one `list-panes` and a `capture-pane` for each pane.
fn bare_look(stage: &Stage) -> Result<f64, Trouble> {
    let began = Instant::now();
    for (socket, pane) in stage.agents()? {
        let mut command = Command::new("tmux");
        command.arg("-N").arg("-S").arg(socket).args(["capture-pane", "-p", "-t", &pane]).stdout(Stdio::null());
        let status = command.status().map_err(|why| format!("cannot run tmux: {why}"))?;
        if !status.success() {
            return Err(format!("tmux capture-pane of {pane}: {status}"));
        }
    }
    Ok(began.elapsed().as_secs_f64())
}

/// The table, and whether the target is met.
pub fn table(all: &[Recovery], options: &Options) -> (String, bool) {
    let mut text = format!(
        "Seconds from the start of `autodo dispatch`, after SIGKILL with {} sessions at work ({} kills), until its socket\n\
         answers, and until all that the agents did meanwhile is in the journal: a report each, and a question of all but\n\
         one, which stands on the screen alone. The bare look: list-panes, and capture-pane for each pane.\n\n\
         {:<7} | socket | reports | screens | ready | the bare look | ready : bare look\n",
        options.sessions,
        all.len(),
        ""
    );
    let worst = |values: Vec<f64>| values.into_iter().fold(0.0, f64::max);
    for (name, of) in [("median", &median as &dyn Fn(Vec<f64>) -> f64), ("worst", &worst)] {
        let figure = |value: fn(&Recovery) -> f64| of(all.iter().map(value).collect());
        text.push_str(&format!(
            "{name:<7} | {:>6.2} | {:>7.2} | {:>7.2} | {:>5.2} | {:>13.2} | {:>17.2}\n",
            figure(|one| one.socket),
            figure(|one| one.reports),
            figure(|one| one.screens),
            figure(Recovery::ready),
            figure(|one| one.bare),
            figure(|one| one.ready() / one.bare),
        ));
    }
    text.push('\n');
    let is_met = !all.is_empty() && all.iter().all(|one| one.ready() < READY_S);
    let what = format!("recovery with {} sessions: ready in under {READY_S} s, also the worst time", options.sessions);
    text.push_str(&verdict(&what, is_met));
    (text, is_met)
}
