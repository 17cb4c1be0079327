//! What to measure, from the command line.

use std::path::PathBuf;

use crate::Trouble;

/// What `--help` prints.
pub const HELP: &str = "\
Measures what autodo costs and how fast it is. Figures are medians of interleaved pairs.

  --pairs N          pairs for each row (5)
  --seconds S        seconds of each measurement (10)
  --panes N,N,...    numbers of panes (10,50,100,200; latencies up to 100)
  --samples N        moments per latency row, and calls (200)
  --only WHAT,...    cost, latency, list, dispatch, calls, thousand, batch, recovery
  --open N           tickets in the queue, for list (1000)
  --archived N       tickets in the archive, for list (100000)
  --files N          files of the repository, for dispatch (20000)
  --starts N         tickets dispatched at once, for dispatch (50)
  --rounds N         pairs for dispatch (2); at 20000 files and 50 starts each takes 9 GB, which are left in the folder
  --tickets N        tickets through the script agent, for thousand (1000)
  --batch N          tickets through the script agent, for batch (40)
  --work S           seconds that each of them works (180); they take a quarter of an hour
  --kills N          times that the supervisor is killed, for recovery (7)
  --sessions N       sessions that live then (100)
  --autodo PATH      the program to measure (autodo beside this one)
  --agent PATH       the scripted agent (fake-agent beside this one)
  --folder PATH      where the homes of the measurements are made (/tmp); at most some 60 bytes
  --keep             leave them, with their logs
";

/// The parts, in the order in which they are measured.
pub const PARTS: [&str; 8] = ["cost", "latency", "list", "dispatch", "calls", "thousand", "batch", "recovery"];

/// What to measure.
pub struct Options {
    /// Interleaved pairs of each row.
    pub pairs: usize,
    /// Length of each measurement, in seconds.
    pub seconds: u64,
    /// Numbers of panes.
    pub panes: Vec<usize>,
    /// Moments of which each row of latencies is made.
    pub samples: usize,
    /// What to measure, of [`PARTS`].
    pub only: Vec<String>,
    /// Tickets in the queue beside which `list` is measured.
    pub open: usize,
    /// Tickets in the archive then.
    pub archived: usize,
    /// Files of the repository in which tickets are dispatched.
    pub files: usize,
    /// Tickets dispatched at once.
    pub starts: usize,
    /// Pairs of that.
    pub rounds: usize,
    /// Tickets through the script agent.
    pub tickets: usize,
    /// Tickets of a batch.
    pub batch: usize,
    /// Seconds that each of them works.
    pub work: usize,
    /// Times that the supervisor is killed.
    pub kills: usize,
    /// Sessions that live then.
    pub sessions: usize,
    /// The program `autodo`.
    pub autodo: PathBuf,
    /// The program `fake-agent`.
    pub agent: PathBuf,
    /// Where homes are made.
    pub folder: PathBuf,
    /// They stay.
    pub keep: bool,
}

impl Options {
    /// True if that part is to be measured.
    pub fn wants(&self, part: &str) -> bool {
        self.only.iter().any(|wanted| wanted == part)
    }

    /// Reads the arguments; `None`: only help was asked for.
    ///
    /// # Errors
    /// An argument that is not known, or is no number.
    pub fn parse(arguments: &[String]) -> Result<Option<Self>, Trouble> {
        let own = std::env::current_exe().map_err(|why| format!("where this program is: {why}"))?;
        let beside = |name: &str| own.with_file_name(name);
        let mut options = Self {
            pairs: 5,
            seconds: 10,
            panes: vec![10, 50, 100, 200],
            samples: 200,
            only: PARTS.map(str::to_owned).to_vec(),
            open: 1000,
            archived: 100_000,
            files: 20_000,
            starts: 50,
            rounds: 2,
            tickets: 1000,
            batch: 40,
            work: 180,
            kills: 7,
            sessions: 100,
            autodo: beside("autodo"),
            agent: beside("fake-agent"),
            folder: "/tmp".into(),
            keep: false,
        };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "-h" | "--help" => return Ok(None),
                "--pairs" => options.pairs = number(name, value()?)?,
                "--seconds" => options.seconds = number(name, value()?)? as u64,
                "--samples" => options.samples = number(name, value()?)?,
                "--panes" => {
                    options.panes = value()?.split(',').map(|part| number(name, part)).collect::<Result<_, _>>()?;
                }
                "--only" => {
                    options.only = value()?.split(',').map(str::to_owned).collect();
                    if let Some(other) = options.only.iter().find(|part| !PARTS.contains(&part.as_str())) {
                        return Err(format!("--only {other}: known are {}", PARTS.join(", ")));
                    }
                }
                "--open" => options.open = number(name, value()?)?,
                "--archived" => options.archived = number(name, value()?)?,
                "--files" => options.files = number(name, value()?)?,
                "--starts" => options.starts = number(name, value()?)?,
                "--rounds" => options.rounds = number(name, value()?)?,
                "--tickets" => options.tickets = number(name, value()?)?,
                "--batch" => options.batch = number(name, value()?)?,
                "--work" => options.work = number(name, value()?)?,
                "--kills" => options.kills = number(name, value()?)?,
                "--sessions" => options.sessions = number(name, value()?)?,
                "--autodo" => options.autodo = value()?.into(),
                "--agent" => options.agent = value()?.into(),
                "--folder" => options.folder = value()?.into(),
                "--keep" => options.keep = true,
                other => return Err(format!("unknown option {other}: see --help")),
            }
        }
        for program in [&mut options.autodo, &mut options.agent] {
            *program = std::path::absolute(&*program).map_err(|why| format!("{}: {why}", program.display()))?;
            if !program.exists() {
                return Err(format!("{} is not there: scripts/bench builds it", program.display()));
            }
        }
        Ok(Some(options))
    }
}

fn number(name: &str, text: &str) -> Result<usize, Trouble> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{name} {text}: a number above 0 is wanted")),
    }
}
