//! Whatever backers, owners, gateways and networks do, in whatever order: no minor unit is lost, doubled or stuck.

use super::{
    storm::{Life, happening},
    *,
};
use crate::harness::{ops, seed};
use escrowed::{
    lifecycle::Value,
    money::Money,
    payment::{AnyPayout, Destination, PayoutId, RefundId, Route, payin, payout},
    sandbox::Chaos,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, collections::BTreeSet};

type Reached = BTreeSet<&'static str>;

impl<S: Store> Life<S> {
    /// The storm is over. Workers do what is theirs, offices validate some of what is funded and replace what was denied;
    /// nobody else does anything. Every campaign comes to an end, and so does every pledge.
    async fn wind_up(&self) {
        for round in 0..12 {
            self.shop.settle_down().await;
            while self.shop.escrow.run_due(&worker(), 100).await.unwrap().taken > 0 {}
            self.replace_what_was_denied().await;
            for (number, id) in self.campaigns.iter().enumerate() {
                // The others are called off by the clock.
                if round > 2 && number % 2 == 0 && self.shop.load(*id).await.status() == Status::Funded {
                    self.shop.act(*id, Command::Validate {}, ops()).await;
                }
            }
            self.shop.escrow.clock().advance(20 * DAY);
        }
        self.shop.settle_down().await;
        self.shop.audit().await;
        for id in &self.campaigns {
            let campaign = self.shop.load(*id).await;
            let over = matches!(campaign.status(), Status::Released | Status::Returned);
            assert!(over && campaign.held().is_zero(), "a campaign is stuck: {campaign:?}");
        }
        for id in &self.pledges {
            self.came_to_an_end(*id).await;
        }
        for id in &self.campaigns {
            self.adds_up(*id).await;
        }
    }

    async fn replace_what_was_denied(&self) {
        for subject in self.every::<AnyPayout>("payout").await {
            let payout: AnyPayout = self.shop.load(PayoutId::try_from(subject).unwrap()).await;
            if payout.status() == payout::Status::Denied && payout.held().is_positive() {
                let replace = payout::Command::Replace { to: Destination::Wallet };
                let mut unit = self.shop.begin().await;
                self.shop.escrow.act_on_payout(&mut unit, payout.id(), replace, ops()).await.unwrap();
                self.shop.commit(unit).await;
            }
        }
        for subject in self.every::<AnyRefund>("refund").await {
            let refund: AnyRefund = self.shop.load(RefundId::try_from(subject).unwrap()).await;
            if refund.status() == refund::Status::Denied && refund.held().is_positive() {
                let replace = refund::Command::Replace { route: Route::Wallet };
                let mut unit = self.shop.begin().await;
                self.shop.escrow.act_on_refund(&mut unit, refund.id(), replace, ops()).await.unwrap();
                self.shop.commit(unit).await;
            }
        }
    }

    /// What a backer paid was spent by the campaign or is back, to the last minor unit.
    async fn came_to_an_end(&self, id: PledgeId) {
        let pledge = self.shop.load(id).await;
        let terms = pledge.facts().terms();
        let campaign: AnyCampaign = self.shop.load(terms.about.try_into().unwrap()).await;
        let zero = Money::zero(terms.offer.amount.currency());
        let sum = |amounts: Vec<Money>| Money::sum(amounts, zero.currency()).unwrap();
        let mut payins = self.shop.payins(id).await;
        // What came of a payin after its end never was the pledge's.
        payins.retain(|payin| payin.history().by_key(payin::Status::Confirmed).is_some());
        let mut refunds = self.shop.refunds(id).await;
        refunds.retain(|refund| payins.iter().any(|payin| payin.id() == refund.facts().payin));
        refunds.retain(|refund| refund.status() == refund::Status::Confirmed);
        let paid = sum(payins.iter().map(|payin| payin.facts().amount).collect());
        let back = sum(refunds.iter().map(|refund| refund.facts().amount).collect());
        match pledge.status() {
            pledge::Status::Gathered => {
                assert_eq!(campaign.status(), Status::Released, "{pledge:?}");
                assert_eq!(paid.checked_sub(back).unwrap(), terms.offer.amount, "{pledge:?}");
            }
            pledge::Status::Refunded | pledge::Status::Cancelled => assert_eq!(paid, back, "{pledge:?}"),
            stuck => panic!("a pledge is stuck in {stuck}: {pledge:?}"),
        }
        assert!(pledge.head().held().is_zero());
    }

    /// What the campaign gathered is what the owner and the platform got, or what went back.
    async fn adds_up(&self, id: CampaignId) {
        let (drive, campaign) = (Drive { shop: &self.shop, id }, self.shop.load(id).await);
        let mut gathered = Money::zero(campaign.held().currency());
        for pledge in drive.pledges().await {
            if pledge.status() == pledge::Status::Gathered {
                gathered = gathered.checked_add(pledge.facts().terms().offer.amount).unwrap();
            }
        }
        if let AnyCampaign::Released(released) = &campaign {
            let legs = released.state().payouts().legs().iter().map(|leg| leg.amount);
            let paid = legs.fold(released.state().fee(), |sum, amount| sum.checked_add(amount).unwrap());
            assert_eq!((paid, gathered), (gathered, campaign.facts().raised()), "{campaign:?}");
        } else {
            assert!(gathered.is_zero(), "{campaign:?}");
        }
    }

    async fn tally(&self, reached: &RefCell<(Reached, Reached)>) {
        for id in &self.campaigns {
            let campaign = self.shop.load(*id).await;
            reached.borrow_mut().0.extend(campaign.history().by_time().iter().map(|passage| passage.code.name()));
        }
        for id in &self.pledges {
            let pledge = self.shop.load(*id).await;
            reached.borrow_mut().1.extend(pledge.history().by_time().iter().map(|passage| passage.code.name()));
        }
    }
}

fn live<S: Store>(cases: u32, store: impl Fn() -> S) -> (Reached, Reached) {
    let reached = RefCell::default();
    let seed = seed();
    let config = Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let lives = (prop::collection::vec(happening(), 1..120), any::<u64>(), any::<bool>());
    let run = TestRunner::new(config).run(&lives, |(happenings, gateway, rough)| {
        futures_lite::future::block_on(async {
            let shop = Shop::new(store(), gateway);
            shop.fill_wallet("anna", euro("150.00")).await;
            if rough {
                shop.gateway().chaos(Chaos::ROUGH);
            }
            let mut life = Life::new(shop);
            for (number, happening) in happenings.into_iter().enumerate() {
                life.happen(happening).await;
                if number % 16 == 0 {
                    life.shop.audit().await;
                }
            }
            life.tally(&reached).await;
            life.wind_up().await;
        });
        Ok(())
    });
    run.unwrap_or_else(|failed| panic!("seed {seed}: {failed}"));
    reached.into_inner()
}

#[test]
fn no_money_is_lost_doubled_or_stuck_in_memory() {
    let (campaigns, pledges) = live(200, escrowed::memory::Memory::new);
    // What was never reached was not tested.
    assert_eq!(campaigns, Status::ALL.iter().map(|status| status.name()).collect());
    assert_eq!(pledges, pledge::Status::ALL.iter().map(|status| status.name()).collect());
}

#[cfg(feature = "sqlite")]
#[test]
fn no_money_is_lost_doubled_or_stuck_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let _ = live(15, || {
        number.set(number.get() + 1);
        escrowed::sqlite::Sqlite::open(folder.path().join(format!("{}.db", number.get()))).unwrap()
    });
}
