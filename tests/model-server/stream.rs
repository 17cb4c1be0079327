//! A stream of server-sent events at a pace.

use std::{collections::VecDeque, io::Read, time::Duration};

/// Hands out one event after the other, and may be cut off.
pub struct Paced {
    events: VecDeque<Vec<u8>>,
    pace: Duration,
    left: Option<usize>,
}

impl Paced {
    /// `events` with `pace` between them; the connection breaks after `cut` of them.
    pub fn new(events: Vec<String>, pace: Duration, cut: Option<usize>) -> Self {
        Self { events: events.into_iter().map(String::into_bytes).collect(), pace, left: cut }
    }
}

impl Read for Paced {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.left == Some(0) {
            return Err(std::io::Error::new(std::io::ErrorKind::BrokenPipe, "cut by the scenario"));
        }
        let Some(mut event) = self.events.pop_front() else { return Ok(0) };
        let count = event.len().min(to.len());
        to[..count].copy_from_slice(&event[..count]);
        if count < event.len() {
            self.events.push_front(event.split_off(count));
        } else {
            self.left = self.left.map(|left| left - 1);
            std::thread::sleep(self.pace);
        }
        Ok(count)
    }
}

/// One server-sent event.
pub fn event(name: &str, data: &serde_json::Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
