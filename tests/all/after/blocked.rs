//! Chargebacks of orders whose release is blocked, or that were called off when some of it had been paid out.

use super::{
    chargebacks::{NONE, audit, pair, stand},
    charged, decided, tell,
};
use crate::harness::{Problem, Shop, bank, euro, on_each_store, ops, party, terms, user, worker};
use escrowed::{
    escrow::EscrowError,
    gateway::{Dispute, Verb},
    lifecycle::Reason,
    money::{FeeRule, Share},
    order::{Amendment, AnyOrder, BlockedRelease, Command, Order, OrderId, Payee, PayoutPlan, Status, Terms},
    party::Actor,
    payment::{AnyPayout, Destination, PayoutId, payout},
    sandbox::Behaviour,
    store::Store,
};
use std::time::Duration;

fn to(name: &str, share: Share, to: Destination) -> Payee {
    Payee { party: party(name), share, to }
}

/// Validated, and the first payout was declined.
async fn blocked<S: Store>(shop: &Shop<S>, plan: PayoutPlan) -> OrderId {
    let id = shop.planned_by_platform(terms(), plan).await;
    shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "no".parse().unwrap() }]);
    shop.act(id, Command::Validate {}, ops()).await;
    assert_eq!(shop.escrow.send(&worker(), 1).await.unwrap().answered, 1);
    assert_eq!(shop.status(id).await, Status::BlockedRelease);
    id
}

/// The same with €90 for sam alone.
async fn sam_is_denied<S: Store>(shop: &Shop<S>) -> OrderId {
    blocked(shop, PayoutPlan::to(party("sam"), bank("ba_sam"))).await
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

/// All of it is charged back.
async fn charge_back<S: Store>(shop: &Shop<S>, id: OrderId) -> Dispute {
    let dispute = charged(shop, shop.payin(id).await.id(), "dp_1", euro("100.00"), euro(NONE));
    tell(shop, &dispute).await;
    dispute
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

on_each_store! {
    async fn who_bore_a_chargeback_is_paid_what_was_denied_and_the_buyer_is_not_paid_twice(shop) {
        let id = sam_is_denied(&shop).await;
        let dispute = charge_back(&shop, id).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, "-90.00"), pair(NONE, NONE)]);
        let denied = payout_of(&shop, id, payout::Status::Denied).await;
        for lost in [false, true] {
            if lost {
                tell(&shop, &decided(&shop, &dispute, false)).await;
            }
            let refused = try_payout(&shop, denied, payout::Command::GiveBack {}).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{refused:?}");
        }
        // Into the wallet, out of which the debt is paid.
        try_payout(&shop, denied, payout::Command::Replace { to: Destination::Wallet }).await.unwrap();
        shop.act(id, Command::Unblock {}, ops()).await;
        assert_eq!(shop.status(id).await, Status::Released);
        shop.escrow.clock().advance(Duration::from_secs(86_400));
        shop.escrow.run_due(&worker(), 10).await.unwrap();
        assert_eq!(stand(&shop, &["sam", "shop", "anna"]).await, vec![pair(NONE, NONE); 3]);
        assert!(shop.refunds(id).await.is_empty());
        assert_eq!(shop.balance("world:sandbox").await, euro(NONE));
        audit(&shop).await;
    }

    async fn who_bore_a_chargeback_that_was_won_may_be_passed_over(shop) {
        let id = sam_is_denied(&shop).await;
        let dispute = charge_back(&shop, id).await;
        tell(&shop, &decided(&shop, &dispute, true)).await;
        give_back(&shop, id).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        assert_eq!(stand(&shop, &["sam", "shop", "anna"]).await, [pair(NONE, NONE), pair("10.00", NONE), pair(NONE, NONE)]);
        assert_eq!(shop.refunds(id).await[0].facts().amount, euro("90.00"));
        audit(&shop).await;
    }

    async fn a_payout_that_was_not_sent_is_not_called_off_past_who_bore_a_chargeback(shop) {
        let half = |to_: &str| to("sam", Share::Rest, bank(to_));
        let id = blocked(&shop, PayoutPlan::among([half("ba_1"), half("ba_2")])).await;
        charge_back(&shop, id).await;
        let unsent = payout_of(&shop, id, payout::Status::Created).await;
        let refused = try_payout(&shop, unsent, payout::Command::Cancel {}).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{refused:?}");
        shop.send().await;
        audit(&shop).await;
    }
}

on_each_store! {
    async fn who_was_paid_before_it_was_called_off_bears_its_part(shop) {
        let sam = to("sam", Share::Fixed(euro("60.00")), bank("ba_sam"));
        let id = blocked(&shop, PayoutPlan::among([sam, to("tom", Share::Rest, Destination::Wallet)])).await;
        give_back(&shop, id).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        let had = [pair(NONE, NONE), pair("30.00", NONE), pair("10.00", NONE), pair(NONE, NONE)];
        assert_eq!(stand(&shop, &["sam", "tom", "shop", "anna"]).await, had);
        let dispute = charge_back(&shop, id).await;
        // Anna has her €60 twice.
        let left = [pair(NONE, NONE), pair(NONE, NONE), pair(NONE, NONE), pair(NONE, "-60.00")];
        assert_eq!(stand(&shop, &["sam", "tom", "shop", "anna"]).await, left);
        audit(&shop).await;
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(stand(&shop, &["sam", "tom", "shop", "anna"]).await, had);
        assert_eq!(shop.status(id).await, Status::Cancelled);
        audit(&shop).await;
    }

    async fn the_platform_gives_the_fee_that_it_kept(shop) {
        let id = sam_is_denied(&shop).await;
        give_back(&shop, id).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        let AnyOrder::Cancelled(cancelled) = shop.order(id).await else { panic!("it was called off") };
        assert_eq!(cancelled.state().released().expect("it was validated").fee(), euro("10.00"));
        charge_back(&shop, id).await;
        let left = [pair(NONE, NONE), pair(NONE, NONE), pair(NONE, "-90.00")];
        assert_eq!(stand(&shop, &["sam", "shop", "anna"]).await, left);
        audit(&shop).await;
    }
}

on_each_store! {
    async fn what_was_given_back_and_then_charged_back_is_closed(shop) {
        let id = sam_is_denied(&shop).await;
        give_back(&shop, id).await;
        let dispute = charge_back(&shop, id).await;
        assert_eq!(shop.order(id).await.held(), euro(NONE));
        assert_eq!(stand(&shop, &["sam", "shop", "anna"]).await, vec![pair(NONE, NONE); 3]);
        let early = shop.try_act(id, Command::Close {}, ops()).await;
        assert!(matches!(early, Err(EscrowError::Refused(Reason::Underway(_)))), "{early:?}");
        tell(&shop, &decided(&shop, &dispute, false)).await;
        for command in [Command::Unblock {}, Command::Cancel {}] {
            assert!(shop.try_act(id, command, ops()).await.is_err());
        }
        assert_eq!(shop.act(id, Command::Close {}, ops()).await.status(), Status::Cancelled);
        audit(&shop).await;
    }

    async fn what_can_still_be_released_is_not_closed(shop) {
        let id = sam_is_denied(&shop).await;
        let dispute = charge_back(&shop, id).await;
        tell(&shop, &decided(&shop, &dispute, false)).await;
        let denied = payout_of(&shop, id, payout::Status::Denied).await;
        let out = shop.try_act(id, Command::Close {}, ops()).await;
        assert!(matches!(out, Err(EscrowError::Refused(Reason::Underway(_)))), "{out:?}");
        try_payout(&shop, denied, payout::Command::Replace { to: Destination::Wallet }).await.unwrap();
        let done = shop.try_act(id, Command::Close {}, ops()).await;
        assert!(matches!(done, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{done:?}");
        shop.act(id, Command::Unblock {}, ops()).await;
        assert_eq!(shop.status(id).await, Status::Released);
        audit(&shop).await;
    }
}

/// Most of it is charged back for good, and the rest goes on: €5 is left, and the fee is €10.
async fn a_crumb_goes_on<S: Store>(shop: &Shop<S>, id: OrderId) {
    let dispute = charged(shop, shop.payin(id).await.id(), &id.to_string(), euro("95.00"), euro(NONE));
    tell(shop, &dispute).await;
    tell(shop, &decided(shop, &dispute, false)).await;
    shop.act(id, Command::Unblock {}, ops()).await;
}

/// What the one order may not do now, and why: the same told before and when it is tried.
async fn is_too_much<S: Store>(shop: &Shop<S>, id: OrderId, command: Command<'_>, by: Actor) {
    let (order, at) = (shop.order(id).await, shop.escrow.stamp(by));
    let too_much = Reason::TooMuch { asked: euro("10.00"), available: euro("5.00") };
    let action = command.action();
    assert_eq!(order.may(action, &at), Err(too_much.clone()), "{action}");
    assert!(!order.actions(&at).any(|offered| offered == action));
    assert_eq!(order.handle(command, &at).unwrap_err().reason, too_much);
}

on_each_store! {
    async fn what_is_less_than_the_fee_is_not_offered_to_be_released(shop) {
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), Destination::Wallet)).await;
        a_crumb_goes_on(&shop, id).await;
        assert_eq!((shop.status(id).await, shop.order(id).await.held()), (Status::PendingValidate, euro("5.00")));
        is_too_much(&shop, id, Command::Validate {}, ops()).await;

        // A smaller fee, or a refund of what is left, leads out.
        let fee = Some(FeeRule::flat(euro("1.00")).unwrap());
        shop.act(id, Command::Amend { changes: Amendment { fee, ..Amendment::default() } }, ops()).await;
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), Destination::Wallet)).await;
        a_crumb_goes_on(&shop, id).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.refunds(id).await[0].facts().amount, euro("5.00"));
        audit(&shop).await;
    }

    async fn neither_is_a_plan_for_it(shop) {
        let plan = || PayoutPlan::to(party("sam"), Destination::Wallet);
        let id = shop.paid(terms()).await;
        shop.act(id, Command::Accept { payout: None }, user("sam")).await;
        a_crumb_goes_on(&shop, id).await;
        for by in [user("sam"), ops()] {
            is_too_much(&shop, id, Command::SetPayout { plan: plan() }, by).await;
        }
        // Accepting says who is paid where the terms do, and need not where they do not.
        let id = shop.paid(Terms { payout: Some(plan()), ..terms() }).await;
        a_crumb_goes_on(&shop, id).await;
        is_too_much(&shop, id, Command::Accept { payout: None }, user("sam")).await;
        let id = shop.paid(terms()).await;
        a_crumb_goes_on(&shop, id).await;
        shop.act(id, Command::Accept { payout: None }, user("sam")).await;
        audit(&shop).await;
    }
}
