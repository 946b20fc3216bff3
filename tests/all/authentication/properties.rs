//! Whatever is asked for, answered, lost, repeated and forged, and whoever dies meanwhile: no payin is confirmed without the
//! challenge it needs, no more low values are exempt than may be, and no money is made or lost.

use super::*;
use crate::{
    harness::{block_on, random, worker},
    kyc::{Deadly, dies},
    storm::on_fresh_stores,
    workers::Shared,
};
use escrowed::{
    escrow::{Escrow, EscrowError},
    gateway::Gateway as _,
    lifecycle::Reason,
    memory::Memory,
    order::Status,
    payment::refund,
    sandbox::{Behaviour, Chaos, Resolution},
    sca::{Assurance, Authentication, Exemption, Forged, Liability, ReturnCode},
};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{cell::Cell, collections::BTreeSet, time::Duration};

const AMOUNTS: [&str; 6] = ["0.50", "10.00", "29.99", "30.00", "30.01", "100.00"];

#[derive(Debug, Clone, Copy)]
enum Wish {
    Nothing,
    Challenge,
    LowValue,
    Trusted,
    Recurring,
    Risk,
    Merchant,
}

#[derive(Debug, Clone)]
enum Happening {
    Pay { wish: Wish, amount: usize, which: usize, ends: bool },
    Send { limit: usize },
    DieSending { acts: bool },
    Wait { seconds: u64 },
    Webhooks,
    Page { which: usize, passes: bool },
    Back { which: usize, forged: bool },
    Cancel { which: usize },
}

fn happening() -> impl Strategy<Value = Happening> {
    let which = 0..16_usize;
    let wish = prop_oneof![
        1 => Just(Wish::Nothing),
        2 => Just(Wish::Challenge),
        6 => Just(Wish::LowValue),
        1 => Just(Wish::Trusted),
        1 => Just(Wish::Recurring),
        1 => Just(Wish::Risk),
        1 => Just(Wish::Merchant),
    ];
    let pay = (wish, 0..AMOUNTS.len(), which.clone(), any::<bool>());
    prop_oneof![
        6 => pay.prop_map(|(wish, amount, which, ends)| Happening::Pay { wish, amount, which, ends }),
        5 => (1..5_usize).prop_map(|limit| Happening::Send { limit }),
        2 => any::<bool>().prop_map(|acts| Happening::DieSending { acts }),
        4 => prop::sample::select(vec![1, 60, 600, 7200]).prop_map(|seconds| Happening::Wait { seconds }),
        3 => Just(Happening::Webhooks),
        4 => (which.clone(), prop::bool::weighted(0.8)).prop_map(|(which, passes)| Happening::Page { which, passes }),
        2 => (which.clone(), any::<bool>()).prop_map(|(which, forged)| Happening::Back { which, forged }),
        1 => which.prop_map(|which| Happening::Cancel { which }),
    ]
}

struct Life<S> {
    shop: Shop<S>,
    orders: Vec<OrderId>,
    payins: Vec<PayinId>,
    /// What was exempt for its low value since a payer was last seen to pass a challenge at the gateway.
    lows: Vec<Money>,
    /// The charges that the gateway has settled with a challenge passed.
    passed: BTreeSet<IdempotencyKey>,
    exempt: usize,
    refused: usize,
}

impl<S: Store> Life<S> {
    fn new(shop: Shop<S>) -> Self {
        shop.gateway().chaos(stormy());
        let (orders, payins, lows, passed) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
        Self { shop, orders, payins, lows, passed, exempt: 0, refused: 0 }
    }

    async fn happen(&mut self, happening: &Happening) {
        let shop = &self.shop;
        match *happening {
            Happening::Pay { wish, amount, which, ends } => self.pay(wish, AMOUNTS[amount], which, ends).await,
            Happening::Send { limit } => {
                shop.escrow.send(&worker(), limit).await.unwrap();
            }
            Happening::DieSending { acts } => {
                let gateway = Deadly { sandbox: shop.gateway().clone(), acts };
                let store = Shared(shop.escrow.store());
                dies(&Escrow::with_clock(store, gateway, shop.escrow.clock().clone())).await;
            }
            Happening::Wait { seconds } => {
                shop.escrow.clock().advance(Duration::from_secs(seconds));
                shop.escrow.run_due(&worker(), 100).await.unwrap();
            }
            Happening::Webhooks => {
                for report in shop.gateway().reports_shuffled() {
                    shop.hear(&report).await;
                }
            }
            Happening::Page { which, passes } => {
                let pending = shop.gateway().pending();
                if !pending.is_empty() {
                    let no = Resolution::Decline { reason: "the challenge failed".parse().unwrap() };
                    let resolution = if passes { Resolution::Settle } else { no };
                    shop.gateway().resolve(&pending[which % pending.len()], resolution);
                }
            }
            Happening::Back { which, forged } => self.come_back(which, forged).await,
            Happening::Cancel { which } => {
                if let Some(payin) = self.one(which) {
                    match on_payin(shop, payin, payin::Command::Cancel {}, ops()).await {
                        Ok(_) | Err(EscrowError::Refused(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }
        self.watch_the_gateway().await;
        self.check_the_count().await;
    }

    fn one(&self, which: usize) -> Option<PayinId> {
        (!self.payins.is_empty()).then(|| self.payins[which % self.payins.len()])
    }

    async fn pay(&mut self, wish: Wish, amount: &str, which: usize, ends: bool) {
        let (shop, earlier) = (&self.shop, self.one(which));
        let who: Caller = match (wish, earlier) {
            (Wish::Nothing, _) | (Wish::Trusted | Wish::Recurring | Wish::Merchant, None) => user("anna").into(),
            (Wish::Challenge, _) => anna(Needs::Challenge),
            (Wish::LowValue, _) => anna(Needs::LowValue),
            (Wish::Risk, _) => anna(Needs::TransactionRisk { fraud: "0.1%".parse().unwrap() }),
            (Wish::Trusted, Some(listed)) => anna(Needs::TrustedBeneficiary { listed }),
            (Wish::Recurring, Some(first)) => anna(Needs::Recurring { first }),
            (Wish::Merchant, Some(mandate)) => ops().needing(Needs::MerchantInitiated { mandate }, party("sam")),
        };
        let id = order(shop, euro(amount)).await;
        self.orders.push(id);
        match try_pay(shop, id, Method::Card, who).await {
            Ok(payin) => {
                if ends {
                    let until = Some(shop.now().plus(Duration::from_secs(300)));
                    shop.gateway().script_call(&charge(payin), [Behaviour::Challenge { until }]);
                }
                self.payins.push(payin);
                if matches!(wish, Wish::LowValue) {
                    self.lows.push(euro(amount));
                    self.exempt += 1;
                }
            }
            Err(EscrowError::Refused(Reason::NotExempt(_))) => {
                self.refused += 1;
                assert!(shop.payins(id).await.is_empty(), "what is refused opens nothing");
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn come_back(&self, which: usize, forged: bool) {
        let Some(payin) = self.one(which) else { return };
        let Some(mut response) = self.shop.gateway().response(&charge(payin)) else { return };
        if forged {
            response.code = ReturnCode::generate();
        }
        let before = events(&self.shop, payin).await;
        let back = on_payin(&self.shop, payin, payin::Command::ComeBack { response }, user("anna")).await;
        match back {
            Ok(back) => assert!(!forged && back.sca().expect("it is known").came_back()),
            Err(EscrowError::Refused(Reason::Forged(Forged::Code))) => assert!(forged),
            // What came back before, or went back to the payer.
            Err(EscrowError::Refused(Reason::Forged(Forged::Replayed) | Reason::WrongStatus { .. })) => {}
            Err(error) => panic!("{error}"),
        }
        let grown = events(&self.shop, payin).await.len() - before.len();
        assert!(grown <= usize::from(!forged), "a forged response changes nothing");
    }

    // Whoever passes a challenge does so at the gateway, whatever the books know of it yet.
    async fn watch_the_gateway(&mut self) {
        for call in self.shop.gateway().calls() {
            let outcome = self.shop.gateway().lookup(&call).await.unwrap();
            let passed = matches!(
                outcome,
                Some(escrowed::gateway::Outcome::Assured { assurance: Assurance { authenticated: true, .. }, .. })
            );
            if passed && self.passed.insert(call) {
                self.lows.clear();
            }
        }
    }

    // Counted by what really happened, no more are exempt than may be.
    async fn check_the_count(&self) {
        let total: i64 = self.lows.iter().map(|low| low.minor()).sum();
        assert!(self.lows.len() <= 5 && total <= 10_000, "too many low values: {:?}", self.lows);
        assert!(self.lows.iter().all(|low| low.minor() <= 3_000));
        if self.exempt > 0 {
            let (number, counted) = counted(&self.shop).await;
            assert!(number as usize >= self.lows.len() && counted.minor() >= total, "it counts too little");
        }
    }

    async fn check_payins(&self) {
        for id in &self.payins {
            let payin = self.shop.load(*id).await;
            let AnyPayin::Confirmed(payin) = payin else { continue };
            let (challenged, passed) = (payin.sca().challenge().is_some(), payin.is_authenticated());
            match &payin.facts().authentication {
                Authentication::ByGateway => {}
                Authentication::Challenge(_) => assert!(passed, "confirmed without its challenge: {payin:?}"),
                Authentication::Exempt { exemption, .. } => {
                    assert!(passed || !challenged, "confirmed though the bank insisted: {payin:?}");
                    if let Exemption::LowValue { number, total, .. } = exemption {
                        assert!(*number <= 5 && total.minor() <= 10_000, "{exemption:?}");
                    }
                }
            }
            assert_eq!(payin.liability() == Liability::Issuer, passed, "{payin:?}");
            assert_eq!(self.passed.contains(&charge(*id)), passed, "the gateway knows better: {payin:?}");
        }
    }

    async fn come_to_rest(&mut self) {
        let shop = &self.shop;
        let mut unit = shop.begin().await;
        for call in shop.escrow.parked(&mut unit, None, 100).await.unwrap().into_iter().map(Result::unwrap) {
            shop.escrow.requeue(&mut unit, &call.instruction.key()).await.unwrap();
        }
        shop.commit(unit).await;
        shop.settle_down().await;
        self.watch_the_gateway().await;
        self.check_payins().await;
        let shop = &self.shop;
        let mut held = euro("0.00");
        for id in &self.orders {
            let order = shop.order(*id).await;
            assert_eq!(order.status() == Status::Published, order.held().is_positive());
            held = held.checked_add(order.held()).unwrap();
            for refund in shop.refunds(*id).await {
                // One that the gateway declined waits for another way back.
                assert_eq!(refund.status() == refund::Status::Denied, refund.held().is_positive());
                held = held.checked_add(refund.held()).unwrap();
            }
        }
        assert_eq!(shop.gateway().net(held.currency()), held, "the gateway holds what is held here");
        shop.audit().await;
        shop.audit_calls().await;
    }
}

fn stormy() -> Chaos {
    Chaos {
        challenge: 200,
        pend: 100,
        timeout_before: 100,
        timeout_after: 100,
        decline: 50,
        settle_twice: 100,
        webhook_first: 100,
        wrong_amount: 0,
        repeat_report: 500,
    }
}

fn lives<S: Store>(cases: u32, thorough: bool, store: impl Fn() -> S) {
    let seen = Cell::new((0, 0, 0));
    let stories = prop::collection::vec(happening(), 10..80);
    let lived = TestRunner::new(random(cases)).run(&stories, |story| {
        let mut life = Life::new(Shop::new(store(), 1));
        block_on(async {
            for happening in &story {
                life.happen(happening).await;
            }
            life.shop.verify().await;
            life.come_to_rest().await;
        });
        let (exempt, refused, passed) = seen.get();
        seen.set((exempt + life.exempt, refused + life.refused, passed + life.passed.len()));
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}"));
    let ((exempt, refused, passed), enough) = (seen.get(), if thorough { 200 } else { 0 });
    let told = format!("{exempt} exempt, {refused} refused, {passed} passed");
    assert!(exempt > enough && refused > enough && passed > enough, "{told}");
}

on_fresh_stores! {
    whatever_happens_nobody_passes_a_challenge_by: lives,
    memory: 200 in Memory::new, sqlite: 12, postgres: 6
}
