//! Which of what was seen is nobody's. Only looks at the rows and at what was seen.

use std::path::Path;

use super::{
    Found, Left, Orphan, Orphans, Unseen,
    look::{Seen, is_same, unseen},
};
use crate::{
    adapters::{
        fs,
        git::{Stray, Unknown},
        home::Home,
        process::LaunchProcesses,
        tmux::Tmux,
    },
    domain::{
        id::TicketId,
        observed::Observed,
        row::{Row, Status},
    },
    ports::terminal::{PaneSeen, Panes, SessionTag},
};

/// The session that keeps the server company.
const ANCHOR: &str = "_autodo";
/// Processes of one launch that are named; of more only how many.
const NAMED: usize = 5;

pub(super) fn judge(home: &Home, tmux: &Tmux, seen: Seen, rows: &[Row]) -> Orphans {
    let mut all = Orphans::default();
    let tags: Option<Vec<SessionTag>> = match &seen.sessions {
        Observed::Present(panes) => {
            all.found.extend(sessions(tmux, panes, rows));
            let mut kept: Vec<_> = panes.iter().filter(|pane| pane.tag.is_some()).map(key).collect();
            kept.sort();
            kept.dedup();
            let is_left = |found: &&Found| matches!(found.orphan, Orphan::Session { run: Some(_), .. });
            all.sessions = Some(kept.len() - all.found.iter().filter(is_left).count());
            Some(panes.iter().filter_map(|pane| pane.tag.clone()).collect())
        }
        Observed::Absent => Some(vec![]),
        Observed::Unknown(why) => {
            all.unseen.push(unseen("session", why));
            None
        }
    };
    match (seen.launches, tags) {
        (Ok(launches), Some(tags)) => {
            all.found.extend(launches.iter().filter_map(|launch| processes(home, launch, &tags, rows)));
        }
        // What has a session is not known.
        (Ok(_), None) => all.unseen.push(unseen("processes", "which of them have a session is not known")),
        (Err(why), _) => all.unseen.push(unseen("processes", why)),
    }
    for (repo, strays) in seen.worktrees {
        match strays {
            Ok(strays) => all.found.extend(strays.iter().filter_map(|stray| worktree(home, &repo, stray, rows))),
            Err(why) => all.unseen.push(unseen("worktree", why)),
        }
    }
    for folders in seen.folders {
        match folders {
            Ok(folders) => all.found.extend(folders.iter().filter_map(|found| folder(found, rows))),
            Err(why) => all.unseen.push(Unseen { kind: "folder", why }),
        }
    }
    // Two checkouts of one repository show the same worktrees.
    let mut once: Vec<Found> = Vec::new();
    for found in std::mem::take(&mut all.found) {
        let place = |found: &Found| match &found.orphan {
            Orphan::Worktree { path, .. } | Orphan::Folder { path } => Some(path.clone()),
            Orphan::Session { .. } | Orphan::Processes { .. } => None,
        };
        if place(&found).is_none_or(|path| !once.iter().any(|other| place(other).as_ref() == Some(&path))) {
            once.push(found);
        }
    }
    Orphans { found: once, ..all }
}

fn left(why: impl Into<String>, by_hand: impl Into<String>) -> Option<Left> {
    Some(Left { why: why.into(), by_hand: by_hand.into() })
}

/// What tells a session from all others.
fn key(pane: &PaneSeen) -> (usize, String) {
    (pane.pane.server(), pane.session.clone())
}

fn sessions(tmux: &Tmux, panes: &Panes, rows: &[Row]) -> Vec<Found> {
    let mut named: Vec<(usize, String)> = panes.iter().filter(|pane| pane.session != ANCHOR).map(key).collect();
    named.sort();
    named.dedup();
    let mut found = Vec::new();
    for name in named {
        let of: Vec<&PaneSeen> = panes.iter().filter(|pane| key(pane) == name).collect();
        let by_hand =
            |pane: &PaneSeen| format!("look at it, then end it: {}", tmux.end_plain(&pane.session, &pane.pane));
        let tagged = of.iter().find_map(|pane| pane.tag.clone().map(|tag| (*pane, tag)));
        let Some((pane, tag)) = tagged else {
            let Some(pane) = of.first() else { continue };
            found.push(Found {
                orphan: Orphan::Session { session: pane.session.clone(), run: None, launch: None },
                ticket: None,
                what: format!("session {}, of nobody", pane.session),
                left: left("autodo did not open it", by_hand(pane)),
            });
            continue;
        };
        let why = match rows.iter().find(|row| row.id == tag.ticket) {
            None => format!("there is no ticket {} in the queue", tag.ticket),
            Some(row) if row.status.is_over() => format!("{} is {}", row.id, row.status.word()),
            Some(_) => continue,
        };
        let is_attached = of.iter().any(|pane| pane.attached);
        found.push(Found {
            what: format!("session {} (run {}, launch {}): {why}", pane.session, tag.run, tag.launch),
            orphan: Orphan::Session { session: pane.session.clone(), run: Some(tag.run), launch: Some(tag.launch) },
            ticket: Some(tag.ticket),
            left: is_attached
                .then(|| Left { why: "somebody is attached to it".into(), by_hand: "leave it first: F12".into() }),
        });
    }
    found
}

fn processes(home: &Home, launch: &LaunchProcesses, tags: &[SessionTag], rows: &[Row]) -> Option<Found> {
    let (ticket, run, number) = launched(home, &launch.folder)?;
    let has_session = number
        .is_some_and(|number| tags.iter().any(|tag| (&tag.ticket, tag.run, tag.launch) == (&ticket, run, number)));
    // What a session runs goes with the session.
    if has_session {
        return None;
    }
    let mut doubt = None;
    let why = match rows.iter().find(|row| row.id == ticket) {
        None => format!("there is no ticket {ticket} in the queue"),
        Some(row) if matches!(row.status, Status::Running(_)) => return None,
        Some(row) if row.status.is_over() => format!("{ticket} is {}", row.status.word()),
        Some(row) => match &launch.has_wrapper {
            // The supervisor, or the next one, sees what became of it.
            Observed::Present(true) => return None,
            Observed::Present(false) | Observed::Absent => {
                format!("{ticket} is {}, and what started it has ended", row.status.word())
            }
            Observed::Unknown(why) => {
                doubt = left(
                    format!("whether its launch still runs is not known: {why}"),
                    "look at it, and end it by hand",
                );
                format!("{ticket} is {}", row.status.word())
            }
        },
    };
    let mut names: Vec<String> =
        launch.processes.iter().take(NAMED).map(|p| format!("{} ({})", p.pid, p.name)).collect();
    if launch.processes.len() > NAMED {
        names.push(format!("{} more", launch.processes.len() - NAMED));
    }
    Some(Found {
        orphan: Orphan::Processes {
            launch: launch.folder.clone(),
            pids: launch.processes.iter().map(|process| process.pid).collect(),
        },
        what: format!("process {}: {why}", names.join(", ")),
        ticket: Some(ticket),
        left: doubt,
    })
}

/// Whose a launch's folder is: ticket, run, and the number of the launch, which a check has not. `None`: it is no folder
/// of a launch of this home.
fn launched(home: &Home, folder: &Path) -> Option<(TicketId, u32, Option<u32>)> {
    let parts: Vec<&str> = folder.strip_prefix(home.root()).ok()?.iter().filter_map(|part| part.to_str()).collect();
    let number = |text: &str| text.parse::<u32>().ok();
    match parts.as_slice() {
        [ticket, "runs", run, "launches", launch] => {
            Some((TicketId::parse(ticket).ok()?, number(run)?, Some(number(launch)?)))
        }
        [ticket, "runs", run, "checks", ..] => Some((TicketId::parse(ticket).ok()?, number(run)?, None)),
        _ => None,
    }
}

fn worktree(home: &Home, repo: &Path, stray: &Stray, rows: &[Row]) -> Option<Found> {
    let is_kept = |row: &Row| stray.ticket.as_ref() == Some(&row.id) || is_same(&row.worktree, &stray.path);
    if rows.iter().any(is_kept) {
        return None;
    }
    let shown = stray.path.display();
    let others: Vec<&Path> = stray.homes.iter().map(AsRef::as_ref).filter(|other| *other != home.root()).collect();
    // A home that is there looks after its own.
    if others.iter().any(|other| !matches!(fs::look_kind(other), Observed::Absent)) {
        return None;
    }
    let git = |rest: &str| format!("git -C {} worktree {rest} {shown}", repo.display());
    let remove = || format!("look at it, then: {}", git("remove"));
    let left = if let Some(other) = others.first() {
        left(format!("it was made for the home {}, which is gone", other.display()), remove())
    } else if stray.homes.is_empty() {
        left("no home says that it is its own", remove())
    } else if let Some(reason) = &stray.locked {
        left(format!("it is locked ({reason})"), git("unlock"))
    } else if stray.ticket.is_none() || !(stray.is_on_branch || stray.is_half_made) {
        left(format!("it is on {}, which is not its ticket's branch", stray.on), remove())
    } else {
        None
    };
    let mut what = format!("worktree {shown} on {}", stray.on);
    if stray.is_half_made {
        what = format!("half-made worktree {shown}");
    }
    if !stray.has_folder {
        what.push_str(", whose folder is gone");
    }
    Some(Found {
        orphan: Orphan::Worktree { path: stray.path.clone(), repo: repo.to_owned() },
        ticket: stray.ticket.clone(),
        what,
        left,
    })
}

fn folder(found: &Unknown, rows: &[Row]) -> Option<Found> {
    if rows.iter().any(|row| is_same(&row.worktree, &found.path)) {
        return None;
    }
    let shown = found.path.display();
    let (what, left) = if found.is_lost {
        let by_hand = format!("git worktree repair {shown}, or look at it and remove it");
        (
            format!("folder {shown}, a worktree that git has forgotten"),
            left("what is in it may be kept nowhere else", by_hand),
        )
    } else {
        let by_hand = "look at it, and move or remove it";
        (format!("folder {shown}, of which git knows nothing"), left("whose it is is not known", by_hand))
    };
    Some(Found { orphan: Orphan::Folder { path: found.path.clone() }, ticket: None, what, left })
}
