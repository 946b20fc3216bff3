//! What becomes of a movement of which something fails: before the point of no return all of it goes back, after it all of
//! it arrives.

use super::*;
use crate::harness::on_each_store;
use escrowed::{payment::AnyRefund, sandbox::Resolution};

on_each_store! {
    async fn a_declined_card_undoes_it(shop) {
        for plan in [top_up(), one_to_many(Method::Card)] {
            declines(&shop, Verb::Charge);
            let run = Run::of(&shop, plan, user("anna")).await;
            shop.send().await;
            assert_eq!(run.path().await, "PLANNED COLLECTING UNDOING UNDONE");
            assert_eq!(run.why().await, Why::Failed(run.order_of("anna").await));
            assert!(!run.is_over().await);
            assert_eq!(run.outside().await, "0.00 EUR");
        }
    }

    async fn one_declined_card_gives_everybody_their_money_back(shop) {
        shop.fill_wallet("cleo", euro("50.00")).await;
        for plan in [many_to_one(), many_to_many()] {
            let run = Run::of(&shop, plan, ops()).await;
            run.pay("anna", Method::Card).await;
            run.pay("cleo", Method::Wallet).await;
            shop.send().await;
            declines(&shop, Verb::Charge);
            run.pay("ben", Method::Card).await;
            shop.send().await;
            assert_eq!(run.path().await, "PLANNED COLLECTING UNDOING UNDONE");
            assert_eq!(run.why().await, Why::Failed(run.order_of("ben").await));
            // anna's card has it back, and so has cleo's wallet.
            assert_eq!((run.outside().await, run.wallet("cleo").await), ("50.00 EUR".into(), "50.00 EUR".into()));
            assert_eq!(run.wallet("sam").await, "0.00 EUR");
            assert!(!run.is_over().await);
        }
    }

    async fn a_declined_card_may_be_tried_again_where_the_frame_says_so(shop) {
        let twice = Frame { payin_intents: 2, ..frame() };
        let plan = Plan::top_up(twice, party("anna"), Outside::Card, euro("50.00"));
        declines(&shop, Verb::Charge);
        let run = Run::of(&shop, plan, user("anna")).await;
        shop.send().await;
        assert_eq!((run.status().await, run.stands().await), (Status::Collecting, vec![Stands::Open]));
        let order = run.order_of("anna").await;
        shop.act(order, order::Command::Retry {}, user("anna")).await;
        run.pay("anna", Method::Card).await;
        shop.send().await;
        assert!(run.is_over().await);
    }

    async fn the_deadline_undoes_what_is_not_paid(shop) {
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        run.pay("anna", Method::Card).await;
        shop.send().await;
        let charge = {
            run.pay("ben", Method::Card).await;
            crate::harness::key(shop.payin(run.order_of("ben").await).await.id().subject(), Verb::Charge)
        };
        shop.gateway().script_call(&charge, [Behaviour::Pend]);
        shop.send().await;
        shop.escrow.clock().advance(DAY - Duration::from_micros(1));
        run.clock().await;
        assert_eq!(run.status().await, Status::Collecting);
        shop.escrow.clock().advance(Duration::from_micros(1));
        run.clock().await;
        shop.send().await;
        assert_eq!((run.why().await, run.outside().await), (Why::TooLate, "0.00 EUR".into()));
        // ben's bank lets go of it in the end: it goes back by itself.
        shop.gateway().resolve(&charge, Resolution::Settle);
        shop.settle_down().await;
        assert_eq!(run.outside().await, "0.00 EUR");
        assert!(!run.is_over().await);
    }

    async fn what_is_paid_at_the_deadline_is_too_late(shop) {
        let run = Run::of(&shop, top_up(), user("anna")).await;
        shop.escrow.clock().advance(DAY);
        // The gateway's answer comes before the clock does.
        shop.send().await;
        assert_eq!((run.why().await, run.outside().await), (Why::TooLate, "0.00 EUR".into()));
        assert!(!run.is_over().await);
    }

    async fn whoever_opened_it_calls_it_off_until_it_is_committed(shop) {
        let run = Run::of(&shop, many_to_one(), user("anna")).await;
        run.pay("anna", Method::Card).await;
        shop.send().await;
        for stranger in [user("ben"), user("sam"), user("eve")] {
            assert!(matches!(reason(run.undo(stranger).await), Reason::WrongActor { .. }));
        }
        assert_eq!(run.undo(user("anna")).await.unwrap().status(), Status::Undone);
        shop.send().await;
        assert_eq!((run.why().await, run.outside().await), (Why::CalledOff, "0.00 EUR".into()));
        assert!(!run.is_over().await);

        let run = Run::of(&shop, top_up(), ops()).await;
        shop.send().await;
        assert!(matches!(reason(run.undo(ops()).await), Reason::WrongStatus { .. }));
        assert!(run.is_over().await);
    }

    async fn a_payer_who_opened_nothing_calls_its_own_top_up_off(shop) {
        let run = Run::of(&shop, top_up(), ops()).await;
        assert_eq!(run.undo(user("anna")).await.unwrap().status(), Status::Undone);
        assert!(!run.is_over().await);
        // Money that comes all the same goes back by itself.
        shop.settle_down().await;
        assert_eq!(run.outside().await, "0.00 EUR");
    }

    async fn a_payout_that_a_bank_declines_goes_into_the_payees_wallet(shop) {
        declines(&shop, Verb::Payout);
        let run = Run::of(&shop, one_to_many(Method::Card), user("anna")).await;
        shop.send().await;
        let path: Vec<_> = {
            let sams = run.now().await.orders().nth(1).unwrap().order;
            let order = shop.order(sams).await;
            order.history().by_time().iter().map(|passage| passage.code.name()).collect()
        };
        assert_eq!(path.join(" "), "DRAFT PENDING_PUBLISH PUBLISHED PENDING_RELEASE BLOCKED_RELEASE PENDING_RELEASE RELEASED");
        assert_eq!((run.status().await, run.wallet("sam").await), (Status::Done, "60.00 EUR".into()));
        assert!(run.is_over().await);
    }

    async fn a_payee_who_is_held_keeps_the_movement_waiting_and_gets_it_in_the_wallet_when_denied(shop) {
        let shop = crate::kyc::with(shop, &crate::kyc::Office::holding(&["sam"]));
        let run = Run::of(&shop, one_to_many(Method::Card), user("anna")).await;
        shop.send().await;
        // The others have theirs; sam's waits where everybody sees it.
        assert_eq!((run.status().await, run.stands().await[1]), (Status::Committed, Stands::Going));
        assert_eq!(run.now().await.facts().released(), euro("40.01"));
        let payout = shop.payouts(run.now().await.orders().nth(1).unwrap().order).await.remove(0);
        assert_eq!(payout.status(), escrowed::payment::payout::Status::Held);
        let mut unit = shop.begin().await;
        let deny = escrowed::payment::payout::Command::Deny { reason: "no papers".parse().unwrap() };
        shop.escrow.act_on_payout(&mut unit, payout.id(), deny, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!((run.status().await, run.wallet("sam").await), (Status::Done, "60.00 EUR".into()));
        assert!(run.is_over().await);
    }

    async fn a_wallet_that_does_not_hold_enough_moves_nothing(shop) {
        shop.fill_wallet("anna", euro("29.99")).await;
        let plan = Plan::wallet_to_wallet(frame(), party("anna"), party("sam"), euro("30.00"));
        let done = try_move(&shop, plan, user("anna")).await;
        assert!(matches!(done, Err(EscrowError::Overdrawn(_))), "{done:?}");
        assert!(shop.find(&escrowed::store::Query::Party(party("sam"))).await.is_empty(), "nothing was written");
        let done = try_move(&shop, one_to_many(Method::Wallet), user("anna")).await;
        assert!(matches!(done, Err(EscrowError::Overdrawn(_))), "{done:?}");
        // A payer's wallet that fails leaves the movement where it is.
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        let done = run.try_pay("anna", Method::Wallet).await;
        assert!(matches!(done, Err(EscrowError::Overdrawn(_))), "{done:?}");
        assert_eq!(run.stands().await, [Stands::Open; 3]);
        shop.audit().await;
    }

    async fn a_payin_that_is_called_off_may_be_followed_by_another(shop) {
        let twice = Frame { payin_intents: 2, ..frame() };
        let run = Run::of(&shop, Plan::many_to_one(twice, three_payers(), party("sam")), user("sam")).await;
        run.pay("anna", Method::Card).await;
        let payin = shop.payin(run.order_of("anna").await).await.id();
        let mut unit = shop.begin().await;
        let cancel = escrowed::payment::payin::Command::Cancel {};
        shop.escrow.act_on_payin(&mut unit, payin, cancel, user("anna")).await.unwrap();
        shop.commit(unit).await;
        for name in ["anna", "ben", "cleo"] {
            run.pay(name, Method::Card).await;
        }
        shop.send().await;
        assert!(run.is_over().await);
    }

    async fn a_challenge_that_nobody_passes_undoes_it_once_no_try_is_left(shop) {
        let run = Run::of(&shop, many_to_one(), ops()).await;
        run.pay("anna", Method::Card).await;
        shop.send().await;
        let ten_minutes = Duration::from_secs(600);
        shop.gateway().script(Verb::Charge, [Behaviour::Challenge { until: Some(shop.now().plus(ten_minutes)) }]);
        run.pay("ben", Method::Card).await;
        shop.send().await;
        assert_eq!(run.stands().await, [Stands::Paid, Stands::Open, Stands::Open]);
        // ben leaves his bank's page; the clock calls his payin off.
        shop.escrow.clock().advance(ten_minutes);
        run.clock().await;
        assert_eq!(run.path().await, "PLANNED COLLECTING UNDOING UNDONE");
        assert_eq!(run.why().await, Why::Failed(run.order_of("ben").await));
        shop.send().await;
        assert_eq!(run.outside().await, "0.00 EUR");
        assert!(!run.is_over().await);
    }

    async fn a_payer_who_calls_the_last_try_off_undoes_it(shop) {
        let stepwise = Plan::many_to_one(Frame { batch: 1, ..frame() }, three_payers(), party("sam"));
        let plans = [
            (many_to_one(), "PLANNED COLLECTING UNDOING UNDONE"),
            (many_to_many(), "PLANNED COLLECTING UNDOING UNDONE"),
            // Before all orders are there to be paid.
            (stepwise, "PLANNED UNDOING UNDONE"),
        ];
        for (plan, path) in plans {
            let run = Run::of(&shop, plan, ops()).await;
            run.pay("anna", Method::Card).await;
            let payin = shop.payin(run.order_of("anna").await).await.id();
            let mut unit = shop.begin().await;
            let cancel = escrowed::payment::payin::Command::Cancel {};
            shop.escrow.act_on_payin(&mut unit, payin, cancel, user("anna")).await.unwrap();
            shop.commit(unit).await;
            run.clock().await;
            assert_eq!((run.path().await.as_str(), run.why().await), (path, Why::Failed(run.order_of("anna").await)));
            assert!(!run.is_over().await);
        }
    }

    async fn a_refund_that_a_bank_declines_is_replaced(shop) {
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        run.pay("anna", wire("anna")).await;
        shop.send().await;
        declines(&shop, Verb::Refund);
        run.undo(user("sam")).await.unwrap();
        shop.send().await;
        let order = run.order_of("anna").await;
        let AnyRefund::Denied(denied) = shop.refunds(order).await.remove(0) else { panic!("should be denied") };
        let mut unit = shop.begin().await;
        let replace = escrowed::payment::refund::Command::Replace { route: escrowed::payment::Route::Wallet };
        shop.escrow.act_on_refund(&mut unit, denied.id(), replace, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(run.wallet("anna").await, "30.00 EUR");
        assert!(!run.is_over().await);
    }

    async fn a_refund_that_the_bank_sends_back_is_noted_by_its_order_and_undoes_nothing_more(shop) {
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        run.pay("anna", wire("anna")).await;
        shop.send().await;
        run.undo(user("sam")).await.unwrap();
        shop.send().await;
        let order = run.order_of("anna").await;
        let refund = shop.refunds(order).await.remove(0).id();
        let before = format!("{:?}", run.now().await);
        crate::after::send_back(&shop, refund).await;
        crate::after::replace(&shop, refund, escrowed::payment::Route::Wallet).await;
        assert_eq!(format!("{:?}", run.now().await), before);
        assert_eq!(shop.order(order).await.facts().aftermath().notes().len(), 3);
        assert_eq!(run.wallet("anna").await, "30.00 EUR");
        shop.audit().await;
        shop.audit_calls().await;
    }
}
