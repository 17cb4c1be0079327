//! ticket.md: a ticket as accepted, with the settings frozen for it.
