//! What to measure, from the command line.

use std::path::PathBuf;

use crate::Trouble;

/// What `--help` prints.
pub const HELP: &str = "\
Measures what autodo costs and how fast it is. Figures are medians of interleaved pairs.

  --pairs N          pairs for each row (5)
  --seconds S        seconds of each measurement (10)
  --panes N,N,...    numbers of panes (10,50,100,200; latencies up to 100)
  --samples N        moments per latency row (200)
  --only WHAT        cost, or latency
  --autodo PATH      the program to measure (autodo beside this one)
  --agent PATH       the scripted agent (fake-agent beside this one)
  --folder PATH      where the homes of the measurements are made (/tmp); at most some 60 bytes
  --keep             leave them, with their logs
";

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
    /// Measure CPU and memory.
    pub cost: bool,
    /// Measure latencies.
    pub latency: bool,
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
            cost: true,
            latency: true,
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
                "--only" => match value()?.as_str() {
                    "cost" => options.latency = false,
                    "latency" => options.cost = false,
                    other => return Err(format!("--only {other}: known are cost and latency")),
                },
                "--autodo" => options.autodo = value()?.into(),
                "--agent" => options.agent = value()?.into(),
                "--folder" => options.folder = value()?.into(),
                "--keep" => options.keep = true,
                other => return Err(format!("unknown option {other}: see --help")),
            }
        }
        for program in [&options.autodo, &options.agent] {
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
