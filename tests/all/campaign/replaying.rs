//! Logs are replayed and nothing in them is trusted.

use super::*;
use crate::harness::on_each_store;
use escrowed::{
    id::Id,
    lifecycle::{Flaw, Lifecycle, replay},
    store::{Log, UnitOfWork},
};

pub(crate) async fn log<L: Lifecycle, S: Store>(shop: &Shop<S>, id: Id<L>) -> Log {
    shop.begin().await.log(id.subject()).await.unwrap().expect("a log")
}

/// Every event of a name with this said instead is refused.
pub(crate) fn forged<L: Lifecycle>(log: &Log, name: &str, from: &str, to: &str) {
    let mut forged = log.clone();
    let record = forged.records.iter_mut().find(|record| record.name == name).expect("such an event");
    assert!(record.body.contains(from), "{}", record.body);
    record.body = record.body.replacen(from, to, 1);
    let corrupt = replay::<L>(&forged).expect_err(&format!("{name} with {to}"));
    assert!(matches!(corrupt.flaw, Flaw::Illegal(_) | Flaw::Unreadable(_)), "{corrupt}");
}

on_each_store! {
    async fn every_prefix_of_a_log_is_a_history(shop) {
        let drive = Drive::opened(&shop, with(|policy| policy.batch = 1)).await;
        let pledges = drive.backed(["30.00", "20.00", "10.00"]).await;
        drive.over().await;
        let whole = log(&shop, drive.id).await;
        // Opened, three gathered, closed, decided, three given back, finished.
        assert_eq!(whole.records.len(), 10);
        for end in 1..=whole.records.len() {
            let log = Log { records: whole.records[..end].to_vec(), ..whole.clone() };
            replay::<AnyCampaign>(&log).unwrap();
            // None may be left out.
            let mut gap = log;
            gap.records.remove(end / 2);
            assert!(end == 1 || end / 2 == end - 1 || replay::<AnyCampaign>(&gap).is_err());
        }
        for pledge in pledges {
            replay::<AnyPledge>(&log(&shop, pledge).await).unwrap();
        }
    }

    async fn a_forged_campaign_is_refused(shop) {
        let (drive, _) = Drive::funded(&shop, terms()).await;
        drive.act(olga(), Command::Validate {}).await;
        let paid = log(&shop, drive.id).await;
        forged::<AnyCampaign>(&paid, "gather", "\"amount\":{\"amount\":12000", "\"amount\":{\"amount\":-12000");
        forged::<AnyCampaign>(&paid, "gather", "\"amount\":{\"amount\":12000", "\"amount\":{\"amount\":0");
        // Below the target: what follows could not have been.
        forged::<AnyCampaign>(&paid, "gather", "\"amount\":{\"amount\":12000", "\"amount\":{\"amount\":9999");
        forged::<AnyCampaign>(&paid, "validate", "600", "0");
        forged::<AnyCampaign>(&paid, "validate", "\"olga\"", "\"eve\"");
        let missed = Drive::opened(&shop, Terms { deadline: shop.now().plus(DAY), ..terms() }).await;
        missed.backed(["30.00", "20.00", "10.00"]).await;
        missed.over().await;
        let back = log(&shop, missed.id).await;
        forged::<AnyCampaign>(&back, "give_rest_back", "3000", "2999");
        forged::<AnyCampaign>(&back, "give_rest_back", "3000", "3001");
        forged::<AnyCampaign>(&back, "give_rest_back", "3000", "-3000");
        let left = Drive::opened(&shop, Terms { deadline: shop.now().plus(DAY), ..terms() }).await;
        let [anna, ..] = left.backed(["30.00", "20.00", "10.00"]).await;
        left.wait(SLOT);
        left.clock().await;
        left.withdraw(anna, user("anna")).await.unwrap();
        assert_eq!(left.raised().await, (2, "30.00 EUR".into()));
        // More pledges go back than were gathered.
        forged::<AnyCampaign>(&log(&shop, left.id).await, "gather", "\"pledges\":3", "\"pledges\":0");
        forged::<AnyCampaign>(&log(&shop, left.id).await, "give_back", "3000", "6000");
    }

    async fn a_forged_pledge_is_refused(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let [anna, ..] = drive.backed(["30.00", "20.00", "10.00"]).await;
        drive.over().await;
        let pledge = log(&shop, anna).await;
        forged::<AnyPledge>(&pledge, "collect", "3000", "3001");
        forged::<AnyPledge>(&pledge, "give_back", "3000", "6000");
        forged::<AnyPledge>(&pledge, "give_back", "\"anna\"", "\"eve\"");
        forged::<AnyPledge>(&pledge, "open", "\"anna\"", "\"eve\"");
    }
}
