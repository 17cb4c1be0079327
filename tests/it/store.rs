//! Tests of the books: real files in temporary homes, and every fault that a crash, a full disk or a hand leaves.

mod faults;
mod index;
mod lock;
mod projections;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use autodo::{
    adapters::{
        home::Home,
        store::{Books, Loaded, Lock, open},
    },
    domain::{
        id::TicketId,
        row::Row,
        samples::{entry, row},
    },
    ports::store::{Store, StoreError},
};
use tempfile::TempDir;

/// A home of its own, locked.
struct Bed {
    _dir: TempDir,
    home: Home,
    lock: Lock,
}

impl Bed {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("h")).unwrap();
        let lock = Lock::acquire(&home, Duration::ZERO).unwrap();
        Self { _dir: dir, home, lock }
    }

    /// A home in which `steps` were taken, one a row, and published up to step `published`.
    fn with(steps: &[Row], published: u64) -> Self {
        let bed = Self::new();
        let (mut books, _) = bed.open();
        for step in steps {
            commit(&mut books, step);
            if books.seq() == published {
                publish(&mut books);
            }
        }
        bed
    }

    fn try_open(&self) -> Result<(Books, Loaded), StoreError> {
        open(&self.home, &self.lock)
    }

    fn open(&self) -> (Books, Loaded) {
        self.try_open().unwrap_or_else(|e| panic!("{e}\nhint: {:?}", e.hint))
    }

    /// Opens and closes, and checks that a second time finds nothing left to mend.
    fn reopened(&self) -> Loaded {
        let (_, loaded) = self.open();
        let (_, again) = self.open();
        assert_eq!(again, Loaded { notices: Vec::new(), unprojected: Default::default(), ..loaded.clone() });
        loaded
    }

    /// Every file of the home with its bytes; sockets and folders left out.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.home.root().to_owned()];
        while let Some(folder) = folders.pop() {
            for name in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if name.file_type().unwrap().is_dir() {
                    folders.push(name.path());
                } else {
                    files.insert(name.path(), fs::read(name.path()).unwrap());
                }
            }
        }
        files
    }

    /// Names in the home's folder that begin so.
    fn names(&self, prefix: &str) -> Vec<String> {
        let names = fs::read_dir(self.home.root()).unwrap().map(|n| n.unwrap().file_name().into_string().unwrap());
        names.filter(|n| n.starts_with(prefix)).collect()
    }
}

fn commit(books: &mut Books, row: &Row) {
    books.commit(&entry(books.seq() + 1, row.clone())).unwrap();
}

fn publish(books: &mut Books) {
    books.publish().unwrap();
}

fn titled(ticket: &str, title: &str) -> Row {
    Row { title: title.to_owned(), ..row(ticket) }
}

fn ids(rows: &BTreeMap<TicketId, Row>) -> Vec<&str> {
    rows.keys().map(TicketId::as_str).collect()
}

fn edit(path: &Path, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, change(bytes)).unwrap();
}

fn replaced(from: &'static str, to: &'static str) -> impl FnOnce(Vec<u8>) -> Vec<u8> {
    move |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1).into_bytes()
    }
}
