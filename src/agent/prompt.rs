//! Prompts: the file the agent reads, and the lines that are injected.
