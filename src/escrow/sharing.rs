//! Sharing out: what is due of a distribution, one batch of it.

use super::{Clock, Escrow, EscrowError, gather::Gathering, member::Reaction};
use crate::{
    distribution::{AnyDistribution, Batch, Distribution, DistributionId, Sharing},
    gateway::Gateway,
    lifecycle::{Reason, Transition},
    party::Stamp,
    pledge::{AnyPledge, Gathered, Pledge, PledgeId, Status},
    store::{Cursor, IndexEntry, Query, Store, Views},
};

// How many rows of the index are read at a time.
const PAGE: usize = 500;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// The next batch of a distribution; `None` for anything else.
    pub(super) async fn shares_due(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        row: &IndexEntry,
        at: &Stamp,
    ) -> Result<Option<bool>, EscrowError<S::Error>> {
        let Ok(id) = DistributionId::try_from(row.subject) else { return Ok(None) };
        let AnyDistribution::Sharing(mut next) = gathered.load(id).await? else { return Ok(Some(false)) };
        // What was repaid first is shared out first: each part is what a lender lacks of all that was repaid until then.
        while let Some(before) = next.facts().terms().after {
            match gathered.load(before).await? {
                AnyDistribution::Sharing(earlier) => next = earlier,
                AnyDistribution::Shared(_) => break,
            }
        }
        let by_itself = Stamp::gateway(at.at);
        let (batch, received) = self.next_parts(gathered, &next, &by_itself).await?;
        let mut commits = next.go_on(batch, &by_itself)?.into_commits();
        commits.extend(received.into_iter().flat_map(Transition::into_commits));
        self.react(gathered, Reaction { commits, abandoned: None }, at).await?;
        Ok(Some(true))
    }

    // The next pledges in the order of their ids, and what each gets.
    async fn next_parts(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        distribution: &Distribution<Sharing>,
        at: &Stamp,
    ) -> Result<(Batch, Vec<Transition<Pledge<Gathered>>>), EscrowError<S::Error>> {
        let terms = distribution.facts().terms();
        let (mut batch, mut received) = (distribution.next_batch(), Vec::new());
        let through = distribution.state().through();
        let mut cursor = through.map(|pledge| Cursor { deadline: None, subject: pledge.subject() });
        let mut looked_at = 0;
        loop {
            let page = gathered.unit.find(&Query::About(terms.about), cursor.as_ref(), PAGE).await;
            let page = page.map_err(EscrowError::Storage)?;
            for row in &page.rows {
                let Ok(id) = PledgeId::try_from(row.subject) else { continue };
                // Those that were not gathered lent nothing, and need not be read.
                if row.status != Status::Gathered.name() {
                    continue;
                }
                let AnyPledge::Gathered(pledge) = gathered.load(id).await? else { continue };
                let proceeds = distribution.turn(&mut batch, &pledge)?;
                if proceeds.sum().map_err(Reason::from)?.is_positive() {
                    received.push(pledge.receive(proceeds, at)?);
                }
                looked_at += 1;
                if looked_at == terms.batch || distribution.is_last(&batch) {
                    return Ok((batch, received));
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                // Everybody had their turn, and something is left: the books must be looked at.
                return Err(Reason::Missing { what: "a lender for every part" }.into());
            }
        }
    }
}
