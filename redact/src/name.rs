//! What the name before a value says of it.

/// How sure a name makes us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensitive {
    /// A password: any value counts that is not a placeholder or code.
    Password,
    /// A secret of a program: the same, but not a mere word.
    Secret(&'static str),
    /// Often a secret, often not: the value must look random.
    Perhaps(&'static str),
}

/// Endings of names, split into words and put together again with `_`. The longest that fits counts.
const ENDINGS: &[(&str, Sensitive)] = &[
    ("password", Sensitive::Password),
    ("passwd", Sensitive::Password),
    ("passwort", Sensitive::Password),
    ("kennwort", Sensitive::Password),
    ("contrasena", Sensitive::Password),
    ("motdepasse", Sensitive::Password),
    ("passphrase", Sensitive::Password),
    ("pass_phrase", Sensitive::Password),
    ("passcode", Sensitive::Password),
    ("pwd", Sensitive::Password),
    ("passwrd", Sensitive::Password),
    ("pswd", Sensitive::Password),
    ("sshpass", Sensitive::Password),
    ("dbpass", Sensitive::Password),
    ("rootpass", Sensitive::Password),
    ("userpass", Sensitive::Password),
    ("adminpass", Sensitive::Password),
    ("mailpass", Sensitive::Password),
    ("keypass", Sensitive::Password),
    ("storepass", Sensitive::Password),
    ("bindpw", Sensitive::Password),
    ("rootpw", Sensitive::Password),
    ("psk", Sensitive::Password),
    ("pass", Sensitive::Secret("password")),
    ("passwords", Sensitive::Secret("password")),
    ("pw", Sensitive::Secret("password")),
    ("psw", Sensitive::Secret("password")),
    ("secret", Sensitive::Secret("secret")),
    ("mnemonic", Sensitive::Secret("secret")),
    ("secret_key", Sensitive::Secret("secret")),
    ("secretkey", Sensitive::Secret("secret")),
    ("private_key", Sensitive::Secret("private-key")),
    ("privatekey", Sensitive::Secret("private-key")),
    ("secret_access_key", Sensitive::Secret("secret")),
    ("client_secret", Sensitive::Secret("secret")),
    ("key_base", Sensitive::Secret("secret")),
    ("pepper", Sensitive::Perhaps("secret")),
    ("token", Sensitive::Perhaps("token")),
    ("tok", Sensitive::Perhaps("token")),
    ("jwt", Sensitive::Perhaps("token")),
    ("pat", Sensitive::Perhaps("token")),
    ("bearer", Sensitive::Perhaps("token")),
    ("authorization", Sensitive::Perhaps("token")),
    ("auth", Sensitive::Perhaps("token")),
    ("credential", Sensitive::Perhaps("secret")),
    ("credentials", Sensitive::Perhaps("secret")),
    ("cred", Sensitive::Perhaps("secret")),
    ("creds", Sensitive::Perhaps("secret")),
    ("apikey", Sensitive::Perhaps("api-key")),
    ("appkey", Sensitive::Perhaps("api-key")),
    ("accesskey", Sensitive::Perhaps("api-key")),
    ("authkey", Sensitive::Perhaps("api-key")),
    ("accountkey", Sensitive::Perhaps("api-key")),
    ("sharedkey", Sensitive::Perhaps("api-key")),
    ("passkey", Sensitive::Perhaps("api-key")),
    ("masterkey", Sensitive::Perhaps("api-key")),
    ("encryptionkey", Sensitive::Perhaps("api-key")),
    ("access_key_id", Sensitive::Perhaps("api-key")),
    ("key", Sensitive::Perhaps("api-key")),
    ("keys", Sensitive::Perhaps("api-key")),
    ("dek", Sensitive::Perhaps("api-key")),
    ("kek", Sensitive::Perhaps("api-key")),
    ("cookie", Sensitive::Perhaps("cookie")),
    ("session", Sensitive::Perhaps("session")),
    ("session_id", Sensitive::Perhaps("session")),
    ("sessionid", Sensitive::Perhaps("session")),
    ("sessid", Sensitive::Perhaps("session")),
    ("sess_id", Sensitive::Perhaps("session")),
    ("sid", Sensitive::Perhaps("session")),
    ("signature", Sensitive::Perhaps("signature")),
    ("sig", Sensitive::Perhaps("signature")),
    ("hmac", Sensitive::Perhaps("signature")),
    ("salt", Sensitive::Perhaps("secret")),
    ("otp", Sensitive::Secret("sign-in-code")),
    ("totp", Sensitive::Secret("sign-in-code")),
    ("pin", Sensitive::Secret("sign-in-code")),
    ("pin_code", Sensitive::Secret("sign-in-code")),
    ("auth_code", Sensitive::Secret("sign-in-code")),
    ("authorization_code", Sensitive::Perhaps("sign-in-code")),
    ("verification_code", Sensitive::Secret("sign-in-code")),
    ("login_code", Sensitive::Secret("sign-in-code")),
    ("otp_code", Sensitive::Secret("sign-in-code")),
    ("mfa_code", Sensitive::Secret("sign-in-code")),
    ("totp_code", Sensitive::Secret("sign-in-code")),
    ("device_code", Sensitive::Perhaps("sign-in-code")),
    ("user_code", Sensitive::Secret("sign-in-code")),
    ("recovery_code", Sensitive::Secret("sign-in-code")),
    ("backup_code", Sensitive::Secret("sign-in-code")),
    ("code_verifier", Sensitive::Perhaps("sign-in-code")),
    ("key_data", Sensitive::Perhaps("private-key")),
    ("idempotency_key", Sensitive::Perhaps("api-key")),
];

/// Words after which a name still means the same.
const TAILS: &[&str] = &[
    "value",
    "val",
    "raw",
    "plain",
    "plaintext",
    "text",
    "string",
    "str",
    "b64",
    "base64",
    "hex",
    "hash",
    "hashed",
    "encoded",
    "encrypted",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "test",
    "testing",
    "live",
    "sandbox",
    "new",
    "old",
    "current",
    "previous",
    "confirm",
    "confirmation",
    "again",
    "repeat",
    "default",
    "env",
    "primary",
    "secondary",
    "backup",
    "main",
    "local",
    "bytes",
    "literal",
    "here",
    "v1",
    "v2",
    "v3",
];

/// Words that belong to a name though a space stands behind them: `API key: …`.
const BEFORE: &[&str] = &[
    "access",
    "account",
    "admin",
    "api",
    "app",
    "application",
    "auth",
    "backup",
    "client",
    "consumer",
    "deploy",
    "encryption",
    "license",
    "login",
    "master",
    "pass",
    "private",
    "recovery",
    "secret",
    "service",
    "session",
    "shared",
    "signing",
    "verification",
    "webhook",
];

/// Words that make a key, a token or a signature harmless.
const HARMLESS: &[&str] = &[
    "public",
    "pub",
    "publishable",
    "primary",
    "foreign",
    "cache",
    "sort",
    "partition",
    "hash",
    "object",
    "index",
    "idx",
    "bucket",
    "map",
    "row",
    "lookup",
    "group",
    "unique",
    "translation",
    "i18n",
    "event",
    "routing",
    "message",
    "next",
    "page",
    "continuation",
    "sync",
    "resource",
    "column",
    "natural",
    "registry",
    "shortcut",
    "hot",
    "keyboard",
    "dedup",
    "host",
    "config",
    "json",
    "dict",
    "item",
    "field",
    "tag",
    "label",
    "restore",
    "artifact",
    "build",
    "storage_class",
    "fingerprint",
    "id",
    "ids",
    "name",
    "by",
    "issue",
    "project",
    "method",
    "function",
    "type",
    "commit",
    "git",
];

/// What a name says, if anything. `before` is the word in front of it (`API key: …`).
pub fn sensitive(name: &[u8], before: &[u8]) -> Option<Sensitive> {
    let mut words = words(name);
    while words.len() > 1 && words.last().is_some_and(|last| is_tail(last)) {
        words.pop();
    }
    let last = words.last()?.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    if let Some(end) = words.last_mut() {
        *end = last;
    }
    let mut joined = words.join("_");
    let before = String::from_utf8_lossy(before).to_ascii_lowercase();
    if words.len() == 1 && BEFORE.contains(&before.as_str()) {
        joined = format!("{before}_{joined}");
    }
    let fits = |ending: &str| {
        joined.strip_suffix(ending).is_some_and(|rest| {
            rest.is_empty()
                || rest.ends_with('_')
                || (ending.len() >= 5 && ending != "cookie" && ending != "session")
        })
    };
    let (ending, sensitive) =
        ENDINGS.iter().filter(|(ending, _)| fits(ending)).max_by_key(|(ending, _)| ending.len())?;
    let rest = joined.strip_suffix(ending).unwrap_or_default();
    let harmless = rest.split('_').any(|word| HARMLESS.contains(&word));
    match sensitive {
        Sensitive::Perhaps(_) if harmless => None,
        // A key for what? Alone the word says too little.
        Sensitive::Perhaps(_)
            if rest.is_empty() && matches!(*ending, "key" | "keys" | "sig" | "pat" | "tok") =>
        {
            None
        }
        // `db_pass` is surer than `pass`, which tests have, too.
        Sensitive::Secret("password") if !rest.is_empty() => Some(Sensitive::Password),
        other => Some(*other),
    }
}

/// Whether a word that stands where a value would is only another such name: `token=new_token`.
pub fn is_name_itself(value: &[u8]) -> bool {
    let plain =
        value.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b' '));
    plain
        && (!value.contains(&b' ') || words(value).len() <= 3)
        && words(value).last().is_some_and(|last| {
            is_tail(last)
                || ENDINGS.iter().any(|(ending, _)| last == ending)
                || HARMLESS.contains(&last.as_str())
        })
        && (sensitive(value, b"").is_some()
            || words(value).iter().all(|word| ENDINGS.iter().any(|(e, _)| word == e)))
}

fn is_tail(word: &str) -> bool {
    TAILS.contains(&word) || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `clientSecret_v2`, `CLIENT-SECRET`, `client.secret`: the words, in small letters.
fn words(name: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, byte) in name.iter().enumerate() {
        let previous = at.checked_sub(1).map(|at| name[at]);
        let next = name.get(at + 1);
        let begins = byte.is_ascii_uppercase()
            && (previous.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                || previous.is_some_and(|byte| byte.is_ascii_uppercase())
                    && next.is_some_and(u8::is_ascii_lowercase));
        if (begins || !byte.is_ascii_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if byte.is_ascii_alphanumeric() {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_their_last_words() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "PGPASSWORD",
            "spring.datasource.password",
            "password2",
            "PASSWORD_PROD",
        ] {
            assert_eq!(sensitive(name.as_bytes(), b""), Some(Sensitive::Password), "{name}");
        }
        for name in [
            "apiKey",
            "X-Api-Key",
            "OPENAI_API_KEY",
            "access_token",
            "authToken",
            "sessionId",
            "ACCOUNTKEY",
            "client-key-data",
        ] {
            assert!(sensitive(name.as_bytes(), b"").is_some(), "{name}");
        }
        for name in [
            "key",
            "public_key",
            "cacheKey",
            "password_policy",
            "token_type",
            "monkey_id",
            "tokens",
            "primaryKey",
            "passed",
            "keyboard",
            "compass",
            "next_page_token",
            "design",
            "assign",
        ] {
            assert_eq!(sensitive(name.as_bytes(), b""), None, "{name}");
        }
    }
}
