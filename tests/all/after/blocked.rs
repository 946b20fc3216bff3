//! Chargebacks of orders whose release is blocked, or that were called off when some of it had been paid out.

use super::{
    chargebacks::{NONE, audit},
    charged, decided, tell,
};
use crate::harness::{Problem, Shop, bank, euro, on_each_store, ops, party, terms, worker};
use escrowed::{
    gateway::Verb,
    lifecycle::Reason,
    money::Share,
    order::{AnyOrder, BlockedRelease, Command, Order, OrderId, Payee, PayoutPlan, Status},
    payment::{AnyPayout, Destination, PayoutId, payout},
    sandbox::Behaviour,
    store::Store,
};

fn to(name: &str, share: Share, to: Destination) -> Payee {
    Payee { party: party(name), share, to }
}

/// Validated, and the first payout was declined.
async fn blocked<S: Store>(shop: &Shop<S>, plan: PayoutPlan) -> OrderId {
    let id = shop.planned(terms(), plan).await;
    shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "no".parse().unwrap() }]);
    shop.act(id, Command::Validate {}, ops()).await;
    assert_eq!(shop.escrow.send(&worker(), 1).await.unwrap().answered, 1);
    assert_eq!(shop.status(id).await, Status::BlockedRelease);
    id
}

async fn order_of<S: Store>(shop: &Shop<S>, id: OrderId) -> Order<BlockedRelease> {
    let AnyOrder::BlockedRelease(order) = shop.order(id).await else { panic!("it is blocked") };
    order
}

async fn payout_of<S: Store>(shop: &Shop<S>, id: OrderId, wanted: payout::Status) -> PayoutId {
    let payouts = shop.payouts(id).await;
    payouts.iter().find(|payout| payout.status() == wanted).expect("a payout that stands there").id()
}

async fn try_payout<S: Store>(shop: &Shop<S>, id: PayoutId, command: payout::Command) -> Result<AnyPayout, Problem<S>> {
    let mut unit = shop.begin().await;
    let payout = shop.escrow.act_on_payout(&mut unit, id, command, ops()).await?;
    shop.commit(unit).await;
    Ok(payout)
}

/// The denied payout gives its money back.
async fn give_back<S: Store>(shop: &Shop<S>, id: OrderId) {
    let denied = payout_of(shop, id, payout::Status::Denied).await;
    try_payout(shop, denied, payout::Command::GiveBack {}).await.unwrap();
}

/// It is called off by the typed step.
async fn cancel<S: Store>(shop: &Shop<S>, id: OrderId) {
    let at = shop.escrow.stamp(ops());
    let cancelled = order_of(shop, id).await.cancel(&at).unwrap();
    let mut unit = shop.begin().await;
    shop.escrow.save(&mut unit, cancelled, &at).await.unwrap();
    shop.commit(unit).await;
}

on_each_store! {
    async fn it_is_not_called_off_while_the_dispute_is_open_whoever_asks_how(shop) {
        let id = shop.paid(terms()).await;
        let dispute = charged(&shop, shop.payin(id).await.id(), "dp_1", euro("40.00"), euro(NONE));
        tell(&shop, &dispute).await;
        let at = shop.escrow.stamp(ops());
        let refused = order_of(&shop, id).await.cancel(&at).expect_err("nobody knows what there will be");
        assert!(matches!(refused.reason, Reason::Underway(_)), "{refused:?}");
        tell(&shop, &decided(&shop, &dispute, true)).await;
        cancel(&shop, id).await;
        shop.send().await;
        assert_eq!(shop.refunds(id).await[0].facts().amount, euro("100.00"));
        audit(&shop).await;
    }

    async fn it_is_not_called_off_while_a_payout_is_out_whoever_asks_how(shop) {
        let half = |name: &str| to(name, Share::Rest, bank("ba_1"));
        let id = blocked(&shop, PayoutPlan::among([half("sam"), half("tom")])).await;
        give_back(&shop, id).await;
        let at = shop.escrow.stamp(ops());
        let refused = order_of(&shop, id).await.cancel(&at).expect_err("tom's payout is at the bank");
        assert!(matches!(refused.reason, Reason::Underway(_)), "{refused:?}");
        shop.send().await;
        cancel(&shop, id).await;
        shop.send().await;
        audit(&shop).await;
    }
}
