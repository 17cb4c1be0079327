//! ticket.md: a ticket as accepted, with the settings frozen for it.
//!
//! Front matter with the ticket's keys and a `frozen:` map, then the ticket's body byte for byte. Only autodo writes
//! it; a newer version is refused, and so is anything that autodo would not have written.

use serde::{Deserialize, Serialize};

use crate::domain::{
    id::TicketId,
    ticket::{Frozen, Ticket},
};

use super::{
    frontmatter::{self, FrontError, fenced},
    problem::Place,
    yaml::{self, Quoted, YamlError},
};

/// Version of `ticket.md`.
pub const ACCEPTED_VERSION: u32 = 1;

/// Why a `ticket.md` cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptedError {
    /// There is no front matter, or it cannot be read.
    #[error("cannot read the front matter of ticket.md: line {}", .0.place().line)]
    Front(#[source] FrontError),
    /// There is no front matter.
    #[error("ticket.md has no front matter")]
    Missing,
    /// A newer autodo wrote it.
    #[error("ticket.md has version {found}, and this autodo knows versions up to {ACCEPTED_VERSION}")]
    Newer {
        /// Its version.
        found: u32,
    },
    /// The settings hold something that cannot be written as text, such as a path that is not UTF-8.
    #[error("cannot write ticket.md of {id}")]
    Unwritable {
        /// The ticket.
        id: TicketId,
        /// What cannot be written.
        #[source]
        source: YamlError,
    },
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(rename = "version")]
    _version: u32,
    id: TicketId,
    title: String,
    priority: u8,
    #[serde(default)]
    after: Vec<TicketId>,
    #[serde(default)]
    profile: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    accept: Vec<String>,
    #[serde(default)]
    limit_s: Option<u64>,
    #[serde(default)]
    budget_micro_usd: Option<u64>,
    unattended: bool,
    frozen: Frozen,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    id: &'a TicketId,
    title: Quoted,
    priority: u8,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    after: &'a [TicketId],
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    labels: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    accept: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_micro_usd: Option<u64>,
    unattended: bool,
    frozen: &'a Frozen,
}

/// Writes a ticket as accepted.
///
/// # Errors
/// [`AcceptedError::Unwritable`].
pub fn render(ticket: &Ticket, frozen: &Frozen) -> Result<String, AcceptedError> {
    let written = Written {
        version: ACCEPTED_VERSION,
        id: &ticket.id,
        title: Quoted(ticket.title.clone()),
        priority: ticket.priority,
        after: &ticket.after,
        profile: ticket.profile.as_deref(),
        labels: &ticket.labels,
        accept: &ticket.accept,
        limit_s: ticket.limit_s,
        budget_micro_usd: ticket.budget,
        unattended: ticket.unattended,
        frozen,
    };
    let yaml = yaml::write(&written).map_err(|source| AcceptedError::Unwritable { id: ticket.id.clone(), source })?;
    Ok(fenced(&yaml) + &ticket.body)
}

/// Reads a ticket as accepted.
///
/// # Errors
/// [`AcceptedError`]; a newer version is refused before anything else is looked at.
pub fn parse(text: &str) -> Result<(Ticket, Frozen), AcceptedError> {
    let front = |error: YamlError| AcceptedError::Front(FrontError::Yaml(error));
    let split = frontmatter::split(text).map_err(AcceptedError::Front)?;
    let yaml = split.yaml.ok_or(AcceptedError::Missing)?;
    let Version { version } = yaml::typed(yaml).map_err(front)?;
    match version {
        ACCEPTED_VERSION => {}
        0 => return Err(front(YamlError { place: Place::FILE, message: "version 0 does not exist".to_owned() })),
        found => return Err(AcceptedError::Newer { found }),
    }
    let stored: Stored = yaml::typed(yaml).map_err(front)?;
    let ticket = Ticket {
        id: stored.id,
        title: stored.title,
        body: split.body.to_owned(),
        priority: stored.priority,
        after: stored.after,
        profile: stored.profile,
        labels: stored.labels,
        accept: stored.accept,
        limit_s: stored.limit_s,
        budget: stored.budget_micro_usd,
        unattended: stored.unattended,
    };
    Ok((ticket, stored.frozen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ticket::{Limits, WorktreeSetup};
    use proptest::{collection::vec, option, prelude::*};

    fn nasty() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "(---|\r?\n|[-#:&*!|>'\"%@`{}\\[\\], \t\\\\~]|yes|null|007|1e3|\u{85}|\u{2028}|\u{feff}|a){0,12}",
        ]
    }

    fn ids() -> impl Strategy<Value = TicketId> {
        "[A-Z0-9][0-9]{0,8}".prop_filter_map("an id", |t| TicketId::parse(&t).ok())
    }

    prop_compose! {
        fn tickets()(
            id in ids(), title in nasty(), body in nasty(), priority in 1u8..=9, after in vec(ids(), 0..3),
            profile in option::of(nasty()), labels in vec(nasty(), 0..3), accept in vec(nasty(), 0..3),
            limit_s in option::of(any::<u64>()), budget in option::of(any::<u64>()), unattended: bool,
        ) -> Ticket {
            Ticket { id, title, body, priority, after, profile, labels, accept, limit_s, budget, unattended }
        }
    }

    prop_compose! {
        fn settings()(
            checks in option::of(vec(nasty(), 0..3)), accept in vec(nasty(), 0..2), copy in vec(nasty(), 0..2),
            permissions in vec(nasty(), 0..2), setup in vec(nasty(), 0..2), root in option::of(nasty()), run_s: u64, crashes: u32, resumable: bool,
        ) -> Frozen {
            Frozen {
                checks,
                accept,
                permissions,
                worktree: WorktreeSetup { copy, setup, root: root.map(Into::into), ..WorktreeSetup::default() },
                limits: Limits { run_s, crashes, resumable, ..Limits::default() },
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ticket in tickets(), frozen in settings()) {
            let text = render(&ticket, &frozen).unwrap();
            prop_assert!(text.ends_with(&ticket.body));
            prop_assert_eq!(parse(&text), Ok((ticket, frozen)), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), keys in "---\nversion: 1\n((id|title|frozen): [-{}:a-c0-9 \n]{0,12}\n){0,4}---\n") {
            for text in [text, keys] {
                let _ = parse(&text);
            }
        }
    }

    fn sample() -> String {
        let ticket = crate::format::ticket::parse_ticket("a", "T-1", "---\nafter: [T-0]\ntitle: a\n---\nbody").unwrap();
        let frozen = Frozen {
            checks: Some(Vec::new()),
            accept: Vec::new(),
            permissions: Vec::new(),
            worktree: WorktreeSetup::default(),
            limits: Limits::default(),
        };
        render(&ticket, &frozen).unwrap()
    }

    #[test]
    fn the_file_is_front_matter_and_body() {
        insta::assert_snapshot!(sample(), @r#"
        ---
        version: 1
        id: T-1
        title: "a"
        priority: 3
        after:
        - T-0
        unattended: true
        frozen:
          checks: []
          worktree:
            copy: []
            symlink: []
            setup: []
          limits:
            run_s: 14400
            start_s: 60
            delivery_s: 30
            stall_s: 900
            check_s: 1800
            feedback_rounds: 2
            crashes: 3
            backoff_s: 10
            after_reset_s: 120
            resumable: false
            feedback: true
            nudge: true
            argument: false
        ---
        body
        "#);
    }

    #[test]
    fn a_newer_version_is_refused_whatever_else_it_holds() {
        let newer = sample().replace("version: 1", "version: 2\nnew_key: 3");
        assert_eq!(parse(&newer), Err(AcceptedError::Newer { found: 2 }));
        assert!(matches!(parse(&sample().replace("version: 1", "version: 0")), Err(AcceptedError::Front(_))));
    }

    #[test]
    fn what_autodo_would_not_write_is_refused() {
        assert!(parse(&sample()).is_ok());
        for (from, to) in [
            ("version: 1\n", ""),
            ("id: T-1", "id: a/b"),
            ("frozen:", "frosen:"),
            ("priority: 3", "extra: 1"),
            ("run_s:", "run:"),
        ] {
            let text = sample().replace(from, to);
            assert!(matches!(parse(&text), Err(AcceptedError::Front(_))), "{from}");
        }
        assert_eq!(parse("body"), Err(AcceptedError::Missing));
        assert!(matches!(parse("---\n"), Err(AcceptedError::Front(FrontError::Unclosed))));
    }
}
