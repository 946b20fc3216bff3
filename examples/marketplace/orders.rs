//! Orders: from the file to commands.

use crate::{Outcome, Shop, handle, work};
use escrowed::{
    gateway::Verb,
    money::{FeePolicy, FeeRule, Money},
    order::{Blocking, Command, Fees, OrderId, PayoutPlan, Terms},
    party::{Actor, PartyId},
    payment::{AnyRefund, Method, RefundId, refund},
    sandbox::Behaviour,
    store::{Query, Store, Views},
    text::Prose,
};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Story {
    pub(crate) story: String,
    order: Sale,
    #[serde(default)]
    gateway: Vec<Script>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Sale {
    name: String,
    amount: String,
    seller: PartyId,
    payin_intents: Option<u32>,
}

#[derive(Deserialize)]
struct Script {
    on: Verb,
    declines: Prose,
}

#[derive(Deserialize)]
struct Step {
    by: String,
    #[serde(flatten)]
    wish: Wish,
}

/// What a marketplace's own API might take.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Wish {
    IdentifyBuyer,
    Pay { with: Method },
    Retry,
    Accept { payout: Option<PayoutPlan> },
    Reject,
    Cancel,
    SetPayout { payout: PayoutPlan },
    Validate,
    Block { reason: Prose },
    Unblock,
    ApproveRefund,
}

pub(crate) async fn drive(shop: &Shop, story: &Story) -> Outcome<OrderId> {
    for script in &story.gateway {
        shop.gateway().script(script.on, [Behaviour::Decline { reason: script.declines.clone() }]);
    }
    let mut unit = shop.store().begin().await?;
    let id = shop.open_order(&mut unit, terms(&story.order)?, Actor::platform("ops".parse()?)).await?.id();
    shop.store().commit(unit).await?;
    for step in &story.steps {
        take(shop, id, step).await?;
        work(shop).await?;
    }
    Ok(id)
}

/// The seller bears a fee of 10 %, at least €5.
fn terms(sale: &Sale) -> Outcome<Terms> {
    let amount: Money = sale.amount.parse()?;
    let rule = FeeRule::new("10%".parse()?, "5.00 EUR".parse()?)?;
    let policy = FeePolicy::new(rule, Money::zero(amount.currency()))?;
    let mut terms = Terms::new(sale.name.parse()?, amount, sale.seller.clone(), "shop".parse()?, "sandbox".parse()?);
    terms.fees = Some(Fees { policy, own: None });
    terms.payin_intents = sale.payin_intents;
    Ok(terms)
}

async fn take(shop: &Shop, id: OrderId, step: &Step) -> Outcome<()> {
    let command = match &step.wish {
        Wish::IdentifyBuyer => Command::IdentifyBuyer { buyer: step.by.parse()? },
        Wish::Pay { with } => Command::Pay { by: with.clone() },
        Wish::Retry => Command::Retry {},
        Wish::Accept { payout } => Command::Accept { payout: payout.clone() },
        Wish::Reject => Command::Reject {},
        Wish::Cancel => Command::Cancel {},
        Wish::SetPayout { payout } => Command::SetPayout { plan: payout.clone() },
        Wish::Validate => Command::Validate {},
        Wish::Block { reason } => Command::Block { why: Blocking::Operator(reason.clone()) },
        Wish::Unblock => Command::Unblock {},
        Wish::ApproveRefund => return approve_refund(shop, id).await,
    };
    handle(shop, id, command, &step.by).await?;
    Ok(())
}

async fn approve_refund(shop: &Shop, id: OrderId) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let page = unit.find(&Query::About(id.subject()), None, 100).await?;
    for refund in page.rows.iter().filter_map(|row| RefundId::try_from(row.subject).ok()) {
        if let AnyRefund::Created(refund) = shop.load(&mut unit, refund).await? {
            let ops = Actor::platform("ops".parse()?);
            shop.act_on_refund(&mut unit, refund.id(), refund::Command::Approve {}, ops).await?;
        }
    }
    shop.store().commit(unit).await?;
    Ok(())
}
