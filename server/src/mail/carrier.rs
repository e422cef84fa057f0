//! Carries mail from the outbox to where it goes.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use tokio::task::JoinSet;

use crate::command_error::CommandError;
use crate::db::audit::AuditEntry;
use crate::db::{Database, retry};
use crate::mail::letter::Mail;
use crate::mail::outbox::MailQueue;
use crate::mail::route::MailRoute;
use crate::mail::{folder, message};
use crate::metrics::METRICS;
use crate::rules::audit_event::AuditEvent;
use crate::rules::text::kept;
use crate::time::TimeSource;

/// Messages under way at once.
const AT_ONCE: usize = 8;

/// Pauses before each further try; a code is of little use after that.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];

/// Delivers mail.
#[derive(Clone)]
pub struct Carrier {
    way: Way,
    from: Mailbox,
}

#[derive(Clone)]
enum Way {
    Folder(PathBuf),
    Terminal,
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl Carrier {
    /// A carrier for `route` that writes as `from`. Makes the folder if there is none (0700).
    pub fn new(route: &MailRoute, from: Mailbox) -> Result<Self, CommandError> {
        let way = match route {
            MailRoute::Terminal => Way::Terminal,
            MailRoute::Folder(path) => {
                DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| {
                    CommandError::new(
                        format!("can't make the mail folder {}: {error}", path.display()),
                        "Name a folder this user can write in: --mail dir:PATH.",
                    )
                })?;
                Way::Folder(path.clone())
            }
            MailRoute::Smtp(url) => {
                // The library's own error could repeat the address, and with it the password.
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose()).map_err(|_| {
                    CommandError::new(
                        "the --mail address is not a mail server's address",
                        "Write smtps://USER:PASSWORD@HOST:PORT, with odd characters percent-encoded.",
                    )
                })?;
                Way::Smtp(builder.timeout(Some(Duration::from_secs(20))).build())
            }
        };
        Ok(Self { way, from })
    }

    /// Carries everything that is left in the outbox, and returns once it is closed and empty.
    pub async fn run(self, mut waiting: MailQueue, store: Database, clock: Arc<dyn TimeSource>) {
        let mut under_way = JoinSet::new();
        while let Some(mail) = waiting.recv().await {
            while under_way.len() >= AT_ONCE {
                under_way.join_next().await;
            }
            // Named here, in the order of the outbox; deliveries may overtake each other.
            let (carrier, name) = (self.clone(), folder::next_name(mail.at));
            let (store, clock) = (store.clone(), Arc::clone(&clock));
            under_way.spawn(async move {
                if let Err(error) = carrier.deliver(&mail, &name).await {
                    tracing::error!(
                        to = mail.name,
                        error = redact(&error, &mail),
                        "a mail could not be delivered"
                    );
                    record_failure(&store, clock.as_ref(), &mail).await;
                }
            });
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Tries once, now, and waits for it. An error says why it failed, without the address.
    pub async fn post(&self, mail: &Mail) -> Result<(), String> {
        match self.try_once(mail, &folder::next_name(mail.at)).await {
            Ok(()) => {
                METRICS.mail_sent();
                Ok(())
            }
            Err(Failure::Final(error) | Failure::Passing(error)) => Err(redact(&error, mail)),
        }
    }

    async fn deliver(&self, mail: &Mail, name: &str) -> Result<(), String> {
        let mut pauses = PAUSES.iter();
        loop {
            match (self.try_once(mail, name).await, pauses.next()) {
                (Ok(()), _) => {
                    METRICS.mail_sent();
                    return Ok(());
                }
                (Err(Failure::Final(error)), _) | (Err(Failure::Passing(error)), None) => {
                    METRICS.mail_failed();
                    return Err(error);
                }
                (Err(Failure::Passing(error)), Some(pause)) => {
                    tracing::warn!(
                        to = mail.name,
                        error = redact(&error, mail),
                        "a mail will be tried again"
                    );
                    METRICS.mail_retried();
                    tokio::time::sleep(*pause).await;
                }
            }
        }
    }

    async fn try_once(&self, mail: &Mail, name: &str) -> Result<(), Failure> {
        match &self.way {
            Way::Terminal => {
                eprintln!("mail to {}:\n\n{}", mail.to.as_str(), message::text(mail));
                Ok(())
            }
            Way::Folder(path) => {
                let (path, name) = (path.clone(), name.to_owned());
                let bytes = self.write(mail)?.formatted();
                let written = tokio::task::spawn_blocking(move || folder::write(&path, &name, &bytes)).await;
                match written {
                    Ok(result) => result.map_err(|error| Failure::Passing(error.to_string())),
                    Err(error) => Err(Failure::Final(error.to_string())),
                }
            }
            Way::Smtp(transport) => match transport.send(self.write(mail)?).await {
                Ok(_) => Ok(()),
                Err(error) if error.is_permanent() => Err(Failure::Final(error.to_string())),
                Err(error) => Err(Failure::Passing(error.to_string())),
            },
        }
    }

    fn write(&self, mail: &Mail) -> Result<lettre::Message, Failure> {
        message::write(mail, &self.from).map_err(|error| Failure::Final(error.to_string()))
    }
}

enum Failure {
    /// Another try may succeed.
    Passing(String),
    /// No try can.
    Final(String),
}

/// Mail servers like to repeat what they refuse; logs get the address's pseudonym, and no secret.
fn redact(error: &str, mail: &Mail) -> String {
    kept(error).to_ascii_lowercase().replace(mail.to.as_str(), &mail.name)
}

async fn record_failure(store: &Database, clock: &dyn TimeSource, mail: &Mail) {
    let entry = AuditEntry {
        event: AuditEvent::MailFailed,
        session: None,
        generation: None,
        detail: Some(&mail.name),
    };
    let recorded = retry(|| async {
        let mut tx = store.begin().await?;
        tx.record(entry, clock.now()).await?;
        tx.commit().await
    });
    if let Err(error) = recorded.await {
        tracing::error!(%error, "an undelivered mail could not be recorded");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::letter::MailContent;
    use crate::rules::code_guess::CodeLength;
    use crate::rules::email::Email;
    use crate::secret::SecretText;
    use crate::time::Timestamp;
    use crate::tokens::code::LoginCode;

    fn smtp(url: &str) -> Result<Carrier, CommandError> {
        Carrier::new(&MailRoute::Smtp(SecretText::new(url.to_owned())), "me@localhost".parse().unwrap())
    }

    #[test]
    fn mail_servers_are_named_with_and_without_encryption() {
        for url in [
            "smtp://localhost:25",
            "smtp://me:p%40ss@mail.example.com:587?tls=required",
            "smtps://me:p%40ss@mail.example.com",
        ] {
            assert!(smtp(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_wrong_address_is_refused_without_repeating_its_password() {
        for url in ["smtp://me:hunter2@:25", "smtps://me:hunter2@h:port", "smtp://me:hunter2@h?tls=hunter2"] {
            let error = smtp(url).err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_mail_servers_words_are_logged_without_the_address() {
        let mail = Mail {
            name: "0123456789ab".to_owned(),
            to: Email::parse("ada@example.com").unwrap(),
            content: MailContent::Code {
                code: LoginCode::random(CodeLength::Short).unwrap(),
                works_for: Duration::from_secs(600),
            },
            at: Timestamp::from_secs(0),
        };
        let words = redact("550 <Ada@Example.COM>: no such mailbox", &mail);
        assert_eq!(words, "550 <0123456789ab>: no such mailbox");
    }
}
