//! What a careless host, a lying gateway or a thief might try: the books never part from what the logs say.

use crate::harness::{Shop, bank, euro, key, on_each_store, ops, party, terms, user};
use escrowed::{
    escrow::EscrowError,
    gateway::{Capture, Outcome, Report, Verb},
    ledger::Purpose,
    lifecycle::{Effects, Facts, Failure, Opening, Reason, Refused},
    money::{Currency, Money, Share},
    order::{AnyOrder, Command, OrderId, Payee, PayoutPlan, Status},
    party::{PartyId, Role, Stamp},
    payment::{AnyPayin, AnyRefund, Destination, Method, Payin, PayinId, PayoutId, payin, payout, refund},
    sandbox::{Behaviour, Sandbox},
    store::{CallStatus, Outbox},
};
use std::time::Duration;

on_each_store! {
    async fn a_payout_that_nobody_funds_is_never_sent(shop) {
        let about = shop.open(terms()).await.subject();
        let mallory = shop.escrow.stamp(user("mallory"));
        let terms = payout::Terms {
            again: None,
            about, payee: party("mallory"), amount: euro("5000.00"), to: bank("mallorys"),
            gateway: "sandbox".parse().unwrap(),
        };
        let opened = payout::open(PayoutId::generate(mallory.at), terms, &mallory).unwrap();
        let mut unit = shop.begin().await;
        let refused = opened.save(&mut unit).await.unwrap_err();
        assert!(matches!(refused.why, Failure::Unbooked { .. }));
        shop.commit(unit).await;
        shop.send().await;
        assert!(shop.gateway().calls().is_empty());
    }

    async fn half_of_a_movement_is_not_written(shop) {
        let id = shop.paid(terms()).await;
        let AnyOrder::Published(order) = shop.order(id).await else { panic!() };
        let cancelled = order.cancel(&shop.escrow.stamp(ops())).unwrap();
        assert_eq!(cancelled.commits().len(), 2, "the order's and its refund's");
        let mut unit = shop.begin().await;
        for commit in cancelled.commits() {
            let alone = escrowed::store::UnitOfWork::append(&mut unit, commit).await.unwrap();
            assert!(matches!(alone, escrowed::store::Appended::Unbooked { .. }), "{alone:?}");
        }
        shop.commit(unit).await;
        assert_eq!(shop.audit().await, 2);
    }

    async fn an_unsaved_payin_pays_for_nothing(shop) {
        shop.fill_wallet("anna", euro("500.00")).await;
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        let AnyOrder::PendingPublish(order) = shop.order(id).await else { panic!() };
        let at = shop.escrow.stamp(user("anna"));
        let fake = payin::Terms {
            about: id.subject(), payer: party("anna"), amount: euro("100.00"), method: Method::Wallet,
            capture: Capture::Now, gateway: "sandbox".parse().unwrap(), expires: None, authentication: Default::default(),
        };
        let payin::Opened::Paid(fake) = payin::open(order.state().payin().unwrap(), fake, &at).unwrap() else { panic!() };
        let published = order.publish(fake.value(), &Stamp::gateway(at.at)).unwrap();
        let mut unit = shop.begin().await;
        assert!(matches!(published.save(&mut unit).await.unwrap_err().why, Failure::Unbooked { .. }));
    }

    async fn one_refund_is_taken_back_once(shop) {
        let id = shop.paid(terms()).await;
        shop.act(id, Command::RefundPart { amount: euro("10.00") }, ops()).await;
        shop.act(id, Command::RefundPart { amount: euro("10.00") }, ops()).await;
        let first = shop.refunds(id).await.remove(0).id();
        let mut unit = shop.begin().await;
        let called_off = shop.escrow.act_on_refund(&mut unit, first, refund::Command::Cancel {}, ops()).await.unwrap();
        shop.commit(unit).await;
        let AnyRefund::Cancelled(refund) = &called_off else { panic!() };
        let again = shop.try_act(id, Command::TakeBackRefund { refund }, escrowed::party::Actor::Gateway).await;
        assert!(matches!(again, Err(EscrowError::Unbooked(_))), "{again:?}");
        assert_eq!(shop.order(id).await.held(), euro("90.00"));
        shop.audit().await;
    }

    async fn what_a_payment_gives_back_and_nobody_takes_stays_where_it_is(shop) {
        shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "closed".parse().unwrap() }]);
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        let open = shop.payouts(id).await.remove(0).id();
        let mut unit = shop.begin().await;
        let refused = shop.escrow.act_on_payout(&mut unit, open, payout::Command::Cancel {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongStatus { .. }))));
        // Committed all the same: nothing was written.
        shop.commit(unit).await;
        assert_eq!(shop.load(open).await.status(), payout::Status::Created);
        shop.audit().await;
    }

    async fn a_plan_made_on_a_crumb_shares_as_it_says(shop) {
        let mut free = terms();
        free.fees = None;
        let id = shop.paid(free).await;
        shop.act(id, Command::RefundPart { amount: euro("99.99") }, ops()).await;
        let half = |name| Payee { party: party(name), share: Share::Percent("50%".parse().unwrap()), to: Destination::Wallet };
        let payout = Some(PayoutPlan::among([half("sam"), half("sue")]));
        shop.act(id, Command::Accept { payout }, user("sam")).await;
        let refund = shop.refunds(id).await.remove(0).id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_refund(&mut unit, refund, refund::Command::Cancel {}, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
        assert_eq!(shop.balance("wallet:sam").await, euro("50.00"));
        assert_eq!(shop.balance("wallet:sue").await, euro("50.00"));
    }

    async fn a_charge_that_never_arrived_is_not_sent_after_a_cancellation(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::TimeoutBefore]);
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        shop.act(id, Command::Cancel {}, user("anna")).await;
        shop.escrow.clock().advance(Duration::from_secs(10));
        shop.send().await;
        let call = key(shop.payin(id).await.id().subject(), Verb::Charge);
        assert_eq!(shop.gateway().effects(&call), 0);
        assert!(shop.refunds(id).await.is_empty());
        shop.audit().await;
    }

    async fn another_gateways_word_is_not_believed(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        let call = key(shop.payin(id).await.id().subject(), Verb::Charge);
        let report = Report { key: call, outcome: Outcome::Settled { moved: euro("100.00") } };
        let clock = shop.escrow.clock().clone();
        let mut unit = shop.begin().await;
        let other: escrowed::escrow::Escrow<_, _, _> = escrowed::escrow::Escrow::with_clock(
            escrowed::memory::Memory::new(), Sandbox::named("other".parse().unwrap(), 1), clock,
        );
        assert!(matches!(other.report(&mut unit, &report).await, Err(EscrowError::UnknownCall(_))));
        let mut unknown = terms();
        unknown.gateway = "stripe".parse().unwrap();
        let refused = shop.escrow.open_order(&mut unit, unknown, ops()).await;
        assert!(matches!(refused, Err(EscrowError::OtherGateway { .. })));
    }

    async fn a_gateways_word_comes_by_report_only(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        let payin = shop.payin(id).await.id();
        let mut unit = shop.begin().await;
        let confirm = payin::Command::Confirm { moved: euro("100.00") };
        let refused = shop.escrow.act_on_payin(&mut unit, payin, confirm, escrowed::party::Actor::Gateway).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
    }

    async fn a_payin_taken_back_in_the_breath_that_opens_it_is_never_charged(shop) {
        let about = shop.open(terms()).await.subject();
        let at = shop.escrow.stamp(user("anna"));
        let terms = payin::Terms {
            about, payer: party("anna"), amount: euro("100.00"), method: Method::Card, capture: Capture::Now,
            gateway: "sandbox".parse().unwrap(), expires: None, authentication: Default::default(),
        };
        let opened = Payin::open(PayinId::generate(at.at), terms, &at).unwrap();
        let mut unit = shop.begin().await;
        opened.then(|payin| payin.cancel(&at)).unwrap().save(&mut unit).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        assert!(shop.gateway().calls().is_empty());
    }

    async fn a_pending_payment_outlives_a_hiccup(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        let call = shop.gateway().pending().remove(0);
        for _ in 0..50 {
            shop.escrow.clock().advance(Duration::from_secs(3601));
            shop.send().await;
        }
        let mut unit = shop.begin().await;
        let state = unit.call(&call).await.unwrap().unwrap();
        assert_eq!((state.status, state.attempts), (CallStatus::Pending, 1), "every look-up found it waiting");
    }

    async fn what_could_not_be_taken_is_let_go(shop) {
        let id = shop.open(terms()).await;
        let at = shop.escrow.stamp(user("anna"));
        let AnyOrder::PendingPublish(order) = shop.order(id).await else { panic!() };
        let reserved = order.reserve(&at).unwrap();
        let mut unit = shop.begin().await;
        shop.escrow.save(&mut unit, reserved, &at).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        shop.gateway().script(Verb::Capture, [Behaviour::Decline { reason: "lapsed".parse().unwrap() }]);
        let payin = shop.payin(id).await.id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_payin(&mut unit, payin, payin::Command::Capture {}, ops()).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        let AnyPayin::Denied(denied) = shop.payin(id).await else { panic!() };
        assert!(!denied.state().after().voiding());
        assert_eq!(shop.gateway().reserved(payin.subject()).unwrap_or(euro("0.00")), euro("0.00"));
        shop.audit().await;
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn one_log_of_a_later_version_stops_no_other_deadline() {
    futures_lite::future::block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = escrowed::sqlite::Sqlite::open(folder.path().join("shop.db")).unwrap();
        let shop = Shop::new(store, 1);
        let (at, mut payins) = (shop.escrow.stamp(user("anna")), Vec::new());
        for seconds in [1, 2] {
            let about = shop.open(terms()).await.subject();
            let terms = payin::Terms {
                about,
                payer: party("anna"),
                amount: euro("100.00"),
                method: Method::Card,
                capture: Capture::Now,
                gateway: "sandbox".parse().unwrap(),
                expires: Some(at.at.plus(Duration::from_secs(seconds))),
                authentication: Default::default(),
            };
            let mut unit = shop.begin().await;
            let payin = Payin::open(PayinId::generate(at.at), terms, &at).unwrap().save(&mut unit).await.unwrap();
            shop.commit(unit).await;
            payins.push(payin.id());
        }
        let unit = shop.begin().await;
        let newer = "UPDATE escrowed_events SET version = 99 WHERE subject = ?1";
        unit.connection().execute(newer, [payins[0].to_string()]).unwrap();
        shop.commit(unit).await;
        shop.escrow.clock().advance(Duration::from_secs(10));
        let due = shop.escrow.run_due(&crate::harness::worker(), 1).await.unwrap();
        assert_eq!((due.taken, due.failed), (1, 1));
        assert_eq!(shop.load(payins[1]).await.status(), payin::Status::Cancelled);
    });
}

#[test]
#[should_panic(expected = "own value")]
fn a_value_cannot_be_swapped_for_another_on_its_way() {
    futures_lite::future::block_on(async {
        let shop = Shop::memory();
        let (one, other): (OrderId, OrderId) = (shop.paid(terms()).await, shop.paid(terms()).await);
        let (AnyOrder::Published(one), AnyOrder::Published(other)) = (shop.order(one).await, shop.order(other).await)
        else {
            panic!()
        };
        let amended = one.amend(escrowed::order::Amendment::default(), &shop.escrow.stamp(ops())).unwrap();
        let _ = amended.then(|_| {
            Err::<escrowed::lifecycle::Transition<AnyOrder>, _>(Refused { value: other, reason: Reason::SameParty })
        });
    });
}

mod thief {
    //! A host's own lifecycle that reaches into an order.
    use super::*;
    use escrowed::{id::Subject, ledger::Account, lifecycle::Transition};
    use serde::{Deserialize, Serialize};

    escrowed::lifecycle! {
        /// Takes what is not its own.
        pub(super) lifecycle Theft, AnyTheft as "theft" with ids "theft" {
            version 1;
            facts Loot;
            opening Loot;
            initial Planned;
            statuses {
                /// Planned.
                Planned = "planned", Nothing;
                /// Done.
                Done = "done", Nothing;
            }
            edges {
                /// Takes it.
                steal => Steal records Stolen { Planned -> Done by Role::BUYER, Pass, Own; }
            }
            notes {}
            commands Command;
        }
    }

    #[derive(Debug, Default)]
    pub(super) struct Planned;
    #[derive(Debug)]
    pub(super) struct Done;
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(super) struct Loot {
        pub(super) from: Subject,
    }
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(super) struct Stolen;

    impl Facts for Loot {
        fn plays(&self, _: Role, _: &PartyId) -> bool {
            true
        }
        fn parties(&self) -> Vec<PartyId> {
            Vec::new()
        }
    }
    impl Opening<AnyTheft> for Loot {
        fn check(&self, _: &mut Effects<'_>) -> Result<(), Reason> {
            Ok(())
        }
        fn held(&self) -> Money {
            Money::zero(Currency::EUR)
        }
        fn facts(self, _: &Stamp) -> Self {
            self
        }
    }
    impl escrowed::lifecycle::Takes<Stolen> for Theft<Planned> {
        type Next = Theft<Done>;
        fn check(&self, _: &Stolen, step: &mut Effects<'_>) -> Result<(), Reason> {
            let hundred = Money::from_minor(10_000, Currency::EUR);
            step.receive(Account::Escrow(self.facts().from), hundred, Purpose::Payin)?;
            step.pay(Account::Wallet("mallory".parse()?), hundred, Purpose::Payout)
        }
        fn make(self, _: Stolen, _: &Stamp) -> Theft<Done> {
            self.enter(Done)
        }
    }
    impl Theft<Planned> {
        pub(super) fn plan(from: Subject, at: &Stamp) -> Transition<Self> {
            Self::opened(escrowed::id::Id::generate(at.at), Loot { from }, at).unwrap()
        }
        pub(super) fn steal(self, at: &Stamp) -> Result<Transition<Theft<Done>>, Refused<Self>> {
            self.take(Stolen, at)
        }
    }
    impl AnyTheft {
        #[allow(clippy::unused_self, reason = "the macro calls it on a value")]
        fn ready(&self, _: Action, _: &Stamp) -> Result<(), Reason> {
            Ok(())
        }
    }
}

#[test]
fn no_lifecycle_reaches_into_anothers_escrow() {
    futures_lite::future::block_on(async {
        let shop = Shop::memory();
        let order = shop.paid(terms()).await.subject();
        let mallory = shop.escrow.stamp(user("mallory"));
        let refused = thief::Theft::plan(order, &mallory).then(|theft| theft.steal(&mallory)).unwrap_err();
        assert!(matches!(refused.reason, Reason::WrongSubject { .. }));
    });
}
