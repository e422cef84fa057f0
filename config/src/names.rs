//! What profiles may be called, and the names that are there without `config.toml`.

use crate::provider::ProviderKind;
use everkey_proto::text::harmless;

/// The names that need no `config.toml`; each is a provider's.
pub(crate) const BUILT_IN: [&str; 4] = ["failproofai", "achilles", "binboi", "dot-ai"];

/// The provider that a built-in name stands for.
pub(crate) fn built_in(name: &str) -> Option<ProviderKind> {
    BUILT_IN.contains(&name).then(|| name.parse::<ProviderKind>().ok()).flatten()
}

/// Whether the name is one that needs no `config.toml`.
pub fn is_built_in(name: &str) -> bool {
    built_in(name).is_some() || name.starts_with("achilles/")
}

/// Whether a profile of `config.toml` may have this name; it becomes a file's and a link's.
pub fn is_word_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&name.len())
        && name.chars().all(letters)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Whether a name that somebody else chose is fit to become part of a file's name and to be shown.
pub fn is_plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !matches!(name, "." | "..")
        && harmless(name, usize::MAX) == name
        && !name.contains(['/', '\\'])
        && name.trim() == name
}
