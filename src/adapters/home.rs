//! The places of $AUTODO_HOME.
