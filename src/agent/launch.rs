//! argv and environment of a launch, from the profile.
