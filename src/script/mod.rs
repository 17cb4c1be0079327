//! The script agent: does a ticket's work by running its sh blocks.
