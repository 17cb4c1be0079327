//! What nights bring, injected by chance. Each fault is counted once it has happened.

mod books;
mod crowd;

use std::{fs, thread, time::Duration};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    stage::{Proc, Stage, signal},
    support::chance::Chance,
};

/// A kind of fault.
#[derive(Clone, Copy, Debug)]
enum Fault {
    SupervisorKilled,
    SupervisorInterrupted,
    SecondSupervisor,
    AgentKilled,
    AgentStopped,
    AgentReplaced,
    WrapperKilled,
    CheckKilled,
    SessionClosed,
    ServerKilled,
    ServerEnded,
    ServerStopped,
    SocketDeleted,
    ClientKilled,
    WorktreeDeleted,
    BranchSwitched,
    Reboot,
    Books,
    Crowd,
}

const WEIGHTS: [(Fault, usize); 19] = [
    (Fault::SupervisorKilled, 24),
    (Fault::SupervisorInterrupted, 6),
    (Fault::SecondSupervisor, 5),
    (Fault::AgentKilled, 8),
    (Fault::AgentStopped, 4),
    (Fault::AgentReplaced, 3),
    (Fault::WrapperKilled, 4),
    (Fault::CheckKilled, 3),
    (Fault::SessionClosed, 4),
    (Fault::ServerKilled, 2),
    (Fault::ServerEnded, 2),
    (Fault::ServerStopped, 4),
    (Fault::SocketDeleted, 4),
    (Fault::ClientKilled, 6),
    (Fault::WorktreeDeleted, 2),
    (Fault::BranchSwitched, 2),
    (Fault::Reboot, 1),
    (Fault::Books, 8),
    (Fault::Crowd, 8),
];

/// Lets one fault happen, or none where there is nothing that it could happen to.
pub fn inject(stage: &mut Stage, chance: &mut Chance) {
    let fault = chance.weighed(&WEIGHTS);
    let kind = match fault {
        Fault::SupervisorKilled => kill_supervisor(stage),
        Fault::SupervisorInterrupted => interrupt(stage, chance),
        Fault::SecondSupervisor => second(stage),
        Fault::AgentKilled => hit_agent(stage, chance, &[Signal::SIGKILL]).then_some("agent killed"),
        Fault::AgentStopped => stop_agent(stage, chance),
        Fault::AgentReplaced => replace(stage, chance),
        Fault::WrapperKilled => kill_wrapper(stage, chance),
        Fault::CheckKilled => kill_check(stage, chance),
        Fault::SessionClosed => close_session(stage, chance),
        Fault::ServerKilled => server(stage, &[Signal::SIGKILL]).then_some("tmux server killed"),
        Fault::ServerEnded => (stage.world.tmux(&["kill-server"]).code == 0).then_some("tmux server ended"),
        Fault::ServerStopped => slow_server(stage, chance),
        Fault::SocketDeleted => fs::remove_file(stage.world.tmux_socket()).is_ok().then_some("tmux socket deleted"),
        Fault::ClientKilled => kill_clients(stage),
        Fault::WorktreeDeleted => wreck(stage, chance, "worktree deleted"),
        Fault::BranchSwitched => wreck(stage, chance, "branch switched"),
        Fault::Reboot => reboot(stage),
        Fault::Books => books::harm(stage, chance),
        Fault::Crowd => crowd::at_once(stage, chance),
    };
    if let Some(kind) = kind {
        stage.log(&format!("FAULT {kind}"));
        *stage.faults.entry(kind).or_insert(0) += 1;
    }
}

fn kill_supervisor(stage: &mut Stage) -> Option<&'static str> {
    stage.is_supervised().then_some(())?;
    stage.end_supervisor(Signal::SIGKILL);
    Some("supervisor killed")
}

fn interrupt(stage: &mut Stage, chance: &mut Chance) -> Option<&'static str> {
    stage.is_supervised().then_some(())?;
    let with = *chance.pick(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])?;
    stage.end_supervisor(with);
    Some("supervisor interrupted")
}

fn second(stage: &mut Stage) -> Option<&'static str> {
    stage.is_supervised().then_some(())?;
    let other = stage.world.spawn(&stage.repo, &["dispatch"]);
    stage.others.push(other);
    Some("second supervisor")
}

/// The programs of agents, without wrappers, and without what they started themselves.
fn programs(stage: &Stage) -> Vec<Proc> {
    let is_program = |argv: &str| argv.contains("fake-agent") || argv.contains(" script-agent");
    stage.agents().into_iter().filter(|p| !p.is_check && is_program(&p.argv) && !p.argv.contains(" launch ")).collect()
}

fn hit_agent(stage: &mut Stage, chance: &mut Chance, signals: &[Signal]) -> bool {
    let agents = programs(stage);
    let Some(agent) = chance.pick(&agents).cloned() else { return false };
    stage.hit(&agent.ticket);
    stage.log(&format!("{} gets {signals:?}", agent.ticket));
    signals.iter().all(|s| signal(agent.pid, *s))
}

/// Half of them are stopped for a moment, the others for good.
fn stop_agent(stage: &mut Stage, chance: &mut Chance) -> Option<&'static str> {
    let agents = programs(stage);
    let agent = chance.pick(&agents)?.clone();
    stage.hit(&agent.ticket);
    if !signal(agent.pid, Signal::SIGSTOP) {
        return None;
    }
    stage.log(&format!("{} is stopped", agent.ticket));
    if chance.percent(50) {
        thread::sleep(chance.millis(100, 900));
        signal(agent.pid, Signal::SIGCONT);
    }
    Some("agent stopped")
}

fn panes(stage: &Stage) -> Vec<(String, String)> {
    let format = "#{pane_id} #{@autodo_ticket}";
    let listed = stage.world.tmux(&["list-panes", "-a", "-F", format]).stdout;
    let pairs = listed.lines().filter_map(|line| line.split_once(' ')).filter(|(_, ticket)| !ticket.is_empty());
    pairs.map(|(pane, ticket)| (pane.to_owned(), ticket.to_owned())).collect()
}

fn replace(stage: &mut Stage, chance: &mut Chance) -> Option<&'static str> {
    let panes = panes(stage);
    let (pane, ticket) = chance.pick(&panes)?.clone();
    stage.hit(&ticket);
    stage.log(&format!("{ticket} becomes a shell"));
    (stage.world.tmux(&["respawn-pane", "-k", "-t", &pane, "sh"]).code == 0).then_some("agent replaced by a shell")
}

fn close_session(stage: &mut Stage, chance: &mut Chance) -> Option<&'static str> {
    let panes = panes(stage);
    let (pane, ticket) = chance.pick(&panes)?.clone();
    stage.hit(&ticket);
    stage.log(&format!("the session of {ticket} is closed"));
    (stage.world.tmux(&["kill-session", "-t", &pane]).code == 0).then_some("session closed")
}

fn kill_wrapper(stage: &mut Stage, chance: &mut Chance) -> Option<&'static str> {
    let wrappers = stage.wrappers();
    let (pid, ticket) = chance.pick(&wrappers)?.clone();
    stage.hit(&ticket);
    stage.log(&format!("the wrapper of {ticket} is killed"));
    signal(pid, Signal::SIGKILL).then_some("wrapper killed")
}

fn kill_check(stage: &mut Stage, chance: &mut Chance) -> Option<&'static str> {
    let checks: Vec<Proc> = stage.agents().into_iter().filter(|p| p.is_check && p.argv.contains(" launch ")).collect();
    let check = chance.pick(&checks)?.clone();
    stage.log(&format!("the wrapper of a check of {} is killed", check.ticket));
    signal(check.pid, Signal::SIGKILL).then_some("wrapper of a check killed")
}

fn server(stage: &Stage, signals: &[Signal]) -> bool {
    let said = stage.world.tmux(&["display-message", "-p", "#{pid}"]).stdout;
    said.trim().parse().is_ok_and(|pid: i32| signals.iter().all(|s| signal(pid, *s)))
}

/// tmux answers nobody for a while.
fn slow_server(stage: &Stage, chance: &mut Chance) -> Option<&'static str> {
    let said = stage.world.tmux(&["display-message", "-p", "#{pid}"]).stdout;
    let pid: i32 = said.trim().parse().ok()?;
    if !signal(pid, Signal::SIGSTOP) {
        return None;
    }
    thread::sleep(chance.millis(300, 4000));
    signal(pid, Signal::SIGCONT);
    Some("tmux server stopped")
}

fn kill_clients(stage: &Stage) -> Option<&'static str> {
    let clients = stage.world.tmux(&["list-clients", "-F", "#{client_pid} #{client_control_mode}"]).stdout;
    let pids = clients.lines().filter_map(|line| line.strip_suffix(" 1")?.parse::<i32>().ok());
    (pids.filter(|pid| signal(*pid, Signal::SIGKILL)).count() > 0).then_some("control client killed")
}

/// A hand in a worktree whose agent is at work.
fn wreck(stage: &mut Stage, chance: &mut Chance, kind: &'static str) -> Option<&'static str> {
    let rows = stage.rows()?;
    let is_at_work = |row: &&Value| row["status"] == "running" && row["reason"] != "checking";
    let at_work: Vec<&Value> = rows.iter().filter(is_at_work).collect();
    let row = chance.pick(&at_work)?;
    let (id, worktree) = (row["id"].as_str()?.to_owned(), row["worktree"].as_str()?.to_owned());
    if !fs::exists(format!("{worktree}/.git")).unwrap_or(false) {
        return None;
    }
    stage.wrecked.insert(id.clone());
    stage.hit(&id);
    stage.log(&format!("{kind}: {id}"));
    let done = if kind == "worktree deleted" {
        fs::remove_dir_all(&worktree).is_ok()
    } else {
        let how: &[&str] = if chance.percent(50) { &["--detach"] } else { &["-b", "elsewhere"] };
        let args = [&["-C", &worktree, "checkout", "-q"], how].concat();
        stage.world.program("git", &args).run().code == 0
    };
    done.then_some(kind)
}

/// Everything goes at once, and what was started belongs to an earlier boot.
fn reboot(stage: &mut Stage) -> Option<&'static str> {
    stage.end_supervisor(Signal::SIGKILL);
    let own = stage.path("foreign.sock").display().to_string();
    for _ in 0..200 {
        let processes = stage.world.processes().into_iter();
        // The server that is not autodo's, and its agent, stand for another machine.
        let left: Vec<i32> = processes.filter(|(_, argv)| !is_foreign(argv, &own)).map(|(pid, _)| pid).collect();
        if left.is_empty() {
            break;
        }
        for pid in left {
            signal(pid, Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(10));
    }
    for file in crate::support::files::files_below(&stage.world.home()) {
        if file.ends_with("started.json")
            && let Ok(mut json) = serde_json::from_slice::<Value>(&fs::read(&file).unwrap_or_default())
        {
            json["boot_id"] = "00000000-0000-0000-0000-000000000000".into();
            fs::write(&file, json.to_string()).unwrap();
        }
    }
    Some("reboot")
}

/// True for the tmux server of somebody else, and what runs in it.
pub fn is_foreign(argv: &str, socket: &str) -> bool {
    argv.contains(socket) || argv.trim_end() == "sleep 9999" || argv.contains("env AUTODO_RUN=asks/1")
}

/// Hands in what is still to be handed in, one ticket after the other.
pub fn hand_in_the_rest(stage: &mut Stage) {
    let root = stage.world.root().display().to_string();
    for ticket in crowd::late(stage) {
        let args = crowd::add(&ticket);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if stage.autodo_reading(&args, &ticket.body(&root)).code == 0 {
            stage.handed_in.insert(ticket.id);
        }
    }
}
