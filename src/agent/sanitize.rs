//! Makes a text safe to paste.
