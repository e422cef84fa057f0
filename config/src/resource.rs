//! What tokens are to be good for (RFC 8707): one URI or several.

use crate::file_text::{At, ConfigError, Source, Table};

const LONGEST: usize = 2048;

pub(crate) fn resources(source: Source<'_>, table: &mut Table<'_>) -> Result<Vec<String>, ConfigError> {
    let Some(At { value, at }) = table.one_or_more("resource")? else { return Ok(Vec::new()) };
    if value.is_empty() || !value.iter().all(|uri| is_absolute(uri)) {
        let message = "`resource` takes a whole URI without a fragment, such as \"https://api.example.com\", \
                       or a list of them";
        return Err(source.error(at, Some("resource"), message));
    }
    Ok(value)
}

/// RFC 3986 section 4.3, which has no fragment.
fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let begins = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let scheme = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let visible = rest.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    begins && scheme && visible && !rest.is_empty() && uri.len() <= LONGEST
}
