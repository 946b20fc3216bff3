//! What a loan of many lenders costs, on SQLite in a file: funded, paid out, repaid twice, each repayment shared out.
//!
//! ```text
//! cargo bench --bench loan --features sqlite [-- LENDERS]
//! ```

use escrowed::{
    distribution::{AnyDistribution, DistributionId},
    escrow::{Escrow, ManualClock},
    loan::{AnyLoan, Command, DayCount, Form, Loan, LoanId, Plan, Status, Terms},
    money::Money,
    party::Actor,
    payment::Method,
    pledge::Offer,
    sandbox::Sandbox,
    sqlite::Sqlite,
    store::{Query, Store, UnitOfWork, Views, WorkerId},
};
use std::time::{Duration, Instant};

type Shop = Escrow<Sqlite, Sandbox, ManualClock>;

fn main() {
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let lenders: u32 = asked.unwrap_or(20_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("loan.db");
    let clock = ManualClock::at("2026-05-07T12:00:00Z".parse().unwrap());
    let shop = Escrow::with_clock(Sqlite::open(&file).unwrap(), Sandbox::new(1), clock);
    futures_lite::future::block_on(life(&shop, lenders));
    println!("{:.0} MB in the file", std::fs::metadata(&file).unwrap().len() as f64 / 1e6);
}

async fn life(shop: &Shop, lenders: u32) {
    let start = Instant::now();
    let id = lent(shop, lenders).await;
    println!("{lenders} lenders, funded in {:.1?}", start.elapsed());
    for month in 1..=2 {
        shop.clock().advance(Duration::from_secs(31 * 24 * 3600));
        let amount = load(shop, id).await.facts().debt().unwrap().owed(shop.stamp(Actor::Clock).at).unwrap().due;
        let start = Instant::now();
        act(shop, id, Command::Repay { amount, by: Method::Wallet }).await;
        println!("repayment {month}:    {:>9.1?}", start.elapsed());
        let (start, mut steps, mut slowest) = (Instant::now(), 0, Duration::ZERO);
        loop {
            let round = Instant::now();
            if shop.run_due(&worker(), 1).await.unwrap().taken == 0 {
                break;
            }
            steps += 1;
            slowest = slowest.max(round.elapsed());
        }
        let sharing = start.elapsed();
        println!(
            "sharing it out:  {sharing:>9.1?} in {steps} steps, the slowest {slowest:.1?}, {:.0?} for each lender",
            sharing / lenders
        );
    }
    let mut unit = shop.store().begin().await.unwrap();
    let page = unit.find(&Query::of::<AnyDistribution>(escrowed::distribution::Status::Shared), None, 9).await.unwrap();
    assert_eq!(page.rows.len(), 2);
    let last = DistributionId::try_from(page.rows[1].subject).unwrap();
    let log = unit.log(last.subject()).await.unwrap().unwrap();
    let bytes: usize = log.records.iter().map(|record| record.body.len()).sum();
    println!("a distribution:  {} events, {:.1} MB", log.records.len(), bytes as f64 / 1e6);
    let (start, log) = (Instant::now(), unit.log(id.subject()).await.unwrap().unwrap());
    let _: AnyLoan = shop.load(&mut unit, id).await.unwrap();
    println!("the loan:        {} events, read in {:.1?}", log.records.len(), start.elapsed());
}

async fn lent(shop: &Shop, lenders: u32) -> LoanId {
    let until = shop.stamp(Actor::Clock).at.plus(Duration::from_secs(24 * 3600));
    let (bea, platform, gateway) = ("bea".parse().unwrap(), "shop".parse().unwrap(), "sandbox".parse().unwrap());
    let rate = "6%".parse().unwrap();
    let plan = Plan { rate, form: Form::Annuity, instalments: 12, months: 1, day_count: DayCount::Thirty360E };
    let each: Money = "25.00 EUR".parse().unwrap();
    let target = Money::from_minor(each.minor() * i64::from(lenders), each.currency());
    let terms = Terms::new("A mill".parse().unwrap(), target, until, bea, platform, gateway, plan);
    let mut unit = shop.store().begin().await.unwrap();
    let id = shop.open(&mut unit, Loan::open, terms, Actor::Party("bea".parse().unwrap())).await.unwrap().id();
    shop.store().commit(unit).await.unwrap();
    for number in 0..lenders {
        let backer: escrowed::party::PartyId = format!("lender{number}").parse().unwrap();
        let offer = Offer { backer: backer.clone(), amount: each };
        let mut unit = shop.store().begin().await.unwrap();
        shop.pledge(&mut unit, id, offer, Method::Card, Actor::Party(backer)).await.unwrap();
        shop.store().commit(unit).await.unwrap();
    }
    while shop.send(&worker(), 100).await.unwrap().taken > 0 {}
    shop.clock().advance(Duration::from_secs(600));
    while shop.run_due(&worker(), 1_000).await.unwrap().taken > 0 {}
    act(shop, id, Command::Validate {}).await;
    assert_eq!(load(shop, id).await.status(), Status::Repaying);
    id
}

async fn act(shop: &Shop, id: LoanId, command: Command<'_>) {
    let mut unit = shop.store().begin().await.unwrap();
    shop.act(&mut unit, id, command, Actor::Party("bea".parse().unwrap())).await.unwrap();
    shop.store().commit(unit).await.unwrap();
}

async fn load(shop: &Shop, id: LoanId) -> AnyLoan {
    let mut unit = shop.store().begin().await.unwrap();
    shop.load(&mut unit, id).await.unwrap()
}

fn worker() -> WorkerId {
    "worker-1".parse().unwrap()
}
