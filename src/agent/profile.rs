//! Agent profiles: all that differs per agent, as data.
