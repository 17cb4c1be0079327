//! What a look at the world saw. "Could not look" is never "is not there".

/// The result of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed<T> {
    /// It is there, and this is what it is.
    Present(T),
    /// The look worked, and it is not there.
    Absent,
    /// The look failed: nothing may be killed, resent or deleted because of it.
    Unknown(String),
}

impl<T> Observed<T> {
    /// Changes what was seen, and leaves absence and ignorance as they are.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Present(value) => Observed::Present(f(value)),
            Self::Absent => Observed::Absent,
            Self::Unknown(why) => Observed::Unknown(why),
        }
    }

    /// What was seen, by reference.
    pub fn as_ref(&self) -> Observed<&T> {
        match self {
            Self::Present(value) => Observed::Present(value),
            Self::Absent => Observed::Absent,
            Self::Unknown(why) => Observed::Unknown(why.clone()),
        }
    }

    /// True only if the look worked and it was not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// What was seen; `None` for both absent and unknown. Use it only where both lead to the same act.
    pub fn present(self) -> Option<T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unknown(_) => None,
        }
    }
}
