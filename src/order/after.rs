//! What happens to the money of an order behind its back.

use super::{
    Accepted, AnyOrder, BlockedRelease, Cancelled, Facts, Order, PendingRelease, PendingValidate, Published, Rejected,
    Released, Was, state::Blockable,
};
use crate::{
    lifecycle::Reason,
    money::Money,
    party::PartyId,
    payment::{Outgoing, PayinId, Stake, Stands, notes_after, stops_when_charged_back},
    text::Prose,
};

notes_after!(
    Order, AnyOrder: Published, Accepted, PendingValidate, PendingRelease, BlockedRelease, Released, Cancelled, Rejected
);
stops_when_charged_back!(
    Order, AnyOrder: BlockedRelease;
    |facts, payin, amount| one_payin(facts, payin, amount), one_payin(facts, payin, amount);
    Cancelled; |stopped| stopped.called_off(None)
);

// An order is paid by one payin, so what it holds says all.
const fn one_payin(_: &mut Facts, _: PayinId, _: Money) {}

impl Exposed for BlockedRelease {
    fn stop(self, _: &Prose) -> BlockedRelease {
        self
    }
}

macro_rules! exposed {
    ($($status:ident),+) => { $(
        impl Exposed for $status {
            fn stop(self, reason: &Prose) -> BlockedRelease {
                BlockedRelease { reason: reason.clone(), was: Box::new(self.was()) }
            }
        }
    )+ };
}

exposed!(Published, Accepted, PendingValidate);

impl Order<BlockedRelease> {
    // Where each payout has gone through, or has somewhere to go, it can be unblocked.
    pub(super) fn may_close(&self) -> Result<(), Reason> {
        self.state.none_out()?;
        match &*self.state.was {
            Was::PendingRelease(release) if release.payouts.standing(Stands::Returned).next().is_none() => {
                Err(Reason::NotThisWay { instead: "no payout gave its money back: `unblock` it" })
            }
            Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) | Was::PendingRelease(_) => {
                self.facts().aftermath.nothing_left(self.held())
            }
        }
    }
}

impl AnyOrder {
    pub(super) fn at_stake(&self) -> Stake {
        let facts = self.facts();
        let platform = facts.terms.platform.clone();
        // The parts of a movement stand or fall together, so none of them stops alone: its payer owes what is charged back,
        // whoever has the money by then.
        if facts.part().is_some() {
            return Stake::none(platform, facts.terms.amount.currency());
        }
        let released = |release: &PendingRelease| paid(&release.payouts, release.fee, &platform);
        let paid = match self {
            Self::PendingRelease(order) => released(&order.state),
            Self::Released(order) => paid(&order.state.payouts, order.state.fee, &platform),
            Self::BlockedRelease(order) => match &*order.state.was {
                Was::PendingRelease(release) => released(release),
                Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => Vec::new(),
            },
            // What had gone through before it was called off stays with whoever has it.
            Self::Cancelled(order) => order.state.released().map(released).unwrap_or_default(),
            Self::Draft(_)
            | Self::PendingPublish(_)
            | Self::Failure(_)
            | Self::Published(_)
            | Self::Accepted(_)
            | Self::Rejected(_)
            | Self::PendingValidate(_) => Vec::new(),
        };
        Stake { held: self.held(), paid: facts.aftermath.left(paid), platform }
    }
}

// The payees, and the platform with its fee. What a payout gave back to the order is held there.
fn paid(payouts: &Outgoing, fee: Money, platform: &PartyId) -> Vec<(PartyId, Money)> {
    let out = payouts.legs().iter().filter(|leg| leg.stands != Stands::Returned);
    out.map(|leg| (leg.party.clone(), leg.amount)).chain([(platform.clone(), fee)]).collect()
}
