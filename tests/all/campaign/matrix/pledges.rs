//! Pledges.

use super::*;
use crate::after::came_back;
use escrowed::{
    deal::Lost,
    payment::{After, AnyPayin, AnyRefund, Evidence, Payin, Payout, Refund, payin, payout, refund},
    pledge::{Action, Command, Proceeds, Status},
};
use futures_lite::future::block_on;

/// A pledge of anna's in some status, and what its own facts forbid there although the table allows it.
struct Scene {
    says: &'static str,
    shop: Shop<Memory>,
    id: PledgeId,
    barred: Vec<Action>,
    /// To the backer only.
    firm: bool,
}

/// What its payments can prove. Nothing of it is saved.
#[derive(Default)]
struct Proof {
    paid: Option<Transition<Payin<payin::Confirmed>>>,
    unpaid: Option<Transition<Payin<payin::Denied>>>,
    refunded: Option<Transition<Refund<refund::Confirmed>>>,
}

impl Scene {
    async fn proof(&self) -> Proof {
        let (mut proof, at) = (Proof::default(), Stamp::gateway(self.shop.now()));
        for payin in self.shop.payins(self.id).await {
            if let AnyPayin::Created(payin) = payin {
                let (amount, id) = (payin.facts().amount, payin.id());
                proof.paid = Some(payin.confirm(amount, &at).unwrap());
                let AnyPayin::Created(again) = self.shop.load(id).await else { unreachable!("was just loaded") };
                proof.unpaid = Some(again.deny("no".parse().unwrap(), &at).unwrap());
            }
        }
        for refund in self.shop.refunds(self.id).await {
            if let AnyRefund::Created(refund) = refund {
                let amount = refund.facts().amount;
                proof.refunded = Some(refund.confirm(amount, &at).unwrap());
            }
        }
        proof
    }
}

async fn scene(says: &'static str, status: Status, firm: bool, late: bool, mut barred: Vec<Action>) -> Scene {
    let shop = Shop::memory();
    let drive = Drive::opened(&shop, with(|policy| policy.withdrawals = !firm)).await;
    drive.wait(TICK);
    let id = drive.pays("anna", "50.00").await;
    match status {
        Status::Created => barred.push(if late { Action::Collect } else { Action::TurnAway }),
        Status::Paid | Status::Gathered => shop.send().await,
        Status::Returned | Status::Refunded => {
            shop.send().await;
            drive.withdraw(id, ops()).await.unwrap();
        }
        Status::Cancelled => drop(drive.try_on(id, Command::Cancel {}, ops()).await.unwrap()),
    }
    if status == Status::Gathered {
        drive.wait(SLOT);
        drive.clock().await;
    }
    if status == Status::Refunded {
        shop.send().await;
    }
    if late {
        drive.wait(DAY);
    }
    assert_eq!(drive.status(id).await, status);
    Scene { says, shop, id, barred, firm }
}

async fn scenes() -> Vec<Scene> {
    use Action::*;
    let mut scenes = vec![
        scene("being paid", Status::Created, false, false, vec![Pay]).await,
        scene("being paid, late", Status::Created, false, true, vec![Pay]).await,
        scene("paid", Status::Paid, false, false, vec![]).await,
        scene("paid, for good", Status::Paid, true, false, vec![]).await,
        scene("paid, at the end", Status::Paid, false, true, vec![Withdraw]).await,
        scene("gathered", Status::Gathered, false, false, vec![]).await,
        scene("gathered, for good", Status::Gathered, true, false, vec![]).await,
        scene("gathered, at the end", Status::Gathered, false, true, vec![Withdraw]).await,
        scene("on its way back", Status::Returned, false, false, vec![Refund]).await,
        scene("back", Status::Refunded, false, false, vec![]).await,
        scene("over", Status::Cancelled, false, false, vec![]).await,
    ];
    for (says, late) in [("not paid yet", false), ("not paid yet, late", true)] {
        let mut none = scene(says, Status::Created, false, false, vec![Collect, TurnAway, DropPayin]).await;
        none.shop.gateway().script(Verb::Charge, [decline()]);
        none.shop.send().await;
        if late {
            none.shop.escrow.clock().advance(DAY);
            none.barred.push(Pay);
        }
        scenes.push(none);
    }
    scenes
}

fn command<'e>(
    action: Action,
    proof: &'e Proof,
    evidence: Option<&'e Evidence<'e>>,
    came_back: &'e Payout<payout::Returned>,
) -> Option<Command<'e>> {
    Some(match action {
        Action::Collect => Command::Collect { payin: proof.paid.as_ref()?.value() },
        Action::TurnAway => Command::TurnAway { payin: proof.paid.as_ref()?.value() },
        Action::Gather => Command::Gather {},
        Action::Withdraw => Command::Withdraw {},
        Action::GiveBack => Command::GiveBack {},
        Action::Refund => Command::Refund {},
        Action::Cancel => Command::Cancel {},
        Action::Pay => Command::Pay { by: Method::Card },
        Action::DropPayin => Command::DropPayin { payin: Lost::Denied(proof.unpaid.as_ref()?.value()) },
        Action::Count => Command::Count { evidence: evidence? },
        Action::NoteAfter => Command::NoteAfter { after: After::PayoutReturned(came_back) },
        Action::Receive => Command::Receive { proceeds: Proceeds { principal: euro("20.00"), interest: euro("1.00") } },
    })
}

#[test]
fn every_command_in_every_status_by_everybody_is_decided_as_the_table_says() {
    let mut covered = Covered::default();
    for scene in block_on(scenes()) {
        for (action, kind) in Action::ALL.iter().flat_map(|action| Kind::ALL.map(|kind| (*action, kind))) {
            let (proof, at) = (block_on(scene.proof()), kind.at(scene.shop.now()));
            let refunded = proof.refunded.as_ref().map(|refund| Evidence::RefundConfirmed(refund.value()));
            let (before, value) = (block_on(scene.shop.load(scene.id)), block_on(scene.shop.load(scene.id)));
            covered.met(&before);
            let firm = scene.firm && action == Action::Withdraw && kind == Kind::Backer;
            let verdict = verdict(&before, action as usize, kind, &at, firm || scene.barred.contains(&action));
            let came_back = came_back(scene.id.subject(), scene.shop.now());
            let Some(command) = command(action, &proof, refunded.as_ref(), came_back.value()) else {
                assert!(!matches!(verdict, Verdict::Done(_)), "{action} in {} was not tried", before.status());
                continue;
            };
            let may = before.may(action, &at);
            if judge(scene.says, &before, action as usize, &verdict, may, value.handle(command, &at)) {
                covered.done(&before, action as usize, kind);
            }
        }
    }
    let left = covered.left::<AnyPledge>();
    // A pledge whose refund has arrived goes on by itself before anybody looks at it.
    assert_eq!(left, ["refund in RETURNED by gateway"]);
}
