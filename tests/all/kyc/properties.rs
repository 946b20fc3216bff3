//! Whatever the policy says and takes back, and whoever dies meanwhile: each payee is paid once, or the buyer is.

use super::{late::Adrift, *};
use crate::{
    harness::{block_on, random},
    storm::on_fresh_stores,
};
use escrowed::{memory::Memory, money::Currency, sandbox::Chaos};
use proptest::{prelude::*, test_runner::TestRunner};

const NAMES: [&str; 2] = ["sam", "tom"];
const REASONS: [&str; 3] = ["no papers yet", "papers under review", "papers expired"];

#[derive(Debug, Clone)]
enum Happening {
    Release,
    Hold {
        who: usize,
        why: usize,
    },
    Allow {
        who: usize,
    },
    Changed {
        who: usize,
    },
    Close(bool),
    Send {
        limit: usize,
    },
    DieAsking,
    DieSending {
        acts: bool,
    },
    /// What it sent is still under way.
    DieTooEarly,
    /// What was under way comes in.
    Arrive,
    Wait {
        seconds: u64,
    },
    Webhooks,
    Deny {
        which: usize,
    },
    Cancel {
        which: usize,
    },
    GiveBack {
        which: usize,
    },
    Replace {
        which: usize,
        to_wallet: bool,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    let (who, which) = (0..NAMES.len(), 0..8_usize);
    prop_oneof![
        3 => Just(Happening::Release),
        4 => (who.clone(), 0..REASONS.len()).prop_map(|(who, why)| Happening::Hold { who, why }),
        3 => who.clone().prop_map(|who| Happening::Allow { who }),
        2 => who.prop_map(|who| Happening::Changed { who }),
        1 => any::<bool>().prop_map(Happening::Close),
        6 => (1..5_usize).prop_map(|limit| Happening::Send { limit }),
        2 => Just(Happening::DieAsking),
        2 => any::<bool>().prop_map(|acts| Happening::DieSending { acts }),
        2 => Just(Happening::DieTooEarly),
        1 => Just(Happening::Arrive),
        5 => prop::sample::select(vec![1, 60, 3600, 7200]).prop_map(|seconds| Happening::Wait { seconds }),
        2 => Just(Happening::Webhooks),
        1 => which.clone().prop_map(|which| Happening::Deny { which }),
        1 => which.clone().prop_map(|which| Happening::Cancel { which }),
        1 => which.clone().prop_map(|which| Happening::GiveBack { which }),
        1 => (which, any::<bool>()).prop_map(|(which, to_wallet)| Happening::Replace { which, to_wallet }),
    ]
}

struct Life<S> {
    shop: Shop<S>,
    office: Office,
    gateway: Adrift,
    orders: Vec<OrderId>,
    /// How often the policy held a payout.
    held: usize,
}

impl<S: Store> Life<S> {
    async fn happen(&mut self, happening: &Happening) {
        let (shop, office) = (&self.shop, &self.office);
        match *happening {
            Happening::Release => {
                shop.gateway().chaos(Chaos::default());
                office.set(|desk| desk.closed = false);
                let (id, _) = shared_out(shop).await;
                shop.gateway().chaos(stormy());
                self.orders.push(id);
            }
            Happening::Hold { who, why } => office.hold(NAMES[who], REASONS[why]),
            Happening::Allow { who } => office.allow(NAMES[who]),
            Happening::Changed { who } => {
                kyc_changed(shop, NAMES[who]).await;
            }
            Happening::Close(closed) => office.set(|desk| desk.closed = closed),
            Happening::Send { limit } => {
                self.held += shop.escrow.send(&worker(), limit).await.unwrap().held;
            }
            Happening::DieAsking => {
                office.set(|desk| desk.deadly = true);
                dies(&shop.escrow).await;
                office.set(|desk| desk.deadly = false);
            }
            Happening::DieSending { acts } => dies_at_the_gateway(shop, office, acts).await,
            Happening::DieTooEarly => late::dies_with_it_under_way(shop, office, &self.gateway).await,
            Happening::Arrive => self.gateway.arrive().await,
            Happening::Wait { seconds } => shop.escrow.clock().advance(Duration::from_secs(seconds)),
            Happening::Webhooks => {
                for report in shop.gateway().reports_shuffled() {
                    shop.hear(&report).await;
                }
            }
            Happening::Deny { which } => self.try_on(which, for_good()).await,
            Happening::Cancel { which } => self.try_on(which, payout::Command::Cancel {}).await,
            Happening::GiveBack { which } => self.try_on(which, payout::Command::GiveBack {}).await,
            Happening::Replace { which, to_wallet } => {
                let to = if to_wallet { Destination::Wallet } else { bank("ba_other") };
                self.try_on(which, payout::Command::Replace { to }).await;
            }
        }
    }

    async fn payouts(&self) -> Vec<PayoutId> {
        let mut found = Vec::new();
        for id in &self.orders {
            found.extend(self.shop.payouts(*id).await.iter().map(AnyPayout::id));
        }
        found
    }

    // What is not possible now is refused, and changes nothing.
    async fn try_on(&self, which: usize, command: payout::Command) {
        let payouts = self.payouts().await;
        if payouts.is_empty() {
            return;
        }
        match on_payout(&self.shop, payouts[which % payouts.len()], command).await {
            Ok(_) | Err(EscrowError::Refused(_) | EscrowError::Sent(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Everybody is known at last.
    async fn come_to_rest(&self) {
        let shop = &self.shop;
        self.gateway.arrive().await;
        NAMES.iter().for_each(|name| self.office.allow(name));
        self.office.set(|desk| desk.closed = false);
        let mut unit = shop.begin().await;
        for call in shop.escrow.parked(&mut unit, None, 100).await.unwrap().into_iter().map(Result::unwrap) {
            shop.escrow.requeue(&mut unit, &call.instruction.key()).await.unwrap();
        }
        shop.commit(unit).await;
        shop.settle_down().await;
        for id in &self.orders {
            for payout in shop.payouts(*id).await {
                if payout.status() == payout::Status::Denied && payout.held().is_positive() {
                    let to = Destination::Wallet;
                    on_payout(shop, payout.id(), payout::Command::Replace { to }).await.unwrap();
                }
            }
            let may = |order: &AnyOrder, action| order.may(action, &shop.escrow.stamp(ops())).is_ok();
            let order = shop.order(*id).await;
            if may(&order, escrowed::order::Action::Unblock) {
                shop.act(*id, Command::Unblock {}, ops()).await;
            } else if may(&order, escrowed::order::Action::Cancel) {
                shop.act(*id, Command::Cancel {}, ops()).await;
            }
        }
        shop.settle_down().await;
        for id in self.payouts().await {
            let (payout, call) = (shop.load(id).await, key(id.subject(), Verb::Payout));
            assert!(payout.held().is_zero(), "a payout still holds money: {payout:?}");
            let by_gateway = match &payout {
                AnyPayout::Confirmed(payout) => matches!(payout.facts().to, Destination::Account { .. }),
                AnyPayout::Denied(_) | AnyPayout::Cancelled(_) => false,
                AnyPayout::Created(_) | AnyPayout::Held(_) | AnyPayout::Returned(_) => {
                    panic!("it went nowhere: {payout:?}")
                }
            };
            assert_eq!(shop.gateway().effects(&call), u32::from(by_gateway), "{payout:?}");
        }
        for id in &self.orders {
            let order = shop.order(*id).await;
            assert!(order.held().is_zero(), "an order still holds money: {order:?}");
        }
        // What came in went out, back, into wallets, or is the fee.
        let mut left = euro("0.00");
        for account in ["wallet:sam", "wallet:tom", "wallet:shop"] {
            left = left.checked_add(shop.balance(account).await).unwrap();
        }
        assert_eq!(shop.gateway().net(Currency::EUR), left);
        shop.audit().await;
        shop.audit_calls().await;
        shop.verify().await;
    }
}

fn stormy() -> Chaos {
    Chaos { pend: 150, timeout_before: 150, timeout_after: 150, decline: 50, ..Chaos::default() }
}

fn lives<S: Store>(cases: u32, thorough: bool, store: impl Fn() -> S) {
    let held = std::cell::Cell::new(0);
    let stories = prop::collection::vec(happening(), 10..80);
    let lived = TestRunner::new(random(cases)).run(&stories, |story| {
        let office = Office::holding(&["sam"]);
        let shop = with(Shop::new(store(), 1), &office);
        let gateway = Adrift::before(shop.gateway());
        let mut life = Life { shop, office, gateway, orders: Vec::new(), held: 0 };
        block_on(async {
            for happening in &story {
                life.happen(happening).await;
            }
            life.shop.verify().await;
            life.come_to_rest().await;
        });
        held.set(held.get() + life.held);
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}"));
    let held = held.get();
    assert!(held > if thorough { 100 } else { 0 }, "hardly anything was ever held: {held}");
}

on_fresh_stores! {
    whatever_the_policy_says_everybody_is_paid_once: lives,
    memory: 200 in Memory::new, sqlite: 12, postgres: 6
}
