//! Crowdfunding on SQLite: a campaign that meets its target, one that misses it and gives everything back, a pledge that
//! is withdrawn, and an owner who keeps it all. Prints where the money went.
//!
//! ```text
//! cargo run --example crowdfunding --features sqlite [FILE]
//! ```

use escrowed::{
    campaign::{AnyCampaign, Campaign, CampaignId, Command, Keep, Terms},
    escrow::{Clock, Escrow, ManualClock},
    ledger::{Account, Balance, trial_balance},
    money::{FeePolicy, FeeRule},
    party::Actor,
    payment::{Destination, Method},
    pledge::{self, Offer, PledgeId},
    sandbox::Sandbox,
    sqlite::Sqlite,
    store::{Query, Store, Views},
};
use std::{error::Error, path::PathBuf, time::Duration};

type Shop = Escrow<Sqlite, Sandbox, ManualClock>;
type Outcome<T> = Result<T, Box<dyn Error>>;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn main() -> Outcome<()> {
    let file = std::env::args_os().nth(1).map_or_else(fresh_file, PathBuf::from);
    // A clock of the example's own, so that a month passes at once. A service uses `Escrow::new` and the system's clock.
    let clock = ManualClock::at("2026-05-07T12:00:00Z".parse()?);
    let shop = Escrow::with_clock(Sqlite::open(&file)?, Sandbox::new(1), clock);
    futures_lite::future::block_on(async {
        met(&shop).await?;
        missed(&shop).await?;
        kept(&shop).await?;
        balances(&shop).await
    })?;
    println!("\nEverything is in {}: open it with any SQLite tool.", file.display());
    Ok(())
}

/// Target met: the owner is paid less the fee. One backer changes its mind in time.
async fn met(shop: &Shop) -> Outcome<()> {
    println!("[1/3] olga presses a record: €5,000 in 30 days, for a fee of 5 %");
    let campaign = open(shop, "A record", "5000.00 EUR", |terms| {
        terms.payout = Some(Destination::Account { bankaccount_id: "ba_olga".parse().expect("the id of an account") });
    })
    .await?;
    for number in 0..200 {
        pledge(shop, campaign, &format!("fan{number}"), "30.00 EUR").await?;
    }
    let anna = pledge(shop, campaign, "anna", "150.00 EUR").await?;
    work(shop).await?;
    shop.clock().advance(DAY);
    work(shop).await?;
    tell(shop, campaign, "after a day").await?;

    let mut unit = shop.store().begin().await?;
    shop.act_on_pledge(&mut unit, anna, pledge::Command::Withdraw {}, Actor::Party("anna".parse()?)).await?;
    shop.store().commit(unit).await?;
    work(shop).await?;
    tell(shop, campaign, "anna has withdrawn").await?;

    shop.clock().advance(29 * DAY);
    work(shop).await?;
    tell(shop, campaign, "at the deadline").await?;
    act(shop, campaign, Command::Validate {}).await?;
    work(shop).await?;
    over(shop, campaign).await
}

/// Target missed: every pledge goes back.
async fn missed(shop: &Shop) -> Outcome<()> {
    println!("[2/3] olga wants a tour bus: €20,000 in 30 days, all or nothing");
    let campaign = open(shop, "A tour bus", "20000.00 EUR", |_| {}).await?;
    for number in 0..250 {
        pledge(shop, campaign, &format!("fan{number}"), "40.00 EUR").await?;
    }
    work(shop).await?;
    shop.clock().advance(30 * DAY);
    // A hundred pledges at a time: a worker that stops here goes on where it was.
    while shop.run_due(&"worker-1".parse()?, 1).await?.taken > 0 {
        let campaign = load(shop, campaign).await?;
        if campaign.status().name() == "MISSED" {
            println!("      {:>14}  still to give back", campaign.held());
        }
    }
    work(shop).await?;
    over(shop, campaign).await
}

/// Keep it all: the owner gets what came.
async fn kept(shop: &Shop) -> Outcome<()> {
    println!("[3/3] olga mends her amplifier: €400 in 30 days, and keeps whatever comes");
    let campaign = open(shop, "An amplifier", "400.00 EUR", |terms| terms.policy.keep = Keep::KeepItAll).await?;
    for name in ["anna", "ben", "cleo"] {
        pledge(shop, campaign, name, "33.33 EUR").await?;
    }
    work(shop).await?;
    shop.clock().advance(30 * DAY);
    work(shop).await?;
    act(shop, campaign, Command::Validate {}).await?;
    work(shop).await?;
    over(shop, campaign).await
}

async fn open(shop: &Shop, name: &str, target: &str, change: impl FnOnce(&mut Terms)) -> Outcome<CampaignId> {
    let until = shop.clock().now().plus(30 * DAY);
    let (owner, platform, gateway) = ("olga".parse()?, "shop".parse()?, "sandbox".parse()?);
    let mut terms = Terms::new(name.parse()?, target.parse()?, until, owner, platform, gateway);
    terms.fees = Some(FeePolicy::new(FeeRule::new("5%".parse()?, "0.00 EUR".parse()?)?, "2.00 EUR".parse()?)?);
    change(&mut terms);
    let mut unit = shop.store().begin().await?; // the host's own transaction: its own tables go here, too
    let campaign = shop.open(&mut unit, Campaign::open, terms, Actor::Party("olga".parse()?)).await?;
    shop.store().commit(unit).await?;
    Ok(campaign.id())
}

async fn pledge(shop: &Shop, to: CampaignId, name: &str, amount: &str) -> Outcome<PledgeId> {
    let offer = Offer { backer: name.parse()?, amount: amount.parse()? };
    let mut unit = shop.store().begin().await?;
    let pledge = shop.pledge(&mut unit, to, offer, Method::Card, Actor::Party(name.parse()?)).await?;
    shop.store().commit(unit).await?;
    Ok(pledge.id())
}

async fn act(shop: &Shop, campaign: CampaignId, command: Command<'_>) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    shop.act(&mut unit, campaign, command, Actor::Party("olga".parse()?)).await?;
    shop.store().commit(unit).await?;
    Ok(())
}

/// What background workers do all the time: take what is due, ask the gateway, take its answers.
async fn work(shop: &Shop) -> Outcome<()> {
    let worker = "worker-1".parse()?;
    while shop.run_due(&worker, 100).await?.taken + shop.send(&worker, 100).await?.taken > 0 {}
    Ok(())
}

async fn load(shop: &Shop, campaign: CampaignId) -> Outcome<AnyCampaign> {
    let mut unit = shop.store().begin().await?;
    Ok(shop.load(&mut unit, campaign).await?)
}

async fn tell(shop: &Shop, id: CampaignId, when: &str) -> Outcome<()> {
    let campaign = load(shop, id).await?;
    let (facts, status) = (campaign.facts(), campaign.status());
    println!("      {:>14}  raised by {} pledges, {when}: {status}", facts.raised(), facts.pledges());
    Ok(())
}

/// The path of a campaign, every entry of its own but the pledges', which are counted, and where each pledge stands.
async fn over(shop: &Shop, id: CampaignId) -> Outcome<()> {
    let campaign = load(shop, id).await?;
    assert!(campaign.held().is_zero(), "what is over holds nothing");
    let path: Vec<String> = campaign.history().by_time().iter().map(|passage| passage.code.to_string()).collect();
    println!("      {id}\n      {}", path.join(" → "));
    let (own, mut unit) = (Account::Escrow(id.subject()), shop.store().begin().await?);
    let (mut after, mut pledges) = (0, [0; 2]);
    loop {
        let page = unit.entries(&own, after, 500).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for entry in page {
            match (&entry.from, &entry.to) {
                (Account::Escrow(other), _) if PledgeId::try_from(*other).is_ok() => pledges[0] += 1,
                (_, Account::Escrow(other)) if PledgeId::try_from(*other).is_ok() => pledges[1] += 1,
                (_, to) => println!("      {:>14}  {:<9} → {to}", entry.amount, entry.purpose),
            }
        }
    }
    println!("      {} pledges gathered, {} given back", pledges[0], pledges[1]);
    let (mut cursor, mut statuses) = (None, std::collections::BTreeMap::<String, usize>::new());
    loop {
        let page = unit.find(&Query::About(id.subject()), cursor.as_ref(), 500).await?;
        for row in page.rows.iter().filter(|row| row.lifecycle == pledge::TABLE.name) {
            *statuses.entry(row.status.clone()).or_default() += 1;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let statuses: Vec<String> = statuses.iter().map(|(status, number)| format!("{number} {status}")).collect();
    println!("      pledges: {}\n", statuses.join(", "));
    Ok(())
}

async fn balances(shop: &Shop) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let mut balances: Vec<Balance> = Vec::new();
    loop {
        let last = balances.last().cloned();
        let after = last.as_ref().map(|balance| (&balance.account, balance.amount.currency()));
        let page = unit.balances(after, 1000).await?;
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
    Ok(())
}

fn fresh_file() -> PathBuf {
    std::env::temp_dir().join(format!("escrowed-crowdfunding-{}.db", std::process::id()))
}
