//! Tests of process: real programs under the real wrapper.

mod ending;
mod environment;
mod launching;
mod terminal;
