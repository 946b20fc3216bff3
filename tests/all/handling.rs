//! What an order loaded at run time does with a command: for every status, action and kind of actor, as its table says.

use crate::after::{Taken, came_back, nothing_there};
use crate::harness::{Shop, bank, euro, ops, party, terms, user};
use escrowed::{
    gateway::Verb,
    lifecycle::{Edge, Flow, Reason, Transition, Value},
    memory::Memory,
    money::Share,
    order::{
        Action, Amendment, AnyOrder, Blocking, Command, OrderId, Payee, PayoutBack, PayoutNews, PayoutPlan, Status,
        TABLE, Terms,
    },
    party::{Actor, PartyId, Role, Stamp},
    payment::{
        After, AnyPayin, AnyPayout, AnyRefund, Destination, Method, Payin, Payout, PayoutId, Refund, payin, payout,
        refund,
    },
    sandbox::Behaviour,
};
use futures_lite::future::block_on;
use std::collections::{BTreeMap, BTreeSet};

/// An order in some status, and what its own facts forbid there although the table allows it.
struct Scene {
    says: &'static str,
    shop: Shop<Memory>,
    id: OrderId,
    /// Anybody but the seller may turn out to be the buyer.
    buyer_unknown: bool,
    /// Not now, and `may` knows it.
    barred: Vec<Action>,
    /// Nothing exists that could prove it.
    unproven: Vec<Action>,
}

/// What an order's payments can prove. Each piece was saved in a unit that was then thrown away.
#[derive(Default)]
struct Proof {
    paid: Option<Payin<payin::Confirmed>>,
    unpaid: Option<Payin<payin::Denied>>,
    called_off: Option<Payin<payin::Cancelled>>,
    /// Of every payout that is on its way.
    arrived: Vec<Payout<payout::Confirmed>>,
    denied: Option<Payout<payout::Denied>>,
    replaced: Option<Payout<payout::Denied>>,
    // Their money goes back to the order, so they cannot be saved without its step.
    given_back: Option<Transition<Payout<payout::Denied>>>,
    stopped: Option<Transition<Payout<payout::Cancelled>>>,
    refund_called_off: Option<Transition<Refund<refund::Cancelled>>>,
    came_back: Option<Transition<Payout<payout::Returned>>>,
    taken: Option<Taken>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Buyer,
    Seller,
    Stranger,
    Platform,
    Arbiter,
    Clock,
    Gateway,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Buyer, Self::Seller, Self::Stranger, Self::Platform, Self::Arbiter, Self::Clock, Self::Gateway];

    fn actor(self) -> Actor {
        match self {
            Self::Buyer => user("anna"),
            Self::Seller => user("sam"),
            Self::Stranger => user("eve"),
            Self::Platform => ops(),
            Self::Arbiter => Actor::arbiter(party("judy")),
            Self::Clock => Actor::Clock,
            Self::Gateway => Actor::Gateway,
        }
    }

    fn role(self, scene: &Scene) -> Option<Role> {
        match self {
            Self::Buyer => Some(Role::BUYER),
            Self::Seller => Some(Role::SELLER),
            Self::Stranger => scene.buyer_unknown.then_some(Role::BUYER),
            Self::Platform => Some(Role::PLATFORM),
            Self::Arbiter => Some(Role::ARBITER),
            Self::Clock => Some(Role::CLOCK),
            Self::Gateway => Some(Role::GATEWAY),
        }
    }

    // Whom it may name as the buyer.
    fn buyer(self) -> PartyId {
        match self {
            Self::Stranger => party("eve"),
            Self::Buyer | Self::Seller | Self::Platform | Self::Arbiter | Self::Clock | Self::Gateway => party("anna"),
        }
    }
}

/// What has to become of a command.
#[derive(Debug)]
enum Verdict {
    WrongStatus,
    WrongActor(&'static Edge),
    Barred,
    Unproven,
    Done(&'static Edge),
}

fn verdict(scene: &Scene, status: Status, action: Action, kind: Kind) -> Verdict {
    let Some(edge) = TABLE.edge(status as usize, action as usize) else { return Verdict::WrongStatus };
    if !kind.role(scene).is_some_and(|role| edge.by.contains(&role)) {
        return Verdict::WrongActor(edge);
    }
    // A draft without a buyer has nobody but the platform to call it off.
    let nobodys = scene.buyer_unknown && action == Action::Cancel && matches!(kind, Kind::Buyer | Kind::Stranger);
    // These orders stand alone: none of them is part of a movement.
    let apart = matches!(action, Action::Settle | Action::Undo);
    if scene.barred.contains(&action) || nobodys || apart {
        Verdict::Barred
    } else if scene.unproven.contains(&action) {
        Verdict::Unproven
    } else {
        Verdict::Done(edge)
    }
}

/// The command that fits best: proven by the order's own payments where they can, else by another order's.
fn command<'p>(
    action: Action,
    status: Status,
    kind: Kind,
    own: &'p Proof,
    other: &'p Proof,
    arrived: &'p [&'p Payout<payout::Confirmed>],
) -> Command<'p> {
    match action {
        Action::IdentifyBuyer => Command::IdentifyBuyer { buyer: kind.buyer() },
        Action::Publish => Command::Publish { payin: either(&own.paid, &other.paid) },
        Action::Fail => Command::Fail { payin: either(&own.unpaid, &other.unpaid) },
        Action::Retry => Command::Retry {},
        Action::Accept => Command::Accept { payout: None },
        Action::Reject => Command::Reject {},
        Action::Cancel => Command::Cancel {},
        Action::SetPayout => Command::SetPayout { plan: to_bank() },
        Action::Validate => Command::Validate {},
        Action::Settle => Command::Settle {},
        Action::Undo => Command::Undo {},
        Action::Release => Command::Release { payouts: arrived },
        Action::Block if status == Status::PendingRelease => {
            Command::Block { why: Blocking::Denied(either(&own.denied, &other.denied)) }
        }
        Action::Block => Command::Block { why: Blocking::Operator("looks odd".parse().unwrap()) },
        Action::Unblock => Command::Unblock {},
        Action::Pay => Command::Pay { by: Method::Card },
        Action::DropPayin => Command::DropPayin { payin: either(&own.called_off, &other.called_off) },
        Action::CountPayout => Command::CountPayout {
            payout: match (&own.replaced, own.arrived.first()) {
                (Some(payout), _) => PayoutNews::Replaced(payout),
                (None, Some(payout)) => PayoutNews::Confirmed(payout),
                (None, None) => PayoutNews::Confirmed(arrived[0]),
            },
        },
        Action::TakeBackPayout => Command::TakeBackPayout {
            payout: match (&own.given_back, &own.stopped) {
                (Some(payout), _) => PayoutBack::GivenBack(payout.value()),
                (None, Some(payout)) => PayoutBack::Cancelled(payout.value()),
                (None, None) => PayoutBack::Cancelled(either(&None, &other.stopped).value()),
            },
        },
        Action::RefundPart => Command::RefundPart { amount: euro("5.00") },
        Action::TakeBackRefund => {
            Command::TakeBackRefund { refund: either(&own.refund_called_off, &other.refund_called_off).value() }
        }
        Action::ChargeBack => Command::ChargeBack { chargeback: own.taken().part() },
        Action::ChargeBackAll => Command::ChargeBackAll { chargeback: own.taken().all() },
        Action::Regain => Command::Regain { chargeback: own.taken().won() },
        Action::Close => Command::Close {},
        Action::NoteAfter => Command::NoteAfter { after: After::PayoutReturned(own.came_back()) },
        Action::Amend => {
            Command::Amend { changes: Amendment { metadata: Some(BTreeMap::new()), ..Amendment::default() } }
        }
    }
}

fn either<'p, T>(own: &'p Option<T>, other: &'p Option<T>) -> &'p T {
    own.as_ref().or(other.as_ref()).expect("the other order proves it")
}

fn to_bank() -> PayoutPlan {
    PayoutPlan::to(party("sam"), bank("ba_sam"))
}

fn in_halves() -> PayoutPlan {
    let half = |to| Payee { party: party("sam"), share: Share::Rest, to };
    PayoutPlan::among([half(bank("ba_1")), half(bank("ba_2"))])
}

fn one_try() -> Terms {
    Terms { payin_intents: Some(1), ..terms() }
}

impl Proof {
    /// Chargebacks of what it holds.
    fn taken(&self) -> &Taken {
        self.taken.as_ref().expect("they were made with all others")
    }

    /// A payout of its own that came back from the bank.
    fn came_back(&self) -> &Payout<payout::Returned> {
        self.came_back.as_ref().expect("it was made with all others").value()
    }

    async fn of(shop: &Shop<Memory>, id: OrderId) -> Self {
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

    async fn add_payout(&mut self, shop: &Shop<Memory>, id: PayoutId, at: &Stamp, ops: &Stamp) {
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
async fn thrown_away<T: Value>(shop: &Shop<Memory>, step: Transition<T>) -> T {
    let mut unit = shop.begin().await;
    step.save(&mut unit).await.unwrap()
}

impl Scene {
    fn new(says: &'static str, Staged { shop, id }: Staged) -> Self {
        Self { says, shop, id, buyer_unknown: false, barred: Vec::new(), unproven: Vec::new() }
    }

    fn barred(mut self, actions: &[Action]) -> Self {
        self.barred.extend(actions);
        self
    }

    fn unproven(mut self, actions: &[Action]) -> Self {
        self.unproven.extend(actions);
        self
    }
}

/// An order in a shop of its own, so that no other order's calls move it on.
struct Staged {
    shop: Shop<Memory>,
    id: OrderId,
}

impl Staged {
    async fn drafted(terms: Terms) -> Self {
        let shop = Shop::memory();
        let mut unit = shop.begin().await;
        let id = shop.escrow.open_order(&mut unit, terms, ops()).await.unwrap().id();
        shop.commit(unit).await;
        Self { shop, id }
    }

    async fn opened() -> Self {
        let shop = Shop::memory();
        let id = shop.open(terms()).await;
        Self { shop, id }
    }

    /// A payin is asked for, but the gateway does not know it yet.
    async fn asked(terms: Terms) -> Self {
        let shop = Shop::memory();
        let id = shop.open(terms).await;
        Self { shop, id }.then(Command::Pay { by: Method::Card }, user("anna")).await
    }

    async fn failed(terms: Terms) -> Self {
        let staged = Self::asked(terms).await;
        staged.decline(Verb::Charge);
        staged.shop.send().await;
        staged
    }

    async fn without_payin(terms: Terms) -> Self {
        let staged = Self::asked(terms).await;
        let payin = staged.shop.payin(staged.id).await.id();
        let mut unit = staged.shop.begin().await;
        staged.shop.escrow.act_on_payin(&mut unit, payin, payin::Command::Cancel {}, ops()).await.unwrap();
        staged.shop.commit(unit).await;
        staged
    }

    /// In `PUBLISHED`, `ACCEPTED` or `PENDING_VALIDATE`.
    async fn funded(status: Status) -> Self {
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
    async fn validated(plan: PayoutPlan, answered: usize) -> Self {
        let shop = Shop::memory();
        let id = shop.planned(terms(), plan).await;
        let staged = Self { shop, id }.then(Command::Validate {}, ops()).await;
        staged.answer(answered).await;
        staged
    }

    /// The first of its payouts is denied; another would still be on its way.
    async fn denied(plan: PayoutPlan) -> Self {
        let staged = Self::validated(plan, 0).await;
        staged.decline(Verb::Payout);
        staged.answer(1).await;
        assert_eq!(staged.shop.status(staged.id).await, Status::BlockedRelease);
        staged
    }

    async fn then(self, command: Command<'_>, by: Actor) -> Self {
        self.shop.act(self.id, command, by).await;
        self
    }

    async fn with_denied(self, command: payout::Command) -> Self {
        let payouts = self.shop.payouts(self.id).await;
        let denied = payouts.iter().find(|payout| payout.status() == payout::Status::Denied).expect("a denied payout");
        let mut unit = self.shop.begin().await;
        self.shop.escrow.act_on_payout(&mut unit, denied.id(), command, ops()).await.unwrap();
        self.shop.commit(unit).await;
        self
    }

    fn decline(&self, verb: Verb) {
        let reason = "insufficient funds".parse().unwrap();
        self.shop.gateway().script(verb, [Behaviour::Decline { reason }]);
    }

    async fn answer(&self, calls: usize) {
        for _ in 0..calls {
            assert_eq!(self.shop.escrow.send(&"worker".parse().unwrap(), 1).await.unwrap().answered, 1);
        }
    }

    async fn proof(&self) -> Proof {
        Proof::of(&self.shop, self.id).await
    }
}

async fn before_payment() -> Vec<Scene> {
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

async fn after_payment() -> Vec<Scene> {
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

async fn in_release() -> Vec<Scene> {
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

async fn ended() -> Vec<Scene> {
    let cancel = || Command::Cancel {};
    vec![
        Scene::new("not paid", Staged::asked(terms()).await.then(cancel(), user("anna")).await),
        Scene::new("paid", Staged::funded(Status::Published).await.then(cancel(), user("anna")).await),
        Scene::new("rejected", Staged::funded(Status::Published).await.then(Command::Reject {}, user("sam")).await),
        Scene::new("released", Staged::validated(to_bank(), 1).await),
    ]
}

// All that it held was charged back: undecided, and for good.
async fn charged_back() -> Vec<Scene> {
    use Action::{Cancel, ChargeBack, ChargeBackAll, Close, CountPayout, Regain, TakeBackPayout, Unblock};
    let mut scenes = Vec::new();
    for (says, lost, barred) in [("charged back", false, Close), ("charged back for good", true, Regain)] {
        let staged = Staged::funded(Status::Accepted).await;
        nothing_there(&staged.shop, staged.id, lost).await;
        let scene = Scene::new(says, staged).barred(&[ChargeBack, ChargeBackAll, Cancel, Unblock, barred]);
        scenes.push(scene.unproven(&[CountPayout, TakeBackPayout]));
    }
    scenes
}

// One piece of each kind that the scenes' commands need, of orders that no scene is about.
async fn proof_of_others() -> Proof {
    let part = Command::RefundPart { amount: euro("20.00") };
    let refunded = Staged::funded(Status::Published).await.then(part, ops()).await;
    let Proof { paid, unpaid, called_off, .. } = Staged::asked(terms()).await.proof().await;
    let Proof { refund_called_off, .. } = refunded.proof().await;
    Proof { paid, unpaid, called_off, refund_called_off, ..Staged::validated(to_bank(), 0).await.proof().await }
}

/// Tries one command, and returns whether it was carried out.
fn tried(scene: &Scene, order: AnyOrder, command: Command<'_>, kind: Kind, at: &Stamp) -> bool {
    let (status, action) = (order.status(), command.action());
    let case = format!("{kind:?}: {action} in {status} ({})", scene.says);
    let (held, before) = (order.held(), format!("{order:?}"));
    let may = order.may(action, at);
    assert_eq!(may.is_ok(), order.actions(at).any(|offered| offered == action), "{case}");

    let verdict = verdict(scene, status, action, kind);
    let refused = match (&verdict, order.handle(command, at)) {
        (Verdict::Done(edge), Ok(step)) => {
            assert_eq!(may, Ok(()), "{case}");
            check_step(&case, edge, status, held.minor(), &step);
            assert!(
                step.commits().iter().flat_map(|commit| commit.records()).any(|record| record.name == action.name()),
                "{case}"
            );
            return true;
        }
        (Verdict::Done(_), Err(refused)) => panic!("{case}: {refused}"),
        (_, Ok(_)) => panic!("{case}: should be {verdict:?}"),
        (_, Err(refused)) => refused,
    };
    assert_eq!(format!("{:?}", refused.value), before, "{case}: a refusal changes nothing");
    let (action, status, reason) = (action.name(), status.name(), refused.reason);
    match verdict {
        Verdict::WrongStatus => {
            assert_eq!(reason, Reason::WrongStatus { action, status }, "{case}");
            assert_eq!(may, Err(reason), "{case}");
        }
        Verdict::WrongActor(edge) => {
            let roles = edge.by.iter().map(|role| role.name).collect();
            assert_eq!(reason, Reason::WrongActor { action, status, by: at.by.clone(), roles }, "{case}");
            assert_eq!(may, Err(reason), "{case}");
        }
        Verdict::Barred => {
            assert!(!is_of_the_table(&reason), "{case}: {reason}");
            assert_eq!(may, Err(reason), "{case}");
        }
        // Whether `may` can tell is left open.
        Verdict::Unproven => assert!(!is_of_the_table(&reason), "{case}: {reason}"),
        Verdict::Done(_) => unreachable!(),
    }
    false
}

fn is_of_the_table(reason: &Reason) -> bool {
    matches!(reason, Reason::WrongStatus { .. } | Reason::WrongActor { .. } | Reason::Unbooked { .. })
}

// The step ends where its edge leads, with as much money as the edge leaves.
fn check_step(case: &str, edge: &Edge, from: Status, before: i64, step: &Transition<AnyOrder>) {
    let (to, after) = (step.value().status(), step.value().held().minor());
    if edge.is_note() {
        assert_eq!(to, from, "{case}");
    } else {
        assert!(edge.to.contains(&(to as usize)), "{case}: leads to {to}");
    }
    let moved = match edge.money {
        Flow::Keep | Flow::Pass => after == before,
        Flow::Collect => after > before,
        Flow::Refund | Flow::Release | Flow::Divide => before > 0 && after == 0,
        Flow::Part => 0 < after && after < before,
    };
    assert!(moved, "{case}: {} made {after} of {before}", edge.money.name());
    assert!(TABLE.statuses[to as usize].holds.admits(after > 0), "{case}: {to} holds {after}");
}

// Tries every action by every kind of actor, and notes the actions that were carried out.
async fn play(scene: &Scene, others: &Proof, seen: &mut BTreeSet<(Status, Action)>) {
    let shop = &scene.shop;
    let (own, status) = (Proof::of(shop, scene.id).await, shop.status(scene.id).await);
    let arrived = if own.arrived.is_empty() { &others.arrived } else { &own.arrived };
    let arrived: Vec<_> = arrived.iter().collect();
    for action in Action::ALL.iter().copied() {
        for kind in Kind::ALL {
            let at = shop.escrow.stamp(kind.actor());
            let command = command(action, status, kind, &own, others, &arrived);
            if tried(scene, shop.order(scene.id).await, command, kind, &at) {
                seen.insert((status, action));
            }
        }
    }
    shop.audit().await;
}

#[test]
fn a_command_is_decided_as_the_table_says() {
    block_on(async {
        let mut scenes = before_payment().await;
        scenes.extend(after_payment().await);
        scenes.extend(in_release().await);
        scenes.extend(ended().await);
        for scene in &mut scenes {
            scene.barred.extend([Action::Regain, Action::Close]);
            if scene.shop.order(scene.id).await.held().is_zero() {
                scene.barred.extend([Action::ChargeBack, Action::ChargeBackAll]);
            }
        }
        scenes.extend(charged_back().await);
        let others = proof_of_others().await;
        let (mut seen, mut statuses) = (BTreeSet::new(), BTreeSet::new());
        for scene in &scenes {
            play(scene, &others, &mut seen).await;
            statuses.insert(scene.shop.status(scene.id).await);
        }
        assert!(statuses.iter().eq(Status::ALL), "some statuses were not tried");
        for status in Status::ALL.iter().copied() {
            for action in Action::ALL.iter().copied() {
                let apart = matches!(action, Action::Settle | Action::Undo);
                let legal = TABLE.edge(status as usize, action as usize).is_some() && !apart;
                assert_eq!(seen.contains(&(status, action)), legal, "{action} in {status}");
            }
        }
    });
}

#[test]
fn a_command_may_take_two_steps_at_once() {
    block_on(async {
        let shop = Shop::memory();
        let at = |name| shop.escrow.stamp(user(name));
        let order = shop.order(shop.open(terms()).await).await;
        let paid = order.handle(Command::Pay { by: Method::Wallet }, &at("anna")).unwrap();
        assert_eq!((paid.value().status(), paid.value().held()), (Status::Published, euro("100.00")));

        let id = shop.paid(terms()).await;
        let accept = |plan| Command::Accept { payout: Some(plan) };
        let accepted = shop.order(id).await.handle(accept(to_bank()), &at("sam")).unwrap();
        assert_eq!((accepted.value().status(), accepted.value().held()), (Status::PendingValidate, euro("100.00")));

        // The second step is not possible: neither is taken.
        let too_much = Payee { party: party("sam"), share: Share::Fixed(euro("90.01")), to: Destination::Wallet };
        let order = shop.order(id).await;
        let before = format!("{order:?}");
        let refused = order.handle(accept(PayoutPlan::among([too_much])), &at("sam")).unwrap_err();
        assert_eq!(format!("{:?}", refused.value), before);
        assert!(matches!(refused.reason, Reason::Split(_)));
    });
}
