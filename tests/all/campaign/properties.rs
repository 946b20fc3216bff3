//! Whatever backers, owners, gateways and networks do, in whatever order: no minor unit is lost, doubled or stuck.

use super::{
    storm::{Happening, Life, happening},
    *,
};
use crate::{
    harness::ops,
    storm::{Reached, Story, live, on_fresh_stores, statuses},
};
use escrowed::{campaign::TABLE, memory::Memory, money::Money, payment::payin};
use proptest::prelude::*;

impl<S: Store> Story<S> for Life<S> {
    type Happening = Happening;

    fn happening() -> impl Strategy<Value = Happening> {
        happening()
    }

    fn reachable() -> Reached {
        statuses::<AnyCampaign>().into_iter().chain(statuses::<AnyPledge>()).collect()
    }

    fn begin(shop: Shop<S>) -> Self {
        Self { shop, campaigns: Vec::new(), pledges: Vec::new(), heard: Vec::new() }
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
            Happening::Pledge { campaign, who, minor, method } => self.pledge(campaign, who, minor, method).await,
            Happening::OnPledge { which, what, by } => self.on_pledge(which, what, by).await,
            Happening::OnCampaign { which, what, by } => self.on_campaign(which, what, by).await,
            Happening::Weather(weather) => self.shop.befall(weather, &mut self.heard).await,
        }
    }

    async fn reached(&self) -> Reached {
        let mut reached = Reached::new();
        for id in &self.campaigns {
            let campaign = self.shop.load(*id).await;
            reached.extend(campaign.history().by_time().iter().map(|passage| (TABLE.name, passage.code.name())));
        }
        for id in &self.pledges {
            let pledge = self.shop.load(*id).await;
            reached.extend(pledge.history().by_time().iter().map(|passage| (pledge::TABLE.name, passage.code.name())));
        }
        reached
    }

    /// The storm is over. Workers do what is theirs, offices validate some of what is funded and replace what was denied;
    /// nobody else does anything. Every campaign comes to an end, and so does every pledge.
    async fn wind_up(&mut self) {
        for round in 0..12 {
            self.shop.settle_down().await;
            while self.shop.escrow.run_due(&worker(), 100).await.unwrap().taken > 0 {}
            self.shop.replace_denied().await;
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
}

impl<S: Store> Life<S> {
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
        assert!(pledge.held().is_zero());
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
}

on_fresh_stores! {
    no_money_is_lost_doubled_or_stuck: live::<_, Life<_>>,
    memory: 200 in Memory::new, sqlite: 15, postgres: 6
}
