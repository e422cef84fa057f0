//! What a server says in its own words: for people, and to tell a refusal from a fault.

use everkey_proto::Secret;
use everkey_proto::text::harmless;
use everkey_redact::quote;
use serde_json::{Map, Value};

/// How many characters of a server's words are kept.
const KEPT: usize = 300;

/// The words of an answer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ServerWords {
    /// What it calls the error, in one word.
    pub code: Option<String>,
    /// What it tells people about it.
    pub text: Option<String>,
}

impl ServerWords {
    /// Those of a form.
    pub fn of_form(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body);
        Self::of_json(&pairs.map(|(key, value)| (key.into(), Value::from(value))).collect())
    }

    /// Those of plain text. A web page has none: it is hardly ever the server's own.
    pub fn of_text(body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap_or_default().trim();
        // A page, or what is left of an answer that was cut.
        let is_prose = !text.starts_with(['<', '{', '[', '"']);
        Self { code: None, text: kept(text).filter(|_| is_prose) }
    }

    /// Those of a JSON object.
    pub fn of_json(members: &Map<String, Value>) -> Self {
        let inner = members.get("error").and_then(Value::as_object);
        let text = |of: Option<&Map<String, Value>>, names: &[&str]| {
            let mut values = names.iter().filter_map(|name| of?.get(*name)?.as_str());
            values.find_map(kept)
        };
        let code = text(Some(members), &["error", "error_code", "errorCode"])
            .or_else(|| text(inner, &["code", "type", "status"]))
            .or_else(|| text(Some(members), &["code"]));
        let said = text(Some(members), &["error_description", "message", "detail", "msg", "title", "reason"])
            .or_else(|| text(inner, &["message", "description", "detail"]));
        Self { code, text: said }
    }

    /// All of them in one line; none if there are none.
    pub fn line(self) -> Option<String> {
        match (self.code, self.text) {
            (Some(code), Some(text)) if code != text => Some(format!("{code}: {text}")),
            (code, text) => code.or(text),
        }
    }
}

/// Words without any of these secrets, should a server repeat what it was sent.
pub fn without<'a>(words: &str, secrets: impl IntoIterator<Item = &'a Secret>) -> String {
    secrets
        .into_iter()
        .filter(|secret| !secret.is_empty())
        .fold(words.to_owned(), |words, secret| words.replace(secret.expose(), "…"))
}

fn kept(text: &str) -> Option<String> {
    let text = quote(&harmless(text.trim(), KEPT));
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpResponse;
    use crate::provider::samples::answer;

    fn line(body: &str) -> Option<String> {
        answer(400, body).words().line()
    }

    #[test]
    fn words_are_found_in_every_usual_shape() {
        for (body, words) in [
            (r#"{"error":"invalid_grant","error_description":"gone"}"#, "invalid_grant: gone"),
            (r#"{"error":{"code":"refresh_token_reused","message":"no"}}"#, "refresh_token_reused: no"),
            (r#"{"error_code":"session_over","msg":"over"}"#, "session_over: over"),
            (r#"{"ok":false,"error":"token_revoked"}"#, "token_revoked"),
            (r#"{"message":"Unauthorized"}"#, "Unauthorized"),
        ] {
            assert_eq!(line(body).as_deref(), Some(words), "{body}");
        }
        let plain =
            HttpResponse { content_type: Some("text/plain".into()), ..answer(401, "Token is over.\n") };
        assert_eq!(plain.words().line().as_deref(), Some("Token is over."));
        let form = HttpResponse { content_type: Some("application/x-www-form-urlencoded".into()), ..plain };
        let form = HttpResponse { body: b"error=bad&error_description=x+y".to_vec().into(), ..form };
        assert_eq!(form.words().line().as_deref(), Some("bad: x y"));
    }

    #[test]
    fn pages_and_fragments_have_no_words() {
        for body in
            ["", "{}", "<html>no</html>", r#"{"error":"inval"#, "[1]", r#"{"error":7}"#, r#"{"message":" "}"#]
        {
            assert_eq!(line(body), None, "{body}");
        }
    }

    #[test]
    fn what_may_be_a_token_is_not_repeated() {
        let body = r#"{"error":"refresh_token_already_used","message":"rt_9fQ2mXkd81LzPq07YbVt of https://id.example/a is over"}"#;
        assert_eq!(
            line(body).as_deref(),
            Some("refresh_token_already_used: … of https://id.example/a is over")
        );
        assert_eq!(
            line(r#"{"message":"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJlMDEyMzQ1Njc"}"#)
                .as_deref(),
            Some("[redacted:jwt]")
        );
    }

    #[test]
    fn s01_server_words_are_bounded_and_without_secrets() {
        let long = format!(r#"{{"message":"\u001b[31m{}"}}"#, "x ".repeat(5_000));
        let words = line(&long).unwrap();
        assert!(words.chars().count() <= KEPT && words.starts_with("[31mx"), "{words}");
        assert_eq!(
            without("token hunter2 is over", [&Secret::new("hunter2"), &Secret::new("")]),
            "token … is over"
        );
    }
}
