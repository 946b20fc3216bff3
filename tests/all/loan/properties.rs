//! Whatever borrowers, lenders, gateways and networks do, in whatever order and currency: what was repaid is with the
//! lenders, pro rata, to the last minor unit.

use super::*;
use crate::{
    harness::{bank, ops},
    storm::{Reached, Story, Weather, live, on_fresh_stores, statuses, weather},
};
use escrowed::{
    gateway::Report,
    memory::Memory,
    money::{Currency, Money, Percent},
    payment::{AnyPayin, PayinId, payin},
    pledge,
};
use proptest::prelude::*;

/// What is agreed, and who lends how much.
#[derive(Debug, Clone)]
struct Opening {
    currency: Currency,
    pledges: Vec<i64>,
    plan: Plan,
    late: bool,
    batch: u16,
    to_bank: bool,
    /// So much more is wanted than is pledged.
    short: i64,
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Happening {
    Open(Opening),
    /// Payments and gatherings are seen to, and the borrower takes what was raised.
    Fund {
        which: usize,
    },
    /// So many thousandths of all that is owed, or what is due.
    Repay {
        which: usize,
        part: i64,
        due: bool,
        wallet: bool,
    },
    Recover {
        which: usize,
        part: i64,
    },
    OnLoan {
        which: usize,
        what: usize,
        by: usize,
    },
    Weather(Weather),
}

fn opening() -> impl Strategy<Value = Opening> {
    let currency = prop::sample::select(vec![Currency::EUR, Currency::JPY, Currency::KWD]);
    let form = prop::sample::select(vec![Form::Annuity, Form::InterestOnly, Form::Bullet]);
    let plan = (0..400_000_u32, form, 1..8_u16, 1..4_u8, prop::sample::select(&DayCount::ALL)).prop_map(
        |(ppm, form, instalments, months, day_count)| Plan {
            rate: Percent::from_ppm(ppm).unwrap(),
            form,
            instalments,
            months,
            day_count,
        },
    );
    let pledges = prop_oneof![
        prop::collection::vec(1..50_i64, 1..7),
        prop::collection::vec(1..900_000_i64, 1..7),
        prop::collection::vec(2_000..2_003_i64, 4..7),
    ];
    let short = prop_oneof![3 => Just(0), 1 => 1..50_i64];
    (currency, pledges, plan, any::<[bool; 2]>(), 1..5_u16, short).prop_map(
        |(currency, pledges, plan, [late, to_bank], batch, short)| Opening {
            currency,
            pledges,
            plan,
            late,
            batch,
            to_bank,
            short,
        },
    )
}

/// What became of the world so far.
struct Life<S> {
    shop: Shop<S>,
    loans: Vec<LoanId>,
    heard: Vec<Report>,
}

impl<S: Store> Story<S> for Life<S> {
    type Happening = Happening;

    fn happening() -> impl Strategy<Value = Happening> {
        let which = 0..16_usize;
        let waits = (prop_oneof![3 => 1..48_u64, 2 => 200..1_500_u64], 0..15_usize);
        prop_oneof![
            2 => opening().prop_map(Happening::Open),
            3 => which.clone().prop_map(|which| Happening::Fund { which }),
            6 => (which.clone(), 0..1_100_i64, any::<[bool; 2]>())
                .prop_map(|(which, part, [due, wallet])| Happening::Repay { which, part, due, wallet }),
            1 => (which.clone(), 1..900_i64).prop_map(|(which, part)| Happening::Recover { which, part }),
            4 => (which, 0..12_usize, 0..4_usize).prop_map(|(which, what, by)| Happening::OnLoan { which, what, by }),
            // None, some or all of what is due is done: a worker may stop anywhere.
            12 => weather(waits.prop_map(|(hours, limit)| (Duration::from_secs(hours * 3600), limit)))
                .prop_map(Happening::Weather),
        ]
    }

    fn reachable() -> Reached {
        statuses::<AnyLoan>().into_iter().chain(statuses::<AnyDistribution>()).collect()
    }

    fn begin(shop: Shop<S>) -> Self {
        Self { shop, loans: Vec::new(), heard: Vec::new() }
    }

    fn shop(&self) -> &Shop<S> {
        &self.shop
    }

    fn into_shop(self) -> Shop<S> {
        self.shop
    }

    async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Open(opening) => self.open(opening).await,
            Happening::Fund { which } => {
                let Some(drive) = self.any(which) else { return };
                self.shop.send().await;
                drive.wait(Duration::from_secs(600));
                drive.steps(5).await;
                self.act(&drive, bea(), Command::Validate {}).await;
            }
            Happening::Repay { which, part, due, wallet } => {
                let Some(drive) = self.any(which) else { return };
                let Some(owed) = owed(&drive).await else { return };
                let amount = if due { owed.due } else { of(owed.payoff().unwrap(), part) };
                let by = if wallet { Method::Wallet } else { Method::Card };
                self.act(&drive, bea(), Command::Repay { amount, by }).await;
            }
            Happening::Recover { which, part } => {
                let Some(drive) = self.any(which) else { return };
                let Some(owed) = owed(&drive).await else { return };
                let amount = of(owed.payoff().unwrap(), part);
                self.act(&drive, ops(), Command::Recover { amount, by: Method::Card }).await;
            }
            Happening::OnLoan { which, what, by } => {
                let Some(drive) = self.any(which) else { return };
                let command = match what {
                    0 => Command::Settle {},
                    1 => Command::CatchUp {},
                    2 => Command::FallBehind {},
                    3 => Command::Close {},
                    4 => Command::Decide {},
                    5 => Command::Finish {},
                    6 => Command::Cancel {},
                    7 => Command::SetPayout { to: bank("ba_2") },
                    _ if drive.status().await == Status::Defaulted => Command::WriteOff {},
                    _ => Command::DeclareDefault {},
                };
                self.act(&drive, [ops(), ops(), bea(), Actor::Clock][by].clone(), command).await;
            }
            Happening::Weather(weather) => self.shop.befall(weather, &mut self.heard).await,
        }
    }

    async fn reached(&self) -> Reached {
        let mut reached = Reached::new();
        for id in &self.loans {
            let drive = Drive { shop: &self.shop, id: *id };
            let history = drive.now().await;
            reached.extend(history.history().by_time().iter().map(|passage| ("loan", passage.code.name())));
            for one in drive.distributions().await {
                reached.extend(one.history().by_time().iter().map(|passage| ("distribution", passage.code.name())));
            }
        }
        reached
    }

    /// The storm is over. Workers do what is theirs, offices replace what was denied and give up every other loan; of the
    /// rest, the borrower pays all that is owed.
    async fn wind_up(&mut self) {
        for round in 0..8 {
            self.shop.settle_down().await;
            while self.shop.escrow.run_due(&worker(), 100).await.unwrap().taken > 0 {}
            self.shop.replace_denied().await;
            for (number, id) in self.loans.iter().enumerate().filter(|_| round > 1) {
                let drive = Drive { shop: &self.shop, id: *id };
                match drive.status().await {
                    Status::Repaying | Status::Late if number % 2 == 0 => {
                        self.act(&drive, ops(), Command::DeclareDefault {}).await;
                    }
                    Status::Defaulted => self.act(&drive, ops(), Command::WriteOff {}).await,
                    Status::Repaying | Status::Late => {
                        let amount = drive.owed().await.payoff().unwrap();
                        self.act(&drive, bea(), Command::Repay { amount, by: Method::Card }).await;
                    }
                    Status::Open
                    | Status::Counting
                    | Status::Funded
                    | Status::Disbursing
                    | Status::Repaid
                    | Status::WrittenOff
                    | Status::Missed
                    | Status::Cancelled
                    | Status::Returned => {}
                }
            }
            // Before a payin takes too long.
            self.shop.settle_down().await;
            self.shop.escrow.clock().advance(20 * DAY);
        }
        self.shop.settle_down().await;
        while self.shop.escrow.run_due(&worker(), 100).await.unwrap().taken > 0 {}
        self.shop.audit().await;
        self.shop.payments_are_empty().await;
        for id in &self.loans {
            let drive = Drive { shop: &self.shop, id: *id };
            let loan = drive.now().await;
            let over = matches!(loan.status(), Status::Repaid | Status::WrittenOff | Status::Returned);
            assert!(over && loan.held().is_zero(), "a loan is stuck: {loan:?}");
            adds_up(&drive).await;
        }
    }
}

impl<S: Store> Life<S> {
    // Mostly the latest: it has further to go.
    fn any(&self, which: usize) -> Option<Drive<'_, S>> {
        let id = *self.loans.iter().rev().nth((which % self.loans.len().max(1)).min(which % 3))?;
        Some(Drive { shop: &self.shop, id })
    }

    async fn open(&mut self, opening: Opening) {
        let money = |minor| Money::from_minor(minor, opening.currency);
        let terms = with(|terms| {
            terms.target = money(opening.pledges.iter().sum::<i64>() + opening.short);
            terms.deadline = self.shop.now().plus(DAY);
            terms.plan = opening.plan;
            terms.late_rate = opening.late.then(|| "12.5%".parse().unwrap());
            terms.policy.batch = opening.batch;
            terms.payout = opening.to_bank.then(|| bank("ba_bea"));
        });
        let id = Drive::opened(&self.shop, terms).await.id;
        for (number, pledge) in opening.pledges.iter().enumerate() {
            let mut unit = self.shop.begin().await;
            // In wallets of their own, so that they tell what each loan has brought.
            let name = format!("lender{}-{number}", self.loans.len());
            let offer = Offer { backer: party(&name), amount: money(*pledge) };
            self.shop.escrow.pledge(&mut unit, id, offer, Method::Card, user(&name)).await.unwrap();
            self.shop.commit(unit).await;
        }
        self.loans.push(id);
    }

    async fn act(&self, drive: &Drive<'_, S>, by: Actor, command: Command<'_>) {
        let mut unit = self.shop.begin().await;
        let value: AnyLoan = self.shop.escrow.load(&mut unit, drive.id).await.unwrap();
        let may = value.may(command.action(), &self.shop.escrow.stamp(by.clone()));
        let done = self.shop.escrow.act(&mut unit, drive.id, command, by).await;
        if let (Err(reason), done) = (&may, &done) {
            assert!(matches!(done, Err(EscrowError::Refused(refused)) if refused == reason), "{reason}: {done:?}");
        }
        if let Some(live) = self.shop.finish(unit, done).await {
            assert_eq!(format!("{live:?}"), format!("{:?}", drive.now().await), "its log says otherwise");
        }
    }
}

async fn owed<S: Store>(drive: &Drive<'_, S>) -> Option<Owed> {
    drive.now().await.facts().debt().map(|debt| debt.owed(drive.shop.now()).unwrap())
}

fn of(amount: Money, thousandths: i64) -> Money {
    Money::from_minor(amount.minor() * thousandths / 1_000, amount.currency())
}

/// What lenders have is what was repaid, and each has its part.
async fn adds_up<S: Store>(drive: &Drive<'_, S>) {
    let (loan, shop) = (drive.now().await, drive.shop);
    let (lent, repaid) = (loan.facts().raised(), loan.facts().repaid());
    let mut pledges = drive.pledges().await;
    pledges.retain(|pledge| pledge.status() == pledge::Status::Gathered);
    let least = pledges.iter().map(|pledge| i128::from(pledge.facts().terms().offer.amount.minor())).min();
    let units = i128::from(lent.minor());
    // Whether each repayment brought everybody at least one minor unit of its kind, where it brought any.
    let mut whole_units = true;
    for distribution in drive.distributions().await {
        assert_eq!(distribution.status(), distribution::Status::Shared, "{distribution:?}");
        let now = distribution.facts().terms().now();
        for amount in [now.principal, now.interest] {
            whole_units &= amount.is_zero() || least.is_some_and(|least| i128::from(amount.minor()) * least >= units);
        }
    }
    let mut sums = pledge::Proceeds::zero(lent.currency());
    for pledge in &pledges {
        let (terms, has) = (pledge.facts().terms(), pledge.facts().received());
        sums = sums.checked_add(&has).unwrap();
        let wallet = format!("wallet:{}", terms.offer.backer).parse().unwrap();
        let mut unit = shop.begin().await;
        assert_eq!(unit.balance(&wallet, lent.currency()).await.unwrap(), has.sum().unwrap());
        for (has, all) in [(has.principal, repaid.principal), (has.interest, repaid.interest)] {
            let exact = i128::from(all.minor()) * i128::from(terms.offer.amount.minor());
            let off = i128::from(has.minor()) * units - exact;
            assert!(off < units, "{has} of {all} is too much for {}", terms.offer.amount);
            assert!(!whole_units || -off < units, "{has} of {all} is too little for {}", terms.offer.amount);
        }
        if loan.status() == Status::Repaid {
            assert_eq!(has.principal, terms.offer.amount, "{pledge:?}");
        }
    }
    assert_eq!(sums, repaid);
    // What was repaid is what payins brought and refunds did not take back.
    let mut payins: Vec<AnyPayin> = shop.payins(drive.id).await;
    payins.retain(|payin| payin.history().by_key(payin::Status::Confirmed).is_some());
    let ids: Vec<PayinId> = payins.iter().map(AnyPayin::id).collect();
    let mut refunds = shop.refunds(drive.id).await;
    refunds.retain(|refund| {
        ids.contains(&refund.facts().payin) && refund.status() == escrowed::payment::refund::Status::Confirmed
    });
    let came = Money::sum(payins.iter().map(|payin| payin.facts().amount), lent.currency()).unwrap();
    let back = Money::sum(refunds.iter().map(|refund| refund.facts().amount), lent.currency()).unwrap();
    assert_eq!(came.checked_sub(back).unwrap(), repaid.sum().unwrap());
    if loan.status() == Status::Repaid {
        assert!(loan.facts().debt().is_some_and(escrowed::loan::Debt::is_settled));
        assert_eq!(repaid.principal, lent);
    }
}

on_fresh_stores! {
    what_is_repaid_is_with_the_lenders: live::<_, Life<_>>,
    memory: 200 in Memory::new, sqlite: 8, postgres: 4
}
