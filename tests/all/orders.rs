//! Orders from end to end.

use crate::harness::{Shop, bank, euro, key, on_each_store, ops, party, terms, user};
use escrowed::{
    escrow::{EscrowError, Reported},
    gateway::{Outcome, Verb},
    lifecycle::Reason,
    money::Share,
    order::{Amendment, AnyOrder, Blocking, Command, Payee, PayoutPlan, Status},
    payment::{AnyPayin, AnyPayout, AnyRefund, Destination, Method, payin, payout, refund},
    sandbox::Behaviour,
    store::{Query, Store},
};

fn decline() -> Behaviour {
    Behaviour::Decline { reason: "insufficient funds".parse().unwrap() }
}

fn to_bank() -> PayoutPlan {
    PayoutPlan::to(party("sam"), bank("ba_sam"))
}

fn path(order: &AnyOrder) -> String {
    let statuses = order.history().by_time().iter().map(|passage| passage.code.name());
    statuses.collect::<Vec<_>>().join(" ")
}

async fn all_settled<S: Store>(shop: &Shop<S>, id: escrowed::order::OrderId) {
    shop.audit().await;
    assert!(shop.order(id).await.held().is_zero());
}

on_each_store! {
    async fn a_card_order_reaches_the_seller(shop) {
        let id = shop.planned(terms(), to_bank()).await;
        assert_eq!(shop.order(id).await.held(), euro("100.00"));
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::PendingRelease);
        assert_eq!(shop.balance("wallet:shop").await, euro("10.00"));
        shop.send().await;
        let order = shop.order(id).await;
        assert_eq!(path(&order), "DRAFT PENDING_PUBLISH PUBLISHED ACCEPTED PENDING_VALIDATE PENDING_RELEASE RELEASED");
        let history = order.history();
        assert_eq!(history.by_key(Status::Released), Some(shop.now()));
        assert_eq!(history.by_key(Status::Failure), None);
        // The world gave 100, took 90; the fee is what it still owes.
        assert_eq!(shop.balance("world:sandbox").await, euro("-10.00"));
        assert_eq!(shop.gateway().net(escrowed::money::Currency::EUR), euro("10.00"));
        all_settled(&shop, id).await;
    }

    async fn a_wallet_pays_at_once_and_needs_no_gateway(shop) {
        shop.fill_wallet("anna", euro("150.00")).await;
        let id = shop.open(terms()).await;
        let order = shop.act(id, Command::Pay { by: Method::Wallet }, user("anna")).await;
        assert_eq!(order.status(), Status::Published);
        assert_eq!(shop.balance("wallet:anna").await, euro("50.00"));
        let payout = Some(PayoutPlan::to(party("sam"), Destination::Wallet));
        shop.act(id, Command::Accept { payout }, user("sam")).await;
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
        assert_eq!(shop.balance("wallet:sam").await, euro("90.00"));
        all_settled(&shop, id).await;
    }

    async fn a_wallet_never_pays_more_than_it_holds(shop) {
        shop.fill_wallet("anna", euro("99.99")).await;
        let id = shop.open(terms()).await;
        let refused = shop.try_act(id, Command::Pay { by: Method::Wallet }, user("anna")).await;
        assert!(matches!(refused, Err(EscrowError::Overdrawn(account)) if account.to_string() == "wallet:anna"));
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        assert_eq!(shop.payins(id).await.len(), 0);
        // And nothing stands in the way of paying otherwise.
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
        shop.audit().await;
    }

    async fn a_cancelled_wallet_order_refills_the_wallet(shop) {
        shop.fill_wallet("anna", euro("100.00")).await;
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Wallet }, user("anna")).await;
        assert_eq!(shop.act(id, Command::Cancel {}, user("anna")).await.status(), Status::Cancelled);
        assert_eq!(shop.balance("wallet:anna").await, euro("100.00"));
        assert_eq!(shop.payin(id).await.status(), payin::Status::Refunded);
        all_settled(&shop, id).await;
    }

    async fn a_failed_payment_may_be_tried_again_as_often_as_allowed(shop) {
        shop.gateway().script(Verb::Charge, [decline(), decline()]);
        let mut terms = terms();
        terms.payin_intents = Some(2);
        let id = shop.open(terms).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        let AnyOrder::Failure(order) = shop.order(id).await else { panic!("it did not fail") };
        assert_eq!(order.state().reason().as_str(), "insufficient funds");
        shop.act(id, Command::Retry {}, user("anna")).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Failure);
        let refused = shop.try_act(id, Command::Retry {}, user("anna")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NoAttemptsLeft { limit: 2 }))));
        let payins = shop.payins(id).await;
        assert!(payins.len() == 2 && payins.iter().all(|payin| payin.status() == payin::Status::Denied));
        shop.act(id, Command::Cancel {}, user("anna")).await;
        all_settled(&shop, id).await;
    }

    async fn only_one_payin_at_a_time(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        let again = shop.try_act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        assert!(matches!(again, Err(EscrowError::Refused(Reason::Underway(_)))));
    }

    async fn cancelled_after_payment_refunds_itself(shop) {
        let id = shop.paid(terms()).await;
        let AnyOrder::Cancelled(order) = shop.act(id, Command::Cancel {}, user("anna")).await else { panic!() };
        let refund = order.state().refund().expect("a refund");
        assert_eq!(shop.load(refund).await.facts().amount, euro("100.00"));
        shop.send().await;
        assert_eq!(shop.load(refund).await.status(), refund::Status::Confirmed);
        assert_eq!(shop.payin(id).await.status(), payin::Status::Refunded);
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        all_settled(&shop, id).await;
    }

    async fn a_rejected_order_owes_a_refund_that_an_operator_sends(shop) {
        let id = shop.paid(terms()).await;
        let AnyOrder::Rejected(order) = shop.act(id, Command::Reject {}, user("sam")).await else { panic!() };
        shop.send().await;
        let refund = order.state().refund();
        assert_eq!(shop.load(refund).await.status(), refund::Status::Created);
        let mut unit = shop.begin().await;
        let cancelled = shop.escrow.act_on_refund(&mut unit, refund, refund::Command::Cancel {}, ops()).await;
        assert!(matches!(cancelled, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        shop.escrow.act_on_refund(&mut unit, refund, refund::Command::Approve {}, ops()).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        assert_eq!(shop.load(refund).await.status(), refund::Status::Confirmed);
        assert_eq!(shop.payin(id).await.status(), payin::Status::Refunded);
        all_settled(&shop, id).await;
    }

    async fn blocked_and_unblocked_where_it_was(shop) {
        let id = shop.paid(terms()).await;
        let why = || Command::Block { why: Blocking::Operator("looks odd".parse().unwrap()) };
        for step in [None, Some(Command::Accept { payout: None }), Some(Command::SetPayout { plan: to_bank() })] {
            if let Some(step) = step {
                shop.act(id, step, user("sam")).await;
            }
            let before = shop.status(id).await;
            let AnyOrder::BlockedRelease(blocked) = shop.act(id, why(), ops()).await else { panic!() };
            assert_eq!(blocked.state().reason().as_str(), "looks odd");
            assert_eq!(blocked.held(), euro("100.00"));
            assert_eq!(shop.act(id, Command::Unblock {}, ops()).await.status(), before);
        }
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        all_settled(&shop, id).await;
    }

    async fn a_blocked_order_can_be_cancelled(shop) {
        let id = shop.paid(terms()).await;
        let why = Blocking::Operator("stolen goods".parse().unwrap());
        shop.act(id, Command::Block { why }, ops()).await;
        assert_eq!(shop.act(id, Command::Cancel {}, ops()).await.status(), Status::Cancelled);
        shop.send().await;
        assert_eq!(shop.payin(id).await.status(), payin::Status::Refunded);
        all_settled(&shop, id).await;
    }

    async fn a_denied_payout_is_replaced(shop) {
        shop.gateway().script(Verb::Payout, [decline()]);
        let id = shop.planned(terms(), to_bank()).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::BlockedRelease);
        let refused = shop.try_act(id, Command::Unblock {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::Missing { .. }))));
        let denied = shop.payouts(id).await.remove(0).id();
        let mut unit = shop.begin().await;
        let to = bank("ba_other");
        // The payee may say where else the money is to go; another party may not.
        let stranger = shop.escrow.act_on_payout(&mut unit, denied, payout::Command::Replace { to: to.clone() }, user("eve")).await;
        assert!(matches!(stranger, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
        shop.escrow.act_on_payout(&mut unit, denied, payout::Command::Replace { to }, user("sam")).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(shop.act(id, Command::Unblock {}, ops()).await.status(), Status::PendingRelease);
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        assert_eq!(shop.payouts(id).await.len(), 2);
        assert_eq!(shop.balance("world:sandbox").await, euro("-10.00"));
        all_settled(&shop, id).await;
    }

    async fn a_replaced_payout_may_land_before_the_order_is_unblocked(shop) {
        shop.gateway().script(Verb::Payout, [decline()]);
        let id = shop.planned(terms(), to_bank()).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        let denied = shop.payouts(id).await.remove(0).id();
        let mut unit = shop.begin().await;
        let to = Destination::Wallet;
        shop.escrow.act_on_payout(&mut unit, denied, payout::Command::Replace { to }, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(shop.balance("wallet:sam").await, euro("90.00"));
        assert_eq!(shop.act(id, Command::Unblock {}, ops()).await.status(), Status::Released);
        all_settled(&shop, id).await;
    }

    async fn a_denied_payout_is_given_back_to_the_buyer(shop) {
        shop.gateway().script(Verb::Payout, [decline()]);
        let id = shop.planned(terms(), to_bank()).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        let early = shop.try_act(id, Command::Cancel {}, ops()).await;
        assert!(matches!(early, Err(EscrowError::Refused(Reason::Underway(_)))));
        let denied = shop.payouts(id).await.remove(0).id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_payout(&mut unit, denied, payout::Command::GiveBack {}, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(shop.order(id).await.held(), euro("90.00"));
        let refused = shop.try_act(id, Command::Unblock {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        let AnyPayin::Confirmed(payin) = shop.payin(id).await else { panic!("the fee was kept") };
        assert_eq!(payin.state().refunded(), euro("90.00"));
        all_settled(&shop, id).await;
    }

    async fn a_payout_is_called_off_before_the_gateway_is_asked_and_never_after(shop) {
        shop.gateway().script(Verb::Payout, [decline()]);
        let half = |to| Payee { party: party("sam"), share: Share::Rest, to };
        let id = shop.planned(terms(), PayoutPlan::among([half(bank("ba_1")), half(bank("ba_2"))])).await;
        shop.act(id, Command::Validate {}, ops()).await;
        // One payout is denied; the other still waits to be sent.
        assert_eq!(shop.escrow.send(&"worker".parse().unwrap(), 1).await.unwrap().answered, 1);
        assert_eq!(shop.status(id).await, Status::BlockedRelease);
        let open = shop.payouts(id).await.into_iter().find(|p| matches!(p, AnyPayout::Created(_))).unwrap().id();
        let denied = shop.payouts(id).await.into_iter().find(|p| matches!(p, AnyPayout::Denied(_))).unwrap().id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_payout(&mut unit, open, payout::Command::Cancel {}, ops()).await.unwrap();
        shop.escrow.act_on_payout(&mut unit, denied, payout::Command::GiveBack {}, ops()).await.unwrap();
        shop.commit(unit).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.gateway().effects(&key(open.subject(), Verb::Payout)), 0);
        all_settled(&shop, id).await;

        // Now the other one was sent, and nobody knows what became of it.
        let id = shop.planned(terms(), PayoutPlan::among([half(bank("ba_1")), half(bank("ba_2"))])).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.gateway().script(Verb::Payout, [decline(), Behaviour::TimeoutAfter]);
        // One at a time: the calls of one order are sent in their order.
        for expected in [(1, 0), (0, 1)] {
            let sent = shop.escrow.send(&"worker".parse().unwrap(), 2).await.unwrap();
            assert_eq!((sent.answered, sent.unknown), expected);
        }
        let sent = shop.payouts(id).await.into_iter().find(|p| matches!(p, AnyPayout::Created(_))).unwrap().id();
        let mut unit = shop.begin().await;
        let late = shop.escrow.act_on_payout(&mut unit, sent, payout::Command::Cancel {}, ops()).await;
        assert!(matches!(late, Err(EscrowError::Sent(_))));
        drop(unit);
        shop.audit().await;
    }

    async fn three_payees_share_to_the_last_minor_unit(shop) {
        let mut terms = terms();
        terms.amount = euro("100.01");
        let payee = |name, share, to| Payee { party: party(name), share, to };
        let plan = PayoutPlan::among([
            payee("singer", Share::Percent("50%".parse().unwrap()), Destination::Wallet),
            payee("drummer", Share::Rest, bank("ba_drummer")),
            payee("bassist", Share::Rest, Destination::Wallet),
        ]);
        let id = shop.planned_by_platform(terms, plan).await;
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::PendingRelease);
        shop.send().await;
        let AnyOrder::Released(order) = shop.order(id).await else { panic!() };
        // A fee of 10 % is 10.00 (10.001); 90.01 is left: 45.005, 22.5025 and 22.5025.
        assert_eq!(order.state().fee(), euro("10.00"));
        let amounts: Vec<_> = order.state().payouts().legs().iter().map(|leg| leg.amount.to_string()).collect();
        assert_eq!(amounts, ["45.01 EUR", "22.50 EUR", "22.50 EUR"]);
        assert_eq!(shop.balance("wallet:singer").await, euro("45.01"));
        assert_eq!(shop.balance("wallet:bassist").await, euro("22.50"));
        all_settled(&shop, id).await;
    }

    async fn a_part_refunded_after_the_plan_takes_from_each_payee_by_its_share(shop) {
        let mut free = terms();
        free.fees = None;
        let payee = |name, share| Payee { party: party(name), share, to: Destination::Wallet };
        let fixed = Share::Fixed(euro("60.00"));
        let id = shop.planned(free, PayoutPlan::among([payee("sam", fixed), payee("sue", Share::Rest)])).await;
        shop.act(id, Command::RefundPart { amount: euro("50.00") }, ops()).await;
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
        assert_eq!(shop.balance("wallet:sam").await, euro("30.00"));
        assert_eq!(shop.balance("wallet:sue").await, euro("20.00"));
        shop.audit().await;
    }

    async fn a_part_is_refunded_by_hand(shop) {
        let id = shop.planned(terms(), to_bank()).await;
        let too_much = shop.try_act(id, Command::RefundPart { amount: euro("90.01") }, ops()).await;
        assert!(matches!(too_much, Err(EscrowError::Refused(Reason::TooMuch { .. }))));
        shop.act(id, Command::RefundPart { amount: euro("20.00") }, ops()).await;
        shop.act(id, Command::RefundPart { amount: euro("5.00") }, ops()).await;
        let refunds: Vec<_> = shop.refunds(id).await.iter().map(AnyRefund::id).collect();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_refund(&mut unit, refunds[0], refund::Command::Approve {}, ops()).await.unwrap();
        shop.escrow.act_on_refund(&mut unit, refunds[1], refund::Command::Cancel {}, ops()).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        let sent = shop.load(refunds[0]).await.facts().amount;
        let AnyPayin::Confirmed(payin) = shop.payin(id).await else { panic!() };
        assert_eq!(payin.state().refunded(), sent);
        assert_eq!(shop.order(id).await.held(), euro("100.00").checked_sub(sent).unwrap());
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        all_settled(&shop, id).await;
    }

    async fn a_refund_called_off_after_the_release_is_refused(shop) {
        let id = shop.planned(terms(), to_bank()).await;
        shop.act(id, Command::RefundPart { amount: euro("20.00") }, ops()).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        let refund = shop.refunds(id).await.remove(0).id();
        let mut unit = shop.begin().await;
        let late = shop.escrow.act_on_refund(&mut unit, refund, refund::Command::Cancel {}, ops()).await;
        assert!(matches!(late, Err(EscrowError::Refused(Reason::WrongStatus { .. }))));
        drop(unit);
        all_settled(&shop, id).await;
    }

    async fn what_is_known_may_change_before_payment_and_the_fee_afterwards(shop) {
        let id = shop.open(terms()).await;
        let changes = || Amendment { description: Some("Blue".parse().unwrap()), ..Amendment::default() };
        shop.act(id, Command::Amend { changes: changes() }, ops()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        let fixed = shop.try_act(id, Command::Amend { changes: changes() }, ops()).await;
        assert!(matches!(fixed, Err(EscrowError::Refused(Reason::Fixed { .. }))));
        let fee = Some(escrowed::money::FeeRule::flat(euro("1.50")).unwrap());
        let own = Amendment { fee, ..Amendment::default() };
        shop.act(id, Command::Amend { changes: own }, ops()).await;
        shop.act(id, Command::Accept { payout: Some(to_bank()) }, user("sam")).await;
        shop.act(id, Command::Validate {}, ops()).await;
        assert_eq!(shop.balance("wallet:shop").await, euro("1.50"));
        shop.send().await;
        all_settled(&shop, id).await;
    }

    async fn queries_find_orders_by_status_by_party_and_by_what_they_belong_to(shop) {
        let mut ids = Vec::new();
        for _ in 0..7 {
            ids.push(shop.open(terms()).await.subject());
        }
        ids.sort();
        let status = |name: &str| Query::status("order".parse().unwrap(), name);
        assert_eq!(shop.find(&status("PENDING_PUBLISH")).await, ids);
        assert!(shop.find(&status("DRAFT")).await.is_empty());
        assert_eq!(shop.find(&Query::Party(party("sam"))).await, ids);
        assert_eq!(shop.find(&Query::Party(party("anna"))).await, ids);
        assert!(shop.find(&Query::Party(party("eve"))).await.is_empty());
    }

    async fn what_a_screen_offers_is_what_may_be_done(shop) {
        let id = shop.paid(terms()).await;
        let order = shop.order(id).await;
        let names = |who| -> Vec<_> {
            let at = shop.escrow.stamp(who);
            order.actions(&at).map(|action| action.name()).collect()
        };
        assert_eq!(names(user("sam")), ["accept", "reject"]);
        assert_eq!(names(user("anna")), ["cancel"]);
        assert_eq!(names(ops()), ["cancel", "block", "refund_part", "amend"]);
        assert_eq!(names(user("eve")), Vec::<&str>::new());
    }

    async fn a_webhook_may_come_first_twice_and_late(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        let call = key(shop.payin(id).await.id().subject(), Verb::Charge);
        let settled = || Outcome::Settled { moved: euro("100.00") };
        // Before the worker has even sent it.
        assert_eq!(shop.report(call, settled()).await, Reported::Taken);
        assert_eq!(shop.report(call, settled()).await, Reported::Repeated);
        assert_eq!(shop.report(call, Outcome::Pending { direct_link: None }).await, Reported::Late);
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
        assert_eq!(shop.balance("world:sandbox").await, euro("-100.00"));
        shop.audit().await;
    }
}
