//! HTTP through reqwest.

mod between;
mod connection;
mod reach;
mod request;
mod response;
mod url;
mod words;

pub use between::in_force;
pub use connection::{Parked, call, park};
pub use reach::reach;
pub use request::{Auth, HttpRequest, RequestTarget};
pub use response::{HttpResponse, http_date};
pub use url::{base_url, endpoint, typed_base_url};
pub use words::{ServerWords, without};
