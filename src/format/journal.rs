//! Lines of journal.jsonl.
