//! The loopback listener of a sign-in by browser (RFC 8252 section 7.3): hands on what a browser of this user brings back,
//! and shows it how the sign-in ended.

use crate::broker::BrowserCallback;
use everkey_listen::{Guest, Loopback, Peer, Room, Seldom};
use everkey_proto::reply::Step;
use everkey_proto::{Reply, Secret};
use everkey_session::policy::{CallbackAddress, CallbackPort};
use everkey_session::{ListenError, Op};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How many programs of this user are listened to at a time, and how many of others.
const MAX_BROWSERS: u32 = 16;

/// How long a request may take to come.
const REQUEST: Duration = Duration::from_secs(5);

/// How long the last pages may take to leave.
const FLUSH: Duration = Duration::from_secs(2);

/// How long a port that must be had may stay taken: the sign-in before this one may be about to close it.
const TAKEN: Duration = Duration::from_secs(1);

/// How long is waited before it is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// A port of this machine that browsers come back to.
#[derive(Debug)]
pub struct CallbackListener {
    port: Loopback,
    path: String,
}

impl CallbackListener {
    /// Takes a port.
    pub async fn bind(at: CallbackAddress) -> Result<Self, ListenError> {
        let (port, bound) = match at.port {
            CallbackPort::Only(port) => (Some(port), taken(port, at.localhost, TAKEN).await),
            CallbackPort::Rather(port) => match taken(port, at.localhost, TAKEN / 4).await {
                Ok(taken) => (None, Ok(taken)),
                Err(_) => (None, Loopback::bind_free(at.localhost).await),
            },
            CallbackPort::Free => (None, Loopback::bind_free(at.localhost).await),
        };
        let bound = bound.map_err(|e| ListenError { port, why: e.to_string() })?;
        Ok(Self { port: bound, path: at.path })
    }

    pub fn port(&self) -> io::Result<u16> {
        self.port.port()
    }
}

/// This port, which may be taken for so long.
async fn taken(port: u16, localhost: bool, patience: Duration) -> io::Result<Loopback> {
    let until = Instant::now() + patience;
    loop {
        match Loopback::bind(port, localhost).await {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && Instant::now() < until => {
                sleep(TRY_AGAIN).await
            }
            bound => return bound,
        }
    }
}

/// Where what a browser brings goes.
#[derive(Clone)]
struct Target {
    path: Arc<str>,
    index: usize,
    op: Op,
    callbacks: mpsc::Sender<BrowserCallback>,
}

/// Serves until `closed` is resolved or dropped.
pub async fn serve(
    listener: CallbackListener,
    index: usize,
    op: Op,
    callbacks: mpsc::Sender<BrowserCallback>,
    mut closed: oneshot::Receiver<()>,
) {
    static REFUSED: Seldom = Seldom::new();
    let CallbackListener { mut port, path } = listener;
    let target = Target { path: path.into(), index, op, callbacks };
    let own = Room::new(MAX_BROWSERS, MAX_BROWSERS as usize);
    let strangers = Room::new(MAX_BROWSERS, MAX_BROWSERS as usize);
    let mut serving = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut closed => break,
            Some(_) = serving.join_next() => {}
            arrived = port.next() => match arrived {
                Ok((stream, peer)) => {
                    let room = if peer == Peer::Stranger { &strangers } else { &own };
                    let guest = room.enter(None).await;
                    serving.spawn(welcome(stream, peer, guest, target.clone()));
                }
                Err(error) => if let Some(times) = REFUSED.happened() {
                    tracing::warn!(%error, times, "can't accept a browser's connection");
                }
            },
        }
    }
    drop(port);
    let last = async { while serving.join_next().await.is_some() {} };
    let _ = timeout(FLUSH, last).await;
}

/// Serves a connection until it ends or has to give way.
async fn welcome(stream: TcpStream, peer: Peer, guest: Guest, target: Target) {
    static TURNED_AWAY: Seldom = Seldom::new();
    if peer == Peer::Stranger
        && let Some(times) = TURNED_AWAY.happened()
    {
        tracing::warn!(times, "turned away a connection of another user from a sign-in");
    }
    let answer = service_fn(|request| async {
        let _busy = guest.busy();
        Ok::<_, Infallible>(match peer {
            // Where the system does not say whose it is, the sign-in's own secrets decide.
            Peer::Own | Peer::Unknown => answer(request, &target).await,
            Peer::Stranger => strange(),
        })
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer);
    tokio::select! {
        // Other programs of this machine may send anything.
        _ = connection => {}
        () = guest.gives_way() => {}
    }
}

async fn answer(request: Request<Incoming>, target: &Target) -> Response<Full<Bytes>> {
    if request.uri().path() != &*target.path {
        return page(StatusCode::NOT_FOUND, "Nothing here", "This address only ends a sign-in.");
    }
    if request.method() == Method::POST {
        return posted();
    }
    if request.method() != Method::GET {
        return page(StatusCode::METHOD_NOT_ALLOWED, "Nothing here", "This address is only for browsers.");
    }
    let query = Secret::new(request.uri().query().unwrap_or_default());
    let (reply, ended) = oneshot::channel();
    let came = BrowserCallback { index: target.index, listener: target.op, query, reply };
    if target.callbacks.send(came).await.is_err() {
        return gone();
    }
    match ended.await {
        Ok(Reply::Step(Step::Done { .. })) => {
            page(StatusCode::OK, "You are signed in", "You can close this page and go back to your terminal.")
        }
        Ok(Reply::Failed(failure)) => page(StatusCode::BAD_REQUEST, "Not signed in", &failure.message),
        Ok(_) | Err(_) => gone(),
    }
}

/// A stranger's code would sign the stranger in; a browser of this user that reaches us through somebody else's program, such
/// as a relay of the system, has a person who can paste.
fn strange() -> Response<Full<Bytes>> {
    let text = "This connection comes from another user of the machine, so nothing was taken from it. If this is your own \
                browser, copy the address of this page and paste it into the terminal where you began to sign in.";
    page(StatusCode::FORBIDDEN, "Not signed in yet", text)
}

/// What a server sends as a form is not read: everkey did not ask for that.
fn posted() -> Response<Full<Bytes>> {
    let text = "The server sent its answer as a form (form_post), which everkey does not take. Have whoever runs the \
                server let this client's answer come as an address (response_mode=query), or sign in with `everkey \
                login --scheme device`. The sign-in in your terminal still waits; Ctrl-C there ends it.";
    let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, "Not signed in yet", text);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    answer
}

fn gone() -> Response<Full<Bytes>> {
    page(StatusCode::GONE, "Not signed in", "This sign-in is over. Begin it again in your terminal.")
}

/// A page that runs nothing and asks nobody.
fn page(status: StatusCode, title: &str, text: &str) -> Response<Full<Bytes>> {
    let (title, text) = (escaped(title), escaped(text));
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · everkey</title><style>:root{{color-scheme:light dark}}body{{font:1.1rem/1.5 system-ui,sans-serif;\
         max-width:32rem;margin:20vh auto;padding:0 1.5rem}}</style><main><h1>{title}</h1><p>{text}</p></main></html>"
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "text/html; charset=utf-8")
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(REFERRER_POLICY, "no-referrer")
        .header(CACHE_CONTROL, "no-store")
        .body(Full::from(html))
        .unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::{Code, Failure};
    use std::net::{Ipv4Addr, Ipv6Addr};
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    /// A listener, its address, what comes back, and what closes it.
    async fn listening() -> (String, mpsc::Receiver<BrowserCallback>, oneshot::Sender<()>) {
        listening_at(CallbackAddress::default()).await
    }

    async fn listening_at(
        at: CallbackAddress,
    ) -> (String, mpsc::Receiver<BrowserCallback>, oneshot::Sender<()>) {
        let _ = crate::tls::install();
        let listener = CallbackListener::bind(at).await.unwrap();
        let url = format!("http://127.0.0.1:{}", listener.port().unwrap());
        let ((send, back), (close, closed)) = (mpsc::channel(4), oneshot::channel());
        tokio::spawn(serve(listener, 3, Op(7), send, closed));
        (url, back, close)
    }

    async fn get(url: String) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).send().await.unwrap();
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn the_page_waits_for_the_result_though_the_listener_closes() {
        let (url, mut back, close) = listening().await;
        let page = tokio::spawn(get(format!("{url}/callback?code=c&state=s")));
        let came = back.recv().await.unwrap();
        assert_eq!((came.index, came.listener, came.query), (3, Op(7), Secret::new("code=c&state=s")));
        drop(close);
        tokio::task::yield_now().await;
        assert!(!page.is_finished(), "nobody knows yet how it ends");
        let _ = came.reply.send(Reply::Step(Step::Done { user: None, already: false }));
        let (status, text) = page.await.unwrap();
        assert!(status == 200 && text.contains("You are signed in"), "{status} {text}");
    }

    #[tokio::test]
    async fn other_requests_are_refused_and_server_text_is_escaped() {
        let (url, mut back, _close) = listening().await;
        assert_eq!(get(format!("{url}/favicon.ico")).await.0, 404);
        assert_eq!(get(format!("{url}/callback/../x")).await.0, 404);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let put = client.put(format!("{url}/callback?code=c&state=s")).send().await.unwrap();
        assert_eq!(put.status().as_u16(), 405);
        assert!(back.try_recv().is_err());

        let page = tokio::spawn(get(format!("{url}/callback?error=x")));
        let message = "<script>alert(1)</script>".to_owned();
        let failure = Failure::new(Code::Refused, message, "");
        let _ = back.recv().await.unwrap().reply.send(Reply::Failed(failure));
        let (status, text) = page.await.unwrap();
        assert!(status == 400 && text.contains("&lt;script&gt;") && !text.contains("<script>"), "{text}");
    }

    #[tokio::test]
    async fn half_sent_requests_keep_no_browser_out() {
        let (url, mut back, _close) = listening().await;
        let address = url.trim_start_matches("http://").to_owned();
        let mut half = Vec::new();
        for _ in 0..4 * MAX_BROWSERS {
            half.push(TcpStream::connect(&address).await.unwrap());
            half.last().unwrap().try_write(b"GET /callback HTTP/1.1\r\nHost: x\r\n").unwrap();
            let page = tokio::spawn(get(format!("{url}/callback?code=c")));
            let came = back.recv().await.unwrap();
            let _ = came.reply.send(Reply::Step(Step::Done { user: None, already: false }));
            assert_eq!(page.await.unwrap().0, 200);
        }
        let mut first = half.remove(0);
        assert_eq!(first.read(&mut [0]).await.unwrap_or(0), 0, "the first of them has given way");
    }

    #[tokio::test]
    async fn an_answer_as_a_form_says_what_to_do() {
        let (url, mut back, _close) = listening().await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let form = client.post(format!("{url}/callback")).body("code=c&state=s");
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let answer = form.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 405);
        assert_eq!(answer.headers()["allow"], "GET");
        let text = answer.text().await.unwrap();
        for words in ["form_post", "response_mode=query", "--scheme device", "still waits"] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(back.try_recv().is_err(), "the sign-in goes on");
    }

    /// A port that was free a moment ago.
    async fn some_port() -> u16 {
        CallbackListener::bind(CallbackAddress::default()).await.unwrap().port().unwrap()
    }

    #[tokio::test]
    async fn the_registered_port_and_path_are_listened_on() {
        let port = some_port().await;
        let at = CallbackAddress {
            localhost: true,
            port: CallbackPort::Only(port),
            path: "/oauth/back".to_owned(),
        };
        let (url, mut back, _close) = listening_at(at).await;
        assert_eq!(url, format!("http://127.0.0.1:{port}"));
        assert_eq!(get(format!("{url}/callback?code=c")).await.0, 404);
        let mut hosts = vec![url];
        // Not every machine has it.
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok() {
            hosts.push(format!("http://[::1]:{port}"));
        }
        for host in hosts {
            let page = tokio::spawn(get(format!("{host}/oauth/back?code=c")));
            let came = back.recv().await.unwrap();
            assert_eq!(came.query, Secret::new("code=c"));
            drop(came.reply);
            assert_eq!(page.await.unwrap().0, 410);
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let at = |localhost| CallbackAddress {
            localhost,
            port: CallbackPort::Only(port),
            ..CallbackAddress::default()
        };
        let rather = CallbackAddress { port: CallbackPort::Rather(port), ..at(false) };
        let other = CallbackListener::bind(rather.clone()).await.unwrap().port().unwrap();
        assert_ne!(other, port);
        let refused = CallbackListener::bind(at(false)).await.unwrap_err();
        assert_eq!(refused.port, Some(port));
        let closed = tokio::spawn(async move {
            tokio::task::yield_now().await;
            drop(taken);
        });
        assert!(CallbackListener::bind(at(false)).await.is_ok(), "the sign-in before is over soon");
        closed.await.unwrap();
        assert_eq!(CallbackListener::bind(rather).await.unwrap().port().unwrap(), port);
        let Ok(six) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await else { return };
        assert_eq!(
            CallbackListener::bind(at(true)).await.unwrap_err().port,
            Some(port),
            "somebody else has it"
        );
        drop(six);
    }
}
