//! Crowdlending on SQLite: a loan that 400 people fund, its schedule, repayments in time, late and early, each shared to
//! the last cent; and one that defaults, of which a part is recovered. Prints what a lender sees, and where the money went.
//!
//! ```text
//! cargo run --example crowdlending --features sqlite [FILE]
//! ```

use escrowed::{
    escrow::{Clock, Escrow, ManualClock},
    ledger::{Account, Balance, trial_balance},
    loan::{AnyLoan, Command, DayCount, Form, Loan, LoanId, Plan, Terms},
    money::{FeePolicy, FeeRule, Money},
    party::Actor,
    payment::{Destination, Method},
    pledge::{self, AnyPledge, Offer, PledgeId, Proceeds},
    sandbox::Sandbox,
    sqlite::Sqlite,
    store::{Query, Store, Views},
    time::Timestamp,
};
use std::{error::Error, path::PathBuf, time::Duration};

type Shop = Escrow<Sqlite, Sandbox, ManualClock>;
type Outcome<T> = Result<T, Box<dyn Error>>;

const LENDERS: usize = 400;

fn main() -> Outcome<()> {
    let file = std::env::args_os().nth(1).map_or_else(fresh_file, PathBuf::from);
    // A clock of the example's own, so that years pass at once. A service uses `Escrow::new` and the system's clock.
    let clock = ManualClock::at("2026-01-12T12:00:00Z".parse()?);
    let shop = Escrow::with_clock(Sqlite::open(&file)?, Sandbox::new(1), clock);
    futures_lite::future::block_on(async {
        repaid(&shop).await?;
        defaulted(&shop).await?;
        balances(&shop).await
    })?;
    println!("\nEverything is in {}: open it with any SQLite tool.", file.display());
    Ok(())
}

/// Repaid: most instalments in time, one late, the rest early.
async fn repaid(shop: &Shop) -> Outcome<()> {
    println!("[1/2] bea borrows €60,000.00 for an oven from {LENDERS} people: 12 months at 6 %, an annuity by 30E/360");
    let (loan, anna) = lent(shop, "An oven", Form::Annuity).await?;
    println!("      #   due         principal       interest       outstanding");
    let value = load(shop, loan).await?;
    for line in value.facts().debt().ok_or("no debt")?.schedule() {
        let day = &line.due.to_string()[..10];
        println!(
            "      {:<3} {day} {:>13} {:>14} {:>17}",
            line.number, line.principal, line.interest, line.outstanding
        );
    }
    println!();
    for day in ["2026-02-12", "2026-03-12", "2026-04-12"] {
        pay_what_is_due(shop, loan, day).await?;
    }
    // Nothing comes in May: five days of grace pass.
    until(shop, "2026-05-18").await?;
    tell(shop, loan, "2026-05-18", "nothing was paid in May").await?;
    pay_what_is_due(shop, loan, "2026-05-20").await?;
    until(shop, "2026-06-01").await?;
    let owed = load(shop, loan).await?.facts().debt().ok_or("no debt")?.owed(shop.clock().now())?;
    println!("      2026-06-01  bea pays the loan off: {} and {} of interest", owed.principal, owed.interest);
    pay(shop, loan, owed.payoff()?).await?;
    over(shop, loan, anna).await
}

/// Defaulted: one instalment comes, then nothing; the platform recovers a third.
async fn defaulted(shop: &Shop) -> Outcome<()> {
    println!("[2/2] bea borrows €60,000.00 for a van: interest only, the principal at the end of 12 months");
    let (loan, anna) = lent(shop, "A van", Form::InterestOnly).await?;
    until(shop, "2026-07-01").await?;
    let due = load(shop, loan).await?.facts().debt().ok_or("no debt")?.owed(shop.clock().now())?.due;
    pay(shop, loan, due).await?;
    until(shop, "2026-10-01").await?;
    tell(shop, loan, "2026-10-01", "nothing was paid since July").await?;
    act(shop, loan, Command::DeclareDefault {}, "ops").await?;
    tell(shop, loan, "2026-10-01", "the platform declares a default: nothing more accrues").await?;
    until(shop, "2027-03-01").await?;
    act(shop, loan, Command::Recover { amount: "20000.01 EUR".parse()?, by: Method::Card }, "ops").await?;
    work(shop).await?;
    tell(shop, loan, "2027-03-01", "€20,000.01 of the van's sale came in").await?;
    act(shop, loan, Command::WriteOff {}, "ops").await?;
    if let AnyLoan::WrittenOff(loan) = load(shop, loan).await? {
        let lost = loan.state().lost();
        println!("      {:>14}  of principal and {} of interest are written off", lost.principal, lost.interest);
    }
    over(shop, loan, anna).await
}

/// A loan that is funded, and paid out less a fee of 2 %; and anna's pledge.
async fn lent(shop: &Shop, name: &str, form: Form) -> Outcome<(LoanId, PledgeId)> {
    let until = shop.clock().now().plus(Duration::from_secs(3600));
    let plan = Plan { rate: "6%".parse()?, form, instalments: 12, months: 1, day_count: DayCount::Thirty360E };
    let (bea, platform, gateway) = ("bea".parse()?, "shop".parse()?, "sandbox".parse()?);
    let target = "60000.00 EUR".parse()?;
    let mut terms = Terms::new(name.parse()?, target, until, bea, platform, gateway, plan);
    terms.fees = Some(FeePolicy::new(FeeRule::new("2%".parse()?, "0.00 EUR".parse()?)?, "50.00 EUR".parse()?)?);
    terms.payout = Some(Destination::Account { bankaccount_id: "ba_bea".parse()? });
    let mut unit = shop.store().begin().await?; // the host's own transaction: its own tables go here, too
    let loan = shop.open(&mut unit, Loan::open, terms, Actor::Party("bea".parse()?)).await?.id();
    shop.store().commit(unit).await?;

    let anna = lend(shop, loan, "anna", target.split_by_weights(&[1, 5])?[0]).await?;
    let rest = "50000.00 EUR".parse::<Money>()?;
    let weights: Vec<u64> = (1..LENDERS as u64).map(|lender| 20 + lender % 7).collect();
    for (lender, amount) in rest.split_by_weights(&weights)?.into_iter().enumerate() {
        lend(shop, loan, &format!("lender{lender}"), amount).await?;
    }
    work(shop).await?;
    shop.clock().advance(Duration::from_secs(3600));
    work(shop).await?;
    act(shop, loan, Command::Validate {}, "bea").await?;
    work(shop).await?;
    let value = load(shop, loan).await?;
    println!("      {:>14}  lent by {} pledges: {}", value.facts().raised(), value.facts().pledges(), value.status());
    Ok((loan, anna))
}

async fn lend(shop: &Shop, to: LoanId, name: &str, amount: Money) -> Outcome<PledgeId> {
    let offer = Offer { backer: name.parse()?, amount };
    let mut unit = shop.store().begin().await?;
    let pledge = shop.pledge(&mut unit, to, offer, Method::Card, Actor::Party(name.parse()?)).await?;
    shop.store().commit(unit).await?;
    Ok(pledge.id())
}

async fn pay_what_is_due(shop: &Shop, loan: LoanId, day: &str) -> Outcome<()> {
    until(shop, day).await?;
    let due = load(shop, loan).await?.facts().debt().ok_or("no debt")?.owed(shop.clock().now())?.due;
    pay(shop, loan, due).await?;
    tell(shop, loan, day, &format!("{due} are paid and shared out")).await
}

async fn pay(shop: &Shop, loan: LoanId, amount: Money) -> Outcome<()> {
    act(shop, loan, Command::Repay { amount, by: Method::Card }, "bea").await?;
    work(shop).await
}

async fn act(shop: &Shop, loan: LoanId, command: Command<'_>, by: &str) -> Outcome<()> {
    let by = if by == "ops" { Actor::platform(by.parse()?) } else { Actor::Party(by.parse()?) };
    let mut unit = shop.store().begin().await?;
    shop.act(&mut unit, loan, command, by).await?;
    shop.store().commit(unit).await?;
    Ok(())
}

/// Noon of that day; background workers do what is due meanwhile.
async fn until(shop: &Shop, day: &str) -> Outcome<()> {
    let left = format!("{day}T12:00:00Z").parse::<Timestamp>()?.unix_micros() - shop.clock().now().unix_micros();
    shop.clock().advance(Duration::from_micros(u64::try_from(left)?));
    work(shop).await
}

/// What background workers do all the time: take what is due, ask the gateway, take its answers.
async fn work(shop: &Shop) -> Outcome<()> {
    let worker = "worker-1".parse()?;
    while shop.run_due(&worker, 100).await?.taken + shop.send(&worker, 100).await?.taken > 0 {}
    Ok(())
}

async fn load(shop: &Shop, loan: LoanId) -> Outcome<AnyLoan> {
    let mut unit = shop.store().begin().await?;
    Ok(shop.load(&mut unit, loan).await?)
}

async fn tell(shop: &Shop, id: LoanId, day: &str, what: &str) -> Outcome<()> {
    let loan = load(shop, id).await?;
    let owed = loan.facts().debt().ok_or("no debt")?.owed(shop.clock().now())?;
    println!("      {day}  {what}: {}, {} outstanding, {} due", loan.status(), owed.principal, owed.due);
    Ok(())
}

/// The path of a loan, what anna has of it, and whether all lenders together have what was repaid.
async fn over(shop: &Shop, id: LoanId, anna: PledgeId) -> Outcome<()> {
    let loan = load(shop, id).await?;
    let path: Vec<String> = loan.history().by_time().iter().map(|passage| passage.code.to_string()).collect();
    println!("      {id}\n      {}", path.join(" → "));
    let mut unit = shop.store().begin().await?;
    let (mut cursor, mut shared, mut whole) = (None, Proceeds::zero(loan.held().currency()), 0);
    loop {
        let page = unit.find(&Query::About(id.subject()), cursor.as_ref(), 500).await?;
        for row in page.rows.iter().filter(|row| row.lifecycle == pledge::TABLE.name) {
            let pledge: AnyPledge = shop.load(&mut unit, PledgeId::try_from(row.subject)?).await?;
            let (received, lent) = (pledge.facts().received(), pledge.facts().terms().offer.amount);
            shared = shared.checked_add(&received)?;
            whole += usize::from(received.principal == lent);
            if pledge.id() == anna {
                println!(
                    "      {:>14}  lent by anna: back are {} and {} of interest",
                    lent, received.principal, received.interest
                );
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    println!("      {:>14}  of principal and {} of interest are with the lenders", shared.principal, shared.interest);
    println!("      {whole} of {} have exactly what they lent\n", loan.facts().pledges());
    assert_eq!(shared, loan.facts().repaid(), "what was repaid is with the lenders");
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
    println!("Balances, those of {} lenders aside:", LENDERS - 1);
    let lender = |account: &Account| matches!(account, Account::Wallet(who) if who.as_str().starts_with("lender"));
    for balance in balances.iter().filter(|balance| !balance.amount.is_zero() && !lender(&balance.account)) {
        println!("      {:>14}  {}", balance.amount, balance.account);
    }
    for sum in trial_balance(&balances)? {
        println!("Trial balance: {sum} over {} accounts.", balances.len());
        assert!(sum.is_zero(), "the books are out of balance");
    }
    Ok(())
}

fn fresh_file() -> PathBuf {
    std::env::temp_dir().join(format!("escrowed-crowdlending-{}.db", std::process::id()))
}
