//! CPU time and memory of processes, from `/proc` (proc_pid_stat(5), proc_pid_status(5)).

use std::time::{Duration, Instant};

use nix::{
    time::{ClockId, clock_getcpuclockid},
    unistd::{Pid, SysconfVar, sysconf},
};

use crate::Trouble;

/// CPU time of a process, in seconds, and of the children it has waited for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// The process itself.
    pub own: f64,
    /// Its children that have ended, and theirs.
    pub children: f64,
}

/// What a process used during a while, as a share of one core.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    /// The process itself.
    pub own: f64,
    /// Its children.
    pub children: f64,
}

impl Share {
    /// Both.
    pub fn sum(self) -> f64 {
        self.own + self.children
    }
}

/// CPU time of `pid` so far.
///
/// # Errors
/// It is gone.
pub fn cpu(pid: i32) -> Result<Cpu, Trouble> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).map_err(|why| format!("{path}: {why}"))?;
    let (_, tail) = stat.rsplit_once(") ").ok_or_else(|| format!("{path}: not as proc(5) says"))?;
    let fields: Vec<&str> = tail.split(' ').collect();
    // utime, stime, cutime, cstime are fields 14 to 17; `tail` begins with field 3.
    let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<f64>().ok());
    let (Some(user), Some(system), Some(user_of), Some(system_of)) = (ticks(14), ticks(15), ticks(16), ticks(17))
    else {
        return Err(format!("{path}: not as proc(5) says"));
    };
    let second = sysconf(SysconfVar::CLK_TCK).ok().flatten().map_or(100.0, |ticks| ticks as f64);
    // Its clock counts nanoseconds; the fields count hundredths of a second, which is much where little is used.
    let clock = clock_getcpuclockid(Pid::from_raw(pid)).and_then(ClockId::now);
    let own = clock.map_or((user + system) / second, |time| Duration::from(time).as_secs_f64());
    Ok(Cpu { own, children: (user_of + system_of) / second })
}

/// Resident memory of `pid`, in MB.
///
/// # Errors
/// It is gone.
pub fn resident_mb(pid: i32) -> Result<f64, Trouble> {
    status_mb(pid, "VmRSS:")
}

/// The most memory that `pid` ever had resident, in MB.
///
/// # Errors
/// It is gone.
pub fn peak_mb(pid: i32) -> Result<f64, Trouble> {
    status_mb(pid, "VmHWM:")
}

fn status_mb(pid: i32, name: &str) -> Result<f64, Trouble> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).map_err(|why| format!("{path}: {why}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()).and_then(|text| text.parse::<f64>().ok());
    kilobytes.map(|kilobytes| kilobytes / 1024.0).ok_or_else(|| format!("{path}: no {name}"))
}

/// Measures some processes over a while.
pub struct Meter {
    pids: Vec<i32>,
    before: Vec<Cpu>,
    began: Instant,
}

impl Meter {
    /// Begins now.
    ///
    /// # Errors
    /// One of the processes is gone.
    pub fn begin(pids: &[i32]) -> Result<Self, Trouble> {
        let before = pids.iter().map(|pid| cpu(*pid)).collect::<Result<_, _>>()?;
        Ok(Self { pids: pids.to_vec(), before, began: Instant::now() })
    }

    /// What each has used since.
    ///
    /// # Errors
    /// One of the processes is gone.
    pub fn end(self) -> Result<Vec<Share>, Trouble> {
        let seconds = self.began.elapsed().as_secs_f64();
        let mut shares = Vec::new();
        for (pid, before) in self.pids.iter().zip(&self.before) {
            let now = cpu(*pid)?;
            let share = |now: f64, before: f64| (now - before) / seconds;
            shares.push(Share { own: share(now.own, before.own), children: share(now.children, before.children) });
        }
        Ok(shares)
    }
}
