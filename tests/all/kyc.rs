//! Payouts to parties that the host does not know well enough: they wait where everybody sees them, are lost to nobody,
//! and go out once.

mod for_good;
mod late;
mod properties;

use crate::{
    harness::{Problem, Shop, bank, euro, key, on_each_store, ops, party, terms, user, worker},
    workers::Shared,
};
use escrowed::{
    escrow::{Escrow, EscrowError, Kyc, ManualClock, Policy, Sent, Verdict},
    gateway::{Gateway, IdempotencyKey, Instruction, Outcome, Verb},
    ledger::GatewayName,
    lifecycle::Reason,
    money::Share,
    order::{AnyOrder, Command, OrderId, Payee, PayoutPlan, Status},
    party::PartyId,
    payment::{AnyPayin, AnyPayout, Destination, PayoutId, payin, payout},
    sandbox::{Behaviour, Sandbox, SandboxError},
    store::{CallState, CallStatus, Outbox, Query, Store, UnitOfWork, WorkerId},
};
use futures_lite::future::poll_once;
use std::{
    collections::BTreeMap,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Who has shown papers, why the others may not be paid, and what becomes of who asks. A clone is the same office.
#[derive(Clone, Default)]
pub(crate) struct Office(Arc<Mutex<Desk>>);

#[derive(Default)]
struct Desk {
    /// Why a party is held; who is not in it may be paid.
    held: BTreeMap<PartyId, &'static str>,
    /// Nobody answers.
    closed: bool,
    /// It never answers: who asks dies waiting.
    deadly: bool,
    /// Whom it was asked about.
    asked: Vec<PartyId>,
}

#[derive(Debug, thiserror::Error)]
#[error("the office is closed")]
pub(crate) struct Closed;

impl Office {
    pub(crate) fn holding(names: &[&str]) -> Self {
        let office = Self::default();
        names.iter().for_each(|name| office.hold(name, "no papers yet"));
        office
    }

    fn hold(&self, name: &str, why: &'static str) {
        self.0.lock().unwrap().held.insert(party(name), why);
    }

    fn allow(&self, name: &str) {
        self.0.lock().unwrap().held.remove(&party(name));
    }

    fn set(&self, change: impl FnOnce(&mut Desk)) {
        change(&mut self.0.lock().unwrap());
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked.len()
    }
}

impl Kyc for Office {
    type Error = Closed;

    async fn may_be_paid(&self, payout: &payout::Terms) -> Result<Verdict, Closed> {
        let (deadly, closed, why) = {
            let mut desk = self.0.lock().unwrap();
            desk.asked.push(payout.payee.clone());
            (desk.deadly, desk.closed, desk.held.get(&payout.payee).copied())
        };
        if deadly {
            pending::<()>().await;
        }
        if closed {
            return Err(Closed);
        }
        Ok(why.map_or(Verdict::Pay, |why| Verdict::Hold { reason: why.parse().unwrap() }))
    }
}

/// A gateway at which workers die: before it has acted, or after.
pub(crate) struct Deadly {
    pub(crate) sandbox: Sandbox,
    pub(crate) acts: bool,
}

impl Gateway for Deadly {
    type Error = SandboxError;

    fn name(&self) -> &GatewayName {
        self.sandbox.name()
    }

    async fn execute(&self, key: &IdempotencyKey, asked: &Instruction) -> Result<Outcome, SandboxError> {
        if self.acts {
            self.sandbox.execute(key, asked).await?;
        }
        pending().await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, SandboxError> {
        self.sandbox.lookup(key).await
    }
}

/// A worker of another process that dies at the gateway.
async fn dies_at_the_gateway<S: Store>(shop: &Shop<S>, office: &Office, acts: bool) {
    let gateway = Deadly { sandbox: shop.gateway().clone(), acts };
    let store = Shared(shop.escrow.store());
    let escrow = Escrow::with_clock(store, gateway, shop.escrow.clock().clone()).with_kyc(office.clone());
    dies(&escrow).await;
}

pub(crate) async fn dies<S: Store, G: Gateway>(escrow: &Escrow<S, G, ManualClock>) {
    let name: WorkerId = "mortal".parse().unwrap();
    let mut send = Box::pin(escrow.send(&name, 10));
    for _ in 0..1_000 {
        if poll_once(&mut send).await.is_some() {
            return;
        }
        // Time in which a store could have answered.
        drop(escrow.store().begin().await.unwrap());
    }
}

pub(crate) fn with<S: Store>(shop: Shop<S>, office: &Office) -> Shop<S> {
    Shop { escrow: shop.escrow.with_kyc(office.clone()) }
}

/// An order on its way out to sam's bank account.
async fn released<S: Store>(shop: &Shop<S>) -> (OrderId, PayoutId) {
    let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
    assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::PendingRelease);
    (id, shop.payouts(id).await[0].id())
}

/// An order on its way out to both sam and tom.
async fn shared_out<S: Store>(shop: &Shop<S>) -> (OrderId, [PayoutId; 2]) {
    let half = |name: &str, to| Payee { party: party(name), share: Share::Rest, to: bank(to) };
    let id = shop.planned_by_platform(terms(), PayoutPlan::among([half("sam", "ba_sam"), half("tom", "ba_tom")])).await;
    shop.act(id, Command::Validate {}, ops()).await;
    let AnyOrder::PendingRelease(order) = shop.order(id).await else { panic!("{id} is not on its way out") };
    (id, [0, 1].map(|leg: usize| order.state().payouts().legs()[leg].payment.try_into().unwrap()))
}

async fn call<S: Store>(shop: &Shop<S>, id: PayoutId) -> CallState {
    shop.begin().await.call(&key(id.subject(), Verb::Payout)).await.unwrap().expect("its call")
}

/// What is in its log, by name.
async fn log<S: Store>(shop: &Shop<S>, id: PayoutId) -> Vec<String> {
    let log = shop.begin().await.log(id.subject()).await.unwrap().expect("its log");
    log.records.into_iter().map(|record| record.name).collect()
}

async fn on_payout<S: Store>(shop: &Shop<S>, id: PayoutId, command: payout::Command) -> Result<AnyPayout, Problem<S>> {
    let mut unit = shop.begin().await;
    let payout = shop.escrow.act_on_payout(&mut unit, id, command, ops()).await?;
    shop.commit(unit).await;
    Ok(payout)
}

async fn kyc_changed<S: Store>(shop: &Shop<S>, name: &str) -> usize {
    let mut unit = shop.begin().await;
    let asked = shop.escrow.kyc_changed(&mut unit, &party(name)).await.unwrap();
    shop.commit(unit).await;
    asked
}

async fn is_held<S: Store>(shop: &Shop<S>, id: PayoutId, why: &str) {
    let AnyPayout::Held(payout) = shop.load(id).await else { panic!("{id} is not held") };
    assert_eq!(payout.state().reason().as_str(), why);
    assert!(payout.held().is_positive());
    assert!(shop.find(&Query::status("payout".parse().unwrap(), "HELD")).await.contains(&id.subject()));
    let call = call(shop, id).await;
    assert_eq!((call.status, call.attempts), (CallStatus::Held, 0));
    assert_eq!(call.problem.unwrap().as_str(), why);
    assert_eq!(shop.gateway().effects(&key(id.subject(), Verb::Payout)), 0);
}

async fn is_paid<S: Store>(shop: &Shop<S>, id: PayoutId) {
    assert_eq!(shop.load(id).await.status(), payout::Status::Confirmed);
    assert_eq!(shop.gateway().effects(&key(id.subject(), Verb::Payout)), 1);
}

fn for_good() -> payout::Command {
    payout::Command::Deny { reason: "on a list of sanctions".parse().unwrap() }
}

const HOUR: Duration = Duration::from_secs(3600);

on_each_store! {
    async fn a_held_payout_waits_where_all_see_it_and_goes_out_by_itself(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (id, payout) = released(&shop).await;
        let sent = shop.escrow.send(&worker(), 10).await.unwrap();
        assert_eq!(sent, Sent { taken: 1, held: 1, ..Sent::default() });
        is_held(&shop, payout, "no papers yet").await;
        assert_eq!(shop.status(id).await, Status::PendingRelease);
        assert_eq!(shop.balance(&format!("escrow:{payout}")).await, euro("90.00"));
        shop.audit().await;
        shop.verify().await;

        // Nobody asks again before its time, and the same answer is not written twice.
        shop.escrow.clock().advance(HOUR - Duration::from_secs(1));
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().taken, 0);
        shop.escrow.clock().advance(Duration::from_secs(1));
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().held, 1);
        assert_eq!(log(&shop, payout).await, ["open", "hold"]);
        office.hold("sam", "papers under review");
        shop.escrow.clock().advance(HOUR);
        shop.send().await;
        assert_eq!(log(&shop, payout).await, ["open", "hold", "hold"]);
        is_held(&shop, payout, "papers under review").await;

        office.allow("sam");
        shop.escrow.clock().advance(HOUR);
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().answered, 1);
        is_paid(&shop, payout).await;
        assert_eq!((shop.status(id).await, office.asked()), (Status::Released, 4));
        shop.audit().await;
        shop.audit_calls().await;
        shop.verify().await;

        // Its log says all of it, and replay asks nobody.
        assert_eq!(log(&shop, payout).await, ["open", "hold", "hold", "let_go", "confirm"]);
        assert_eq!(office.asked(), 4);
    }

    async fn what_is_allowed_is_never_held(shop) {
        let office = Office::default();
        let shop = with(shop, &office);
        let (id, payout) = released(&shop).await;
        shop.send().await;
        is_paid(&shop, payout).await;
        assert_eq!((shop.status(id).await, office.asked()), (Status::Released, 1));
        assert_eq!(log(&shop, payout).await, ["open", "confirm"]);
        shop.verify().await;
    }

    async fn a_party_that_was_looked_at_is_paid_at_once_and_no_other(shop) {
        let office = Office::holding(&["sam", "tom"]);
        let shop = with(shop, &office);
        let (id, [sams, toms]) = shared_out(&shop).await;
        shop.send().await;
        is_held(&shop, sams, "no papers yet").await;
        is_held(&shop, toms, "no papers yet").await;
        // Looked at, and not allowed: it stays where it is.
        assert_eq!(kyc_changed(&shop, "sam").await, 1);
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().held, 1);
        is_held(&shop, sams, "no papers yet").await;
        office.allow("sam");
        office.allow("tom");
        assert_eq!((kyc_changed(&shop, "sam").await, kyc_changed(&shop, "anna").await), (1, 0));
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().answered, 1);
        is_paid(&shop, sams).await;
        is_held(&shop, toms, "no papers yet").await;
        assert_eq!((kyc_changed(&shop, "sam").await, shop.status(id).await), (0, Status::PendingRelease));
        shop.escrow.clock().advance(HOUR);
        shop.send().await;
        is_paid(&shop, toms).await;
        assert_eq!(shop.status(id).await, Status::Released);
        shop.verify().await;
    }

    async fn a_held_payout_holds_up_nobody_else(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (id, [sams, toms]) = shared_out(&shop).await;
        shop.send().await;
        is_held(&shop, sams, "no papers yet").await;
        is_paid(&shop, toms).await;
        assert_eq!(shop.status(id).await, Status::PendingRelease);
        shop.verify().await;
    }

    async fn a_payee_who_is_refused_for_good_is_not_paid_and_the_buyer_has_the_money_back(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (id, payout) = released(&shop).await;
        shop.send().await;
        let mut unit = shop.begin().await;
        let payee = shop.escrow.act_on_payout(&mut unit, payout, for_good(), user("sam")).await;
        assert!(matches!(payee, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
        drop(unit);
        let denied = on_payout(&shop, payout, for_good()).await.unwrap();
        assert_eq!((denied.status(), denied.held()), (payout::Status::Denied, euro("90.00")));
        assert_eq!(call(&shop, payout).await.status, CallStatus::Withdrawn);
        assert_eq!(shop.status(id).await, Status::BlockedRelease);
        shop.verify().await;
        on_payout(&shop, payout, payout::Command::GiveBack {}).await.unwrap();
        shop.act(id, Command::Cancel {}, ops()).await;
        office.allow("sam");
        shop.escrow.clock().advance(HOUR);
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Cancelled);
        let AnyPayin::Confirmed(payin) = shop.payin(id).await else { panic!("the fee was kept") };
        assert_eq!(payin.state().refunded(), euro("90.00"));
        assert_eq!(shop.gateway().effects(&key(payout.subject(), Verb::Payout)), 0);
        shop.audit().await;
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn money_that_was_refused_goes_into_a_wallet_about_which_nobody_is_asked(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (id, payout) = released(&shop).await;
        shop.send().await;
        on_payout(&shop, payout, for_good()).await.unwrap();
        // To another bank account it is held again.
        on_payout(&shop, payout, payout::Command::Replace { to: bank("ba_other") }).await.unwrap();
        shop.act(id, Command::Unblock {}, ops()).await;
        shop.send().await;
        let next = shop.payouts(id).await.iter().map(AnyPayout::id).find(|next| *next != payout).unwrap();
        is_held(&shop, next, "no papers yet").await;
        on_payout(&shop, next, for_good()).await.unwrap();
        on_payout(&shop, next, payout::Command::Replace { to: Destination::Wallet }).await.unwrap();
        assert_eq!(shop.balance("wallet:sam").await, euro("90.00"));
        assert_eq!(shop.act(id, Command::Unblock {}, ops()).await.status(), Status::Released);
        assert_eq!(office.asked(), 2);
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn a_held_payout_of_a_blocked_order_is_called_off(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "no such account".parse().unwrap() }]);
        let (id, [sams, toms]) = shared_out(&shop).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::BlockedRelease);
        is_held(&shop, sams, "no papers yet").await;
        on_payout(&shop, sams, payout::Command::Cancel {}).await.unwrap();
        on_payout(&shop, toms, payout::Command::GiveBack {}).await.unwrap();
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.load(sams).await.status(), payout::Status::Cancelled);
        assert_eq!(shop.payin(id).await.status(), payin::Status::Confirmed);
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn nothing_is_sent_while_the_policy_has_no_answer(shop) {
        let office = Office::default();
        office.set(|desk| desk.closed = true);
        let impatient = Policy { attempts: 2, ..Policy::default() };
        let shop = with(Shop { escrow: shop.escrow.with_policy(impatient) }, &office);
        let (_, payout) = released(&shop).await;
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().unknown, 1);
        assert_eq!(call(&shop, payout).await.problem.unwrap().as_str(), "the office is closed");
        shop.escrow.clock().advance(Duration::from_secs(2));
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().parked, 1);
        assert_eq!(shop.load(payout).await.status(), payout::Status::Created);
        shop.verify().await;
        office.set(|desk| desk.closed = false);
        let mut unit = shop.begin().await;
        shop.escrow.requeue(&mut unit, &key(payout.subject(), Verb::Payout)).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        is_paid(&shop, payout).await;
    }

    async fn a_worker_that_dies_while_it_asks_has_changed_nothing(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        for was_held in [false, true] {
            let (_, payout) = released(&shop).await;
            if was_held {
                shop.send().await;
                shop.escrow.clock().advance(HOUR);
            }
            office.set(|desk| desk.deadly = true);
            dies(&shop.escrow).await;
            assert_eq!(shop.load(payout).await.status() == payout::Status::Held, was_held);
            office.set(|desk| desk.deadly = false);
            shop.escrow.clock().advance(Policy::default().lease);
            // A server lets go of the rows of a unit that was dropped only a moment later, and until then they are passed over.
            let mut held = 0;
            for _ in 0..1_000 {
                held += shop.escrow.send(&worker(), 10).await.unwrap().held;
                if held > 0 {
                    break;
                }
            }
            assert_eq!(held, 1);
            is_held(&shop, payout, "no papers yet").await;
            shop.verify().await;
            // A fresh one might have been sent, for all that the outbox knows. What was held had no leave.
            let denied = on_payout(&shop, payout, for_good()).await;
            assert_eq!(matches!(denied, Err(EscrowError::Sent(_))), !was_held);
            assert_eq!(denied.is_ok(), was_held);
            if !was_held {
                let outcome = Outcome::Declined { reason: "it never came, and will not be taken".parse().unwrap() };
                shop.report(key(payout.subject(), Verb::Payout), outcome).await;
            }
        }
        shop.verify().await;
    }

    async fn what_is_held_may_be_denied_while_a_worker_asks(shop) {
        for allows in [false, true] {
            let office = Office::holding(&["sam"]);
            let held = Shop {
                escrow: Escrow::with_clock(Shared(shop.escrow.store()), shop.gateway().clone(), shop.escrow.clock().clone())
                    .with_kyc(office.clone()),
            };
            let (_, payout) = released(&shop).await;
            held.send().await;
            shop.escrow.clock().advance(HOUR);
            let (slow, slow_to_hold) = (Slow::default(), late::SlowToHold::default());
            let escrow = Escrow::with_clock(Shared(shop.escrow.store()), shop.gateway().clone(), shop.escrow.clock().clone());
            let escrow = if allows { escrow.with_kyc(slow.clone()) } else { escrow.with_kyc(slow_to_hold.clone()) };
            let name: WorkerId = "slow".parse().unwrap();
            let mut send = Box::pin(escrow.send(&name, 1));
            while slow.0.total_listeners() + slow_to_hold.0.total_listeners() == 0 {
                assert!(poll_once(&mut send).await.is_none());
            }
            on_payout(&shop, payout, for_good()).await.unwrap();
            slow.0.notify(usize::MAX);
            slow_to_hold.0.notify(usize::MAX);
            assert_eq!(send.await.unwrap(), Sent { taken: 1, lost: 1, ..Sent::default() });
            assert_eq!(shop.load(payout).await.status(), payout::Status::Denied);
            assert_eq!(call(&shop, payout).await.status, CallStatus::Withdrawn);
            assert_eq!(shop.gateway().effects(&key(payout.subject(), Verb::Payout)), 0);
        }
        shop.verify().await;
    }

    async fn a_worker_that_dies_once_it_has_leave_pays_once(shop) {
        for (was_held, acts) in [(false, false), (false, true), (true, false), (true, true)] {
            let office = Office::default();
            let with_office = Shop {
                escrow: Escrow::with_clock(Shared(shop.escrow.store()), shop.gateway().clone(), shop.escrow.clock().clone())
                    .with_kyc(office.clone()),
            };
            let (id, payout) = released(&shop).await;
            if was_held {
                office.hold("sam", "no papers yet");
                with_office.send().await;
                office.allow("sam");
                shop.escrow.clock().advance(HOUR);
            }
            dies_at_the_gateway(&shop, &office, acts).await;
            assert_eq!(shop.load(payout).await.status(), payout::Status::Created);
            shop.verify().await;
            shop.escrow.clock().advance(Policy::default().lease);
            // The policy may change its mind about what never arrived, and about nothing else.
            office.hold("sam", "papers expired");
            with_office.send().await;
            if !acts {
                is_held(&shop, payout, "papers expired").await;
                office.allow("sam");
                shop.escrow.clock().advance(HOUR);
                with_office.send().await;
            }
            is_paid(&shop, payout).await;
            assert_eq!(shop.status(id).await, Status::Released);
        }
        shop.audit().await;
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn a_worker_that_is_too_slow_to_ask_sends_nothing(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (_, payout) = released(&shop).await;
        let slow = Slow::default();
        let escrow = Escrow::with_clock(Shared(shop.escrow.store()), shop.gateway().clone(), shop.escrow.clock().clone());
        let escrow = escrow.with_kyc(slow.clone());
        let name: WorkerId = "slow".parse().unwrap();
        let mut send = Box::pin(escrow.send(&name, 1));
        while slow.0.total_listeners() == 0 {
            assert!(poll_once(&mut send).await.is_none());
        }
        // Its lease ends, and another worker finds that the payee may not be paid any more.
        shop.escrow.clock().advance(Policy::default().lease);
        shop.send().await;
        is_held(&shop, payout, "no papers yet").await;
        slow.0.notify(usize::MAX);
        assert_eq!(send.await.unwrap(), Sent { taken: 1, lost: 1, ..Sent::default() });
        is_held(&shop, payout, "no papers yet").await;
        // Whoever took it next could not know that.
        assert!(matches!(on_payout(&shop, payout, for_good()).await, Err(EscrowError::Sent(_))));
        let outcome = Outcome::Declined { reason: "it never came, and will not be taken any more".parse().unwrap() };
        shop.report(key(payout.subject(), Verb::Payout), outcome).await;
        assert_eq!(shop.load(payout).await.status(), payout::Status::Denied);
        shop.verify().await;
    }

    async fn without_a_policy_what_was_held_goes_out_and_its_log_says_so(shop) {
        let office = Office::holding(&["sam"]);
        let with_office = Shop {
            escrow: Escrow::with_clock(Shared(shop.escrow.store()), shop.gateway().clone(), shop.escrow.clock().clone())
                .with_kyc(office.clone()),
        };
        let (id, payout) = released(&shop).await;
        with_office.send().await;
        is_held(&shop, payout, "no papers yet").await;
        shop.gateway().script(Verb::Payout, [Behaviour::Pend]);
        shop.escrow.clock().advance(HOUR);
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().pending, 1);
        assert_eq!(shop.load(payout).await.status(), payout::Status::Created);
        shop.gateway().resolve(&key(payout.subject(), Verb::Payout), escrowed::sandbox::Resolution::Settle);
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        is_paid(&shop, payout).await;
        assert_eq!((shop.status(id).await, office.asked()), (Status::Released, 1));
        shop.verify().await;
    }

    async fn only_the_workers_hold_and_let_go(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (_, payout) = released(&shop).await;
        let hold = || payout::Command::Hold { reason: "I do not like him".parse().unwrap() };
        let early = on_payout(&shop, payout, hold()).await;
        assert!(matches!(early, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
        let deny = on_payout(&shop, payout, for_good()).await;
        assert!(matches!(deny, Err(EscrowError::Refused(Reason::WrongActor { .. }))), "the gateway's word before it is held");
        shop.send().await;
        for command in [hold(), payout::Command::LetGo {}] {
            let refused = on_payout(&shop, payout, command).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
        }
        is_held(&shop, payout, "no papers yet").await;
    }
}

/// Allows everybody, once it is notified.
#[derive(Clone, Default)]
struct Slow(Arc<event_listener::Event>);

impl Kyc for Slow {
    type Error = Closed;

    async fn may_be_paid(&self, _: &payout::Terms) -> Result<Verdict, Closed> {
        self.0.listen().await;
        Ok(Verdict::Pay)
    }
}
