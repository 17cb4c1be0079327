//! Tests of git, on real repositories.

mod inspect;
mod interrupted;
mod kinds;
mod many;
mod place;
mod pool;
mod prepare;
mod remove;
mod repository;
mod rescue;
mod stack;
