//! What a word or an option's value may be, so that a shell can offer what there is.

/// One kind of word.
#[derive(Debug, Clone, Copy)]
pub enum WordKind {
    /// Nothing can be offered.
    Free,
    File,
    Folder,
    Profile,
    /// A verb that may come first.
    Verb,
    /// One of achilles' own profiles, by the name that achilles has for it.
    AchillesProfile,
    OneOf(fn() -> Vec<&'static str>),
}
