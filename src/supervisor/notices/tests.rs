//! The task with a notifier that notes what it is asked to do, and fails as it is told to.

use std::sync::Mutex;

use jiff::tz::TimeZone;

use super::*;
use crate::domain::{event::Event, samples};

#[derive(Default)]
struct Fake {
    sent: Mutex<Vec<String>>,
    badges: Mutex<Vec<Badge>>,
    listed: Mutex<Vec<String>>,
    kept: Mutex<Option<Mailbox>>,
    fails: Mutex<bool>,
}

impl Notifier for Fake {
    fn send<'a>(&'a self, channel: &'a Channel, notices: Vec<Notice>) -> crate::ports::Work<'a, Result<(), NotTold>> {
        Box::pin(async move {
            if *self.fails.lock().unwrap() {
                return Err(NotTold { channel: channel.name(), why: "no route".into(), for_good: false });
            }
            let all: Vec<String> = notices.iter().map(Notice::headline).collect();
            self.sent.lock().unwrap().push(all.join(" + "));
            Ok(())
        })
    }

    fn badge<'a>(&'a self, badge: &'a Badge) -> crate::ports::Work<'a, ()> {
        self.badges.lock().unwrap().push(badge.clone());
        Box::pin(async {})
    }

    fn todo(&self, _: &Path, items: &[Item]) -> Result<(), String> {
        self.listed.lock().unwrap().extend(items.iter().map(|item| format!("{}: {:?}", item.id, item.standing)));
        Ok(())
    }

    fn load(&self) -> Result<Option<Mailbox>, String> {
        Ok(self.kept.lock().unwrap().clone())
    }

    fn store(&self, mailbox: &Mailbox) -> Result<(), String> {
        *self.kept.lock().unwrap() = Some(mailbox.clone());
        Ok(())
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        samples::time(1_700_001_000)
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
    fn random(&self) -> u32 {
        4
    }
}

fn needs(fake: &Arc<Fake>, quiet: Option<&str>) -> Needs {
    let wishes = Wishes {
        channels: vec![Channel::Desktop],
        from: Severity::Review,
        quiet: quiet.and_then(Quiet::parse),
        badge: true,
    };
    Needs { wishes, notifier: fake.clone(), clock: Arc::new(Still), todo: Arc::new(|_: &Path| true) }
}

fn row(id: &str, status: Status) -> Row {
    Row { status, ..samples::row(id) }
}

fn failed() -> Status {
    Status::Failed { reason: "it broke".to_owned() }
}

fn rows(all: &[Row]) -> Rows {
    all.iter().map(|row| (row.id.clone(), row.clone())).collect()
}

fn commit(reporter: &mut Reporter, row: &Row, before: &Row) {
    let entry = Entry {
        seq: 1,
        at: samples::time(1),
        ticket: row.id.clone(),
        event: Event::Closed,
        effects: vec![],
        row: Some(row.clone()),
    };
    reporter.committed(&entry, Some(before));
}

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_needs_a_person_is_sent_once_shown_and_listed() {
    let fake = Arc::new(Fake::default());
    let (postman, mut reporter) = Postman::begin(needs(&fake, None), &Rows::new());
    let (queued, broken) = (samples::row("T-1"), row("T-1", failed()));
    commit(&mut reporter, &broken, &queued);
    commit(&mut reporter, &broken, &broken);
    let review = row("T-2", Status::NeedsReview);
    commit(&mut reporter, &review, &samples::row("T-2"));
    postman.finish(SOON).await;
    assert_eq!(*fake.sent.lock().unwrap(), ["FAILED: title of T-1 ❌ + REVIEW: title of T-2 ✅"], "one digest");
    let badge = fake.badges.lock().unwrap().last().cloned().unwrap();
    assert_eq!((badge.text.as_str(), badge.review, badge.blocked), ("REVIEW: title of T-2 ✅", 1, 1));
    assert_eq!(*fake.listed.lock().unwrap(), ["T-1: Gone", "T-2: Review"]);
    // After a restart nothing is sent again.
    let (postman, _reporter) = Postman::begin(needs(&fake, None), &rows(&[broken, review]));
    postman.finish(SOON).await;
    assert_eq!(fake.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_so_before_anything_was_ever_told_is_no_news() {
    let fake = Arc::new(Fake::default());
    let broken = row("T-1", failed());
    let (postman, _reporter) = Postman::begin(needs(&fake, None), &rows(&[broken]));
    postman.finish(SOON).await;
    assert_eq!(fake.sent.lock().unwrap().len(), 0);
    assert_eq!(fake.badges.lock().unwrap().last().unwrap().blocked, 1, "but it is shown");
}

#[tokio::test]
async fn what_was_committed_before_a_crash_and_not_told_is_told_after_it() {
    let fake = Arc::new(Fake { kept: Mutex::new(Some(Mailbox::default())), ..Fake::default() });
    let (postman, _reporter) = Postman::begin(needs(&fake, None), &rows(&[row("T-1", failed())]));
    postman.finish(SOON).await;
    assert_eq!(*fake.sent.lock().unwrap(), ["FAILED: title of T-1 ❌"]);
}

#[tokio::test]
async fn what_could_not_be_sent_is_kept_and_dropped_once_it_is_no_longer_so() {
    let fake = Arc::new(Fake { fails: Mutex::new(true), ..Fake::default() });
    let (postman, mut reporter) = Postman::begin(needs(&fake, None), &Rows::new());
    for id in ["T-1", "T-2"] {
        commit(&mut reporter, &row(id, failed()), &samples::row(id));
    }
    postman.finish(SOON).await;
    assert_eq!(fake.kept.lock().unwrap().as_ref().unwrap().len(), 2);
    let (postman, _reporter) = Postman::begin(needs(&fake, None), &rows(&[row("T-1", failed()), samples::row("T-2")]));
    postman.finish(SOON).await;
    let kept = fake.kept.lock().unwrap().clone().unwrap();
    assert_eq!((kept.len(), kept.troubles()[0].2), (1, "no route"));
}

#[tokio::test]
async fn in_quiet_hours_nothing_is_sent_and_all_is_kept() {
    let fake = Arc::new(Fake::default());
    // The clock stands at 22:30:00.
    let (postman, mut reporter) = Postman::begin(needs(&fake, Some("22:00-07:00")), &Rows::new());
    commit(&mut reporter, &row("T-1", failed()), &samples::row("T-1"));
    postman.finish(SOON).await;
    assert_eq!(fake.sent.lock().unwrap().len(), 0);
    assert_eq!(tell(needs(&fake, None), None, SOON).await, Ok(()));
    assert_eq!(*fake.sent.lock().unwrap(), ["FAILED: title of T-1 ❌"]);
}
