//! The datagram socket that says: look.
