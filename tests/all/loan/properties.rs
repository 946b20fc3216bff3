//! Whatever borrowers, lenders, gateways and networks do, in whatever order and currency: what was repaid is with the
//! lenders, pro rata, to the last minor unit.

use super::*;
use crate::harness::{ops, seed};
use escrowed::{
    gateway::Report,
    money::{Currency, Money, Percent},
    payment::{AnyPayin, AnyRefund, Destination, PayinId, PayoutId, RefundId, Route, payin, payout, refund},
    pledge,
    sandbox::{Chaos, Resolution},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, collections::BTreeSet};

/// What is agreed, and who lends how much.
#[derive(Debug, Clone)]
struct Opening {
    currency: Currency,
    pledges: Vec<i64>,
    plan: Plan,
    late: bool,
    batch: u16,
    to_bank: bool,
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Happening {
    /// So many thousandths of all that is owed, or what is due.
    Repay {
        part: i64,
        due: bool,
        wallet: bool,
    },
    Recover {
        part: i64,
    },
    OnLoan {
        what: usize,
    },
    CancelPayin,
    Send {
        limit: usize,
    },
    Webhooks,
    Repeat {
        which: usize,
    },
    Resolve {
        which: usize,
        decline: bool,
    },
    /// None, some or all of what is due is done: a worker may stop anywhere.
    Wait {
        hours: u64,
        rounds: usize,
    },
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
        prop::collection::vec(1..50_i64, 1..9),
        prop::collection::vec(1..900_000_i64, 1..9),
        prop::collection::vec(2_000..2_003_i64, 6..9),
    ];
    (currency, pledges, plan, any::<bool>(), 1..5_u16, any::<bool>()).prop_map(
        |(currency, pledges, plan, late, batch, to_bank)| Opening { currency, pledges, plan, late, batch, to_bank },
    )
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (0..1_100_i64, any::<bool>(), any::<bool>())
            .prop_map(|(part, due, wallet)| Happening::Repay { part, due, wallet }),
        1 => (1..900_i64).prop_map(|part| Happening::Recover { part }),
        1 => (0..20_usize).prop_map(|what| Happening::OnLoan { what }),
        1 => Just(Happening::CancelPayin),
        6 => (1..6_usize).prop_map(|limit| Happening::Send { limit }),
        3 => Just(Happening::Webhooks),
        1 => (0..64_usize).prop_map(|which| Happening::Repeat { which }),
        2 => (0..64_usize, any::<bool>()).prop_map(|(which, decline)| Happening::Resolve { which, decline }),
        6 => (prop_oneof![3 => 1..48_u64, 2 => 200..1_500_u64], 0..5_usize)
            .prop_map(|(hours, rounds)| Happening::Wait { hours, rounds }),
    ]
}

struct Life<S> {
    shop: Shop<S>,
    id: LoanId,
    heard: Vec<Report>,
}

impl<S: Store> Life<S> {
    /// In `REPAYING`, if the gateway lets it come to that.
    async fn begun(shop: Shop<S>, opening: &Opening) -> Self {
        let money = |minor| Money::from_minor(minor, opening.currency);
        let terms = with(|terms| {
            terms.target = money(opening.pledges.iter().sum());
            terms.plan = opening.plan;
            terms.late_rate = opening.late.then(|| "12.5%".parse().unwrap());
            terms.policy.batch = opening.batch;
            terms.payout = opening.to_bank.then(|| crate::harness::bank("ba_bea"));
        });
        let id = Drive::opened(&shop, terms).await.id;
        for (number, pledge) in opening.pledges.iter().enumerate() {
            let mut unit = shop.begin().await;
            let (name, amount) = (format!("lender{number}"), money(*pledge));
            let offer = Offer { backer: party(&name), amount };
            shop.escrow.pledge(&mut unit, id, offer, Method::Card, user(&name)).await.unwrap();
            shop.commit(unit).await;
        }
        let life = Self { shop, id, heard: Vec::new() };
        for _ in 0..200 {
            life.shop.send().await;
            life.drive().wait(Duration::from_secs(300));
            life.drive().clock().await;
            for report in life.shop.gateway().reports() {
                life.shop.hear(&report).await;
            }
            if life.status().await == Status::Funded {
                life.drive().act(ops(), Command::Validate {}).await;
            }
        }
        life
    }

    fn drive(&self) -> Drive<'_, S> {
        Drive { shop: &self.shop, id: self.id }
    }

    async fn status(&self) -> Status {
        self.drive().status().await
    }

    async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Repay { part, due, wallet } => {
                let Some(owed) = self.owed().await else { return };
                let amount = if due { owed.due } else { of(owed.payoff().unwrap(), part) };
                let by = if wallet { Method::Wallet } else { Method::Card };
                self.act(bea(), Command::Repay { amount, by }).await;
            }
            Happening::Recover { part } => {
                let Some(owed) = self.owed().await else { return };
                let amount = of(owed.payoff().unwrap(), part);
                self.act(ops(), Command::Recover { amount, by: Method::Card }).await;
            }
            Happening::OnLoan { what } => {
                let command = match what {
                    0 => Command::DeclareDefault {},
                    1 => Command::WriteOff {},
                    2 => Command::Settle {},
                    3 => Command::CatchUp {},
                    4 => Command::FallBehind {},
                    _ => Command::Cancel {},
                };
                self.act(if what % 2 == 0 { ops() } else { Actor::Clock }, command).await;
            }
            Happening::CancelPayin => {
                let Some(payin) = self.drive().now().await.facts().till().underway() else { return };
                let mut unit = self.shop.begin().await;
                let done = self.shop.escrow.act_on_payin(&mut unit, payin, payin::Command::Cancel {}, ops()).await;
                self.finish(unit, done).await;
            }
            Happening::Send { limit } => drop(self.shop.escrow.send(&worker(), limit).await.unwrap()),
            Happening::Webhooks => {
                for report in self.shop.gateway().reports_shuffled() {
                    self.shop.hear(&report).await;
                    self.heard.push(report);
                }
            }
            Happening::Repeat { which } => {
                if !self.heard.is_empty() {
                    self.shop.hear(&self.heard[which % self.heard.len()].clone()).await;
                }
            }
            Happening::Resolve { which, decline } => {
                let pending = self.shop.gateway().pending();
                if !pending.is_empty() {
                    let reason = "not today".parse().unwrap();
                    let how = if decline { Resolution::Decline { reason } } else { Resolution::Settle };
                    self.shop.gateway().resolve(&pending[which % pending.len()], how);
                }
            }
            Happening::Wait { hours, rounds } => {
                self.drive().wait(Duration::from_secs(hours * 3600));
                for _ in 0..rounds {
                    let due = self.shop.escrow.run_due(&worker(), rounds).await.unwrap();
                    assert_eq!(due.failed, 0, "{due:?}");
                }
            }
        }
    }

    async fn owed(&self) -> Option<Owed> {
        self.drive().now().await.facts().debt().map(|debt| debt.owed(self.shop.now()).unwrap())
    }

    async fn act(&self, by: Actor, command: Command<'_>) {
        let mut unit = self.shop.begin().await;
        let value: AnyLoan = self.shop.escrow.load(&mut unit, self.id).await.unwrap();
        let may = value.may(command.action(), &self.shop.escrow.stamp(by.clone()));
        let done = self.shop.escrow.act(&mut unit, self.id, command, by).await;
        if let (Err(reason), done) = (&may, &done) {
            assert!(matches!(done, Err(EscrowError::Refused(refused)) if refused == reason), "{reason}: {done:?}");
        }
        if let Some(live) = self.finish(unit, done).await {
            assert_eq!(format!("{live:?}"), format!("{:?}", self.drive().now().await), "its log says otherwise");
        }
    }

    /// Commits what was done; what was refused is rolled back, as a host does.
    async fn finish<T>(&self, unit: S::Unit, done: Result<T, EscrowError<S::Error>>) -> Option<T> {
        match done {
            Ok(value) => {
                self.shop.commit(unit).await;
                Some(value)
            }
            Err(EscrowError::Refused(_) | EscrowError::Overdrawn(_) | EscrowError::Sent(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The storm is over. Workers do what is theirs, offices replace what was denied, and give up half of the loans.
    async fn wind_up(&self, give_up: bool) {
        for _ in 0..4 {
            self.shop.settle_down().await;
            self.drive().clock().await;
            for payout in self.shop.payouts(self.id).await {
                if payout.status() == payout::Status::Denied && payout.held().is_positive() {
                    let (id, to): (PayoutId, _) = (payout.id(), Destination::Wallet);
                    let mut unit = self.shop.begin().await;
                    let replace = payout::Command::Replace { to };
                    self.shop.escrow.act_on_payout(&mut unit, id, replace, ops()).await.unwrap();
                    self.shop.commit(unit).await;
                }
            }
            for refund in self.shop.refunds(self.id).await {
                if refund.status() == refund::Status::Denied && refund.held().is_positive() {
                    let (id, route): (RefundId, _) = (refund.id(), Route::Wallet);
                    let mut unit = self.shop.begin().await;
                    let replace = refund::Command::Replace { route };
                    self.shop.escrow.act_on_refund(&mut unit, id, replace, ops()).await.unwrap();
                    self.shop.commit(unit).await;
                }
            }
        }
        if give_up && matches!(self.status().await, Status::Repaying | Status::Late) {
            self.act(ops(), Command::DeclareDefault {}).await;
            self.act(ops(), Command::WriteOff {}).await;
        } else if let Some(owed) = self.owed().await.filter(|owed| owed.payoff().unwrap().is_positive()) {
            let amount = owed.payoff().unwrap();
            self.act(bea(), Command::Repay { amount, by: Method::Card }).await;
        }
        self.shop.settle_down().await;
        self.drive().clock().await;
        self.shop.audit().await;
    }

    /// What lenders have is what was repaid, and each has its part.
    async fn adds_up(&self, whole_units: bool) {
        let loan = self.drive().now().await;
        let (lent, repaid) = (loan.facts().raised(), loan.facts().repaid());
        for distribution in self.drive().distributions().await {
            assert_eq!(distribution.status(), distribution::Status::Shared, "{distribution:?}");
        }
        let mut sums = pledge::Proceeds::zero(lent.currency());
        for pledge in self.drive().pledges().await {
            let (terms, has) = (pledge.facts().terms(), pledge.facts().received());
            sums = sums.checked_add(&has).unwrap();
            let mut unit = self.shop.begin().await;
            let wallet = format!("wallet:{}", terms.offer.backer).parse().unwrap();
            assert_eq!(unit.balance(&wallet, lent.currency()).await.unwrap(), has.sum().unwrap());
            if pledge.status() != pledge::Status::Gathered {
                assert!(has.sum().unwrap().is_zero());
                continue;
            }
            for (has, all) in [(has.principal, repaid.principal), (has.interest, repaid.interest)] {
                let exact = i128::from(all.minor()) * i128::from(terms.offer.amount.minor());
                let off = i128::from(has.minor()) * i128::from(lent.minor()) - exact;
                assert!(off < i128::from(lent.minor()), "{has} of {all} is too much for {}", terms.offer.amount);
                assert!(!whole_units || -off < i128::from(lent.minor()), "{has} of {all} is too little");
            }
            if loan.status() == Status::Repaid {
                assert_eq!(has.principal, terms.offer.amount, "{pledge:?}");
            }
        }
        assert_eq!(sums, repaid);
        // What was repaid is what payins brought and refunds did not take back.
        let confirmed = |payin: &AnyPayin| payin.history().by_key(payin::Status::Confirmed).is_some();
        let payins: Vec<AnyPayin> = self.shop.payins(self.id).await.into_iter().filter(confirmed).collect();
        let ids: Vec<PayinId> = payins.iter().map(AnyPayin::id).collect();
        let refunds: Vec<AnyRefund> = self.shop.refunds(self.id).await;
        let back =
            refunds.iter().filter(|refund| ids.contains(&refund.facts().payin)).map(|refund| refund.facts().amount);
        let came = Money::sum(payins.iter().map(|payin| payin.facts().amount), lent.currency()).unwrap();
        let back = Money::sum(back, lent.currency()).unwrap();
        assert_eq!(came.checked_sub(back).unwrap(), repaid.sum().unwrap());
        if let (Status::Repaid, Some(debt)) = (loan.status(), loan.facts().debt()) {
            assert!(debt.is_settled());
            assert_eq!(repaid.principal, lent);
        }
    }
}

fn of(amount: Money, thousandths: i64) -> Money {
    Money::from_minor(amount.minor() * thousandths / 1_000, amount.currency())
}

fn live<S: Store>(cases: u32, store: impl Fn() -> S) -> BTreeSet<&'static str> {
    let reached = RefCell::new(BTreeSet::new());
    let seed = seed();
    let config = Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let happenings = prop::collection::vec(happening(), 1..60);
    let lives = (opening(), happenings, any::<u64>(), any::<[bool; 2]>());
    let run = TestRunner::new(config).run(&lives, |(opening, happenings, gateway, [rough, give_up])| {
        futures_lite::future::block_on(async {
            let shop = Shop::new(store(), gateway);
            if rough {
                shop.gateway().chaos(Chaos::ROUGH);
            }
            let mut life = Life::begun(shop, &opening).await;
            for (number, happening) in happenings.into_iter().enumerate() {
                life.happen(happening).await;
                if number % 16 == 0 {
                    life.shop.audit().await;
                }
            }
            life.wind_up(give_up).await;
            // Whether each repayment brought everybody at least one minor unit of its kind, where it brought any.
            let loan = life.drive().now().await;
            let least =
                life.drive().pledges().await.iter().map(|pledge| pledge.facts().terms().offer.amount.minor()).min();
            let (lent, least) = (i128::from(loan.facts().raised().minor()), i128::from(least.unwrap_or(1)));
            let enough = |amount: Money| amount.is_zero() || i128::from(amount.minor()) * least >= lent;
            let distributions = life.drive().distributions().await;
            let whole_units = distributions.iter().all(|one| {
                let now = one.facts().terms().now();
                enough(now.principal) && enough(now.interest)
            });
            life.adds_up(whole_units).await;
            reached.borrow_mut().extend(loan.history().by_time().iter().map(|passage| passage.code.name()));
        });
        Ok(())
    });
    run.unwrap_or_else(|failed| panic!("seed {seed}: {failed}"));
    reached.into_inner()
}

#[test]
fn what_is_repaid_is_with_the_lenders_in_memory() {
    let reached = live(150, escrowed::memory::Memory::new);
    // What was never reached was not tested.
    for status in
        [Status::Repaying, Status::Late, Status::Defaulted, Status::Repaid, Status::WrittenOff, Status::Returned]
    {
        assert!(reached.contains(status.name()), "{status} was never reached");
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn what_is_repaid_is_with_the_lenders_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let _ = live(10, || {
        number.set(number.get() + 1);
        escrowed::sqlite::Sqlite::open(folder.path().join(format!("{}.db", number.get()))).unwrap()
    });
}
