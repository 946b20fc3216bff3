//! Whatever comes back, is charged back, paid off or written off, twice, late and half done: no money is made or lost, no wallet
//! goes below zero, and what is missing is owed.

use super::{charged, try_tell};
use crate::harness::{Shop, bank, euro, key, ops, party, random, terms, user, worker};
use escrowed::{
    escrow::{Caller, EscrowError},
    gateway::{Dispute, DisputeStage, Verb},
    memory::Memory,
    money::{Currency, Money, Share},
    order::{Action, AnyOrder, Command, OrderId, Payee, PayoutPlan, Status, Was},
    payment::{
        AnyChargeback, AnyDebt, AnyPayout, AnyRefund, ChargebackId, DebtId, Destination, RefundId, Route, Stands,
        chargeback::{self, Part},
        debt, payout, refund,
    },
    sandbox::Behaviour,
    store::{Query, Store},
};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Clone)]
enum Happening {
    Pay { release: bool, share: i64, to_bank: bool, decline: bool },
    GoOn { which: usize, action: usize },
    SendBack { which: usize },
    SendAgain { which: usize, to_wallet: bool },
    SendRefundBack { which: usize },
    OnRefund { which: usize, what: usize },
    TakeBack { which: usize, denied: bool },
    ChargeBack { which: usize, minor: i64, fee: i64 },
    Decide { which: usize, won: bool },
    Accept { which: usize },
    Tell { which: usize, die: bool },
    Earn { who: usize, minor: i64 },
    Debt { which: usize, what: usize },
    Recover { which: usize, die: bool },
    Refund { which: usize, minor: i64, key: usize, die: bool },
    Wait,
    Send,
}

const NAMES: [&str; 4] = ["sam", "tom", "shop", "anna"];

fn happening() -> impl Strategy<Value = Happening> {
    let (which, flag) = (0..64_usize, any::<bool>());
    prop_oneof![
        4 => (flag, 0..=9_000_i64, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(release, share, to_bank, decline)| Happening::Pay { release, share, to_bank, decline }),
        3 => (which.clone(), 0..7_usize).prop_map(|(which, action)| Happening::GoOn { which, action }),
        2 => which.clone().prop_map(|which| Happening::SendBack { which }),
        2 => (which.clone(), flag).prop_map(|(which, to_wallet)| Happening::SendAgain { which, to_wallet }),
        3 => which.clone().prop_map(|which| Happening::SendRefundBack { which }),
        7 => (which.clone(), 0..6_usize).prop_map(|(which, what)| Happening::OnRefund { which, what }),
        3 => (which.clone(), prop::bool::weighted(0.8)).prop_map(|(which, denied)| Happening::TakeBack { which, denied }),
        5 => (which.clone(), 1..11_000_i64, prop::sample::select(vec![0, 0, 1_500]))
            .prop_map(|(which, minor, fee)| Happening::ChargeBack { which, minor, fee }),
        4 => (which.clone(), flag).prop_map(|(which, won)| Happening::Decide { which, won }),
        1 => which.clone().prop_map(|which| Happening::Accept { which }),
        8 => (which.clone(), prop::bool::weighted(0.2)).prop_map(|(which, die)| Happening::Tell { which, die }),
        3 => (0..NAMES.len(), 1..9_000_i64).prop_map(|(who, minor)| Happening::Earn { who, minor }),
        4 => (which.clone(), 0..4_usize).prop_map(|(which, what)| Happening::Debt { which, what }),
        3 => (which.clone(), prop::bool::weighted(0.2)).prop_map(|(which, die)| Happening::Recover { which, die }),
        5 => (which, 1..7_000_i64, 0..12_usize, prop::bool::weighted(0.2))
            .prop_map(|(which, minor, key, die)| Happening::Refund { which, minor, key, die }),
        3 => Just(Happening::Wait),
        4 => Just(Happening::Send),
    ]
}

struct Life<S> {
    shop: Shop<S>,
    orders: Vec<OrderId>,
    // All that the gateway ever said of disputes: told in any order, any number of times.
    notices: Vec<Dispute>,
    disputes: Vec<Dispute>,
}

fn pick<T>(all: &[T], which: usize) -> Option<&T> {
    if all.is_empty() { None } else { all.get(which % all.len()) }
}

// What cannot be done now is refused, and changes nothing.
fn refused<E: std::fmt::Debug>(error: &EscrowError<E>) {
    let tolerable = matches!(
        error,
        EscrowError::Refused(_)
            | EscrowError::Overdrawn(_)
            | EscrowError::Disputed { .. }
            | EscrowError::Sent(_)
            | EscrowError::Overtaken(_)
    );
    assert!(tolerable, "{error:?}");
}

impl<S: Store> Life<S> {
    fn new(shop: Shop<S>) -> Self {
        Self { shop, orders: Vec::new(), notices: Vec::new(), disputes: Vec::new() }
    }

    async fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Pay { release, share, to_bank, decline } => self.pay(release, share, to_bank, decline).await,
            Happening::GoOn { which, action } => self.go_on(which, action).await,
            Happening::SendBack { which } => {
                if let Some(payout) = pick(&self.payouts().await, which) {
                    self.shop.gateway().send_back(&key(payout.id().subject(), Verb::Payout), "closed".parse().unwrap());
                }
            }
            Happening::SendAgain { which, to_wallet } => {
                let to = if to_wallet { Destination::Wallet } else { bank("ba_new") };
                self.act_on_payout(which, payout::Command::Replace { to }).await;
            }
            Happening::TakeBack { which, denied } => {
                let command = if denied { payout::Command::GiveBack {} } else { payout::Command::Cancel {} };
                self.act_on_payout(which, command).await;
            }
            Happening::SendRefundBack { which } => {
                if let Some(refund) = pick(&self.refunds().await, which) {
                    self.shop.gateway().send_back(&key(refund.id().subject(), Verb::Refund), "closed".parse().unwrap());
                }
            }
            Happening::OnRefund { which, what } => {
                let command = match what {
                    0 => refund::Command::Approve {},
                    1 => refund::Command::Cancel {},
                    2 | 3 => refund::Command::Replace { route: Route::Wallet },
                    _ => refund::Command::Replace { route: Route::Account("ba_new".parse().unwrap()) },
                };
                if let Some(refund) = pick(&self.refunds().await, which) {
                    let mut unit = self.shop.begin().await;
                    match self.shop.escrow.act_on_refund(&mut unit, refund.id(), command, ops()).await {
                        Ok(_) => self.shop.commit(unit).await,
                        Err(error) => refused(&error),
                    }
                }
            }
            Happening::ChargeBack { which, minor, fee } => self.charge_back(which, minor, fee).await,
            Happening::Decide { which, won } => {
                let decided = pick(&self.disputes, which).and_then(|d| self.shop.gateway().decide(&d.reference, won));
                self.notices.extend(decided);
            }
            Happening::Accept { which } => {
                if let Some(id) = pick(&self.found::<ChargebackId>().await, which) {
                    let reference = self.shop.load(*id).await.facts().reference.clone();
                    let mut unit = self.shop.begin().await;
                    match self.shop.escrow.accept_chargeback(&mut unit, *id, ops()).await {
                        Ok(_) => {
                            self.shop.commit(unit).await;
                            // The host gives up at the gateway, too.
                            self.notices.extend(self.shop.gateway().decide(&reference, false));
                        }
                        Err(error) => refused(&error),
                    }
                }
            }
            Happening::Tell { which, die } => {
                let Some(notice) = pick(&self.notices, which) else { return };
                if die {
                    // Done, and never committed.
                    let mut unit = self.shop.begin().await;
                    self.shop.escrow.dispute(&mut unit, notice).await.ok();
                } else if let Err(error) = try_tell(&self.shop, notice).await {
                    refused(&error);
                }
            }
            Happening::Earn { who, minor } => {
                self.shop.fill_wallet(NAMES[who], Money::from_minor(minor, Currency::EUR)).await;
            }
            Happening::Debt { which, what } => {
                let command = match what {
                    0 => debt::Command::WriteOff {},
                    1 => debt::Command::Cover {},
                    2 => debt::Command::PayOff { from: debt::Source::Wallet },
                    _ => debt::Command::Recover { amount: euro("1.00"), from: debt::Source::Wallet },
                };
                if let Some(id) = pick(&self.found::<DebtId>().await, which) {
                    let mut unit = self.shop.begin().await;
                    match self.shop.escrow.act_on_debt(&mut unit, *id, command, ops()).await {
                        Ok(_) => self.shop.commit(unit).await,
                        Err(error) => refused(&error),
                    }
                }
            }
            Happening::Recover { which, die } => {
                if let Some(id) = pick(&self.found::<DebtId>().await, which) {
                    let mut unit = self.shop.begin().await;
                    self.shop.escrow.recover(&mut unit, *id, ops()).await.unwrap();
                    if !die {
                        self.shop.commit(unit).await;
                    }
                }
            }
            Happening::Refund { which, minor, key, die } => self.refund(which, minor, key, die).await,
            Happening::Wait => {
                self.shop.escrow.clock().advance(Duration::from_secs(50_000));
                self.shop.escrow.run_due(&worker(), 100).await.unwrap();
            }
            Happening::Send => {
                self.shop.send().await;
                for report in self.shop.gateway().reports_shuffled() {
                    self.shop.hear(&report).await;
                }
            }
        }
    }

    async fn act_on_payout(&self, which: usize, command: payout::Command) {
        if let Some(payout) = pick(&self.payouts().await, which) {
            let mut unit = self.shop.begin().await;
            match self.shop.escrow.act_on_payout(&mut unit, payout.id(), command, ops()).await {
                Ok(_) => self.shop.commit(unit).await,
                Err(error) => refused(&error),
            }
        }
    }

    // A fresh order of €100, paid; and validated, for sam and tom.
    async fn pay(&mut self, release: bool, share: i64, to_bank: bool, decline: bool) {
        let shop = &self.shop;
        let to = |name: &str| if to_bank { bank(&format!("ba_{name}")) } else { Destination::Wallet };
        let fixed = Share::Fixed(Money::from_minor(share, Currency::EUR));
        let plan = PayoutPlan::among([
            Payee { party: party("sam"), share: fixed, to: to("sam") },
            Payee { party: party("tom"), share: Share::Rest, to: to("tom") },
        ]);
        let id = shop.planned_by_platform(terms(), plan).await;
        if release {
            if decline {
                shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "no".parse().unwrap() }]);
            }
            shop.act(id, Command::Validate {}, ops()).await;
        }
        self.orders.push(id);
    }

    async fn go_on(&self, which: usize, action: usize) {
        let Some(id) = pick(&self.orders, which) else { return };
        let command = [
            Command::Validate {},
            Command::Unblock {},
            Command::Cancel {},
            Command::Close {},
            Command::Block { why: escrowed::order::Blocking::Operator("let me see".parse().unwrap()) },
            Command::RefundPart { amount: euro("20.00") },
            Command::RefundPart { amount: euro("33.33") },
        ];
        let command = command.into_iter().nth(action).unwrap();
        if let Err(error) = self.shop.try_act(*id, command, ops()).await {
            refused(&error);
        }
    }

    async fn charge_back(&mut self, which: usize, minor: i64, fee: i64) {
        let Some(id) = pick(&self.orders, which) else { return };
        let payin = self.shop.payin(*id).await;
        let reference = format!("dp_{}", self.disputes.len());
        let dispute = Dispute {
            payin: payin.id().subject(),
            reference: reference.parse().unwrap(),
            amount: Money::from_minor(minor, Currency::EUR),
            fee: Money::from_minor(fee, Currency::EUR),
            reason: "fraudulent".parse().unwrap(),
            stage: DisputeStage::Open,
        };
        let taken = self.shop.gateway().charge_back(dispute);
        self.notices.extend(taken.clone());
        self.disputes.extend(taken);
    }

    // Half of them under a key, which some others have, too.
    async fn refund(&self, which: usize, minor: i64, key: usize, die: bool) {
        let Some(id) = pick(&self.orders, which) else { return };
        let caller = if key < 6 { ops().under(format!("refund-{key}").parse().unwrap()) } else { Caller::from(ops()) };
        if key.is_multiple_of(2) {
            // The platform has something to stand for it with.
            self.shop.fill_wallet("shop", euro("50.00")).await;
        }
        let mut unit = self.shop.begin().await;
        match self.shop.escrow.refund_released(&mut unit, *id, Money::from_minor(minor, Currency::EUR), caller).await {
            Ok(_) if die => {}
            Ok(_) => self.shop.commit(unit).await,
            Err(EscrowError::OtherRequest { .. }) => {}
            Err(error) => refused(&error),
        }
    }

    async fn payouts(&self) -> Vec<AnyPayout> {
        let mut found = Vec::new();
        for id in &self.orders {
            found.extend(self.shop.payouts(*id).await);
        }
        found
    }

    async fn refunds(&self) -> Vec<AnyRefund> {
        let mut found = Vec::new();
        for id in &self.orders {
            found.extend(self.shop.refunds(*id).await);
        }
        found
    }

    async fn found<T: TryFrom<escrowed::id::Subject>>(&self) -> Vec<T> {
        let mut found = Vec::new();
        for id in &self.orders {
            let subjects = self.shop.find(&Query::About(id.subject())).await;
            found.extend(subjects.into_iter().filter_map(|subject| T::try_from(subject).ok()));
        }
        found
    }

    // What each chargeback took is borne, and what each debt says remains is what its debtor's account is below zero by.
    async fn check(&self) {
        let mut owed = BTreeMap::from(NAMES.map(|name| (party(name), 0)));
        for id in self.found::<DebtId>().await {
            let debt: AnyDebt = self.shop.load(id).await;
            let (facts, is_owed) = (debt.facts(), debt.is_owed());
            let covered = if debt.status() == debt::Status::Covered { facts.remains() } else { euro("0.00") };
            assert_eq!(debt.held(), covered);
            if let AnyDebt::WrittenOff(debt) = &debt {
                assert_eq!(debt.state().lost(), facts.remains(), "what is lost is what nobody paid");
            }
            assert!(facts.recouped().minor() <= facts.recovered().minor());
            if is_owed {
                *owed.get_mut(&facts.terms().debtor).unwrap() -= facts.remains().minor();
            }
        }
        for (party, minor) in owed {
            let balance = self.shop.balance(&format!("debt:{party}")).await;
            assert_eq!(balance.minor(), minor, "{party} owes otherwise than its debts say");
            assert!(!self.shop.balance(&format!("wallet:{party}")).await.is_negative());
        }
        for id in self.found::<ChargebackId>().await {
            let chargeback: AnyChargeback = self.shop.load(id).await;
            let terms = chargeback.facts();
            let shares = terms.shares.iter().filter(|share| share.of == Part::Amount);
            let borne: i64 = shares.map(|share| share.total().unwrap().minor()).sum();
            assert_eq!(terms.held.minor() + borne, terms.amount.minor());
        }
        for id in &self.orders {
            let (mut back, mut arrived, refunds) = (0, 0, self.shop.refunds(*id).await);
            let went: Vec<_> = refunds.iter().filter_map(went).collect();
            for refund in &refunds {
                let terms = refund.facts();
                let borne: i64 = terms.shares.iter().map(|share| share.total().unwrap().minor()).sum();
                assert!(terms.shares.is_empty() || borne == terms.amount.minor());
                // What one passes on to another is the same money.
                if !went.contains(&refund.id()) && refund.status() != refund::Status::Cancelled {
                    back += terms.amount.minor();
                }
                if refund.status() == refund::Status::Confirmed {
                    arrived += terms.amount.minor();
                }
            }
            assert!(arrived <= back, "more has arrived than was to go back");
            let mut borne_for = BTreeMap::new();
            for chargeback in self.shop.find(&Query::About(id.subject())).await {
                let Ok(chargeback) = ChargebackId::try_from(chargeback) else { continue };
                let chargeback = self.shop.load(chargeback).await;
                if chargeback.status() != chargeback::Status::Won {
                    let terms = chargeback.facts();
                    for (refund, part) in &terms.refunds {
                        *borne_for.entry(holder(&refunds, *refund).id()).or_insert(0) += part.minor();
                    }
                    let of_payer = terms.shares.iter().filter(|share| share.party == terms.payer);
                    back += terms.amount.minor() - of_payer.map(|share| share.total().unwrap().minor()).sum::<i64>();
                }
            }
            assert!(back <= 10_000, "the buyer has more than was paid, and does not owe it");
            for refund in &refunds {
                let minor = borne_for.get(&refund.id()).copied().unwrap_or(0);
                assert!(minor <= refund.facts().amount.minor(), "two chargebacks are borne for one refund");
                let called_off = refund.status() == refund::Status::Cancelled;
                assert!(minor == 0 || !called_off, "what is to pay for a chargeback was taken back");
            }
            let order = self.shop.order(*id).await;
            let disputed = order.facts().aftermath().disputes().next().is_some();
            let at = self.shop.escrow.stamp(ops());
            if disputed && order.status() == Status::BlockedRelease && order.held().is_positive() {
                assert!(order.may(Action::Cancel, &at).is_err(), "it gives back what may not stay");
            }
        }
    }

    // Everything is told, decided and paid out at last.
    async fn come_to_rest(&mut self) {
        for dispute in self.disputes.clone() {
            self.notices.extend(self.shop.gateway().decide(&dispute.reference, false));
        }
        let mut left = self.notices.clone();
        // Each of them is true, so none is refused. Of what was heard out of turn before, some come again.
        for _ in 0..2 {
            let mut again = Vec::new();
            for notice in left {
                match try_tell(&self.shop, &notice).await {
                    Ok(_) => {}
                    Err(EscrowError::Overtaken(_)) => again.push(notice),
                    Err(error) => panic!("{notice:?}: {error}"),
                }
            }
            left = again;
        }
        assert!(left.is_empty(), "{left:?} never got through");
    }

    // Whatever is blocked, the platform can do something about.
    async fn has_a_way_out(&self) {
        for id in &self.orders {
            let order = self.shop.order(*id).await;
            let at = self.shop.escrow.stamp(ops());
            let way =
                [Action::Unblock, Action::Cancel, Action::Close].into_iter().any(|way| order.may(way, &at).is_ok());
            if let AnyOrder::BlockedRelease(blocked) = order {
                let denied = match blocked.state().was() {
                    Was::PendingRelease(release) => release.payouts().standing(Stands::Denied).next().is_some(),
                    Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => false,
                };
                assert!(way || denied, "nobody can do anything: {blocked:?}");
            }
        }
    }
}

// The refund that its money went on to.
fn went(refund: &AnyRefund) -> Option<RefundId> {
    refund.went().map(|(by, _)| *by)
}

// The refund that its money is in now.
fn holder(refunds: &[AnyRefund], id: RefundId) -> &AnyRefund {
    let refund = refunds.iter().find(|refund| refund.id() == id).expect("a refund of the order");
    went(refund).map_or(refund, |by| holder(refunds, by))
}

async fn live<S: Store>(shop: Shop<S>, happenings: &[Happening]) -> Life<S> {
    let mut life = Life::new(shop);
    for happening in happenings {
        life.happen(happening).await;
        life.check().await;
    }
    life.come_to_rest().await;
    life.check().await;
    life.shop.settle_down().await;
    life.has_a_way_out().await;
    life
}

// Of what was told, nothing was forgotten: the gateway holds what the books say.
async fn audit(life: &Life<impl Store>) {
    let shop = &life.shop;
    shop.settle_down().await;
    shop.audit().await;
    assert_eq!(life.found::<ChargebackId>().await.len(), life.disputes.len(), "each dispute is one chargeback");
    for id in life.found::<ChargebackId>().await {
        assert_ne!(shop.load(id).await.status(), chargeback::Status::Open);
    }
}

#[test]
fn no_money_is_made_or_lost_in_memory() {
    let mut runner = TestRunner::new(random(60));
    let walk = prop::collection::vec(happening(), 1..60);
    let ran = runner.run(&walk, |happenings| {
        crate::harness::block_on(async {
            let life = live(Shop::<Memory>::memory(), &happenings).await;
            audit(&life).await;
        });
        Ok(())
    });
    ran.unwrap();
}

#[cfg(feature = "sqlite")]
#[test]
fn no_money_is_made_or_lost_in_sqlite() {
    for happenings in crate::harness::sampled(prop::collection::vec(happening(), 30..50), 4, crate::harness::seed()) {
        let folder = tempfile::tempdir().unwrap();
        let store = escrowed::sqlite::Sqlite::open(folder.path().join("shop.db")).unwrap();
        crate::harness::block_on(async {
            let life = live(Shop::new(store, 1), &happenings).await;
            audit(&life).await;
        });
    }
}

#[cfg(feature = "postgres")]
#[test]
fn no_money_is_made_or_lost_in_postgres() {
    let mut runner = TestRunner::new(random(3));
    for _ in 0..3 {
        use proptest::strategy::ValueTree as _;
        let happenings = prop::collection::vec(happening(), 30..50).new_tree(&mut runner).unwrap().current();
        let database = crate::postgres::database::Database::new();
        crate::harness::block_on(async {
            let life = live(Shop::new(database.store().await, 1), &happenings).await;
            audit(&life).await;
        });
    }
}

#[test]
fn a_crash_at_the_door_leaves_nothing_behind() {
    crate::harness::block_on(async {
        let shop = Shop::memory();
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        let payin = shop.payin(id).await.id();
        let dispute = charged(&shop, payin, "dp_1", euro("70.00"), euro("15.00"));
        let mut unit = shop.begin().await;
        shop.escrow.dispute(&mut unit, &dispute).await.unwrap();
        drop(unit);
        assert!(shop.find(&Query::status("chargeback".parse().unwrap(), "OPEN")).await.is_empty());
        assert_eq!(shop.balance("debt:sam").await, euro("0.00"));
        super::tell(&shop, &dispute).await;
        assert_eq!(shop.balance("debt:sam").await, euro("-63.00"));
        assert!(shop.try_act(id, Command::Cancel {}, user("anna")).await.is_err());
        shop.audit().await;
    });
}
