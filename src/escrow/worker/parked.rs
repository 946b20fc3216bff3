//! Calls that wait for a person.

use super::super::{Clock, Escrow, EscrowError};
use crate::{
    gateway::{Gateway, IdempotencyKey},
    store::{CallState, CallStatus, Outbox, Postponement, Store, Unreadable},
};

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// A page of the calls that failed too often, were answered with what cannot be or cannot be read, in order of their keys
    /// as text, at most `limit` after `after`: each with what went wrong ([`problem`](CallState::problem)), how often it was
    /// tried ([`attempts`](CallState::attempts)) and since when it waits for a person ([`due`](CallState::due)).
    ///
    /// One that cannot be read is listed as [`Unreadable`], by what the store has for a key. A program that can read it, such as
    /// the later version that wrote it, lists it like any other, and puts it back: nothing of it was sent meanwhile.
    ///
    /// An operator's page, and the button on it:
    ///
    /// ```
    /// use escrowed::{escrow::{Escrow, Policy}, memory::Memory, order, party::Actor, payment::Method};
    /// use escrowed::{gateway::Verb, sandbox::{Behaviour, Sandbox}, store::Store};
    /// # futures_lite::future::block_on(async {
    /// # let impatient = Policy { attempts: 1, ..Policy::default() };
    /// # let escrow = Escrow::new(Memory::new(), Sandbox::new(7)).with_policy(impatient);
    /// # escrow.gateway().script(Verb::Charge, [Behaviour::TimeoutAfter]);
    /// # let (anna, ops) = (Actor::Party("anna".parse()?), Actor::platform("ops".parse()?));
    /// # let terms = order::Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
    /// # let mut unit = escrow.store().begin().await?;
    /// # let order = escrow.open_order(&mut unit, terms, ops.clone()).await?;
    /// # let buyer = "anna".parse()?;
    /// # escrow.act(&mut unit, order.id(), order::Command::IdentifyBuyer { buyer }, ops).await?;
    /// # escrow.act(&mut unit, order.id(), order::Command::Pay { by: Method::Card }, anna).await?;
    /// # escrow.store().commit(unit).await?;
    /// let sent = escrow.send(&"worker-1".parse()?, 10).await?;
    /// assert_eq!(sent.parked, 1);
    ///
    /// let mut unit = escrow.store().begin().await?;
    /// let page = escrow.parked(&mut unit, None, 50).await?;
    /// for entry in &page {
    ///     match entry {
    ///         Ok(call) => {
    ///             let problem = call.problem.as_ref().unwrap().as_str();
    ///             assert_eq!(problem, "no answer came in time: look the call up by its key");
    ///             escrow.requeue(&mut unit, &call.instruction.key()).await?;
    ///         }
    ///         Err(unreadable) => eprintln!("{unreadable}"),        // for whoever looks after the database
    ///     }
    /// }
    /// escrow.store().commit(unit).await?;
    ///
    /// let sent = escrow.send(&"worker-1".parse()?, 10).await?;     // looked up: the money had moved
    /// assert_eq!(sent.answered, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`EscrowError::Storage`] when the storage fails.
    pub async fn parked<U: Outbox>(
        &self,
        unit: &mut U,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Result<CallState, Unreadable>>, EscrowError<U::Error>> {
        unit.calls(CallStatus::Parked, after, limit).await.map_err(EscrowError::Storage)
    }

    /// Puts a parked call back: it is an operator's word that the gateway was asked about it. If it may have been sent it is
    /// looked up, and sent if it never arrived. Its attempts stay counted, so that it is parked again if that fails, too.
    ///
    /// # Errors
    /// [`EscrowError::UnknownCall`] when no such call is parked.
    pub async fn requeue<U: Outbox>(&self, unit: &mut U, key: &IdempotencyKey) -> Result<(), EscrowError<U::Error>> {
        let call = unit.call(key).await.map_err(EscrowError::Storage)?;
        if call.is_none_or(|call| call.status != CallStatus::Parked) {
            return Err(EscrowError::UnknownCall(*key));
        }
        unit.postpone(&Postponement::queued(*key, self.clock.now())).await.map_err(EscrowError::Storage)?;
        Ok(())
    }
}
