//! Who asks, and under which key of the host's.

use super::{EscrowError, Needs};
use crate::{
    id::{Id, Subject},
    lifecycle::{Lifecycle, Opening},
    money::Money,
    party::{Actor, PartyId},
    payment::Method,
    pledge::Offer,
    store::{Digest, Request, RequestKey},
};
use serde::Serialize;

/// Who asks for something, and the host's key for the request, if it has one.
///
/// An [`Actor`] alone is a caller without a key. Under a key a request is done once, however often it is sent: sent again,
/// it gets its first answer, even after others went on. So whoever does not know what became of a commit, because the
/// connection was cut or the program died, sends the same request again.
///
/// ```
/// use escrowed::{escrow::{Escrow, EscrowError}, memory::Memory, order::{Command, Status, Terms}, party::Actor, sandbox::Sandbox};
/// use escrowed::store::Store;
/// # futures_lite::future::block_on(async {
/// let escrow = Escrow::new(Memory::new(), Sandbox::new(7));
/// let ops = Actor::platform("ops".parse()?);
/// let terms = Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
///
/// let mut unit = escrow.store().begin().await?;
/// let first = escrow.open_order(&mut unit, terms.clone(), ops.clone().under("ops-1".parse()?)).await?;
/// let again = escrow.open_order(&mut unit, terms, ops.clone().under("ops-1".parse()?)).await?;
/// assert_eq!(first.id(), again.id());             // one order was opened
///
/// let cancel = Command::Cancel {};
/// let other = escrow.act(&mut unit, first.id(), cancel, ops.under("ops-1".parse()?)).await;
/// assert!(matches!(other, Err(EscrowError::OtherRequest { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// - The key is the host's, across all that it stores here. Where clients choose keys, put the client's own id in front.
/// - What is kept is a [`Digest`] of who asks for what: of the actor, the id, and the command or the terms as JSON. After
///   an update of the program that changes a command's form, a request that was sent before is answered
///   [`EscrowError::OtherRequest`] when it is sent again; it is never done twice.
/// - What was refused, or not written, has not used its key.
/// - The first answer is the value as it was then. When it has changed since, a step of it is found stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// The host's key for this request.
    pub key: Option<RequestKey>,
    /// What the payin that it opens needs of its payer, and the payee that the payer is shown: see [`Needs`]. Another party than
    /// the one that is paid is refused. Left to the gateway when nothing is said.
    pub needing: Option<(Needs, PartyId)>,
}

impl From<Actor> for Caller {
    fn from(actor: Actor) -> Self {
        Self { actor, key: None, needing: None }
    }
}

impl Actor {
    /// This actor with a request that is done once, under a key of the host's: see [`Caller`].
    #[must_use]
    pub const fn under(self, key: RequestKey) -> Caller {
        Caller { actor: self, key: Some(key), needing: None }
    }

    /// This actor, who opens a payin to this payee that needs a challenge, or asks to be exempt: see [`Needs`].
    #[must_use]
    pub fn needing(self, needs: Needs, payee: PartyId) -> Caller {
        Caller::from(self).needing(needs, payee)
    }
}

impl Caller {
    /// The same, who opens a payin to this payee that needs a challenge, or asks to be exempt: see [`Needs`].
    #[must_use]
    pub fn needing(mut self, needs: Needs, payee: PartyId) -> Self {
        self.needing = Some((needs, payee));
        self
    }

    /// The request to open something of these terms. Its id is made anew each time, so it is no part of it.
    pub(super) fn opens<L: Lifecycle, E>(&self, opening: &L::Opening) -> Result<Option<Request>, EscrowError<E>> {
        if self.key.is_none() {
            return Ok(None);
        }
        self.asks("open", L::TABLE.name, opening.asked()?)
    }

    /// The request to do what a command says.
    pub(super) fn commands<L: Lifecycle, E>(
        &self,
        id: Id<L>,
        command: &L::Command<'_>,
    ) -> Result<Option<Request>, EscrowError<E>> {
        self.asks("act", id.subject(), command)
    }

    /// The request to pledge. What it is pledged to says the rest of the terms, so that is no part of it.
    pub(super) fn pledges<E>(
        &self,
        to: Subject,
        offer: &Offer,
        by: &Method,
    ) -> Result<Option<Request>, EscrowError<E>> {
        self.asks("pledge", to, (offer, by))
    }

    /// The request to refund some of what was released.
    pub(super) fn refunds<E>(&self, of: Subject, amount: Money) -> Result<Option<Request>, EscrowError<E>> {
        self.asks("refund_released", of, amount)
    }

    fn asks<E>(&self, verb: &str, of: impl Serialize, what: impl Serialize) -> Result<Option<Request>, EscrowError<E>> {
        let Some(key) = &self.key else { return Ok(None) };
        let content = match &self.needing {
            None => serde_json::to_string(&(verb, of, &self.actor, what))?,
            Some(needing) => serde_json::to_string(&(verb, of, &self.actor, what, needing))?,
        };
        Ok(Some(Request { key: key.clone(), digest: Digest::of(&content) }))
    }
}
