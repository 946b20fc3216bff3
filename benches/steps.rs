//! One step in memory, beside the same step by hand: a published order is accepted and an order is cancelled with its
//! refund. Each gives the next value, the event, the entries and the calls. Read the medians beside each other: they are
//! from one run.
//!
//! ```text
//! cargo bench --bench steps
//! ```

use divan::{Bencher, black_box};
use escrowed::{
    memory::Memory,
    order::{AnyOrder, Command, Order, OrderId, Published, Terms},
    party::{Actor, Stamp},
    payment::{AnyPayin, Method},
    store::{Log, Store, UnitOfWork},
};

fn main() {
    divan::main();
}

fn stamp(name: &str) -> Stamp {
    Stamp::new(Actor::Party(name.parse().unwrap()), "2026-05-07T15:39:46Z".parse().unwrap())
}

/// The log of an order in `PUBLISHED`.
fn published() -> Log {
    futures_lite::future::block_on(async {
        let (at, gateway) = (stamp("anna"), Stamp::gateway(stamp("anna").at));
        let [name, amount] = ["A bicycle", "120.00 EUR"];
        let [seller, platform] = ["sam", "shop"].map(|name| name.parse().unwrap());
        let terms =
            Terms::new(name.parse().unwrap(), amount.parse().unwrap(), seller, platform, "sandbox".parse().unwrap());
        let mut unit = Memory::new().begin().await.unwrap();
        let draft = Order::open(OrderId::generate(at.at), terms, &at).unwrap().save(&mut unit).await.unwrap();
        let order = draft.identify_buyer("anna".parse().unwrap(), &at).unwrap().save(&mut unit).await.unwrap();
        let order = order.pay(Method::Card, &at).unwrap().save(&mut unit).await.unwrap();
        let log = unit.log(order.state().payin().unwrap().subject()).await.unwrap().unwrap();
        let AnyPayin::Created(payin) = escrowed::lifecycle::replay(&log).unwrap() else { unreachable!() };
        let confirmed = payin.confirm(amount.parse().unwrap(), &gateway).unwrap().save(&mut unit).await.unwrap();
        let order = order.publish(&confirmed, &gateway).unwrap().save(&mut unit).await.unwrap();
        unit.log(order.id().subject()).await.unwrap().unwrap()
    })
}

fn order(log: &Log) -> Order<Published> {
    let AnyOrder::Published(order) = escrowed::lifecycle::replay(log).unwrap() else { unreachable!() };
    order
}

mod accept {
    use super::*;

    #[divan::bench]
    fn typed(bencher: Bencher<'_, '_>) {
        let (log, at) = (published(), stamp("sam"));
        bencher.with_inputs(|| order(&log)).bench_values(|order| order.accept(black_box(&at)).ok());
    }

    #[divan::bench]
    fn handle(bencher: Bencher<'_, '_>) {
        let (log, at) = (published(), stamp("sam"));
        bencher
            .with_inputs(|| AnyOrder::Published(order(&log)))
            .bench_values(|order| order.handle(Command::Accept { payout: None }, black_box(&at)).unwrap());
    }

    #[divan::bench]
    fn by_hand(bencher: Bencher<'_, '_>) {
        let at = stamp("sam");
        bencher.with_inputs(by_hand::Order::published).bench_values(|order| order.accept(black_box(&at)).ok());
    }
}

mod cancel {
    use super::*;

    #[divan::bench]
    fn typed(bencher: Bencher<'_, '_>) {
        let (log, at) = (published(), stamp("anna"));
        bencher.with_inputs(|| order(&log)).bench_values(|order| order.cancel(black_box(&at)).ok());
    }

    #[divan::bench]
    fn by_hand(bencher: Bencher<'_, '_>) {
        let at = stamp("anna");
        bencher.with_inputs(by_hand::Order::published).bench_values(|order| order.cancel(black_box(&at)).ok());
    }
}

#[divan::bench]
fn replay_of_four_events(bencher: Bencher<'_, '_>) {
    let log = published();
    bencher.bench(|| escrowed::lifecycle::replay::<AnyOrder>(black_box(&log)).unwrap());
}

/// A status column as a good programmer writes it: the same data, the same outputs, no types.
mod by_hand {
    use escrowed::{
        gateway::{Instruction, RefundTo},
        id::Subject,
        ledger::{Account, Entry, Purpose},
        money::Money,
        order::OrderId,
        party::{Actor, PartyId, Stamp},
        payment::{PayinId, RefundId},
    };

    #[derive(Clone, Copy, PartialEq)]
    pub(crate) enum Status {
        Published,
        Accepted,
        Cancelled,
    }

    #[allow(dead_code, reason = "handed to whoever writes it")]
    pub(crate) enum Event {
        Accepted,
        Cancelled { refund: RefundId },
    }

    #[allow(dead_code, reason = "as much to carry as the typed one has")]
    pub(crate) struct Order {
        pub(crate) id: OrderId,
        pub(crate) status: Status,
        pub(crate) seller: PartyId,
        pub(crate) buyer: PartyId,
        pub(crate) amount: Money,
        pub(crate) payin: PayinId,
        pub(crate) seq: u32,
        pub(crate) history: Vec<(Status, Stamp)>,
    }

    #[allow(dead_code, reason = "handed to whoever writes it")]
    pub(crate) struct Taken {
        pub(crate) order: Order,
        pub(crate) event: (u32, Event, Stamp),
        pub(crate) entries: Vec<Entry>,
        pub(crate) calls: Vec<Instruction>,
        pub(crate) opened: Vec<(Subject, Money)>,
    }

    impl Order {
        pub(crate) fn published() -> Self {
            let at = super::stamp("anna").at;
            let [seller, buyer] = ["sam", "anna"].map(|name| name.parse().unwrap());
            let (id, payin, amount) = (OrderId::generate(at), PayinId::generate(at), "120.00 EUR".parse().unwrap());
            Self { id, status: Status::Published, seller, buyer, amount, payin, seq: 4, history: Vec::with_capacity(4) }
        }

        pub(crate) fn accept(self, at: &Stamp) -> Result<Taken, Self> {
            if self.status != Status::Published || at.by != Actor::Party(self.seller.clone()) {
                return Err(self);
            }
            Ok(self.take(Status::Accepted, Event::Accepted, at))
        }

        pub(crate) fn cancel(self, at: &Stamp) -> Result<Taken, Self> {
            if self.status != Status::Published || at.by != Actor::Party(self.buyer.clone()) {
                return Err(self);
            }
            let (id, payin, amount) = (self.id.subject(), self.payin.subject(), self.amount);
            let refund = RefundId::derived(id, self.seq + 1, 0, at.at);
            let mut taken = self.take(Status::Cancelled, Event::Cancelled { refund }, at);
            let (from, to) = (Account::Escrow(id), Account::Escrow(refund.subject()));
            taken.entries.push(Entry::new(from, to, amount, Purpose::GiveBack).unwrap());
            taken.opened.push((refund.subject(), amount));
            let refund = refund.subject();
            taken.calls.push(Instruction::Refund { refund, payin, amount, to: RefundTo::Original });
            Ok(taken)
        }

        fn take(mut self, status: Status, event: Event, at: &Stamp) -> Taken {
            self.status = status;
            self.seq += 1;
            self.history.push((status, at.clone()));
            let event = (self.seq, event, at.clone());
            Taken { order: self, event, entries: Vec::new(), calls: Vec::new(), opened: Vec::new() }
        }
    }
}
