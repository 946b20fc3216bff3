//! Orders to measure with.

use escrowed::{
    lifecycle::replay,
    memory::Memory,
    order::{AnyOrder, Fees, Order, OrderId, PayoutPlan, Published, Terms},
    party::{Actor, PartyId, Stamp},
    payment::{AnyPayin, AnyPayout, Destination, Method},
    store::{Log, Store, UnitOfWork},
};

/// A stamp of a party.
pub(crate) fn stamp(name: &str) -> Stamp {
    Stamp::new(Actor::Party(name.parse().unwrap()), "2026-05-07T15:39:46Z".parse().unwrap())
}

/// The log of an order in `PUBLISHED`: anna paid sam 120 euros by card.
pub(crate) fn published() -> Log {
    life().0
}

/// The log of the same order in `RELEASED`: sam accepted, and has his money.
#[allow(dead_code, reason = "not everybody measures replays")]
pub(crate) fn released() -> Log {
    life().1
}

fn life() -> (Log, Log) {
    futures_lite::future::block_on(async {
        let (at, gateway) = (stamp("anna"), Stamp::gateway(stamp("anna").at));
        let [name, amount] = ["A bicycle", "120.00 EUR"];
        let [seller, platform]: [PartyId; 2] = ["sam", "shop"].map(|name| name.parse().unwrap());
        let mut terms = Terms::new(
            name.parse().unwrap(),
            amount.parse().unwrap(),
            seller.clone(),
            platform,
            "sandbox".parse().unwrap(),
        );
        terms.fees = Some(Fees::percent("10%".parse().unwrap(), terms.amount.currency()));
        let mut unit = Memory::new().begin().await.unwrap();
        let draft = Order::open(OrderId::generate(at.at), terms, &at).unwrap().save(&mut unit).await.unwrap();
        let order = draft.identify_buyer("anna".parse().unwrap(), &at).unwrap().save(&mut unit).await.unwrap();
        let order = order.pay(Method::Card, &at).unwrap().save(&mut unit).await.unwrap();
        let log = unit.log(order.state().payin().unwrap().subject()).await.unwrap().unwrap();
        let AnyPayin::Created(payin) = replay(&log).unwrap() else { unreachable!() };
        let confirmed = payin.confirm(amount.parse().unwrap(), &gateway).unwrap().save(&mut unit).await.unwrap();
        let order = order.publish(&confirmed, &gateway).unwrap().save(&mut unit).await.unwrap();
        let published = unit.log(order.id().subject()).await.unwrap().unwrap();

        let order = order.accept(&stamp("sam")).unwrap().save(&mut unit).await.unwrap();
        let plan = PayoutPlan::to(seller, Destination::Account { bankaccount_id: "sams-account".parse().unwrap() });
        let order = order.set_payout(plan, &stamp("sam")).unwrap().save(&mut unit).await.unwrap();
        let platform = Stamp::new(Actor::platform("ops".parse().unwrap()), at.at);
        let order = order.validate(&platform).unwrap().save(&mut unit).await.unwrap();
        let leg = &order.state().payouts().legs()[0];
        let AnyPayout::Created(payout) = replay(&unit.log(leg.payment).await.unwrap().unwrap()).unwrap() else {
            unreachable!()
        };
        let payout = payout.confirm(leg.amount, &gateway).unwrap().save(&mut unit).await.unwrap();
        let order = order.release(&[&payout], &gateway).unwrap().save(&mut unit).await.unwrap();
        (published, unit.log(order.id().subject()).await.unwrap().unwrap())
    })
}

/// The order of that log, as it was loaded.
pub(crate) fn order(log: &Log) -> Order<Published> {
    let AnyOrder::Published(order) = replay(log).unwrap() else { unreachable!() };
    order
}
