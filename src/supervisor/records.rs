//! The agents' own records on their way into the books: what their programs noted of prompts, turns, tokens and money.
//!
//! One look at a file's stamp per ticket and turn of the loop, at most every `EVERY`; what has grown is read from where
//! one was, a piece at a time. What happened is committed as it is found; figures alone only where they matter, see
//! `Follow::is_worth_a_line`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{
    World,
    queue::{Queue, TakeError, Taken},
    targets::{self, Moment},
};
use crate::{
    agent::profile::records::{Fact, MAX_LINE_BYTES, Records, count, lines},
    domain::{
        effect::Effect,
        event::Event,
        id::{RunKey, TicketId},
        observed::Observed,
        report::Hook,
        row::{Row, Status},
        run::LaunchKind,
        usage::{Mark, MicroUsd, Noted, Tokens},
    },
    ports::records::{SPENT_FILE, Stamp},
};

/// Time between two looks at one ticket's records.
const EVERY: Duration = Duration::from_millis(200);

/// The same, where they are many.
const EVERY_OF_MANY: Duration = Duration::from_secs(1);

/// More tickets than this are many.
const FEW: usize = 50;

/// Bytes that are read in one look, as long as they hold a whole line.
const PIECE: u64 = 1024 * 1024;

/// A record that is not found so long after its launch is looked for seldom.
const SOON: SignedDuration = SignedDuration::from_secs(60);

/// Time between two such looks.
const SELDOM: Duration = Duration::from_secs(10);

/// A file may be so much older than its launch: file systems' clocks are coarse.
const COARSE: SignedDuration = SignedDuration::from_secs(1);

/// Money and tokens that are worth a line in the books by themselves.
const STEP_USD: MicroUsd = 100_000;
const STEP_TOKENS: u64 = 100_000;

/// The records of all tickets at work.
#[derive(Default)]
pub struct Readers {
    follows: BTreeMap<TicketId, Follow>,
}

/// How one ticket's records are followed.
struct Follow {
    run: u32,
    launch: u32,
    worktree: String,
    /// `None`: its profile knows of none.
    records: Option<Arc<Records>>,
    mark: Option<Mark>,
    conversation: Option<String>,
    /// The stamp of the record when all of it had been read.
    stamp: Option<Stamp>,
    helpers: BTreeMap<PathBuf, Mark>,
    spent_file: PathBuf,
    /// The conversation began with this launch.
    is_fresh: bool,
    spent_stamp: Option<Stamp>,
    usd: Option<MicroUsd>,
    /// Files that are another conversation's.
    others: BTreeSet<PathBuf>,
    next: Instant,
    /// What of the row was committed with the latest figures.
    moment: Moment,
}

impl Readers {
    /// The next look at each ticket's records is due now.
    pub fn hurry(&mut self) {
        let now = Instant::now();
        self.follows.values_mut().for_each(|follow| follow.next = now);
    }

    /// Takes in what is new in the records of ticket `id`; returns the effects that it calls for. `last`: there will be
    /// nothing more, so all of it is read and all figures count.
    ///
    /// # Errors
    /// The books cannot be written; what was read is read again.
    pub fn take(
        &mut self,
        queue: &mut Queue,
        world: &World,
        id: &TicketId,
        last: bool,
    ) -> Result<Vec<Effect>, TakeError> {
        let many = self.follows.len() > FEW;
        let Some(row) = queue.rows().get(id).filter(|row| is_followed(row)) else {
            self.follows.remove(id);
            return Ok(vec![]);
        };
        let is_same = |follow: &Follow| (follow.run, follow.launch) == (row.run, row.launch);
        if !self.follows.get(id).is_some_and(is_same) {
            self.follows.insert(id.clone(), Follow::new(row, world));
        }
        let Some(follow) = self.follows.get_mut(id) else { return Ok(vec![]) };
        if follow.records.is_none() || (!last && follow.next > Instant::now()) {
            return Ok(vec![]);
        }
        follow.next = Instant::now() + if many { EVERY_OF_MANY } else { EVERY };
        let taken = follow.take(queue, world, id, last);
        if taken.is_err() {
            self.follows.remove(id);
        }
        taken
    }
}

/// True if an agent may be at work for `row`, or has left a record that is not all read.
fn is_followed(row: &Row) -> bool {
    row.launch > 0 && row.key.is_some() && matches!(row.status, Status::Running(_) | Status::Blocked(_))
}

/// True if the conversation of the present launch began with it.
fn began_with(row: &Row) -> bool {
    let run = match &row.status {
        Status::Running(run) => Some(run.as_ref()),
        Status::Blocked(blocked) => blocked.run.as_deref(),
        _ => None,
    };
    run.is_some_and(|run| run.start == LaunchKind::Fresh)
}

impl Follow {
    fn new(row: &Row, world: &World) -> Self {
        // Ignored: a profile that is not to be had is said where the ticket is watched.
        let records = world.profiles.get(&row.profile, &row.repo).ok().and_then(|profile| profile.records.clone());
        let folder = row.run_id().map(|run| world.files.places().launch(&run, row.launch)).unwrap_or_default();
        Self {
            run: row.run,
            launch: row.launch,
            worktree: row.worktree.to_string_lossy().into_owned(),
            records: records.map(Arc::new),
            mark: row.record.clone(),
            conversation: row.conversation.clone(),
            stamp: None,
            helpers: BTreeMap::new(),
            spent_file: folder.join(SPENT_FILE),
            is_fresh: began_with(row),
            spent_stamp: None,
            usd: None,
            others: BTreeSet::new(),
            next: Instant::now(),
            moment: targets::moment(row),
        }
    }

    fn take(&mut self, queue: &mut Queue, world: &World, id: &TicketId, last: bool) -> Result<Vec<Effect>, TakeError> {
        let (Some(records), Some(row)) = (self.records.clone(), queue.rows().get(id).cloned()) else {
            return Ok(vec![]);
        };
        let Some(key) = row.key.clone() else { return Ok(vec![]) };
        let mut effects = Vec::new();
        if self.mark.is_none() {
            self.find(&records, &row, &key, world);
        }
        while let Some(hooks) = self.read(&records, &key, world) {
            for (hook, mark) in hooks {
                let noted = self.noted(mark);
                let event = Event::Recorded { launch: self.launch, noted: Box::new(noted), hook: Some(hook) };
                if let Taken::Done(more) = queue.take(id, event)? {
                    effects.extend(more);
                }
            }
            if !last {
                break;
            }
        }
        if records.status_line {
            self.look_at_spent(world);
        }
        let Some(row) = queue.rows().get(id) else { return Ok(effects) };
        let noted = self.noted(self.mark.clone());
        if self.is_worth_a_line(row, &noted, last) {
            self.moment = targets::moment(row);
            let event = Event::Recorded { launch: self.launch, noted: Box::new(noted), hook: None };
            if let Taken::Done(more) = queue.take(id, event)? {
                effects.extend(more);
            }
        }
        Ok(effects)
    }

    fn noted(&self, mark: Option<Mark>) -> Noted {
        let helpers = self.helpers.values().fold(Tokens::default(), |sum, helper| sum.plus(helper.own));
        let tokens = mark.as_ref().map(|mark| mark.own.plus(helpers)).filter(|tokens| tokens.total() > 0);
        // Answers that cost nothing so far are answers of whose cost the status line has not told yet.
        let usd = self.usd.filter(|usd| *usd > 0 || tokens.is_none());
        Noted { conversation: self.conversation.clone(), mark, usd, tokens }
    }

    /// Figures alone go into the books where the conversation becomes known, where the row has come to another phase
    /// since, at the end of the launch, and where they have grown by a step.
    fn is_worth_a_line(&self, row: &Row, noted: &Noted, last: bool) -> bool {
        if row.conversation.is_none() && noted.conversation.is_some() {
            return true;
        }
        let usage = row.run_usage();
        let booked = usage.filter(|usage| usage.launch == row.launch).and_then(|usage| usage.launch_usd);
        let tokens = usage.and_then(|usage| usage.tokens);
        let has_grown = noted.usd > booked || noted.tokens.map(Tokens::total) > tokens.map(Tokens::total);
        let usd = noted.usd.unwrap_or(0).saturating_sub(booked.unwrap_or(0));
        let more = noted.tokens.unwrap_or_default().minus(tokens.unwrap_or_default()).total();
        has_grown && (last || usd >= STEP_USD || more >= STEP_TOKENS || targets::moment(row) != self.moment)
    }

    /// Finds the record of this launch.
    fn find(&mut self, records: &Records, row: &Row, key: &RunKey, world: &World) {
        let value = |name: &str| self.value(name, None, world);
        if !records.is_searched() {
            self.mark = records.path(&records.file, &self.worktree, &value).map(mark_at);
            return;
        }
        // Known without a record: the books are of an older version. Its record is another run's, or not to be found.
        if self.conversation.is_some() {
            return;
        }
        let folder = self.spent_file.parent().map(Path::to_owned).unwrap_or_default();
        let Observed::Present(seen) = world.launches.look(folder) else { return };
        let Some(began) = seen.started.map(|started| started.at) else { return };
        let now = world.clock.now();
        if now.duration_since(began) > SOON {
            self.next = Instant::now() + SELDOM;
        }
        let day = SignedDuration::from_hours(24);
        let mut patterns = BTreeSet::new();
        // The agent names its folders by its own time zone.
        for at in [began.checked_sub(day), Ok(began), Ok(now), now.checked_add(day)].into_iter().flatten() {
            let value = |name: &str| self.value(name, Some(at), world);
            patterns.extend(records.path(&records.file, &self.worktree, &value));
        }
        for pattern in patterns {
            let Observed::Present(found) = world.records.matching(Path::new(&pattern), &self.others) else { continue };
            for (path, stamp) in found {
                let oldest = began.checked_sub(COARSE).unwrap_or(began).as_nanosecond();
                match (stamp.changed_ns >= oldest).then(|| is_ours(records, row, key, &path, world)) {
                    Some(Ours::Yes(conversation)) => {
                        self.conversation = Some(conversation);
                        self.mark = Some(mark_at(path.to_string_lossy().into_owned()));
                        return;
                    }
                    Some(Ours::NotYet) => {}
                    Some(Ours::No) | None => {
                        self.others.insert(path);
                    }
                }
            }
        }
    }

    fn value(&self, name: &str, at: Option<Timestamp>, world: &World) -> Option<String> {
        match name {
            "home" => world.records.variable("HOME"),
            "conversation" => self.conversation.clone(),
            "date" => at.map(|at| at.strftime("%Y/%m/%d").to_string()),
            variable => world.records.variable(variable.strip_prefix('$')?),
        }
    }

    /// Reads the next piece of the record; `None`: there was none. Each thing that happened comes with the mark behind
    /// its line.
    fn read(&mut self, records: &Records, key: &RunKey, world: &World) -> Option<Vec<(Hook, Option<Mark>)>> {
        let mark = self.mark.as_mut()?;
        let Observed::Present(stamp) = world.records.stamp(&mark.path) else { return None };
        if self.stamp == Some(stamp) {
            return None;
        }
        let before = mark.offset;
        let mut hooks = Vec::new();
        for fact in piece(records, mark, key, world)? {
            match fact {
                (Fact::Hook(hook), mark) => hooks.push((hook, Some(mark))),
                (Fact::Head { .. } | Fact::Tokens { .. }, _) => {}
            }
        }
        if mark.offset == before || mark.offset >= stamp.size {
            self.stamp = Some(stamp);
        }
        self.read_helpers(records, key, world);
        Some(hooks)
    }

    /// The records of helpers: looked at where the main one has grown, which tells what came of each.
    fn read_helpers(&mut self, records: &Records, key: &RunKey, world: &World) {
        let Some(template) = &records.helpers else { return };
        let value = |name: &str| self.value(name, None, world);
        let Some(pattern) = records.path(template, &self.worktree, &value) else { return };
        let Observed::Present(found) = world.records.matching(Path::new(&pattern), &BTreeSet::new()) else { return };
        for (path, stamp) in found {
            let text = path.to_string_lossy().into_owned();
            let mark = self.helpers.entry(path).or_insert_with(|| mark_at(text));
            while mark.offset < stamp.size {
                let before = mark.offset;
                if piece(records, mark, key, world).is_none() || mark.offset == before {
                    break;
                }
            }
        }
    }

    fn look_at_spent(&mut self, world: &World) {
        let Observed::Present(stamp) = world.records.stamp(&self.spent_file) else { return };
        if self.spent_stamp == Some(stamp) {
            return;
        }
        if let Observed::Present(usd) = world.records.spent(&self.spent_file, self.is_fresh) {
            self.usd = Some(usd);
            self.spent_stamp = Some(stamp);
        }
    }
}

/// Whose record a file is.
enum Ours {
    /// This run's, with the id of its conversation.
    Yes(String),
    /// Perhaps this run's: its head or its prompt is not written yet.
    NotYet,
    /// Another's.
    No,
}

/// Whose the record at `path` is: it was begun in the folder of `row`, and was given a prompt of its run.
fn is_ours(records: &Records, row: &Row, key: &RunKey, path: &Path, world: &World) -> Ours {
    let mut mark = mark_at(path.to_string_lossy().into_owned());
    let Some(facts) = piece(records, &mut mark, key, world) else { return Ours::NotYet };
    if mark.offset == 0 {
        return Ours::NotYet;
    }
    let mut facts = facts.into_iter().map(|(fact, _)| fact);
    let Some(Fact::Head { conversation, folder }) = facts.next() else { return Ours::No };
    if !world.records.is_same_folder(Path::new(&folder), &row.worktree) {
        return Ours::No;
    }
    let of_run = format!("{}.", row.run);
    let is_told =
        |fact: Fact| matches!(fact, Fact::Hook(Hook::Submitted { delivery: Some(id) }) if id.starts_with(&of_run));
    if records.format.prompt.is_none() || facts.any(is_told) { Ours::Yes(conversation) } else { Ours::NotYet }
}

/// The mark of a record of which nothing was read.
fn mark_at(path: String) -> Mark {
    Mark { path: path.into(), offset: 0, own: Tokens::default(), total: None, recent: vec![] }
}

/// Reads the next piece behind `mark`, and counts the tokens in it; each fact comes with the mark behind its line.
/// `None`: the file could not be read.
fn piece(records: &Records, mark: &mut Mark, key: &RunKey, world: &World) -> Option<Vec<(Fact, Mark)>> {
    let Observed::Present(mut bytes) = world.records.read(&mark.path, mark.offset, PIECE) else { return None };
    if bytes.len() as u64 >= PIECE && !bytes.contains(&b'\n') {
        let Observed::Present(more) = world.records.read(&mark.path, mark.offset, MAX_LINE_BYTES as u64) else {
            return None;
        };
        bytes = more;
    }
    let mut facts = Vec::new();
    for (end, line) in lines(mark, &bytes) {
        let Some(fact) = records.format.read(line, key) else { continue };
        if let Fact::Tokens { message, tokens } = &fact {
            count(mark, message.clone(), *tokens);
        }
        facts.push((fact, Mark { offset: end, ..mark.clone() }));
    }
    Some(facts)
}
