//! Refunds of a payment that their payer has charged back meanwhile, and owes: nothing more of it goes outside.

use super::{
    chargebacks::{debts, pair, stand},
    charged, decided,
    refunds_returned::{act_on, replace, send_back},
    tell,
};
use crate::harness::{Shop, euro, on_each_store, ops, terms, user};
use escrowed::{
    escrow::EscrowError,
    gateway::{Dispute, Verb},
    lifecycle::{Flaw, Reason, Refused, Transition, replay},
    order::{Command as OrderCommand, OrderId, Status as OrderStatus},
    party::Stamp,
    payment::{
        AnyChargeback, AnyRefund, ChargebackId, Refund, RefundId, Route, debt,
        refund::{Action, Command, Denied, Status},
    },
    sandbox::Behaviour,
    store::{Log, Query, Store, StoredRecord, UnitOfWork},
};

/// Anna paid €100, the order was called off, and her refund is on its way.
async fn on_its_way<S: Store>(shop: &Shop<S>) -> (OrderId, RefundId) {
    let order = shop.paid(terms()).await;
    shop.act(order, OrderCommand::Cancel {}, ops()).await;
    (order, shop.refunds(order).await.remove(0).id())
}

/// The gateway declines what it is asked next.
async fn denied<S: Store>(shop: &Shop<S>, id: RefundId) {
    shop.gateway().script(Verb::Refund, [Behaviour::Decline { reason: "no".parse().unwrap() }]);
    shop.send().await;
    assert_eq!(shop.load(id).await.status(), Status::Denied);
}

/// Her bank takes so much of it back.
async fn taken<S: Store>(shop: &Shop<S>, order: OrderId, reference: &str, amount: &str) -> Dispute {
    let dispute = charged(shop, shop.payin(order).await.id(), reference, euro(amount), euro("0.00"));
    tell(shop, &dispute).await;
    dispute
}

async fn chargeback<S: Store>(shop: &Shop<S>, order: OrderId) -> ChargebackId {
    let found = shop.find(&Query::About(order.subject())).await;
    found.into_iter().find_map(|subject| subject.try_into().ok()).expect("a chargeback")
}

fn outside() -> [Route; 2] {
    [Route::Original, Route::Account("ba_new".parse().unwrap())]
}

fn charged_back<E: std::fmt::Debug>(done: Result<AnyRefund, EscrowError<E>>, by: ChargebackId) {
    match done {
        Err(EscrowError::Refused(reason @ Reason::ChargedBack(_))) => {
            assert_eq!(reason, Reason::ChargedBack(by.subject()));
            assert!(reason.to_string().contains("into the payer's wallet"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

/// Of what holds the money, nothing goes outside; into the wallet it pays what anna owes.
async fn only_into_the_wallet<S: Store>(shop: &Shop<S>, order: OrderId, id: RefundId) {
    let (by, status) = (chargeback(shop, order).await, shop.load(id).await.status());
    assert_eq!(shop.load(id).await.held(), euro("100.00"));
    for route in outside() {
        charged_back(act_on(shop, id, Command::Replace { route }, ops()).await, by);
    }
    assert_eq!((shop.load(id).await.status(), shop.load(id).await.held()), (status, euro("100.00")));
    replace(shop, id, Route::Wallet).await;
    assert_eq!(stand(shop, &["anna"]).await, [pair("0.00", "0.00")]);
    assert_eq!(debts(shop, "anna").await[0].status(), debt::Status::Paid);
    shop.send().await;
    assert_eq!((shop.status(order).await, shop.balance("world:sandbox").await), (OrderStatus::Cancelled, euro("0.00")));
    audit(shop).await;
}

async fn log<S: Store>(shop: &Shop<S>, id: RefundId) -> Log {
    shop.begin().await.log(id.subject()).await.unwrap().expect("a log")
}

async fn audit<S: Store>(shop: &Shop<S>) {
    shop.audit().await;
    shop.audit_calls().await;
}

on_each_store! {
    async fn one_that_is_denied_after_its_payer_charged_back_goes_into_the_wallet(shop) {
        let (order, refund) = on_its_way(&shop).await;
        taken(&shop, order, "dp_1", "100.00").await;
        denied(&shop, refund).await;
        only_into_the_wallet(&shop, order, refund).await;
    }

    async fn one_that_was_denied_before_its_payer_charged_back_goes_into_the_wallet(shop) {
        let (order, refund) = on_its_way(&shop).await;
        denied(&shop, refund).await;
        taken(&shop, order, "dp_1", "100.00").await;
        only_into_the_wallet(&shop, order, refund).await;
    }

    async fn one_that_replaced_another_and_is_denied_too_goes_into_the_wallet(shop) {
        let (order, first) = on_its_way(&shop).await;
        denied(&shop, first).await;
        // Nobody has charged anything back yet: it may be tried once more, by the same way, too.
        replace(&shop, first, Route::Original).await;
        let AnyRefund::Denied(first) = shop.load(first).await else { panic!("it stays denied") };
        let second = first.state().went().unwrap().0;
        taken(&shop, order, "dp_1", "100.00").await;
        denied(&shop, second).await;
        only_into_the_wallet(&shop, order, second).await;
    }

    async fn one_that_the_bank_sends_back_goes_into_the_wallet(shop) {
        let (order, refund) = on_its_way(&shop).await;
        shop.send().await;
        taken(&shop, order, "dp_1", "100.00").await;
        send_back(&shop, refund).await;
        only_into_the_wallet(&shop, order, refund).await;
    }

    async fn one_that_waits_for_approval_goes_into_the_wallet(shop) {
        let order = shop.paid(terms()).await;
        shop.act(order, OrderCommand::Reject {}, user("sam")).await;
        let refund = shop.refunds(order).await.remove(0).id();
        taken(&shop, order, "dp_1", "100.00").await;
        let by = chargeback(&shop, order).await;
        let at = shop.escrow.stamp(ops());
        assert_eq!(shop.load(refund).await.may(Action::Approve, &at), Err(Reason::ChargedBack(by.subject())));
        charged_back(act_on(&shop, refund, Command::Approve {}, ops()).await, by);
        let other_way = Command::Replace { route: outside()[1].clone() };
        charged_back(act_on(&shop, refund, other_way, ops()).await, by);
        replace(&shop, refund, Route::Wallet).await;
        assert_eq!(stand(&shop, &["anna"]).await, [pair("0.00", "0.00")]);
        audit(&shop).await;
    }

    async fn the_typed_step_refuses_it_and_so_does_replay(shop) {
        let (order, id) = on_its_way(&shop).await;
        taken(&shop, order, "dp_1", "100.00").await;
        denied(&shop, id).await;
        let by = chargeback(&shop, order).await;
        for route in outside() {
            let AnyRefund::Denied(refund) = shop.load(id).await else { panic!("it was denied") };
            let refused: Result<Transition<Refund<Denied>>, Refused<_>> = refund.replace(route, &shop.escrow.stamp(ops()));
            let refused = refused.unwrap_err();
            // It comes back as it was, and says what to do: that is possible.
            assert_eq!((&refused.reason, refused.value.held()), (&Reason::ChargedBack(by.subject()), euro("100.00")));
            assert!(refused.value.replace(Route::Wallet, &shop.escrow.stamp(ops())).is_ok());
        }
        let honest = log(&shop, id).await;
        replay::<AnyRefund>(&honest).unwrap();
        for (route, possible) in [(r#""original""#, false), (r#"{"account":"ba_new"}"#, false), (r#""wallet""#, true)] {
            let mut forged = honest.clone();
            let (seq, version) = (forged.records.len() as u32 + 1, forged.records[0].version);
            let body = format!(r#"{{"by":"{}","route":{route}}}"#, RefundId::generate(shop.now()));
            let stamp = shop.escrow.stamp(ops());
            forged.records.push(StoredRecord { seq, name: "replace".to_owned(), version, stamp, body });
            match replay::<AnyRefund>(&forged) {
                Ok(_) => assert!(possible, "{route}"),
                Err(corrupt) => {
                    assert!(!possible && matches!(corrupt.flaw, Flaw::Illegal(Reason::ChargedBack(_))), "{route}: {corrupt}");
                }
            }
        }
    }

    async fn once_the_dispute_is_won_it_may_go_outside_again(shop) {
        let (order, refund) = on_its_way(&shop).await;
        denied(&shop, refund).await;
        let first = taken(&shop, order, "dp_1", "60.00").await;
        let second = taken(&shop, order, "dp_2", "40.00").await;
        tell(&shop, &decided(&shop, &first, true)).await;
        // Of one of two, nothing is decided.
        let to_account = || Command::Replace { route: outside()[1].clone() };
        let refused = act_on(&shop, refund, to_account(), ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::ChargedBack(_)))), "{refused:?}");
        tell(&shop, &decided(&shop, &second, true)).await;
        act_on(&shop, refund, to_account(), ops()).await.unwrap();
        shop.send().await;
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        assert_eq!(stand(&shop, &["anna"]).await, [pair("0.00", "0.00")]);
        audit(&shop).await;
    }

    async fn a_dispute_that_is_lost_changes_nothing(shop) {
        let (order, refund) = on_its_way(&shop).await;
        denied(&shop, refund).await;
        let dispute = taken(&shop, order, "dp_1", "100.00").await;
        tell(&shop, &decided(&shop, &dispute, false)).await;
        only_into_the_wallet(&shop, order, refund).await;
    }

    async fn what_others_bear_leaves_it_alone(shop) {
        let order = shop.paid(terms()).await;
        shop.act(order, OrderCommand::RefundPart { amount: euro("20.00") }, ops()).await;
        let refund = shop.refunds(order).await.remove(0).id();
        act_on(&shop, refund, Command::Approve {}, ops()).await.unwrap();
        shop.send().await;
        // What the order holds gives all of it: of the €100.00 these €20.00 are anna's, and were with her by then.
        taken(&shop, order, "dp_1", "80.00").await;
        send_back(&shop, refund).await;
        replace(&shop, refund, outside()[1].clone()).await;
        shop.send().await;
        assert_eq!((shop.balance("world:sandbox").await, stand(&shop, &["anna"]).await), (euro("0.00"), vec![pair("0.00", "0.00")]));
        audit(&shop).await;
    }

    async fn what_a_wallet_gave_in_full_leaves_it_alone(shop) {
        shop.fill_wallet("anna", euro("100.00")).await;
        let (order, refund) = on_its_way(&shop).await;
        denied(&shop, refund).await;
        taken(&shop, order, "dp_1", "100.00").await;
        // She owes nothing: her bank gave her what her wallet gave.
        assert_eq!(stand(&shop, &["anna"]).await, [pair("0.00", "0.00")]);
        let AnyChargeback::Open(open) = shop.load(chargeback(&shop, order).await).await else { panic!("not decided") };
        let noted = shop.load(refund).await.handle(Command::NoteChargedBack { chargeback: &open }, &Stamp::gateway(shop.now()));
        assert!(matches!(noted.unwrap_err().reason, Reason::Missing { .. }));
        act_on(&shop, refund, Command::Replace { route: outside()[1].clone() }, ops()).await.unwrap();
        shop.send().await;
        audit(&shop).await;
    }

    async fn one_that_waits_for_approval_is_not_replaced_by_the_way_that_it_goes_already(shop) {
        let order = shop.paid(terms()).await;
        shop.act(order, OrderCommand::Reject {}, user("sam")).await;
        let id = shop.refunds(order).await.remove(0).id();
        let refused = act_on(&shop, id, Command::Replace { route: Route::Original }, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::SameRoute))), "{refused:?}");
        let AnyRefund::Created(refund) = shop.load(id).await else { panic!("it waits") };
        let refused = refund.replace(Route::Original, &shop.escrow.stamp(ops())).unwrap_err();
        assert_eq!((refused.reason, refused.value.held()), (Reason::SameRoute, euro("100.00")));
        act_on(&shop, id, Command::Approve {}, ops()).await.unwrap();
        shop.send().await;
        assert_eq!(shop.load(id).await.status(), Status::Confirmed);
        audit(&shop).await;
    }
}
