//! The task that tells a person what needs them. It stands beside the event loop: that only hands over what a commit
//! has changed, and never waits for it. It sleeps until there is news, or something is due.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::queue::Observer;
use crate::{
    domain::{
        channel::Channel,
        id::TicketId,
        mailbox::{Address, Mailbox},
        notice::{Kind, Notice, Quiet, Severity},
        row::{Row, Status},
        schedule::Rows,
        todo::Item,
    },
    ports::{
        clock::Clock,
        notifier::{Badge, NotTold, Notifier},
        store::Entry,
    },
};

/// Longest sleep: a clock that was set is seen then.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// What a user has set.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// The channels.
    pub channels: Vec<Channel>,
    /// What they are told.
    pub from: Severity,
    /// When they are told nothing.
    pub quiet: Option<Quiet>,
    /// Whether the badge is shown.
    pub badge: bool,
}

/// True for a project whose list of things to do is kept.
pub type WantsTodo = Arc<dyn Fn(&Path) -> bool + Send + Sync>;

/// What the task needs.
#[derive(Clone)]
pub struct Needs {
    /// What is wished.
    pub wishes: Wishes,
    /// Who tells.
    pub notifier: Arc<dyn Notifier>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Which projects have a list of things to do.
    pub todo: WantsTodo,
}

enum News {
    /// A ticket has another status, or another question.
    Ticket { id: TicketId, repo: PathBuf, item: Item, notice: Option<Box<Notice>> },
    /// It is over: what is due is sent at once, then the answer.
    End(oneshot::Sender<()>),
}

/// Tells the task of each commit that changes what a person should know.
pub struct Reporter(mpsc::UnboundedSender<News>);

impl Observer for Reporter {
    fn committed(&mut self, entry: &Entry, before: Option<&Row>) {
        let Some(row) = &entry.row else { return };
        let same = |old: &Row| match (&old.status, &row.status) {
            (Status::Blocked(old), Status::Blocked(new)) => old.question == new.question,
            (old, new) => old.word() == new.word(),
        };
        if before.is_some_and(same) {
            return;
        }
        let (id, repo) = (row.id.clone(), row.repo.clone());
        // Ignored: the task has ended, and with it the telling; the next start finds what is so.
        self.0.send(News::Ticket { id, repo, item: Item::of(row), notice: Notice::of(row).map(Box::new) }).ok();
    }
}

/// The task, at work.
pub struct Postman {
    news: mpsc::UnboundedSender<News>,
    task: tokio::task::JoinHandle<()>,
}

impl Postman {
    /// Begins with the rows as they are: what was not told before is told now. Where nothing was ever told, what is so
    /// already is taken for known.
    #[must_use]
    pub fn begin(needs: Needs, rows: &Rows) -> (Self, Reporter) {
        let (news, inbox) = mpsc::unbounded_channel();
        let mut round = Round::new(needs);
        round.catch_up(rows);
        let task = tokio::spawn(round.run(inbox));
        (Self { news: news.clone(), task }, Reporter(news))
    }

    /// Sends what is due, for at most `grace`, and ends. What was not sent is sent at the next start.
    pub async fn finish(self, grace: Duration) {
        let (done, answer) = oneshot::channel();
        if self.news.send(News::End(done)).is_ok() {
            // Ignored: what is left stands in the file.
            tokio::time::timeout(grace, answer).await.ok();
        }
        self.task.abort();
    }
}

/// Tells one thing, and what is still to be told, for at most `grace`: for a command, beside no supervisor.
///
/// # Errors
/// What still waits, and why; one line for each channel.
pub async fn tell(needs: Needs, notice: Option<&Notice>, grace: Duration) -> Result<(), Vec<String>> {
    let mut round = Round::new(needs);
    if let Some(notice) = notice {
        let now = round.needs.clock.now();
        // A dispatch's page is wished for by itself, whatever else the channels are told.
        let all: Vec<Address> = round.to.iter().map(|to| Address { from: Severity::Review, ..to.clone() }).collect();
        round.mailbox.put(notice, &all, now);
        round.keep();
    }
    let mut sending = JoinSet::new();
    round.send_due(&mut sending, true);
    let finish = async {
        while let Some(result) = sending.join_next().await {
            round.take(result);
        }
    };
    // Ignored: what is left stands in the file.
    tokio::time::timeout(grace, finish).await.ok();
    let troubles = round.mailbox.troubles();
    match troubles.iter().all(|(_, waiting, _)| *waiting == 0) {
        true => Ok(()),
        false => Err(troubles.iter().map(|(name, waiting, why)| format!("{name}: {waiting} waiting: {why}")).collect()),
    }
}

/// What a channel came to.
type Sent = (String, Vec<String>, Result<(), NotTold>);

struct Round {
    needs: Needs,
    to: Vec<Address>,
    mailbox: Mailbox,
    /// Channels that are being told something.
    busy: BTreeSet<String>,
    /// What needs a person, by ticket.
    waits: BTreeMap<TicketId, (Kind, String)>,
    badge: Badge,
    todo: BTreeMap<PathBuf, bool>,
    /// True where the file of a former time could not be used: it is left as it is.
    spoilt: bool,
    is_first: bool,
}

impl Round {
    fn new(needs: Needs) -> Self {
        let to = needs.wishes.channels.iter();
        let to: Vec<Address> =
            to.map(|channel| Address { name: channel.name().to_owned(), from: needs.wishes.from }).collect();
        let mut spoilt = false;
        let loaded = needs.notifier.load().unwrap_or_else(|why| {
            tracing::warn!(%why, "what was still to be told cannot be read");
            spoilt = true;
            None
        });
        let is_first = loaded.is_none();
        let mut mailbox = loaded.unwrap_or_default();
        mailbox.keep_only(&to);
        let (busy, waits, badge, todo) = (BTreeSet::new(), BTreeMap::new(), Badge::default(), BTreeMap::new());
        Self { needs, to, mailbox, busy, waits, badge, todo, spoilt, is_first }
    }

    fn catch_up(&mut self, rows: &Rows) {
        let now = self.needs.clock.now();
        let mut items: BTreeMap<&Path, Vec<Item>> = BTreeMap::new();
        for row in rows.values() {
            let notice = Notice::of(row);
            self.mailbox.withdraw(&row.id, notice.as_ref().map(|notice| notice.id.as_str()));
            if let Some(notice) = &notice {
                self.waits.insert(row.id.clone(), (notice.kind, notice.headline()));
                if self.is_first {
                    self.mailbox.remember(&notice.id);
                } else {
                    self.mailbox.put(notice, &self.to, now);
                }
            }
            items.entry(&row.repo).or_default().push(Item::of(row));
        }
        for (repo, items) in items {
            self.enter(repo, &items);
        }
        if !self.to.is_empty() {
            self.keep();
        }
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<News>) {
        let mut sending: JoinSet<Sent> = JoinSet::new();
        self.show(false).await;
        let mut ending: Option<oneshot::Sender<()>> = None;
        loop {
            self.send_due(&mut sending, ending.is_some());
            if ending.is_some() && sending.is_empty() {
                break;
            }
            let sleep = self.sleep();
            tokio::select! {
                news = inbox.recv(), if ending.is_none() => match news {
                    None => break,
                    Some(News::End(done)) => ending = Some(done),
                    Some(News::Ticket { id, repo, item, notice }) => self.hear(id, &repo, item, notice.map(|notice| *notice)).await,
                },
                Some(result) = sending.join_next(), if !sending.is_empty() => self.take(result),
                () = tokio::time::sleep(sleep.unwrap_or(LONGEST_SLEEP)), if sleep.is_some() => {}
            }
        }
        if let Some(done) = ending {
            // Ignored: nobody waits any more.
            done.send(()).ok();
        }
    }

    /// How long nothing is due; `None`: until there is news.
    fn sleep(&self) -> Option<Duration> {
        let now = self.needs.clock.now();
        let next = self.mailbox.next(self.quiet_until(now))?;
        let left = Duration::try_from(next.duration_since(now)).unwrap_or(Duration::ZERO);
        // A channel that is busy with what is due says so itself when it is done.
        Some(left.clamp(Duration::from_millis(200), LONGEST_SLEEP))
    }

    fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.needs.wishes.quiet.as_ref()?.until(now, &self.needs.clock.zone())
    }

    fn send_due(&mut self, sending: &mut JoinSet<Sent>, hurry: bool) {
        let now = self.needs.clock.now();
        for (name, notices) in self.mailbox.due(now, self.quiet_until(now), hurry) {
            let channel = self.needs.wishes.channels.iter().find(|channel| channel.name() == name).cloned();
            let Some(channel) = channel.filter(|_| !self.busy.contains(&name)) else { continue };
            self.busy.insert(name.clone());
            let notifier = self.needs.notifier.clone();
            sending.spawn(async move {
                let ids = notices.iter().map(|notice| notice.id.clone()).collect();
                let result = notifier.send(&channel, notices).await;
                (name, ids, result)
            });
        }
    }

    fn take(&mut self, result: Result<Sent, tokio::task::JoinError>) {
        // Ignored: a task that was ended has told nothing; it is tried again at the next start.
        let Ok((name, ids, result)) = result else { return };
        let now = self.needs.clock.now();
        self.busy.remove(&name);
        match result {
            Ok(()) => self.mailbox.sent(&name, &ids, now),
            Err(error) => {
                let given_up = self.mailbox.failed(&name, &ids, &error.why, error.for_good, now);
                tracing::warn!(channel = %name, why = %error.why, given_up, "a notification was not sent");
            }
        }
        self.keep();
    }

    async fn hear(&mut self, id: TicketId, repo: &Path, item: Item, notice: Option<Notice>) {
        let now = self.needs.clock.now();
        self.enter(repo, &[item]);
        let mut changed = self.mailbox.withdraw(&id, notice.as_ref().map(|notice| notice.id.as_str()));
        let rings = notice.as_ref().is_some_and(|notice| notice.kind.severity() == Severity::Urgent);
        match notice {
            Some(notice) => {
                self.waits.insert(id, (notice.kind, notice.headline()));
                self.badge.text = notice.headline();
                changed |= !self.to.is_empty() && self.mailbox.put(&notice, &self.to, now);
            }
            None => drop(self.waits.remove(&id)),
        }
        if changed {
            self.keep();
        }
        self.show(rings).await;
    }

    /// Shows what waits, where that has changed.
    async fn show(&mut self, rings: bool) {
        if !self.needs.wishes.badge {
            return;
        }
        let is_review = |(kind, _): &&(Kind, String)| *kind == Kind::Review;
        let review = self.waits.values().filter(is_review).count();
        let latest = self.badge.text.clone();
        let still = self.waits.values().any(|(_, headline)| *headline == latest);
        let other =
            || self.waits.values().max_by_key(|(kind, _)| kind.severity()).map(|(_, headline)| headline.clone());
        let text = if still { latest } else { other().unwrap_or_default() };
        let badge = Badge { text, review, blocked: self.waits.len() - review, rings };
        if badge != self.badge || rings {
            self.needs.notifier.badge(&badge).await;
        }
        self.badge = badge;
    }

    /// Brings a project's list up to date, where it has one.
    fn enter(&mut self, repo: &Path, items: &[Item]) {
        let wants = self.needs.todo.clone();
        if !*self.todo.entry(repo.to_owned()).or_insert_with(|| wants(repo)) {
            return;
        }
        if let Err(why) = self.needs.notifier.todo(repo, items) {
            tracing::warn!(%why, "TODO.md is not up to date");
        }
    }

    /// Keeps what is still to be told: after a restart it is told then.
    fn keep(&mut self) {
        if self.spoilt {
            return;
        }
        if let Err(why) = self.needs.notifier.store(&self.mailbox) {
            tracing::warn!(%why, "what is still to be told is not kept");
        }
    }
}

#[cfg(test)]
mod tests;
