//! Random happenings: what backers, owners, gateways, networks and clocks do to campaigns, in whatever order.

use super::*;
use crate::{
    harness::{bank, ops},
    storm::{Weather, weather},
};
use escrowed::{
    campaign::{Close, Keep},
    deal::Period,
    gateway::Report,
    money::{Currency, Money},
};
use proptest::prelude::*;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Open(Opening),
    Pledge {
        campaign: usize,
        who: usize,
        minor: i64,
        method: usize,
    },
    /// Somebody does something to a pledge.
    OnPledge {
        which: usize,
        what: usize,
        by: usize,
    },
    /// Somebody does something to a campaign.
    OnCampaign {
        which: usize,
        what: usize,
        by: usize,
    },
    Weather(Weather),
}

#[derive(Debug, Clone)]
pub(crate) struct Opening {
    target: i64,
    hours: u64,
    fee: bool,
    when_met: bool,
    keeps: bool,
    firm: bool,
    batch: u16,
    gathering: u32,
    to_bank: bool,
}

fn opening() -> impl Strategy<Value = Opening> {
    let rules = any::<[bool; 5]>();
    (300..30_000i64, 1..80u64, rules, 1..5u16, prop_oneof![Just(600u32), 1..20_000u32]).prop_map(
        |(target, hours, [fee, when_met, keeps, firm, to_bank], batch, gathering)| Opening {
            target,
            hours,
            fee,
            when_met,
            keeps,
            firm,
            batch,
            gathering,
            to_bank,
        },
    )
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let (which, by) = (0..64usize, 0..8usize);
    let waits = (prop_oneof![4 => 1..20_000u64, 1 => 80_000..300_000u64], 0..15usize);
    prop_oneof![
        2 => opening().prop_map(Happening::Open),
        10 => (which.clone(), by.clone(), 1..9_000i64, 0..4usize)
            .prop_map(|(campaign, who, minor, method)| Happening::Pledge { campaign, who, minor, method }),
        4 => (which.clone(), 0..3usize, by.clone()).prop_map(|(which, what, by)| Happening::OnPledge { which, what, by }),
        3 => (which, 0..8usize, by).prop_map(|(which, what, by)| Happening::OnCampaign { which, what, by }),
        // None, some or all of what is due is done: a worker may stop anywhere.
        23 => weather(waits.prop_map(|(seconds, limit)| (Duration::from_secs(seconds), limit)))
            .prop_map(Happening::Weather),
    ]
}

/// What became of the world so far.
pub(crate) struct Life<S> {
    pub(super) shop: Shop<S>,
    pub(super) campaigns: Vec<CampaignId>,
    pub(super) pledges: Vec<PledgeId>,
    pub(super) heard: Vec<Report>,
}

impl<S: Store> Life<S> {
    pub(super) async fn pledge(&mut self, campaign: usize, who: usize, minor: i64, method: usize) {
        let Some(to) = latest(&self.campaigns, campaign) else { return };
        let name = ["anna", "ben", "cleo", "olga"][who % 4];
        let amount = Money::from_minor(minor, Currency::EUR);
        let method = [Method::Card, wire(name), Method::Wallet, Method::Card][method].clone();
        let mut unit = self.shop.begin().await;
        let offer = Offer { backer: party(name), amount };
        let done = self.shop.escrow.pledge(&mut unit, to, offer, method, user(name)).await;
        if let Some(pledge) = self.shop.finish(unit, done).await {
            self.pledges.push(pledge.id());
        }
    }

    pub(super) async fn on_pledge(&mut self, which: usize, what: usize, by: usize) {
        let Some(id) = latest(&self.pledges, which) else { return };
        let command = match what {
            0 => pledge::Command::Withdraw {},
            1 => pledge::Command::Cancel {},
            _ => pledge::Command::Pay { by: Method::Card },
        };
        let mut unit = self.shop.begin().await;
        let done = self.shop.escrow.act_on_pledge(&mut unit, id, command, people(by)).await;
        self.shop.finish(unit, done).await;
    }

    pub(super) async fn open(&mut self, opening: Opening) {
        let mut terms = with(|policy| {
            policy.close = if opening.when_met { Close::WhenMet } else { Close::AtDeadline };
            policy.keep = if opening.keeps { Keep::KeepItAll } else { Keep::AllOrNothing };
            policy.withdrawals = !opening.firm;
            policy.batch = opening.batch;
            policy.gathering = Period::seconds(opening.gathering);
        });
        terms.target = Money::from_minor(opening.target, Currency::EUR);
        terms.deadline = self.shop.now().plus(Duration::from_secs(opening.hours * 3600));
        terms.fees = opening.fee.then(fees);
        terms.payout = opening.to_bank.then(|| bank("ba_olga"));
        let mut unit = self.shop.begin().await;
        let opened =
            self.shop.escrow.open(&mut unit, Campaign::open, terms, olga()).await.map(|campaign| campaign.id());
        self.campaigns.extend(self.shop.finish(unit, opened).await);
    }

    pub(super) async fn on_campaign(&mut self, which: usize, what: usize, by: usize) {
        let Some(id) = latest(&self.campaigns, which) else { return };
        let command = match what {
            0 => Command::Cancel {},
            1 => Command::SetPayout { to: bank("ba_2") },
            2 => Command::Close {},
            3 => Command::Decide {},
            4 => Command::Finish {},
            _ => Command::Validate {},
        };
        let (action, by) = (command.action(), people(by));
        let mut unit = self.shop.begin().await;
        let value: AnyCampaign = self.shop.escrow.load(&mut unit, id).await.unwrap();
        let may = value.may(action, &self.shop.escrow.stamp(by.clone()));
        let done = self.shop.escrow.act(&mut unit, id, command, by).await;
        match (&may, &done) {
            (Err(reason), Err(EscrowError::Refused(refused))) => assert_eq!(refused, reason),
            (Ok(()), Ok(_)) => {}
            (may, done) => panic!("{action}: {may:?}, but {done:?}"),
        }
        if let Some(live) = self.shop.finish(unit, done).await {
            assert_eq!(format!("{live:?}"), format!("{:?}", self.shop.load(id).await), "its log says otherwise");
        }
    }
}

fn people(by: usize) -> Actor {
    [user("anna"), user("ben"), user("cleo"), olga(), olga(), ops(), user("eve"), Actor::Clock][by].clone()
}

// Mostly the latest ones: they have further to go.
fn latest<T: Copy>(all: &[T], which: usize) -> Option<T> {
    (!all.is_empty()).then(|| all[all.len() - 1 - (which % all.len()).min(which % 6)])
}
