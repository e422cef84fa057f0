//! The pages' style and script. Their paths hold a hash of what they hold, so browsers may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::digest::Digest;
use crate::pages::error::PageError;

pub(super) const ROUTE: &str = "/assets/{name}";

struct Asset {
    path: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        let path = format!("/assets/{stem}-{}.{ending}", Digest::sha256(text.as_bytes()).short());
        Self { path, kind, text }
    }
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style", "css", "text/css; charset=utf-8", include_str!("../../assets/style.css"))
});
static COPY: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("copy", "js", "text/javascript; charset=utf-8", include_str!("../../assets/copy.js"))
});
static OWN_NAME: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("own-name", "js", "text/javascript; charset=utf-8", include_str!("../../assets/own_name.js"))
});
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("../../assets/icon.svg")));

/// Where the style sheet is.
pub fn style() -> &'static str {
    &STYLE.path
}

/// Where the script of copy buttons is. A page that uses it says so: [`crate::pages::layout::HtmlPage::with_script`].
pub fn copy_script() -> &'static str {
    &COPY.path
}

/// Where the script of the way in on loopback is: [`crate::pages::own_name`].
pub fn own_name_script() -> &'static str {
    &OWN_NAME.path
}

/// Where the icon is.
pub fn icon() -> &'static str {
    &ICON.path
}

pub(super) async fn get(Path(name): Path<String>) -> Response {
    let is_it = |asset: &&Asset| asset.path.strip_prefix("/assets/") == Some(name.as_str());
    match [&*STYLE, &*COPY, &*OWN_NAME, &*ICON].into_iter().find(is_it) {
        Some(asset) => {
            let kept = "public, max-age=31536000, immutable";
            ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, kept)], asset.text).into_response()
        }
        None => PageError::not_found().into_response(),
    }
}
