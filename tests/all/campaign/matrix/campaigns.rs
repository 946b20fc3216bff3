//! Campaigns.

use super::*;
use crate::{after::came_back, harness::bank};
use escrowed::{
    campaign::Action,
    payment::{After, AnyPayout, Evidence, Payout, payout},
    pledge::{Gathered, Pledge, Returned},
};
use futures_lite::future::block_on;

/// A campaign in some status, and what its own facts forbid there although the table allows it.
struct Scene {
    says: &'static str,
    shop: Shop<Memory>,
    id: CampaignId,
    barred: Vec<Action>,
}

/// What pledges and payouts can prove. Nothing of it is saved.
struct Proof {
    gathered: Vec<Transition<Pledge<Gathered>>>,
    returned: Vec<Transition<Pledge<Returned>>>,
    paid_out: Option<Transition<Payout<payout::Confirmed>>>,
}

impl Scene {
    async fn proof(&self) -> Proof {
        let (mut proof, at) = (Proof { gathered: vec![], returned: vec![], paid_out: None }, self.at());
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
        proof
    }

    fn at(&self) -> Stamp {
        Stamp::gateway(self.shop.now())
    }
}

/// With anna's and ben's pledges gathered, and cleo's paid.
async fn running(says: &'static str, barred: Vec<Action>, terms: Terms) -> Scene {
    let shop = Shop::memory();
    let drive = Drive::opened(&shop, terms).await;
    drive.wait(TICK);
    drive.pays("anna", "50.00").await;
    drive.pays("ben", "60.00").await;
    shop.send().await;
    drive.wait(SLOT);
    drive.clock().await;
    drive.pays("cleo", "10.00").await;
    shop.send().await;
    let id = drive.id;
    Scene { says, shop, id, barred }
}

async fn empty(says: &'static str, barred: Vec<Action>) -> Scene {
    let shop = Shop::memory();
    let id = Drive::opened(&shop, terms()).await.id;
    Scene { says, shop, id, barred }
}

/// One step of the clock at a time, so that every status on the way is met.
async fn until(scene: Scene, status: Status) -> Scene {
    let drive = Drive { shop: &scene.shop, id: scene.id };
    while drive.now().await.status() != status {
        assert!(drive.steps(1).await > 0, "it does not come to {status}");
    }
    scene
}

/// What was not raised goes back: to be seen in `MISSED` with money and without.
fn dear() -> Terms {
    let mut terms = terms();
    terms.target = euro("1000.00");
    terms
}

async fn scenes() -> Vec<Scene> {
    use Action::*;
    let mut scenes = vec![
        empty("nobody pledged", vec![GiveBack, GiveRestBack, Gather]).await,
        running("before the deadline", vec![], terms()).await,
    ];
    let at_the_deadline = running("at the deadline", vec![], terms()).await;
    at_the_deadline.shop.escrow.clock().advance(DAY);
    scenes.push(at_the_deadline);

    let counting = running("counting", vec![], terms()).await;
    let at = Stamp::clock(counting.shop.now().plus(DAY));
    let AnyCampaign::Open(open) = counting.shop.load(counting.id).await else { panic!("is open") };
    let mut unit = counting.shop.begin().await;
    open.close(&at).unwrap().save(&mut unit).await.unwrap();
    counting.shop.commit(unit).await;
    counting.shop.escrow.clock().advance(DAY);
    scenes.push(counting);

    for (says, wait) in [("funded", DAY), ("funded, and nobody validates", 91 * DAY)] {
        let funded = running(says, vec![], terms()).await;
        funded.shop.escrow.clock().advance(DAY);
        let funded = until(funded, Status::Funded).await;
        funded.shop.escrow.clock().advance(wait - DAY);
        scenes.push(funded);
    }
    for (says, to) in [("on its way", bank("ba_olga")), ("paid", escrowed::payment::Destination::Wallet)] {
        let mut terms = terms();
        terms.payout = Some(to);
        let paid = running(says, vec![Release], terms).await;
        paid.shop.escrow.clock().advance(DAY);
        let paid = until(paid, Status::Funded).await;
        paid.shop.act(paid.id, Command::Validate {}, olga()).await;
        scenes.push(paid);
    }
    let missed = running("with money", vec![Finish], dear()).await;
    missed.shop.escrow.clock().advance(DAY);
    scenes.push(until(missed, Status::Missed).await);
    let missed = empty("without money", vec![GiveBack, GiveRestBack]).await;
    missed.shop.escrow.clock().advance(DAY);
    scenes.push(until(missed, Status::Missed).await);
    let cancelled = running("with money", vec![Finish], terms()).await;
    cancelled.shop.act(cancelled.id, Command::Cancel {}, olga()).await;
    scenes.push(cancelled);
    let cancelled = empty("without money", vec![GiveBack, GiveRestBack]).await;
    cancelled.shop.act(cancelled.id, Command::Cancel {}, ops()).await;
    scenes.push(cancelled);
    let returned = empty("over", vec![]).await;
    returned.shop.act(returned.id, Command::Cancel {}, ops()).await;
    scenes.push(until(returned, Status::Returned).await);
    scenes
}

fn command<'e>(
    action: Action,
    gathered: &'e [&'e Pledge<Gathered>],
    returned: &'e [&'e Pledge<Returned>],
    evidence: Option<&'e Evidence<'e>>,
    came_back: &'e Payout<payout::Returned>,
) -> Option<Command<'e>> {
    Some(match action {
        Action::Close => Command::Close {},
        Action::Decide => Command::Decide {},
        Action::Validate => Command::Validate {},
        Action::Release => Command::Release {},
        Action::Cancel => Command::Cancel {},
        Action::Finish => Command::Finish {},
        Action::Gather => Command::Gather { pledges: gathered, through: None },
        // One of two, and all of them.
        Action::GiveBack => Command::GiveBack { pledges: &returned[..returned.len().min(1)], through: None },
        Action::GiveRestBack => Command::GiveRestBack { pledges: returned, through: None },
        Action::SetPayout => Command::SetPayout { to: bank("ba_1") },
        Action::Count => Command::Count { evidence: evidence? },
        Action::NoteAfter => Command::NoteAfter { after: After::PayoutReturned(came_back) },
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
            // By itself it closes only where its policy says so.
            let by_itself = action == Action::Close && kind == Kind::Gateway;
            let barred = scene.barred.contains(&action) || by_itself;
            let verdict = verdict(&before, action as usize, kind, &at, barred);
            let came_back = came_back(scene.id.subject(), scene.shop.now());
            let command = command(action, &gathered, &returned, paid_out.as_ref(), came_back.value());
            let Some(command) = command else {
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
    // Everything that the table allows was done at least once, but what no campaign has to show when it is looked at:
    // it goes on by itself.
    let left = covered.left::<AnyCampaign>();
    assert_eq!(left, ["close in OPEN by gateway", "release in PENDING_RELEASE by gateway"]);
}
