//! A marketplace in one file: reads orders from `examples/data/orders.json`, drives each to its end through escrow into
//! a SQLite file, and prints where the money went.
//!
//! ```text
//! cargo run --example marketplace --features sqlite [FILE]
//! ```

use escrowed::{
    escrow::Escrow,
    gateway::Verb,
    ledger::{Account, Balance, trial_balance},
    money::{FeePolicy, FeeRule, Money},
    order::{self, AnyOrder, Blocking, Command, Fees, OrderId, PayoutPlan, Terms},
    party::{Actor, PartyId},
    payment::{AnyRefund, Method, RefundId, refund},
    sandbox::{Behaviour, Sandbox},
    sqlite::{Sqlite, SqliteUnit},
    store::{BookedEntry, Query, Store, Views},
    text::Prose,
};
use serde::Deserialize;
use std::{collections::BTreeSet, error::Error, path::PathBuf};

type Shop = Escrow<Sqlite, Sandbox>;
type Outcome<T> = Result<T, Box<dyn Error>>;

/// A host's handler: whoever is logged in asks for something, and it is written or refused.
async fn handle(shop: &Shop, id: OrderId, command: Command<'_>, user: &str) -> Outcome<AnyOrder> {
    let by = match user {
        "platform" => Actor::platform("ops".parse()?),
        name => Actor::Party(name.parse()?),
    };
    let mut unit = shop.store().begin().await?; // the host's own transaction: its own tables go here, too
    let order = shop.act(&mut unit, id, command, by).await?;
    shop.store().commit(unit).await?;
    Ok(order)
}

#[derive(Deserialize)]
struct Story {
    story: String,
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

fn main() -> Outcome<()> {
    let file = std::env::args_os().nth(1).map_or_else(fresh_file, PathBuf::from);
    let stories: Vec<Story> = serde_json::from_str(include_str!("data/orders.json"))?;
    let shop = Escrow::new(Sqlite::open(&file)?, Sandbox::new(1));
    futures_lite::future::block_on(async {
        for (number, story) in (1..).zip(&stories) {
            println!("[{number}/{}] {}", stories.len(), story.story);
            let id = drive(&shop, story).await?;
            print_order(&shop, id).await?;
        }
        print_balances(&shop).await
    })?;
    println!("\nEverything is in {}: open it with any SQLite tool.", file.display());
    Ok(())
}

fn fresh_file() -> PathBuf {
    std::env::temp_dir().join(format!("escrowed-marketplace-{}.db", std::process::id()))
}

async fn drive(shop: &Shop, story: &Story) -> Outcome<OrderId> {
    for script in &story.gateway {
        shop.gateway().script(script.on, [Behaviour::Decline { reason: script.declines.clone() }]);
    }
    let mut unit = shop.store().begin().await?;
    let id = shop.open_order(&mut unit, terms(&story.order)?, Actor::platform("ops".parse()?)).await?.id();
    shop.store().commit(unit).await?;
    for step in &story.steps {
        take(shop, id, step).await?;
        // What a background worker does all the time: asks the gateway and takes its answers.
        while shop.send(&"worker-1".parse()?, 100).await?.taken > 0 {}
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

async fn print_order(shop: &Shop, id: OrderId) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let order: AnyOrder = shop.load(&mut unit, id).await?;
    let path: Vec<&str> = order.history().by_time().iter().map(|passage| passage.code.name()).collect();
    println!("      {id}\n      {}", path.join(" → "));
    for entry in ledger(&mut unit, id).await? {
        println!("      {:>14}  {:<9} {} → {}", entry.amount, entry.purpose, short(&entry.from), short(&entry.to));
    }
    assert!(order.held().is_zero(), "an order that is over holds nothing");
    println!();
    Ok(())
}

/// Every entry of an order and its payments, in the order they were booked.
async fn ledger(unit: &mut SqliteUnit, id: OrderId) -> Outcome<Vec<BookedEntry>> {
    let page = unit.find(&Query::About(id.subject()), None, 100).await?;
    let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
    for subject in page.rows.iter().map(|row| row.subject).chain([id.subject()]) {
        for entry in unit.entries(&Account::Escrow(subject), 0, 100).await? {
            if seen.insert(entry.number) {
                entries.push(entry);
            }
        }
    }
    entries.sort_by_key(|entry| entry.number);
    Ok(entries)
}

/// `escrow:pi_01kr…8ss` says enough on a screen.
fn short(account: &Account) -> String {
    match account {
        Account::Escrow(subject) => {
            let text = subject.to_string();
            format!("{}_…{}", subject.kind(), &text[text.len() - 4..])
        }
        Account::World(_) | Account::Wallet(_) => account.to_string(),
    }
}

async fn print_balances(shop: &Shop) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let mut balances: Vec<Balance> = Vec::new();
    loop {
        let last = balances.last().cloned();
        let after = last.as_ref().map(|balance| (&balance.account, balance.amount.currency()));
        let page = unit.balances(after, 100).await?;
        if page.is_empty() {
            break;
        }
        balances.extend(page);
    }
    println!("Balances:");
    for balance in balances.iter().filter(|balance| !balance.amount.is_zero()) {
        println!("      {:>14}  {}", balance.amount, balance.account);
    }
    for sum in trial_balance(&balances)? {
        println!("Trial balance: {sum} over {} accounts.", balances.len());
        assert!(sum.is_zero(), "the books are out of balance");
    }
    let released = unit.find(&Query::status(order::TABLE.name.parse()?, "RELEASED"), None, 100).await?;
    println!("Orders released: {}.", released.rows.len());
    Ok(())
}
