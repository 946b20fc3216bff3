//! Orders in every status, and how they came there.

use super::*;

impl Scene {
    pub(super) fn new(says: &'static str, Staged { shop, id }: Staged) -> Self {
        Self { says, shop, id, buyer_unknown: false, barred: Vec::new(), unproven: Vec::new() }
    }

    pub(super) fn barred(mut self, actions: &[Action]) -> Self {
        self.barred.extend(actions);
        self
    }

    pub(super) fn unproven(mut self, actions: &[Action]) -> Self {
        self.unproven.extend(actions);
        self
    }
}

/// An order in a shop of its own, so that no other order's calls move it on.
pub(super) struct Staged {
    shop: Shop<Memory>,
    id: OrderId,
}

impl Staged {
    pub(super) async fn drafted(terms: Terms) -> Self {
        let shop = Shop::memory();
        let mut unit = shop.begin().await;
        let id = shop.escrow.open_order(&mut unit, terms, ops()).await.unwrap().id();
        shop.commit(unit).await;
        Self { shop, id }
    }

    pub(super) async fn opened() -> Self {
        let shop = Shop::memory();
        let id = shop.open(terms()).await;
        Self { shop, id }
    }

    /// A payin is asked for, but the gateway does not know it yet.
    pub(super) async fn asked(terms: Terms) -> Self {
        let shop = Shop::memory();
        let id = shop.open(terms).await;
        Self { shop, id }.then(Command::Pay { by: Method::Card }, user("anna")).await
    }

    pub(super) async fn failed(terms: Terms) -> Self {
        let staged = Self::asked(terms).await;
        staged.decline(Verb::Charge);
        staged.shop.send().await;
        staged
    }

    pub(super) async fn without_payin(terms: Terms) -> Self {
        let staged = Self::asked(terms).await;
        let payin = staged.shop.payin(staged.id).await.id();
        let mut unit = staged.shop.begin().await;
        staged.shop.escrow.act_on_payin(&mut unit, payin, payin::Command::Cancel {}, ops()).await.unwrap();
        staged.shop.commit(unit).await;
        staged
    }

    /// In `PUBLISHED`, `ACCEPTED` or `PENDING_VALIDATE`.
    pub(super) async fn funded(status: Status) -> Self {
        let shop = Shop::memory();
        let id = shop.paid(terms()).await;
        let mut staged = Self { shop, id };
        if status != Status::Published {
            staged = staged.then(Command::Accept { payout: None }, user("sam")).await;
        }
        if status == Status::PendingValidate {
            staged = staged.then(Command::SetPayout { plan: to_bank() }, user("sam")).await;
        }
        assert_eq!(staged.shop.status(staged.id).await, status);
        staged
    }

    /// Its payouts are opened, and the gateway has answered so many of them.
    pub(super) async fn validated(plan: PayoutPlan, answered: usize) -> Self {
        let shop = Shop::memory();
        let id = shop.planned(terms(), plan).await;
        let staged = Self { shop, id }.then(Command::Validate {}, ops()).await;
        staged.answer(answered).await;
        staged
    }

    /// The first of its payouts is denied; another would still be on its way.
    pub(super) async fn denied(plan: PayoutPlan) -> Self {
        let staged = Self::validated(plan, 0).await;
        staged.decline(Verb::Payout);
        staged.answer(1).await;
        assert_eq!(staged.shop.status(staged.id).await, Status::BlockedRelease);
        staged
    }

    pub(super) async fn then(self, command: Command<'_>, by: Actor) -> Self {
        self.shop.act(self.id, command, by).await;
        self
    }

    pub(super) async fn with_denied(self, command: payout::Command) -> Self {
        let payouts = self.shop.payouts(self.id).await;
        let denied = payouts.iter().find(|payout| payout.status() == payout::Status::Denied).expect("a denied payout");
        let mut unit = self.shop.begin().await;
        self.shop.escrow.act_on_payout(&mut unit, denied.id(), command, ops()).await.unwrap();
        self.shop.commit(unit).await;
        self
    }

    pub(super) fn decline(&self, verb: Verb) {
        let reason = "insufficient funds".parse().unwrap();
        self.shop.gateway().script(verb, [Behaviour::Decline { reason }]);
    }

    pub(super) async fn answer(&self, calls: usize) {
        for _ in 0..calls {
            assert_eq!(self.shop.escrow.send(&"worker".parse().unwrap(), 1).await.unwrap().answered, 1);
        }
    }

    pub(super) async fn proof(&self) -> Proof {
        Proof::of(&self.shop, self.id).await
    }
}

pub(super) async fn before_payment() -> Vec<Scene> {
    use Action::{DropPayin, Fail, Pay, Publish, Retry};
    let for_anna = Terms { buyer: Some(party("anna")), ..terms() };
    let for_anybody = Scene::new("for anybody", Staged::drafted(terms()).await);
    vec![
        Scene::new("for anna", Staged::drafted(for_anna).await),
        Scene { buyer_unknown: true, ..for_anybody },
        Scene::new("no payin yet", Staged::opened().await).unproven(&[Publish, Fail, DropPayin]),
        Scene::new("payin under way", Staged::asked(terms()).await).barred(&[Pay]),
        Scene::new("no tries left", Staged::without_payin(one_try()).await)
            .barred(&[Pay])
            .unproven(&[Publish, Fail, DropPayin]),
        Scene::new("payin failed", Staged::failed(terms()).await),
        Scene::new("last payin failed", Staged::failed(one_try()).await).barred(&[Retry]),
    ]
}

pub(super) async fn after_payment() -> Vec<Scene> {
    use Action::{CountPayout, TakeBackPayout, TakeBackRefund};
    let mut scenes = Vec::new();
    for status in [Status::Published, Status::Accepted, Status::PendingValidate] {
        let part = Command::RefundPart { amount: euro("20.00") };
        let block = Command::Block { why: Blocking::Operator("looks odd".parse().unwrap()) };
        scenes.extend([
            Scene::new("nothing refunded", Staged::funded(status).await).unproven(&[TakeBackRefund]),
            Scene::new("a part refunded", Staged::funded(status).await.then(part, ops()).await),
            Scene::new("blocked by an operator", Staged::funded(status).await.then(block, ops()).await)
                .unproven(&[CountPayout, TakeBackPayout]),
        ]);
    }
    scenes
}

pub(super) async fn in_release() -> Vec<Scene> {
    use Action::{Cancel, CountPayout, TakeBackPayout, Unblock};
    let replace = payout::Command::Replace { to: bank("ba_other") };
    let give_back = || payout::Command::GiveBack {};
    vec![
        Scene::new("payout on its way", Staged::validated(to_bank(), 0).await),
        Scene::new("one of two payouts arrived", Staged::validated(in_halves(), 1).await),
        Scene::new("payout denied", Staged::denied(to_bank()).await).barred(&[Unblock, Cancel]),
        Scene::new("one of two payouts denied", Staged::denied(in_halves()).await).barred(&[Unblock, Cancel]),
        Scene::new("payout replaced", Staged::denied(to_bank()).await.with_denied(replace).await).barred(&[Cancel]),
        Scene::new("payout given back", Staged::denied(to_bank()).await.with_denied(give_back()).await)
            .barred(&[Unblock])
            .unproven(&[CountPayout, TakeBackPayout]),
        Scene::new("one of two payouts given back", Staged::denied(in_halves()).await.with_denied(give_back()).await)
            .barred(&[Unblock, Cancel]),
    ]
}

pub(super) async fn ended() -> Vec<Scene> {
    let cancel = || Command::Cancel {};
    vec![
        Scene::new("not paid", Staged::asked(terms()).await.then(cancel(), user("anna")).await),
        Scene::new("paid", Staged::funded(Status::Published).await.then(cancel(), user("anna")).await),
        Scene::new("rejected", Staged::funded(Status::Published).await.then(Command::Reject {}, user("sam")).await),
        Scene::new("released", Staged::validated(to_bank(), 1).await),
    ]
}

// All that it held was charged back: undecided, and for good.
pub(super) async fn charged_back() -> Vec<Scene> {
    use Action::{Cancel, ChargeBack, ChargeBackAll, Close, CountPayout, Regain, TakeBackPayout, Unblock};
    let mut scenes = Vec::new();
    for (says, lost, barred) in [("charged back", false, Close), ("charged back for good", true, Regain)] {
        let staged = Staged::funded(Status::Accepted).await;
        nothing_there(&staged.shop, staged.id, lost).await;
        let scene = Scene::new(says, staged).barred(&[ChargeBack, ChargeBackAll, Cancel, Unblock, barred]);
        scenes.push(scene.unproven(&[CountPayout, TakeBackPayout]));
    }
    // Most of it, for good: the rest goes on, and is less than the fee.
    use Action::{SetPayout, Validate};
    for (status, planned) in [(Status::Accepted, vec![SetPayout]), (Status::PendingValidate, vec![SetPayout, Validate])]
    {
        let staged = Staged::funded(status).await;
        let payin = staged.shop.payin(staged.id).await.id();
        let dispute = charged(&staged.shop, payin, "dp_most", euro("95.00"), euro("0.00"));
        tell(&staged.shop, &dispute).await;
        tell(&staged.shop, &decided(&staged.shop, &dispute, false)).await;
        let scene = Scene::new("less left than the fee", staged.then(Command::Unblock {}, ops()).await);
        let barred = [planned, vec![Action::RefundPart, Action::TakeBackRefund, Regain]].concat();
        // What is changed has to make room for the fee.
        scenes.push(scene.barred(&barred).unproven(&[Action::Amend]));
    }
    scenes
}

// One piece of each kind that the scenes' commands need, of orders that no scene is about.
pub(super) async fn proof_of_others() -> Proof {
    let part = Command::RefundPart { amount: euro("20.00") };
    let refunded = Staged::funded(Status::Published).await.then(part, ops()).await;
    let Proof { paid, unpaid, called_off, .. } = Staged::asked(terms()).await.proof().await;
    let Proof { refund_called_off, .. } = refunded.proof().await;
    Proof { paid, unpaid, called_off, refund_called_off, ..Staged::validated(to_bank(), 0).await.proof().await }
}
