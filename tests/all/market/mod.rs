//! A marketplace over one database. Each order has a plot; what comes next, the order's status says, so that any process
//! can go on where another one died.

pub(crate) mod audit;
mod books;
pub(crate) mod process;
mod sql;

pub(crate) use sql::Sql;
#[cfg(feature = "sqlite")]
pub(crate) use sql::rows;

use crate::harness::{Problem, START, Shop, account, bank, euro, key, ops, party, terms, user, worker};
use escrowed::{
    escrow::{Escrow, EscrowError, ManualClock},
    gateway::{Gateway, IdempotencyKey, Outcome, Verb},
    lifecycle::{Value, replay},
    money::Share,
    order::{AnyOrder, Command, OrderId, Payee, PayoutPlan, Status, Was},
    party::Actor,
    payment::{AnyRefund, Destination, Method, PayoutId, RefundId, Stands, payout, refund},
    sandbox::{Behaviour, Sandbox},
    store::{CallState, CallStatus, Outbox, Query, Store},
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

/// A gateway that can be told what to decline.
pub(crate) trait Scripted: Gateway {
    fn decline(&self, call: &IdempotencyKey);
}

impl Scripted for Sandbox {
    fn decline(&self, call: &IdempotencyKey) {
        let reason = "not today".parse().unwrap();
        self.script_call(call, [Behaviour::Decline { reason }]);
    }
}

/// Random numbers: those of a linear congruential generator, by their upper bits.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

pub(crate) struct Market<S, G = Sandbox> {
    pub(crate) shop: Shop<S, G>,
    /// Who is told of what was committed.
    voice: Box<dyn Fn(&str) + Send + Sync>,
}

/// A table of the host's own: which steps people took, as the host knows it.
const STEPS: &str = "CREATE TABLE IF NOT EXISTS shop_steps (
    order_id TEXT NOT NULL REFERENCES escrowed_subjects (id),
    seq INTEGER NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (order_id, seq)
)";

pub(crate) async fn note<U: Sql>(unit: &mut U, order: &AnyOrder) -> Result<(), U::Error> {
    let (id, seq, status) = (order.id(), order.head().seq(), order.status().name());
    let step = format!("INSERT INTO shop_steps (order_id, seq, status) VALUES ('{id}', {seq}, '{status}')");
    unit.rows(&step).await.map(drop)
}

impl<S: Store<Unit: Sql>> Market<S> {
    /// Opens for the `life`-th time, with a gateway that remembers what was answered. What was sent and not answered it
    /// does not know: it is sent again, under the same key.
    pub(crate) async fn open(store: S, life: u64, loud: bool) -> Self {
        Self::with(store, Sandbox::new(1), life, loud).await
    }

    pub(crate) async fn with(store: S, sandbox: Sandbox, life: u64, loud: bool) -> Self {
        let market = Self::new(store, sandbox, life, if loud { process::say } else { |_: &str| () }).await;
        let mut settled = market.calls(CallStatus::Settled).await;
        settled.retain(|call| matches!(call.outcome, Some(Outcome::Settled { .. })));
        settled.sort_by_key(|call| call.instruction.key().verb);
        for call in settled {
            let key = call.instruction.key();
            assert_eq!(market.shop.gateway().execute(&key, &call.instruction).await.ok(), call.outcome);
        }
        market
    }
}

impl<S: Store<Unit: Sql>, G: Scripted> Market<S, G> {
    /// Opens for the `life`-th time: all leases of the lives before have ended.
    pub(crate) async fn new(store: S, gateway: G, life: u64, voice: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let clock = ManualClock::at(START.parse().unwrap());
        clock.advance(Duration::from_secs(61 * life));
        let escrow = Escrow::with_clock(store, gateway, clock);
        let market = Self { shop: Shop { escrow }, voice: Box::new(voice) };
        let mut unit = market.shop.begin().await;
        unit.rows(STEPS).await.unwrap();
        market.shop.commit(unit).await;
        market
    }

    pub(crate) async fn calls(&self, status: CallStatus) -> Vec<CallState> {
        let calls = self.shop.begin().await.calls(status, None, usize::MAX).await.unwrap();
        calls.into_iter().map(Result::unwrap).collect()
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
        self.try_open(plot).await.unwrap()
    }

    async fn try_open(&self, plot: Plot) -> Result<OrderId, Problem<S>> {
        let mut terms = terms();
        terms.name = format!("{plot:?}").parse().unwrap();
        let store = self.shop.escrow.store();
        let mut unit = store.begin().await.map_err(EscrowError::Storage)?;
        let order = self.shop.escrow.open_order(&mut unit, terms, ops()).await?.widen();
        note(&mut unit, &order).await.map_err(EscrowError::Storage)?;
        store.commit(unit).await.map_err(EscrowError::Storage)?;
        self.tell(&order);
        Ok(order.id())
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

    /// Opens orders and drives them, each step in a unit of its own, until something fails. With `alone` it sends their
    /// calls, too.
    pub(crate) async fn load(&self, dice: &mut Dice, alone: bool) -> Problem<S> {
        let mut mine: Vec<OrderId> = Vec::new();
        loop {
            let step = self.load_once(dice, alone, &mut mine);
            if let Err(problem) = step.await {
                return problem;
            }
        }
    }

    async fn load_once(&self, dice: &mut Dice, alone: bool, mine: &mut Vec<OrderId>) -> Result<(), Problem<S>> {
        let plot = Plot::ALL[usize::try_from(dice.below(8)).unwrap()];
        mine.push(self.try_open(plot).await?);
        for id in mine.iter() {
            self.try_advance(*id).await?;
        }
        if alone {
            self.try_send(mine).await?;
        } else {
            self.script_all(mine).await?;
        }
        // What has ended in the meantime is not looked at again.
        let few = mine.len().saturating_sub(4);
        mine.drain(..few);
        Ok(())
    }

    /// Sends what is queued, and tells of these orders. Whether there was anything.
    pub(crate) async fn send(&self, orders: &[OrderId]) -> bool {
        self.try_send(orders).await.unwrap()
    }

    async fn try_send(&self, orders: &[OrderId]) -> Result<bool, Problem<S>> {
        let mut unit = self.shop.escrow.store().begin().await.map_err(EscrowError::Storage)?;
        let queued = unit.calls(CallStatus::Queued, None, 1).await.map_err(EscrowError::Storage)?;
        drop(unit);
        if queued.is_empty() {
            return Ok(false);
        }
        self.script_all(orders).await?;
        while self.shop.escrow.send(&worker(), 100).await?.taken > 0 {}
        for id in orders {
            self.tell(&self.look(*id).await?);
        }
        Ok(true)
    }

    async fn look(&self, id: OrderId) -> Result<AnyOrder, Problem<S>> {
        let mut unit = self.shop.escrow.store().begin().await.map_err(EscrowError::Storage)?;
        self.shop.escrow.load(&mut unit, id).await
    }

    async fn script_all(&self, orders: &[OrderId]) -> Result<(), Problem<S>> {
        for id in orders {
            self.script(&self.look(*id).await?);
        }
        Ok(())
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
            self.shop.gateway().decline(&declined);
        }
    }

    /// Takes the next step of an order, in a unit of its own. Whether there was one.
    pub(crate) async fn advance(&self, id: OrderId) -> bool {
        self.try_advance(id).await.unwrap()
    }

    async fn try_advance(&self, id: OrderId) -> Result<bool, Problem<S>> {
        let mut seen = 0;
        match self.step(id, &mut seen).await {
            Ok(Some(after)) => {
                self.tell(&after);
                Ok(true)
            }
            Ok(None) => Ok(false),
            // Somebody else was faster: the gateway's answer arrived, or a wallet was emptied.
            Err(EscrowError::Stale | EscrowError::Overdrawn(_)) => Ok(true),
            Err(error @ EscrowError::Refused(_)) => {
                let now = self.look(id).await?.head().seq();
                if now > seen { Ok(true) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    async fn step(&self, id: OrderId, seen: &mut u32) -> Result<Option<AnyOrder>, Problem<S>> {
        let (store, escrow) = (self.shop.escrow.store(), &self.shop.escrow);
        let mut unit = store.begin().await.map_err(EscrowError::Storage)?;
        let before: AnyOrder = escrow.load(&mut unit, id).await?;
        *seen = before.head().seq();
        match next(&mut unit, &before).await.map_err(EscrowError::Storage)? {
            Next::Wait => return Ok(None),
            Next::Act(command, by) => drop(escrow.act(&mut unit, id, *command, by).await?),
            Next::Approve(refund) => {
                let approve = refund::Command::Approve {};
                drop(escrow.act_on_refund(&mut unit, refund, approve, ops()).await?);
            }
            Next::Replace(payout) => {
                let replace = payout::Command::Replace { to: Destination::Wallet };
                drop(escrow.act_on_payout(&mut unit, payout, replace, ops()).await?);
            }
        }
        let after: AnyOrder = escrow.load(&mut unit, id).await?;
        if after.head().seq() > before.head().seq() {
            note(&mut unit, &after).await.map_err(EscrowError::Storage)?;
        }
        store.commit(unit).await.map_err(EscrowError::Storage)?;
        Ok(Some(after))
    }

    fn tell(&self, order: &AnyOrder) {
        self.say(&format!("ack {} {} {}", order.id(), order.head().seq(), order.status().name()));
    }

    pub(crate) fn say(&self, words: &str) {
        (self.voice)(words);
    }
}

fn act(command: Command<'static>, by: Actor) -> Next {
    Next::Act(Box::new(command), by)
}

async fn next<U: Sql>(unit: &mut U, order: &AnyOrder) -> Result<Next, U::Error> {
    let plot = Plot::of(order);
    let buyer = || if plot == Plot::FromWallet { "singer" } else { "anna" };
    let by_buyer = |command| act(command, user(buyer()));
    Ok(match order {
        AnyOrder::Draft(_) => by_buyer(Command::IdentifyBuyer { buyer: party(buyer()) }),
        AnyOrder::PendingPublish(pending) => match pending.state().payin() {
            Some(_) if plot == Plot::Abandoned => by_buyer(Command::Cancel {}),
            Some(_) => Next::Wait,
            None => by_buyer(Command::Pay { by: method(unit, order, buyer()).await? }),
        },
        AnyOrder::Failure(_) => by_buyer(Command::Retry {}),
        AnyOrder::Published(_) => match plot {
            Plot::Abandoned | Plot::Cancelled | Plot::FromWallet => by_buyer(Command::Cancel {}),
            Plot::Refused => act(Command::Reject {}, user("sam")),
            Plot::Diverted => act(Command::Accept { payout: Some(plan(plot)) }, user("sam")),
            Plot::Shared | Plot::Retried => act(Command::Accept { payout: None }, user("sam")),
            Plot::Part => match refunds(unit, order).await?.first() {
                None => act(Command::RefundPart { amount: euro("20.00") }, ops()),
                Some(AnyRefund::Created(refund)) if !refund.state().approved() => Next::Approve(refund.id()),
                Some(_) => act(Command::Accept { payout: None }, user("sam")),
            },
        },
        // Others' bank accounts are for the platform to name.
        AnyOrder::Accepted(_) if plot == Plot::Shared => act(Command::SetPayout { plan: plan(plot) }, ops()),
        AnyOrder::Accepted(_) => act(Command::SetPayout { plan: plan(plot) }, user("sam")),
        AnyOrder::PendingValidate(_) => act(Command::Validate {}, ops()),
        AnyOrder::BlockedRelease(blocked) => {
            let Was::PendingRelease(release) = blocked.state().was() else { panic!("nobody blocks it by hand") };
            let denied = release.payouts().legs().iter().find(|leg| leg.stands == Stands::Denied);
            denied.map_or(act(Command::Unblock {}, ops()), |leg| Next::Replace(leg.payment.try_into().unwrap()))
        }
        AnyOrder::Rejected(_) => match refunds(unit, order).await?.first() {
            Some(AnyRefund::Created(refund)) if !refund.state().approved() => Next::Approve(refund.id()),
            Some(_) => Next::Wait,
            None => panic!("a rejected order owes a refund"),
        },
        AnyOrder::PendingRelease(_) | AnyOrder::Cancelled(_) | AnyOrder::Released(_) => Next::Wait,
    })
}

async fn method<U: Sql>(unit: &mut U, order: &AnyOrder, buyer: &str) -> Result<Method, U::Error> {
    let price = order.facts().terms().amount;
    let wallet = unit.balance(&account(&format!("wallet:{buyer}")), price.currency()).await?;
    Ok(if wallet.minor() >= price.minor() { Method::Wallet } else { Method::Card })
}

async fn refunds<U: Sql>(unit: &mut U, order: &AnyOrder) -> Result<Vec<AnyRefund>, U::Error> {
    let page = unit.find(&Query::About(order.id().subject()), None, 100).await?;
    let mut refunds = Vec::new();
    for id in page.rows.iter().filter_map(|row| RefundId::try_from(row.subject).ok()) {
        refunds.push(replay(&unit.log(id.subject()).await?.expect("a log")).unwrap());
    }
    Ok(refunds)
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
