//! Payins that need a challenge, or ask to be exempt from one: what each answer makes of them, and who is liable.

mod challenge;
mod everywhere;
mod exempt;
mod legality;
mod low_value;
mod properties;
mod race;
mod sweep;

use crate::harness::{Problem, Shop, euro, key, ops, party, terms, user};
use escrowed::{
    escrow::{Caller, Needs},
    gateway::{IdempotencyKey, Verb},
    money::Money,
    order::{AnyOrder, Command, OrderId, Terms},
    payment::{AnyPayin, AnyTally, Method, Payin, PayinId, payin, tally},
    store::{Store, UnitOfWork},
};

/// What anna asks for, on the way to sam.
fn anna(needs: Needs) -> Caller {
    user("anna").needing(needs, party("sam"))
}

/// An order of so much, for anna to pay.
async fn order<S: Store>(shop: &Shop<S>, amount: Money) -> OrderId {
    let terms = Terms { amount, fees: None, ..terms() };
    shop.open(terms).await
}

async fn try_pay<S: Store>(
    shop: &Shop<S>,
    id: OrderId,
    by: Method,
    who: impl Into<Caller>,
) -> Result<PayinId, Problem<S>> {
    let mut unit = shop.begin().await;
    let order: AnyOrder = shop.escrow.act(&mut unit, id, Command::Pay { by }, who).await?;
    shop.commit(unit).await;
    Ok(*order.facts().payins().last().expect("a payin"))
}

/// The payin by which anna pays an order of so much, when it needs this.
async fn pay<S: Store>(shop: &Shop<S>, amount: &str, needs: Needs) -> Result<PayinId, Problem<S>> {
    let id = order(shop, euro(amount)).await;
    try_pay(shop, id, Method::Card, anna(needs)).await
}

/// A payin of so much that anna has passed a challenge for.
async fn passed<S: Store>(shop: &Shop<S>, amount: &str) -> PayinId {
    let payin = pay(shop, amount, Needs::Challenge).await.unwrap();
    shop.send().await;
    assert!(confirmed(shop, payin).await.is_authenticated());
    payin
}

async fn confirmed<S: Store>(shop: &Shop<S>, id: PayinId) -> Payin<payin::Confirmed> {
    match shop.load(id).await {
        AnyPayin::Confirmed(payin) => payin,
        other => panic!("{other:?}"),
    }
}

async fn created<S: Store>(shop: &Shop<S>, id: PayinId) -> Payin<payin::Created> {
    match shop.load(id).await {
        AnyPayin::Created(payin) => payin,
        other => panic!("{other:?}"),
    }
}

async fn on_payin<S: Store>(
    shop: &Shop<S>,
    id: PayinId,
    command: payin::Command<'_>,
    by: impl Into<Caller>,
) -> Result<AnyPayin, Problem<S>> {
    let mut unit = shop.begin().await;
    let payin = shop.escrow.act_on_payin(&mut unit, id, command, by).await?;
    shop.commit(unit).await;
    Ok(payin)
}

fn charge(payin: PayinId) -> IdempotencyKey {
    key(payin.subject(), Verb::Charge)
}

/// How many of anna's low values count, and how much they are together.
async fn counted<S: Store>(shop: &Shop<S>) -> (u32, Money) {
    let id = tally::id_of(&party("anna"), &"sandbox".parse().unwrap());
    let AnyTally::Counting(tally) = shop.load(id).await;
    (tally.number(), tally.total())
}

/// What is in a payin's log, by name.
async fn events<S: Store>(shop: &Shop<S>, id: PayinId) -> Vec<String> {
    let log = shop.begin().await.log(id.subject()).await.unwrap().expect("its log");
    log.records.into_iter().map(|record| record.name).collect()
}
