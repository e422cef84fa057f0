//! How a command line is read and explained: one table of verbs and one of options for each verb, from which the parser,
//! the help pages and the errors come.

pub mod command_line;
pub mod completion;
pub mod dispatch;
pub mod error;
pub mod help;
pub mod man;
pub mod message;
pub mod option;
pub mod shared_options;
pub mod shared_rows;
pub mod verb;
pub mod word_kind;
