//! Profiles and prompt templates, layered: built-in, the user's (`$AUTODO_HOME/profiles`), the project's
//! (`<repo>/.autodo/profiles`).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    adapters::fs,
    agent::{
        profile::{Library, Profile},
        prompt,
    },
    domain::observed::Observed,
    supervisor::Profiles,
};

/// Profiles on disk, each project's read once per process.
pub struct LayeredProfiles {
    home: PathBuf,
    known: Mutex<BTreeMap<(PathBuf, String), Arc<Profile>>>,
}

impl LayeredProfiles {
    /// Profiles of the home at `home`.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self { home: home.to_owned(), known: Mutex::new(BTreeMap::new()) }
    }

    /// All profiles that a ticket of `repo` can name, and what is wrong with files that could not be taken.
    #[must_use]
    pub fn library(&self, repo: Option<&Path>) -> (Library, Vec<String>) {
        self.library_without(repo, None)
    }

    /// The same without the file `without`, so that it can be looked at as if it were not there yet.
    #[must_use]
    pub fn library_without(&self, repo: Option<&Path>, without: Option<&Path>) -> (Library, Vec<String>) {
        let mut library = Library::of_builtin();
        let mut problems = Vec::new();
        let folders = [Some(self.home.join("profiles")), repo.map(|r| r.join(".autodo/profiles"))];
        for folder in folders.into_iter().flatten() {
            let Observed::Present(files) = fs::list_dir(&folder) else { continue };
            let mut files: Vec<PathBuf> = files
                .into_iter()
                .map(|f| folder.join(f.name))
                .filter(|p| p.extension().is_some_and(|e| e == "toml"))
                .filter(|p| without.is_none_or(|w| fs::resolved(p) != fs::resolved(w)))
                .collect();
            files.sort();
            for path in files {
                let origin = path.display().to_string();
                match fs::read_to_string(&path) {
                    Ok(text) => {
                        if let Err(error) = library.add(&text, &origin) {
                            problems.push(error.to_string());
                        }
                    }
                    Err(error) => problems.push(error.to_string()),
                }
            }
        }
        (library, problems)
    }
}

impl Profiles for LayeredProfiles {
    fn get(&self, name: &str, repo: &Path) -> Result<Arc<Profile>, String> {
        let key = (repo.to_owned(), name.to_owned());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(profile) = known.get(&key) {
            return Ok(profile.clone());
        }
        let (library, problems) = self.library(Some(repo));
        let profile = library.get(name).map_err(|error| {
            let also = if problems.is_empty() { String::new() } else { format!(" ({})", problems.join("; ")) };
            format!("{error}{also}")
        })?;
        let profile = Arc::new(profile);
        known.insert(key, profile.clone());
        Ok(profile)
    }

    fn template(&self, repo: &Path) -> String {
        let own = [repo.join(".autodo/prompt.md"), self.home.join("prompt.md")];
        own.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_else(|| prompt::TEMPLATE.to_owned())
    }
}
