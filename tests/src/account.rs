//! One profile, spoken to through the agent's socket: what any program without a library could do.

use crate::World;
use crate::lines::Lines;
use serde_json::{Value, json};

/// A profile of a world's agent, which runs.
pub struct Account {
    lines: Lines,
    profile: String,
}

impl Account {
    /// The profile of this name; the agent is started if none runs.
    pub fn of(world: &World, profile: &str) -> Self {
        world.everkey("agent start").ok();
        world.agent_pid();
        Self { lines: world.lines(), profile: profile.to_owned() }
    }

    /// Asks, with fields beside the profile.
    pub fn ask(&mut self, request: &str, fields: &Value) -> Value {
        let mut line = json!({ "request": request, "profile": self.profile });
        for (name, value) in fields.as_object().into_iter().flatten() {
            line[name] = value.clone();
        }
        self.lines.ask(&line)
    }

    /// Asks with nothing else to say.
    pub fn request(&mut self, request: &str) -> Value {
        self.ask(request, &json!({}))
    }

    /// Begins a sign-in; its first step.
    pub fn login(&mut self) -> Value {
        self.request("login")
    }

    /// Answers what a sign-in asks; the next step.
    pub fn answer(&mut self, step: &Value, text: &str) -> Value {
        self.ask("answer", &json!({ "flow": step["flow"], "text": text }))
    }

    /// Waits until a sign-in that shows something has got any further.
    pub fn after(&mut self, step: &Value) -> Value {
        loop {
            let next = self.ask("wait", &json!({ "flow": step["flow"] }));
            if next["reply"] != step["reply"] {
                return next;
            }
        }
    }

    /// How it stands.
    pub fn status(&mut self) -> Value {
        self.request("status")
    }

    /// The access token that programs are given.
    pub fn token(&mut self) -> String {
        let answer = self.request("token");
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Refreshes, however recent the last one was.
    #[track_caller]
    pub fn refresh(&mut self) {
        let answer = self.ask("refresh", &json!({ "force": true }));
        assert_eq!(answer["reply"], "refreshed", "{answer}");
    }
}
