//! A set of ticket ids in eight bytes each: whoever keeps a supervisor running for weeks has archived a hundred thousand.

use crate::adapters::home::fnv1a;

/// Ids without regard to case, by a 64-bit hash: a set that may, once in many lifetimes, hold one more than was put in.
/// Ask it only where such a mistake does no harm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IdSet(Vec<u64>);

fn hash(id: &str) -> u64 {
    fnv1a(id.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Ids on their way into a set.
#[derive(Debug, Default)]
pub(super) struct Hashes(Vec<u64>);

impl Hashes {
    pub(super) fn push(&mut self, id: &str) {
        self.0.push(hash(id));
    }
}

impl From<Hashes> for IdSet {
    fn from(Hashes(mut all): Hashes) -> Self {
        all.sort_unstable();
        all.dedup();
        all.shrink_to_fit();
        Self(all)
    }
}

impl<'a> FromIterator<&'a str> for IdSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(ids: I) -> Self {
        Self::from(Hashes(ids.into_iter().map(hash).collect()))
    }
}

impl IdSet {
    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.binary_search(&hash(id)).is_ok()
    }

    pub(super) fn insert(&mut self, id: &str) {
        let hash = hash(id);
        if let Err(at) = self.0.binary_search(&hash) {
            self.0.insert(at, hash);
        }
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Ok(at) = self.0.binary_search(&hash(id)) {
            self.0.remove(at);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_whatever_its_case() {
        let mut set: IdSet = ["b", "T-1", "a", "b"].into_iter().collect();
        assert_eq!(set.len(), 3);
        set.insert("c");
        set.insert("A");
        set.remove("t-1");
        assert_eq!(set.len(), 3);
        assert!(set.contains("B") && set.contains("C") && !set.contains("T-1") && !set.contains(""));
    }
}
