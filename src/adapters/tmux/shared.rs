//! Looks that many share: who asks while one is under way is answered by the next, together with all the others.
//!
//! Fifty deliveries each look sixteen times a second; without this, each look would be a process. An answer is always of
//! a look that began after it was asked for.

use std::sync::{
    Arc, Mutex as Short, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Mutex;

/// Looks that answer `A`, each for all that is wanted by then.
#[derive(Debug)]
pub(super) struct Shared<W, A> {
    wanted: Short<Wanted<W>>,
    latest: Mutex<Latest<A>>,
    asking: AtomicUsize,
}

#[derive(Debug, Default)]
struct Wanted<W> {
    all: W,
    /// How often was asked.
    asked: u64,
}

#[derive(Debug)]
struct Latest<A> {
    /// Everybody who asked up to here is answered by it.
    asked: u64,
    answer: Option<Arc<A>>,
}

impl<W: Default, A> Default for Shared<W, A> {
    fn default() -> Self {
        Self {
            wanted: Short::default(),
            latest: Mutex::new(Latest { asked: 0, answer: None }),
            asking: AtomicUsize::new(0),
        }
    }
}

/// Counts one who asks, until it is dropped.
struct Asking<'a>(&'a AtomicUsize);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<W: Default, A> Shared<W, A> {
    /// Adds by `add` to what is wanted, and waits for a look at it: one under way that began later, else `look`.
    ///
    /// # Cancel safety
    /// A look that is dropped answers nobody; those who waited for it look again.
    pub(super) async fn ask<F>(&self, add: impl Fn(&mut W), look: impl FnOnce(W) -> F) -> Arc<A>
    where
        F: Future<Output = A>,
    {
        self.asking.fetch_add(1, Ordering::Relaxed);
        let asking = Asking(&self.asking);
        let own = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            add(&mut wanted.all);
            wanted.asked += 1;
            wanted.asked
        };
        let mut latest = self.latest.lock().await;
        let answer = match latest.answer.clone().filter(|_| latest.asked >= own) {
            Some(answer) => answer,
            None => {
                let (mut all, asked) = {
                    let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                    (std::mem::take(&mut wanted.all), wanted.asked)
                };
                // Again, where a look that was dropped had taken it.
                add(&mut all);
                latest.answer = None;
                let answer = Arc::new(look(all).await);
                *latest = Latest { asked, answer: Some(answer.clone()) };
                answer
            }
        };
        drop(asking);
        if self.asking.load(Ordering::Relaxed) == 0 {
            latest.answer = None;
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::{sync::Semaphore, task::JoinSet};

    use super::*;

    /// A look that waits for a permit, then answers with its number and what was wanted.
    struct Slow {
        shared: Shared<BTreeSet<u32>, (usize, BTreeSet<u32>)>,
        gate: Semaphore,
        looks: AtomicUsize,
    }

    impl Slow {
        fn new() -> Arc<Self> {
            Arc::new(Self { shared: Shared::default(), gate: Semaphore::new(0), looks: AtomicUsize::new(0) })
        }

        async fn ask(self: Arc<Self>, want: u32) -> (usize, BTreeSet<u32>) {
            let add = |all: &mut BTreeSet<u32>| all.extend([want]);
            let look = |all: BTreeSet<u32>| async {
                let number = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
                self.gate.acquire().await.unwrap().forget();
                (number, all)
            };
            (*self.shared.ask(add, look).await).clone()
        }
    }

    #[tokio::test]
    async fn who_asks_while_one_looks_shares_the_next_look_and_never_that_one() {
        let slow = Slow::new();
        let first = tokio::spawn(slow.clone().ask(0));
        while slow.looks.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let mut others = JoinSet::new();
        for want in 1..=9 {
            others.spawn(slow.clone().ask(want));
        }
        while slow.shared.asking.load(Ordering::Relaxed) < 10 {
            tokio::task::yield_now().await;
        }
        slow.gate.add_permits(2);
        assert_eq!(first.await.unwrap(), (1, BTreeSet::from([0])));
        for answer in others.join_all().await {
            assert_eq!(answer, (2, (1..=9).collect()));
        }
        assert_eq!(slow.looks.load(Ordering::Relaxed), 2);
        assert!(slow.shared.latest.lock().await.answer.is_none(), "nothing is kept");
    }

    #[tokio::test]
    async fn a_look_that_is_dropped_leaves_nobody_without_an_answer() {
        let slow = Slow::new();
        let first = tokio::spawn(slow.clone().ask(0));
        while slow.looks.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn(slow.clone().ask(1));
        while slow.shared.asking.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        first.abort();
        slow.gate.add_permits(1);
        assert!(second.await.unwrap().1.contains(&1));
    }

    #[tokio::test]
    async fn one_after_the_other_each_looks() {
        let slow = Slow::new();
        slow.gate.add_permits(3);
        for number in 1..=3 {
            assert_eq!(slow.clone().ask(7).await.0, number);
        }
    }
}
