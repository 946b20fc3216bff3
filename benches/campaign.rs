//! What a campaign of many pledges costs, on SQLite in a file: opened, paid, gathered over 30 days, missed, given back.
//!
//! ```text
//! cargo bench --bench campaign --features sqlite [-- PLEDGES]
//! ```

use escrowed::{
    campaign::{AnyCampaign, Campaign, CampaignId, Status, Terms},
    escrow::{Escrow, ManualClock},
    party::Actor,
    payment::Method,
    pledge::{Offer, PledgeId},
    sandbox::Sandbox,
    sqlite::Sqlite,
    store::{Store, UnitOfWork, WorkerId},
};
use std::time::{Duration, Instant};

type Shop = Escrow<Sqlite, Sandbox, ManualClock>;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn main() {
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let pledges: u32 = asked.unwrap_or(50_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaign.db");
    let clock = ManualClock::at("2026-05-07T12:00:00Z".parse().unwrap());
    let shop = Escrow::with_clock(Sqlite::open(&file).unwrap(), Sandbox::new(1), clock);
    futures_lite::future::block_on(life(&shop, pledges));
    println!("{:.0} MB in the file", std::fs::metadata(&file).unwrap().len() as f64 / 1e6);
}

async fn life(shop: &Shop, pledges: u32) {
    let id = open(shop).await;
    println!("{pledges} pledges");
    // Evenly over 30 days: so many in each of its 4,320 intervals of ten minutes.
    let (mut opening, mut paying, mut gathering) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut opened, mut slowest) = (0, Duration::ZERO);
    for slot in 1..=4_320 {
        let start = Instant::now();
        while u64::from(opened) < u64::from(pledges) * slot / 4_320 {
            pledge(shop, id, opened).await;
            opened += 1;
        }
        opening += start.elapsed();
        let start = Instant::now();
        send(shop).await;
        paying += start.elapsed();
        shop.clock().advance(Duration::from_secs(600));
        if slot == 4_320 {
            break;
        }
        let start = Instant::now();
        while shop.run_due(&worker(), 1_000).await.unwrap().taken > 0 {}
        gathering += start.elapsed();
        slowest = slowest.max(start.elapsed());
    }
    assert_eq!(opened, pledges);
    let each = |time: Duration| time / pledges;
    println!("opening them:    {opening:>9.1?}, {:.0?} each", each(opening));
    println!("their payments:  {paying:>9.1?}, {:.0?} each", each(paying));
    println!("gathering:       {gathering:>9.1?} in all, an interval at most {slowest:.1?}");
    let (load, events, bytes) = loaded(shop, id).await;
    println!("the campaign:    {events} events, {:.1} MB, read in {load:.1?}", bytes as f64 / 1e6);

    let (start, mut steps, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    loop {
        let round = Instant::now();
        if shop.run_due(&worker(), 1).await.unwrap().taken == 0 {
            break;
        }
        steps += 1;
        slowest = slowest.max(round.elapsed());
    }
    let closing = start.elapsed();
    println!("giving all back: {closing:>9.1?} in {steps} steps, the slowest {slowest:.1?}");
    let start = Instant::now();
    send(shop).await;
    println!("their refunds:   {:>9.1?}, {:.0?} each", start.elapsed(), each(start.elapsed()));
    let (load, events, bytes) = loaded(shop, id).await;
    println!("the campaign:    {events} events, {:.1} MB, read in {load:.1?}", bytes as f64 / 1e6);
    let mut unit = shop.store().begin().await.unwrap();
    let campaign: AnyCampaign = shop.load(&mut unit, id).await.unwrap();
    assert_eq!((campaign.status(), campaign.facts().pledges()), (Status::Returned, u64::from(pledges)));
}

async fn open(shop: &Shop) -> CampaignId {
    let until = "2026-05-07T12:00:00Z".parse::<escrowed::time::Timestamp>().unwrap().plus(30 * DAY);
    let (owner, platform, gateway) = ("olga".parse().unwrap(), "shop".parse().unwrap(), "sandbox".parse().unwrap());
    let target = "90000000.00 EUR".parse().unwrap();
    let terms = Terms::new("A film".parse().unwrap(), target, until, owner, platform, gateway);
    let mut unit = shop.store().begin().await.unwrap();
    let id = shop.open(&mut unit, Campaign::open, terms, Actor::Party("olga".parse().unwrap())).await.unwrap().id();
    shop.store().commit(unit).await.unwrap();
    id
}

// As an HTTP handler does it: a unit of its own, and durable before it answers.
async fn pledge(shop: &Shop, to: CampaignId, number: u32) -> PledgeId {
    let backer: escrowed::party::PartyId = format!("backer{number}").parse().unwrap();
    let offer = Offer { backer: backer.clone(), amount: "25.00 EUR".parse().unwrap() };
    let mut unit = shop.store().begin().await.unwrap();
    let pledge = shop.pledge(&mut unit, to, offer, Method::Card, Actor::Party(backer)).await.unwrap();
    shop.store().commit(unit).await.unwrap();
    pledge.id()
}

fn worker() -> WorkerId {
    "worker-1".parse().unwrap()
}

async fn send(shop: &Shop) {
    while shop.send(&worker(), 100).await.unwrap().taken > 0 {}
}

async fn loaded(shop: &Shop, id: CampaignId) -> (Duration, usize, usize) {
    let mut unit = shop.store().begin().await.unwrap();
    let log = unit.log(id.subject()).await.unwrap().unwrap();
    let start = Instant::now();
    let _: AnyCampaign = shop.load(&mut unit, id).await.unwrap();
    (start.elapsed(), log.records.len(), log.records.iter().map(|record| record.body.len()).sum())
}
