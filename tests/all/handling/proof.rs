//! Payments of an order, in every status that proves something.

use super::*;

impl Proof {
    /// Chargebacks of what it holds.
    pub(super) fn taken(&self) -> &Taken {
        self.taken.as_ref().expect("they were made with all others")
    }

    /// A payout of its own that came back from the bank.
    pub(super) fn came_back(&self) -> &Payout<payout::Returned> {
        self.came_back.as_ref().expect("it was made with all others").value()
    }

    pub(super) async fn of(shop: &Shop<Memory>, id: OrderId) -> Self {
        let (at, ops) = (shop.escrow.stamp(Actor::Gateway), shop.escrow.stamp(ops()));
        let no = || "no".parse().unwrap();
        let came_back = Some(came_back(id.subject(), shop.now()));
        let taken = Some(Taken::of(shop, id).await);
        let mut proof = Self { came_back, taken, ..Self::default() };
        for payin in shop.payins(id).await.iter().map(AnyPayin::id) {
            let load = || async {
                let AnyPayin::Created(payin) = shop.load(payin).await else { return None };
                Some(payin)
            };
            let Some(payin) = load().await else { continue };
            let amount = payin.facts().amount;
            proof.paid = Some(thrown_away(shop, payin.confirm(amount, &at).unwrap()).await);
            proof.unpaid = Some(thrown_away(shop, load().await.unwrap().deny(no(), &at).unwrap()).await);
            proof.called_off = Some(thrown_away(shop, load().await.unwrap().cancel(&ops).unwrap()).await);
        }
        for payout in shop.payouts(id).await.iter().map(AnyPayout::id) {
            proof.add_payout(shop, payout, &at, &ops).await;
        }
        for refund in shop.refunds(id).await {
            let AnyRefund::Created(refund) = refund else { continue };
            if let Ok(cancelled) = refund.cancel(&ops) {
                proof.refund_called_off = Some(cancelled);
            }
        }
        proof
    }

    pub(super) async fn add_payout(&mut self, shop: &Shop<Memory>, id: PayoutId, at: &Stamp, ops: &Stamp) {
        match shop.load(id).await {
            AnyPayout::Created(payout) => {
                let amount = payout.facts().amount;
                self.arrived.push(thrown_away(shop, payout.confirm(amount, at).unwrap()).await);
                let AnyPayout::Created(payout) = shop.load(id).await else { unreachable!() };
                self.denied = Some(thrown_away(shop, payout.deny("no".parse().unwrap(), at).unwrap()).await);
                let AnyPayout::Created(payout) = shop.load(id).await else { unreachable!() };
                self.stopped = Some(payout.cancel(ops).unwrap());
            }
            AnyPayout::Denied(payout) if payout.state().went().is_none() => {
                self.replaced = Some(thrown_away(shop, payout.replace(bank("ba_other"), ops).unwrap()).await);
                let AnyPayout::Denied(payout) = shop.load(id).await else { unreachable!() };
                self.given_back = Some(payout.give_back(ops).unwrap());
            }
            AnyPayout::Denied(_)
            | AnyPayout::Held(_)
            | AnyPayout::Confirmed(_)
            | AnyPayout::Cancelled(_)
            | AnyPayout::Returned(_) => {}
        }
    }
}

// Saves a step in a unit that is never committed.
pub(super) async fn thrown_away<T: Value>(shop: &Shop<Memory>, step: Transition<T>) -> T {
    let mut unit = shop.begin().await;
    step.save(&mut unit).await.unwrap()
}
