//! A deadline that the clock may not see to: somebody else has, or nobody can.

use super::asked;
use crate::harness::{START, Shop, on_each_store, worker};
use escrowed::{
    escrow::{Clock, Due, Escrow, ManualClock, Policy},
    gateway::Verb,
    payment::payin,
    sandbox::Behaviour,
    store::Store,
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// A store whose worker is so slow after its first unit that another one is done before it begins its second.
struct Overtaken<'s, S: Store> {
    shop: &'s Shop<S>,
    begun: AtomicUsize,
}

impl<S: Store> Store for Overtaken<'_, S> {
    type Unit = S::Unit;
    type Error = S::Error;

    async fn begin(&self) -> Result<S::Unit, S::Error> {
        if self.begun.fetch_add(1, Ordering::SeqCst) == 1 {
            self.shop.escrow.clock().advance(Policy::default().lease);
            let due = self.shop.escrow.run_due(&"another".parse().unwrap(), 10).await.unwrap();
            assert_eq!(due, Due { taken: 1, ..Due::default() });
        }
        self.shop.escrow.store().begin().await
    }

    async fn commit(&self, unit: S::Unit) -> Result<(), S::Error> {
        self.shop.escrow.store().commit(unit).await
    }

    fn is_lost_race(&self, error: &S::Error) -> bool {
        self.shop.escrow.store().is_lost_race(error)
    }
}

on_each_store! {
    async fn what_somebody_else_saw_to_is_passed(shop) {
        let until = Some(shop.now().plus(Duration::from_secs(600)));
        shop.gateway().script(Verb::Charge, [Behaviour::Challenge { until }]);
        let (id, _) = asked(&shop).await;
        shop.send().await;
        shop.escrow.clock().advance(Duration::from_secs(600));
        let clock = ManualClock::at(shop.escrow.clock().now());
        assert!(clock.now() > START.parse().unwrap());
        let store = Overtaken { shop: &shop, begun: AtomicUsize::new(0) };
        let slow = Escrow::with_clock(store, shop.gateway().clone(), clock);
        assert_eq!(slow.run_due(&worker(), 1).await.unwrap(), Due { passed: 1, ..Due::default() });
        assert_eq!(shop.payin(id).await.status(), payin::Status::Cancelled);
        shop.verify().await;
    }
}
