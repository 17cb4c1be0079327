//! Tests of git, on real repositories.

mod inspect;
mod place;
mod prepare;
mod remove;
mod repository;
mod stack;
