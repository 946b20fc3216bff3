//! A marketplace over one file. Each order has a plot; what comes next, the order's status says, so that any process
//! can go on where another one died.

use super::watch::say;
use crate::harness::{START, Shop, account, bank, euro, key, ops, party, terms, user};
use escrowed::{
    escrow::{Escrow, ManualClock},
    gateway::{Gateway, Outcome, Verb},
    lifecycle::{Value, replay},
    money::Share,
    order::{AnyOrder, Command, OrderId, Payee, PayoutPlan, Status, Was},
    party::Actor,
    payment::{AnyRefund, Destination, Method, PayoutId, RefundId, Stands, payout, refund},
    sandbox::{Behaviour, Sandbox},
    sqlite::{SqliteError, SqliteUnit},
    store::{CallState, CallStatus, Outbox, Query, Store, UnitOfWork, Views},
};
use std::time::Duration;

/// What is to become of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plot {
    /// Three share it: a wallet and two bank accounts.
    Shared,
    /// Paid from the wallet of one of them, if it holds enough, and cancelled.
    FromWallet,
    /// Cancelled before it is paid.
    Abandoned,
    /// Cancelled after it was paid.
    Cancelled,
    /// The seller refuses.
    Refused,
    /// The first payment fails.
    Retried,
    /// The first payout is denied.
    Diverted,
    /// A part is refunded.
    Part,
}

impl Plot {
    pub(crate) const ALL: [Self; 8] = [
        Self::Shared,
        Self::FromWallet,
        Self::Abandoned,
        Self::Cancelled,
        Self::Refused,
        Self::Retried,
        Self::Diverted,
        Self::Part,
    ];

    fn of(order: &AnyOrder) -> Self {
        let name = order.facts().terms().name.to_string();
        *Self::ALL.iter().find(|plot| format!("{plot:?}") == name).expect("an order of this market")
    }
}

/// The step that an order takes next.
enum Next {
    Act(Box<Command<'static>>, Actor),
    Approve(RefundId),
    Replace(PayoutId),
    /// The gateway has to answer first, or it is over.
    Wait,
}

pub(crate) struct Market<S> {
    pub(crate) shop: Shop<S>,
    /// Whether what was committed is told to the parent.
    loud: bool,
}

/// A table of the host's own: which steps people took, as the host knows it.
pub(crate) const STEPS: &str = "CREATE TABLE IF NOT EXISTS shop_steps (
    order_id TEXT NOT NULL REFERENCES escrowed_subjects (id),
    seq INTEGER NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (order_id, seq)
) STRICT";
const STEP: &str = "INSERT INTO shop_steps (order_id, seq, status) VALUES (?1, ?2, ?3)";

pub(crate) fn note(unit: &SqliteUnit, order: &AnyOrder) {
    let row = (order.id().to_string(), order.head().seq(), order.status().name());
    unit.connection().execute(STEP, row).unwrap();
}

impl<S: Store<Unit = SqliteUnit, Error = SqliteError>> Market<S> {
    /// Opens for the `life`-th time: all leases of the lives before have ended, and the gateway remembers what was
    /// answered. What was sent and not answered it does not know: it is sent again, under the same key.
    pub(crate) async fn open(store: S, life: u64, loud: bool) -> Self {
        Self::with(store, Sandbox::new(1), life, loud).await
    }

    pub(crate) async fn with(store: S, sandbox: Sandbox, life: u64, loud: bool) -> Self {
        let clock = ManualClock::at(START.parse().unwrap());
        clock.advance(Duration::from_secs(61 * life));
        let market = Self { shop: Shop { escrow: Escrow::with_clock(store, sandbox, clock) }, loud };
        let unit = market.shop.begin().await;
        unit.connection().execute_batch(STEPS).unwrap();
        market.shop.commit(unit).await;
        let mut settled = market.calls(CallStatus::Settled).await;
        settled.retain(|call| matches!(call.outcome, Some(Outcome::Settled { .. })));
        settled.sort_by_key(|call| call.instruction.key().verb);
        for call in settled {
            let key = call.instruction.key();
            assert_eq!(market.shop.gateway().execute(&key, &call.instruction).await.ok(), call.outcome);
        }
        market
    }

    pub(crate) async fn calls(&self, status: CallStatus) -> Vec<CallState> {
        self.shop.begin().await.calls(status, None, usize::MAX).await.unwrap()
    }

    pub(crate) async fn orders(&self) -> Vec<OrderId> {
        let sold = self.shop.find(&Query::Party(party("sam"))).await;
        sold.into_iter().filter_map(|subject| OrderId::try_from(subject).ok()).collect()
    }

    /// An order of each plot that has none yet.
    pub(crate) async fn open_missing(&self, plots: &[Plot]) {
        let mut known = Vec::new();
        for id in self.orders().await {
            known.push(Plot::of(&self.shop.order(id).await));
        }
        for plot in plots.iter().filter(|plot| !known.contains(plot)) {
            self.open_order(*plot).await;
        }
    }

    pub(crate) async fn open_order(&self, plot: Plot) -> OrderId {
        let mut terms = terms();
        terms.name = format!("{plot:?}").parse().unwrap();
        let mut unit = self.shop.begin().await;
        let order = self.shop.escrow.open_order(&mut unit, terms, ops()).await.unwrap().widen();
        note(&unit, &order);
        self.shop.commit(unit).await;
        self.tell(&order);
        order.id()
    }

    /// Goes on until nothing moves any more.
    pub(crate) async fn run(&self) {
        loop {
            let mut moved = false;
            for id in self.orders().await {
                while self.advance(id).await {
                    moved = true;
                }
            }
            if !self.send(&self.orders().await).await && !moved {
                return;
            }
        }
    }

    /// Sends what is queued, and tells of these orders. Whether there was anything.
    pub(crate) async fn send(&self, orders: &[OrderId]) -> bool {
        if self.calls(CallStatus::Queued).await.is_empty() {
            return false;
        }
        for id in orders {
            self.script(&self.shop.order(*id).await);
        }
        self.shop.send().await;
        for id in orders.iter().filter(|_| self.loud) {
            self.tell(&self.shop.order(*id).await);
        }
        true
    }

    /// Tells the gateway what it is to decline by an order's plot.
    fn script(&self, order: &AnyOrder) {
        let declined = match Plot::of(order) {
            Plot::Retried => {
                let first = order.facts().payins().len() == 1;
                let AnyOrder::PendingPublish(pending) = order else { return };
                pending.state().payin().filter(|_| first).map(|payin| key(payin.subject(), Verb::Charge))
            }
            Plot::Diverted => {
                // A payout of an order that was never blocked before.
                let first = order.history().by_key(Status::BlockedRelease).is_none();
                let AnyOrder::PendingRelease(pending) = order else { return };
                let leg = pending.state().payouts().legs().first().filter(|_| first);
                leg.map(|leg| key(leg.payment, Verb::Payout))
            }
            Plot::Shared | Plot::FromWallet | Plot::Abandoned | Plot::Cancelled | Plot::Refused | Plot::Part => None,
        };
        if let Some(declined) = declined {
            let reason = "not today".parse().unwrap();
            self.shop.gateway().script_call(&declined, [Behaviour::Decline { reason }]);
        }
    }

    /// Takes the next step of an order, in a unit of its own. Whether there was one.
    pub(crate) async fn advance(&self, id: OrderId) -> bool {
        let mut unit = self.shop.begin().await;
        let escrow = &self.shop.escrow;
        let before: AnyOrder = escrow.load(&mut unit, id).await.unwrap();
        match next(&mut unit, &before).await {
            Next::Wait => return false,
            Next::Act(command, by) => drop(escrow.act(&mut unit, id, *command, by).await.unwrap()),
            Next::Approve(refund) => {
                let approve = refund::Command::Approve {};
                drop(escrow.act_on_refund(&mut unit, refund, approve, ops()).await.unwrap());
            }
            Next::Replace(payout) => {
                let replace = payout::Command::Replace { to: Destination::Wallet };
                drop(escrow.act_on_payout(&mut unit, payout, replace, ops()).await.unwrap());
            }
        }
        let after: AnyOrder = escrow.load(&mut unit, id).await.unwrap();
        if after.head().seq() > before.head().seq() {
            note(&unit, &after);
        }
        self.shop.commit(unit).await;
        self.tell(&after);
        true
    }

    fn tell(&self, order: &AnyOrder) {
        self.say(&format!("ack {} {} {}", order.id(), order.head().seq(), order.status().name()));
    }

    pub(crate) fn say(&self, words: &str) {
        if self.loud {
            say(words);
        }
    }
}

fn act(command: Command<'static>, by: Actor) -> Next {
    Next::Act(Box::new(command), by)
}

async fn next(unit: &mut SqliteUnit, order: &AnyOrder) -> Next {
    let plot = Plot::of(order);
    let buyer = || if plot == Plot::FromWallet { "singer" } else { "anna" };
    let by_buyer = |command| act(command, user(buyer()));
    match order {
        AnyOrder::Draft(_) => by_buyer(Command::IdentifyBuyer { buyer: party(buyer()) }),
        AnyOrder::PendingPublish(pending) => match pending.state().payin() {
            Some(_) if plot == Plot::Abandoned => by_buyer(Command::Cancel {}),
            Some(_) => Next::Wait,
            None => by_buyer(Command::Pay { by: method(unit, order, buyer()).await }),
        },
        AnyOrder::Failure(_) => by_buyer(Command::Retry {}),
        AnyOrder::Published(_) => match plot {
            Plot::Abandoned | Plot::Cancelled | Plot::FromWallet => by_buyer(Command::Cancel {}),
            Plot::Refused => act(Command::Reject {}, user("sam")),
            Plot::Shared | Plot::Diverted => act(Command::Accept { payout: Some(plan(plot)) }, user("sam")),
            Plot::Retried => act(Command::Accept { payout: None }, user("sam")),
            Plot::Part => match refunds(unit, order).await.first() {
                None => act(Command::RefundPart { amount: euro("20.00") }, ops()),
                Some(AnyRefund::Created(refund)) if !refund.state().approved() => Next::Approve(refund.id()),
                Some(_) => act(Command::Accept { payout: None }, user("sam")),
            },
        },
        AnyOrder::Accepted(_) => act(Command::SetPayout { plan: plan(plot) }, user("sam")),
        AnyOrder::PendingValidate(_) => act(Command::Validate {}, ops()),
        AnyOrder::BlockedRelease(blocked) => {
            let Was::PendingRelease(release) = blocked.state().was() else { panic!("nobody blocks it by hand") };
            let denied = release.payouts().legs().iter().find(|leg| leg.stands == Stands::Denied);
            denied.map_or(act(Command::Unblock {}, ops()), |leg| Next::Replace(leg.payment.try_into().unwrap()))
        }
        AnyOrder::Rejected(_) => match refunds(unit, order).await.first() {
            Some(AnyRefund::Created(refund)) if !refund.state().approved() => Next::Approve(refund.id()),
            Some(_) => Next::Wait,
            None => panic!("a rejected order owes a refund"),
        },
        AnyOrder::PendingRelease(_) | AnyOrder::Cancelled(_) | AnyOrder::Released(_) => Next::Wait,
    }
}

async fn method(unit: &mut SqliteUnit, order: &AnyOrder, buyer: &str) -> Method {
    let price = order.facts().terms().amount;
    let wallet = unit.balance(&account(&format!("wallet:{buyer}")), price.currency()).await.unwrap();
    if wallet.minor() >= price.minor() { Method::Wallet } else { Method::Card }
}

async fn refunds(unit: &mut SqliteUnit, order: &AnyOrder) -> Vec<AnyRefund> {
    let page = unit.find(&Query::About(order.id().subject()), None, 100).await.unwrap();
    let mut refunds = Vec::new();
    for id in page.rows.iter().filter_map(|row| RefundId::try_from(row.subject).ok()) {
        refunds.push(replay(&unit.log(id.subject()).await.unwrap().unwrap()).unwrap());
    }
    refunds
}

fn plan(plot: Plot) -> PayoutPlan {
    let payee = |name, share, to| Payee { party: party(name), share, to };
    match plot {
        Plot::Shared => PayoutPlan::among([
            payee("singer", Share::Percent("50%".parse().unwrap()), Destination::Wallet),
            payee("drummer", Share::Rest, bank("ba_drummer")),
            payee("bassist", Share::Rest, bank("ba_bassist")),
        ]),
        Plot::FromWallet
        | Plot::Abandoned
        | Plot::Cancelled
        | Plot::Refused
        | Plot::Retried
        | Plot::Diverted
        | Plot::Part => PayoutPlan::to(party("sam"), bank("ba_sam")),
    }
}
