//! Where a refresh is killed: one of a few calls that the agent and today's tools both make.

use crate::disk::{recorded, recorded_in};
use crate::lane::Lane;
use crate::strace::Role;
use crate::trace::{Point, Step};
use std::sync::Mutex;

/// Where a refresh can be killed, whoever makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// Before it connects.
    Connect,
    /// Before it sends the request.
    Send,
    /// Before it reads the answer.
    Receive,
    /// Before it writes the new file.
    Write,
    /// Before it puts the new file in the old one's place.
    Rename,
}

impl At {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Connect, Self::Send, Self::Receive, Self::Write, Self::Rename];

    /// The agent's call there, by a recorded refresh.
    pub fn in_the_agent(self, lane: &mut Lane) -> (Role, String, usize) {
        let mut points = points_of(lane).lock().expect("nobody panics while holding this");
        if points.is_empty() {
            *points = if lane.outsider().is_some() { recorded_in(lane) } else { recorded() };
        }
        let is = |point: &&Point| match self {
            Self::Connect => point.role == Role::Main && point.syscall == "connect",
            Self::Send => point.step == Step::S3 && point.role == Role::Main && point.speaks(),
            Self::Receive => point.step == Step::S4 && point.role == Role::Main && point.speaks(),
            Self::Write => point.step == Step::S5File && point.on_file && point.syscall == "write",
            Self::Rename => {
                point.step == Step::S5File && point.on_file && point.syscall.starts_with("rename")
            }
        };
        let point = points.iter().find(is).expect("every refresh makes such a call");
        (point.role, point.syscall.clone(), point.nth)
    }

    /// The tool's call there, the first of its name.
    pub fn in_the_tool(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Send => "sendto",
            Self::Receive => "recvfrom",
            Self::Write => "write",
            Self::Rename => "rename",
        }
    }
}

/// Has the next kill record a refresh anew.
pub fn forget(lane: &Lane) {
    points_of(lane).lock().expect("nobody panics while holding this").clear();
}

/// The calls of a recorded refresh, once one is needed: at our own server, and at an ordinary one.
static POINTS: [Mutex<Vec<Point>>; 2] = [const { Mutex::new(Vec::new()) }; 2];

fn points_of(lane: &Lane) -> &'static Mutex<Vec<Point>> {
    &POINTS[usize::from(lane.outsider().is_some())]
}
