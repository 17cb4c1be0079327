//! Backlogs: directories of Markdown tickets.
