//! The work: from a submitted text to blocks, questions, a commit and a report. Runs on a thread of its own.
//!
//! What was done and asked stands in the ledger before anybody is told; so after a crash the same prompt goes on where
//! the work stood, and never runs a block again unless a person says so.

use std::{fmt::Write, sync::mpsc::SyncSender, time::Instant};

use super::{
    Event, Status, Trouble,
    blocks::{self, Block},
    ledger::{Ledger, Open, Record},
    runner::Current,
    text,
    words::{self, Answer},
    world::World,
};

/// Lines of a failed block's output in the question.
const QUOTED: usize = 20;
/// The ticket's own prompt.
const PROMPT: &str = ".autodo/run/prompt.md";

/// What is asked, and so what an answer is about.
#[derive(Clone, Debug)]
enum Asked {
    /// A block that failed or was interrupted.
    Block,
    /// The blocks are others than those that were begun.
    Changed,
    /// git would not commit.
    Commit,
    /// The prompt is missing or has no blocks.
    Prompt,
}

/// A ticket at work.
#[derive(Clone, Debug)]
struct Job {
    file: String,
    prompt: String,
    title: Option<String>,
    blocks: Vec<Block>,
}

/// Takes texts, one after the other.
pub struct Worker {
    events: SyncSender<Event>,
    world: Result<World, Trouble>,
    ledger: Option<Ledger>,
    asked: Option<(Asked, String)>,
}

impl Worker {
    /// Looks at the environment and says that it is ready, or why not.
    #[must_use]
    pub fn new(events: SyncSender<Event>, current: &Current) -> Self {
        let worker = Self { events, world: World::find(current), ledger: None, asked: None };
        match &worker.world {
            Ok(world) => {
                worker
                    .say(format!("The script agent, for ticket {}. It runs the sh blocks under ## Run.", world.ticket));
                worker.status(Status::Ready);
            }
            Err(trouble) => worker.status(Status::Failed { why: trouble.to_string() }),
        }
        worker
    }

    /// Does what a text asks for, up to the next stop.
    pub fn take(&mut self, text: &str) {
        self.busy("prompt".to_owned());
        let stop = match &self.world {
            Ok(world) => {
                let world = world.clone();
                self.understand(&world, text)
            }
            Err(trouble) => Ok(Status::Failed { why: trouble.to_string() }),
        };
        let status = stop.unwrap_or_else(|trouble| {
            self.say(format!("✗ {trouble}"));
            trouble.tail().iter().for_each(|line| self.say(format!("  │ {line}")));
            Status::Failed { why: trouble.to_string() }
        });
        self.status(status);
    }

    fn understand(&mut self, world: &World, text: &str) -> Result<Status, Trouble> {
        let file = words::prompt_file(text);
        // A person's text may lie in a file as well; then it stands there alone, without blocks.
        let lies = file.filter(|file| *file != PROMPT).and_then(|file| std::fs::read_to_string(file).ok());
        let text = match (file, lies) {
            (Some(_), Some(lies)) if blocks::blocks(&lies).is_err() => lies,
            (Some(file), _) => {
                self.asked = None;
                return self.begin(world, file);
            }
            (None, _) => text.to_owned(),
        };
        if let Some((asked, file)) = self.asked.take() {
            return self.answered(world, &asked, &file, Answer::parse(&text));
        }
        let progress = self.ledger(world)?.progress().clone();
        if progress.digest.is_none() {
            self.say("That names no file .autodo/run/<name>.md with a ticket in it, and I have no work yet.");
            return Ok(Status::Ready);
        }
        if progress.question.is_some() && !words::is_from_autodo(&text) {
            // It was asked before this process began.
            return self.answered(world, &Asked::Block, &progress.prompt, Answer::parse(&text));
        }
        self.begin(world, &progress.prompt)
    }

    /// Goes on with the ticket of a prompt wherever its ledger says that it stands.
    fn begin(&mut self, world: &World, file: &str) -> Result<Status, Trouble> {
        let job = match read(world, file) {
            Ok(job) => job,
            Err(why) => return self.ask(world, Asked::Prompt, file, &why, &[]),
        };
        let digest = blocks::digest(&job.blocks);
        let progress = self.ledger(world)?.progress().clone();
        match &progress.digest {
            Some(before) if *before == digest => {
                if let Some((question, run)) = &progress.question
                    && *run != world.run
                    && let Some(answer) = blocks::answer(&job.prompt, question)
                {
                    // The session in which it was asked is lost, so the answer came with this run's prompt.
                    self.say(format!("The prompt answers the open question: {}", text::clean(answer.as_bytes())));
                    return self.answered(world, &Asked::Block, file, Answer::parse(&answer));
                }
                if progress.next > job.blocks.len() {
                    self.say("Every block has run already.");
                } else if progress.touched {
                    self.say(format!("{}; going on at block {}.", counted(job.blocks.len()), progress.next));
                }
            }
            Some(_) if progress.touched => {
                let question = format!(
                    "the blocks of this ticket are others than those that were begun; go on at block {} of the new \
                     ones, or start over?",
                    progress.next
                );
                return self.ask(world, Asked::Changed, file, &question, &["go on", "start over"]);
            }
            before => {
                let changed = if before.is_some() { ", others than before; none had begun" } else { "" };
                self.say(format!("{} to run{changed}.", counted(job.blocks.len())));
                let head = world.head()?;
                self.ledger(world)?.plan((digest, job.blocks.len()), file, head, 1)?;
            }
        }
        self.go_on(world, &job)
    }

    /// Runs what is to be run, up to the end or the first question.
    fn go_on(&mut self, world: &World, job: &Job) -> Result<Status, Trouble> {
        loop {
            self.log(world, job)?;
            let progress = self.ledger(world)?.progress().clone();
            let Some(block) = job.blocks.get(progress.next.saturating_sub(1)) else {
                return self.finish(world, job);
            };
            match progress.open {
                None => self.run_block(world, job, block)?,
                Some(open) => return self.ask_about(world, job, block, &open),
            }
        }
    }

    fn run_block(&mut self, world: &World, job: &Job, block: &Block) -> Result<(), Trouble> {
        let (index, total) = (block.index, job.blocks.len());
        self.say(format!("● block {index}/{total}"));
        block.code.lines().for_each(|line| self.say(format!("  $ {}", text::clean(line.as_bytes()))));
        self.busy(format!("block {index}/{total}"));
        self.ledger(world)?.write(Record::Begun { block: index })?;
        let events = self.events.clone();
        // Ignored: the screen is gone only when the process is about to end.
        let mut show = |line: &str| {
            events.send(Event::Said(format!("  │ {line}"))).ok();
        };
        let ran = world.block(&block.code, index, &mut show)?;
        if world.current.ended_with(ran.end) {
            // Ended because the agent must go: not its failure, but an interruption.
            return Err(Trouble::Ending);
        }
        self.say(format!("  └ {} after {:.1} s", ran.end, ran.took.as_secs_f32()));
        let (ok, end) = (ran.succeeded(), ran.end.to_string());
        self.ledger(world)?.write(Record::Ended { block: index, ok, end: end.clone() })?;
        if !ok {
            let mut question = format!("block {index} failed with {end}: {}", block.first_line());
            ran.last(QUOTED).iter().for_each(|line| question.extend(["\n", line]));
            self.ledger(world)?.write(Record::Asked { block: index, question, run: world.run.clone() })?;
        }
        Ok(())
    }

    /// Reports the decision to have run a block, where that was not done yet.
    fn log(&mut self, world: &World, job: &Job) -> Result<(), Trouble> {
        let Some((index, end)) = self.ledger(world)?.progress().unlogged.clone() else { return Ok(()) };
        let line = job.blocks.get(index.saturating_sub(1)).map(Block::first_line).unwrap_or_default();
        let (text, why) = (format!("ran block {index}: {line}"), format!("the ticket says so under ## Run; {end}"));
        self.busy("report".to_owned());
        world.report(&["decision", "--risk", "low", &text, "--why", &why])?;
        self.ledger(world)?.write(Record::Logged { block: index })?;
        Ok(())
    }

    fn ask_about(&mut self, world: &World, job: &Job, block: &Block, open: &Open) -> Result<Status, Trouble> {
        let (index, line) = (block.index, block.first_line());
        let asked = self.ledger(world)?.progress().question.clone().map(|(question, _)| question);
        let question = asked.unwrap_or_else(|| match open {
            Open::Interrupted => {
                format!("block {index} was begun, and the agent was interrupted before its end was seen: {line}")
            }
            Open::Failed { end } => format!("block {index} failed with {end}: {line}"),
        });
        let run = world.run.clone();
        self.ledger(world)?.write(Record::Asked { block: index, question: question.clone(), run })?;
        self.ask(world, Asked::Block, &job.file, &question, &["rerun", "skip", "start over"])
    }

    fn ask(
        &mut self,
        world: &World,
        asked: Asked,
        file: &str,
        question: &str,
        options: &[&str],
    ) -> Result<Status, Trouble> {
        self.asked = Some((asked, file.to_owned()));
        self.busy("report".to_owned());
        let mut arguments = vec!["blocked", "--question", question];
        options.iter().for_each(|option| arguments.extend(["--option", option]));
        let reported = world.report(&arguments);
        if reported.is_ok() {
            self.say(format!("AUTODO-BLOCKED-{}", world.key));
        }
        for line in question.lines() {
            self.say(format!("? {}", text::clean(line.as_bytes())));
        }
        if !options.is_empty() {
            self.say(format!("? [{}]", options.join(" | ")));
        }
        reported.map(|()| Status::Waiting)
    }

    fn answered(&mut self, world: &World, asked: &Asked, file: &str, answer: Answer) -> Result<Status, Trouble> {
        if matches!(asked, Asked::Prompt | Asked::Commit) && answer != Answer::StartOver {
            return self.begin(world, file);
        }
        let job = match read(world, file) {
            Ok(job) => job,
            Err(why) => return self.ask(world, Asked::Prompt, file, &why, &[]),
        };
        let progress = self.ledger(world)?.progress().clone();
        let block = progress.next;
        let digest = blocks::digest(&job.blocks);
        if answer == Answer::StartOver {
            self.say("Starting over: every block runs again.");
            self.ledger(world)?.plan((digest, job.blocks.len()), file, progress.head, 1)?;
        } else if matches!(asked, Asked::Changed) {
            let next = if answer == Answer::Skip { block + 1 } else { block };
            self.say(format!("Going on at block {next} of the new ones."));
            self.ledger(world)?.plan((digest, job.blocks.len()), file, progress.head, next)?;
        } else if progress.digest.as_ref() != Some(&digest) {
            // The prompt was changed while the question was open.
            return self.begin(world, file);
        } else if answer == Answer::Skip {
            self.log(world, &job)?;
            self.say(format!("Leaving block {block} out."));
            self.ledger(world)?.write(Record::Skipped { block })?;
            world.report(&["note", &format!("block {block} was left out, as a person said")])?;
        } else {
            self.log(world, &job)?;
            self.ledger(world)?.write(Record::Rerun { block })?;
        }
        self.go_on(world, &job)
    }

    fn finish(&mut self, world: &World, job: &Job) -> Result<Status, Trouble> {
        let progress = self.ledger(world)?.progress().clone();
        let title = job.title.as_deref().unwrap_or("run its blocks");
        self.busy("commit".to_owned());
        let events = self.events.clone();
        // Ignored: as in `run_block`.
        let mut show = |line: &str| {
            events.send(Event::Said(format!("  │ {line}"))).ok();
        };
        match world.commit(&format!("{}: {title}", world.ticket), &mut show) {
            Ok(()) => {}
            Err(trouble @ Trouble::Refused { .. }) => {
                let question = format!("{trouble}\n{}", trouble.tail().join("\n"));
                return self.ask(world, Asked::Commit, &job.file, &question, &["rerun", "start over"]);
            }
            Err(trouble) => return Err(trouble),
        }
        self.busy("report".to_owned());
        if world.head()? == progress.head {
            world.report(&["done", "--summary", &summary(job, &progress.skipped), "--no-change", NOTHING])?;
        } else {
            world.report(&["done", "--summary", &summary(job, &progress.skipped)])?;
        }
        self.ledger(world)?.write(Record::Done)?;
        self.say(format!("AUTODO-DONE-{}", world.key));
        Ok(Status::Ready)
    }

    /// The ledger, opened at its first use and held from then on.
    fn ledger(&mut self, world: &World) -> Result<&mut Ledger, Trouble> {
        let ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => Ledger::open(&world.state)?,
        };
        Ok(self.ledger.insert(ledger))
    }

    fn say(&self, line: impl Into<String>) {
        // Ignored: the screen is gone only when the process is about to end.
        self.events.send(Event::Said(line.into())).ok();
    }

    fn status(&self, status: Status) {
        // Ignored: as in `say`.
        self.events.send(Event::Status(status)).ok();
    }

    fn busy(&self, what: String) {
        self.status(Status::Busy { what, since: Instant::now() });
    }
}

/// What is claimed where no commit and no change came of the blocks.
const NOTHING: &str = "the blocks changed nothing";

fn read(world: &World, file: &str) -> Result<Job, String> {
    let prompt = std::fs::read_to_string(file).map_err(|why| format!("the prompt {file} cannot be read: {why}"))?;
    let title = blocks::title(&prompt, &world.ticket);
    let blocks = blocks::blocks(&prompt).map_err(|why| why.to_string())?;
    Ok(Job { file: file.to_owned(), prompt, title, blocks })
}

/// `1 block`, `2 blocks`.
fn counted(blocks: usize) -> String {
    format!("{blocks} block{}", if blocks == 1 { "" } else { "s" })
}

/// One line for the review: how many blocks ran, and which.
fn summary(job: &Job, skipped: &[usize]) -> String {
    let ran: Vec<String> =
        job.blocks.iter().filter(|block| !skipped.contains(&block.index)).map(Block::first_line).collect();
    let mut line = format!("ran {}: {}", counted(ran.len()), text::cut(&ran.join("; "), 200));
    if !skipped.is_empty() {
        let left_out: Vec<String> = skipped.iter().map(ToString::to_string).collect();
        // Ignored: writing to a String does not fail.
        write!(line, " (left out, as a person said: {})", left_out.join(", ")).ok();
    }
    line
}
