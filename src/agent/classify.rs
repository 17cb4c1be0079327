//! classify(profile, screen): what a screen means.
