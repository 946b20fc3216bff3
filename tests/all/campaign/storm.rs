//! Random happenings: what backers, owners, gateways, networks and clocks do to campaigns, in whatever order.

use super::*;
use crate::harness::{bank, ops};
use escrowed::{
    campaign::{Close, Keep},
    deal::Period,
    gateway::Report,
    id::Subject,
    lifecycle::Lifecycle,
    money::{Currency, Money},
    payment::{AnyPayin, AnyPayout, AnyRefund, Destination, PayinId, PayoutId, RefundId, Route, payin, payout},
    sandbox::Resolution,
};
use proptest::prelude::*;

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Happening {
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
    CancelPayin {
        which: usize,
    },
    Payout {
        which: usize,
        back: bool,
    },
    Refund {
        which: usize,
        route: Route,
    },
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
    Wait {
        seconds: u64,
        rounds: usize,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Opening {
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
    let route =
        prop_oneof![Just(Route::Original), Just(Route::Wallet), Just(Route::Account("ba_anna".parse().unwrap()))];
    prop_oneof![
        2 => opening().prop_map(Happening::Open),
        10 => (which.clone(), by.clone(), 1..9_000i64, 0..4usize)
            .prop_map(|(campaign, who, minor, method)| Happening::Pledge { campaign, who, minor, method }),
        4 => (which.clone(), 0..3usize, by.clone()).prop_map(|(which, what, by)| Happening::OnPledge { which, what, by }),
        3 => (which.clone(), 0..8usize, by).prop_map(|(which, what, by)| Happening::OnCampaign { which, what, by }),
        1 => which.clone().prop_map(|which| Happening::CancelPayin { which }),
        1 => (which.clone(), any::<bool>()).prop_map(|(which, back)| Happening::Payout { which, back }),
        2 => (which.clone(), route).prop_map(|(which, route)| Happening::Refund { which, route }),
        8 => (1..6usize).prop_map(|limit| Happening::Send { limit }),
        3 => Just(Happening::Webhooks),
        1 => which.clone().prop_map(|which| Happening::Repeat { which }),
        2 => (which, any::<bool>()).prop_map(|(which, decline)| Happening::Resolve { which, decline }),
        5 => (prop_oneof![4 => 1..20_000u64, 1 => 80_000..300_000u64], 0..5usize)
            .prop_map(|(seconds, rounds)| Happening::Wait { seconds, rounds }),
    ]
}

/// What became of the world so far.
pub(super) struct Life<S> {
    pub(super) shop: Shop<S>,
    pub(super) campaigns: Vec<CampaignId>,
    pub(super) pledges: Vec<PledgeId>,
    heard: Vec<Report>,
}

impl<S: Store> Life<S> {
    pub(super) const fn new(shop: Shop<S>) -> Self {
        Self { shop, campaigns: Vec::new(), pledges: Vec::new(), heard: Vec::new() }
    }

    pub(super) async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Open(opening) => self.open(opening).await,
            Happening::Pledge { campaign, who, minor, method } => {
                let Some(to) = latest(&self.campaigns, campaign) else { return };
                let name = ["anna", "ben", "cleo", "olga"][who % 4];
                let amount = Money::from_minor(minor, Currency::EUR);
                let method = [Method::Card, wire(name), Method::Wallet, Method::Card][method].clone();
                let mut unit = self.shop.begin().await;
                let offer = Offer { backer: party(name), amount };
                let done = self.shop.escrow.pledge(&mut unit, to, offer, method, user(name)).await;
                if let Some(pledge) = self.finish(unit, done).await {
                    self.pledges.push(pledge.id());
                }
            }
            Happening::OnPledge { which, what, by } => {
                let Some(id) = latest(&self.pledges, which) else { return };
                let command = match what {
                    0 => pledge::Command::Withdraw {},
                    1 => pledge::Command::Cancel {},
                    _ => pledge::Command::Pay { by: Method::Card },
                };
                let mut unit = self.shop.begin().await;
                let done = self.shop.escrow.act_on_pledge(&mut unit, id, command, people(by)).await;
                self.finish(unit, done).await;
            }
            Happening::OnCampaign { which, what, by } => self.on_campaign(which, what, by).await,
            Happening::CancelPayin { which } => {
                let picked = self.pick::<AnyPayin>("payin", which).await;
                let Some(id) = picked.and_then(|subject| PayinId::try_from(subject).ok()) else { return };
                let mut unit = self.shop.begin().await;
                let cancel = payin::Command::Cancel {};
                let done = self.shop.escrow.act_on_payin(&mut unit, id, cancel, ops()).await;
                self.finish(unit, done).await;
            }
            Happening::Payout { which, back } => {
                let picked = self.pick::<AnyPayout>("payout", which).await;
                let Some(id) = picked.and_then(|subject| PayoutId::try_from(subject).ok()) else { return };
                let to = Destination::Wallet;
                let command = if back { payout::Command::GiveBack {} } else { payout::Command::Replace { to } };
                let mut unit = self.shop.begin().await;
                let done = self.shop.escrow.act_on_payout(&mut unit, id, command, ops()).await;
                self.finish(unit, done).await;
            }
            Happening::Refund { which, route } => {
                let picked = self.pick::<AnyRefund>("refund", which).await;
                let Some(id) = picked.and_then(|subject| RefundId::try_from(subject).ok()) else { return };
                let mut unit = self.shop.begin().await;
                let replace = refund::Command::Replace { route };
                let done = self.shop.escrow.act_on_refund(&mut unit, id, replace, ops()).await;
                self.finish(unit, done).await;
            }
            Happening::Send { limit } => {
                self.shop.escrow.send(&"worker".parse().unwrap(), limit).await.unwrap();
            }
            Happening::Webhooks => {
                for report in self.shop.gateway().reports_shuffled() {
                    self.shop.hear(&report).await;
                    self.heard.push(report);
                }
            }
            Happening::Repeat { which } => {
                if !self.heard.is_empty() {
                    let report = self.heard[which % self.heard.len()].clone();
                    self.shop.hear(&report).await;
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
            Happening::Wait { seconds, rounds } => {
                self.shop.escrow.clock().advance(Duration::from_secs(seconds));
                // None, some or all of what is due is done: a worker may stop anywhere.
                for _ in 0..rounds {
                    let due = self.shop.escrow.run_due(&worker(), rounds * 3).await.unwrap();
                    assert_eq!(due.failed, 0, "{due:?}");
                }
            }
        }
    }

    async fn open(&mut self, opening: Opening) {
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
        self.campaigns.extend(self.finish(unit, opened).await);
    }

    async fn on_campaign(&mut self, which: usize, what: usize, by: usize) {
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
        if let Some(live) = self.finish(unit, done).await {
            assert_eq!(format!("{live:?}"), format!("{:?}", self.shop.load(id).await), "its log says otherwise");
        }
    }

    /// Any payment of a kind, whatever its status.
    async fn pick<L: Lifecycle>(&self, name: &str, which: usize) -> Option<Subject> {
        let all = self.every::<L>(name).await;
        (!all.is_empty()).then(|| all[which % all.len()])
    }

    pub(super) async fn every<L: Lifecycle>(&self, name: &str) -> Vec<Subject> {
        let mut all = Vec::new();
        for row in L::TABLE.statuses {
            all.extend(self.shop.find(&Query::status(name.parse().unwrap(), row.name)).await);
        }
        all.sort();
        all
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
}

fn people(by: usize) -> Actor {
    [user("anna"), user("ben"), user("cleo"), olga(), olga(), ops(), user("eve"), Actor::Clock][by].clone()
}

// Mostly the latest ones: they have further to go.
fn latest<T: Copy>(all: &[T], which: usize) -> Option<T> {
    (!all.is_empty()).then(|| all[all.len() - 1 - (which % all.len()).min(which % 6)])
}
