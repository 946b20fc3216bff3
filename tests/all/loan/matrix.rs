//! What a loan loaded at run time does with a command: for every status, action and kind of actor, as its table says.

use super::*;
use crate::{
    campaign::matrix::{Covered, Kind, Verdict, judge, verdict},
    harness::{bank, ops},
};
use escrowed::{
    deal::Lost,
    lifecycle::Transition,
    loan::Action,
    memory::Memory,
    party::Stamp,
    payment::{AnyPayin, AnyPayout, Evidence, Payin, Payout, payin, payout},
    pledge::{Gathered, Pledge, Returned},
};
use futures_lite::future::block_on;

/// A loan in some status, and what its own facts forbid there although the table allows it.
struct Scene {
    says: &'static str,
    shop: Shop<Memory>,
    id: LoanId,
    barred: Vec<Action>,
}

/// What pledges and payments can prove. Nothing of it is saved.
#[derive(Default)]
struct Proof {
    gathered: Vec<Transition<Pledge<Gathered>>>,
    returned: Vec<Transition<Pledge<Returned>>>,
    paid_out: Option<Transition<Payout<payout::Confirmed>>>,
    paid: Option<Transition<Payin<payin::Confirmed>>>,
    unpaid: Option<Transition<Payin<payin::Denied>>>,
}

impl Scene {
    async fn proof(&self) -> Proof {
        let (mut proof, at) = (Proof::default(), Stamp::gateway(self.shop.now()));
        for pledge in (Drive { shop: &self.shop, id: self.id }).pledges().await {
            match pledge {
                AnyPledge::Paid(pledge) => proof.gathered.push(pledge.gather(&at).unwrap()),
                AnyPledge::Gathered(pledge) => proof.returned.push(pledge.give_back(&at).unwrap()),
                AnyPledge::Created(_) | AnyPledge::Returned(_) | AnyPledge::Refunded(_) | AnyPledge::Cancelled(_) => {}
            }
        }
        for payout in self.shop.payouts(self.id).await {
            if let AnyPayout::Created(payout) = payout {
                let amount = payout.facts().amount;
                proof.paid_out = Some(payout.confirm(amount, &at).unwrap());
            }
        }
        for payin in self.shop.payins(self.id).await {
            if let AnyPayin::Created(payin) = payin {
                let (amount, id) = (payin.facts().amount, payin.id());
                proof.paid = Some(payin.confirm(amount, &at).unwrap());
                let AnyPayin::Created(again) = self.shop.load(id).await else { unreachable!("was just loaded") };
                proof.unpaid = Some(again.deny("no".parse().unwrap(), &at).unwrap());
            }
        }
        proof
    }

    fn drive(&self) -> Drive<'_, Memory> {
        Drive { shop: &self.shop, id: self.id }
    }

    /// Nothing is under way, so there is nothing to be collected.
    fn idle(mut self) -> Self {
        self.barred.extend([Action::Collect, Action::DropPayin, Action::Settle]);
        self
    }

    /// A payin is under way.
    async fn paying(mut self) -> Self {
        self.drive().act(bea(), Command::Repay { amount: euro("100.00"), by: Method::Card }).await;
        self.barred.extend([Action::Repay, Action::Recover, Action::Settle]);
        self
    }

    async fn until(self, status: Status) -> Self {
        while self.drive().status().await != status {
            assert!(self.drive().steps(1).await > 0, "it does not come to {status}");
        }
        self
    }
}

/// With anna's and ben's pledges gathered, and cleo's paid.
async fn running(says: &'static str, barred: Vec<Action>, terms: Terms) -> Scene {
    let shop = Shop::memory();
    let drive = Drive::opened(&shop, terms).await;
    drive.pledge("anna", "5000.00").await.unwrap();
    drive.pledge("ben", "3000.00").await.unwrap();
    shop.send().await;
    drive.wait(Duration::from_secs(600));
    drive.clock().await;
    drive.pledge("cleo", "2000.00").await.unwrap();
    shop.send().await;
    let id = drive.id;
    Scene { says, shop, id, barred }
}

async fn empty(says: &'static str, barred: Vec<Action>) -> Scene {
    let shop = Shop::memory();
    let id = Drive::opened(&shop, terms()).await.id;
    Scene { says, shop, id, barred }
}

async fn funded(says: &'static str, terms: Terms) -> Scene {
    let scene = running(says, vec![], terms).await;
    scene.shop.escrow.clock().advance(DAY);
    scene.until(Status::Funded).await
}

async fn lent(says: &'static str, terms: Terms) -> Scene {
    let scene = funded(says, terms).await;
    scene.drive().act(bea(), Command::Validate {}).await;
    scene
}

async fn owing(says: &'static str) -> Scene {
    lent(says, terms()).await
}

async fn late(says: &'static str) -> Scene {
    let scene = owing(says).await;
    scene.drive().until("2026-06-20");
    scene.until(Status::Late).await
}

async fn defaulted(says: &'static str) -> Scene {
    let scene = owing(says).await;
    scene.drive().act(ops(), Command::DeclareDefault {}).await;
    scene
}

async fn scenes() -> Vec<Scene> {
    use Action::*;
    let dear = || with(|terms| terms.target = euro("100000.00"));
    let mut scenes = vec![
        empty("nobody pledged", vec![GiveBack, GiveRestBack, Gather]).await,
        running("before the deadline", vec![], terms()).await,
        funded("funded", terms()).await,
        lent("on its way", with(|terms| terms.payout = Some(bank("ba_bea")))).await,
        owing("in time").await.idle(),
        owing("in time, being paid").await.paying().await,
        late("late").await.idle(),
        late("late, being paid").await.paying().await,
        defaulted("given up").await.idle(),
        defaulted("given up, being paid").await.paying().await,
    ];
    scenes[3].barred.push(Disburse);
    for scene in &mut scenes[6..8] {
        scene.barred.push(CatchUp);
    }
    let at_the_deadline = running("at the deadline", vec![], terms()).await;
    at_the_deadline.shop.escrow.clock().advance(DAY);
    scenes.push(at_the_deadline);
    let silent = funded("funded, and nobody validates", terms()).await;
    silent.shop.escrow.clock().advance(31 * DAY);
    scenes.push(silent);
    let missed = owing("an instalment is missed").await.idle();
    missed.drive().until("2026-06-20");
    scenes.push(missed);

    let counting = running("counting", vec![], terms()).await;
    let at = Stamp::clock(counting.shop.now().plus(DAY));
    let AnyLoan::Open(open) = counting.drive().now().await else { panic!("is open") };
    let mut unit = counting.shop.begin().await;
    open.close(&at).unwrap().save(&mut unit).await.unwrap();
    counting.shop.commit(unit).await;
    counting.shop.escrow.clock().advance(DAY);
    scenes.push(counting);

    let repaid = owing("over").await;
    repaid.drive().repay("10000.00").await;
    let written_off = defaulted("over").await;
    written_off.drive().act(ops(), Command::WriteOff {}).await;
    scenes.extend([repaid, written_off]);

    for (says, barred, full) in
        [("with money", vec![Finish], true), ("without money", vec![GiveBack, GiveRestBack], false)]
    {
        let scene = async |terms: Terms| match full {
            true => running(says, barred.clone(), terms).await,
            false => empty(says, barred.clone()).await,
        };
        let missed = scene(dear()).await;
        missed.shop.escrow.clock().advance(DAY);
        scenes.push(missed.until(Status::Missed).await);
        let cancelled = scene(terms()).await;
        cancelled.drive().act(bea(), Command::Cancel {}).await;
        scenes.push(cancelled);
    }
    let returned = empty("over", vec![]).await;
    returned.drive().act(ops(), Command::Cancel {}).await;
    scenes.push(returned.until(Status::Returned).await);
    scenes
}

fn command<'e>(
    action: Action,
    proof: &'e Proof,
    gathered: &'e [&'e Pledge<Gathered>],
    returned: &'e [&'e Pledge<Returned>],
    evidence: Option<&'e Evidence<'e>>,
) -> Option<Command<'e>> {
    Some(match action {
        Action::Close => Command::Close {},
        Action::Decide => Command::Decide {},
        Action::Validate => Command::Validate {},
        Action::Disburse => Command::Disburse {},
        Action::FallBehind => Command::FallBehind {},
        Action::CatchUp => Command::CatchUp {},
        Action::Settle => Command::Settle {},
        Action::DeclareDefault => Command::DeclareDefault {},
        Action::WriteOff => Command::WriteOff {},
        Action::Cancel => Command::Cancel {},
        Action::Finish => Command::Finish {},
        Action::Gather => Command::Gather { pledges: gathered, through: None },
        // One of two, and all of them.
        Action::GiveBack => Command::GiveBack { pledges: &returned[..returned.len().min(1)], through: None },
        Action::GiveRestBack => Command::GiveRestBack { pledges: returned, through: None },
        Action::SetPayout => Command::SetPayout { to: bank("ba_1") },
        Action::Count => Command::Count { evidence: evidence? },
        Action::Repay => Command::Repay { amount: euro("100.00"), by: Method::Card },
        Action::Recover => Command::Recover { amount: euro("100.00"), by: Method::Card },
        Action::Collect => Command::Collect { payin: proof.paid.as_ref()?.value() },
        Action::DropPayin => Command::DropPayin { payin: Lost::Denied(proof.unpaid.as_ref()?.value()) },
    })
}

#[test]
fn every_command_in_every_status_by_everybody_is_decided_as_the_table_says() {
    let mut covered = Covered::default();
    for scene in block_on(scenes()) {
        for (action, kind) in Action::ALL.iter().flat_map(|action| Kind::ALL.map(|kind| (*action, kind))) {
            let (proof, at) = (block_on(scene.proof()), kind.at(scene.shop.now()));
            let gathered: Vec<_> = proof.gathered.iter().map(Transition::value).collect();
            let returned: Vec<_> = proof.returned.iter().map(Transition::value).collect();
            let paid_out = proof.paid_out.as_ref().map(|paid| Evidence::PayoutConfirmed(paid.value()));
            let (before, value) = (block_on(scene.shop.load(scene.id)), block_on(scene.shop.load(scene.id)));
            covered.met(&before);
            // By itself it closes only where the target is met.
            let by_itself = action == Action::Close && kind == Kind::Gateway;
            let barred = scene.barred.contains(&action) || by_itself;
            let verdict = verdict(&before, action as usize, kind, &at, barred);
            let Some(command) = command(action, &proof, &gathered, &returned, paid_out.as_ref()) else {
                assert!(!matches!(verdict, Verdict::Done(_)), "{action} in {} was not tried", before.status());
                continue;
            };
            // What is gathered from nobody is refused for the data of the command, which `may` does not see.
            if action == Action::Gather && gathered.is_empty() {
                assert!(value.handle(command, &at).is_err());
                continue;
            }
            let may = before.may(action, &at);
            if judge(scene.says, &before, action as usize, &verdict, may, value.handle(command, &at)) {
                covered.done(&before, action as usize, kind);
            }
        }
    }
    // Everything that the table allows was done at least once, but what no loan has to show when it is looked at: it goes
    // on by itself. The other tests see it do so.
    let left = covered.left::<AnyLoan>();
    assert_eq!(
        left,
        [
            "close in OPEN by gateway",
            "disburse in DISBURSING by gateway",
            "catch_up in LATE by gateway",
            "settle in REPAYING by gateway",
            "settle in LATE by gateway",
            "settle in DEFAULTED by gateway",
        ]
    );
}
