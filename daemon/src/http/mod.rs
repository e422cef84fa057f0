//! HTTP through reqwest.

mod address;
mod connection;
mod request;
mod response;

pub use address::{base_url, endpoint};
pub use connection::{Parked, call, park};
pub use request::{Auth, HttpRequest, RequestTarget};
pub use response::{HttpResponse, http_date};
