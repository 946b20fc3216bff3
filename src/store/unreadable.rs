//! Rows that cannot be read, beside those that can.

/// A row that this program cannot read: a later version of it wrote the row, or somebody has tampered with it. Nothing is made
/// of it and nothing is guessed; the rows beside it are read all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the row of {id} cannot be read: {problem}: run the version that wrote it, or correct the row")]
pub struct Unreadable {
    /// Its key or id as the store has it, which need be neither.
    pub id: String,
    /// What is wrong with it, in words. They may quote the row.
    pub problem: String,
}
