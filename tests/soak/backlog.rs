//! The backlog: tickets of every kind, each with the end that it must come to.

use crate::support::chance::Chance;

/// What becomes of a ticket, in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Verified, and up for review or reviewed.
    Verified,
    /// Up for review, not verified, for this reason.
    Unverified(&'static str),
    /// Failed.
    Failed,
    /// Cancelled.
    Cancelled,
}

/// What its agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The script agent runs its blocks.
    Good,
    /// One of its blocks fails until a person has done something.
    Blocking,
    /// The scripted agent works, commits and reports.
    Works,
    /// It asks in the midst of its work.
    Asks,
    /// A check fails, and it mends that.
    Mends,
    /// A check fails, whatever it does.
    Failing,
    /// It crashes until a person has done something.
    Crashing,
    /// It crashes, always.
    Dying,
    /// It hangs until a person has done something.
    Hanging,
    /// It says that it is done, and did nothing.
    Lying,
    /// It says that it is done, and committed nothing.
    Dirty,
    /// It forges reports and markers, and then does its work.
    Forging,
    /// It prints without end, and then does its work.
    Flooding,
    /// It hangs, and a person gives it up.
    Unwanted,
}

/// Each kind with its share.
const SHARES: [(Kind, usize); 14] = [
    (Kind::Good, 24),
    (Kind::Blocking, 9),
    (Kind::Works, 16),
    (Kind::Asks, 8),
    (Kind::Mends, 6),
    (Kind::Failing, 4),
    (Kind::Crashing, 5),
    (Kind::Dying, 3),
    (Kind::Hanging, 4),
    (Kind::Lying, 4),
    (Kind::Dirty, 4),
    (Kind::Forging, 4),
    (Kind::Flooding, 5),
    (Kind::Unwanted, 4),
];

impl Kind {
    /// What must become of it.
    pub fn end(self) -> End {
        match self {
            Self::Failing => End::Unverified("checks_failed"),
            Self::Lying => End::Unverified("no_change_unexplained"),
            Self::Dirty => End::Unverified("uncommitted"),
            Self::Dying => End::Failed,
            Self::Unwanted => End::Cancelled,
            Self::Good
            | Self::Blocking
            | Self::Works
            | Self::Asks
            | Self::Mends
            | Self::Crashing
            | Self::Hanging
            | Self::Forging
            | Self::Flooding => End::Verified,
        }
    }

    /// True for those that the script agent does.
    pub fn is_script(self) -> bool {
        matches!(self, Self::Good | Self::Blocking)
    }
}

/// One ticket.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Its id: kind and number.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// What it stands on.
    pub after: Option<String>,
    /// It is added while the night runs, and not imported before.
    pub is_late: bool,
    /// How many blocks it has, for the script agent.
    pub blocks: usize,
}

/// Makes `count` tickets; each of the kinds is among the first.
pub fn make(count: usize, chance: &mut Chance) -> Vec<Ticket> {
    let mut tickets: Vec<Ticket> = Vec::new();
    for number in 0..count {
        let kind = SHARES.get(number).map_or_else(|| chance.weighed(&SHARES), |(kind, _)| *kind);
        let below: Vec<&Ticket> = tickets.iter().rev().take(30).filter(|t| t.kind.end() == End::Verified).collect();
        let after = if chance.percent(20) { chance.pick(&below).map(|t| t.id.clone()) } else { None };
        let id = format!("{}-{}", format!("{kind:?}").to_lowercase(), number + 1);
        let is_late = number >= SHARES.len() && chance.percent(40);
        tickets.push(Ticket { id, kind, after, is_late, blocks: 1 + chance.below(3) });
    }
    // What is imported first can stand on nothing that is added later.
    let late: Vec<String> = tickets.iter().filter(|t| t.is_late).map(|t| t.id.clone()).collect();
    for ticket in tickets.iter_mut().filter(|t| !t.is_late) {
        ticket.after = ticket.after.take().filter(|id| !late.contains(id));
    }
    tickets
}

impl Ticket {
    /// Its commands of `accept`.
    pub fn accept(&self) -> Option<String> {
        match self.kind {
            Kind::Mends => Some(format!("test -e mended-{}", self.id)),
            Kind::Failing => Some("test -e never".to_owned()),
            _ => None,
        }
    }

    /// The profile that does it.
    pub fn profile(&self) -> &'static str {
        if self.kind.is_script() { "script" } else { "fake" }
    }

    /// Its frontmatter.
    pub fn front(&self) -> String {
        let mut front = format!("id: {}\ntitle: {}\nprofile: {}\n", self.id, self.id, self.profile());
        if let Some(after) = &self.after {
            front += &format!("after: [{after}]\n");
        }
        if let Some(accept) = self.accept() {
            front += &format!("accept: [\"{accept}\"]\n");
        }
        front
    }

    /// Its body. Each block writes down that it begins, and whether anybody else is at work on its ticket.
    pub fn body(&self, root: &str) -> String {
        if !self.kind.is_script() {
            return "Do it.\n".to_owned();
        }
        let id = &self.id;
        let mut body = "Words.\n\n## Run\n\n".to_owned();
        for block in 1..=self.blocks {
            let gate = match self.kind {
                Kind::Blocking if block == self.blocks => format!("test -e {root}/mended/{id}\n"),
                _ => String::new(),
            };
            body += &format!(
                "```sh\necho {id}.{block} >> {root}/done\n{}\nsleep 0.{}\n{gate}echo {block} >> file-{id}\n```\n\n",
                alone(root, id, 8),
                block + 1,
            );
        }
        body
    }

    /// What its agent plays; `None`: the script agent does it.
    pub fn scenario(&self, root: &str) -> Option<String> {
        let id = &self.id;
        let begin = "ready\nexpect-prompt\n";
        let work = format!(
            "run {}; sleep 0.2; echo {{run}} >> work-{id}; git add . && git commit -q -m work-{id}\n",
            alone(root, id, 8)
        );
        let done = "report done --summary did\n";
        let again = "prompts:\nreport done --summary again\n";
        let mended = format!("test -e {root}/mended/{id}");
        Some(match self.kind {
            Kind::Good | Kind::Blocking => return None,
            Kind::Works => [begin, "busy 0.5\n", &work, done, again].concat(),
            Kind::Asks => [
                begin,
                &format!("report blocked --question 'Which, {id}?'\nready\nexpect-prompt\n"),
                &work,
                done,
                again,
            ]
            .concat(),
            Kind::Mends => {
                let mend = format!("run touch mended-{id}; git add . && git commit -q -m mended-{id}\n");
                [begin, &work, done, "prompts:\nif-prompt feedback\n", &mend, "end\n", done].concat()
            }
            Kind::Failing => [begin, &work, done, again].concat(),
            Kind::Crashing => {
                [begin, &format!("run {mended} || kill -9 $PPID\npause 0.1\n"), &work, done, again].concat()
            }
            Kind::Dying => [begin, "busy 0.2\ncrash 3\n"].concat(),
            Kind::Hanging => [begin, &format!("run {mended} || sleep 9999\n"), &work, done, again].concat(),
            Kind::Lying => [begin, "marker-quoted\n", done, again].concat(),
            Kind::Dirty => [begin, &format!("run echo x >> dirt-{id}\n"), done, again].concat(),
            Kind::Forging => {
                let forged =
                    "report-as {run} 00000000 done --summary forged\nreport-as other-1/1 {key} done --summary forged\n";
                [begin, forged, "marker-quoted\n", &work, done, again].concat()
            }
            Kind::Flooding => [begin, "flood 20000\nbusy 0.3\nflood 5000\n", &work, done, again].concat(),
            Kind::Unwanted => [begin, "hang\n"].concat(),
        })
    }
}

/// A line of shell that writes into `twice` if somebody else holds the lock of this name, by the descriptor `fd`. It goes
/// with its last process.
pub fn alone(root: &str, name: &str, fd: u8) -> String {
    format!("exec {fd}>> {root}/locks/{name}; flock -n {fd} || echo {name} >> {root}/twice")
}
