//! A web server on loopback that notes what it is asked and answers as it is told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Method and path.
    pub line: String,
    /// Headers by their lower-case names.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Asked {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// The server; it ends with the test.
pub struct Listener {
    server: Arc<tiny_http::Server>,
    asked: Arc<Mutex<Vec<Asked>>>,
    status: Arc<AtomicU16>,
}

impl Default for Listener {
    fn default() -> Self {
        Self::new()
    }
}

impl Listener {
    pub fn new() -> Self {
        let server = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let status = Arc::new(AtomicU16::new(200));
        let (own, notes, says) = (server.clone(), asked.clone(), status.clone());
        std::thread::spawn(move || {
            for mut request in own.incoming_requests() {
                let mut body = String::new();
                request.as_reader().read_to_string(&mut body).unwrap();
                let header = |h: &tiny_http::Header| (h.field.as_str().as_str().to_lowercase(), h.value.to_string());
                let headers = request.headers().iter().map(header).collect();
                let line = format!("{} {}", request.method(), request.url());
                notes.lock().unwrap().push(Asked { line, headers, body });
                let status = says.load(Ordering::Relaxed);
                let answer = tiny_http::Response::from_string("{\"said\":\"so\"}").with_status_code(status);
                request.respond(answer).ok();
            }
        });
        Self { server, asked, status }
    }

    /// Its address, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.server_addr())
    }

    /// From now on it answers with this status.
    pub fn says(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.server.unblock();
    }
}
