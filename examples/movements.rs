//! Movements on SQLite: a top-up, lunch from wallet to wallet, one who pays a band, friends who pay a rent together, one of
//! whom cannot, and many who pay many. Prints where the money went.
//!
//! ```text
//! cargo run --example movements --features sqlite [FILE]
//! ```

use escrowed::{
    escrow::{Clock, Escrow, ManualClock},
    gateway::Verb,
    ledger::{Account, Balance, trial_balance},
    money::Share,
    movement::{AnyMovement, Frame, MovementId, Outside, Payer, Plan},
    order::{self, Payee},
    party::{Actor, PartyId},
    payment::{Destination, Method},
    sandbox::{Behaviour, Sandbox},
    sqlite::Sqlite,
    store::{Store, Views},
};
use std::{error::Error, path::PathBuf, time::Duration};

type Shop = Escrow<Sqlite, Sandbox, ManualClock>;
type Outcome<T> = Result<T, Box<dyn Error>>;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn main() -> Outcome<()> {
    let file = std::env::args_os().nth(1).map_or_else(fresh_file, PathBuf::from);
    // A clock of the example's own, so that a day passes at once. A service uses `Escrow::new` and the system's clock.
    let clock = ManualClock::at("2026-05-07T12:00:00Z".parse()?);
    let shop = Escrow::with_clock(Sqlite::open(&file)?, Sandbox::new(1), clock);
    futures_lite::future::block_on(async {
        alone(&shop).await?;
        band(&shop).await?;
        rent(&shop).await?;
        festival(&shop).await?;
        balances(&shop).await
    })?;
    println!("\nEverything is in {}: open it with any SQLite tool.", file.display());
    Ok(())
}

/// One order each: into a wallet, between wallets, out of a wallet.
async fn alone(shop: &Shop) -> Outcome<()> {
    println!("[1/4] anna's wallet");
    let plan = Plan::top_up(frame(shop, "Pocket money")?, "anna".parse()?, Outside::Card, "50.00 EUR".parse()?);
    over(shop, "anna tops it up by card", plan, "anna").await?;
    let plan = Plan::wallet_to_wallet(frame(shop, "Lunch")?, "anna".parse()?, "ben".parse()?, "12.50 EUR".parse()?);
    over(shop, "lunch with ben, at once", plan, "anna").await?;
    let (bank, amount) = ("ba_shoes".parse()?, "30.00 EUR".parse()?);
    let plan = Plan::payin_from_wallet(frame(shop, "Shoes")?, "anna".parse()?, "shoes".parse()?, bank, amount);
    over(shop, "shoes, to the shop's bank", plan, "anna").await?;
    let (payee, to) = ("ben".parse()?, Destination::Wallet);
    let plan = Plan::one_to_one(frame(shop, "A book")?, "cleo".parse()?, Method::Card, payee, to, "9.90 EUR".parse()?);
    over(shop, "cleo buys ben's book", plan, "cleo").await
}

/// One to many. A bank declines, which nobody else has to suffer for.
async fn band(shop: &Shop) -> Outcome<()> {
    println!("[2/4] cleo pays a band €100.01: half to the singer, the rest in equal parts");
    let reason = "account closed".parse()?;
    shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason }]);
    let payees = vec![
        payee("singer", Share::Percent("50%".parse()?), Destination::Account { bankaccount_id: "ba_singer".parse()? })?,
        payee("drummer", Share::Rest, Destination::Wallet)?,
        payee("bassist", Share::Rest, Destination::Wallet)?,
    ];
    let amount = "100.01 EUR".parse()?;
    let plan = Plan::one_to_many(frame(shop, "The gig")?, "cleo".parse()?, Method::Card, amount, payees);
    over(shop, "the singer's bank declines, so it is the wallet", plan, "cleo").await
}

/// Many to one, all or nothing: the first time one of them cannot pay.
async fn rent(shop: &Shop) -> Outcome<()> {
    for (number, declined) in [("first", true), ("second", false)] {
        println!("[3/4] anna, ben and cleo rent a room, the {number} time");
        let payers = vec![payer("anna", "100.00 EUR")?, payer("ben", "120.00 EUR")?, payer("cleo", "80.00 EUR")?];
        let plan = Plan::many_to_one(frame(shop, "The rent")?, payers, "landlady".parse()?);
        let rent = open(shop, plan, "landlady").await?;
        for name in ["anna", "ben"] {
            pay(shop, rent, name).await?;
        }
        tell(shop, rent, "anna and ben have paid").await?;
        if declined {
            let reason = "no cover".parse()?;
            shop.gateway().script(Verb::Charge, [Behaviour::Decline { reason }]);
        }
        pay(shop, rent, "cleo").await?;
        tell(shop, rent, if declined { "cleo's card is declined" } else { "cleo has paid" }).await?;
    }
    Ok(())
}

/// Many to many: more payees than one write pays.
async fn festival(shop: &Shop) -> Outcome<()> {
    println!("[4/4] 40 guests pay 250 helpers of a festival");
    let guests = (0..40).map(|number| payer(&format!("guest{number}"), "25.00 EUR")).collect::<Outcome<_>>()?;
    let helper = |number| payee(&format!("helper{number}"), Share::Rest, Destination::Wallet);
    let helpers = (0..250).map(helper).collect::<Outcome<_>>()?;
    let festival = open(shop, Plan::many_to_many(frame(shop, "The festival")?, guests, helpers), "guest0").await?;
    for number in 0..40 {
        pay(shop, festival, &format!("guest{number}")).await?;
    }
    tell(shop, festival, "the last guest has paid").await?;
    // A hundred orders at a time: a worker that stops here goes on where it was.
    while shop.run_due(&"worker-1".parse()?, 1).await?.taken > 0 {
        tell(shop, festival, "a batch later").await?;
    }
    Ok(())
}

fn frame(shop: &Shop, name: &str) -> Outcome<Frame> {
    let until = shop.clock().now().plus(DAY);
    Ok(Frame::new(name.parse()?, until, "shop".parse()?, "sandbox".parse()?))
}

fn payee(name: &str, share: Share, to: Destination) -> Outcome<Payee> {
    Ok(Payee { party: name.parse()?, share, to })
}

fn payer(name: &str, amount: &str) -> Outcome<Payer> {
    Ok(Payer { party: name.parse()?, amount: amount.parse()? })
}

async fn open(shop: &Shop, plan: Plan, who: &str) -> Outcome<MovementId> {
    let mut unit = shop.store().begin().await?; // the host's own transaction: its own tables go here, too
    let movement = shop.move_money(&mut unit, plan, Actor::Party(who.parse()?)).await?;
    shop.store().commit(unit).await?;
    Ok(movement.id())
}

/// Each payer pays an order of their own.
async fn pay(shop: &Shop, movement: MovementId, who: &str) -> Outcome<()> {
    let payer: PartyId = who.parse()?;
    let order = load(shop, movement).await?.order_of(&payer).ok_or("a payer")?;
    let mut unit = shop.store().begin().await?;
    shop.act(&mut unit, order, order::Command::Pay { by: Method::Card }, Actor::Party(payer)).await?;
    shop.store().commit(unit).await?;
    send(shop).await
}

/// Sends what the gateway is to be asked, and what that leads to.
async fn send(shop: &Shop) -> Outcome<()> {
    while shop.send(&"worker-1".parse()?, 100).await?.taken > 0 {}
    Ok(())
}

async fn over(shop: &Shop, says: &str, plan: Plan, who: &str) -> Outcome<()> {
    let movement = open(shop, plan, who).await?;
    send(shop).await?;
    tell(shop, movement, says).await
}

async fn tell(shop: &Shop, movement: MovementId, says: &str) -> Outcome<()> {
    let movement = load(shop, movement).await?;
    let (facts, status) = (movement.facts(), movement.status());
    println!("      {status:<10} {says}: {} paid, {} with the payees", facts.paid(), facts.released());
    Ok(())
}

async fn load(shop: &Shop, movement: MovementId) -> Outcome<AnyMovement> {
    let mut unit = shop.store().begin().await?;
    Ok(shop.load(&mut unit, movement).await?)
}

async fn balances(shop: &Shop) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let (mut all, mut after): (Vec<Balance>, _) = (Vec::new(), None);
    loop {
        let from = after.as_ref().map(|(account, currency)| (account, *currency));
        let page = unit.balances(from, 100).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.account.clone(), last.amount.currency()));
        all.extend(page);
    }
    println!("\nWho has what:");
    let helper =
        |account: &Account| matches!(account, Account::Wallet(party) if party.to_string().starts_with("helper"));
    for balance in all.iter().filter(|balance| !balance.amount.is_zero() && !helper(&balance.account)) {
        println!("  {:>14}  {}", balance.amount.to_string(), balance.account);
    }
    let helpers: Vec<_> = all.iter().filter(|balance| helper(&balance.account)).collect();
    let each = helpers.first().map(|balance| balance.amount.to_string()).unwrap_or_default();
    println!("  {each:>14}  wallet:helper0 and each of {} others", helpers.len().saturating_sub(1));
    for sum in trial_balance(&all)? {
        println!("Trial balance: {sum} over {} accounts.", all.len());
        assert!(sum.is_zero(), "the books are out of balance");
    }
    Ok(())
}

fn fresh_file() -> PathBuf {
    std::env::temp_dir().join(format!("escrowed-movements-{}.db", std::process::id()))
}
