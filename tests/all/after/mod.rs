//! What happens after the end: payouts and refunds that come back, payments that are charged back, refunds of what was released, debts.

mod blocked;
mod bounced;
mod chargebacks;
mod debts;
mod evidence;
mod heard;
mod refunding;
mod refunds;
mod refunds_returned;
mod returned;
mod storm;
mod twice;
mod unapproved;
mod written_off;

pub(crate) use chargebacks::debts;
pub(crate) use debts::write_off;
pub(crate) use evidence::{Taken, came_back, nothing_there};
pub(crate) use refunds_returned::{replace, send_back};

use crate::harness::{Problem, Shop, party};
use escrowed::{
    escrow::Reported,
    gateway::{Dispute, DisputeStage},
    money::Money,
    payment::PayinId,
    store::Store,
};

/// The card network takes some of a payin, under a reference; the gateway charges a fee.
pub(crate) fn charged<S: Store>(shop: &Shop<S>, payin: PayinId, reference: &str, amount: Money, fee: Money) -> Dispute {
    let dispute = Dispute {
        payin: payin.subject(),
        reference: reference.parse().unwrap(),
        amount,
        fee,
        reason: "fraudulent".parse().unwrap(),
        stage: DisputeStage::Open,
    };
    shop.gateway().charge_back(dispute).expect("the payin was paid")
}

/// The dispute is decided, at the gateway.
pub(crate) fn decided<S: Store>(shop: &Shop<S>, dispute: &Dispute, won: bool) -> Dispute {
    shop.gateway().decide(&dispute.reference, won).expect("it was open")
}

pub(crate) async fn try_tell<S: Store>(shop: &Shop<S>, dispute: &Dispute) -> Result<Reported, Problem<S>> {
    let mut unit = shop.begin().await;
    let reported = shop.escrow.dispute(&mut unit, dispute).await?;
    shop.commit(unit).await;
    Ok(reported)
}

pub(crate) async fn tell<S: Store>(shop: &Shop<S>, dispute: &Dispute) -> Reported {
    try_tell(shop, dispute).await.unwrap()
}

/// A wallet's balance.
pub(crate) async fn wallet<S: Store>(shop: &Shop<S>, name: &str) -> Money {
    shop.balance(&format!("wallet:{}", party(name))).await
}

/// What somebody owes: below zero.
pub(crate) async fn owed<S: Store>(shop: &Shop<S>, name: &str) -> Money {
    shop.balance(&format!("debt:{}", party(name))).await
}
