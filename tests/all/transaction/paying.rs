//! Paying: by card, wire and wallet, in time, too late, not at all; and who gets what in the end.

use super::{DAY, Deal, HOUR, TICK, anna, audit, award, card, judy, sam, terms, track, wire, with_policy};
use crate::harness::{Shop, bank, euro, key, on_each_store, ops, party};
use escrowed::{
    deal::Period,
    escrow::{EscrowError, Reported},
    gateway::{Capture, Outcome, Verb},
    lifecycle::Reason,
    payment::{AnyPayin, Destination, Method, Payin, PayinId, Route, payin, payout},
    sandbox::{Behaviour, Resolution},
    store::Store,
    transaction::{AnyTransaction, Command, Fees, Policy, Pricing, Status, Terms},
};

const ALL_THE_WAY: &str =
    "created joined paid payment_accepted tracked delivered complaint_period_ended funds_released";

/// From `joined` with a payment on its way to the end of the complaint period.
async fn all_the_way<S: Store>(deal: &Deal<'_, S>) {
    deal.shop.send().await;
    deal.act(sam(), Command::AcceptPayment {}).await;
    deal.act(sam(), track()).await;
    deal.act(sam(), Command::Deliver {}).await;
    deal.wait(DAY);
    assert_eq!(deal.clock().await, 1);
}

/// An hour for the payment.
fn in_an_hour() -> Terms {
    with_policy(Policy { payment: Some(Period::hours(1)), ..Policy::default() })
}

/// What sam, till and shop have, in minor units.
async fn collected<S: Store>(shop: &Shop<S>) -> [i64; 3] {
    let of = async |name| shop.balance(&format!("wallet:{name}")).await.minor();
    [of("sam").await, of("till").await, of("shop").await]
}

on_each_store! {
    async fn by_card_and_into_the_sellers_wallet(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        assert_eq!(deal.status().await, Status::Joined, "the gateway has not answered yet");
        all_the_way(&deal).await;
        assert_eq!(deal.path().await, ALL_THE_WAY);
        let got = [deal.wallet("sam").await, deal.wallet("shop").await, deal.wallet("till").await];
        assert_eq!(got, ["101.00 EUR", "9.00 EUR", "5.00 EUR"]);
        assert_eq!(deal.outside().await, "115.00 EUR");
        deal.over(Status::FundsReleased).await;
    }

    async fn by_wire_and_to_the_sellers_bank(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), Command::OpenPayin { by: wire() }).await;
        deal.act(sam(), Command::SetPayout { to: bank("ba_sam") }).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::Joined, "a wire takes days");
        let call = shop.gateway().pending().remove(0);
        shop.gateway().resolve(&call, Resolution::Settle).unwrap();
        for report in shop.gateway().reports() {
            assert_eq!(shop.try_report(&report).await.unwrap(), Reported::Taken);
            assert_eq!(shop.try_report(&report).await.unwrap(), Reported::Repeated);
        }
        assert_eq!((deal.status().await, deal.held().await.as_str()), (Status::Paid, "115.00 EUR"));
        all_the_way(&deal).await;
        // The fees are there; the bank is still to be asked.
        assert_eq!(deal.status().await, Status::ComplaintPeriodEnded);
        assert_eq!((deal.wallet("shop").await.as_str(), deal.wallet("sam").await.as_str()), ("9.00 EUR", "0.00 EUR"));
        assert!(deal.now().await.held().is_zero());
        assert_eq!(deal.payouts().await[0].held(), euro("101.00"));
        shop.send().await;
        assert_eq!(deal.path().await, ALL_THE_WAY);
        assert_eq!(deal.outside().await, "14.00 EUR");
        assert_eq!(deal.payouts().await[0].status(), payout::Status::Confirmed);
        deal.over(Status::FundsReleased).await;
    }

    async fn from_a_wallet_at_once(shop) {
        shop.fill_wallet("anna", euro("120.00")).await;
        let deal = Deal::joined(&shop, terms()).await;
        let paid = deal.act(anna(), Command::OpenPayin { by: Method::Wallet }).await;
        assert_eq!((paid.status(), paid.held()), (Status::Paid, euro("115.00")));
        assert_eq!(deal.wallet("anna").await, "5.00 EUR");
        all_the_way(&deal).await;
        assert_eq!((deal.wallet("sam").await.as_str(), deal.path().await.as_str()), ("101.00 EUR", ALL_THE_WAY));
        deal.over(Status::FundsReleased).await;
    }

    async fn a_wallet_never_pays_more_than_it_holds(shop) {
        shop.fill_wallet("anna", euro("114.99")).await;
        let deal = Deal::joined(&shop, terms()).await;
        let short = deal.attempt(anna(), Command::OpenPayin { by: Method::Wallet }).await;
        assert!(matches!(short, Err(EscrowError::Overdrawn(account)) if account.to_string() == "wallet:anna"));
        assert!(shop.payins(deal.id).await.is_empty() && deal.now().await.facts().till().opened().is_empty());
        // Nothing stands in the way of paying otherwise.
        deal.act(anna(), card()).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::Paid);
        audit(&shop).await;
    }

    async fn whoever_earns_the_fees_gets_them(shop) {
        let zero = euro("0.00");
        let no_fees = || Fees { buyer: zero, buyer_client: zero, seller: zero, seller_client: zero };
        let priced = |amount, amount_extra, fees| Pricing { amount, amount_extra, fees };
        let fees = |buyer, buyer_client, seller, seller_client| Fees {
            buyer: euro(buyer),
            buyer_client: euro(buyer_client),
            seller: euro(seller),
            seller_client: euro(seller_client),
        };
        // Price, whether the platform has a wallet of its own, and what anna pays and sam, till and shop get.
        let cases = [
            (priced(euro("100.00"), zero, no_fees()), true, [10_000, 10_000, 0, 0]),
            (priced(euro("0.01"), zero, no_fees()), true, [1, 1, 0, 0]),
            (priced(euro("0.01"), euro("0.01"), fees("0.01", "0.00", "0.00", "0.02")), true, [3, 0, 1, 2]),
            (priced(euro("50.00"), euro("7.49"), fees("0.00", "1.11", "0.00", "2.22")), true, [5_860, 5_527, 0, 333]),
            (priced(euro("50.00"), euro("7.49"), fees("1.11", "0.00", "2.22", "0.00")), true, [5_860, 5_527, 333, 0]),
            // Without a platform of its own, the client earns all of it.
            (priced(euro("50.00"), zero, fees("1.00", "2.00", "3.00", "4.00")), false, [5_300, 4_300, 0, 1_000]),
            // The seller's fees eat everything.
            (priced(euro("5.00"), euro("1.00"), fees("0.00", "0.00", "2.00", "4.00")), true, [600, 0, 200, 400]),
        ];
        for (pricing, own_wallet, [pays, seller, till, client]) in cases {
            let before = collected(&shop).await;
            let platform = own_wallet.then(|| party("till"));
            let deal = Deal::joined(&shop, Terms { pricing: pricing.clone(), platform, ..terms() }).await;
            deal.act(anna(), card()).await;
            shop.send().await;
            assert_eq!(deal.now().await.held().minor(), pays, "{pricing:?}");
            assert_eq!(pricing.owed().unwrap().minor(), pays);
            deal.act(sam(), Command::AcceptPayment {}).await;
            deal.act(anna(), Command::ConfirmHandover {}).await;
            let ended = deal.act(anna(), Command::EndComplaintPeriod {}).await;
            assert_eq!(ended.status(), Status::FundsReleased, "into wallets at once, or to nobody");
            let after = collected(&shop).await;
            let got: Vec<_> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
            assert_eq!(got, [seller, till, client], "{pricing:?}");
            assert_eq!(got.iter().sum::<i64>(), pays, "{pricing:?}");
            assert_eq!(deal.payouts().await.len(), usize::from(seller > 0));
            deal.over(Status::FundsReleased).await;
        }
    }

    async fn the_platform_may_open_the_payin_and_the_seller_may_not(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        assert!(matches!(deal.refused(sam(), card()).await, Reason::WrongActor { action: "open_payin", .. }));
        deal.act(ops(), card()).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::Paid);
        assert_eq!(deal.payin().await.facts().payer, party("anna"), "she is still the one who pays");
        assert_eq!(deal.payin().await.facts().amount, euro("115.00"));
    }

    async fn one_payin_at_a_time(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        assert!(matches!(deal.refused(anna(), card()).await, Reason::Underway(_)));
        assert!(matches!(deal.refused(anna(), Command::OpenPayin { by: Method::Wallet }).await, Reason::Underway(_)));
        shop.send().await;
        let late = Reason::WrongStatus { action: "open_payin", status: "paid" };
        assert_eq!(deal.refused(anna(), card()).await, late);
    }

    async fn a_denied_payin_leaves_room_for_another(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        for _ in 0..2 {
            deal.decline(Verb::Charge);
            deal.act(anna(), card()).await;
            shop.send().await;
            assert_eq!(deal.status().await, Status::Joined);
            assert_eq!(deal.payin().await.status(), payin::Status::Denied);
            assert_eq!(deal.now().await.facts().till().underway(), None);
        }
        deal.act(anna(), Command::OpenPayin { by: wire() }).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::Paid);
        assert_eq!(deal.now().await.facts().till().opened().len(), 3);
        audit(&shop).await;
    }

    async fn a_called_off_payin_leaves_room_for_another(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        let payin = deal.payin().await.id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_payin(&mut unit, payin, payin::Command::Cancel {}, anna()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(deal.now().await.facts().till().underway(), None);
        deal.act(anna(), card()).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::Paid);
        audit(&shop).await;
    }

    async fn the_payment_window_closes_by_the_clock(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let deal = Deal::joined(&shop, in_an_hour()).await;
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.wait(HOUR - TICK);
        assert_eq!(deal.clock().await, 0, "not a microsecond early");
        deal.wait(TICK);
        assert_eq!(deal.clock().await, 1);
        assert_eq!(deal.clock().await, 0, "once");
        assert_eq!(deal.payin().await.status(), payin::Status::Cancelled);
        assert_eq!((deal.status().await, deal.now().await.facts().till().underway()), (Status::Joined, None));
        // The payer has paid all the same: that money goes back, and does not pay the next one.
        let late = key(deal.payin().await.id().subject(), Verb::Charge);
        deal.act(anna(), card()).await;
        shop.gateway().resolve(&late, Resolution::Settle).unwrap();
        assert_eq!(shop.report(late, Outcome::Settled { moved: euro("115.00") }).await, Reported::Taken);
        assert_eq!(deal.status().await, Status::Joined);
        shop.send().await;
        assert_eq!((deal.status().await, deal.held().await.as_str()), (Status::Paid, "115.00 EUR"));
        assert_eq!(deal.outside().await, "115.00 EUR", "one of the two went back");
        audit(&shop).await;
    }

    async fn a_stray_payin_that_runs_out_leaves_the_one_under_way_alone(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        let underway = deal.now().await.facts().till().underway();
        let at = shop.escrow.stamp(anna());
        let terms = payin::Terms {
            about: deal.id.subject(),
            payer: party("anna"),
            amount: euro("115.00"),
            method: Method::Card,
            capture: Capture::Now,
            gateway: "sandbox".parse().unwrap(),
            expires: Some(at.at.plus(HOUR)),
            authentication: Default::default(),
        };
        let mut unit = shop.begin().await;
        Payin::open(PayinId::generate(at.at), terms, &at).unwrap().save(&mut unit).await.unwrap();
        shop.commit(unit).await;
        deal.wait(HOUR);
        assert_eq!(deal.clock().await, 1);
        assert_eq!((deal.status().await, deal.now().await.facts().till().underway()), (Status::Joined, underway));
        shop.send().await;
        assert_eq!((deal.status().await, deal.held().await.as_str()), (Status::Paid, "115.00 EUR"));
        assert_eq!(deal.outside().await, "115.00 EUR");
        audit(&shop).await;
    }

    async fn a_payin_that_lands_after_the_cancellation_goes_back_by_itself(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.act(sam(), Command::Cancel {}).await;
        assert_eq!(deal.payin().await.status(), payin::Status::Cancelled, "it is called off in the same breath");
        let call = key(deal.payin().await.id().subject(), Verb::Charge);
        // The payer is faster than the void.
        shop.gateway().resolve(&call, Resolution::Settle).unwrap();
        let settled = || Outcome::Settled { moved: euro("115.00") };
        assert_eq!(shop.report(call, settled()).await, Reported::Taken);
        assert_eq!(shop.report(call, settled()).await, Reported::Repeated);
        shop.send().await;
        assert_eq!(deal.refunds().await.len(), 1);
        assert_eq!(deal.outside().await, "0.00 EUR");
        deal.over(Status::Cancelled).await;
    }

    async fn a_late_payin_whose_refund_is_denied_still_reaches_the_buyer(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        // Called off without its payin: as if the two had happened at the same moment.
        let AnyTransaction::Joined(joined) = deal.now().await else { panic!() };
        let mut unit = shop.begin().await;
        joined.cancel(&shop.escrow.stamp(anna())).unwrap().save(&mut unit).await.unwrap();
        shop.commit(unit).await;
        deal.decline(Verb::Refund);
        shop.send().await;
        assert_eq!(deal.status().await, Status::Cancelled, "the transaction has nothing to do with it");
        let replace = escrowed::payment::refund::Command::Replace { route: Route::Wallet };
        deal.on_refund(ops(), replace).await.unwrap();
        assert_eq!(deal.wallet("anna").await, "115.00 EUR");
        deal.over(Status::Cancelled).await;
    }

    async fn a_charge_that_was_never_sent_is_simply_taken_back(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        deal.act(anna(), Command::Cancel {}).await;
        shop.send().await;
        assert!(shop.gateway().calls().is_empty());
        deal.over(Status::Cancelled).await;
    }

    async fn a_wrong_amount_is_not_booked(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::WrongAmount(euro("109.00"))]);
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        assert_eq!(shop.escrow.send(&"worker".parse().unwrap(), 1).await.unwrap().parked, 1);
        assert_eq!((deal.status().await, deal.held().await.as_str()), (Status::Joined, "0.00 EUR"));
        audit(&shop).await;
    }

    async fn nobody_pays_with_anothers_payin(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        let other = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        other.act(anna(), card()).await;
        let at = escrowed::party::Stamp::gateway(shop.now());
        let mut unit = shop.begin().await;
        let theirs: AnyTransaction = shop.escrow.load(&mut unit, other.id).await.unwrap();
        let theirs = theirs.facts().till().underway().unwrap();
        let AnyPayin::Created(theirs) = shop.escrow.load(&mut unit, theirs).await.unwrap() else { panic!() };
        let theirs = theirs.confirm(euro("115.00"), &at).unwrap().save(&mut unit).await.unwrap();
        let AnyTransaction::Joined(joined) = shop.escrow.load(&mut unit, deal.id).await.unwrap() else { panic!() };
        let refused = joined.pay(&theirs, &at).unwrap_err();
        assert!(matches!(refused.reason, Reason::WrongSubject { .. }));
        // Nor with one of its own that is of another amount or was never asked for.
        let terms = payin::Terms {
            about: deal.id.subject(),
            payer: party("anna"),
            amount: euro("114.99"),
            method: Method::Card,
            capture: Capture::Now,
            gateway: "sandbox".parse().unwrap(),
            expires: None,
            authentication: Default::default(),
        };
        let stray = Payin::open(PayinId::generate(at.at), terms, &at).unwrap();
        let stray = stray.then(|payin| payin.confirm(euro("114.99"), &at)).unwrap().save(&mut unit).await.unwrap();
        let refused = refused.value.pay(&stray, &at).unwrap_err();
        assert!(matches!(refused.reason, Reason::WrongSubject { .. }), "{:?}", refused.reason);
        assert_eq!(refused.value.status(), Status::Joined);
    }

    async fn where_the_seller_is_paid_may_change_until_the_end(shop) {
        let deal = Deal::joined(&shop, Terms { payout: Some(bank("ba_first")), ..terms() }).await;
        let set = |name: &str| Command::SetPayout { to: bank(name) };
        assert!(matches!(deal.refused(anna(), set("ba_anna")).await, Reason::WrongActor { .. }));
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.act(sam(), set("ba_second")).await;
        deal.act(sam(), Command::AcceptPayment {}).await;
        deal.act(ops(), Command::SetPayout { to: Destination::Wallet }).await;
        deal.act(sam(), Command::ConfirmHandover {}).await;
        deal.act(sam(), set("ba_last")).await;
        assert_eq!(deal.now().await.deadline(), Some(shop.now().plus(DAY)), "the period runs on");
        deal.act(anna(), Command::EndComplaintPeriod {}).await;
        assert_eq!(deal.payouts().await[0].facts().to, bank("ba_last"));
        let late = Reason::WrongStatus { action: "set_payout", status: "complaint_period_ended" };
        assert_eq!(deal.refused(sam(), set("ba_late")).await, late);
        shop.send().await;
        deal.over(Status::FundsReleased).await;
    }

    async fn an_award_goes_where_the_seller_is_paid(shop) {
        let deal = Deal::complained(&shop, Terms { payout: Some(bank("ba_sam")), ..terms() }).await;
        deal.act(judy(), award("15.00", "100.00")).await;
        assert_eq!(deal.payouts().await[0].facts().to, bank("ba_sam"));
        shop.send().await;
        assert_eq!(deal.outside().await, "0.00 EUR");
        deal.over(Status::FundsReleased).await;
    }
}
