//! The requests, each once: `"word in JSON lines" Type { fields } -> type of the reply = reply => that type's value;`.
//! A field with `= value` may be left out of a JSON line. The tables are read by `kinds.rs` and `json/request.rs`.

macro_rules! session_requests {
    ($then:ident) => {
        $then! {
            /// What can be asked about the session of one profile.
            SessionRequest in ProfileRequest: ProfileCall;

            /// Who is signed in; none where the server does not say who. Answered without the network.
            "whoami" Whoami -> Option<User> = Reply::Whoami(user) => user;

            /// Everything there is to show about the profile, no secrets; also where nobody is signed in.
            "status" Status -> reply::Status = Reply::Status(status) => *status;

            /// An access token.
            "token" Token {
                /// For how many seconds it shall be valid at least; 0 leaves it to the agent.
                min_validity_secs: u32 = 0,
            } -> reply::Token = Reply::Token(token) => token;

            /// A refresh now.
            "refresh" Refresh {
                /// Even if the last one was less than 30 s ago.
                force: bool = false,
            } -> Refreshed = Reply::Refreshed(refreshed) => refreshed;

            /// A sign-in. One that is under way already is reported as [`Code::InProgress`](crate::Code::InProgress),
            /// unless the caller says what becomes of it.
            "login" Login {
                /// The way to sign in; none means the profile's own.
                scheme: Option<SignInMethod>,
                /// What becomes of the sign-in that is under way.
                #[serde(default)]
                under_way: Option<UnderWay>,
            } -> Step = Reply::Step(step) => step;

            /// An answer to what a flow asked last.
            "answer" Answer {
                /// The flow.
                flow: FlowId,
                /// What was entered.
                entry: Entry,
            } -> Step = Reply::Step(step) => step;

            /// The end of a sign-in that nobody wants any more.
            "cancel" Cancel {
                /// The flow.
                flow: FlowId,
            } -> Revocation = Reply::LoggedOut { revocation, .. } => revocation;

            /// A sign-out: the local session is gone whatever the network says.
            "logout" Logout -> LoggedOut = Reply::LoggedOut { revocation, why } => LoggedOut { revocation, why };

            /// Another access token than this one, to which a server answered 401 though it should be valid.
            "better" Better {
                /// The refused token.
                than: Fingerprint,
            } -> reply::Token = Reply::Token(token) => token;

            /// The next step of a sign-in: answered when there is one, or after 20 s with the same step again.
            "wait" Wait {
                /// The flow.
                flow: FlowId,
            } -> Step = Reply::Step(step) => step;

            /// Whether the server accepts a token, and whose it is. Nothing is kept.
            "inspect" Inspect {
                /// The token; none means the session's own.
                token: Option<Secret>,
            } -> Inspection = Reply::Inspected(inspection) => inspection;

            /// A caller gives a sign-in up: it ends, unless somebody else has joined it.
            "leave" Leave {
                /// The flow.
                flow: FlowId,
            } -> Revocation = Reply::LoggedOut { revocation, .. } => revocation;
        }
    };
}

macro_rules! reminder_requests {
    ($then:ident) => {
        $then! {
            /// What can be asked about the reminder of one profile.
            ReminderRequest in ProfileRequest: ProfileCall;

            /// The reminder of whoever is signed in, if there is one. Answered without the network.
            "reminder" Reminder -> Option<reply::Reminder> = Reply::Reminder(reminder) => reminder;

            /// A reminder in place of the one there is.
            "set_reminder" SetReminder {
                /// When it is due.
                when: When,
            } -> Option<reply::Reminder> = Reply::Reminder(reminder) => reminder;

            /// No reminder any more.
            "clear_reminder" ClearReminder -> Option<reply::Reminder> = Reply::Reminder(reminder) => reminder;
        }
    };
}

macro_rules! agent_requests {
    ($then:ident) => {
        $then! {
            /// What can be asked about the agent as a whole.
            AgentRequest in Request: AgentCall;

            /// What the agent is and where its things are.
            "agent" DescribeAgent -> AgentInfo = Reply::Agent(info) => info;

            /// The agent finishes what is under way and exits.
            "stop" Stop -> () = Reply::Stopping => ();

            /// What happens from now on: the connection carries events and takes no more requests.
            "events" Events {
                /// Whether the last 500 events come first.
                past: bool = false,
            } -> () = Reply::Following => ();

            /// Who was handed which token and when, the newest first.
            "accesses" Accesses {
                /// How many at most; the agent shows no more than 1000.
                limit: u32 = 100,
            } -> Vec<Access> = Reply::Accesses(accesses) => accesses;

            /// A part of the access log: who was handed which token and when, the newest first.
            "access_log" ReadAccessLog {
                /// Unix seconds; none that is earlier.
                since: Option<u64>,
                /// Unix seconds; none that is later.
                until: Option<u64>,
                /// How many of the newest are left out.
                skip: u32 = 0,
                /// How many at most; the agent shows no more than 1000, and no more than a reply holds.
                limit: u32 = 100,
            } -> AccessPage = Reply::AccessLog(page) => page;

            /// How the agent is, and how far it gets to each profile's server within two seconds. Changes nothing.
            "examine" Examine -> Examination = Reply::Examined(found) => found;
        }
    };
}

pub(crate) use {agent_requests, reminder_requests, session_requests};
