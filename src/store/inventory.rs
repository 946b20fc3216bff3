//! Lists everything a store holds, table by table.

use super::{Answered, IndexEntry, RequestKey, Views};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    party::PartyId,
};
use std::future::Future;

/// Lists everything a store holds, whether or not it belongs together: what [`verify`](crate::verify) looks through.
///
/// Each list is in an order of the store's own that does not change, and begins anew after what `after` names, whether or
/// not that is still there.
pub trait Inventory: Views {
    /// Everything that has a log or an index row, each once, at most `limit` after `after`.
    ///
    /// # Errors
    /// When the storage fails.
    fn subjects(
        &mut self,
        after: Option<Subject>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Subject>, Self::Error>> + Send;

    /// The index row of a subject; `None` when there is none.
    ///
    /// # Errors
    /// When the storage fails, or the row cannot be read.
    fn row(&mut self, subject: Subject) -> impl Future<Output = Result<Option<IndexEntry>, Self::Error>> + Send;

    /// What [`Query::Party`](super::Query::Party) finds: each party with each of its subjects, in order of both, at most
    /// `limit` after `after`. Where a store keeps no such list besides the index rows, what the rows say.
    ///
    /// # Errors
    /// When the storage fails.
    fn members(
        &mut self,
        after: Option<(&PartyId, Subject)>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(PartyId, Subject)>, Self::Error>> + Send;

    /// Every account that an entry or a balance names, each once, at most `limit` after `after`.
    ///
    /// # Errors
    /// When the storage fails.
    fn accounts(
        &mut self,
        after: Option<&Account>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Account>, Self::Error>> + Send;

    /// The balances of one account, zeros included: one for each currency that was ever booked on it, in minor units.
    ///
    /// # Errors
    /// When the storage fails.
    fn balances_of(&mut self, account: &Account) -> impl Future<Output = Result<Vec<Balance>, Self::Error>> + Send;

    /// Whose calls a call is kept in order with: the [`lane`](super::Commit::lane) of the commit that asked for it; `None`
    /// when there is no such call.
    ///
    /// # Errors
    /// When the storage fails.
    fn lane(&mut self, key: &IdempotencyKey) -> impl Future<Output = Result<Option<Subject>, Self::Error>> + Send;

    /// The requests that were done, in order of their keys, at most `limit` after `after`.
    ///
    /// # Errors
    /// When the storage fails.
    fn requests(
        &mut self,
        after: Option<&RequestKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(RequestKey, Answered)>, Self::Error>> + Send;
}
