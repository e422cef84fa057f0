//! What is wrong with an answer that can't be used, as data. Of what was received it holds no more than names.

/// An answer that is not the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableAnswer {
    /// Its status and what it says that it is, if it came over HTTP.
    pub seen: Option<SeenAnswer>,
    pub flaw: AnswerFlaw,
}

/// What can be told of an answer without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenAnswer {
    pub status: u16,
    /// Without its parameters; none if it does not say.
    pub content_type: Option<String>,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFlaw {
    /// It answers another question than was asked.
    OffTopic,
    /// Nothing was asked: the provider has no such request.
    NeverAsked,
    /// It is longer than any answer is.
    TooLong,
    /// There is nothing in it.
    Empty,
    /// It says that it is no JSON, or it is compressed.
    NotJson,
    /// JSON that is cut off or malformed.
    Damaged,
    /// JSON, but no object.
    NoObject,
    /// The object lacks this field.
    Missing(String),
    /// This field is of another kind than the contract's.
    WrongKind(String),
    /// This field can't be used, for this reason.
    Unfit(String, &'static str),
}

impl UnusableAnswer {
    /// One of which nothing else is known.
    pub fn of(flaw: AnswerFlaw) -> Self {
        Self { seen: None, flaw }
    }
}

impl AnswerFlaw {
    /// The field of this name can't be used, for this reason.
    pub fn unfit(name: &str, why: &'static str) -> Self {
        Self::Unfit(name.to_owned(), why)
    }

    /// Whether it is a page, or what is left of an answer: whoever sent it may not be the server at all.
    pub fn is_of_no_object(&self) -> bool {
        match self {
            Self::TooLong | Self::Empty | Self::NotJson | Self::Damaged | Self::NoObject => true,
            Self::OffTopic | Self::NeverAsked | Self::Missing(_) | Self::WrongKind(_) | Self::Unfit(..) => {
                false
            }
        }
    }
}
