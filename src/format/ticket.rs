//! Markdown tickets: text to ticket, with every error at its line.
