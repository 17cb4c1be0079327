//! How long, how much and which chances, from the command line.

use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
A long backlog under random faults. Prints what was lost, doubled, wrong or left over: all of it must be 0.

  --minutes N   how long faults are injected; 0.4 is possible (10)
  --seed S      which chances: the same seed makes the same choices (1)
  --tickets T   how many tickets (200)
  --pause N     longest pause between two faults, in milliseconds (900)
  --calm N      minutes after that in which what is left must come to its end (5)
  --keep        keep the folder also when all is well
";

/// What was asked for.
pub struct Options {
    /// How long faults are injected.
    pub time: Duration,
    /// Which chances.
    pub seed: u64,
    /// How many tickets.
    pub tickets: usize,
    /// Longest pause between two faults, in milliseconds.
    pub pause: usize,
    /// How long the rest may take.
    pub calm: Duration,
    /// The folder stays.
    pub keep: bool,
}

impl Options {
    /// Reads the arguments; `None`: only help was asked for.
    ///
    /// # Errors
    /// An argument that is not known, or is no number.
    pub fn parse(arguments: &[String]) -> Result<Option<Self>, String> {
        let minute = Duration::from_secs(60);
        let mut options = Self { time: minute * 10, seed: 1, tickets: 200, pause: 900, calm: minute * 5, keep: false };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "-h" | "--help" => return Ok(None),
                "--minutes" => options.time = minutes(name, value()?)?,
                "--calm" => options.calm = minutes(name, value()?)?,
                "--seed" => options.seed = number(name, value()?)?,
                "--tickets" => options.tickets = number(name, value()?)? as usize,
                "--keep" => options.keep = true,
                "--pause" => options.pause = number(name, value()?)? as usize,
                other => return Err(format!("unknown option {other}: see --help")),
            }
        }
        Ok(Some(options))
    }
}

fn number(name: &str, text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("{name} {text}: a number above 0 is wanted"))
}

fn minutes(name: &str, text: &str) -> Result<Duration, String> {
    let minutes: Option<f64> = text.parse().ok().filter(|n| *n > 0.0 && *n < 100_000.0);
    let minutes = minutes.ok_or_else(|| format!("{name} {text}: a number above 0 is wanted"))?;
    Ok(Duration::from_secs_f64(minutes * 60.0))
}
