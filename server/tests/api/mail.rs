//! Mail by SMTP against a tiny server, and mail that must not hold an answer up.

use std::net::SocketAddr;

use everkey_server::mail::route::MailRoute;
use everkey_server::secret::SecretText;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::kit::server::{Options, code_in, start};
use crate::kit::wire::PATIENCE;

/// What a sink does with mail.
#[derive(Clone, Copy)]
enum Sink {
    Accepts,
    Rejects,
    NeverAnswers,
}

/// Starts an SMTP server that passes on each accepted message.
async fn sink(kind: Sink) -> (MailRoute, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let (sender, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(talk(kind, stream, sender.clone()));
        }
    });
    (MailRoute::Smtp(SecretText::new(format!("smtp://{address}"))), received)
}

async fn talk(kind: Sink, stream: TcpStream, sender: mpsc::UnboundedSender<String>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    match kind {
        Sink::NeverAnswers => std::future::pending().await,
        Sink::Accepts | Sink::Rejects => write.write_all(b"220 sink\r\n").await.ok()?,
    }
    let mut envelope = String::new();
    while let Some(line) = lines.next_line().await.ok()? {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match (verb.as_str(), kind) {
            ("RCPT", Sink::Rejects) => b"550 no such mailbox\r\n",
            ("DATA", _) => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut message = envelope.clone();
                loop {
                    match lines.next_line().await.ok()?? {
                        line if line == "." => break,
                        line => message.push_str(&format!("{line}\n")),
                    }
                }
                sender.send(message).ok()?;
                b"250 taken\r\n"
            }
            ("QUIT", _) => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            _ => b"250 sink\r\n",
        };
        envelope.push_str(&format!("{line}\n"));
        write.write_all(answer).await.ok()?;
    }
    None
}

#[tokio::test]
async fn a_code_that_came_by_smtp_signs_in() {
    let (route, mut received) = sink(Sink::Accepts).await;
    let server = start(Options { mail: Some(route), ..Options::default() }).await;
    server.ask_code("ada@example.com").await.expect(200);
    let mail = tokio::time::timeout(PATIENCE, received.recv()).await.unwrap().unwrap();
    assert!(
        mail.contains("RCPT TO:<ada@example.com>") && mail.contains("Subject: Your sign-in code"),
        "{mail}"
    );
    server.verify("ada@example.com", &code_in(&mail)).await.expect(200);
}

#[tokio::test]
async fn a_mail_server_that_never_answers_holds_up_no_request() {
    let (route, _received) = sink(Sink::NeverAnswers).await;
    let server = start(Options { mail: Some(route), ..Options::without_limits() }).await;
    for n in 0..20 {
        server.ask_code(&format!("user{n}@example.com")).await.expect(200);
    }
    assert_eq!(server.events("code_sent").await, 20);
}

#[tokio::test]
async fn a_rejected_mail_changes_no_answer_and_is_recorded() {
    let (route, _received) = sink(Sink::Rejects).await;
    let server = start(Options { mail: Some(route), ..Options::default() }).await;
    server.ask_code("nobody@example.com").await.expect(200);
    let recorded = async {
        while server.events("mail_failed").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, recorded).await.expect("the failure was not recorded");
}
