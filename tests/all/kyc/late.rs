//! What may be on its way to the gateway is never taken for unsent, however slow a worker was and whatever one lookup says.

use super::*;
use crate::harness::Problem;
use escrowed::{gateway::Report, sandbox::Resolution};

/// Holds everybody, once it is notified.
#[derive(Clone, Default)]
pub(super) struct SlowToHold(pub(super) Arc<event_listener::Event>);

impl Kyc for SlowToHold {
    type Error = Closed;

    async fn may_be_paid(&self, _: &payout::Terms) -> Result<Verdict, Closed> {
        self.0.listen().await;
        Ok(Verdict::Hold { reason: "no papers yet".parse().unwrap() })
    }
}

/// A gateway to which requests are still under way when the worker that sent them is gone. A clone is the same one.
#[derive(Clone)]
pub(super) struct Adrift {
    sandbox: Sandbox,
    under_way: Arc<Mutex<Vec<Instruction>>>,
}

impl Adrift {
    pub(super) fn before(sandbox: &Sandbox) -> Self {
        Self { sandbox: sandbox.clone(), under_way: Arc::default() }
    }

    /// What was sent comes in at last.
    pub(super) async fn arrive(&self) {
        let under_way = std::mem::take(&mut *self.under_way.lock().unwrap());
        for asked in under_way {
            // Whatever it is answered, nobody waits for that any more.
            drop(self.sandbox.execute(&asked.key(), &asked).await);
        }
    }
}

impl Gateway for Adrift {
    type Error = SandboxError;

    fn name(&self) -> &GatewayName {
        self.sandbox.name()
    }

    async fn execute(&self, _: &IdempotencyKey, asked: &Instruction) -> Result<Outcome, SandboxError> {
        self.under_way.lock().unwrap().push(asked.clone());
        pending().await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, SandboxError> {
        self.sandbox.lookup(key).await
    }
}

/// A worker that dies while what it sent is still under way.
pub(super) async fn dies_with_it_under_way<S: Store>(shop: &Shop<S>, office: &Office, gateway: &Adrift) {
    let store = Shared(shop.escrow.store());
    let escrow = Escrow::with_clock(store, gateway.clone(), shop.escrow.clock().clone()).with_kyc(office.clone());
    dies(&escrow).await;
}

/// Somebody sends what there is. A server lets go of the rows of a unit that was dropped only a moment later, and until then they
/// are passed over.
async fn sends<S: Store>(shop: &Shop<S>) -> Sent {
    for _ in 0..1_000 {
        let sent = shop.escrow.send(&worker(), 10).await.unwrap();
        if sent.taken > 0 {
            return sent;
        }
    }
    panic!("nothing is handed out again");
}

/// It holds its money, and nobody takes it back.
async fn stays<S: Store>(shop: &Shop<S>, id: PayoutId) {
    let status = shop.load(id).await.status();
    for command in [for_good(), payout::Command::Cancel {}] {
        let refused: Result<_, Problem<S>> = on_payout(shop, id, command).await;
        assert!(matches!(refused, Err(EscrowError::Sent(_) | EscrowError::Refused(_))), "{refused:?}");
    }
    assert_eq!(shop.load(id).await.status(), status);
}

async fn settles<S: Store>(shop: &Shop<S>, id: PayoutId) {
    shop.gateway().resolve(&key(id.subject(), Verb::Payout), Resolution::Settle);
    for report in shop.gateway().reports() {
        shop.hear(&report).await;
    }
    is_paid(shop, id).await;
}

on_each_store! {
    async fn what_the_gateway_has_is_not_held_by_a_worker_that_was_slow(shop) {
        let office = Office::default();
        let shop = with(shop, &office);
        let (_, payout) = released(&shop).await;
        let slow = SlowToHold::default();
        let escrow = Escrow::with_clock(Shared(shop.escrow.store()), shop.gateway().clone(), shop.escrow.clock().clone());
        let escrow = escrow.with_kyc(slow.clone());
        let name: WorkerId = "slow".parse().unwrap();
        let mut send = Box::pin(escrow.send(&name, 1));
        while slow.0.total_listeners() == 0 {
            assert!(poll_once(&mut send).await.is_none());
        }
        // Its lease ends, and the payout goes out by another worker: the gateway has it and will report.
        shop.gateway().script(Verb::Payout, [Behaviour::Pend]);
        shop.escrow.clock().advance(Policy::default().lease);
        assert_eq!(shop.escrow.send(&worker(), 1).await.unwrap().pending, 1);
        slow.0.notify(usize::MAX);
        assert_eq!(send.await.unwrap(), Sent { taken: 1, lost: 1, ..Sent::default() });
        assert_eq!(shop.load(payout).await.status(), payout::Status::Created);
        assert_eq!(call(&shop, payout).await.status, CallStatus::Pending);
        stays(&shop, payout).await;
        shop.verify().await;
        settles(&shop, payout).await;
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn what_may_still_be_under_way_is_held_and_not_denied(shop) {
        for was_held in [false, true] {
            let office = Office::default();
            let with_office = Shop {
                escrow: Escrow::with_clock(Shared(shop.escrow.store()), shop.gateway().clone(), shop.escrow.clock().clone())
                    .with_kyc(office.clone()),
            };
            let (_, payout) = released(&shop).await;
            if was_held {
                office.hold("sam", "no papers yet");
                with_office.send().await;
                office.allow("sam");
                shop.escrow.clock().advance(HOUR);
            }
            let gateway = Adrift::before(shop.gateway());
            dies_with_it_under_way(&shop, &office, &gateway).await;
            office.hold("sam", "papers expired");
            shop.escrow.clock().advance(Policy::default().lease);
            assert_eq!(sends(&with_office).await.held, 1);
            assert_eq!(shop.load(payout).await.status(), payout::Status::Held);
            stays(&shop, payout).await;
            shop.verify().await;
            // Nor is it later on, or after somebody has looked at the party: a lookup that finds nothing proves nothing.
            shop.escrow.clock().advance(HOUR);
            assert_eq!(sends(&with_office).await.held, 1);
            stays(&shop, payout).await;
            assert_eq!(kyc_changed(&shop, "sam").await, 1);
            assert_eq!(sends(&with_office).await.held, 1);
            stays(&shop, payout).await;
            // It comes in at last, and is found.
            gateway.arrive().await;
            shop.escrow.clock().advance(HOUR);
            assert_eq!(sends(&with_office).await.answered, 1);
            is_paid(&shop, payout).await;
        }
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn what_may_have_been_sent_goes_out_once_under_its_key_when_it_is_allowed(shop) {
        let office = Office::default();
        let shop = with(shop, &office);
        let (id, payout) = released(&shop).await;
        let gateway = Adrift::before(shop.gateway());
        dies_with_it_under_way(&shop, &office, &gateway).await;
        office.hold("sam", "papers expired");
        shop.escrow.clock().advance(Policy::default().lease);
        assert_eq!(sends(&shop).await.held, 1);
        office.allow("sam");
        assert_eq!(kyc_changed(&shop, "sam").await, 1);
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().answered, 1);
        gateway.arrive().await;
        is_paid(&shop, payout).await;
        assert_eq!(shop.status(id).await, Status::Released);
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn what_never_arrived_is_denied_on_the_gateways_word(shop) {
        let office = Office::default();
        let shop = with(shop, &office);
        shop.gateway().script(Verb::Payout, [Behaviour::TimeoutBefore]);
        let (id, payout) = released(&shop).await;
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().unknown, 1);
        office.hold("sam", "on a list of sanctions");
        shop.escrow.clock().advance(HOUR);
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().held, 1);
        stays(&shop, payout).await;
        // An operator asks the gateway, which has blocked the key: its money is free again.
        let outcome = Outcome::Declined { reason: "it never came, and will not be taken any more".parse().unwrap() };
        shop.hear(&Report { key: key(payout.subject(), Verb::Payout), outcome }).await;
        assert_eq!(shop.load(payout).await.status(), payout::Status::Denied);
        on_payout(&shop, payout, payout::Command::Replace { to: Destination::Wallet }).await.unwrap();
        assert_eq!(shop.act(id, Command::Unblock {}, ops()).await.status(), Status::Released);
        assert_eq!(shop.gateway().effects(&key(payout.subject(), Verb::Payout)), 0);
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn what_the_policy_could_not_say_was_not_sent(shop) {
        let office = Office::default();
        office.set(|desk| desk.closed = true);
        let impatient = Policy { attempts: 2, ..Policy::default() };
        let shop = with(Shop { escrow: shop.escrow.with_policy(impatient) }, &office);
        let (_, payout) = released(&shop).await;
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().unknown, 1);
        shop.escrow.clock().advance(Duration::from_secs(2));
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().parked, 1);
        let mut unit = shop.begin().await;
        shop.escrow.requeue(&mut unit, &key(payout.subject(), Verb::Payout)).await.unwrap();
        shop.commit(unit).await;
        office.set(|desk| desk.closed = false);
        office.hold("sam", "no papers yet");
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().held, 1);
        is_held(&shop, payout, "no papers yet").await;
        on_payout(&shop, payout, for_good()).await.unwrap();
        shop.verify().await;
    }
}
