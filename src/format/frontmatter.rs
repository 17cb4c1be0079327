//! Splits and joins Markdown with YAML front matter.
