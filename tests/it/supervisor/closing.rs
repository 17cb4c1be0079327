//! Whose agent is ended and whose session is closed, by what the look at the panes says.

use std::{
    path::Path,
    process::{Child, Command},
    sync::Arc,
};

use autodo::{
    adapters::{clock::SystemClock, files::HomeFiles, git::Git, home::Home, outbox::FsOutbox, records::FsRecords},
    app::profiles::LayeredProfiles,
    domain::{
        event::Event,
        id::{PaneId, RunId, TicketId},
        observed::Observed,
        row::{Row, Status},
        run::{Blocked, Outcome, Phase, Retire},
        samples,
        ticket::{Frozen, Limits, Ticket, WorktreeSetup},
    },
    ports::{
        Work,
        terminal::{Guard, Key, KeySent, Panes, Screens, SessionSpec, SessionTag, Terminal, TerminalError},
    },
    supervisor::{World, closing, launching::Job},
};

use crate::support::{
    process::{AUTODO, World as Processes},
    tmux::{Bed, spec},
    wait_for,
};

/// A terminal that does all that it is asked, and sees no panes.
struct Blind(Arc<dyn Terminal>);

impl Terminal for Blind {
    fn panes(&self) -> Work<'_, Observed<Panes>> {
        Box::pin(async { Observed::Unknown("no look at the panes".into()) })
    }
    fn open(&self, spec: SessionSpec) -> Work<'_, Result<PaneId, TerminalError>> {
        self.0.open(spec)
    }
    fn screens(&self, panes: Vec<PaneId>) -> Work<'_, Observed<Screens>> {
        self.0.screens(panes)
    }
    fn scrollback(&self, pane: PaneId, lines: u32) -> Work<'_, Observed<String>> {
        self.0.scrollback(pane, lines)
    }
    fn paste(&self, pane: PaneId, text: String) -> Work<'_, Result<(), TerminalError>> {
        self.0.paste(pane, text)
    }
    fn key(&self, pane: PaneId, key: Key, guard: Guard) -> Work<'_, Result<KeySent, TerminalError>> {
        self.0.key(pane, key, guard)
    }
    fn leave_mode(&self, pane: PaneId) -> Work<'_, Result<(), TerminalError>> {
        self.0.leave_mode(pane)
    }
    fn close(&self, tag: SessionTag) -> Work<'_, Result<(), TerminalError>> {
        self.0.close(tag)
    }
}

/// A session with a program of nobody's in it, and beside it a process of the ticket's run.
struct Scene {
    bed: Bed,
    processes: Processes,
    agent: Child,
    tag: SessionTag,
}

impl Scene {
    fn new() -> Self {
        let (bed, processes) = (Bed::new(), Processes::new());
        let tag = SessionTag { ticket: processes.run.ticket.clone(), run: 1, launch: 1 };
        bed.try_open(spec(tag.clone(), &["sleep", "600"])).unwrap();
        let launch = processes.path("launches/1");
        let run = processes.run.to_string();
        let mut command = Command::new("sleep");
        let agent = command.arg("600").env("AUTODO_RUN", &run).env("AUTODO_LAUNCH", launch).spawn().unwrap();
        let seen = || {
            let found = autodo::adapters::process::table::processes_of(&processes.run, processes.dir.path());
            matches!(found, Observed::Present(_)).then_some(())
        };
        wait_for("the agent to be seen", seen, String::new);
        Self { bed, processes, agent, tag }
    }

    /// Closes as the effect does for a ticket with `status`; blind: the look at the panes fails.
    fn close(&self, status: Status, is_blind: bool) -> Vec<Event> {
        let home = Home::open(self.processes.dir.path()).unwrap();
        let real: Arc<dyn Terminal> = self.bed.tmux.clone();
        let world = World {
            terminal: if is_blind { Arc::new(Blind(real)) } else { real },
            worktrees: Arc::new(Git::new()),
            launches: Arc::new(self.processes.launches.clone()),
            outbox: Arc::new(FsOutbox { home: home.clone() }),
            records: Arc::new(FsRecords),
            files: Arc::new(HomeFiles::new(home.clone(), Path::new(AUTODO).to_owned())),
            profiles: Arc::new(LayeredProfiles::new(home.root())),
            clock: Arc::new(SystemClock),
            point: |_| {},
        };
        let run: RunId = self.processes.run.clone();
        let row = Row { run: 1, launch: 1, status, ..samples::row(run.ticket.as_str()) };
        let job = Job { row, ticket: Arc::new(accepted(&run.ticket)), run };
        self.bed.block(closing::close(&world, &job))
    }

    fn agent_lives(&mut self) -> bool {
        self.agent.try_wait().unwrap().is_none()
    }

    fn is_open(&self) -> bool {
        self.bed.panes().iter().any(|pane| pane.tag.as_ref() == Some(&self.tag))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Ignored: it has ended already where the test has ended it.
        self.agent.kill().ok();
        self.agent.wait().ok();
    }
}

fn accepted(id: &TicketId) -> (Ticket, Frozen) {
    let ticket = Ticket {
        id: id.clone(),
        title: "title".into(),
        body: String::new(),
        priority: 3,
        after: vec![],
        profile: None,
        labels: vec![],
        accept: vec![],
        limit_s: None,
        budget: None,
        unattended: true,
    };
    let worktree = WorktreeSetup::default();
    (ticket, Frozen { checks: None, accept: vec![], permissions: vec![], worktree, limits: Limits::default() })
}

fn ending() -> Status {
    Status::Running(Box::new(samples::run(Phase::Closing { outcome: Outcome::Review })))
}

fn making_room() -> Status {
    let status = samples::every_status().into_iter().find_map(|status| match status {
        Status::Blocked(blocked) => {
            Some(Status::Blocked(Box::new(Blocked { live: true, retire: Retire::Asked, ..*blocked })))
        }
        _ => None,
    });
    status.unwrap()
}

#[test]
fn a_run_that_ends_takes_its_session_with_it() {
    let mut scene = Scene::new();
    assert_eq!(scene.close(ending(), false), [Event::Closed]);
    assert_eq!((scene.agent_lives(), scene.is_open()), (false, false));
}

#[test]
fn a_session_stays_open_where_it_could_not_be_seen_whether_a_person_is_attached() {
    let mut scene = Scene::new();
    assert_eq!(scene.close(ending(), true), [Event::Closed], "the run ends all the same");
    assert_eq!((scene.agent_lives(), scene.is_open()), (false, true));
}

#[test]
fn nobody_is_ended_to_make_room_while_nothing_can_be_seen() {
    let mut scene = Scene::new();
    assert_eq!(scene.close(making_room(), true), []);
    assert_eq!((scene.agent_lives(), scene.is_open()), (true, true));
    assert_eq!(scene.close(making_room(), false), [Event::Closed], "the next try sees that nobody is attached");
    assert_eq!((scene.agent_lives(), scene.is_open()), (false, false));
}
