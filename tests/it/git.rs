//! Tests of git, on real repositories.

mod inspect;
mod interrupted;
mod place;
mod prepare;
mod remove;
mod repository;
mod stack;
