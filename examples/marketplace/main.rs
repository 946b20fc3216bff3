//! A marketplace in a few files: reads orders and deals from `examples/data`, drives each to its end through escrow into a
//! SQLite file, and prints where the money went.
//!
//! ```text
//! cargo run --example marketplace --features sqlite [FILE]
//! ```

mod deals;
mod orders;
mod print;

use escrowed::{
    escrow::{Escrow, ManualClock},
    id::Id,
    party::Actor,
    payment::Agreement,
    sandbox::Sandbox,
    sqlite::Sqlite,
    store::Store,
};
use std::{error::Error, path::PathBuf};

type Shop = Escrow<Sqlite, Sandbox, ManualClock>;
type Outcome<T> = Result<T, Box<dyn Error>>;

/// A host's handler: whoever is logged in asks for something, and it is written or refused.
async fn handle<L: Agreement>(shop: &Shop, id: Id<L>, command: L::Command<'_>, user: &str) -> Outcome<L> {
    let by = match user {
        "platform" => Actor::platform("ops".parse()?),
        "arbiter" => Actor::arbiter("judge".parse()?),
        name => Actor::Party(name.parse()?),
    };
    let mut unit = shop.store().begin().await?; // the host's own transaction: its own tables go here, too
    let value = shop.act(&mut unit, id, command, by).await?;
    shop.store().commit(unit).await?;
    Ok(value)
}

/// What background workers do all the time: take what is due, ask the gateway, take its answers.
async fn work(shop: &Shop) -> Outcome<()> {
    shop.run_due(&"worker-1".parse()?, 100).await?;
    while shop.send(&"worker-1".parse()?, 100).await?.taken > 0 {}
    Ok(())
}

fn main() -> Outcome<()> {
    let file = std::env::args_os().nth(1).map_or_else(fresh_file, PathBuf::from);
    // A clock of the example's own, so that a day passes at once. A service uses `Escrow::new` and the system's clock.
    let clock = ManualClock::at("2026-05-07T15:39:46Z".parse()?);
    let shop = Escrow::with_clock(Sqlite::open(&file)?, Sandbox::new(1), clock);
    let orders: Vec<orders::Story> = serde_json::from_str(include_str!("../data/orders.json"))?;
    let deals: Vec<deals::Story> = serde_json::from_str(include_str!("../data/deals.json"))?;
    let all = orders.len() + deals.len();
    futures_lite::future::block_on(async {
        for (number, story) in (1..).zip(&orders) {
            println!("[{number}/{all}] {}", story.story);
            let order = orders::drive(&shop, story).await?;
            print::deal(&shop, order).await?;
        }
        for (number, story) in (orders.len() + 1..).zip(&deals) {
            println!("[{number}/{all}] {}", story.story);
            deals::drive(&shop, story).await?;
        }
        print::balances(&shop).await
    })?;
    println!("\nEverything is in {}: open it with any SQLite tool.", file.display());
    Ok(())
}

fn fresh_file() -> PathBuf {
    std::env::temp_dir().join(format!("escrowed-marketplace-{}.db", std::process::id()))
}
