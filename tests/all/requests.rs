//! Requests under the host's own keys: sent again, each gets its first answer, and nothing is done twice.

use crate::harness::{Problem, Shop, bank, block_on, key, on_each_store, ops, party, random, terms, user};
use escrowed::{
    deal::{Side, Sides},
    escrow::{Caller, EscrowError},
    face_to_face::{self, FaceToFace, FaceToFaceId, JoinCode},
    gateway::Verb,
    id::Id,
    lifecycle::{Lifecycle, Reason, Value},
    memory::Memory,
    order::{AnyOrder, Command, Order, OrderId, PayoutPlan, Status},
    party::Actor,
    payment::{Agreement, AnyPayin, AnyPayout, Destination, Method, Route, payin, payout, refund},
    sandbox::Behaviour,
    store::{Request, Store, UnitOfWork},
};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{collections::HashMap, sync::Barrier, thread};

fn once(actor: Actor, key: &str) -> Caller {
    actor.under(key.parse().unwrap())
}

async fn ask<S: Store, L: Agreement>(
    shop: &Shop<S>,
    id: Id<L>,
    command: L::Command<'_>,
    by: Caller,
) -> Result<L, Problem<S>> {
    let mut unit = shop.begin().await;
    let value = shop.escrow.act(&mut unit, id, command, by).await?;
    shop.commit(unit).await;
    Ok(value)
}

async fn open<S: Store>(shop: &Shop<S>, by: Caller) -> Result<OrderId, Problem<S>> {
    let mut unit = shop.begin().await;
    let order = shop.escrow.open_order(&mut unit, terms(), by).await?;
    shop.commit(unit).await;
    Ok(order.id())
}

async fn events<S: Store, L: Lifecycle>(shop: &Shop<S>, id: Id<L>) -> Vec<String> {
    let log = shop.begin().await.log(id.subject()).await.unwrap().unwrap();
    log.records.into_iter().map(|record| record.name).collect()
}

fn other<T: std::fmt::Debug, E: std::fmt::Debug>(answer: Result<T, EscrowError<E>>, used: &str) {
    match answer {
        Err(EscrowError::OtherRequest { key }) => assert_eq!(key.as_str(), used),
        answer => panic!("{answer:?}"),
    }
}

/// What a value says of itself, wherever it was had from.
fn told(order: &AnyOrder) -> String {
    format!("{} {:?} {:?}", order.head().seq(), order.history(), order.facts())
}

on_each_store! {
    async fn sent_again_it_gets_its_first_answer_even_after_others_went_on(shop) {
        let id = shop.open(terms()).await;
        let pay = || Command::Pay { by: Method::Card };
        let first = ask(&shop, id, pay(), once(user("anna"), "anna-1")).await.unwrap();
        let again = ask(&shop, id, pay(), once(user("anna"), "anna-1")).await.unwrap();
        assert_eq!(format!("{first:?}"), format!("{again:?}"));
        // It is as good as the first one: it goes on.
        let at = shop.escrow.stamp(ops());
        let mut unit = shop.begin().await;
        let retagged = again.handle(Command::Cancel {}, &at).unwrap();
        shop.escrow.save(&mut unit, retagged, &at).await.unwrap();
        drop(unit);

        // A server lets go of the calls of a unit that was dropped only a moment later, and until then they are passed over.
        for _ in 0..1_000 {
            shop.send().await;
            if shop.status(id).await != Status::PendingPublish {
                break;
            }
        }
        shop.act(id, Command::Accept { payout: None }, user("sam")).await;
        let before = events(&shop, id).await;
        let again = ask(&shop, id, pay(), once(user("anna"), "anna-1")).await.unwrap();
        assert_eq!(told(&again), told(&first));
        assert_eq!(again.status(), Status::PendingPublish);
        assert_eq!(events(&shop, id).await, before);
        assert_eq!(shop.payins(id).await.len(), 1);
        // What is done with a value of the past is stale.
        let at = shop.escrow.stamp(ops());
        let late = again.handle(Command::Cancel {}, &at).unwrap();
        let mut unit = shop.begin().await;
        assert!(matches!(shop.escrow.save(&mut unit, late, &at).await, Err(EscrowError::Stale)));
        drop(unit);
        shop.audit().await;
    }

    async fn the_same_key_with_anything_else_is_an_error(shop) {
        let (id, another) = (shop.open(terms()).await, shop.open(terms()).await);
        let pay = || Command::Pay { by: Method::Card };
        ask(&shop, id, pay(), once(user("anna"), "k")).await.unwrap();
        let wire = Command::Pay { by: Method::BankWire { refund_to: "ba_anna".parse().unwrap() } };
        other(ask(&shop, id, wire, once(user("anna"), "k")).await, "k");
        other(ask(&shop, id, Command::Cancel {}, once(user("anna"), "k")).await, "k");
        other(ask(&shop, id, pay(), once(ops(), "k")).await, "k");
        other(ask(&shop, another, pay(), once(user("anna"), "k")).await, "k");
        other(open(&shop, once(user("anna"), "k")).await, "k");
        let payin = shop.payin(id).await.id();
        let mut unit = shop.begin().await;
        let cancel = payin::Command::Cancel {};
        other(shop.escrow.act_on_payin(&mut unit, payin, cancel, once(user("anna"), "k")).await, "k");
        drop(unit);
        assert_eq!(events(&shop, id).await, ["open", "identify_buyer", "pay"]);
        assert_eq!(events(&shop, another).await, ["open", "identify_buyer"]);
    }

    async fn what_was_refused_or_rolled_back_has_not_used_its_key(shop) {
        let id = shop.open(terms()).await;
        let accept = || Command::Accept { payout: None };
        let refused = ask(&shop, id, accept(), once(user("sam"), "k")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongStatus { .. }))));
        let mut unit = shop.begin().await;
        shop.escrow.act(&mut unit, id, Command::Cancel {}, once(ops(), "k")).await.unwrap();
        drop(unit);
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        let accepted = ask(&shop, id, accept(), once(user("sam"), "k")).await.unwrap();
        assert_eq!(accepted.status(), Status::Accepted);
    }

    async fn an_order_is_opened_once(shop) {
        let id = open(&shop, once(ops(), "ops-1")).await.unwrap();
        assert_eq!(open(&shop, once(ops(), "ops-1")).await.unwrap(), id);
        shop.act(id, Command::Cancel {}, ops()).await;
        assert_eq!(open(&shop, once(ops(), "ops-1")).await.unwrap(), id);
        assert_ne!(open(&shop, once(ops(), "ops-2")).await.unwrap(), id);
        let mut unit = shop.begin().await;
        let mut dearer = terms();
        dearer.tag = Some("dearer".parse().unwrap());
        other(shop.escrow.open_order(&mut unit, dearer, once(ops(), "ops-1")).await, "ops-1");
        drop(unit);
        assert_eq!(shop.audit().await, 2);
    }

    async fn a_deal_is_opened_once_under_the_code_that_was_drawn_first(shop) {
        let draw = |deposit: &str| {
            let sides = Sides::opened_by(party("sam"), Side::Seller);
            let deposit = format!("{deposit} EUR").parse().unwrap();
            face_to_face::Terms::new(sides, deposit, party("shop"), "sandbox".parse().unwrap())
        };
        let mut unit = shop.begin().await;
        let first = shop.escrow.open(&mut unit, FaceToFace::open, draw("50.00"), once(user("sam"), "s")).await.unwrap();
        let again = shop.escrow.open(&mut unit, FaceToFace::open, draw("50.00"), once(user("sam"), "s")).await.unwrap();
        assert_eq!(first.id(), again.id());
        assert!(again.facts().terms().join_code.matches(&first.facts().terms().join_code));
        other(shop.escrow.open(&mut unit, FaceToFace::open, draw("51.00"), once(user("sam"), "s")).await, "s");
        let elsewhere = face_to_face::Terms { gateway: "elsewhere".parse().unwrap(), ..draw("50.00") };
        let refused = shop.escrow.open(&mut unit, FaceToFace::open, elsewhere, user("sam")).await;
        assert!(matches!(refused, Err(EscrowError::OtherGateway { .. })));
        // Terms of one lifecycle do not answer for another's.
        other(shop.escrow.open_order(&mut unit, terms(), once(user("sam"), "s")).await, "s");
    }

    async fn a_wrong_join_code_counts_once_and_a_code_is_part_of_what_is_asked(shop) {
        let sides = Sides::opened_by(party("sam"), Side::Seller);
        let drawn = face_to_face::Terms::new(sides, "50.00 EUR".parse().unwrap(), party("shop"), "sandbox".parse().unwrap());
        let right = drawn.join_code.clone();
        let mut unit = shop.begin().await;
        let id: FaceToFaceId = shop.escrow.open(&mut unit, FaceToFace::open, drawn, user("sam")).await.unwrap().id();
        shop.commit(unit).await;
        let (wrong, join) = (JoinCode::generate(), |code| face_to_face::Command::Join { code });
        for _ in 0..9 {
            ask(&shop, id, join(&wrong), once(user("anna"), "a")).await.unwrap();
        }
        assert_eq!(events(&shop, id).await, ["open", "miss"]);
        other(ask(&shop, id, join(&right), once(user("anna"), "a")).await, "a");
        let joined = ask(&shop, id, join(&right), once(user("anna"), "b")).await.unwrap();
        assert_eq!(joined.status(), face_to_face::Status::Joined);
    }

    async fn payments_are_acted_on_once(shop) {
        // A payin that is called off.
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        let payin = shop.payin(id).await.id();
        for _ in 0..3 {
            let mut unit = shop.begin().await;
            let cancel = payin::Command::Cancel {};
            let payin = shop.escrow.act_on_payin(&mut unit, payin, cancel, once(ops(), "payin")).await.unwrap();
            assert!(matches!(payin, AnyPayin::Cancelled(_)));
            shop.commit(unit).await;
        }
        assert_eq!(events(&shop, id).await, ["open", "identify_buyer", "pay", "drop_payin"]);
        // A payout that was declined goes another way.
        shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "closed".parse().unwrap() }]);
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        let denied = shop.payouts(id).await[0].id();
        for _ in 0..3 {
            let mut unit = shop.begin().await;
            let replace = payout::Command::Replace { to: Destination::Wallet };
            let payout = shop.escrow.act_on_payout(&mut unit, denied, replace, once(ops(), "payout")).await.unwrap();
            assert!(matches!(payout, AnyPayout::Denied(_)));
            shop.commit(unit).await;
        }
        assert_eq!(shop.payouts(id).await.len(), 2);
        // A refund that waits for an operator.
        let id = shop.paid(terms()).await;
        shop.act(id, Command::Reject {}, user("sam")).await;
        let refund = shop.refunds(id).await[0].id();
        for _ in 0..3 {
            let mut unit = shop.begin().await;
            let approve = refund::Command::Approve {};
            shop.escrow.act_on_refund(&mut unit, refund, approve, once(ops(), "refund")).await.unwrap();
            let reroute = refund::Command::Replace { route: Route::Wallet };
            other(shop.escrow.act_on_refund(&mut unit, refund, reroute, once(ops(), "refund")).await, "refund");
            shop.commit(unit).await;
            shop.send().await;
        }
        assert_eq!(shop.gateway().effects(&key(refund.subject(), Verb::Refund)), 1);
        shop.audit().await;
    }

    async fn a_typed_step_is_saved_under_a_request(shop) {
        let request = Request::new("typed", "ops cancels").unwrap();
        let mut unit = shop.begin().await;
        assert!(shop.escrow.answer::<AnyOrder, _>(&mut unit, &request).await.unwrap().is_none());
        let at = shop.escrow.stamp(ops());
        let draft = shop.escrow.open(&mut unit, Order::open, terms(), ops()).await.unwrap();
        let (id, cancelled) = (draft.id(), draft.cancel(&at).unwrap().under(request.clone()));
        shop.escrow.save(&mut unit, cancelled, &at).await.unwrap();
        shop.commit(unit).await;
        let mut unit = shop.begin().await;
        let before: AnyOrder = shop.escrow.answer(&mut unit, &request).await.unwrap().unwrap();
        assert_eq!((before.id(), before.status()), (id, Status::Cancelled));
        other(shop.escrow.answer::<AnyPayin, _>(&mut unit, &request).await, "typed");
        other(shop.escrow.answer::<AnyOrder, _>(&mut unit, &Request::new("typed", "x").unwrap()).await, "typed");
    }

    async fn whatever_is_repeated_is_done_once(shop) {
        mixed(&shop, 60).await;
    }
}

/// Random commands under few keys: each key does one thing at most, and says so each time.
async fn mixed<S: Store>(shop: &Shop<S>, steps: usize) {
    let plan = prop::collection::vec((0..6usize, 0..6usize, 0..3usize, 0..8usize), 1..steps);
    let run = TestRunner::new(random(8)).run(&(plan, any::<u32>()), |(plan, run)| {
        futures_lite::future::block_on(async {
            let ids = [shop.open(terms()).await, shop.open(terms()).await];
            let mut done: HashMap<usize, ((usize, usize, usize), String)> = HashMap::new();
            let mut effects = 0;
            for (key, which, by, wish) in plan {
                let (id, actor) = (ids[which % 2], [user("anna"), user("sam"), ops()][by].clone());
                let asked = (which % 2, by, wish);
                let before = events(shop, id).await.len();
                let answer = ask(shop, id, wished(wish), once(actor, &format!("{run}-{key}"))).await;
                let wrote = events(shop, id).await.len() > before;
                match (done.get(&key), answer) {
                    (Some((first, answered)), Ok(order)) => {
                        assert_eq!((*first, answered), (asked, &told(&order)));
                        assert!(!wrote);
                    }
                    (Some((first, _)), Err(EscrowError::OtherRequest { .. })) => {
                        assert!(*first != asked && !wrote);
                    }
                    (None, Ok(order)) => {
                        assert!(wrote);
                        effects += 1;
                        done.insert(key, (asked, told(&order)));
                    }
                    (None, Err(EscrowError::Refused(_))) => assert!(!wrote),
                    (first, answer) => panic!("{first:?}: {answer:?}"),
                }
            }
            assert_eq!(effects, done.len());
            shop.send().await;
            shop.audit().await;
        });
        Ok(())
    });
    run.unwrap_or_else(|failed| panic!("{failed}"));
}

fn wished(wish: usize) -> Command<'static> {
    match wish {
        0 => Command::Pay { by: Method::Card },
        1 => Command::Pay { by: Method::BankWire { refund_to: "ba_anna".parse().unwrap() } },
        2 => Command::Cancel {},
        3 => Command::Accept { payout: None },
        4 => Command::Amend { changes: serde_json::from_str(r#"{"metadata": {"a": "1"}}"#).unwrap() },
        5 => Command::Amend { changes: serde_json::from_str(r#"{"metadata": {"a": "2"}}"#).unwrap() },
        6 => Command::RefundPart { amount: "1.00 EUR".parse().unwrap() },
        _ => Command::Retry {},
    }
}

/// Sends a request until it is answered, as a host does.
async fn insist<S: Store>(
    store: &Shop<S>,
    id: OrderId,
    command: impl Fn() -> Command<'static>,
    by: Caller,
) -> AnyOrder {
    loop {
        match ask(store, id, command(), by.clone()).await {
            Ok(order) => return order,
            Err(error) => assert!(error.is_lost_race(), "{error}"),
        }
    }
}

fn race<S: Store>(shops: &[Shop<S>; 2]) {
    let id = block_on(shops[0].open(terms()));
    let start = Barrier::new(8);
    let answers: Vec<_> = thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|number: usize| {
                let (shop, start) = (&shops[number % 2], &start);
                scope.spawn(move || {
                    start.wait();
                    let pay = || Command::Pay { by: Method::Card };
                    let by = once(user("anna"), "anna-1");
                    told(&block_on(insist(shop, id, pay, by)))
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    block_on(async {
        assert_eq!(events(&shops[0], id).await, ["open", "identify_buyer", "pay"]);
        assert_eq!(shops[0].payins(id).await.len(), 1);
    });
}

#[test]
fn of_many_at_once_one_has_effect_and_all_get_its_answer_in_memory() {
    let store = Memory::new();
    race(&[Shop::new(store.clone(), 1), Shop::new(store, 1)]);
}

#[cfg(feature = "sqlite")]
#[test]
fn of_many_at_once_one_has_effect_and_all_get_its_answer_in_one_file() {
    use escrowed::sqlite::Sqlite;
    let folder = tempfile::tempdir().unwrap();
    let store = || Sqlite::open(folder.path().join("shop.db")).unwrap();
    race(&[Shop::new(store(), 1), Shop::new(store(), 1)]);
}

#[cfg(feature = "postgres")]
#[test]
fn of_many_at_once_one_has_effect_and_all_get_its_answer_in_one_database() {
    let database = crate::postgres::database::Database::new();
    let store = || block_on(database.store());
    race(&[Shop::new(store(), 1), Shop::new(store(), 1)]);
}

/// A store whose every second connection is cut around the COMMIT: by turns just before and just after.
#[derive(Debug, Default)]
struct Cut(Memory, std::sync::atomic::AtomicUsize);

#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
struct WasCut;

mod cut {
    use super::{Cut, WasCut};
    use escrowed::{
        memory::{Memory, MemoryError},
        store::Store,
    };
    use std::sync::atomic::Ordering;

    impl Store for Cut {
        type Unit = <Memory as Store>::Unit;
        type Error = MemoryError;
        async fn begin(&self) -> Result<Self::Unit, MemoryError> {
            self.0.begin().await
        }
        async fn commit(&self, unit: Self::Unit) -> Result<(), MemoryError> {
            let cut = MemoryError::Unwritable(serde::de::Error::custom(WasCut));
            match self.1.fetch_add(1, Ordering::SeqCst) % 4 {
                1 => Err(cut),
                3 => self.0.commit(unit).await.and(Err(cut)),
                _ => self.0.commit(unit).await,
            }
        }
    }
}

#[test]
fn a_connection_that_is_cut_around_the_commit_is_safe_to_try_again() {
    futures_lite::future::block_on(async {
        let escrow = escrowed::escrow::Escrow::new(Cut::default(), escrowed::sandbox::Sandbox::new(1));
        let mut cuts = 0;
        let mut ids = Vec::new();
        for number in 0..20 {
            let by = once(ops(), &format!("open-{number}"));
            ids.push(loop {
                let mut unit = escrow.store().begin().await.unwrap();
                let order = escrow.open_order(&mut unit, terms(), by.clone()).await.unwrap();
                if escrow.store().commit(unit).await.is_ok() {
                    break order.id();
                }
                cuts += 1;
            });
            let id = *ids.last().unwrap();
            loop {
                let mut unit = escrow.store().begin().await.unwrap();
                let by = once(ops(), &format!("cancel-{number}"));
                let order = escrow.act(&mut unit, id, Command::Cancel {}, by).await.unwrap();
                assert_eq!(order.status(), Status::Cancelled);
                if escrow.store().commit(unit).await.is_ok() {
                    break;
                }
                cuts += 1;
            }
        }
        assert!(cuts >= 20, "{cuts}");
        let shop = Shop::new(escrow.store().0.clone(), 1);
        let mut found = shop.find(&escrowed::store::Query::All).await;
        found.sort();
        let mut opened: Vec<_> = ids.iter().map(|id| id.subject()).collect();
        opened.sort();
        assert_eq!(found, opened, "each was opened once");
        for id in ids {
            assert_eq!(events(&shop, id).await, ["open", "cancel"]);
        }
    });
}
