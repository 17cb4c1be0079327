//! tmux: autodo's own server.
